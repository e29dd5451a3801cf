/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What crosses from the kernel to user space: record structs, the registry of classes and their
 * versions, the shared control page. Included by both sides; fixed-width types only.
 *
 *   record:  | wire_hdr | body of the class | strings, one after the other, lengths in the body |
 *
 * Rules for change: a body may only change together with its class's version below; user space
 * keeps decoding the versions it knows and counts the others. WIRE_ABI changes when the header,
 * the control page or the value of another map that sets of programs share does (bpf/maps.h).
 */
#ifndef HW_BPF_WIRE_H
#define HW_BPF_WIRE_H

#ifndef __bpf__
#include <stdint.h>
typedef uint8_t wire_u8;
typedef uint16_t wire_u16;
typedef uint32_t wire_u32;
typedef int32_t wire_s32;
typedef uint64_t wire_u64;
typedef int64_t wire_s64;
#else
#include <linux/types.h>
typedef __u8 wire_u8;
typedef __u16 wire_u16;
typedef __u32 wire_u32;
typedef __s32 wire_s32;
typedef __u64 wire_u64;
typedef __s64 wire_s64;
#endif

#define WIRE_MAGIC 0x57485755u /* in the control page */
#define WIRE_ABI   1

/* Classes: numbers never change their meaning. The same order as enum event_class (asserted). */
enum wire_class {
	WIRE_NONE = 0,
	WIRE_EXEC,
	WIRE_FORK,
	WIRE_EXIT,
	WIRE_OPEN,
	WIRE_CONNECT,
	WIRE_ACCEPT,
	WIRE_BIND,
	WIRE_LISTEN,
	WIRE_SOCKET,
	WIRE_CGROUP,
	WIRE_SEED,
	WIRE_CLASS_N,
	WIRE_SOCKETCALL = 31, /* no record: the 32-bit gate to five of the classes */
	WIRE_CLASS_MAX = 32   /* room in maps, so that a new class does not change their size */
};

/* Version of each class's body, written into every record. */
#define WIRE_VERSION_EXEC 1
#define WIRE_VERSION_FORK 1
#define WIRE_VERSION_EXIT 1
#ifdef HW_WIRE_NEXT /* a build of the tests: what an upgrade with a changed record looks like */
#define WIRE_VERSION_OPEN 2
#else
#define WIRE_VERSION_OPEN 1
#endif
#define WIRE_VERSION_NET    1
#define WIRE_VERSION_CGROUP 1

enum wire_ring { WIRE_RING_MAIN, WIRE_RING_PRIORITY, WIRE_RING_N };

enum wire_flags {
	WIRE_F_TRUNCATED = 1 << 0,  /* a string was cut */
	WIRE_F_UNVERIFIED = 1 << 1, /* only the caller's memory told the path or address */
	WIRE_F_COMPAT = 1 << 2,     /* 32-bit call */
	WIRE_F_DETACHED = 1 << 3,   /* the path's end is not the process's root */
	WIRE_F_NO_USER = 1 << 4,    /* user memory could not be read */
	WIRE_F_CGROUP_V1 = 1 << 5,  /* the cgroup path is of a v1 hierarchy */
	WIRE_F_PSEUDO = 1 << 6,     /* the path is a name without a folder: memfd:x, pipe */
	WIRE_F_EXE_PSEUDO = 1 << 7, /* the same for exe, when there are several paths */
};

#define WIRE_COMM_LEN   16
#define WIRE_PATH_MAX   4096
#define WIRE_ARGS_MAX   4096
#define WIRE_UNIX_MAX   108
#define WIRE_CGROUP_MAX 1024
#define WIRE_FILE_MAX                                                                              \
	1024 /* execve's own word for the file, when the kernel's path stands beside it */
#define WIRE_RECORD_MAX 16384

struct wire_hdr {
	wire_u32 len;    /* of the whole record, this header included */
	wire_u8 class;   /* enum wire_class */
	wire_u8 version; /* of the body */
	wire_u16 cpu;
	wire_u64
		seq; /* per CPU over both rings; base is the rings' birth, so it never repeats in a boot */
	wire_u64 boot_ns;
	wire_u64 start_ns; /* CLOCK_BOOTTIME of the thread group leader's start */
	wire_u64 exec_id;
	wire_u64 cgroup_id; /* v2 */
	wire_s64 ret;
	wire_u32 tgid, tid;
	wire_u32 uid, gid, euid;
	wire_u32 ns_mnt;
	wire_s32 nr;     /* -1: not from a system call */
	wire_u32 flags;  /* enum wire_flags */
	wire_u32 ring_n; /* per CPU and ring: a gap is a loss */
	wire_u32 pad;
	char comm[WIRE_COMM_LEN];
};
_Static_assert(sizeof(struct wire_hdr) == 112, "wire header");

/*
 * A kernel path comes as its components from the last to the first, each followed by '/':
 * "shadow/etc/". Zero bytes are "/". With WIRE_F_PSEUDO it is one name as it stands.
 */
struct wire_open {
	wire_u64 dev;
	wire_u64 ino;
	wire_u32 oflags;
	wire_u32 mode;
	wire_s32 dirfd;
	wire_u32 file_mode; /* 0: there was no file */
	wire_u16 path_len;
	wire_u16 user_len;
	wire_u32 pad;
#ifdef HW_WIRE_NEXT
	wire_u64 next_only;
#endif
};
#ifndef HW_WIRE_NEXT
_Static_assert(sizeof(struct wire_open) == 40, "wire open");
#endif

struct wire_exec {
	wire_u64 parent_start_ns;
	wire_u64 parent_exec_id;
	wire_u64 cap_effective, cap_permitted, cap_inheritable;
	wire_u64 exe_dev, exe_ino, exe_ctime_ns, exe_mtime_ns;
	wire_u32 parent_tgid;
	wire_u32 vpid, sid, pgid, vpgid;
	wire_u32 loginuid, sessionid;
	wire_u32 tty;
	wire_u32 ns_pid, ns_net, ns_user, ns_cgroup, ns_uts, ns_ipc;
	wire_u32 exe_mode;
	wire_u32 exe_nlink;
	wire_u32 args_total;
	wire_u16 exe_len, cwd_len, args_len, file_len, cgroup_len;
	wire_u8 exe_upper;
	wire_u8 kthread;
};
_Static_assert(sizeof(struct wire_exec) == 152, "wire exec");

struct wire_fork {
	wire_u64 parent_start_ns; /* the real parent: with CLONE_PARENT not the creator */
	wire_u64 parent_exec_id;
	wire_u64 creator_start_ns; /* who called: whose program the child runs */
	wire_u64 creator_exec_id;
	wire_u32 parent_tgid;
	wire_u32 creator_tgid;
	wire_u32 vpid, sid, pgid, vpgid;
	wire_u32 ns_pid, ns_net, ns_user, ns_cgroup, ns_uts, ns_ipc;
	wire_u16 cgroup_len;
	wire_u16 pad[3];
};
_Static_assert(sizeof(struct wire_fork) == 88, "wire fork");

struct wire_exit {
	wire_s32 code;
	wire_u32 pad;
};
_Static_assert(sizeof(struct wire_exit) == 8, "wire exit");

struct wire_net {
	wire_s32 fd;
	wire_u16 family, type, protocol, backlog;
	wire_u16 lport, rport; /* host order */
	wire_u8 laddr[16];
	wire_u8 raddr[16];
	wire_u8 listening;
	wire_u8 pad;
	wire_u16 path_len;
	wire_u32 pad2;
};
_Static_assert(sizeof(struct wire_net) == 56, "wire net");

struct wire_cgroup {
	wire_u64 id;
	wire_u32 hierarchy; /* 0: default */
	wire_u16 path_len;
	wire_u8 removed;
	wire_u8 pad;
};
_Static_assert(sizeof(struct wire_cgroup) == 16, "wire cgroup");

/* Per CPU and class, and per accounted cgroup and class. */
struct wire_count {
	wire_u64 emitted, dropped, filtered, truncated;
};

#define WIRE_NR_MAX 512

/* The low byte of an interest word is the class for 64-bit calls, the high byte for 32-bit ones. */
#define WIRE_INTEREST(class64, class32) ((wire_u16)((class64) | (class32) << 8))

/*
 * The slot for conditions on which the kernel may throw away a record of a class before it is
 * built. kind 0: none. The kinds come with the issue that fills them.
 */
struct wire_condition {
	wire_u32 kind;
	wire_u32 pad;
	wire_u64 arg[4];
};

/* One page shared by programs and reader (a mappable array of one value). */
struct wire_control {
	wire_u32 magic;
	wire_u32 abi;
	wire_u64 ring_id; /* birth of the rings, CLOCK_BOOTTIME; also tells them from others */
	wire_u64 seq_base;
	wire_u64 object_hash; /* which object is attached */
	wire_u32 self_tgid;   /* the reader: no events of it */
	wire_u32 awake;       /* 0: the reader sleeps, wake it */
	wire_u64 self_start_ns;
	wire_u32 accounting; /* the accounts map has entries */
	wire_u32 generation; /* number of the set of programs that works; 0: none */
	wire_u32 fork_on, exec_on, exit_on, cgroup_on; /* interest of what is not a call */
	wire_u32 socketcall; /* bits of classes wanted behind the 32-bit table's socketcall */
	wire_u32 leader;     /* the set that reads `generation` for all attached (helpers/emit.h) */
	/* Written and read by the reader only, kept here because it lives as long as the rings: how far
	 * records are judged and committed (a ring may be held back further, for lineage). */
	wire_u64 judged[WIRE_RING_N];
	wire_u8 versions[WIRE_CLASS_MAX];
	struct wire_condition conditions[WIRE_CLASS_MAX];
	wire_u16 interest[WIRE_NR_MAX]; /* by number */
	wire_u32 sets;                  /* the last number given to a set: none is given twice */
	wire_u32 pad;
};
_Static_assert(sizeof(struct wire_control) <= 4096, "control fits a page");

#endif
