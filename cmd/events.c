#include "cmd/query.h"

#include "base/event.h"

const struct cmd_option cmd_events_options[] = {
	QUERY_OPTIONS,
	{ "class", "CLASS", "exec fork exit open connect accept bind listen socket cgroup",
		"of this class" },
	{ "pid", "PID", NULL, "of this process" },
	QUERY_WHERE_OPTION,
	{ 0 },
};
enum { EVENTS_CLASS = QUERY_OWN, EVENTS_PID, EVENTS_WHERE };

static const struct show_column columns[] = {
	{ "time", "TIME", SHOW_TIME },
	{ "class", NULL, SHOW_TEXT },
	{ "type", "TYPE", SHOW_TEXT },
	{ "container_id", "CONTAINER", SHOW_ID },
	{ "pid", "PID", SHOW_COUNT },
	{ "comm", "PROGRAM", SHOW_TEXT },
	{ "result", "RESULT", SHOW_SIGNED },
	{ "name", "NAME", SHOW_TEXT },
	{ "args", NULL, SHOW_TEXT },
	{ "tid", NULL, SHOW_COUNT },
	{ "uid", NULL, SHOW_COUNT },
	{ "gid", NULL, SHOW_COUNT },
	{ "syscall", NULL, SHOW_SIGNED },
	{ "flags", NULL, SHOW_TEXT },
	{ "why", "WHY", SHOW_TEXT },
	{ "id", NULL, SHOW_TEXT },
	{ "boot_id", NULL, SHOW_TEXT },
	{ "process_start_ns", NULL, SHOW_COUNT },
	{ "exec_id", NULL, SHOW_COUNT },
	{ "cpu", NULL, SHOW_COUNT },
	{ "sequence", NULL, SHOW_COUNT },
};

static void flags_text(struct buf *b, uint32_t flags)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{ EVENT_F_TRUNCATED, "truncated" },
		{ EVENT_F_UNVERIFIED, "unverified" },
		{ EVENT_F_MISMATCH, "mismatch" },
		{ EVENT_F_COMPAT, "compat" },
		{ EVENT_F_DETACHED, "detached" },
		{ EVENT_F_NO_USER, "no_user" },
		{ EVENT_F_REPLAYED, "replayed" },
	};
	for (size_t i = 0; i < ARRAY_N(names); i++)
		if (flags & names[i].bit)
			buf_printf(b, "%s%s", b->n ? "|" : "", names[i].name);
}

static void show_event(struct show *s, const struct event_row *row)
{
	AUTO(buf_fini) struct buf flags = BUF_INIT(256);
	struct str container = row->container_id.n ? row->container_id : STR("host");
	flags_text(&flags, row->flags);
	const struct show_cell cells[] = {
		{ .number = row->ts_ns },
		{ .text = row->class_name },
		{ .text = row->type },
		{ .text = container },
		{ .number = row->key.tgid },
		{ .text = row->comm },
		{ .number = (uint64_t)row->ret },
		{ .text = row->name },
		{ .text = row->args },
		{ .number = row->tid },
		{ .number = row->uid },
		{ .number = row->gid },
		{ .number = (uint64_t)(int64_t)row->nr },
		{ .text = buf_str(&flags) },
		{ .text = row->why },
		{ .text = row->id },
		{ .text = row->boot_id },
		{ .number = row->key.start_ns },
		{ .number = row->exec_id },
		{ .number = row->cpu },
		{ .number = row->seq },
	};
	show_row(s, cells);
}

static int take_option(struct query *q, const struct cmd_args *a, int option)
{
	uint64_t pid;
	if (option < QUERY_OWN)
		return query_option(q, a, option);
	if (option == EVENTS_WHERE)
		return query_where(q, a, &where_events);
	if (option == EVENTS_CLASS) {
		q->q.class_name = str_from(a->value);
		return EXIT_DONE;
	}
	if (!str_to_u64(str_from(a->value), &pid) || pid == 0 || pid > UINT32_MAX)
		return cmd_fail_text(
			a->env, EXIT_USAGE, "--pid %s: a process id is needed", a->value);
	q->q.pid = (uint32_t)pid;
	return EXIT_DONE;
}

int cmd_events(int argc, char **argv, struct cmd_env *env)
{
	struct cmd_args a = cmd_args_of(argc, argv, env);
	AUTO(store_reader_close) struct store_reader *r = NULL;
	AUTO(store_cursor_close) struct store_cursor *c = NULL;
	struct query q = { 0 };
	struct event_row row;
	struct err e = { 0 };
	int got, rc, step;
	while ((got = cmd_args_next(&a)) >= 0) {
		if (take_option(&q, &a, got))
			return EXIT_USAGE;
	}
	if (got != CMD_ARGS_END)
		return cmd_args_code(got);
	if (cmd_args_count(&a, 0, 0))
		return EXIT_USAGE;
	if ((rc = query_open(env, &r)) != EXIT_DONE)
		return rc;
	if (store_query_events(&c, r, &q.q, &e))
		return cmd_fail(env, &e);
	AUTO(show_free)
	struct show *s = show_new(
		stdout, q.format, columns, ARRAY_N(columns), show_terminal_width());
	while ((step = store_next_event(c, &row, &e)) > 0)
		show_event(s, &row);
	return query_end(env, r, c, s, step, &e);
}
