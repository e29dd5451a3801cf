#include "collector/syscall/decode.h"

#include "tests/unit/wire_make.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define assert_str(s, z)                                                                           \
	do {                                                                                       \
		struct str assert_s = (s);                                                         \
		if (!str_eqz(assert_s, z))                                                         \
			fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(assert_s), z);                  \
	} while (0)

static struct wire_make w;
static struct decoder *decoder;

static int set_up(void **state)
{
	(void)state;
	decoder = decoder_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	decoder_free(decoder);
	return 0;
}

static struct event decode(struct str rec)
{
	struct event ev;

	assert_int_equal(decoder_record(decoder, rec, &ev), DECODE_OK);
	return ev;
}

static void the_header_is_carried_over(void **state)
{
	(void)state;
	struct event ev = decode(wire_make_exit(&w, 0));
	assert_int_equal(ev.class, EVENT_EXIT);
	assert_int_equal(ev.cpu, 3);
	assert_int_equal(ev.seq, 0x1234567890);
	assert_int_equal(ev.boot_ns, 987654321000);
	assert_int_equal(ev.ts_ns, 0);
	assert_int_equal(ev.key.tgid, WIRE_MAKE_TGID);
	assert_int_equal(ev.key.start_ns, WIRE_MAKE_START);
	assert_int_equal(ev.exec_id, 7);
	assert_int_equal(ev.tid, WIRE_MAKE_TGID + 1);
	assert_int_equal(ev.uid, 1000);
	assert_int_equal(ev.gid, 1001);
	assert_int_equal(ev.euid, 1002);
	assert_int_equal(ev.cgroup_id, 4242);
	assert_int_equal(ev.ns_mnt, 4026531840u);
	assert_int_equal(ev.nr, -1);
	assert_int_equal(ev.ret, 0);
	assert_string_equal(ev.comm, "sh");
}

static void a_comm_without_end_gets_one(void **state)
{
	(void)state;
	struct str rec = wire_make_exit(&w, 0);
	memset(w.bytes + offsetof(struct wire_hdr, comm), 'x', WIRE_COMM_LEN);
	struct event ev = decode(rec);
	assert_string_equal(ev.comm, "xxxxxxxxxxxxxxx");
}

static void each_mark_has_its_counterpart(void **state)
{
	(void)state;
	static const struct {
		uint32_t wire, event;
	} rows[] = {
		{ WIRE_F_TRUNCATED, EVENT_F_TRUNCATED },
		{ WIRE_F_UNVERIFIED, EVENT_F_UNVERIFIED },
		{ WIRE_F_COMPAT, EVENT_F_COMPAT },
		{ WIRE_F_DETACHED, EVENT_F_DETACHED },
		{ WIRE_F_NO_USER, EVENT_F_NO_USER },
		{ WIRE_F_CGROUP_V1, EVENT_F_CGROUP_V1 },
		{ WIRE_F_PSEUDO, 0 },
		{ WIRE_F_EXE_PSEUDO, 0 },
		{ 0xffffff00u, 0 },
	};

	for (size_t i = 0; i < ARRAY_N(rows); i++) {
		struct event ev = decode(wire_make_open(&w, rows[i].wire, STR("x"), STR("x")));
		assert_int_equal(ev.flags, rows[i].event);
	}
}

static void an_opened_file_has_the_kernels_path_and_the_callers(void **state)
{
	(void)state;
	struct event ev = decode(wire_make_open(&w, 0, STR("shadow/etc/"), STR("../etc/shadow")));
	assert_int_equal(ev.class, EVENT_OPEN);
	assert_str(event_str(&ev, ev.open.path), "/etc/shadow");
	assert_str(event_str(&ev, ev.open.user), "../etc/shadow");
	assert_int_equal(ev.open.dev, 0xfd01);
	assert_int_equal(ev.open.ino, 99);
	assert_int_equal(ev.open.flags, 02000000);
	assert_int_equal(ev.open.mode, 0640);
	assert_int_equal(ev.open.dirfd, -100);
	assert_int_equal(ev.open.file_mode, 0100644);
	assert_int_equal(ev.flags, 0);
}

static void paths_are_turned_round(void **state)
{
	(void)state;
	static const struct {
		const char *wire, *path;
	} rows[] = {
		{ "", "/" },
		{ "a/", "/a" },
		{ "a", "/a" },
		{ "b/a/", "/a/b" },
		{ "b/a", "/a/b" },
		{ "c/b/a/", "/a/b/c" },
		{ "with blank/..x/a/", "/a/..x/with blank" },
		/* no kernel sends these */
		{ "/", "/" },
		{ "//", "//" },
		{ "/a", "/a/" },
		{ "/a/", "/a/" },
	};

	for (size_t i = 0; i < ARRAY_N(rows); i++) {
		struct event ev = decode(wire_make_open(&w, 0, str_from(rows[i].wire), STR("")));
		assert_str(event_str(&ev, ev.open.path), rows[i].path);
	}
}

static void a_pseudo_name_stays_as_it_is(void **state)
{
	(void)state;
	struct event ev = decode(wire_make_open(&w, WIRE_F_PSEUDO, STR("memfd:a/b/"), STR("")));
	assert_str(event_str(&ev, ev.open.path), "memfd:a/b/");
}

static void a_failed_open_has_the_callers_word_only(void **state)
{
	(void)state;
	struct event ev = decode(wire_make_open(&w, WIRE_F_UNVERIFIED, STR(""), STR("/no/such")));
	assert_int_equal(ev.open.path.len, 0);
	assert_str(event_str(&ev, ev.open.user), "/no/such");
	assert_int_equal(ev.flags, EVENT_F_UNVERIFIED);
}

static void only_names_that_differ_are_a_mismatch(void **state)
{
	(void)state;
	static const struct {
		const char *wire, *user;
		bool mismatch;
	} rows[] = {
		{ "shadow/etc/", "/etc/shadow", false }, { "shadow/etc/", "shadow", false },
		{ "shadow/etc/", "/etc/passwd", true }, { "shadow/etc/", "passwd", true },
		{ "shadow/etc/", "xshadow", true }, { "shadow/etc/", "shado", true },
		{ "shadow/etc/", "/tmp/shadow", false }, /* folders may be links */
		{ "etc/", ".", false }, { "etc/", "..", false }, { "etc/", "x/..", false },
		{ "etc/", "etc/", false }, { "etc/", "link/", false }, { "etc/", "...", true },
		{ "", "/", false }, { "", "/proc/1/root", true },
		{ "etc/", "", false }, /* memory was not readable */
	};

	for (size_t i = 0; i < ARRAY_N(rows); i++) {
		struct event ev = decode(
			wire_make_open(&w, 0, str_from(rows[i].wire), str_from(rows[i].user)));
		if (((ev.flags & EVENT_F_MISMATCH) != 0) != rows[i].mismatch)
			fail_msg("%s, %s", rows[i].wire, rows[i].user);
	}
}

static void an_unnamed_temporary_file_is_no_mismatch(void **state)
{
	(void)state;
	wire_make_open(&w, 0, STR("#42/tmp/"), STR("/tmp"));
	uint32_t flags = O_RDWR | O_TMPFILE;
	memcpy(w.bytes + sizeof(struct wire_hdr) + offsetof(struct wire_open, oflags), &flags, 4);
	struct event ev = decode(wire_make_end(&w));
	assert_int_equal(ev.flags, 0);
}

static const struct wire_exec body = {
	.parent_start_ns = 11,
	.parent_exec_id = 12,
	.cap_effective = 13,
	.cap_permitted = 14,
	.cap_inheritable = 15,
	.exe_dev = 16,
	.exe_ino = 17,
	.exe_ctime_ns = 18,
	.exe_mtime_ns = 19,
	.parent_tgid = 20,
	.vpid = 21,
	.sid = 22,
	.pgid = 23,
	.vpgid = 24,
	.loginuid = 25,
	.sessionid = 26,
	.tty = 27,
	.ns_pid = 28,
	.ns_net = 29,
	.ns_user = 30,
	.ns_cgroup = 31,
	.ns_uts = 32,
	.ns_ipc = 33,
	.exe_mode = 0100755,
	.exe_nlink = 1,
	.args_total = 5,
	.exe_upper = 1,
};

static struct wire_make_exec usual_exec(void)
{
	return (struct wire_make_exec){
		.class = WIRE_EXEC,
		.body = body,
		.exe = STR("sh/bin/usr/"),
		.cwd = STR("root/"),
		.args = STR("sh\0-c\0"),
		.file = STR("/bin/sh"),
		.cgroup = STR("a.scope/system.slice/"),
	};
}

static void an_exec_has_every_field(void **state)
{
	(void)state;
	struct wire_make_exec x = usual_exec();
	struct event ev = decode(wire_make_exec(&w, &x));
	const struct event_exec *e = &ev.exec;

	assert_int_equal(ev.class, EVENT_EXEC);
	assert_int_equal(e->parent.start_ns, 11);
	assert_int_equal(e->parent_exec_id, 12);
	assert_int_equal(e->cap_effective, 13);
	assert_int_equal(e->cap_permitted, 14);
	assert_int_equal(e->cap_inheritable, 15);
	assert_int_equal(e->exe_dev, 16);
	assert_int_equal(e->exe_ino, 17);
	assert_int_equal(e->exe_ctime_ns, 18);
	assert_int_equal(e->exe_mtime_ns, 19);
	assert_int_equal(e->parent.tgid, 20);
	assert_int_equal(e->ppid, 20);
	assert_int_equal(e->vpid, 21);
	assert_int_equal(e->sid, 22);
	assert_int_equal(e->pgid, 23);
	assert_int_equal(e->vpgid, 24);
	assert_int_equal(e->loginuid, 25);
	assert_int_equal(e->sessionid, 26);
	assert_int_equal(e->tty, 27);
	assert_int_equal(e->ns_pid, 28);
	assert_int_equal(e->ns_mnt, ev.ns_mnt);
	assert_int_equal(e->ns_net, 29);
	assert_int_equal(e->ns_user, 30);
	assert_int_equal(e->ns_cgroup, 31);
	assert_int_equal(e->ns_uts, 32);
	assert_int_equal(e->ns_ipc, 33);
	assert_int_equal(e->exe_mode, 0100755);
	assert_int_equal(e->args_total, 5);
	assert_true(e->exe_upper);
	assert_false(e->exe_memfd);
	assert_false(e->kthread);
	assert_str(event_str(&ev, e->exe), "/usr/bin/sh");
	assert_str(event_str(&ev, e->cwd), "/root");
	assert_int_equal(e->args.len, 6);
	assert_memory_equal(event_str(&ev, e->args).p, "sh\0-c", 6);
	assert_str(event_str(&ev, e->file), "/bin/sh");
	assert_str(event_str(&ev, e->cgroup), "/system.slice/a.scope");
}

static void a_process_in_the_roots_has_slashes(void **state)
{
	(void)state;
	struct wire_make_exec x = usual_exec();
	x.cwd = x.cgroup = STR("");
	struct event ev = decode(wire_make_exec(&w, &x));
	assert_str(event_str(&ev, ev.exec.cwd), "/");
	assert_str(event_str(&ev, ev.exec.cgroup), "/");
}

static void a_failed_exec_says_only_what_was_asked_for(void **state)
{
	(void)state;
	struct wire_make_exec x = {
		.class = WIRE_EXEC, .flags = WIRE_F_UNVERIFIED, .ret = -2, .file = STR("/no/such")
	};
	struct event ev = decode(wire_make_exec(&w, &x));
	assert_int_equal(ev.ret, -2);
	assert_str(event_str(&ev, ev.exec.file), "/no/such");
	assert_int_equal(ev.exec.exe.len, 0);
	assert_int_equal(ev.exec.cwd.len, 0);
	assert_int_equal(ev.exec.cgroup.len, 0);
}

static void a_kernel_thread_has_neither_program_nor_folder(void **state)
{
	(void)state;
	struct wire_make_exec x = { .class = WIRE_SEED, .body.kthread = 1 };
	struct event ev = decode(wire_make_exec(&w, &x));
	assert_int_equal(ev.class, EVENT_SEED);
	assert_true(ev.exec.kthread);
	assert_int_equal(ev.exec.exe.len, 0);
	assert_int_equal(ev.exec.cwd.len, 0);
	assert_str(event_str(&ev, ev.exec.cgroup), "/");
}

static void memory_is_told_from_files_of_its_name(void **state)
{
	(void)state;
	static const struct {
		const char *exe, *path;
		uint32_t flags, nlink;
		bool memfd;
	} rows[] = {
		{ "memfd:x", "memfd:x", WIRE_F_EXE_PSEUDO, 0, true },
		{ "memfd:", "memfd:", WIRE_F_EXE_PSEUDO, 0, true },
		{ "memfd:x/tmp/", "/tmp/memfd:x", 0, 1, false },
		{ "memfd:x/tmp/", "/tmp/memfd:x", 0, 0, false }, /* and deleted */
		{ "memfd:x", "memfd:x", WIRE_F_EXE_PSEUDO, 1, false },
		{ "xmemfd:", "xmemfd:", WIRE_F_EXE_PSEUDO, 0, false },
	};

	for (size_t i = 0; i < ARRAY_N(rows); i++) {
		struct wire_make_exec x = usual_exec();
		x.exe = str_from(rows[i].exe);
		x.flags = rows[i].flags;
		x.body.exe_nlink = rows[i].nlink;
		struct event ev = decode(wire_make_exec(&w, &x));
		assert_str(event_str(&ev, ev.exec.exe), rows[i].path);
		assert_int_equal(ev.exec.exe_memfd, rows[i].memfd);
		assert_str(event_str(&ev, ev.exec.cwd), "/root");
	}
}

static void a_fork_has_every_field(void **state)
{
	(void)state;
	struct wire_fork f = {
		.parent_start_ns = 1,
		.parent_exec_id = 2,
		.creator_start_ns = 3,
		.creator_exec_id = 4,
		.parent_tgid = 5,
		.creator_tgid = 6,
		.vpid = 7,
		.sid = 8,
		.pgid = 9,
		.vpgid = 10,
		.ns_pid = 11,
		.ns_net = 12,
		.ns_user = 13,
		.ns_cgroup = 14,
		.ns_uts = 15,
		.ns_ipc = 16,
	};
	struct event ev = decode(wire_make_fork(&w, f, STR("x/")));

	assert_int_equal(ev.class, EVENT_FORK);
	assert_int_equal(ev.fork.parent.start_ns, 1);
	assert_int_equal(ev.fork.parent_exec_id, 2);
	assert_int_equal(ev.fork.creator.start_ns, 3);
	assert_int_equal(ev.fork.creator_exec_id, 4);
	assert_int_equal(ev.fork.parent.tgid, 5);
	assert_int_equal(ev.fork.ppid, 5);
	assert_int_equal(ev.fork.creator.tgid, 6);
	assert_int_equal(ev.fork.vpid, 7);
	assert_int_equal(ev.fork.sid, 8);
	assert_int_equal(ev.fork.pgid, 9);
	assert_int_equal(ev.fork.vpgid, 10);
	assert_int_equal(ev.fork.ns_pid, 11);
	assert_int_equal(ev.fork.ns_mnt, ev.ns_mnt);
	assert_int_equal(ev.fork.ns_net, 12);
	assert_int_equal(ev.fork.ns_user, 13);
	assert_int_equal(ev.fork.ns_cgroup, 14);
	assert_int_equal(ev.fork.ns_uts, 15);
	assert_int_equal(ev.fork.ns_ipc, 16);
	assert_str(event_str(&ev, ev.fork.cgroup), "/x");
}

static void an_exit_has_its_code(void **state)
{
	(void)state;
	struct event ev = decode(wire_make_exit(&w, 3 << 8));
	assert_int_equal(ev.exit.code, 3 << 8);
}

static void a_socket_has_both_ends(void **state)
{
	(void)state;
	static const uint8_t classes[] = { WIRE_CONNECT, WIRE_ACCEPT, WIRE_BIND, WIRE_LISTEN,
		WIRE_SOCKET };
	struct wire_net n = { .fd = 5,
		.family = 10,
		.type = 1,
		.protocol = 6,
		.backlog = 128,
		.lport = 40000,
		.rport = 443,
		.laddr = { 0xfe, 0x80, [15] = 1 },
		.raddr = { 0xfe, 0x80, [15] = 2 },
		.listening = 1 };

	for (size_t i = 0; i < ARRAY_N(classes); i++) {
		struct event ev = decode(wire_make_net(&w, classes[i], n, STR("")));
		assert_int_equal(ev.class, classes[i]);
		assert_int_equal(ev.net.fd, 5);
		assert_int_equal(ev.net.family, EVENT_AF_INET6);
		assert_int_equal(ev.net.type, 1);
		assert_int_equal(ev.net.protocol, 6);
		assert_int_equal(ev.net.backlog, 128);
		assert_int_equal(ev.net.local.port, 40000);
		assert_int_equal(ev.net.remote.port, 443);
		assert_memory_equal(ev.net.local.addr, n.laddr, 16);
		assert_memory_equal(ev.net.remote.addr, n.raddr, 16);
		assert_true(ev.net.listening);
		assert_int_equal(ev.net.path.len, 0);
	}
}

static void unix_names_end_where_they_end(void **state)
{
	(void)state;
	static const struct {
		struct str wire, name;
	} rows[] = {
		{ { "/run/x\0rest", 11 }, { "/run/x", 6 } },
		{ { "/run/x", 6 }, { "/run/x", 6 } },
		{ { "\0\0", 2 }, { "", 0 } },
		{ { "@a\0b", 4 }, { "@a\0b", 4 } },
		{ { "@a\0\0", 4 }, { "@a", 2 } },
		{ { "@", 1 }, { "@", 1 } },
	};
	struct wire_net n = { .family = 1 };

	for (size_t i = 0; i < ARRAY_N(rows); i++) {
		struct event ev = decode(wire_make_net(&w, WIRE_CONNECT, n, rows[i].wire));
		struct str name = event_str(&ev, ev.net.path);
		assert_true(str_eq(name, rows[i].name));
	}
}

static void a_cgroup_has_id_and_path(void **state)
{
	(void)state;
	struct wire_cgroup g = { .id = 77, .hierarchy = 4, .removed = 1 };
	struct event ev = decode(wire_make_cgroup(&w, g, STR("b/a/")));
	assert_int_equal(ev.cgroup.id, 77);
	assert_int_equal(ev.cgroup.hierarchy, 4);
	assert_true(ev.cgroup.removed);
	assert_str(event_str(&ev, ev.cgroup.path), "/a/b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_header_is_carried_over),
		cmocka_unit_test(a_comm_without_end_gets_one),
		cmocka_unit_test(each_mark_has_its_counterpart),
		cmocka_unit_test(an_opened_file_has_the_kernels_path_and_the_callers),
		cmocka_unit_test(paths_are_turned_round),
		cmocka_unit_test(a_pseudo_name_stays_as_it_is),
		cmocka_unit_test(a_failed_open_has_the_callers_word_only),
		cmocka_unit_test(only_names_that_differ_are_a_mismatch),
		cmocka_unit_test(an_unnamed_temporary_file_is_no_mismatch),
		cmocka_unit_test(an_exec_has_every_field),
		cmocka_unit_test(a_process_in_the_roots_has_slashes),
		cmocka_unit_test(a_failed_exec_says_only_what_was_asked_for),
		cmocka_unit_test(a_kernel_thread_has_neither_program_nor_folder),
		cmocka_unit_test(memory_is_told_from_files_of_its_name),
		cmocka_unit_test(a_fork_has_every_field),
		cmocka_unit_test(an_exit_has_its_code),
		cmocka_unit_test(a_socket_has_both_ends),
		cmocka_unit_test(unix_names_end_where_they_end),
		cmocka_unit_test(a_cgroup_has_id_and_path),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
