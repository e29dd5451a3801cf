#include "store/event_rows.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>

enum {
	EVENT_MAX_TEXT = 1 << 18, /* name and args of one event, escaped */
	EVENT_MAX_PACKED = 1 << 21,
};

struct event_rows {
	struct sql *db;
	struct sql_stmt *insert;
	struct buf name, args, packed, comm; /* kept between rows for their memory */
};

static const char insert_sql[] =
	"INSERT INTO events (id, ts_ns, boot, boot_ns, cpu, seq, class, type, flags, pid,"
	" start_ns, exec_id, tid, uid, gid, nr, ret, comm, name, args, container_id, why, packed)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
	" ?19, ?20, ?21, ?22, ?23) ON CONFLICT (boot, cpu, seq) DO NOTHING";

int event_rows_open(struct event_rows **out, struct sql *db, struct err *e)
{
	AUTO(event_rows_close) struct event_rows *t = xcalloc(1, sizeof(*t));
	t->db = db;
	t->name.max = t->args.max = t->comm.max = EVENT_MAX_TEXT;
	t->packed.max = EVENT_MAX_PACKED;
	if (sql_prepare(&t->insert, db, insert_sql, e))
		return -1;
	*out = TAKE(t);
	return 0;
}

void event_rows_close(struct event_rows *t)
{
	if (!t)
		return;
	sql_finalize(t->insert);
	buf_fini(&t->name);
	buf_fini(&t->args);
	buf_fini(&t->comm);
	buf_fini(&t->packed);
	free(t);
}

/* What the event is about: a path, a program, the two ends of a socket. */
static void put_name(struct buf *b, const struct event *ev)
{
	switch (ev->class) {
	case EVENT_OPEN:
		text_clean(b, event_str(ev, ev->open.path.len ? ev->open.path : ev->open.user));
		break;
	case EVENT_EXEC:
	case EVENT_SEED:
		text_clean(b, event_str(ev, ev->exec.exe.len ? ev->exec.exe : ev->exec.file));
		break;
	case EVENT_CONNECT:
	case EVENT_ACCEPT:
	case EVENT_BIND:
	case EVENT_LISTEN:
	case EVENT_SOCKET:
		event_net_tuple(b, ev);
		break;
	case EVENT_CGROUP:
		text_clean(b, event_str(ev, ev->cgroup.path));
		break;
	case EVENT_NONE:
	case EVENT_FORK:
	case EVENT_EXIT:
	case EVENT_CLASS_N:
		break;
	}
}

/* A unix socket's name comes from the caller: clean it as a whole, in place of the buffer. */
static void clean_in_place(struct buf *b)
{
	if (text_is_clean(buf_str(b)))
		return;
	struct buf clean = BUF_INIT(b->max);
	text_clean(&clean, buf_str(b));
	buf_fini(b);
	*b = clean;
}

static void fill_texts(struct event_rows *t, const struct event *ev)
{
	buf_reset(&t->name);
	buf_reset(&t->args);
	buf_reset(&t->comm);
	buf_reset(&t->packed);
	put_name(&t->name, ev);
	clean_in_place(&t->name);
	event_args_text(&t->args, ev);
	text_clean(&t->comm, str_of(ev->comm, strnlen(ev->comm, sizeof(ev->comm))));
	event_pack(&t->packed, ev);
}

static const char *why_name(enum event_why why)
{
	static const char *const names[] = {
		[EVENT_WHY_ALERT] = "alert",
		[EVENT_WHY_BEFORE] = "before",
		[EVENT_WHY_ALL] = "all",
	};
	return (size_t)why < ARRAY_N(names) ? names[why] : "all";
}

int event_rows_insert(struct event_rows *t, const struct event_entry *in, struct err *e)
{
	const struct event *ev = in->event;
	struct sql_stmt *s = t->insert;
	char id[EVENT_ID_LEN + 1];
	event_make_id(ev, in->boot_id, STR(""), id);
	fill_texts(t, ev);
	sql_bind_strz(s, 1, id);
	sql_bind_u64(s, 2, ev->ts_ns);
	sql_bind_i64(s, 3, in->boot);
	sql_bind_u64(s, 4, ev->boot_ns);
	sql_bind_i64(s, 5, ev->cpu);
	sql_bind_u64(s, 6, ev->seq);
	sql_bind_strz(s, 7, event_class_name(ev->class));
	sql_bind_strz(s, 8, event_type_name(ev));
	sql_bind_i64(s, 9, ev->flags);
	sql_bind_i64(s, 10, ev->key.tgid);
	sql_bind_u64(s, 11, ev->key.start_ns);
	sql_bind_u64(s, 12, ev->exec_id);
	sql_bind_i64(s, 13, ev->tid);
	sql_bind_i64(s, 14, ev->uid);
	sql_bind_i64(s, 15, ev->gid);
	sql_bind_i64(s, 16, ev->nr);
	sql_bind_i64(s, 17, ev->ret);
	sql_bind_str(s, 18, buf_str(&t->comm));
	sql_bind_str(s, 19, buf_str(&t->name));
	sql_bind_str(s, 20, buf_str(&t->args));
	sql_bind_str(s, 21, in->container_id);
	sql_bind_strz(s, 22, why_name(in->why));
	sql_bind_blob(s, 23, buf_str(&t->packed));
	if (sql_run(s, e))
		return -1;
	return sql_changes(t->db) > 0;
}

int boot_number(
	struct sql *db, const char *boot_id, const char *hostname, int64_t *boot, struct err *e)
{
	AUTO(sql_finalize) struct sql_stmt *add = NULL, *find = NULL;
	if (sql_prepare(&add, db,
		    "INSERT INTO boots (boot_id, hostname, first_seen_ns)"
		    " VALUES (?1, ?2, ?3)",
		    e) ||
		sql_prepare(&find, db, "SELECT boot FROM boots WHERE boot_id = ?1", e))
		return -1;
	sql_bind_strz(find, 1, boot_id);
	int rc = sql_step(find, e);
	if (rc == 0) {
		sql_bind_strz(add, 1, boot_id);
		sql_bind_strz(add, 2, hostname);
		sql_bind_u64(add, 3, clock_real_ns());
		rc = sql_run(add, e) ? -1 : sql_step(find, e);
	}
	if (rc < 0)
		return -1;
	if (rc == 0)
		return err_set(e, ERR_FORMAT, "table boots refuses a row");
	*boot = sql_i64(find, 0);
	return 0;
}
