/* Exec, fork and exit as the kernel tells them, against what the new program finds about itself. */
#include "tests/root/report.h"
#include "tests/root/scene.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

struct play {
	pid_t pids[64];
	int status[64];
	size_t n;
	uint64_t number;
};

static char self[1024];
static char *const child_args[] = { self, "--report", "an argument", "", NULL };

static void check_numbers(const struct event *ev, const struct report *r)
{
	assert_int_equal(ev->key.tgid, r->pid);
	assert_int_equal(ev->tid, r->pid);
	assert_int_equal(scene_ticks(ev->key.start_ns), r->ticks);
	assert_int_equal(ev->exec.vpid, r->vpid);
	assert_int_equal(ev->exec.sid, r->sid);
	assert_int_equal(ev->exec.pgid, r->pgid);
	assert_int_equal(ev->exec.tty, r->tty);
	assert_int_equal(ev->exec.loginuid, r->loginuid);
	assert_int_equal(ev->exec.sessionid, r->sessionid);
	assert_int_equal(ev->exec.ppid, r->ppid);
}

static void check_namespaces(const struct event *ev, const struct report *r)
{
	assert_int_equal(ev->ns_mnt, r->ns_mnt);
	assert_int_equal(ev->exec.ns_mnt, r->ns_mnt);
	assert_int_equal(ev->exec.ns_pid, r->ns_pid);
	assert_int_equal(ev->exec.ns_net, r->ns_net);
	assert_int_equal(ev->exec.ns_user, r->ns_user);
	assert_int_equal(ev->exec.ns_cgroup, r->ns_cgroup);
	assert_int_equal(ev->exec.ns_uts, r->ns_uts);
	assert_int_equal(ev->exec.ns_ipc, r->ns_ipc);
}

static void check_program(const struct event *ev, const struct report *r)
{
	assert_span(ev, exec.exe, r->exe);
	assert_span(ev, exec.cwd, r->cwd);
	assert_span(ev, exec.cgroup, r->cgroup);
	assert_int_equal(ev->exec.args.len, r->args_n);
	assert_memory_equal(event_str(ev, ev->exec.args).p, r->args, r->args_n);
	assert_int_equal(ev->exec.args_total, r->args_n);
	assert_int_equal(ev->exec.exe_dev, r->exe_dev);
	assert_int_equal(ev->exec.exe_ino, r->exe_ino);
	assert_int_equal(ev->exec.exe_mode, r->exe_mode);
	assert_int_equal(ev->exec.exe_ctime_ns, r->exe_ctime_ns);
	assert_int_equal(ev->exec.exe_mtime_ns, r->exe_mtime_ns);
	assert_string_equal(ev->comm, r->comm);
	assert_false(ev->exec.kthread);
}

/* The last successful exec of a process, against its report. */
static const struct event *check_report(const struct scene *s, pid_t pid)
{
	const struct report *r = (const struct report *)((const char *)s->shared + 65536);
	const struct event *ev = NULL;
	size_t n = scene_count(s, EVENT_EXEC, pid);

	assert_true(r->done);
	for (size_t i = 0; i < n; i++) {
		if (scene_find(s, EVENT_EXEC, pid, i)->ret == 0)
			ev = scene_find(s, EVENT_EXEC, pid, i);
	}
	assert_non_null(ev);
	check_numbers(ev, r);
	check_namespaces(ev, r);
	check_program(ev, r);
	assert_int_equal(ev->uid, r->uid);
	assert_int_equal(ev->gid, r->gid);
	assert_int_equal(ev->euid, r->euid);
	assert_int_equal(ev->exec.cap_effective, r->cap_eff);
	assert_int_equal(ev->exec.cap_permitted, r->cap_prm);
	assert_int_equal(ev->exec.cap_inheritable, r->cap_inh);
	return ev;
}

/* s->shared is anonymous: a program that is executed gets its report by a file, copied by who waits. */
static int report_fd(void)
{
	int fd = memfd_create("report", 0);

	ACT(fd >= 0 && ftruncate(fd, sizeof(struct report)) == 0);
	ACT(dup2(fd, REPORT) == REPORT);
	return fd;
}

static void report_take(void *shared)
{
	ssize_t n = pread(REPORT, (char *)shared + 65536, sizeof(struct report), 0);

	ACT(n == sizeof(struct report));
}

/* Fork a process that does `fn` and then executes the reporter; wait for it. */
static void start(void *shared, void (*fn)(void *shared))
{
	struct play *p = shared;

	report_fd();
	pid_t pid = fork();
	if (pid == 0) {
		if (fn)
			fn(shared);
		execv(self, child_args);
		_exit(99);
	}
	ACT(waitpid(pid, &p->status[p->n], 0) == pid && p->status[p->n] == 0);
	p->pids[p->n++] = pid;
	report_take(shared);
}

static void play_plain(void *shared)
{
	start(shared, NULL);
}

static void a_new_program_is_told_as_it_finds_itself(void **state)
{
	struct scene *s = *state;
	pid_t actor = scene_play(s, play_plain);
	const struct play *p = s->shared;
	const struct event *ev = check_report(s, p->pids[0]);

	assert_span(ev, exec.file, self);
	assert_int_equal(ev->exec.parent.tgid, actor);
	assert_int_equal(ev->flags & ~(uint32_t)EVENT_F_CGROUP_V1, 0);
	assert_false(ev->exec.exe_memfd);
	assert_int_equal(ev->nr, -1);
	/* fork, exec and exit are one process's, the exec a generation of its own */
	const struct event *f = scene_need(s, EVENT_FORK, p->pids[0], 0);
	const struct event *x = scene_need(s, EVENT_EXIT, p->pids[0], 0);
	assert_int_equal(f->key.start_ns, ev->key.start_ns);
	assert_int_equal(x->key.start_ns, ev->key.start_ns);
	assert_int_equal(ev->exec_id, f->exec_id + 1);
	assert_int_equal(x->exec_id, ev->exec_id);
	assert_true(f->boot_ns < ev->boot_ns && ev->boot_ns < x->boot_ns);
	assert_int_equal(f->fork.parent.tgid, actor);
	assert_int_equal(f->fork.parent.start_ns, ev->exec.parent.start_ns);
	assert_int_equal(f->fork.parent_exec_id, f->exec_id);
}

static void as_nobody(void *shared)
{
	(void)shared;
	ACT(syscall(SYS_setresgid, 2001, 2001, 2001) == 0);
	ACT(syscall(SYS_setresuid, 1001, 1001, 1001) == 0);
}

static void play_nobody(void *shared)
{
	start(shared, as_nobody);
}

static void another_user_has_lost_the_capabilities(void **state)
{
	struct scene *s = *state;
	scene_play(s, play_nobody);
	const struct play *p = s->shared;
	const struct event *ev = check_report(s, p->pids[0]);

	assert_int_equal(ev->uid, 1001);
	assert_int_equal(ev->gid, 2001);
	assert_int_equal(ev->exec.cap_effective, 0);
}

static void in_own_namespaces(void *shared)
{
	(void)shared;
	ACT(unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP |
		    CLONE_NEWPID) == 0);
	/* the first process in the new one */
	pid_t pid = fork();
	if (pid == 0)
		return;
	int status = -1;
	ACT(waitpid(pid, &status, 0) == pid && status == 0);
	((struct play *)shared)->pids[9] = pid;
	_exit(0);
}

static void play_namespaces(void *shared)
{
	start(shared, in_own_namespaces);
}

static void a_process_in_its_own_namespaces_has_their_numbers(void **state)
{
	struct scene *s = *state;
	scene_play(s, play_namespaces);
	const struct play *p = s->shared;
	struct report *r = (struct report *)((char *)s->shared + 65536);

	/* in a cgroup namespace the process sees less of its path than the host */
	report_cgroup(r->cgroup, sizeof(r->cgroup));
	const struct event *ev = check_report(s, p->pids[9]);
	assert_int_equal(ev->exec.vpid, 1);
	const struct event *f = scene_need(s, EVENT_FORK, p->pids[9], 0);
	assert_int_equal(f->fork.vpid, 1);
	assert_int_equal(f->fork.ns_pid, ev->exec.ns_pid);
	assert_int_equal(f->fork.ns_mnt, ev->exec.ns_mnt);
	assert_int_equal(f->fork.ns_net, ev->exec.ns_net);
	assert_int_equal(f->fork.ns_uts, ev->exec.ns_uts);
	assert_int_equal(f->fork.ns_ipc, ev->exec.ns_ipc);
	assert_int_not_equal(ev->exec.ns_pid, scene_inode("/proc/self/ns/pid"));
	assert_int_not_equal(ev->ns_mnt, scene_inode("/proc/self/ns/mnt"));
}

static void on_a_terminal(void *shared)
{
	(void)shared;
	char name[64];
	int unlock = 0;
	unsigned int number;
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);

	ACT(master >= 0 && ioctl(master, TIOCSPTLCK, &unlock) == 0);
	ACT(ioctl(master, TIOCGPTN, &number) == 0);
	snprintf(name, sizeof(name), "/dev/pts/%u", number);
	ACT(setsid() > 0);
	int slave = open(name, O_RDWR);
	ACT(slave >= 0 && ioctl(slave, TIOCSCTTY, 0) == 0);
}

static void play_terminal(void *shared)
{
	int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY);

	if (fd >= 0)
		start(shared, on_a_terminal);
}

static void the_terminal_is_told(void **state)
{
	struct scene *s = *state;
	scene_play(s, play_terminal);
	const struct play *p = s->shared;

	if (p->n == 0)
		skip();
	const struct event *ev = check_report(s, p->pids[0]);
	assert_int_not_equal(ev->exec.tty, 0);
	assert_int_equal(ev->exec.sid, p->pids[0]);
}

static void copy_into(int fd, const char *from)
{
	AUTO_FD int in = open(from, O_RDONLY | O_CLOEXEC);
	char some[65536];
	ssize_t n;

	ACT(in >= 0 && fd >= 0);
	while ((n = read(in, some, sizeof(some))) > 0)
		ACT(write(fd, some, (size_t)n) == n);
	ACT(n == 0);
}

static void copy_to(const char *path, const char *from)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	copy_into(fd, from);
	ACT(close(fd) == 0);
}

static void from_memory(void *shared)
{
	(void)shared;
	int fd = memfd_create("payload", MFD_CLOEXEC);

	copy_into(fd, self);
	syscall(SYS_execveat, fd, "", child_args, environ, AT_EMPTY_PATH);
	_exit(98);
}

static void play_memory(void *shared)
{
	start(shared, from_memory);
}

static void a_program_in_memory_is_recognised(void **state)
{
	struct scene *s = *state;
	scene_play(s, play_memory);
	const struct play *p = s->shared;
	struct report *r = (struct report *)((char *)s->shared + 65536);

	assert_string_equal(r->exe, "/memfd:payload (deleted)");
	memcpy(r->exe, "memfd:payload", 14);
	const struct event *ev = check_report(s, p->pids[0]);
	assert_true(ev->exec.exe_memfd);
}

static void by_a_thread_2(void)
{
	execv(self, child_args);
	_exit(97);
}

static void *by_a_thread_1(void *arg)
{
	(void)arg;
	ACT(syscall(SYS_gettid) != getpid());
	by_a_thread_2();
	return NULL;
}

static void by_a_thread(void *shared)
{
	pthread_t t;

	(void)shared;
	ACT(pthread_create(&t, NULL, by_a_thread_1, NULL) == 0);
	pthread_join(t, NULL);
}

static void play_thread_exec(void *shared)
{
	start(shared, by_a_thread);
}

static void an_exec_by_another_thread_is_the_processs(void **state)
{
	struct scene *s = *state;
	scene_play(s, play_thread_exec);
	const struct play *p = s->shared;
	const struct event *ev = check_report(s, p->pids[0]);
	const struct event *f = scene_need(s, EVENT_FORK, p->pids[0], 0);

	assert_int_equal(f->key.start_ns, ev->key.start_ns);
	assert_int_equal(ev->exec_id, f->exec_id + 1);
	assert_int_equal(scene_count(s, EVENT_FORK, p->pids[0]), 1);
	assert_int_equal(scene_count(s, EVENT_EXEC, p->pids[0]), 1);
	assert_int_equal(scene_count(s, EVENT_EXIT, p->pids[0]), 1);
}

static void play_script(void *shared)
{
	struct play *p = shared;
	int fd = open("script", O_WRONLY | O_CREAT | O_TRUNC, 0755);

	ACT(fd >= 0 && dprintf(fd, "#!/bin/sh -e\nexit 3\n") > 0 && close(fd) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		execl("./script", "zero", "one", NULL);
		_exit(99);
	}
	p->pids[p->n] = pid;
	ACT(waitpid(pid, &p->status[p->n++], 0) == pid);
}

static void a_script_runs_its_interpreter(void **state)
{
	struct scene *s = *state;
	char shell[1024];
	scene_play(s, play_script);
	const struct play *p = s->shared;
	const struct event *ev = scene_need(s, EVENT_EXEC, p->pids[0], 0);
	static const char args[] = "/bin/sh\0-e\0./script\0one";

	assert_int_equal(p->status[0], 3 << 8);
	assert_non_null(realpath("/bin/sh", shell));
	assert_span(ev, exec.exe, shell);
	assert_span(ev, exec.file, "./script");
	assert_int_equal(ev->exec.args.len, sizeof(args));
	assert_memory_equal(event_str(ev, ev->exec.args).p, args, sizeof(args));
	assert_string_equal(ev->comm, "script");
}

static void play_failing(void *shared)
{
	(void)shared;
	int fd = open("noprogram", O_WRONLY | O_CREAT, 0644);

	ACT(fd >= 0);
	execl("/no/such/program", "x", NULL);
	execl("noprogram", "x", NULL);
	syscall(SYS_execveat, AT_FDCWD, "no/at", child_args, environ, 0);
}

static void an_exec_that_failed_is_told_with_its_reason(void **state)
{
	static const struct {
		const char *file;
		int ret, nr;
	} rows[] = { { "/no/such/program", -ENOENT, SYS_execve },
		{ "noprogram", -EACCES, SYS_execve }, { "no/at", -ENOENT, SYS_execveat } };
	struct scene *s = *state;
	pid_t pid = scene_play(s, play_failing);

	assert_int_equal(scene_count(s, EVENT_EXEC, pid), ARRAY_N(rows));
	for (size_t i = 0; i < ARRAY_N(rows); i++) {
		const struct event *ev = scene_need(s, EVENT_EXEC, pid, i);
		assert_int_equal(ev->ret, rows[i].ret);
		assert_int_equal(ev->nr, rows[i].nr);
		assert_span(ev, exec.file, rows[i].file);
		assert_true(ev->flags & EVENT_F_UNVERIFIED);
		assert_int_equal(ev->exec.exe.len, 0);
	}
}

static void play_long_args(void *shared)
{
	static char arg[3][3000];
	struct play *p = shared;

	for (int i = 0; i < 3; i++)
		memset(arg[i], 'a' + i, sizeof(arg[i]) - 1);
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/true", "true", arg[0], arg[1], arg[2], NULL);
		_exit(99);
	}
	p->pids[p->n++] = pid;
	ACT(waitpid(pid, NULL, 0) == pid);
}

static void long_arguments_are_cut_and_marked(void **state)
{
	struct scene *s = *state;
	scene_play(s, play_long_args);
	const struct play *p = s->shared;
	const struct event *ev = scene_need(s, EVENT_EXEC, p->pids[0], 0);

	assert_int_equal(ev->exec.args_total, 5 + 3 * 3000);
	assert_int_equal(ev->exec.args.len, WIRE_ARGS_MAX);
	assert_true(ev->flags & EVENT_F_TRUNCATED);
}

static bool make_overlay(void)
{
	ACT(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	ACT(mkdir("o", 0755) == 0 && mount("tmpfs", "o", "tmpfs", 0, NULL) == 0);
	ACT(mkdir("o/low", 0755) == 0 && mkdir("o/up", 0755) == 0 && mkdir("o/work", 0755) == 0);
	ACT(mkdir("o/all", 0755) == 0);
	copy_to("o/low/a", "/bin/true");
	copy_to("o/low/b", "/bin/true");
	return mount("overlay", "o/all", "overlay", 0,
		       "lowerdir=o/low,upperdir=o/up,workdir=o/work") == 0;
}

static void play_overlay(void *shared)
{
	static const char *const programs[] = { "o/all/a", "o/all/b", "o/all/c" };
	struct play *p = shared;

	if (!make_overlay())
		return;
	/* a is the image's, b was the image's and is changed, c is new */
	ACT(chmod("o/all/b", 0700) == 0);
	copy_to("o/all/c", "/bin/true");
	for (size_t i = 0; i < ARRAY_N(programs); i++) {
		pid_t pid = fork();
		if (pid == 0) {
			execl(programs[i], "x", NULL);
			_exit(99);
		}
		p->pids[p->n] = pid;
		ACT(waitpid(pid, &p->status[p->n], 0) == pid && p->status[p->n] == 0);
		p->n++;
	}
}

static void a_program_of_the_upper_layer_is_told_apart(void **state)
{
	struct scene *s = *state;
	scene_play(s, play_overlay);
	const struct play *p = s->shared;

	if (p->n == 0) {
		fprintf(stderr, "SKIP: no overlay file system here\n");
		skip();
	}
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(scene_need(s, EVENT_EXEC, p->pids[i], 0)->exec.exe_upper, i > 0);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--report") == 0)
		return report_make();
	scene_link("/proc/self/exe", self, sizeof(self));
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_program_is_told_as_it_finds_itself),
		cmocka_unit_test(another_user_has_lost_the_capabilities),
		cmocka_unit_test(a_process_in_its_own_namespaces_has_their_numbers),
		cmocka_unit_test(the_terminal_is_told),
		cmocka_unit_test(a_program_in_memory_is_recognised),
		cmocka_unit_test(an_exec_by_another_thread_is_the_processs),
		cmocka_unit_test(a_script_runs_its_interpreter),
		cmocka_unit_test(an_exec_that_failed_is_told_with_its_reason),
		cmocka_unit_test(long_arguments_are_cut_and_marked),
		cmocka_unit_test(a_program_of_the_upper_layer_is_told_apart),
	};
	(void)argv;
	return cmocka_run_group_tests(tests, scene_set_up, scene_tear_down);
}
