// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The first provider of what comes from system calls: one program at the end of every call. Nothing
 * that nobody asked for may cost more than one look at the interest table.
 */
#include "bpf/helpers/arch.h"
#include "bpf/helpers/emit.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") __weak = "Dual MIT/GPL";

SEC("tp_btf/sys_exit")
int BPF_PROG(hw_sys_exit, struct pt_regs *regs, long ret)
{
	__u32 zero = 0;
	struct wire_control *c = bpf_map_lookup_elem(&control, &zero);
	/* bit 30 marks x32, whose shared numbers mean the same as the 64-bit ones */
	__u64 nr = regs->orig_ax & ~0x40000000ul;

	if (!c || nr >= WIRE_NR_MAX)
		return 0;
	__u32 both = c->interest[nr & (WIRE_NR_MAX - 1)];
	if (!both)
		return 0;
	__u32 status;
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)) {
		status = bpf_get_current_task_btf()->thread_info.status;
	} else {
		struct task_struct *t = (struct task_struct *)bpf_get_current_task();
		status = BPF_CORE_READ(t, thread_info.status);
	}
	__u32 class = status & ARCH_TS_COMPAT ? both >> 8 : both & 0xff;
	if (class && is_current(c))
		bpf_tail_call(ctx, &programs, class);
	return 0;
}
