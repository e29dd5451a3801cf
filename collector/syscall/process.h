/*
 * The process table: every execution that an event in the rings may still belong to, and the
 * ancestors of those. Belongs to the capture thread.
 *
 * Invariants:
 * - An execution stays findable until the main ring has passed the point where its end (exit, or the next exec) was
 *   read: an event read late still finds the program that caused it.
 * - An execution stays in memory as long as a child's `parent` or a holder (process_hold) points to it;
 *   a chain of dead ancestors is cut at PROCESS_MAX_LINEAGE, so that forking for ever does not grow it.
 */
#ifndef HW_SYSCALL_PROCESS_H
#define HW_SYSCALL_PROCESS_H

#include "base/process.h"

struct process_table;

/* `max` executions at most (0: 65536). */
struct process_table *process_table_new(uint32_t max);
void process_table_free(struct process_table *t);
DEFINE_AUTO(struct process_table, process_table_free)

/*
 * Apply what happened. `pos` is the main ring's produced position at the time of reading: what
 * ends stays until process_table_passed() has been called with at least it. NULL where the table is full.
 */
struct process *process_table_exec(struct process_table *t, const struct event *ev, uint64_t pos);
struct process *process_table_fork(struct process_table *t, const struct event *ev);
const struct process *process_table_exit(
	struct process_table *t, const struct event *ev, uint64_t pos);

/* A process that was there before; `args` is its command line (NUL after each), possibly empty. */
struct process *process_table_seed(
	struct process_table *t, const struct event *ev, struct str args);

/* After all seeds: parents that came later than their children are joined. */
void process_table_link(struct process_table *t);

/*
 * The execution that an event belongs to. Where it was never seen, one is made from the event and its
 * neighbours in time (partial); it ends at `pos`. NULL only when the table is full.
 */
const struct process *process_table_join(
	struct process_table *t, const struct event *ev, uint64_t pos);

/* Exactly this execution, or NULL. exec_id UINT64_MAX: the newest. */
struct process *process_table_find(
	struct process_table *t, struct process_key key, uint64_t exec_id);

/* Fill in what an execution made from events alone lacks (exe, args); copied. */
void process_table_complete(
	struct process_table *t, struct process *p, struct str exe, struct str args);

/*
 * For when exits were lost: every process that `alive` denies ends at `pos`, as if its exit had been read now.
 * Its code and time stay 0.
 */
void process_table_sweep(struct process_table *t, uint64_t pos,
	bool (*alive)(void *ctx, struct process_key key), void *ctx);

/* The main ring has been judged up to `pos`: forget what ended before. */
void process_table_passed(struct process_table *t, uint64_t pos);

/* Keep an execution beyond its time in the table. */
void process_hold(const struct process *p);
void process_release(struct process_table *t, const struct process *p);

/* Every execution in memory; fn may set the late fields and the container. */
void process_table_each(
	struct process_table *t, bool (*fn)(void *ctx, struct process *p), void *ctx);

uint64_t process_table_count(const struct process_table *t);
uint64_t process_table_refused(const struct process_table *t); /* times it was full */

#endif
