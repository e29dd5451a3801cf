/* What the files of the reader share. Not for others. */
#ifndef HW_STORE_READER_IMPL_H
#define HW_STORE_READER_IMPL_H

#include "base/arena.h"
#include "base/sql.h"
#include "rules/where.h"
#include "store/reader.h"
#include "store/segment.h"

#include <stdatomic.h>

/* What is known of a finished segment: it does not change any more. */
struct segment_range {
	uint64_t number, first_ns, last_ns;
};

struct store_reader {
	struct sql *db;
	char *events_dir; /* NULL: a single file */
	_Atomic uint64_t deadline_ns;
	atomic_bool cancelled;
	uint32_t skipped;
	unsigned int cursors;
	VEC(struct segment_range) ranges;
};

/* 0, or -1 and ERR_LIMIT when the deadline is over or somebody cancelled. */
int reader_check(struct store_reader *r, struct err *e);

/* Make a connection obey the deadline. */
void reader_watch(struct store_reader *r, struct sql *db);

/* A SELECT that grows by constant pieces, each with at most one value. */
#define SELECT_MAX_ARGS 48

struct select {
	struct buf text;
	struct {
		bool is_text;
		int64_t number;
		struct str text; /* borrowed */
	} arg[SELECT_MAX_ARGS];
	int args_n;
	const struct where *where; /* its values come last */
};

#define SELECT_INIT                                                                                \
	{                                                                                          \
		.text = BUF_INIT(2u << 20)                                                         \
	}

void select_fini(struct select *s);
DEFINE_AUTO_VALUE(struct select, select_fini)
void select_add(struct select *s, const char *piece);
void select_add_i64(struct select *s, const char *piece, int64_t v);
void select_add_str(struct select *s, const char *piece, struct str v);
/* After this nothing more with a value. *w must outlive the statement. */
void select_add_where(struct select *s, const struct where *w);
int select_prepare(struct sql_stmt **out, struct sql *db, const struct select *s, struct err *e);

/* Which containers a query means; found once, used for every file. */
#define FILTER_MAX_IDS 16

struct container_filter {
	bool on, host;
	struct str prefix; /* of the id; empty: none */
	char id[FILTER_MAX_IDS][CONTAINER_ID_LEN + 1];
	int ids_n;
};

/* `text` is borrowed by the filter. */
int container_filter_find(
	struct container_filter *f, struct store_reader *r, struct str text, struct err *e);
/* Adds the condition on `column`, such as "a.container_id". */
void container_filter_add(const struct container_filter *f, struct select *s, const char *column);

/* A query's condition, ready for any number of statements of one thread. */
struct filter {
	struct where *where; /* NULL: none */
	struct where_lookup *lookup;
	struct where_source source;
};

/* `text` empty: no condition. ERR_CONFIG with the place in the text. *f must not move. */
int filter_open(struct filter *f, struct store_reader *r, struct str text,
	const struct where_view *view, struct err *e);
void filter_close(struct filter *f); /* after the statements; zeroed is fine */

/* Processes and containers of hullwatch.db, as conditions ask for them; kept once found. */
struct where_lookup;
int where_lookup_open(struct where_lookup **out, struct store_reader *r, struct err *e);
void where_lookup_close(struct where_lookup *l); /* NULL is fine */
struct where_source where_lookup_source(struct where_lookup *l);

/* Events of all files in one order. */
struct merge;
int merge_open(
	struct merge **out, struct store_reader *r, const struct store_query *q, struct err *e);
int merge_next(struct merge *m, struct event_row *row, struct err *e);
uint64_t merge_gave_up(const struct merge *m);
void merge_close(struct merge *m); /* NULL is fine */
DEFINE_AUTO(struct merge, merge_close)

#endif
