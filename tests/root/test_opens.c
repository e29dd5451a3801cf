/* Opens as the kernel tells them, against the calls' results, /proc/self/fd and fstat. */
#include "tests/root/scene.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

/* What the actor saw of each of its calls. */
struct call {
	int nr;
	long ret;
	int dirfd;
	uint32_t flags, mode; /* mode 0: not to be looked at */
	char user[512];
	char path[4352]; /* of /proc/self/fd; empty: not to be looked at */
	struct stat st;
};

struct play {
	size_t n;
	struct call calls[32];
};

static struct call *call_new(void *shared, int nr, int dirfd, const char *user, uint32_t flags)
{
	struct play *p = shared;
	struct call *c = &p->calls[p->n++];

	ACT(p->n <= ARRAY_N(p->calls));
	c->nr = nr;
	c->dirfd = dirfd;
	c->flags = flags;
	snprintf(c->user, sizeof(c->user), "%s", user);
	return c;
}

/* Look at what was opened; the kernel adds a word to the name of what has none. */
static void look(struct call *c, long ret)
{
	char link[64];
	size_t n;

	c->ret = ret < 0 ? -errno : ret;
	if (ret < 0)
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%ld", ret);
	scene_link(link, c->path, sizeof(c->path));
	n = strlen(c->path);
	if (n > 10 && strcmp(c->path + n - 10, " (deleted)") == 0)
		c->path[n - 10] = 0;
	ACT(fstat((int)ret, &c->st) == 0);
}

static long do_open(void *shared, const char *path, int flags, mode_t mode)
{
	struct call *c = call_new(shared, SYS_open, AT_FDCWD, path, (uint32_t)flags);

	c->mode = mode;
	look(c, syscall(SYS_open, path, flags, mode));
	return c->ret;
}

static long do_openat(void *shared, int dirfd, const char *path, int flags, mode_t mode)
{
	struct call *c = call_new(shared, SYS_openat, dirfd, path, (uint32_t)flags);

	c->mode = mode;
	look(c, syscall(SYS_openat, dirfd, path, flags, mode));
	return c->ret;
}

static void check_file(const struct event *ev, const struct call *c)
{
	assert_int_equal(ev->open.ino, c->st.st_ino);
	assert_int_equal(ev->open.file_mode, c->st.st_mode);
	assert_int_equal(ev->open.dev, c->st.st_dev);
}

static void check_call(const struct event *ev, const struct call *c)
{
	assert_int_equal(ev->nr, c->nr);
	assert_int_equal(ev->ret, c->ret);
	assert_int_equal(ev->open.dirfd, c->dirfd);
	assert_int_equal(ev->open.flags, c->flags);
	if (c->mode)
		assert_int_equal(ev->open.mode, c->mode);
	assert_span(ev, open.user, c->user);
	if (c->ret < 0) {
		assert_int_equal(ev->open.path.len, 0);
		assert_true(ev->flags & EVENT_F_UNVERIFIED);
		assert_int_equal(ev->open.file_mode, 0);
		return;
	}
	assert_false(ev->flags & EVENT_F_UNVERIFIED);
	check_file(ev, c);
	if (c->path[0])
		assert_span(ev, open.path, c->path);
}

/* Every call of the actor has its event, in their order, and there are no others. */
static void check_all(struct scene *s, pid_t pid)
{
	const struct play *p = s->shared;

	assert_true(p->n > 0);
	for (size_t i = 0; i < p->n; i++)
		check_call(scene_need(s, EVENT_OPEN, pid, i), &p->calls[i]);
	assert_int_equal(scene_count(s, EVENT_OPEN, pid), p->n);
}

static void make_file(const char *path)
{
	/* mknod, so that making it is no open */
	ACT(mknod(path, S_IFREG | 0644, 0) == 0 || errno == EEXIST);
}

static void open_ways(void *shared)
{
	char dir[256], path[512];

	ACT(getcwd(dir, sizeof(dir)) != NULL);
	make_file("file");
	ACT(mkdir("sub", 0755) == 0 && symlink("file", "link") == 0 &&
		symlink("..", "sub/up") == 0);
	snprintf(path, sizeof(path), "%s/file", dir);
	do_open(shared, path, O_RDONLY, 0);
	do_open(shared, "file", O_RDWR | O_CLOEXEC, 0);
	do_open(shared, "./sub/..//file", O_RDONLY, 0);
	do_open(shared, "link", O_RDONLY, 0);
	do_open(shared, "sub/up/file", O_RDONLY, 0);
	int sub = (int)do_openat(shared, AT_FDCWD, "sub", O_RDONLY | O_DIRECTORY, 0);
	do_openat(shared, sub, "../file", O_RDONLY | O_NOFOLLOW, 0);
	do_openat(shared, sub, "up/link", O_RDONLY, 0);
	do_openat(shared, sub, path, O_RDONLY, 0);
	do_openat(shared, AT_FDCWD, "link", O_PATH | O_NOFOLLOW, 0);
	do_openat(shared, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY, 0);
	do_openat(shared, AT_FDCWD, ".", O_RDONLY, 0);
	do_openat(shared, sub, "..", O_RDONLY, 0);
	do_openat(shared, AT_FDCWD, "new", O_WRONLY | O_CREAT | O_EXCL, 0640);
	do_openat(shared, AT_FDCWD, ".", O_RDWR | O_TMPFILE, 0600);
	do_open(shared, "/proc/self/status", O_RDONLY, 0);
	do_open(shared, "/dev/null", O_WRONLY, 0);
}

static void opens_tell_the_path_that_was_opened(void **state)
{
	struct scene *s = *state;
	pid_t pid = scene_play(s, open_ways);
	const struct play *p = s->shared;

	check_all(s, pid);
	for (size_t i = 0; i < p->n; i++) {
		const struct event *ev = scene_need(s, EVENT_OPEN, pid, i);
		bool link = strstr(p->calls[i].user, "link") && !(p->calls[i].flags & O_PATH);
		assert_true(p->calls[i].ret >= 0);
		/* a link's name is not its file's: whether that is well is for others to find out */
		assert_int_equal(ev->flags, link ? EVENT_F_MISMATCH : 0);
		assert_int_equal(ev->tid, pid);
		assert_string_equal(ev->comm, "root_opens");
	}
}

static void open_failing(void *shared)
{
	do_open(shared, "/no/such/file", O_RDONLY, 0);
	do_openat(shared, AT_FDCWD, "file/below", O_RDONLY, 0);
	do_openat(shared, 999, "x", O_RDONLY, 0);
	do_openat(shared, AT_FDCWD, "file", O_WRONLY | O_CREAT | O_EXCL, 0644);
	do_openat(shared, AT_FDCWD, "", O_RDONLY, 0);
}

static void an_open_that_failed_is_the_callers_word(void **state)
{
	static const long want[] = { -ENOENT, -ENOTDIR, -EBADF, -EEXIST, -ENOENT };
	struct scene *s = *state;
	pid_t pid = scene_play(s, open_failing);
	const struct play *p = s->shared;

	check_all(s, pid);
	for (size_t i = 0; i < ARRAY_N(want); i++)
		assert_int_equal(p->calls[i].ret, want[i]);
}

static void open_nowhere(void *shared)
{
	struct call *c = call_new(shared, SYS_openat, AT_FDCWD, "", O_RDONLY);

	look(c, syscall(SYS_openat, AT_FDCWD, (void *)8, O_RDONLY));
}

static void memory_that_cannot_be_read_is_marked(void **state)
{
	struct scene *s = *state;
	pid_t pid = scene_play(s, open_nowhere);
	const struct play *p = s->shared;

	assert_int_equal(p->calls[0].ret, -EFAULT);
	check_all(s, pid);
	assert_true(scene_need(s, EVENT_OPEN, pid, 0)->flags & EVENT_F_NO_USER);
}

static void open_family(void *shared)
{
	struct open_how how = {
		.flags = O_RDWR | O_CREAT, .mode = 0604, .resolve = RESOLVE_BENEATH
	};
	struct call *c = call_new(shared, SYS_openat2, AT_FDCWD, "two", O_RDWR | O_CREAT);

	c->mode = 0604;
	look(c, syscall(SYS_openat2, AT_FDCWD, "two", &how, sizeof(how)));
	c = call_new(shared, SYS_creat, AT_FDCWD, "made", O_WRONLY | O_CREAT | O_TRUNC);
	c->mode = 0600;
	look(c, syscall(SYS_creat, "made", 0600));
	c = call_new(shared, SYS_openat2, AT_FDCWD, "../out", O_RDONLY);
	how = (struct open_how){ .flags = O_RDONLY, .resolve = RESOLVE_BENEATH };
	look(c, syscall(SYS_openat2, AT_FDCWD, "../out", &how, sizeof(how)));
}

static void openat2_and_creat_are_opens(void **state)
{
	struct scene *s = *state;
	pid_t pid = scene_play(s, open_family);
	const struct play *p = s->shared;

	if (p->calls[0].ret == -ENOSYS)
		skip();
	assert_true(p->calls[0].ret >= 0 && p->calls[1].ret >= 0);
	assert_int_equal(p->calls[2].ret, -EXDEV);
	check_all(s, pid);
}

static void open_nameless(void *shared)
{
	char path[64];
	int fds[2];
	int fd = memfd_create("hw/test", MFD_CLOEXEC);

	ACT(fd >= 0 && pipe(fds) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	do_open(shared, path, O_RDONLY, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	do_open(shared, path, O_RDONLY, 0);
	struct play *p = shared;
	memcpy(p->calls[0].path, "memfd:hw/test", 14);
	p->calls[1].path[0] = 0;
}

static void what_has_no_folder_has_its_name(void **state)
{
	struct scene *s = *state;
	pid_t pid = scene_play(s, open_nameless);

	check_all(s, pid);
	assert_int_equal(scene_need(s, EVENT_OPEN, pid, 1)->open.path.len, 0);
}

static void open_long(void *shared)
{
	char name[256];

	memset(name, 'n', 255);
	name[255] = 0;
	do_openat(shared, AT_FDCWD, name, O_RDWR | O_CREAT, 0644);
	for (int i = 0; i < 100; i++)
		ACT(mkdir("d", 0755) == 0 && chdir("d") == 0);
	do_openat(shared, AT_FDCWD, "hundred", O_RDWR | O_CREAT, 0644);
	for (int i = 0; i < 100; i++)
		ACT(mkdir("d", 0755) == 0 && chdir("d") == 0);
	do_openat(shared, AT_FDCWD, "twohundred", O_RDWR | O_CREAT, 0644);
	struct play *p = shared;
	p->calls[2].path[0] = 0;
}

static void a_path_too_deep_is_cut_at_its_beginning_and_marked(void **state)
{
	struct scene *s = *state;
	pid_t pid = scene_play(s, open_long);

	check_all(s, pid);
	assert_false(scene_need(s, EVENT_OPEN, pid, 0)->flags & EVENT_F_TRUNCATED);
	assert_false(scene_need(s, EVENT_OPEN, pid, 1)->flags & EVENT_F_TRUNCATED);
	const struct event *ev = scene_need(s, EVENT_OPEN, pid, 2);
	assert_true(ev->flags & EVENT_F_TRUNCATED);
	struct str path = event_str(ev, ev->open.path);
	assert_true(str_starts(path, STR("/d/d/")));
	assert_true(str_ends(path, STR("/d/d/twohundred")));
	assert_true(path.n > 250);
}

static void own_mounts(void)
{
	ACT(unshare(CLONE_NEWNS) == 0);
	ACT(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
}

static void open_mounted(void *shared)
{
	own_mounts();
	ACT(mkdir("src", 0755) == 0 && mkdir("dst", 0755) == 0 && mkdir("src/deep", 0755) == 0);
	make_file("src/file");
	make_file("src/deep/file");
	make_file("over");
	ACT(mount("src", "dst", NULL, MS_BIND, NULL) == 0);
	ACT(mount("src/file", "over", NULL, MS_BIND, NULL) == 0);
	do_open(shared, "src/file", O_RDONLY, 0);
	do_open(shared, "dst/file", O_RDONLY, 0);
	do_open(shared, "dst/deep/../deep/file", O_RDONLY, 0);
	do_open(shared, "over", O_RDONLY, 0);
	ACT(mount("tmpfs", "dst/deep", "tmpfs", 0, NULL) == 0);
	make_file("dst/deep/mem");
	ACT(mkdir("dst/deep/more", 0755) == 0);
	ACT(mount("tmpfs", "dst/deep/more", "tmpfs", 0, NULL) == 0);
	make_file("dst/deep/more/mem");
	do_open(shared, "dst/deep/mem", O_RDONLY, 0);
	do_open(shared, "dst/deep/more/mem", O_RDONLY, 0);
	do_open(shared, "dst/deep/more", O_RDONLY, 0);
	/* two mounts on one place */
	ACT(mount("tmpfs", "dst/deep/more", "tmpfs", 0, NULL) == 0);
	make_file("dst/deep/more/top");
	do_open(shared, "dst/deep/more/top", O_RDONLY, 0);
}

static void paths_lead_over_mounts(void **state)
{
	struct scene *s = *state;
	pid_t pid = scene_play(s, open_mounted);

	check_all(s, pid);
	for (size_t i = 0; i < 8; i++) {
		const struct event *ev = scene_need(s, EVENT_OPEN, pid, i);
		assert_int_equal(ev->flags, 0);
		assert_int_not_equal(ev->ns_mnt, scene_inode("/proc/self/ns/mnt"));
	}
}

static void open_unmounted(void *shared)
{
	own_mounts();
	ACT(mkdir("gone", 0755) == 0 && mount("tmpfs", "gone", "tmpfs", 0, NULL) == 0);
	make_file("gone/file");
	ACT(mkdir("gone/sub", 0755) == 0);
	ACT(chdir("gone/sub") == 0 && umount2("..", MNT_DETACH) == 0);
	do_open(shared, "../file", O_RDONLY, 0);
	struct play *p = shared;
	memcpy(p->calls[0].path, "/file", 6);
}

static void a_path_in_a_tree_that_was_unmounted_is_marked(void **state)
{
	struct scene *s = *state;
	pid_t pid = scene_play(s, open_unmounted);

	check_all(s, pid);
	assert_true(scene_need(s, EVENT_OPEN, pid, 0)->flags & EVENT_F_DETACHED);
}

static void open_chrooted(void *shared)
{
	struct play *p = shared;
	char outside[256];

	ACT(getcwd(outside, sizeof(outside)) != NULL);
	ACT(mkdir("root", 0755) == 0 && mkdir("root/etc", 0755) == 0);
	make_file("root/etc/shadow");
	make_file("secret");
	ACT(symlink("/etc/shadow", "root/link") == 0);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, ".", O_PATH | O_DIRECTORY);
	ACT(fd >= 0 && chroot("root") == 0 && chdir("/") == 0);
	do_open(shared, "/etc/shadow", O_RDONLY, 0);
	do_open(shared, "../../etc/../etc/shadow", O_RDONLY, 0);
	do_open(shared, "/link", O_RDONLY, 0);
	do_open(shared, "/", O_RDONLY, 0);
	do_openat(shared, fd, "secret", O_RDONLY, 0);
	/* there is no /proc here to ask */
	memcpy(p->calls[0].path, "/etc/shadow", 12);
	memcpy(p->calls[1].path, "/etc/shadow", 12);
	memcpy(p->calls[2].path, "/etc/shadow", 12);
	memcpy(p->calls[3].path, "/", 2);
	snprintf(p->calls[4].path, sizeof(p->calls[4].path), "%s/secret", outside);
}

static void a_path_is_seen_from_the_processs_root(void **state)
{
	struct scene *s = *state;
	pid_t pid = scene_play(s, open_chrooted);
	const struct play *p = s->shared;

	for (size_t i = 0; i < p->n; i++) {
		const struct event *ev = scene_need(s, EVENT_OPEN, pid, i + 1);
		assert_true(ev->ret >= 0);
		check_call(ev, &p->calls[i]);
		/* out of the root by a descriptor: the whole way, and marked */
		assert_int_equal((ev->flags & EVENT_F_DETACHED) != 0, i == 4);
	}
}

static void open_pivoted(void *shared)
{
	struct play *p = shared;

	own_mounts();
	ACT(mkdir("pivot", 0755) == 0 && mount("tmpfs", "pivot", "tmpfs", 0, NULL) == 0);
	ACT(mkdir("pivot/old", 0755) == 0 && mkdir("pivot/etc", 0755) == 0);
	make_file("pivot/etc/shadow");
	make_file("before");
	ACT(syscall(SYS_pivot_root, "pivot", "pivot/old") == 0 && chdir("/") == 0);
	do_open(shared, "/etc/shadow", O_RDONLY, 0);
	do_open(shared, "/old/proc/self/stat", O_RDONLY, 0);
	memcpy(p->calls[0].path, "/etc/shadow", 12);
	snprintf(p->calls[1].path, sizeof(p->calls[1].path), "/old/proc/%d/stat", (int)getpid());
	ACT(umount2("/old", MNT_DETACH) == 0);
	do_open(shared, "/etc/shadow", O_RDONLY, 0);
	memcpy(p->calls[2].path, "/etc/shadow", 12);
}

static void a_pivoted_root_is_the_root(void **state)
{
	struct scene *s = *state;
	pid_t pid = scene_play(s, open_pivoted);

	check_all(s, pid);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(scene_need(s, EVENT_OPEN, pid, i)->flags, 0);
}

static void open_as_another(void *shared)
{
	make_file("anyones");
	ACT(syscall(SYS_setresgid, 2001, 2002, 2003) == 0);
	ACT(syscall(SYS_setresuid, 1001, 1002, 1003) == 0);
	do_open(shared, "anyones", O_RDONLY, 0);
}

static void an_event_has_the_users_of_that_moment(void **state)
{
	struct scene *s = *state;
	ACT(chmod(s->dir, 0755) == 0);
	pid_t pid = scene_play(s, open_as_another);

	check_all(s, pid);
	const struct event *ev = scene_need(s, EVENT_OPEN, pid, 0);
	assert_int_equal(ev->uid, 1001);
	assert_int_equal(ev->euid, 1002);
	assert_int_equal(ev->gid, 2001);
}

#ifdef __x86_64__
/* A 32-bit call of a 64-bit program: it takes 32 bits of address. */
static long call32(long nr, long b, long c, long d)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(nr), "b"(b), "c"(c), "d"(d)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

static void call_32(void *shared)
{
	char *low = mmap(
		NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	uint32_t args[3] = { 2, 1, 0 }; /* AF_INET, SOCK_STREAM */

	ACT(low != MAP_FAILED);
	make_file("thirtytwo");
	memcpy(low, "thirtytwo", 10);
	memcpy(low + 64, args, sizeof(args));
	struct call *c = call_new(shared, 5, AT_FDCWD, low, O_RDWR);
	c->ret = call32(5, (long)low, O_RDWR, 0);
	if (c->ret == -ENOSYS)
		return;
	errno = 0;
	look(c, c->ret);
	c = call_new(shared, 8, AT_FDCWD, low, O_WRONLY | O_CREAT | O_TRUNC);
	look(c, call32(8, (long)low, 0600, 0));
	c = call_new(shared, 295, AT_FDCWD, low, O_RDONLY);
	look(c, call32(295, AT_FDCWD, (long)low, O_RDONLY));
	ACT(call32(102, 1, (long)low + 64, 0) >= 0); /* socketcall */
	ACT(call32(359, 1, 2, 0) >= 0);              /* socket */
}

static void calls_of_the_32_bit_table_are_told_in_its_numbers(void **state)
{
	struct scene *s = *state;
	int status = 0;
	pid_t pid = scene_try(s, call_32, &status);
	const struct play *p = s->shared;

	if (WIFSIGNALED(status) || (p->n && p->calls[0].ret == -ENOSYS)) {
		fprintf(stderr, "SKIP: this kernel takes no 32-bit calls\n");
		skip();
	}
	assert_int_equal(status, 0);
	check_all(s, pid);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(scene_need(s, EVENT_OPEN, pid, i)->flags, EVENT_F_COMPAT);
	static const struct {
		int nr, family;
	} sockets[] = { { 102, 2 }, { 359, 1 } };
	assert_int_equal(scene_count(s, EVENT_SOCKET, pid), 2);
	for (size_t i = 0; i < 2; i++) {
		const struct event *ev = scene_need(s, EVENT_SOCKET, pid, i);
		assert_int_equal(ev->nr, sockets[i].nr);
		assert_int_equal(ev->net.family, sockets[i].family);
		assert_true(ev->ret > 0 && ev->net.fd == ev->ret);
	}
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_tell_the_path_that_was_opened),
		cmocka_unit_test(an_open_that_failed_is_the_callers_word),
		cmocka_unit_test(memory_that_cannot_be_read_is_marked),
		cmocka_unit_test(openat2_and_creat_are_opens),
		cmocka_unit_test(what_has_no_folder_has_its_name),
		cmocka_unit_test(a_path_too_deep_is_cut_at_its_beginning_and_marked),
		cmocka_unit_test(paths_lead_over_mounts),
		cmocka_unit_test(a_path_in_a_tree_that_was_unmounted_is_marked),
		cmocka_unit_test(a_path_is_seen_from_the_processs_root),
		cmocka_unit_test(a_pivoted_root_is_the_root),
		cmocka_unit_test(an_event_has_the_users_of_that_moment),
#ifdef __x86_64__
		cmocka_unit_test(calls_of_the_32_bit_table_are_told_in_its_numbers),
#endif
	};
	return cmocka_run_group_tests(tests, scene_set_up, scene_tear_down);
}
