#!/usr/bin/env python3
"""Names, arguments and paths made to hurt; a full disk; a reader of stdout that is slow or gone."""
# labels: e2e root
# timeout: 300
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile

import hw
from hw import gear

NASTY = b"\x1b[2J\x1b]0;owned\x07\xff\xfe\xc3\x28\r\n\x00".rstrip(b"\x00")
BIDI = "\u202etxt.exe".encode()

EXEC_RULE = """\
- rule: Hwtest exec
  desc: a program of the test was started
  condition: evt.type in (execve, execveat) and proc.exepath startswith FOLDER
  output: "name=%proc.name line=%proc.cmdline exe=%proc.exepath cwd=%proc.cwd args=%evt.args"
  priority: NOTICE
"""

MARK = """\
- rule: Hwtest mark
  desc: what came before has been judged
  condition: evt.type in (open, openat, openat2) and fd.name = FOLDER/mark
  output: "%fd.name"
  priority: NOTICE
"""


class Setup:
    def __init__(self, extra="", **keys):
        self.extra, self.keys = extra, keys

    def __enter__(self):
        hw.need_bpf()
        self.state = hw.State()
        self.bpffs = gear.Bpffs().__enter__()
        self.folder = tempfile.mkdtemp(prefix="hwtest-")
        text = gear.open_rule(f"{self.folder}/f") + EXEC_RULE + MARK + self.extra
        rules = self.state.write("rules.yaml", text.replace("FOLDER", self.folder))
        self.config = gear.write_config(self.state, self.bpffs, [rules], **self.keys)
        self.app = hw.Appliance(self.state, config=self.config)
        return self

    def mark(self):
        with open(os.path.join(self.folder, "mark"), "w", encoding="ascii"):
            pass
        self.app.wait_alert(lambda a: a["rule"] == "Hwtest mark", what="the mark")

    def check_every_output_is_clean(self):
        for line in self.app.out.copy() + self.app.err.copy():
            gear.check_clean_text(line, "an output")
        for command in ("alerts", "events", "processes"):
            for form in ("table", "json", "jsonl", "csv"):
                text = hw.hullwatch_ok(command, "--format", form, state=self.state,
                                       config=self.config)
                gear.check_clean_text(text, f"{command} --format {form}")
                if form == "json":
                    json.loads(text)
        text = hw.hullwatch_ok("processes", "--stored", state=self.state, config=self.config)
        gear.check_clean_text(text, "processes --stored")

    def __exit__(self, *kind):
        self.app.__exit__(*kind)
        shutil.rmtree(os.fsencode(self.folder), ignore_errors=True)
        self.bpffs.__exit__()
        self.state.__exit__()


def names_with_escapes_stay_quoted():
    with Setup() as s, s.app as app:
        app.wait_ready()
        folder = os.fsencode(s.folder)
        for i, name in enumerate((NASTY, BIDI, b"f" + b"\x9b31m", b"quote\"'\\", b"%s%n{}")):
            path = folder + b"/f" + str(i).encode() + name.replace(b"/", b"")
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        program = folder + b"/e\x1b[31m\xffvil"
        shutil.copy(b"/bin/true", program)
        here = folder + b"/" + NASTY
        os.mkdir(here)
        subprocess.run([b"\xff\x1b[31margv0\n", NASTY, b"--x=" + BIDI, b""], executable=program,
                       cwd=here, check=True)
        s.mark()
        hw.check(len(app.alerts(lambda a: a["rule"] == "Hwtest open")) == 5, "five opens")
        execs = app.alerts(lambda a: a["rule"] == "Hwtest exec")
        hw.check(len(execs) == 1, f"one exec: {execs}")
        hw.check("\\x1b" in json.dumps(execs[0]).replace("\\\\", "\\").lower(),
                 f"the escape is told, escaped: {execs[0]}")
        s.check_every_output_is_clean()
        app.stop_ok()


def long_arguments_are_cut_and_marked():
    with Setup() as s, s.app as app:
        app.wait_ready()
        program = os.path.join(s.folder, "long")
        shutil.copy("/bin/true", program)
        subprocess.run([program, "a" * (128 * 1024 - 1)], check=True)
        subprocess.run([program, *(["bb"] * 30000)], check=True)
        subprocess.run([program, *([""] * 50000)], check=True)
        s.mark()
        execs = app.alerts(lambda a: a["rule"] == "Hwtest exec")
        hw.check(len(execs) == 3, f"{len(execs)} execs")
        hw.check(execs[0]["output_fields"]["proc.cmdline"].startswith("long aaaa"), "cmdline")
        for alert in execs:
            hw.check(len(json.dumps(alert)) < 64 * 1024, f"an alert of {len(json.dumps(alert))}")
        cut = gear.rows(s.state, "SELECT truncated FROM v1_processes WHERE comm = 'long'")
        hw.check([r["truncated"] for r in cut] == [1, 1, 1], f"marked as cut: {cut}")
        s.check_every_output_is_clean()
        app.stop_ok()


def paths_of_4096_bytes_are_carried():
    with Setup() as s, s.app as app:
        app.wait_ready()
        at = os.open(s.folder, os.O_RDONLY | os.O_DIRECTORY)
        base = os.path.join(s.folder, "f")
        part = "f" + "d" * 199
        path, depth = s.folder, 0
        while len(path) + 1 + len(part) < 4090:
            os.mkdir(part, dir_fd=at)
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY, dir_fd=at)
            os.close(at)
            at, path, depth = below, f"{path}/{part}", depth + 1
        name = "f" * (4095 - len(path) - 1)
        os.close(os.open(f"{path}/{name}", os.O_WRONLY | os.O_CREAT, 0o600))
        # Deeper than any one name can say: reached by descriptor only.
        os.mkdir("x" * 255, dir_fd=at)
        deeper = os.open("x" * 255, os.O_RDONLY | os.O_DIRECTORY, dir_fd=at)
        os.close(os.open("y" * 255, os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=deeper))
        os.close(deeper)
        os.close(at)
        for nothing in ("/" * 4095, base + "/" + "z" * 4000, s.folder + "/f" + "q" * 5000):
            try:
                os.close(os.open(nothing, os.O_RDONLY))
            except OSError:
                pass
        s.mark()
        names = [a["output_fields"]["fd.name"] for a in app.alerts(
            lambda a: a["rule"] == "Hwtest open")]
        hw.check(f"{path}/{name}" in names, f"the path of 4095 bytes: {[len(n or '') for n in names]}")
        s.check_every_output_is_clean()
        app.stop_ok()


def a_file_removed_while_open_has_its_name():
    with Setup() as s, s.app as app:
        app.wait_ready()
        path = os.path.join(s.folder, "fgone")
        with open(path, "w", encoding="ascii"):
            os.unlink(path)
            with open(f"/proc/self/fd/{os.open(s.folder, os.O_RDONLY)}/f2", "w", encoding="ascii"):
                pass
        s.mark()
        names = [a["output_fields"]["fd.name"] for a in app.alerts(
            lambda a: a["rule"] == "Hwtest open")]
        hw.check(names == [path, f"{s.folder}/f2"], f"{names}")
        app.stop_ok()


class FullDisk:
    """A small file system for the state, and 3000 alerts that find no room on it."""
    OPENS = 3000

    def __enter__(self):
        hw.need_bpf()
        hw.need_tools("mount", "umount")
        self.mount = tempfile.mkdtemp(prefix="hwtest-disk-")
        self.state, self.bpffs = hw.State(), gear.Bpffs().__enter__()
        self.files = tempfile.TemporaryDirectory(dir="/dev/shm")
        self.prefix = f"{self.files.name}/f"
        done = hw.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", self.mount])
        hw.check(done.returncode == 0, done.stderr)
        rules = self.state.write("rules.yaml", gear.open_rule(self.prefix))
        self.config = gear.write_config(self.state, self.bpffs, [rules])
        self.app = hw.Appliance(self.mount, config=self.config)
        return self

    def fill(self):
        with open(os.path.join(self.mount, "filler"), "wb", buffering=0) as f:
            for size in (65536, 4096):
                try:
                    while True:
                        f.write(b"\0" * size)
                except OSError:
                    pass
        gear.tool_run("opens", "-", self.prefix, self.OPENS)
        self.app.wait_stderr(r"alerts cannot be written", timeout_s=20)

    def free(self):
        os.unlink(os.path.join(self.mount, "filler"))

    def check_all_are_stored_once(self):
        names = [f["fd.name"] for f, _ in gear.stored_alerts(self.mount, "Hwtest open")]
        hw.check(sorted(names) == sorted(f"{self.prefix}{i}" for i in range(self.OPENS)),
                 f"{len(names)} of {self.OPENS}")
        gear.check_integrity(self.mount)

    def __exit__(self, *kind):
        self.app.__exit__(*kind)
        hw.run(["umount", "-l", self.mount])
        os.rmdir(self.mount)
        self.files.cleanup()
        self.bpffs.__exit__()
        self.state.__exit__()


def a_full_disk_is_told_and_survived():
    """Alerts wait for room; none is dropped, none is printed before it is stored."""
    with FullDisk() as d, d.app as app:
        app.wait_ready()
        d.fill()
        hw.check(app.alive(), f"it lives on: {app.log()}")
        printed = len(app.out.copy())
        stored = len(gear.stored_alerts(d.mount, "Hwtest open"))
        hw.check(printed <= stored < d.OPENS, f"printed {printed}, stored {stored}")
        text = hw.hullwatch_ok("status", state=d.mount, config=d.config)
        hw.check("No space left" in text, f"status tells: {text}")
        d.free()
        app.wait_alerts(lambda a: a["rule"] == "Hwtest open", d.OPENS, timeout_s=60)
        hw.check(len(app.err.copy()) < 100, f"{len(app.err.copy())} lines of log")
        app.stop_ok()
        d.check_all_are_stored_once()
        hw.check(d.bpffs.pins() == [], f"pins: {d.bpffs.pins()}")


def a_stop_on_a_full_disk_leaves_the_rings_to_the_next_start():
    with FullDisk() as d:
        with d.app as app:
            app.wait_ready()
            d.fill()
            code = app.stop(timeout_s=60)
            hw.check(code == 3, f"exit {code}: {app.log()}")
            hw.check(d.bpffs.pins(), f"what is not stored stays in the rings: {app.log()}")
        d.free()
        with hw.Appliance(d.mount, config=d.config) as app:
            app.wait_ready()
            hw.wait_until(lambda: len(gear.stored_alerts(d.mount, "Hwtest open")) >= d.OPENS, 30,
                          "the rest of the alerts")
            app.stop_ok()
        d.check_all_are_stored_once()


def a_blocked_stdout_blocks_nothing_else():
    """Nobody reads the pipe for a time: alerts go on into the store, a stop is heard."""
    with Setup() as s:
        read_end, write_end = os.pipe()
        process = subprocess.Popen(s.app.argv, stdin=subprocess.DEVNULL, stdout=write_end,
                                   stderr=subprocess.PIPE)
        os.close(write_end)
        try:
            for line in process.stderr:
                if b"ready" in line:
                    break
            wanted = 4000
            gear.tool_run("opens", "-", f"{s.folder}/f", wanted)
            hw.wait_until(lambda: gear.rows(s.state, "SELECT count(*) AS n FROM alerts")[0]["n"]
                          == wanted, 30, "alerts in the store with stdout blocked")
            # The reader comes back and finds every line, though no new alert wakes the printer.
            lines = 0
            while lines < wanted:
                got = select.select([read_end], [], [], hw.scaled(10))[0]
                hw.check(got, f"{lines} of {wanted} lines for a late reader")
                lines += os.read(read_end, 65536).count(b"\n")
            gear.tool_run("opens", "-", f"{s.folder}/fagain", wanted)
            process.send_signal(signal.SIGTERM)
            process.stderr.read()
            hw.check(process.wait(hw.scaled(20)) in (0, 3, 4), f"exit {process.returncode}")
        finally:
            os.close(read_end)
            if process.poll() is None:
                process.kill()
                process.wait()
        hw.check(s.bpffs.pins() == [], f"pins: {s.bpffs.pins()}")


def a_closed_stdout_is_no_end():
    """The reader of stdout has gone away: the store is what counts."""
    with Setup() as s:
        read_end, write_end = os.pipe()
        process = subprocess.Popen(s.app.argv, stdin=subprocess.DEVNULL, stdout=write_end,
                                   stderr=subprocess.PIPE)
        os.close(write_end)
        try:
            for line in process.stderr:
                if b"ready" in line:
                    break
            os.close(read_end)
            wanted = 200
            gear.tool_run("opens", "-", f"{s.folder}/f", wanted)
            hw.wait_until(lambda: gear.rows(s.state, "SELECT count(*) AS n FROM alerts")[0]["n"]
                          == wanted, 30, "alerts in the store with stdout closed")
            hw.check(process.poll() is None, f"exit {process.poll()}")
            process.send_signal(signal.SIGTERM)
            text = process.stderr.read().decode("utf-8", "replace")
            hw.check(process.wait(hw.scaled(20)) in (0, 3, 4), f"exit {process.returncode}")
            hw.check(len(text.splitlines()) < 100, f"{len(text.splitlines())} lines of log")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def its_own_files_are_no_events():
    """What hullwatch itself opens while it stores alerts must not feed on itself."""
    with Setup() as s:
        own = s.state.write("own.yaml", gear.open_rule(str(s.state), "Hwtest own")
                            + MARK.replace("FOLDER", s.folder))
        config = gear.write_config(s.state, s.bpffs, [own])
        with hw.Appliance(s.state, config=config) as app:
            app.wait_ready()
            with open(os.path.join(s.folder, "mark"), "w", encoding="ascii"):
                pass
            app.wait_alert(lambda a: a["rule"] == "Hwtest mark")
            mine = app.alerts(lambda a: a["rule"] == "Hwtest own" and
                              a["output_fields"]["proc.pid"] == app.pid)
            hw.check(not mine, f"{mine[:2]}")
            app.stop_ok()


hw.main(names_with_escapes_stay_quoted, long_arguments_are_cut_and_marked,
        paths_of_4096_bytes_are_carried, a_file_removed_while_open_has_its_name,
        its_own_files_are_no_events, a_blocked_stdout_blocks_nothing_else,
        a_closed_stdout_is_no_end, a_full_disk_is_told_and_survived,
        a_stop_on_a_full_disk_leaves_the_rings_to_the_next_start)
