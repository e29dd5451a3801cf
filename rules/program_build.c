#include "rules/program_plan.h"

#include "rules/parse.h"

#include <assert.h>

/* All rules of a set together. */
#define PROGRAM_MAX_BYTES (512u << 20)
#define PROGRAM_MAX_NODES (1u << 24)
#define KEY_MAX_BYTES     (1u << 20)

static int add_node(struct program_build *b, const struct ast *n, uint32_t *out, struct err *e);

struct program *program_new(void)
{
	struct program *p = xcalloc(1, sizeof(*p));

	p->arena = arena_new(PROGRAM_MAX_BYTES);
	p->known = map_new(NULL);
	return p;
}

void program_free(struct program *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->checks.n; i++)
		re_free(p->checks.p[i].re);
	plan_free(p->plan);
	vec_fini(&p->nodes);
	vec_fini(&p->kids);
	vec_fini(&p->checks);
	vec_fini(&p->slots);
	map_free(p->known);
	arena_free(p->arena);
	free(p);
}

struct program_slot_info program_slot_info(const struct program *p, uint32_t slot)
{
	const struct slot *s = &p->slots.p[slot];

	return (struct program_slot_info){ .type = s->type,
		.several = s->flags & (FIELD_F_LIST | FIELD_F_ANY | FIELD_F_SIDES),
		.field = s->kind == SLOT_FIELD ? s->ref.field : NULL };
}

static int no_memory(struct err *e)
{
	return err_set(e, ERR_LIMIT, "the rules together need too much memory");
}

static bool find_known(const struct program *p, const struct buf *key, uint32_t *out)
{
	uintptr_t at;

	assert(p->known); /* not arranged yet */
	at = key->full ? 0 : (uintptr_t)map_get(p->known, buf_str(key));
	if (at)
		*out = (uint32_t)(at - 1);
	return at != 0;
}

static void remember(struct program *p, const struct buf *key, uint32_t index)
{
	if (!key->full)
		map_put(p->known, buf_str(key), (void *)((uintptr_t)index + 1));
}

static int fail_at(struct program_build *b, size_t at)
{
	b->at = at;
	return -1;
}

/* Slots: fields, literals and functions of those. */

static uint32_t add_slot(struct program *p, const struct slot *s, const struct buf *key)
{
	uint32_t index = (uint32_t)p->slots.n;

	vec_push(&p->slots, *s);
	remember(p, key, index);
	return index;
}

static int copy_str(struct program *p, struct str *out, struct str s, struct err *e)
{
	*out = arena_str(p->arena, s);
	return out->p ? 0 : no_memory(e);
}

static int fill_field(
	struct program_build *b, const struct ast_term *t, struct slot *s, struct err *e)
{
	struct str arg = { 0 };

	if (t->has_arg && copy_str(b->program, &arg, t->arg, e))
		return -1;
	if (b->resolve ? b->resolve(b->ctx, &s->ref, t, arg, &b->nearest, e)
		       : fields_resolve(&s->ref, t->text, t->has_arg, arg, &b->nearest, e))
		return fail_at(b, t->at);
	s->kind = SLOT_FIELD;
	s->type = s->ref.field->type;
	s->flags = s->ref.field->flags & (FIELD_F_ANY | FIELD_F_SIDES | FIELD_F_LIST);
	if (s->ref.arg.given)
		s->flags &= ~(uint32_t)FIELD_F_ANY;
	return 0;
}

static bool wants_list(enum transform t, uint32_t arg)
{
	return (t == TR_JOIN && arg == 1) || (t == TR_GETOPT && arg == 0);
}

static int check_transform_arg(struct program_build *b, const struct ast_term *t, uint32_t i,
	const struct slot *arg, struct err *e)
{
	bool list = arg->flags & FIELD_F_LIST;
	const char *name = transform_name(t->transform);

	b->at = t->args[i]->at;
	if (arg->flags & (FIELD_F_ANY | FIELD_F_SIDES))
		return err_set(e, ERR_CONFIG, "%s() cannot take a field with several values", name);
	if (t->transform == TR_LEN || t->transform == TR_VAL)
		return 0;
	if (arg->type != FIELD_STR)
		return err_set(e, ERR_CONFIG, "%s() takes text, not a field of type %s", name,
			field_type_name(arg->type));
	if (t->transform == TR_GETOPT && wants_list(t->transform, i) && !list)
		return err_set(e, ERR_CONFIG, "%s() takes a list here", name);
	if (list && !wants_list(t->transform, i) &&
		(t->transform == TR_JOIN || t->transform == TR_CONCAT || t->transform == TR_GETOPT))
		return err_set(e, ERR_CONFIG, "%s() cannot take a list here", name);
	return 0;
}

static void set_transform_type(const struct program *p, struct slot *s)
{
	const struct slot *first = &p->slots.p[s->args[0]];

	s->type = FIELD_STR;
	switch (s->transform) {
	case TR_LEN:
		s->type = FIELD_INT;
		break;
	case TR_VAL:
		s->type = first->type;
		s->flags = first->flags;
		break;
	case TR_JOIN:
	case TR_CONCAT:
		break;
	case TR_GETOPT:
		s->flags = s->arg.given ? 0 : FIELD_F_LIST;
		break;
	default:
		s->flags = first->flags & FIELD_F_LIST;
	}
}

static int fill_transform(
	struct program_build *b, const struct ast_term *t, struct slot *s, struct err *e)
{
	struct program *p = b->program;
	uint32_t *args = arena_alloc(p->arena, (t->args_n + 1) * sizeof(*args));

	if (!args)
		return no_memory(e);
	for (uint32_t i = 0; i < t->args_n; i++) {
		if (program_add_term(b, t->args[i], &args[i], e) ||
			check_transform_arg(b, t, i, &p->slots.p[args[i]], e))
			return -1;
	}
	s->kind = SLOT_TRANSFORM;
	s->transform = t->transform;
	s->args = args;
	s->args_n = (uint32_t)t->args_n;
	s->arg.given = t->has_arg;
	if (t->has_arg && copy_str(p, &s->arg.text, t->arg, e))
		return -1;
	set_transform_type(p, s);
	return 0;
}

static int fill_slot(
	struct program_build *b, const struct ast_term *t, struct slot *s, struct err *e)
{
	if (t->kind == TERM_FIELD)
		return fill_field(b, t, s, e);
	if (t->kind == TERM_TRANSFORM)
		return fill_transform(b, t, s, e);
	s->kind = SLOT_TEXT;
	s->type = FIELD_STR;
	return copy_str(b->program, &s->text, t->text, e);
}

int program_add_term(
	struct program_build *b, const struct ast_term *t, uint32_t *slot, struct err *e)
{
	AUTO(buf_fini) struct buf key = BUF_INIT(KEY_MAX_BYTES);
	struct slot s = { 0 };
	int rc;

	b->at = t->at;
	buf_puts(&key, t->kind == TERM_TEXT ? "text " : "slot ");
	ast_print_term(&key, t);
	if (find_known(b->program, &key, slot))
		return 0;
	rc = ++b->program->depth > RULES_MAX_DEPTH
		     ? err_set(e, ERR_LIMIT, "nested deeper than 1000 levels")
		     : fill_slot(b, t, &s, e);
	b->program->depth--;
	if (rc)
		return -1;
	*slot = add_slot(b->program, &s, &key);
	return 0;
}

/* Nodes. */

static int new_node(struct program *p, enum node_kind kind, uint32_t first, uint32_t n,
	unsigned int depth, uint32_t *out, struct err *e)
{
	if (p->nodes.n >= PROGRAM_MAX_NODES)
		return no_memory(e);
	if (depth > RULES_MAX_DEPTH)
		return err_set(e, ERR_LIMIT, "nested deeper than 1000 levels, macros included");
	*out = (uint32_t)p->nodes.n;
	vec_push(&p->nodes,
		((struct node){
			.kind = (uint8_t)kind, .depth = (uint16_t)depth, .first = first, .n = n }));
	return 0;
}

/* A node over children that exist, or the one that is there already. */
static int join_nodes(struct program *p, enum node_kind kind, const uint32_t *kids, size_t n,
	uint32_t *out, struct err *e)
{
	AUTO(buf_fini) struct buf key = BUF_INIT(KEY_MAX_BYTES);
	unsigned int depth = 0;
	uint32_t first = (uint32_t)p->kids.n;

	buf_printf(&key, "node %d ", (int)kind);
	buf_put(&key, kids, n * sizeof(*kids));
	if (find_known(p, &key, out))
		return 0;
	for (size_t i = 0; i < n; i++)
		depth = p->nodes.p[kids[i]].depth > depth ? p->nodes.p[kids[i]].depth : depth;
	if (kind == NODE_NOT) {
		first = kids[0];
	} else {
		for (size_t i = 0; i < n; i++)
			vec_push(&p->kids, kids[i]);
	}
	if (new_node(p, kind, first, (uint32_t)n, depth + 1, out, e))
		return -1;
	remember(p, &key, *out);
	return 0;
}

/* Remarks on what works but cannot be meant. */
static void warn_check(struct program_build *b, const struct check *c, const struct ast *n)
{
	const struct slot *s = &b->program->slots.p[c->slot];

	if (!b->warn || s->kind != SLOT_FIELD)
		return;
	if (strcmp(s->ref.field->name, "evt.dir") == 0)
		b->warn(b->ctx, n->at, NULL,
			"evt.dir is deprecated: there are only ends of calls (<)");
	if (strcmp(s->ref.field->name, "evt.type") != 0)
		return;
	for (uint32_t i = 0; i < c->n && (c->op == OP_EQ || c->op == OP_IN); i++)
		if (types_find(c->operands[i].s) < 0)
			b->warn(b->ctx, n->right[i]->at, types_nearest(c->operands[i].s),
				"unknown event type, which never happens");
}

static int parse_operands(struct program_build *b, struct check *c, struct ast_term *const *right,
	size_t n, struct err *e)
{
	union operand *all = arena_alloc(b->program->arena, (n + 1) * sizeof(*all));

	if (!all)
		return no_memory(e);
	for (size_t i = 0; i < n; i++) {
		struct str text;

		if (copy_str(b->program, &text, right[i]->text, e))
			return -1;
		if (operand_parse(&all[i], c->type, text, e))
			return fail_at(b, right[i]->at);
	}
	c->operands = all;
	c->n = (uint32_t)n;
	return 0;
}

static int fill_right_slot(
	struct program_build *b, struct check *c, const struct ast_term *t, struct err *e)
{
	const struct slot *right;

	if (program_add_term(b, t, &c->right_slot, e))
		return -1;
	b->at = t->at;
	right = &b->program->slots.p[c->right_slot];
	if (c->op == OP_REGEX)
		return err_set(e, ERR_CONFIG, "regex needs a fixed pattern");
	if (!operand_same_kind(c->type, right->type) || c->type == FIELD_NET)
		return err_set(e, ERR_CONFIG,
			"a field of type %s cannot be compared with one of type %s",
			field_type_name(c->type), field_type_name(right->type));
	if (right->flags && c->op != OP_IN && c->op != OP_INTERSECTS)
		return err_set(
			e, ERR_CONFIG, "the right side has several values; use in or intersects");
	return 0;
}

static int fill_right(struct program_build *b, struct check *c, struct ast_term *const *right,
	size_t n, struct err *e)
{
	if (n == 1 && right[0]->kind != TERM_TEXT)
		return fill_right_slot(b, c, right[0], e);
	if (parse_operands(b, c, right, n, e))
		return -1;
	if (c->op == OP_REGEX && re_compile(&c->re, c->operands[0].s, true, e))
		return fail_at(b, right[0]->at);
	if (c->type == FIELD_STR && (c->op == OP_IN || c->op == OP_INTERSECTS)) {
		c->set = str_set_new(b->program->arena, c->operands, n);
		if (!c->set)
			return no_memory(e);
	}
	return 0;
}

/* One check with `n` of the operands on its right. */
static int add_check(struct program_build *b, const struct ast *n, struct ast_term *const *right,
	size_t right_n, uint32_t *out, struct err *e)
{
	struct program *p = b->program;
	struct ast single = *n;
	struct check c = { .op = n->op, .right_slot = NO_SLOT };
	AUTO(buf_fini) struct buf key = BUF_INIT(KEY_MAX_BYTES);

	single.modifier = MOD_NONE;
	single.right = (struct ast_term **)right;
	single.right_n = right_n;
	buf_puts(&key, "check ");
	ast_print(&key, &single);
	if (program_add_term(b, n->left, &c.slot, e))
		return -1;
	if (find_known(p, &key, out))
		return 0;
	c.type = p->slots.p[c.slot].type;
	c.flags = p->slots.p[c.slot].flags;
	if (operand_check_op(c.op, c.type, c.flags & FIELD_F_LIST, e))
		return fail_at(b, n->at);
	if (fill_right(b, &c, right, right_n, e)) {
		re_free(c.re);
		return -1;
	}
	warn_check(b, &c, &single);
	vec_push(&p->checks, c);
	if (new_node(p, NODE_CHECK, (uint32_t)p->checks.n - 1, 0, 1, out, e))
		return -1;
	remember(p, &key, *out);
	return 0;
}

/* `op anyof (a, b)` is shorthand for checks with one value each. */
static int add_modified(struct program_build *b, const struct ast *n, uint32_t *out, struct err *e)
{
	static const enum node_kind kinds[] = {
		[MOD_ONEOF] = NODE_ONE, [MOD_ANYOF] = NODE_OR, [MOD_ALLOF] = NODE_AND
	};
	VEC(uint32_t) kids = { 0 };
	int rc = 0;

	for (size_t i = 0; i < n->right_n && !rc; i++) {
		uint32_t kid;

		rc = add_check(b, n, &n->right[i], 1, &kid, e);
		if (!rc)
			vec_push(&kids, kid);
	}
	if (!rc)
		rc = join_nodes(b->program, kinds[n->modifier], kids.p, kids.n, out, e);
	vec_fini(&kids);
	return rc;
}

static int add_kids(struct program_build *b, const struct ast *n, uint32_t *out, struct err *e)
{
	static const enum node_kind kinds[] = {
		[AST_AND] = NODE_AND, [AST_OR] = NODE_OR, [AST_NOT] = NODE_NOT
	};
	VEC(uint32_t) kids = { 0 };
	int rc = 0;

	for (size_t i = 0; i < n->items_n && !rc; i++) {
		uint32_t kid;

		rc = add_node(b, n->items[i], &kid, e);
		if (!rc)
			vec_push(&kids, kid);
	}
	if (!rc) {
		b->at = n->at;
		rc = join_nodes(b->program, kinds[n->kind], kids.p, kids.n, out, e);
	}
	vec_fini(&kids);
	return rc;
}

static int add_macro(struct program_build *b, const struct ast *n, uint32_t *out, struct err *e)
{
	b->at = n->at;
	if (!b->macro)
		return err_set(e, ERR_CONFIG, "unknown macro %.*s", STR_ARG(n->word));
	return b->macro(b->ctx, n->word, out, &b->nearest, e);
}

static int add_node(struct program_build *b, const struct ast *n, uint32_t *out, struct err *e)
{
	int rc;

	b->at = n->at;
	/* Counts macros too, which may refer to each other in a chain of any length. */
	if (++b->program->depth > RULES_MAX_DEPTH)
		return err_set(e, ERR_LIMIT, "nested deeper than 1000 levels, macros included");
	if (n->kind == AST_WORD)
		rc = add_macro(b, n, out, e);
	else if (n->kind != AST_CHECK)
		rc = add_kids(b, n, out, e);
	else if (n->modifier)
		rc = add_modified(b, n, out, e);
	else
		rc = add_check(b, n, n->right, n->right_n, out, e);
	b->program->depth--;
	return rc;
}

int program_add(struct program_build *b, const struct ast *tree, uint32_t *node, struct err *e)
{
	unsigned int depth = b->program->depth;
	int rc;

	b->nearest = NULL;
	rc = add_node(b, tree, node, e);
	b->program->depth = depth;
	return rc;
}
