#include "rules/cases.h"

#include "base/json.h"
#include "base/text.h"
#include "rules/cases_impl.h"

#include <stdarg.h>
#include <stdio.h>

#define MAX_RULE_PATHS   256
#define MAX_EXPECTED     64
#define MAX_REMARK       4096
#define RESULT_MAX_BYTES (4u << 20)

struct cases {
	char *name;
	struct yaml_docs docs;
	const struct yaml_node *list; /* a sequence */
	const char *paths[MAX_RULE_PATHS];
	size_t paths_n;
};

const char *case_outcome_name(enum case_outcome o)
{
	static const char *const names[] = { "passed", "failed", "skipped", "wrong" };

	return names[o];
}

/* ---- the file ---- */

static int file_error(
	const struct cases *c, const struct yaml_node *at, struct err *e, const char *what)
{
	return err_set(
		e, ERR_FORMAT, "%s:%u:%u: %s", c->name, at ? at->line : 1, at ? at->col : 1, what);
}

static int take_rules(struct cases *c, const struct yaml_node *rules, struct err *e)
{
	const struct yaml_node *one = rules;

	if (!rules || yaml_is_null(rules))
		return 0;
	if (rules->kind == YAML_MAP || (rules->kind == YAML_SEQ && rules->n > MAX_RULE_PATHS))
		return file_error(c, rules, e, "rules is a list of at most 256 paths");
	for (size_t i = 0; i < (rules->kind == YAML_SEQ ? rules->n : 1); i++) {
		if (rules->kind == YAML_SEQ)
			one = rules->items[i];
		if (one->kind != YAML_SCALAR || !one->value.n)
			return file_error(c, one, e, "a path is needed here");
		c->paths[c->paths_n++] = one->value.p;
	}
	return 0;
}

static int take_file(struct cases *c, struct err *e)
{
	const struct yaml_node *top = c->docs.n ? c->docs.docs[0] : NULL;

	if (c->docs.n > 1)
		return file_error(c, c->docs.docs[1], e, "one document a file");
	if (!top || top->kind != YAML_MAP)
		return file_error(c, top, e, "expected a map with the keys rules and cases");
	for (size_t i = 0; i < top->n; i++) {
		const struct yaml_node *key = top->pairs[i].key;

		if (!str_eqz(key->value, "rules") && !str_eqz(key->value, "cases"))
			return file_error(c, key, e, "unknown key: rules and cases are known");
	}
	c->list = yaml_get(top, "cases");
	if (!c->list || c->list->kind != YAML_SEQ || !c->list->n)
		return file_error(c, c->list ? c->list : top, e, "cases must be a list of cases");
	if (c->list->n > CASES_MAX)
		return err_set(e, ERR_LIMIT, "%s: more than %d cases", c->name, CASES_MAX);
	return take_rules(c, yaml_get(top, "rules"), e);
}

int cases_parse(struct cases **out, const char *name, struct str text, struct err *e)
{
	AUTO(cases_free) struct cases *c = xcalloc(1, sizeof(*c));

	c->name = xstrndup(name, strlen(name));
	if (yaml_parse(&c->docs, text, name, NULL, e)) {
		c->docs = (struct yaml_docs){ 0 };
		return -1;
	}
	if (take_file(c, e))
		return -1;
	*out = TAKE(c);
	return 0;
}

void cases_free(struct cases *c)
{
	if (!c)
		return;
	yaml_docs_fini(&c->docs);
	free(c->name);
	free(c);
}

size_t cases_count(const struct cases *c)
{
	return c->list->n;
}

const char *const *cases_rules(const struct cases *c, size_t *n)
{
	*n = c->paths_n;
	return c->paths;
}

/* ---- results ---- */

void case_result_fini(struct case_result *r)
{
	vec_fini(&r->remarks);
	vec_fini(&r->fired);
	arena_free(r->arena);
	*r = (struct case_result){ 0 };
}

static const char *keep(struct case_result *r, struct str s)
{
	AUTO(buf_fini) struct buf clean = BUF_INIT(MAX_REMARK);
	struct str copy;

	text_clean(&clean, s);
	copy = arena_str(r->arena, buf_str(&clean));
	return copy.p ? copy.p : "";
}

/* The worse outcome stays. */
static void remark(struct case_result *r, enum case_outcome o, const struct yaml_node *at,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void remark(struct case_result *r, enum case_outcome o, const struct yaml_node *at,
	const char *fmt, ...)
{
	char text[MAX_REMARK];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	r->outcome = o;
	vec_push(&r->remarks, ((struct case_remark){ at->line, at->col, keep(r, str_from(text)) }));
}

/* ---- what is expected ---- */

struct expected {
	struct str rule;
	const struct yaml_node *at;
	const struct yaml_node *details; /* a map, or NULL */
	bool not_fire;
};

struct expectations {
	struct expected list[MAX_EXPECTED];
	size_t n;
	const struct yaml_node *only; /* nothing else may fire: where that stands */
};

static const char *const detail_keys[] = { "rule", "output", "output_contains", "priority", "tags",
	"fields" };

static bool is_one_of(struct str s, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eqz(s, names[i]))
			return true;
	return false;
}

static int check_keys(const struct yaml_node *map, const char *what, const char *const *names,
	size_t n, struct fault *f)
{
	for (size_t i = 0; i < map->n; i++)
		if (!is_one_of(map->pairs[i].key->value, names, n))
			return fault_unknown(f, map->pairs[i].key, what, names, n);
	return 0;
}

static int take_expected(
	struct expectations *x, const struct yaml_node *v, bool not_fire, struct fault *f)
{
	const struct yaml_node *rule = v;
	struct expected *to = &x->list[x->n];

	if (x->n == MAX_EXPECTED)
		return fault_set(f, v, "more than %d expectations", MAX_EXPECTED);
	if (v->kind == YAML_MAP) {
		if (check_keys(v, "key of an expectation:", detail_keys, ARRAY_N(detail_keys), f))
			return -1;
		rule = yaml_get(v, "rule");
		if (!rule)
			return fault_set(f, v, "rule is missing: the name of the rule");
	}
	if (rule->kind != YAML_SCALAR)
		return fault_set(f, rule, "a rule's name is needed here");
	*to = (struct expected){ rule->value, rule, v->kind == YAML_MAP ? v : NULL, not_fire };
	x->n++;
	return 0;
}

static int take_list(
	struct expectations *x, const struct yaml_node *v, bool not_fire, struct fault *f)
{
	if (v->kind != YAML_SEQ)
		return take_expected(x, v, not_fire, f);
	for (size_t i = 0; i < v->n; i++)
		if (take_expected(x, v->items[i], not_fire, f))
			return -1;
	return 0;
}

static int take_expectations(struct expectations *x, const struct yaml_node *item, struct fault *f)
{
	static const char *const keys[] = { "name", "event", "expect", "expect_only",
		"expect_not" };
	const struct yaml_node *expect = yaml_get(item, "expect");
	const struct yaml_node *only = yaml_get(item, "expect_only");
	const struct yaml_node *none = yaml_get(item, "expect_not");

	if (check_keys(item, "key of a case:", keys, ARRAY_N(keys), f))
		return -1;
	if (!expect && !only && !none)
		return fault_set(f, item, "expect, expect_only or expect_not is missing");
	/* An empty `expect` would otherwise say nothing. */
	if (expect && expect->kind == YAML_SEQ && !expect->n)
		only = only ? only : expect;
	x->only = only;
	if (expect && take_list(x, expect, false, f))
		return -1;
	if (only && only != expect && take_list(x, only, false, f))
		return -1;
	return none ? take_list(x, none, true, f) : 0;
}

/* ---- rules ---- */

static const struct rule_info *find_rule(const struct ruleset *rs, struct str name)
{
	for (size_t i = 0; i < ruleset_count(rs); i++)
		if (str_eqz(name, ruleset_rule(rs, i)->name))
			return ruleset_rule(rs, i);
	return NULL;
}

static void remark_unknown_rule(
	struct case_result *r, const struct ruleset *rs, const struct expected *x)
{
	size_t n = ruleset_count(rs);
	const char **names = xcalloc(n + 1, sizeof(*names));
	const char *nearest;

	for (size_t i = 0; i < n; i++)
		names[i] = ruleset_rule(rs, i)->name;
	nearest = str_nearest(x->rule, names, n);
	remark(r, CASE_WRONG, x->at, "there is no valid rule %.*s%s%s%s", (int)x->rule.n, x->rule.p,
		nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "");
	free(names);
}

/* False when a rule that the case speaks of cannot be judged. */
static bool check_rules(
	struct case_result *r, const struct ruleset *rs, const struct expectations *x)
{
	const struct expected *cannot = NULL;

	for (size_t i = 0; i < x->n; i++) {
		const struct rule_info *info = find_rule(rs, x->list[i].rule);

		if (!info)
			remark_unknown_rule(r, rs, &x->list[i]);
		else if (info->state == RULE_OFF)
			remark(r, CASE_WRONG, x->list[i].at, "rule %s is off: %s", info->name,
				info->why);
		else if (info->state == RULE_CANNOT_RUN)
			cannot = &x->list[i];
	}
	if (r->outcome == CASE_WRONG || !cannot)
		return r->outcome != CASE_WRONG;
	remark(r, CASE_SKIPPED, cannot->at, "rule %.*s cannot run here: %s", (int)cannot->rule.n,
		cannot->rule.p, find_rule(rs, cannot->rule)->why);
	return false;
}

/* ---- comparing ---- */

static void fail_text(
	struct case_result *r, const struct yaml_node *at, const char *what, const char *came)
{
	remark(r, CASE_FAILED, at, "%s: expected \"%.1000s\", came \"%.1000s\"", what,
		at->kind == YAML_SCALAR ? at->value.p : "?", came);
}

static void put_json(struct buf *b, const struct json_node *n)
{
	switch (json_type(n)) {
	case JSON_STR:
		buf_put_str(b, json_str(n, STR("")));
		break;
	case JSON_INT:
		buf_put_i64(b, json_int(n, 0));
		break;
	case JSON_BOOL:
		buf_puts(b, json_bool(n, false) ? "true" : "false");
		break;
	case JSON_NULL:
		buf_puts(b, "null");
		break;
	default:
		buf_puts(b, "(not a scalar)");
	}
}

static bool same_value(const struct yaml_node *want, const struct json_node *came)
{
	int64_t i;
	bool b;

	if (want->kind != YAML_SCALAR)
		return false;
	switch (json_type(came)) {
	case JSON_INT:
		return yaml_i64(want, &i) && i == json_int(came, 0);
	case JSON_BOOL:
		return yaml_bool(want, &b) && b == json_bool(came, false);
	case JSON_NULL:
		return yaml_is_null(want);
	case JSON_STR:
		return str_eq(want->value, json_str(came, STR("")));
	default:
		return false;
	}
}

static void compare_fields(
	struct case_result *r, const struct yaml_node *want, const struct alert *a)
{
	AUTO(json_free) struct json *json = NULL;

	if (want->kind != YAML_MAP || json_parse(&json, str_from(a->fields_json), 0, NULL)) {
		remark(r, CASE_WRONG, want, "fields must be a map of fields to their values");
		return;
	}
	for (size_t i = 0; i < want->n; i++) {
		const struct yaml_pair *p = &want->pairs[i];
		const struct json_node *came = json_get(json_root(json), p->key->value.p);
		AUTO(buf_fini) struct buf b = BUF_INIT(MAX_REMARK);

		if (!came) {
			remark(r, CASE_FAILED, p->key, "%s is not in the output of rule %s",
				p->key->value.p, a->rule);
		} else if (!same_value(p->value, came)) {
			put_json(&b, came);
			fail_text(r, p->value, p->key->value.p, buf_cstr(&b));
		}
	}
}

static void compare_contains(
	struct case_result *r, const struct yaml_node *want, const struct alert *a)
{
	for (size_t i = 0; i < (want->kind == YAML_SEQ ? want->n : 1); i++) {
		const struct yaml_node *one = want->kind == YAML_SEQ ? want->items[i] : want;

		if (one->kind != YAML_SCALAR)
			remark(r, CASE_WRONG, one, "a text is needed here");
		else if (!str_contains(str_from(a->output), one->value))
			fail_text(r, one, "output_contains", a->output);
	}
}

static void compare_tags(
	struct case_result *r, const struct yaml_node *want, const struct rule_info *rule)
{
	for (size_t i = 0; i < (want->kind == YAML_SEQ ? want->n : 1); i++) {
		const struct yaml_node *one = want->kind == YAML_SEQ ? want->items[i] : want;

		if (one->kind != YAML_SCALAR)
			remark(r, CASE_WRONG, one, "a tag is needed here");
		else if (!is_one_of(one->value, rule->tags, rule->tags_n))
			remark(r, CASE_FAILED, one, "rule %s has no tag %s", rule->name,
				one->value.p);
	}
}

static void compare_details(struct case_result *r, const struct yaml_node *details,
	const struct alert *a, const struct rule_info *rule)
{
	const struct yaml_node *output = yaml_get(details, "output");
	const struct yaml_node *contains = yaml_get(details, "output_contains");
	const struct yaml_node *priority = yaml_get(details, "priority");
	const struct yaml_node *fields = yaml_get(details, "fields");
	const struct yaml_node *tags = yaml_get(details, "tags");
	enum priority p;

	/* A block scalar ends in a line feed. */
	if (output && (output->kind != YAML_SCALAR ||
			      !str_eq(str_trim(output->value), str_from(a->output))))
		fail_text(r, output, "output", a->output);
	if (contains)
		compare_contains(r, contains, a);
	if (priority && (priority->kind != YAML_SCALAR || !priority_parse(priority->value, &p)))
		remark(r, CASE_WRONG, priority, "priority must be one of Falco's eight");
	else if (priority && p != a->priority)
		fail_text(r, priority, "priority", priority_name(a->priority));
	if (fields)
		compare_fields(r, fields, a);
	if (tags)
		compare_tags(r, tags, rule);
}

static const struct alert *find_alert(const struct judge_alerts *alerts, struct str rule)
{
	for (size_t i = 0; i < alerts->list.n; i++)
		if (str_eqz(rule, alerts->list.p[i]->rule))
			return alerts->list.p[i];
	return NULL;
}

static void put_fired(struct buf *b, const struct judge_alerts *alerts)
{
	if (!alerts->list.n) {
		buf_puts(b, "nothing fired");
		return;
	}
	buf_puts(b, "fired: ");
	for (size_t i = 0; i < alerts->list.n; i++)
		buf_printf(b, "%s%s", i ? ", " : "", alerts->list.p[i]->rule);
}

static void compare_one(struct case_result *r, const struct ruleset *rs, const struct expected *x,
	const struct judge_alerts *alerts)
{
	const struct alert *a = find_alert(alerts, x->rule);
	AUTO(buf_fini) struct buf fired = BUF_INIT(MAX_REMARK);

	put_fired(&fired, alerts);
	if (x->not_fire && a)
		remark(r, CASE_FAILED, x->at, "rule %s must not fire, but did: %.1000s", a->rule,
			a->output);
	else if (!x->not_fire && !a)
		remark(r, CASE_FAILED, x->at, "expected rule %.*s to fire; %.1000s", (int)x->rule.n,
			x->rule.p, buf_cstr(&fired));
	else if (a && x->details)
		compare_details(r, x->details, a, find_rule(rs, x->rule));
}

static bool is_expected(const struct expectations *x, const char *rule)
{
	for (size_t i = 0; i < x->n; i++)
		if (str_eqz(x->list[i].rule, rule))
			return true;
	return false;
}

static void compare(struct case_result *r, const struct ruleset *rs, const struct expectations *x,
	const struct judge_alerts *alerts)
{
	for (size_t i = 0; i < alerts->list.n; i++)
		vec_push(&r->fired, keep(r, str_from(alerts->list.p[i]->rule)));
	for (size_t i = 0; i < x->n; i++)
		compare_one(r, rs, &x->list[i], alerts);
	for (size_t i = 0; x->only && i < alerts->list.n; i++)
		if (!is_expected(x, alerts->list.p[i]->rule))
			remark(r, CASE_FAILED, x->only, "rule %s fired too: %.1000s",
				alerts->list.p[i]->rule, alerts->list.p[i]->output);
}

/* ---- running ---- */

static void judge_scene(
	struct case_result *r, struct ruleset *rs, struct scene *s, const struct expectations *x)
{
	AUTO(judge_free)
	struct judge *j = judge_new(&(struct judge_options){
		.rules = rs, .hostname = STR("node"), .names = scene_names(s) });
	struct judge_hook hook = judge_hook(j);
	struct judge_input in = scene_input(s);
	struct judge_alerts alerts = { 0 };

	hook.event(hook.ctx, &in, true, &alerts);
	compare(r, rs, x, &alerts);
	for (size_t i = 0; i < alerts.list.n; i++)
		alert_free(alerts.list.p[i]);
	vec_fini(&alerts.list);
}

static int run_case(struct case_result *r, const struct yaml_node *item, struct ruleset *rs,
	struct scene *s, struct fault *f)
{
	const struct yaml_node *event = item->kind == YAML_MAP ? yaml_get(item, "event") : NULL;
	struct expectations x = { 0 };

	if (!event)
		return fault_set(f, item, "a case is a map with the keys name, event and expect");
	if (take_expectations(&x, item, f) || scene_build(s, event, f))
		return -1;
	if (!check_rules(r, rs, &x))
		return 0;
	if (s->missing_type)
		remark(r, CASE_SKIPPED, event, "events of type %s are not available here",
			s->missing_type);
	else
		judge_scene(r, rs, s, &x);
	return 0;
}

void cases_run(const struct cases *c, size_t i, struct ruleset *rules, struct case_result *out)
{
	const struct yaml_node *item = c->list->items[i];
	const struct yaml_node *name = item->kind == YAML_MAP ? yaml_get(item, "name") : NULL;
	struct scene s = { 0 };
	struct fault f = { .at = item };

	out->arena = arena_new(RESULT_MAX_BYTES);
	out->name = name && name->kind == YAML_SCALAR ? keep(out, name->value) : "";
	out->line = item->line;
	out->col = item->col;
	if (run_case(out, item, rules, &s, &f))
		remark(out, CASE_WRONG, f.at, "%s", f.what);
	scene_fini(&s);
}
