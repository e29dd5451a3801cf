"""Places, skipping, and waiting with a deadline."""
import os
import shutil
import subprocess
import sys
import time
import traceback

_HERE = os.path.dirname(os.path.abspath(__file__))

SRC = os.environ.get("HW_SRC") or os.path.abspath(os.path.join(_HERE, *[".."] * 4))
BUILD = os.environ.get("HW_BUILD") or os.path.join(SRC, "build", "dev")
BIN = os.environ.get("HW_BIN") or os.path.join(BUILD, "bin", "hullwatch")
SHARED = os.environ.get("HW_SHARED") or os.path.join(os.path.dirname(SRC), "shared")

# A machine that must run everything says so; there, what is missing is a failure.
_MUST_RUN = os.environ.get("CI") == "true"


def skip(reason, optional=False):
    """End the test as skipped. Under CI=true it fails, unless it is optional by its nature."""
    print(f"SKIP: {reason}", flush=True)
    sys.exit(1 if _MUST_RUN and not optional else 77)


def fail(message):
    raise AssertionError(message)


def check(condition, message):
    if not condition:
        fail(message)


def scaled(seconds):
    """A deadline for this build: sanitizers are slower. HW_TIME_SCALE multiplies it."""
    return seconds * float(os.environ.get("HW_TIME_SCALE") or 1)


def wait_until(condition, timeout_s, what):
    """Poll until condition() is true and return its value; fail after the deadline."""
    deadline = time.monotonic() + scaled(timeout_s)
    pause = 0.002
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            fail(f"waited {scaled(timeout_s):.0f} s for {what}")
        time.sleep(pause)
        pause = min(pause * 2, 0.1)


def run(argv, timeout_s=60, **kwargs):
    """Run a program to its end with its output as text. The exit code is the caller's to judge."""
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    kwargs.setdefault("stdout", subprocess.PIPE)
    kwargs.setdefault("stderr", subprocess.PIPE)
    kwargs.setdefault("errors", "replace")
    return subprocess.run(argv, timeout=scaled(timeout_s), text=True, check=False, **kwargs)


def need_root():
    if os.geteuid() != 0:
        skip("needs root")


def need_bpf():
    need_root()
    if not os.path.exists("/sys/kernel/btf/vmlinux"):
        skip("this kernel has no BTF")


def need_tools(*names):
    missing = [n for n in names if not shutil.which(n)]
    if missing:
        skip(f"not installed: {' '.join(missing)}")


def need_containers():
    need_root()
    need_tools("podman", "runc", "conmon")
    if not os.path.exists("/bin/busybox"):
        skip("not installed: busybox-static")


def need_shared(*parts):
    """The path of a file or folder of the shared test material."""
    path = os.path.join(SHARED, *parts)
    if not os.path.exists(path):
        skip(f"no shared test material: {os.path.join(*parts)}")
    return path


def main(*tests):
    """Run the functions in turn, name each, and exit: 1 one failed, 77 one was skipped, 0 all passed."""
    failed = skipped = 0
    for test in tests:
        began = time.monotonic()
        try:
            test()
        except SystemExit as end:
            skipped += end.code == 77
            failed += end.code not in (0, 77)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            traceback.print_exc()
            print(f"FAIL {test.__name__}", flush=True)
        else:
            print(f"ok   {test.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
    sys.exit(1 if failed else 77 if skipped else 0)
