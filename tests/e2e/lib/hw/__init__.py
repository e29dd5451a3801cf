"""What end-to-end tests share: the binary, skipping, waiting, the running appliance, containers.

    import hw
    with hw.State() as state, hw.Appliance(state) as app:
        app.wait_ready()
        open("/etc/shadow").close()
        alert = app.wait_alert(lambda a: a["rule"] == "Read sensitive file")

Nothing here sleeps a fixed time: every wait has a condition and a deadline.
"""
from hw.appliance import Appliance, State, hullwatch, hullwatch_ok
from hw.base import (BIN, BUILD, SHARED, SRC, check, fail, main, need_bpf, need_containers, need_root,
                     need_shared, need_tools, run, scaled, skip, wait_until)
from hw.cgroup import Cgroup
from hw.podman import Podman

__all__ = [
    "Appliance", "BIN", "BUILD", "Cgroup", "Podman", "SHARED", "SRC", "State", "check", "fail",
    "hullwatch", "hullwatch_ok", "main", "need_bpf", "need_containers", "need_root", "need_shared",
    "need_tools", "run", "scaled", "skip", "wait_until",
]
