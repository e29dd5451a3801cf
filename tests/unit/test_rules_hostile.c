/* Rule files that mean harm: each ends soon, with one clear error where there is one to tell. */
#include "tests/unit/rules_say.h"

#include "base/clock.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MIB (1u << 20)
/* Generous: sanitizers on a busy machine. What must not happen takes minutes or for ever. */
#define SOON_NS (20ull * 1000000000)

static struct buf text = BUF_INIT(64 * MIB);

static int begin(void **state)
{
	buf_reset(&text);
	return say_setup(state);
}

static int end(void **state)
{
	buf_fini(&text);
	return say_teardown(state);
}

/* Load what `text` holds; the problems are clean one-liners, and it does not take long. */
static struct ruleset *load_soon(void)
{
	uint64_t began = clock_mono_ns();
	struct rules_text t = { "hostile.yaml", buf_str(&text) };
	struct ruleset *rs = NULL;
	struct err e = { 0 };

	assert_false(text.full);
	rules_report_fini(&say_report);
	if (rules_load_text(&rs, &t, 1, NULL, &say_report, &e))
		fail_msg("%s", e.msg);
	assert_true(clock_mono_ns() - began < SOON_NS);
	for (size_t i = 0; i < say_report.list.n; i++) {
		AUTO(buf_fini) struct buf line = BUF_INIT(MIB);

		rules_problem_text(&line, &say_report.list.p[i]);
		assert_true(text_is_clean(buf_str(&line)));
		assert_true(line.n < 8192);
	}
	return rs;
}

static void one_error(const char *words)
{
	AUTO(ruleset_unref) struct ruleset *rs = load_soon();

	if (say_report.errors_n != 1) {
		for (size_t i = 0; i < say_report.list.n && i < 10; i++)
			print_error(
				"%u: %s\n", say_report.list.p[i].line, say_report.list.p[i].what);
		fail_msg("%zu errors", say_report.errors_n);
	}
	say_assert_told(RULES_ERROR, words);
}

static void repeat(const char *part, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_puts(&text, part);
}

static void put_rule(const char *name, const char *condition)
{
	buf_printf(&text, "- rule: %s\n  desc: d\n  output: o\n  priority: INFO\n  condition: %s\n",
		name, condition);
}

static void macros_in_a_ring_are_told(void **state)
{
	(void)state;
	buf_puts(&text, "- macro: a\n  condition: " SAY_ALWAYS
			"\n- macro: b\n  condition: a\n- macro: c\n  condition: b\n"
			"- macro: a\n  condition: c\n");
	AUTO(ruleset_unref) struct ruleset *rs = load_soon();

	assert_true(say_report.errors_n >= 1 && say_report.errors_n <= 3);
	say_assert_told(RULES_ERROR, "refers to itself");
}

static void a_macro_of_itself_is_told(void **state)
{
	(void)state;
	buf_puts(&text, "- macro: a\n  condition: x\n- macro: a\n  condition: not a\n");
	one_error("a");
}

/* Each macro names the one before twice: 2^n checks when written out. */
static void macros_that_double_do_not_explode(void **state)
{
	(void)state;
	buf_puts(&text, "- macro: m0\n  condition: evt.type = execve and proc.name = sh\n");
	for (int i = 1; i < 400; i++)
		buf_printf(&text, "- macro: m%d\n  condition: m%d and (m%d or proc.pid = %d)\n", i,
			i - 1, i - 1, i);
	put_rule("r", "m399");
	AUTO(ruleset_unref) struct ruleset *rs = load_soon();

	if (say_report.errors_n)
		return; /* a bound that is told is as good */
	assert_string_equal(say_fired_by(rs), "r");
}

static void lists_that_double_are_bounded(void **state)
{
	(void)state;
	buf_puts(&text, "- list: l0\n  items: [a, b]\n");
	for (int i = 1; i < 64; i++)
		buf_printf(&text, "- list: l%d\n  items: [l%d, l%d]\n", i, i - 1, i - 1);
	/* And by the way of text: a list that is named in the text of a later one. */
	buf_puts(&text, "- list: k63\n  items: [x]\n");
	put_rule("r", "proc.name in (l63)");
	AUTO(ruleset_unref) struct ruleset *rs = load_soon();

	assert_true(say_report.errors_n <= 1);
}

static void ten_megabytes_of_nothing_much_are_told_once(void **state)
{
	(void)state;
	repeat("[{x: ", 2 * MIB);
	one_error("");
}

static void ten_megabytes_of_one_condition_are_told_once(void **state)
{
	(void)state;
	buf_puts(&text, "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: ");
	repeat("proc.name = aaaaaaaa or ", 10 * MIB / 24);
	buf_puts(&text, "proc.name = b\n");
	one_error("");
}

static void ten_megabytes_of_one_list_are_told_once(void **state)
{
	(void)state;
	buf_puts(&text, "- list: l\n  items: [a");
	for (int i = 0; text.n < 10 * MIB; i++)
		buf_printf(&text, ", item-%d", i);
	buf_puts(&text, "]\n");
	put_rule("r", "proc.name in (l)");
	one_error("");
}

static void ten_megabytes_of_errors_are_counted_past_the_bound(void **state)
{
	(void)state;
	while (text.n < 10 * MIB)
		put_rule("r", "no.such.field = x");
	AUTO(ruleset_unref) struct ruleset *rs = load_soon();

	assert_true(say_report.errors_n >= 1);
	assert_true(say_report.list.n <= RULES_MAX_PROBLEMS);
}

static void a_file_past_the_bound_is_told(void **state)
{
	(void)state;
	repeat("# nothing\n", 17 * MIB / 10);
	one_error("");
}

static void parentheses_ten_thousand_deep_are_told(void **state)
{
	(void)state;
	buf_puts(&text, "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: ");
	repeat("(", 10000);
	buf_puts(&text, "proc.name = sh");
	repeat(")", 10000);
	buf_putc(&text, '\n');
	one_error("deep");
}

static void negations_ten_thousand_deep_are_told_or_taken(void **state)
{
	(void)state;
	buf_puts(&text, "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: ");
	repeat("not ", 10000);
	buf_puts(&text, "proc.name = sh\n");
	AUTO(ruleset_unref) struct ruleset *rs = load_soon();

	assert_true(say_report.errors_n <= 1);
	if (!say_report.errors_n)
		assert_string_equal(say_fired_by(rs), "r");
}

static void transformers_ten_thousand_deep_are_told(void **state)
{
	(void)state;
	buf_puts(&text, "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: ");
	repeat("tolower(", 10000);
	buf_puts(&text, "proc.name");
	repeat(")", 10000);
	buf_puts(&text, " = sh\n");
	one_error("deep");
}

static void yaml_ten_thousand_deep_is_told(void **state)
{
	(void)state;
	repeat("[", 10000);
	one_error("");
}

static void regular_expressions_that_never_end_do(void **state)
{
	static const char *const patterns[] = { "'(a+)+b'", "'(a|aa)*c'", "'((a*)*)*d'",
		"'(.*a){20}z'", "'(x+x+)+y'" };
	char name[16];
	struct judge_alerts alerts = { 0 };
	struct ruleset *rs;
	uint64_t began;

	(void)state;
	for (size_t i = 0; i < ARRAY_N(patterns); i++) {
		AUTO(buf_fini) struct buf b = BUF_INIT(256);

		buf_printf(&b, "\"proc.exepath regex %s\"", patterns[i]);
		snprintf(name, sizeof(name), "r%zu", i);
		put_rule(name, buf_cstr(&b));
	}
	rs = load_soon();
	rfx_process(
		&say_fx, 0, "x", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "x");
	AUTO(judge_free) struct judge *j = judge_new(&(struct judge_options){ .rules = rs });

	began = clock_mono_ns();
	for (int i = 0; i < 20; i++)
		rfx_judge(&say_fx, j, &alerts);
	assert_true(clock_mono_ns() - began < SOON_NS);
	assert_int_equal(alerts.list.n, 0);
	rfx_alerts_fini(&alerts);
	ruleset_unref(rs);
}

static void what_the_dialect_has_not_is_told(void **state)
{
	static const char *const patterns[] = { "(?=a)b", "(a)\\\\1", "(?R)", "a++", "(?>a)",
		"(*SKIP)a" };

	(void)state;
	for (size_t i = 0; i < ARRAY_N(patterns); i++) {
		buf_reset(&text);
		buf_printf(&text,
			"- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: |\n"
			"    proc.name regex '%s'\n",
			patterns[i]);
		one_error("");
	}
}

static void bytes_that_are_no_utf8_are_told_with_their_line(void **state)
{
	static const char *const bad[] = { "\xff\xfe", "\xc3\x28", "\xed\xa0\x80",
		"\xf0\x80\x80\xaf" };

	(void)state;
	for (size_t i = 0; i < ARRAY_N(bad); i++) {
		buf_reset(&text);
		put_rule("a", SAY_ALWAYS);
		put_rule(bad[i], SAY_ALWAYS);
		one_error("");
		assert_true(say_report.list.p[0].line > 0);
	}
}

static void control_bytes_reach_no_message(void **state)
{
	(void)state;
	put_rule("\"x\\e[2J\\x07\"", "\"no.such\\e.field = 1\"");
	one_error("");
}

static void zero_bytes_are_told(void **state)
{
	(void)state;
	put_rule("a", "proc.name = \"a\"");
	buf_put(&text, "\0\0", 2);
	one_error("");
	buf_reset(&text);
	put_rule("\"a\\0b\"", SAY_ALWAYS);
	one_error("");
}

/* "Billion laughs": ten aliases a line. */
static void yaml_aliases_that_explode_are_told(void **state)
{
	(void)state;
	buf_puts(&text, "- list: a\n  items: &a [x, x, x, x, x, x, x, x, x, x]\n");
	for (char c = 'b'; c < 'l'; c++) {
		buf_printf(&text, "- list: %c\n  items: &%c [", c, c);
		for (int i = 0; i < 10; i++)
			buf_printf(&text, "%s*%c", i ? ", " : "", c - 1);
		buf_puts(&text, "]\n");
	}
	one_error("");
}

static void an_alias_of_itself_is_told(void **state)
{
	(void)state;
	buf_puts(&text, "- list: a\n  items: &a [x, *a]\n");
	one_error("");
}

static void an_output_of_a_million_fields_is_bounded(void **state)
{
	(void)state;
	buf_puts(&text, "- rule: r\n  desc: d\n  priority: INFO\n  condition: " SAY_ALWAYS
			"\n  output: \"");
	repeat("%proc.cmdline ", 1000000);
	buf_puts(&text, "\"\n");
	AUTO(ruleset_unref) struct ruleset *rs = load_soon();

	assert_true(say_report.errors_n <= 1);
	if (!say_report.errors_n)
		say_fired_by(rs);
}

static void exceptions_by_the_hundred_thousand_are_bounded(void **state)
{
	(void)state;
	put_rule("r", SAY_ALWAYS);
	buf_puts(&text, "  exceptions:\n    - name: e\n      fields: [proc.name, proc.pname]\n"
			"      values:\n");
	for (int i = 0; i < 100000; i++)
		buf_printf(&text, "        - [a%d, b%d]\n", i, i);
	AUTO(ruleset_unref) struct ruleset *rs = load_soon();

	assert_true(say_report.errors_n <= 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		T(macros_in_a_ring_are_told),
		T(a_macro_of_itself_is_told),
		T(macros_that_double_do_not_explode),
		T(lists_that_double_are_bounded),
		T(ten_megabytes_of_nothing_much_are_told_once),
		T(ten_megabytes_of_one_condition_are_told_once),
		T(ten_megabytes_of_one_list_are_told_once),
		T(ten_megabytes_of_errors_are_counted_past_the_bound),
		T(a_file_past_the_bound_is_told),
		T(parentheses_ten_thousand_deep_are_told),
		T(negations_ten_thousand_deep_are_told_or_taken),
		T(transformers_ten_thousand_deep_are_told),
		T(yaml_ten_thousand_deep_is_told),
		T(regular_expressions_that_never_end_do),
		T(what_the_dialect_has_not_is_told),
		T(bytes_that_are_no_utf8_are_told_with_their_line),
		T(control_bytes_reach_no_message),
		T(zero_bytes_are_told),
		T(yaml_aliases_that_explode_are_told),
		T(an_alias_of_itself_is_told),
		T(an_output_of_a_million_fields_is_bounded),
		T(exceptions_by_the_hundred_thousand_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
