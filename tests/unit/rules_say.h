/*
 * Sentences about rules for tests: texts are loaded, the fixture's event is judged, and what fired or
 * what was told is compared. The report is that of the last text.
 */
#ifndef HW_TESTS_RULES_SAY_H
#define HW_TESTS_RULES_SAY_H

#include "tests/unit/rules_fixture.h"

/* One fixture for the test program; say_setup() before and say_teardown() after each test. */
extern struct rules_fixture say_fx;
extern struct rules_report say_report;
int say_setup(void **state);
int say_teardown(void **state);

/* Fails the test when the files cannot be loaded at all; wrong rules are in say_report. */
struct ruleset *say_load(const char *text);

/* For what is told alone. */
void say_check(const char *text);

/* The names of the rules that fire, joined by blanks; static memory. */
const char *say_fired_by(struct ruleset *rs);
const char *say_fired(const char *text);

/* A rule "r" of this condition; static memory. */
const char *say_rule(const char *condition);

/* The condition is true or false for the event, or does not load and says so with these words. */
void say_holds(const char *condition);
void say_fails(const char *condition);
void say_refused(const char *condition, const char *words);

bool say_told(enum rules_level level, const char *words);
void say_assert_told(enum rules_level level, const char *words);

#define SAY_RULE(name, condition)                                                                  \
	"- rule: " name "\n  desc: d\n  output: o\n  priority: INFO\n  condition: " condition "\n"
#define SAY_ALWAYS  "proc.name exists"
#define SAY_T(name) cmocka_unit_test_setup_teardown(name, say_setup, say_teardown)

#endif
