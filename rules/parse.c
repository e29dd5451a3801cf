#include "rules/parse.h"

#include "base/vec.h"
#include "rules/lex.h"

struct parser {
	struct lex l;
	struct arena *arena;
	struct err *e;
	const struct parse_where *where; /* NULL: a rule's condition */
	unsigned int depth;
	/* Children collected so far, of all levels; each level copies its own part off the end. */
	VEC(void *) stack;
};

static struct ast *parse_or(struct parser *p);
static struct ast_term *parse_transform(struct parser *p, enum transform t, size_t at);

static void *fail(struct parser *p, const char *what)
{
	size_t left = p->l.text.n - p->l.at;
	struct str near = str_of(p->l.text.p + p->l.at, left < 24 ? left : 24);

	if (left)
		err_set(p->e, ERR_CONFIG, "%s at \"%.*s%s\"", what, STR_ARG(near),
			left > 24 ? "..." : "");
	else
		err_set(p->e, ERR_CONFIG, "%s at the end", what);
	return NULL;
}

static void *fail_limit(struct parser *p, const char *what)
{
	err_set(p->e, ERR_LIMIT, "%s", what);
	return NULL;
}

static void *alloc(struct parser *p, size_t n)
{
	void *at = arena_alloc(p->arena, n);

	return at ? at : fail_limit(p, "condition needs too much memory");
}

static bool enter(struct parser *p)
{
	if (++p->depth <= RULES_MAX_DEPTH)
		return true;
	fail_limit(p, "nested deeper than 1000 levels");
	return false;
}

/* Move what was pushed since `base` into the arena. */
static bool pop_items(struct parser *p, size_t base, void *array, size_t *n)
{
	size_t count = p->stack.n - base;
	void **items = alloc(p, (count ? count : 1) * sizeof(void *));

	p->stack.n = base;
	if (!items)
		return false;
	if (count)
		memcpy(items, p->stack.p + base, count * sizeof(void *));
	*(void ***)array = items;
	*n = count;
	return true;
}

static struct ast *new_node(struct parser *p, enum ast_kind kind, size_t at)
{
	struct ast *n = alloc(p, sizeof(*n));

	if (n) {
		n->kind = kind;
		n->at = (uint32_t)at;
	}
	return n;
}

static struct ast_term *new_term(struct parser *p, enum term_kind kind, size_t at, struct str text)
{
	struct ast_term *t = alloc(p, sizeof(*t));

	if (!t)
		return NULL;
	t->kind = kind;
	t->at = (uint32_t)at;
	t->text = arena_str(p->arena, text);
	return t->text.p ? t : fail_limit(p, "condition needs too much memory");
}

/* What stands between [ and ], if there is a [ here. */
static bool parse_arg(struct parser *p, struct ast_term *t)
{
	const char *what = NULL;
	struct str arg;
	int rc;

	if (!lex_char(&p->l, '['))
		return true;
	rc = lex_quoted(&p->l, p->arena, &arg, &what);
	if (rc < 0)
		return fail(p, what);
	if (!rc && !lex_bare_arg(&p->l, &arg))
		return fail(p, "expected the field's argument, bare or quoted,");
	if (!lex_char(&p->l, ']'))
		return fail(p, "expected ']'");
	t->has_arg = true;
	t->arg = arena_str(p->arena, arg);
	return t->arg.p || fail_limit(p, "condition needs too much memory");
}

/* A field's name, which in --where may have no dot. */
static bool lex_name(struct parser *p, struct str *name)
{
	size_t at = p->l.at;

	if (lex_field(&p->l, name))
		return true;
	if (p->where && lex_identifier(&p->l, name) && p->where->is_field(p->where->ctx, *name))
		return true;
	p->l.at = at;
	return false;
}

static struct ast_term *parse_field(struct parser *p)
{
	size_t at = p->l.at;
	struct str name;

	if (!lex_name(p, &name))
		return NULL;
	struct ast_term *t = new_term(p, TERM_FIELD, at, name);

	return t && parse_arg(p, t) ? t : NULL;
}

/* A quoted or bare string. NULL with *found false when there is none. */
static struct ast_term *parse_text(struct parser *p, bool *found)
{
	const char *what = NULL;
	size_t at = p->l.at;
	struct str text;
	int rc = lex_quoted(&p->l, p->arena, &text, &what);

	*found = true;
	if (rc < 0)
		return fail(p, what);
	if (!rc && !lex_bare(&p->l, &text)) {
		*found = false;
		return NULL;
	}
	struct ast_term *t = new_term(p, TERM_TEXT, at, text);

	if (t)
		t->quoted = rc == 1;
	return t;
}

/* A field or a transformer. NULL with *found false when it is neither. */
static struct ast_term *parse_value(struct parser *p, bool *found)
{
	size_t at = p->l.at;
	enum transform t;
	struct str name;

	*found = true;
	if (lex_transform(&p->l, &t))
		return parse_transform(p, t, at);
	if (lex_name(p, &name)) {
		p->l.at = at;
		return parse_field(p);
	}
	*found = false;
	return NULL;
}

/* One argument of a function: a value, or (join, concat, getopt) a literal. */
static struct ast_term *parse_function_arg(struct parser *p, enum transform t)
{
	bool found, literals = t == TR_JOIN || t == TR_CONCAT || t == TR_GETOPT;
	struct ast_term *arg;

	lex_blank(&p->l);
	arg = parse_value(p, &found);
	if (found)
		return arg;
	if (literals)
		arg = parse_text(p, &found);
	return found ? arg : fail(p, "expected a field or a transformer of one");
}

/* join takes a separator and a list, which may be written out: join(",", (a, b)). */
static bool parse_join_list(struct parser *p)
{
	do {
		struct ast_term *item = parse_function_arg(p, TR_JOIN);

		if (!item)
			return false;
		vec_push(&p->stack, item);
		lex_blank(&p->l);
	} while (lex_char(&p->l, ','));
	return lex_char(&p->l, ')') || fail(p, "expected ')' at the end of the list");
}

static bool parse_function_args(struct parser *p, enum transform t)
{
	do {
		lex_blank(&p->l);
		if (t == TR_JOIN && lex_char(&p->l, '(')) {
			if (!parse_join_list(p))
				return false;
		} else {
			struct ast_term *arg = parse_function_arg(p, t);

			if (!arg)
				return false;
			vec_push(&p->stack, arg);
		}
		lex_blank(&p->l);
	} while (lex_char(&p->l, ','));
	return lex_char(&p->l, ')') || fail(p, "expected ')' behind the transformer's argument");
}

static bool check_args_n(struct parser *p, const struct ast_term *t)
{
	bool many = t->transform == TR_JOIN || t->transform == TR_CONCAT;
	size_t n = t->args_n;

	if (many ? n < 2 : t->transform == TR_GETOPT ? n != 2 : n != 1)
		return fail(p, "wrong number of arguments to the transformer before");
	if (t->transform == TR_VAL && t->args[0]->kind != TERM_FIELD)
		return fail(p, "val() takes a field, wrong");
	return true;
}

/* Behind the opening parenthesis. */
static struct ast_term *parse_transform(struct parser *p, enum transform transform, size_t at)
{
	size_t base = p->stack.n;
	struct ast_term *t = new_term(p, TERM_TRANSFORM, at, STR(""));

	if (!t || !enter(p) || !parse_function_args(p, transform))
		return NULL;
	t->transform = transform;
	if (!pop_items(p, base, &t->args, &t->args_n) || !check_args_n(p, t))
		return NULL;
	if (transform == TR_GETOPT && !parse_arg(p, t))
		return NULL;
	p->depth--;
	return t;
}

/* The right side of an operator that takes one value. */
static struct ast_term *parse_right_one(struct parser *p, enum op_kind kind)
{
	size_t at = p->l.at;
	enum transform transform;
	struct ast_term *t;
	struct str number;
	bool found;

	if (lex_transform(&p->l, &transform))
		return parse_transform(p, transform, at);
	if (kind == OP_NUMERIC && !p->where) {
		if (!lex_number(&p->l, &number))
			return fail(p, "expected a number, val(field) or a transformer");
		return new_term(p, TERM_TEXT, at, number);
	}
	t = parse_text(p, &found);
	return found ? t : fail(p, "expected a value, val(field) or a transformer");
}

/* Behind the opening parenthesis. */
static bool parse_list(struct parser *p, struct ast *n)
{
	size_t base = p->stack.n;
	struct ast_term *t;
	bool found;

	n->right_list = true;
	lex_blank(&p->l);
	if (lex_char(&p->l, ')'))
		return pop_items(p, base, &n->right, &n->right_n);
	do {
		lex_blank(&p->l);
		t = parse_text(p, &found);
		if (!found)
			return fail(p, "expected a value in the list");
		if (!t)
			return false;
		vec_push(&p->stack, t);
		lex_blank(&p->l);
	} while (lex_char(&p->l, ','));
	if (!lex_char(&p->l, ')'))
		return fail(p, "expected ',' or ')' in the list");
	return pop_items(p, base, &n->right, &n->right_n);
}

/* `in name`: one value, written without quotes; or a transformer. */
static struct ast_term *parse_right_word(struct parser *p)
{
	size_t at = p->l.at;
	enum transform transform;
	struct str word;

	if (lex_transform(&p->l, &transform))
		return parse_transform(p, transform, at);
	if (!lex_identifier(&p->l, &word))
		return fail(p, "expected a list in parentheses, a name or a transformer");
	return new_term(p, TERM_TEXT, at, word);
}

static bool parse_right(struct parser *p, struct ast *n)
{
	enum op_kind kind = op_kind(n->op);
	struct ast_term **one;

	lex_blank(&p->l);
	if (kind == OP_STRING && lex_modifier(&p->l, &n->modifier)) {
		lex_blank(&p->l);
		if (!lex_char(&p->l, '('))
			return fail(p, "expected a list in parentheses behind the modifier");
		return parse_list(p, n);
	}
	if (kind == OP_LIST && lex_char(&p->l, '('))
		return parse_list(p, n);
	one = alloc(p, sizeof(*one));
	if (!one)
		return false;
	*one = kind == OP_LIST ? parse_right_word(p) : parse_right_one(p, kind);
	n->right = one;
	n->right_n = 1;
	n->right_list = kind == OP_LIST && *one && (*one)->kind == TERM_TEXT;
	return *one != NULL;
}

static struct ast *parse_check(struct parser *p, struct ast_term *left, size_t at)
{
	struct ast *n = new_node(p, AST_CHECK, at);

	if (!n)
		return NULL;
	if (left->kind == TERM_TRANSFORM && left->transform == TR_VAL)
		return fail(p, "val() stands at the right of an operator, wrong");
	n->left = left;
	lex_blank(&p->l);
	if (!lex_op(&p->l, &n->op))
		return fail(p, "expected an operator (= != < <= > >= contains icontains bcontains "
			       "startswith bstartswith endswith glob iglob regex in intersects "
			       "pmatch exists)");
	return n->op == OP_EXISTS || parse_right(p, n) ? n : NULL;
}

/* Behind the opening parenthesis. */
static struct ast *parse_group(struct parser *p)
{
	struct ast *n;

	if (!enter(p))
		return NULL;
	n = parse_or(p);
	if (!n)
		return NULL;
	lex_blank(&p->l);
	if (!lex_char(&p->l, ')'))
		return fail(p, "expected 'and', 'or' or ')'");
	p->depth--;
	return n;
}

static struct ast *new_word(struct parser *p, size_t at, struct str word)
{
	struct ast *n = new_node(p, AST_WORD, at);

	if (!n)
		return NULL;
	n->word = arena_str(p->arena, word);
	return n->word.p ? n : fail_limit(p, "condition needs too much memory");
}

/* In --where: is what stands here the left side of a check? Nothing is taken but *name, if it has no dot. */
static bool starts_check(struct parser *p, struct str *name)
{
	struct lex l = p->l;
	enum transform t;
	bool dots;
	enum op op;

	if (lex_transform(&l, &t))
		return true;
	dots = lex_field(&l, name);
	if (!dots && !lex_identifier(&l, name))
		return false;
	if (lex_char(&l, '['))
		return true;
	lex_blank(&l);
	if (!lex_op(&l, &op))
		return false;
	if (dots || p->where->is_field(p->where->ctx, *name))
		return true;
	/* "x = 1" can only be meant as a check; "x in ..." may be two words. */
	return op_name(op)[0] < 'a';
}

static struct ast *parse_where_primary(struct parser *p, size_t at)
{
	const char *what = NULL;
	struct ast_term *left;
	struct str name = { 0 };
	bool found;
	int rc;

	if (starts_check(p, &name)) {
		left = parse_value(p, &found);
		if (!found && lex_identifier(&p->l, &name))
			left = new_term(p, TERM_FIELD, at, name);
		return left ? parse_check(p, left, at) : NULL;
	}
	rc = lex_quoted(&p->l, p->arena, &name, &what);
	if (rc < 0)
		return fail(p, what);
	if (!rc && !lex_bare(&p->l, &name))
		return fail(p, "expected a field, a text to search for, or '('");
	return new_word(p, at, name);
}

static struct ast *parse_primary(struct parser *p)
{
	size_t at;
	bool found;
	struct ast_term *left;
	struct str word;

	lex_blank(&p->l);
	at = p->l.at;
	if (lex_char(&p->l, '('))
		return parse_group(p);
	if (p->where)
		return parse_where_primary(p, at);
	left = parse_value(p, &found);
	if (found)
		return left ? parse_check(p, left, at) : NULL;
	if (!lex_identifier(&p->l, &word))
		return fail(p, "expected a field, a macro or '('");
	return new_word(p, at, word);
}

static struct ast *parse_not(struct parser *p)
{
	bool negate = false;
	size_t at;
	struct ast *n, *child;

	lex_blank(&p->l);
	at = p->l.at;
	while (lex_not(&p->l))
		negate = !negate;
	if (lex_word(&p->l, "not(")) {
		negate = !negate;
		child = parse_group(p);
	} else {
		child = parse_primary(p);
	}
	if (!child || !negate)
		return child;
	n = new_node(p, AST_NOT, at);
	if (!n)
		return NULL;
	n->items = alloc(p, sizeof(*n->items));
	if (!n->items)
		return NULL;
	n->items[0] = child;
	n->items_n = 1;
	return n;
}

/* The operand behind `and` or `or`, which a blank or a parenthesis must separate. */
static struct ast *parse_operand(struct parser *p, struct ast *(*next)(struct parser *))
{
	if (lex_blank(&p->l))
		return next(p);
	if (lex_char(&p->l, '('))
		return parse_group(p);
	return fail(p, "expected a blank or '(' behind 'and' or 'or'");
}

static struct ast *parse_chain(
	struct parser *p, enum ast_kind kind, struct ast *(*next)(struct parser *))
{
	const char *word = kind == AST_AND ? "and" : "or";
	size_t base = p->stack.n, at = p->l.at;
	struct ast *child = next(p), *n;

	if (!child)
		return NULL;
	vec_push(&p->stack, child);
	lex_blank(&p->l);
	while (lex_word(&p->l, word)) {
		child = parse_operand(p, next);
		if (!child)
			return NULL;
		vec_push(&p->stack, child);
		lex_blank(&p->l);
	}
	if (p->stack.n - base == 1) {
		p->stack.n = base;
		return child;
	}
	n = new_node(p, kind, at);
	return n && pop_items(p, base, &n->items, &n->items_n) ? n : NULL;
}

static struct ast *parse_and(struct parser *p)
{
	return parse_chain(p, AST_AND, parse_not);
}

static struct ast *parse_or(struct parser *p)
{
	return parse_chain(p, AST_OR, parse_and);
}

static int parse_whole(struct ast **out, struct arena *a, struct str text,
	const struct parse_where *where, size_t *at, struct err *e)
{
	struct parser p = { .l = { .text = text }, .arena = a, .e = e, .where = where };
	struct ast *n;

	*at = 0;
	if (text.n > UINT32_MAX)
		return err_set(e, ERR_LIMIT, "condition is too long");
	if (!str_trim(text).n)
		return err_set(e, ERR_CONFIG, "condition is empty");
	n = parse_or(&p);
	lex_blank(&p.l);
	if (n && p.l.at < text.n)
		n = fail(&p, "expected 'and' or 'or'");
	*at = p.l.at;
	vec_fini(&p.stack);
	if (!n)
		return -1;
	*out = n;
	return 0;
}

int parse_condition(struct ast **out, struct arena *a, struct str text, size_t *at, struct err *e)
{
	return parse_whole(out, a, text, NULL, at, e);
}

int parse_where(struct ast **out, struct arena *a, struct str text, const struct parse_where *where,
	size_t *at, struct err *e)
{
	return parse_whole(out, a, text, where, at, e);
}

int parse_term_prefix(
	struct ast_term **out, struct arena *a, struct str text, size_t *used, struct err *e)
{
	struct parser p = { .l = { .text = text }, .arena = a, .e = e };
	bool found;
	struct ast_term *t = parse_value(&p, &found);

	if (!found)
		fail(&p, "expected a field");
	*used = found ? p.l.at : 0;
	vec_fini(&p.stack);
	if (!t)
		return -1;
	*out = t;
	return 0;
}

int parse_term(struct ast_term **out, struct arena *a, struct str text, size_t *at, struct err *e)
{
	struct ast_term *t;

	if (parse_term_prefix(&t, a, text, at, e))
		return -1;
	if (*at < text.n)
		return err_set(e, ERR_CONFIG, "unexpected text behind the field");
	*out = t;
	return 0;
}
