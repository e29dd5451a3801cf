/*
 * Raw events: files events/NNNNNN.db, written one after the other, each with its time range and
 * count in `meta` once it is sealed. Removing the oldest file is the retention.
 */
#ifndef HW_STORE_SEGMENT_H
#define HW_STORE_SEGMENT_H

#include "base/sink.h"
#include "base/sql.h"
#include "base/vec.h"

#include <limits.h>

struct segment_file {
	uint64_t number;
	uint64_t bytes; /* with its log */
};

struct segment_list {
	VEC(struct segment_file) file; /* ascending */
};

#define SEGMENT_MAX_FILES 100000

/* The segments in `dir`; a missing folder is an empty list. ERR_SYS, ERR_LIMIT. */
int segment_list_read(struct segment_list *out, const char *dir, struct err *e);
void segment_list_fini(struct segment_list *l);
DEFINE_AUTO_VALUE(struct segment_list, segment_list_fini)

int segment_path(char out[PATH_MAX], const char *dir, uint64_t number, struct err *e);

/* One segment, open for writing. One thread at a time. */
struct segment;

/* Open or make it. ERR_FORMAT also for one that is sealed: it takes no more. */
int segment_open(struct segment **out, const char *dir, uint64_t number, const char *boot_id,
	const char *hostname, struct err *e);

/* Rolls back what is open. NULL is fine. */
void segment_close(struct segment *s);
DEFINE_AUTO(struct segment, segment_close)

/* Starts a transaction when there is none. */
int segment_put(struct segment *s, const struct record_event *r, struct err *e);
int segment_commit(struct segment *s, struct err *e);
void segment_rollback(struct segment *s);

uint64_t segment_number(const struct segment *s);
uint64_t segment_created_ns(const struct segment *s); /* UTC */
uint64_t segment_bytes(struct segment *s);            /* without its log */

/*
 * No more will be written: note the time range, the count and `lost` (records lost meanwhile), fold the log
 * into the file, close. s is gone afterwards, also on failure: the file then stays readable as it is.
 */
int segment_seal(struct segment *s, uint64_t lost, struct err *e);

#endif
