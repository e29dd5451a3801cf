#!/usr/bin/env python3
"""The ring is the log: killed at random instants, nothing is missing that the counters do not tell of."""
# labels: e2e root slow
# timeout: 600
import contextlib
import json
import os
import random
import re
import tempfile
import time

import hw
from hw import gear

ROUNDS = int(os.environ.get("HW_KILL_ROUNDS") or 20)
RULE = "Hwtest open"


def number_of(name, prefix):
    return int(name[len(prefix):])


def printed_names(app):
    """What was printed; the last line may be cut by the kill."""
    names = []
    for line in app.out.copy():
        try:
            names.append(json.loads(line)["output_fields"]["fd.name"])
        except ValueError:
            pass
    return names


def live_a_while(app, chance):
    """Let it run for a random time: from before it is ready until well behind it."""
    if chance.random() < 0.25:
        time.sleep(chance.uniform(0, 0.4))
        return
    app.wait_ready()
    time.sleep(chance.uniform(0, 0.5))


def check_every_open_once(state, prefix, opened, counts):
    """One alert for every open, except those that the counters give as dropped."""
    names = [f["fd.name"] for f, _ in gear.stored_alerts(state, RULE)]
    seen = [number_of(n, prefix) for n in names]
    hw.check(len(set(seen)) == len(seen), f"{len(seen) - len(set(seen))} alerts twice")
    hw.check(all(0 <= i < opened for i in seen), "an alert of what was never opened")
    missing = sorted(set(range(opened)) - set(seen))
    hw.check(gear.total(counts) == opened, f"opened {opened}, counted {counts}")
    hw.check(len(missing) == counts["dropped"],
             f"{len(missing)} of {opened} missing, {counts['dropped']} counted as dropped; "
             f"first {missing[:10]}")
    return len(missing)


def storm_with_kills(rate, ring_mib, rounds, seed):
    chance = random.Random(seed)
    print(f"     seed {seed}", flush=True)
    with hw.State() as state, gear.Bpffs() as bpffs, hw.Cgroup() as group, \
            tempfile.TemporaryDirectory(dir="/dev/shm") as folder, \
            contextlib.ExitStack() as lives:
        prefix = f"{folder}/f"
        rules = state.write("rules.yaml", gear.open_rule(prefix))
        config = gear.write_config(state, bpffs, [rules], collector__ring_mib=ring_mib,
                                   collector__account_cgroups=[group.path])
        printed = []
        app = lives.enter_context(hw.Appliance(state, config=config))
        app.wait_ready()
        with gear.Storm(prefix, group.path, rate) as storm:
            for _ in range(rounds):
                live_a_while(app, chance)
                app.kill()
                printed += printed_names(app)
                time.sleep(chance.uniform(0, 0.2))
                app = lives.enter_context(hw.Appliance(state, config=config))
            app.wait_ready()
            opened = storm.stop()
        counts = gear.settled_counts(state, config, group.path,
                                     lambda c: gear.total(c["open"]) >= opened)["open"]
        hw.wait_until(lambda: gear.rows(state, "SELECT count(*) AS n FROM alerts")[0]["n"]
                      >= counts["emitted"], 60, f"{counts['emitted']} alerts in the store")
        app.stop_ok()
        printed += printed_names(app)
        missing = check_every_open_once(state, prefix, opened, counts)
        stored = {f["fd.name"] for f, _ in gear.stored_alerts(state, RULE)}
        lost = [n for n in printed if n not in stored]
        hw.check(not lost, f"printed but not committed: {lost[:5]}")
        gear.check_integrity(state)
        hw.check(bpffs.pins() == [], f"a clean stop leaves pins: {bpffs.pins()}")
        print(f"     {rounds} kills, {opened} opens, {missing} dropped (as counted), "
              f"{len(printed)} lines", flush=True)


def seed():
    return int(os.environ.get("HW_SEED") or random.SystemRandom().randrange(1 << 31))


def nothing_is_missing_while_the_ring_holds():
    hw.need_bpf()
    storm_with_kills(2000, 16, ROUNDS, seed())


def the_counters_tell_what_a_full_ring_lost():
    """A ring too small for the storm and the time that nobody reads it."""
    hw.need_bpf()
    storm_with_kills(20000, 1, max(3, ROUNDS // 4), seed())


def what_happens_in_the_downtime_is_judged_afterwards():
    hw.need_bpf()
    with hw.State() as state, gear.Bpffs() as bpffs, \
            tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        prefix = f"{folder}/f"
        rules = state.write("rules.yaml", gear.open_rule(prefix))
        config = gear.write_config(state, bpffs, [rules])
        with hw.Appliance(state, config=config) as app:
            app.wait_ready()
            app.kill()
            hw.check(bpffs.pins(), "what a killed one pinned stays")
            gear.tool_run("opens", "-", prefix, 100)
            done = hw.hullwatch("status", state=state, config=config)
            hw.check(done.returncode == 3, f"status of a dead one: {done}")
            hw.check(re.search(r"leftover.*pinned", done.stdout), f"leftovers are told: {done}")
            app.start()
            app.wait_ready()
            mine = app.wait_alerts(lambda a: a["rule"] == RULE, 100)
            hw.check([a["output_fields"]["proc.name"] for a in mine] == ["opens"] * 100,
                     "a process that came and went in the downtime has its name")
            app.stop_ok()
        hw.check(bpffs.pins() == [], f"a clean stop leaves pins: {bpffs.pins()}")


def fresh_removes_what_a_dead_one_left():
    hw.need_bpf()
    with hw.State() as state, gear.Bpffs() as bpffs, \
            tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        prefix = f"{folder}/f"
        rules = state.write("rules.yaml", gear.open_rule(prefix))
        config = gear.write_config(state, bpffs, [rules])
        with hw.Appliance(state, config=config) as app:
            app.wait_ready()
            app.kill()
        gear.tool_run("opens", "-", prefix, 10)
        with hw.Appliance(state, args=["--fresh"], config=config) as app:
            app.wait_ready()
            with open(f"{prefix}-marker", "w", encoding="ascii"):
                pass
            app.wait_alert(lambda a: a["output_fields"]["fd.name"] == f"{prefix}-marker")
            hw.check(len(app.alerts()) == 1, f"--fresh begins anew: {app.alerts()}")
            app.stop_ok()
        hw.check(bpffs.pins() == [], f"pins: {bpffs.pins()}")


def other_rules_after_a_kill_are_in_force():
    """What waits in the ring is judged by the rules of the new start; new interest is heard."""
    hw.need_bpf()
    with hw.State() as state, gear.Bpffs() as bpffs, \
            tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        prefix = f"{folder}/f"
        rules = state.write("rules.yaml", gear.open_rule(prefix))
        config = gear.write_config(state, bpffs, [rules])
        with hw.Appliance(state, config=config) as app:
            app.wait_ready()
            app.kill()
        gear.tool_run("opens", "-", prefix, 5)
        state.write("rules.yaml", gear.open_rule(prefix, "Hwtest other") + """\
- rule: Hwtest connects
  desc: connections of the test
  condition: evt.type = connect and proc.name = produce
  output: "%fd.name"
  priority: NOTICE
""")
        with hw.Appliance(state, config=config) as app:
            app.wait_ready()
            app.wait_alerts(lambda a: a["rule"] == "Hwtest other", 5)
            gear.tool_run("produce", "-", "connect=1")
            app.wait_alert(lambda a: a["rule"] == "Hwtest connects")
            hw.check(not app.alerts(lambda a: a["rule"] == RULE), "the old rules are gone")
            app.stop_ok()


hw.main(what_happens_in_the_downtime_is_judged_afterwards, fresh_removes_what_a_dead_one_left,
        other_rules_after_a_kill_are_in_force, nothing_is_missing_while_the_ring_holds,
        the_counters_tell_what_a_full_ring_lost)
