/* A condition's tree as SQL text: plain comparisons where a column will do, calls for the rest. */
#include "rules/where_impl.h"

#include "rules/operand.h"

/* SQLite's own bounds are 1000 levels and 32766 values: past these, parts become calls. */
#define PLAIN_MAX_DEPTH  50
#define PLAIN_MAX_VALUES 2000

struct writer {
	struct where *w;
	struct err *e;
	size_t plain_values;
};

static bool op_is_plain(enum op op, enum field_type type)
{
	if (op == OP_EXISTS || op == OP_EQ || op == OP_NE || op == OP_IN)
		return true;
	return op_kind(op) == OP_NUMERIC && type != FIELD_STR;
}

static bool check_is_plain(struct writer *p, const struct ast *n)
{
	const struct where_column *c;

	if (n->modifier || n->left->kind != TERM_FIELD || n->left->has_arg)
		return false;
	c = where_column_find(p->w->view, n->left->text);
	if (!c || !(c->flags & WHERE_F_PLAIN) || !op_is_plain(n->op, c->type))
		return false;
	for (size_t i = 0; i < n->right_n; i++)
		if (n->right[i]->kind != TERM_TEXT)
			return false;
	p->plain_values += n->right_n;
	return p->plain_values <= PLAIN_MAX_VALUES;
}

static bool is_plain(struct writer *p, const struct ast *n, unsigned int depth)
{
	if (depth > PLAIN_MAX_DEPTH)
		return false;
	if (n->kind == AST_CHECK)
		return check_is_plain(p, n);
	for (size_t i = 0; i < n->items_n; i++)
		if (!is_plain(p, n->items[i], depth + 1))
			return false;
	return true;
}

static int put_value(struct writer *p, const struct where_column *c, struct str text)
{
	union operand o;
	struct where_value v = { .kind = WHERE_VALUE_INT };

	if (operand_parse(&o, c->type, text, p->e))
		return -1;
	if (c->type == FIELD_STR) {
		v.kind = WHERE_VALUE_TEXT;
		v.text = o.s;
	} else {
		v.number = o.i;
	}
	buf_putc(&p->w->sql, '?');
	vec_push(&p->w->values, v);
	return 0;
}

static int put_list(struct writer *p, const struct ast *n, const struct where_column *c)
{
	struct buf *b = &p->w->sql;

	buf_printf(b, "%s IN (", c->sql);
	for (size_t i = 0; i < n->right_n; i++) {
		buf_puts(b, i ? ", " : "");
		if (put_value(p, c, n->right[i]->text))
			return -1;
	}
	buf_putc(b, ')');
	return 0;
}

/* Never NULL: `not` of what lacks must be true. */
static int put_plain_check(struct writer *p, const struct ast *n)
{
	const struct where_column *c = where_column_find(p->w->view, n->left->text);
	struct buf *b = &p->w->sql;

	if (n->op == OP_EXISTS) {
		buf_printf(b, c->flags & WHERE_F_NULL ? "(%s IS NOT NULL)" : "1", c->sql);
		return 0;
	}
	buf_putc(b, '(');
	if (c->flags & WHERE_F_NULL)
		buf_printf(b, "%s IS NOT NULL AND ", c->sql);
	if (n->op == OP_IN) {
		if (put_list(p, n, c))
			return -1;
	} else {
		buf_printf(b, "%s %s ", c->sql, n->op == OP_NE ? "<>" : op_name(n->op));
		if (put_value(p, c, n->right[0]->text))
			return -1;
	}
	buf_putc(b, ')');
	return 0;
}

static int put_plain(struct writer *p, const struct ast *n);

/* By halves: a chain of a thousand would be a thousand levels to SQLite. */
static int put_plain_items(
	struct writer *p, struct ast *const *items, size_t n, const char *between)
{
	struct buf *b = &p->w->sql;

	if (n == 1)
		return put_plain(p, items[0]);
	buf_putc(b, '(');
	if (put_plain_items(p, items, n / 2, between))
		return -1;
	buf_puts(b, between);
	if (put_plain_items(p, items + n / 2, n - n / 2, between))
		return -1;
	buf_putc(b, ')');
	return 0;
}

static int put_plain(struct writer *p, const struct ast *n)
{
	if (n->kind == AST_CHECK)
		return put_plain_check(p, n);
	if (n->kind != AST_NOT)
		return put_plain_items(
			p, n->items, n->items_n, n->kind == AST_AND ? " AND " : " OR ");
	buf_puts(&p->w->sql, "(NOT ");
	if (put_plain(p, n->items[0]))
		return -1;
	buf_putc(&p->w->sql, ')');
	return 0;
}

static void put_call_args(struct where *w)
{
	struct buf *b = &w->sql;

	buf_puts(b, w->uses_row ? w->view->row : "NULL, NULL, NULL, NULL, NULL, NULL");
	w->row.texts_at = ROW_ARGS_N + (int)w->columns.n;
	for (size_t i = 0; i < w->columns.n; i++)
		buf_printf(b, ", %s", w->columns.p[i]->sql);
	if (w->uses_text)
		buf_printf(b, ", %s", w->view->text);
}

static int put_call(struct writer *p, const struct ast *n)
{
	struct where *w = p->w;
	struct where_call *call = arena_alloc(w->arena, sizeof(*call));
	struct where_value v = { .kind = WHERE_VALUE_CALL, .call = call };

	if (!call)
		return err_set(p->e, ERR_LIMIT, "condition needs too much memory");
	call->w = w;
	if (program_add(&w->build, n, &call->node, p->e))
		return -1;
	buf_puts(&w->sql, "hw_judge(?, ");
	vec_push(&w->values, v);
	put_call_args(w);
	buf_putc(&w->sql, ')');
	return 0;
}

/* Items of (nested) ANDs: those for SQL alone, and those for a call. */
struct split {
	VEC(struct ast *) plain, rest;
};

static void split_and(struct writer *p, struct ast *n, struct split *to)
{
	if (n->kind == AST_AND) {
		for (size_t i = 0; i < n->items_n; i++)
			split_and(p, n->items[i], to);
	} else if (is_plain(p, n, 0)) {
		vec_push(&to->plain, n);
	} else {
		vec_push(&to->rest, n);
	}
}

static int put_split(struct writer *p, const struct split *s)
{
	struct ast all = { .kind = AST_AND, .items = s->rest.p, .items_n = s->rest.n };

	if (s->plain.n && put_plain_items(p, s->plain.p, s->plain.n, " AND "))
		return -1;
	if (!s->rest.n)
		return 0;
	buf_puts(&p->w->sql, s->plain.n ? " AND " : "");
	return put_call(p, s->rest.n == 1 ? s->rest.p[0] : &all);
}

int where_write(struct where *w, struct ast *tree, struct err *e)
{
	struct writer p = { .w = w, .e = e };
	struct split s = { 0 };
	int rc;

	split_and(&p, tree, &s);
	rc = put_split(&p, &s);
	vec_fini(&s.plain);
	vec_fini(&s.rest);
	if (!rc && w->sql.full)
		rc = err_set(e, ERR_LIMIT, "condition is too long");
	return rc;
}
