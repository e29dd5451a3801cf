/*
 * Events of hullwatch.db and of all segments as one sequence, by (time, CPU, sequence).
 *
 * Segments follow each other in time, with little overlap: each is opened only when the sequence
 * reaches its range, so that few are open at once, and closed at its end.
 */
#include "store/reader_impl.h"

#include "base/hash.h"
#include "store/schema.h"

#include <stdlib.h>

#define SEEN_N 4096 /* power of two */

enum stream_state { STREAM_WAITING, STREAM_ACTIVE, STREAM_DONE };

struct stream {
	enum stream_state state;
	uint64_t number; /* of the segment */
	bool is_main;
	uint64_t first_ns, last_ns;
	struct sql *db; /* owned; NULL: the reader's */
	struct sql_stmt *stmt;
	struct event_row row;
};

struct merge {
	struct store_reader *r;
	struct store_query q; /* strings in `arena` */
	struct container_filter containers;
	struct filter filter;
	struct arena *arena;
	VEC(struct stream) streams; /* hullwatch.db, then segments in the order they are reached */
	size_t current;             /* whose row was given last; SIZE_MAX: none */
	char last[EVENT_ID_LEN + 1];
	char seen[SEEN_N][EVENT_ID_LEN + 1];
};

static const char columns[] =
	"SELECT e.id, e.ts_ns, e.boot_ns, b.boot_id, e.cpu, e.seq, e.class, e.type, e.flags,"
	" e.pid, e.start_ns, e.exec_id, e.tid, e.uid, e.gid, e.nr, e.ret, e.comm, e.name, e.args,"
	" e.container_id, e.why, e.packed"
	/* Fixed order of the loops: rows must come sorted without sorting. */
	" FROM events e INDEXED BY events_time CROSS JOIN boots b ON b.boot = e.boot WHERE 1";

static int prepare_stream(struct merge *m, struct sql *db, struct sql_stmt **out, struct err *e)
{
	AUTO(select_fini) struct select s = SELECT_INIT;
	const struct store_query *q = &m->q;
	select_add(&s, columns);
	if (q->since_ns)
		select_add_i64(&s, " AND e.ts_ns >= ?", (int64_t)q->since_ns);
	if (q->until_ns)
		select_add_i64(&s, " AND e.ts_ns < ?", (int64_t)q->until_ns);
	if (q->id.n)
		select_add_str(&s, " AND e.id = ?", q->id);
	if (q->class_name.n)
		select_add_str(&s, " AND e.class = ?", q->class_name);
	if (q->pid)
		select_add_i64(&s, " AND e.pid = ?", q->pid);
	container_filter_add(&m->containers, &s, "e.container_id");
	if (m->filter.where)
		select_add_where(&s, m->filter.where);
	select_add(&s, q->newest_first ? " ORDER BY e.ts_ns DESC, e.cpu DESC, e.seq DESC"
				       : " ORDER BY e.ts_ns, e.cpu, e.seq");
	return select_prepare(out, db, &s, e);
}

static void read_row(struct sql_stmt *s, struct event_row *row)
{
	*row = (struct event_row){
		.id = sql_str(s, 0),
		.ts_ns = (uint64_t)sql_i64(s, 1),
		.boot_ns = (uint64_t)sql_i64(s, 2),
		.boot_id = sql_str(s, 3),
		.cpu = (uint32_t)sql_i64(s, 4),
		.seq = (uint64_t)sql_i64(s, 5),
		.class_name = sql_str(s, 6),
		.type = sql_str(s, 7),
		.flags = (uint32_t)sql_i64(s, 8),
		.key = { (uint32_t)sql_i64(s, 9), (uint64_t)sql_i64(s, 10) },
		.exec_id = (uint64_t)sql_i64(s, 11),
		.tid = (uint32_t)sql_i64(s, 12),
		.uid = (uint32_t)sql_i64(s, 13),
		.gid = (uint32_t)sql_i64(s, 14),
		.nr = (int32_t)sql_i64(s, 15),
		.ret = sql_i64(s, 16),
		.comm = sql_str(s, 17),
		.name = sql_str(s, 18),
		.args = sql_str(s, 19),
		.container_id = sql_str(s, 20),
		.why = sql_str(s, 21),
		.packed = sql_str(s, 22),
	};
}

static void end_stream(struct stream *st)
{
	sql_finalize(st->stmt);
	sql_close(st->db);
	st->stmt = NULL;
	st->db = NULL;
	st->state = STREAM_DONE;
}

/* A segment that cannot be read costs its rows; hullwatch.db, or a deadline, ends the query. */
static int stream_failed(struct merge *m, struct stream *st, const struct err *why, struct err *e)
{
	end_stream(st);
	if (st->is_main || why->code == ERR_LIMIT) {
		if (e)
			*e = *why;
		return -1;
	}
	/* Retention took it meanwhile. */
	if (why->code != ERR_NOT_FOUND)
		m->r->skipped++;
	return 0;
}

static int advance(struct merge *m, struct stream *st, struct err *e)
{
	struct err why = { 0 };
	int rc = sql_step(st->stmt, &why);
	if (rc < 0)
		return stream_failed(m, st, &why, e);
	if (rc == 0)
		end_stream(st);
	else
		read_row(st->stmt, &st->row);
	return 0;
}

static int open_segment_db(struct store_reader *r, uint64_t number, struct sql **out, struct err *e)
{
	char path[PATH_MAX];
	if (segment_path(path, r->events_dir, number, e) ||
		schema_open_read(out, path, &schema_segment, e))
		return -1;
	if (sql_register(*out, where_functions, e)) {
		sql_close(TAKE(*out));
		return -1;
	}
	reader_watch(r, *out);
	return 0;
}

static int start_stream(struct merge *m, struct stream *st, struct err *e)
{
	struct err why = { 0 };
	struct sql *db = m->r->db;
	if (!st->is_main) {
		if (open_segment_db(m->r, st->number, &st->db, &why))
			return stream_failed(m, st, &why, e);
		db = st->db;
	}
	if (prepare_stream(m, db, &st->stmt, &why))
		return stream_failed(m, st, &why, e);
	st->state = STREAM_ACTIVE;
	return advance(m, st, e);
}

/* --- which segments there are --- */

static const struct segment_range *known_range(const struct store_reader *r, uint64_t number)
{
	for (size_t i = 0; i < r->ranges.n; i++) {
		if (r->ranges.p[i].number == number)
			return &r->ranges.p[i];
	}
	return NULL;
}

/* 1 and *range, 0 when it is empty, -1 and *e. */
static int look_up_range(
	struct store_reader *r, uint64_t number, struct segment_range *range, struct err *e)
{
	AUTO(sql_close) struct sql *db = NULL;
	AUTO(sql_finalize) struct sql_stmt *st = NULL;
	if (open_segment_db(r, number, &db, e) ||
		sql_prepare(&st, db,
			"SELECT (SELECT min(ts_ns) FROM events), (SELECT max(ts_ns) FROM events),"
			" (SELECT count(*) FROM meta WHERE key = 'sealed_ns')",
			e))
		return -1;
	int rc = sql_step(st, e);
	if (rc < 0)
		return -1;
	bool sealed = sql_i64(st, 2) > 0;
	if (rc == 0 || sql_is_null(st, 0))
		return 0;
	/* One that is still written may grow while we read. */
	*range = (struct segment_range){
		.number = number,
		.first_ns = (uint64_t)sql_i64(st, 0),
		.last_ns = sealed ? (uint64_t)sql_i64(st, 1) : UINT64_MAX,
	};
	if (sealed)
		vec_push(&r->ranges, *range);
	return 1;
}

static int add_segment(struct merge *m, uint64_t number, struct err *e)
{
	struct err why = { 0 };
	struct segment_range range;
	const struct segment_range *known = known_range(m->r, number);
	if (known) {
		range = *known;
	} else {
		int rc = look_up_range(m->r, number, &range, &why);
		struct stream none = { .is_main = false };
		if (rc < 0)
			return stream_failed(m, &none, &why, e);
		if (rc == 0)
			return 0;
	}
	if ((m->q.since_ns && range.last_ns < m->q.since_ns) ||
		(m->q.until_ns && range.first_ns >= m->q.until_ns))
		return 0;
	struct stream st = {
		.number = number,
		.first_ns = range.first_ns,
		.last_ns = range.last_ns,
	};
	vec_push(&m->streams, st);
	return 0;
}

static int by_first(const void *a, const void *b)
{
	const struct stream *x = a, *y = b;
	return (x->first_ns > y->first_ns) - (x->first_ns < y->first_ns);
}

static int by_last_down(const void *a, const void *b)
{
	const struct stream *x = a, *y = b;
	return (x->last_ns < y->last_ns) - (x->last_ns > y->last_ns);
}

static int add_segments(struct merge *m, struct err *e)
{
	AUTO(segment_list_fini) struct segment_list l = { 0 };
	if (!m->r->events_dir)
		return 0;
	if (segment_list_read(&l, m->r->events_dir, e))
		return -1;
	for (size_t i = 0; i < l.file.n; i++) {
		if (reader_check(m->r, e) || add_segment(m, l.file.p[i].number, e))
			return -1;
	}
	if (m->streams.n > 1)
		qsort(m->streams.p + 1, m->streams.n - 1, sizeof(*m->streams.p),
			m->q.newest_first ? by_last_down : by_first);
	return 0;
}

/* --- the sequence --- */

static int compare(const struct event_row *a, const struct event_row *b)
{
	if (a->ts_ns != b->ts_ns)
		return a->ts_ns < b->ts_ns ? -1 : 1;
	if (a->cpu != b->cpu)
		return a->cpu < b->cpu ? -1 : 1;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

static bool comes_before(const struct merge *m, const struct stream *a, const struct stream *b)
{
	int c = compare(&a->row, &b->row);
	return m->q.newest_first ? c > 0 : c < 0;
}

static size_t first_active(const struct merge *m)
{
	size_t best = SIZE_MAX;
	for (size_t i = 0; i < m->streams.n; i++) {
		if (m->streams.p[i].state != STREAM_ACTIVE)
			continue;
		if (best == SIZE_MAX || comes_before(m, &m->streams.p[i], &m->streams.p[best]))
			best = i;
	}
	return best;
}

static bool is_reached(const struct merge *m, const struct stream *st, size_t best)
{
	if (best == SIZE_MAX)
		return true;
	uint64_t now = m->streams.p[best].row.ts_ns;
	return m->q.newest_first ? st->last_ns >= now : st->first_ns <= now;
}

/* Opens what the sequence has come to. Returns the stream with the next row, SIZE_MAX at the end. */
static int choose(struct merge *m, size_t *out, struct err *e)
{
	size_t best = first_active(m);
	for (size_t i = 0; i < m->streams.n; i++) {
		struct stream *st = &m->streams.p[i];
		if (st->state != STREAM_WAITING)
			continue;
		if (!is_reached(m, st, best))
			break;
		if (start_stream(m, st, e))
			return -1;
		best = first_active(m);
	}
	*out = best;
	return 0;
}

/*
 * The same event in two files has the same place, so it follows itself. After a restart it may
 * have been given a slightly other time; for that the ids of the neighbourhood are remembered.
 */
static bool is_repeat(struct merge *m, struct str id)
{
	char *cell = m->seen[hash_quick(id.p, id.n, 0) & (SEEN_N - 1)];
	if (id.n > EVENT_ID_LEN)
		return false;
	bool repeat = str_eqz(id, m->last) || str_eqz(id, cell);
	memset(cell, 0, EVENT_ID_LEN + 1);
	memcpy(cell, id.p, id.n);
	memcpy(m->last, cell, sizeof(m->last));
	return repeat;
}

int merge_next(struct merge *m, struct event_row *row, struct err *e)
{
	do {
		if (m->current != SIZE_MAX && advance(m, &m->streams.p[m->current], e))
			return -1;
		if (choose(m, &m->current, e))
			return -1;
		if (m->current == SIZE_MAX)
			return 0;
	} while (is_repeat(m, m->streams.p[m->current].row.id));
	*row = m->streams.p[m->current].row;
	return 1;
}

static int copy_query(struct merge *m, const struct store_query *q, struct err *e)
{
	m->q = *q;
	m->q.container = arena_str(m->arena, q->container);
	m->q.id = arena_str(m->arena, q->id);
	m->q.class_name = arena_str(m->arena, q->class_name);
	if (!m->q.container.p || !m->q.id.p || !m->q.class_name.p)
		return err_set(e, ERR_LIMIT, "query too long");
	m->q.where = (struct str){ 0 };
	if (filter_open(&m->filter, m->r, q->where, &where_events, e))
		return -1;
	return container_filter_find(&m->containers, m->r, m->q.container, e);
}

int merge_open(
	struct merge **out, struct store_reader *r, const struct store_query *q, struct err *e)
{
	AUTO(merge_close) struct merge *m = xcalloc(1, sizeof(*m));
	m->r = r;
	m->current = SIZE_MAX;
	m->arena = arena_new(1 << 16);
	if (copy_query(m, q, e))
		return -1;
	struct stream main_stream = { .is_main = true, .last_ns = UINT64_MAX };
	vec_push(&m->streams, main_stream);
	if (add_segments(m, e))
		return -1;
	*out = TAKE(m);
	return 0;
}

uint64_t merge_gave_up(const struct merge *m)
{
	return m->filter.where ? where_re_limits(m->filter.where) : 0;
}

void merge_close(struct merge *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->streams.n; i++)
		end_stream(&m->streams.p[i]);
	vec_fini(&m->streams);
	filter_close(&m->filter);
	arena_free(m->arena);
	free(m);
}
