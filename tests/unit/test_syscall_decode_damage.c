/* Records that are damaged, or as large as can be. */
#include "collector/syscall/decode.h"

#include "tests/unit/wire_make.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

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

static struct wire_make_exec usual_exec(void)
{
	return (struct wire_make_exec){
		.class = WIRE_EXEC,
		.body = { .exe_ino = 17, .exe_nlink = 1, .args_total = 6 },
		.exe = STR("sh/bin/usr/"),
		.cwd = STR("root/"),
		.args = STR("sh\0-c\0"),
		.file = STR("/bin/sh"),
		.cgroup = STR("a.scope/system.slice/"),
	};
}

/* One record of each class, all strings filled. */
static struct str make_any(int i)
{
	struct wire_make_exec x = usual_exec();
	struct wire_net n = { .family = 1 };

	switch (i) {
	case 0:
		return wire_make_open(&w, 0, STR("b/a/"), STR("/a/b"));
	case 1:
		return wire_make_exec(&w, &x);
	case 2:
		x.class = WIRE_SEED;
		return wire_make_exec(&w, &x);
	case 3:
		return wire_make_fork(&w, (struct wire_fork){ 0 }, STR("b/a/"));
	case 4:
		return wire_make_exit(&w, 1);
	case 5:
		return wire_make_cgroup(&w, (struct wire_cgroup){ 0 }, STR("b/a/"));
	default:
		return wire_make_net(&w, WIRE_CONNECT, n, STR("/run/x"));
	}
}
#define ANY_N 7

static void a_record_cut_anywhere_is_refused(void **state)
{
	(void)state;
	for (int i = 0; i < ANY_N; i++) {
		struct str rec = make_any(i);
		for (size_t len = 0; len < rec.n; len++) {
			/* exact copies, so that the sanitizer sees a byte too many */
			AUTO_FREE uint8_t *copy = malloc(len ? len : 1);
			uint32_t len32 = (uint32_t)len;
			struct event ev;
			memcpy(copy, rec.p, len);
			if (len >= sizeof(len32))
				memcpy(copy, &len32, sizeof(len32));
			assert_int_equal(
				decoder_record(decoder, str_of(copy, len), &ev), DECODE_DAMAGED);
		}
	}
}

static void a_length_that_is_not_the_records_is_refused(void **state)
{
	(void)state;
	struct event ev;
	struct str rec = wire_make_exit(&w, 1);
	for (uint32_t wrong = 0; wrong < 2 * rec.n; wrong++) {
		if (wrong == rec.n)
			continue;
		memcpy(w.bytes, &wrong, sizeof(wrong));
		assert_int_equal(decoder_record(decoder, rec, &ev), DECODE_DAMAGED);
		assert_int_equal(ev.class, EVENT_EXIT);
	}
}

static void lengths_of_strings_past_the_record_are_refused(void **state)
{
	(void)state;
	static const size_t at[] = { offsetof(struct wire_open, path_len),
		offsetof(struct wire_open, user_len) };
	static const size_t exec_at[] = { offsetof(struct wire_exec, exe_len),
		offsetof(struct wire_exec, cwd_len), offsetof(struct wire_exec, args_len),
		offsetof(struct wire_exec, file_len), offsetof(struct wire_exec, cgroup_len) };
	uint16_t long_one = UINT16_MAX;
	struct event ev;

	for (size_t i = 0; i < ARRAY_N(at); i++) {
		struct str rec = make_any(0);
		memcpy(w.bytes + sizeof(struct wire_hdr) + at[i], &long_one, 2);
		assert_int_equal(decoder_record(decoder, rec, &ev), DECODE_DAMAGED);
	}
	for (size_t i = 0; i < ARRAY_N(exec_at); i++) {
		struct str rec = make_any(1);
		memcpy(w.bytes + sizeof(struct wire_hdr) + exec_at[i], &long_one, 2);
		assert_int_equal(decoder_record(decoder, rec, &ev), DECODE_DAMAGED);
	}
}

static void classes_that_are_none_are_damaged(void **state)
{
	(void)state;
	static const uint8_t classes[] = { WIRE_NONE, WIRE_CLASS_N, WIRE_SOCKETCALL, 255 };
	for (size_t i = 0; i < ARRAY_N(classes); i++) {
		struct event ev;
		wire_make_start(&w, classes[i], 1);
		assert_int_equal(decoder_record(decoder, wire_make_end(&w), &ev), DECODE_DAMAGED);
		assert_int_equal(ev.class, EVENT_NONE);
	}
}

static void an_unknown_version_is_told_apart_with_its_class(void **state)
{
	(void)state;
	for (int i = 0; i < ANY_N; i++) {
		struct event ev;
		struct str rec = make_any(i);
		w.bytes[offsetof(struct wire_hdr, version)] = 200;
		assert_int_equal(decoder_record(decoder, rec, &ev), DECODE_VERSION);
		assert_int_equal(ev.class, w.bytes[offsetof(struct wire_hdr, class)]);
		w.bytes[offsetof(struct wire_hdr, version)] = 0;
		assert_int_equal(decoder_record(decoder, rec, &ev), DECODE_VERSION);
	}
}

static void the_longest_record_keeps_all_its_strings(void **state)
{
	(void)state;
	static char path[4000], args[WIRE_ARGS_MAX], cgroup[200];
	memset(path, 'p', sizeof(path)); /* one component: its '/' comes on top */
	memset(args, 'a', sizeof(args));
	memset(cgroup, '/', sizeof(cgroup));
	struct wire_make_exec x = usual_exec();
	x.exe = x.cwd = x.file = str_of(path, sizeof(path));
	x.args = str_of(args, sizeof(args));
	x.cgroup = str_of(cgroup, 0);
	wire_make_exec(&w, &x);
	x.cgroup.n = WIRE_RECORD_MAX - w.n;
	assert_in_range(x.cgroup.n, 1, sizeof(cgroup));
	struct str rec = wire_make_exec(&w, &x);
	assert_int_equal(rec.n, WIRE_RECORD_MAX);
	struct event ev;
	assert_int_equal(decoder_record(decoder, rec, &ev), DECODE_OK);
	assert_int_equal(ev.exec.exe.len, sizeof(path) + 1);
	assert_int_equal(ev.exec.cwd.len, sizeof(path) + 1);
	assert_int_equal(ev.exec.args.len, sizeof(args));
	assert_int_equal(ev.exec.file.len, sizeof(path));
	assert_in_range(ev.exec.cgroup.len, x.cgroup.n, x.cgroup.n + 1);
	x.cgroup.n++;
	assert_int_equal(decoder_record(decoder, wire_make_exec(&w, &x), &ev), DECODE_DAMAGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_cut_anywhere_is_refused),
		cmocka_unit_test(a_length_that_is_not_the_records_is_refused),
		cmocka_unit_test(lengths_of_strings_past_the_record_are_refused),
		cmocka_unit_test(classes_that_are_none_are_damaged),
		cmocka_unit_test(an_unknown_version_is_told_apart_with_its_class),
		cmocka_unit_test(the_longest_record_keeps_all_its_strings),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
