#include "rules/ast.h"

#include "base/buf.h"

static const struct {
	const char *name;
	enum op_kind kind;
} op_table[OP_N] = {
	[OP_EXISTS] = { "exists", OP_UNARY },
	[OP_LE] = { "<=", OP_NUMERIC },
	[OP_LT] = { "<", OP_NUMERIC },
	[OP_GE] = { ">=", OP_NUMERIC },
	[OP_GT] = { ">", OP_NUMERIC },
	[OP_EQ] = { "=", OP_STRING },
	[OP_NE] = { "!=", OP_STRING },
	[OP_GLOB] = { "glob", OP_STRING },
	[OP_IGLOB] = { "iglob", OP_STRING },
	[OP_CONTAINS] = { "contains", OP_STRING },
	[OP_ICONTAINS] = { "icontains", OP_STRING },
	[OP_BCONTAINS] = { "bcontains", OP_STRING },
	[OP_STARTSWITH] = { "startswith", OP_STRING },
	[OP_BSTARTSWITH] = { "bstartswith", OP_STRING },
	[OP_ENDSWITH] = { "endswith", OP_STRING },
	[OP_REGEX] = { "regex", OP_STRING },
	[OP_INTERSECTS] = { "intersects", OP_LIST },
	[OP_IN] = { "in", OP_LIST },
	[OP_PMATCH] = { "pmatch", OP_LIST },
};

static const char *const transform_table[TR_N] = {
	[TR_TOLOWER] = "tolower",
	[TR_TOUPPER] = "toupper",
	[TR_B64] = "b64",
	[TR_BASENAME] = "basename",
	[TR_LEN] = "len",
	[TR_JOIN] = "join",
	[TR_CONCAT] = "concat",
	[TR_GETOPT] = "getopt",
	[TR_VAL] = "val",
};

const char *op_name(enum op op)
{
	return op_table[op].name;
}

enum op_kind op_kind(enum op op)
{
	return op_table[op].kind;
}

bool op_parse(struct str s, enum op *out)
{
	if (str_eqz(s, "==")) {
		*out = OP_EQ;
		return true;
	}
	for (enum op i = 0; i < OP_N; i++)
		if (str_eqz(s, op_table[i].name)) {
			*out = i;
			return true;
		}
	return false;
}

const char *modifier_name(enum ast_modifier m)
{
	static const char *const names[] = { "", "oneof", "anyof", "allof" };

	return names[m];
}

const char *transform_name(enum transform t)
{
	return transform_table[t];
}

static void print_quoted(struct buf *b, struct str s)
{
	buf_putc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buf_printf(b, "\\x%02x", c);
		else
			buf_putc(b, (char)c);
	}
	buf_putc(b, '"');
}

static void print_arg(struct buf *b, struct str arg)
{
	bool bare = arg.n > 0;

	for (size_t i = 0; i < arg.n; i++)
		bare = bare && !strchr("[]\"' \t\r\n\b", arg.p[i]);
	buf_putc(b, '[');
	if (bare)
		buf_put_str(b, arg);
	else
		print_quoted(b, arg);
	buf_putc(b, ']');
}

void ast_print_term(struct buf *b, const struct ast_term *t)
{
	if (t->kind == TERM_TEXT) {
		if (t->quoted)
			print_quoted(b, t->text);
		else
			buf_put_str(b, t->text);
		return;
	}
	if (t->kind == TERM_FIELD) {
		buf_put_str(b, t->text);
	} else {
		buf_printf(b, "%s(", transform_name(t->transform));
		for (size_t i = 0; i < t->args_n; i++) {
			buf_puts(b, i ? ", " : "");
			ast_print_term(b, t->args[i]);
		}
		buf_putc(b, ')');
	}
	if (t->has_arg)
		print_arg(b, t->arg);
}

static void print_check(struct buf *b, const struct ast *n)
{
	ast_print_term(b, n->left);
	buf_printf(b, " %s", op_name(n->op));
	if (n->modifier)
		buf_printf(b, " %s", modifier_name(n->modifier));
	if (n->op == OP_EXISTS)
		return;
	buf_puts(b, n->right_list ? " (" : " ");
	for (size_t i = 0; i < n->right_n; i++) {
		buf_puts(b, i ? ", " : "");
		ast_print_term(b, n->right[i]);
	}
	buf_puts(b, n->right_list ? ")" : "");
}

void ast_print(struct buf *b, const struct ast *n)
{
	switch (n->kind) {
	case AST_CHECK:
		print_check(b, n);
		return;
	case AST_WORD:
		buf_put_str(b, n->word);
		return;
	case AST_NOT:
		buf_puts(b, "not ");
		ast_print(b, n->items[0]);
		return;
	default:
		buf_putc(b, '(');
		for (size_t i = 0; i < n->items_n; i++) {
			if (i)
				buf_puts(b, n->kind == AST_AND ? " and " : " or ");
			ast_print(b, n->items[i]);
		}
		buf_putc(b, ')');
	}
}
