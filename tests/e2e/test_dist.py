#!/usr/bin/env python3
"""As a user starts it: the default configuration and the rules that ship, on this node."""
# labels: e2e root
import json
import os
import time

import hw
from hw import gear
from hw.appliance import default_config


def shipped_files_are_valid():
    with hw.State() as state:
        hw.check(os.path.exists(default_config()), "config/default/hullwatch.yaml")
        done = hw.hullwatch("config", "check", state=state, config=default_config())
        hw.check(done.returncode == 0, done.stderr)
        rules = gear.default_rules()
        hw.check(rules, "config/default/rules")
        done = hw.hullwatch("rules", "check", *rules, state=state)
        hw.check(done.returncode in (0, 4), done.stderr)


def ready_from_a_cold_start():
    hw.need_bpf()
    figures = []
    with hw.State() as state:
        for _ in range(3):
            began = time.monotonic()
            with hw.Appliance(state, gear.default_rules()) as app:
                app.wait_ready()
                figures.append(time.monotonic() - began)
                app.stop_ok()
    print("     ready after " + ", ".join(f"{f * 1000:.0f} ms" for f in figures), flush=True)


def pins_are_gone_after_a_clean_stop():
    hw.need_bpf()
    with hw.State() as state:
        before = pinned()
        with hw.Appliance(state, gear.default_rules()) as app:
            app.wait_ready()
            answer = json.loads(hw.hullwatch_ok("status", "--format", "json", state=state))
            hw.check(answer["uptime_seconds"] >= 0, f"{answer}")
            hw.check(answer["sources"], "sources of events are listed")
            app.stop_ok()
        hw.check(pinned() <= before, f"left: {pinned() - before}")


def pinned():
    return {os.path.join(at, name) for at, folders, files in os.walk("/sys/fs/bpf")
            for name in folders + files}


def the_shipped_rules_see_a_shadow_read():
    """Not asserted which rule: that one of them speaks of it on the host or in a container."""
    hw.need_containers()
    hw.need_bpf()
    with hw.State() as state, hw.Podman() as pod:
        with hw.Appliance(state, gear.default_rules()) as app:
            app.wait_ready()
            done = pod.run("cat", "/etc/shadow")
            hw.check(done.returncode == 0, done.stderr)
            app.wait_alert(lambda a: "/etc/shadow" in a["output"]
                           and done.container_name in json.dumps(a))
            app.stop_ok()


hw.main(shipped_files_are_valid, ready_from_a_cold_start, pins_are_gone_after_a_clean_stop,
        the_shipped_rules_see_a_shadow_read)
