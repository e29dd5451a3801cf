/* Files to a set: items, substitution, overrides, exceptions, and what is reported. */
#include "tests/unit/rules_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define REST                  "\n  desc: d\n  output: o %proc.name\n  priority: WARNING\n"
#define RULE(name, condition) "- rule: " name "\n  condition: " condition REST

static struct rules_fixture fx;

/* Names of the rules that match the fixture's event, joined by blanks. */
static const char *matches(struct ruleset *rs)
{
	static char out[1024];
	struct judge_options o = { .rules = rs, .boot_id = STR("boot") };
	AUTO(judge_free) struct judge *j = judge_new(&o);
	struct judge_alerts alerts = { 0 };

	out[0] = '\0';
	rfx_judge(&fx, j, &alerts);
	for (size_t i = 0; i < alerts.list.n; i++)
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s%s", i ? " " : "",
			alerts.list.p[i]->rule);
	rfx_alerts_fini(&alerts);
	return out;
}

static const char *matches_of(const char *text)
{
	AUTO(ruleset_unref) struct ruleset *rs = rfx_load(text, NULL);

	return matches(rs);
}

/* All problems, a line each. */
static const char *problems(const char *text)
{
	static char out[4096];
	AUTO(rules_report_fini) struct rules_report r = RULES_REPORT_INIT;
	AUTO(ruleset_unref) struct ruleset *rs = rfx_load(text, &r);
	AUTO(buf_fini) struct buf b = BUF_INIT(sizeof(out) - 1);

	for (size_t i = 0; i < r.list.n; i++) {
		rules_problem_text(&b, &r.list.p[i]);
		buf_putc(&b, '\n');
	}
	assert_int_equal(r.list.n, r.errors_n + r.cannot_run_n + r.warnings_n);
	memcpy(out, buf_cstr(&b), b.n + 1);
	return out;
}

#define assert_problem(text, part)                                                                 \
	do {                                                                                       \
		const char *got = problems(text);                                                  \
		if (!strstr(got, part))                                                            \
			fail_msg("no \"%s\" in:\n%s", part, got);                                  \
	} while (0)

static int setup(void **state)
{
	(void)state;
	rfx_init(&fx);
	return 0;
}

static void several_documents_and_items_make_one_set(void **state)
{
	(void)state;
	assert_string_equal(
		matches_of("- list: shells\n  items: [sh, bash]\n"
			   "---\n"
			   "- macro: spawned\n  condition: evt.type in (execve, execveat)\n"
			   "---\n" RULE("A", "spawned and proc.name in (shells)")
				   RULE("B", "spawned and not proc.name in (shells)")),
		"A");
	assert_string_equal(problems(""), "");
	assert_string_equal(problems("# nothing\n---\n---\n"), "");
}

static void lists_are_substituted_as_text(void **state)
{
	(void)state;
	/* Inside of quotes too, next to parentheses and =. */
	assert_string_equal(
		matches_of("- list: what\n  items: [sh]\n" RULE(
			"A", "evt.type=execve and proc.name=what") RULE("B",
			"evt.type=execve and proc.cmdline startswith \"what -c\"")
				RULE("C", "evt.type=execve and proc.name in (whatever, what)")),
		"A C");
	/* Items with blanks are quoted, those with quotes taken as they are. */
	assert_string_equal(matches_of("- list: lines\n  items: [\"sh -c id\", '\"x y\"']\n" RULE(
				    "A", "evt.type=execve and proc.cmdline in (lines)")),
		"A");
}

static void an_empty_list_takes_a_comma_along(void **state)
{
	(void)state;
	assert_string_equal(problems("- list: none\n  items: []\n" RULE(
				    "A", "evt.type=execve and proc.name in (none)") RULE("B",
				    "evt.type=execve and proc.name in (none, sh)") RULE("C",
				    "evt.type=execve and proc.name in (sh, none)") RULE("D",
				    "evt.type=execve and proc.name in (x, none, sh)")),
		"");
	assert_string_equal(matches_of("- list: none\n  items: []\n" RULE(
				    "A", "evt.type=execve and proc.name in (none)") RULE("B",
				    "evt.type=execve and proc.name in (none, sh)") RULE("C",
				    "evt.type=execve and proc.name in (sh, none)") RULE("D",
				    "evt.type=execve and proc.name in (x, none, sh)")),
		"B C D");
}

static void lists_hold_earlier_lists_one_level_deep(void **state)
{
	(void)state;
	assert_string_equal(matches_of("- list: a\n  items: [sh]\n"
				       "- list: b\n  items: [a, x]\n"
				       "- list: c\n  items: [b, y]\n" RULE(
					       "A", "evt.type=execve and proc.name in (b)")
					       RULE("B", "evt.type=execve and proc.name in (c)")),
		"A");
}

static void macros_see_what_was_defined_before_and_rules_see_all(void **state)
{
	(void)state;
	assert_string_equal(
		matches_of(RULE(
			"A", "outer") "- macro: inner\n  condition: (evt.type=execve)\n"
				      "- macro: outer\n  condition: (inner and proc.name=sh)\n"),
		"A");
	assert_problem(
		"- macro: outer\n  condition: (inner)\n- macro: inner\n  condition: (evt.type=execve)\n" RULE(
			"A", "outer"),
		"macro inner is defined only later");
	/* Defined anew, it keeps its place in the order, so those between see the new one. */
	assert_string_equal(
		matches_of("- macro: inner\n  condition: (evt.type=open)\n"
			   "- macro: outer\n  condition: (inner)\n" RULE("A",
				   "outer") "- macro: inner\n  condition: (evt.type=execve)\n"),
		"A");
}

static void a_macro_that_names_itself_is_an_error_of_its_users_alone(void **state)
{
	const char *text = "- macro: a\n  condition: (evt.type=execve)\n"
			   "- macro: b\n  condition: (a)\n"
			   "- macro: a\n  condition: (b or evt.type=execve)\n" RULE("A", "b")
				   RULE("B", "evt.type=execve");

	(void)state;
	assert_problem(text, "refers to itself");
	assert_string_equal(matches_of(text), "B");
}

static void a_bad_rule_never_stops_the_rest(void **state)
{
	const char *text = RULE("A", "evt.type=execve and")
		RULE("B", "evt.type=execve and proc.nmae=sh")
			RULE("C", "evt.type=execve") "- rule: D\n  condition: evt.type=execve\n"
						     "- 17\n- rull: E\n" RULE("F",
							     "evt.type=execve and shell_procz");

	(void)state;
	assert_string_equal(matches_of(text), "C");
	assert_problem(
		text, "error: rule A: expected a blank or '(' behind 'and' or 'or' at the end");
	assert_problem(text,
		"test.yaml:7:34: error: rule B: unknown field proc.nmae (did you mean proc.name?)");
	assert_problem(text, "error: rule D: output is missing");
	assert_problem(text, "error: rule D: desc is missing");
	assert_problem(text, "error: rule D: priority is missing");
	assert_problem(text, "error: expected a rule, a macro or a list");
	assert_problem(text, "unknown item rull (did you mean rule?)");
	assert_problem(text, "unknown macro shell_procz");
}

static void errors_point_into_folded_and_substituted_text(void **state)
{
	(void)state;
	assert_problem("- list: names\n  items: [a, b]\n"
		       "- rule: A\n"
		       "  condition: >\n"
		       "    evt.type=execve and proc.name in (names)\n"
		       "    and\n"
		       "    proc.nope = 3\n" REST,
		"test.yaml:7:5: error: rule A: unknown field proc.nope");
	assert_problem("- rule: A\n  condition: 'evt.type = execve and proc.pid = x'" REST,
		"test.yaml:2:48: error");
	assert_problem("- list: pids\n  items: [1, x]\n" RULE(
			       "A", "evt.type=execve and proc.pid in (pids)"),
		"test.yaml:4:47: error: rule A: \"x\" is not a number");
}

static void broken_yaml_is_one_problem_of_its_file(void **state)
{
	static const struct rules_text texts[] = {
		{ "bad.yaml", { "- rule: [\n", 10 } },
		{ "good.yaml", { RULE("A", "evt.type=execve"),
				       sizeof(RULE("A", "evt.type=execve")) - 1 } },
	};
	AUTO(rules_report_fini) struct rules_report r = RULES_REPORT_INIT;
	AUTO(ruleset_unref) struct ruleset *rs = NULL;
	struct err e;

	(void)state;
	assert_int_equal(rules_load_text(&rs, texts, 2, NULL, &r, &e), 0);
	assert_int_equal(r.errors_n, 1);
	assert_string_equal(r.list.p[0].file, "bad.yaml");
	assert_true(r.list.p[0].line > 0);
	assert_string_equal(matches(rs), "A");
}

static void overrides_append_and_replace(void **state)
{
	const char *base = "- macro: m\n  condition: (proc.name=x)\n- list: l\n  items: [x]\n" RULE(
		"A", "evt.type=execve and m") RULE("B", "evt.type=execve and proc.name in (l)")
		RULE("C", "evt.type=execve and proc.name=x");
	char text[4096];

	(void)state;
	assert_string_equal(matches_of(base), "");
	snprintf(text, sizeof(text), "%s%s", base,
		"- macro: m\n  condition: or proc.name=sh\n  override: {condition: append}\n"
		"- list: l\n  items: [sh]\n  override: {items: append}\n"
		"- rule: C\n  condition: evt.type=execve\n  priority: debug\n"
		"  override: {condition: replace, priority: replace}\n");
	assert_string_equal(matches_of(text), "A B C");
	snprintf(text, sizeof(text), "%s%s", base, "- list: l\n  items: [sh]\n  append: true\n");
	assert_string_equal(matches_of(text), "B");
	assert_problem(text, "append is deprecated");
	snprintf(text, sizeof(text), "%s%s", base,
		"- rule: C\n  condition: or proc.name=sh\n  append: true\n");
	/* Joined with a blank and nothing else, so `or` reaches over the whole of it. */
	assert_string_equal(matches_of(text), "C");
}

static void overrides_are_checked(void **state)
{
	const char *base = RULE("A", "evt.type=execve");
	static const struct {
		const char *item, *problem;
	} cases[] = {
		{ "- rule: A\n  priority: debug\n  override: {priority: append}\n",
			"cannot be appended to" },
		{ "- rule: A\n  source: x\n  override: {source: replace}\n", "cannot be replaced" },
		{ "- rule: A\n  desc: x\n  override: {desc: replace, output: replace}\n",
			"which is not given" },
		{ "- rule: A\n  desc: x\n  output: y\n  override: {desc: replace}\n",
			"output is given, but" },
		{ "- rule: A\n  desc: x\n  override: {desc: change}\n",
			"must be append or replace" },
		{ "- rule: B\n  desc: x\n  override: {desc: append}\n", "no such rule" },
		{ "- macro: m\n  condition: x\n  override: {condition: append}\n",
			"no such macro" },
		{ "- list: l\n  items: [x]\n  append: true\n", "no such list" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_N(cases); i++) {
		char text[1024];

		snprintf(text, sizeof(text), "%s%s", base, cases[i].item);
		assert_problem(text, cases[i].problem);
	}
}

static void rules_are_switched_off_and_on(void **state)
{
	const char *one = RULE("A", "evt.type=execve") "  enabled: false\n";
	const char *two = RULE("A", "evt.type=execve") "- rule: A\n  enabled: false\n";
	const char *three = RULE(
		"A", "evt.type=execve") "  enabled: false\n- rule: A\n  enabled: true\n";

	(void)state;
	assert_string_equal(matches_of(one), "");
	assert_string_equal(matches_of(two), "");
	assert_string_equal(matches_of(three), "A");
}

static void options_leave_rules_out(void **state)
{
	static const char text[] = RULE("Alpha", "evt.type=execve") RULE("Beta one",
		"evt.type=execve") "  tags: [slow]\n- rule: Gamma\n  condition: evt.type=execve\n  desc: d\n  output: o\n  priority: info\n";
	static const char *const off[] = { "Al*" }, *const tags[] = { "slow" };
	struct rules_text t = { "t", { text, sizeof(text) - 1 } };
	struct rules_options o = { .disabled = off,
		.disabled_n = 1,
		.disabled_tags = tags,
		.disabled_tags_n = 1,
		.has_priority = true,
		.priority = PRIORITY_NOTICE };
	AUTO(ruleset_unref) struct ruleset *rs = NULL;
	struct err e;

	(void)state;
	assert_int_equal(rules_load_text(&rs, &t, 1, &o, NULL, &e), 0);
	assert_int_equal(ruleset_count(rs), 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(ruleset_rule(rs, i)->state, RULE_OFF);
	assert_string_equal(matches(rs), "");
}

static void exceptions_become_part_of_the_condition(void **state)
{
#define EXCEPTION(x) RULE("A", "evt.type=execve or evt.type=open") "  exceptions:\n" x
	(void)state;
	assert_string_equal(
		matches_of(EXCEPTION(
			"  - {name: e, fields: [proc.name, proc.pname], values: [[x, bash], [sh, bash]]}\n")),
		"");
	assert_string_equal(
		matches_of(EXCEPTION(
			"  - {name: e, fields: [proc.name, proc.pname], values: [[sh, x]]}\n")),
		"A");
	assert_string_equal(
		matches_of(EXCEPTION("  - {name: e, fields: proc.name, values: [x, sh]}\n")), "");
	assert_string_equal(
		matches_of(EXCEPTION(
			"  - {name: e, fields: [proc.cmdline], comps: [startswith], values: [['sh -c']]}\n")),
		"");
	assert_string_equal(
		matches_of(EXCEPTION(
			"  - {name: e, fields: [proc.name, proc.pid], comps: [in, '='], values: [[[a, sh], 1000]]}\n")),
		"");
	assert_string_equal(
		matches_of(EXCEPTION(
			"  - {name: e, fields: proc.exepath, comps: startswith anyof, values: [/bin, /usr/bin]}\n")),
		"");
	assert_string_equal(matches_of(EXCEPTION("  - {name: e, fields: proc.name}\n")), "A");
	/* Values for an exception that exists are appended to it. */
	assert_string_equal(
		matches_of(EXCEPTION(
			"  - {name: e, fields: proc.name, values: [x]}\n"
			"- rule: A\n  exceptions: [{name: e, values: [sh]}]\n  override: {exceptions: append}\n")),
		"");
	assert_problem(EXCEPTION("  - {name: e, fields: [proc.name], values: [[a, b]]}\n"),
		"as long as fields");
	assert_problem(
		EXCEPTION("  - {name: e, fields: [proc.name], comps: [eq], values: [[a]]}\n"),
		"unknown operator");
	assert_problem(
		EXCEPTION("  - {name: e, fields: [proc.name], comps: ['=', '='], values: [[a]]}\n"),
		"same length");
	assert_problem(EXCEPTION("  - {name: e, fields: proc.name, comps: '=', values: [a]}\n"),
		"must be in, pmatch");
	assert_problem(EXCEPTION("  - {fields: proc.name, values: [a]}\n"), "needs a name");
	assert_problem(EXCEPTION("  - {name: e, values: [a]}\n"), "needs fields");
	assert_problem(EXCEPTION("  - {name: e, fields: [proc.nope], values: [[a]]}\n"),
		"unknown field proc.nope");
}

static void what_cannot_run_here_is_told_and_not_judged(void **state)
{
	AUTO(rules_report_fini) struct rules_report r = RULES_REPORT_INIT;
	AUTO(ruleset_unref)
	struct ruleset *rs = rfx_load(
		RULE("A", "evt.type in (ptrace, setns)") RULE("B", "evt.type in (execve, ptrace)")
			RULE("C", "evt.type=execve and proc.env contains x")
				RULE("D", "evt.type=execve")
					RULE("E", "evt.type=execve") "  source: k8s_audit\n",
		&r);

	(void)state;
	assert_int_equal(ruleset_rule(rs, 0)->state, RULE_CANNOT_RUN);
	assert_string_equal(ruleset_rule(rs, 0)->why, "event type ptrace, setns not available");
	assert_int_equal(ruleset_rule(rs, 1)->state, RULE_PARTIAL);
	assert_int_equal(ruleset_rule(rs, 2)->state, RULE_CANNOT_RUN);
	assert_string_equal(ruleset_rule(rs, 2)->why, "field proc.env is not available");
	assert_int_equal(ruleset_rule(rs, 3)->state, RULE_ACTIVE);
	assert_int_equal(ruleset_rule(rs, 4)->state, RULE_CANNOT_RUN);
	assert_int_equal(r.errors_n, 0);
	assert_int_equal(r.cannot_run_n, 3);
	assert_string_equal(matches(rs), "B D");
}

/* The event types of one condition, joined by blanks. */
static const char *types_of(const char *condition)
{
	static char out[4096];
	char text[1024];
	size_t n;

	snprintf(text, sizeof(text), "- rule: A\n  condition: %s%s", condition, REST);
	AUTO(ruleset_unref) struct ruleset *rs = rfx_load(text, NULL);
	const char *const *types = ruleset_types(rs, &n);

	out[0] = '\0';
	for (size_t i = 0; i < n; i++)
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s%s", i ? " " : "",
			types[i]);
	return out;
}

static void event_types_follow_de_morgan(void **state)
{
	const char
		*all = "accept accept4 bind clone clone3 connect creat execve execveat fork listen "
		       "open openat openat2 procexit socket vfork";

	(void)state;
	assert_string_equal(types_of("evt.type = execve"), "execve");
	assert_string_equal(
		types_of("evt.type in (open, openat) and proc.name = x"), "open openat");
	assert_string_equal(types_of("evt.type = open or evt.type = connect"), "connect open");
	assert_string_equal(types_of("proc.name = x"), all);
	assert_string_equal(types_of("evt.type = open or proc.name = x"), all);
	assert_string_equal(types_of("not (evt.type != open and evt.type != bind)"), "bind open");
	assert_string_equal(types_of("not (not evt.type = open or proc.name = x)"), "open");
	assert_string_equal(types_of("evt.type in (open, bind) and not evt.type = bind"), "open");
	assert_string_equal(types_of("evt.num = 0"), "");
	assert_string_equal(types_of("evt.type = open and not evt.num = 0"), "open");
	assert_string_equal(types_of("evt.is_open_read = true"), "creat open openat openat2");
	assert_string_equal(
		types_of("not evt.is_open_read = true and evt.type in (open, bind)"), "bind open");
}

static void classes_are_those_of_the_types(void **state)
{
	AUTO(ruleset_unref)
	struct ruleset *rs = rfx_load(
		RULE("A", "evt.type in (creat, procexit)") RULE("B", "evt.type=ptrace"), NULL);

	(void)state;
	assert_int_equal(ruleset_classes(rs), 1u << EVENT_OPEN | 1u << EVENT_EXIT);
}

static void requirements_are_checked(void **state)
{
	(void)state;
	assert_string_equal(
		problems("- required_engine_version: 0.57.0\n- required_engine_version: 15\n"
			 "- required_plugin_versions: [{name: container, version: 0.4.0}]\n"),
		"");
	assert_problem("- required_engine_version: 1.0.0\n", "wants engine 1.0.0");
	assert_problem("- required_engine_version: x\n", "must be a number or a version");
	assert_problem("- required_plugin_versions: [{name: json, version: 0.1.0}]\n",
		"plugin json is not available");
}

static void strange_keys_types_and_values_are_warned_of(void **state)
{
	(void)state;
	assert_problem(RULE("A", "evt.type=execve") "  tagz: [x]\n",
		"unknown key tagz (did you mean tags?)");
	assert_problem(RULE("A", "evt.type in (execve, opnat)"), "unknown event type");
	assert_problem(RULE("A", "evt.type=execve and evt.dir=<"), "evt.dir is deprecated");
	assert_problem(RULE("A", "proc.name=sh"), "no condition on evt.type");
	assert_string_equal(problems(RULE("A", "proc.name=sh") "  warn_evttypes: false\n"), "");
	assert_problem(RULE("A", "evt.num=0"), "no event type for which it could be true");
	assert_problem("- rule: A\n  condition: x\n  desc: d\n  output: o\n  priority: high\n",
		"priority must be");
	assert_problem(RULE("A", "evt.type=execve") "  tags: x\n", "tags must be a list");
	assert_problem("- macro: a-b\n  condition: (evt.type=execve)\n", "cannot name it");
	assert_problem("- macro: [a]\n  condition: x\n", "the name must be a text");
	assert_problem("a: b\n", "expected a list of rules");
}

static void a_macro_chain_and_a_doubling_one_stay_small(void **state)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(1 << 22);
	AUTO(rules_report_fini) struct rules_report r = RULES_REPORT_INIT;
	AUTO(ruleset_unref) struct ruleset *rs = NULL;

	(void)state;
	buf_puts(&b, "- macro: m0\n  condition: (evt.type=execve)\n");
	for (int i = 1; i < 400; i++)
		buf_printf(&b, "- macro: m%d\n  condition: (m%d and m%d)\n", i, i - 1, i - 1);
	buf_puts(&b, RULE("A", "m399"));
	rs = rfx_load(buf_cstr(&b), &r);
	assert_int_equal(r.errors_n, 0);
	assert_string_equal(matches(rs), "A");
}

static void macros_in_a_chain_too_long_are_refused(void **state)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(1 << 22);

	(void)state;
	for (int i = 5000; i > 0; i--)
		buf_printf(&b, "- macro: m%d\n  condition: (not evt.num=%d)\n", i, i);
	for (int i = 1; i < 5000; i++)
		buf_printf(&b, "- macro: m%d\n  condition: (not m%d)\n", i, i + 1);
	buf_puts(&b, RULE("A", "m1"));
	assert_problem(buf_cstr(&b), "nested deeper than 1000 levels");
}

static void lists_that_double_are_refused(void **state)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(1 << 22);

	(void)state;
	for (int i = 0; i < 60; i++)
		buf_printf(&b, "- list: l%d\n  items: [l%d, l%d]\n", i, i + 1, i + 1);
	buf_puts(&b, RULE("A", "evt.type=execve and proc.name in (l0)"));
	assert_problem(buf_cstr(&b), "longer than 1 MiB");
}

static void a_missing_path_fails_the_load(void **state)
{
	static const char *const paths[] = { "/nonexistent/rules.yaml" };
	struct ruleset *rs = NULL;
	struct err e;

	(void)state;
	assert_int_equal(rules_load(&rs, paths, 1, NULL, NULL, &e), -1);
	assert_int_equal(e.code, ERR_SYS);
	assert_null(rs);
}

static void a_wrong_appended_output_fails_the_load(void **state)
{
	struct rules_text t = { "t", STR("") };
	struct rules_options o = { .append_output = "x=%proc.nope" };
	struct ruleset *rs = NULL;
	struct err e;

	(void)state;
	assert_int_equal(rules_load_text(&rs, &t, 1, &o, NULL, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(several_documents_and_items_make_one_set, setup),
		cmocka_unit_test_setup(lists_are_substituted_as_text, setup),
		cmocka_unit_test_setup(an_empty_list_takes_a_comma_along, setup),
		cmocka_unit_test_setup(lists_hold_earlier_lists_one_level_deep, setup),
		cmocka_unit_test_setup(macros_see_what_was_defined_before_and_rules_see_all, setup),
		cmocka_unit_test_setup(
			a_macro_that_names_itself_is_an_error_of_its_users_alone, setup),
		cmocka_unit_test_setup(a_bad_rule_never_stops_the_rest, setup),
		cmocka_unit_test_setup(errors_point_into_folded_and_substituted_text, setup),
		cmocka_unit_test_setup(broken_yaml_is_one_problem_of_its_file, setup),
		cmocka_unit_test_setup(overrides_append_and_replace, setup),
		cmocka_unit_test_setup(overrides_are_checked, setup),
		cmocka_unit_test_setup(rules_are_switched_off_and_on, setup),
		cmocka_unit_test_setup(options_leave_rules_out, setup),
		cmocka_unit_test_setup(exceptions_become_part_of_the_condition, setup),
		cmocka_unit_test_setup(what_cannot_run_here_is_told_and_not_judged, setup),
		cmocka_unit_test_setup(event_types_follow_de_morgan, setup),
		cmocka_unit_test_setup(classes_are_those_of_the_types, setup),
		cmocka_unit_test_setup(requirements_are_checked, setup),
		cmocka_unit_test_setup(strange_keys_types_and_values_are_warned_of, setup),
		cmocka_unit_test_setup(a_macro_chain_and_a_doubling_one_stay_small, setup),
		cmocka_unit_test_setup(macros_in_a_chain_too_long_are_refused, setup),
		cmocka_unit_test_setup(lists_that_double_are_refused, setup),
		cmocka_unit_test_setup(a_missing_path_fails_the_load, setup),
		cmocka_unit_test_setup(a_wrong_appended_output_fails_the_load, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
