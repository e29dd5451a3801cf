#!/usr/bin/env python3
"""Rules as people write them, unchanged behind ours: each fires in a container; on the host only the
one that does not ask for a container."""
# labels: e2e root
# timeout: 180
import json
import os
import uuid

import hw
from hw import gear

SHELL = ("Detect Shell in Container", "Terminal shell in container")
FILE = ("Detect Sensitive File Read", "Read sensitive file in container")
MINING = "Detect Crypto Mining"
ALL = {*SHELL, *FILE, MINING}


def the_five_fire_in_a_container_and_one_on_the_host():
    hw.need_bpf()
    hw.need_containers()
    seeds = hw.need_shared("data", "seed-rules")
    rules = gear.default_rules() + [os.path.join(seeds, f) for f in sorted(os.listdir(seeds))
                                    if f.endswith(".yaml")]
    with hw.State() as state, gear.Bpffs() as bpffs, hw.Podman() as pod:
        config = gear.write_config(state, bpffs)
        with hw.Appliance(state, rules, config=config) as app:
            app.wait_ready()
            mark = "hwtest" + uuid.uuid4().hex[:8]
            hw.run(["sh", "-c", f"true {mark}"])
            hw.run(["sh", "-c", f"cat /etc/shadow >/dev/null; true {mark}"])
            hw.run(["env", f"MARK={mark}", "true", f"stratum+tcp://{mark}:3333"])
            inside = {
                SHELL: pod.run("sh", "-c", "true").container_name,
                FILE: pod.run("cat", "/etc/shadow").container_name,
                (MINING,): pod.run("true", "stratum+tcp://pool:3333").container_name,
            }
            for names, container in inside.items():
                for name in names:
                    app.wait_alert(lambda a, n=name, c=container: a["rule"] == n and
                                   a["output_fields"].get("container.name") == c, what=name)
            host = {a["rule"] for a in app.alerts() if mark in json.dumps(a) and a["rule"] in ALL}
            hw.check(host == {MINING}, f"on the host: {host}")
            for alert in app.alerts(lambda a: a["rule"] in ALL - {MINING}):
                hw.check(alert["output_fields"]["container.id"] != "host", f"{alert}")


hw.main(the_five_fire_in_a_container_and_one_on_the_host)
