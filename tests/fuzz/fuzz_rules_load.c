/* Rule files: whatever they hold, a set comes out, and what it judges and prints is clean. */
#include "base/json.h"
#include "base/text.h"
#include "rules/judge.h"

#include <stdlib.h>

static void check_alerts(const struct judge_alerts *alerts)
{
	for (size_t i = 0; i < alerts->list.n; i++) {
		const struct alert *a = alerts->list.p[i];
		struct json *json = NULL;
		struct err e;

		if (!text_is_clean(str_from(a->output)) ||
			json_parse(&json, str_from(a->fields_json), 0, &e))
			abort();
		json_free(json);
		if (json_parse(&json, str_from(a->tags_json), 0, &e))
			abort();
		json_free(json);
		alert_free(alerts->list.p[i]);
	}
}

static void judge(struct ruleset *rs)
{
	AUTO(judge_free) struct judge *j = judge_new(&(struct judge_options){ .rules = rs });
	struct judge_hook hook = judge_hook(j);
	struct event ev = { .class = EVENT_EXEC, .nr = 59, .data = "", .comm = "sh" };
	struct process process = {
		.comm = "sh", .exe = STR("/bin/sh"), .args = STR("sh\0\x1b[2J\0")
	};
	struct judge_input in = { .ev = &ev, .process = &process };
	struct judge_alerts alerts = { 0 };

	hook.event(hook.ctx, &in, true, &alerts);
	check_alerts(&alerts);
	vec_fini(&alerts.list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct rules_text text = { "fuzz.yaml", str_of(data, n) };
	AUTO(rules_report_fini) struct rules_report report = RULES_REPORT_INIT;
	AUTO(buf_fini) struct buf line = BUF_INIT(1 << 16);
	struct ruleset *rs = NULL;
	struct err e;

	if (rules_load_text(&rs, &text, 1, NULL, &report, &e))
		return 0;
	for (size_t i = 0; i < report.list.n; i++) {
		buf_reset(&line);
		rules_problem_text(&line, &report.list.p[i]);
		if (!text_is_clean(buf_str(&line)))
			abort();
	}
	judge(rs);
	ruleset_unref(rs);
	return 0;
}
