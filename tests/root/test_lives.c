/* Forks and exits: each process once, each with the code that wait(2) gives. */
#include "tests/root/scene.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#define LIVES 200

struct play {
	pid_t pids[LIVES];
	int status[LIVES];
	size_t n;
	uint64_t cgroup_id;
};

/* Wait for what was made and note it. */
static void note(void *shared, pid_t pid)
{
	struct play *p = shared;

	ACT(pid > 0 && p->n < LIVES);
	p->pids[p->n] = pid;
	ACT(waitpid(pid, &p->status[p->n], 0) == pid);
	p->n++;
}

static void check_lives(struct scene *s, pid_t actor)
{
	const struct play *p = s->shared;

	assert_true(p->n > 0);
	for (size_t i = 0; i < p->n; i++) {
		const struct event *f = scene_need(s, EVENT_FORK, p->pids[i], 0);
		const struct event *x = scene_need(s, EVENT_EXIT, p->pids[i], 0);
		assert_int_equal(scene_count(s, EVENT_FORK, p->pids[i]), 1);
		if (scene_count(s, EVENT_EXIT, p->pids[i]) != 1)
			fail_msg("process %zu ended %zu times", i,
				scene_count(s, EVENT_EXIT, p->pids[i]));
		assert_int_equal(f->key.start_ns, x->key.start_ns);
		assert_int_equal(f->exec_id, x->exec_id);
		assert_int_equal(f->fork.parent.tgid, actor);
		assert_int_equal(f->fork.creator.tgid, actor);
		assert_int_equal(f->fork.ppid, actor);
		assert_int_equal(f->tid, p->pids[i]);
		if (x->exit.code != p->status[i])
			fail_msg("process %zu ended with %x, and %x was told", i,
				(unsigned int)p->status[i], (unsigned int)x->exit.code);
	}
}

static void play_simple(void *shared)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(7);
	note(shared, pid);
	pid = fork();
	if (pid == 0)
		raise(SIGKILL);
	note(shared, pid);
	pid = vfork();
	if (pid == 0)
		_exit(255);
	note(shared, pid);
}

static void a_child_is_made_and_ends_once(void **state)
{
	struct scene *s = *state;
	check_lives(s, scene_play(s, play_simple));
}

static void *wait_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static void threads(int n)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (int i = 0; i < n; i++)
		ACT(pthread_create(&t, &attr, wait_for_ever, NULL) == 0);
}

static void play_groups(void *shared)
{
	for (int i = 0; i < LIVES; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			threads(8);
			_exit(5);
		}
		note(shared, pid);
	}
}

static void a_group_of_threads_ends_once(void **state)
{
	struct scene *s = *state;
	pid_t actor = scene_play(s, play_groups);
	check_lives(s, actor);
	/* and none of the threads was told as a process */
	for (size_t i = 0; i < s->events.n; i++) {
		const struct event *ev = s->events.p[i];
		if (ev->class == EVENT_FORK && ev->fork.creator.tgid != (uint32_t)actor)
			assert_int_equal(ev->key.tgid, ev->tid);
	}
}

static atomic_int herd;

static void *go_together(void *arg)
{
	(void)arg;
	herd--;
	while (herd > 0)
		;
	syscall(SYS_exit, 0);
	return NULL;
}

static void play_herds(void *shared)
{
	for (int i = 0; i < LIVES; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			pthread_t t;
			herd = 2;
			ACT(pthread_create(&t, NULL, go_together, NULL) == 0);
			go_together(NULL);
		}
		note(shared, pid);
	}
}

static void threads_that_end_at_once_end_the_process_once(void **state)
{
	struct scene *s = *state;
	check_lives(s, scene_play(s, play_herds));
}

static void *outlive(void *arg)
{
	int code = *(int *)arg;

	/* the leader is a zombie by then */
	for (;;) {
		char path[64], text[256] = "";
		snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)getpid());
		FILE *f = fopen(path, "re");
		if (f) {
			if (!fgets(text, sizeof(text), f))
				text[0] = 0;
			fclose(f);
		}
		const char *at = strrchr(text, ')');
		if (at && at[2] == 'Z')
			break;
		sched_yield();
	}
	if (code >= 0)
		syscall(SYS_exit_group, code);
	syscall(SYS_exit, 6);
	return NULL;
}

static void leader_first(int code)
{
	pthread_t t;

	ACT(pthread_create(&t, NULL, outlive, &code) == 0);
	syscall(SYS_exit, 4);
}

static void play_leaderless(void *shared)
{
	pid_t pid = fork();

	if (pid == 0)
		leader_first(9);
	note(shared, pid);
	pid = fork();
	if (pid == 0)
		leader_first(-1);
	note(shared, pid);
}

static void a_leader_that_goes_first_does_not_end_the_process(void **state)
{
	struct scene *s = *state;
	scene_play(s, play_leaderless);
	const struct play *p = s->shared;

	assert_int_equal(p->status[0], 9 << 8);
	/* without exit_group: the leader's, and since 6.0 the last thread's */
	assert_true(p->status[1] == 4 << 8 || p->status[1] == 6 << 8);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(scene_count(s, EVENT_EXIT, p->pids[i]), 1);
		assert_int_equal(scene_need(s, EVENT_EXIT, p->pids[i], 0)->exit.code, p->status[i]);
	}
}

/* A sibling: its parent is the actor, its creator the actor's child. */
static void play_sibling(void *shared)
{
	struct play *p = shared;
	pid_t pid = fork();

	if (pid == 0) {
		struct clone_args a = { .flags = CLONE_PARENT };
		pid_t sibling = (pid_t)syscall(SYS_clone3, &a, sizeof(a));
		if (sibling == 0)
			_exit(0);
		p->pids[1] = sibling;
		_exit(sibling > 0 ? 0 : 1);
	}
	p->pids[0] = pid;
	ACT(waitpid(pid, &p->status[0], 0) == pid && p->status[0] == 0);
	ACT(waitpid(p->pids[1], &p->status[1], 0) == p->pids[1]);
}

static void a_sibling_has_its_parent_and_its_creator(void **state)
{
	struct scene *s = *state;
	pid_t actor = scene_play(s, play_sibling);
	const struct play *p = s->shared;
	const struct event *f = scene_need(s, EVENT_FORK, p->pids[1], 0);
	const struct event *child = scene_need(s, EVENT_FORK, p->pids[0], 0);

	assert_int_equal(f->fork.creator.tgid, p->pids[0]);
	assert_int_equal(f->fork.creator.start_ns, child->key.start_ns);
	assert_int_equal(f->fork.parent.tgid, actor);
	assert_int_equal(f->fork.ppid, actor);
}

static char cgroup_dir[256];

static void play_into_cgroup(void *shared)
{
	struct play *p = shared;
	struct clone_args a = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	int fd = open(cgroup_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	p->cgroup_id = scene_inode(cgroup_dir);
	a.cgroup = (unsigned int)fd;
	ACT(fd >= 0);
	pid_t pid = (pid_t)syscall(SYS_clone3, &a, sizeof(a));
	if (pid == 0) {
		syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
		_exit(0);
	}
	note(shared, pid);
}

static void a_child_made_into_a_cgroup_is_in_it_from_the_start(void **state)
{
	struct scene *s = *state;
	const char *root = scene_cgroup2();
	char path[64];

	if (!root)
		skip();
	snprintf(path, sizeof(path), "/hw-lives-%d", (int)getpid());
	snprintf(cgroup_dir, sizeof(cgroup_dir), "%s%s", root, path);
	if (mkdir(cgroup_dir, 0755))
		skip();
	int status = -1;
	scene_try(s, play_into_cgroup, &status);
	assert_int_equal(rmdir(cgroup_dir), 0);
	assert_int_equal(status, 0);
	const struct play *p = s->shared;
	const struct event *f = scene_need(s, EVENT_FORK, p->pids[0], 0);
	assert_int_equal(f->cgroup_id, p->cgroup_id);
	assert_span(f, fork.cgroup, path);
	assert_int_equal(scene_need(s, EVENT_OPEN, p->pids[0], 0)->cgroup_id, p->cgroup_id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_is_made_and_ends_once),
		cmocka_unit_test(a_group_of_threads_ends_once),
		cmocka_unit_test(threads_that_end_at_once_end_the_process_once),
		cmocka_unit_test(a_leader_that_goes_first_does_not_end_the_process),
		cmocka_unit_test(a_sibling_has_its_parent_and_its_creator),
		cmocka_unit_test(a_child_made_into_a_cgroup_is_in_it_from_the_start),
	};
	return cmocka_run_group_tests(tests, scene_set_up, scene_tear_down);
}
