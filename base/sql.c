#include "base/sql.h"

#include "base/buf.h"

#include <errno.h>
#include <sqlite3.h>
#include <sys/stat.h>

#define SQL_MAX_VALUE (256 << 20) /* bytes of one text, blob or row */
#define SQL_MAX_PATH  4096

struct sql {
	sqlite3 *db;
	char *path;
};

struct sql_stmt {
	sqlite3_stmt *stmt;
	struct sql *db;
	int bind_rc; /* first failed binding; told by the next step */
};

/* errno for what SQLite says in its own words. */
static int errno_of(sqlite3 *db, int rc)
{
	int sys = db ? sqlite3_system_errno(db) : 0;
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return ENOSPC;
	case SQLITE_READONLY:
		return EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return EACCES;
	case SQLITE_NOMEM:
		return ENOMEM;
	case SQLITE_CANTOPEN:
		return sys ? sys : ENOENT;
	default:
		return sys ? sys : EIO;
	}
}

static enum err_code code_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_NOMEM:
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		return ERR_SYS;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return ERR_BUSY;
	case SQLITE_TOOBIG:
	case SQLITE_INTERRUPT:
		return ERR_LIMIT;
	default:
		return ERR_FORMAT;
	}
}

static const char *words_of(sqlite3 *db, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return "cannot write";
	case SQLITE_READONLY:
		return "cannot write, it is read-only";
	case SQLITE_CANTOPEN:
		return "cannot open";
	case SQLITE_IOERR:
		return "read or write failed";
	case SQLITE_CORRUPT:
		return "the database is damaged";
	case SQLITE_NOTADB:
		return "file is not a database";
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return "locked by another process";
	case SQLITE_INTERRUPT:
		return "the query was stopped";
	default:
		/* a failed binding may be told later, when the connection has other words */
		return db && sqlite3_extended_errcode(db) == rc ? sqlite3_errmsg(db)
								: sqlite3_errstr(rc);
	}
}

static int set_error(struct err *e, struct sql *db, int rc)
{
	if (code_of(rc) == ERR_SYS)
		errno = errno_of(db->db, rc);
	return err_set(e, code_of(rc), "database %s: %s", db->path, words_of(db->db, rc));
}

static int open_flags(enum sql_mode mode)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	if (mode == SQL_READ)
		return flags | SQLITE_OPEN_READONLY;
	flags |= SQLITE_OPEN_READWRITE;
	return mode == SQL_CREATE ? flags | SQLITE_OPEN_CREATE : flags;
}

/* Settings that make a hostile file harmless: no functions with side effects from its schema. */
static int harden(sqlite3 *db, enum sql_mode mode)
{
	static const struct {
		int option, on;
	} settings[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_FKEY, 1 },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
	};
	for (size_t i = 0; i < ARRAY_N(settings); i++) {
		int rc = sqlite3_db_config(db, settings[i].option, settings[i].on, (int *)NULL);
		if (rc)
			return rc;
	}
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, SQL_MAX_VALUE);
	return mode == SQL_READ ? sqlite3_exec(db, "PRAGMA query_only = 1", NULL, NULL, NULL)
				: SQLITE_OK;
}

/* SQLite opens lazily; reading the schema's version shows now what is wrong with the file. */
static int try_open(struct sql *s, const char *name, int flags, enum sql_mode mode, int busy_ms)
{
	int rc = sqlite3_open_v2(name, &s->db, flags, NULL);
	if (rc)
		return rc;
	sqlite3_busy_timeout(s->db, busy_ms);
	rc = harden(s->db, mode);
	return rc ? rc : sqlite3_exec(s->db, "PRAGMA schema_version", NULL, NULL, NULL);
}

static void put_uri_path(struct buf *b, const char *path)
{
	for (; *path; path++) {
		if (strchr("%?#", *path))
			buf_printf(b, "%%%02x", (unsigned int)*path);
		else
			buf_putc(b, *path);
	}
}

/* True when frames may wait in the log: reading the file without it would lose them. */
static bool has_log(const char *path)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(SQL_MAX_PATH + 8);
	buf_printf(&b, "%s-wal", path);
	struct stat st;
	return stat(buf_cstr(&b), &st) == 0 && st.st_size > 0;
}

/*
 * A database in WAL mode wants to create its index beside it. Where the directory cannot be
 * written nobody else changes the file either, so it may be read as immutable.
 */
static int open_immutable(struct sql *s, const char *path, int busy_ms)
{
	AUTO(buf_fini) struct buf uri = BUF_INIT(3 * SQL_MAX_PATH);
	buf_puts(&uri, path[0] == '/' ? "file://" : "file:");
	put_uri_path(&uri, path);
	buf_puts(&uri, "?immutable=1");
	sqlite3_close_v2(s->db);
	s->db = NULL;
	return try_open(
		s, buf_cstr(&uri), open_flags(SQL_READ) | SQLITE_OPEN_URI, SQL_READ, busy_ms);
}

int sql_open(struct sql **out, const char *path, enum sql_mode mode, int busy_ms, struct err *e)
{
	AUTO(sql_close) struct sql *s = xcalloc(1, sizeof(*s));
	s->path = xstrndup(path, SQL_MAX_PATH);
	if (strlen(path) >= SQL_MAX_PATH) {
		errno = ENAMETOOLONG;
		return err_set(e, ERR_SYS, "database %s", path);
	}
	int rc = try_open(s, path, open_flags(mode), mode, busy_ms);
	int primary = rc & 0xff;
	if (mode == SQL_READ && (primary == SQLITE_CANTOPEN || primary == SQLITE_READONLY) &&
		access(path, R_OK) == 0 && !has_log(path))
		rc = open_immutable(s, path, busy_ms);
	if (rc)
		return set_error(e, s, rc);
	*out = TAKE(s);
	return 0;
}

void sql_close(struct sql *s)
{
	if (!s)
		return;
	sqlite3_close_v2(s->db);
	free(s->path);
	free(s);
}

int sql_exec(struct sql *db, const char *script, struct err *e)
{
	int rc = sqlite3_exec(db->db, script, NULL, NULL, NULL);
	return rc ? set_error(e, db, rc) : 0;
}

int sql_prepare(struct sql_stmt **out, struct sql *db, const char *text, struct err *e)
{
	AUTO(sql_finalize) struct sql_stmt *s = xcalloc(1, sizeof(*s));
	s->db = db;
	int rc = sqlite3_prepare_v3(db->db, text, -1, SQLITE_PREPARE_PERSISTENT, &s->stmt, NULL);
	if (rc)
		return set_error(e, db, rc);
	if (!s->stmt)
		return err_set(e, ERR_FORMAT, "database %s: empty statement", db->path);
	*out = TAKE(s);
	return 0;
}

void sql_finalize(struct sql_stmt *s)
{
	if (!s)
		return;
	sqlite3_finalize(s->stmt);
	free(s);
}

/* SQLite refuses to bind while rows are being read: a new binding starts the statement over. */
static sqlite3_stmt *to_bind(struct sql_stmt *s)
{
	if (sqlite3_stmt_busy(s->stmt))
		sqlite3_reset(s->stmt);
	return s->stmt;
}

static void note_bind(struct sql_stmt *s, int rc)
{
	if (rc && !s->bind_rc)
		s->bind_rc = rc;
}

void sql_bind_i64(struct sql_stmt *s, int at, int64_t v)
{
	note_bind(s, sqlite3_bind_int64(to_bind(s), at, v));
}

void sql_bind_u64(struct sql_stmt *s, int at, uint64_t v)
{
	sql_bind_i64(s, at, (int64_t)v);
}

void sql_bind_real(struct sql_stmt *s, int at, double v)
{
	note_bind(s, sqlite3_bind_double(to_bind(s), at, v));
}

void sql_bind_str(struct sql_stmt *s, int at, struct str v)
{
	note_bind(s, sqlite3_bind_text64(to_bind(s), at, v.p, v.n, SQLITE_TRANSIENT, SQLITE_UTF8));
}

void sql_bind_strz(struct sql_stmt *s, int at, const char *z)
{
	sql_bind_str(s, at, str_from(z));
}

void sql_bind_blob(struct sql_stmt *s, int at, struct str v)
{
	note_bind(s, sqlite3_bind_blob64(to_bind(s), at, v.p, v.n, SQLITE_TRANSIENT));
}

void sql_bind_null(struct sql_stmt *s, int at)
{
	note_bind(s, sqlite3_bind_null(to_bind(s), at));
}

void sql_bind_ptr(struct sql_stmt *s, int at, void *p, const char *type)
{
	note_bind(s, sqlite3_bind_pointer(to_bind(s), at, p, type, NULL));
}

int sql_step(struct sql_stmt *s, struct err *e)
{
	int rc = s->bind_rc ? s->bind_rc : sqlite3_step(s->stmt);
	if (rc == SQLITE_ROW)
		return 1;
	int result = rc == SQLITE_DONE ? 0 : set_error(e, s->db, rc);
	sql_reset(s);
	return result;
}

void sql_reset(struct sql_stmt *s)
{
	sqlite3_reset(s->stmt); /* its code repeats the failure of the step before */
	s->bind_rc = 0;
}

int sql_run(struct sql_stmt *s, struct err *e)
{
	int rc;
	while ((rc = sql_step(s, e)) > 0)
		;
	return rc;
}

int64_t sql_i64(struct sql_stmt *s, int col)
{
	return sqlite3_column_int64(s->stmt, col);
}

double sql_real(struct sql_stmt *s, int col)
{
	return sqlite3_column_double(s->stmt, col);
}

struct str sql_str(struct sql_stmt *s, int col)
{
	int type = sqlite3_column_type(s->stmt, col);
	if (type == SQLITE_NULL)
		return (struct str){ 0 };
	const void *p = type == SQLITE_BLOB ? sqlite3_column_blob(s->stmt, col)
					    : (const void *)sqlite3_column_text(s->stmt, col);
	int n = sqlite3_column_bytes(s->stmt, col);
	return p ? str_of(p, (size_t)n) : STR("");
}

bool sql_is_null(struct sql_stmt *s, int col)
{
	return sqlite3_column_type(s->stmt, col) == SQLITE_NULL;
}

int sql_column_n(struct sql_stmt *s)
{
	return sqlite3_column_count(s->stmt);
}

const char *sql_column_name(struct sql_stmt *s, int col)
{
	const char *name = sqlite3_column_name(s->stmt, col);
	return name ? name : "";
}

int64_t sql_changes(struct sql *db)
{
	return sqlite3_changes64(db->db);
}

int64_t sql_last_id(struct sql *db)
{
	return sqlite3_last_insert_rowid(db->db);
}

int sql_get_i64(struct sql *db, const char *query, int64_t *out, struct err *e)
{
	AUTO(sql_finalize) struct sql_stmt *s = NULL;
	if (sql_prepare(&s, db, query, e))
		return -1;
	int rc = sql_step(s, e);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, "database %s: no row from: %s", db->path, query);
	*out = sql_i64(s, 0);
	return 0;
}

void sql_progress(struct sql *db, int n, int (*fn)(void *ctx), void *ctx)
{
	sqlite3_progress_handler(db->db, fn ? n : 0, fn, ctx);
}

static void call_function(sqlite3_context *c, int n, sqlite3_value **args)
{
	const struct sql_function *f = sqlite3_user_data(c);
	f->call((struct sql_context *)c, n, (struct sql_value **)args);
}

int sql_register(struct sql *db, const struct sql_function *table, struct err *e)
{
	/* Innocuous: pure functions may stand in views and indexes of an untrusted schema. */
	const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
	for (const struct sql_function *f = table; f->name; f++) {
		void *ctx = (void *)(uintptr_t)f;
		int rc = sqlite3_create_function_v2(
			db->db, f->name, f->args_n, flags, ctx, call_function, NULL, NULL, NULL);
		if (rc)
			return set_error(e, db, rc);
	}
	return 0;
}

struct str sql_value_str(struct sql_value *v)
{
	sqlite3_value *value = (sqlite3_value *)v;
	int type = sqlite3_value_type(value);
	if (type == SQLITE_NULL)
		return (struct str){ 0 };
	const void *p = type == SQLITE_BLOB ? sqlite3_value_blob(value)
					    : (const void *)sqlite3_value_text(value);
	int n = sqlite3_value_bytes(value);
	return p ? str_of(p, (size_t)n) : STR("");
}

int64_t sql_value_i64(struct sql_value *v)
{
	return sqlite3_value_int64((sqlite3_value *)v);
}

bool sql_value_is_null(struct sql_value *v)
{
	return sqlite3_value_type((sqlite3_value *)v) == SQLITE_NULL;
}

void *sql_value_ptr(struct sql_value *v, const char *type)
{
	return sqlite3_value_pointer((sqlite3_value *)v, type);
}

void sql_result_i64(struct sql_context *c, int64_t v)
{
	sqlite3_result_int64((sqlite3_context *)c, v);
}

void sql_result_str(struct sql_context *c, struct str v)
{
	sqlite3_result_text64((sqlite3_context *)c, v.p, v.n, SQLITE_TRANSIENT, SQLITE_UTF8);
}

void sql_result_null(struct sql_context *c)
{
	sqlite3_result_null((sqlite3_context *)c);
}
