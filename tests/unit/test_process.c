#include "base/process.h"

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_str(struct str s, const char *want)
{
	assert_int_equal(s.n, strlen(want));
	assert_memory_equal(s.p, want, s.n);
}

static struct process with_args(struct str args)
{
	return (struct process){ .comm = "sh", .args = args };
}

static void arguments_are_split_at_nul(void **state)
{
	(void)state;
	struct process p = with_args(STR("sh\0-c\0\0true\0"));
	assert_str(process_arg(&p, 0), "sh");
	assert_str(process_arg(&p, 1), "-c");
	assert_str(process_arg(&p, 2), "");
	assert_str(process_arg(&p, 3), "true");
	assert_str(process_arg(&p, 4), "");
	assert_str(process_arg(&p, SIZE_MAX), "");
}

static void cut_last_argument_is_still_one(void **state)
{
	(void)state;
	struct process p = with_args(STR("sh\0-c\0tru"));
	assert_str(process_arg(&p, 2), "tru");
}

static void argv0_falls_back_to_comm(void **state)
{
	(void)state;
	struct process p = with_args((struct str){ 0 });
	assert_str(process_argv0(&p), "sh");
	p.args = STR("-bash\0");
	assert_str(process_argv0(&p), "-bash");
	memset(p.comm, 'x', sizeof(p.comm));
	p.args = (struct str){ 0 };
	assert_int_equal(process_argv0(&p).n, sizeof(p.comm));
}

static void args_text_leaves_out_argv0(void **state)
{
	(void)state;
	AUTO(buf_fini) struct buf b = BUF_INIT(256);
	struct process p = with_args(STR("sh\0-c\0echo hi\0"));
	process_args_text(&b, &p);
	assert_string_equal(buf_cstr(&b), "-c echo hi");
	buf_reset(&b);
	p.args = STR("sh\0");
	process_args_text(&b, &p);
	assert_string_equal(buf_cstr(&b), "");
	buf_reset(&b);
	p.args = STR("sh\0\0x\0");
	process_args_text(&b, &p);
	assert_string_equal(buf_cstr(&b), " x");
}

static void cmdline_starts_with_comm(void **state)
{
	(void)state;
	AUTO(buf_fini) struct buf b = BUF_INIT(256);
	struct process p = with_args(STR("/bin/busybox\0-c\0true\0"));
	process_cmdline_text(&b, &p);
	assert_string_equal(buf_cstr(&b), "sh -c true");
	buf_reset(&b);
	p.args = STR("/bin/sh\0");
	process_cmdline_text(&b, &p);
	assert_string_equal(buf_cstr(&b), "sh");
}

static void lineage_outlives_its_processes(void **state)
{
	(void)state;
	struct container box = { .id = "abc" };
	char exe[] = "/usr/bin/cat", args[] = "cat\0/etc/shadow";
	struct process top = { .key = { 1, 0 }, .comm = "init", .exe = STR("/sbin/init") };
	struct process mid = { .key = { 7, 5 }, .parent = &top, .cwd = STR("/root") };
	struct process low = { .key = { 9, 8 }, .parent = &mid, .container = &box };
	low.exe = str_from(exe);
	low.args = str_of(args, sizeof(args));
	low.cgroup = STR("/libpod_parent/libpod-abc");

	AUTO(lineage_free) struct lineage *l = lineage_copy(&low);
	memset(exe, 'x', sizeof(exe));
	memset(args, 'x', sizeof(args));
	memset(&box, 'x', sizeof(box));
	memset(&mid, 0, sizeof(mid));
	assert_int_equal(l->n, 3);
	assert_false(l->cut);
	assert_str(l->process[0].exe, "/usr/bin/cat");
	assert_str(process_arg(&l->process[0], 1), "/etc/shadow");
	assert_str(l->process[0].cgroup, "/libpod_parent/libpod-abc");
	assert_str(l->process[1].cwd, "/root");
	assert_str(l->process[2].exe, "/sbin/init");
	assert_ptr_equal(l->process[0].parent, &l->process[1]);
	assert_ptr_equal(l->process[1].parent, &l->process[2]);
	assert_null(l->process[2].parent);
	assert_null(l->process[0].container);
	assert_string_equal(l->container_id[0], "abc");
	assert_string_equal(l->container_id[1], "");
	assert_int_equal(l->process[1].key.tgid, 7);
}

static void lineage_as_long_as_its_bound_is_whole(void **state)
{
	(void)state;
	struct process p[PROCESS_MAX_LINEAGE + 1] = { 0 };
	for (size_t i = 0; i < PROCESS_MAX_LINEAGE; i++)
		p[i].parent = &p[i + 1];
	AUTO(lineage_free) struct lineage *whole = lineage_copy(&p[1]);
	assert_int_equal(whole->n, PROCESS_MAX_LINEAGE);
	assert_false(whole->cut);
	AUTO(lineage_free) struct lineage *cut = lineage_copy(&p[0]);
	assert_int_equal(cut->n, PROCESS_MAX_LINEAGE);
	assert_true(cut->cut);
	assert_null(cut->process[PROCESS_MAX_LINEAGE - 1].parent);
}

static void lineage_of_a_loop_ends(void **state)
{
	(void)state;
	struct process a = { .key = { 1, 1 } }, b = { .key = { 2, 2 } };
	a.parent = &b;
	b.parent = &a;
	AUTO(lineage_free) struct lineage *l = lineage_copy(&a);
	assert_int_equal(l->n, 2);
	assert_true(l->cut);
	assert_null(l->process[1].parent);
}

static void lineage_of_null_is_null(void **state)
{
	(void)state;
	assert_null(lineage_copy(NULL));
	lineage_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_are_split_at_nul),
		cmocka_unit_test(cut_last_argument_is_still_one),
		cmocka_unit_test(argv0_falls_back_to_comm),
		cmocka_unit_test(args_text_leaves_out_argv0),
		cmocka_unit_test(cmdline_starts_with_comm),
		cmocka_unit_test(lineage_outlives_its_processes),
		cmocka_unit_test(lineage_as_long_as_its_bound_is_whole),
		cmocka_unit_test(lineage_of_a_loop_ends),
		cmocka_unit_test(lineage_of_null_is_null),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
