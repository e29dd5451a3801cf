#include "cmd/query.h"

#include "base/alert.h"

const struct cmd_option cmd_alerts_options[] = {
	QUERY_OPTIONS,
	{ "rule", "NAME", NULL, "of this rule" },
	{ "priority", "PRIORITY", NULL, "this severe or more: emergency ... debug" },
	QUERY_WHERE_OPTION,
	{ 0 },
};
enum { ALERTS_RULE = QUERY_OWN, ALERTS_PRIORITY, ALERTS_WHERE };

static const struct show_column columns[] = {
	{ "time", "TIME", SHOW_TIME },
	{ "priority", "PRIORITY", SHOW_TEXT },
	{ "rule", "RULE", SHOW_TEXT },
	{ "container_id", "CONTAINER", SHOW_ID },
	{ "source", NULL, SHOW_TEXT },
	{ "hostname", NULL, SHOW_TEXT },
	{ "id", NULL, SHOW_TEXT },
	{ "pid", "PID", SHOW_COUNT },
	{ "tags", NULL, SHOW_RAW },
	{ "output", "OUTPUT", SHOW_TEXT },
};

static void show_cells(struct show *s, const struct alert_row *row)
{
	struct str container = row->container_id.n ? row->container_id : STR("host");
	const struct show_cell cells[] = {
		{ .number = row->ts_ns },
		{ .text = str_from(priority_name(row->priority)) },
		{ .text = row->rule },
		{ .text = container },
		{ .text = row->source },
		{ .text = row->hostname },
		{ .text = row->id },
		{ .number = row->key.tgid, .missing = row->key.tgid == 0 },
		{ .text = row->tags_json },
		{ .text = row->output },
	};
	show_row(s, cells);
}

/* The same object that `run --output json` prints. */
static void show_object(struct show *s, struct buf *text, const struct alert_row *row)
{
	const struct alert_json a = {
		.ts_ns = row->ts_ns,
		.priority = row->priority,
		.rule = row->rule,
		.source = row->source,
		.hostname = row->hostname,
		.output = row->output,
		.tags_json = row->tags_json,
		.fields_json = row->fields_json,
	};
	buf_reset(text);
	alert_json(text, &a);
	show_json(s, buf_str(text));
}

static int take_option(struct query *q, const struct cmd_args *a, int option)
{
	if (option < QUERY_OWN)
		return query_option(q, a, option);
	if (option == ALERTS_WHERE)
		return query_where(q, a, &where_alerts);
	if (option == ALERTS_RULE) {
		q->q.rule = str_from(a->value);
		return EXIT_DONE;
	}
	q->q.by_priority = true;
	if (priority_parse(str_from(a->value), &q->q.least_priority))
		return EXIT_DONE;
	return cmd_fail_text(a->env, EXIT_USAGE,
		"--priority %s: it takes one of: emergency alert critical error warning notice "
		"informational debug",
		a->value);
}

static int show_alerts(const struct cmd_env *env, const struct query *q)
{
	AUTO(store_reader_close) struct store_reader *r = NULL;
	AUTO(store_cursor_close) struct store_cursor *c = NULL;
	AUTO(show_free)
	struct show *s = show_new(
		stdout, q->format, columns, ARRAY_N(columns), show_terminal_width());
	AUTO(buf_fini) struct buf text = BUF_INIT(16u << 20);
	struct alert_row row;
	struct err e = { 0 };
	int rc = query_open(env, &r), step;
	if (rc)
		return rc;
	if (store_query_alerts(&c, r, &q->q, &e))
		return cmd_fail(env, &e);
	while ((step = store_next_alert(c, &row, &e)) > 0) {
		if (q->format == SHOW_JSON || q->format == SHOW_JSONL)
			show_object(s, &text, &row);
		else
			show_cells(s, &row);
	}
	return query_end(env, r, c, s, step, &e);
}

int cmd_alerts(int argc, char **argv, struct cmd_env *env)
{
	struct cmd_args a = cmd_args_of(argc, argv, env);
	struct query q = { 0 };
	int got;
	while ((got = cmd_args_next(&a)) >= 0) {
		if (take_option(&q, &a, got))
			return EXIT_USAGE;
	}
	if (got != CMD_ARGS_END)
		return cmd_args_code(got);
	if (cmd_args_count(&a, 0, 0))
		return EXIT_USAGE;
	return show_alerts(env, &q);
}
