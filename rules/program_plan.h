/*
 * How the rules that can be true for an event are found without looking at each of them.
 *
 * Most conditions cannot hold unless a field has one of some values, or holds one of some texts:
 * the rule's atoms. All atoms over one field are looked for at once (a matcher), once per event,
 * and only rules of which one was found are evaluated. Some conditions are cheap and shared by
 * many rules ("opened for writing", "in a container"): they are evaluated first, as gates that
 * shut out all of those at once. All of that is done for each group of event types on its own,
 * since a condition on the type is known there.
 *
 * Invariant: a rule that is not FALSE for an event has an atom that is true or pending, and no gate
 * that is FALSE. Rules without atoms are always looked at.
 */
#ifndef HW_RULES_PROGRAM_PLAN_H
#define HW_RULES_PROGRAM_PLAN_H

#include "rules/match_keys.h"
#include "rules/match_text.h"
#include "rules/program_impl.h"

#define NO_GROUP        UINT16_MAX
#define NO_ATOM         UINT32_MAX
#define PLAN_GATES      8
#define PLAN_CLOSED     (1u << PLAN_GATES) /* states of all gates together */
#define BITMAP_WORDS(n) (((size_t)(n) + 63) / 64)

enum matcher_kind {
	MATCHER_KEYS,     /* the whole value */
	MATCHER_FORWARD,  /* its beginning, or any part */
	MATCHER_BACKWARD, /* its end */
	MATCHER_FOLDED,   /* any part, whatever its case */
	MATCHER_PATHS,    /* a path above it, or itself */
	MATCHER_KIND_N
};

/* All that is looked for in one slot in one way. */
struct matcher {
	uint32_t slot;
	enum matcher_kind kind;
	bool parts;              /* FORWARD: not only beginnings */
	struct match_keys *keys; /* KEYS, PATHS */
	struct match_text *text;
};

/* A check on which rules hang. */
struct plan_atom {
	uint32_t node; /* the check's */
	uint32_t matcher;
	bool exact; /* found is the same as true, not only necessary */
};

struct plan_rule {
	uint32_t rule;
	uint32_t first, n; /* of group.terms: what must hold besides the gates */
	uint32_t gates;    /* bits: those that must not be FALSE */
};

/* Bitmaps are over the group's rules. */
struct plan_gate {
	uint32_t node;
	uint64_t *rules;
};

struct plan_finder {
	uint32_t matcher;
	uint64_t *rules;                   /* all that hang on it, for when the slot is pending */
	uint64_t needed[PLAN_CLOSED / 64]; /* by the set of closed gates */
};

struct plan_group {
	struct plan_rule *rules;
	uint32_t n;
	uint32_t *terms;
	struct plan_gate gates[PLAN_GATES];
	uint32_t gates_n;
	struct plan_finder *finders;
	uint32_t finders_n;
	uint64_t *always;
	uint32_t *first; /* by atom, one more: where its rules begin in posts */
	uint32_t *posts;
};

struct plan {
	VEC(struct matcher) matchers;
	VEC(struct plan_atom) atoms;
	VEC(struct plan_group) groups;
	uint16_t group_of[TYPES_MAX]; /* by event type, or NO_GROUP */
	size_t words;                 /* of the largest group's bitmaps */
};

void plan_free(struct plan *plan); /* NULL is fine */

/* program_cost.c. Guesses: they decide how fast an event is judged, never how. */
struct guess {
	float cost;   /* about nanoseconds */
	float chance; /* that it is true, 0 to 1 */
};
/* Of each node, by index; free() it. */
struct guess *program_guess(const struct program *p);
float guess_slot_cost(const struct program *p, uint32_t slot);
/* Children of AND and OR in the order that ends soonest. */
void program_sort_kids(struct program *p, const struct guess *guesses);
/* The same for any list of nodes that must all be true. */
void guess_sort(uint32_t *nodes, size_t n, const struct guess *guesses, bool all);

/* program_atoms.c */
enum fold { FOLD_UNKNOWN, FOLD_FALSE, FOLD_TRUE };
/* What each node is for all events of a type; by node index, into fold. */
void fold_nodes(const struct program *p, size_t type, uint8_t *fold);
/* How a check is looked for. False: it cannot be. */
bool atom_kind(const struct check *c, enum matcher_kind *kind, bool *exact);
/* Put what is looked for into the matcher. False: past its bound. */
bool atom_add(struct matcher *m, const struct check *c, uint32_t atom);
/* The bytes by which a value of this type is found among keys; uses tmp. */
struct key_bytes {
	uint8_t bytes[17];
};
struct str atom_key(enum field_type type, const union atom *a, struct key_bytes *tmp);

#endif
