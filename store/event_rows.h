/* The `events` table, which hullwatch.db and every segment have: one prepared INSERT. */
#ifndef HW_STORE_EVENT_ROWS_H
#define HW_STORE_EVENT_ROWS_H

#include "base/sink.h"
#include "base/sql.h"

struct event_rows;

/* `db` is borrowed and must outlive the table. */
int event_rows_open(struct event_rows **out, struct sql *db, struct err *e);
void event_rows_close(struct event_rows *t); /* NULL is fine */
DEFINE_AUTO(struct event_rows, event_rows_close)

struct event_entry {
	const struct event *event;
	int64_t boot; /* number of the boot in this file's `boots` */
	struct str boot_id;
	struct str container_id;
	enum event_why why;
};

/* 1 inserted, 0 it was there already, -1 and *e. */
int event_rows_insert(struct event_rows *t, const struct event_entry *in, struct err *e);

/* The number of `boot_id` in this file's `boots`, added when new. -1 and *e on failure. */
int boot_number(
	struct sql *db, const char *boot_id, const char *hostname, int64_t *boot, struct err *e);

#endif
