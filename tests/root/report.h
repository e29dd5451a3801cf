/* A program that looks at itself, as ground truth for what the kernel told of it. */
#ifndef HW_TESTS_ROOT_REPORT_H
#define HW_TESTS_ROOT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a program that was started finds about itself; in a file that it inherits as descriptor REPORT. */
struct report {
	pid_t pid, ppid, sid, pgid, vpid;
	uint64_t ticks, cap_eff, cap_prm, cap_inh;
	uint32_t tty, loginuid, sessionid, uid, gid, euid;
	uint64_t ns_mnt, ns_pid, ns_net, ns_user, ns_cgroup, ns_uts, ns_ipc;
	uint64_t exe_dev, exe_ino;
	uint32_t exe_mode;
	uint64_t exe_ctime_ns, exe_mtime_ns;
	uint32_t args_n;
	char exe[1024], cwd[1024], args[1024], cgroup[1024], comm[32];
	bool done;
};
#define REPORT 17

/* The program's main: fill the report. */
int report_make(void);

/* The cgroup that a record names: v2's, or where the process is in its root, v1's. */
void report_cgroup(char *out, size_t size);

#endif
