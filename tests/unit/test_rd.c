#include "base/rd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void short_read_is_sticky_and_yields_zero(void **state)
{
	const uint8_t bytes[] = { 1, 2, 3 };
	struct rd r = rd_of(bytes, sizeof(bytes));
	(void)state;
	assert_int_equal(rd_u16(&r), 0x0201);
	assert_int_equal(rd_u32(&r), 0);
	assert_true(r.bad);
	assert_int_equal(rd_u8(&r), 0); /* one byte is left, but the failure stays */
	assert_null(rd_str(&r, 1).p);
}

static void whole_reads_reach_the_end_exactly(void **state)
{
	const uint8_t bytes[] = { 1, 0, 0, 0, 0, 0, 0, 0x80, 'a', 'b' };
	struct rd r = rd_of(bytes, sizeof(bytes));
	(void)state;
	assert_true(rd_u64(&r) == UINT64_C(0x8000000000000001));
	assert_true(str_eqz(rd_str(&r, 2), "ab"));
	assert_int_equal(rd_left(&r), 0);
	assert_false(r.bad);
	rd_bytes(&r, SIZE_MAX);
	assert_true(r.bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_read_is_sticky_and_yields_zero),
		cmocka_unit_test(whole_reads_reach_the_end_exactly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
