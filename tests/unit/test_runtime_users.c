#include "base/buf.h"
#include "collector/runtime/users.h"
#include "tests/unit/tree.h"

#include <sys/stat.h>

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void check(struct str got, const char *want)
{
	if (!want && got.p)
		fail_msg("got %.*s", STR_ARG(got));
	if (want && !str_eqz(got, want))
		fail_msg("got %.*s, want %s", STR_ARG(got), want);
}

static struct users *load(struct tree *t, const char *passwd, const char *group)
{
	struct users *u = NULL;
	struct err e = { 0 };
	if (passwd)
		tree_write(t, "etc/passwd", passwd);
	if (group)
		tree_write(t, "etc/group", group);
	if (users_load(&u, t->root, &e))
		fail_msg("%s", e.msg);
	return u;
}

static void names_are_found_by_number(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	AUTO(users_free)
	struct users *u = load(t,
		"root:x:0:0:root:/root:/bin/bash\n"
		"www-data:x:33:33::/var/www:/usr/sbin/nologin\n"
		"nobody:x:65534:65534:nobody:/:/bin/false", /* no newline at the end */
		"root:x:0:\nadm:x:4:syslog,me\n");
	check(users_name(u, 0), "root");
	check(users_name(u, 33), "www-data");
	check(users_name(u, 65534), "nobody");
	check(users_name(u, 1), NULL);
	check(users_name(u, UINT32_MAX), NULL);
	check(users_group(u, 0), "root");
	check(users_group(u, 4), "adm");
	check(users_group(u, 33), NULL);
	assert_int_equal(users_skipped_n(u), 0);
}

static void first_of_equal_numbers_counts(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	AUTO(users_free)
	struct users *u = load(
		t, "b:x:5:5::/:/x\nroot:x:0:0::/:/x\ntoor:x:0:0::/:/x\na:x:5:5::/:/x\n", NULL);
	check(users_name(u, 0), "root");
	check(users_name(u, 5), "b");
}

static void missing_files_give_no_names(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	AUTO(users_free) struct users *u = load(t, NULL, NULL);
	check(users_name(u, 0), NULL);
	check(users_group(u, 0), NULL);
	assert_false(users_stale(u));
}

static void unusable_lines_are_counted(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	AUTO(users_free)
	struct users *u = load(t,
		"# a comment\n"
		"\n"
		"no colon at all\n"                 /* 1 */
		"short:x:7\n"                       /* 2 */
		":x:8:8::/:/x\n"                    /* 3 */
		"neg:x:-1:8::/:/x\n"                /* 4 */
		"hex:x:0x10:8::/:/x\n"              /* 5 */
		"huge:x:99999999999999999999:8::\n" /* 6 */
		"over:x:4294967296:8::/:/x\n"       /* 7 */
		"none:x:4294967295:8::/:/x\n"       /* 8: means "no user" */
		"empty:x::8::/:/x\n"                /* 9 */
		"word:x:ten:8::/:/x\n"              /* 10 */
		"+nis:x:9:9::/:/x\n"                /* 11 */
		"esc\033[2J:x:12:9::/:/x\n"         /* 12 */
		"last:x:4294967294:8::/:/x\n",
		NULL);
	assert_int_equal(users_skipped_n(u), 12);
	check(users_name(u, 4294967294u), "last");
	check(users_name(u, 16), NULL);
	check(users_name(u, 0), NULL);
}

static void nul_and_long_lines_do_no_harm(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	AUTO(buf_fini) struct buf b = BUF_INIT(1 << 21);
	buf_put_str(&b, STR("a\0b:x:1:1::/:/x\n"));
	for (size_t i = 0; i < 100000; i++)
		buf_puts(&b, "longname");
	buf_puts(&b, ":x:2:2::/:/x\nok:x:3:3::/:/x\nfull:x:4:4:");
	for (size_t i = 0; i < 50000; i++)
		buf_puts(&b, "gecos ");
	buf_puts(&b, ":/:/x\n");
	tree_write_bytes(t, "etc/passwd", buf_str(&b));
	AUTO(users_free) struct users *u = load(t, NULL, NULL);
	check(users_name(u, 1), NULL);
	check(users_name(u, 2), NULL);
	check(users_name(u, 3), "ok");
	check(users_name(u, 4), "full");
	assert_int_equal(users_skipped_n(u), 2);
}

static void file_past_the_bound_is_an_error(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	tree_write(t, "etc/passwd", "root:x:0:0::/:/x\n");
	char path[128];
	snprintf(path, sizeof(path), "%s/etc/passwd", t->root);
	assert_int_equal(truncate(path, USERS_MAX_BYTES + 1), 0);
	struct users *u = NULL;
	struct err e = { 0 };
	assert_int_equal(users_load(&u, t->root, &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	assert_null(u);
}

static void folder_in_its_place_is_an_error(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	tree_write(t, "etc/passwd/x", "");
	struct users *u = NULL;
	struct err e = { 0 };
	assert_int_equal(users_load(&u, t->root, &e), -1);
	assert_int_equal(e.code, ERR_FORMAT);
}

static void change_is_noticed(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	AUTO(users_free) struct users *u = load(t, "a:x:1:1::/:/x\n", "a:x:1:\n");
	assert_false(users_stale(u));
	tree_write(t, "etc/passwd", "b:x:1:1::/:/x\n");
	assert_true(users_stale(u));
	AUTO(users_free) struct users *again = load(t, NULL, NULL);
	check(users_name(again, 1), "b");
	assert_false(users_stale(again));
	tree_remove(t, "etc/group");
	assert_true(users_stale(again));
}

static void file_that_appears_is_noticed(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	AUTO(users_free) struct users *u = load(t, NULL, NULL);
	tree_write(t, "etc/group", "a:x:1:\n");
	assert_true(users_stale(u));
}

static void link_out_of_the_root_stays_inside(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	tree_write(t, "elsewhere/passwd", "inside:x:0:0::/:/x\n");
	tree_write(t, "etc/group", "g:x:0:\n");
	char at[128];
	snprintf(at, sizeof(at), "%s/etc/passwd", t->root);
	assert_int_equal(symlink("../../../../elsewhere/passwd", at), 0);
	AUTO(users_free) struct users *u = load(t, NULL, NULL);
	check(users_name(u, 0), "inside");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_found_by_number),
		cmocka_unit_test(first_of_equal_numbers_counts),
		cmocka_unit_test(missing_files_give_no_names),
		cmocka_unit_test(unusable_lines_are_counted),
		cmocka_unit_test(nul_and_long_lines_do_no_harm),
		cmocka_unit_test(file_past_the_bound_is_an_error),
		cmocka_unit_test(folder_in_its_place_is_an_error),
		cmocka_unit_test(change_is_noticed),
		cmocka_unit_test(file_that_appears_is_noticed),
		cmocka_unit_test(link_out_of_the_root_stays_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
