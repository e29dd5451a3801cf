/*
 * Conditions to syntax trees. Falco's grammar: `or` binds weaker than `and`, that weaker than
 * `not`; RULES-level things (lists, macros) are substituted before or after.
 */
#ifndef HW_RULES_PARSE_H
#define HW_RULES_PARSE_H

#include "base/err.h"
#include "rules/ast.h"

/* Nesting of parentheses and of functions in one condition. */
#define RULES_MAX_DEPTH 1000

/*
 * Parse the whole of `text`. The tree and its strings are put into `a`; it does not refer to
 * `text`. Returns 0 and *out; -1 with *at the offset in `text` and *e without position:
 * ERR_CONFIG (wrong), ERR_LIMIT (too deep, or the arena is full).
 */
int parse_condition(struct ast **out, struct arena *a, struct str text, size_t *at, struct err *e);

/*
 * The same for --where and filters, where there are no macros: AST_WORD is a text to search for,
 * bare (`shadow`, `/etc/shadow`, `10.0.0.5`) or quoted. Names that `is_field` knows may have no
 * dot, and a numeric operator takes any text (a time).
 */
struct parse_where {
	bool (*is_field)(void *ctx, struct str name);
	void *ctx;
};
int parse_where(struct ast **out, struct arena *a, struct str text, const struct parse_where *where,
	size_t *at, struct err *e);

/*
 * One field with its argument, or a transformer of one, and nothing behind it: what an output's
 * %... and an exception's `fields` hold.
 */
int parse_term(struct ast_term **out, struct arena *a, struct str text, size_t *at, struct err *e);

/*
 * The same at the start of `text`; *used is how long it is. No field there: 0 in *used and
 * ERR_CONFIG.
 */
int parse_term_prefix(
	struct ast_term **out, struct arena *a, struct str text, size_t *used, struct err *e);

#endif
