/* What upstream's reference says of the loader, statement by statement. */
#include "tests/unit/rules_say.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void files_are_sequences_in_any_number_of_documents(void **state)
{
	(void)state;
	assert_string_equal(say_fired("- macro: m\n  condition: proc.name = sh\n---\n" SAY_RULE(
				    "r", "m") "---\n" SAY_RULE("s", "m")),
		"r s");
	say_check("rule: r\n");
	say_assert_told(RULES_ERROR, "expected a list");
	say_check("--- \n---\n...\n");
	assert_int_equal(say_report.errors_n, 0);
}

static void one_wrong_rule_leaves_the_rest_and_says_where(void **state)
{
	AUTO(ruleset_unref)
	struct ruleset *rs = say_load(SAY_RULE("a", SAY_ALWAYS) SAY_RULE("b", "proc.nmae = sh")
			SAY_RULE("c", SAY_ALWAYS));

	(void)state;
	assert_string_equal(say_fired_by(rs), "a c");
	assert_int_equal(say_report.errors_n, 1);
	assert_int_equal(say_report.list.p[0].line, 10);
	assert_int_equal(say_report.list.p[0].col, 14);
	assert_string_equal(say_report.list.p[0].name, "b");
	assert_string_equal(say_report.list.p[0].nearest, "proc.name");
}

static void lists_are_put_in_as_text(void **state)
{
	(void)state;
	assert_string_equal(
		say_fired("- list: l\n  items: [x, sh]\n" SAY_RULE("r", "proc.name in (l)")), "r");
	assert_string_equal(
		say_fired("- list: l\n  items: [x, sh]\n" SAY_RULE("r", "proc.name in (a,l,b)")),
		"r");
	/* An item with a blank is quoted. */
	rfx_process(&say_fx, 0, "a b", "/bin/x", "x");
	assert_string_equal(
		say_fired("- list: l\n  items: [x, a b]\n" SAY_RULE("r", "proc.name in (l)")), "r");
	/* Inside quotes too, where the name stands between delimiters. */
	rfx_process(&say_fx, 0, "x", "/bin/x", "x");
	assert_string_equal(
		say_fired("- list: l\n  items: [x]\n" SAY_RULE("r", "'proc.name = \"l\"'")), "");
	assert_string_equal(
		say_fired("- list: lx\n  items: [x]\n" SAY_RULE("r", "proc.name in (l)")), "");
}

static void lists_see_only_those_before_them_and_one_level_deep(void **state)
{
	(void)state;
	assert_string_equal(
		say_fired("- list: a\n  items: [sh]\n- list: b\n  items: [a, x]\n" SAY_RULE(
			"r", "proc.name in (b)")),
		"r");
	rfx_process(&say_fx, 0, "a", "/bin/x", "x");
	assert_string_equal(
		say_fired("- list: b\n  items: [x]\n- list: c\n  items: [b]\n"
			  "- list: d\n  items: [c]\n" SAY_RULE("r", "proc.name in (d)")),
		"");
	rfx_process(&say_fx, 0, "b", "/bin/x", "x");
	assert_string_equal(
		say_fired("- list: a\n  items: [b]\n" SAY_RULE("r", "proc.name in (a)")), "r");
}

static void an_empty_list_takes_a_comma_along(void **state)
{
	static const char *const conditions[] = { "proc.name in (e, sh)", "proc.name in (sh, e)",
		"proc.name in (sh,e,x)", "not proc.name in (e)" };
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_N(conditions); i++) {
		snprintf(text, sizeof(text), "- list: e\n  items: []\n" SAY_RULE("r", "%s"),
			conditions[i]);
		if (strcmp(say_fired(text), "r") != 0)
			fail_msg("%s", conditions[i]);
	}
}

static void macros_see_those_before_them_and_rules_see_all(void **state)
{
	(void)state;
	assert_string_equal(
		say_fired(SAY_RULE("r", "m") "- macro: m\n  condition: proc.name = sh\n"), "r");
	say_check("- macro: a\n  condition: b\n- macro: b\n  condition: " SAY_ALWAYS
		  "\n" SAY_RULE("r", "a"));
	say_assert_told(RULES_ERROR, "macro b is defined only later");
	assert_string_equal(say_fired("- macro: b\n  condition: " SAY_ALWAYS
				      "\n- macro: a\n  condition: b\n" SAY_RULE("r", "a")),
		"r");
}

static void a_macro_is_substituted_as_a_tree_and_not_as_text(void **state)
{
	(void)state;
	/* As text it would read: not proc.name = x or proc.name = sh. */
	assert_string_equal(
		say_fired("- macro: m\n  condition: proc.name = x or proc.name = sh\n" SAY_RULE(
			"r", "not m")),
		"");
}

static void a_macro_that_is_defined_again_keeps_its_place(void **state)
{
	(void)state;
	assert_string_equal(
		say_fired("- macro: a\n  condition: proc.name = x\n- macro: b\n  condition: a\n"
			  "- macro: a\n  condition: proc.name = sh\n" SAY_RULE("r", "b")),
		"r");
	say_check("- macro: a\n  condition: b\n- macro: b\n  condition: a\n" SAY_RULE("r", "a"));
	assert_true(say_report.errors_n > 0);
}

static void names_that_no_condition_can_use_are_a_warning(void **state)
{
	(void)state;
	say_check("- macro: 1m\n  condition: " SAY_ALWAYS
		  "\n- list: 'a b'\n  items: [x]\n" SAY_RULE("r", SAY_ALWAYS));
	assert_int_equal(say_report.errors_n, 0);
	say_assert_told(RULES_WARNING, "letters, digits and _ only");
	say_assert_told(RULES_WARNING, "in a list's name");
}

static void a_rule_needs_its_five_keys(void **state)
{
	static const char *const texts[] = {
		"- rule: r\n  output: o\n  priority: INFO\n  condition: " SAY_ALWAYS "\n",
		"- rule: r\n  desc: d\n  priority: INFO\n  condition: " SAY_ALWAYS "\n",
		"- rule: r\n  desc: d\n  output: o\n  condition: " SAY_ALWAYS "\n",
		"- rule: r\n  desc: d\n  output: o\n  priority: INFO\n",
	};
	static const char *const words[] = { "desc is missing", "output is missing", "priority",
		"condition is missing" };

	(void)state;
	for (size_t i = 0; i < ARRAY_N(texts); i++) {
		AUTO(ruleset_unref) struct ruleset *rs = say_load(texts[i]);

		assert_int_equal(ruleset_count(rs), 0);
		say_assert_told(RULES_ERROR, words[i]);
	}
}

static void keys_have_their_defaults_and_unknown_ones_are_a_warning(void **state)
{
	AUTO(ruleset_unref)
	struct ruleset *rs = say_load(SAY_RULE("r", SAY_ALWAYS) "  tegs: [x]\n" SAY_RULE(
		"off", SAY_ALWAYS) "  enabled: false\n" SAY_RULE("other",
		"ka.verb = get") "  source: k8s_audit\n");

	(void)state;
	say_assert_told(RULES_WARNING, "unknown key tegs");
	assert_string_equal(say_fired_by(rs), "r");
	assert_string_equal(ruleset_rule(rs, 0)->source, "syscall");
	assert_int_equal(ruleset_rule(rs, 1)->state, RULE_OFF);
	assert_int_equal(ruleset_rule(rs, 2)->state, RULE_CANNOT_RUN);
}

static void keys_of_quiet_rules_are_taken(void **state)
{
	AUTO(ruleset_unref)
	struct ruleset *rs = say_load(SAY_RULE("r",
		SAY_ALWAYS) "  warn_evttypes: false\n  capture: false\n  capture_duration: 5\n" SAY_RULE("s",
		"no.such.field = x") "  skip-if-unknown-filter: true\n");

	(void)state;
	assert_int_equal(say_report.errors_n, 0);
	assert_false(say_told(RULES_WARNING, "no condition on evt.type"));
	say_assert_told(RULES_WARNING, "unknown field");
	assert_int_equal(ruleset_count(rs), 1);
}

static void override_appends_with_one_blank(void **state)
{
	(void)state;
	/* Precedence bites, as upstream: x or (sh and y). */
	assert_string_equal(
		say_fired(SAY_RULE("r",
			"proc.name = sh or proc.name = x") "- rule: r\n  condition: and proc.name = y\n"
							   "  override: {condition: append}\n"),
		"r");
	assert_string_equal(say_fired("- macro: m\n  condition: proc.name = sh\n"
				      "- macro: m\n  condition: and proc.pname = x\n"
				      "  override: {condition: append}\n" SAY_RULE("r", "m")),
		"");
	assert_string_equal(
		say_fired("- list: l\n  items: [x]\n- list: l\n  items: [sh]\n"
			  "  override: {items: append}\n" SAY_RULE("r", "proc.name in (l)")),
		"r");
}

static void override_replaces_what_it_names(void **state)
{
	AUTO(ruleset_unref)
	struct ruleset *rs = say_load(SAY_RULE("r",
		"proc.name = x") "- rule: r\n  condition: proc.name = sh\n  priority: CRITICAL\n  enabled: true\n"
				 "  override: {condition: replace, priority: replace, enabled: replace}\n");

	(void)state;
	assert_int_equal(say_report.errors_n, 0);
	assert_string_equal(say_fired_by(rs), "r");
	assert_int_equal(ruleset_rule(rs, 0)->priority, PRIORITY_CRITICAL);
}

static void override_must_speak_of_every_key_and_only_of_those_that_allow_it(void **state)
{
	(void)state;
	say_check(SAY_RULE("r", SAY_ALWAYS) "- rule: r\n  condition: and x\n  desc: e\n"
					    "  override: {condition: append}\n");
	say_assert_told(RULES_ERROR, "override does not say append or replace");
	say_check(SAY_RULE(
		"r", SAY_ALWAYS) "- rule: r\n  priority: INFO\n  override: {priority: append}\n");
	say_assert_told(RULES_ERROR, "cannot be appended to");
	say_check(SAY_RULE("r", SAY_ALWAYS) "- rule: r\n  desc: e\n  override: {desc: prepend}\n");
	say_assert_told(RULES_ERROR, "must be append or replace");
	say_check("- rule: r\n  desc: e\n  override: {desc: append}\n");
	say_assert_told(RULES_ERROR, "no such rule");
	say_check(SAY_RULE("r",
		SAY_ALWAYS) "- rule: r\n  desc: e\n  append: true\n  override: {desc: append}\n");
	say_assert_told(RULES_ERROR, "exclude each other");
}

static void append_is_deprecated_and_works(void **state)
{
	(void)state;
	assert_string_equal(
		say_fired(SAY_RULE("r",
			"proc.name = sh") "- rule: r\n  append: true\n  condition: and proc.pname = x\n"),
		"");
	say_assert_told(RULES_WARNING, "append is deprecated");
}

static void a_rule_and_enabled_alone_switch_it(void **state)
{
	(void)state;
	assert_string_equal(
		say_fired(SAY_RULE("r", SAY_ALWAYS) "- rule: r\n  enabled: false\n"), "");
	assert_string_equal(say_fired(SAY_RULE("r",
				    SAY_ALWAYS) "  enabled: false\n- rule: r\n  enabled: true\n"),
		"r");
}

static void exceptions_become_and_not(void **state)
{
	static const char rule[] = SAY_RULE("r",
		"proc.name = x or proc.name = sh") "  exceptions:\n    - name: e\n      fields: [proc.name, proc.pname]\n"
						   "      comps: [=, startswith]\n      values:\n        - [sh, %s]\n";
	char text[512];

	(void)state;
	/* With the condition in parentheses, so that its `or` does not escape. */
	snprintf(text, sizeof(text), rule, "ba");
	assert_string_equal(say_fired(text), "");
	snprintf(text, sizeof(text), rule, "zs");
	assert_string_equal(say_fired(text), "r");
}

static void exceptions_default_to_equals_and_for_one_field_to_in(void **state)
{
	(void)state;
	assert_string_equal(
		say_fired(SAY_RULE(
			"r", SAY_ALWAYS) "  exceptions:\n    - name: e\n      fields: proc.name\n"
					 "      values: [x, sh]\n"),
		"");
	assert_string_equal(
		say_fired(SAY_RULE("r",
			SAY_ALWAYS) "  exceptions:\n    - name: e\n      fields: proc.exepath\n"
				    "      comps: pmatch\n      values: [/usr/bin]\n"),
		"");
	say_check(
		SAY_RULE("r", SAY_ALWAYS) "  exceptions:\n    - name: e\n      fields: proc.name\n"
					  "      comps: startswith\n      values: [x]\n");
	say_assert_told(RULES_ERROR, "comps of a single field");
	assert_string_equal(
		say_fired(SAY_RULE("r",
			SAY_ALWAYS) "  exceptions:\n    - name: e\n      fields: [proc.name, proc.pname]\n"
				    "      values: [[sh, bash]]\n"),
		"");
}

static void appended_exceptions_carry_values_alone(void **state)
{
	static const char rule[] = SAY_RULE(
		"r", SAY_ALWAYS) "  exceptions:\n    - name: e\n      fields: proc.name\n";
	char text[1024];

	(void)state;
	assert_string_equal(say_fired(rule), "r");
	snprintf(text, sizeof(text),
		"%s- rule: r\n  exceptions:\n    - name: e\n      values: [sh]\n"
		"  override: {exceptions: append}\n",
		rule);
	assert_string_equal(say_fired(text), "");
	snprintf(text, sizeof(text),
		"%s- rule: r\n  exceptions:\n    - name: e\n      fields: proc.pname\n"
		"      values: [sh]\n  override: {exceptions: append}\n",
		rule);
	say_check(text);
	assert_true(say_report.errors_n > 0);
}

static void required_versions_are_semantic_or_a_number(void **state)
{
	(void)state;
	say_check("- required_engine_version: 0.57.0\n- required_engine_version: 57\n"
		  "- required_engine_version: '0.63.0'\n"
		  "- required_plugin_versions:\n    - name: container\n      version: 0.4.0\n");
	assert_int_equal(say_report.list.n, 0);
	say_check("- required_engine_version: 0.999.0\n");
	say_assert_told(RULES_ERROR, "wants engine 0.999.0");
	say_check("- required_engine_version: 1.0.0\n");
	say_assert_told(RULES_ERROR, "wants engine");
	say_check("- required_engine_version: soon\n");
	say_assert_told(RULES_ERROR, "must be a number or a version");
}

static void priorities_are_eight_words_in_any_case(void **state)
{
	static const char *const words[] = { "EMERGENCY", "alert", "Critical", "error", "WARNING",
		"notice", "informational", "debug", "Info" };
	static const enum priority values[] = { PRIORITY_EMERGENCY, PRIORITY_ALERT,
		PRIORITY_CRITICAL, PRIORITY_ERROR, PRIORITY_WARNING, PRIORITY_NOTICE,
		PRIORITY_INFORMATIONAL, PRIORITY_DEBUG, PRIORITY_INFORMATIONAL };
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_N(words); i++) {
		snprintf(text, sizeof(text),
			"- rule: r\n  desc: d\n  output: o\n  priority: %s\n  condition: " SAY_ALWAYS
			"\n",
			words[i]);
		AUTO(ruleset_unref) struct ruleset *rs = say_load(text);

		assert_int_equal(ruleset_rule(rs, 0)->priority, values[i]);
	}
	say_check("- rule: r\n  desc: d\n  output: o\n  priority: loud\n  condition: " SAY_ALWAYS
		  "\n");
	assert_int_equal(say_report.errors_n, 1);
}

static struct ruleset *load_with(const char *text, const struct rules_options *o)
{
	struct rules_text t = { "test.yaml", str_from(text) };
	struct ruleset *rs = NULL;
	struct err e;

	assert_int_equal(rules_load_text(&rs, &t, 1, o, NULL, &e), 0);
	return rs;
}

static void the_configured_priority_drops_what_is_less_severe(void **state)
{
	struct rules_options o = { .has_priority = true, .priority = PRIORITY_NOTICE };
	AUTO(ruleset_unref)
	struct ruleset *rs = load_with(
		SAY_RULE("info",
			SAY_ALWAYS) "- rule: note\n  desc: d\n  output: o\n  priority: NOTICE\n  condition: " SAY_ALWAYS
				    "\n",
		&o);

	(void)state;
	assert_string_equal(say_fired_by(rs), "note");
}

static void matching_first_stops_at_the_first_rule(void **state)
{
	static const char text[] = SAY_RULE("a", "proc.name = x") SAY_RULE("b", SAY_ALWAYS)
		SAY_RULE("c", SAY_ALWAYS);
	struct rules_options o = { .matching = RULES_MATCH_FIRST };
	AUTO(ruleset_unref) struct ruleset *first = load_with(text, &o);

	(void)state;
	assert_string_equal(say_fired_by(first), "b");
	assert_string_equal(say_fired(text), "b c");
}

/* The first alert's text; static memory. */
static const char *output_of(const char *output)
{
	static char out[512];
	char text[1024];
	struct judge_alerts alerts = { 0 };

	snprintf(text, sizeof(text),
		"- rule: r\n  desc: d\n  priority: INFO\n  condition: " SAY_ALWAYS
		"\n  output: '%s'\n",
		output);
	AUTO(ruleset_unref) struct ruleset *rs = say_load(text);
	AUTO(judge_free) struct judge *j = judge_new(&(struct judge_options){ .rules = rs });

	rfx_judge(&say_fx, j, &alerts);
	assert_int_equal(alerts.list.n, 1);
	snprintf(out, sizeof(out), "%s", alerts.list.p[0]->output);
	rfx_alerts_fini(&alerts);
	return out;
}

static void outputs_have_fields_widths_transformers_and_na(void **state)
{
	(void)state;
	assert_string_equal(output_of("p=%proc.name parent=%proc.pname"), "p=sh parent=bash");
	assert_string_equal(output_of("[%6proc.pname]"), "[bash  ]");
	assert_string_equal(output_of("[%2proc.pname]"), "[ba]");
	assert_string_equal(output_of("%toupper(proc.name)"), "SH");
	assert_string_equal(output_of("%proc.aname[2]"), "sshd");
	assert_string_equal(output_of("*%fd.name"), "<NA>");
	assert_string_equal(output_of("100%% %proc.name"), "100% sh");
	assert_string_equal(output_of("a %container.info b"), "a  b");
	say_assert_told(RULES_WARNING, "container.info");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAY_T(files_are_sequences_in_any_number_of_documents),
		SAY_T(one_wrong_rule_leaves_the_rest_and_says_where),
		SAY_T(lists_are_put_in_as_text),
		SAY_T(lists_see_only_those_before_them_and_one_level_deep),
		SAY_T(an_empty_list_takes_a_comma_along),
		SAY_T(macros_see_those_before_them_and_rules_see_all),
		SAY_T(a_macro_is_substituted_as_a_tree_and_not_as_text),
		SAY_T(a_macro_that_is_defined_again_keeps_its_place),
		SAY_T(names_that_no_condition_can_use_are_a_warning),
		SAY_T(a_rule_needs_its_five_keys),
		SAY_T(keys_have_their_defaults_and_unknown_ones_are_a_warning),
		SAY_T(keys_of_quiet_rules_are_taken),
		SAY_T(override_appends_with_one_blank),
		SAY_T(override_replaces_what_it_names),
		SAY_T(override_must_speak_of_every_key_and_only_of_those_that_allow_it),
		SAY_T(append_is_deprecated_and_works),
		SAY_T(a_rule_and_enabled_alone_switch_it),
		SAY_T(exceptions_become_and_not),
		SAY_T(exceptions_default_to_equals_and_for_one_field_to_in),
		SAY_T(appended_exceptions_carry_values_alone),
		SAY_T(required_versions_are_semantic_or_a_number),
		SAY_T(priorities_are_eight_words_in_any_case),
		SAY_T(the_configured_priority_drops_what_is_less_severe),
		SAY_T(matching_first_stops_at_the_first_rule),
		SAY_T(outputs_have_fields_widths_transformers_and_na),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
