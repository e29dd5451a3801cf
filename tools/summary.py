#!/usr/bin/env python3
"""Adds up ctest's results.

usage: summary.py NAME=JUNIT_FILE...

Names what failed and what was skipped, and why; the last line is `N passed, N failed, N skipped`.
A file that is missing or damaged counts as one failure. A unit test that passed but left a case
out (cmocka's SKIPPED) counts as skipped, under CI=true as failed. Exits 1 when something failed.
"""
import os
import re
import sys
import xml.etree.ElementTree as ET

CASE_SKIPPED = re.compile(r"^\[  SKIPPED \] .*", re.MULTILINE)
SKIP_LINE = re.compile(r"^SKIP: (.*)", re.MULTILINE)
# Control characters that XML 1.0 does not allow, which tests of hostile input do print.
NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

MUST_RUN = os.environ.get("CI") == "true"


def judge(case):
    """One test as ("passed"|"failed"|"skipped", why)."""
    output = case.findtext("system-out") or ""
    status = case.get("status")
    if status == "run":
        left_out = CASE_SKIPPED.search(output)
        if left_out:
            return "failed" if MUST_RUN else "skipped", "a case was left out: " + left_out.group()
        return "passed", ""
    reason = SKIP_LINE.search(output)
    skipped = case.find("skipped")
    if status == "notrun" and skipped is not None and "SKIP" in (skipped.get("message") or ""):
        return "skipped", reason.group(1) if reason else "no reason given"
    if status == "disabled":
        return "skipped", "disabled"
    return "failed", "SKIP: " + reason.group(1) if reason else ""


def load(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return list(ET.fromstring(NOT_XML.sub("?", f.read())).iter("testcase"))


def results(name, path):
    """Each test of one file as (verdict, test, why)."""
    try:
        cases = load(path)
    except FileNotFoundError:
        return [("failed", name, "built or ran not to its end")]
    except (OSError, ET.ParseError) as e:
        return [("failed", name, f"unreadable result: {e}")]
    return [(verdict, f"{name}: {case.get('name')}", why)
            for case in cases for verdict, why in [judge(case)]]


def main(arguments):
    found = []
    for argument in arguments:
        name, _, path = argument.partition("=")
        found += results(name, path)
    print()
    for wanted in ("skipped", "failed"):
        for verdict, test, why in found:
            if verdict == wanted:
                print(f"{wanted:8}{test}" + (f": {why}" if why else ""))
    count = {v: sum(1 for r in found if r[0] == v) for v in ("passed", "failed", "skipped")}
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
