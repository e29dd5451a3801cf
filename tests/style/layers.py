#!/usr/bin/env python3
"""Who may include whom. Fails for every edge that the table does not have.

usage: layers.py [ROOT]
"""
import fnmatch
import os
import re
import sys

import sources

# folder: the other folders whose headers it may include
EDGES = {
    "base": [],
    "bpf": [],
    "rules": ["base"],
    "config": ["base"],
    "collector/runtime": ["base"],
    "collector/image": ["base", "collector/runtime"],
    "collector/posture": ["base", "collector/runtime"],
    "collector/syscall": ["base", "collector/runtime"],
    "store": ["base", "rules"],
    "report": ["base"],
    "alerts": ["base", "rules", "store"],
    "tui": ["base", "rules", "store"],
    "cmd": None,  # all
    "tests": None,
}

# single files beyond the folders
EXTRA = {"collector/syscall": ["bpf/wire.h"]}

# The generated skeleton brings libbpf's header with it.
SKELETON = "hullwatch.skel.h"

# third-party header: the .c files that own it
OWNERS = [
    ("sqlite3*.h", ["base/sql*.c"]),
    ("yaml.h", ["base/yaml*.c"]),
    ("jansson*.h", ["base/json*.c"]),
    ("pcre2*.h", ["base/re.c", "base/re_*.c"]),
    ("openssl/*", ["base/hash*.c"]),
    ("curl/*", ["base/http*.c", "alerts/*.c"]),
    ("seccomp.h", ["base/sandbox*.c"]),
    ("cap-ng.h", ["base/sandbox*.c"]),
    ("ut*hash.h", ["base/*.c"]),
    ("archive*.h", ["collector/image/*.c"]),
    ("*curses*.h", ["tui/*.c"]),
    ("bpf/bpf_*.h", ["bpf/*"]),
    ("bpf/bpf.h", ["collector/syscall/*.c"]),
    ("bpf/libbpf*.h", ["collector/syscall/*.c"]),
    ("bpf/btf.h", ["collector/syscall/*.c"]),
    ("linux/bpf*.h", ["bpf/*", "collector/syscall/*.c"]),
    ("cmocka*.h", ["tests/*"]),
]

# library: folder, to compare the build's edges with the table
LIBRARIES = {
    "hw_base": "base", "hw_rules": "rules", "hw_config": "config",
    "hw_runtime": "collector/runtime", "hw_image": "collector/image",
    "hw_posture": "collector/posture", "hw_syscall": "collector/syscall",
    "hw_store": "store", "hw_report": "report", "hw_alerts": "alerts", "hw_tui": "tui",
}


def folder_of(path):
    """The row of the table that a path belongs to, or None."""
    for folder in sorted(EDGES, key=len, reverse=True):
        if path.startswith(folder + "/"):
            return folder
    return None


def quoted_problem(path, folder, target):
    if os.path.basename(target) == SKELETON:
        good = folder == "collector/syscall" and path.endswith(".c")
        return None if good else f"{SKELETON} belongs to collector/syscall's .c files"
    to = folder_of(target)
    if to is None or ".." in target.split("/"):
        return f'"{target}" does not start at the project\'s root'
    allowed = EDGES[folder]
    if to == folder or allowed is None or to in allowed or target in EXTRA.get(folder, []):
        return None
    return f'{folder} may not include {to} ("{target}")'


def system_problem(path, target):
    for pattern, owners in OWNERS:
        if fnmatch.fnmatchcase(target, pattern):
            if any(fnmatch.fnmatchcase(path, owner) for owner in owners):
                return None
            return f"<{target}> belongs to {' '.join(owners)}"
    return None


def include_problems(root):
    problems = []
    for path in sources.find(root, ".c", ".h"):
        folder = folder_of(path)
        if folder is None:
            problems.append(f"{path}:1: no folder of the table")
            continue
        for line, quoted, target in sources.includes(sources.read(root, path)):
            # Quotes do not make a system's header ours.
            found = system_problem(path, target)
            if quoted and found is None:
                found = quoted_problem(path, folder, target)
            if found:
                problems.append(f"{path}:{line}: {found}")
    return problems


def link_problems(root):
    """The build links exactly the table's edges, no more and no fewer."""
    problems = []
    for path in sources.find(root, "CMakeLists.txt"):
        text = sources.read(root, path)
        for match in re.finditer(r"hw_library\(\s*(\w+)(.*?)\)", text, re.DOTALL):
            name, rest = match.groups()
            if name not in LIBRARIES:
                continue
            link = re.search(r"\bLINK\s+(.*?)(?:\b(?:OWNS|EXCLUDE)\b|$)", rest, re.DOTALL)
            linked = {LIBRARIES.get(word, word) for word in (link.group(1).split() if link else [])
                      if word.startswith("hw_")}
            if linked != set(EDGES[LIBRARIES[name]]):
                problems.append(f"{path}:1: {name} links {sorted(linked)}, "
                                f"the table says {EDGES[LIBRARIES[name]]}")
    return problems


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("HW_SRC", ".")
    return sources.report(include_problems(root) + link_problems(root), "layers")


if __name__ == "__main__":
    sys.exit(main())
