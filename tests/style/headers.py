#!/usr/bin/env python3
"""Each header compiles alone: what it needs, it includes.

usage: headers.py [ROOT]     environment: CC (gcc), BPF_CC (clang), HW_BUILD
"""
import os
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor

import sources

WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wmissing-prototypes", "-Wvla",
            "-Werror"]


def host_command(path):
    return [os.environ.get("CC") or "cc", "-std=gnu17", "-D_GNU_SOURCE", *WARNINGS, "-I.",
            "-fsyntax-only", "-x", "c", path]


def kernel_command(path):
    multiarch = sysconfig.get_config_var("MULTIARCH") or "x86_64-linux-gnu"
    return [os.environ.get("BPF_CC") or "clang", "-target", "bpf", "-O2", "-g", "-std=gnu17",
            "-D__TARGET_ARCH_x86", "-Wall", "-Werror", "-Wno-unused-function",
            "-Wno-missing-declarations", "-Wno-address-of-packed-member", "-I.",
            "-idirafter", f"/usr/include/{multiarch}", "-fsyntax-only", "-x", "c", path]


def commands(path):
    """The wire header is read on both sides of the border, the rest of bpf/ only in the kernel."""
    if path == "bpf/wire.h":
        return [host_command(path), kernel_command(path)]
    return [kernel_command(path) if path.startswith("bpf/") else host_command(path)]


def check(job):
    root, path, command = job
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"{path}: does not compile alone\n{done.stderr}"


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("HW_SRC", ".")
    jobs = [(root, path, command) for path in sources.find(root, ".h")
            for command in commands(path)]
    with ThreadPoolExecutor(max_workers=2) as pool:
        problems = [found for found in pool.map(check, jobs) if found]
    return sources.report(problems, f"{len(jobs)} header compilations")


if __name__ == "__main__":
    sys.exit(main())
