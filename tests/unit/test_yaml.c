#include "base/yaml.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct yaml_docs parse(const char *text)
{
	struct yaml_docs d = { 0 };
	struct err e = { 0 };
	if (yaml_parse(&d, str_from(text), "t.yaml", NULL, &e))
		fail_msg("%s", e.msg);
	return d;
}

static void check_refused(
	struct str text, const struct yaml_limits *l, enum err_code code, const char *msg)
{
	struct yaml_docs d = { 0 };
	struct err e = { 0 };
	if (yaml_parse(&d, text, "t.yaml", l, &e) != -1)
		fail_msg("accepted: %.*s", STR_ARG(text));
	assert_null(d.arena);
	assert_int_equal(e.code, code);
	if (!strstr(e.msg, msg))
		fail_msg("'%s' is not in '%s'", msg, e.msg);
}

static void a_document_becomes_a_tree_with_places(void **state)
{
	AUTO(yaml_docs_fini)
	struct yaml_docs d = parse("- rule: a\n  tags: [x, \"y\"]\n- list: b\n");
	(void)state;
	assert_int_equal(d.n, 1);
	const struct yaml_node *root = d.docs[0];
	assert_int_equal(root->kind, YAML_SEQ);
	assert_int_equal(root->n, 2);
	const struct yaml_node *tags = yaml_get(root->items[0], "tags");
	assert_int_equal(tags->kind, YAML_SEQ);
	assert_int_equal(tags->line, 2);
	assert_int_equal(tags->col, 9);
	assert_true(tags->items[0]->plain);
	assert_false(tags->items[1]->plain);
	assert_string_equal(tags->items[1]->value.p, "y");
	assert_true(str_eqz(yaml_get(root->items[1], "list")->value, "b"));
	assert_int_equal(root->items[1]->pairs[0].key->line, 3);
	assert_null(yaml_get(root->items[1], "rule"));
	assert_null(yaml_get(root, "rule"));
	assert_null(yaml_get(NULL, "rule"));
}

static void folded_text_is_read_as_one_value(void **state)
{
	AUTO(yaml_docs_fini)
	struct yaml_docs d = parse("condition: >\n  a and\n  b\noutput: |\n  x\n  y\n");
	(void)state;
	assert_string_equal(yaml_get(d.docs[0], "condition")->value.p, "a and b\n");
	assert_string_equal(yaml_get(d.docs[0], "output")->value.p, "x\ny\n");
	assert_false(yaml_get(d.docs[0], "output")->plain);
}

static void empty_documents_are_left_out(void **state)
{
	static const char *const empty[] = { "", "# only a comment\n", "---\n", "---\n---\n...\n" };
	(void)state;
	for (size_t i = 0; i < ARRAY_N(empty); i++) {
		AUTO(yaml_docs_fini) struct yaml_docs d = parse(empty[i]);
		assert_int_equal(d.n, 0);
	}
	AUTO(yaml_docs_fini) struct yaml_docs two = parse("---\na: 1\n---\n---\n- b\n");
	assert_int_equal(two.n, 2);
	assert_int_equal(two.docs[1]->kind, YAML_SEQ);
}

static void an_alias_shares_its_anchors_node(void **state)
{
	AUTO(yaml_docs_fini) struct yaml_docs d = parse("a: &x [1, 2]\nb: *x\nc: &k key\n*k : v\n");
	(void)state;
	assert_ptr_equal(yaml_get(d.docs[0], "a"), yaml_get(d.docs[0], "b"));
	assert_string_equal(yaml_get(d.docs[0], "key")->value.p, "v");
}

static void aliases_of_nothing_or_of_themselves_are_refused(void **state)
{
	(void)state;
	check_refused(STR("a: *x\n"), NULL, ERR_FORMAT, "t.yaml:1:4: alias of an unknown anchor");
	check_refused(STR("a: &x [1, *x]\n"), NULL, ERR_FORMAT, "alias of a value that holds it");
	/* an anchor ends with its document */
	check_refused(
		STR("a: &x 1\n---\nb: *x\n"), NULL, ERR_FORMAT, "t.yaml:3:4: alias of an unknown");
}

static void nested_aliases_cannot_explode(void **state)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(10000);
	(void)state;
	buf_puts(&b, "- &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 10; i++) {
		buf_printf(&b, "- &a%d [", i);
		for (int k = 0; k < 10; k++)
			buf_printf(&b, "%s*a%d", k ? "," : "", i - 1);
		buf_puts(&b, "]\n");
	}
	check_refused(buf_str(&b), NULL, ERR_LIMIT, "too many values");
}

static void depth_counts_through_aliases(void **state)
{
	const struct yaml_limits four = { .max_depth = 4 };
	struct yaml_docs d = { 0 };
	(void)state;
	assert_int_equal(yaml_parse(&d, STR("[[[x]]]"), "t", &four, NULL), 0);
	yaml_docs_fini(&d);
	check_refused(STR("[[[[x]]]]"), &four, ERR_LIMIT, "t.yaml:1:5: nested too deeply");
	check_refused(
		STR("- &a [[x]]\n- [[*a]]\n"), &four, ERR_LIMIT, "t.yaml:2:5: nested too deeply");
}

static void every_limit_is_kept(void **state)
{
	const struct yaml_limits bytes = { .max_bytes = 4 }, nodes = { .max_nodes = 3 };
	AUTO(buf_fini) struct buf deep = BUF_INIT(200000);
	struct yaml_docs d = { 0 };
	(void)state;
	check_refused(STR("a: bc"), &bytes, ERR_LIMIT, "t.yaml: 5 bytes, allowed are 4");
	assert_int_equal(yaml_parse(&d, STR("[a, b]"), "t", &nodes, NULL), 0);
	yaml_docs_fini(&d);
	check_refused(STR("[a, b, c]"), &nodes, ERR_LIMIT, "too many values");
	for (int i = 0; i < 100000; i++)
		buf_putc(&deep, '[');
	check_refused(buf_str(&deep), NULL, ERR_LIMIT, "nested too deeply");
}

static void equal_keys_are_refused(void **state)
{
	(void)state;
	check_refused(STR("a: 1\nb: 2\na: 3\n"), NULL, ERR_FORMAT,
		"t.yaml:3:1: the key 'a' stands here twice");
	check_refused(STR("{a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1, c: 2}"), NULL,
		ERR_FORMAT, "the key 'c' stands here twice");
	AUTO(yaml_docs_fini)
	struct yaml_docs d = parse("{a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1, j: 2}");
	assert_int_equal(d.docs[0]->n, 10);
}

static void what_is_not_yaml_is_refused_with_its_place(void **state)
{
	(void)state;
	check_refused(STR("a: [1, 2\nb: 3\n"), NULL, ERR_FORMAT, "t.yaml:2:2: ");
	check_refused(STR("a: 'x\n"), NULL, ERR_FORMAT, "t.yaml:2:1: ");
	check_refused(STR("\ta: 1\n"), NULL, ERR_FORMAT, "t.yaml:1:1: ");
	check_refused(STR("a: \xff\n"), NULL, ERR_FORMAT, "t.yaml:1:4: byte 3: ");
	check_refused(
		STR("? [a]\n: b\n"), NULL, ERR_FORMAT, "t.yaml:1:3: a key must be a single value");
	check_refused(STR("a: \"x\\0y\"\n"), NULL, ERR_FORMAT,
		"t.yaml:1:4: a value must not hold a zero byte");
}

static const struct yaml_node *value_of(const struct yaml_docs *d)
{
	return yaml_get(d->docs[0], "v");
}

static void null_is_a_plain_word_or_nothing(void **state)
{
	static const struct {
		const char *text;
		bool want;
	} rows[] = {
		{ "v:\n", true },
		{ "v: ~\n", true },
		{ "v: null\n", true },
		{ "v: NULL\n", true },
		{ "v: 'null'\n", false },
		{ "v: ''\n", false },
		{ "v: nil\n", false },
		{ "v: []\n", false },
		{ "v: !!str null\n", false },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_N(rows); i++) {
		AUTO(yaml_docs_fini) struct yaml_docs d = parse(rows[i].text);
		if (yaml_is_null(value_of(&d)) != rows[i].want)
			fail_msg("%s", rows[i].text);
	}
	assert_true(yaml_is_null(NULL));
}

static void bool_words_are_those_of_falco(void **state)
{
	static const struct {
		const char *text;
		int want; /* -1: none */
	} rows[] = {
		{ "v: true\n", 1 },
		{ "v: True\n", 1 },
		{ "v: yes\n", 1 },
		{ "v: ON\n", 1 },
		{ "v: false\n", 0 },
		{ "v: No\n", 0 },
		{ "v: off\n", 0 },
		{ "v: \"false\"\n", 0 },
		{ "v: tRue\n", -1 },
		{ "v: 1\n", -1 },
		{ "v: [true]\n", -1 },
		{ "v:\n", -1 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_N(rows); i++) {
		AUTO(yaml_docs_fini) struct yaml_docs d = parse(rows[i].text);
		bool got = rows[i].want != 1;
		bool is_bool = yaml_bool(value_of(&d), &got);
		if (is_bool != (rows[i].want >= 0) || got != (rows[i].want >= 0 ? rows[i].want : 1))
			fail_msg("%s", rows[i].text);
	}
	assert_false(yaml_bool(NULL, &(bool){ false }));
}

static void integers_are_decimal_hex_or_octal(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t want;
	} rows[] = {
		{ "v: 12\n", true, 12 },
		{ "v: -12\n", true, -12 },
		{ "v: +12\n", true, 12 },
		{ "v: 0x1F\n", true, 31 },
		{ "v: 0o17\n", true, 15 },
		{ "v: 017\n", true, 17 },
		{ "v: 9223372036854775807\n", true, INT64_MAX },
		{ "v: -9223372036854775808\n", true, INT64_MIN },
		{ "v: 9223372036854775808\n", false, 0 },
		{ "v: 0xffffffffffffffff\n", false, 0 },
		{ "v: 1.5\n", false, 0 },
		{ "v: +-1\n", false, 0 },
		{ "v: +\n", false, 0 },
		{ "v: 0o8\n", false, 0 },
		{ "v: 0o\n", false, 0 },
		{ "v: 0o777777777777777777777\n", false, 0 },
		{ "v: x\n", false, 0 },
		{ "v:\n", false, 0 },
		{ "v: {}\n", false, 0 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_N(rows); i++) {
		AUTO(yaml_docs_fini) struct yaml_docs d = parse(rows[i].text);
		int64_t got = 0;
		if (yaml_i64(value_of(&d), &got) != rows[i].ok || got != rows[i].want)
			fail_msg("%s", rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_becomes_a_tree_with_places),
		cmocka_unit_test(folded_text_is_read_as_one_value),
		cmocka_unit_test(empty_documents_are_left_out),
		cmocka_unit_test(an_alias_shares_its_anchors_node),
		cmocka_unit_test(aliases_of_nothing_or_of_themselves_are_refused),
		cmocka_unit_test(nested_aliases_cannot_explode),
		cmocka_unit_test(depth_counts_through_aliases),
		cmocka_unit_test(every_limit_is_kept),
		cmocka_unit_test(equal_keys_are_refused),
		cmocka_unit_test(what_is_not_yaml_is_refused_with_its_place),
		cmocka_unit_test(null_is_a_plain_word_or_nothing),
		cmocka_unit_test(bool_words_are_those_of_falco),
		cmocka_unit_test(integers_are_decimal_hex_or_octal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
