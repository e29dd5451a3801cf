/*
 * Random conditions and events that have a fair chance to meet: few values, used by both. The
 * numbers come from one seed, so that a run can be repeated.
 */
#ifndef HW_TESTS_RULES_RANDOM_H
#define HW_TESTS_RULES_RANDOM_H

#include "tests/unit/rules_fixture.h"

void rnd_seed(uint64_t seed);
uint32_t rnd(uint32_t n); /* 0 to n - 1 */

/*
 * A condition, at most `depth` levels deep, that may refer to macro0 ... up to `macros` of them;
 * appended. Every operator, modifier and kind of field is in it.
 */
void random_condition(struct buf *b, uint32_t depth, uint32_t macros);

/* A check on evt.type or syscall.type, as most rules have one; appended. */
void random_type_check(struct buf *b);

/* Any class that rules see; container and process may be missing or pending, final or not. */
void random_event(struct rules_fixture *fx);

#endif
