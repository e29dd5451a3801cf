/*
 * The records of one group commit, in the order of the queue. Invariants:
 * - A record is freed only after its commit, so that a refused batch can be done again.
 * - Raw events go to the segment, which is committed before hullwatch.db: whoever sees an alert
 *   finds what led to it. A segment that fails takes its raw events with it, never an alert.
 */
#ifndef HW_STORE_BATCH_H
#define HW_STORE_BATCH_H

#include "base/sink.h"
#include "store/main_db.h"
#include "store/raw_log.h"

#define BATCH_MAX 256

struct batch {
	struct main_db *db;  /* borrowed */
	struct raw_log *raw; /* borrowed */
	struct record *record[BATCH_MAX];
	size_t n;
	uint64_t alerts, repeated; /* of them */
	bool open;                 /* a transaction on hullwatch.db */
	bool failed;               /* e tells why */
	struct err e;
	/* A mark that was reported when there was nothing else to commit: it goes with the next. */
	struct record_mark unsaved;
	bool has_unsaved;
};

/* Takes r and writes it into the open transactions. n must be below BATCH_MAX. */
void batch_add(struct batch *b, struct record *r);

/* Commit the segment. Returns how many raw events are committed now. */
uint64_t batch_commit_raw(struct batch *b);

/* Then hullwatch.db: 1 committed, 0 there was nothing for it, -1 refused (b->e), call batch_redo(). */
int batch_commit_main(struct batch *b);

/* Free the raw events: they are in their segment or counted. What is left is for hullwatch.db. */
void batch_shed_raw(struct batch *b);

/* Roll back; batch_redo() writes all records again, then batch_commit_main(). */
void batch_rollback(struct batch *b);
void batch_redo(struct batch *b);

const struct record_mark *batch_last_mark(const struct batch *b); /* NULL when there is none */

/* At the end: store the mark that still waits to be. */
int batch_save_mark(struct batch *b, struct err *e);

/* Free all records. */
void batch_clear(struct batch *b);

#endif
