#include "alerts/stdout.h"

#include "base/json.h"
#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct printing {
	struct store_fixture *f;
	struct stdout_printer *p;
	int out[2];
};

static int setup(void **state)
{
	struct printing *t = xcalloc(1, sizeof(*t));
	void *fixture;
	store_fixture_setup(&fixture);
	t->f = fixture;
	store_fixture_open(t->f);
	assert_int_equal(pipe2(t->out, O_CLOEXEC), 0);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct printing *t = *state;
	void *fixture = t->f;
	stdout_printer_stop(t->p, 0, NULL);
	for (int i = 0; i < 2; i++) {
		if (t->out[i] >= 0)
			close(t->out[i]);
	}
	store_fixture_teardown(&fixture);
	free(t);
	return 0;
}

static void open_printer(struct printing *t, bool json, int64_t after_n)
{
	const struct stdout_options o = {
		.path = t->f->dir,
		.fd = t->out[1],
		.json = json,
		.after_n = after_n,
	};
	assert_int_equal(stdout_printer_open(&t->p, &o, NULL), 0);
}

/* Commit alerts with these sequence numbers and tell the printer. */
static void alerts(struct printing *t, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i <= to; i++)
		put_alert(t->f, fixture_alert(i, i, "a"));
	put_mark(t->f, to);
	assert_true(store_fixture_wait_mark(t->f, to));
	stdout_printer_notify(t->p, t->f->last_n);
}

static size_t read_lines(struct printing *t, char *text, size_t size, size_t lines)
{
	size_t n = 0, seen = 0;
	while (seen < lines && n + 1 < size) {
		ssize_t got = read(t->out[0], text + n, size - 1 - n);
		assert_true(got > 0);
		for (ssize_t i = 0; i < got; i++)
			seen += text[n + (size_t)i] == '\n';
		n += (size_t)got;
	}
	text[n] = '\0';
	return seen;
}

static void each_committed_alert_is_printed_once_as_text(void **state)
{
	struct printing *t = *state;
	struct stdout_stats s;
	char text[4096];
	open_printer(t, false, 0);
	alerts(t, 1, 2);
	assert_int_equal(read_lines(t, text, sizeof(text), 2), 2);
	alerts(t, 3, 3);
	assert_int_equal(read_lines(t, text, sizeof(text), 1), 1);
	assert_non_null(strstr(text, ".000000003: Warning read /etc/shadow\n"));
	stdout_printer_stop(TAKE(t->p), 1000, &s);
	assert_int_equal(s.printed, 3);
	assert_int_equal(s.last_n, 3);
	assert_false(s.broken);
}

static void json_lines_are_falcos_object(void **state)
{
	struct printing *t = *state;
	AUTO(json_free) struct json *j = NULL;
	char text[4096];
	open_printer(t, true, 0);
	alerts(t, 1, 1);
	assert_int_equal(read_lines(t, text, sizeof(text), 1), 1);
	assert_int_equal(json_parse(&j, str_from(text), 0, NULL), 0);
	const struct json_node *root = json_root(j);
	assert_true(str_eqz(json_str(json_get(root, "rule"), STR("")), "a"));
	assert_true(str_eqz(json_str(json_get(root, "hostname"), STR("")), "node"));
	assert_true(str_eqz(json_str(json_get(json_get(root, "output_fields"), "fd.name"), STR("")),
		"/etc/shadow"));
}

static void what_is_older_than_the_start_is_not_printed(void **state)
{
	struct printing *t = *state;
	struct stdout_stats s;
	for (uint64_t i = 1; i <= 5; i++)
		put_alert(t->f, fixture_alert(i, i, "a"));
	put_mark(t->f, 5);
	assert_true(store_fixture_wait_mark(t->f, 5));
	open_printer(t, false, 5);
	alerts(t, 6, 6);
	stdout_printer_stop(TAKE(t->p), 1000, &s);
	assert_int_equal(s.printed, 1);
}

static void a_reader_that_does_not_read_blocks_nobody_else(void **state)
{
	struct printing *t = *state;
	struct stdout_stats s;
	open_printer(t, true, 0);
	/* Far more than a pipe holds. */
	alerts(t, 1, 2000);
	alerts(t, 2001, 2100);
	stdout_printer_stop(TAKE(t->p), 10, &s);
	assert_true(s.broken);
	assert_true(s.printed < 2100);
	assert_non_null(strstr(s.error, "did not read"));
}

static void a_slow_reader_gets_everything_in_whole_lines(void **state)
{
	struct printing *t = *state;
	static char text[1 << 20];
	open_printer(t, true, 0);
	alerts(t, 1, 1500);
	assert_int_equal(read_lines(t, text, sizeof(text), 1500), 1500);
	struct str all = str_from(text);
	for (int i = 0; i < 1500; i++) {
		AUTO(json_free) struct json *j = NULL;
		assert_int_equal(json_parse(&j, str_cut(&all, '\n'), 0, NULL), 0);
	}
}

/* Fill the pipe; returns with how many bytes. */
static size_t fill_pipe(struct printing *t)
{
	static const char junk[4096];
	size_t n = 0;
	ssize_t got;
	assert_int_equal(fcntl(t->out[1], F_SETFL, O_NONBLOCK), 0);
	while ((got = write(t->out[1], junk, sizeof(junk))) > 0)
		n += (size_t)got;
	assert_int_equal(fcntl(t->out[1], F_SETFL, 0), 0);
	return n;
}

/* The notice comes while the last line of an earlier one waits for the reader. */
static void a_notice_while_a_write_waits_is_not_lost(void **state)
{
	struct printing *t = *state;
	char text[65536];
	size_t junk = fill_pipe(t);
	open_printer(t, false, 0);
	for (uint64_t i = 1; i <= 50; i++)
		alerts(t, i, i);
	while (junk) {
		ssize_t got = read(t->out[0], text, junk < sizeof(text) ? junk : sizeof(text));
		assert_true(got > 0);
		junk -= (size_t)got;
	}
	for (size_t seen = 0; seen < 50;) {
		struct pollfd p = { .fd = t->out[0], .events = POLLIN };
		assert_int_equal(poll(&p, 1, 10000), 1);
		ssize_t got = read(t->out[0], text, sizeof(text));
		for (ssize_t i = 0; i < got; i++)
			seen += text[i] == '\n';
	}
}

static void a_closed_pipe_ends_printing_and_is_told(void **state)
{
	struct printing *t = *state;
	struct stdout_stats s = { 0 };
	open_printer(t, false, 0);
	close(t->out[0]);
	t->out[0] = -1;
	alerts(t, 1, 1);
	while (!s.broken) {
		stdout_printer_stats(t->p, &s);
		sched_yield();
	}
	assert_int_equal(s.printed, 0);
	assert_true(s.error[0] != '\0');
	/* The store goes on. */
	alerts(t, 2, 3);
	assert_int_equal(number_from(t->f->db, "SELECT count(*) FROM alerts"), 3);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_committed_alert_is_printed_once_as_text),
		T(json_lines_are_falcos_object),
		T(what_is_older_than_the_start_is_not_printed),
		T(a_reader_that_does_not_read_blocks_nobody_else),
		T(a_slow_reader_gets_everything_in_whole_lines),
		T(a_notice_while_a_write_waits_is_not_lost),
		T(a_closed_pipe_ends_printing_and_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
