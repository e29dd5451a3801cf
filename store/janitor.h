/*
 * The slow work beside the store thread: checkpoints, sealing of finished segments, retention.
 * All of it syncs or unlinks large files, and no alert may wait for that. A thread of its own with
 * own connections; checkpoints are passive, so that they never hold up the writer.
 */
#ifndef HW_STORE_JANITOR_H
#define HW_STORE_JANITOR_H

#include "base/err.h"

#include <stdint.h>

struct janitor;
struct segment;

struct janitor_options {
	const char *db_path;    /* copied */
	const char *events_dir; /* copied */
	uint64_t keep_bytes; /* all segments together; beyond it the oldest finished are removed */
	uint64_t current;    /* this segment and later ones are not finished */
};

struct janitor_stats {
	uint64_t segments, segment_bytes, removed;
	uint64_t wal_frames; /* of the database's log, after the last checkpoint */
};

/* ERR_SYS when the thread cannot be made. */
int janitor_open(struct janitor **out, const struct janitor_options *o, struct err *e);

/* Store thread. None of these waits. */
void janitor_checkpoint_db(struct janitor *j);
void janitor_checkpoint_segment(struct janitor *j, uint64_t number);
void janitor_seal(struct janitor *j, struct segment *s, uint64_t lost); /* takes s */
void janitor_current(struct janitor *j, uint64_t number); /* before that segment is opened */
void janitor_reclaim(struct janitor *j); /* the disk is full: remove the oldest finished segment */

/* Any thread. */
void janitor_read_stats(struct janitor *j, struct janitor_stats *out);

/* Does what was asked for, ends the thread, frees j. NULL is fine. */
void janitor_stop(struct janitor *j);

#endif
