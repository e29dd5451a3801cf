/* The `containers` table of hullwatch.db. */
#ifndef HW_STORE_CONTAINER_TABLE_H
#define HW_STORE_CONTAINER_TABLE_H

#include "base/container.h"
#include "base/sql.h"

struct container_table;

/* `db` is borrowed and must outlive the table. */
int container_table_open(struct container_table **out, struct sql *db, struct err *e);
void container_table_close(struct container_table *t); /* NULL is fine */
DEFINE_AUTO(struct container_table, container_table_close)

/*
 * c was seen at ts_ns (UTC). Metadata once known is not replaced by less. With `fresh` false, one that was
 * put in the same state within a minute before costs nothing.
 */
int container_table_put(struct container_table *t, const struct container *c, uint64_t ts_ns,
			bool fresh, struct err *e);

/* After a rollback: what was put may not be there. */
void container_table_forget(struct container_table *t);

#endif
