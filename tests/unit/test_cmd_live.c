/* Live processes, as the service tells them, asked by a condition. */
#include "cmd/live.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char answer[] =
	"[{\"pid\":10,\"start_ns\":1,\"exec_id\":1,\"time_ns\":1700000000000000000,"
	"\"uid\":0,\"loginuid\":4294967295,\"comm\":\"sh\",\"exe\":\"/bin/sh\",\"cwd\":\"/\","
	"\"args\":[\"sh\",\"-c\",\"id; ls\"],\"container_id\":\"\"},"
	"{\"pid\":11,\"start_ns\":2,\"exec_id\":3,\"ppid\":10,\"parent_pid\":10,"
	"\"parent_start_ns\":1,\"parent_exec_id\":1,\"time_ns\":1700000001000000000,\"uid\":5,"
	"\"comm\":\"ls\",\"exe\":\"/bin/ls\",\"args\":[\"ls\"],\"exe_upper\":true,"
	"\"container_id\":\"aaaaaaaaaaaabbbbbbbbbbbbccccccccccccddddddddddddeeeeeeeeeeeeffff\","
	"\"container_name\":\"web\",\"container_image\":\"nginx:1\",\"container_image_repo\":"
	"\"nginx\",\"container_privileged\":true,\"container_runtime\":\"podman\"},"
	"{\"pid\":\"no number\"}]";

/* Which of the two, as bits. */
static int matches(const char *condition)
{
	AUTO(json_free) struct json *j = NULL;
	AUTO(live_free) struct live *l = NULL;
	struct err e = { 0 };
	int bits = 0;

	assert_int_equal(json_parse(&j, str_from(answer), 0, &e), 0);
	if (live_find(&l, json_root(j), str_from(condition), &e))
		fail_msg("%s: %s", condition, e.msg);
	for (int i = 0; i < 2; i++)
		bits |= live_has(l, json_at(json_root(j), (size_t)i)) << i;
	assert_false(live_has(l, json_at(json_root(j), 2)));
	return bits;
}

static void live_processes_answer_as_stored_ones_do(void **state)
{
	(void)state;
	assert_int_equal(matches("proc.name exists"), 3);
	assert_int_equal(matches("proc.cmdline = 'sh -c id; ls'"), 1);
	assert_int_equal(matches("proc.args[1] contains id"), 1);
	assert_int_equal(matches("proc.pname = sh"), 2);
	assert_int_equal(matches("not proc.pname = sh"), 1);
	assert_int_equal(matches("user.loginuid = -1"), 1);
	assert_int_equal(matches("container.name = web and container.privileged = true"), 2);
	assert_int_equal(matches("container.id = aaaaaaaaaaaa and container.type = podman"), 2);
	assert_int_equal(matches("container.image.repository = nginx"), 2);
	assert_int_equal(matches("proc.is_exe_upper_layer = true"), 2);
	assert_int_equal(matches("time >= 2023-11-14T22:13:21Z"), 2);
	assert_int_equal(matches("LS"), 3);
	assert_int_equal(matches("pid = 11 or ppid = 11"), 2);
}

static void a_wrong_condition_is_told(void **state)
{
	AUTO(json_free) struct json *j = NULL;
	struct live *l = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(json_parse(&j, str_from(answer), 0, &e), 0);
	assert_int_equal(live_find(&l, json_root(j), STR("proc.nmae = x"), &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_null(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(live_processes_answer_as_stored_ones_do),
		cmocka_unit_test(a_wrong_condition_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
