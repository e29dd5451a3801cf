/* Conditions as SQL find what the program of the rules finds, for random conditions and events. */
#include "rules/where.h"

#include "base/sql.h"
#include "store/reader.h"
#include "tests/unit/store_fixture.h"
#include "tests/unit/where_gen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* --- the store --- */

static struct alert *alert_of(struct gen *g, size_t i, const char *rule)
{
	const struct gen_event *e = &g->event[i];
	struct alert *a = alert_new();

	a->event = event_clone(&e->ev);
	event_make_id(&e->ev, STR(FIXTURE_BOOT), str_from(rule), a->id);
	a->ts_ns = e->ev.ts_ns;
	a->priority = (enum priority)(i % PRIORITY_N);
	a->source = xstrndup("syscall", 7);
	a->rule = xstrndup(rule, strlen(rule));
	a->output = xstrndup("A shell (\"sh\") was run", 22);
	a->fields_json = xstrndup("{\"user.name\":\"root\",\"x\":1}", 26);
	a->tags_json = xstrndup("[\"host\",\"T1059\"]", 16);
	if (e->chain >= 0)
		a->lineage = lineage_copy(&g->process[e->chain][0]);
	if (e->container)
		a->container = container_clone(&g->container[e->container]);
	return a;
}

/* Even ones as alerts, which brings processes and containers; odd ones raw, into segments. */
static void fill(struct store_fixture *f, struct gen *g)
{
	f->o.segment_max_bytes = 32 << 10;
	f->o.events_max_bytes = 1 << 30;
	store_fixture_open(f);
	for (size_t i = 0; i < g->events_n; i++) {
		const struct gen_event *e = &g->event[i];

		if (i % 2 == 0)
			put_alert(f, alert_of(g, i, i % 4 ? "Common rule" : "Rare rule"));
		else
			put_event(f, event_clone(&e->ev), EVENT_WHY_ALL,
				g->container[e->container].id);
		if (i % 50 == 49) {
			put_mark(f, i);
			assert_true(store_fixture_wait_mark(f, i));
		}
	}
	/* Each chain once more, for raw events of processes that no alert had. */
	for (int c = 0; c < GEN_CHAINS; c++) {
		struct alert *a = fixture_alert(100000 + (uint64_t)c, 1, "Filler");

		a->event->ts_ns += 1000000000000ull;
		a->event->class = EVENT_CGROUP;
		lineage_free(a->lineage);
		a->lineage = lineage_copy(&g->process[c][0]);
		if (c && c < GEN_CONTAINERS)
			a->container = container_clone(&g->container[c]);
		put_alert(f, a);
	}
	store_fixture_close(f);
}

static struct store_reader *open_reader(struct store_fixture *f)
{
	struct store_reader *r = NULL;
	struct err e = { 0 };

	if (store_reader_open(&r, f->dir, &e))
		fail_msg("%s", e.msg);
	return r;
}

/* Which events the condition finds, by sequence from 1. */
static int find_events(
	struct store_reader *r, const char *condition, bool *found, size_t n, struct err *e)
{
	AUTO(store_cursor_close) struct store_cursor *c = NULL;
	const struct store_query q = { .where = str_from(condition) };
	struct event_row row;
	int rc;

	memset(found, 0, n * sizeof(*found));
	if (store_query_events(&c, r, &q, e))
		return -1;
	while ((rc = store_next_event(c, &row, e)) > 0)
		if (row.seq <= n)
			found[row.seq - 1] = true;
	return rc;
}

/* --- the same verdicts --- */

static bool is_stored(const struct field *f)
{
	return strcmp(f->name, "user.name") != 0 && strcmp(f->name, "user.loginname") != 0 &&
	       strcmp(f->name, "group.name") != 0;
}

enum { EVENTS = 160, CONDITIONS = 400 };

static void events_that_sql_finds_are_those_that_the_program_finds(void **state)
{
	struct store_fixture *f = *state;
	struct gen *g = gen_new(gen_seed(), EVENTS);
	bool want[EVENTS], have[EVENTS];
	size_t pairs = 0, hits = 0, refused = 0;

	fill(f, g);
	struct store_reader *r = open_reader(f);
	for (int i = 0; i < CONDITIONS; i++) {
		AUTO(buf_fini) struct buf b = BUF_INIT(1 << 16);
		struct err e = { 0 };

		gen_condition(g, &b, is_stored);
		if (!gen_verdicts(g, buf_cstr(&b), "node", want)) {
			if (find_events(r, buf_cstr(&b), have, EVENTS, &e) == 0)
				fail_msg("only the program refuses: %s", buf_cstr(&b));
			refused++;
			continue;
		}
		if (find_events(r, buf_cstr(&b), have, EVENTS, &e))
			fail_msg("%s: %s", buf_cstr(&b), e.msg);
		for (size_t k = 0; k < EVENTS; k++) {
			if (want[k] != have[k])
				fail_msg("event %zu (%s): the program says %d, SQL %d to: %s",
					k + 1, event_type_name(&g->event[k].ev), want[k], have[k],
					buf_cstr(&b));
			hits += want[k];
		}
		pairs += EVENTS;
	}
	print_message(
		"%zu pairs, %zu hits, %zu conditions refused by both\n", pairs, hits, refused);
	assert_true(pairs >= 40000);
	assert_true(hits > pairs / 10 && hits < pairs * 9 / 10);
	store_reader_close(r);
	gen_free(g);
}

/* Alerts are those of the even events, in their order. */
static void alerts_answer_for_their_events(void **state)
{
	struct store_fixture *f = *state;
	struct gen *g = gen_new(gen_seed() + 1, EVENTS);
	bool want[EVENTS], have[EVENTS];
	size_t pairs = 0;

	fill(f, g);
	struct store_reader *r = open_reader(f);
	for (int i = 0; i < CONDITIONS / 2; i++) {
		AUTO(store_cursor_close) struct store_cursor *c = NULL;
		AUTO(buf_fini) struct buf b = BUF_INIT(1 << 16);
		struct err e = { 0 };
		struct alert_row row;

		gen_condition(g, &b, is_stored);
		if (!gen_verdicts(g, buf_cstr(&b), "node", want))
			continue;
		const struct store_query q = { .where = buf_str(&b) };
		if (store_query_alerts(&c, r, &q, &e))
			fail_msg("%s: %s", buf_cstr(&b), e.msg);
		memset(have, 0, sizeof(have));
		while (store_next_alert(c, &row, &e) > 0)
			if (row.n <= EVENTS / 2)
				have[(row.n - 1) * 2] = true;
		for (size_t k = 0; k < EVENTS; k += 2, pairs++)
			if (want[k] != have[k])
				fail_msg("alert of event %zu: the program says %d, SQL %d to: %s",
					k + 1, want[k], have[k], buf_cstr(&b));
	}
	assert_true(pairs >= 10000);
	store_reader_close(r);
	gen_free(g);
}

#define WITH_STORE(test)                                                                           \
	cmocka_unit_test_setup_teardown(test, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(events_that_sql_finds_are_those_that_the_program_finds),
		WITH_STORE(alerts_answer_for_their_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
