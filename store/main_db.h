/* The writing connection to hullwatch.db: what a record becomes in it. Store thread only. */
#ifndef HW_STORE_MAIN_DB_H
#define HW_STORE_MAIN_DB_H

#include "base/sink.h"
#include "base/sql.h"

struct main_db;

/* Open or make `path` (schema_open's errors). Strings are copied. */
int main_db_open(struct main_db **out, const char *path, const char *boot_id, const char *hostname,
	struct err *e);
void main_db_close(struct main_db *m); /* NULL is fine; rolls back what is open */
DEFINE_AUTO(struct main_db, main_db_close)

/* A transaction. After a failure of any call but the first: main_db_rollback(). */
int main_db_begin(struct main_db *m, struct err *e);
int main_db_commit(struct main_db *m, struct err *e);
void main_db_rollback(struct main_db *m);

/* Store one alert with its event, processes and container. *repeated: it was there, nothing changed. */
int main_db_alert(struct main_db *m, const struct alert *a, bool *repeated, struct err *e);
int main_db_event(struct main_db *m, const struct record_event *r, struct err *e);
int main_db_container(struct main_db *m, const struct container *c, struct err *e);
int main_db_loss(struct main_db *m, const struct record_loss *l, struct err *e);
int main_db_state(struct main_db *m, const struct record_state *s, struct err *e);
int main_db_mark(struct main_db *m, const struct record_mark *mark, struct err *e);

/* The end of a process of which there may be a row; its event need not be kept. */
int main_db_exit(struct main_db *m, const struct event *ev, struct err *e);

/* The mark of this boot, false when there is none. */
bool main_db_last_mark(struct main_db *m, struct record_mark *out);

/* Highest alerts.n, of what is not committed too. */
int64_t main_db_last_alert(const struct main_db *m);

/* As far as readers allow and without waiting for them. */
int main_db_checkpoint_passive(struct main_db *m, struct err *e);

/* Copy everything into the main file and empty the log; for a clean end. */
int main_db_checkpoint(struct main_db *m, struct err *e);

#endif
