/*
 * The event collector: loads and pins the eBPF programs, reads their rings, keeps the process
 * table, joins events to processes and containers, has them judged and hands what is worth
 * keeping to a sink. Starts two threads, capture and resolver.
 *
 * The ring is the write-ahead log: it is advanced only behind what the sink has committed
 * (capture_committed). Killed and started again, it goes on where the commit stood.
 */
#ifndef HW_SYSCALL_CAPTURE_H
#define HW_SYSCALL_CAPTURE_H

#include "base/err.h"
#include "base/judge.h"
#include "base/sink.h"

struct capture;
struct runtime;

enum capture_keep { CAPTURE_KEEP_MATCHED, CAPTURE_KEEP_LINEAGE, CAPTURE_KEEP_ALL };

struct capture_options {
	const struct sink *sink;
	struct judge_hook judge;
	struct runtime *runtime; /* container metadata; used by the resolver thread alone */
	const char *boot_id;
	const char *
		bpffs; /* where to pin ("/sys/fs/bpf"); mounted there if it is not. NULL: do not pin */
	const char *pin_name; /* folder below it: one per instance */
	bool fresh;           /* remove what a dead instance left instead of taking it over */
	uint32_t ring_bytes;  /* main ring; power of two; 0: 16 MiB */
	uint32_t priority_ring_bytes; /* 0: 4 MiB */
	uint32_t processes_max;       /* executions kept; 0: 65536 */
	enum capture_keep keep;
	uint64_t before_ns;  /* how far back events before an alert are kept; 0: 10 s */
	size_t before_bytes; /* memory for them; 0: 16 MiB */
	uint32_t before_max; /* at most so many for one alert; 0: 4096 */
	uint64_t park_ns;    /* longest wait for container metadata; 0: 500 ms */
	const char *const *account_cgroups; /* v2 cgroup folders whose events are counted apart */
	size_t account_cgroups_n;
};

/*
 * Load, attach, seed the process table, start the threads. When it returns 0, events flow.
 * ERR_UNSUPPORTED: this kernel cannot, and why; ERR_BUSY: another instance is alive.
 * To be closed with capture_close(). Call it before timers are armed: a signal interrupts verification.
 */
int capture_open(struct capture **out, const struct capture_options *options, struct err *e);

/* Tell which event types (Falco's names: "openat", "execve", ...) are wanted. Any thread, at any time. */
void capture_set_interest(struct capture *c, const char *const *types, size_t n);

/* Swap the judge between two events; returns when the old one is no longer in use. Any thread but capture. */
void capture_set_judge(struct capture *c, struct judge_hook judge);

/* From the store: everything up to this mark is committed. Any thread; wakes the reader when it waits for it. */
void capture_committed(struct capture *c, const struct record_mark *mark);

/* Run fn(ctx, c) on the capture thread between two batches and wait for it. */
void capture_run(struct capture *c, void (*fn)(void *ctx, struct capture *c), void *ctx);

/* On the capture thread only (capture_run): each live execution. */
void capture_each_process(
	struct capture *c, bool (*fn)(void *ctx, const struct process *p), void *ctx);

/* Counted in the kernel, summed over CPUs, since the rings were made. */
struct capture_count {
	uint64_t emitted, dropped, filtered, truncated;
};

struct capture_source {
	const char *name;   /* "tp_btf/sys_exit" */
	const char *family; /* "file", "net", "process", "cgroup" */
	bool alive;
	const char *detail; /* which variant, or why not */
};

#define CAPTURE_MAX_CGROUPS 16

struct capture_status {
	struct capture_count by_class[EVENT_CLASS_N];
	uint64_t lost[LOSS_WHERE_N]; /* since this start; LOSS_RING since the rings were made */
	uint64_t seen;               /* events judged since this start */
	uint64_t replayed;           /* of these, read from the rings of an earlier run */
	uint64_t parked_now, parked, park_timeouts;
	uint64_t pending_alerts; /* matched but not yet accepted by the sink */
	uint64_t processes, processes_max, partial;
	uint64_t ring_used[SINK_RINGS], ring_size[SINK_RINGS];
	uint64_t wakeups;
	uint64_t mismatches; /* opens whose path was not what the caller's memory said */
	uint64_t progress;   /* grows while the reader lives: for the watchdog */
	bool pinned;
	const char *pin_detail; /* the folder, or why not pinned */
	const struct capture_source *sources;
	size_t sources_n;
	struct {
		const char *path;
		struct capture_count by_class[EVENT_CLASS_N];
	} cgroups[CAPTURE_MAX_CGROUPS];
	size_t cgroups_n;
};

/* Any thread. Pointers live as long as the capture. */
void capture_status(struct capture *c, struct capture_status *out);

/*
 * Push a RECORD_LOSS for every kernel counter that moved since the last call, also of an earlier run. Call about once a
 * second, from one thread. What the capture itself loses it tells by itself, before the ring forgets it.
 */
void capture_report_losses(struct capture *c);

enum capture_stop_mode {
	CAPTURE_STOP, /* stop the programs, judge what is in the rings, wait for the commit, unpin at close */
	CAPTURE_LEAVE, /* leave programs and rings pinned and running for the next start */
};

/*
 * End the threads. Until this returns the sink must take records and commits must be reported; afterwards
 * neither happens any more. Returns false when CAPTURE_STOP could not get everything committed (the store takes
 * nothing): then the rings stay pinned, with what they hold, for the next start. A second call repeats the answer.
 */
bool capture_stop(struct capture *c, enum capture_stop_mode mode);

/* Free it; stops first, with CAPTURE_STOP, if that was not done. NULL is fine. */
void capture_close(struct capture *c);
DEFINE_AUTO(struct capture, capture_close)

/* What an instance that is not running left pinned. */
struct capture_leftover {
	bool found;
	uint64_t waiting_bytes; /* in both rings */
	uint64_t dropped;
	uint64_t emitted;
};
int capture_find_leftover(
	const char *bpffs, const char *pin_name, struct capture_leftover *out, struct err *e);

#endif
