#include "collector/runtime/storage_conf.h"

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void both_roots_are_read(void **state)
{
	(void)state;
	struct storage_conf c = storage_conf_read(STR("# storage\n"
						      "[storage]\n"
						      "driver = \"overlay\"\n"
						      "  runroot = '/srv/run'\r\n"
						      "graphroot=\"/srv/graph\"   # here\n"
						      "[storage.options]\n"
						      "graphroot = \"/not/this\"\n"));
	assert_true(str_eqz(c.runroot, "/srv/run"));
	assert_true(str_eqz(c.graphroot, "/srv/graph"));
}

static void only_the_storage_table_counts(void **state)
{
	(void)state;
	struct storage_conf c = storage_conf_read(STR("graphroot = \"/a\"\n"
						      "[other]\ngraphroot = \"/b\"\n"
						      "[ storage ]\nrunroot = \"/c\"\n"
						      "[storages]\ngraphroot = \"/d\"\n"));
	assert_int_equal(c.graphroot.n, 0);
	assert_true(str_eqz(c.runroot, "/c"));
}

static void commented_keys_do_not_count(void **state)
{
	(void)state;
	struct storage_conf c = storage_conf_read(STR("[storage]\n# graphroot = \"/a\"\n"
						      "rootless_storage_path = \"/b\"\n"));
	assert_int_equal(c.graphroot.n, 0);
	assert_int_equal(c.runroot.n, 0);
}

static void unusable_paths_count_as_not_given(void **state)
{
	(void)state;
	static const char *const values[] = { "", "/bare", "\"", "\"\"", "'/open", "\"/open'",
		"\"relative\"", "\"/run/user/$UID\"", "\"/a\\tb\"", "7", "[\"/a\"]" };
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		char text[128];
		int n = snprintf(text, sizeof(text), "[storage]\ngraphroot = %s", values[i]);
		struct storage_conf c = storage_conf_read(str_of(text, (size_t)n));
		if (c.graphroot.n)
			fail_msg("%s gave %.*s", values[i], STR_ARG(c.graphroot));
	}
}

static void odd_lines_do_no_harm(void **state)
{
	(void)state;
	static const char *const texts[] = { "", "\n\n", "[", "[]", "[storage", "=",
		"[storage]\n=", "[storage]\ngraphroot", "[storage]\ngraphroot=" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(storage_conf_read(str_from(texts[i])).graphroot.n, 0);
	assert_int_equal(storage_conf_read((struct str){ 0 }).runroot.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_roots_are_read),
		cmocka_unit_test(only_the_storage_table_counts),
		cmocka_unit_test(commented_keys_do_not_count),
		cmocka_unit_test(unusable_paths_count_as_not_given),
		cmocka_unit_test(odd_lines_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
