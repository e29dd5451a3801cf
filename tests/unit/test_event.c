#include "base/event.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct event_span add(struct buf *data, const char *text, size_t n)
{
	struct event_span s = { (uint32_t)data->n, (uint32_t)n };

	buf_put(data, text, n);
	return s;
}

static struct event_span addz(struct buf *data, const char *text)
{
	return add(data, text, strlen(text));
}

static void put_data(struct event *ev, const struct buf *data)
{
	ev->data = buf_cstr(data);
	ev->data_len = (uint32_t)data->n;
}

static struct event some(enum event_class class, int32_t nr)
{
	return (struct event){
		.class = class,
		.nr = nr,
		.cpu = 1,
		.seq = 77,
		.boot_ns = 5000000000,
		.ts_ns = 1790000000123456789,
		.key = { 4242, 4900000000 },
		.exec_id = 3,
		.tid = 4243,
		.uid = 1000,
		.gid = 100,
		.euid = 0,
		.cgroup_id = 99,
		.comm = "cat",
	};
}

static struct event an_open(struct buf *data)
{
	struct event ev = some(EVENT_OPEN, 257);

	ev.ret = 3;
	ev.open = (struct event_open){ .flags = O_RDONLY | O_CLOEXEC,
		.dirfd = AT_FDCWD,
		.file_mode = S_IFREG | 0640,
		.dev = 0x803,
		.ino = 1234 };
	ev.open.path = addz(data, "/etc/shadow");
	ev.open.user = addz(data, "/etc/../etc/shadow");
	put_data(&ev, data);
	return ev;
}

static const char *args_of(const struct event *ev, char *out, size_t size)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(4096);

	event_args_text(&b, ev);
	snprintf(out, size, "%s", buf_cstr(&b));
	return out;
}

static const char *tuple_of(const struct event *ev, char *out, size_t size)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(4096);

	event_net_tuple(&b, ev);
	snprintf(out, size, "%s", buf_cstr(&b));
	return out;
}

static void every_class_has_a_name_and_what_is_none_has_too(void **state)
{
	(void)state;
	for (unsigned int c = 0; c < EVENT_CLASS_N; c++)
		assert_true(event_class_name((enum event_class)c)[0]);
	assert_string_equal(event_class_name(EVENT_OPEN), "open");
	assert_string_equal(event_class_name(EVENT_SEED), "seed");
	assert_string_equal(event_class_name((enum event_class)EVENT_CLASS_N), "none");
}

static void type_name_comes_from_the_number_of_the_right_table(void **state)
{
	static const struct {
		enum event_class class;
		int32_t nr;
		uint32_t flags;
		const char *name;
	} cases[] = {
		{ EVENT_EXEC, 59, 0, "execve" },
		{ EVENT_EXEC, 322, 0, "execveat" },
		{ EVENT_EXEC, 11, EVENT_F_COMPAT, "execve" },
		{ EVENT_EXEC, 358, EVENT_F_COMPAT, "execveat" },
		{ EVENT_EXEC, -1, 0, "execve" },
		{ EVENT_FORK, 56, 0, "clone" },
		{ EVENT_FORK, 57, 0, "fork" },
		{ EVENT_FORK, 58, 0, "vfork" },
		{ EVENT_FORK, 435, 0, "clone3" },
		{ EVENT_FORK, 2, EVENT_F_COMPAT, "fork" },
		{ EVENT_FORK, 190, EVENT_F_COMPAT, "vfork" },
		{ EVENT_FORK, -1, 0, "clone" },
		{ EVENT_EXIT, -1, 0, "procexit" },
		{ EVENT_OPEN, 2, 0, "open" },
		{ EVENT_OPEN, 85, 0, "creat" },
		{ EVENT_OPEN, 257, 0, "openat" },
		{ EVENT_OPEN, 437, 0, "openat2" },
		{ EVENT_OPEN, 5, EVENT_F_COMPAT, "open" },
		{ EVENT_OPEN, 8, EVENT_F_COMPAT, "creat" },
		{ EVENT_OPEN, 295, EVENT_F_COMPAT, "openat" },
		{ EVENT_OPEN, 437, EVENT_F_COMPAT, "openat2" },
		{ EVENT_OPEN, 0x40000002, 0, "open" },
		{ EVENT_CONNECT, 42, 0, "connect" },
		{ EVENT_CONNECT, 102, EVENT_F_COMPAT, "connect" },
		{ EVENT_ACCEPT, 43, 0, "accept" },
		{ EVENT_ACCEPT, 288, 0, "accept4" },
		{ EVENT_ACCEPT, 364, EVENT_F_COMPAT, "accept4" },
		{ EVENT_ACCEPT, 102, EVENT_F_COMPAT, "accept" },
		{ EVENT_BIND, 49, 0, "bind" },
		{ EVENT_LISTEN, 50, 0, "listen" },
		{ EVENT_SOCKET, 41, 0, "socket" },
		{ EVENT_CGROUP, -1, 0, "cgroup" },
		{ EVENT_SEED, -1, 0, "seed" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_N(cases); i++) {
		struct event ev = some(cases[i].class, cases[i].nr);
		ev.flags = cases[i].flags;
		assert_string_equal(event_type_name(&ev), cases[i].name);
	}
}

static void identity_is_stable_and_depends_on_every_part(void **state)
{
	char a[EVENT_ID_LEN + 1], b[EVENT_ID_LEN + 1];
	struct event ev = some(EVENT_OPEN, 257);

	(void)state;
	event_make_id(&ev, STR("boot"), STR("rule"), a);
	event_make_id(&ev, STR("boot"), STR("rule"), b);
	assert_string_equal(a, b);
	assert_int_equal(strlen(a), EVENT_ID_LEN);
	event_make_id(&ev, STR("boot"), STR(""), b);
	assert_string_not_equal(a, b);
	event_make_id(&ev, STR("boot2"), STR("rule"), b);
	assert_string_not_equal(a, b);
	ev.seq++;
	event_make_id(&ev, STR("boot"), STR("rule"), b);
	assert_string_not_equal(a, b);
	ev.seq--;
	ev.cpu++;
	event_make_id(&ev, STR("boot"), STR("rule"), b);
	assert_string_not_equal(a, b);
}

static void identity_does_not_depend_on_what_the_event_carries(void **state)
{
	char a[EVENT_ID_LEN + 1], b[EVENT_ID_LEN + 1];
	struct event ev = some(EVENT_OPEN, 257);

	(void)state;
	event_make_id(&ev, STR("boot"), STR("rule"), a);
	ev.flags |= EVENT_F_REPLAYED;
	ev.ts_ns++;
	event_make_id(&ev, STR("boot"), STR("rule"), b);
	assert_string_equal(a, b);
}

static struct event a_net(enum event_class class, uint16_t family)
{
	struct event ev = some(class, -1);

	ev.net.fd = 5;
	ev.net.family = family;
	ev.net.type = 1;
	ev.net.local = (struct event_addr){ { 10, 0, 0, 1 }, 40000 };
	ev.net.remote = (struct event_addr){ { 10, 0, 0, 2 }, 443 };
	return ev;
}

static void tuple_runs_from_client_to_server(void **state)
{
	char text[128];
	struct event ev = a_net(EVENT_CONNECT, EVENT_AF_INET);

	(void)state;
	assert_string_equal(tuple_of(&ev, text, sizeof(text)), "10.0.0.1:40000->10.0.0.2:443");
	ev.class = EVENT_ACCEPT;
	assert_string_equal(tuple_of(&ev, text, sizeof(text)), "10.0.0.2:443->10.0.0.1:40000");
}

static void tuple_of_one_end_is_that_end(void **state)
{
	char text[128];
	struct event ev = a_net(EVENT_LISTEN, EVENT_AF_INET6);

	(void)state;
	memset(&ev.net.local, 0, sizeof(ev.net.local));
	memset(&ev.net.remote, 0, sizeof(ev.net.remote));
	ev.net.local.port = 80;
	ev.net.listening = true;
	assert_string_equal(tuple_of(&ev, text, sizeof(text)), ":::80");
	ev = a_net(EVENT_SOCKET, EVENT_AF_INET);
	memset(&ev.net.local, 0, sizeof(ev.net.local));
	memset(&ev.net.remote, 0, sizeof(ev.net.remote));
	assert_string_equal(tuple_of(&ev, text, sizeof(text)), "");
	ev = a_net(EVENT_BIND, EVENT_AF_NONE);
	assert_string_equal(tuple_of(&ev, text, sizeof(text)), "");
}

static void tuple_of_mapped_addresses_is_written_as_v4(void **state)
{
	static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 10, 1, 2, 3 };
	char text[128];
	struct event ev = a_net(EVENT_CONNECT, EVENT_AF_INET6);

	(void)state;
	memcpy(ev.net.local.addr, mapped, 16);
	memcpy(ev.net.remote.addr, mapped, 16);
	assert_string_equal(tuple_of(&ev, text, sizeof(text)), "10.1.2.3:40000->10.1.2.3:443");
}

static void tuple_of_unix_sockets_is_the_path(void **state)
{
	char text[128];
	AUTO(buf_fini) struct buf data = BUF_INIT(256);
	struct event ev = a_net(EVENT_CONNECT, EVENT_AF_UNIX);

	(void)state;
	ev.net.path = addz(&data, "/run/docker.sock");
	put_data(&ev, &data);
	assert_string_equal(tuple_of(&ev, text, sizeof(text)), "/run/docker.sock");
}

static void open_flags_read_as_falco_writes_them(void **state)
{
	static const struct {
		uint32_t flags;
		bool created;
		const char *text;
	} cases[] = {
		{ O_RDONLY, false, "O_RDONLY" },
		{ O_RDONLY | O_CLOEXEC, false, "O_RDONLY|O_CLOEXEC" },
		{ O_WRONLY | O_CREAT | O_TRUNC, true, "O_TRUNC|O_CREAT|O_WRONLY|O_F_CREATED" },
		{ O_RDWR, false, "O_RDWR" },
		{ O_RDONLY | O_DIRECTORY | O_NONBLOCK, false, "O_DIRECTORY|O_NONBLOCK|O_RDONLY" },
		{ O_WRONLY | O_SYNC, false, "O_SYNC|O_WRONLY" },
		{ O_WRONLY | O_DSYNC, false, "O_DSYNC|O_WRONLY" },
		{ O_RDWR | O_TMPFILE, false, "O_TMPFILE|O_RDWR" },
		{ O_ACCMODE, false, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_N(cases); i++) {
		AUTO(buf_fini) struct buf b = BUF_INIT(256);
		event_open_flags(&b, cases[i].flags, cases[i].created);
		assert_string_equal(buf_cstr(&b), cases[i].text);
	}
}

static void arguments_of_an_open_show_both_paths(void **state)
{
	char text[512];
	AUTO(buf_fini) struct buf data = BUF_INIT(256);
	struct event ev = an_open(&data);

	(void)state;
	assert_string_equal(args_of(&ev, text, sizeof(text)),
		"fd=3(<f>/etc/shadow) dirfd=-100(AT_FDCWD) name=/etc/../etc/shadow "
		"flags=4097(O_RDONLY|O_CLOEXEC) mode=0 dev=803 ino=1234");
	ev.ret = -2;
	ev.nr = 2;
	assert_string_equal(args_of(&ev, text, sizeof(text)),
		"fd=-2(ENOENT) name=/etc/../etc/shadow flags=4097(O_RDONLY|O_CLOEXEC) "
		"mode=0 dev=803 ino=1234");
}

static void arguments_are_clean(void **state)
{
	char text[512];
	AUTO(buf_fini) struct buf data = BUF_INIT(256);
	struct event ev = some(EVENT_OPEN, 2);

	(void)state;
	ev.open.path = addz(&data, "/tmp/\x1b[2J\xff");
	put_data(&ev, &data);
	args_of(&ev, text, sizeof(text));
	assert_null(strchr(text, 0x1b));
	assert_non_null(strstr(text, "\\x1B[2J\\xFF") ?: strstr(text, "\\x1b[2J\\xff"));
}

static void arguments_of_an_exec_join_argv_by_dots(void **state)
{
	char text[1024];
	AUTO(buf_fini) struct buf data = BUF_INIT(256);
	struct event ev = some(EVENT_EXEC, 59);

	(void)state;
	ev.exec.args = add(&data, "sh\0-c\0true", 11);
	ev.exec.exe = addz(&data, "/bin/dash");
	put_data(&ev, &data);
	args_of(&ev, text, sizeof(text));
	assert_non_null(strstr(text, "res=0 exe=sh args=-c.true. tid=4243(cat) pid=4242(cat)"));
	assert_non_null(strstr(text, "trusted_exepath=/bin/dash"));
}

static void arguments_exist_for_every_class(void **state)
{
	char text[1024];

	(void)state;
	for (unsigned int c = EVENT_EXEC; c < EVENT_CLASS_N; c++) {
		struct event ev = some((enum event_class)c, -1);
		assert_true(args_of(&ev, text, sizeof(text))[0]);
	}
	struct event none = some(EVENT_NONE, -1);
	assert_string_equal(args_of(&none, text, sizeof(text)), "");
}

static void clone_owns_its_data(void **state)
{
	AUTO(buf_fini) struct buf data = BUF_INIT(256);
	struct event ev = an_open(&data);
	AUTO(event_free) struct event *copy = event_clone(&ev);

	(void)state;
	memset(data.p, 'x', data.n);
	assert_true(str_eqz(event_str(copy, copy->open.path), "/etc/shadow"));
	assert_int_equal(copy->seq, 77);
}

static void same_event(const struct event *a, const struct event *b)
{
	AUTO(buf_fini) struct buf pa = BUF_INIT(65536), pb = BUF_INIT(65536);

	event_pack(&pa, a);
	event_pack(&pb, b);
	assert_int_equal(pa.n, pb.n);
	assert_memory_equal(pa.p, pb.p, pa.n);
}

static void packing_and_unpacking_gives_the_same_for_every_class(void **state)
{
	(void)state;
	for (unsigned int c = EVENT_EXEC; c < EVENT_CLASS_N; c++) {
		AUTO(buf_fini) struct buf data = BUF_INIT(256), packed = BUF_INIT(65536);
		AUTO(event_free) struct event *back = NULL;
		struct event ev = some((enum event_class)c, 1);

		addz(&data, "some data");
		put_data(&ev, &data);
		event_pack(&packed, &ev);
		assert_int_equal(event_unpack(&back, buf_str(&packed), NULL), 0);
		assert_int_equal(back->class, c);
		assert_int_equal(back->key.start_ns, 4900000000);
		same_event(&ev, back);
	}
}

static void unpacked_open_has_its_strings(void **state)
{
	AUTO(buf_fini) struct buf data = BUF_INIT(256), packed = BUF_INIT(65536);
	AUTO(event_free) struct event *back = NULL;
	struct event ev = an_open(&data);

	(void)state;
	event_pack(&packed, &ev);
	assert_int_equal(event_unpack(&back, buf_str(&packed), NULL), 0);
	assert_true(str_eqz(event_str(back, back->open.path), "/etc/shadow"));
	assert_true(str_eqz(event_str(back, back->open.user), "/etc/../etc/shadow"));
	assert_int_equal(back->open.dirfd, AT_FDCWD);
	assert_string_equal(back->comm, "cat");
}

static void every_cut_of_a_packed_event_is_refused(void **state)
{
	AUTO(buf_fini) struct buf data = BUF_INIT(256), packed = BUF_INIT(65536);
	struct event ev = an_open(&data);

	(void)state;
	event_pack(&packed, &ev);
	for (size_t n = 0; n < packed.n; n++) {
		AUTO(event_free) struct event *back = NULL;
		struct err e = { 0 };
		assert_int_equal(event_unpack(&back, str_of(packed.p, n), &e), -1);
		assert_int_equal(e.code, ERR_FORMAT);
	}
	buf_putc(&packed, 0);
	struct event *back = NULL;
	assert_int_equal(event_unpack(&back, buf_str(&packed), NULL), -1);
}

static void another_version_class_or_magic_is_refused(void **state)
{
	AUTO(buf_fini) struct buf data = BUF_INIT(256), packed = BUF_INIT(65536);
	struct event ev = an_open(&data), *back = NULL;

	(void)state;
	event_pack(&packed, &ev);
	for (size_t at = 0; at < 3; at++) {
		char kept = packed.p[at];
		packed.p[at] = (char)0xee;
		assert_int_equal(event_unpack(&back, buf_str(&packed), NULL), -1);
		packed.p[at] = kept;
	}
	packed.p[2] = EVENT_NONE;
	assert_int_equal(event_unpack(&back, buf_str(&packed), NULL), -1);
	assert_null(back);
}

static void a_span_outside_the_data_is_refused(void **state)
{
	static const struct event_span outside[] = { { 0, 1000 }, { 1000, 1 }, { UINT32_MAX, 1 },
		{ 1, UINT32_MAX }, { 29, 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_N(outside); i++) {
		AUTO(buf_fini) struct buf data = BUF_INIT(256), packed = BUF_INIT(65536);
		struct event ev = an_open(&data), *back = NULL;
		ev.open.user = outside[i];
		event_pack(&packed, &ev);
		assert_int_equal(event_unpack(&back, buf_str(&packed), NULL), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_class_has_a_name_and_what_is_none_has_too),
		cmocka_unit_test(type_name_comes_from_the_number_of_the_right_table),
		cmocka_unit_test(identity_is_stable_and_depends_on_every_part),
		cmocka_unit_test(identity_does_not_depend_on_what_the_event_carries),
		cmocka_unit_test(tuple_runs_from_client_to_server),
		cmocka_unit_test(tuple_of_one_end_is_that_end),
		cmocka_unit_test(tuple_of_mapped_addresses_is_written_as_v4),
		cmocka_unit_test(tuple_of_unix_sockets_is_the_path),
		cmocka_unit_test(open_flags_read_as_falco_writes_them),
		cmocka_unit_test(arguments_of_an_open_show_both_paths),
		cmocka_unit_test(arguments_are_clean),
		cmocka_unit_test(arguments_of_an_exec_join_argv_by_dots),
		cmocka_unit_test(arguments_exist_for_every_class),
		cmocka_unit_test(clone_owns_its_data),
		cmocka_unit_test(packing_and_unpacking_gives_the_same_for_every_class),
		cmocka_unit_test(unpacked_open_has_its_strings),
		cmocka_unit_test(every_cut_of_a_packed_event_is_refused),
		cmocka_unit_test(another_version_class_or_magic_is_refused),
		cmocka_unit_test(a_span_outside_the_data_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
