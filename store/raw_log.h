/*
 * Where raw events go: the current segment, its rolling over, and the account of what the disk
 * refused. A failure here costs raw events, never the caller. Store thread only.
 */
#ifndef HW_STORE_RAW_LOG_H
#define HW_STORE_RAW_LOG_H

#include "base/sink.h"
#include "store/janitor.h"

struct raw_log;

struct raw_log_options {
	const char *dir, *boot_id, *hostname; /* must outlive the log */
	uint64_t max_bytes, max_age_ns;       /* of one segment */
	struct janitor *janitor;
	uint64_t number; /* of the segment to go on with, or to make */
};

struct raw_log *raw_log_new(const struct raw_log_options *o);

/* Closes the segment unsealed: the next writer goes on with it. NULL is fine. */
void raw_log_free(struct raw_log *l);

/* Put it into the open transaction. Also when the event is dropped and counted; it stays the caller's. */
void raw_log_put(struct raw_log *l, const struct record_event *r);

/* Returns how many events are committed now that were not before. */
uint64_t raw_log_commit(struct raw_log *l);

/*
 * Events that were dropped and whose number is not stored yet, by class; false when there are
 * none. raw_log_forget_dropped() once it is stored.
 */
bool raw_log_dropped(const struct raw_log *l, uint64_t out[EVENT_CLASS_N]);
void raw_log_forget_dropped(struct raw_log *l);

/* Records were lost somewhere while the current segment was written: noted in it. */
void raw_log_note_lost(struct raw_log *l, uint64_t n);

/* Nothing to do just now: have the log folded in if it is worth it. */
void raw_log_idle(struct raw_log *l);

/* The disk is full: end the current segment as it is, so that retention may remove it. */
void raw_log_let_go(struct raw_log *l);

/* True when raw_log_idle() has something to do. */
bool raw_log_is_dirty(const struct raw_log *l);

/* The last transaction was refused. */
bool raw_log_failing(const struct raw_log *l);

/* Why, once for each refusal; NULL when there was none since. */
const struct err *raw_log_news(struct raw_log *l);

#endif
