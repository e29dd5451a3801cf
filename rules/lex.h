/*
 * Tokens of the rule language over one text. There is no token stream: what may stand at a place
 * depends on the place, so the parser asks for what it wants. Every function returns false and
 * moves nothing when it is not there.
 */
#ifndef HW_RULES_LEX_H
#define HW_RULES_LEX_H

#include "base/arena.h"
#include "rules/ast.h"

struct lex {
	struct str text;
	size_t at;
};

bool lex_blank(struct lex *l); /* at least one of blank, \t \b \r \n */
bool lex_char(struct lex *l, char c);
bool lex_word(struct lex *l, const char *w); /* exactly these bytes, whatever follows */

/* `not` and what follows it must be blank: all of it is taken. */
bool lex_not(struct lex *l);

bool lex_identifier(struct lex *l, struct str *out); /* letters, then letters, digits, _ */
bool lex_field(struct lex *l, struct str *out);      /* at least two such, joined by dots */
bool lex_bare_arg(struct lex *l, struct str *out);   /* without blanks, quotes, brackets */
bool lex_bare(struct lex *l, struct str *out);       /* without blanks, quotes, ( ) = , */
bool lex_number(struct lex *l, struct str *out);     /* decimal, with fraction or exponent, or 0x */

/* A transformer's name with its opening parenthesis, `val(` too. */
bool lex_transform(struct lex *l, enum transform *out);

/* A check's operator; a word of a string operator needs a blank behind it (taken). */
bool lex_op(struct lex *l, enum op *out);
bool lex_modifier(struct lex *l, enum ast_modifier *out);

/*
 * A quoted string, its escapes resolved into the arena. 1 and *out; 0 when there is no quote here
 * (or it is not closed, as upstream); -1 with *what on a wrong escape, l->at then points to it.
 */
int lex_quoted(struct lex *l, struct arena *a, struct str *out, const char **what);

#endif
