#!/usr/bin/env python3
"""
A restart into another version: what waits in the rings is read by the decoder of its version or counted,
and while the kernel programs are replaced no event is missed and none is told twice.
"""
# labels: e2e root slow
# timeout: 300
import contextlib
import ctypes
import os
import tempfile

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

    def start(self, newer):
        app = hw.Appliance(self.state, config=self.config)
        if newer:
            app.argv[0] = self.next_bin
        self.apps.append(app)
        return app.start().wait_ready()

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
        """{(place, class): how many} as the store has it."""
        return {(r["place"], r["class"]): r["n"] for r in gear.rows(
            self.state, "SELECT place, class, sum(count) AS n FROM v1_losses GROUP BY 1, 2")}

    def open_counts(self, opened):
        counts = gear.settled_counts(self.state, self.config, self.group.path,
                                     lambda c: gear.total(c["open"]) >= opened)
        return counts["open"]

    def check_nothing_lost(self):
        answer = gear.status(self.state, self.config)
        hw.check(answer["events"]["lost"] == 0, f"lost: {answer['events']}")
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
        events = gear.status(up.state, up.config)["events"]
        hw.check(events["lost"] == 300, f"300 could not be read: {events}")
        hw.check("another version" in older.log() or "version" in older.log(), older.log())
        up.stop_ok(older)
        hw.check(up.losses() == {("version", "open"): 300}, f"{up.losses()}")
        check_each_once(up.stored_names(), up.names("before", 200) + up.names("after", 200))


def no_event_is_missed_or_told_twice_while_programs_change():
    """Many hand-overs under the densest storm, by the kernel's own count."""
    with Upgrade("evt.type in (open, openat) and proc.name = nobody", collector__ring_mib=64) as up:
        app = up.start(newer=False)
        with gear.Storm(up.prefix("a"), up.group.path) as a, \
                gear.Storm(up.prefix("b"), up.group.path) as b:
            for i in range(HAND_OVERS):
                app.kill()
                app = up.start(newer=i % 2 == 0)
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


hw.main(a_newer_version_goes_on_where_the_older_one_was_killed,
        an_older_version_counts_what_it_cannot_read,
        no_event_is_missed_or_told_twice_while_programs_change,
        an_upgrade_in_a_storm_tells_each_open_once)
