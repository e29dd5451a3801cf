#!/usr/bin/env python3
"""Formats the C files, or checks that they are formatted, by .clang-format.

usage: format.py format|format-check     environment: CLANG_FORMAT, HW_SRC
"""
import os
import re
import shutil
import subprocess
import sys

import sources

MAJOR = "14"  # other versions break lines elsewhere


def version_of(tool):
    text = subprocess.run([tool, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"version (\d+)", text)
    return found.group(1) if found else "unknown"


def main():
    root = os.environ.get("HW_SRC", ".")
    tool = os.environ.get("CLANG_FORMAT") or "clang-format"
    if not shutil.which(tool) or version_of(tool) != MAJOR:
        print(f"SKIP: needs clang-format {MAJOR}")
        return 1 if os.environ.get("CI") == "true" else 77
    files = sources.find(root, ".c", ".h")
    if sys.argv[1:] == ["format"]:
        return subprocess.run([tool, "-i", *files], cwd=root, check=False).returncode
    done = subprocess.run([tool, "--dry-run", "-Werror", *files], cwd=root,
                          capture_output=True, text=True, check=False)
    unformatted = sorted({line.split(":")[0] for line in done.stderr.splitlines()
                          if "code should be clang-formatted" in line})
    if done.returncode and not unformatted:
        print(done.stderr)
        return 1
    return sources.report([f"{path}: not formatted" for path in unformatted], "format")


if __name__ == "__main__":
    sys.exit(main())
