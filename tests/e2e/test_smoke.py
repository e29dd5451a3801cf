#!/usr/bin/env python3
"""Commands and errors as the command line's contract has them, and a short life of the appliance."""
# labels: e2e root
# timeout: 180
import hashlib
import json
import os
import re
import sqlite3
import tempfile

import hw
from hw import gear


def file_hash(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def version_and_help():
    hw.check(re.match(r"hullwatch \d+\.\d+", hw.hullwatch_ok("version")), "version")
    hw.check("run" in hw.hullwatch_ok("--help"), "--help lists the commands")
    for command in ("run", "status", "alerts", "events", "processes", "containers"):
        text = hw.hullwatch_ok(command, "--help")
        hw.check(command in text and "example" in text, f"{command} --help: {text}")


def wrong_usage_is_one_line_and_2():
    with hw.State() as state:
        for args, parts in (
                (["--no-such-option"], ["no-such-option"]),
                (["run", "--no-such-option"], ["no-such-option"]),
                (["rnu"], ["rnu", "run"]),
                (["alerts", "--format", "xml"], ["xml"]),
                (["alerts", "--since", "yesterday-ish"], ["yesterday-ish"]),
                (["run", "--duration", "-5"], ["-5"]),
                (["completion", "tcsh"], ["tcsh"])):
            lines = gear.check_sane_error(hw.hullwatch(*args, state=state), 2, *parts)
            hw.check(len(lines) <= 2, f"{args}: {lines}")
        hw.check(hw.hullwatch(state=state).returncode == 2, "no command")
        hw.check(not os.path.exists(gear.database(state)), "wrong usage makes no database")


def configuration_is_checked_with_its_place():
    with hw.State() as state:
        good = gear.write_config(state, collector__ring_mib=4)
        done = hw.hullwatch("config", "check", state=state, config=good)
        hw.check(done.returncode == 0, done.stderr)
        shown = hw.hullwatch_ok("config", "show", state=state, config=good)
        hw.check(re.search(r"ring_mib:\s*4\b", shown), shown)
        again = state.write("again.yaml", shown)
        hw.check(hw.hullwatch_ok("config", "show", config=again) == shown,
                 "what config show prints is a configuration with the same meaning")
        bad = state.write("bad.yaml", "collector:\n  ring_mb: 4\n")
        for command in (("config", "check"), ("run",), ("status",)):
            done = hw.hullwatch(*command, state=state, config=bad)
            gear.check_sane_error(done, 2, f"{bad}:2:3", "ring_mb", "ring_mib")
        done = hw.hullwatch("config", "check", config=state.file("missing.yaml"))
        gear.check_sane_error(done, 2, "missing.yaml")


def completion_is_a_script():
    hw.need_tools("bash")
    script = hw.hullwatch_ok("completion", "bash")
    hw.check("hullwatch" in script, "bash completion")
    done = hw.run(["bash", "-n"], stdin=None, input=script)
    hw.check(done.returncode == 0, done.stderr)
    for shell in ("zsh", "fish"):
        hw.check("hullwatch" in hw.hullwatch_ok("completion", shell), shell)


def rules_are_checked_with_their_place():
    with hw.State() as state:
        good = state.write("good.yaml", gear.open_rule("/tmp/hwtest-x"))
        hw.hullwatch_ok("rules", "check", good, state=state)
        bad = state.write("bad.yaml", gear.open_rule("/tmp/hwtest-x", extra="and fd.nmae = x"))
        gear.check_sane_error(hw.hullwatch("rules", "check", bad, state=state), 2, bad, "fd.nmae")
        gear.check_sane_error(hw.hullwatch("run", "--rules", bad, state=state), 2, bad, "fd.nmae")
        broken = state.write("broken.yaml", "- rule: [\n")
        gear.check_sane_error(hw.hullwatch("rules", "check", broken, state=state), 2, broken)
        missing = state.file("none.yaml")
        done = hw.hullwatch("rules", "check", missing, state=state)
        hw.check(done.returncode in (2, 3) and missing in done.stderr, done.stderr)


def commands_without_a_store_say_so():
    with hw.State() as state:
        for command in ("alerts", "events", "containers"):
            done = hw.hullwatch(command, "--format", "json", state=state)
            hw.check(done.returncode in (0, 3), f"{command}: {done.returncode} {done.stderr}")
            if done.returncode == 0:
                hw.check(json.loads(done.stdout) == [], done.stdout)
        done = hw.hullwatch("status", state=state)
        hw.check(done.returncode == 3, f"status: {done.returncode} {done.stderr}")
        hw.check(os.listdir(str(state)) == [], f"commands left {os.listdir(str(state))}")


def run_for_a_duration():
    hw.need_bpf()
    with hw.State() as state, gear.Bpffs() as bpffs:
        rules = state.write("rules.yaml", gear.open_rule("/tmp/hwtest-nothing"))
        config = gear.write_config(state, bpffs)
        with hw.Appliance(state, [rules], ["--duration", "1"], config) as app:
            app.wait_ready()
            hw.check(app.wait_end() == 0, app.log())
            hw.check(app.out.copy() == [], f"stdout is for alerts: {app.out.copy()}")
            hw.check(len([x for x in app.err.copy() if re.search(r"\bready\b", x)]) == 1, app.log())
        hw.check(bpffs.pins() == [], f"a clean stop leaves pins: {bpffs.pins()}")
        gear.check_integrity(state)
        answer = json.loads(hw.hullwatch_ok("alerts", "--format", "json", state=state,
                                            config=config))
        hw.check(answer == [], "no alerts, as JSON")


def run_prints_and_stores_text():
    hw.need_bpf()
    with hw.State() as state, gear.Bpffs() as bpffs, tempfile.TemporaryDirectory() as folder:
        rules = state.write("rules.yaml", gear.open_rule(folder))
        config = gear.write_config(state, bpffs)
        with hw.Appliance(state, [rules], config=config, output="text") as app:
            app.wait_ready()
            with open(os.path.join(folder, "seen"), "w", encoding="ascii"):
                pass
            line = app.wait_stdout(re.escape(folder))
            hw.check(re.match(r"\d\d:\d\d:\d\d\.\d{9}: Notice file=" + re.escape(folder), line),
                     line)
            hw.check(len(gear.stored_alerts(state, "Hwtest open")) == 1,
                     "printed means committed")
            for form in ("table", "json", "jsonl", "csv"):
                text = hw.hullwatch_ok("alerts", "--format", form, state=state, config=config)
                hw.check(folder in text, f"{form}: {text}")
            app.stop_ok()


def status_has_the_keys_of_the_contract():
    hw.need_bpf()
    with hw.State() as state, gear.Bpffs() as bpffs:
        rules = state.write("rules.yaml", gear.WATCH_ALL_RULE)
        config = gear.write_config(state, bpffs)
        with hw.Appliance(state, [rules], config=config) as app:
            app.wait_ready()
            hw.run(["true"])
            answer = hw.wait_until(
                lambda: (lambda s: s if s["events"]["seen"] else None)(gear.status(state, config)),
                10, "an event")
            for key in ("events", "alerts", "store", "sinks", "sources", "rss_bytes",
                        "cpu_seconds", "uptime_seconds"):
                hw.check(key in answer, f"status lacks {key}: {answer}")
            for key in ("seen", "filtered", "lost", "by_class"):
                hw.check(key in answer["events"], f"status lacks events.{key}: {answer}")
            hw.check(answer["rss_bytes"] > 1 << 20, answer["rss_bytes"])
            hw.check(hw.hullwatch_ok("status", state=state, config=config), "a table too")
            live = json.loads(hw.hullwatch_ok("processes", "--format", "json", state=state,
                                              config=config))
            hw.check(any(p.get("pid") == os.getpid() for p in live), "this test is a live process")


def a_second_instance_refuses():
    hw.need_bpf()
    with hw.State() as state, gear.Bpffs() as bpffs, tempfile.TemporaryDirectory() as folder:
        rules = state.write("rules.yaml", gear.open_rule(folder))
        config = gear.write_config(state, bpffs)
        with hw.Appliance(state, [rules], config=config) as app:
            app.wait_ready()
            done = hw.hullwatch("run", "--duration", "1", "--rules", rules, state=state,
                                config=config)
            gear.check_sane_error(done, 3, str(app.pid))
            done = hw.hullwatch("run", "--fresh", "--duration", "1", "--rules", rules, state=state,
                                config=config)
            hw.check(done.returncode == 3, f"--fresh does not push a living one aside: {done}")
            with open(os.path.join(folder, "f"), "w", encoding="ascii"):
                pass
            app.wait_alert(lambda a: a["rule"] == "Hwtest open")


def reload_keeps_the_old_one_when_the_new_one_is_wrong():
    hw.need_bpf()
    with hw.State() as state, gear.Bpffs() as bpffs, tempfile.TemporaryDirectory() as folder:
        def touch(name):
            with open(os.path.join(folder, name), "w", encoding="ascii"):
                pass
        rules = state.write("rules.yaml", gear.open_rule(folder, "Hwtest first"))
        config = gear.write_config(state, bpffs, [rules])
        with hw.Appliance(state, config=config) as app:
            app.wait_ready()
            state.write("rules.yaml", "- rule: broken\n  condition: no.such.field = 1\n")
            app.reload()
            app.wait_stderr(r"no\.such\.field|rules\.yaml")
            touch("a")
            app.wait_alert(lambda a: a["output_fields"]["fd.name"] == f"{folder}/a")
            hw.check(app.alerts()[-1]["rule"] == "Hwtest first", "the old rules are in force")
            state.write("rules.yaml", gear.open_rule(folder, "Hwtest second"))
            app.reload()

            def second():
                touch("b")
                return app.alerts(lambda a: a["rule"] == "Hwtest second")
            hw.wait_until(second, 10, "the new rules")


def state_that_cannot_be_used_is_told():
    hw.need_bpf()
    hw.need_tools("unshare", "mount")
    with hw.State() as state, gear.Bpffs() as bpffs:
        rules = state.write("rules.yaml", gear.open_rule("/tmp/hwtest-nothing"))
        config = gear.write_config(state, bpffs, [rules])
        folder = os.path.join(str(state), "state")
        os.mkdir(folder)
        script = 'mount -t tmpfs -o ro tmpfs "$1" && shift && exec "$@"'
        done = hw.run(["unshare", "-m", "sh", "-c", script, "sh", folder, hw.BIN, "--config",
                       config, "--state-dir", folder, "run", "--duration", "1"])
        gear.check_sane_error(done, 3, folder)
        blocked = state.write("file", "x")
        done = hw.hullwatch("run", "--duration", "1", state=os.path.join(blocked, "sub"),
                            config=config)
        gear.check_sane_error(done, 3, blocked)


def foreign_and_damaged_databases_are_left_alone():
    hw.need_bpf()
    with hw.State() as state, gear.Bpffs() as bpffs:
        rules = state.write("rules.yaml", gear.open_rule("/tmp/hwtest-nothing"))
        config = gear.write_config(state, bpffs, [rules])
        for name, make in (("foreign", make_foreign), ("newer", make_newer),
                           ("text", make_text), ("cut", make_cut)):
            folder = os.path.join(str(state), name)
            os.mkdir(folder)
            path = os.path.join(folder, "hullwatch.db")
            make(path)
            before = file_hash(path)
            for command in (("run", "--duration", "1"), ("alerts",)):
                done = hw.hullwatch(*command, state=folder, config=config)
                hw.check(done.returncode not in (0, 1), f"{name} {command}: {done}")
                gear.check_sane_error(done, done.returncode, path)
                hw.check(done.stdout == "", done.stdout)
            hw.check(file_hash(path) == before, f"{name}: the file was changed")
            hw.check(bpffs.pins() == [], f"{name}: pins were left: {bpffs.pins()}")


def make_foreign(path):
    with sqlite3.connect(path) as link:
        link.execute("CREATE TABLE diary(day, text)")
    link.close()


def make_newer(path):
    with sqlite3.connect(path) as link:
        link.execute("PRAGMA application_id = 0x48576462")
        link.execute("PRAGMA user_version = 9999")
        link.execute("CREATE TABLE alerts(n)")
    link.close()


def make_text(path):
    with open(path, "wb") as f:
        f.write(b"this is not a database\n" * 500)


def make_cut(path):
    """A database of ours of which most of the pages are garbage."""
    with sqlite3.connect(path) as link:
        link.execute("PRAGMA application_id = 0x48576462")
        link.execute("PRAGMA user_version = 1")
        for i in range(50):
            link.execute(f"CREATE TABLE t{i}(a, b, c)")
    link.close()
    with open(path, "r+b") as f:
        f.seek(100)
        f.write(b"\xee" * (os.path.getsize(path) - 100))


hw.main(version_and_help, wrong_usage_is_one_line_and_2, configuration_is_checked_with_its_place,
        completion_is_a_script, rules_are_checked_with_their_place,
        commands_without_a_store_say_so, run_for_a_duration, run_prints_and_stores_text,
        status_has_the_keys_of_the_contract, a_second_instance_refuses,
        reload_keeps_the_old_one_when_the_new_one_is_wrong, state_that_cannot_be_used_is_told,
        foreign_and_damaged_databases_are_left_alone)
