#include "cmd/control.h"
#include "cmd/live.h"
#include "cmd/query.h"

#define ASK_TIMEOUT_MS 20000

const struct cmd_option cmd_processes_options[] = {
	QUERY_OPTIONS,
	{ "pid", "PID", NULL, "this process" },
	{ "stored", NULL, NULL, "those of the store, even when a service runs" },
	QUERY_WHERE_OPTION,
	{ 0 },
};
enum { PROCESSES_PID = QUERY_OWN, PROCESSES_STORED, PROCESSES_WHERE };

static const struct show_column columns[] = {
	{ "time", "STARTED", SHOW_TIME },
	{ "pid", "PID", SHOW_COUNT },
	{ "ppid", "PPID", SHOW_COUNT },
	{ "uid", "UID", SHOW_COUNT },
	{ "container_id", "CONTAINER", SHOW_ID },
	{ "comm", "PROGRAM", SHOW_TEXT },
	{ "exe", NULL, SHOW_TEXT },
	{ "cwd", NULL, SHOW_TEXT },
	{ "vpid", NULL, SHOW_COUNT },
	{ "gid", NULL, SHOW_COUNT },
	{ "euid", NULL, SHOW_COUNT },
	{ "loginuid", NULL, SHOW_COUNT },
	{ "start_ns", NULL, SHOW_COUNT },
	{ "exec_id", NULL, SHOW_COUNT },
	{ "boot_id", NULL, SHOW_TEXT },
	{ "live", NULL, SHOW_YESNO },
	{ "exit_time", NULL, SHOW_TIME },
	{ "exit_code", NULL, SHOW_SIGNED },
	{ "alerts", NULL, SHOW_COUNT },
	{ "cmdline", "COMMAND LINE", SHOW_TEXT },
};

struct choice {
	struct query q;
	bool stored;
};

static struct str or_host(struct str id)
{
	return id.n ? id : STR("host");
}

/* ---- of the store ---- */

static void show_stored(struct show *s, const struct process_row *p)
{
	const struct show_cell cells[] = {
		{ .number = p->exec_ts_ns },
		{ .number = p->key.tgid },
		{ .number = p->ppid },
		{ .number = p->uid },
		{ .text = or_host(p->container_id) },
		{ .text = p->comm },
		{ .text = p->exe },
		{ .text = p->cwd },
		{ .number = p->vpid },
		{ .number = p->gid },
		{ .number = p->euid },
		{ .number = p->loginuid, .missing = p->loginuid == UINT32_MAX },
		{ .number = p->key.start_ns },
		{ .number = p->exec_id },
		{ .text = p->boot_id },
		{ .number = 0, .missing = !p->exited },
		{ .number = p->exit_ts_ns },
		{ .number = (uint64_t)(int64_t)p->exit_code, .missing = !p->exited },
		{ .number = p->alerts_n },
		{ .text = p->cmdline },
	};
	show_row(s, cells);
}

static int list_stored(
	const struct cmd_env *env, const struct choice *ch, const struct config *c, struct show *s)
{
	AUTO(store_reader_close) struct store_reader *r = NULL;
	AUTO(store_cursor_close) struct store_cursor *cursor = NULL;
	struct process_row row;
	struct err e = { 0 };
	int step;
	if (store_reader_open(&r, c->state_dir, &e) ||
		store_query_processes(&cursor, r, &ch->q.q, &e))
		return cmd_fail(env, &e);
	while ((step = store_next_process(cursor, &row, &e)) > 0)
		show_stored(s, &row);
	return query_end(env, r, cursor, s, step, &e);
}

/* ---- live ones ---- */

static uint64_t number(const struct json_node *n, const char *key)
{
	return (uint64_t)json_int(json_get(n, key), 0);
}

static struct str text(const struct json_node *n, const char *key)
{
	return json_str(json_get(n, key), STR(""));
}

static bool in_container(const struct json_node *p, struct str wanted)
{
	struct str id = text(p, "container_id");
	if (wanted.n == 0)
		return true;
	if (str_eqz(wanted, "host"))
		return id.n == 0;
	return str_eq(text(p, "container_name"), wanted) ||
	       (wanted.n >= CONTAINER_SHORT_LEN && str_starts(id, wanted)) || str_eq(id, wanted);
}

static bool is_wanted(
	const struct json_node *p, const struct store_query *q, const struct live *matching)
{
	uint64_t ts_ns = number(p, "time_ns");
	if (matching && !live_has(matching, p))
		return false;
	if (q->since_ns && ts_ns < q->since_ns)
		return false;
	if (q->until_ns && ts_ns >= q->until_ns)
		return false;
	if (q->pid && number(p, "pid") != q->pid)
		return false;
	return in_container(p, q->container);
}

static void show_live(struct show *s, const struct json_node *p)
{
	uint64_t loginuid = number(p, "loginuid");
	const struct show_cell cells[] = {
		{ .number = number(p, "time_ns") },
		{ .number = number(p, "pid") },
		{ .number = number(p, "ppid") },
		{ .number = number(p, "uid") },
		{ .text = or_host(text(p, "container_id")) },
		{ .text = text(p, "comm") },
		{ .text = text(p, "exe") },
		{ .text = text(p, "cwd") },
		{ .number = number(p, "vpid") },
		{ .number = number(p, "gid") },
		{ .number = number(p, "euid") },
		{ .number = loginuid, .missing = loginuid == UINT32_MAX },
		{ .number = number(p, "start_ns") },
		{ .number = number(p, "exec_id") },
		{ .missing = true },
		{ .number = 1 },
		{ .missing = true },
		{ .missing = true },
		{ .missing = true },
		{ .text = text(p, "cmdline") },
	};
	show_row(s, cells);
}

static int by_time(const void *a, const void *b)
{
	uint64_t x = number(*(const struct json_node *const *)a, "time_ns");
	uint64_t y = number(*(const struct json_node *const *)b, "time_ns");
	return x < y ? -1 : x > y;
}

static int list_live(const struct cmd_env *env, const struct choice *ch,
	const struct json_node *answer, struct show *s)
{
	const struct json_node *list = json_get(answer, "processes");
	size_t n = json_len(list), wanted = 0;
	AUTO(live_free) struct live *matching = NULL;
	/* As many as the answer, whose size is bounded, has. */
	AUTO_FREE const struct json_node **at = xcalloc(n + 1, sizeof(*at));
	struct err e = { 0 };
	if (ch->q.q.where.n && live_find(&matching, list, ch->q.q.where, &e))
		return cmd_fail(env, &e);
	for (size_t i = 0; i < n; i++)
		if (is_wanted(json_at(list, i), &ch->q.q, matching))
			at[wanted++] = json_at(list, i);
	qsort(at, wanted, sizeof(*at), by_time);
	uint64_t limit = ch->q.q.limit && ch->q.q.limit < wanted ? ch->q.q.limit : wanted;
	for (uint64_t i = 0; i < limit; i++)
		show_live(s, at[ch->q.q.newest_first ? wanted - 1 - i : i]);
	if (show_end(s, &e))
		return cmd_fail(env, &e);
	if (number(answer, "left_out"))
		return cmd_fail_text(env, EXIT_PARTLY, "%llu processes did not fit into the answer",
			(unsigned long long)number(answer, "left_out"));
	return EXIT_DONE;
}

static int list_processes(const struct cmd_env *env, const struct choice *ch)
{
	AUTO(config_free) struct config *c = NULL;
	AUTO(json_free) struct json *answer = NULL;
	struct err e = { 0 };
	int rc = cmd_load_config(env, &c);
	if (rc)
		return rc;
	AUTO(show_free)
	struct show *s = show_new(
		stdout, ch->q.format, columns, ARRAY_N(columns), show_terminal_width());
	if (!ch->stored &&
		control_ask(&answer, NULL, c->runtime_dir, "processes", ASK_TIMEOUT_MS, &e) == 0)
		return list_live(env, ch, json_root(answer), s);
	if (!ch->stored && e.code != ERR_NOT_FOUND)
		return cmd_fail(env, &e);
	return list_stored(env, ch, c, s);
}

static int take_option(struct choice *ch, const struct cmd_args *a, int option)
{
	uint64_t pid;
	if (option < QUERY_OWN)
		return query_option(&ch->q, a, option);
	if (option == PROCESSES_WHERE)
		return query_where(&ch->q, a, &where_processes);
	if (option == PROCESSES_STORED) {
		ch->stored = true;
		return EXIT_DONE;
	}
	if (!str_to_u64(str_from(a->value), &pid) || pid == 0 || pid > UINT32_MAX)
		return cmd_fail_text(
			a->env, EXIT_USAGE, "--pid %s: a process id is needed", a->value);
	ch->q.q.pid = (uint32_t)pid;
	return EXIT_DONE;
}

int cmd_processes(int argc, char **argv, struct cmd_env *env)
{
	struct cmd_args a = cmd_args_of(argc, argv, env);
	struct choice ch = { 0 };
	int got;
	while ((got = cmd_args_next(&a)) >= 0) {
		if (take_option(&ch, &a, got))
			return EXIT_USAGE;
	}
	if (got != CMD_ARGS_END)
		return cmd_args_code(got);
	if (cmd_args_count(&a, 0, 0))
		return EXIT_USAGE;
	return list_processes(env, &ch);
}
