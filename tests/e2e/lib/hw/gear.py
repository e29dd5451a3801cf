"""What tests put together: generators, rule and configuration files, a bpffs, the store's rows."""
import contextlib
import glob
import json
import os
import signal
import sqlite3
import subprocess
import tempfile

from hw.appliance import hullwatch
from hw.base import BUILD, SRC, check, fail, need_root, run, scaled, skip, wait_until

CLASSES = ("exec", "fork", "exit", "open", "connect", "accept", "bind", "listen", "socket")
OPEN_TYPES = "evt.type in (open, openat, openat2, creat)"

# Every family of events is wanted, and nothing matches: counters only.
WATCH_ALL_RULE = """\
- rule: Hwtest watches everything
  desc: makes every class of events interesting and never matches
  condition: >
    evt.type in (open, openat, openat2, creat, execve, execveat, clone, clone3, fork, vfork,
    procexit, connect, accept, accept4, bind, listen, socket) and proc.name = "no such program"
  output: never
  priority: DEBUG
"""


def tool(name):
    """The path of a generator of tests/tools."""
    path = os.path.join(BUILD, "tests", "tools", name)
    if not os.path.exists(path):
        skip(f"not built: {path}")
    return path


def tool_run(name, *args, timeout_s=120):
    done = run([tool(name), *map(str, args)], timeout_s=timeout_s)
    check(done.returncode == 0, f"{name}: exit {done.returncode} {done.stderr}")
    return done.stdout


def default_rules():
    return sorted(glob.glob(os.path.join(SRC, "config", "default", "rules", "*.y*ml")))


def open_rule(prefix, name="Hwtest open", extra=""):
    """A rule for every open below `prefix`, with the file's name in its fields."""
    return f"""\
- rule: {name}
  desc: a file of the test was opened
  condition: {OPEN_TYPES} and fd.name startswith {prefix} {extra}
  output: "file=%fd.name proc=%proc.name pid=%proc.pid type=%evt.type said=%evt.arg.name"
  priority: NOTICE
  tags: [hwtest]
"""


class Bpffs:
    """A BPF file system of the test's own: what one instance pins is no other's business."""

    def __enter__(self):
        need_root()
        self.path = tempfile.mkdtemp(prefix="hwtest-bpffs-")
        done = run(["mount", "-t", "bpf", "bpf", self.path])
        if done.returncode:
            os.rmdir(self.path)
            skip(f"no BPF file system here: {done.stderr.strip()}")
        return self

    def pins(self):
        """Every pinned object, as paths."""
        return sorted(os.path.join(at, f) for at, _, files in os.walk(self.path) for f in files
                      if not f.endswith(".debug"))  # these two are the kernel's own

    def folders(self):
        return sorted(os.path.join(at, d) for at, dirs, _ in os.walk(self.path) for d in dirs)

    def __str__(self):
        return self.path

    def __exit__(self, *_):
        if run(["umount", self.path]).returncode:
            run(["umount", "-l", self.path])
        with contextlib.suppress(OSError):
            os.rmdir(self.path)


def write_config(state, bpffs=None, rules=(), **keys):
    """
    A configuration file beside the state; returns its path. Keys are section__key=value; lists
    and scalars are written as JSON, which is YAML.
    """
    if bpffs:
        keys["collector__bpffs"] = str(bpffs)
    sections, top = {}, {}
    for key, value in keys.items():
        section, _, name = key.partition("__")
        if name:
            sections.setdefault(section, {})[name] = value
        else:
            top[key] = value
    top["rules_files"] = [str(r) for r in rules]
    return state.write("hullwatch.yaml", json.dumps({**top, **sections}, indent=1) + "\n")


def status(state, config):
    """`status --format json` of the running instance, as an object."""
    done = hullwatch("status", "--format", "json", state=state, config=config)
    check(done.returncode == 0, f"status: exit {done.returncode} {done.stderr}")
    return json.loads(done.stdout)


def find_cgroup(answer, path):
    """The counters of one accounted cgroup in a status answer: {class: {emitted, ...}}."""
    stack = [answer]
    while stack:
        at = stack.pop()
        if isinstance(at, dict):
            if os.path.realpath(str(at.get("path") or "/")) == os.path.realpath(path):
                return at["by_class"]
            stack += list(at.values())
        elif isinstance(at, list):
            stack += at
    return fail(f"status does not tell of {path}: {json.dumps(answer)[:2000]}")


def settled_counts(state, config, path, enough):
    """The counters of a cgroup once enough(counts) is true; they may lag behind the generator."""
    def look():
        counts = find_cgroup(status(state, config), path)
        return counts if enough(counts) else None
    return wait_until(look, 60, f"the counters of {path}")


def total(count):
    """What a class produced, as its counters have it."""
    return count["emitted"] + count["dropped"] + count["filtered"]


def database(state):
    return os.path.join(str(state), "hullwatch.db")


def rows(state, query, *args):
    """Rows of the database as dicts, read beside the appliance."""
    link = sqlite3.connect(f"file:{database(state)}?mode=ro", uri=True, timeout=scaled(10))
    link.row_factory = sqlite3.Row
    with contextlib.closing(link):
        return [dict(r) for r in link.execute(query, args)]


def stored_alerts(state, rule):
    """[(fields, row)] of one rule, in the order in which they were stored."""
    found = rows(state, "SELECT * FROM v1_alerts WHERE rule = ? ORDER BY n", rule)
    return [(json.loads(r["output_fields"]), r) for r in found]


def check_integrity(state):
    link = sqlite3.connect(database(state), timeout=scaled(30))
    with contextlib.closing(link):
        answer = link.execute("PRAGMA integrity_check").fetchall()
    check(answer == [("ok",)], f"integrity_check: {answer}")


def check_clean_text(text, what):
    """No control byte but the newline may reach an output."""
    bad = [c for c in text if (ord(c) < 32 and c not in "\n\t") or 0x7f <= ord(c) < 0xa0]
    check(not bad, f"{what} holds raw control bytes {bad[:5]!r}")


def check_sane_error(done, code, *parts):
    """The exit code, and one clear line that names `parts`."""
    check(done.returncode == code, f"exit {done.returncode}, not {code}: {done.stderr}")
    for word in ("Sanitizer", "runtime error", "Assertion", "core dumped"):
        check(word not in done.stderr, done.stderr)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    check(lines, "no word on stderr")
    check(any(all(p in line for p in parts) for line in lines),
          f"no line with {parts} in: {done.stderr}")
    return lines


class Stopped:
    """with Stopped(pid): the process does not run (SIGSTOP), and goes on afterwards."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        os.kill(self.pid, signal.SIGSTOP)
        wait_until(self._is_stopped, 10, f"{self.pid} to stop")
        return self

    def _is_stopped(self):
        with open(f"/proc/{self.pid}/stat", encoding="utf-8", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] in "tT"

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)


class Storm:
    """`opens` in the background: PREFIX0, PREFIX1, ... until stop(), which returns how many."""

    def __init__(self, prefix, cgroup="-", rate=0, count=0):
        self.process = subprocess.Popen(
            [tool("opens"), str(cgroup), prefix, str(count), str(rate)],
            stdout=subprocess.PIPE, text=True)
        check(self.process.stdout.readline() == "start\n", "the storm did not start")

    def wait(self):
        text = self.process.communicate(timeout=scaled(300))[0]
        check(self.process.returncode == 0, f"opens: exit {self.process.returncode}")
        return int(text)

    def stop(self):
        self.process.terminate()
        return self.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
