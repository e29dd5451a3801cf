#!/usr/bin/env python3
"""--where of alerts, events and processes: what it finds in a live store, and what it refuses."""
# labels: e2e root
# timeout: 120
import json
import os
import signal
import subprocess
import tempfile

import hw
from hw import gear

COMMANDS = ("alerts", "events", "processes")


def wrong_conditions_are_one_line_and_2():
    with hw.State() as state:
        for command in COMMANDS:
            for condition, parts in (
                    ("fd.nmae = x", ["column 1", "fd.nmae"]),
                    ("proc.name = cat and pid >", ["column 26"]),
                    ("proc.nmae = x", ["proc.name"]),
                    ("(" * 10000, ["column", "deep"]),
                    ("(" * 10000 + "x" + ")" * 10000, ["column", "deep"]),
                    ("not(" * 5000 + "x" + ")" * 5000, ["column", "deep"]),
                    ("x and " * 15000 + "x", ["column", "longer"]),
                    ("proc.name = '" + "a" * 100000, ["longer"]),
                    ("proc.name regex '('", ["column"]),
                    ("proc.name = \"\\q\"", ["escape"]),
                    ("", ["empty"]),
                    ("proc.name = \xff\x1b[31m)", ["column"])):
                done = hw.hullwatch(command, "--where", condition, state=state)
                gear.check_sane_error(done, 2, *parts)
                hw.check(done.stdout == "", done.stdout)
        done = hw.hullwatch("containers", "--where", "x", state=state)
        hw.check(done.returncode == 2, "containers take no condition")


class Setup:
    """A running appliance with a rule for opens below a folder."""

    def __init__(self):
        self.state = hw.State()
        self.folder = tempfile.mkdtemp(prefix="hwtest-where-")
        self.rules = self.state.write("rules.yaml", gear.open_rule(self.folder))

    def __enter__(self):
        hw.need_bpf()
        self.bpffs = gear.Bpffs().__enter__()
        self.config = gear.write_config(self.state, self.bpffs, store__events="all")
        self.app = hw.Appliance(self.state, [self.rules], config=self.config).__enter__()
        self.app.wait_ready()
        return self

    def path(self, name):
        return os.path.join(self.folder, name)

    def rows(self, command, condition, *args):
        text = hw.hullwatch_ok(command, "--format", "json", "--where", condition, *args,
                               state=self.state, config=self.config)
        return json.loads(text)

    def n(self, command, condition, *args):
        return len(self.rows(command, condition, *args))

    def __exit__(self, *kind):
        self.app.__exit__(*kind)
        self.bpffs.__exit__()
        subprocess.run(["rm", "-rf", self.folder], check=False)
        self.state.__exit__()


def conditions_find_what_happened():
    with Setup() as s:
        for name in ("one", "two", "it's \"three\""):
            subprocess.run(["sh", "-c", ": > \"$1\"", "sh", s.path(name)], check=True)
        with open(s.path("one"), "rb"):
            pass
        s.app.wait_alerts(lambda a: a["rule"] == "Hwtest open", 4)
        folder = s.folder
        for condition, n in (
                ("rule = 'Hwtest open'", 4),
                ("rule = \"'; DROP TABLE alerts; --\"", 0),
                ("priority = notice and tags intersects (hwtest)", 4),
                (f"fd.name startswith {folder} and evt.is_open_write = true", 3),
                (f"fd.name = {folder}/one and evt.is_open_read = true", 1),
                ("proc.name = sh and proc.pname exists", 3),
                ("proc.cmdline contains two", 1),
                ("not proc.name = sh", 1),
                ("THREE", 1),
                (folder, 4),
                ("evt.time > 1h", 4),
                ("time < 1h", 0),
                ("evt.rawres < 0", 0),
                (f"proc.pid = {os.getpid()}", 1)):
            hw.check(s.n("alerts", condition) == n,
                     f"alerts where {condition}: {s.rows('alerts', condition)}")
        s.app.stop_ok()
        hw.check(s.n("events", f"fd.name startswith {folder}") == 4, "events of the folder")
        execs = s.rows("events", f"evt.type = execve and proc.name = sh and {folder}")
        hw.check(len(execs) == 3, f"raw execs tell their arguments: {execs}")
        hw.check(s.n("events", f"{folder} and class = open", "--limit", "2") == 2, "a limit too")
        hw.check(s.n("processes", "proc.name = sh and proc.args endswith one") == 1,
                 "stored processes")


def live_processes_are_found():
    with Setup() as s:
        mark = f"hwtest-mark-{os.getpid()}"
        shell = f"proc.name = sh and hw.forked = false and {mark}"
        with subprocess.Popen(["sh", "-c", f"sleep 60; exit # {mark}"]) as child:
            mine = hw.wait_until(lambda: s.rows("processes", shell) or None, 10, "the shell")
            hw.check([p["pid"] for p in mine] == [child.pid], mine)
            sleep = hw.wait_until(
                lambda: s.rows("processes", f"proc.name = sleep and ppid = {child.pid}") or None,
                10, "its child")
            for condition, n in (
                    (f"proc.pname = sh and pid = {sleep[0]['pid']}", 1),
                    (f"proc.aname = sh and pid = {child.pid} and proc.args contains NO", 0),
                    (f"pid = {child.pid} and container.id = host", 1),
                    (f"{mark.upper()} and 'SLEEP 60' and hw.forked = false", 2),  # and who asks
                    (f"not pid = {child.pid} and {shell}", 0)):
                rows = s.rows("processes", condition)
                hw.check(len(rows) == n, f"processes where {condition}: {rows}")
            child.kill()
            os.kill(sleep[0]["pid"], signal.SIGTERM)


hw.main(wrong_conditions_are_one_line_and_2, conditions_find_what_happened,
        live_processes_are_found)
