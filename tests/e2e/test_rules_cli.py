#!/usr/bin/env python3
"""`hullwatch rules`: checking others' rules as Falco does, and testing rules by cases."""
# labels: e2e
# timeout: 120
import csv
import io
import json
import os
import re
import tempfile
import xml.etree.ElementTree

import hw
from hw import gear

RULES = os.path.join(hw.SRC, "config", "default", "rules")
CASES = os.path.join(RULES, "cases")
FALCO = {"falco_rules.yaml": 25, "falco-incubating_rules.yaml": 31, "falco-sandbox_rules.yaml": 37}

MY_RULES = """\
- rule: Mine
  desc: something of mine
  condition: evt.type in (open, openat) and fd.name startswith /srv/ and proc.name != backup
  output: "file=%fd.name by=%proc.name"
  priority: WARNING
  tags: [mine]
"""
MY_CASES = """\
rules: [mine.yaml]
cases:
  - name: fires
    event: {type: openat, fd.name: /srv/x, proc: cat /srv/x}
    expect:
      - {rule: Mine, output: "file=/srv/x by=cat", fields: {fd.name: /srv/x}}
  - name: looks alike
    event: {type: openat, fd.name: /srv/x, proc: backup}
    expect: []
"""


def check(*args, code=None):
    done = hw.hullwatch("rules", "check", *args)
    if code is not None:
        hw.check(done.returncode == code, f"{args}: {done.returncode}\n{done.stderr}")
    return done


def missing_of(problems):
    """What is missing for each rule that cannot run."""
    found = {}
    for p in problems:
        hw.check(p["position"]["line"] > 0, p)
        hw.check(re.search(r"(field|event type) [\w., ]+ (is )?not available", p["message"])
                 or "only events of source" in p["message"], p)
        found.setdefault(p["name"], p["message"])
    return found


def cannot_run(results):
    return [{"name": w["context"]["locations"][0]["item_name"],
             "position": w["context"]["locations"][0]["position"], "message": w["message"]}
            for r in results for w in r["warnings"] if w["level"] == "cannot run"]


def all_rules_of_falco_are_parsed_and_what_is_missing_is_told():
    folder = hw.need_shared("data", "falco-rules")
    total = {}
    for name, rules in FALCO.items():
        path = os.path.join(folder, name)
        done = check(path, code=4)
        hw.check(done.stdout.splitlines()[0] == f"{path}: Ok, with warnings", done.stdout)
        hw.check(f"{rules} rules" in done.stdout and ": 0 errors" in done.stdout, done.stdout)
        answer = json.loads(check("--format", "json", path, code=4).stdout)
        missing = missing_of(cannot_run(answer["falco_load_results"]))
        told = set(re.findall(r"cannot run: rule (.+?): (?:field|event type|only)", done.stderr))
        hw.check(told == set(missing), f"text and JSON differ: {told ^ set(missing)}")
        total.update(missing)
    print(f"     {sum(FALCO.values())} rules, {len(total)} cannot run yet", flush=True)
    hw.check(len(total) < 93, f"{len(total)}")


def all_three_together_are_one_set():
    folder = hw.need_shared("data", "falco-rules")
    paths = [os.path.join(folder, name) for name in FALCO]
    done = check(*paths, code=4)
    hw.check("93 rules" in done.stdout and ": 0 errors" in done.stdout, done.stdout)
    hw.check([line.split(": ")[0] for line in done.stdout.splitlines()[:3]] == paths, done.stdout)
    done = check(RULES, *paths, code=4)
    hw.check(": 0 errors" in done.stdout, done.stdout)


def json_has_the_shape_of_falco_s():
    with hw.State() as state:
        good = state.write("good.yaml", gear.open_rule("/tmp/x"))
        bad = state.write("bad.yaml", gear.open_rule("/tmp/x", extra="and fd.nmae = x") +
                          "- rule: Old\n  condition: and x\n  append: true\n")
        broken = state.write("broken.yaml", "- rule: [\n")
        done = check("--format", "json", good, bad, broken, code=2)
        answer = json.loads(done.stdout)
        hw.check(list(answer) == ["falco_load_results"], f"{list(answer)}")
        by_name = {r["name"]: r for r in answer["falco_load_results"]}
        hw.check(list(by_name) == [good, bad, broken], f"{list(by_name)}")
        hw.check(by_name[good] == {"name": good, "successful": True, "errors": [],
                                   "warnings": []}, f"{by_name[good]}")
        hw.check(not by_name[bad]["successful"], "bad.yaml")
        for entry in by_name[bad]["errors"] + by_name[bad]["warnings"]:
            hw.check({"code", "codedesc", "message", "context"} <= set(entry), f"{entry}")
        error = by_name[bad]["errors"][0]
        hw.check(error["code"] == "LOAD_ERR_COMPILE_CONDITION" or
                 by_name[bad]["errors"][1]["code"] == "LOAD_ERR_COMPILE_CONDITION", f"{error}")
        where = [e["context"]["locations"][0] for e in by_name[bad]["errors"]
                 if "fd.nmae" in e["message"]][0]
        hw.check(where["item_name"] == "Hwtest open" and where["item_type"] == "rule", f"{where}")
        hw.check(where["position"]["name"] == bad and where["position"]["line"] == 3, f"{where}")
        hw.check(by_name[broken]["errors"][0]["code"] == "LOAD_ERR_YAML_PARSE", "broken.yaml")
        codes = {w["code"] for w in by_name[bad]["warnings"]}
        hw.check("LOAD_DEPRECATED_ITEM" in codes, f"{codes}")


def verdicts_and_exit_codes_are_those_of_the_contract():
    with hw.State() as state:
        good = state.write("good.yaml", gear.open_rule("/tmp/x"))
        warned = state.write("warned.yaml", gear.open_rule("/tmp/x") + "  tegs: [x]\n")
        later = state.write("later.yaml", gear.open_rule("/tmp/x").replace(
            gear.OPEN_TYPES, "evt.type = ptrace"))
        bad = state.write("bad.yaml", "- macro: m\n  condition: (\n")
        for path, code, verdict in ((good, 0, "Ok"), (warned, 0, "Ok, with warnings"),
                                    (later, 4, "Ok, with warnings"), (bad, 2, "Invalid")):
            done = check(path, code=code)
            hw.check(done.stdout.splitlines()[0] == f"{path}: {verdict}", done.stdout)
            for line in done.stderr.splitlines():
                hw.check(re.match(re.escape(path) + r":\d+:\d+: ", line), line)
        rows = [json.loads(line) for line in check("--format", "jsonl", bad, later).stdout.splitlines()]
        hw.check([r["level"] for r in rows] == ["error", "cannot run"], f"{rows}")
        table = list(csv.DictReader(io.StringIO(check("--format", "csv", later).stdout)))
        hw.check(table[0]["problem"] == "event type ptrace not available", f"{table}")
        gear.check_sane_error(check(state.file("none.yaml")), 2, "none.yaml")
        gear.check_sane_error(check(), 2, "PATH")


def hostile_files_are_one_error_each_and_soon():
    with hw.State() as state:
        for name, text in (
                ("deep.yaml", gear.open_rule("/x").replace(
                    gear.OPEN_TYPES, "(" * 10000 + gear.OPEN_TYPES + ")" * 10000)),
                ("long.yaml", gear.open_rule("/x", extra="or fd.name = x " * 700000)),
                ("laughs.yaml", "- list: a\n  items: &a [x, x, x, x, x, x, x, x]\n" + "".join(
                    f"- list: {b}\n  items: &{b} [{', '.join([f'*{a}'] * 8)}]\n"
                    for a, b in zip("abcdefghijk", "bcdefghijkl"))),
                ("nothing.yaml", "[" * 10000000)):
            done = hw.hullwatch("rules", "check", state.write(name, text), timeout_s=30)
            lines = gear.check_sane_error(done, 2, f"{name}:")
            hw.check(len(lines) == 1 and len(lines[0]) < 2000, f"{name}: {lines[:3]}")
        path = state.file("bytes.yaml")
        with open(path, "wb") as f:
            f.write(b"- rule: a\n- rule: \xff\xfe\n")
        gear.check_sane_error(check(path), 2, "bytes.yaml:2:9")


# ---- rules test ----

def cases(*args, code):
    done = hw.hullwatch("rules", "test", *args)
    hw.check(done.returncode == code, f"{args}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def shipped_rules_pass_their_cases():
    done = cases(CASES, code=0)
    last = done.stdout.splitlines()[-1]
    hw.check(re.match(r"\d+ cases: \d+ passed, 0 failed, \d+ skipped, 0 wrong$", last), last)
    hw.check(int(last.split(" cases")[0]) >= 200, last)
    listed = json.loads(hw.hullwatch_ok("rules", "list", "--format", "json", "--rules", RULES))
    judged = [r for r in listed if r["state"] == "active"]
    hw.check(len(judged) >= 40, f"{len(judged)} rules are judged")
    rows = json.loads(cases("--format", "json", CASES, code=0).stdout)
    fired = {name for r in rows for name in r["fired"]}
    hw.check(not [r["rule"] for r in judged if r["rule"] not in fired], "rules that no case fires")


def a_user_s_cases_pass_fail_or_are_wrong():
    with hw.State() as state:
        state.write("mine.yaml", MY_RULES)
        path = state.write("cases.yaml", MY_CASES)
        done = cases(path, code=0)
        hw.check(done.stdout == "2 cases: 2 passed, 0 failed, 0 skipped, 0 wrong\n", done.stdout)
        failing = state.write("failing.yaml", MY_CASES.replace("proc: backup", "proc: cp"))
        done = cases(failing, code=1)
        hw.check(re.match(re.escape(failing) + r":9:13: failed: looks alike: rule Mine fired too: "
                          r"file=/srv/x by=cp\n", done.stdout), done.stdout)
        wrong = state.write("wrong.yaml", MY_CASES.replace("fd.name: /srv/x, proc: backup",
                                                           "fd.nmae: /srv/x"))
        done = cases(wrong, code=2)
        hw.check("wrong.yaml:8:27: wrong: looks alike: " in done.stdout and
                 "did you mean fd.name?" in done.stdout, done.stdout)
        # One bad file does not hide the others.
        done = cases(state.write("none.yaml", "cases: [\n"), failing, code=2)
        hw.check("none.yaml:2:1" in done.stderr and "1 failed" in done.stdout, f"{done}")
        gear.check_sane_error(cases(state.file("missing.yaml"), code=2), 2, "missing.yaml")


def rules_come_from_the_file_the_option_or_the_configuration():
    with hw.State() as state, tempfile.TemporaryDirectory() as elsewhere:
        rules = state.write("mine.yaml", MY_RULES)
        bare = MY_CASES.replace("rules: [mine.yaml]\n", "")
        moved = os.path.join(elsewhere, "cases.yaml")
        with open(moved, "w", encoding="utf-8") as f:
            f.write(bare)
        cases("--rules", rules, moved, code=0)
        config = gear.write_config(state, None, [rules])
        done = hw.hullwatch("rules", "test", moved, config=config)
        hw.check(done.returncode == 0, f"{done}")
        bad = state.write("bad.yaml", MY_RULES.replace("fd.name", "fd.nmae"))
        done = cases("--rules", bad, moved, code=2)
        hw.check("bad.yaml:3:" in done.stderr and "there is no valid rule Mine" in done.stdout,
                 f"{done}")


def results_are_there_for_programs_too():
    with hw.State() as state:
        state.write("mine.yaml", MY_RULES)
        path = state.write("cases.yaml", MY_CASES.replace("proc: backup", "proc: <cp>"))
        rows = json.loads(cases("--format", "json", path, code=1).stdout)
        hw.check([r["status"] for r in rows] == ["passed", "failed"], f"{rows}")
        hw.check(rows[1]["fired"] == ["Mine"] and rows[1]["line"] == 7 and
                 rows[1]["remarks"][0]["line"] == 9, f"{rows}")
        suite = xml.etree.ElementTree.fromstring(cases("--format", "junit", path, code=1).stdout)
        hw.check(suite.attrib["tests"] == "2" and suite.attrib["failures"] == "1", f"{suite.attrib}")
        failure = suite.findall("testcase")[1].find("failure")
        hw.check("by=<cp>" in failure.attrib["message"], f"{failure.attrib}")


hw.main(all_rules_of_falco_are_parsed_and_what_is_missing_is_told, all_three_together_are_one_set,
        json_has_the_shape_of_falco_s, verdicts_and_exit_codes_are_those_of_the_contract,
        hostile_files_are_one_error_each_and_soon, shipped_rules_pass_their_cases,
        a_user_s_cases_pass_fail_or_are_wrong,
        rules_come_from_the_file_the_option_or_the_configuration, results_are_there_for_programs_too)
