/* The `processes` table of hullwatch.db: one row an execution, stored when something refers to it. */
#ifndef HW_STORE_PROCESS_ROWS_H
#define HW_STORE_PROCESS_ROWS_H

#include "base/process.h"
#include "base/sql.h"

struct process_rows;

/* `db` is borrowed and must outlive the table. `boot`: this boot's number in `boots`. */
int process_rows_open(struct process_rows **out, struct sql *db, int64_t boot, struct err *e);
void process_rows_close(struct process_rows *t); /* NULL is fine */
DEFINE_AUTO(struct process_rows, process_rows_close)

/*
 * Insert p, or complete what is stored of it. `offset_ns` makes UTC of CLOCK_BOOTTIME. What was
 * put unchanged not long ago is known and costs nothing.
 */
int process_rows_put(struct process_rows *t, const struct process *p, struct str container_id,
	int64_t offset_ns, struct err *e);

/* The process ended: completes the row of that execution, if it is stored. */
int process_rows_exit(struct process_rows *t, const struct event *ev, struct err *e);

/* After a rollback: what was put may not be there. */
void process_rows_forget(struct process_rows *t);

#endif
