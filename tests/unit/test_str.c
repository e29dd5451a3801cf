#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void an_empty_view_equals_another_whatever_its_pointer(void **state)
{
	(void)state;
	assert_true(str_eq((struct str){ 0 }, STR("")));
	assert_false(str_eq(STR("a"), STR("")));
	assert_true(str_eqz(STR("ab"), "ab"));
	assert_int_equal(str_from(NULL).n, 0);
}

static void starts_and_ends_compare_whole_parts(void **state)
{
	(void)state;
	assert_true(str_starts(STR("/etc/shadow"), STR("/etc")));
	assert_false(str_starts(STR("/e"), STR("/etc")));
	assert_true(str_ends(STR("a.yaml"), STR(".yaml")));
	assert_false(str_ends(STR("yaml"), STR(".yaml")));
	assert_true(str_starts((struct str){ 0 }, (struct str){ 0 }));
	assert_true(str_ends((struct str){ 0 }, (struct str){ 0 }));
}

static void contains_finds_at_both_ends_and_across_zero_bytes(void **state)
{
	(void)state;
	assert_true(str_contains(STR("abc"), STR("c")));
	assert_true(str_contains(STR("a\0b"), STR("\0b")));
	assert_true(str_contains(STR(""), STR("")));
	assert_false(str_contains(STR("ab"), STR("abc")));
	assert_true(str_icontains(STR("NetCat"), STR("tCAT")));
	assert_false(str_icontains(STR("NetCat"), STR("dog")));
	assert_false(str_icontains(STR("\xc3\x84"), STR("\xc3\xa4"))); /* ASCII only */
	assert_true(str_icontains((struct str){ 0 }, STR("")));
}

static void order_is_bytewise_and_shorter_first(void **state)
{
	(void)state;
	assert_true(str_cmp(STR("a"), STR("b")) < 0);
	assert_true(str_cmp(STR("ab"), STR("a")) > 0);
	assert_int_equal(str_cmp(STR("a"), STR("a")), 0);
	assert_true(str_cmp(STR("\xff"), STR("a")) > 0);
}

static void trim_takes_blanks_at_both_ends_only(void **state)
{
	(void)state;
	assert_true(str_eqz(str_trim(STR(" \t a b\r\n")), "a b"));
	assert_int_equal(str_trim(STR(" \n ")).n, 0);
}

static void cut_yields_every_field_also_empty_ones(void **state)
{
	struct str rest = STR("a::b");
	(void)state;
	assert_true(str_eqz(str_cut(&rest, ':'), "a"));
	assert_true(str_eqz(str_cut(&rest, ':'), ""));
	assert_non_null(rest.p);
	assert_true(str_eqz(str_cut(&rest, ':'), "b"));
	assert_null(rest.p);
	rest = STR("x:");
	str_cut(&rest, ':');
	assert_int_equal(rest.n, 0);
	assert_non_null(rest.p); /* an empty last field still is to come */
}

static void numbers_must_be_whole_and_fit(void **state)
{
	uint64_t u = 5;
	int64_t i = 5;
	(void)state;
	assert_true(str_to_u64(STR("18446744073709551615"), &u));
	assert_true(u == UINT64_MAX);
	assert_true(str_to_u64(STR("0xfF"), &u));
	assert_true(u == 255);
	const char *bad[] = { "", "18446744073709551616", "0x", "0x10000000000000000", "-1", "+1",
		" 1", "1 ", "1a" };
	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++)
		assert_false(str_to_u64(str_from(bad[k]), &u));
	assert_true(u == 255);
	assert_true(str_to_i64(STR("-9223372036854775808"), &i));
	assert_true(i == INT64_MIN);
	assert_true(str_to_i64(STR("9223372036854775807"), &i));
	assert_false(str_to_i64(STR("9223372036854775808"), &i));
	assert_false(str_to_i64(STR("-9223372036854775809"), &i));
	assert_false(str_to_i64(STR("-"), &i));
	assert_false(str_to_i64(STR("--1"), &i));
	assert_true(i == INT64_MAX);
}

static void distance_counts_single_changes(void **state)
{
	char longer[300];
	(void)state;
	memset(longer, 'x', sizeof(longer));
	assert_int_equal(str_distance(STR("kitten"), STR("sitting")), 3);
	assert_int_equal(str_distance(STR(""), STR("abc")), 3);
	assert_int_equal(str_distance(STR("abc"), STR("")), 3);
	assert_int_equal(str_distance(STR("abc"), STR("abc")), 0);
	assert_int_equal(str_distance(str_of(longer, 300), STR("")), 64);
}

static void nearest_names_only_what_is_close(void **state)
{
	const char *const names[] = { "condition", "output", "priority", "desc" };
	(void)state;
	assert_string_equal(str_nearest(STR("conditon"), names, 4), "condition");
	assert_string_equal(str_nearest(STR("prioritty"), names, 4), "priority");
	assert_string_equal(str_nearest(STR("dsec"), names, 4), "desc");
	assert_null(str_nearest(STR("zzzzzz"), names, 4));
	assert_null(str_nearest(STR(""), names, 4));
	assert_null(str_nearest(STR("desc"), names, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_view_equals_another_whatever_its_pointer),
		cmocka_unit_test(starts_and_ends_compare_whole_parts),
		cmocka_unit_test(contains_finds_at_both_ends_and_across_zero_bytes),
		cmocka_unit_test(order_is_bytewise_and_shorter_first),
		cmocka_unit_test(trim_takes_blanks_at_both_ends_only),
		cmocka_unit_test(cut_yields_every_field_also_empty_ones),
		cmocka_unit_test(numbers_must_be_whole_and_fit),
		cmocka_unit_test(distance_counts_single_changes),
		cmocka_unit_test(nearest_names_only_what_is_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
