#!/usr/bin/env python3
"""Ordinary work gives no alert of medium or above from the rules that ship: installing a package,
building in C, this project's own tests, starting and stopping containers."""
# labels: e2e root slow
# timeout: 900
import contextlib
import glob
import json
import os
import tempfile
import uuid

import hw
from hw import gear

LOUD = ("Emergency", "Alert", "Critical", "Error", "Warning")

POSTINST = """\
#!/bin/sh
set -e
id nobody >/dev/null
grep -q root /etc/passwd
mkdir -p /var/lib/{name}
echo installed >/var/lib/{name}/state
chmod 4755 /usr/bin/{name}-suid
chmod 0755 /usr/bin/{name}-suid
[ ! -d /etc/sudoers.d ] || cp /usr/share/{name}/sudoers /etc/sudoers.d/{name}
ldconfig
[ -x /usr/bin/update-alternatives ] && update-alternatives --install /usr/bin/{name}-alt \\
    {name}-alt /usr/bin/{name} 10 >/dev/null
exit 0
"""
PRERM = """\
#!/bin/sh
set -e
update-alternatives --remove {name}-alt /usr/bin/{name} >/dev/null || true
rm -f /etc/sudoers.d/{name}
rm -rf /var/lib/{name}
exit 0
"""


def overlay():
    """Every shipped rule with the control group in its output, so that what is ours can be told."""
    listed = json.loads(hw.hullwatch_ok("rules", "list", "--format", "json", *rule_options()))
    hw.check(len(listed) >= 40, f"{len(listed)} rules")
    return json.dumps([{"rule": r["rule"], "output": "cgroup=%hw.cgroup",
                        "override": {"output": "append"}} for r in listed])


def rule_options():
    return [word for path in gear.default_rules() for word in ("--rules", path)]


class Watch:
    """The appliance with the shipped rules; work is what runs in `group` and in `pod`'s containers."""

    def __enter__(self):
        hw.need_bpf()
        with contextlib.ExitStack() as stack:
            self.state = stack.enter_context(hw.State())
            self.folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="hwtest-quiet-"))
            bpffs = stack.enter_context(gear.Bpffs())
            self.group = stack.enter_context(hw.Cgroup())
            rules = gear.default_rules() + [self.state.write("overlay.yaml", overlay())]
            config = gear.write_config(self.state, bpffs)
            self.app = stack.enter_context(hw.Appliance(self.state, rules, config=config))
            self.app.wait_ready()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *exc):
        return self.stack.__exit__(*exc)

    def work(self, argv, timeout_s=300, must=True, **kwargs):
        log = os.path.join(self.folder, "log")
        with open(log, "w", encoding="utf-8") as out:
            code = self.group.run(argv, timeout_s=hw.scaled(timeout_s), stdout=out, stderr=out,
                                  **kwargs)
        with open(log, encoding="utf-8", errors="replace") as out:
            text = out.read()
        hw.check(code == 0 or not must, f"{argv}: exit {code}\n{text[-3000:]}")

    def ours(self, names=()):
        """Alerts of this work. Others on this node may do what they like meanwhile."""
        marks = [os.path.basename(self.group.path), *names]
        return self.app.alerts(lambda a: any(m in a["output"] or m in json.dumps(a["output_fields"])
                                             for m in marks))

    def check_quiet(self, names=()):
        """A file that must not be read ends the work: what came before it has been judged then."""
        self.group.run(["sh", "-c", "cat /etc/shadow >/dev/null"])
        end = "Password hashes read on the host"
        self.app.wait_alert(lambda a: a["rule"] == end and "cat /etc/shadow" in a["output"]
                            and os.path.basename(self.group.path) in a["output"])
        found = self.ours(names)
        loud = [a for a in found if a["priority"] in LOUD and
                not (a["rule"] == end and "cat /etc/shadow" in a["output"])]
        soft = sorted({f"{a['priority']} {a['rule']}" for a in found if a["priority"] not in LOUD})
        print(f"     {len(loud)} of medium or above; below: {', '.join(soft) or 'none'}", flush=True)
        hw.check(not loud, "\n".join(a["output"] for a in loud[:20]))


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)


def build_package(folder, name):
    root = os.path.join(folder, "root")
    write(f"{root}/DEBIAN/control",
          f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: Test <test@localhost>\n"
          "Description: nothing, for a test of hullwatch\n")
    write(f"{root}/DEBIAN/conffiles", f"/etc/{name}.conf\n")
    write(f"{root}/DEBIAN/postinst", POSTINST.format(name=name), 0o755)
    write(f"{root}/DEBIAN/prerm", PRERM.format(name=name), 0o755)
    write(f"{root}/usr/bin/{name}", "#!/bin/sh\nexit 0\n", 0o755)
    write(f"{root}/usr/bin/{name}-suid", "#!/bin/sh\nexit 0\n", 0o755)
    write(f"{root}/etc/{name}.conf", "quiet = yes\n")
    write(f"{root}/etc/cron.d/{name}", "# nothing\n")
    write(f"{root}/etc/profile.d/{name}.sh", "# nothing\n")
    write(f"{root}/etc/pam.d/{name}", "# nothing\n")
    write(f"{root}/etc/udev/rules.d/99-{name}.rules", "# nothing\n")
    write(f"{root}/etc/modprobe.d/{name}.conf", "# nothing\n")
    write(f"{root}/etc/ld.so.conf.d/{name}.conf", "# nothing\n")
    write(f"{root}/usr/lib/systemd/system/{name}.service", "[Unit]\nDescription=nothing\n")
    write(f"{root}/usr/share/{name}/sudoers", "# nothing\n")
    package = os.path.join(folder, f"{name}.deb")
    done = hw.run(["dpkg-deb", "--root-owner-group", "--build", root, package])
    hw.check(done.returncode == 0, done.stderr)
    return package


def installed_from_cache():
    """A small installed package whose archive of the same version apt still has, or None."""
    for path in sorted(glob.glob("/var/cache/apt/archives/*.deb"), key=os.path.getsize)[:40]:
        done = hw.run(["dpkg-deb", "-f", path, "Package", "Version"])
        fields = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
        have = hw.run(["dpkg-query", "-W", "-f", "${Status} ${Version}", fields.get("Package", "-")])
        if have.stdout == f"install ok installed {fields.get('Version')}":
            return fields["Package"]
    return None


def installing_packages():
    hw.need_tools("dpkg", "dpkg-deb", "apt-get")
    name = f"hwtest-quiet-{uuid.uuid4().hex[:8]}"
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-y", "-q", "-o", "APT::Sandbox::User=root"]
    with Watch() as w:
        package = build_package(w.folder, name)
        try:
            w.work(["dpkg", "-i", package], env=env)
            w.work(["dpkg", "-r", name], env=env)
            w.work([*apt, "install", package], env=env)
            w.work([*apt, "purge", name], env=env)
        finally:
            hw.run(["dpkg", "--purge", "--force-all", name])
        cached = installed_from_cache()
        if cached:
            w.work([*apt, "install", "--no-download", "--reinstall", cached], env=env)
        print(f"     reinstalled: {cached}", flush=True)
        w.check_quiet()


def building_in_c():
    hw.need_tools("make", "gcc")
    with Watch() as w:
        source = os.path.join(w.folder, "source")
        names = [f"part{i}" for i in range(60)]
        for name in names:
            write(f"{source}/lib/{name}.c",
                  f'#include "../include/all.h"\nint {name}(int x)\n{{\n\treturn x + {len(name)};\n}}\n')
        write(f"{source}/include/all.h",
              "#include <stdio.h>\n#include <stdlib.h>\n" +
              "".join(f"int {n}(int x);\n" for n in names))
        write(f"{source}/main.c", '#include "include/all.h"\nint main(void)\n{\n\treturn ' +
              " + ".join(f"{n}(0)" for n in names) + " == 0;\n}\n")
        objects = " ".join(f"lib/{n}.o" for n in names)
        write(f"{source}/Makefile",
              f"all: program test\nprogram: main.o liball.a\n\t$(CC) -o $@ main.o liball.a\n"
              f"liball.a: {objects}\n\tar rcs $@ $^\ntest: program\n\t./program\n"
              "install: program\n\tinstall -D -m 0755 program $(DESTDIR)/usr/bin/program\n")
        w.work(["make", "-s", "-j2", "-C", source])
        w.work(["make", "-s", "-C", source, "install", f"DESTDIR={w.folder}/image"])
        w.check_quiet()


def this_projects_own_tests():
    programs = sorted(glob.glob(os.path.join(hw.BUILD, "tests", "unit_*")))
    if not programs:
        hw.skip("no unit tests are built")
    with Watch() as w:
        for program in programs:
            # Whether it passes is its own matter.
            w.work([program], cwd=w.folder, must=False)
        w.check_quiet()


def containers_come_and_go():
    with Watch() as w, hw.Podman() as pod:
        w.work(pod.argv("run", "--rm", "--name", pod.name(), pod.image_name, "true"), env=pod.env)
        for i in range(3):
            done = pod.run("sh", "-c", "id; ls /etc; cat /etc/passwd; echo x >/tmp/x; sleep 0.1")
            hw.check(done.returncode == 0, f"{i}: {done.stderr}")
        container = pod.start("sh", "-c", "while :; do sleep 0.1; done")
        for _ in range(3):
            done = pod.exec(container, "cat", "/etc/hostname")
            hw.check(done.returncode == 0, done.stderr)
        pod.call_ok("restart", "-t", "0", container)
        pod.call_ok("stop", "-t", "0", container)
        user = pod.run("id", options=("--user", "65534:65534", "--read-only"))
        hw.check(user.returncode == 0, user.stderr)
        w.check_quiet([pod.prefix])
        # And that loud work in a container would have been seen.
        loud = pod.run("cat", "/etc/shadow").container_name
        w.app.wait_alert(lambda a: a["rule"] == "Sensitive file read in a container"
                         and a["output_fields"]["container.name"] == loud)


hw.main(installing_packages, building_in_c, this_projects_own_tests, containers_come_and_go)
