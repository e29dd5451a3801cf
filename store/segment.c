#include "store/segment.h"

#include "base/clock.h"
#include "store/event_rows.h"
#include "store/schema.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SEGMENT_NAME_DIGITS 6

struct segment {
	struct sql *db;
	struct event_rows *events;
	struct sql_stmt *begin, *commit, *rollback, *pages;
	uint64_t number, created_ns;
	int64_t boot, page_size;
	char *boot_id;
	bool open;
};

int segment_path(char out[PATH_MAX], const char *dir, uint64_t number, struct err *e)
{
	int n = snprintf(out, PATH_MAX, "%s/%0*llu.db", dir, SEGMENT_NAME_DIGITS,
		(unsigned long long)number);
	if (n < 0 || n >= PATH_MAX)
		return err_set(e, ERR_LIMIT, "path too long: %s", dir);
	return 0;
}

/* "000012.db" to 12; false for anything else. */
static bool parse_name(const char *name, uint64_t *number)
{
	struct str s = str_from(name);
	if (!str_ends(s, STR(".db")) || s.n < SEGMENT_NAME_DIGITS + 3)
		return false;
	s.n -= 3;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return str_to_u64(s, number);
}

static uint64_t size_at(int dir, const char *name)
{
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
		return 0;
	return (uint64_t)st.st_size;
}

static uint64_t bytes_of(int dir, const char *name)
{
	char log[NAME_MAX + 8];
	snprintf(log, sizeof(log), "%s-wal", name);
	return size_at(dir, name) + size_at(dir, log);
}

static int by_number(const void *a, const void *b)
{
	const struct segment_file *x = a, *y = b;
	return (x->number > y->number) - (x->number < y->number);
}

static void auto_closedir(DIR **d)
{
	if (*d)
		closedir(*d);
}

void segment_list_fini(struct segment_list *l)
{
	vec_fini(&l->file);
}

int segment_list_read(struct segment_list *out, const char *dir, struct err *e)
{
	AUTO(segment_list_fini) struct segment_list l = { 0 };
	__attribute__((cleanup(auto_closedir))) DIR *d = opendir(dir);
	if (!d && errno != ENOENT)
		return err_set(e, ERR_SYS, "read folder %s", dir);
	struct dirent *de;
	while (d && (de = readdir(d))) {
		struct segment_file f;
		if (!parse_name(de->d_name, &f.number))
			continue;
		if (l.file.n == SEGMENT_MAX_FILES)
			return err_set(
				e, ERR_LIMIT, "%s: more than %d segments", dir, SEGMENT_MAX_FILES);
		f.bytes = bytes_of(dirfd(d), de->d_name);
		vec_push(&l.file, f);
	}
	if (l.file.n)
		qsort(l.file.p, l.file.n, sizeof(*l.file.p), by_number);
	*out = l;
	l = (struct segment_list){ 0 };
	return 0;
}

static int meta_set(struct sql *db, const char *key, uint64_t v, struct err *e)
{
	AUTO(sql_finalize) struct sql_stmt *s = NULL;
	if (sql_prepare(&s, db,
		    "INSERT INTO meta (key, value) VALUES (?1, ?2)"
		    " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
		    e))
		return -1;
	sql_bind_strz(s, 1, key);
	sql_bind_u64(s, 2, v);
	return sql_run(s, e);
}

/* Its age counts from when it was made, by whichever process. */
static int read_created(struct segment *s, struct err *e)
{
	int64_t created, sealed;
	if (sql_get_i64(s->db, "SELECT count(*) FROM meta WHERE key = 'sealed_ns'", &sealed, e) ||
		sql_get_i64(s->db,
			"SELECT coalesce((SELECT value FROM meta WHERE key = 'created_ns'), 0)",
			&created, e))
		return -1;
	if (sealed)
		return err_set(e, ERR_FORMAT, "it is sealed");
	s->created_ns = created > 0 ? (uint64_t)created : clock_real_ns();
	return created > 0 ? 0 : meta_set(s->db, "created_ns", s->created_ns, e);
}

static int prepare_all(struct segment *s, struct err *e)
{
	if (sql_prepare(&s->begin, s->db, "BEGIN IMMEDIATE", e) ||
		sql_prepare(&s->commit, s->db, "COMMIT", e) ||
		sql_prepare(&s->rollback, s->db, "ROLLBACK", e) ||
		sql_prepare(&s->pages, s->db, "PRAGMA page_count", e) ||
		sql_get_i64(s->db, "PRAGMA page_size", &s->page_size, e))
		return -1;
	return event_rows_open(&s->events, s->db, e);
}

int segment_open(struct segment **out, const char *dir, uint64_t number, const char *boot_id,
	const char *hostname, struct err *e)
{
	char path[PATH_MAX];
	if (segment_path(path, dir, number, e))
		return -1;
	AUTO(segment_close) struct segment *s = xcalloc(1, sizeof(*s));
	s->number = number;
	s->boot_id = xstrndup(boot_id, strlen(boot_id));
	if (schema_open(&s->db, path, &schema_segment, e))
		return -1;
	if (read_created(s, e) || boot_number(s->db, boot_id, hostname, &s->boot, e) ||
		prepare_all(s, e))
		return err_wrap(e, "event segment %s", path);
	*out = TAKE(s);
	return 0;
}

/* All but the connection. */
static void close_statements(struct segment *s)
{
	segment_rollback(s);
	sql_finalize(s->begin);
	sql_finalize(s->commit);
	sql_finalize(s->rollback);
	sql_finalize(s->pages);
	event_rows_close(s->events);
	s->begin = s->commit = s->rollback = s->pages = NULL;
	s->events = NULL;
}

void segment_close(struct segment *s)
{
	if (!s)
		return;
	close_statements(s);
	sql_close(s->db);
	free(s->boot_id);
	free(s);
}

int segment_put(struct segment *s, const struct record_event *r, struct err *e)
{
	if (!s->open && sql_run(s->begin, e))
		return -1;
	s->open = true;
	const struct event_entry entry = {
		.event = r->event,
		.boot = s->boot,
		.boot_id = str_from(s->boot_id),
		.container_id = str_from(r->container_id),
		.why = r->why,
	};
	return event_rows_insert(s->events, &entry, e) < 0 ? -1 : 0;
}

int segment_commit(struct segment *s, struct err *e)
{
	if (s->open && sql_run(s->commit, e))
		return -1;
	s->open = false;
	return 0;
}

void segment_rollback(struct segment *s)
{
	if (s->open)
		sql_run(s->rollback, NULL);
	s->open = false;
}

uint64_t segment_number(const struct segment *s)
{
	return s->number;
}

uint64_t segment_created_ns(const struct segment *s)
{
	return s->created_ns;
}

uint64_t segment_bytes(struct segment *s)
{
	int64_t pages = 0;
	if (sql_step(s->pages, NULL) == 1)
		pages = sql_i64(s->pages, 0);
	sql_reset(s->pages);
	return (uint64_t)(pages * s->page_size);
}

static int note_range(struct sql *db, uint64_t lost, struct err *e)
{
	static const struct {
		const char *key, *query;
	} facts[] = {
		{ "first_ts_ns", "SELECT coalesce(min(ts_ns), 0) FROM events" },
		{ "last_ts_ns", "SELECT coalesce(max(ts_ns), 0) FROM events" },
		/* Rows are only ever added. */
		{ "count", "SELECT coalesce(max(n), 0) FROM events" },
	};
	for (size_t i = 0; i < ARRAY_N(facts); i++) {
		int64_t v;
		if (sql_get_i64(db, facts[i].query, &v, e) ||
			meta_set(db, facts[i].key, (uint64_t)v, e))
			return -1;
	}
	return meta_set(db, "lost", lost, e) || meta_set(db, "sealed_ns", clock_real_ns(), e) ? -1
											      : 0;
}

int segment_seal(struct segment *s, uint64_t lost, struct err *e)
{
	int64_t busy;
	close_statements(s);
	int rc = sql_exec(s->db, "BEGIN IMMEDIATE", e) || note_range(s->db, lost, e) ||
				 sql_exec(s->db, "COMMIT", e) ||
				 sql_get_i64(s->db, "PRAGMA wal_checkpoint(TRUNCATE)", &busy, e)
			 ? -1
			 : 0;
	/*
	 * Without a log it is one file that opens from a read-only folder too. A reader that is in it now
	 * prevents that; it is as good with its log.
	 */
	if (!rc)
		sql_exec(s->db, "PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE", NULL);
	segment_close(s);
	return rc;
}
