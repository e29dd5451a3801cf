/*
 * SQLite, its only includer. Statements are prepared; values are bound, never pasted.
 * A connection belongs to one thread.
 */
#ifndef HW_BASE_SQL_H
#define HW_BASE_SQL_H

#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"

struct sql;      /* a connection */
struct sql_stmt; /* a prepared statement */

enum sql_mode { SQL_READ, SQL_WRITE, SQL_CREATE };

/*
 * Open a database. SQL_READ never writes the file. In a directory that cannot be written it reads
 * a WAL database as immutable, unless a log stands beside it that cannot be read. Foreign keys are
 * on, the schema is not trusted. busy_ms: how long a lock is waited for.
 *
 * Errors here and below: ERR_SYS with e->sys (ENOENT, ENOSPC full, EROFS read-only, EIO),
 * ERR_FORMAT (damaged, "file is not a database", wrong SQL, a constraint), ERR_BUSY, ERR_LIMIT
 * (value above 256 MiB, query stopped).
 */
int sql_open(struct sql **out, const char *path, enum sql_mode mode, int busy_ms, struct err *e);
void sql_close(struct sql *db); /* finalises nothing: close the statements first */
DEFINE_AUTO(struct sql, sql_close)

int sql_exec(struct sql *db, const char *script, struct err *e); /* constant scripts only */
int sql_prepare(struct sql_stmt **out, struct sql *db, const char *text, struct err *e);
void sql_finalize(struct sql_stmt *s);
DEFINE_AUTO(struct sql_stmt, sql_finalize)

/*
 * Parameters count from 1. Text and blob are copied at once. Binding while rows are being read
 * resets the statement; a binding that fails (no such parameter, too large) fails the next step.
 */
void sql_bind_i64(struct sql_stmt *s, int at, int64_t v);
void sql_bind_u64(struct sql_stmt *s, int at, uint64_t v); /* stored as its two's complement */
void sql_bind_real(struct sql_stmt *s, int at, double v);
void sql_bind_str(struct sql_stmt *s, int at, struct str v); /* v.p == NULL is NULL */
void sql_bind_strz(struct sql_stmt *s, int at, const char *z);
void sql_bind_blob(struct sql_stmt *s, int at, struct str v);
void sql_bind_null(struct sql_stmt *s, int at);

/*
 * A pointer for functions registered below, which SQL text cannot make or read; `type` is constant
 * text that both sides know. *p must outlive the statement or its next binding.
 */
void sql_bind_ptr(struct sql_stmt *s, int at, void *p, const char *type);

/* 1 a row, 0 done, -1 and *e. After 0 or -1 the statement is reset, its bindings kept. */
int sql_step(struct sql_stmt *s, struct err *e);
void sql_reset(struct sql_stmt *s);
int sql_run(struct sql_stmt *s, struct err *e); /* step to the end, no rows wanted, reset */

/* Columns count from 0; valid until the next step. */
int64_t sql_i64(struct sql_stmt *s, int col);
double sql_real(struct sql_stmt *s, int col);
struct str sql_str(struct sql_stmt *s, int col); /* p == NULL for NULL */
bool sql_is_null(struct sql_stmt *s, int col);
int sql_column_n(struct sql_stmt *s);
const char *sql_column_name(struct sql_stmt *s, int col);

int64_t sql_changes(struct sql *db); /* rows of the last statement */
int64_t sql_last_id(struct sql *db);

/* One number from a constant query, such as "PRAGMA user_version". */
int sql_get_i64(struct sql *db, const char *query, int64_t *out, struct err *e);

/*
 * Abort a running query (ERR_LIMIT) when fn returns nonzero; it is called every n virtual machine
 * steps. NULL removes it.
 */
void sql_progress(struct sql *db, int n, int (*fn)(void *ctx), void *ctx);

/*
 * Pure functions that modules outside the store offer to SQL (version comparison, cap_has, ...).
 * A NULL name ends the table, which must outlive the connection. Registered deterministic.
 */
struct sql_value;
struct sql_context;
struct sql_function {
	const char *name;
	int args_n; /* -1: any number */
	void (*call)(struct sql_context *c, int n, struct sql_value **args);
};
int sql_register(struct sql *db, const struct sql_function *table, struct err *e);
struct str sql_value_str(struct sql_value *v);
int64_t sql_value_i64(struct sql_value *v);
bool sql_value_is_null(struct sql_value *v);
void *sql_value_ptr(struct sql_value *v, const char *type); /* NULL: none of this type */
void sql_result_i64(struct sql_context *c, int64_t v);
void sql_result_str(struct sql_context *c, struct str v);
void sql_result_null(struct sql_context *c);

#endif
