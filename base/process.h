/*
 * Processes. A struct process is one execution of one process: from exec (or fork) until the
 * next exec or the end. It does not change once it is published in the table, except for the fields marked
 * "late". The capture thread's table owns them; others get flattened copies (struct lineage).
 */
#ifndef HW_BASE_PROCESS_H
#define HW_BASE_PROCESS_H

#include "base/container.h"
#include "base/event.h"

struct process {
	struct process_key key;
	uint64_t exec_id;
	uint64_t exec_ns; /* CLOCK_BOOTTIME of the exec, or of the fork when it has not exec'd */
	const struct process
		*parent; /* the execution that forked it, if still known; NULL at the top */
	struct process_key parent_key;
	uint64_t parent_exec_id;
	uint32_t ppid, vpid, sid, pgid, vpgid;
	uint32_t uid, gid, euid;      /* at exec or fork */
	uint32_t loginuid, sessionid; /* UINT32_MAX: not set */
	uint32_t tty;
	uint64_t cap_effective, cap_permitted, cap_inheritable;
	uint32_t ns_pid, ns_mnt, ns_net, ns_user, ns_cgroup, ns_uts, ns_ipc;
	uint32_t exe_mode;
	uint64_t exe_dev, exe_ino, exe_ctime_ns, exe_mtime_ns;
	uint64_t cgroup_id;
	bool exe_upper, exe_memfd, kthread;
	bool truncated;  /* args are cut */
	bool inherited;  /* forked, not exec'd: exe, args, ... are its parent's */
	bool partial;    /* made from an event alone: its exec was never seen */
	char comm[16];   /* late: a process may rename itself */
	struct str exe;  /* path of the program */
	struct str args; /* argv, each ended by NUL */
	struct str cwd;
	struct str cgroup;
	const struct container *container; /* NULL: host, or not yet known (see container_state) */
	bool exited;                       /* late */
	int32_t exit_code;                 /* late */
	uint64_t exit_ns;                  /* late; CLOCK_BOOTTIME */
};

/* argv[i] or an empty str. */
struct str process_arg(const struct process *p, size_t i);

/* argv[0] (Falco's proc.exe); the comm when there are no arguments. */
struct str process_argv0(const struct process *p);

/* argv[1..] joined by blanks (proc.args); appended. */
void process_args_text(struct buf *b, const struct process *p);

/* comm and argv[1..] (proc.cmdline); appended. */
void process_cmdline_text(struct buf *b, const struct process *p);

/* Bound of a lineage: what is further up is cut and marked. */
#define PROCESS_MAX_LINEAGE 32

/*
 * A chain of executions, child first, copied out of the table: one allocation, process[i].parent is
 * &process[i + 1] or NULL. Containers are not copied: container pointers are NULL in the copies; container_id tells.
 */
struct lineage {
	size_t n;
	bool cut;
	struct process *process;                    /* n of them, inside the allocation */
	char (*container_id)[CONTAINER_ID_LEN + 1]; /* likewise; empty: host */
};

/* Copy p and its ancestors. NULL p gives NULL. lineage_free() it. */
struct lineage *lineage_copy(const struct process *p);
void lineage_free(struct lineage *l);
DEFINE_AUTO(struct lineage, lineage_free)

#endif
