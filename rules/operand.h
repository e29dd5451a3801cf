/*
 * The right side of a check: text from the rule, parsed to the type of the left side at load
 * time.
 */
#ifndef HW_RULES_OPERAND_H
#define HW_RULES_OPERAND_H

#include "rules/ast.h"
#include "rules/fields.h"

struct net {
	struct ip ip;
	uint8_t bits; /* of the prefix */
};

union operand {
	struct str s;
	int64_t i;
	struct ip ip;
	struct net net;
};

/* ERR_CONFIG: `text` is no value of this type. With FIELD_STR out->s is `text` itself. */
int operand_parse(union operand *out, enum field_type type, struct str text, struct err *e);

/* ERR_CONFIG: the operator cannot be used on this type. */
int operand_check_op(enum op op, enum field_type type, bool list, struct err *e);

/* Types that can be compared with each other by val(): the same kind of value. */
bool operand_same_kind(enum field_type a, enum field_type b);

/* `left op right` for one value; no OP_EXISTS, OP_REGEX. */
bool operand_compare(
	enum op op, enum field_type type, const union atom *left, const union operand *right);

/* A set of strings for membership. */
struct str_set;
struct str_set *str_set_new(
	struct arena *a, const union operand *items, size_t n); /* NULL: no memory */
bool str_set_has(const struct str_set *set, struct str s);

#endif
