/* The `containers` table of hullwatch.db. */
#ifndef HW_STORE_CONTAINER_ROWS_H
#define HW_STORE_CONTAINER_ROWS_H

#include "base/container.h"
#include "base/sql.h"

struct container_rows;

/* `db` is borrowed and must outlive the table. */
int container_rows_open(struct container_rows **out, struct sql *db, struct err *e);
void container_rows_close(struct container_rows *t); /* NULL is fine */
DEFINE_AUTO(struct container_rows, container_rows_close)

/*
 * c was seen at ts_ns (UTC). Metadata once known is not replaced by less. With `fresh` false, one that was
 * put in the same state within a minute before costs nothing.
 */
int container_rows_put(struct container_rows *t, const struct container *c, uint64_t ts_ns,
	bool fresh, struct err *e);

/* After a rollback: what was put may not be there. */
void container_rows_forget(struct container_rows *t);

#endif
