/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Reading kernel memory in two ways. Newer kernels (6.2) give the kfunc bpf_rdonly_cast, after
 * which plain loads are allowed: less than half the cost of a helper call for each field. Programs are
 * built both ways (`fast` is a constant in each) and the loader takes the one that this kernel can.
 */
#ifndef HW_BPF_READ_H
#define HW_BPF_READ_H

#include "bpf/kernel.h"

#include <bpf/bpf_core_read.h>

extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;

/* A pointer to `struct type` from a number or an untyped pointer. */
#define CAST(fast, type, p)                                                                        \
	((fast) ? (struct type *)bpf_rdonly_cast(                                                  \
			  (const void *)(p), bpf_core_type_id_kernel(struct type))                 \
		: (struct type *)(p))

/* p->field, p being typed by CAST or by the verifier. */
#define GET(fast, p, field)                                                                        \
	({                                                                                         \
		__typeof__((p)->field) get_v;                                                      \
		if (fast)                                                                          \
			get_v = (p)->field;                                                        \
		else                                                                               \
			get_v = BPF_CORE_READ((p), field);                                         \
		get_v;                                                                             \
	})

#endif
