#!/usr/bin/env python3
"""
A restart into another version: what waits in the rings is read by the decoder of its version or counted,
and while the kernel programs are replaced no event is missed and none is told twice.
"""
# labels: e2e root slow
# timeout: 300
import contextlib
import ctypes
import json
import os
import random
import signal
import subprocess
import tempfile
import time

import hw
from hw import gear

RULE = "Hwtest open"
HAND_OVERS = int(os.environ.get("HW_HAND_OVERS") or 12)


def next_version():
    """The build with a changed open record."""
    path = os.environ.get("HW_BIN_NEXT") or os.path.join(hw.BUILD, "tests", "next", "hullwatch-next")
    if not os.path.exists(path):
        hw.skip(f"not built: {path}")
    return path


class Upgrade:
    """A state folder, a bpffs, a cgroup and files of the test's own, and the two versions on them."""

    def __init__(self, condition=None, **keys):
        hw.need_bpf()
        self.next_bin = next_version()
        self.condition, self.keys = condition, keys
        self.apps = []

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.state = stack.enter_context(hw.State())
            self.bpffs = stack.enter_context(gear.Bpffs())
            self.group = stack.enter_context(hw.Cgroup())
            self.folder = stack.enter_context(tempfile.TemporaryDirectory(dir="/dev/shm"))
            self.stack = stack.pop_all()
        text = gear.open_rule(f"{self.folder}/")
        if self.condition:
            text = text.replace(gear.OPEN_TYPES, self.condition)
        rules = self.state.write("rules.yaml", text)
        self.config = gear.write_config(self.state, self.bpffs, [rules],
                                        collector__account_cgroups=[self.group.path], **self.keys)
        return self

    def __exit__(self, *_):
        for app in self.apps:
            if app.alive():
                app.kill()
        self.stack.close()

    def start(self, newer, ready=True):
        app = hw.Appliance(self.state, config=self.config)
        if newer:
            app.argv[0] = self.next_bin
        self.apps.append(app)
        app.start()
        return app.wait_ready() if ready else app

    def stop_ok(self, app):
        app.stop_ok()
        hw.check(self.bpffs.pins() == [], f"a clean stop leaves pins: {self.bpffs.pins()}")
        gear.check_integrity(self.state)

    def prefix(self, name):
        return f"{self.folder}/{name}-"

    def opens(self, name, n):
        """Open n files; returns their names."""
        gear.tool_run("opens", self.group.path, self.prefix(name), n)
        return self.names(name, n)

    def names(self, name, n):
        return [f"{self.prefix(name)}{i}" for i in range(n)]

    def stored_names(self):
        return [f["fd.name"] for f, _ in gear.stored_alerts(self.state, RULE)]

    def wait_stored(self, n):
        hw.wait_until(lambda: len(self.stored_names()) >= n, 60, f"{n} alerts in the store")

    def losses(self):
        """
        {(place, class): how many} as the store has it; but for raw events that a busy store's queue
        refused: those have been judged.
        """
        return {(r["place"], r["class"]): r["n"] for r in gear.rows(
            self.state, "SELECT place, class, sum(count) AS n FROM v1_losses "
            "WHERE place != 'queue' GROUP BY 1, 2")}

    def lost(self):
        """The same as `status` has it: {place: how many}, without zeros."""
        by = gear.status(self.state, self.config)["events"]["lost_by"]
        return {place: n for place, n in by.items() if n and place != "queue"}

    def open_counts(self, opened):
        counts = gear.settled_counts(self.state, self.config, self.group.path,
                                     lambda c: gear.total(c["open"]) >= opened)
        return counts["open"]

    def check_nothing_lost(self):
        # What else the node does may overflow the ring while nobody reads it; ours are known by name.
        lost = {where: n for where, n in self.lost().items() if where != "ring"}
        hw.check(lost == {}, f"lost: {lost}")
        hw.check(self.losses() == {}, f"the store tells of losses: {self.losses()}")


def check_each_once(found, wanted):
    twice = len(found) - len(set(found))
    hw.check(twice == 0, f"{twice} alerts twice")
    missing = set(wanted) - set(found)
    hw.check(not missing, f"{len(missing)} of {len(wanted)} missing: {sorted(missing)[:5]}")
    hw.check(set(found) == set(wanted), f"never opened: {sorted(set(found) - set(wanted))[:5]}")


def a_newer_version_goes_on_where_the_older_one_was_killed():
    with Upgrade() as up:
        older = up.start(newer=False)
        with gear.Storm(up.prefix("storm"), up.group.path, 1000) as storm:
            wanted = up.opens("before", 300)
            older.wait_alerts(lambda a: True, 300)
            older.kill()
            wanted += up.opens("between", 300)
            newer = up.start(newer=True)
            wanted += up.opens("after", 300)
            wanted += up.names("storm", storm.stop())
        up.wait_stored(len(wanted))
        count = up.open_counts(len(wanted))
        hw.check(count["emitted"] == len(wanted), f"opened {len(wanted)}, counted {count}")
        up.check_nothing_lost()
        replayed = gear.status(up.state, up.config)["events"]["replayed"]
        hw.check(replayed >= 300, f"{replayed} read from the older version's ring")
        up.stop_ok(newer)
        check_each_once(up.stored_names(), wanted)
        hw.check(up.losses() == {}, f"losses at the end: {up.losses()}")


def make_files(prefix, n):
    """By creat(2), which nothing else on the node calls: what the rings hold is known exactly."""
    libc = ctypes.CDLL(None, use_errno=True)
    for i in range(n):
        path = f"{prefix}{i}".encode()
        fd = libc.creat(path, 0o600)
        hw.check(fd >= 0, f"creat: {os.strerror(ctypes.get_errno())}")
        os.close(fd)
        os.unlink(path)


def an_older_version_counts_what_it_cannot_read():
    with Upgrade("evt.type = creat") as up:
        newer = up.start(newer=True)
        make_files(up.prefix("before"), 200)
        up.wait_stored(200)
        hw.wait_until(lambda: gear.status(up.state, up.config)["rings"]["main"]["used"] == 0, 10,
                      "the ring to be given back")
        newer.kill()
        make_files(up.prefix("between"), 300)
        older = up.start(newer=False)
        make_files(up.prefix("after"), 200)
        up.wait_stored(400)
        hw.wait_until(lambda: up.losses(), 10, "the loss in the store")
        hw.check(up.lost() == {"version": 300}, f"300 could not be read: {up.lost()}")
        up.stop_ok(older)
        hw.check(up.losses() == {("version", "open"): 300}, f"{up.losses()}")
        check_each_once(up.stored_names(), up.names("before", 200) + up.names("after", 200))


class TwoSets:
    """Two sets of programs attached at once (tests/next/two_sets.c); stop() returns what was counted."""

    def __init__(self, group, who):
        hw.need_bpf()
        path = os.path.join(os.path.dirname(next_version()), "two_sets")
        self.process = subprocess.Popen([path, group.path, who], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        hw.check(self.process.stdout.readline() == "start\n", "two_sets did not start")

    def __enter__(self):
        return self

    def stop(self):
        return json.loads(self.process.communicate(timeout=hw.scaled(30))[0])

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def make_one_of_each(group):
    """Events of every class, in the cgroup; returns how many."""
    made = json.loads(gear.tool_run("produce", group.path, "open=100", "fork=20", "exec=20", "connect=20"))
    child = os.fork()
    if child == 0:
        group.enter()
        os.mkdir(f"{group.path}/child")
        os.rmdir(f"{group.path}/child")
        os._exit(0)
    os.waitpid(child, 0)
    made["cgroup"] = 2
    made["exit"] += 1
    return made


def every_program_knows_the_number_of_its_set():
    """Each object file has its own weak `generation`: linked, all must read the one that the loader sets."""
    for who, times in (("none", 0), ("a", 1), ("b", 1)):
        with hw.Cgroup() as group, TwoSets(group, who) as sets:
            made = make_one_of_each(group)
            counted = sets.stop()
            for name, n in made.items():
                hw.check(counted[name] == times * n, f"{who}: {name}: {counted[name]} of {n}")


def each_event_is_one_sets_while_the_word_changes():
    """What an upgrade does once, tens of thousands of times, under the densest storm."""
    with hw.Cgroup() as group, tempfile.TemporaryDirectory(dir="/dev/shm") as folder, \
            TwoSets(group, "both") as sets:
        with gear.Storm(f"{folder}/a", group.path) as a, gear.Storm(f"{folder}/b", group.path) as b:
            time.sleep(3)
            opened = a.stop() + b.stop()
        made = make_one_of_each(group)
        made["open"] += opened
        made["exit"] += 2
        counted = sets.stop()
        print(f"     {counted['changes']} changes, {opened} opens", flush=True)
        hw.check(counted["changes"] > 1000, f"{counted}")
        for name, n in made.items():
            hw.check(counted[name] == n, f"{name}: {counted[name]} of {n}")


def a_hand_over_that_is_killed_loses_nothing():
    """Other versions again and again, most of them killed at some instant of taking over."""
    seed = int(os.environ.get("HW_SEED") or random.SystemRandom().randrange(1 << 31))
    chance = random.Random(seed)
    print(f"     seed {seed}", flush=True)
    with Upgrade("evt.type in (open, openat) and proc.name = nobody") as up:
        app = up.start(newer=False)
        with gear.Storm(up.prefix("a"), up.group.path, 5000) as a, \
                gear.Storm(up.prefix("b"), up.group.path, 5000) as b:
            for i in range(HAND_OVERS):
                app.kill()
                app = up.start(newer=i % 2 == 0, ready=False)
                if i % 4 == 3:
                    app.wait_ready()
                else:
                    time.sleep(chance.uniform(0.05, 0.7))
            app.wait_ready()
            opened = a.stop() + b.stop()
        count = up.open_counts(opened)
        print(f"     {HAND_OVERS} hand-overs, {opened} opens: {count}", flush=True)
        hw.check(gear.total(count) == opened, f"opened {opened}, counted {count}")
        up.stop_ok(app)


def an_upgrade_in_a_storm_tells_each_open_once():
    with Upgrade(collector__ring_mib=64) as up:
        app = up.start(newer=False)
        with gear.Storm(up.prefix("a"), up.group.path, 4000) as a, \
                gear.Storm(up.prefix("b"), up.group.path, 4000) as b:
            app.wait_alerts(lambda _: True, 100)
            app.kill()
            app = up.start(newer=True)
            app.wait_alerts(lambda _: True, 100)
            wanted = up.names("a", a.stop()) + up.names("b", b.stop())
        up.wait_stored(len(wanted))
        count = up.open_counts(len(wanted))
        hw.check(count["emitted"] == len(wanted), f"opened {len(wanted)}, counted {count}")
        up.check_nothing_lost()
        up.stop_ok(app)
        check_each_once(up.stored_names(), wanted)


def a_stop_that_is_killed_is_taken_up():
    """Programs are gone already, what they made still waits: the next start reads it and loads new ones."""
    with Upgrade(collector__ring_mib=64) as up:
        app = up.start(newer=False)
        with gear.Stopped(app.pid):
            wanted = up.opens("before", 20000)
            app.signal(signal.SIGTERM)
        hw.wait_until(lambda: not any("link_" in pin for pin in up.bpffs.pins()), 10, "the programs' end")
        app.kill()
        if app.process.returncode == 0:
            print("     the stop was faster than the kill", flush=True)
        app = up.start(newer=False)
        wanted += up.opens("after", 100)
        up.wait_stored(len(wanted))
        up.check_nothing_lost()
        up.stop_ok(app)
        check_each_once(up.stored_names(), wanted)


hw.main(a_newer_version_goes_on_where_the_older_one_was_killed,
        an_older_version_counts_what_it_cannot_read,
        every_program_knows_the_number_of_its_set, each_event_is_one_sets_while_the_word_changes,
        a_hand_over_that_is_killed_loses_nothing,
        an_upgrade_in_a_storm_tells_each_open_once, a_stop_that_is_killed_is_taken_up)
