#include "base/vec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void pushed_items_stay_in_order_through_growth(void **state)
{
	VEC(int) v = { 0 };
	(void)state;
	for (int i = 0; i < 1000; i++)
		vec_push(&v, i);
	assert_int_equal(v.n, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(v.p[i], i);
	vec_fini(&v);
	assert_null(v.p);
	assert_int_equal(v.cap, 0);
}

static void growth_makes_at_least_the_room_asked_for(void **state)
{
	size_t cap = 0;
	char *p = vec_grow(NULL, &cap, 1000, 3);
	(void)state;
	assert_true(cap >= 1000);
	p[3 * cap - 1] = 'x';
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pushed_items_stay_in_order_through_growth),
		cmocka_unit_test(growth_makes_at_least_the_room_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
