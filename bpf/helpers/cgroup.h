/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The path of a cgroup, from its kernfs nodes, in the form of walk_path(): last component first. */
#ifndef HW_BPF_CGROUP_H
#define HW_BPF_CGROUP_H

#include "bpf/helpers/path.h"

#define CGROUP_MAX_COMPONENTS 24
#define CGROUP_NAME_MAX       128

static __always_inline __u64 kernfs_parent(struct kernfs_node *n)
{
	if (bpf_core_field_exists(((struct kernfs_node___rcu *)0)->__parent))
		return (__u64)BPF_CORE_READ((struct kernfs_node___rcu *)n, __parent);
	return (__u64)BPF_CORE_READ(n, parent);
}

/* Append the path of `cg`; returns its length, 0 for the root. */
static __always_inline __u32 append_cgroup(struct scratch *s, struct cgroup *cg)
{
	__u32 start = s->off & SCRATCH_MASK;

	s->node = cg ? (__u64)BPF_CORE_READ(cg, kn) : 0;
	for (int i = 0; i < CGROUP_MAX_COMPONENTS; i++) {
		struct kernfs_node *node = (struct kernfs_node *)s->node;
		__u32 off = s->off & SCRATCH_MASK;
		if (!node)
			break;
		__u64 parent = kernfs_parent(node);
		if (!parent)
			break;
		if (off - start + CGROUP_NAME_MAX > WIRE_CGROUP_MAX) {
			s->flags |= WIRE_F_TRUNCATED;
			break;
		}
		long n = bpf_probe_read_kernel_str(
			&s->rec[off], CGROUP_NAME_MAX, BPF_CORE_READ(node, name));
		if (n <= 0)
			break;
		off = (off + (__u32)n - 1) & SCRATCH_MASK;
		s->rec[off] = '/';
		s->off = off + 1;
		s->node = parent;
	}
	return (s->off & SCRATCH_MASK) - start;
}

#define CGROUP_V1(t, name)                                                                         \
	(bpf_core_enum_value_exists(enum cgroup_subsys_id, name)                                   \
			? BPF_CORE_READ(t, cgroups,                                                \
				  subsys[bpf_core_enum_value(enum cgroup_subsys_id, name) & 15],   \
				  cgroup)                                                          \
			: NULL)

static __always_inline bool cgroup_is_root(struct cgroup *cg)
{
	return !cg || !kernfs_parent(BPF_CORE_READ(cg, kn));
}

/*
 * The cgroup that tells most: the default hierarchy's, and where the task is in its root (a
 * runtime that uses v1 alone, on a hybrid host) that of a v1 controller.
 */
static __always_inline __u32 append_task_cgroup(struct scratch *s, struct task_struct *t)
{
	struct cgroup *cg = BPF_CORE_READ(t, cgroups, dfl_cgrp);

	if (cgroup_is_root(cg)) {
		struct cgroup *v1 = CGROUP_V1(t, pids_cgrp_id);
		if (cgroup_is_root(v1))
			v1 = CGROUP_V1(t, memory_cgrp_id);
		if (cgroup_is_root(v1))
			v1 = CGROUP_V1(t, devices_cgrp_id);
		if (!cgroup_is_root(v1)) {
			cg = v1;
			s->flags |= WIRE_F_CGROUP_V1;
		}
	}
	return append_cgroup(s, cg);
}

#endif
