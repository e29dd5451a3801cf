#include "tests/root/report.h"

#include "tests/root/scene.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static uint64_t status_field(const char *name, int base)
{
	char line[256];
	uint64_t value = 0;
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f)) {
		size_t n = strlen(name);
		if (strncmp(line, name, n) == 0 && line[n] == ':')
			value = strtoull(line + n + 1, NULL, base);
	}
	if (f)
		fclose(f);
	return value;
}

static size_t read_all(const char *path, char *out, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(out, 1, size - 1, f) : 0;

	out[n] = 0;
	if (f)
		fclose(f);
	return n;
}

static uint64_t time_ns(struct timespec t)
{
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The cgroup that a record names: v2's, or where the process is in its root, v1's of these, in this order. */
void report_cgroup(char *out, size_t size)
{
	static const char *const names[] = { "", "pids", "memory", "devices" };
	char text[4096];

	snprintf(out, size, "/");
	for (size_t i = 0; i < ARRAY_N(names) && strcmp(out, "/") == 0; i++) {
		read_all("/proc/self/cgroup", text, sizeof(text));
		for (char *at = text, *line; (line = strsep(&at, "\n"));) {
			strsep(&line, ":");
			char *name = strsep(&line, ":");
			if (line && strcmp(name, names[i]) == 0)
				snprintf(out, size, "%s", line);
		}
	}
}

static void report_exe(struct report *r)
{
	struct stat st;

	scene_link("/proc/self/exe", r->exe, sizeof(r->exe));
	ACT(stat("/proc/self/exe", &st) == 0);
	r->exe_dev = st.st_dev;
	r->exe_ino = st.st_ino;
	r->exe_mode = st.st_mode;
	r->exe_ctime_ns = time_ns(st.st_ctim);
	r->exe_mtime_ns = time_ns(st.st_mtim);
}

static void report_namespaces(struct report *r)
{
	r->ns_mnt = scene_inode("/proc/self/ns/mnt");
	r->ns_pid = scene_inode("/proc/self/ns/pid");
	r->ns_net = scene_inode("/proc/self/ns/net");
	r->ns_user = scene_inode("/proc/self/ns/user");
	r->ns_cgroup = scene_inode("/proc/self/ns/cgroup");
	r->ns_uts = scene_inode("/proc/self/ns/uts");
	r->ns_ipc = scene_inode("/proc/self/ns/ipc");
}

/* /proc here is the host's, so that it shows the host's numbers to a process in a namespace as well. */
static void report_numbers(struct report *r)
{
	char text[1024];
	int ppid, pgid, sid, tty;

	r->pid = (pid_t)status_field("Pid", 10);
	r->vpid = getpid();
	ACT(read_all("/proc/self/stat", text, sizeof(text)) > 0);
	ACT(sscanf(strrchr(text, ')'), ") %*c %d %d %d %d", &ppid, &pgid, &sid, &tty) == 4);
	r->ppid = ppid;
	r->pgid = pgid;
	r->sid = sid;
	r->tty = (uint32_t)tty;
	r->ticks = scene_start_ticks(r->pid);
	r->loginuid = read_all("/proc/self/loginuid", text, sizeof(text))
			      ? (uint32_t)strtoul(text, NULL, 10)
			      : UINT32_MAX;
	r->sessionid = read_all("/proc/self/sessionid", text, sizeof(text))
			       ? (uint32_t)strtoul(text, NULL, 10)
			       : UINT32_MAX;
}

int report_make(void)
{
	struct report *r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE, MAP_SHARED, REPORT, 0);

	ACT(r != MAP_FAILED);
	report_numbers(r);
	report_exe(r);
	report_namespaces(r);
	r->cap_eff = status_field("CapEff", 16);
	r->cap_prm = status_field("CapPrm", 16);
	r->cap_inh = status_field("CapInh", 16);
	r->uid = getuid();
	r->gid = getgid();
	r->euid = geteuid();
	ACT(getcwd(r->cwd, sizeof(r->cwd)) != NULL);
	r->args_n = (uint32_t)read_all("/proc/self/cmdline", r->args, sizeof(r->args));
	report_cgroup(r->cgroup, sizeof(r->cgroup));
	ACT(prctl(PR_GET_NAME, r->comm) == 0);
	r->done = true;
	return 0;
}
