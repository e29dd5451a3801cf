/*
 * Events: one thing that happened, decoded and joined to the process that caused it. The
 * system call's number is an attribute; nothing here depends on how the kernel told us.
 *
 * An event is flat: fixed fields, then spans into one run of bytes. While it is being judged
 * that run may be the kernel's ring; event_clone() gives a copy that can change threads.
 */
#ifndef HW_BASE_EVENT_H
#define HW_BASE_EVENT_H

#include "base/buf.h"
#include "base/err.h"

enum event_class {
	EVENT_NONE = 0,
	EVENT_EXEC, /* a program was started, or (ret < 0) could not be */
	EVENT_FORK, /* a process (not a thread) was made; the event's process is the new one */
	EVENT_EXIT, /* the last thread of a process ended */
	EVENT_OPEN, /* open, openat, openat2, creat */
	EVENT_CONNECT,
	EVENT_ACCEPT,
	EVENT_BIND,
	EVENT_LISTEN,
	EVENT_SOCKET,
	EVENT_CGROUP, /* a cgroup was made or removed */
	EVENT_SEED,   /* a process that was there before we watched; never judged */
	EVENT_CLASS_N
};

/* "exec", "fork", ...; "none" outside the range. */
const char *event_class_name(enum event_class c);

enum {
	EVENT_F_TRUNCATED = 1 << 0,  /* some string was longer than what is carried */
	EVENT_F_UNVERIFIED = 1 << 1, /* the path is the caller's word: there was no kernel object */
	EVENT_F_MISMATCH =
		1 << 2, /* what the kernel opened is not what the caller's memory said afterwards */
	EVENT_F_COMPAT = 1 << 3,    /* 32-bit system call; nr counts in that table */
	EVENT_F_DETACHED = 1 << 4,  /* the path did not lead to the process's root */
	EVENT_F_NO_USER = 1 << 5,   /* user memory could not be read */
	EVENT_F_REPLAYED = 1 << 6,  /* read from the ring after a restart */
	EVENT_F_CGROUP_V1 = 1 << 7, /* the cgroup path is of a v1 hierarchy */
};

/* A part of event.data; len 0 is "not there". */
struct event_span {
	uint32_t off, len;
};

/* A process across its executions; start_ns is CLOCK_BOOTTIME. tgid 0: unknown. */
struct process_key {
	uint32_t tgid;
	uint64_t start_ns;
};

/* One end of a socket. port in host order; addr as on the wire, 4 or 16 bytes by family. */
struct event_addr {
	uint8_t addr[16];
	uint16_t port;
};

enum { EVENT_AF_NONE = 0, EVENT_AF_UNIX = 1, EVENT_AF_INET = 2, EVENT_AF_INET6 = 10 };

struct event_open {
	uint32_t flags; /* the caller's O_* */
	uint32_t mode;
	int32_t dirfd;
	uint32_t file_mode; /* inode's st_mode, 0 when it failed */
	uint64_t dev, ino;
	struct event_span
		path; /* walked from the kernel's dentry: absolute; empty when it failed */
	struct event_span user; /* what the caller's memory said at the end of the call */
};

struct event_exec {
	struct process_key parent;
	uint64_t parent_exec_id;
	uint32_t ppid; /* real parent now */
	uint32_t vpid, sid, pgid, vpgid;
	uint32_t loginuid, sessionid; /* UINT32_MAX: not set */
	uint32_t tty;                 /* device number, 0 none */
	uint64_t cap_effective, cap_permitted, cap_inheritable;
	uint32_t ns_pid, ns_mnt, ns_net, ns_user, ns_cgroup, ns_uts, ns_ipc;
	uint32_t exe_mode;
	uint64_t exe_dev, exe_ino, exe_ctime_ns, exe_mtime_ns;
	bool exe_upper; /* on the upper layer of an overlay: not part of the image */
	bool exe_memfd; /* runs from memory, no file */
	bool kthread;
	struct event_span exe;  /* exec: path of the program, from the kernel */
	struct event_span args; /* argv, each ended by NUL, first is argv[0] */
	struct event_span cwd;
	struct event_span
		file; /* the name that was given to execve, as the kernel copied it; may be empty */
	struct event_span cgroup; /* path in the hierarchy that tells most; absolute */
	uint32_t args_total;      /* bytes of argv in the process, args.len may be less */
};

struct event_fork {
	struct process_key parent; /* the real parent: with CLONE_PARENT not the creator */
	uint64_t parent_exec_id;
	struct process_key creator; /* who called: whose program the new process runs */
	uint64_t creator_exec_id;
	uint32_t ppid, vpid, sid, pgid, vpgid;
	uint64_t clone_flags; /* 0 when not known */
	uint32_t ns_pid, ns_mnt, ns_net, ns_user, ns_cgroup, ns_uts, ns_ipc;
	struct event_span cgroup;
};

struct event_exit {
	int32_t code; /* as wait(2) gives it */
};

struct event_net {
	int32_t fd;
	uint16_t family;   /* AF_* of the socket; 0 unknown */
	uint16_t type;     /* SOCK_* */
	uint16_t protocol; /* IPPROTO_* */
	uint16_t backlog;  /* listen */
	struct event_addr local, remote;
	bool listening;
	struct event_span path; /* AF_UNIX name; an abstract one begins with '@' */
};

struct event_cgroup {
	uint64_t id; /* of the cgroup made or removed */
	bool removed;
	uint32_t hierarchy; /* 0 is the default (v2) hierarchy */
	struct event_span path;
};

struct event {
	enum event_class class;
	uint32_t flags; /* EVENT_F_* */
	uint32_t cpu;
	uint64_t seq;           /* per CPU, never repeats within one boot */
	uint64_t boot_ns;       /* CLOCK_BOOTTIME at the event */
	uint64_t ts_ns;         /* the same in UTC */
	struct process_key key; /* who: thread group and its start */
	uint64_t exec_id;       /* which execution of it (kernel's self_exec_id) */
	uint32_t tid;
	uint32_t uid, gid, euid;
	uint64_t cgroup_id; /* v2 */
	uint32_t ns_mnt;
	int32_t nr; /* system call number; -1: not from a system call */
	int64_t ret;
	char comm[16];
	union {
		struct event_open open;
		struct event_exec exec; /* EVENT_EXEC, EVENT_SEED */
		struct event_fork fork;
		struct event_exit exit;
		struct event_net net; /* CONNECT ACCEPT BIND LISTEN SOCKET */
		struct event_cgroup cgroup;
	};
	const char *data; /* what the spans point into */
	uint32_t data_len;
};

static inline struct str event_str(const struct event *ev, struct event_span s)
{
	return s.len ? str_of(ev->data + s.off, s.len) : (struct str){ 0 };
}

/* A copy in one allocation, data included; event_free() it. Any thread may own it. */
struct event *event_clone(const struct event *ev);
void event_free(struct event *ev);
DEFINE_AUTO(struct event, event_free)

/*
 * Falco's name of the event: "openat", "execve", "connect", "clone", "procexit", ... from class, nr and flags.
 * Never NULL.
 */
const char *event_type_name(const struct event *ev);

/*
 * Identity that holds across restarts: 24 hex digits of SHA-256 over boot id, CPU, sequence and,
 * with `rule`, the rule's name (empty: the event itself). out[EVENT_ID_LEN + 1].
 */
#define EVENT_ID_LEN 24
void event_make_id(const struct event *ev, struct str boot_id, struct str rule, char *out);

/* fd.name of a socket as Falco prints it: "10.0.0.1:40000->10.0.0.2:443", ":::80", a unix path; appended. */
void event_net_tuple(struct buf *b, const struct event *ev);

/* Text of open flags as Falco prints them: "O_RDONLY|O_CLOEXEC"; appended. */
void event_open_flags(struct buf *b, uint32_t flags, bool created);

/*
 * evt.args as Falco prints it: "name=value name=value ..." from the class's fields; appended, cleaned.
 */
void event_args_text(struct buf *b, const struct event *ev);

/*
 * Flat bytes for the store and back (versioned, little-endian, bounds checked; source of the
 * layout: event.c). event_unpack returns a clone-like event; ERR_FORMAT.
 */
void event_pack(struct buf *b, const struct event *ev);
int event_unpack(struct event **out, struct str packed, struct err *e);

#endif
