"""A cgroup of the test's own in the v2 tree, so that counters can be told apart from the host's."""
import contextlib
import os
import subprocess
import uuid

from hw.base import need_root, skip, wait_until


def v2_root():
    for path in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        if os.path.exists(os.path.join(path, "cgroup.procs")) and os.path.exists(
                os.path.join(path, "cgroup.controllers")):
            return path
    return skip("no cgroup v2 tree is mounted")


class Cgroup:
    """with Cgroup() as group: group.popen([...]); group.id is what the kernel's programs see."""

    def __init__(self, name=None):
        need_root()
        self.path = os.path.join(v2_root(), name or f"hwtest-{os.getpid()}-{uuid.uuid4().hex[:8]}")

    def __enter__(self):
        os.mkdir(self.path)
        return self

    @property
    def id(self):
        return os.stat(self.path).st_ino

    def enter(self):
        """Move the calling process in (for preexec_fn)."""
        with open(os.path.join(self.path, "cgroup.procs"), "w", encoding="ascii") as f:
            f.write(str(os.getpid()))

    def popen(self, argv, **kwargs):
        return subprocess.Popen(argv, preexec_fn=self.enter, **kwargs)

    def run(self, argv, timeout_s=60, **kwargs):
        with self.popen(argv, **kwargs) as child:
            return child.wait(timeout=timeout_s)

    def empty(self):
        with open(os.path.join(self.path, "cgroup.procs"), encoding="ascii") as f:
            return not f.read().strip()

    def __exit__(self, *_):
        for line in self._members():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(line), 9)
        wait_until(self.empty, 10, f"{self.path} to be empty")
        os.rmdir(self.path)

    def _members(self):
        with open(os.path.join(self.path, "cgroup.procs"), encoding="ascii") as f:
            return f.read().split()
