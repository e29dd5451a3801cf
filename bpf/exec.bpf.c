// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The life of processes: exec, fork, exit, and the iterator that tells of those that were there
 * before. All of it goes to the priority ring, so that lineage survives a flood of the rest.
 */
#include "bpf/helpers/arch.h"
#include "bpf/helpers/cgroup.h"
#include "bpf/helpers/cond.h"

#include <bpf/bpf_tracing.h>

#define EXIT_EEXIST 17

static __always_inline void exec_identity(struct wire_exec *e, struct task_struct *t)
{
	struct task_struct *parent = BPF_CORE_READ(t, real_parent);
	struct cred *cred = BPF_CORE_READ(t, cred);
	struct signal_struct *sig = BPF_CORE_READ(t, signal);
	struct pid *pid = BPF_CORE_READ(t, group_leader, thread_pid);

	e->parent_tgid = (__u32)BPF_CORE_READ(parent, tgid);
	e->parent_start_ns = BPF_CORE_READ(parent, group_leader, start_boottime);
	e->parent_exec_id = BPF_CORE_READ(parent, self_exec_id);
	bpf_core_read(&e->cap_effective, 8, &cred->cap_effective);
	bpf_core_read(&e->cap_permitted, 8, &cred->cap_permitted);
	bpf_core_read(&e->cap_inheritable, 8, &cred->cap_inheritable);
	e->ns_user = BPF_CORE_READ(cred, user_ns, ns.inum);
	e->vpid = pid_nr(pid);
	e->ns_pid = pid_ns(pid);
	struct pid *pgrp = BPF_CORE_READ(sig, pids[PIDTYPE_PGID_AT]);
	e->pgid = pid_nr_outer(pgrp);
	e->vpgid = pid_nr(pgrp);
	e->sid = pid_nr_outer(BPF_CORE_READ(sig, pids[PIDTYPE_SID_AT]));
	e->tty = task_tty(t);
	e->loginuid = ~0u;
	e->sessionid = ~0u;
	if (bpf_core_field_exists(t->loginuid))
		e->loginuid = BPF_CORE_READ(t, loginuid.val);
	if (bpf_core_field_exists(t->sessionid))
		e->sessionid = BPF_CORE_READ(t, sessionid);
	e->ns_net = TASK_NS(false, t, net, net_ns);
	e->ns_cgroup = TASK_NS(false, t, cgroup_namespace, cgroup_ns);
	e->ns_uts = TASK_NS(false, t, uts_namespace, uts_ns);
	e->ns_ipc = TASK_NS(false, t, ipc_namespace, ipc_ns);
	e->kthread = (BPF_CORE_READ(t, flags) & TASK_PF_KTHREAD) != 0;
}

static __always_inline void exec_inode(struct wire_exec *e, struct file *exe)
{
	struct inode *inode = BPF_CORE_READ(exe, f_inode);
	struct inode_facts facts = { 0 };

	if (!inode)
		return;
	e->exe_ino = BPF_CORE_READ(inode, i_ino);
	e->exe_mode = BPF_CORE_READ(inode, i_mode);
	e->exe_nlink = BPF_CORE_READ(inode, i_nlink);
	e->exe_dev = encode_dev(BPF_CORE_READ(inode, i_sb, s_dev));
	e->exe_upper = inode_is_upper(inode);
	inode_read_times(inode, &facts);
	e->exe_ctime_ns = facts.ctime_ns;
	e->exe_mtime_ns = facts.mtime_ns;
}

/* exe and cwd, by the kernel's objects. */
static __always_inline void exec_paths(
	struct scratch *s, struct wire_exec *e, struct task_struct *t)
{
	struct file *exe = BPF_CORE_READ(t, mm, exe_file);
	struct fs_struct *fs = BPF_CORE_READ(t, fs);

	walk_root(s, t, false);
	if (exe) {
		exec_inode(e, exe);
		e->exe_len = (__u16)walk_path(s, BPF_CORE_READ(exe, f_path.mnt),
			BPF_CORE_READ(exe, f_path.dentry), false);
		if (s->flags & WIRE_F_PSEUDO)
			s->flags = (s->flags & ~(__u32)WIRE_F_PSEUDO) | WIRE_F_EXE_PSEUDO;
	}
	if (fs)
		e->cwd_len = (__u16)walk_path(
			s, BPF_CORE_READ(fs, pwd.mnt), BPF_CORE_READ(fs, pwd.dentry), false);
}

static __always_inline void exec_args(struct scratch *s, struct wire_exec *e, struct task_struct *t)
{
	__u64 start = BPF_CORE_READ(t, mm, arg_start), end = BPF_CORE_READ(t, mm, arg_end);
	__u32 off = s->off & SCRATCH_MASK;
	__u64 len;

	if (end <= start)
		return;
	e->args_total = (__u32)(end - start);
	len = e->args_total < WIRE_ARGS_MAX ? e->args_total : WIRE_ARGS_MAX;
	if (len < e->args_total)
		s->flags |= WIRE_F_TRUNCATED;
	asm volatile("" : "+r"(len)); /* the bound in one 64-bit register, for the verifier */
	if (len > WIRE_ARGS_MAX)
		return;
	if (bpf_probe_read_user(&s->rec[off], (__u32)len, (void *)start)) {
		s->flags |= WIRE_F_NO_USER;
		return;
	}
	e->args_len = (__u16)len;
	s->off = (off + (__u32)len) & SCRATCH_MASK;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(hw_exec, struct task_struct *t, int old_pid, struct linux_binprm *bprm)
{
	struct wire_control *c = control_get();
	struct scratch *s = scratch_get(SCRATCH_EXEC);

	if (!c || !s || !c->exec_on || !is_current(c))
		return 0;
	if (task_is_reader(c, t, false) || !cond_pass(c, WIRE_EXEC)) {
		count(c, WIRE_EXEC, COUNT_FILTERED);
		return 0;
	}
	record_start(s, t, WIRE_EXEC, WIRE_VERSION_EXEC, false);
	struct wire_exec *e = RECORD_BODY(s, wire_exec);
	exec_identity(e, t);
	exec_paths(s, e, t);
	exec_args(s, e, t);
	e->file_len = (__u16)append_kernel_str(s, BPF_CORE_READ(bprm, filename), WIRE_FILE_MAX);
	e->cgroup_len = (__u16)append_task_cgroup(s, t);
	EMIT_TO(c, s, ring_priority, WIRE_RING_PRIORITY);
	return 0;
}

/* An execve that failed: only the end of the call tells of it. One that succeeded was told above. */
SEC("tp_btf/sys_exit")
int BPF_PROG(hw_exec_failed, struct pt_regs *regs, long ret)
{
	struct wire_control *c = control_get();
	struct scratch *s = scratch_get(SCRATCH_CALL);
	struct task_struct *t = (struct task_struct *)bpf_get_current_task();
	struct call call;

	if (!c || !s || ret >= 0)
		return 0;
	if (task_is_reader(c, t, false) || !cond_pass(c, WIRE_EXEC)) {
		count(c, WIRE_EXEC, COUNT_FILTERED);
		return 0;
	}
	call_read(&call, regs, BPF_CORE_READ(t, thread_info.status) & ARCH_TS_COMPAT);
	record_start(s, t, WIRE_EXEC, WIRE_VERSION_EXEC, false);
	struct wire_hdr *h = (struct wire_hdr *)s->rec;
	struct wire_exec *e = RECORD_BODY(s, wire_exec);
	h->nr = call.nr;
	h->ret = ret;
	h->flags = WIRE_F_UNVERIFIED | (call.compat ? WIRE_F_COMPAT : 0);
	exec_identity(e, t);
	bool at = call.nr == (call.compat ? 358 : 322);
	e->file_len = (__u16)append_user_str(
		s, (void *)(at ? call.arg[1] : call.arg[0]), WIRE_PATH_MAX);
	EMIT_TO(c, s, ring_priority, WIRE_RING_PRIORITY);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(hw_fork, struct task_struct *parent, struct task_struct *child)
{
	struct wire_control *c = control_get();
	struct scratch *s = scratch_get(SCRATCH_FORK);

	if (!c || !s || !c->fork_on || !is_current(c))
		return 0;
	if (BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid))
		return 0; /* a thread */
	if (task_is_reader(c, parent, false) || !cond_pass(c, WIRE_FORK)) {
		count(c, WIRE_FORK, COUNT_FILTERED);
		return 0;
	}
	record_start(s, child, WIRE_FORK, WIRE_VERSION_FORK, false);
	struct wire_hdr *h = (struct wire_hdr *)s->rec;
	struct wire_fork *f = RECORD_BODY(s, wire_fork);
	struct pid *pid = BPF_CORE_READ(child, thread_pid);
	struct signal_struct *sig = BPF_CORE_READ(child, signal);
	struct pid *pgrp = BPF_CORE_READ(sig, pids[PIDTYPE_PGID_AT]);
	h->ret = h->tgid;
	h->cgroup_id = BPF_CORE_READ(child, cgroups, dfl_cgrp, kn, id); /* CLONE_INTO_CGROUP */
	struct task_struct *real = BPF_CORE_READ(child, real_parent);
	f->parent_tgid = (__u32)BPF_CORE_READ(real, tgid);
	f->parent_start_ns = BPF_CORE_READ(real, group_leader, start_boottime);
	f->parent_exec_id = BPF_CORE_READ(real, self_exec_id);
	f->creator_tgid = (__u32)BPF_CORE_READ(parent, tgid);
	f->creator_start_ns = BPF_CORE_READ(parent, group_leader, start_boottime);
	f->creator_exec_id = BPF_CORE_READ(parent, self_exec_id);
	f->vpid = pid_nr(pid);
	f->ns_pid = pid_ns(pid);
	f->pgid = pid_nr_outer(pgrp);
	f->vpgid = pid_nr(pgrp);
	f->sid = pid_nr_outer(BPF_CORE_READ(sig, pids[PIDTYPE_SID_AT]));
	f->ns_net = TASK_NS(false, child, net, net_ns);
	f->ns_cgroup = TASK_NS(false, child, cgroup_namespace, cgroup_ns);
	f->ns_uts = TASK_NS(false, child, uts_namespace, uts_ns);
	f->ns_ipc = TASK_NS(false, child, ipc_namespace, ipc_ns);
	f->ns_user = BPF_CORE_READ(child, cred, user_ns, ns.inum);
	f->cgroup_len = (__u16)append_task_cgroup(s, child);
	EMIT_TO(c, s, ring_priority, WIRE_RING_PRIORITY);
	return 0;
}

/*
 * `live` counts threads that have not begun to end: it is 0 for the last one, and for others that have counted
 * down and did not come here yet. The first of them tells.
 */
static __always_inline bool exit_is_the_process(struct task_struct *t)
{
	struct ended key = { 0 };
	__u8 value = 1;

	if (BPF_CORE_READ(t, signal, live.counter) != 0)
		return false;
	key.start_ns = BPF_CORE_READ(t, group_leader, start_boottime);
	key.tgid = (__u32)BPF_CORE_READ(t, tgid);
	if (BPF_CORE_READ(t, signal, nr_threads) > 1)
		return bpf_map_update_elem(&ended, &key, &value, BPF_NOEXIST) != -EXIT_EEXIST;
	return !bpf_map_lookup_elem(&ended, &key);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(hw_exit, struct task_struct *t)
{
	struct wire_control *c = control_get();
	struct scratch *s = scratch_get(SCRATCH_EXIT);

	if (!c || !s || !c->exit_on || !is_current(c))
		return 0;
	if (!exit_is_the_process(t))
		return 0;
	if (task_is_reader(c, t, false) || !cond_pass(c, WIRE_EXIT)) {
		count(c, WIRE_EXIT, COUNT_FILTERED);
		return 0;
	}
	record_start(s, t, WIRE_EXIT, WIRE_VERSION_EXIT, false);
	struct wire_exit *e = RECORD_BODY(s, wire_exit);
	/* as wait(2) tells it: the group's code, else the leader's, whoever is the last to go */
	if (BPF_CORE_READ(t, signal, flags) & TASK_SIGNAL_GROUP_EXIT)
		e->code = BPF_CORE_READ(t, signal, group_exit_code);
	else
		e->code = BPF_CORE_READ(t, group_leader, exit_code);
	EMIT_TO(c, s, ring_priority, WIRE_RING_PRIORITY);
	return 0;
}

/*
 * The processes that are there now, one record each in the iterator's output. Arguments are another process's
 * user memory, which plain helpers cannot reach: the reader takes those from /proc.
 */
SEC("iter/task")
int hw_seed(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	__u32 zero = 0;
	struct scratch *s = bpf_map_lookup_elem(&scratch_iter, &zero);

	if (!t || !s || BPF_CORE_READ(t, pid) != BPF_CORE_READ(t, tgid))
		return 0;
	/* a zombie: its exit has been told already, to nobody */
	if (BPF_CORE_READ(t, signal, live.counter) == 0)
		return 0;
	record_start(s, t, WIRE_SEED, WIRE_VERSION_EXEC, false);
	struct wire_hdr *h = (struct wire_hdr *)s->rec;
	struct wire_exec *e = RECORD_BODY(s, wire_exec);
	h->cgroup_id = BPF_CORE_READ(t, cgroups, dfl_cgrp, kn, id);
	exec_identity(e, t);
	exec_paths(s, e, t);
	e->cgroup_len = (__u16)append_task_cgroup(s, t);
	h->flags |= s->flags;
	h->len = s->off & SCRATCH_MASK;
	bpf_seq_write(ctx->meta->seq, h, h->len & SCRATCH_MASK);
	return 0;
}

_Static_assert(sizeof(struct wire_hdr) + sizeof(struct wire_exec) + 2 * WIRE_PATH_MAX +
			       WIRE_ARGS_MAX + WIRE_FILE_MAX + WIRE_CGROUP_MAX <
		       WIRE_RECORD_MAX,
	"the largest record fits the scratch");
