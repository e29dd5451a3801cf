// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Files: open, openat, openat2, creat. Reached by tail call with the arguments of sys_exit. */
#include "bpf/helpers/arch.h"
#include "bpf/helpers/cond.h"
#include "bpf/helpers/path.h"

#include <bpf/bpf_tracing.h>

/* Numbers of the family on both tables: where the arguments are. */
static __always_inline void open_args(const struct call *call, struct wire_open *o, __u64 *user)
{
	bool at = call->compat ? call->nr == 295 || call->nr == 437
			       : call->nr == 257 || call->nr == 437;
	bool how = call->nr == 437;
	bool creat = call->compat ? call->nr == 8 : call->nr == 85;

	o->dirfd = at ? (__s32)call->arg[0] : -100 /* AT_FDCWD */;
	*user = at ? call->arg[1] : call->arg[0];
	if (how) {
		struct {
			__u64 flags, mode;
		} h = { 0 };
		bpf_probe_read_user(&h, sizeof(h), (void *)call->arg[2]);
		o->oflags = (__u32)h.flags;
		o->mode = (__u32)h.mode;
	} else if (creat) {
		o->oflags = 01 | 0100 | 01000; /* O_WRONLY O_CREAT O_TRUNC */
		o->mode = (__u32)call->arg[1];
	} else {
		o->oflags = (__u32)(at ? call->arg[2] : call->arg[1]);
		o->mode = (__u32)(at ? call->arg[3] : call->arg[2]);
	}
}

static __always_inline void open_file(struct scratch *s, struct wire_open *o, struct task_struct *t,
	struct file *untyped, bool fast)
{
	struct file *f = CAST(fast, file, untyped);
	struct inode *inode = GET(fast, f, f_inode);

	walk_root(s, t, fast);
	o->path_len = (__u16)walk_path(
		s, GET(fast, f, f_path.mnt), GET(fast, f, f_path.dentry), fast);
	if (!inode)
		return;
	o->ino = GET(fast, inode, i_ino);
	o->file_mode = GET(fast, inode, i_mode);
	struct super_block *sb = GET(fast, inode, i_sb);
	o->dev = encode_dev(GET(fast, sb, s_dev));
}

static __always_inline int open_exit(
	struct pt_regs *regs, long ret, struct task_struct *t, bool fast)
{
	struct wire_control *c = control_get();
	struct scratch *s = scratch_get(SCRATCH_CALL);
	struct call call;
	__u64 user = 0;

	if (!c || !s)
		return 0;
	if (task_is_reader(c, t, fast) || !cond_pass(c, WIRE_OPEN)) {
		count(c, WIRE_OPEN, COUNT_FILTERED);
		return 0;
	}
	call_read(&call, regs, GET(fast, t, thread_info.status) & ARCH_TS_COMPAT);
	record_start(s, t, WIRE_OPEN, WIRE_VERSION_OPEN, fast);
	struct wire_hdr *h = (struct wire_hdr *)s->rec;
	struct wire_open *o = RECORD_BODY(s, wire_open);
	h->nr = call.nr;
	h->ret = ret;
	if (call.compat)
		h->flags |= WIRE_F_COMPAT;
	open_args(&call, o, &user);
	struct file *f = ret >= 0 ? file_of_fd(t, ret, fast) : NULL;
	if (f)
		open_file(s, o, t, f, fast);
	else
		h->flags |= WIRE_F_UNVERIFIED;
	o->user_len = (__u16)append_user_str(s, (void *)user, WIRE_PATH_MAX);
	EMIT_TO(c, s, ring_main, WIRE_RING_MAIN);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(hw_open_fast, struct pt_regs *regs, long ret)
{
	return open_exit(regs, ret, bpf_get_current_task_btf(), true);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(hw_open_probe, struct pt_regs *regs, long ret)
{
	return open_exit(regs, ret, (struct task_struct *)bpf_get_current_task(), false);
}
