#include "base/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void values_are_read_by_key_and_place(void **state)
{
	AUTO(json_free) struct json *j = NULL;
	struct err e = { 0 };
	(void)state;
	assert_int_equal(
		json_parse(&j,
			STR("{\"s\":\"\\u00e4x\",\"n\":-5,\"r\":1.5,\"t\":true,\"f\":false,"
			    "\"z\":null,\"a\":[1,[2]],\"o\":{}}"),
			0, &e),
		0);
	const struct json_node *root = json_root(j);
	assert_int_equal(json_type(root), JSON_OBJ);
	assert_int_equal(json_len(root), 8);
	assert_true(str_eqz(json_str(json_get(root, "s"), STR("?")), "\xc3\xa4x"));
	assert_int_equal(json_int(json_get(root, "n"), 0), -5);
	assert_true(json_real(json_get(root, "r"), 0) == 1.5);
	assert_true(json_real(json_get(root, "n"), 0) == -5.0);
	assert_true(json_bool(json_get(root, "t"), false));
	assert_false(json_bool(json_get(root, "f"), true));
	assert_int_equal(json_type(json_get(root, "z")), JSON_NULL);
	assert_int_equal(json_type(json_get(root, "r")), JSON_REAL);
	assert_int_equal(json_int(json_at(json_get(root, "a"), 0), 0), 1);
	assert_int_equal(json_int(json_at(json_at(json_get(root, "a"), 1), 0), 0), 2);
	assert_int_equal(json_len(json_get(root, "o")), 0);
}

static void what_is_absent_or_of_another_type_gives_the_fallback(void **state)
{
	AUTO(json_free) struct json *j = NULL;
	(void)state;
	assert_int_equal(json_parse(&j, STR("{\"s\":\"x\"}"), 0, NULL), 0);
	const struct json_node *s = json_get(json_root(j), "s");
	assert_null(json_get(json_root(j), "other"));
	assert_null(json_get(s, "x"));
	assert_null(json_get(NULL, "x"));
	assert_null(json_at(json_root(j), 0));
	assert_int_equal(json_type(NULL), JSON_NONE);
	assert_int_equal(json_int(s, 9), 9);
	assert_true(json_real(s, 9) == 9);
	assert_true(json_bool(s, true));
	assert_true(str_eqz(json_str(NULL, STR("none")), "none"));
	assert_int_equal(json_len(s), 0);
}

static void the_last_of_equal_keys_counts(void **state)
{
	AUTO(json_free) struct json *j = NULL;
	(void)state;
	assert_int_equal(json_parse(&j, STR("{\"a\":1,\"a\":2}"), 0, NULL), 0);
	assert_int_equal(json_int(json_get(json_root(j), "a"), 0), 2);
	assert_int_equal(json_len(json_root(j)), 1);
}

static bool add_key(void *ctx, struct str key, const struct json_node *v)
{
	struct buf *b = ctx;
	buf_put_str(b, key);
	buf_put_i64(b, json_int(v, -1));
	return b->n < 4;
}

static void members_come_in_the_documents_order_until_refused(void **state)
{
	AUTO(json_free) struct json *j = NULL;
	AUTO(buf_fini) struct buf b = BUF_INIT(100);
	(void)state;
	assert_int_equal(json_parse(&j, STR("{\"z\":1,\"a\":2,\"m\":3}"), 0, NULL), 0);
	json_each(json_root(j), add_key, &b);
	assert_string_equal(buf_cstr(&b), "z1a2");
	json_each(NULL, add_key, &b);
	assert_string_equal(buf_cstr(&b), "z1a2");
}

static void damaged_text_is_refused_with_its_place(void **state)
{
	static const char *const bad[] = { "", "{", "[1,]", "{\"a\":}", "nul", "[1]x", "\"\xff\"",
		"\"\\u0000\"", "[99999999999999999999]", "[1e999]", "{\"a\" 1}", "\"\n\"" };
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct json *j = NULL;
		struct err e = { 0 };
		if (json_parse(&j, str_from(bad[i]), 0, &e) != -1)
			fail_msg("accepted: %s", bad[i]);
		assert_null(j);
		assert_int_equal(e.code, ERR_FORMAT);
	}
	struct json *j = NULL;
	struct err e = { 0 };
	json_parse(&j, STR("{\n \"a\": x}"), 0, &e);
	assert_non_null(strstr(e.msg, "line 2 column"));
}

static void size_and_depth_are_bounded(void **state)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(10000);
	struct json *j = NULL;
	struct err e = { 0 };
	(void)state;
	assert_int_equal(json_parse(&j, STR("[1,2,3]"), 6, &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	for (int i = 0; i < 3000; i++)
		buf_putc(&b, '[');
	assert_int_equal(json_parse(&j, buf_str(&b), 0, &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	assert_null(j);
}

static void the_writer_places_commas(void **state)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(1000);
	struct jw w = jw_on(&b);
	(void)state;
	jw_obj(&w);
	jw_kv_str(&w, "s", STR("x"));
	jw_kv_strz(&w, "none", NULL);
	jw_key(&w, "a");
	jw_arr(&w);
	jw_u64(&w, UINT64_MAX);
	jw_i64(&w, -1);
	jw_arr(&w);
	jw_end_arr(&w);
	jw_obj(&w);
	jw_end_obj(&w);
	jw_null(&w);
	jw_end_arr(&w);
	jw_kv_u64(&w, "u", 5);
	jw_kv_i64(&w, "i", -5);
	jw_kv_bool(&w, "b", true);
	jw_key(&w, "raw");
	jw_raw(&w, STR("{\"k\":1}"));
	jw_end_obj(&w);
	assert_string_equal(buf_cstr(&b),
		"{\"s\":\"x\",\"none\":null,\"a\":[18446744073709551615,-1,[],{},null],"
		"\"u\":5,\"i\":-5,\"b\":true,\"raw\":{\"k\":1}}");
	assert_int_equal(w.depth, 0);
}

static void sixty_levels_can_be_written(void **state)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(1000);
	struct jw w = jw_on(&b);
	(void)state;
	for (int i = 0; i < 60; i++)
		jw_arr(&w);
	for (int i = 0; i < 60; i++)
		jw_end_arr(&w);
	assert_int_equal(b.n, 120);
	assert_null(memchr(b.p, ',', b.n));
}

static void check_string(struct str in, const char *want)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(1000);
	AUTO(json_free) struct json *j = NULL;
	struct err e = { 0 };
	struct jw w = jw_on(&b);
	jw_str(&w, in);
	assert_string_equal(buf_cstr(&b), want);
	if (!memchr(in.n ? in.p : "", 0, in.n))
		assert_int_equal(json_parse(&j, buf_str(&b), 0, &e), 0);
}

static void strings_are_escaped_and_always_utf8(void **state)
{
	(void)state;
	check_string(STR(""), "\"\"");
	check_string(STR("a\"b\\c/"), "\"a\\\"b\\\\c/\"");
	check_string(STR("\n\t\033\x7f"), "\"\\u000a\\u0009\\u001b\\u007f\"");
	check_string(STR("\0"), "\"\\u0000\"");
	check_string(STR("\xc3\xa4\xf0\x9f\x90\xb3"), "\"\xc3\xa4\xf0\x9f\x90\xb3\"");
	check_string(STR("\xc2\x9b\xe2\x80\xae"), "\"\\u009b\\u202e\"");
	check_string(STR("a\xff"
			 "b\xc3"),
		"\"a\\\\xffb\\\\xc3\"");
}

static void check_real(double v, const char *want)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(100);
	struct jw w = jw_on(&b);
	jw_real(&w, v);
	assert_string_equal(buf_cstr(&b), want);
}

static void reals_read_back_as_the_same_number(void **state)
{
	(void)state;
	check_real(0.1, "0.1");
	check_real(1.5e300, "1.5e+300");
	check_real(-2, "-2");
	check_real(0.1 + 0.2, "0.30000000000000004");
	check_real((double)NAN, "null");
	check_real((double)INFINITY, "null");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read_by_key_and_place),
		cmocka_unit_test(what_is_absent_or_of_another_type_gives_the_fallback),
		cmocka_unit_test(the_last_of_equal_keys_counts),
		cmocka_unit_test(members_come_in_the_documents_order_until_refused),
		cmocka_unit_test(damaged_text_is_refused_with_its_place),
		cmocka_unit_test(size_and_depth_are_bounded),
		cmocka_unit_test(the_writer_places_commas),
		cmocka_unit_test(sixty_levels_can_be_written),
		cmocka_unit_test(strings_are_escaped_and_always_utf8),
		cmocka_unit_test(reals_read_back_as_the_same_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
