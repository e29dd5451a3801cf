/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The maps, one definition for all families. They are weak because every family's object carries
 * them and the static linker (bpftool gen object) merges them.
 */
#ifndef HW_BPF_MAPS_H
#define HW_BPF_MAPS_H

#include "bpf/kernel.h"
#include "bpf/wire.h"

/*
 * Which set of programs this is. Two sets can be attached at once, during an upgrade; the one whose
 * number stands in the control page works (is_current() in emit.h). One value for all families: the
 * linker keeps one symbol of the weak ones, and the room of the others in .rodata stays unused.
 */
const volatile __u32 generation __weak = 1;

/* Set by the loader before load; small defaults keep a bare load cheap. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} ring_main SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} ring_priority SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_control);
} control SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WIRE_CLASS_MAX);
	__type(key, __u32);
	__type(value, struct wire_count);
} counters SEC(".maps") __weak;

/* What of `counters` has been reported as loss already; the programs never touch it. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WIRE_CLASS_MAX);
	__type(key, __u32);
	__type(value, struct wire_count);
} reported SEC(".maps") __weak;

/* Counters of chosen cgroups: wire_count[WIRE_CLASS_MAX] each. */
struct account {
	struct wire_count by_class[WIRE_CLASS_MAX];
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u64);
	__type(value, struct account);
} accounts SEC(".maps") __weak;

struct sequence {
	__u64 n;
	__u32 ring_n[WIRE_RING_N];
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sequence);
} sequences SEC(".maps") __weak;

/* Whose turn the event at hand is: the number of a set, written by the leading one. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} turns SEC(".maps") __weak;

/* Of each set its own. Processes of several threads whose end was told just now. */
struct ended {
	__u64 start_ns;
	__u32 tgid, pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct ended);
	__type(value, __u8);
} ended SEC(".maps") __weak;

/* Of each set its own, as the scratches below. Programs by class, reached from the dispatcher by tail call. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, WIRE_CLASS_MAX);
	__type(key, __u32);
	__type(value, __u32);
} programs SEC(".maps") __weak;

/*
 * Where a record is put together: one for each kind of program, because the kernel keeps a
 * program from running twice at a time on a CPU, but not two different ones on every kernel. `off` lives here and not in a register so that the verifier sees
 * the same state in every round of a loop; it is masked at each use.
 */
#define SCRATCH_MASK 0x3fff /* a per-CPU value is at most 32 KiB */
struct scratch {
	__u32 off;
	__u32 flags;
	__u64 dentry, mount, mount_root, root_dentry, root_mount;
	__u64 node;
	__u8 rec[SCRATCH_MASK + 1 + WIRE_PATH_MAX];
};
enum scratch_of {
	SCRATCH_CALL,
	SCRATCH_EXEC,
	SCRATCH_FORK,
	SCRATCH_EXIT,
	SCRATCH_CGROUP,
	SCRATCH_N
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_N);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps") __weak;

/* The task iterator has its own: it can be preempted by a call on the same CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch_iter SEC(".maps") __weak;

#endif
