#!/usr/bin/env python3
"""emitted + dropped + filtered = produced, exactly, while the reader runs and while it does not."""
# labels: e2e root
# timeout: 400
import json
import os
import subprocess
import tempfile

import hw
from hw import gear

PRODUCE = {"open": 2000, "missing": 500, "fork": 60, "exec": 60, "noexec": 20, "connect": 50,
           "getpid": 5000}


def produce(group, **kinds):
    """Run the generator in the cgroup; returns what it made, by class."""
    words = [f"{k}={n}" for k, n in kinds.items()]
    return json.loads(gear.tool_run("produce", group.path, *words, timeout_s=300))


def check_exact(counts, made):
    for name in gear.CLASSES:
        count = counts.get(name) or {"emitted": 0, "dropped": 0, "filtered": 0}
        hw.check(gear.total(count) == made.get(name, 0),
                 f"{name}: produced {made.get(name, 0)}, counted {count}")


def all_counted(made):
    return lambda counts: all(gear.total(counts[n]) >= made.get(n, 0) for n in gear.CLASSES
                              if n in counts)


def add(a, b):
    return {n: a.get(n, 0) + b.get(n, 0) for n in gear.CLASSES}


def every_class_is_counted_exactly():
    hw.need_bpf()
    with hw.State() as state, gear.Bpffs() as bpffs, hw.Cgroup() as group:
        rules = state.write("rules.yaml", gear.WATCH_ALL_RULE)
        config = gear.write_config(state, bpffs, collector__account_cgroups=[group.path])
        with hw.Appliance(state, [rules], config=config) as app:
            app.wait_ready()
            made = produce(group, **PRODUCE)
            counts = gear.settled_counts(state, config, group.path, all_counted(made))
            check_exact(counts, made)
            hw.check(all(counts[n]["dropped"] == 0 for n in counts), f"dropped: {counts}")
            with gear.Stopped(app.pid):
                made = add(made, produce(group, **PRODUCE))
            counts = gear.settled_counts(state, config, group.path, all_counted(made))
            check_exact(counts, made)
            app.stop_ok()


def a_full_ring_drops_and_counts():
    """The reader does not run, the ring is small: what did not fit is counted, the rest is stored."""
    hw.need_bpf()
    with hw.State() as state, gear.Bpffs() as bpffs, hw.Cgroup() as group, \
            tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        rules = state.write("rules.yaml", gear.open_rule(f"{folder}/f"))
        config = gear.write_config(state, bpffs, collector__account_cgroups=[group.path],
                                   collector__ring_mib=1)
        with hw.Appliance(state, [rules], config=config) as app:
            app.wait_ready()
            wanted = 20000
            with gear.Stopped(app.pid):
                gear.tool_run("opens", group.path, f"{folder}/f", wanted)
            count = gear.settled_counts(state, config, group.path,
                                        all_counted({"open": wanted}))["open"]
            hw.check(gear.total(count) == wanted, f"produced {wanted}, counted {count}")
            hw.check(count["dropped"] > 0 and count["emitted"] > 0, f"the ring was filled: {count}")
            hw.wait_until(
                lambda: gear.rows(state, "SELECT count(*) AS n FROM alerts")[0]["n"]
                >= count["emitted"], 60, "the alerts")
            names = [f["fd.name"] for f, _ in gear.stored_alerts(state, "Hwtest open")]
            hw.check(len(names) == count["emitted"], f"{len(names)} alerts of {count}")
            hw.check(len(set(names)) == len(names), "an alert twice")
            answer = gear.status(state, config)
            hw.check(answer["events"]["lost"], f"status tells of no loss: {answer['events']}")
            lost = hw.wait_until(
                lambda: gear.rows(state, "SELECT sum(count) AS n FROM v1_losses "
                                  "WHERE place = 'ring' AND class = 'open'")[0]["n"] or 0,
                10, "the loss in the store")
            hw.check(lost >= count["dropped"], f"the store tells of {lost} lost, of {count}")
            app.stop_ok()


def lineage_survives_a_flood():
    """Exec, fork and exit have a ring of their own: a flood of opens drops none of them."""
    hw.need_bpf()
    with hw.State() as state, gear.Bpffs() as bpffs, hw.Cgroup() as group:
        rules = state.write("rules.yaml", gear.WATCH_ALL_RULE)
        config = gear.write_config(state, bpffs, collector__account_cgroups=[group.path],
                                   collector__ring_mib=1)
        with hw.Appliance(state, [rules], config=config) as app:
            app.wait_ready()
            with gear.Stopped(app.pid):
                made = produce(group, open=20000, exec=200, fork=200)
            counts = gear.settled_counts(state, config, group.path, all_counted(made))
            check_exact(counts, made)
            hw.check(counts["open"]["dropped"] > 0, f"{counts['open']}")
            for name in ("exec", "fork", "exit"):
                hw.check(counts[name]["dropped"] == 0, f"{name}: {counts[name]}")


def two_million_uninteresting_opens_lose_nothing():
    hw.need_bpf()
    sources = hw.need_shared("workloads")
    hw.need_tools("cc")
    with hw.State() as state, gear.Bpffs() as bpffs, hw.Cgroup() as group:
        program = state.file("w2_open")
        built = hw.run(["cc", "-O2", "-static", "-o", program,
                        os.path.join(sources, "w2_open.c")])
        hw.check(built.returncode == 0, built.stderr)
        rules = state.write("rules.yaml", gear.open_rule("/nonexistent/hwtest"))
        config = gear.write_config(state, bpffs, collector__account_cgroups=[group.path])
        with hw.Appliance(state, [rules], config=config) as app:
            app.wait_ready()
            wanted = 2000000
            done = hw.run([gear.tool("produce"), group.path, "--", program, str(wanted)],
                          timeout_s=120, stderr=subprocess.PIPE)
            hw.check(done.returncode == 0, done.stderr)
            count = gear.settled_counts(state, config, group.path,
                                        all_counted({"open": wanted}))["open"]
            hw.check(gear.total(count) == wanted, f"produced {wanted}, counted {count}")
            # The thread sanitizer makes the reader ten times slower than it is: there only the sum counts.
            if hw.scaled(1) < 5:
                hw.check(count["dropped"] == 0, f"{count}")
            print(f"     {wanted} opens in {json.loads(done.stdout)['wall_s']:.2f} s: {count}")
            app.stop_ok()


def what_no_rule_asks_for_never_leaves_the_kernel():
    hw.need_bpf()
    with hw.State() as state, gear.Bpffs() as bpffs, hw.Cgroup() as group:
        rules = state.write("rules.yaml", gear.WATCH_ALL_RULE.replace(
            "open, openat, openat2, creat, ", ""))
        config = gear.write_config(state, bpffs, collector__account_cgroups=[group.path])
        with hw.Appliance(state, [rules], config=config) as app:
            app.wait_ready()
            made = produce(group, open=3000, connect=20)
            counts = gear.settled_counts(
                state, config, group.path, lambda c: gear.total(c["connect"]) >= made["connect"])
            hw.check(counts.get("open", {"emitted": 0})["emitted"] == 0, f"{counts.get('open')}")


hw.main(every_class_is_counted_exactly, a_full_ring_drops_and_counts, lineage_survives_a_flood,
        two_million_uninteresting_opens_lose_nothing,
        what_no_rule_asks_for_never_leaves_the_kernel)
