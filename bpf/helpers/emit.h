/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * From a started record to the ring. Invariant: every record that was meant to be sent is counted
 * exactly once, as emitted, dropped or filtered, and so is it in its cgroup's account.
 */
#ifndef HW_BPF_EMIT_H
#define HW_BPF_EMIT_H

#include "bpf/maps.h"

enum count_kind { COUNT_EMITTED, COUNT_DROPPED, COUNT_FILTERED, COUNT_TRUNCATED };

static __always_inline struct wire_control *control_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&control, &zero);
}

/*
 * For programs that are attached (not those behind a tail call): is this event our set's? During
 * an upgrade an event passes the programs of both sets. If each looked at `generation`, an event
 * that is under way when the word changes would be both's or nobody's. So the leader alone looks,
 * and leaves what it saw for its CPU; a set attached later comes behind it in the tracepoint's
 * chain and follows. One that the lead has left behind is about to be detached. (Only a fully
 * preemptible kernel from 6.13 on can put another event between the two in sys_exit's chain.)
 */
static __always_inline bool is_current(struct wire_control *c)
{
	__u32 zero = 0, leader = *(volatile __u32 *)&c->leader;
	__u32 *turn = bpf_map_lookup_elem(&turns, &zero);

	if (!turn || leader > generation)
		return false;
	if (leader == generation)
		*turn = *(volatile __u32 *)&c->generation;
	return *turn == generation;
}

/* Atomic: a program can be preempted by another on the same CPU on newer kernels. */
static __always_inline void count_in(struct wire_count *n, enum count_kind kind)
{
	if (kind == COUNT_EMITTED)
		__sync_fetch_and_add(&n->emitted, 1);
	else if (kind == COUNT_DROPPED)
		__sync_fetch_and_add(&n->dropped, 1);
	else if (kind == COUNT_FILTERED)
		__sync_fetch_and_add(&n->filtered, 1);
	else
		__sync_fetch_and_add(&n->truncated, 1);
}

static __always_inline void count(struct wire_control *c, __u32 class, enum count_kind kind)
{
	struct wire_count *n = bpf_map_lookup_elem(&counters, &class);

	if (n)
		count_in(n, kind);
	if (!c->accounting)
		return;
	__u64 id = bpf_get_current_cgroup_id();
	struct account *a = bpf_map_lookup_elem(&accounts, &id);
	if (a)
		count_in(&a->by_class[class & (WIRE_CLASS_MAX - 1)], kind);
}

/*
 * Wakes a reader that fell asleep between our look at `awake` and the commit of our record: it
 * looks at the ring after it clears the word, we look at the word after the commit, so one of us sees the
 * other. A discarded record carries the wake-up.
 */
static __always_inline void wake_late(struct wire_control *c, void *ring)
{
	if (*(volatile __u32 *)&c->awake)
		return;
	void *nothing = bpf_ringbuf_reserve(ring, 8, 0);
	if (!nothing)
		return;
	c->awake = 1;
	bpf_ringbuf_discard(nothing, BPF_RB_FORCE_WAKEUP);
}

/*
 * A macro because the map must be known to the verifier as a constant. The sequence is taken before the
 * output, so that a gap shows where a loss was; it is not atomic (5.10 has no fetching atomics):
 * tracepoint programs are not preempted by one another on the kernels we know.
 */
#define EMIT_TO(c, s, ring, ring_at)                                                               \
	({                                                                                         \
		struct wire_hdr *emit_h = (struct wire_hdr *)(s)->rec;                             \
		__u32 emit_len = (s)->off & SCRATCH_MASK;                                          \
		__u32 emit_zero = 0;                                                               \
		struct sequence *emit_q = bpf_map_lookup_elem(&sequences, &emit_zero);             \
		if (emit_q) {                                                                      \
			emit_h->seq = (c)->seq_base + emit_q->n++;                                 \
			emit_h->ring_n = emit_q->ring_n[ring_at]++;                                \
		}                                                                                  \
		emit_h->len = emit_len;                                                            \
		emit_h->flags |= (s)->flags;                                                       \
		__u64 emit_how = BPF_RB_NO_WAKEUP;                                                 \
		if (!*(volatile __u32 *)&(c)->awake) {                                             \
			(c)->awake = 1;                                                            \
			emit_how = BPF_RB_FORCE_WAKEUP;                                            \
		}                                                                                  \
		__u32 emit_class = emit_h->class;                                                  \
		long emit_rc = bpf_ringbuf_output(&ring, emit_h, emit_len, emit_how);              \
		count((c), emit_class, emit_rc ? COUNT_DROPPED : COUNT_EMITTED);                   \
		if (!emit_rc && (emit_h->flags & WIRE_F_TRUNCATED))                                \
			count((c), emit_class, COUNT_TRUNCATED);                                   \
		if (!emit_rc)                                                                      \
			wake_late((c), &ring);                                                     \
		else if (emit_how == BPF_RB_FORCE_WAKEUP)                                          \
			(c)->awake = 0;                                                            \
		emit_rc;                                                                           \
	})

#endif
