/* The compiled form, between program_build.c, program_types.c, program.c and transform.c. */
#ifndef HW_RULES_PROGRAM_IMPL_H
#define HW_RULES_PROGRAM_IMPL_H

#include "base/map.h"
#include "base/re.h"
#include "base/vec.h"
#include "rules/operand.h"
#include "rules/program.h"

#define NO_SLOT UINT32_MAX

enum node_kind {
	NODE_AND, /* kids */
	NODE_OR,
	NODE_ONE,   /* exactly one kid is true */
	NODE_NOT,   /* first is the child */
	NODE_CHECK, /* first is the check */
};

struct node {
	uint8_t kind;
	uint16_t depth; /* longest way down; bounds the recursion of evaluation */
	uint32_t first, n;
};

enum slot_kind { SLOT_FIELD, SLOT_TEXT, SLOT_TRANSFORM };

struct slot {
	enum slot_kind kind;
	enum field_type type;
	uint32_t flags; /* FIELD_F_ANY, _SIDES, _LIST as they hold here */
	struct field_ref ref;
	enum transform transform;
	struct field_arg arg; /* getopt */
	struct str text;
	const uint32_t *args;
	uint32_t args_n;
};

struct check {
	enum op op;
	enum field_type type;
	uint32_t flags; /* the slot's */
	uint32_t slot;
	uint32_t right_slot; /* NO_SLOT: operands */
	uint32_t n;
	const union operand *operands;
	const struct str_set *set; /* membership of strings */
	struct re *re;             /* OP_REGEX */
	uint32_t matcher;          /* index + 1 of the matcher whose silence means FALSE; 0: none */
};

struct plan;

/* Nodes come after the nodes they refer to, slots after theirs. */
struct program {
	struct arena *arena;
	VEC(struct node) nodes;
	VEC(uint32_t) kids;
	VEC(struct check) checks;
	VEC(struct slot) slots;
	struct map *known;  /* what exists already, by text; values are index + 1 */
	unsigned int depth; /* of the recursion while building */
	struct plan *plan;  /* NULL until program_arrange() */
};

/* A verdict or a value counts only when its generation is the current one. */
struct slot_value {
	uint32_t generation;
	struct value value;
};

struct program_state {
	const struct program *program;
	uint32_t generation;
	uint32_t *verdicts; /* by node: generation << 2 | verdict */
	struct slot_value *values;
	struct judge_input in;
	struct judge_names names;
	struct field_ctx cx;
	struct scratch scratch;
	struct buf text;
	char *hostname;
	uint64_t re_limits;
	/* Of program_find(): */
	uint32_t *ran;  /* by matcher: generation in which it looked */
	uint32_t *told; /* by atom: generation in which it was found */
	const struct plan_group *group;
	uint64_t *found, *found_words; /* rules to look at; which words of `found` are not 0 */
	uint32_t closed, waiting;      /* gates that are FALSE, PENDING */
};

/* What program_find() needs; no more than a program without a plan has. */
void program_find_init(struct program_state *s);
void program_find_fini(struct program_state *s);
void program_find_forget(struct program_state *s);

/* One transformer over values that are there. */
enum value_state transform_apply(struct field_ctx *cx, const struct slot *s,
	const struct value *const *args, struct value *out);

#endif
