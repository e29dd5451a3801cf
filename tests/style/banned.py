#!/usr/bin/env python3
"""Functions that the project does not call.

usage: banned.py [ROOT]
"""
import os
import re
import sys

import sources

BANNED = {
    "strcpy": "snprintf or a struct buf", "stpcpy": "snprintf or a struct buf",
    "strcat": "a struct buf", "strncat": "a struct buf", "strncpy": "snprintf",
    "sprintf": "snprintf", "vsprintf": "vsnprintf",
    "strtok": "a struct str and its cutting functions", "strtok_r": "a struct str",
    "gets": "a bounded read", "atoi": "str's number parsers", "atol": "str's number parsers",
    "atoll": "str's number parsers", "atof": "str's number parsers",
    "system": "posix_spawn with an argument vector", "popen": "posix_spawn with a pipe",
    "localtime": "localtime_r", "gmtime": "gmtime_r", "alloca": "a bounded buffer or an arena",
    "pthread_cancel": "closing the queue and joining",
}

# A member of that name (`ops->system(...)`) is somebody else's function.
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")


def problems(root):
    found = []
    for path in sources.find(root, ".c", ".h"):
        code = sources.code_only(sources.read(root, path))
        for match in CALL.finditer(code):
            line = code.count("\n", 0, match.start()) + 1
            name = match.group(1)
            found.append(f"{path}:{line}: {name}() is banned: use {BANNED[name]}")
    return found


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("HW_SRC", ".")
    return sources.report(problems(root), "banned functions")


if __name__ == "__main__":
    sys.exit(main())
