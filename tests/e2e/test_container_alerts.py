#!/usr/bin/env python3
"""Real containers give alerts with their names; the same on the host gives none."""
# labels: e2e root
# timeout: 240
import contextlib
import json
import os
import re
import shutil
import socket
import tempfile
import uuid

import hw
from hw import gear

KEYS = ["time", "rule", "priority", "source", "hostname", "output", "tags", "output_fields"]
SHELL_RULES = {"Detect Shell in Container": "Warning", "Terminal shell in container": "Warning"}
FILE_RULES = {"Detect Sensitive File Read": "Warning", "Read sensitive file in container": "Error"}
CONTAINER_RULES = {**SHELL_RULES, **FILE_RULES}

OWN_RULES = """\
- rule: Hwtest image
  desc: what is known of the container and of who started it
  condition: >
    evt.type in (open, openat, openat2) and fd.name = /etc/shadow and container.id != host
    and proc.name = cat
  output: >
    id=%container.id name=%container.name image=%container.image.repository
    tag=%container.image.tag exe=%proc.exepath parent=%proc.pname user=%user.name
    line=%proc.cmdline
  priority: NOTICE
- rule: Hwtest host
  desc: the same on the host
  condition: >
    evt.type in (open, openat, openat2) and fd.name = /etc/shadow and container.id = host
    and proc.name startswith hwt
  output: "id=%container.id name=%container.name proc=%proc.name line=%proc.cmdline"
  priority: NOTICE
"""


class Setup:
    """The appliance with the seeds' rules, the default ones and the test's own; and podman."""

    def __enter__(self):
        hw.need_bpf()
        hw.need_containers()
        seeds = hw.need_shared("data", "seed-rules")
        with contextlib.ExitStack() as stack:
            self.state = stack.enter_context(hw.State())
            bpffs = stack.enter_context(gear.Bpffs())
            own = self.state.write("own.yaml", OWN_RULES)
            rules = gear.default_rules() + sorted(
                os.path.join(seeds, f) for f in os.listdir(seeds) if f.endswith(".yaml")) + [own]
            self.config = gear.write_config(self.state, bpffs)
            self.pod = stack.enter_context(hw.Podman())
            self.app = stack.enter_context(hw.Appliance(self.state, rules, config=self.config))
            self.app.wait_ready()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *kind):
        self.stack.__exit__(*kind)

    def of(self, rule, name, **fields):
        """The alert of a rule in a container; fd_name="/x" asks for that field as well."""
        wanted = {"container.name": name, **{k.replace("_", "."): v for k, v in fields.items()}}
        return self.app.wait_alert(
            lambda a: a["rule"] == rule and wanted.items() <= a["output_fields"].items(),
            what=f"{rule} of {wanted}")


SUGGESTED = {"container.id", "container.name", "container.image.repository",
             "container.image.tag"}


def check_falco_object(alert, priority):
    hw.check(list(alert) == KEYS, f"keys {list(alert)}")
    hw.check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", alert["time"]), alert["time"])
    hw.check(alert["priority"] == priority, alert["priority"])
    hw.check(alert["source"] == "syscall", alert["source"])
    hw.check(alert["hostname"] == socket.gethostname(), alert["hostname"])
    hw.check(re.match(rf"\d\d:\d\d:\d\d\.\d{{9}}: {priority} ", alert["output"]), alert["output"])
    hw.check(alert["output"].split(": ", 1)[0].endswith(alert["time"][19:29]), "one time, not two")
    hw.check(isinstance(alert["tags"], list), alert["tags"])
    fields = alert["output_fields"]
    hw.check(isinstance(fields, dict) and fields, fields)
    hw.check(SUGGESTED <= set(fields), f"{SUGGESTED} in every alert: {fields}")
    for key, value in fields.items():
        if isinstance(value, str) and not key.startswith("evt.time") and key not in SUGGESTED:
            hw.check(value in alert["output"], f"{key}={value} is not in {alert['output']}")


def shell_and_file_in_a_container():
    with Setup() as s:
        done = s.pod.run("sh", "-c", "true")
        hw.check(done.returncode == 0, done.stderr)
        for rule, priority in SHELL_RULES.items():
            alert = s.of(rule, done.container_name)
            check_falco_object(alert, priority)
            hw.check("sh" in alert["output_fields"].values(), alert["output_fields"])
        done = s.pod.run("cat", "/etc/shadow")
        hw.check(done.returncode == 0, done.stderr)
        for rule, priority in FILE_RULES.items():
            check_falco_object(s.of(rule, done.container_name, fd_name="/etc/shadow"), priority)
        alert = s.of("Hwtest image", done.container_name)
        fields = alert["output_fields"]
        repository, tag = s.pod.image_name.rsplit(":", 1)
        hw.check(fields["container.image.repository"] == repository, fields)
        hw.check(fields["container.image.tag"] == tag, fields)
        hw.check(re.fullmatch(r"[0-9a-f]{12}", fields["container.id"]), fields)
        hw.check(fields["proc.exepath"] == "/bin/busybox", fields)
        hw.check(fields["proc.cmdline"] == "cat /etc/shadow", fields)
        stored_with_ancestors(s, done.container_name)


def stored_with_ancestors(s, name):
    """The alert's process and those above it, up to the host's first, are in the store."""
    found = [r for f, r in gear.stored_alerts(s.state, "Hwtest image")
             if f["container.name"] == name]
    hw.check(len(found) == 1, f"{len(found)} rows")
    row = found[0]
    hw.check(re.fullmatch(r"[0-9a-f]{64}", row["container_id"]), row["container_id"])
    hw.check(row["container_name"] == name, row["container_name"])
    hw.check(row["container_image"] == s.pod.image_name, row["container_image"])
    at = (row["pid"], row["start_ns"], row["exec_id"])
    chain = []
    while at[0] and len(chain) < 40:
        got = gear.rows(s.state, "SELECT * FROM v1_processes WHERE pid=? AND start_ns=? AND exec_id=?",
                        *at)
        if not got:
            break
        chain.append(got[0])
        at = (got[0]["parent_pid"], got[0]["parent_start_ns"], got[0]["parent_exec_id"])
    names = [p["comm"] for p in chain]
    hw.check(len(chain) >= 2 and names[0] == "cat", f"lineage {names}")
    hw.check(chain[0]["container_id"] == row["container_id"], "the child is the container's")
    hw.check(any("conmon" in n or "podman" in n or "systemd" in n for n in names[1:])
             or chain[-1]["pid"] == 1, f"the lineage leaves the container: {names}")
    hw.check(chain[-1]["container_id"] == "", f"its top is the host's: {names}")
    listed = json.loads(hw.hullwatch_ok("alerts", "--format", "json", "--limit", "100",
                                        state=s.state, config=s.config))
    mine = [a for a in listed if a["rule"] == "Hwtest image" and name in a["output"]]
    hw.check(len(mine) == 1, f"alerts --format json: {len(mine)}")
    for key in KEYS:
        hw.check(key in mine[0], f"alerts --format json lacks {key}")
    boxes = json.loads(hw.hullwatch_ok("containers", "--format", "json", state=s.state,
                                       config=s.config))
    hw.check(any(b.get("name") == name and b.get("image") == s.pod.image_name for b in boxes),
             f"containers --format json lacks {name}: {boxes}")
    stored = json.loads(hw.hullwatch_ok("processes", "--stored", "--format", "json",
                                        state=s.state, config=s.config))
    hw.check(any(p.get("pid") == row["pid"] for p in stored), "processes --stored lacks it")


def exec_into_a_container_is_the_containers():
    with Setup() as s:
        box = s.pod.start("sleep", "600")
        name = s.pod.container_name(box)
        done = s.pod.exec(box, "cat", "/etc/shadow")
        hw.check(done.returncode == 0, done.stderr)
        fields = s.of("Hwtest image", name)["output_fields"]
        hw.check(fields["container.id"] == box[:12], fields)


def a_container_that_was_there_before_is_known():
    """Seeded from what runs already: no exec of it was ever seen."""
    hw.need_bpf()
    with hw.Podman() as pod, hw.State() as state, gear.Bpffs() as bpffs:
        box = pod.start("sh", "-c", "while true; do cat /etc/shadow >/dev/null; sleep 0.2; done")
        name = pod.container_name(box)
        rules = state.write("own.yaml", OWN_RULES)
        with hw.Appliance(state, [rules], config=gear.write_config(state, bpffs)) as app:
            app.wait_ready()
            alert = app.wait_alert(
                lambda a: a["output_fields"].get("container.name") == name, what=name)
            hw.check(alert["output_fields"]["container.id"] == box[:12], alert)
            hw.check(alert["output_fields"]["proc.pname"] == "sh", alert)


def the_same_on_the_host_is_no_container():
    """Nor is a host's process in a cgroup that is called as a container's would be."""
    with Setup() as s, tempfile.TemporaryDirectory() as folder:
        mark = "hwt" + uuid.uuid4().hex[:8]
        program = os.path.join(folder, mark)
        shutil.copy("/bin/cat", program)
        hexa = uuid.uuid4().hex + uuid.uuid4().hex
        script = f"{program} /etc/shadow >/dev/null; true {mark}"
        hw.run(["sh", "-c", script])
        for name in (f"libpod-{hexa}", hexa, f"docker-{hexa}.scope"):
            with hw.Cgroup(name) as group:
                code = group.run(["sh", "-c", script])
                hw.check(code == 0, f"exit {code}")
        mine = s.app.wait_alerts(
            lambda a: a["rule"] == "Hwtest host" and a["output_fields"]["proc.name"] == mark, 4)
        hw.check(len(mine) == 4, f"{len(mine)} opens of the host")
        # A container's alert behind them: what came before has been judged.
        s.of("Hwtest image", s.pod.run("cat", "/etc/shadow").container_name)
        for alert in s.app.alerts(lambda a: a["rule"] in CONTAINER_RULES or
                                  a["rule"] == "Hwtest image"):
            text = json.dumps(alert)
            hw.check(mark not in text and hexa[:12] not in text, f"taken for a container: {text}")
            hw.check(alert["output_fields"].get("container.name") not in ("host", "", "<NA>"),
                     f"a container without a name: {text}")


hw.main(shell_and_file_in_a_container, exec_into_a_container_is_the_containers,
        a_container_that_was_there_before_is_known, the_same_on_the_host_is_no_container)
