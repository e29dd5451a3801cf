/*
 * Internal to the capture: its state, shared by capture.c (life, requests, status), stream.c (reading the rings,
 * handing records on, advancing) and events.c (what one event means).
 *
 * Invariants:
 * - A ring is released only up to what the sink has committed, and never past a parked event.
 * - Before a part of the main ring is read, the priority ring is read up to what was in it after that part was
 *   there: an event never comes before the exec or fork that it follows.
 * - An alert that the sink does not take stops the reading; it is not dropped.
 */
#ifndef HW_SYSCALL_CAPTURE_IMPL_H
#define HW_SYSCALL_CAPTURE_IMPL_H

#include "collector/syscall/before.h"
#include "collector/syscall/capture.h"
#include "collector/syscall/container.h"
#include "collector/syscall/decode.h"
#include "collector/syscall/pathcheck.h"
#include "collector/syscall/probe.h"
#include "collector/syscall/process.h"
#include "collector/syscall/resolver.h"
#include "collector/syscall/ring.h"

#include <pthread.h>
#include <stdatomic.h>

#define CAPTURE_BATCH 2048 /* records between two looks at anything else */

/* An event whose verdict waits for container metadata. */
struct parked {
	struct event *ev;
	const struct process *process; /* held */
	char container_id[CONTAINER_ID_LEN + 1];
	uint64_t deadline_ns; /* monotonic */
	enum wire_ring ring;
	uint64_t pos; /* where its record begins: the ring is kept from here */
	struct parked *prev, *next;
};

struct request {
	void (*fn)(void *ctx, struct capture *c);
	void *ctx;
	bool done;
	struct request *next;
};

/* Written by the capture thread, read by any. */
struct capture_numbers {
	_Atomic uint64_t seen, replayed, parked_now, parked, park_timeouts, pending_alerts;
	_Atomic uint64_t processes, partial, wakeups, progress, mismatches;
	_Atomic uint64_t lost[LOSS_WHERE_N];
	_Atomic uint64_t ring_used[SINK_RINGS];
};

struct capture {
	struct capture_options o;
	struct judge_hook judge;
	struct probe *probe;
	struct wire_control *control;
	struct ring *rings[WIRE_RING_N];
	struct decoder *decoder;
	struct process_table *processes;
	struct container_table *containers;
	struct resolver *resolver;
	struct before *before;
	struct pathcheck *pathcheck;
	int64_t boot_to_real_ns;
	uint64_t clock_checked_ns;
	uint64_t collected_ns;
	uint64_t ends_missed; /* exits that never came, as far as the table was swept for them */
	uint64_t replay_until[WIRE_RING_N]; /* records before this were made before we started */
	uint64_t judged_until
		[WIRE_RING_N]; /* records before this were judged and committed before we started */
	uint64_t bounds[256];  /* batch ends in the priority ring, for holding it back */
	uint32_t bounds_first, bounds_n;

	struct parked *parked_first, *parked_last;
	VEC(struct record *) waiting; /* what the sink did not take; [waiting_first, n) */
	size_t waiting_first;
	bool dirty;                                   /* handed something on since the last mark */
	uint64_t marked[WIRE_RING_N];                 /* last mark sent */
	uint64_t losses[LOSS_WHERE_N][EVENT_CLASS_N]; /* since the last mark */
	bool losses_new;
	uint64_t containers_refused;

	_Atomic uint64_t committed[WIRE_RING_N];
	_Atomic bool want_commit; /* wake the reader at the next commit */
	struct capture_numbers numbers;

	pthread_t thread;
	bool thread_runs, stopped;
	enum capture_stop_mode stop_mode;
	int epoll_fd, wake_fd;
	pthread_mutex_t lock; /* requests */
	pthread_cond_t request_done;
	struct request *requests;
	_Atomic int stop; /* 0 run, 1 drain and end, 2 end */
};

/* events.c */
void events_apply_record(struct capture *c, enum wire_ring ring, struct str rec, uint64_t pos);
void events_apply_seed(void *ctx, const struct event *ev, struct str args);
void events_take_resolved(struct capture *c);
void events_expire_parked(struct capture *c, uint64_t now_ns, bool all);
void events_collect(struct capture *c);

/* stream.c */
void *stream_main(void *arg);
void stream_wake(struct capture *c);

/* Hand a record on. Past events that find no room are counted and gone, anything else waits in c->waiting. */
void stream_put(struct capture *c, struct record *r);
void stream_lose(struct capture *c, enum loss_where where, enum event_class class, uint64_t n);

#endif
