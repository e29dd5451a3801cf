#include "cmd/query.h"

const struct cmd_option cmd_containers_options[] = {
	QUERY_OPTIONS,
	{ 0 },
};

static const struct show_column columns[] = {
	{ "id", "CONTAINER", SHOW_ID },
	{ "name", "NAME", SHOW_TEXT },
	{ "image", "IMAGE", SHOW_TEXT },
	{ "runtime", "RUNTIME", SHOW_TEXT },
	{ "privileged", "PRIVILEGED", SHOW_YESNO },
	{ "alerts", "ALERTS", SHOW_COUNT },
	{ "first_seen", "FIRST SEEN", SHOW_TIME },
	{ "last_seen", "LAST SEEN", SHOW_TIME },
	{ "state", NULL, SHOW_TEXT },
	{ "image_repository", NULL, SHOW_TEXT },
	{ "image_tag", NULL, SHOW_TEXT },
	{ "image_digest", NULL, SHOW_TEXT },
	{ "image_id", NULL, SHOW_TEXT },
	{ "user", NULL, SHOW_TEXT },
	{ "pod", NULL, SHOW_TEXT },
	{ "namespace", NULL, SHOW_TEXT },
	{ "host_pid", NULL, SHOW_YESNO },
	{ "host_network", NULL, SHOW_YESNO },
	{ "host_ipc", NULL, SHOW_YESNO },
	{ "init_pid", NULL, SHOW_COUNT },
	{ "created", NULL, SHOW_TIME },
	{ "mounts", NULL, SHOW_RAW },
	{ "labels", NULL, SHOW_RAW },
};

static void show_container(struct show *s, const struct container_row *row)
{
	const struct show_cell cells[] = {
		{ .text = row->id },
		{ .text = row->name },
		{ .text = row->image },
		{ .text = row->runtime },
		{ .number = row->privileged },
		{ .number = row->alerts_n },
		{ .number = row->first_seen_ns },
		{ .number = row->last_seen_ns },
		{ .text = row->state },
		{ .text = row->image_repo },
		{ .text = row->image_tag },
		{ .text = row->image_digest },
		{ .text = row->image_id },
		{ .text = row->user },
		{ .text = row->k8s_pod },
		{ .text = row->k8s_ns },
		{ .number = row->host_pid },
		{ .number = row->host_network },
		{ .number = row->host_ipc },
		{ .number = row->init_pid, .missing = row->init_pid == 0 },
		{ .number = row->created_ns },
		{ .text = row->mounts_json },
		{ .text = row->labels_json },
	};
	show_row(s, cells);
}

int cmd_containers(int argc, char **argv, struct cmd_env *env)
{
	struct cmd_args a = cmd_args_of(argc, argv, env);
	AUTO(store_reader_close) struct store_reader *r = NULL;
	AUTO(store_cursor_close) struct store_cursor *c = NULL;
	struct query q = { 0 };
	struct container_row row;
	struct err e = { 0 };
	int got, rc, step;
	while ((got = cmd_args_next(&a)) >= 0) {
		if (query_option(&q, &a, got))
			return EXIT_USAGE;
	}
	if (got != CMD_ARGS_END)
		return cmd_args_code(got);
	if (cmd_args_count(&a, 0, 0))
		return EXIT_USAGE;
	if ((rc = query_open(env, &r)) != EXIT_DONE)
		return rc;
	if (store_query_containers(&c, r, &q.q, &e))
		return cmd_fail(env, &e);
	AUTO(show_free)
	struct show *s = show_new(
		stdout, q.format, columns, ARRAY_N(columns), show_terminal_width());
	while ((step = store_next_container(c, &row, &e)) > 0)
		show_container(s, &row);
	return query_end(env, r, c, s, step, &e);
}
