#include "cmd/query.h"

#include "base/clock.h"

static int take_time(const struct cmd_args *a, uint64_t *ns)
{
	struct err e = { 0 };
	if (clock_parse(str_from(a->value), clock_real_ns(), ns, &e))
		return cmd_fail_text(a->env, EXIT_USAGE, "%s", e.msg);
	return EXIT_DONE;
}

int query_option(struct query *q, const struct cmd_args *a, int option)
{
	switch (option) {
	case QUERY_SINCE:
		return take_time(a, &q->q.since_ns);
	case QUERY_UNTIL:
		return take_time(a, &q->q.until_ns);
	case QUERY_LIMIT:
		if (!str_to_u64(str_from(a->value), &q->q.limit) || q->q.limit == 0)
			return cmd_fail_text(a->env, EXIT_USAGE,
				"--limit %s: a number from 1 is needed", a->value);
		q->q.newest_first = true;
		return EXIT_DONE;
	case QUERY_FORMAT:
		q->format = show_format_of(a->value);
		return EXIT_DONE;
	case QUERY_CONTAINER:
		q->q.container = str_from(a->value);
		return EXIT_DONE;
	}
	return EXIT_DONE;
}

int query_where(struct query *q, const struct cmd_args *a, const struct where_view *view)
{
	AUTO(where_free) struct where *w = NULL;
	struct err e = { 0 };
	if (where_compile(&w, str_from(a->value), view, clock_real_ns(), &e))
		return cmd_fail_text(a->env, EXIT_USAGE, "--where: %s", e.msg);
	q->q.where = str_from(a->value);
	return EXIT_DONE;
}

int query_open(const struct cmd_env *env, struct store_reader **out)
{
	AUTO(config_free) struct config *c = NULL;
	struct err e = { 0 };
	int rc = cmd_load_config(env, &c);
	if (rc)
		return rc;
	if (store_reader_open(out, c->state_dir, &e))
		return cmd_fail(env, &e);
	return EXIT_DONE;
}

int query_end(const struct cmd_env *env, struct store_reader *r, const struct store_cursor *c,
	struct show *s, int step, struct err *e)
{
	struct err write_error = { 0 };
	int rc = EXIT_DONE;
	if (step < 0)
		rc = cmd_fail(env, e);
	if (show_end(s, &write_error))
		return cmd_fail(env, &write_error);
	if (rc == EXIT_DONE && store_reader_skipped(r))
		rc = cmd_fail_text(env, EXIT_PARTLY,
			"%u event segments could not be read; their rows are missing",
			store_reader_skipped(r));
	if (rc == EXIT_DONE && store_cursor_gave_up(c))
		rc = cmd_fail_text(env, EXIT_PARTLY,
			"a pattern of --where took too long on %llu texts; they count as no match",
			(unsigned long long)store_cursor_gave_up(c));
	return rc;
}
