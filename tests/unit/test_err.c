#include "base/err.h"

#include "base/str.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void set_fills_code_and_message_and_returns_minus_one(void **state)
{
	struct err e = { 0 };
	(void)state;
	assert_int_equal(err_set(&e, ERR_FORMAT, "row %d", 7), -1);
	assert_int_equal(e.code, ERR_FORMAT);
	assert_int_equal(e.sys, 0);
	assert_string_equal(e.msg, "row 7");
}

static void system_error_keeps_errno_and_appends_its_text(void **state)
{
	struct err e = { 0 };
	(void)state;
	errno = ENOENT;
	err_set(&e, ERR_SYS, "open %s", "/x");
	assert_int_equal(e.sys, ENOENT);
	assert_int_equal(errno, ENOENT);
	assert_string_equal(e.msg, "open /x: No such file or directory");
}

static void unknown_errno_still_gives_a_text(void **state)
{
	struct err e = { 0 };
	(void)state;
	errno = 123456;
	err_set(&e, ERR_SYS, "x");
	assert_string_equal(e.msg, "x: unknown error");
}

static void nobody_to_tell_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_LIMIT, "x"), -1);
	assert_int_equal(err_wrap(NULL, "x"), -1);
}

static void control_bytes_are_escaped(void **state)
{
	struct err e = { 0 };
	(void)state;
	err_set(&e, ERR_FORMAT, "a\nb\033[31mc\xff");
	assert_string_equal(e.msg, "a\\x0ab\\x1b[31mc\\xff");
	err_wrap(&e, "file\t%s", "x\r");
	assert_string_equal(e.msg, "file\\x09x\\x0d: a\\x0ab\\x1b[31mc\\xff");
}

static void wrap_puts_context_first_and_keeps_the_code(void **state)
{
	struct err e = { 0 };
	(void)state;
	errno = EACCES;
	err_set(&e, ERR_SYS, "read");
	assert_int_equal(err_wrap(&e, "image %s", "x"), -1);
	assert_int_equal(e.code, ERR_SYS);
	assert_int_equal(e.sys, EACCES);
	assert_string_equal(e.msg, "image x: read: Permission denied");
}

static void a_message_may_hold_the_former_one(void **state)
{
	struct err e = { 0 };
	(void)state;
	err_set(&e, ERR_FORMAT, "inner");
	err_set(&e, ERR_LIMIT, "outer: %s", e.msg);
	assert_string_equal(e.msg, "outer: inner");
}

static void long_text_is_cut_but_the_reason_stays(void **state)
{
	struct err e = { 0 };
	char text[2000];
	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	errno = ENOSPC;
	err_set(&e, ERR_SYS, "%s", text);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	assert_true(str_ends(str_from(e.msg), STR(": No space left on device")));
	err_wrap(&e, "%s", text);
	assert_true(strlen(e.msg) < sizeof(e.msg));
	assert_non_null(strstr(e.msg, ": aaa"));
}

static void exit_codes_follow_the_contract(void **state)
{
	static const struct {
		enum err_code code;
		int exit_code;
	} rows[] = {
		{ ERR_SYS, 3 },
		{ ERR_FORMAT, 3 },
		{ ERR_LIMIT, 3 },
		{ ERR_USAGE, 2 },
		{ ERR_CONFIG, 2 },
		{ ERR_BUSY, 3 },
		{ ERR_NOT_FOUND, 3 },
		{ ERR_UNSUPPORTED, 77 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { .code = rows[i].code };
		assert_int_equal(err_exit_code(&e), rows[i].exit_code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_fills_code_and_message_and_returns_minus_one),
		cmocka_unit_test(system_error_keeps_errno_and_appends_its_text),
		cmocka_unit_test(unknown_errno_still_gives_a_text),
		cmocka_unit_test(nobody_to_tell_is_allowed),
		cmocka_unit_test(control_bytes_are_escaped),
		cmocka_unit_test(wrap_puts_context_first_and_keeps_the_code),
		cmocka_unit_test(a_message_may_hold_the_former_one),
		cmocka_unit_test(long_text_is_cut_but_the_reason_stays),
		cmocka_unit_test(exit_codes_follow_the_contract),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
