/*
 * Events, processes and containers for tests of rules: one of each, filled with sensible values, to
 * be changed as a test likes. Everything points into the fixture, which must not move.
 */
#ifndef HW_TESTS_RULES_FIXTURE_H
#define HW_TESTS_RULES_FIXTURE_H

#include "base/judge.h"
#include "rules/judge.h"
#include "rules/rules.h"

#define RFX_PROCESSES 8

struct rules_fixture {
	struct event ev;
	struct process process[RFX_PROCESSES]; /* [0] is the event's, [i + 1] the parent of [i] */
	struct container container;
	bool in_container;
	bool no_process;
	bool final;
	char data[16384];
	char args[RFX_PROCESSES][1024];
	struct container_mount mounts[2];
};

/* "sh -c id" run by bash, sshd, systemd on the host; the event is its exec. */
void rfx_init(struct rules_fixture *fx);

/* Turn the event into another one; path NULL: the call failed with -ENOENT. */
void rfx_open(struct rules_fixture *fx, const char *path, const char *user, uint32_t flags);
void rfx_net(struct rules_fixture *fx, enum event_class class, const char *local,
	uint16_t local_port, const char *remote, uint16_t remote_port);

/*
 * Set name, program and arguments of process i; argv is one string with blanks between, argv[0]
 * first.
 */
void rfx_process(
	struct rules_fixture *fx, int i, const char *comm, const char *exe, const char *argv);

/* Put it into a container whose metadata is known (or not). */
void rfx_container(struct rules_fixture *fx, enum container_state state);

/* Text into the event's data. */
struct event_span rfx_span(struct rules_fixture *fx, const char *text);

struct judge_input rfx_input(const struct rules_fixture *fx);

/* Verdict of one condition (no macros). Fails the test when it does not load. */
enum verdict rfx_eval(const struct rules_fixture *fx, const char *condition);

/* The error of a condition that must not load; static memory. */
const char *rfx_error(const char *condition);

/* Load texts as one set; fails the test on -1. */
struct ruleset *rfx_load(const char *text, struct rules_report *report);

/* Judge the event once, all alerts into *out; freed by rfx_alerts_fini. */
enum verdict rfx_judge(const struct rules_fixture *fx, struct judge *j, struct judge_alerts *out);
void rfx_alerts_fini(struct judge_alerts *a);

/* A path in the source tree ("config/default/rules"); static memory. */
const char *rfx_source_path(const char *path);

#define assert_true_for(fx, condition)  assert_int_equal(rfx_eval(fx, condition), VERDICT_TRUE)
#define assert_false_for(fx, condition) assert_int_equal(rfx_eval(fx, condition), VERDICT_FALSE)

#endif
