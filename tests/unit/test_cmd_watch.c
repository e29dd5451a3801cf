/* Changes of files are told once each, when they are complete; what is no change is not. */
#include "cmd/watch.h"

#include "tests/unit/tree.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct tree *tree;
static char own[200];
static const char *dir;
static struct watch *w;
static uint64_t now_ns; /* time is the test's own */

static const char *in(const char *name)
{
	static char out[4][256];
	static int i;

	i = (i + 1) % 4;
	snprintf(out[i], sizeof(out[i]), "%s/%s", dir, name);
	return out[i];
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(in(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void start(const char *path)
{
	struct err e = { 0 };
	const char *paths[] = { path };

	watch_close(TAKE(w));
	if (watch_open(&w, paths, 1, &e))
		fail_msg("%s", e.msg);
}

static bool readable(void)
{
	struct pollfd p = { .fd = watch_fd(w), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* Step until nothing is due; how often a change was told. */
static int changes(void)
{
	int n = 0;

	for (int i = 0; i < 100 && (readable() || watch_due_ns(w)); i++) {
		now_ns += WATCH_QUIET_NS + 1;
		n += watch_step(w, now_ns);
	}
	return n;
}

static int setup(void **state)
{
	(void)state;
	now_ns = 1;
	tree = tree_new();
	/* One deeper than the tree: the folder above is watched too, and in /tmp others come and go. */
	snprintf(own, sizeof(own), "%s/own", tree->root);
	assert_int_equal(mkdir(own, 0755), 0);
	dir = own;
	put("a.yaml", "a");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	watch_close(TAKE(w));
	tree_free(TAKE(tree));
	return 0;
}

static void a_file_that_was_written_is_told_once(void **state)
{
	(void)state;
	start(in("a.yaml"));
	assert_int_equal(changes(), 0);
	put("a.yaml", "changed");
	assert_int_equal(changes(), 1);
	assert_int_equal(changes(), 0);
}

static void a_file_that_replaces_another_is_told(void **state)
{
	(void)state;
	start(in("a.yaml"));
	put(".a.yaml.swp", "changed");
	assert_int_equal(changes(), 0);
	assert_int_equal(rename(in(".a.yaml.swp"), in("a.yaml")), 0);
	assert_int_equal(changes(), 1);
	/* And watched in its turn. */
	put("a.yaml", "again");
	assert_int_equal(changes(), 1);
}

static void files_come_to_and_leave_a_folder(void **state)
{
	(void)state;
	start(dir);
	put("b.yaml", "b");
	assert_int_equal(changes(), 1);
	unlink(in("b.yaml"));
	assert_int_equal(changes(), 1);
	put("notes.txt", "nothing of ours");
	assert_int_equal(changes(), 0);
}

static void what_is_still_being_written_waits(void **state)
{
	FILE *f;

	(void)state;
	start(dir);
	f = fopen(in("b.yaml"), "w");
	fputs("half", f);
	fflush(f);
	assert_int_equal(changes(), 0);
	fputs(" and half", f);
	fclose(f);
	assert_int_equal(changes(), 1);
}

static void many_changes_at_once_are_one(void **state)
{
	char name[32];

	(void)state;
	start(dir);
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "r%d.yaml", i);
		put(name, "x");
	}
	assert_int_equal(changes(), 1);
}

static void a_folder_that_never_rests_is_looked_at_all_the_same(void **state)
{
	int told = 0;

	(void)state;
	start(dir);
	put("b.yaml", "b");
	for (int i = 0; i < 60; i++) {
		put("noise.txt", "x");
		/* While it waits nobody is woken. */
		if (watch_due_ns(w))
			assert_int_equal(watch_fd(w), -1);
		now_ns += WATCH_QUIET_NS + 1;
		told += watch_step(w, now_ns);
	}
	assert_int_equal(told, 1);
}

static void a_folder_that_is_made_later_is_seen(void **state)
{
	(void)state;
	start(in("later/rules.d"));
	mkdir(in("later"), 0755);
	mkdir(in("later/rules.d"), 0755);
	put("later/rules.d/x.yaml", "x");
	assert_int_equal(changes(), 1);
}

static void links_that_are_turned_are_seen(void **state)
{
	(void)state;
	/* As Kubernetes mounts a ConfigMap: file -> ..data/file, ..data -> ..1, and ..data is replaced. */
	mkdir(in("..1"), 0755);
	mkdir(in("..2"), 0755);
	put("..1/c.yaml", "one");
	put("..2/c.yaml", "two");
	assert_int_equal(symlink("..1", in("..data")), 0);
	assert_int_equal(symlink("..data/c.yaml", in("c.yaml")), 0);
	start(dir);
	assert_int_equal(symlink("..2", in("..data_tmp")), 0);
	assert_int_equal(rename(in("..data_tmp"), in("..data")), 0);
	assert_int_equal(changes(), 1);
}

static void a_file_behind_a_link_is_watched_where_it_is(void **state)
{
	(void)state;
	mkdir(in("real"), 0755);
	mkdir(in("rules.d"), 0755);
	put("real/x.yaml", "x");
	assert_int_equal(symlink(in("real/x.yaml"), in("rules.d/x.yaml")), 0);
	start(in("rules.d"));
	put("real/x.yaml", "changed");
	assert_int_equal(changes(), 1);
}

static void touching_or_rewriting_elsewhere_is_no_change(void **state)
{
	(void)state;
	put("other.yaml", "x");
	start(in("a.yaml"));
	put("other.yaml", "changed");
	assert_int_equal(changes(), 0);
}

static void no_watch_is_quiet(void **state)
{
	(void)state;
	assert_int_equal(watch_fd(NULL), -1);
	assert_int_equal(watch_due_ns(NULL), 0);
	assert_false(watch_step(NULL, 1));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_file_that_was_written_is_told_once),
		T(a_file_that_replaces_another_is_told),
		T(files_come_to_and_leave_a_folder),
		T(what_is_still_being_written_waits),
		T(many_changes_at_once_are_one),
		T(a_folder_that_never_rests_is_looked_at_all_the_same),
		T(a_folder_that_is_made_later_is_seen),
		T(links_that_are_turned_are_seen),
		T(a_file_behind_a_link_is_watched_where_it_is),
		T(touching_or_rewriting_elsewhere_is_no_change),
		T(no_watch_is_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
