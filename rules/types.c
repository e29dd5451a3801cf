#include "rules/types.h"

#include "base/scope.h"

#include <stdlib.h>

/* Sorted bytewise: types_find() searches by halves. */
static const char *const type_names[] = { "_sysctl", "accept", "accept4", "access", "acct",
	"add_key", "adjtimex", "afs_syscall", "alarm", "arch_prctl", "asyncevent", "bind", "bpf",
	"brk", "cachestat", "capget", "capset", "chdir", "chmod", "chown", "chroot",
	"clock_adjtime", "clock_getres", "clock_gettime", "clock_nanosleep", "clock_settime",
	"clone", "clone3", "close", "close_range", "connect", "container", "copy_file_range",
	"cpu_hotplug", "creat", "create_module", "delete_module", "drop", "dup", "dup2", "dup3",
	"epoll_create", "epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_pwait",
	"epoll_pwait2", "epoll_wait", "epoll_wait_old", "eventfd", "eventfd2", "execve", "execveat",
	"exit", "exit_group", "faccessat", "faccessat2", "fadvise64", "fallocate", "fanotify_init",
	"fanotify_mark", "fchdir", "fchmod", "fchmodat", "fchmodat2", "fchown", "fchownat", "fcntl",
	"fcntl64", "fdatasync", "fgetxattr", "finit_module", "flistxattr", "flock", "fork",
	"fremovexattr", "fsconfig", "fsetxattr", "fsmount", "fsopen", "fspick", "fstat", "fstatfs",
	"fsync", "ftruncate", "futex", "futex_requeue", "futex_wait", "futex_waitv", "futex_wake",
	"futimesat", "get_kernel_syms", "get_mempolicy", "get_robust_list", "get_thread_area",
	"getcpu", "getcwd", "getdents", "getdents64", "getegid", "geteuid", "getgid", "getgroups",
	"getitimer", "getpeername", "getpgid", "getpgrp", "getpid", "getpmsg", "getppid",
	"getpriority", "getrandom", "getresgid", "getresuid", "getrlimit", "getrusage", "getsid",
	"getsockname", "getsockopt", "gettid", "gettimeofday", "getuid", "getxattr", "getxattrat",
	"infra", "init_module", "inotify_add_watch", "inotify_init", "inotify_init1",
	"inotify_rm_watch", "io_cancel", "io_destroy", "io_getevents", "io_pgetevents", "io_setup",
	"io_submit", "io_uring_enter", "io_uring_register", "io_uring_setup", "ioctl", "ioperm",
	"iopl", "ioprio_get", "ioprio_set", "kcmp", "kexec_file_load", "kexec_load", "keyctl",
	"kill", "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "lchown",
	"lgetxattr", "link", "linkat", "listen", "listmount", "listxattr", "listxattrat",
	"llistxattr", "lookup_dcookie", "lremovexattr", "lseek", "lsetxattr", "lsm_get_self_attr",
	"lsm_list_modules", "lsm_set_self_attr", "lstat", "madvise", "map_shadow_stack", "mbind",
	"membarrier", "memfd_create", "memfd_secret", "migrate_pages", "mincore", "mkdir",
	"mkdirat", "mknod", "mknodat", "mlock", "mlock2", "mlockall", "mmap", "modify_ldt", "mount",
	"mount_setattr", "move_mount", "move_pages", "mprotect", "mq_getsetattr", "mq_notify",
	"mq_open", "mq_timedreceive", "mq_timedsend", "mq_unlink", "mremap", "mseal", "msgctl",
	"msgget", "msgrcv", "msgsnd", "msync", "munlock", "munlockall", "munmap",
	"name_to_handle_at", "nanosleep", "newfstatat", "nfsservctl", "nice", "notification",
	"open", "open_by_handle_at", "open_tree", "open_tree_attr", "openat", "openat2",
	"page_fault", "pause", "perf_event_open", "personality", "pidfd_getfd", "pidfd_open",
	"pidfd_send_signal", "pipe", "pipe2", "pivot_root", "pkey_alloc", "pkey_free",
	"pkey_mprotect", "pluginevent", "poll", "ppoll", "prctl", "pread", "preadv", "preadv2",
	"prlimit64", "process_madvise", "process_mrelease", "process_vm_readv", "process_vm_writev",
	"procexit", "pselect6", "ptrace", "putpmsg", "pwrite", "pwritev", "pwritev2",
	"query_module", "quotactl", "quotactl_fd", "read", "readahead", "readlink", "readlinkat",
	"readv", "reboot", "recvfrom", "recvmmsg", "recvmsg", "remap_file_pages", "removexattr",
	"removexattrat", "rename", "renameat", "renameat2", "request_key", "restart_syscall",
	"rmdir", "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo",
	"rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "rt_tgsigqueueinfo",
	"sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity", "sched_getattr",
	"sched_getparam", "sched_getscheduler", "sched_rr_get_interval", "sched_setaffinity",
	"sched_setattr", "sched_setparam", "sched_setscheduler", "sched_yield", "seccomp",
	"security", "select", "semctl", "semget", "semop", "semtimedop", "sendfile", "sendmmsg",
	"sendmsg", "sendto", "set_mempolicy", "set_mempolicy_home_node", "set_robust_list",
	"set_thread_area", "set_tid_address", "setdomainname", "setfsgid", "setfsuid", "setgid",
	"setgroups", "sethostname", "setitimer", "setns", "setpgid", "setpriority", "setregid",
	"setresgid", "setresuid", "setreuid", "setrlimit", "setsid", "setsockopt", "settimeofday",
	"setuid", "setxattr", "setxattrat", "shmat", "shmctl", "shmdt", "shmget", "shutdown",
	"sigaltstack", "signaldeliver", "signalfd", "signalfd4", "sigreturn", "socket",
	"socketcall", "socketpair", "splice", "stat", "statfs", "statmount", "statx", "swapoff",
	"swapon", "switch", "symlink", "symlinkat", "sync", "sync_file_range", "syncfs", "sysfs",
	"sysinfo", "syslog", "tee", "tgkill", "time", "timer_create", "timer_delete",
	"timer_getoverrun", "timer_gettime", "timer_settime", "timerfd_create", "timerfd_gettime",
	"timerfd_settime", "times", "tkill", "tracer", "truncate", "tuxcall", "umask", "umount",
	"umount2", "uname", "unlink", "unlinkat", "unshare", "uselib", "userfaultfd", "ustat",
	"utime", "utimensat", "utimes", "vfork", "vhangup", "vmsplice", "vserver", "wait4",
	"waitid", "waitpid", "write", "writev" };

_Static_assert(ARRAY_N(type_names) <= TYPES_MAX, "a type_set holds every type");

static const struct {
	const char *name;
	enum event_class class;
} available[] = {
	{ "accept", EVENT_ACCEPT },
	{ "accept4", EVENT_ACCEPT },
	{ "bind", EVENT_BIND },
	{ "clone", EVENT_FORK },
	{ "clone3", EVENT_FORK },
	{ "connect", EVENT_CONNECT },
	{ "creat", EVENT_OPEN },
	{ "execve", EVENT_EXEC },
	{ "execveat", EVENT_EXEC },
	{ "fork", EVENT_FORK },
	{ "listen", EVENT_LISTEN },
	{ "open", EVENT_OPEN },
	{ "openat", EVENT_OPEN },
	{ "openat2", EVENT_OPEN },
	{ "procexit", EVENT_EXIT },
	{ "socket", EVENT_SOCKET },
	{ "vfork", EVENT_FORK },
};

size_t types_count(void)
{
	return ARRAY_N(type_names);
}

const char *types_name(size_t i)
{
	return type_names[i];
}

static int compare_name(const void *key, const void *item)
{
	return str_cmp(*(const struct str *)key, str_from(*(const char *const *)item));
}

int types_find(struct str name)
{
	const char *const *at = bsearch(
		&name, type_names, ARRAY_N(type_names), sizeof(*type_names), compare_name);

	return at ? (int)(at - type_names) : -1;
}

const char *types_nearest(struct str name)
{
	return str_nearest(name, type_names, ARRAY_N(type_names));
}

enum event_class types_class(size_t i)
{
	for (size_t k = 0; k < ARRAY_N(available); k++)
		if (strcmp(type_names[i], available[k].name) == 0)
			return available[k].class;
	return EVENT_NONE;
}

size_t type_set_count(const struct type_set *s)
{
	size_t n = 0;

	for (size_t i = 0; i < TYPES_MAX / 64; i++)
		n += (size_t)__builtin_popcountll(s->bits[i]);
	return n;
}

struct type_set type_set_all(void)
{
	struct type_set s = { 0 };

	for (size_t i = 0; i < ARRAY_N(type_names); i++)
		type_set_add(&s, i);
	return s;
}

struct type_set type_set_available(void)
{
	struct type_set s = { 0 };

	for (size_t k = 0; k < ARRAY_N(available); k++)
		type_set_add(&s, (size_t)types_find(str_from(available[k].name)));
	return s;
}

struct type_set type_set_not(const struct type_set *s)
{
	struct type_set r = type_set_all();

	for (size_t i = 0; i < TYPES_MAX / 64; i++)
		r.bits[i] &= ~s->bits[i];
	return r;
}
