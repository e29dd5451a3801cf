#include "base/alert.h"

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

static int use_utc(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	return 0;
}

static void priorities_are_read_in_any_case(void **state)
{
	static const struct {
		const char *text;
		enum priority p;
	} cases[] = {
		{ "EMERGENCY", PRIORITY_EMERGENCY },
		{ "Warning", PRIORITY_WARNING },
		{ "informational", PRIORITY_INFORMATIONAL },
		{ "INFO", PRIORITY_INFORMATIONAL },
		{ "debug", PRIORITY_DEBUG },
	};
	enum priority p = PRIORITY_N;

	(void)state;
	for (size_t i = 0; i < ARRAY_N(cases); i++) {
		assert_true(priority_parse(str_from(cases[i].text), &p));
		assert_int_equal(p, cases[i].p);
	}
	assert_false(priority_parse(STR("warn"), &p));
	assert_false(priority_parse(STR("warnings"), &p));
	assert_false(priority_parse((struct str){ 0 }, &p));
	assert_int_equal(p, PRIORITY_DEBUG);
}

static void priorities_have_names_and_severities(void **state)
{
	(void)state;
	assert_string_equal(priority_name(PRIORITY_NOTICE), "Notice");
	assert_string_equal(priority_severity(PRIORITY_ALERT), "critical");
	assert_string_equal(priority_severity(PRIORITY_ERROR), "high");
	assert_string_equal(priority_severity(PRIORITY_WARNING), "medium");
	assert_string_equal(priority_severity(PRIORITY_NOTICE), "low");
	assert_string_equal(priority_severity(PRIORITY_DEBUG), "info");
}

static void text_is_falcos_line(void **state)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(256);

	(void)state;
	alert_text(&b, 1700000000000000042, PRIORITY_WARNING, STR("Shell (user=root)"));
	assert_string_equal(buf_cstr(&b), "22:13:20.000000042: Warning Shell (user=root)");
}

static void json_has_falcos_keys_in_order(void **state)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(4096);
	struct alert_json a = {
		.ts_ns = 1700000000000000042,
		.priority = PRIORITY_ERROR,
		.rule = STR("Read \"it\""),
		.source = STR("syscall"),
		.hostname = STR("node"),
		.output = STR("Read"),
		.tags_json = STR("[\"t\"]"),
		.fields_json = STR("{\"fd.name\":\"/etc/shadow\"}"),
	};

	(void)state;
	alert_json(&b, &a);
	assert_string_equal(buf_cstr(&b),
		"{\"time\":\"2023-11-14T22:13:20.000000042Z\",\"rule\":\"Read \\\"it\\\"\","
		"\"priority\":\"Error\",\"source\":\"syscall\",\"hostname\":\"node\","
		"\"output\":\"22:13:20.000000042: Error Read\",\"tags\":[\"t\"],"
		"\"output_fields\":{\"fd.name\":\"/etc/shadow\"}}");
}

static void json_without_tags_and_fields_is_still_json(void **state)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(4096);
	AUTO(json_free) struct json *j = NULL;
	struct alert_json a = { .rule = STR("r"), .source = STR("self") };

	(void)state;
	alert_json(&b, &a);
	assert_int_equal(json_parse(&j, buf_str(&b), 0, NULL), 0);
	assert_int_equal(json_type(json_get(json_root(j), "tags")), JSON_ARR);
	assert_int_equal(json_type(json_get(json_root(j), "output_fields")), JSON_OBJ);
}

static void freeing_takes_nothing_half_and_whole(void **state)
{
	struct event ev = { .class = EVENT_EXIT };
	struct alert *a = alert_new();

	(void)state;
	alert_free(NULL);
	alert_free(alert_new());
	a->rule = xstrndup("r", 1);
	a->output = xstrndup("o", 1);
	a->event = event_clone(&ev);
	a->container = container_new_bare(STR("abc"), RUNTIME_PODMAN, CONTAINER_PENDING);
	alert_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(priorities_are_read_in_any_case),
		cmocka_unit_test(priorities_have_names_and_severities),
		cmocka_unit_test(text_is_falcos_line),
		cmocka_unit_test(json_has_falcos_keys_in_order),
		cmocka_unit_test(json_without_tags_and_fields_is_still_json),
		cmocka_unit_test(freeing_takes_nothing_half_and_whole),
	};

	return cmocka_run_group_tests(tests, use_utc, NULL);
}
