/*
 * Cases for rules: a YAML file that says what happened, which rules must fire then and which must
 * not, and what the alerts say. Cases go through the records of base/ and the judge, so that no
 * kernel is needed. The format is described in hullwatch-rules(1).
 */
#ifndef HW_RULES_CASES_H
#define HW_RULES_CASES_H

#include "base/arena.h"
#include "base/vec.h"
#include "rules/rules.h"

#define CASES_MAX 100000 /* in one file */

struct cases;

/*
 * Take a file's text apart; `name` stands in messages. What is wrong within one case is told when
 * it is run. -1: ERR_FORMAT, ERR_LIMIT, each with name:line:col.
 */
int cases_parse(struct cases **out, const char *name, struct str text, struct err *e);
void cases_free(struct cases *c); /* NULL is fine */
DEFINE_AUTO(struct cases, cases_free)

size_t cases_count(const struct cases *c);

/* What stands under `rules`, as written; *n of them, 0 when it is absent. They belong to `c`. */
const char *const *cases_rules(const struct cases *c, size_t *n);

enum case_outcome {
	CASE_PASSED,
	CASE_FAILED,
	CASE_SKIPPED, /* the event or a rule that is named cannot be judged here */
	CASE_WRONG,   /* the case itself cannot be understood */
};

/* "passed", "failed", "skipped", "wrong". */
const char *case_outcome_name(enum case_outcome o);

struct case_remark {
	uint32_t line, col; /* from 1 */
	const char *what;   /* one line, clean text */
};

/* Owned by its arena. */
struct case_result {
	enum case_outcome outcome;
	const char *name; /* clean text; "" when it has none */
	uint32_t line, col;
	VEC(struct case_remark) remarks; /* what failed, is wrong, or why it was skipped */
	VEC(const char *) fired;         /* names of the rules that did, in load order */
	struct arena *arena;
};

void case_result_fini(struct case_result *r);
DEFINE_AUTO_VALUE(struct case_result, case_result_fini)

/* Run case i against a set; *out must be zero and is to be ended with case_result_fini(). */
void cases_run(const struct cases *c, size_t i, struct ruleset *rules, struct case_result *out);

#endif
