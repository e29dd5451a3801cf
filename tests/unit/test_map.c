#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void count_free(void *p)
{
	++*(int *)p;
}

static void what_is_put_is_found_by_equal_bytes(void **state)
{
	AUTO(map_free) struct map *m = map_new(NULL);
	int a, b, empty;
	(void)state;
	map_put(m, STR("a\0b"), &a);
	map_put(m, STR("a"), &b);
	map_put(m, (struct str){ 0 }, &empty);
	assert_ptr_equal(map_get(m, STR("a\0b")), &a);
	assert_ptr_equal(map_get(m, STR("a")), &b);
	assert_ptr_equal(map_get(m, STR("")), &empty);
	assert_null(map_get(m, STR("ab")));
	assert_int_equal(map_count(m), 3);
}

static void the_key_is_copied(void **state)
{
	AUTO(map_free) struct map *m = map_new(NULL);
	char key[] = "key";
	(void)state;
	map_put(m, str_from(key), key);
	key[0] = 'x';
	assert_non_null(map_get(m, STR("key")));
	assert_null(map_get(m, STR("xey")));
}

static void a_value_is_freed_once_when_replaced_removed_or_left(void **state)
{
	struct map *m = map_new(count_free);
	int first = 0, second = 0, third = 0;
	(void)state;
	map_put(m, STR("k"), &first);
	map_put(m, STR("k"), &second);
	assert_int_equal(first, 1);
	map_put(m, STR("k"), &second); /* the same again is not freed */
	assert_int_equal(second, 0);
	map_put(m, STR("l"), &third);
	assert_true(map_remove(m, STR("k")));
	assert_false(map_remove(m, STR("k")));
	assert_int_equal(second, 1);
	map_free(m);
	assert_int_equal(third, 1);
	map_free(NULL);
}

struct seen {
	char text[200];
	int left;
};

static bool note(void *ctx, struct str key, void *value)
{
	struct seen *s = ctx;
	size_t n = strlen(s->text);
	(void)value;
	snprintf(s->text + n, sizeof(s->text) - n, "%.*s ", STR_ARG(key));
	return --s->left > 0;
}

static void entries_come_in_order_of_insertion_until_refused(void **state)
{
	AUTO(map_free) struct map *m = map_new(NULL);
	struct seen all = { .left = 100 }, two = { .left = 2 };
	int v;
	(void)state;
	map_put(m, STR("z"), &v);
	map_put(m, STR("a"), &v);
	map_put(m, STR("m"), &v);
	map_remove(m, STR("a"));
	map_put(m, STR("z"), &v);
	map_put(m, STR("a"), &v);
	map_each(m, note, &all);
	assert_string_equal(all.text, "z m a ");
	map_each(m, note, &two);
	assert_string_equal(two.text, "z m ");
}

static void many_entries_stay_findable(void **state)
{
	AUTO(map_free) struct map *m = map_new(free);
	char key[32];
	(void)state;
	for (int i = 0; i < 20000; i++) {
		int *v = xcalloc(1, sizeof(*v));
		*v = i;
		int n = snprintf(key, sizeof(key), "key-%d", i);
		map_put(m, str_of(key, (size_t)n), v);
	}
	assert_int_equal(map_count(m), 20000);
	for (int i = 0; i < 20000; i++) {
		int n = snprintf(key, sizeof(key), "key-%d", i);
		const int *v = map_get(m, str_of(key, (size_t)n));
		assert_non_null(v);
		assert_int_equal(*v, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_is_found_by_equal_bytes),
		cmocka_unit_test(the_key_is_copied),
		cmocka_unit_test(a_value_is_freed_once_when_replaced_removed_or_left),
		cmocka_unit_test(entries_come_in_order_of_insertion_until_refused),
		cmocka_unit_test(many_entries_stay_findable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
