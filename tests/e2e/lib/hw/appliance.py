"""The running appliance and its state folder, as a user starts them."""
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time

from hw.base import BIN, BUILD, check, fail, run, scaled, skip

EXIT_KERNEL_CANNOT = 77


class State:
    """A state folder of the test's own. str(state) is its path."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="hwtest-state-")
        self.path = self.folder.name

    def file(self, *parts):
        return os.path.join(self.path, *parts)

    def write(self, name, text):
        """A file beside the state, for a configuration or rules. Returns its path."""
        path = self.file(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def __str__(self):
        return self.path

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()


def default_config():
    """The shipped configuration, with the tree's rules."""
    return os.path.join(BUILD, "etc", "hullwatch.yaml")


def command_line(*args, state=None, config=None):
    argv = [BIN, "--config", config or default_config()]
    if state:
        argv += ["--state-dir", str(state)]
    return argv + [str(a) for a in args]


def hullwatch(*args, state=None, config=None, timeout_s=60, **kwargs):
    """Run one command to its end; the exit code is the caller's to judge."""
    return run(command_line(*args, state=state, config=config), timeout_s=timeout_s, **kwargs)


def hullwatch_ok(*args, **kwargs):
    """Run one command that must succeed; returns its standard output."""
    done = hullwatch(*args, **kwargs)
    check(done.returncode == 0,
          f"hullwatch {' '.join(map(str, args))}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


class Lines:
    """Reads a stream on a thread and lets others wait for a line."""

    def __init__(self, stream):
        self.lines = []
        self.times = []  # time.time() at which each line was read
        self.ended = False
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self.thread.start()

    def _read(self, stream):
        with stream:
            for raw in stream:
                with self.changed:
                    self.lines.append(raw.decode("utf-8", "replace").rstrip("\n"))
                    self.times.append(time.time())
                    self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait(self, wanted, deadline, start=0):
        """The first line from `start` on for which wanted(line) is true, or None: ended or too late."""
        at = start
        with self.changed:
            while True:
                for at in range(at, len(self.lines)):
                    if wanted(self.lines[at]):
                        return self.lines[at]
                at = max(at, len(self.lines))
                left = deadline - time.monotonic()
                if self.ended or left <= 0:
                    return None
                self.changed.wait(left)

    def copy(self):
        with self.changed:
            return list(self.lines)

    def join(self):
        self.thread.join(scaled(10))


class Appliance:
    """
    `hullwatch run --output json` on a state folder. Stops cleanly at the end of the block.

    rules: paths for --rules (none: those of the configuration). args: more arguments of `run`.
    wrap: a command to put before it (unshare, setpriv, a cgroup's). keep: leave it as it is at the
    end of the block when it has ended by itself or was killed.
    """

    def __init__(self, state, rules=(), args=(), config=None, env=None, wrap=(), preexec_fn=None,
                 output="json"):
        self.state = state
        self.argv = [*wrap, *command_line("run", "--output", output, state=state, config=config)]
        for path in rules:
            self.argv += ["--rules", str(path)]
        self.argv += [str(a) for a in args]
        self.env = {**os.environ, **(env or {})}
        self.preexec_fn = preexec_fn
        self.process = self.out = self.err = None

    def start(self):
        self.process = subprocess.Popen(
            self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=self.env, preexec_fn=self.preexec_fn)
        self.out, self.err = Lines(self.process.stdout), Lines(self.process.stderr)
        return self

    def __enter__(self):
        return self.start()

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process.poll() is None

    def log(self):
        return "\n".join(self.err.copy())

    def wait_ready(self, timeout_s=20):
        """Until events flow. Skips the test where this kernel cannot."""
        if self.wait_stderr(r"\bready\b", timeout_s, must=False) is None:
            if self._ended_with() == EXIT_KERNEL_CANNOT:
                skip(f"this kernel cannot: {self.log()}")
            fail(f"not ready (exit {self.process.poll()})\n{self.log()}")
        return self

    def _ended_with(self):
        try:
            return self.process.wait(1)
        except subprocess.TimeoutExpired:
            return None

    def wait_stderr(self, pattern, timeout_s=10, must=True):
        return self._wait(self.err, re.compile(pattern).search, pattern, timeout_s, must)

    def wait_stdout(self, pattern, timeout_s=10, must=True):
        return self._wait(self.out, re.compile(pattern).search, pattern, timeout_s, must)

    def _wait(self, lines, wanted, what, timeout_s, must):
        found = lines.wait(wanted, time.monotonic() + scaled(timeout_s))
        if found is None and must:
            fail(f"waited {scaled(timeout_s):.0f} s for {what!r}; exit {self.process.poll()}\n"
                 f"{self.log()}")
        return found

    def alerts(self, wanted=None):
        """The alerts printed so far, as objects. A line that is no JSON fails the test."""
        found = [json.loads(line) for line in self.out.copy()]
        return [a for a in found if wanted is None or wanted(a)]

    def wait_alert(self, wanted, timeout_s=10, what="an alert"):
        """The first alert for which wanted(alert) is true, printed already or to come."""
        line = self._wait(self.out, lambda text: wanted(json.loads(text)), what, timeout_s, True)
        return json.loads(line)

    def wait_alerts(self, wanted, n, timeout_s=10):
        """At least n such alerts; returns all there are."""
        count = 0

        def nth(text):
            nonlocal count
            count += bool(wanted(json.loads(text)))
            return count >= n
        if self._wait(self.out, nth, f"{n} alerts", timeout_s, False) is None:
            fail(f"{count} of {n} alerts after {scaled(timeout_s):.0f} s\n{self.log()}")
        return self.alerts(wanted)

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self):
        self.signal(signal.SIGHUP)

    def kill(self):
        """kill -9, and wait until it is gone."""
        self.process.kill()
        return self.wait_end()

    def stop(self, timeout_s=20):
        """Ask it to stop; returns the exit code."""
        if self.alive():
            self.signal(signal.SIGTERM)
        return self.wait_end(timeout_s)

    def wait_end(self, timeout_s=20):
        try:
            code = self.process.wait(scaled(timeout_s))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            fail(f"did not stop within {scaled(timeout_s):.0f} s\n{self.log()}")
        self.out.join()
        self.err.join()
        return code

    def stop_ok(self, timeout_s=20):
        code = self.stop(timeout_s)
        check(code == 0, f"exit {code}\n{self.log()}")

    def __exit__(self, kind, *_):
        if self.process is None:
            return
        if kind is None:
            self.stop()
        elif self.alive():
            self.process.terminate()
            try:
                self.process.wait(scaled(20))
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
