#include "rules/program_impl.h"

static bool is_field(const struct slot *s, const char *name)
{
	return s->kind == SLOT_FIELD && strcmp(s->ref.field->name, name) == 0;
}

static struct type_set named(const struct check *c)
{
	struct type_set set = { 0 };

	for (uint32_t i = 0; i < c->n; i++) {
		int t = types_find(c->operands[i].s);

		if (t >= 0)
			type_set_add(&set, (size_t)t);
	}
	return set;
}

static struct type_set opens(void)
{
	static const char *const names[] = { "open", "openat", "openat2", "creat",
		"open_by_handle_at" };
	struct type_set set = { 0 };

	for (size_t i = 0; i < ARRAY_N(names); i++)
		type_set_add(&set, (size_t)types_find(str_from(names[i])));
	return set;
}

/* yes: where the check can be true; no: where it can be false. */
static void check_types(
	const struct program *p, const struct check *c, struct type_set *yes, struct type_set *no)
{
	const struct slot *s = &p->slots.p[c->slot];
	bool fixed = c->right_slot == NO_SLOT;

	*yes = *no = type_set_all();
	if (!fixed)
		return;
	if (is_field(s, "evt.type") &&
		(c->op == OP_EQ || c->op == OP_IN || c->op == OP_INTERSECTS)) {
		*yes = named(c);
		*no = type_set_not(yes);
	} else if (is_field(s, "evt.type") && c->op == OP_NE) {
		*no = named(c);
		*yes = type_set_not(no);
	} else if (is_field(s, "evt.num") && c->op == OP_EQ && c->operands[0].i == 0) {
		*yes = (struct type_set){ 0 };
	} else if (s->kind == SLOT_FIELD && s->ref.field->flags & FIELD_F_OPENS && c->op == OP_EQ &&
		   c->operands[0].i) {
		*yes = opens();
	}
}

static void combine(struct type_set *into, const struct type_set *with, bool both)
{
	if (both)
		type_set_and(into, with);
	else
		type_set_or(into, with);
}

static void node_types(const struct program *p, const struct node *n, const struct type_set *yes,
	const struct type_set *no, struct type_set *out_yes, struct type_set *out_no)
{
	bool all = n->kind == NODE_AND;

	if (n->kind == NODE_CHECK) {
		check_types(p, &p->checks.p[n->first], out_yes, out_no);
		return;
	}
	if (n->kind == NODE_NOT) {
		*out_yes = no[n->first];
		*out_no = yes[n->first];
		return;
	}
	/* AND is true where all can be, false where any can be; OR the other way round. */
	*out_yes = all ? type_set_all() : (struct type_set){ 0 };
	*out_no = all ? (struct type_set){ 0 } : type_set_all();
	for (uint32_t i = 0; i < n->n; i++) {
		uint32_t kid = p->kids.p[n->first + i];

		combine(out_yes, &yes[kid], all);
		combine(out_no, &no[kid], !all);
	}
	if (n->kind == NODE_ONE)
		*out_no = type_set_all();
}

struct type_set *program_types(const struct program *p, size_t *n)
{
	struct type_set *yes = xcalloc(p->nodes.n + 1, sizeof(*yes));
	struct type_set *no = xcalloc(p->nodes.n + 1, sizeof(*no));

	/* Children come first, so one pass upwards is enough. */
	for (size_t i = 0; i < p->nodes.n; i++)
		node_types(p, &p->nodes.p[i], yes, no, &yes[i], &no[i]);
	free(no);
	*n = p->nodes.n;
	return yes;
}
