/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Reading a task: identity, credentials, namespaces, session; and starting a record with them. */
#ifndef HW_BPF_TASK_H
#define HW_BPF_TASK_H

#include "bpf/helpers/emit.h"
#include "bpf/helpers/read.h"

/* Inode number of a namespace; 0 for a task that is past having any. */
#define TASK_NS(fast, t, type, which)                                                              \
	({                                                                                         \
		struct nsproxy *ns_p = GET(fast, t, nsproxy);                                      \
		__u32 ns_id = 0;                                                                   \
		if (ns_p) {                                                                        \
			struct type *ns_one = GET(fast, ns_p, which);                              \
			ns_id = GET(fast, ns_one, ns.inum);                                        \
		}                                                                                  \
		ns_id;                                                                             \
	})

static __always_inline struct scratch *scratch_get(__u32 of)
{
	return bpf_map_lookup_elem(&scratches, &of);
}

/* Start a record of `t` in `s`: header filled, `off` behind it. */
static __always_inline void record_start(
	struct scratch *s, struct task_struct *t, __u32 class, __u32 version, bool fast)
{
	struct wire_hdr *h = (struct wire_hdr *)s->rec;
	struct cred *cred = GET(fast, t, cred);
	struct task_struct *leader = GET(fast, t, group_leader);

	h->len = 0;
	h->class = (__u8) class;
	h->version = (__u8)version;
	h->cpu = (__u16)bpf_get_smp_processor_id();
	h->seq = 0;
	h->boot_ns = bpf_ktime_get_boot_ns();
	h->start_ns = GET(fast, leader, start_boottime);
	h->exec_id = GET(fast, t, self_exec_id);
	h->cgroup_id = bpf_get_current_cgroup_id();
	h->ret = 0;
	h->tgid = (__u32)GET(fast, t, tgid);
	h->tid = (__u32)GET(fast, t, pid);
	h->uid = GET(fast, cred, uid.val);
	h->gid = GET(fast, cred, gid.val);
	h->euid = GET(fast, cred, euid.val);
	h->ns_mnt = TASK_NS(fast, t, mnt_namespace, mnt_ns);
	h->nr = -1;
	h->flags = 0;
	h->ring_n = 0;
	h->pad = 0;
	bpf_probe_read_kernel(h->comm, sizeof(h->comm), &t->comm);
	s->flags = 0;
	s->off = sizeof(*h);
}

/* Room for the class's body, zeroed, behind the header. */
#define RECORD_BODY(s, type)                                                                       \
	({                                                                                         \
		struct type *body_p = (struct type *)((s)->rec + sizeof(struct wire_hdr));         \
		__builtin_memset(body_p, 0, sizeof(*body_p));                                      \
		(s)->off = sizeof(struct wire_hdr) + sizeof(*body_p);                              \
		body_p;                                                                            \
	})

/*
 * The reader itself is not watched. Start time too, once it is known: a number is used again.
 */
static __always_inline bool task_is_reader(struct wire_control *c, struct task_struct *t, bool fast)
{
	if ((__u32)GET(fast, t, tgid) != c->self_tgid)
		return false;
	if (!c->self_start_ns)
		return true;
	struct task_struct *leader = GET(fast, t, group_leader);
	return GET(fast, leader, start_boottime) == c->self_start_ns;
}

static __always_inline __u32 pid_nr(struct pid *p)
{
	__u32 level;
	__u32 nr = 0;

	if (!p)
		return 0;
	level = BPF_CORE_READ(p, level);
	bpf_core_read(&nr, sizeof(nr), &p->numbers[level & 31].nr);
	return nr;
}

/* Number in the first (outermost) namespace. */
static __always_inline __u32 pid_nr_outer(struct pid *p)
{
	return p ? (__u32)BPF_CORE_READ(p, numbers[0].nr) : 0;
}

static __always_inline __u32 pid_ns(struct pid *p)
{
	__u32 level;
	struct pid_namespace *ns = NULL;

	if (!p)
		return 0;
	level = BPF_CORE_READ(p, level);
	bpf_core_read(&ns, sizeof(ns), &p->numbers[level & 31].ns);
	return ns ? BPF_CORE_READ(ns, ns.inum) : 0;
}

static __always_inline __u32 task_tty(struct task_struct *t)
{
	struct tty_struct *tty = BPF_CORE_READ(t, signal, tty);
	__u32 major, minor;

	if (!tty)
		return 0;
	major = (__u32)BPF_CORE_READ(tty, driver, major);
	minor = (__u32)(BPF_CORE_READ(tty, driver, minor_start) + BPF_CORE_READ(tty, index));
	return (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12);
}

#endif
