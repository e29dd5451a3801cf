"""Real containers: podman with runc, a tiny image, and removal of exactly what was made."""
import contextlib
import os
import subprocess
import tarfile
import tempfile
import uuid

from hw.base import check, need_containers, run

# Works with and without systemd, and where the host's limits are below podman's defaults.
CONTAINERS_CONF = """\
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "none"
log_driver = "k8s-file"
"""

APPLETS = ("sh", "cat", "ls", "sleep", "true", "false", "echo", "id", "touch", "cp", "ln", "grep",
           "sed", "head", "wc", "mkdir", "rm", "chmod", "nc", "wget", "su", "find", "env", "ps")

FILES = {
    "etc/passwd": ("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n", 0o644),
    "etc/group": ("root:x:0:\nnogroup:x:65534:\n", 0o644),
    "etc/shadow": ("root:*:19000:0:99999:7:::\n", 0o640),
    "etc/hostname": ("box\n", 0o644),
}


class Podman:
    """
    with Podman() as pod: c = pod.start("sleep", "60"); pod.exec(c, "cat", "/etc/shadow")

    Uses the default storage, as a user's podman does; isolated=True keeps everything in a
    temporary folder instead. Every container and image of this object is removed at its end.
    """

    def __init__(self, isolated=False):
        need_containers()
        self.isolated = isolated
        self.prefix = f"hwtest-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self.image_name = f"localhost/{self.prefix}:1"
        self.containers = []
        self.image_id = None
        self.folder = None

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="hwtest-podman-")
        conf = os.path.join(self.folder.name, "containers.conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(CONTAINERS_CONF)
        self.env = {**os.environ, "CONTAINERS_CONF": conf}
        try:
            self.image_id = self._import_image()
        except BaseException:
            self.folder.cleanup()
            raise
        return self

    def argv(self, *args):
        where = []
        if self.isolated:
            where = ["--root", os.path.join(self.folder.name, "root"),
                     "--runroot", os.path.join(self.folder.name, "runroot"),
                     "--storage-driver", "vfs"]
        return ["podman", *where, *args]

    def call(self, *args, timeout_s=120):
        """podman ARGS, the result unjudged."""
        return run(self.argv(*args), timeout_s=timeout_s, env=self.env)

    def call_ok(self, *args, timeout_s=120):
        done = self.call(*args, timeout_s=timeout_s)
        check(done.returncode == 0, f"podman {' '.join(args)}: {done.returncode} {done.stderr}")
        return done.stdout.strip()

    def name(self):
        return f"{self.prefix}-{uuid.uuid4().hex[:6]}"

    def run(self, *command, options=(), image=None, name=None):
        """podman run --rm; returns the finished process. The container's name is .container_name."""
        name = name or self.name()
        self.containers.append(name)
        done = self.call("run", "--rm", "--name", name, *options, image or self.image_name, *command)
        done.container_name = name
        return done

    def start(self, *command, options=(), image=None, name=None):
        """podman run -d; returns the container's full id."""
        container = self.call_ok("run", "-d", "--name", name or self.name(), *options,
                                 image or self.image_name, *command)
        self.containers.append(container)
        return container

    def exec(self, container, *command, options=()):
        return self.call("exec", *options, container, *command)

    def popen(self, *args, **kwargs):
        return subprocess.Popen(self.argv(*args), env=self.env, **kwargs)

    def container_name(self, container):
        return self.call_ok("inspect", "--format", "{{.Name}}", container)

    def _import_image(self):
        archive = os.path.join(self.folder.name, "image.tar")
        write_image(archive)
        return self.call_ok("import", "--change", 'CMD ["/bin/sh"]', archive, self.image_name)

    def __exit__(self, *_):
        for container in self.containers:
            self.call("rm", "-f", "-t", "0", "-i", container)
        if self.image_id:
            self.call("rmi", "-f", self.image_name)
        with contextlib.suppress(OSError):
            self.folder.cleanup()


def write_image(path):
    """A root file system of busybox and four files of /etc, as a tar archive."""
    with tarfile.open(path, "w") as tar:
        for folder in ("bin", "etc", "tmp", "proc", "sys", "dev", "root"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        tar.add("/bin/busybox", "bin/busybox")
        for applet in APPLETS:
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, "busybox", 0o777
            tar.addfile(entry)
        for name, (text, mode) in FILES.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), mode
            with tempfile.TemporaryFile() as f:
                f.write(text.encode())
                f.seek(0)
                tar.addfile(entry, f)
