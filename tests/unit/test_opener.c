#include "base/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * root/file "hello", root/sub/up -> ../../outside, root/abs -> /file, root/loop, root/fifo,
 * root/magic -> /proc/self/fd/0; outside "secret" beside root.
 */
struct tree {
	char top[64], root[80];
};

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[160];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static int setup(void **state)
{
	static struct tree t;
	char path[160];
	snprintf(t.top, sizeof(t.top), "/tmp/hw-test-opener-XXXXXX");
	assert_non_null(mkdtemp(t.top));
	snprintf(t.root, sizeof(t.root), "%s/root", t.top);
	assert_int_equal(mkdir(t.root, 0755), 0);
	write_file(t.root, "file", "hello");
	write_file(t.root, "empty", "");
	write_file(t.top, "outside", "secret");
	snprintf(path, sizeof(path), "%s/sub", t.root);
	assert_int_equal(mkdir(path, 0755), 0);
	AUTO_FD int fd = open(t.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(symlinkat("../../outside", fd, "sub/up"), 0);
	assert_int_equal(symlinkat("/file", fd, "abs"), 0);
	assert_int_equal(symlinkat("loop", fd, "loop"), 0);
	assert_int_equal(symlinkat("/proc/self/fd/0", fd, "magic"), 0);
	assert_int_equal(mkfifoat(fd, "fifo", 0644), 0);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "root/sub/up", "root/sub", "root/abs", "root/loop",
		"root/magic", "root/fifo", "root/file", "root/empty", "root", "outside" };
	struct tree *t = *state;
	AUTO_FD int fd = open(t->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_N(names); i++)
		if (unlinkat(fd, names[i], 0))
			unlinkat(fd, names[i], AT_REMOVEDIR);
	return rmdir(t->top);
}

static void check_reads(const struct tree *t, const char *path, const char *want)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(100);
	struct err e = { 0 };
	if (opener_read(t->root, path, &b, &e))
		fail_msg("%s", e.msg);
	assert_string_equal(buf_cstr(&b), want);
}

static void files_below_the_root_are_read_whole(void **state)
{
	const struct tree *t = *state;
	check_reads(t, "file", "hello");
	check_reads(t, "empty", "");
	check_reads(t, "/file", "hello");      /* absolute: below the root */
	check_reads(t, "abs", "hello");        /* an absolute link too */
	check_reads(t, "../../file", "hello"); /* above the root is the root */
}

static void contents_are_appended(void **state)
{
	const struct tree *t = *state;
	AUTO(buf_fini) struct buf b = BUF_INIT(100);
	buf_puts(&b, "x=");
	assert_int_equal(opener_read(t->root, "file", &b, NULL), 0);
	assert_string_equal(buf_cstr(&b), "x=hello");
}

static void no_link_leaves_the_root(void **state)
{
	const struct tree *t = *state;
	struct err e = { 0 };
	assert_int_equal(opener_open(t->root, "sub/up", &e), -1);
	assert_int_equal(e.code, ERR_SYS);
	assert_int_equal(e.sys, ENOENT);
	assert_int_equal(opener_open(t->root, "../outside", &e), -1);
	assert_int_equal(opener_open(t->root, "loop", &e), -1);
	assert_int_equal(e.sys, ELOOP);
	assert_int_equal(opener_open("/", "proc/self/fd/0", &e), -1); /* a magic link */
	assert_int_equal(e.sys, ELOOP);
}

static void only_regular_files_are_opened_and_nothing_blocks(void **state)
{
	const struct tree *t = *state;
	struct err e = { 0 };
	assert_int_equal(opener_open(t->root, "fifo", &e), -1);
	assert_int_equal(e.code, ERR_FORMAT);
	assert_int_equal(opener_open(t->root, "sub", &e), -1);
	assert_int_equal(e.code, ERR_FORMAT);
	assert_int_equal(opener_open("/dev", "null", &e), -1);
	assert_int_equal(e.code, ERR_FORMAT);
}

static void what_is_absent_says_so(void **state)
{
	const struct tree *t = *state;
	struct err e = { 0 };
	assert_int_equal(opener_open(t->root, "none", &e), -1);
	assert_int_equal(e.sys, ENOENT);
	assert_int_equal(opener_open("/nonexistent/root", "file", &e), -1);
	assert_int_equal(e.sys, ENOENT);
	assert_int_equal(opener_open(t->root, "", &e), -1);
	assert_int_equal(opener_open_dir(t->root, "file", &e), -1);
	assert_int_equal(e.sys, ENOTDIR);
}

static void directories_are_opened_for_reading(void **state)
{
	const struct tree *t = *state;
	AUTO_FD int fd = opener_open_dir(t->root, "/sub", NULL);
	struct stat st;
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void a_file_larger_than_the_buffer_is_refused_and_an_exact_fit_is_not(void **state)
{
	const struct tree *t = *state;
	AUTO(buf_fini) struct buf exact = BUF_INIT(5), small = BUF_INIT(4);
	struct err e = { 0 };
	assert_int_equal(opener_read(t->root, "file", &exact, &e), 0);
	assert_false(exact.full);
	assert_string_equal(buf_cstr(&exact), "hello");
	assert_int_equal(opener_read(t->root, "file", &small, &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	assert_true(small.full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_below_the_root_are_read_whole),
		cmocka_unit_test(contents_are_appended),
		cmocka_unit_test(no_link_leaves_the_root),
		cmocka_unit_test(only_regular_files_are_opened_and_nothing_blocks),
		cmocka_unit_test(what_is_absent_says_so),
		cmocka_unit_test(directories_are_opened_for_reading),
		cmocka_unit_test(a_file_larger_than_the_buffer_is_refused_and_an_exact_fit_is_not),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
