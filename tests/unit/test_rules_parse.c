/* The grammar of conditions. */
#include "base/buf.h"
#include "rules/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* What a condition is read as, in full parentheses; or "error at N: ...". */
static const char *read_as(const char *condition)
{
	static char out[4096];
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(buf_fini) struct buf b = BUF_INIT(sizeof(out) - 1);
	struct err e = { 0 };
	struct ast *tree;
	size_t at;

	if (parse_condition(&tree, a, str_from(condition), &at, &e))
		buf_printf(&b, "error at %zu: %s", at, e.msg);
	else
		ast_print(&b, tree);
	memcpy(out, buf_cstr(&b), b.n + 1);
	return out;
}

#define assert_reads(condition, as) assert_string_equal(read_as(condition), as)
#define assert_wrong(condition)     assert_memory_equal(read_as(condition), "error", 5)

static void and_binds_stronger_than_or_and_not_strongest(void **state)
{
	(void)state;
	assert_reads("a or b and not c", "(a or (b and not c))");
	assert_reads("not a and b", "(not a and b)");
	assert_reads("(a or b) and c", "((a or b) and c)");
}

static void operators_need_a_blank_or_a_parenthesis(void **state)
{
	(void)state;
	assert_reads("a and(b)", "(a and b)");
	assert_reads("not(a)", "not a");
	assert_reads("a\n\tor\r\n b", "(a or b)");
	assert_wrong("a andb");
	assert_reads("nota", "nota");
	assert_wrong("a or");
}

static void repeated_not_toggles(void **state)
{
	(void)state;
	assert_reads("not not a", "a");
	assert_reads("not not not a", "not a");
	assert_reads("not not(a)", "a");
}

static void a_field_has_dots_and_perhaps_an_argument(void **state)
{
	(void)state;
	assert_reads("proc.aname[2] = sshd", "proc.aname[2] = sshd");
	assert_reads("proc.env['A B'] exists", "proc.env[\"A B\"] exists");
	assert_reads(
		"container.mount.dest[/proc*] in (N/A)", "container.mount.dest[/proc*] in (N/A)");
	assert_wrong("proc.aname[a b] = x");
	assert_wrong("proc.aname[2 = x");
	assert_wrong("proc. = x");
	assert_wrong("evt.is_open_read");
}

static void every_operator_is_read(void **state)
{
	static const char *const ops[] = { "=", "!=", "glob", "iglob", "contains", "icontains",
		"bcontains", "startswith", "bstartswith", "endswith", "regex" };
	char text[64], as[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_N(ops); i++) {
		snprintf(text, sizeof(text), "a.b %s x", ops[i]);
		snprintf(as, sizeof(as), "a.b %s x", ops[i]);
		assert_reads(text, as);
	}
	assert_reads("a.b == x", "a.b = x");
	assert_reads("a.b=x", "a.b = x");
	assert_reads("a.b<=3", "a.b <= 3");
	assert_reads("a.b>0x1f", "a.b > 0x1f");
	assert_reads("a.b < -1.5e+3", "a.b < -1.5e+3");
	assert_reads("a.b exists", "a.b exists");
	assert_wrong("a.b < x");
	assert_wrong("a.b ~ x");
	assert_wrong("a.b containsx");
}

static void list_operators_take_parentheses_names_and_transformers(void **state)
{
	(void)state;
	assert_reads("a.b in (x, 'y z',w)", "a.b in (x, \"y z\", w)");
	assert_reads("a.b in(x)", "a.b in (x)");
	assert_reads("a.b in ( )", "a.b in ()");
	assert_reads("a.b intersects (x)", "a.b intersects (x)");
	assert_reads("a.b pmatch (/etc, /usr)", "a.b pmatch (/etc, /usr)");
	assert_reads("a.b in name", "a.b in (name)");
	assert_reads("a.b in val(c.d)", "a.b in val(c.d)");
	assert_wrong("a.b in (x y)");
	assert_wrong("a.b in (x,)");
	assert_wrong("a.b in (x");
}

static void modifiers_take_a_list_after_a_string_operator(void **state)
{
	(void)state;
	assert_reads("a.b startswith anyof (x, y)", "a.b startswith anyof (x, y)");
	assert_reads("a.b contains allof(x)", "a.b contains allof (x)");
	assert_reads("a.b = oneof (x)", "a.b = oneof (x)");
	assert_reads("a.b = anyofx", "a.b = anyofx");
	assert_wrong("a.b startswith anyof x");
}

static void transformers_nest_and_stand_on_both_sides(void **state)
{
	(void)state;
	assert_reads("tolower(toupper(a.b)) = x", "tolower(toupper(a.b)) = x");
	assert_reads("a.b = tolower(c.d)", "a.b = tolower(c.d)");
	assert_reads("len(a.b) > len(c.d)", "len(a.b) > len(c.d)");
	assert_reads("join(\", \", a.b) = x", "join(\", \", a.b) = x");
	assert_reads("join('-', (a.b, c.d)) = x", "join(\"-\", a.b, c.d) = x");
	assert_reads("concat(a.b, -, c.d) = x", "concat(a.b, -, c.d) = x");
	assert_reads("getopt(a.b, \"e:\")[e] = x", "getopt(a.b, \"e:\")[e] = x");
	assert_wrong("tolower(x) = y");
	assert_wrong("tolower(a.b, c.d) = y");
	assert_wrong("tolower(a.b = y");
	assert_wrong("a.b = val(tolower(c.d))");
}

static void bare_strings_end_at_blanks_quotes_parentheses_commas_and_equals(void **state)
{
	(void)state;
	assert_reads("a.b = /etc/*.conf", "a.b = /etc/*.conf");
	assert_reads("(a.b = <)", "a.b = <");
	assert_wrong("a.b = x=y");
	assert_wrong("a.b = x,y");
}

static void escapes_are_resolved_in_quoted_strings(void **state)
{
	(void)state;
	assert_reads("a.b = \"x\\\"y\"", "a.b = \"x\\\"y\"");
	assert_reads("a.b = 'x\\'y'", "a.b = \"x'y\"");
	assert_reads("a.b = '\\t\\x41\\/\\\\'", "a.b = \"\\x09A/\\\\\"");
	assert_reads("a.b = 'x\\ y'", "a.b = \"x\\\\y\"");
	assert_reads("a.b = \"C:\\\\\"", "a.b = \"C:\\\\\"");
	assert_wrong("a.b = 'x\\\"y'");
	assert_wrong("a.b = \"x\\'y\"");
	assert_wrong("a.b = 'x\\qy'");
	assert_wrong("a.b = 'x\\x00y'");
	assert_wrong("a.b = 'x\\x4'");
	assert_wrong("a.b = 'x");
}

static void errors_carry_the_offset(void **state)
{
	(void)state;
	assert_memory_equal(read_as("a.b = 1 and (c.d ?? 2)"), "error at 17:", 12);
	assert_memory_equal(read_as("a )"), "error at 2:", 11);
	assert_memory_equal(read_as("   "), "error at 0: condition is empty", 30);
}

static int parse_repeated(
	const char *head, const char *part, size_t n, const char *tail, struct err *e)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(buf_fini) struct buf b = BUF_INIT(1 << 20);
	struct ast *tree;
	size_t at;

	buf_puts(&b, head);
	for (size_t i = 0; i < n; i++)
		buf_puts(&b, part);
	buf_puts(&b, tail);
	for (size_t i = 0; i < n && *tail; i++)
		buf_putc(&b, ')');
	return parse_condition(&tree, a, buf_str(&b), &at, e);
}

static void depth_is_limited_but_length_is_not(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(parse_repeated("", "(", 990, "a", &e), 0);
	assert_int_equal(parse_repeated("", "(", 10000, "a", &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	assert_int_equal(parse_repeated("", "not(", 10000, "a", &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	assert_int_equal(parse_repeated("", "tolower(", 10000, "a.b", &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	assert_int_equal(parse_repeated("a", " or b", 50000, "", &e), 0);
	assert_int_equal(parse_repeated("", "not ", 50000, "", &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
}

static void a_nul_byte_ends_nothing_quietly(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct err e = { 0 };
	struct ast *tree;
	size_t at;

	(void)state;
	assert_int_equal(parse_condition(&tree, a, STR("a.b = x\0 or c"), &at, &e), -1);
	assert_int_equal(parse_condition(&tree, a, STR("a.b = 'x\0y'"), &at, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(and_binds_stronger_than_or_and_not_strongest),
		cmocka_unit_test(operators_need_a_blank_or_a_parenthesis),
		cmocka_unit_test(repeated_not_toggles),
		cmocka_unit_test(a_field_has_dots_and_perhaps_an_argument),
		cmocka_unit_test(every_operator_is_read),
		cmocka_unit_test(list_operators_take_parentheses_names_and_transformers),
		cmocka_unit_test(modifiers_take_a_list_after_a_string_operator),
		cmocka_unit_test(transformers_nest_and_stand_on_both_sides),
		cmocka_unit_test(bare_strings_end_at_blanks_quotes_parentheses_commas_and_equals),
		cmocka_unit_test(escapes_are_resolved_in_quoted_strings),
		cmocka_unit_test(errors_carry_the_offset),
		cmocka_unit_test(depth_is_limited_but_length_is_not),
		cmocka_unit_test(a_nul_byte_ends_nothing_quietly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
