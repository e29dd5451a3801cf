#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void memory_is_zeroed_and_aligned(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	(void)state;
	for (size_t n = 0; n < 5000; n += 7) {
		unsigned char *p = arena_alloc(a, n);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xaa, n);
	}
}

static void pieces_do_not_overlap(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	unsigned char *p[300];
	(void)state;
	for (size_t i = 0; i < 300; i++) {
		p[i] = arena_alloc(a, 40 * i + 1);
		memset(p[i], (int)(i & 0xff), 40 * i + 1);
	}
	for (size_t i = 0; i < 300; i++)
		for (size_t k = 0; k < 40 * i + 1; k++)
			assert_int_equal(p[i][k], i & 0xff);
}

static void past_the_bound_is_null_and_smaller_pieces_still_fit(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(100);
	(void)state;
	assert_non_null(arena_alloc(a, 80));
	assert_null(arena_alloc(a, 32));
	assert_null(arena_alloc(a, SIZE_MAX));
	assert_null(arena_alloc(a, SIZE_MAX - 15));
	assert_non_null(arena_alloc(a, 16));
	assert_int_equal(arena_used(a), 96);
	assert_null(arena_alloc(a, 1));
	assert_null(arena_str(a, STR("x")).p);
	assert_null(arena_strz(a, "x"));
}

static void copies_end_in_nul(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	(void)state;
	struct str s = arena_str(a, str_of("abcdef", 3));
	assert_int_equal(s.n, 3);
	assert_string_equal(s.p, "abc");
	assert_string_equal(arena_strz(a, "xyz"), "xyz");
	assert_string_equal(arena_str(a, (struct str){ 0 }).p, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_aligned),
		cmocka_unit_test(pieces_do_not_overlap),
		cmocka_unit_test(past_the_bound_is_null_and_smaller_pieces_still_fit),
		cmocka_unit_test(copies_end_in_nul),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
