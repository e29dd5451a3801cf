/*
 * Invariants:
 * - A database appears under its name only when it is complete: it is made beside it and renamed.
 * - Nothing opens a database's file except SQLite: closing any other descriptor to it would drop
 *   the POSIX locks of every connection of this process.
 * - Checks run on a reading connection, so that a refused file stays as it was.
 */
#include "store/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SCHEMA_BUSY_MS        2000
#define SCHEMA_MAX_MIGRATIONS 1000

static int path_join(char out[PATH_MAX], const char *path, const char *suffix, struct err *e)
{
	int n = snprintf(out, PATH_MAX, "%s%s", path, suffix);
	if (n < 0 || n >= PATH_MAX)
		return err_set(e, ERR_LIMIT, "path too long: %s", path);
	return 0;
}

int schema_unlink(const char *path, struct err *e)
{
	/* The database first: a lone -wal is rubbish, a database that lost its -wal lost commits. */
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
	char name[PATH_MAX];
	for (size_t i = 0; i < ARRAY_N(suffixes); i++) {
		if (path_join(name, path, suffixes[i], e))
			return -1;
		if (unlink(name) && errno != ENOENT)
			return err_set(e, ERR_SYS, "remove %s", name);
	}
	return 0;
}

/* 1: there, 0: nothing there yet, -1: not a file that could be a database. */
static int look_at_file(const char *path, uint64_t *size, struct err *e)
{
	struct stat st;
	if (lstat(path, &st)) {
		if (errno == ENOENT)
			return 0;
		return err_set(e, ERR_SYS, "open %s", path);
	}
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_FORMAT, "%s is not a regular file", path);
	*size = (uint64_t)st.st_size;
	return st.st_size > 0;
}

static int check_identity(
	struct sql *db, const char *path, const struct schema *s, int64_t *version, struct err *e)
{
	int64_t id;
	if (sql_get_i64(db, "PRAGMA application_id", &id, e) ||
		sql_get_i64(db, "PRAGMA user_version", version, e))
		return err_wrap(e,
			"%s is damaged or not a database; move it away to start a new one", path);
	if (id != s->application_id)
		return err_set(e, ERR_FORMAT,
			"%s belongs to another program, it is not a hullwatch %s; left as it is",
			path, s->what);
	if (*version > s->version)
		return err_set(e, ERR_UNSUPPORTED,
			"%s was made by a newer hullwatch (format %lld, this one reads up to "
			"%lld); left as it is",
			path, (long long)*version, (long long)s->version);
	if (*version < 1)
		return err_set(e, ERR_FORMAT, "%s has no format version; left as it is", path);
	return 0;
}

static int check_damage(struct sql *db, const char *path, bool whole, struct err *e)
{
	/* Without it at least the schema is read. */
	const char *check = whole ? "PRAGMA quick_check(1)"
				  : "SELECT 'ok' FROM sqlite_schema LIMIT 1";
	AUTO(sql_finalize) struct sql_stmt *st = NULL;
	int rc = sql_prepare(&st, db, check, e);
	if (!rc)
		rc = sql_step(st, e);
	if (rc < 0)
		return err_wrap(e, "%s is damaged; move it away to start a new one", path);
	if (rc == 1 && !str_eq(sql_str(st, 0), STR("ok")))
		return err_set(e, ERR_FORMAT,
			"%s is damaged (%.*s); move it away to start a new one", path,
			STR_ARG(sql_str(st, 0)));
	return 0;
}

static int check_existing(
	const char *path, uint64_t size, const struct schema *s, int64_t *version, struct err *e)
{
	AUTO(sql_close) struct sql *db = NULL;
	if (sql_open(&db, path, SQL_READ, SCHEMA_BUSY_MS, e))
		return err_wrap(e, "%s cannot be opened; move it away to start a new one", path);
	if (check_identity(db, path, s, version, e))
		return -1;
	return check_damage(db, path, size <= s->check_bytes, e);
}

static int sync_file(const char *path, struct err *e)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fsync(fd))
		return err_set(e, ERR_SYS, "sync %s", path);
	return 0;
}

static int sync_folder_of(const char *path, struct err *e)
{
	char folder[PATH_MAX];
	if (path_join(folder, path, "", e))
		return -1;
	char *slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder ? 1 : 0] = '\0';
	return sync_file(slash ? folder : ".", e);
}

/* SQLite gives -wal and -shm the database's mode, so it is set before SQLite sees the file. */
static int make_private_file(const char *path, struct err *e)
{
	AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(e, ERR_SYS, "create %s", path);
	return 0;
}

static int fill_new(const char *path, const struct schema *s, struct err *e)
{
	AUTO(sql_close) struct sql *db = NULL;
	if (sql_open(&db, path, SQL_WRITE, SCHEMA_BUSY_MS, e))
		return -1;
	/* Not yet visible under its name: what a power cut leaves of it is thrown away. */
	if (sql_exec(db, "PRAGMA synchronous = OFF; BEGIN;", e) || sql_exec(db, s->create, e) ||
		sql_exec(db, "COMMIT; PRAGMA journal_mode = WAL;", e))
		return -1;
	return 0;
}

static int create(const char *path, const struct schema *s, struct err *e)
{
	char fresh[PATH_MAX];
	if (path_join(fresh, path, ".new", e) || schema_unlink(fresh, e) ||
		make_private_file(fresh, e))
		return -1;
	if (fill_new(fresh, s, e)) {
		schema_unlink(fresh, NULL);
		return err_wrap(e, "create %s", path);
	}
	/* A -wal left by a database that somebody removed would be replayed into the new one. */
	if ((s->durable && sync_file(fresh, e)) || schema_unlink(path, e))
		return -1;
	if (rename(fresh, path))
		return err_set(e, ERR_SYS, "rename %s to %s", fresh, path);
	return s->durable ? sync_folder_of(path, e) : 0;
}

static int backup(struct sql *db, const char *path, int64_t version, struct err *e)
{
	char suffix[32], copy[PATH_MAX];
	snprintf(suffix, sizeof(suffix), ".v%lld.bak", (long long)version);
	if (path_join(copy, path, suffix, e) || schema_unlink(copy, e) ||
		make_private_file(copy, e))
		return -1;
	AUTO(sql_finalize) struct sql_stmt *st = NULL;
	if (sql_prepare(&st, db, "VACUUM INTO ?1", e))
		return -1;
	sql_bind_strz(st, 1, copy);
	if (sql_run(st, e))
		return err_wrap(e, "copy before the migration to %s", copy);
	return sync_folder_of(path, e);
}

static int migrate(
	struct sql *db, const char *path, const struct schema *s, int64_t version, struct err *e)
{
	if (version == s->version)
		return 0;
	if (backup(db, path, version, e))
		return -1;
	if (sql_exec(db, "BEGIN IMMEDIATE", e))
		return -1;
	for (int64_t v = version; v < s->version && v < SCHEMA_MAX_MIGRATIONS; v++) {
		if (sql_exec(db, s->migrations[v - 1], e)) {
			err_wrap(e, "%s: migration from format %lld", path, (long long)v);
			sql_exec(db, "ROLLBACK", NULL);
			return -1;
		}
	}
	return sql_exec(db, "COMMIT", e);
}

int schema_open(struct sql **out, const char *path, const struct schema *s, struct err *e)
{
	uint64_t size = 0;
	int64_t version = s->version;
	int there = look_at_file(path, &size, e);
	if (there < 0)
		return -1;
	if (there ? check_existing(path, size, s, &version, e) : create(path, s, e))
		return -1;
	AUTO(sql_close) struct sql *db = NULL;
	if (sql_open(&db, path, SQL_WRITE, SCHEMA_BUSY_MS, e))
		return err_wrap(e, "open %s", path);
	if (migrate(db, path, s, version, e))
		return -1;
	if (sql_exec(db, "PRAGMA journal_mode = WAL", e) || sql_exec(db, s->pragmas, e))
		return err_wrap(e, "%s", path);
	*out = TAKE(db);
	return 0;
}

int schema_open_read(struct sql **out, const char *path, const struct schema *s, struct err *e)
{
	uint64_t size = 0;
	int64_t version;
	int there = look_at_file(path, &size, e);
	if (there < 0)
		return -1;
	if (!there)
		return err_set(
			e, ERR_NOT_FOUND, "%s is not there: nothing has been stored yet", path);
	AUTO(sql_close) struct sql *db = NULL;
	if (sql_open(&db, path, SQL_READ, SCHEMA_BUSY_MS, e))
		return err_wrap(e, "open %s", path);
	if (check_identity(db, path, s, &version, e))
		return -1;
	*out = TAKE(db);
	return 0;
}
