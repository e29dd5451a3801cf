#include "tests/unit/rules_say.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct rules_fixture say_fx;
struct rules_report say_report;

int say_setup(void **state)
{
	(void)state;
	rfx_init(&say_fx);
	return 0;
}

int say_teardown(void **state)
{
	(void)state;
	rules_report_fini(&say_report);
	return 0;
}

struct ruleset *say_load(const char *text)
{
	rules_report_fini(&say_report);
	return rfx_load(text, &say_report);
}

/* For what is told alone. */
void say_check(const char *text)
{
	ruleset_unref(say_load(text));
}

/* The rules that fire, joined by blanks; static memory. */
const char *say_fired_by(struct ruleset *rs)
{
	static char out[512];
	AUTO(judge_free) struct judge *j = judge_new(&(struct judge_options){ .rules = rs });
	struct judge_alerts alerts = { 0 };

	out[0] = '\0';
	rfx_judge(&say_fx, j, &alerts);
	for (size_t i = 0; i < alerts.list.n; i++)
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s%s", i ? " " : "",
			alerts.list.p[i]->rule);
	rfx_alerts_fini(&alerts);
	return out;
}

const char *say_fired(const char *text)
{
	AUTO(ruleset_unref) struct ruleset *rs = say_load(text);

	return say_fired_by(rs);
}

/* A rule of this condition, written as a YAML scalar that needs no escaping. */
const char *say_rule(const char *condition)
{
	static char text[8192];
	int n = snprintf(text, sizeof(text),
		"- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: |\n    %s\n",
		condition);

	assert_true(n > 0 && (size_t)n < sizeof(text));
	return text;
}

void say_holds(const char *condition)
{
	const char *got = say_fired(say_rule(condition));

	if (say_report.errors_n || say_report.cannot_run_n)
		fail_msg("%s: %s", condition, say_report.list.p[0].what);
	if (strcmp(got, "r") != 0)
		fail_msg("%s: is false", condition);
}

void say_fails(const char *condition)
{
	const char *got = say_fired(say_rule(condition));

	if (say_report.errors_n || say_report.cannot_run_n)
		fail_msg("%s: %s", condition, say_report.list.p[0].what);
	if (got[0])
		fail_msg("%s: is true", condition);
}

/* Does not load, and says so with these words. */
void say_refused(const char *condition, const char *words)
{
	AUTO(ruleset_unref) struct ruleset *rs = say_load(say_rule(condition));

	if (say_report.errors_n != 1)
		fail_msg("%s: %zu errors", condition, say_report.errors_n);
	if (!strstr(say_report.list.p[0].what, words))
		fail_msg("%s: \"%s\" lacks \"%s\"", condition, say_report.list.p[0].what, words);
}

bool say_told(enum rules_level level, const char *words)
{
	for (size_t i = 0; i < say_report.list.n; i++)
		if (say_report.list.p[i].level == level && strstr(say_report.list.p[i].what, words))
			return true;
	return false;
}

void say_assert_told(enum rules_level level, const char *words)
{
	if (say_told(level, words))
		return;
	for (size_t i = 0; i < say_report.list.n; i++)
		print_error("%s: %s\n", rules_level_name(say_report.list.p[i].level),
			say_report.list.p[i].what);
	fail_msg("nobody says \"%s\"", words);
}
