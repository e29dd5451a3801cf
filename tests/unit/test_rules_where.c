/* Conditions as SQL: what they mean, what they become, and what is refused. */
#include "rules/where.h"

#include "base/sql.h"
#include "store/reader.h"
#include "tests/unit/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct store_reader *open_reader(struct store_fixture *f)
{
	struct store_reader *r = NULL;
	struct err e = { 0 };

	if (store_reader_open(&r, f->dir, &e))
		fail_msg("%s", e.msg);
	return r;
}

/* --- what conditions mean --- */

static size_t count_alerts(struct store_reader *r, const char *condition)
{
	AUTO(store_cursor_close) struct store_cursor *c = NULL;
	const struct store_query q = { .where = str_from(condition) };
	struct alert_row row;
	struct err e = { 0 };
	size_t n = 0;
	int rc;

	if (store_query_alerts(&c, r, &q, &e))
		fail_msg("%s: %s", condition, e.msg);
	while ((rc = store_next_alert(c, &row, &e)) > 0)
		n++;
	if (rc)
		fail_msg("%s: %s", condition, e.msg);
	return n;
}

static size_t count_events(struct store_reader *r, const char *condition)
{
	AUTO(store_cursor_close) struct store_cursor *c = NULL;
	const struct store_query q = { .where = str_from(condition) };
	struct event_row row;
	struct err e = { 0 };
	size_t n = 0;
	int rc;

	if (store_query_events(&c, r, &q, &e))
		fail_msg("%s: %s", condition, e.msg);
	while ((rc = store_next_event(c, &row, &e)) > 0)
		n++;
	if (rc)
		fail_msg("%s: %s", condition, e.msg);
	return n;
}

static size_t count_processes(struct store_reader *r, const char *condition)
{
	AUTO(store_cursor_close) struct store_cursor *c = NULL;
	const struct store_query q = { .where = str_from(condition) };
	struct process_row row;
	struct err e = { 0 };
	size_t n = 0;
	int rc;

	if (store_query_processes(&c, r, &q, &e))
		fail_msg("%s: %s", condition, e.msg);
	while ((rc = store_next_process(c, &row, &e)) > 0)
		n++;
	if (rc)
		fail_msg("%s: %s", condition, e.msg);
	return n;
}

/* Ten alerts of /etc/shadow: rules A and B in turn, every fifth in a container. */
static struct store_reader *ten_alerts(struct store_fixture *f)
{
	store_fixture_open(f);
	for (uint64_t i = 1; i <= 10; i++) {
		struct alert *a = fixture_alert(i, i * 1000000000, i % 2 ? "Rule A" : "Rule B");

		a->priority = i == 3 ? PRIORITY_CRITICAL : PRIORITY_WARNING;
		free(a->fields_json);
		a->fields_json = xstrndup("{\"user.name\":\"root\",\"evt.num\":7}", 32);
		if (i % 5 == 0)
			a->container = fixture_container("aaaaaaaaaaaabbbbbbbbbbbbcccccccccccc"
							 "ddddddddddddeeeeeeeeeeeeffff",
				"web-front");
		put_alert(f, a);
	}
	store_fixture_close(f);
	return open_reader(f);
}

static void alerts_are_found_by_their_own_columns(void **state)
{
	AUTO(store_reader_close) struct store_reader *r = ten_alerts(*state);
	static const struct {
		const char *condition;
		size_t n;
	} cases[] = {
		{ "rule = 'Rule A'", 5 },
		{ "rule != 'Rule A'", 5 },
		{ "rule in ('Rule A', 'Rule B')", 10 },
		{ "rule in ()", 0 },
		{ "tolower(rule) endswith a", 5 },
		{ "rule glob '*B'", 5 },
		{ "priority = critical", 1 },
		{ "priority in (CRITICAL, warning)", 10 },
		{ "severity = medium", 9 },
		{ "tags intersects (t, u)", 10 },
		{ "tags in (u)", 0 },
		{ "output contains shadow", 10 },
		{ "output contains SHADOW", 0 },
		{ "user.name = root", 10 },
		{ "group.name exists", 0 },
		{ "not group.name = x", 10 },
		{ "group.name != x", 0 },
		{ "container.name = web-front", 2 },
		{ "container.image.repository exists", 0 },
		{ "container.image startswith docker.io/", 2 },
		{ "container.id = aaaaaaaaaaaa", 2 },
		{ "container.id != host", 2 },
		{ "container.type = podman", 2 },
		{ "fd.name = /etc/shadow and proc.aname = cat", 10 },
		{ "fd.filename = shadow and evt.is_open_read = true", 10 },
		{ "pid = 100 and evt.type = openat", 10 },
		{ "source = syscall and evt.source = syscall", 10 },
	};

	for (size_t i = 0; i < ARRAY_N(cases); i++)
		if (count_alerts(r, cases[i].condition) != cases[i].n)
			fail_msg(
				"%s: %zu", cases[i].condition, count_alerts(r, cases[i].condition));
}

static void words_are_searched_for_whatever_their_case(void **state)
{
	AUTO(store_reader_close) struct store_reader *r = ten_alerts(*state);

	assert_int_equal(count_alerts(r, "shadow"), 10);
	assert_int_equal(count_alerts(r, "SHADOW"), 10);
	assert_int_equal(count_alerts(r, "/etc/shadow"), 10);
	assert_int_equal(count_alerts(r, "\"rule a\""), 5);
	assert_int_equal(count_alerts(r, "web"), 2);
	assert_int_equal(count_alerts(r, "docker.io"), 2);
	assert_int_equal(count_alerts(r, "web and 'rule b'"), 1);
	assert_int_equal(count_alerts(r, "web or 'rule b'"), 6);
	assert_int_equal(count_alerts(r, "not web"), 8);
	assert_int_equal(count_alerts(r, "nothing-like-it"), 0);
	assert_int_equal(count_events(r, "openat"), 10);
	assert_int_equal(count_events(r, "cat and /ETC/"), 10);
	assert_int_equal(count_events(r, "web-front"), 2);
	assert_int_equal(count_processes(r, "etc/sh"), 5);
}

static void times_may_be_written_as_times(void **state)
{
	AUTO(store_reader_close) struct store_reader *r = ten_alerts(*state);

	/* FIXTURE_NOW is 22:13:20. */
	assert_int_equal(count_alerts(r, "evt.time >= 2023-11-14T22:13:25Z"), 6);
	assert_int_equal(count_alerts(r, "time < '2023-11-14 22:13:25'"), 4);
	assert_int_equal(count_alerts(r, "time = 1700000003000000000"), 1);
	assert_int_equal(count_alerts(r, "time > 10m"), 0);
	assert_int_equal(count_alerts(r, "time <= 10m"), 10);
	assert_int_equal(count_events(r, "evt.time > 2023-11-14T22:13:29Z"), 1);
	assert_int_equal(count_processes(r, "time > 2023-01-01 and time < 2024-01-01"), 5);
}

static void processes_are_found_by_rules_fields(void **state)
{
	AUTO(store_reader_close) struct store_reader *r = ten_alerts(*state);
	static const struct {
		const char *condition;
		size_t n;
	} cases[] = {
		{ "proc.name = cat", 5 },
		{ "comm = cat and pid < 102", 2 },
		{ "proc.pname exists", 4 },
		{ "proc.aname[4] = cat", 1 },
		{ "proc.cmdline = 'cat /etc/shadow'", 5 },
		{ "proc.args[0] = /etc/shadow", 5 },
		{ "hw.argv intersects (/etc/shadow)", 5 },
		{ "exit_code exists", 0 },
		{ "not exit_code = 0", 5 },
		{ "loginuid = 0", 0 },
		{ "user.loginuid = -1", 5 },
		{ "container.id = host", 5 },
		{ "proc.cwd = /", 5 },
		{ "thread.cap_effective contains SYS", 0 },
	};

	for (size_t i = 0; i < ARRAY_N(cases); i++)
		if (count_processes(r, cases[i].condition) != cases[i].n)
			fail_msg("%s: %zu", cases[i].condition,
				count_processes(r, cases[i].condition));
}

/* --- SQL --- */

static bool compiles_to(const struct where_view *v, const char *condition, const char *part)
{
	AUTO(where_free) struct where *w = NULL;
	struct err e = { 0 };

	if (where_compile(&w, str_from(condition), v, FIXTURE_NOW, &e))
		fail_msg("%s: %s", condition, e.msg);
	return str_contains(where_sql(w), str_from(part));
}

static void what_a_column_answers_is_plain_sql(void **state)
{
	(void)state;
	assert_true(compiles_to(
		&where_events, "evt.time >= 10m and x", "(e.ts_ns >= ?) AND hw_judge("));
	assert_true(compiles_to(&where_alerts, "rule = 'x'", "(a.rule = ?)"));
	assert_false(compiles_to(&where_alerts, "rule = 'x'", "hw_judge"));
	assert_false(compiles_to(
		&where_events, "evt.type in (open, openat) or not user.uid = 0", "hw_judge"));
	assert_true(compiles_to(&where_events, "fd.name = x or evt.type = open", "hw_judge"));
}

static int count_calls(const struct where *w)
{
	struct str sql = where_sql(w);
	int n = 0;

	for (size_t i = 0; i + 8 < sql.n; i++)
		n += memcmp(sql.p + i, "hw_judge", 8) == 0;
	return n;
}

static void the_rest_is_one_call(void **state)
{
	AUTO(where_free) struct where *w = NULL;

	(void)state;
	assert_int_equal(where_compile(&w,
				 STR("fd.name = x and proc.name = y and (evt.type = open and "
				     "(word or fd.num > 3)) and evt.cpu = 1"),
				 &where_events, FIXTURE_NOW, NULL),
		0);
	assert_int_equal(count_calls(w), 1);
}

static void a_files_own_views_cannot_call_the_function(void **state)
{
	AUTO(sql_close) struct sql *db = NULL;
	int64_t v;

	(void)state;
	assert_int_equal(sql_open(&db, ":memory:", SQL_CREATE, 0, NULL), 0);
	assert_int_equal(sql_register(db, where_functions, NULL), 0);
	assert_int_equal(sql_get_i64(db,
				 "SELECT coalesce(hw_judge('x', 1, 2, 3, 4, 5, 6, 7), -1)"
				 " + coalesce(hw_judge(), -1) + coalesce(hw_judge(NULL), -1)",
				 &v, NULL),
		0);
	assert_int_equal(v, -3);
}

/* --- what is refused --- */

static const char *error_of(const struct where_view *v, struct str condition)
{
	static struct err e;
	struct where *w = NULL;

	e = (struct err){ 0 };
	if (where_compile(&w, condition, v, FIXTURE_NOW, &e) == 0)
		fail_msg("%.*s: compiles", (int)(condition.n < 200 ? condition.n : 200),
			condition.p);
	assert_null(w);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_true(strlen(e.msg) < 700 && !strchr(e.msg, '\n'));
	return e.msg;
}

static void wrong_conditions_tell_the_column_and_the_nearest_name(void **state)
{
	static const struct {
		const struct where_view *view;
		const char *condition;
		const char *parts[3];
	} cases[] = {
		{ &where_events, "fd.nmae = x",
			{ "column 1:", "fd.nmae", "did you mean fd.name?" } },
		{ &where_events, "evt.type = open and fd.nmae = x", { "column 21:", "fd.name" } },
		{ &where_events, "user.name = root", { "column 1:", "user.name is not stored" } },
		{ &where_alerts, "rul = x", { "column 1:", "rul", "did you mean rule?" } },
		{ &where_alerts, "prority = x", { "did you mean priority?" } },
		{ &where_alerts, "priority = hgih", { "column 12:", "hgih", "critical" } },
		{ &where_alerts, "time > yesterday-ish", { "column 8:", "yesterday-ish" } },
		{ &where_alerts, "rule[1] = x", { "rule takes no argument" } },
		{ &where_alerts, "rule regex '('", { "column 12:" } },
		{ &where_alerts, "rule =", { "column 7:", "at the end" } },
		{ &where_alerts, "rule = 'a' rule", { "column 12:", "expected 'and' or 'or'" } },
		{ &where_alerts, "rule = \"a", { "column 8:" } },
		{ &where_alerts, "pid > x", { "column 7:", "not a number" } },
		{ &where_alerts, "tags contains x", { "contains cannot be used on a list" } },
		{ &where_alerts, "(rule = x", { "column 10:" } },
		{ &where_alerts, "", { "empty" } },
		{ &where_alerts, "  ", { "empty" } },
		{ &where_alerts, "\xc3\xa9\xc3\xa9 and rul = x", { "column 8:" } },
		{ &where_processes, "fd.name = x", { "fd.name is not stored with processes" } },
		{ &where_processes, "evt.type = x", { "evt.type is not stored" } },
		{ &where_events, "proc.env contains x", { "proc.env is not available" } },
		{ &where_events, "fd.ip = 1.2.3", { "column 9:", "1.2.3" } },
		{ &where_events, "evt.is_open_read = maybe", { "neither true nor false" } },
		{ &where_events, "*text* = x", { "column 8:" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_N(cases); i++) {
		const char *msg = error_of(cases[i].view, str_from(cases[i].condition));

		for (size_t k = 0; k < 3 && cases[i].parts[k]; k++)
			if (!strstr(msg, cases[i].parts[k]))
				fail_msg("%s: %s", cases[i].condition, msg);
	}
}

static void hostile_text_is_refused_or_only_searched_for(void **state)
{
	static const char *const hostile[] = { "'; DROP TABLE alerts; --", "x' OR '1'='1",
		"\"; SELECT 1; --", "?1", "%00", "/* */", "a.rule", "x\\",
		"' UNION SELECT 1,2,3 --" };
	AUTO(store_reader_close) struct store_reader *r = ten_alerts(*state);
	struct buf b = BUF_INIT(1 << 20);
	struct where *w = NULL;

	for (size_t i = 0; i < ARRAY_N(hostile); i++) {
		const struct store_query q = { .where = str_from(hostile[i]) };
		struct store_cursor *c = NULL;
		struct alert_row row;
		struct err e = { 0 };

		if (store_query_alerts(&c, r, &q, &e)) {
			assert_int_equal(e.code, ERR_CONFIG);
			continue;
		}
		assert_int_equal(store_next_alert(c, &row, &e), 0);
		store_cursor_close(c);
	}
	assert_int_equal(count_alerts(r, "rule != \"'; DROP TABLE alerts; --\""), 10);
	error_of(&where_alerts, str_of("rule = x\0y", 10));
	error_of(&where_alerts, str_of("\0", 1));
	error_of(&where_alerts, str_of("rule = 'x\0y'", 12));
	for (int i = 0; i < 10000; i++)
		buf_putc(&b, '(');
	assert_non_null(strstr(error_of(&where_alerts, buf_str(&b)), "deeper"));
	buf_puts(&b, "x");
	for (int i = 0; i < 10000; i++)
		buf_putc(&b, ')');
	assert_non_null(strstr(error_of(&where_alerts, buf_str(&b)), "deeper"));
	buf_reset(&b);
	while (b.n < 100000)
		buf_puts(&b, "word and ");
	assert_non_null(strstr(error_of(&where_alerts, buf_str(&b)), "longer"));
	assert_int_equal(where_compile(&w, buf_str(&b), &where_alerts, 0, NULL), -1);
	buf_fini(&b);
}

static void put_many(struct buf *b, const char *first, const char *more, int n)
{
	buf_reset(b);
	buf_puts(b, first);
	for (int i = 0; i < n; i++)
		buf_puts(b, more);
}

static void long_and_deep_conditions_are_answered(void **state)
{
	AUTO(store_reader_close) struct store_reader *r = ten_alerts(*state);
	AUTO(buf_fini) struct buf b = BUF_INIT(1 << 20);

	put_many(&b, "rule = y", " or rule = 'Rule A'", 3000);
	assert_int_equal(count_alerts(r, buf_cstr(&b)), 5);
	put_many(&b, "pid = 100", " and pid = 100", 1900);
	assert_int_equal(count_alerts(r, buf_cstr(&b)), 10);
	put_many(&b, "rule in (y", ", 'Rule A'", 5000);
	buf_puts(&b, ")");
	assert_int_equal(count_alerts(r, buf_cstr(&b)), 5);
	put_many(&b, "", "not(", 900);
	buf_puts(&b, "rule = 'Rule A'");
	for (int i = 0; i < 900; i++)
		buf_putc(&b, ')');
	assert_int_equal(count_alerts(r, buf_cstr(&b)), 5);
	put_many(&b, "rule = 'Rule A'", " or (pid = 1 and (rule = x", 300);
	for (int i = 0; i < 600; i++)
		buf_putc(&b, ')');
	assert_int_equal(count_alerts(r, buf_cstr(&b)), 5);
}

static void a_pattern_that_takes_too_long_is_counted(void **state)
{
	struct store_fixture *f = *state;
	AUTO(store_reader_close) struct store_reader *r = NULL;
	AUTO(store_cursor_close) struct store_cursor *c = NULL;
	char path[200] = "/";
	struct event_row row;

	memset(path + 1, 'a', sizeof(path) - 2);
	store_fixture_open(f);
	put_event(f, fixture_event(1, 1, path), EVENT_WHY_ALL, "");
	store_fixture_close(f);
	r = open_reader(f);
	const struct store_query q = { .where = STR("fd.name regex '/(a+)+(a+)+(b|c)'") };
	assert_int_equal(store_query_events(&c, r, &q, NULL), 0);
	assert_int_equal(store_next_event(c, &row, NULL), 0);
	assert_int_equal(store_cursor_gave_up(c), 1);
}

static void damaged_rows_are_no_match_and_no_failure(void **state)
{
	struct store_fixture *f = *state;
	AUTO(sql_close) struct sql *db = NULL;

	store_reader_close(ten_alerts(f));
	assert_int_equal(sql_open(&db, f->db, SQL_WRITE, 1000, NULL), 0);
	assert_int_equal(sql_exec(db,
				 "UPDATE alerts SET output_fields = '{', tags = '[1' WHERE n < 6;"
				 "UPDATE events SET packed = x'4501FF00' WHERE n < 6;"
				 "UPDATE processes SET args = 'no', parent_pid = pid,"
				 " parent_start_ns = start_ns, parent_exec_id = exec_id;"
				 "UPDATE containers SET mounts = '{', labels = '[', state = 'x'",
				 NULL),
		0);
	AUTO(store_reader_close) struct store_reader *r = open_reader(f);
	assert_int_equal(count_alerts(r, "user.name = root"), 5);
	assert_int_equal(count_alerts(r, "tags intersects (t)"), 5);
	assert_int_equal(count_alerts(r, "fd.name exists"), 5);
	assert_int_equal(count_alerts(r, "proc.aname[31] = cat"), 10);
	assert_int_equal(count_alerts(r, "container.name = web-front"), 0);
	assert_int_equal(count_events(r, "fd.name exists"), 5);
	assert_int_equal(count_processes(r, "proc.args = ''"), 5);
}

#define WITH_STORE(test)                                                                           \
	cmocka_unit_test_setup_teardown(test, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(alerts_are_found_by_their_own_columns),
		WITH_STORE(words_are_searched_for_whatever_their_case),
		WITH_STORE(times_may_be_written_as_times),
		WITH_STORE(processes_are_found_by_rules_fields),
		cmocka_unit_test(what_a_column_answers_is_plain_sql),
		cmocka_unit_test(the_rest_is_one_call),
		cmocka_unit_test(a_files_own_views_cannot_call_the_function),
		cmocka_unit_test(wrong_conditions_tell_the_column_and_the_nearest_name),
		WITH_STORE(hostile_text_is_refused_or_only_searched_for),
		WITH_STORE(long_and_deep_conditions_are_answered),
		WITH_STORE(a_pattern_that_takes_too_long_is_counted),
		WITH_STORE(damaged_rows_are_no_match_and_no_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
