/*
 * Cgroups, the processes that are there already, and the books: emitted, dropped and filtered together are
 * what was produced, to the last record.
 */
#include "tests/root/scene.h"

#include "collector/syscall/seed.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#define STORM 30000

static char cgroup_dir[256], cgroup_path[64];

static bool make_cgroup(void)
{
	const char *root = scene_cgroup2();

	snprintf(cgroup_path, sizeof(cgroup_path), "/hw-counts-%d", (int)getpid());
	snprintf(cgroup_dir, sizeof(cgroup_dir), "%s%s", root ? root : "", cgroup_path);
	return root && (mkdir(cgroup_dir, 0755) == 0 || errno == EEXIST);
}

static int open_procs(const char *dir)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	return open(path, O_WRONLY | O_CLOEXEC);
}

static void enter(int procs_fd)
{
	ACT(write(procs_fd, "0", 1) == 1);
}

static void make_and_remove(void *shared)
{
	char dir[512];
	uint64_t *id = shared;

	snprintf(dir, sizeof(dir), "%s/inner", cgroup_dir);
	ACT(mkdir(dir, 0755) == 0);
	*id = scene_inode(dir);
	ACT(rmdir(dir) == 0);
}

static void a_cgroup_is_told_when_made_and_when_removed(void **state)
{
	struct scene *s = *state;
	char path[128];

	if (!make_cgroup())
		skip();
	int status = -1;
	pid_t pid = scene_try(s, make_and_remove, &status);
	assert_int_equal(rmdir(cgroup_dir), 0);
	assert_int_equal(status, 0);
	snprintf(path, sizeof(path), "%s/inner", cgroup_path);
	assert_int_equal(scene_count(s, EVENT_CGROUP, pid), 2);
	for (size_t i = 0; i < 2; i++) {
		const struct event *ev = scene_need(s, EVENT_CGROUP, pid, i);
		assert_int_equal(ev->cgroup.id, *(uint64_t *)s->shared);
		assert_int_equal(ev->cgroup.hierarchy, 0);
		assert_int_equal(ev->cgroup.removed, i);
		assert_span(ev, cgroup.path, path);
	}
}

static void make_old(void *shared)
{
	bool *there = shared;
	char dir[128];

	snprintf(dir, sizeof(dir), "/sys/fs/cgroup/pids/hw-old-%d", (int)getpid());
	*there = mkdir(dir, 0755) == 0;
	if (*there)
		ACT(rmdir(dir) == 0);
}

static void a_cgroup_of_an_old_hierarchy_is_told_apart(void **state)
{
	struct scene *s = *state;
	pid_t pid = scene_play(s, make_old);

	if (!*(bool *)s->shared)
		skip();
	for (size_t i = 0; i < 2; i++)
		assert_int_not_equal(scene_need(s, EVENT_CGROUP, pid, i)->cgroup.hierarchy, 0);
}

struct seen {
	struct event *own, *first, *kernel, *zombie, *child;
	char args[4096];
	size_t args_n, n;
	pid_t zombie_pid, child_pid;
};

static void see(void *ctx, const struct event *ev, struct str args)
{
	struct seen *seen = ctx;
	struct event **to = NULL;

	seen->n++;
	if (ev->key.tgid == (uint32_t)getpid()) {
		to = &seen->own;
		seen->args_n = args.n < sizeof(seen->args) ? args.n : 0;
		memcpy(seen->args, args.p, seen->args_n);
	} else if (ev->key.tgid == 1) {
		to = &seen->first;
	} else if (ev->key.tgid == 2) {
		to = &seen->kernel;
	} else if (ev->key.tgid == (uint32_t)seen->zombie_pid) {
		to = &seen->zombie;
	} else if (ev->key.tgid == (uint32_t)seen->child_pid) {
		to = &seen->child;
	}
	if (!to)
		return;
	assert_null(*to);
	*to = event_clone(ev);
}

static void check_own_seed(const struct seen *seen)
{
	char path[4096], args[4096];
	const struct event *own = seen->own;

	assert_non_null(own);
	scene_link("/proc/self/exe", path, sizeof(path));
	assert_span(own, exec.exe, path);
	assert_non_null(getcwd(path, sizeof(path)));
	assert_span(own, exec.cwd, path);
	FILE *f = fopen("/proc/self/cmdline", "re");
	size_t n = fread(args, 1, sizeof(args), f);
	fclose(f);
	assert_int_equal(seen->args_n, n);
	assert_memory_equal(seen->args, args, n);
	assert_int_equal(scene_ticks(own->key.start_ns), scene_start_ticks(getpid()));
	assert_int_equal(own->exec.parent.tgid, getppid());
	assert_int_equal(own->exec.sid, getsid(0));
	assert_int_equal(own->exec.pgid, getpgrp());
	assert_int_equal(own->ns_mnt, scene_inode("/proc/self/ns/mnt"));
	assert_int_equal(own->exec.ns_pid, scene_inode("/proc/self/ns/pid"));
	assert_int_equal(own->uid, getuid());
	assert_false(own->exec.kthread);
}

static void processes_that_are_there_are_found(void **state)
{
	struct scene *s = *state;
	struct seen seen = { 0 };
	struct err e = { 0 };
	siginfo_t info;
	int hold[2];

	assert_int_equal(pipe(hold), 0);
	seen.zombie_pid = fork();
	if (seen.zombie_pid == 0)
		_exit(0);
	seen.child_pid = fork();
	if (seen.child_pid == 0) {
		char c;
		close(hold[1]);
		_exit(read(hold[0], &c, 1) == 0 ? 0 : 1);
	}
	assert_int_equal(waitid(P_PID, (id_t)seen.zombie_pid, &info, WEXITED | WNOWAIT), 0);
	AUTO_FD int fd = probe_open_seed(s->probe, &e);
	assert_true(fd >= 0);
	assert_int_equal(seed_read(fd, see, &seen, &e), 0);
	close(hold[0]);
	close(hold[1]);
	waitpid(seen.zombie_pid, NULL, 0);
	waitpid(seen.child_pid, NULL, 0);
	check_own_seed(&seen);
	assert_null(seen.zombie);
	assert_non_null(seen.child);
	assert_int_equal(seen.child->exec_id, seen.own->exec_id);
	assert_int_equal(seen.child->exec.parent.tgid, getpid());
	assert_int_equal(seen.child->exec.parent.start_ns, seen.own->key.start_ns);
	assert_int_equal(seen.child->exec.parent_exec_id, seen.own->exec_id);
	/* some hosts hide their first process; the host's namespaces are then the kernel threads' */
	assert_true(seen.first || seen.kernel);
	if (seen.first && scene_inode("/proc/1/ns/mnt"))
		assert_int_equal(seen.first->ns_mnt, scene_inode("/proc/1/ns/mnt"));
	if (seen.kernel && seen.kernel->exec.kthread)
		assert_int_equal(seen.kernel->exec.exe.len, 0);
	event_free(seen.own);
	event_free(seen.first);
	event_free(seen.kernel);
	event_free(seen.child);
}

struct books {
	int procs;
	long opens;
};

/* Enter the cgroup by a descriptor that is open already, so that everything in it is counted here. */
static void storm(void *shared)
{
	struct books *b = shared;

	enter(b->procs);
	for (long i = 0; i < STORM; i++) {
		long fd = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
		ACT(fd >= 0 && close((int)fd) == 0);
		b->opens++;
	}
}

static int cgroup_procs = -1;

static void storm_in_cgroup(void *shared)
{
	((struct books *)shared)->procs = cgroup_procs;
	storm(shared);
}

/* The numbers of one CPU's records rise. */
static void check_sequence(const struct scene *s)
{
	uint64_t last[256] = { 0 };

	for (size_t i = 0; i < s->events.n; i++) {
		const struct event *ev = s->events.p[i];
		if (ev->class != EVENT_OPEN || ev->cpu >= ARRAY_N(last))
			continue;
		assert_true(ev->seq > last[ev->cpu]);
		last[ev->cpu] = ev->seq;
	}
}

static struct wire_count opens_of(struct scene *s)
{
	struct wire_count n[WIRE_CLASS_MAX] = { 0 };

	assert_true(probe_account(s->probe, 0, n));
	return n[WIRE_OPEN];
}

static void play_books(struct scene *s, bool may_drop)
{
	int status = -1;
	pid_t pid = scene_try(s, storm_in_cgroup, &status);
	const struct books *b = s->shared;
	struct wire_count n = opens_of(s);
	size_t seen = scene_count(s, EVENT_OPEN, pid);

	assert_int_equal(status, 0);
	assert_int_equal(b->opens, STORM);
	assert_int_equal(n.emitted + n.dropped, STORM);
	assert_int_equal(n.filtered, 0);
	assert_int_equal(seen, n.emitted);
	/* where it drops, the rest of the node's events may have taken all the room */
	if (may_drop)
		assert_true(n.dropped > 0);
	else
		assert_int_equal(n.dropped, 0);
	check_sequence(s);
}

static void play_reader(struct scene *s)
{
	struct wire_count before = opens_of(s);
	char own[512];

	/* where we came from, to go back; on a hybrid host the v2 part of it */
	snprintf(own, sizeof(own), "%s", scene_cgroup2());
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[256];
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, "0::", 3) == 0)
			snprintf(own, sizeof(own), "%s%s", scene_cgroup2(), line + 3);
	}
	if (f)
		fclose(f);
	AUTO_FD int back = open_procs(own);
	assert_true(back >= 0);
	assert_int_equal(write(cgroup_procs, "0", 1), 1);
	for (int i = 0; i < 100; i++) {
		long fd = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
		assert_true(fd >= 0 && close((int)fd) == 0);
	}
	assert_int_equal(write(back, "0", 1), 1);
	struct wire_count after = opens_of(s);
	assert_int_equal(after.filtered - before.filtered, 100);
	assert_int_equal(after.emitted, before.emitted);
	assert_int_equal(after.dropped, before.dropped);
	scene_read(s);
	for (enum event_class c = EVENT_NONE + 1; c < EVENT_CLASS_N; c++)
		assert_int_equal(scene_count(s, c, getpid()), 0);
}

static void with_books(uint32_t ring_bytes, bool may_drop)
{
	static const char *accounts[1] = { cgroup_dir };

	if (!make_cgroup())
		skip();
	cgroup_procs = open_procs(cgroup_dir);
	struct scene *s = scene_open(ring_bytes, accounts, 1);
	play_books(s, may_drop);
	play_reader(s);
	scene_close(s);
	close(cgroup_procs);
	assert_int_equal(rmdir(cgroup_dir), 0);
}

static void what_fits_is_emitted_to_the_last(void **state)
{
	(void)state;
	with_books(32u << 20, false);
}

static void what_does_not_fit_is_counted_to_the_last(void **state)
{
	(void)state;
	with_books(64u << 10, true);
}

static void nobody_is_told_of_what_nobody_wants(void **state)
{
	struct scene *s = *state;
	static const char *const only[] = { "creat" };

	if (!make_cgroup())
		skip();
	cgroup_procs = open_procs(cgroup_dir);
	probe_set_interest(s->probe, only, 1);
	int status = -1;
	pid_t pid = scene_try(s, storm_in_cgroup, &status);
	assert_int_equal(rmdir(cgroup_dir), 0);
	close(cgroup_procs);
	assert_int_equal(status, 0);
	assert_int_equal(scene_count(s, EVENT_OPEN, pid), 0);
	/* lives are told always */
	assert_int_equal(scene_count(s, EVENT_EXIT, pid), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cgroup_is_told_when_made_and_when_removed),
		cmocka_unit_test(a_cgroup_of_an_old_hierarchy_is_told_apart),
		cmocka_unit_test(processes_that_are_there_are_found),
		cmocka_unit_test(what_fits_is_emitted_to_the_last),
		cmocka_unit_test(what_does_not_fit_is_counted_to_the_last),
		cmocka_unit_test(nobody_is_told_of_what_nobody_wants),
	};
	int failed = cmocka_run_group_tests(tests, scene_set_up, scene_tear_down);
	rmdir(cgroup_dir); /* where a test failed before it did */
	return failed;
}
