/* Which names the views of the store have, and what they are there. */
#include "rules/where_impl.h"

#define P WHERE_F_PLAIN
#define N WHERE_F_NULL

/* As container.id and container.full_id show it. */
#define SHORT_ID(t)                                                                                \
	"CASE WHEN " t ".container_id = '' THEN 'host' WHEN length(" t ".container_id) = 64"       \
	" THEN substr(" t ".container_id, 1, 12) ELSE " t ".container_id END"
#define FULL_ID(t) "CASE " t ".container_id WHEN '' THEN 'host' ELSE " t ".container_id END"

/* Values that the rule's output had; nothing else of the store holds them. */
#define OUTPUT_FIELD(name)                                                                         \
	"CASE WHEN json_valid(a.output_fields)"                                                    \
	" THEN json_extract(a.output_fields, '$.\"" name "\"') END"

static bool is_name(const struct field *f)
{
	return strcmp(f->name, "user.name") == 0 || strcmp(f->name, "user.loginname") == 0 ||
	       strcmp(f->name, "group.name") == 0;
}

static bool events_have(const struct field *f)
{
	return !is_name(f);
}

static const struct where_column event_columns[] = {
	{ "time", FIELD_ABSTIME, P, "e.ts_ns" },
	{ "evt.time", FIELD_ABSTIME, P, "e.ts_ns" },
	{ "evt.rawtime", FIELD_ABSTIME, P, "e.ts_ns" },
	{ "class", FIELD_STR, P, "e.class" },
	{ "type", FIELD_STR, P, "e.type" },
	{ "evt.type", FIELD_STR, P, "e.type" },
	{ "result", FIELD_INT, P, "e.ret" },
	{ "evt.rawres", FIELD_INT, P | N, "CASE e.class WHEN 'exit' THEN NULL ELSE e.ret END" },
	{ "syscall", FIELD_INT, P, "e.nr" },
	{ "comm", FIELD_STR, P, "e.comm" },
	{ "name", FIELD_STR, P, "e.name" },
	{ "args", FIELD_STR, P, "e.args" },
	{ "pid", FIELD_INT, P, "e.pid" },
	{ "proc.pid", FIELD_INT, P, "e.pid" },
	{ "tid", FIELD_INT, P, "e.tid" },
	{ "thread.tid", FIELD_INT, P, "e.tid" },
	{ "uid", FIELD_INT, P, "e.uid" },
	{ "user.uid", FIELD_INT, P, "e.uid" },
	{ "gid", FIELD_INT, P, "e.gid" },
	{ "group.gid", FIELD_INT, P, "e.gid" },
	{ "cpu", FIELD_INT, P, "e.cpu" },
	{ "evt.cpu", FIELD_INT, P, "e.cpu" },
	{ "sequence", FIELD_INT, P, "e.seq" },
	{ "exec_id", FIELD_INT, P, "e.exec_id" },
	{ "container_id", FIELD_STR, P, "e.container_id" },
	{ "container.id", FIELD_STR, P, SHORT_ID("e") },
	{ "container.full_id", FIELD_STR, P, FULL_ID("e") },
	{ "hostname", FIELD_STR, P, "b.hostname" },
	{ "evt.hostname", FIELD_STR, P | N, "nullif(b.hostname, '')" },
	{ "boot_id", FIELD_STR, P, "b.boot_id" },
	{ "why", FIELD_STR, P, "e.why" },
	{ "id", FIELD_STR, P, "e.id" },
};

const struct where_view where_events = {
	.what = "events",
	.columns = event_columns,
	.columns_n = ARRAY_N(event_columns),
	.text = "e.type, e.comm, e.name, e.args",
	.row = "e.packed, b.boot_id, e.container_id, NULL, NULL, NULL",
	.has = events_have,
};

static const struct where_column alert_columns[] = {
	{ "time", FIELD_ABSTIME, P, "a.ts_ns" },
	{ "evt.time", FIELD_ABSTIME, P, "a.ts_ns" },
	{ "evt.rawtime", FIELD_ABSTIME, P, "a.ts_ns" },
	{ "rule", FIELD_STR, P, "a.rule" },
	{ "priority", FIELD_STR, P | WHERE_F_PRIORITY,
		"CASE a.priority WHEN 0 THEN 'Emergency' WHEN 1 THEN 'Alert' WHEN 2 THEN 'Critical'"
		" WHEN 3 THEN 'Error' WHEN 4 THEN 'Warning' WHEN 5 THEN 'Notice'"
		" WHEN 6 THEN 'Informational' ELSE 'Debug' END" },
	{ "severity", FIELD_STR, P, "a.severity" },
	{ "source", FIELD_STR, P, "a.source" },
	{ "evt.source", FIELD_STR, P, "a.source" },
	{ "output", FIELD_STR, P, "a.output" },
	{ "tags", FIELD_STR, WHERE_F_LIST, "a.tags" },
	{ "hostname", FIELD_STR, P, "a.hostname" },
	{ "evt.hostname", FIELD_STR, P | N, "nullif(a.hostname, '')" },
	{ "pid", FIELD_INT, P | N, "a.pid" },
	{ "container_id", FIELD_STR, P, "a.container_id" },
	{ "container.id", FIELD_STR, P, SHORT_ID("a") },
	{ "container.full_id", FIELD_STR, P, FULL_ID("a") },
	{ "user.name", FIELD_STR, N, OUTPUT_FIELD("user.name") },
	{ "user.loginname", FIELD_STR, N, OUTPUT_FIELD("user.loginname") },
	{ "group.name", FIELD_STR, N, OUTPUT_FIELD("group.name") },
	{ "boot_id", FIELD_STR, P, "b.boot_id" },
	{ "event_id", FIELD_STR, P | N, "a.event_id" },
	{ "id", FIELD_STR, P, "a.id" },
};

const struct where_view where_alerts = {
	.what = "alerts",
	.columns = alert_columns,
	.columns_n = ARRAY_N(alert_columns),
	.text = "a.rule, a.output, a.tags",
	/* An alert's event is in the same file, by its key. */
	.row = "(SELECT w.packed FROM events w WHERE w.boot = a.boot AND w.cpu = a.event_cpu"
	       " AND w.seq = a.event_seq), b.boot_id, a.container_id, a.pid, a.start_ns, a.exec_id",
	.has = events_have,
};

static const struct where_column process_columns[] = {
	{ "time", FIELD_ABSTIME, P, "p.exec_ts_ns" },
	{ "exit_time", FIELD_ABSTIME, P | N, "p.exit_ts_ns" },
	{ "exit_code", FIELD_INT, P | N, "p.exit_code" },
	{ "pid", FIELD_INT, P, "p.pid" },
	{ "proc.pid", FIELD_INT, P, "p.pid" },
	{ "ppid", FIELD_INT, P, "p.ppid" },
	{ "proc.ppid", FIELD_INT, P, "p.ppid" },
	{ "vpid", FIELD_INT, P, "p.vpid" },
	{ "uid", FIELD_INT, P, "p.uid" },
	{ "user.uid", FIELD_INT, P, "p.uid" },
	{ "gid", FIELD_INT, P, "p.gid" },
	{ "euid", FIELD_INT, P, "p.euid" },
	{ "loginuid", FIELD_INT, P | N, "p.loginuid" },
	{ "tty", FIELD_INT, P, "p.tty" },
	{ "exec_id", FIELD_INT, P, "p.exec_id" },
	{ "comm", FIELD_STR, P, "p.comm" },
	{ "proc.name", FIELD_STR, P | N, "nullif(p.comm, '')" },
	{ "exe", FIELD_STR, P, "p.exe" },
	{ "proc.exepath", FIELD_STR, P | N, "nullif(p.exe, '')" },
	{ "cmdline", FIELD_STR, P, "p.cmdline" },
	{ "cwd", FIELD_STR, P, "p.cwd" },
	{ "cgroup", FIELD_STR, P, "p.cgroup" },
	{ "container_id", FIELD_STR, P, "p.container_id" },
	{ "container.id", FIELD_STR, P, SHORT_ID("p") },
	{ "container.full_id", FIELD_STR, P, FULL_ID("p") },
	{ "boot_id", FIELD_STR, P, "b.boot_id" },
};

const struct where_view where_processes = {
	.what = "processes",
	.columns = process_columns,
	.columns_n = ARRAY_N(process_columns),
	.text = "p.comm, p.exe, p.cmdline, p.cwd",
	.row = "NULL, b.boot_id, p.container_id, p.pid, p.start_ns, p.exec_id",
	.has = where_is_of_process,
};
