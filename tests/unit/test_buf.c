#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void an_unused_buffer_reads_as_empty(void **state)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(10);
	(void)state;
	assert_string_equal(buf_cstr(&b), "");
	assert_int_equal(buf_str(&b).n, 0);
	assert_false(b.full);
}

static void every_kind_of_write_appends(void **state)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(1000);
	(void)state;
	buf_put(&b, "ab", 2);
	buf_putc(&b, '-');
	buf_puts(&b, "cd");
	buf_put_str(&b, STR(" "));
	buf_put_u64(&b, UINT64_MAX);
	buf_putc(&b, ' ');
	buf_put_i64(&b, INT64_MIN);
	buf_printf(&b, " %s%d", "x", 5);
	buf_put_u64(&b, 0);
	assert_string_equal(buf_cstr(&b), "ab-cd 18446744073709551615 -9223372036854775808 x50");
}

static void past_the_bound_nothing_more_is_added_and_full_sticks(void **state)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(4);
	(void)state;
	buf_puts(&b, "abc");
	buf_puts(&b, "de");
	assert_true(b.full);
	buf_putc(&b, 'd'); /* would fit */
	assert_string_equal(buf_cstr(&b), "abc");
	buf_reset(&b);
	assert_false(b.full);
	buf_puts(&b, "abcd");
	assert_false(b.full);
	assert_string_equal(buf_cstr(&b), "abcd");
	buf_printf(&b, "%d", 1);
	assert_true(b.full);
}

static void a_bound_without_end_is_not_taken_for_zero(void **state)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(SIZE_MAX);
	(void)state;
	buf_puts(&b, "x");
	assert_false(b.full);
	assert_null(buf_reserve(&b, SIZE_MAX - 1));
	assert_true(b.full);
}

static void growth_keeps_the_contents(void **state)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(100000);
	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_putc(&b, (char)('a' + i % 26));
	assert_false(b.full);
	assert_int_equal(b.n, 100000);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(b.p[i], 'a' + i % 26);
	assert_int_equal(b.p[b.n], 0);
}

static void a_reserve_filled_in_part_still_ends_in_nul(void **state)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(20);
	(void)state;
	char *p = buf_reserve(&b, 10);
	assert_non_null(p);
	memset(p, 'z', 10);
	b.n += 3;
	assert_string_equal(buf_cstr(&b), "zzz");
	assert_null(buf_reserve(&b, 18));
}

static void taken_memory_is_the_callers_and_the_buffer_goes_on(void **state)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(20);
	(void)state;
	buf_puts(&b, "one");
	AUTO_FREE char *one = buf_take(&b), *none = buf_take(&b);
	buf_puts(&b, "two");
	assert_string_equal(one, "one");
	assert_string_equal(none, "");
	assert_string_equal(buf_cstr(&b), "two");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unused_buffer_reads_as_empty),
		cmocka_unit_test(every_kind_of_write_appends),
		cmocka_unit_test(past_the_bound_nothing_more_is_added_and_full_sticks),
		cmocka_unit_test(a_bound_without_end_is_not_taken_for_zero),
		cmocka_unit_test(growth_keeps_the_contents),
		cmocka_unit_test(a_reserve_filled_in_part_still_ends_in_nul),
		cmocka_unit_test(taken_memory_is_the_callers_and_the_buffer_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
