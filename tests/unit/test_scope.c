#include "base/scope.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct thing {
	int *closed;
};

static void thing_close(struct thing *t)
{
	if (t)
		++*t->closed;
}
DEFINE_AUTO(struct thing, thing_close)

static void a_scope_closes_what_it_owns(void **state)
{
	int closed = 0;
	struct thing thing = { &closed };
	(void)state;
	{
		AUTO(thing_close) struct thing *t = &thing;
		(void)t;
	}
	assert_int_equal(closed, 1);
}

static void a_value_handed_on_is_not_closed(void **state)
{
	int closed = 0;
	struct thing thing = { &closed }, *out;
	(void)state;
	{
		AUTO(thing_close) struct thing *t = &thing;
		out = TAKE(t);
		assert_null(t);
	}
	assert_ptr_equal(out, &thing);
	assert_int_equal(closed, 0);
}

static void a_descriptor_is_closed_unless_handed_on(void **state)
{
	int kept, closed;
	(void)state;
	{
		AUTO_FD int a = open("/dev/null", O_RDONLY | O_CLOEXEC);
		AUTO_FD int b = open("/dev/null", O_RDONLY | O_CLOEXEC);
		closed = a;
		kept = TAKE_FD(b);
		assert_int_equal(b, -1);
	}
	assert_int_equal(fcntl(closed, F_GETFD), -1);
	assert_true(fcntl(kept, F_GETFD) >= 0);
	close(kept);
}

static void xcalloc_gives_zeroed_memory_even_for_nothing(void **state)
{
	AUTO_FREE unsigned char *p = xcalloc(3, 5), *nothing = xcalloc(0, 0);
	(void)state;
	assert_non_null(nothing);
	for (int i = 0; i < 15; i++)
		assert_int_equal(p[i], 0);
	p = xrealloc(p, 100);
	assert_int_equal(p[14], 0);
}

static void xstrndup_stops_at_the_bound_or_the_end(void **state)
{
	AUTO_FREE char *cut = xstrndup("abcdef", 3), *whole = xstrndup("ab", 10),
		       *none = xstrndup(NULL, 4);
	(void)state;
	assert_string_equal(cut, "abc");
	assert_string_equal(whole, "ab");
	assert_string_equal(none, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_scope_closes_what_it_owns),
		cmocka_unit_test(a_value_handed_on_is_not_closed),
		cmocka_unit_test(a_descriptor_is_closed_unless_handed_on),
		cmocka_unit_test(xcalloc_gives_zeroed_memory_even_for_nothing),
		cmocka_unit_test(xstrndup_stops_at_the_bound_or_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
