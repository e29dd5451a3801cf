/* The hook: verdicts, alerts, their texts, and waiting for metadata. */
#include "tests/unit/rules_fixture.h"

#include "base/json.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define HEAD(name, condition, out)                                                                 \
	"- rule: " name "\n  condition: " condition "\n  desc: d\n  output: '" out "'\n"
#define RULE(name, condition) HEAD(name, condition, "o") "  priority: WARNING\n"

static struct rules_fixture fx;

struct bench {
	struct rules_report report;
	struct ruleset *rs;
	struct judge *j;
	struct judge_alerts alerts;
};

static enum judge_name no_name(void *ctx, const struct container *c, uint32_t uid, struct str *out)
{
	(void)c, (void)out;
	return uid == 1001 ? *(enum judge_name *)ctx : JUDGE_NAME_MISSING;
}

static enum judge_name user_state;

static void bench_init(struct bench *b, const char *text, const struct rules_options *o)
{
	struct rules_text t = { "t.yaml", str_from(text) };
	struct err e;

	*b = (struct bench){ 0 };
	assert_int_equal(rules_load_text(&b->rs, &t, 1, o, &b->report, &e), 0);
	for (size_t i = 0; i < b->report.list.n; i++)
		if (b->report.list.p[i].level == RULES_ERROR)
			fail_msg("%s", b->report.list.p[i].what);
	b->j = judge_new(&(struct judge_options){ .rules = b->rs,
		.boot_id = STR("boot-1"),
		.hostname = STR("node1"),
		.names = { .ctx = &user_state, .user_name = no_name, .group_name = no_name } });
}

static void bench_fini(struct bench *b)
{
	rfx_alerts_fini(&b->alerts);
	judge_free(b->j);
	ruleset_unref(b->rs);
	rules_report_fini(&b->report);
}

static int setup(void **state)
{
	(void)state;
	user_state = JUDGE_NAME_MISSING;
	rfx_init(&fx);
	return 0;
}

static void an_alert_carries_event_lineage_and_container(void **state)
{
	struct bench b;
	char id[EVENT_ID_LEN + 1];
	const struct alert *a;

	(void)state;
	bench_init(&b,
		HEAD("R", "evt.type=execve", "x") "  priority: ERROR\n  tags: [a, \"b\\\"c\"]\n",
		NULL);
	rfx_container(&fx, CONTAINER_KNOWN);
	assert_int_equal(rfx_judge(&fx, b.j, &b.alerts), VERDICT_TRUE);
	assert_int_equal(b.alerts.list.n, 1);
	a = b.alerts.list.p[0];
	event_make_id(&fx.ev, STR("boot-1"), STR("R"), id);
	assert_string_equal(a->id, id);
	assert_string_equal(a->rule, "R");
	assert_string_equal(a->source, "syscall");
	assert_string_equal(a->tags_json, "[\"a\",\"b\\\"c\"]");
	assert_int_equal(a->priority, PRIORITY_ERROR);
	assert_int_equal(a->ts_ns, fx.ev.ts_ns);
	assert_int_equal(a->event->seq, fx.ev.seq);
	assert_int_equal(a->lineage->n, 4);
	assert_string_equal(a->lineage->process[1].comm, "bash");
	assert_true(str_eqz(a->container->name, "web"));
	bench_fini(&b);
}

static const char *output_of(const char *format)
{
	static char out[4096];
	char text[4096];
	struct bench b;

	snprintf(text, sizeof(text),
		"- rule: R\n  condition: evt.type exists\n  desc: d\n  priority: info\n  output: >\n    %s\n",
		format);
	bench_init(&b, text, NULL);
	assert_int_equal(rfx_judge(&fx, b.j, &b.alerts), VERDICT_TRUE);
	snprintf(out, sizeof(out), "%s|%s", b.alerts.list.p[0]->output,
		b.alerts.list.p[0]->fields_json);
	bench_fini(&b);
	return out;
}

#define TIME "\"evt.time\":1700000000000000000"

static void outputs_are_text_and_json(void **state)
{
	(void)state;
	assert_string_equal(output_of("a=%proc.name b=(%proc.pid) %fd.name."),
		"a=sh b=(1000) <NA>.|{" TIME
		",\"proc.name\":\"sh\",\"proc.pid\":1000,\"fd.name\":null}");
	assert_string_equal(output_of("%proc.aname[2] %proc.name %proc.name %evt.is_open_read"),
		"sshd sh sh false|{" TIME
		",\"proc.aname[2]\":\"sshd\",\"proc.name\":\"sh\",\"evt.is_open_read\":false}");
	assert_string_equal(output_of("*%toupper(proc.name) 100%%"),
		"SH 100%|{" TIME ",\"toupper(proc.name)\":\"SH\"}");
	assert_string_equal(output_of("[%6proc.name][%2proc.pname]"),
		"[sh    ][ba]|{" TIME ",\"proc.name\":\"sh\",\"proc.pname\":\"bash\"}");
	assert_string_equal(output_of("%proc.name.bak"), "sh.bak|{" TIME ",\"proc.name\":\"sh\"}");
	assert_string_equal(output_of("%hw.argv"), "-c, id|{" TIME ",\"hw.argv\":[\"-c\",\"id\"]}");
	assert_string_equal(
		output_of("%proc.env[X] %container.info"), "<NA> |{" TIME ",\"proc.env[X]\":null}");
	assert_string_equal(output_of("%container.id %evt.time.iso8601"),
		"host 2023-11-14T22:13:20.000000000Z|{" TIME ",\"container.id\":\"host\","
		"\"evt.time.iso8601\":\"2023-11-14T22:13:20.000000000Z\"}");
	rfx_net(&fx, EVENT_CONNECT, "10.1.2.3", 40000, "2.2.2.2", 443);
	assert_string_equal(output_of("%fd.sip %fd.sport"),
		"2.2.2.2 443|{" TIME ",\"fd.sip\":\"2.2.2.2\",\"fd.sport\":443}");
}

static void hostile_text_is_cleaned(void **state)
{
	struct json *json = NULL;
	struct err e;
	const char *out;

	(void)state;
	rfx_process(&fx, 0, "sh", "/bin/sh", "sh \x1b[2J\xff\n\"\\");
	out = output_of("%proc.args");
	assert_null(strchr(out, '\x1b'));
	assert_null(strchr(out, '\n'));
	assert_memory_equal(out, "\\x1b[2J\\xff\\x0a\"\\|", 18);
	assert_int_equal(json_parse(&json, str_from(strchr(out, '|') + 1), 0, &e), 0);
	json_free(json);
}

static void long_values_are_cut_and_counted(void **state)
{
	static char big[200000];
	struct bench b;

	(void)state;
	memset(big, 'x', sizeof(big));
	bench_init(&b,
		HEAD("R", "evt.type=execve", "%proc.exepath %proc.name") "  priority: INFO\n",
		NULL);
	fx.process[0].exe = str_of(big, sizeof(big));
	assert_int_equal(rfx_judge(&fx, b.j, &b.alerts), VERDICT_TRUE);
	assert_true(strlen(b.alerts.list.p[0]->output) < 20000);
	assert_non_null(strstr(b.alerts.list.p[0]->output, " sh"));
	assert_int_equal(judge_stats(b.j).outputs_cut, 1);
	bench_fini(&b);
}

static void wrong_outputs_do_not_load(void **state)
{
	static const char *const outputs[] = { "%proc.nope", "%", "100% of", "%fd.net",
		"%proc.aname[", "%container.mount.dest" };

	(void)state;
	for (size_t i = 0; i < ARRAY_N(outputs); i++) {
		AUTO(rules_report_fini) struct rules_report r = RULES_REPORT_INIT;
		char text[512];

		snprintf(text, sizeof(text),
			"- rule: R\n  condition: evt.type=execve\n  desc: d\n  priority: info\n  output: 'x %s'\n",
			outputs[i]);
		AUTO(ruleset_unref) struct ruleset *rs = rfx_load(text, &r);

		assert_int_equal(r.errors_n, 1);
		assert_int_equal(ruleset_count(rs), 0);
	}
}

static void appended_fields_are_in_every_alert(void **state)
{
	static const char *const fields[] = { "container.id", "proc.name" };
	struct rules_options o = {
		.append_output = "on=%evt.hostname", .append_fields = fields, .append_fields_n = 2
	};
	struct bench b;

	(void)state;
	bench_init(&b, RULE("R", "evt.type=execve"), &o);
	rfx_judge(&fx, b.j, &b.alerts);
	assert_string_equal(b.alerts.list.p[0]->output, "o on=node1");
	assert_string_equal(b.alerts.list.p[0]->fields_json,
		"{" TIME
		",\"evt.hostname\":\"node1\",\"container.id\":\"host\",\"proc.name\":\"sh\"}");
	bench_fini(&b);
}

static void all_or_only_the_first_match(void **state)
{
	static const char text[] = RULE("A", "evt.type=execve") RULE("B", "evt.type=open")
		RULE("C", "evt.type=execve and proc.name=sh");
	struct rules_options first = { .matching = RULES_MATCH_FIRST };
	struct bench b;

	(void)state;
	bench_init(&b, text, NULL);
	rfx_judge(&fx, b.j, &b.alerts);
	assert_int_equal(b.alerts.list.n, 2);
	assert_string_equal(b.alerts.list.p[1]->rule, "C");
	bench_fini(&b);
	bench_init(&b, text, &first);
	rfx_judge(&fx, b.j, &b.alerts);
	assert_int_equal(b.alerts.list.n, 1);
	assert_string_equal(b.alerts.list.p[0]->rule, "A");
	bench_fini(&b);
}

static void pending_conditions_hold_everything_back(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b,
		RULE("A", "evt.type=execve") RULE("B", "evt.type=execve and container.name=web"),
		NULL);
	rfx_container(&fx, CONTAINER_PENDING);
	assert_int_equal(rfx_judge(&fx, b.j, &b.alerts), VERDICT_PENDING);
	assert_int_equal(b.alerts.list.n, 0);
	rfx_container(&fx, CONTAINER_KNOWN);
	assert_int_equal(rfx_judge(&fx, b.j, &b.alerts), VERDICT_TRUE);
	assert_int_equal(b.alerts.list.n, 2);
	assert_int_equal(judge_stats(b.j).pending, 1);
	assert_int_equal(judge_stats(b.j).events, 1);
	bench_fini(&b);
}

static void pending_outputs_wait_only_when_the_rule_is_true(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b,
		HEAD("A", "evt.type=execve and proc.name=sh",
			"%container.name") "  priority: INFO\n",
		NULL);
	rfx_container(&fx, CONTAINER_PENDING);
	assert_int_equal(rfx_judge(&fx, b.j, &b.alerts), VERDICT_PENDING);
	rfx_process(&fx, 0, "other", "/bin/other", "other");
	assert_int_equal(rfx_judge(&fx, b.j, &b.alerts), VERDICT_FALSE);
	rfx_process(&fx, 0, "sh", "/bin/sh", "sh");
	fx.final = true;
	assert_int_equal(rfx_judge(&fx, b.j, &b.alerts), VERDICT_TRUE);
	assert_string_equal(b.alerts.list.p[0]->output, "<NA>");
	assert_string_equal(b.alerts.list.p[0]->fields_json, "{" TIME ",\"container.name\":null}");
	bench_fini(&b);
}

static void a_pending_user_name_waits_too(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b, RULE("A", "evt.type=execve and user.name=root"), NULL);
	user_state = JUDGE_NAME_PENDING;
	assert_int_equal(rfx_judge(&fx, b.j, &b.alerts), VERDICT_PENDING);
	fx.final = true;
	assert_int_equal(rfx_judge(&fx, b.j, &b.alerts), VERDICT_FALSE);
	bench_fini(&b);
}

static void events_that_no_rule_wants_are_skipped(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b,
		RULE("A", "evt.type=open and fd.name=/etc/shadow")
			RULE("B", "evt.type exists and proc.name=x"),
		NULL);
	fx.ev.class = EVENT_SEED;
	assert_int_equal(rfx_judge(&fx, b.j, &b.alerts), VERDICT_FALSE);
	fx.ev.class = EVENT_CGROUP;
	assert_int_equal(rfx_judge(&fx, b.j, &b.alerts), VERDICT_FALSE);
	fx.ev.class = (enum event_class)99;
	assert_int_equal(rfx_judge(&fx, b.j, &b.alerts), VERDICT_FALSE);
	assert_int_equal(judge_stats(b.j).skipped, 3);
	/* openat is not open, even though both are one class. */
	rfx_open(&fx, "/etc/shadow", NULL, O_RDONLY);
	assert_int_equal(rfx_judge(&fx, b.j, &b.alerts), VERDICT_FALSE);
	fx.ev.nr = 2;
	assert_int_equal(rfx_judge(&fx, b.j, &b.alerts), VERDICT_TRUE);
	fx.ev.nr = 257;
	assert_int_equal(rfx_judge(&fx, b.j, &b.alerts), VERDICT_FALSE);
	bench_fini(&b);
}

static void hits_are_counted_by_rule(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b, RULE("A", "evt.type=execve and proc.name=x") RULE("B", "evt.type=execve"),
		NULL);
	for (int i = 0; i < 3; i++)
		rfx_judge(&fx, b.j, &b.alerts);
	assert_int_equal(judge_hits(b.j, 0), 0);
	assert_int_equal(judge_hits(b.j, 1), 3);
	assert_int_equal(judge_hits(b.j, 2), 0);
	assert_int_equal(judge_stats(b.j).alerts, 3);
	bench_fini(&b);
}

/* One judge, many events: nothing of one event may be seen in the next. */
static void events_do_not_leak_into_each_other(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b,
		RULE("A", "evt.type=execve and proc.name=sh and proc.cmdline contains secret"),
		NULL);
	for (int i = 0; i < 100; i++) {
		bool secret = i % 3 == 0;

		rfx_process(&fx, 0, "sh", "/bin/sh", secret ? "sh secret" : "sh public");
		assert_int_equal(
			rfx_judge(&fx, b.j, &b.alerts), secret ? VERDICT_TRUE : VERDICT_FALSE);
	}
	assert_int_equal(b.alerts.list.n, 34);
	bench_fini(&b);
}

static void a_judge_keeps_its_rules(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b, RULE("A", "evt.type=execve"), NULL);
	ruleset_unref(b.rs);
	b.rs = NULL;
	assert_int_equal(rfx_judge(&fx, b.j, &b.alerts), VERDICT_TRUE);
	assert_string_equal(ruleset_rule(judge_rules(b.j), 0)->name, "A");
	bench_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_alert_carries_event_lineage_and_container, setup),
		cmocka_unit_test_setup(outputs_are_text_and_json, setup),
		cmocka_unit_test_setup(hostile_text_is_cleaned, setup),
		cmocka_unit_test_setup(long_values_are_cut_and_counted, setup),
		cmocka_unit_test_setup(wrong_outputs_do_not_load, setup),
		cmocka_unit_test_setup(appended_fields_are_in_every_alert, setup),
		cmocka_unit_test_setup(all_or_only_the_first_match, setup),
		cmocka_unit_test_setup(pending_conditions_hold_everything_back, setup),
		cmocka_unit_test_setup(pending_outputs_wait_only_when_the_rule_is_true, setup),
		cmocka_unit_test_setup(a_pending_user_name_waits_too, setup),
		cmocka_unit_test_setup(events_that_no_rule_wants_are_skipped, setup),
		cmocka_unit_test_setup(hits_are_counted_by_rule, setup),
		cmocka_unit_test_setup(events_do_not_leak_into_each_other, setup),
		cmocka_unit_test_setup(a_judge_keeps_its_rules, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
