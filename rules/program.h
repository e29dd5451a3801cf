/*
 * Conditions compiled for evaluation in memory: all rules of a set in one graph, in which equal
 * parts (macros, checks, fields) exist once and are evaluated at most once per event. Built by
 * one thread; read by any number afterwards, each with its own program_state.
 */
#ifndef HW_RULES_PROGRAM_H
#define HW_RULES_PROGRAM_H

#include "base/judge.h"
#include "rules/ast.h"
#include "rules/fields.h"
#include "rules/types.h"

struct program;

struct program *program_new(void);
void program_free(struct program *p);
DEFINE_AUTO(struct program, program_free)

/* How names in a condition are found, and where remarks go. */
struct program_build {
	struct program *program;
	void *ctx;
	/* The node of a macro. -1: ERR_CONFIG, ERR_UNSUPPORTED. NULL: macros are unknown. */
	int (*macro)(
		void *ctx, struct str name, uint32_t *node, const char **nearest, struct err *e);
	void (*warn)(void *ctx, size_t at, const char *nearest, const char *what); /* may be NULL */
	/* Instead of fields_resolve(), same contract. NULL: the registry. */
	int (*resolve)(void *ctx, struct field_ref *out, const struct ast_term *t, struct str arg,
		const char **nearest, struct err *e);
	size_t at;           /* out, on failure: where */
	const char *nearest; /* out, on failure: the nearest known name, or NULL */
};

/*
 * Add a condition. Returns 0 and *node. -1: ERR_CONFIG (unknown name, wrong value),
 * ERR_UNSUPPORTED (a field that is not available here), ERR_LIMIT (nested too deep with its
 * macros, or too large).
 */
int program_add(struct program_build *b, const struct ast *tree, uint32_t *node, struct err *e);

/* Add a value alone (an output's field). Same errors. */
int program_add_term(
	struct program_build *b, const struct ast_term *t, uint32_t *slot, struct err *e);

struct program_slot_info {
	enum field_type type;
	bool several;              /* a list, or several values */
	const struct field *field; /* NULL: a transformer or a literal */
};
struct program_slot_info program_slot_info(const struct program *p, uint32_t slot);

/*
 * For each node the event types for which it can be true: *n sets, indexed by node; free() it.
 * Falco's derivation: only checks on evt.type and evt.num=0 (and true checks of evt.is_open_*)
 * narrow, and negation goes down to them.
 */
struct type_set *program_types(const struct program *p, size_t *n);

/* The rules of one event type, in the order in which they are to be looked at. */
struct program_list {
	const uint32_t *rules;
	uint32_t n;
};

/*
 * Prepare for program_find(): nodes[rule] is the condition of a rule, lists[t] are the rules of
 * event type t, TYPES_MAX of them, ascending. Nothing is copied from lists that is not needed
 * later. Ends the building: nothing may be added behind it.
 */
void program_arrange(struct program *p, const uint32_t *nodes, const struct program_list *lists);

/* What one evaluating thread needs: values and verdicts of the current event. */
struct program_state;
struct program_state *program_state_new(
	const struct program *p, const struct judge_names *names, struct str hostname);
void program_state_free(struct program_state *s);
DEFINE_AUTO(struct program_state, program_state_free)

const struct program *program_of(const struct program_state *s);

/* Turn to another event (or to the same one again). `in` must live until the next call. */
void program_begin(struct program_state *s, const struct judge_input *in, bool final);

enum verdict program_eval(struct program_state *s, uint32_t node);

/*
 * Of the list of `type`, the type of the current event: which rules are not FALSE? In order, one
 * with each program_next(), which returns false at the end; *v is TRUE or PENDING. Evaluates no
 * more than is asked for. A program that was arranged only; program_begin() ends it.
 */
void program_find(struct program_state *s, size_t type);
bool program_next(struct program_state *s, uint32_t *rule, enum verdict *v);

/* The value of a slot; valid until the next program_begin. */
const struct value *program_value(struct program_state *s, uint32_t slot);

/* How often a regular expression gave up, since the state was made. */
uint64_t program_re_limits(const struct program_state *s);

#endif
