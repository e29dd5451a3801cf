/* What must be in a field for a check on it to hold; and what the event's type alone decides. */
#include "rules/program_plan.h"

#include "rules/glob.h"

/* A literal that every text matching a pattern holds. */
struct literal {
	struct str s;
	bool at_start;
};

/*
 * The longest run of ordinary bytes of a shell pattern. Behind a set nothing is looked at: where a
 * set ends is the matcher's matter.
 */
static struct literal glob_literal(struct str p)
{
	struct literal best = { 0 };
	size_t from = 0;

	for (size_t i = 0; i <= p.n; i++) {
		if (i < p.n && !strchr("*?[\\", p.p[i]))
			continue;
		if (i - from > best.s.n)
			best = (struct literal){ str_of(p.p + from, i - from), from == 0 };
		if (i < p.n && p.p[i] == '[')
			break;
		from = i + 1;
	}
	return best;
}

/* The longest part of a path that is no pattern: slashes may be written in many ways. */
static struct literal path_literal(struct str path)
{
	struct literal best = { 0 };

	while (path.n) {
		struct str part = str_cut(&path, '/');

		if (part.n > best.s.n && glob_is_plain(part))
			best.s = part;
	}
	return best;
}

static struct literal literal_of(enum op op, struct str operand)
{
	switch (op) {
	case OP_GLOB:
		return glob_literal(operand);
	case OP_IGLOB:
		return (struct literal){ glob_literal(operand).s, false };
	case OP_PMATCH:
		return path_literal(operand);
	default:
		return (struct literal){ operand, op == OP_STARTSWITH || op == OP_ENDSWITH };
	}
}

static bool have_literals(const struct check *c)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (!literal_of(c->op, c->operands[i].s).s.n)
			return false;
	return true;
}

static bool all_plain(const struct check *c)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (!glob_is_plain(c->operands[i].s))
			return false;
	return true;
}

static bool is_equality(enum op op)
{
	return op == OP_EQ || op == OP_IN || op == OP_INTERSECTS;
}

static bool text_kind(const struct check *c, enum matcher_kind *kind, bool *exact)
{
	static const enum matcher_kind kinds[OP_N] = { [OP_STARTSWITH] = MATCHER_FORWARD,
		[OP_CONTAINS] = MATCHER_FORWARD,
		[OP_GLOB] = MATCHER_FORWARD,
		[OP_ENDSWITH] = MATCHER_BACKWARD,
		[OP_ICONTAINS] = MATCHER_FOLDED,
		[OP_IGLOB] = MATCHER_FOLDED,
		[OP_PMATCH] = MATCHER_PATHS };

	*kind = kinds[c->op];
	*exact = c->op != OP_GLOB && c->op != OP_IGLOB;
	if (c->op == OP_PMATCH && all_plain(c))
		return true;
	if (c->op == OP_PMATCH) {
		*kind = MATCHER_FORWARD;
		*exact = false;
	}
	return *kind != MATCHER_KEYS && have_literals(c);
}

bool atom_kind(const struct check *c, enum matcher_kind *kind, bool *exact)
{
	/* Booleans make gates. */
	if (c->right_slot != NO_SLOT || c->op == OP_EXISTS || c->type == FIELD_NET ||
		c->type == FIELD_BOOL)
		return false;
	if (is_equality(c->op)) {
		*kind = MATCHER_KEYS;
		/* Of a list all have to be in the set, so one that is proves nothing. */
		*exact = !(c->op == OP_IN && c->flags & FIELD_F_LIST);
		return true;
	}
	return c->type == FIELD_STR && text_kind(c, kind, exact);
}

struct str atom_key(enum field_type type, const union atom *a, struct key_bytes *tmp)
{
	if (type == FIELD_STR)
		return a->s;
	if (type != FIELD_IP) {
		memcpy(tmp->bytes, &a->i, sizeof(a->i));
		return str_of(tmp->bytes, sizeof(a->i));
	}
	tmp->bytes[0] = a->ip.family;
	memcpy(tmp->bytes + 1, a->ip.addr, 16);
	return str_of(tmp->bytes, a->ip.family == EVENT_AF_INET ? 5 : 17);
}

static bool add_key(struct matcher *m, const struct check *c, const union operand *o, uint32_t atom)
{
	struct key_bytes tmp;
	union atom a = { 0 };

	if (m->kind == MATCHER_PATHS)
		return !o->s.n || match_keys_add_path(m->keys, o->s, atom);
	if (c->type == FIELD_STR)
		a.s = o->s;
	else if (c->type == FIELD_IP)
		a.ip = o->ip;
	else
		a.i = o->i;
	return match_keys_add(m->keys, atom_key(c->type, &a, &tmp), atom);
}

bool atom_add(struct matcher *m, const struct check *c, uint32_t atom)
{
	for (uint32_t i = 0; i < c->n; i++) {
		struct literal l;

		if (m->keys) {
			if (!add_key(m, c, &c->operands[i], atom))
				return false;
			continue;
		}
		l = literal_of(c->op, c->operands[i].s);
		m->parts |= !l.at_start;
		if (!match_text_add(m->text, l.s, l.at_start, atom))
			return false;
	}
	return true;
}

/* Folding. */

static enum fold fold_of(bool b)
{
	return b ? FOLD_TRUE : FOLD_FALSE;
}

static bool field_is(const struct slot *s, const char *name)
{
	return strcmp(s->ref.field->name, name) == 0;
}

static enum fold fold_known(const struct check *c, const union atom *value)
{
	if (c->op == OP_EXISTS)
		return FOLD_TRUE;
	for (uint32_t i = 0; i < c->n; i++)
		if (operand_compare(c->op, c->type, value, &c->operands[i]))
			return FOLD_TRUE;
	return FOLD_FALSE;
}

static enum fold fold_check(const struct program *p, const struct check *c, size_t type)
{
	const struct slot *s = &p->slots.p[c->slot];
	union atom value;
	bool call;

	if (c->right_slot != NO_SLOT || c->op == OP_REGEX || s->kind != SLOT_FIELD)
		return FOLD_UNKNOWN;
	call = field_is(s, "syscall.type");
	value.s = str_from(types_name(type));
	if (call && types_class(type) == EVENT_EXIT)
		return FOLD_FALSE;
	if (call || field_is(s, "evt.type"))
		return fold_known(c, &value);
	/* Events are numbered from 1. */
	if (field_is(s, "evt.num") && c->op == OP_EQ && c->operands[0].i == 0)
		return FOLD_FALSE;
	value.i = 0;
	if (s->ref.field->flags & FIELD_F_OPENS && types_class(type) != EVENT_OPEN)
		return fold_known(c, &value);
	return FOLD_UNKNOWN;
}

static enum fold fold_kids(const struct program *p, const struct node *n, const uint8_t *fold)
{
	uint32_t counts[3] = { 0 };

	for (uint32_t i = 0; i < n->n; i++)
		counts[fold[p->kids.p[n->first + i]]]++;
	if (n->kind == NODE_AND)
		return counts[FOLD_FALSE]     ? FOLD_FALSE
		       : counts[FOLD_UNKNOWN] ? FOLD_UNKNOWN
					      : FOLD_TRUE;
	if (n->kind == NODE_ONE && counts[FOLD_TRUE] > 1)
		return FOLD_FALSE;
	if (n->kind == NODE_OR && counts[FOLD_TRUE])
		return FOLD_TRUE;
	return counts[FOLD_UNKNOWN] ? FOLD_UNKNOWN : fold_of(counts[FOLD_TRUE] > 0);
}

void fold_nodes(const struct program *p, size_t type, uint8_t *fold)
{
	/* Children come first. */
	for (size_t i = 0; i < p->nodes.n; i++) {
		const struct node *n = &p->nodes.p[i];
		enum fold f;

		if (n->kind == NODE_CHECK) {
			f = fold_check(p, &p->checks.p[n->first], type);
		} else if (n->kind == NODE_NOT) {
			f = (enum fold)fold[n->first];
			f = f == FOLD_UNKNOWN ? f : fold_of(f == FOLD_FALSE);
		} else {
			f = fold_kids(p, n, fold);
		}
		fold[i] = (uint8_t)f;
	}
}
