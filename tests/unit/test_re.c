#include "base/re.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int match(const char *pattern, bool full, struct str subject)
{
	AUTO(re_free) struct re *r = NULL;
	struct err e = { 0 };
	if (re_compile(&r, str_from(pattern), full, &e))
		fail_msg("%s: %s", pattern, e.msg);
	return re_match(r, subject);
}

static void full_anchors_at_both_ends(void **state)
{
	(void)state;
	assert_int_equal(match("a|ab", true, STR("ab")), 1);
	assert_int_equal(match("a", true, STR("ab")), 0);
	assert_int_equal(match("b", true, STR("ab")), 0);
	assert_int_equal(match("b", false, STR("ab")), 1);
	assert_int_equal(match("a", true, STR("a\n")), 0);
	assert_int_equal(match("", true, (struct str){ 0 }), 1);
	assert_int_equal(match("", true, STR("x")), 0);
}

static void the_dialect_of_re2_is_understood(void **state)
{
	static const struct {
		const char *pattern, *subject;
		int want;
	} rows[] = {
		{ "(?i)ABC", "xabcx", 1 },
		{ "(?i:A)b", "aB", 0 },
		{ "(?P<n>a)+", "aaa", 1 },
		{ "(?<n>a)", "a", 1 },
		{ "a{2,3}?b", "aab", 1 },
		{ "[[:alpha:]]+", "abc", 1 },
		{ "[]a]+", "]", 1 },
		{ "[^]]", "]", 0 },
		{ "\\d+\\.\\d", "12.5", 1 },
		{ "\\Qa+b\\E", "a+b", 1 },
		{ "\\Q(?=\\E", "(?=", 1 },
		{ "[(?=]", "=", 1 },
		{ "\\(?=", "=", 1 },
		{ "\\x41\\x{42}", "AB", 1 },
		{ "a{,3}", "a{,3}", 1 },
		{ "x{a}+", "x{a}}", 1 },
		{ "\\bfoo\\b", "a foo b", 1 },
		{ "a$", "a\n", 0 },
		{ "(?m)a$", "a\nb", 1 },
		{ "(?s)a.b", "a\nb", 1 },
		{ "a.b", "a\nb", 0 },
		{ "(?m)^$", "a\n", 1 },
		{ "\\pL", "a", 1 },
		{ "a+?b", "aab", 1 },
		{ "(?:a|b)*c", "abac", 1 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_N(rows); i++)
		if (match(rows[i].pattern, false, str_from(rows[i].subject)) != rows[i].want)
			fail_msg("%s on %s", rows[i].pattern, rows[i].subject);
}

static void what_re2_refuses_is_refused(void **state)
{
	static const char *const bad[] = { "(a)\\1", "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(?>a)",
		"a++", "a*+", "a?+", "a{2}+", "a{2,}+", "(?R)", "(?1)", "(?&n)", "(?P>n)", "(?P=n)",
		"\\k<n>", "\\g1", "(?C)", "(?C1)", "(*UTF)a", "(*LIMIT_MATCH=9)a", "(?(1)a)",
		"(?|a)", "(?#x)", "(?x) a", "a\\Kb", "\\Ga", "\\R", "\\X", "\\h", "\\Z", "a{1001}",
		"a{1,1001}", "a{99999999999}", "[\\b]", "[\\1]", "(?'n'a)", "(", ")", "[a", "[",
		"a**", "*", "\\", "(?", "(?P<", "(?P<n", "[[:x:]]", "\\p{Nothing}", "(?^a)" };
	(void)state;
	for (size_t i = 0; i < ARRAY_N(bad); i++) {
		struct re *r = NULL;
		struct err e = { 0 };
		if (re_compile(&r, str_from(bad[i]), false, &e) != -1)
			fail_msg("accepted: %s", bad[i]);
		assert_null(r);
		assert_int_equal(e.code, ERR_FORMAT);
		assert_non_null(strstr(e.msg, "offset "));
	}
}

static void refusals_name_the_offset(void **state)
{
	struct re *r = NULL;
	struct err e = { 0 };
	(void)state;
	re_compile(&r, STR("ab(?=c)"), false, &e);
	assert_non_null(strstr(e.msg, "offset 2:"));
}

static void subjects_are_matched_by_characters(void **state)
{
	(void)state;
	assert_int_equal(match(".", true, STR("\xc3\xa4")), 1);
	assert_int_equal(match("[\xc3\xa4\xc3\xb6]", true, STR("\xc3\xb6")), 1);
	assert_int_equal(match("(?i)\xc3\x84", true, STR("\xc3\xa4")), 1);
	assert_int_equal(match("\\x{20ac}", true, STR("\xe2\x82\xac")), 1);
}

static void a_stray_byte_hides_nothing(void **state)
{
	(void)state;
	assert_int_equal(match(".*secret.*", true, STR("/\xff/secret\xc3")), 1);
	assert_int_equal(match("secret", false,
				 STR("\xff\xfe"
				     "secret")),
		1);
	assert_int_equal(match("\xc3\xa4x", false, STR("\xff\xc3\xa4x")), 1);
	assert_int_equal(match("a.c", true, STR("a\0c")), 1);
	assert_int_equal(match("\\x{20ac}", false, STR("\xff")), 0);
	assert_int_equal(match("\\x{20ac}", false, STR("a")), 0);
}

static void runaway_patterns_hit_the_limit(void **state)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(100000);
	(void)state;
	for (int i = 0; i < 20000; i++)
		buf_putc(&b, 'a');
	buf_putc(&b, 'b');
	assert_int_equal(match("(a|a)*c|(a|aa)+$", false, buf_str(&b)), -1);
	assert_int_equal(match("(?:a|b)*", true, buf_str(&b)), 1);
}

static void oversized_patterns_are_refused(void **state)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(100000);
	struct re *r = NULL;
	struct err e = { 0 };
	(void)state;
	for (int i = 0; i < 50000; i++)
		buf_putc(&b, 'a');
	assert_int_equal(re_compile(&r, buf_str(&b), false, &e), -1);
	buf_reset(&b);
	for (int i = 0; i < 10000; i++)
		buf_putc(&b, '(');
	assert_int_equal(re_compile(&r, buf_str(&b), false, &e), -1);
	assert_int_equal(re_compile(&r, STR("(((a{1000}){1000}){1000}){1000}"), false, &e), -1);
	assert_null(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_anchors_at_both_ends),
		cmocka_unit_test(the_dialect_of_re2_is_understood),
		cmocka_unit_test(what_re2_refuses_is_refused),
		cmocka_unit_test(refusals_name_the_offset),
		cmocka_unit_test(subjects_are_matched_by_characters),
		cmocka_unit_test(a_stray_byte_hides_nothing),
		cmocka_unit_test(runaway_patterns_hit_the_limit),
		cmocka_unit_test(oversized_patterns_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
