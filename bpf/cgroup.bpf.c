// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Cgroups made and removed: a new container shows here before its first program runs. */
#include "bpf/helpers/cgroup.h"
#include "bpf/helpers/cond.h"

#include <bpf/bpf_tracing.h>

static __always_inline int cgroup_event(struct cgroup *cg, bool removed)
{
	struct wire_control *c = control_get();
	struct scratch *s = scratch_get(SCRATCH_CGROUP);
	struct task_struct *t = (struct task_struct *)bpf_get_current_task();

	if (!c || !s || !c->cgroup_on || !is_current(c))
		return 0;
	if (task_is_reader(c, t, false) || !cond_pass(c, WIRE_CGROUP)) {
		count(c, WIRE_CGROUP, COUNT_FILTERED);
		return 0;
	}
	record_start(s, t, WIRE_CGROUP, WIRE_VERSION_CGROUP, false);
	struct wire_cgroup *g = RECORD_BODY(s, wire_cgroup);
	g->id = BPF_CORE_READ(cg, kn, id);
	g->hierarchy = (__u32)BPF_CORE_READ(cg, root, hierarchy_id);
	g->removed = removed;
	g->path_len = (__u16)append_cgroup(s, cg);
	EMIT_TO(c, s, ring_priority, WIRE_RING_PRIORITY);
	return 0;
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(hw_cgroup_mkdir, struct cgroup *cg)
{
	return cgroup_event(cg, false);
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(hw_cgroup_rmdir, struct cgroup *cg)
{
	return cgroup_event(cg, true);
}
