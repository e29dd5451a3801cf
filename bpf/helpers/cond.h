/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Conditions on which a record is not worth building. Each class has a slot in the control page; kind 0
 * lets everything pass. What a condition throws away is counted as filtered by the caller.
 */
#ifndef HW_BPF_COND_H
#define HW_BPF_COND_H

#include "bpf/helpers/emit.h"

static __always_inline bool cond_pass(struct wire_control *c, __u32 class)
{
	return c->conditions[class & (WIRE_CLASS_MAX - 1)].kind == 0;
}

#endif
