/*
 * The judge: evaluates events against one rule set, and makes alerts of those that match.
 * One thread uses a judge (the capture thread); only the counters may be read from others.
 * To reload, make a judge on the new set and swap hooks between two events.
 */
#ifndef HW_RULES_JUDGE_H
#define HW_RULES_JUDGE_H

#include "base/judge.h"
#include "rules/rules.h"

struct judge;

/* What is known of a name that is asked for. */
enum judge_name { JUDGE_NAME_MISSING = 0, JUDGE_NAME_FOUND, JUDGE_NAME_PENDING };

/*
 * Names of users and groups; called on the judge's thread and must not block. `c` is NULL on the
 * host. With FOUND, *out stays valid until the next call with the same ctx returns. Either may be
 * NULL.
 */
struct judge_names {
	void *ctx;
	enum judge_name (*user_name)(
		void *ctx, const struct container *c, uint32_t uid, struct str *out);
	enum judge_name (*group_name)(
		void *ctx, const struct container *c, uint32_t gid, struct str *out);
};

struct judge_options {
	struct ruleset *rules; /* a reference is taken */
	struct str boot_id;    /* copied; part of the alerts' ids */
	struct str hostname;   /* copied; evt.hostname; may be empty */
	struct judge_names names;
};

struct judge *judge_new(const struct judge_options *o);
void judge_free(struct judge *j); /* NULL is fine */
DEFINE_AUTO(struct judge, judge_free)

/* The hook to give to a collector; valid as long as the judge. */
struct judge_hook judge_hook(struct judge *j);

const struct ruleset *judge_rules(const struct judge *j);

/* Any thread: how many alerts rule i (as in ruleset_rule) has given. */
uint64_t judge_hits(const struct judge *j, size_t rule);

struct judge_stats {
	uint64_t events;  /* judged, repeats after PENDING not counted again */
	uint64_t skipped; /* no active rule wants their type */
	uint64_t pending; /* times PENDING was returned */
	uint64_t alerts;
	uint64_t outputs_cut; /* an output or its fields passed the bound */
	uint64_t re_limits;   /* a regular expression gave up; counted as no match */
};

/* Any thread. */
struct judge_stats judge_stats(const struct judge *j);

#endif
