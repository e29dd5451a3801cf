#!/usr/bin/env python3
"""Without a BPF file system it works unpinned, and says so."""
# labels: e2e root
import os
import tempfile

import hw
from hw import gear


def works(state, config, rules, folder, wrap=()):
    with hw.Appliance(state, [rules], config=config, wrap=wrap) as app:
        app.wait_ready()
        gear.tool_run("opens", "-", f"{folder}/f", 50)
        app.wait_alerts(lambda a: a["rule"] == "Hwtest open", 50)
        app.stop_ok()
        return app.log()


def pinning_can_be_switched_off():
    hw.need_bpf()
    with hw.State() as state, gear.Bpffs() as bpffs, tempfile.TemporaryDirectory() as folder:
        rules = state.write("rules.yaml", gear.open_rule(f"{folder}/f"))
        config = gear.write_config(state, bpffs, collector__pin="off")
        with hw.Appliance(state, [rules], config=config) as app:
            app.wait_ready()
            hw.check(bpffs.pins() == [], f"pinned nevertheless: {bpffs.pins()}")
            text = hw.hullwatch_ok("status", state=state, config=config)
            hw.check("pin" in text, f"status says how it is: {text}")
            gear.tool_run("opens", "-", f"{folder}/f", 50)
            app.wait_alerts(lambda a: a["rule"] == "Hwtest open", 50)
            app.kill()
        hw.check(bpffs.pins() == [], "nothing is left by a kill")
        works(state, config, rules, folder)


def a_folder_that_is_no_bpffs_is_told():
    hw.need_bpf()
    with hw.State() as state, tempfile.TemporaryDirectory() as folder:
        rules = state.write("rules.yaml", gear.open_rule(f"{folder}/f"))
        blocked = state.write("a-file", "x")
        config = gear.write_config(state, os.path.join(blocked, "bpf"))
        log = works(state, config, rules, folder)
        hw.check("pin" in log, f"the log says that nothing is pinned: {log}")


def a_namespace_without_bpffs_works():
    """A mount namespace in which the mount point is read-only and nothing can be mounted there."""
    hw.need_bpf()
    hw.need_tools("unshare", "mount")
    with hw.State() as state, tempfile.TemporaryDirectory() as folder:
        rules = state.write("rules.yaml", gear.open_rule(f"{folder}/f"))
        config = gear.write_config(state, "/sys/fs/bpf/none/such")
        script = ('mount --make-rprivate / && mount -t tmpfs -o ro tmpfs /sys/fs/bpf && exec "$@"')
        log = works(state, config, rules, folder, ["unshare", "-m", "sh", "-c", script, "sh"])
        hw.check("pin" in log, f"the log says that nothing is pinned: {log}")


hw.main(pinning_can_be_switched_off, a_folder_that_is_no_bpffs_is_told,
        a_namespace_without_bpffs_works)
