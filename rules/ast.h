/*
 * The syntax tree of a condition: what every backend (program, SQL, kernel condition) reads.
 * It knows no fields and no types; those are the registry's (fields.h). All of it lives in one
 * arena and does not change after parsing. `at` is an offset in the parsed text.
 */
#ifndef HW_RULES_AST_H
#define HW_RULES_AST_H

#include "base/arena.h"

enum op {
	OP_EXISTS,
	OP_LE,
	OP_LT,
	OP_GE,
	OP_GT,
	OP_EQ,
	OP_NE,
	OP_GLOB,
	OP_IGLOB,
	OP_CONTAINS,
	OP_ICONTAINS,
	OP_BCONTAINS,
	OP_STARTSWITH,
	OP_BSTARTSWITH,
	OP_ENDSWITH,
	OP_REGEX,
	OP_INTERSECTS,
	OP_IN,
	OP_PMATCH,
	OP_N
};

/* What may stand at an operator's right. */
enum op_kind { OP_UNARY, OP_NUMERIC, OP_STRING, OP_LIST };

const char *op_name(enum op op);
enum op_kind op_kind(enum op op);

/* The operator that is written so (without blanks); false when there is none. "==" is OP_EQ. */
bool op_parse(struct str s, enum op *out);

/* A list after a string operator: `startswith anyof (a, b)`. */
enum ast_modifier { MOD_NONE, MOD_ONEOF, MOD_ANYOF, MOD_ALLOF };
const char *modifier_name(enum ast_modifier m); /* "" for none */

enum transform {
	TR_TOLOWER,
	TR_TOUPPER,
	TR_B64,
	TR_BASENAME,
	TR_LEN,
	TR_JOIN,
	TR_CONCAT,
	TR_GETOPT,
	TR_VAL, /* right side only */
	TR_N
};
const char *transform_name(enum transform t);

enum term_kind { TERM_FIELD, TERM_TEXT, TERM_TRANSFORM };

/* A value of a check: a field, a literal, or a function of those. */
struct ast_term {
	enum term_kind kind;
	enum transform transform;
	bool quoted;  /* TERM_TEXT */
	bool has_arg; /* TERM_FIELD, and TR_GETOPT: `name[arg]` */
	uint32_t at;
	struct str text; /* the field's name, or the literal without quotes and escapes */
	struct str arg;
	struct ast_term **args;
	size_t args_n;
};

enum ast_kind {
	AST_AND, /* items, at least two */
	AST_OR,
	AST_NOT,  /* one item */
	AST_WORD, /* a bare identifier: a macro; a substring search in --where */
	AST_CHECK,
};

struct ast {
	enum ast_kind kind;
	uint32_t at;
	struct ast **items;
	size_t items_n;
	struct str word;
	/* AST_CHECK: */
	enum op op;
	enum ast_modifier modifier;
	bool right_list; /* the right side is a list (a, b, ...), possibly empty */
	struct ast_term *left;
	struct ast_term **right; /* literals of a list, or one term */
	size_t right_n;
};

/* The condition as text again, in the language's own spelling; appended. For errors and tests. */
struct buf;
void ast_print(struct buf *b, const struct ast *n);
void ast_print_term(struct buf *b, const struct ast_term *t);

#endif
