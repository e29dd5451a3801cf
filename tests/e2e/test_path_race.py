#!/usr/bin/env python3
"""The kernel's word over the caller's, and the execution that did it over the one that came after."""
# labels: e2e root
# timeout: 240
import collections
import os
import tempfile

import hw
from hw import gear

MISMATCH = 1 << 2 # EVENT_F_MISMATCH
COMPAT = 1 << 3   # EVENT_F_COMPAT


def a_swapped_path_is_what_was_really_opened():
    hw.need_bpf()
    if (os.cpu_count() or 1) < 2:
        hw.skip("one CPU: the two threads cannot race")
    with hw.State() as state, gear.Bpffs() as bpffs, tempfile.TemporaryDirectory() as folder:
        rules = state.write("rules.yaml", gear.open_rule(f"{folder}/f"))
        config = gear.write_config(state, bpffs)
        with hw.Appliance(state, [rules], config=config) as app:
            app.wait_ready()
            for _ in range(5):
                lost = gear.status(state, config)["events"]["lost"]
                if race_once(state, app, folder, lost, config):
                    return app.stop_ok()
        hw.fail("no open of which the caller's memory said something else: the race never happened")


def race_once(state, app, folder, lost, config):
    """One run of the race; returns how often the two threads met."""
    def mine(a):  # another hullwatch on this node looks at the files too
        return a["output_fields"]["proc.name"] == "flip"
    wanted, before = 2000, len(app.alerts(mine))
    text = gear.tool_run("flip", folder, wanted)
    real = [f"{folder}/f{line.replace(' ', '')}" for line in text.split("\n") if line]
    hw.check(len(real) == wanted, f"{len(real)} opens")
    hw.wait_until(lambda: len(app.alerts(mine)) >= before + wanted or
                  gear.status(state, config)["events"]["lost"] > lost, 30, f"{wanted} alerts")
    if gear.status(state, config)["events"]["lost"] > lost:
        print("     the ring overflowed: once more", flush=True)
        return 0
    alerts = app.alerts(mine)[before:]
    told = sorted(a["output_fields"]["fd.name"] for a in alerts)
    hw.check(told == sorted(real), f"not opened, but told: {list_less(told, real)}; opened, but not "
             f"told: {list_less(real, told)}")
    raced = [a["output_fields"] for a in alerts
             if a["output_fields"]["evt.arg.name"] != a["output_fields"]["fd.name"]]
    flagged = {r["name"]: r["flags"] & MISMATCH for r in gear.rows(
        state, "SELECT name, flags FROM v1_events WHERE class = 'open'")}
    for fields in raced:
        hw.check(flagged.get(fields["fd.name"]), f"no mark: {fields}")
    print(f"     {len(raced)} of {wanted} opens swapped, all told as opened", flush=True)
    return len(raced)


def list_less(these, those):
    """What stands more often in `these` than in `those`: number and the first few."""
    rest = list((collections.Counter(these) - collections.Counter(those)).elements())
    return len(rest), rest[:4]


def paths_are_the_kernels():
    """Relative, by symlink, by .., by a folder's descriptor: the same file has one name."""
    hw.need_bpf()
    with hw.State() as state, gear.Bpffs() as bpffs, tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "target")
        os.mkdir(os.path.join(folder, "sub"))
        with open(target, "w", encoding="ascii"):
            pass
        os.symlink(target, os.path.join(folder, "link"))
        rules = state.write("rules.yaml", gear.open_rule(target))
        config = gear.write_config(state, bpffs)
        with hw.Appliance(state, [rules], config=config) as app:
            app.wait_ready()
            ways = [target, f"{folder}/link", f"{folder}/sub/../target",
                    f"{folder}/sub/../../{os.path.basename(folder)}//./target"]
            for way in ways:
                os.close(os.open(way, os.O_RDONLY))
            at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            os.close(os.open("target", os.O_RDONLY, dir_fd=at))
            os.close(os.open("sub/../link", os.O_RDONLY, dir_fd=at))
            os.close(at)
            mine = app.wait_alerts(lambda a: a["output_fields"]["proc.pid"] == os.getpid(), 6)
            hw.check(len(mine) == 6, f"{len(mine)} alerts")
            for alert in mine:
                hw.check(alert["output_fields"]["fd.name"] == target, alert)
            app.stop_ok()


def the_32_bit_call_is_seen():
    hw.need_bpf()
    with hw.State() as state, gear.Bpffs() as bpffs, tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "target")
        with open(target, "w", encoding="ascii"):
            pass
        done = hw.run([gear.tool("open32"), target])
        if done.returncode:
            hw.skip(f"no 32-bit calls here: {done.returncode} {done.stderr}", optional=True)
        rules = state.write("rules.yaml", gear.open_rule(target))
        config = gear.write_config(state, bpffs)
        with hw.Appliance(state, [rules], config=config) as app:
            app.wait_ready()
            gear.tool_run("open32", target)
            alert = app.wait_alert(lambda a: a["output_fields"]["proc.name"] == "open32")
            hw.check(alert["output_fields"]["evt.type"] == "open", alert)
            events = gear.rows(state, "SELECT * FROM v1_events WHERE name = ?", target)
            hw.check(len(events) == 1 and events[0]["flags"] & COMPAT, f"{events}")
            app.stop_ok()


def a_late_event_belongs_to_the_program_that_caused_it():
    """The process has become another program, or is gone, before anybody looks."""
    hw.need_bpf()
    with hw.State() as state, gear.Bpffs() as bpffs, tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "target")
        with open(target, "w", encoding="ascii"):
            pass
        rules = state.write("rules.yaml", gear.open_rule(target))
        config = gear.write_config(state, bpffs)
        with hw.Appliance(state, [rules], config=config) as app:
            app.wait_ready()
            with gear.Stopped(app.pid):
                then = gear.tool("thenexec")
                # Twice itself under the first name, then a program that ends.
                gear.tool_run("thenexec", target, then, target, "/bin/cat", target)
            mine = app.wait_alerts(lambda a: a["output_fields"]["fd.name"] == target, 3)
            names = [a["output_fields"]["proc.name"] for a in mine]
            hw.check(names == ["thenexec", "thenexec", "cat"], f"{names}")
            pids = {a["output_fields"]["proc.pid"] for a in mine}
            hw.check(len(pids) == 1, f"one process: {pids}")
            found = gear.stored_alerts(state, "Hwtest open")
            executions = {r["exec_id"] for _, r in found}
            hw.check(len(executions) == 3, f"three executions: {executions}")
            for _, row in found:
                lines = gear.rows(
                    state, "SELECT cmdline FROM v1_processes WHERE pid=? AND start_ns=? AND exec_id=?",
                    row["pid"], row["start_ns"], row["exec_id"])
                hw.check(len(lines) == 1, f"the execution is stored: {row}")
            app.stop_ok()


hw.main(paths_are_the_kernels, the_32_bit_call_is_seen,
        a_late_event_belongs_to_the_program_that_caused_it,
        a_swapped_path_is_what_was_really_opened)
