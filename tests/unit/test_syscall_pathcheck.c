#include "collector/syscall/pathcheck.h"

#include "tests/unit/tree.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#define SECOND 1000000000u
#define NOBODY 0x7ffffff0u /* above any pid_max */

static struct pathcheck *check;
static struct tree *tree;

static int set_up(void **state)
{
	(void)state;
	check = pathcheck_new();
	tree = tree_new();
	tree_write(tree, "real", "x");
	tree_write(tree, "dir/other", "x");
	char link[128], below[128], loop[128];
	snprintf(link, sizeof(link), "%s/link", tree->root);
	snprintf(below, sizeof(below), "%s/dir/link", tree->root);
	snprintf(loop, sizeof(loop), "%s/loop", tree->root);
	return symlink("real", link) || symlink("../real", below) || symlink("loop", loop);
}

static int tear_down(void **state)
{
	(void)state;
	pathcheck_free(check);
	tree_free(tree);
	return 0;
}

static uint32_t own_ns_mnt(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/self/ns/mnt", &st), 0);
	return (uint32_t)st.st_ino;
}

struct asked {
	uint32_t tgid, ns_mnt;
	int dirfd;
	uint64_t now;
};

/* Is the mismatch explained? `user` is below the tree when it begins with '~'. */
static bool explained(struct asked a, const char *user)
{
	char text[512];
	const char *opened = "/opened";
	size_t n = strlen(opened);

	memcpy(text, opened, n);
	int len = user[0] == '~'
			  ? snprintf(text + n, sizeof(text) - n, "%s%s", tree->root, user + 1)
			  : snprintf(text + n, sizeof(text) - n, "%s", user);
	struct event ev = {
		.class = EVENT_OPEN,
		.flags = EVENT_F_MISMATCH | EVENT_F_COMPAT,
		.key = { a.tgid, 1 },
		.ns_mnt = a.ns_mnt,
		.open.dirfd = a.dirfd,
		.open.path = { 0, (uint32_t)n },
		.open.user = { (uint32_t)n, (uint32_t)len },
		.data = text,
		.data_len = sizeof(text),
	};
	pathcheck_event(check, &ev, a.now);
	assert_true(ev.flags & EVENT_F_COMPAT);
	return !(ev.flags & EVENT_F_MISMATCH);
}

static struct asked us(void)
{
	return (struct asked){ (uint32_t)getpid(), own_ns_mnt(), AT_FDCWD, SECOND };
}

static void a_link_explains_another_name(void **state)
{
	(void)state;
	assert_true(explained(us(), "~/link"));
	assert_true(explained(us(), "~/dir/link"));
	assert_true(explained(us(), "~/dir/../link"));
	assert_true(explained(us(), "~/loop"));
}

static void what_is_no_link_explains_nothing(void **state)
{
	(void)state;
	assert_false(explained(us(), "~/real"));
	assert_false(explained(us(), "~/dir"));
	assert_false(explained(us(), "~/dir/other"));
	assert_false(explained(us(), "~/nothing"));
	assert_false(explained(us(), "~/real/below"));
	assert_false(explained(us(), "~/loop/below"));
}

static void a_relative_path_starts_where_the_caller_was(void **state)
{
	(void)state;
	struct asked a = us();
	AUTO_FD int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(here >= 0);
	assert_int_equal(chdir(tree->root), 0);
	bool link = explained(a, "link"), below = explained(a, "dir/../dir/link");
	bool real = explained(a, "real");
	assert_int_equal(fchdir(here), 0);
	assert_true(link);
	assert_true(below);
	assert_false(real);
}

static void a_relative_path_starts_at_the_callers_descriptor(void **state)
{
	(void)state;
	struct asked a = us();
	char path[128];
	snprintf(path, sizeof(path), "%s/dir", tree->root);
	AUTO_FD int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	a.dirfd = dir;
	assert_true(explained(a, "link"));
	assert_false(explained(a, "other"));
	a.dirfd = 1 << 20;
	assert_false(explained(a, "loop"));
	/* an absolute one does not */
	assert_true(explained(a, "~/link"));
}

static void when_the_caller_is_gone_its_mount_namespace_must_be_ours(void **state)
{
	(void)state;
	struct asked a = us();
	a.tgid = NOBODY;
	assert_true(explained(a, "~/link"));
	a.ns_mnt++;
	assert_false(explained(a, "~/dir/link"));
	assert_false(explained(a, "link"));
}

static void the_callers_own_proc_is_made_of_links(void **state)
{
	(void)state;
	assert_true(explained(us(), "/proc/self/fd/63"));
	assert_true(explained(us(), "/proc/thread-self/fd/63"));
	assert_true(explained(us(), "/dev/fd/63"));
	assert_false(explained(us(), "/proc/selfish"));
}

static void a_link_of_proc_is_seen(void **state)
{
	(void)state;
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)getpid());
	assert_true(explained(us(), path));
	snprintf(path, sizeof(path), "/proc/%d/fd/0", (int)getpid());
	assert_true(explained(us(), path));
	assert_false(explained(us(), "/proc/uptime"));
}

static void an_answer_is_remembered_for_a_moment(void **state)
{
	(void)state;
	struct asked a = us();
	char path[128];
	assert_true(explained(a, "~/link"));
	snprintf(path, sizeof(path), "%s/link", tree->root);
	assert_int_equal(unlink(path), 0);
	tree_write(tree, "link", "a file now");
	a.now += SECOND / 2;
	assert_true(explained(a, "~/link"));
	a.now += SECOND;
	assert_false(explained(a, "~/link"));
}

static void without_the_callers_word_nothing_is_looked_at(void **state)
{
	(void)state;
	assert_false(explained(us(), ""));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_link_explains_another_name),
		TEST(what_is_no_link_explains_nothing),
		TEST(a_relative_path_starts_where_the_caller_was),
		TEST(a_relative_path_starts_at_the_callers_descriptor),
		TEST(when_the_caller_is_gone_its_mount_namespace_must_be_ours),
		TEST(the_callers_own_proc_is_made_of_links),
		TEST(a_link_of_proc_is_seen),
		TEST(an_answer_is_remembered_for_a_moment),
		TEST(without_the_callers_word_nothing_is_looked_at),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
