#include "collector/syscall/seed.h"

#include "tests/unit/wire_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>

#include <cmocka.h>

static struct wire_make w;

struct seen {
	size_t n;
	uint32_t tgid[1024];
	size_t args_n[1024];
	char args[256], exe[256];
};
static struct seen seen;

static void see(void *ctx, const struct event *ev, struct str args)
{
	struct seen *s = ctx;

	assert_int_equal(ev->class, EVENT_SEED);
	assert_in_range(s->n, 0, 1023);
	s->tgid[s->n] = ev->key.tgid;
	s->args_n[s->n++] = args.n;
	snprintf(s->args, sizeof(s->args), "%.*s", STR_ARG(args));
	snprintf(s->exe, sizeof(s->exe), "%.*s", STR_ARG(event_str(ev, ev->exec.exe)));
}

/* A file that reads as what was put into it. */
static int input_new(void)
{
	memset(&seen, 0, sizeof(seen));
	return memfd_create("seed", MFD_CLOEXEC);
}

static void input_put(int fd, struct str bytes)
{
	assert_int_equal(write(fd, bytes.p, bytes.n), bytes.n);
}

static int input_read(int fd, struct err *e)
{
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return seed_read(fd, see, &seen, e);
}

static struct str record(uint32_t tgid, uint64_t start_ns)
{
	struct wire_make_exec x = { .class = WIRE_SEED,
		.tgid = tgid,
		.start_ns = start_ns,
		.body.exe_ino = 1,
		.exe = STR("prog/bin/"),
		.cwd = STR("root/") };

	return wire_make_exec(&w, &x);
}

/* When this process started, by the kernel's own word: field 22. */
static uint64_t own_start_ns(void)
{
	char text[1024];
	FILE *f = fopen("/proc/self/stat", "re");
	assert_non_null(f);
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = 0;
	unsigned long long ticks = 0;
	assert_int_equal(
		sscanf(strrchr(text, ')'),
			") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
			"%*d %*d %llu",
			&ticks),
		1);
	return ticks * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}

static void own_cmdline(char *out, size_t size)
{
	FILE *f = fopen("/proc/self/cmdline", "re");
	assert_non_null(f);
	size_t n = fread(out, 1, size - 1, f);
	fclose(f);
	out[n] = 0;
}

static void every_record_is_told_once(void **state)
{
	(void)state;
	struct err e = { 0 };
	AUTO_FD int fd = input_new();
	for (uint32_t i = 1; i <= 1000; i++)
		input_put(fd, record(0x70000000u + i, 1));
	assert_int_equal(input_read(fd, &e), 0);
	assert_int_equal(seen.n, 1000);
	for (uint32_t i = 1; i <= 1000; i++) {
		assert_int_equal(seen.tgid[i - 1], 0x70000000u + i);
		assert_int_equal(seen.args_n[i - 1], 0);
	}
	assert_string_equal(seen.exe, "/bin/prog");
}

static void an_input_of_nothing_is_fine(void **state)
{
	(void)state;
	struct err e = { 0 };
	AUTO_FD int fd = input_new();
	assert_int_equal(input_read(fd, &e), 0);
	assert_int_equal(seen.n, 0);
}

static void a_living_process_has_its_arguments(void **state)
{
	(void)state;
	struct err e = { 0 };
	char args[256];
	AUTO_FD int fd = input_new();
	own_cmdline(args, sizeof(args));
	input_put(fd, record((uint32_t)getpid(), own_start_ns() + 1234567));
	assert_int_equal(input_read(fd, &e), 0);
	assert_string_equal(seen.args, args);
}

static void another_start_is_another_process(void **state)
{
	(void)state;
	struct err e = { 0 };
	AUTO_FD int fd = input_new();
	input_put(fd, record((uint32_t)getpid(), own_start_ns() + 1000000000u));
	assert_int_equal(input_read(fd, &e), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.args_n[0], 0);
}

static void proc_tells_of_the_same_process_only(void **state)
{
	(void)state;
	AUTO(buf_fini) struct buf args = BUF_INIT(16384), exe = BUF_INIT(16384);
	struct process_key key = { (uint32_t)getpid(), own_start_ns() };
	char path[4096];
	assert_true(seed_from_proc(key, &args, &exe));
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	assert_true(n > 0);
	path[n] = 0;
	assert_string_equal(buf_cstr(&exe), path);
	assert_true(args.n > 0);
	assert_true(seed_exists(key));
	key.start_ns += 1000000000u;
	assert_false(seed_from_proc(key, &args, NULL));
	assert_false(seed_exists(key));
	key = (struct process_key){ 0x7ffffff0u, 1 };
	assert_false(seed_from_proc(key, &args, NULL));
	assert_false(seed_exists(key));
}

static void lengths_that_cannot_be_are_refused(void **state)
{
	(void)state;
	static const uint32_t bad[] = { 0, 1, sizeof(struct wire_hdr) - 1, WIRE_RECORD_MAX + 1,
		UINT32_MAX };
	for (size_t i = 0; i < ARRAY_N(bad); i++) {
		struct err e = { 0 };
		AUTO_FD int fd = input_new();
		struct str rec = record(1, 1);
		memcpy(w.bytes, &bad[i], sizeof(bad[i]));
		input_put(fd, rec);
		assert_int_equal(input_read(fd, &e), -1);
		assert_int_equal(e.code, ERR_FORMAT);
		assert_int_equal(seen.n, 0);
	}
}

static void a_record_of_another_class_is_refused(void **state)
{
	(void)state;
	struct err e = { 0 };
	AUTO_FD int fd = input_new();
	input_put(fd, wire_make_exit(&w, 0));
	assert_int_equal(input_read(fd, &e), -1);
	assert_int_equal(e.code, ERR_FORMAT);
}

static void what_cannot_be_read_is_an_error(void **state)
{
	(void)state;
	struct err e = { 0 };
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(seed_read(fds[1], see, &seen, &e), -1);
	assert_int_equal(e.code, ERR_SYS);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_record_is_told_once),
		cmocka_unit_test(an_input_of_nothing_is_fine),
		cmocka_unit_test(a_living_process_has_its_arguments),
		cmocka_unit_test(another_start_is_another_process),
		cmocka_unit_test(proc_tells_of_the_same_process_only),
		cmocka_unit_test(lengths_that_cannot_be_are_refused),
		cmocka_unit_test(a_record_of_another_class_is_refused),
		cmocka_unit_test(what_cannot_be_read_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
