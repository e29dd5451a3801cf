/*
 * Random events with their processes and containers, and random conditions over them, for tests that
 * compare backends of the rule language. Everything follows from the seed.
 */
#ifndef HW_TESTS_WHERE_GEN_H
#define HW_TESTS_WHERE_GEN_H

#include "base/buf.h"
#include "base/judge.h"
#include "rules/fields.h"

#define GEN_CHAINS     6
#define GEN_CHAIN_N    4
#define GEN_CONTAINERS 4 /* [0] is the host */

struct gen_event {
	struct event ev;
	char data[2048];
	int chain; /* -1: its process is not known */
	int container;
};

struct gen {
	uint64_t state;
	struct process process[GEN_CHAINS][GEN_CHAIN_N];
	char args[GEN_CHAINS][GEN_CHAIN_N][128];
	struct container container[GEN_CONTAINERS];
	struct container_mount mounts[2];
	struct container_label labels[2];
	struct gen_event *event;
	size_t events_n;
};

/* `events_n` events, seq 1 .. events_n in the order of time; gen_free() it. */
struct gen *gen_new(uint64_t seed, size_t events_n);
void gen_free(struct gen *g);

/* The seed of this run: HW_SEED, or 1. Told on stdout. */
uint64_t gen_seed(void);

uint32_t gen_below(struct gen *g, uint32_t n);
struct judge_input gen_input(const struct gen *g, size_t i);

/* One of the conditions that fit the events: into *b. `usable` says which fields may stand in it. */
void gen_condition(struct gen *g, struct buf *b, bool (*usable)(const struct field *f));

/* What the program says to a condition, for all events; false: it does not compile. */
bool gen_verdicts(const struct gen *g, const char *condition, const char *hostname, bool *verdicts);

#endif
