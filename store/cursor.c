/* Queries over the tables of hullwatch.db, and their rows. */
#include "store/reader_impl.h"

#include <assert.h>
#include <stdlib.h>

enum cursor_kind {
	CURSOR_ALERTS,
	CURSOR_EVENTS,
	CURSOR_PROCESSES,
	CURSOR_LINEAGE,
	CURSOR_CONTAINERS,
	CURSOR_LOSSES,
	CURSOR_SOURCES,
};

struct store_cursor {
	enum cursor_kind kind;
	struct store_reader *r;
	struct sql_stmt *stmt;
	struct merge *merge; /* events */
	struct filter filter;
	uint64_t left;    /* rows until the limit */
	int64_t follow_n; /* of the last alert given */
	bool follows;
	/* Lineage: who is next. tgid 0: nobody. */
	struct process_key key;
	uint64_t exec_id;
};

/* NULL and *e on failure. */
static struct store_cursor *cursor_new(
	struct store_reader *r, enum cursor_kind kind, const struct store_query *q, struct err *e)
{
	if (reader_check(r, e))
		return NULL;
	if (r->cursors == STORE_MAX_CURSORS) {
		err_set(e, ERR_LIMIT, "more than %d queries at once", STORE_MAX_CURSORS);
		return NULL;
	}
	struct store_cursor *c = xcalloc(1, sizeof(*c));
	c->kind = kind;
	c->r = r;
	c->left = q && q->limit ? q->limit : UINT64_MAX;
	r->cursors++;
	return c;
}

void store_cursor_close(struct store_cursor *c)
{
	if (!c)
		return;
	sql_finalize(c->stmt);
	merge_close(c->merge);
	filter_close(&c->filter);
	c->r->cursors--;
	free(c);
}

/* `order` is what stands behind the conditions; `view` NULL: the query takes none. */
static int cursor_start(struct store_cursor **out, struct store_reader *r, enum cursor_kind kind,
	const struct store_query *q, struct select *s, const struct where_view *view,
	const char *order, struct err *e)
{
	AUTO(store_cursor_close) struct store_cursor *c = cursor_new(r, kind, q, e);
	if (!c || (view && filter_open(&c->filter, r, q->where, view, e)))
		return -1;
	if (c->filter.where)
		select_add_where(s, c->filter.where);
	select_add(s, order);
	if (select_prepare(&c->stmt, r->db, s, e))
		return -1;
	*out = TAKE(c);
	return 0;
}

uint64_t store_cursor_gave_up(const struct store_cursor *c)
{
	if (c->merge)
		return merge_gave_up(c->merge);
	return c->filter.where ? where_re_limits(c->filter.where) : 0;
}

/* 1 a row, 0 the end or the limit, -1. */
static int step(struct store_cursor *c, enum cursor_kind kind, struct err *e)
{
	assert(c->kind == kind);
	(void)kind;
	if (c->left == 0)
		return 0;
	if (reader_check(c->r, e))
		return -1;
	c->left--;
	return sql_step(c->stmt, e);
}

/* --- alerts --- */

static void add_alert_times(struct select *s, const struct store_query *q)
{
	/*
	 * In the order of n, which is nearly that of time: the bound on n makes it a range, the plus
	 * keeps the planner from sorting by the index on time instead.
	 */
	if (q->since_ns) {
		select_add_i64(s,
			" AND a.n >= (SELECT coalesce(min(n), 0) FROM alerts WHERE ts_ns >= ?)",
			(int64_t)q->since_ns);
		select_add_i64(s, " AND +a.ts_ns >= ?", (int64_t)q->since_ns);
	}
	if (q->until_ns)
		select_add_i64(s, " AND +a.ts_ns < ?", (int64_t)q->until_ns);
	if (q->after_n)
		select_add_i64(s, " AND a.n > ?", q->after_n);
	if (q->before_n)
		select_add_i64(s, " AND a.n < ?", q->before_n);
}

#define ALERT_COLUMNS                                                                              \
	"SELECT a.n, a.id, a.ts_ns, a.priority, a.severity, a.source, a.hostname, a.rule,"         \
	" a.output, a.tags, a.output_fields, a.event_id, b.boot_id, a.pid, a.start_ns, a.exec_id," \
	" a.container_id FROM alerts a CROSS JOIN boots b ON b.boot = a.boot"

int store_follow_alerts(
	struct store_cursor **out, struct store_reader *r, int64_t after_n, struct err *e)
{
	AUTO(select_fini) struct select s = SELECT_INIT;
	select_add_i64(&s, ALERT_COLUMNS " WHERE a.n > ? ORDER BY a.n", after_n);
	AUTO(store_cursor_close) struct store_cursor *c = cursor_new(r, CURSOR_ALERTS, NULL, e);
	if (!c || select_prepare(&c->stmt, r->db, &s, e))
		return -1;
	c->follows = true;
	c->follow_n = after_n;
	*out = TAKE(c);
	return 0;
}

int store_query_alerts(struct store_cursor **out, struct store_reader *r,
	const struct store_query *q, struct err *e)
{
	AUTO(select_fini) struct select s = SELECT_INIT;
	struct container_filter f;
	if (container_filter_find(&f, r, q->container, e))
		return -1;
	select_add(&s, ALERT_COLUMNS " WHERE 1");
	add_alert_times(&s, q);
	if (q->id.n)
		select_add_str(&s, " AND a.id = ?", q->id);
	if (q->rule.n)
		select_add_str(&s, " AND a.rule = ?", q->rule);
	if (q->pid)
		select_add_i64(&s, " AND +a.pid = ?", q->pid);
	if (q->by_priority)
		select_add_i64(&s, " AND a.priority <= ?", q->least_priority);
	container_filter_add(&f, &s, "+a.container_id");
	return cursor_start(out, r, CURSOR_ALERTS, q, &s, &where_alerts,
		q->newest_first ? " ORDER BY a.n DESC" : " ORDER BY a.n", e);
}

static enum priority priority_of(int64_t v)
{
	return v >= 0 && v < PRIORITY_N ? (enum priority)v : PRIORITY_DEBUG;
}

int store_next_alert(struct store_cursor *c, struct alert_row *row, struct err *e)
{
	struct sql_stmt *s = c->stmt;
	int rc = step(c, CURSOR_ALERTS, e);
	if (rc == 0 && c->follows)
		sql_bind_i64(s, 1, c->follow_n);
	if (rc <= 0)
		return rc;
	c->follow_n = sql_i64(s, 0);
	*row = (struct alert_row){
		.n = sql_i64(s, 0),
		.id = sql_str(s, 1),
		.ts_ns = (uint64_t)sql_i64(s, 2),
		.priority = priority_of(sql_i64(s, 3)),
		.severity = sql_str(s, 4),
		.source = sql_str(s, 5),
		.hostname = sql_str(s, 6),
		.rule = sql_str(s, 7),
		.output = sql_str(s, 8),
		.tags_json = sql_str(s, 9),
		.fields_json = sql_str(s, 10),
		.event_id = sql_str(s, 11),
		.boot_id = sql_str(s, 12),
		.key = { (uint32_t)sql_i64(s, 13), (uint64_t)sql_i64(s, 14) },
		.exec_id = (uint64_t)sql_i64(s, 15),
		.container_id = sql_str(s, 16),
	};
	return 1;
}

/* --- events --- */

int store_query_events(struct store_cursor **out, struct store_reader *r,
	const struct store_query *q, struct err *e)
{
	AUTO(store_cursor_close) struct store_cursor *c = cursor_new(r, CURSOR_EVENTS, q, e);
	if (!c || merge_open(&c->merge, r, q, e))
		return -1;
	*out = TAKE(c);
	return 0;
}

int store_next_event(struct store_cursor *c, struct event_row *row, struct err *e)
{
	assert(c->kind == CURSOR_EVENTS);
	if (c->left == 0)
		return 0;
	if (reader_check(c->r, e))
		return -1;
	c->left--;
	return merge_next(c->merge, row, e);
}

/* --- processes --- */

#define PROCESS_COLUMNS                                                                            \
	"SELECT b.boot_id, p.pid, p.start_ns, p.exec_id, p.parent_pid, p.parent_start_ns,"         \
	" p.parent_exec_id, p.ppid, p.vpid, p.sid, p.pgid, p.vpgid, p.exec_ts_ns, p.exit_ts_ns,"   \
	" p.exit_code, p.comm, p.exe, p.cmdline, p.args, p.cwd, p.cgroup, p.tty, p.uid, p.gid,"    \
	" p.euid, p.loginuid, p.sessionid, p.cap_effective, p.cap_permitted, p.cap_inheritable,"   \
	" p.ns_pid, p.ns_mnt, p.ns_net, p.ns_user, p.ns_cgroup, p.ns_uts, p.ns_ipc, p.exe_upper,"  \
	" p.exe_memfd, p.kthread, p.truncated, p.inherited, p.partial, p.container_id"

int store_query_processes(struct store_cursor **out, struct store_reader *r,
	const struct store_query *q, struct err *e)
{
	AUTO(select_fini) struct select s = SELECT_INIT;
	struct container_filter f;
	if (container_filter_find(&f, r, q->container, e))
		return -1;
	select_add(&s, PROCESS_COLUMNS
		", (SELECT count(*) FROM alerts a WHERE a.boot = p.boot AND a.pid = p.pid"
		" AND a.start_ns = p.start_ns AND a.exec_id = p.exec_id)"
		" FROM processes p CROSS JOIN boots b ON b.boot = p.boot WHERE 1");
	if (q->since_ns)
		select_add_i64(&s, " AND p.exec_ts_ns >= ?", (int64_t)q->since_ns);
	if (q->until_ns)
		select_add_i64(&s, " AND p.exec_ts_ns < ?", (int64_t)q->until_ns);
	if (q->pid)
		select_add_i64(&s, " AND p.pid = ?", q->pid);
	container_filter_add(&f, &s, "p.container_id");
	return cursor_start(out, r, CURSOR_PROCESSES, q, &s, &where_processes,
		q->newest_first ? " ORDER BY p.exec_ts_ns DESC, p.n DESC"
				: " ORDER BY p.exec_ts_ns, p.n",
		e);
}

int store_query_lineage(struct store_cursor **out, struct store_reader *r, struct str boot_id,
	struct process_key key, uint64_t exec_id, struct err *e)
{
	const struct store_query q = { .limit = PROCESS_MAX_LINEAGE };
	AUTO(store_cursor_close) struct store_cursor *c = cursor_new(r, CURSOR_LINEAGE, &q, e);
	if (!c || sql_prepare(&c->stmt, r->db,
			  PROCESS_COLUMNS ", 0 FROM boots b JOIN processes p ON p.boot = b.boot"
					  " WHERE b.boot_id = ?1 AND p.pid = ?2 AND p.start_ns = ?3"
					  " AND p.exec_id = ?4",
			  e))
		return -1;
	sql_bind_str(c->stmt, 1, boot_id);
	c->key = key;
	c->exec_id = exec_id;
	*out = TAKE(c);
	return 0;
}

static uint32_t or_unset(struct sql_stmt *s, int col)
{
	return sql_is_null(s, col) ? UINT32_MAX : (uint32_t)sql_i64(s, col);
}

static void read_process(struct sql_stmt *s, struct process_row *row)
{
	*row = (struct process_row){
		.boot_id = sql_str(s, 0),
		.key = { (uint32_t)sql_i64(s, 1), (uint64_t)sql_i64(s, 2) },
		.exec_id = (uint64_t)sql_i64(s, 3),
		.parent = { (uint32_t)sql_i64(s, 4), (uint64_t)sql_i64(s, 5) },
		.parent_exec_id = (uint64_t)sql_i64(s, 6),
		.ppid = (uint32_t)sql_i64(s, 7),
		.vpid = (uint32_t)sql_i64(s, 8),
		.sid = (uint32_t)sql_i64(s, 9),
		.pgid = (uint32_t)sql_i64(s, 10),
		.vpgid = (uint32_t)sql_i64(s, 11),
		.exec_ts_ns = (uint64_t)sql_i64(s, 12),
		.exited = !sql_is_null(s, 13),
		.exit_ts_ns = (uint64_t)sql_i64(s, 13),
		.exit_code = (int32_t)sql_i64(s, 14),
		.comm = sql_str(s, 15),
		.exe = sql_str(s, 16),
		.cmdline = sql_str(s, 17),
		.args_json = sql_str(s, 18),
		.cwd = sql_str(s, 19),
		.cgroup = sql_str(s, 20),
		.tty = (uint32_t)sql_i64(s, 21),
		.uid = (uint32_t)sql_i64(s, 22),
		.gid = (uint32_t)sql_i64(s, 23),
		.euid = (uint32_t)sql_i64(s, 24),
		.loginuid = or_unset(s, 25),
		.sessionid = or_unset(s, 26),
		.cap_effective = (uint64_t)sql_i64(s, 27),
		.cap_permitted = (uint64_t)sql_i64(s, 28),
		.cap_inheritable = (uint64_t)sql_i64(s, 29),
		.ns_pid = (uint32_t)sql_i64(s, 30),
		.ns_mnt = (uint32_t)sql_i64(s, 31),
		.ns_net = (uint32_t)sql_i64(s, 32),
		.ns_user = (uint32_t)sql_i64(s, 33),
		.ns_cgroup = (uint32_t)sql_i64(s, 34),
		.ns_uts = (uint32_t)sql_i64(s, 35),
		.ns_ipc = (uint32_t)sql_i64(s, 36),
		.exe_upper = sql_i64(s, 37) != 0,
		.exe_memfd = sql_i64(s, 38) != 0,
		.kthread = sql_i64(s, 39) != 0,
		.truncated = sql_i64(s, 40) != 0,
		.inherited = sql_i64(s, 41) != 0,
		.partial = sql_i64(s, 42) != 0,
		.container_id = sql_str(s, 43),
		.alerts_n = (uint64_t)sql_i64(s, 44),
	};
}

/* A loop of parents, in a file that somebody made up, ends at the limit. */
static int step_up(struct store_cursor *c, struct process_row *row, struct err *e)
{
	if (!c->key.tgid)
		return 0;
	sql_reset(c->stmt);
	sql_bind_i64(c->stmt, 2, c->key.tgid);
	sql_bind_u64(c->stmt, 3, c->key.start_ns);
	sql_bind_u64(c->stmt, 4, c->exec_id);
	int rc = step(c, CURSOR_LINEAGE, e);
	if (rc <= 0)
		return rc;
	read_process(c->stmt, row);
	c->key = row->parent;
	c->exec_id = row->parent_exec_id;
	return 1;
}

int store_next_process(struct store_cursor *c, struct process_row *row, struct err *e)
{
	if (c->kind == CURSOR_LINEAGE)
		return step_up(c, row, e);
	int rc = step(c, CURSOR_PROCESSES, e);
	if (rc > 0)
		read_process(c->stmt, row);
	return rc;
}

/* --- containers --- */

int store_query_containers(struct store_cursor **out, struct store_reader *r,
	const struct store_query *q, struct err *e)
{
	AUTO(select_fini) struct select s = SELECT_INIT;
	struct container_filter f;
	if (container_filter_find(&f, r, q->container, e))
		return -1;
	select_add(&s,
		"SELECT c.id, c.runtime, c.state, c.name, c.image, c.image_repo, c.image_tag,"
		" c.image_digest, c.image_id, c.user, c.k8s_pod, c.k8s_ns, c.mounts, c.labels,"
		" c.privileged, c.host_pid, c.host_network, c.host_ipc, c.init_pid, c.created_ns,"
		" c.first_seen_ns, c.last_seen_ns, (SELECT count(*) FROM alerts a"
		" WHERE a.container_id = c.id AND a.container_id <> '') FROM containers c WHERE 1");
	if (q->since_ns)
		select_add_i64(&s, " AND c.last_seen_ns >= ?", (int64_t)q->since_ns);
	if (q->until_ns)
		select_add_i64(&s, " AND c.first_seen_ns < ?", (int64_t)q->until_ns);
	container_filter_add(&f, &s, "c.id");
	return cursor_start(out, r, CURSOR_CONTAINERS, q, &s, NULL,
		q->newest_first ? " ORDER BY c.first_seen_ns DESC, c.id DESC"
				: " ORDER BY c.first_seen_ns, c.id",
		e);
}

int store_next_container(struct store_cursor *c, struct container_row *row, struct err *e)
{
	struct sql_stmt *s = c->stmt;
	int rc = step(c, CURSOR_CONTAINERS, e);
	if (rc <= 0)
		return rc;
	*row = (struct container_row){
		.id = sql_str(s, 0),
		.runtime = sql_str(s, 1),
		.state = sql_str(s, 2),
		.name = sql_str(s, 3),
		.image = sql_str(s, 4),
		.image_repo = sql_str(s, 5),
		.image_tag = sql_str(s, 6),
		.image_digest = sql_str(s, 7),
		.image_id = sql_str(s, 8),
		.user = sql_str(s, 9),
		.k8s_pod = sql_str(s, 10),
		.k8s_ns = sql_str(s, 11),
		.mounts_json = sql_str(s, 12),
		.labels_json = sql_str(s, 13),
		.privileged = sql_i64(s, 14) != 0,
		.host_pid = sql_i64(s, 15) != 0,
		.host_network = sql_i64(s, 16) != 0,
		.host_ipc = sql_i64(s, 17) != 0,
		.init_pid = (uint32_t)sql_i64(s, 18),
		.created_ns = (uint64_t)sql_i64(s, 19),
		.first_seen_ns = (uint64_t)sql_i64(s, 20),
		.last_seen_ns = (uint64_t)sql_i64(s, 21),
		.alerts_n = (uint64_t)sql_i64(s, 22),
	};
	return 1;
}

/* --- losses and sources --- */

int store_query_losses(struct store_cursor **out, struct store_reader *r,
	const struct store_query *q, struct err *e)
{
	AUTO(select_fini) struct select s = SELECT_INIT;
	select_add(&s, "SELECT ts_ns, place, class, cpu, count FROM losses WHERE 1");
	if (q->since_ns)
		select_add_i64(&s, " AND ts_ns >= ?", (int64_t)q->since_ns);
	if (q->until_ns)
		select_add_i64(&s, " AND ts_ns < ?", (int64_t)q->until_ns);
	if (q->class_name.n)
		select_add_str(&s, " AND class = ?", q->class_name);
	return cursor_start(out, r, CURSOR_LOSSES, q, &s, NULL,
		q->newest_first ? " ORDER BY ts_ns DESC, n DESC" : " ORDER BY ts_ns, n", e);
}

int store_next_loss(struct store_cursor *c, struct loss_row *row, struct err *e)
{
	struct sql_stmt *s = c->stmt;
	int rc = step(c, CURSOR_LOSSES, e);
	if (rc <= 0)
		return rc;
	int64_t cpu = sql_i64(s, 3);
	*row = (struct loss_row){
		.ts_ns = (uint64_t)sql_i64(s, 0),
		.where = sql_str(s, 1),
		.class_name = sql_str(s, 2),
		.cpu = cpu < 0 ? UINT32_MAX : (uint32_t)cpu,
		.count = (uint64_t)sql_i64(s, 4),
	};
	return 1;
}

int store_query_sources(struct store_cursor **out, struct store_reader *r,
	const struct store_query *q, struct err *e)
{
	AUTO(select_fini) struct select s = SELECT_INIT;
	select_add(&s, "SELECT ts_ns, source, detail, alive FROM sources"
		       " WHERE n IN (SELECT max(n) FROM sources GROUP BY source)");
	return cursor_start(out, r, CURSOR_SOURCES, q, &s, NULL, " ORDER BY source", e);
}

int store_next_source(struct store_cursor *c, struct source_row *row, struct err *e)
{
	struct sql_stmt *s = c->stmt;
	int rc = step(c, CURSOR_SOURCES, e);
	if (rc <= 0)
		return rc;
	*row = (struct source_row){
		.ts_ns = (uint64_t)sql_i64(s, 0),
		.source = sql_str(s, 1),
		.detail = sql_str(s, 2),
		.alive = sql_i64(s, 3) != 0,
	};
	return 1;
}
