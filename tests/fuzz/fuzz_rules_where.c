/* Conditions as SQL: what compiles is valid SQL, and rows can be asked by it. */
#include "base/sql.h"
#include "rules/where.h"
#include "store/schema.h"

#include <stdlib.h>

static const struct {
	const struct where_view *view;
	const char *query;
} views[] = {
	{ &where_events, "SELECT e.n FROM events e JOIN boots b ON b.boot = e.boot WHERE (" },
	{ &where_alerts, "SELECT a.n FROM alerts a JOIN boots b ON b.boot = a.boot WHERE (" },
	{ &where_processes, "SELECT p.n FROM processes p JOIN boots b ON b.boot = p.boot WHERE (" },
};

/* One of each, with packed bytes that are no event and JSON that is none. */
static const char rows[] =
	"INSERT INTO boots VALUES (1, 'b', 'h', 1);"
	"INSERT INTO events (n, id, ts_ns, boot, boot_ns, cpu, seq, class, type, flags, pid,"
	" start_ns, exec_id, tid, uid, gid, nr, ret, comm, name, args, container_id, why, packed)"
	" VALUES (1, 'i', 1, 1, 1, 0, 1, 'open', 'openat', 0, 9, 9, 1, 9, 0, 0, 257, 3, 'sh',"
	" '/etc/x', 'fd=3', '', 'all', x'4501');"
	"INSERT INTO alerts (id, ts_ns, priority, severity, source, hostname, rule, output, tags,"
	" output_fields, event_id, boot, event_cpu, event_seq, pid, start_ns, exec_id, container_id)"
	" VALUES ('a', 1, 4, 'medium', 'syscall', 'h', 'R', 'out', '[\"t\", 1', '{', 'i', 1, 0, 1,"
	" 9, 9, 1, 'c');";

static struct sql *database(void)
{
	static struct sql *db;

	if (db)
		return db;
	if (sql_open(&db, ":memory:", SQL_CREATE, 0, NULL) ||
		sql_exec(db, schema_main.create, NULL) || sql_exec(db, rows, NULL) ||
		sql_register(db, where_functions, NULL))
		abort();
	return db;
}

static bool give_process(void *ctx, struct str boot_id, struct process_key key, uint64_t exec_id,
	struct process *out, uint64_t *exec_ts_ns)
{
	(void)ctx, (void)boot_id;
	*out = (struct process){ .key = key,
		.exec_id = exec_id,
		.comm = "sh",
		.exe = STR("/bin/sh"),
		.args = STR("sh\0-c\0id\0") };
	*exec_ts_ns = 5;
	return true;
}

static void ask(const struct where *w, const char *query)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(4u << 20);
	AUTO(sql_finalize) struct sql_stmt *s = NULL;
	struct err e = { 0 };

	buf_puts(&b, query);
	buf_put_str(&b, where_sql(w));
	buf_puts(&b, ")");
	if (sql_prepare(&s, database(), buf_cstr(&b), &e))
		abort();
	where_bind(w, s, 1);
	if (sql_run(s, &e))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct where_source source = { .process = give_process };

	for (size_t i = 0; i < ARRAY_N(views); i++) {
		AUTO(where_free) struct where *w = NULL;
		struct err e = { 0 };

		if (where_compile(&w, str_of(data, n), views[i].view, 1000000000, &e)) {
			if (e.code != ERR_CONFIG || !e.msg[0])
				abort();
			continue;
		}
		where_set_source(w, &source);
		ask(w, views[i].query);
	}
	return 0;
}
