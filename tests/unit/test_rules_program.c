/*
 * Finding rules by atoms and gates must give what evaluating each rule gives: random rules and
 * events, judged, against a plain walk over the syntax trees. HW_SEED=n repeats a run.
 */
#include "tests/unit/rules_random.h"

#include "base/re.h"
#include "rules/fields.h"
#include "rules/operand.h"
#include "rules/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define MAX_RULES 160
#define MACROS    6
#define ROUNDS    300
#define EVENTS    60
#define MAX_TEXT  (4u << 20)

/* A set of rules, as text for the loader and as trees for the walk. */
struct set {
	struct arena *arena;
	struct buf yaml;
	struct ast *macros[MACROS], *rules[MAX_RULES];
	uint32_t rules_n;
	enum rules_matching matching;
};

static struct ast *parse(struct set *set, struct buf *condition)
{
	struct ast *tree = NULL;
	struct err e = { 0 };
	size_t at;

	if (parse_condition(&tree, set->arena, buf_str(condition), &at, &e))
		fail_msg("%s: %s", buf_cstr(condition), e.msg);
	return tree;
}

static struct ast *put_definition(
	struct set *set, const char *kind, uint32_t i, uint32_t depth, uint32_t macros)
{
	AUTO(buf_fini) struct buf condition = BUF_INIT(MAX_TEXT);

	/* Half of the rules look like real ones: something shared, then something of their own. */
	if (depth > 1 && rnd(2))
		buf_printf(&condition, "macro%u and %s", rnd(macros), rnd(3) ? "" : "not ");
	if (depth > 1 && rnd(2)) {
		random_type_check(&condition);
		buf_puts(&condition, " and ");
	}
	random_condition(&condition, depth, macros);
	buf_printf(&set->yaml, "- %s: %s%u\n  condition: >\n    %s\n", kind, kind, i,
		buf_cstr(&condition));
	return parse(set, &condition);
}

static void set_init(struct set *set)
{
	*set = (struct set){ .arena = arena_new(MAX_TEXT * 16), .yaml = BUF_INIT(MAX_TEXT) };
	set->rules_n = 1 + rnd(rnd(3) ? 20 : MAX_RULES);
	set->matching = rnd(4) ? RULES_MATCH_ALL : RULES_MATCH_FIRST;
	for (uint32_t i = 0; i < MACROS; i++)
		set->macros[i] = put_definition(set, "macro", i, rnd(2), i);
	for (uint32_t i = 0; i < set->rules_n; i++) {
		set->rules[i] = put_definition(set, "rule", i, rnd(4), MACROS);
		buf_puts(&set->yaml, "  desc: d\n  output: o\n  priority: INFO\n");
	}
}

static void set_fini(struct set *set)
{
	arena_free(set->arena);
	buf_fini(&set->yaml);
}

/* The walk. */

struct walk {
	const struct set *set;
	struct judge_input in;
	struct scratch scratch;
	struct buf text;
	struct field_ctx cx;
};

static enum judge_name user_name(
	void *ctx, const struct container *c, uint32_t uid, struct str *out)
{
	(void)ctx, (void)c;
	if (uid == 7)
		return JUDGE_NAME_PENDING;
	*out = uid ? STR("a") : STR("root");
	return uid == 1001 ? JUDGE_NAME_MISSING : JUDGE_NAME_FOUND;
}

static const struct judge_names judge_names = { .user_name = user_name };

static struct str changed(struct walk *w, enum transform t, struct str s)
{
	char *to = scratch_alloc(&w->scratch, s.n + 1);
	const char *slash = s.n ? memrchr(s.p, '/', s.n) : NULL;

	if (t == TR_BASENAME)
		return slash ? str_of(slash + 1, (size_t)(s.p + s.n - slash) - 1) : s;
	for (size_t i = 0; i < s.n; i++)
		to[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
	return str_of(to, s.n);
}

/* Value, type and flags of a term with a field in it. */
static struct value term_value(
	struct walk *w, const struct ast_term *t, enum field_type *type, uint32_t *flags)
{
	const char *nearest;
	struct field_ref ref;
	struct err e;
	struct value v = { .n = 1 };

	if (t->kind == TERM_TRANSFORM) {
		v = term_value(w, t->args[0], type, flags);
		if (t->transform != TR_VAL && v.state == VALUE_HAVE)
			v.one.s = changed(w, t->transform, v.one.s);
		return v;
	}
	assert_int_equal(fields_resolve(&ref, t->text, t->has_arg, t->arg, &nearest, &e), 0);
	*type = ref.field->type;
	*flags = ref.field->flags;
	if (t->has_arg)
		*flags &= ~(uint32_t)FIELD_F_ANY;
	v.state = ref.field->get(&w->cx, ref.field, &ref.arg, &v);
	return v;
}

static bool compare_text(const struct ast *n, enum field_type type, const union atom *left,
	const struct ast_term *right)
{
	AUTO(re_free) struct re *re = NULL;
	union operand o;
	struct err e;

	assert_int_equal(operand_parse(&o, type, right->text, &e), 0);
	if (n->op != OP_REGEX)
		return operand_compare(n->op, type, left, &o);
	assert_int_equal(re_compile(&re, right->text, true, &e), 0);
	return re_match(re, left->s) == 1;
}

static enum verdict compare_field(
	struct walk *w, const struct ast *n, const struct value *left, enum field_type type)
{
	enum field_type right_type;
	uint32_t right_flags;
	struct value right = term_value(w, n->right[0], &right_type, &right_flags);
	union operand o = { 0 };

	if (right.state != VALUE_HAVE)
		return right.state == VALUE_PENDING ? VERDICT_PENDING : VERDICT_FALSE;
	o.s = right.one.s;
	for (uint32_t i = 0; i < left->n; i++)
		if (operand_compare(n->op, type, value_at(left, i), &o))
			return VERDICT_TRUE;
	return VERDICT_FALSE;
}

static enum verdict walk_check(
	struct walk *w, const struct ast *n, struct ast_term *const *right, size_t right_n)
{
	enum field_type type = FIELD_STR;
	uint32_t flags = 0, hits = 0;
	struct value left = term_value(w, n->left, &type, &flags);
	bool all;

	if (left.state != VALUE_HAVE)
		return left.state == VALUE_PENDING ? VERDICT_PENDING : VERDICT_FALSE;
	if (n->op == OP_EXISTS)
		return VERDICT_TRUE;
	if (right_n == 1 && right[0]->kind != TERM_TEXT)
		return compare_field(w, n, &left, type);
	for (uint32_t i = 0; i < left.n; i++) {
		bool hit = false;

		for (size_t k = 0; k < right_n; k++)
			hit = hit || compare_text(n, type, value_at(&left, i), right[k]);
		hits += hit;
	}
	all = flags & FIELD_F_LIST ? n->op == OP_IN : flags & FIELD_F_SIDES && n->op == OP_NE;
	return (all ? hits == left.n && hits : hits > 0) ? VERDICT_TRUE : VERDICT_FALSE;
}

struct tally {
	uint32_t n, yes, pending;
};

static void count(struct tally *t, enum verdict v)
{
	t->n++;
	t->yes += v == VERDICT_TRUE;
	t->pending += v == VERDICT_PENDING;
}

static enum verdict all_of(struct tally t)
{
	if (t.yes + t.pending < t.n)
		return VERDICT_FALSE;
	return t.pending ? VERDICT_PENDING : VERDICT_TRUE;
}

static enum verdict any_of(struct tally t)
{
	return t.yes ? VERDICT_TRUE : t.pending ? VERDICT_PENDING : VERDICT_FALSE;
}

static enum verdict one_of(struct tally t)
{
	if (t.yes > 1)
		return VERDICT_FALSE;
	return t.pending ? VERDICT_PENDING : t.yes ? VERDICT_TRUE : VERDICT_FALSE;
}

static enum verdict walk_modified(struct walk *w, const struct ast *n)
{
	struct tally t = { 0 };

	for (size_t i = 0; i < n->right_n; i++)
		count(&t, walk_check(w, n, &n->right[i], 1));
	return n->modifier == MOD_ALLOF   ? all_of(t)
	       : n->modifier == MOD_ANYOF ? any_of(t)
					  : one_of(t);
}

static enum verdict walk(struct walk *w, const struct ast *n)
{
	struct tally t = { 0 };
	enum verdict v;

	switch (n->kind) {
	case AST_CHECK:
		return n->modifier ? walk_modified(w, n) : walk_check(w, n, n->right, n->right_n);
	case AST_WORD:
		return walk(w, w->set->macros[n->word.p[n->word.n - 1] - '0']);
	case AST_NOT:
		v = walk(w, n->items[0]);
		return v == VERDICT_PENDING ? v : v == VERDICT_TRUE ? VERDICT_FALSE : VERDICT_TRUE;
	default:
		for (size_t i = 0; i < n->items_n; i++)
			count(&t, walk(w, n->items[i]));
		return n->kind == AST_AND ? all_of(t) : any_of(t);
	}
}

/* What the judge must say: PENDING, or these rules in this order. */
struct expected {
	enum verdict verdict;
	uint32_t n, rules[MAX_RULES];
};

static void expect(const struct set *set, const struct rules_fixture *fx, struct expected *x)
{
	struct walk w = { .set = set, .in = rfx_input(fx), .text = BUF_INIT(1u << 20) };

	w.cx = (struct field_ctx){ .in = &w.in,
		.final = fx->final,
		.scratch = &w.scratch,
		.text = &w.text,
		.names = &judge_names,
		.hostname = STR("node1") };
	*x = (struct expected){ 0 };
	for (uint32_t i = 0; i < set->rules_n && x->verdict != VERDICT_PENDING; i++) {
		enum verdict v;

		scratch_reset(&w.scratch);
		v = walk(&w, set->rules[i]);
		if (v == VERDICT_FALSE)
			continue;
		x->verdict = v;
		x->rules[x->n++] = i;
		if (v == VERDICT_TRUE && set->matching == RULES_MATCH_FIRST)
			break;
	}
	scratch_fini(&w.scratch);
	buf_fini(&w.text);
}

static struct ruleset *load(const struct set *set)
{
	struct rules_text t = { "random.yaml", buf_str(&set->yaml) };
	struct rules_options o = { .matching = set->matching };
	AUTO(rules_report_fini) struct rules_report report = RULES_REPORT_INIT;
	struct ruleset *rs = NULL;
	struct err e = { 0 };

	if (rules_load_text(&rs, &t, 1, &o, &report, &e))
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < report.list.n; i++)
		if (report.list.p[i].level == RULES_ERROR)
			fail_msg("line %u: %s", report.list.p[i].line, report.list.p[i].what);
	assert_int_equal(ruleset_count(rs), set->rules_n);
	return rs;
}

static void show(const struct set *set, const struct expected *x, enum verdict v,
	const struct judge_alerts *alerts)
{
	fprintf(stderr, "expected %d:", (int)x->verdict);
	for (uint32_t i = 0; i < x->n; i++)
		fprintf(stderr, " rule%u", x->rules[i]);
	fprintf(stderr, "\ngot %d:", (int)v);
	for (size_t i = 0; i < alerts->list.n; i++)
		fprintf(stderr, " %s", alerts->list.p[i]->rule);
	fprintf(stderr, "\n%s\n", buf_cstr(&set->yaml));
}

static bool agrees(const struct expected *x, enum verdict v, const struct judge_alerts *alerts)
{
	if (v != x->verdict)
		return false;
	if (v == VERDICT_PENDING)
		return alerts->list.n == 0;
	if (alerts->list.n != x->n)
		return false;
	for (uint32_t i = 0; i < x->n; i++)
		if (strtoul(alerts->list.p[i]->rule + 4, NULL, 10) != x->rules[i])
			return false;
	return true;
}

struct totals {
	uint64_t cases, alerts, pending;
};

static void compare_set(struct totals *totals)
{
	static struct rules_fixture fx;
	static uint64_t hits[MAX_RULES];
	struct set set;

	memset(hits, 0, sizeof(hits));
	set_init(&set);
	struct ruleset *rs = load(&set);
	struct judge *j = judge_new(&(struct judge_options){ .rules = rs,
		.boot_id = STR("boot"),
		.hostname = STR("node1"),
		.names = judge_names });

	for (int i = 0; i < EVENTS; i++) {
		struct judge_alerts alerts = { 0 };
		struct expected x;
		enum verdict v;

		random_event(&fx);
		expect(&set, &fx, &x);
		v = rfx_judge(&fx, j, &alerts);
		if (!agrees(&x, v, &alerts)) {
			show(&set, &x, v, &alerts);
			fail();
		}
		for (size_t k = 0; v == VERDICT_TRUE && k < x.n; k++)
			hits[x.rules[k]]++;
		totals->cases += set.rules_n;
		totals->alerts += alerts.list.n;
		totals->pending += v == VERDICT_PENDING;
		rfx_alerts_fini(&alerts);
	}
	for (uint32_t i = 0; i < set.rules_n; i++)
		assert_int_equal(judge_hits(j, i), hits[i]);
	judge_free(j);
	ruleset_unref(rs);
	set_fini(&set);
}

static void judging_agrees_with_a_walk_over_the_trees(void **state)
{
	const char *seed = getenv("HW_SEED");
	struct totals totals = { 0 };

	(void)state;
	uint64_t from = seed ? strtoull(seed, NULL, 0) : 20240607;

	rnd_seed(from);
	print_message("HW_SEED=%llu\n", (unsigned long long)from);
	for (int i = 0; i < ROUNDS; i++)
		compare_set(&totals);
	print_message("%llu conditions on events, %llu alerts, %llu events pending\n",
		(unsigned long long)totals.cases, (unsigned long long)totals.alerts,
		(unsigned long long)totals.pending);
	/* A run in which hardly anything is true shows nothing. */
	assert_true(totals.cases > 100000);
	assert_true(totals.alerts > 10000);
	assert_true(totals.pending > 200);
}

/* Judge one event by the set; the rules' numbers, joined, or "pending". */
static const char *fired(struct ruleset *rs, const struct rules_fixture *fx)
{
	static char out[256];
	AUTO(judge_free)
	struct judge *j = judge_new(
		&(struct judge_options){ .rules = rs, .boot_id = STR("b"), .hostname = STR("h") });
	struct judge_alerts alerts = { 0 };
	size_t n = 0;

	out[0] = '\0';
	if (rfx_judge(fx, j, &alerts) == VERDICT_PENDING)
		snprintf(out, sizeof(out), "pending");
	for (size_t i = 0; i < alerts.list.n && n < sizeof(out); i++)
		n += (size_t)snprintf(
			out + n, sizeof(out) - n, "%s%s", n ? " " : "", alerts.list.p[i]->rule);
	rfx_alerts_fini(&alerts);
	return out;
}

static struct ruleset *load_many(uint32_t n, const char *condition, const char *tail)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(MAX_TEXT);

	for (uint32_t i = 0; i < n; i++)
		buf_printf(&b,
			"- rule: %u\n  desc: d\n  output: o\n  priority: INFO\n  condition: %s%u%s\n",
			i, condition, i, tail);
	return rfx_load(buf_cstr(&b), NULL);
}

static struct rules_fixture fixture;

static void thousands_of_fields_do_not_need_a_matcher_each(void **state)
{
	AUTO(ruleset_unref) struct ruleset *rs = load_many(3000, "container.label[k", "] = v");
	struct container_label labels[] = { { STR("k2999"), STR("v") }, { STR("k7"), STR("v") },
		{ STR("k8"), STR("w") } };

	(void)state;
	rfx_init(&fixture);
	rfx_container(&fixture, CONTAINER_KNOWN);
	fixture.container.labels = labels;
	fixture.container.labels_n = 3;
	assert_string_equal(fired(rs, &fixture), "7 2999");
	rfx_container(&fixture, CONTAINER_PENDING);
	assert_string_equal(fired(rs, &fixture), "pending");
}

static void rules_are_told_in_their_order_past_a_word_of_bits(void **state)
{
	AUTO(ruleset_unref)
	struct ruleset *rs = load_many(5000, "fd.name startswith /tmp/d", " or fd.filename = x");

	(void)state;
	rfx_init(&fixture);
	rfx_open(&fixture, "/tmp/d4321/y", NULL, 0);
	assert_string_equal(fired(rs, &fixture), "4 43 432 4321");
	rfx_open(&fixture, "/etc/passwd", NULL, 0);
	assert_string_equal(fired(rs, &fixture), "");
}

/* What a matcher that is silent means: also for text that repeats what it holds. */
static void repeated_text_is_told_once(void **state)
{
	AUTO(ruleset_unref) struct ruleset *rs = load_many(40, "proc.cmdline contains a1", "");

	(void)state;
	rfx_init(&fixture);
	rfx_process(&fixture, 0, "x", "/x", "x a17a17a17 a1 a3a17");
	assert_string_equal(fired(rs, &fixture), "7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judging_agrees_with_a_walk_over_the_trees),
		cmocka_unit_test(thousands_of_fields_do_not_need_a_matcher_each),
		cmocka_unit_test(rules_are_told_in_their_order_past_a_word_of_bits),
		cmocka_unit_test(repeated_text_is_told_once),
	};

	return cmocka_run_group_tests_name("rules_program", tests, NULL, NULL);
}
