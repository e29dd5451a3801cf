/*
 * Guesses of what checks cost and how often they hold. Figures are rough and only ever decide an
 * order: those of fields and operators were measured, chances come from looking at ordinary hosts.
 */
#include "rules/program_plan.h"

/* Fields whose values are few, or that cost more than following a pointer. */
static const struct field_guess {
	const char *name;
	float chance; /* that it equals a value that a rule names; 0: by its type */
	float cost;   /* 0: FIELD_COST */
} field_guesses[] = {
	{ "container.id", 0.6f, 0 },
	{ "container.name", 0.05f, 0 },
	{ "container.image.repository", 0.05f, 0 },
	{ "container.type", 0.5f, 0 },
	{ "container.mounts", 0, 100 },
	{ "container.labels", 0, 100 },
	{ "evt.arg.flags", 0, 60 },
	{ "evt.args", 0, 200 },
	{ "evt.info", 0, 200 },
	{ "evt.category", 0.5f, 0 },
	{ "evt.dir", 0.99f, 0 },
	{ "evt.is_open_exec", 0.02f, 20 },
	{ "evt.is_open_read", 0.85f, 20 },
	{ "evt.is_open_write", 0.15f, 20 },
	{ "evt.res", 0.7f, 0 },
	{ "evt.rawres", 0.5f, 0 },
	{ "evt.source", 0.99f, 0 },
	{ "evt.type", 0.3f, 20 },
	{ "fd.directory", 0.002f, 15 },
	{ "fd.filename", 0.003f, 15 },
	{ "fd.l4proto", 0.5f, 0 },
	{ "fd.sockfamily", 0.5f, 0 },
	{ "fd.type", 0.5f, 0 },
	{ "fd.typechar", 0.8f, 0 },
	{ "hw.argv", 0, 60 },
	{ "proc.acmdline", 0, 300 },
	{ "proc.aexe", 0, 60 },
	{ "proc.aexepath", 0, 60 },
	{ "proc.aname", 0.02f, 60 },
	{ "proc.apid", 0, 60 },
	{ "proc.args", 0.01f, 60 },
	{ "proc.cmdline", 0.001f, 80 },
	{ "proc.exeline", 0.001f, 80 },
	{ "proc.pcmdline", 0.001f, 80 },
	{ "proc.tty", 0.8f, 0 },
	{ "thread.cap_effective", 0.3f, 500 },
	{ "thread.cap_inheritable", 0.3f, 500 },
	{ "thread.cap_permitted", 0.3f, 500 },
	{ "user.loginname", 0.3f, 60 },
	{ "user.name", 0.4f, 60 },
	{ "group.name", 0.4f, 60 },
	{ "user.uid", 0.5f, 0 },
	{ "user.loginuid", 0.5f, 0 },
};

#define FIELD_COST     8.0f
#define TRANSFORM_COST 25.0f
#define MEMO_COST      3.0f
#define MAX_COST       1e9f

static const struct field_guess *find_field(const struct slot *s)
{
	for (size_t i = 0; s->kind == SLOT_FIELD && i < ARRAY_N(field_guesses); i++)
		if (strcmp(field_guesses[i].name, s->ref.field->name) == 0)
			return &field_guesses[i];
	return NULL;
}

float guess_slot_cost(const struct program *p, uint32_t slot)
{
	const struct slot *s = &p->slots.p[slot];
	const struct field_guess *g = find_field(s);
	float cost = g && g->cost > 0 ? g->cost : FIELD_COST;

	/* Functions nest a few levels deep; what is inside is what costs. */
	while (s->kind == SLOT_TRANSFORM && s->args_n) {
		cost += TRANSFORM_COST;
		s = &p->slots.p[s->args[s->args_n - 1]];
		g = find_field(s);
		cost += g && g->cost > 0 ? g->cost : FIELD_COST;
	}
	return cost;
}

/* That the value is the one an operand names. */
static float value_chance(const struct slot *s, const struct check *c, const union operand *o)
{
	const struct field_guess *g = find_field(s);

	if (c->type == FIELD_BOOL) {
		float yes = g && g->chance > 0 ? g->chance : 0.2f;

		return o->i ? yes : 1 - yes;
	}
	if (g && strcmp(g->name, "container.id") == 0 && !str_eqz(o->s, "host"))
		return 0.01f;
	if (g && g->chance > 0)
		return g->chance;
	if (s->kind == SLOT_FIELD && s->ref.field->flags & FIELD_F_PATH)
		return 0.001f;
	return c->type == FIELD_STR ? 0.004f : 0.03f;
}

static float literal_chance(enum op op, size_t n)
{
	static const float per_byte[OP_N] = { [OP_STARTSWITH] = 0.45f,
		[OP_ENDSWITH] = 0.5f,
		[OP_CONTAINS] = 0.5f,
		[OP_ICONTAINS] = 0.5f,
		[OP_PMATCH] = 0.5f,
		[OP_GLOB] = 0.7f,
		[OP_IGLOB] = 0.7f };
	float chance = 0.9f;

	/* One byte is nearly always there: most often it is a slash. */
	for (size_t i = 1; i < n && chance > 0.002f; i++)
		chance *= per_byte[op];
	return chance;
}

static float operand_chance(const struct slot *s, const struct check *c, const union operand *o)
{
	switch (c->op) {
	case OP_EQ:
	case OP_NE:
	case OP_IN:
	case OP_INTERSECTS:
		return value_chance(s, c, o);
	case OP_STARTSWITH:
	case OP_ENDSWITH:
	case OP_CONTAINS:
	case OP_ICONTAINS:
	case OP_PMATCH:
	case OP_GLOB:
	case OP_IGLOB:
		return literal_chance(c->op, o->s.n);
	case OP_REGEX:
		return 0.1f;
	case OP_GT:
	case OP_GE:
		return 0.8f;
	default:
		return 0.3f;
	}
}

static float check_chance(const struct program *p, const struct check *c)
{
	const struct slot *s = &p->slots.p[c->slot];
	float chance = 0;

	if (c->op == OP_EXISTS)
		return 0.9f;
	if (c->right_slot != NO_SLOT)
		return c->op == OP_NE ? 0.7f : 0.2f;
	for (uint32_t i = 0; i < c->n && chance < 1; i++)
		chance += operand_chance(s, c, &c->operands[i]);
	chance = chance > 0.98f ? 0.98f : chance;
	return c->op == OP_NE ? 1 - chance : chance;
}

static float op_cost(const struct check *c)
{
	switch (c->op) {
	case OP_REGEX:
		return 300;
	case OP_ICONTAINS:
		return 60;
	case OP_GLOB:
	case OP_IGLOB:
		return 40;
	case OP_PMATCH:
		return 30 * (float)c->n;
	case OP_CONTAINS:
		return 15;
	default:
		return c->set ? 15 : 3;
	}
}

/* Slots are shared: only half of what one costs counts for a check that may be its first. */
static struct guess guess_check(const struct program *p, const struct check *c)
{
	float cost = MEMO_COST + op_cost(c) + guess_slot_cost(p, c->slot) / 2;

	if (c->right_slot != NO_SLOT)
		cost += guess_slot_cost(p, c->right_slot) / 2;
	return (struct guess){ cost, check_chance(p, c) };
}

static struct guess guess_kids(
	const struct program *p, const struct node *n, const struct guess *all)
{
	struct guess g = { MEMO_COST, 1 };
	bool both = n->kind == NODE_AND;

	for (uint32_t i = 0; i < n->n; i++) {
		const struct guess *kid = &all[p->kids.p[n->first + i]];

		/* g.chance is that the kids so far did not end it. */
		g.cost += kid->cost * g.chance;
		g.chance *= both ? kid->chance : 1 - kid->chance;
	}
	if (!both)
		g.chance = 1 - g.chance;
	/* Macros in macros multiply: stay where floats can be compared. */
	g.cost = g.cost < MAX_COST ? g.cost : MAX_COST;
	return g;
}

struct guess *program_guess(const struct program *p)
{
	struct guess *all = xcalloc(p->nodes.n + 1, sizeof(*all));

	for (size_t i = 0; i < p->nodes.n; i++) {
		const struct node *n = &p->nodes.p[i];

		if (n->kind == NODE_CHECK)
			all[i] = guess_check(p, &p->checks.p[n->first]);
		else if (n->kind == NODE_NOT)
			all[i] = (struct guess){ MEMO_COST + all[n->first].cost,
				1 - all[n->first].chance };
		else
			all[i] = guess_kids(p, n, all);
	}
	return all;
}

struct ranked {
	float rank;
	uint32_t at, node;
};

/* Equal ones stay as they were written. */
static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

void guess_sort(uint32_t *nodes, size_t n, const struct guess *guesses, bool all)
{
	AUTO_FREE struct ranked *order = NULL;

	if (n < 2)
		return;
	order = xcalloc(n, sizeof(*order));
	for (size_t i = 0; i < n; i++) {
		const struct guess *g = &guesses[nodes[i]];
		float ends = all ? 1 - g->chance : g->chance;

		order[i] = (struct ranked){ g->cost / (ends + 0.001f), (uint32_t)i, nodes[i] };
	}
	qsort(order, n, sizeof(*order), by_rank);
	for (size_t i = 0; i < n; i++)
		nodes[i] = order[i].node;
}

/* The verdict of a node does not depend on the order of its children. */
void program_sort_kids(struct program *p, const struct guess *guesses)
{
	for (size_t i = 0; i < p->nodes.n; i++) {
		const struct node *n = &p->nodes.p[i];

		if ((n->kind == NODE_AND || n->kind == NODE_OR) && n->n)
			guess_sort(&p->kids.p[n->first], n->n, guesses, n->kind == NODE_AND);
	}
}
