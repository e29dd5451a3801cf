/*
 * The store's writing side: one thread owns the only writing connection to hullwatch.db and the
 * current segment of raw events. Collectors hand it records through the sink; it commits them in
 * groups (as soon as the queue is empty, after 256 records or 2 ms, whichever is first) and tells
 * by on_commit how far everything is in.
 *
 * Committed survives kill -9 of this process. Alerts are never dropped: while the disk refuses
 * them they are held, tried again, and on_commit stays silent. Raw events may be dropped; each is
 * counted, and the count is stored (LOSS_STORE) once the disk takes rows again.
 */
#ifndef HW_STORE_WRITER_H
#define HW_STORE_WRITER_H

#include "base/sink.h"

#define STORE_DB_NAME    "hullwatch.db"
#define STORE_LOCK_NAME  "hullwatch.lock"
#define STORE_EVENTS_DIR "events"

struct store_writer;

/* Strings are copied. Zero is the default of every number. */
struct store_options {
	const char *dir; /* state directory; made with mode 0700 when absent */
	const char *boot_id;
	const char *hostname;
	uint64_t segment_max_bytes;  /* default 64 MiB */
	uint64_t segment_max_age_ns; /* default 1 h */
	uint64_t events_max_bytes;   /* all segments together, oldest unlinked; default 1 GiB */
	size_t queue_capacity;       /* records; default 65536, an eighth of it only for alerts */
	uint64_t queue_max_bytes; /* what the queue may hold; default 64 MiB, an eighth as above */
	/*
	 * Called on the store thread after each commit, and for a mark that had nothing to commit
	 * before it. `mark`: the newest mark of which everything before it is committed, valid during
	 * the call; NULL when there was none. `last_alert_n`: highest alerts.n committed so far.
	 * Must not block and must not call into the writer. May be NULL.
	 */
	void (*on_commit)(void *ctx, const struct record_mark *mark, int64_t last_alert_n);
	void *ctx;
};

/* A consistent enough copy of counters that only grow, unless said otherwise. */
struct store_stats {
	uint64_t alerts;          /* committed by this writer */
	uint64_t alerts_repeated; /* already stored under the same id: ignored */
	uint64_t events;          /* committed raw events, repeats included */
	uint64_t events_refused;  /* the queue had no room: the caller was told SINK_FULL */
	uint64_t events_dropped;  /* taken, but the disk refused them */
	uint64_t commits;
	uint64_t failures;      /* transactions that the disk refused */
	uint64_t segments;      /* files now */
	uint64_t segment_bytes; /* of these, now */
	uint64_t segments_removed;
	uint64_t queue_len; /* now */
	int64_t last_alert_n;
	bool failing;    /* now: the last transaction was refused and is being tried again */
	char error[256]; /* what it was refused with; stays after recovery; "" if never */
};

/*
 * Take the lock, open or make the database, start the thread. Returns 0 and *out, to be ended by
 * store_writer_stop(). -1 and *e: ERR_BUSY (somebody else writes there; says which pid),
 * ERR_SYS (directory, lock or database cannot be written), ERR_FORMAT (the database is damaged or
 * is not one of hullwatch), ERR_UNSUPPORTED (made by a newer version). A refused database is left
 * as it was.
 */
int store_writer_open(struct store_writer **out, const struct store_options *o, struct err *e);

/*
 * Where collectors put records; any thread, until store_writer_stop(). Never blocks. SINK_FULL for
 * an alert, mark or other vital record only when its reserve is full too. The writer owns it.
 */
const struct sink *store_writer_sink(struct store_writer *w);

/* The last mark that was committed in this boot, by any earlier writer; false when there is none. */
bool store_writer_mark(const struct store_writer *w, struct record_mark *out);

/* Highest alerts.n when the writer opened: what is newer was stored by this writer. */
int64_t store_writer_first_n(const struct store_writer *w);

/* Any thread, until store_writer_stop(). */
void store_writer_stats(const struct store_writer *w, struct store_stats *out);

/*
 * Refuse new records, commit what is queued, checkpoint, release the lock, free w. No thread may use
 * the sink any more. Returns 0; -1 and *e when records could not be committed within two seconds
 * (the reader's rings must then be left as they are: nothing of those was reported by on_commit).
 * `last` (may be NULL) gets the final counters. w NULL: 0.
 */
int store_writer_stop(struct store_writer *w, struct store_stats *last, struct err *e);

#endif
