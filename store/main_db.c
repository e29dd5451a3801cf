#include "store/main_db.h"

#include "base/clock.h"
#include "base/text.h"
#include "store/container_rows.h"
#include "store/event_rows.h"
#include "store/process_rows.h"
#include "store/schema.h"

#include <stdlib.h>

#define LOSS_SLOT_NS 10000000000ull

struct main_db {
	struct sql *db;
	int64_t boot;
	char *boot_id, *hostname;
	struct event_rows *events;
	struct process_rows *processes;
	struct container_rows *containers;
	struct sql_stmt *begin, *commit, *rollback, *alert, *loss, *state, *mark;
	bool open;
	int64_t last_alert_n, committed_alert_n;
};

static const struct {
	size_t at;
	const char *text;
} statements[] = {
	{ offsetof(struct main_db, begin), "BEGIN IMMEDIATE" },
	{ offsetof(struct main_db, commit), "COMMIT" },
	{ offsetof(struct main_db, rollback), "ROLLBACK" },
	{ offsetof(struct main_db, alert),
		"INSERT INTO alerts (id, ts_ns, priority, severity, source, hostname, rule, output,"
		" tags, output_fields, event_id, boot, event_cpu, event_seq, pid, start_ns, exec_id,"
		" container_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
		" ?15, ?16, ?17, ?18) ON CONFLICT (id) DO NOTHING" },
	{ offsetof(struct main_db, loss),
		"INSERT INTO losses (slot, ts_ns, boot, place, class, cpu, count)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
		" ON CONFLICT (slot, boot, place, class, cpu) DO UPDATE SET"
		" count = count + excluded.count" },
	{ offsetof(struct main_db, state),
		"INSERT INTO sources (ts_ns, boot, source, alive, detail)"
		" VALUES (?1, ?2, ?3, ?4, ?5)" },
	{ offsetof(struct main_db, mark),
		"INSERT INTO marks (boot, ring_id, pos0, pos1) VALUES (?1, ?2, ?3, ?4)"
		" ON CONFLICT (boot) DO UPDATE SET ring_id = excluded.ring_id,"
		" pos0 = excluded.pos0, pos1 = excluded.pos1" },
};

static struct sql_stmt **statement(struct main_db *m, size_t i)
{
	return (struct sql_stmt **)(void *)((char *)m + statements[i].at);
}

static int prepare_all(struct main_db *m, struct err *e)
{
	for (size_t i = 0; i < ARRAY_N(statements); i++) {
		if (sql_prepare(statement(m, i), m->db, statements[i].text, e))
			return -1;
	}
	if (event_rows_open(&m->events, m->db, e) ||
		process_rows_open(&m->processes, m->db, m->boot, e) ||
		container_rows_open(&m->containers, m->db, e))
		return -1;
	return 0;
}

int main_db_open(struct main_db **out, const char *path, const char *boot_id, const char *hostname,
	struct err *e)
{
	AUTO(main_db_close) struct main_db *m = xcalloc(1, sizeof(*m));
	m->boot_id = xstrndup(boot_id, strlen(boot_id));
	m->hostname = xstrndup(hostname, strlen(hostname));
	if (schema_open(&m->db, path, &schema_main, e))
		return -1;
	if (boot_number(m->db, boot_id, hostname, &m->boot, e) || prepare_all(m, e) ||
		sql_get_i64(m->db, "SELECT coalesce(max(n), 0) FROM alerts", &m->last_alert_n, e))
		return err_wrap(e, "%s", path);
	m->committed_alert_n = m->last_alert_n;
	*out = TAKE(m);
	return 0;
}

void main_db_close(struct main_db *m)
{
	if (!m)
		return;
	main_db_rollback(m);
	for (size_t i = 0; i < ARRAY_N(statements); i++)
		sql_finalize(*statement(m, i));
	event_rows_close(m->events);
	process_rows_close(m->processes);
	container_rows_close(m->containers);
	sql_close(m->db);
	free(m->boot_id);
	free(m->hostname);
	free(m);
}

int main_db_begin(struct main_db *m, struct err *e)
{
	if (sql_run(m->begin, e))
		return -1;
	m->open = true;
	return 0;
}

int main_db_commit(struct main_db *m, struct err *e)
{
	if (sql_run(m->commit, e))
		return -1;
	m->open = false;
	m->committed_alert_n = m->last_alert_n;
	return 0;
}

void main_db_rollback(struct main_db *m)
{
	if (!m->open)
		return;
	/* Some failures end the transaction by themselves; this one's failure says only that. */
	sql_run(m->rollback, NULL);
	m->open = false;
	m->last_alert_n = m->committed_alert_n;
	process_rows_forget(m->processes);
	container_rows_forget(m->containers);
}

int64_t main_db_last_alert(const struct main_db *m)
{
	return m->last_alert_n;
}

/* Whose doing it was: the event's process, else the youngest of the lineage. */
static bool alert_process(const struct alert *a, struct process_key *key, uint64_t *exec_id)
{
	if (a->event) {
		*key = a->event->key;
		*exec_id = a->event->exec_id;
	} else if (a->lineage && a->lineage->n) {
		*key = a->lineage->process[0].key;
		*exec_id = a->lineage->process[0].exec_id;
	} else {
		return false;
	}
	return key->tgid != 0;
}

static void bind_event(struct main_db *m, const struct alert *a, char id[EVENT_ID_LEN + 1])
{
	struct sql_stmt *s = m->alert;
	if (a->event) {
		event_make_id(a->event, str_from(m->boot_id), STR(""), id);
		sql_bind_strz(s, 11, id);
		sql_bind_i64(s, 13, a->event->cpu);
		sql_bind_u64(s, 14, a->event->seq);
		return;
	}
	sql_bind_null(s, 11);
	sql_bind_null(s, 13);
	sql_bind_null(s, 14);
}

static void bind_process(struct main_db *m, const struct alert *a)
{
	struct process_key key;
	uint64_t exec_id;
	struct sql_stmt *s = m->alert;
	if (alert_process(a, &key, &exec_id)) {
		sql_bind_i64(s, 15, key.tgid);
		sql_bind_u64(s, 16, key.start_ns);
		sql_bind_u64(s, 17, exec_id);
		return;
	}
	for (int i = 15; i <= 17; i++)
		sql_bind_null(s, i);
}

static struct str or_empty(const char *z, struct str empty)
{
	return z ? str_from(z) : empty;
}

static int insert_alert(struct main_db *m, const struct alert *a, struct err *e)
{
	struct sql_stmt *s = m->alert;
	char event_id[EVENT_ID_LEN + 1];
	sql_bind_strz(s, 1, a->id);
	sql_bind_u64(s, 2, a->ts_ns);
	sql_bind_i64(s, 3, a->priority);
	sql_bind_strz(s, 4, priority_severity(a->priority));
	sql_bind_str(s, 5, or_empty(a->source, STR("")));
	sql_bind_strz(s, 6, m->hostname);
	sql_bind_str(s, 7, or_empty(a->rule, STR("")));
	sql_bind_str(s, 8, or_empty(a->output, STR("")));
	sql_bind_str(s, 9, or_empty(a->tags_json, STR("[]")));
	sql_bind_str(s, 10, or_empty(a->fields_json, STR("{}")));
	bind_event(m, a, event_id);
	sql_bind_i64(s, 12, m->boot);
	bind_process(m, a);
	sql_bind_strz(s, 18, a->container ? a->container->id : "");
	if (sql_run(s, e))
		return -1;
	return sql_changes(m->db) > 0;
}

static int put_lineage(struct main_db *m, const struct alert *a, struct err *e)
{
	const struct event *ev = a->event;
	int64_t offset = ev ? (int64_t)(ev->ts_ns - ev->boot_ns) : clock_boot_to_real_offset_ns();
	for (size_t i = 0; i < a->lineage->n; i++) {
		struct str id = str_from(a->lineage->container_id[i]);
		if (process_rows_put(m->processes, &a->lineage->process[i], id, offset, e))
			return -1;
	}
	return 0;
}

int main_db_alert(struct main_db *m, const struct alert *a, bool *repeated, struct err *e)
{
	int rc = insert_alert(m, a, e);
	if (rc < 0)
		return -1;
	*repeated = rc == 0;
	/* It came with its event and lineage in one transaction: they are there as well. */
	if (*repeated)
		return 0;
	m->last_alert_n = sql_last_id(m->db);
	struct record_event r = { .event = a->event, .why = EVENT_WHY_ALERT };
	if (a->container)
		memcpy(r.container_id, a->container->id, sizeof(r.container_id));
	if (a->event && main_db_event(m, &r, e))
		return -1;
	if (a->lineage && put_lineage(m, a, e))
		return -1;
	return a->container ? container_rows_put(m->containers, a->container, a->ts_ns, false, e)
			    : 0;
}

int main_db_event(struct main_db *m, const struct record_event *r, struct err *e)
{
	const struct event_entry entry = {
		.event = r->event,
		.boot = m->boot,
		.boot_id = str_from(m->boot_id),
		.container_id = str_from(r->container_id),
		.why = r->why,
	};
	return event_rows_insert(m->events, &entry, e) < 0 ? -1 : 0;
}

int main_db_exit(struct main_db *m, const struct event *ev, struct err *e)
{
	return process_rows_exit(m->processes, ev, e);
}

int main_db_container(struct main_db *m, const struct container *c, struct err *e)
{
	return container_rows_put(m->containers, c, clock_real_ns(), true, e);
}

int main_db_loss(struct main_db *m, const struct record_loss *l, struct err *e)
{
	struct sql_stmt *s = m->loss;
	sql_bind_u64(s, 1, l->ts_ns / LOSS_SLOT_NS);
	sql_bind_u64(s, 2, l->ts_ns);
	sql_bind_i64(s, 3, m->boot);
	sql_bind_strz(s, 4, loss_where_name(l->where));
	sql_bind_strz(s, 5, event_class_name(l->class));
	sql_bind_i64(s, 6, l->cpu == UINT32_MAX ? -1 : (int64_t)l->cpu);
	sql_bind_u64(s, 7, l->count);
	return sql_run(s, e);
}

int main_db_state(struct main_db *m, const struct record_state *r, struct err *e)
{
	AUTO(buf_fini) struct buf detail = BUF_INIT(4096);
	struct sql_stmt *s = m->state;
	text_clean(&detail, str_from(r->detail));
	sql_bind_u64(s, 1, r->ts_ns);
	sql_bind_i64(s, 2, m->boot);
	sql_bind_strz(s, 3, r->source ? r->source : "");
	sql_bind_i64(s, 4, r->alive);
	sql_bind_str(s, 5, buf_str(&detail));
	return sql_run(s, e);
}

int main_db_mark(struct main_db *m, const struct record_mark *mark, struct err *e)
{
	struct sql_stmt *s = m->mark;
	sql_bind_i64(s, 1, m->boot);
	sql_bind_u64(s, 2, mark->ring_id);
	sql_bind_u64(s, 3, mark->pos[0]);
	sql_bind_u64(s, 4, mark->pos[1]);
	return sql_run(s, e);
}

bool main_db_last_mark(struct main_db *m, struct record_mark *out)
{
	AUTO(sql_finalize) struct sql_stmt *s = NULL;
	if (sql_prepare(&s, m->db, "SELECT ring_id, pos0, pos1 FROM marks WHERE boot = ?1", NULL))
		return false;
	sql_bind_i64(s, 1, m->boot);
	if (sql_step(s, NULL) != 1)
		return false;
	out->ring_id = (uint64_t)sql_i64(s, 0);
	out->pos[0] = (uint64_t)sql_i64(s, 1);
	out->pos[1] = (uint64_t)sql_i64(s, 2);
	return true;
}

int main_db_checkpoint(struct main_db *m, struct err *e)
{
	int64_t busy;
	return sql_get_i64(m->db, "PRAGMA wal_checkpoint(TRUNCATE)", &busy, e);
}

int main_db_checkpoint_passive(struct main_db *m, struct err *e)
{
	int64_t busy;
	return sql_get_i64(m->db, "PRAGMA wal_checkpoint(PASSIVE)", &busy, e);
}
