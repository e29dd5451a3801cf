/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The one place that knows the processor: where a call's number and arguments are at its end. */
#ifndef HW_BPF_ARCH_H
#define HW_BPF_ARCH_H

#include "bpf/maps.h"

#define ARCH_TS_COMPAT 0x0002 /* thread_info.status: the call came by the 32-bit gate */

struct call {
	__u64 arg[5];
	__s32 nr;
	bool compat;
};

/* The registers hold the arguments still: the kernel changes only the result's register. */
static __always_inline void call_read(struct call *c, struct pt_regs *regs, bool compat)
{
	c->compat = compat;
	c->nr = (__s32)(regs->orig_ax & 0x3fffffff);
	if (compat) {
		c->arg[0] = (__u32)regs->bx;
		c->arg[1] = (__u32)regs->cx;
		c->arg[2] = (__u32)regs->dx;
		c->arg[3] = (__u32)regs->si;
		c->arg[4] = (__u32)regs->di;
	} else {
		c->arg[0] = regs->di;
		c->arg[1] = regs->si;
		c->arg[2] = regs->dx;
		c->arg[3] = regs->r10;
		c->arg[4] = regs->r8;
	}
}

#endif
