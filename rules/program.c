#include "rules/program_impl.h"

/* Texts that extractors build: longer ones are cut. */
#define TEXT_MAX_BYTES (1u << 20)

#define MAX_GENERATION (UINT32_MAX >> 2)

struct program_state *program_state_new(
	const struct program *p, const struct judge_names *names, struct str hostname)
{
	struct program_state *s = xcalloc(1, sizeof(*s));

	s->program = p;
	s->verdicts = xcalloc(p->nodes.n + 1, sizeof(*s->verdicts));
	s->values = xcalloc(p->slots.n + 1, sizeof(*s->values));
	if (names)
		s->names = *names;
	s->hostname = xstrndup(hostname.n ? hostname.p : "", hostname.n);
	s->text = (struct buf)BUF_INIT(TEXT_MAX_BYTES);
	s->cx = (struct field_ctx){ .in = &s->in,
		.scratch = &s->scratch,
		.text = &s->text,
		.names = &s->names,
		.hostname = str_from(s->hostname) };
	program_find_init(s);
	return s;
}

void program_state_free(struct program_state *s)
{
	if (!s)
		return;
	program_find_fini(s);
	scratch_fini(&s->scratch);
	buf_fini(&s->text);
	free(s->hostname);
	free(s->verdicts);
	free(s->values);
	free(s);
}

const struct program *program_of(const struct program_state *s)
{
	return s->program;
}

static void forget_all(struct program_state *s)
{
	memset(s->verdicts, 0, s->program->nodes.n * sizeof(*s->verdicts));
	for (size_t i = 0; i < s->program->slots.n; i++)
		s->values[i].generation = 0;
	program_find_forget(s);
	s->generation = 0;
}

void program_begin(struct program_state *s, const struct judge_input *in, bool final)
{
	if (s->generation == MAX_GENERATION)
		forget_all(s);
	s->generation++;
	s->in = *in;
	s->cx.final = final;
	scratch_reset(&s->scratch);
}

uint64_t program_re_limits(const struct program_state *s)
{
	return s->re_limits;
}

/* At most a handful of transformers nest; their depth was bounded when they were built. */
static enum value_state transform_slot(
	struct program_state *s, const struct slot *slot, struct value *out)
{
	const struct value **args = scratch_alloc(&s->scratch, (slot->args_n + 1) * sizeof(*args));

	if (!args)
		return VALUE_MISSING;
	for (uint32_t i = 0; i < slot->args_n; i++) {
		args[i] = program_value(s, slot->args[i]);
		if (args[i]->state != VALUE_HAVE)
			return args[i]->state;
	}
	return transform_apply(&s->cx, slot, args, out);
}

const struct value *program_value(struct program_state *s, uint32_t index)
{
	const struct slot *slot = &s->program->slots.p[index];
	struct slot_value *v = &s->values[index];

	if (v->generation == s->generation)
		return &v->value;
	v->generation = s->generation;
	v->value.n = 1;
	v->value.many = NULL;
	if (slot->kind == SLOT_FIELD) {
		v->value.state = slot->ref.field->get(
			&s->cx, slot->ref.field, &slot->ref.arg, &v->value);
	} else if (slot->kind == SLOT_TRANSFORM) {
		v->value.state = transform_slot(s, slot, &v->value);
	} else {
		v->value.state = VALUE_HAVE;
		v->value.one.s = slot->text;
	}
	return &v->value;
}

static bool match_re(struct program_state *s, const struct re *re, struct str subject)
{
	int rc = re_match(re, subject);

	s->re_limits += rc < 0;
	return rc == 1;
}

/* One value against the operands that stand in the rule. */
static bool match_fixed(struct program_state *s, const struct check *c, const union atom *left)
{
	if (c->set)
		return str_set_has(c->set, left->s);
	if (c->re)
		return match_re(s, c->re, left->s);
	for (uint32_t i = 0; i < c->n; i++)
		if (operand_compare(c->op, c->type, left, &c->operands[i]))
			return true;
	return false;
}

static union operand as_operand(enum field_type type, const union atom *a)
{
	union operand o = { 0 };

	if (type == FIELD_STR)
		o.s = a->s;
	else if (type == FIELD_IP)
		o.ip = a->ip;
	else
		o.i = a->i;
	return o;
}

/* One value against those of another field. */
static bool match_values(const struct check *c, const union atom *left, const struct value *right)
{
	for (uint32_t i = 0; i < right->n; i++) {
		union operand o = as_operand(c->type, value_at(right, i));

		if (operand_compare(c->op, c->type, left, &o))
			return true;
	}
	return false;
}

/* Several values on the left: must all of them match, or any? */
static bool wants_all(const struct check *c)
{
	if (c->flags & FIELD_F_LIST)
		return c->op == OP_IN;
	return c->flags & FIELD_F_SIDES && c->op == OP_NE;
}

static bool match_left(struct program_state *s, const struct check *c, const struct value *left,
	const struct value *right)
{
	bool all = wants_all(c);

	for (uint32_t i = 0; i < left->n; i++) {
		const union atom *a = value_at(left, i);
		bool match = right ? match_values(c, a, right) : match_fixed(s, c, a);

		if (match != all)
			return match;
	}
	return all && left->n > 0;
}

/* A missing value makes the check false whatever its operator is. */
static enum verdict eval_check(struct program_state *s, const struct check *c)
{
	static const enum verdict absent[] = {
		[VALUE_MISSING] = VERDICT_FALSE, [VALUE_PENDING] = VERDICT_PENDING
	};
	const struct value *left, *right = NULL;

	/* The matcher set to TRUE what it found. */
	if (c->matcher && s->ran[c->matcher - 1] == s->generation)
		return VERDICT_FALSE;
	left = program_value(s, c->slot);
	if (left->state != VALUE_HAVE)
		return absent[left->state];
	if (c->op == OP_EXISTS)
		return VERDICT_TRUE;
	if (c->right_slot != NO_SLOT) {
		right = program_value(s, c->right_slot);
		if (right->state != VALUE_HAVE)
			return absent[right->state];
	}
	return match_left(s, c, left, right) ? VERDICT_TRUE : VERDICT_FALSE;
}

/* Ends early on `stop`; a pending child decides only when no other does. */
static enum verdict eval_kids(struct program_state *s, const struct node *n, enum verdict stop)
{
	enum verdict result = stop == VERDICT_FALSE ? VERDICT_TRUE : VERDICT_FALSE;

	for (uint32_t i = 0; i < n->n; i++) {
		enum verdict v = program_eval(s, s->program->kids.p[n->first + i]);

		if (v == stop)
			return stop;
		if (v == VERDICT_PENDING)
			result = VERDICT_PENDING;
	}
	return result;
}

static enum verdict eval_one(struct program_state *s, const struct node *n)
{
	uint32_t hits = 0, pending = 0;

	for (uint32_t i = 0; i < n->n && hits < 2; i++) {
		enum verdict v = program_eval(s, s->program->kids.p[n->first + i]);

		hits += v == VERDICT_TRUE;
		pending += v == VERDICT_PENDING;
	}
	if (hits > 1)
		return VERDICT_FALSE;
	if (pending)
		return VERDICT_PENDING;
	return hits == 1 ? VERDICT_TRUE : VERDICT_FALSE;
}

static enum verdict eval_node(struct program_state *s, const struct node *n)
{
	enum verdict v;

	switch ((enum node_kind)n->kind) {
	case NODE_CHECK:
		return eval_check(s, &s->program->checks.p[n->first]);
	case NODE_AND:
		return eval_kids(s, n, VERDICT_FALSE);
	case NODE_OR:
		return eval_kids(s, n, VERDICT_TRUE);
	case NODE_ONE:
		return eval_one(s, n);
	default:
		v = program_eval(s, n->first);
		return v == VERDICT_PENDING ? v : v == VERDICT_TRUE ? VERDICT_FALSE : VERDICT_TRUE;
	}
}

enum verdict program_eval(struct program_state *s, uint32_t node)
{
	uint32_t seen = s->verdicts[node];
	enum verdict v;

	if (seen >> 2 == s->generation)
		return (enum verdict)(seen & 3);
	v = eval_node(s, &s->program->nodes.p[node]);
	s->verdicts[node] = s->generation << 2 | (uint32_t)v;
	return v;
}
