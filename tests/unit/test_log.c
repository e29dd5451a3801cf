#include "base/log.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Stderr goes into a pipe for the time of one test; what was written is read back at once. */
struct capture {
	int read_fd, saved_fd;
};

static struct capture capture_begin(void)
{
	int fds[2];
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	struct capture c = { fds[0], dup(STDERR_FILENO) };
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	return c;
}

static void capture_end(struct capture *c, char *out, size_t size)
{
	dup2(c->saved_fd, STDERR_FILENO);
	close(c->saved_fd);
	ssize_t n = read(c->read_fd, out, size - 1);
	out[n > 0 ? n : 0] = '\0';
	close(c->read_fd);
}

static int quiet_setup(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_set_level(LOG_LEVEL_INFO);
	return 0;
}

static void a_line_names_level_and_component(void **state)
{
	char text[200];
	(void)state;
	struct capture c = capture_begin();
	log_warn("outbox", "slack: %d", 5);
	capture_end(&c, text, sizeof(text));
	assert_string_equal(text, "warn: outbox: slack: 5\n");
}

static void under_the_journal_the_priority_stands_in_front(void **state)
{
	char text[200];
	(void)state;
	setenv("JOURNAL_STREAM", "8:1", 1);
	struct capture c = capture_begin();
	log_error("store", "full");
	capture_end(&c, text, sizeof(text));
	assert_string_equal(text, "<3>store: full\n");
}

static void lines_above_the_level_are_not_written(void **state)
{
	char text[200];
	(void)state;
	struct capture c = capture_begin();
	log_debug("x", "hidden");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("x", "shown");
	log_set_level(LOG_LEVEL_ERROR);
	log_warn("x", "hidden");
	capture_end(&c, text, sizeof(text));
	assert_string_equal(text, "debug: x: shown\n");
	assert_int_equal(log_level_get(), LOG_LEVEL_ERROR);
}

static void control_bytes_cannot_forge_a_line(void **state)
{
	char text[200];
	(void)state;
	struct capture c = capture_begin();
	errno = EBADF;
	log_info("x", "a\n<0>b\033");
	assert_int_equal(errno, EBADF);
	capture_end(&c, text, sizeof(text));
	assert_string_equal(text, "info: x: a\\x0a<0>b\\x1b\n");
}

static void a_long_line_is_cut_and_still_ends(void **state)
{
	char big[5000], text[6000];
	(void)state;
	memset(big, 'y', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	struct capture c = capture_begin();
	log_info("x", "%s", big);
	capture_end(&c, text, sizeof(text));
	assert_true(strlen(text) <= 2048);
	assert_true(str_ends(str_from(text), STR("yyy\n")));
}

static void the_limit_lets_a_burst_through_and_counts_the_rest(void **state)
{
	struct log_limit l = { .burst = 1000 };
	uint64_t passed = 0;
	(void)state;
	/* A second may end in between: then a second burst passes. Nothing is ever uncounted. */
	for (int i = 0; i < 100000; i++)
		passed += (uint64_t)log_limit_pass(&l);
	assert_true(passed >= 1000);
	assert_true(passed < 100000);
	assert_int_equal(log_limit_missed(&l), 100000 - passed);
	assert_int_equal(log_limit_missed(&l), 0);
}

static void zero_burst_means_five(void **state)
{
	struct log_limit l = { 0 };
	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(log_limit_pass(&l), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_line_names_level_and_component, quiet_setup),
		cmocka_unit_test_setup(under_the_journal_the_priority_stands_in_front, quiet_setup),
		cmocka_unit_test_setup(lines_above_the_level_are_not_written, quiet_setup),
		cmocka_unit_test_setup(control_bytes_cannot_forge_a_line, quiet_setup),
		cmocka_unit_test_setup(a_long_line_is_cut_and_still_ends, quiet_setup),
		cmocka_unit_test_setup(
			the_limit_lets_a_burst_through_and_counts_the_rest, quiet_setup),
		cmocka_unit_test_setup(zero_burst_means_five, quiet_setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
