#!/usr/bin/env python3
"""Reloading while events rush in: each is alerted on exactly once; wrong rules change nothing."""
# labels: e2e root
# timeout: 300
import collections
import contextlib
import os
import re
import tempfile

import hw
from hw import gear

RELOADED = re.compile(r"\breloaded: \d+ rules")
REFUSED = re.compile(r"the old rules stay|the old one stays")


class Setup:
    """The appliance with rules in a folder that the configuration names."""

    def __init__(self, **keys):
        self.keys = keys

    def __enter__(self):
        hw.need_bpf()
        with contextlib.ExitStack() as stack:
            self.state = stack.enter_context(hw.State())
            bpffs = stack.enter_context(gear.Bpffs())
            self.folder = stack.enter_context(tempfile.TemporaryDirectory())
            self.rules = os.path.join(str(self.state), "rules")
            os.mkdir(self.rules)
            self.write(gear.open_rule(self.folder + "/"))
            self.config = gear.write_config(self.state, bpffs, [self.rules], **self.keys)
            self.app = stack.enter_context(hw.Appliance(self.state, config=self.config))
            self.app.wait_ready()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *exc):
        return self.stack.__exit__(*exc)

    def write(self, text, name="rules.yaml"):
        """As editors do: a new file in place of the old one."""
        path = os.path.join(self.rules, name)
        with open(path + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(path + ".new", path)

    def count(self, pattern):
        return sum(1 for line in self.app.err.copy() if pattern.search(line))

    def wait_count(self, pattern, n):
        hw.wait_until(lambda: self.count(pattern) >= n, 20, f"{n} times {pattern.pattern}")

    def touch(self, name):
        with open(os.path.join(self.folder, name), "w", encoding="ascii"):
            pass

    def reload_seen(self, do):
        before = self.count(RELOADED)
        do()
        self.wait_count(RELOADED, before + 1)


def each_open_of_a_storm_is_alerted_once(reload_one, **keys):
    with Setup(**keys) as s:
        reloads = 0
        with gear.Storm(f"{s.folder}/f", rate=20000) as storm:
            for i in range(10):
                before = len(s.app.out.copy())
                hw.wait_until(lambda n=before: len(s.app.out.copy()) > n + 200, 20, "the storm")
                s.reload_seen(lambda i=i: reload_one(s, i))
                reloads += 1
            made = storm.stop()
        hw.check(made > 0, "no storm")
        s.app.wait_alerts(lambda a: a["rule"] == "Hwtest open", made, 120)
        s.app.stop_ok(60)
        seen = collections.Counter(a["output_fields"]["fd.name"] for a in s.app.alerts())
        missing = [n for n in range(made) if seen[f"{s.folder}/f{n}"] != 1]
        print(f"     {made} opens, {reloads} reloads", flush=True)
        hw.check(not missing, f"not once: {[(n, seen[f'{s.folder}/f{n}']) for n in missing[:10]]}")
        hw.check(sum(seen.values()) == made, f"{sum(seen.values())} alerts of {made} opens")


def each_open_is_alerted_once_over_ten_changes_of_files():
    def change(s, i):
        s.write(gear.open_rule(s.folder + "/") + f"# change {i}\n" +
                gear.open_rule(f"/nowhere/{i}", f"Hwtest other {i}"))
    each_open_of_a_storm_is_alerted_once(change)


def each_open_is_alerted_once_over_ten_signals():
    each_open_of_a_storm_is_alerted_once(lambda s, i: s.app.reload(), watch_config_files=False)


def a_changed_file_is_in_force_without_a_signal():
    with Setup() as s:
        s.reload_seen(lambda: s.write(gear.open_rule(s.folder + "/", "Hwtest second")))
        s.touch("a")
        s.app.wait_alert(lambda a: a["rule"] == "Hwtest second")
        hw.check(not s.app.alerts(lambda a: a["rule"] == "Hwtest open"), "the old rule is gone")


def a_file_that_comes_to_the_folder_is_loaded_and_one_that_goes_is_not():
    with Setup() as s:
        s.reload_seen(lambda: s.write(gear.open_rule(s.folder + "/", "Hwtest more"), "more.yaml"))
        s.touch("a")
        s.app.wait_alert(lambda a: a["rule"] == "Hwtest more")
        s.reload_seen(lambda: os.unlink(os.path.join(s.rules, "more.yaml")))
        s.touch("b")
        s.app.wait_alert(lambda a: a["output_fields"]["fd.name"].endswith("/b"))
        hw.check(len(s.app.alerts(lambda a: a["rule"] == "Hwtest more")) == 1, "it was judged again")


def wrong_rules_are_told_line_by_line_and_the_old_ones_stay():
    with Setup() as s:
        s.write(gear.open_rule(s.folder + "/", "Hwtest bad", "and fd.nmae = x") +
                "- macro: m\n  condition: (\n")
        s.wait_count(REFUSED, 1)
        lines = [line for line in s.app.err.copy() if "rules.yaml:" in line]
        hw.check(len(lines) == 2, f"one line for each: {lines}")
        hw.check(any(re.search(r"rules\.yaml:3:\d+: error: rule Hwtest bad: .*fd\.nmae.*fd\.name", x)
                     for x in lines), f"{lines}")
        s.touch("a")
        s.app.wait_alert(lambda a: a["rule"] == "Hwtest open")
        s.write("- rule: [\n")
        s.wait_count(REFUSED, 2)
        s.touch("b")
        s.app.wait_alert(lambda a: a["output_fields"]["fd.name"].endswith("/b"))
        # Right again: taken without further ado.
        s.reload_seen(lambda: s.write(gear.open_rule(s.folder + "/", "Hwtest good")))
        s.touch("c")
        s.app.wait_alert(lambda a: a["rule"] == "Hwtest good")
        hw.check(gear.status(s.state, s.config)["events"]["lost"] == 0, "lost")


def the_configuration_itself_is_watched():
    with Setup() as s:
        other = s.state.write("other.yaml", gear.open_rule(s.folder + "/", "Hwtest elsewhere"))
        with open(s.config, encoding="utf-8") as f:
            text = f.read().replace(s.rules, other)
        s.reload_seen(lambda: s.state.write("hullwatch.yaml", text))
        s.touch("a")
        s.app.wait_alert(lambda a: a["rule"] == "Hwtest elsewhere")
        # And its new rules are watched in their turn.
        s.reload_seen(lambda: s.state.write("other.yaml", gear.open_rule(s.folder + "/",
                                                                         "Hwtest third")))
        s.touch("b")
        s.app.wait_alert(lambda a: a["rule"] == "Hwtest third")


def without_watching_only_the_signal_reloads():
    with Setup(watch_config_files=False) as s:
        s.write(gear.open_rule(s.folder + "/", "Hwtest second"))
        s.touch("a")
        s.app.wait_alert(lambda a: a["rule"] == "Hwtest open")
        hw.check(s.count(RELOADED) == 0, s.app.log())
        s.reload_seen(s.app.reload)
        s.touch("b")
        s.app.wait_alert(lambda a: a["rule"] == "Hwtest second")


hw.main(each_open_is_alerted_once_over_ten_changes_of_files,
        each_open_is_alerted_once_over_ten_signals, a_changed_file_is_in_force_without_a_signal,
        a_file_that_comes_to_the_folder_is_loaded_and_one_that_goes_is_not,
        wrong_rules_are_told_line_by_line_and_the_old_ones_stay,
        the_configuration_itself_is_watched, without_watching_only_the_signal_reloads)
