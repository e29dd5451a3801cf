#include "store/reader.h"

#include "base/clock.h"
#include "store/reader_impl.h"
#include "store/schema.h"
#include "store/writer.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#define PROGRESS_STEPS 2000 /* of the virtual machine, between two looks at the clock */

static bool is_over(const struct store_reader *r)
{
	uint64_t deadline = atomic_load(&r->deadline_ns);
	return atomic_load(&r->cancelled) || (deadline && clock_mono_ns() >= deadline);
}

int reader_check(struct store_reader *r, struct err *e)
{
	if (atomic_load(&r->cancelled))
		return err_set(e, ERR_LIMIT, "the query was cancelled");
	if (is_over(r))
		return err_set(e, ERR_LIMIT, "the query took too long");
	return 0;
}

static int on_progress(void *ctx)
{
	return is_over(ctx);
}

void reader_watch(struct store_reader *r, struct sql *db)
{
	sql_progress(db, PROGRESS_STEPS, on_progress, r);
}

void store_reader_deadline(struct store_reader *r, uint64_t mono_ns)
{
	atomic_store(&r->cancelled, false);
	atomic_store(&r->deadline_ns, mono_ns);
}

void store_reader_cancel(struct store_reader *r)
{
	atomic_store(&r->cancelled, true);
}

uint32_t store_reader_skipped(const struct store_reader *r)
{
	return r->skipped;
}

static int open_paths(struct store_reader *r, const char *path, struct err *e)
{
	char db_path[PATH_MAX], events[PATH_MAX];
	struct stat st;
	if (stat(path, &st))
		return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYS,
			errno == ENOENT ? "%s is not there: nothing has been stored yet"
					: "open %s",
			path);
	if (!S_ISDIR(st.st_mode))
		return schema_open_read(&r->db, path, &schema_main, e);
	int a = snprintf(db_path, sizeof(db_path), "%s/%s", path, STORE_DB_NAME);
	int b = snprintf(events, sizeof(events), "%s/%s", path, STORE_EVENTS_DIR);
	if (a < 0 || (size_t)a >= sizeof(db_path) || b < 0 || (size_t)b >= sizeof(events))
		return err_set(e, ERR_LIMIT, "path too long: %s", path);
	r->events_dir = xstrndup(events, strlen(events));
	return schema_open_read(&r->db, db_path, &schema_main, e);
}

int store_reader_open(struct store_reader **out, const char *path, struct err *e)
{
	AUTO(store_reader_close) struct store_reader *r = xcalloc(1, sizeof(*r));
	if (open_paths(r, path, e) || sql_register(r->db, where_functions, e))
		return -1;
	reader_watch(r, r->db);
	*out = TAKE(r);
	return 0;
}

int store_reader_open_on(struct store_reader **out, struct sql *db, struct err *e)
{
	if (sql_register(db, where_functions, e))
		return -1;
	struct store_reader *r = xcalloc(1, sizeof(*r));
	r->db = db;
	reader_watch(r, db);
	*out = r;
	return 0;
}

void store_reader_close(struct store_reader *r)
{
	if (!r)
		return;
	assert(r->cursors == 0);
	sql_close(r->db);
	vec_fini(&r->ranges);
	free(r->events_dir);
	free(r);
}

int store_reader_last_alert(struct store_reader *r, int64_t *n, struct err *e)
{
	return sql_get_i64(r->db, "SELECT coalesce(max(n), 0) FROM alerts", n, e);
}

static uint64_t file_bytes(const struct store_reader *r)
{
	int64_t pages = 0, size = 0;
	if (sql_get_i64(r->db, "PRAGMA page_count", &pages, NULL) ||
		sql_get_i64(r->db, "PRAGMA page_size", &size, NULL))
		return 0;
	return (uint64_t)(pages * size);
}

static int count_main(struct store_reader *r, struct store_counts *c, struct err *e)
{
	const struct {
		const char *query;
		uint64_t *to;
	} facts[] = {
		{ "SELECT count(*) FROM alerts", &c->alerts },
		{ "SELECT count(*) FROM events", &c->events },
		{ "SELECT count(*) FROM processes", &c->processes },
		{ "SELECT count(*) FROM containers", &c->containers },
		{ "SELECT coalesce(sum(count), 0) FROM losses", &c->lost },
		{ "SELECT coalesce(min(ts_ns), 0) FROM alerts", &c->oldest_ns },
		{ "SELECT coalesce(max(ts_ns), 0) FROM alerts", &c->newest_ns },
	};
	for (size_t i = 0; i < ARRAY_N(facts); i++) {
		int64_t v;
		if (sql_get_i64(r->db, facts[i].query, &v, e))
			return -1;
		*facts[i].to = (uint64_t)v;
	}
	return 0;
}

/* Rows of a segment are only added, so the last number is the count. */
static void count_segment(struct store_reader *r, uint64_t number, struct store_counts *c)
{
	char path[PATH_MAX];
	int64_t n = 0;
	AUTO(sql_close) struct sql *db = NULL;
	if (segment_path(path, r->events_dir, number, NULL) ||
		schema_open_read(&db, path, &schema_segment, NULL) ||
		sql_get_i64(db, "SELECT coalesce(max(n), 0) FROM events", &n, NULL))
		return;
	c->events += (uint64_t)n;
}

int store_reader_counts(struct store_reader *r, struct store_counts *out, struct err *e)
{
	AUTO(segment_list_fini) struct segment_list l = { 0 };
	struct store_counts c = { .db_bytes = file_bytes(r) };
	if (count_main(r, &c, e) || (r->events_dir && segment_list_read(&l, r->events_dir, e)))
		return -1;
	for (size_t i = 0; i < l.file.n; i++) {
		if (reader_check(r, e))
			return -1;
		c.segments++;
		c.segment_bytes += l.file.p[i].bytes;
		count_segment(r, l.file.p[i].number, &c);
	}
	*out = c;
	return 0;
}
