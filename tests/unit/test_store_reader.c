#include "store/reader.h"

#include "base/clock.h"
#include "base/sql.h"
#include "store/segment.h"
#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#define WEB_ID "aaaaaaaaaaaabbbbbbbbbbbbccccccccccccddddddddddddeeeeeeeeeeeeffff"

static struct store_reader *open_reader(struct store_fixture *f)
{
	struct store_reader *r = NULL;
	struct err e = { 0 };
	if (store_reader_open(&r, f->dir, &e))
		fail_msg("%s", e.msg);
	return r;
}

/* How many events the query gives; checks that they are in order and distinct. */
static size_t count_events(struct store_reader *r, const struct store_query *q)
{
	AUTO(store_cursor_close) struct store_cursor *c = NULL;
	struct event_row row;
	uint64_t last = 0;
	size_t n = 0;
	int rc;
	assert_int_equal(store_query_events(&c, r, q, NULL), 0);
	while ((rc = store_next_event(c, &row, NULL)) > 0) {
		if (n)
			assert_true(q->newest_first ? row.ts_ns < last : row.ts_ns > last);
		last = row.ts_ns;
		n++;
	}
	assert_int_equal(rc, 0);
	return n;
}

static size_t count_alerts(struct store_reader *r, const struct store_query *q)
{
	AUTO(store_cursor_close) struct store_cursor *c = NULL;
	struct alert_row row;
	int64_t last = 0;
	size_t n = 0;
	assert_int_equal(store_query_alerts(&c, r, q, NULL), 0);
	while (store_next_alert(c, &row, NULL) > 0) {
		if (n)
			assert_true(q->newest_first ? row.n < last : row.n > last);
		last = row.n;
		n++;
	}
	return n;
}

/* 4000 raw events in several segments, every tenth also of an alert in hullwatch.db. */
static void fill_segments(struct store_fixture *f)
{
	f->o.segment_max_bytes = 256 << 10;
	f->o.events_max_bytes = 1 << 30;
	store_fixture_open(f);
	for (uint64_t i = 1; i <= 4000; i++) {
		/* Not quite in the order of time, as several CPUs give them. */
		uint64_t at = 1000 + (i ^ 3);
		put_event(
			f, fixture_event(i, at, "/etc/passwd"), EVENT_WHY_ALL, i % 2 ? WEB_ID : "");
		if (i % 10 == 0)
			put_alert(f, fixture_alert(i, at, "a"));
		if (i % 100 == 0) {
			put_mark(f, i);
			assert_true(store_fixture_wait_mark(f, i));
		}
	}
}

static void events_of_all_files_come_once_and_in_order(void **state)
{
	struct store_fixture *f = *state;
	AUTO(store_reader_close) struct store_reader *r = NULL;
	fill_segments(f);
	r = open_reader(f);
	struct store_counts counts;
	assert_int_equal(store_reader_counts(r, &counts, NULL), 0);
	assert_true(counts.segments >= 3);
	assert_int_equal(counts.events, 4400);
	assert_int_equal(counts.alerts, 400);
	for (int down = 0; down < 2; down++) {
		const struct store_query all = { .newest_first = down };
		assert_int_equal(count_events(r, &all), 4000);
	}
	assert_int_equal(store_reader_skipped(r), 0);
}

static void events_are_selected_by_time_container_class_and_limit(void **state)
{
	struct store_fixture *f = *state;
	AUTO(store_reader_close) struct store_reader *r = NULL;
	fill_segments(f);
	store_fixture_close(f);
	r = open_reader(f);
	const struct store_query page = {
		.since_ns = FIXTURE_NOW + 2000,
		.until_ns = FIXTURE_NOW + 2100,
		.newest_first = true,
	};
	assert_int_equal(count_events(r, &page), 100);
	const struct store_query web = { .container = STR("aaaaaaaaaaaa") };
	assert_int_equal(count_events(r, &web), 2000);
	const struct store_query host = { .container = STR("host") };
	assert_int_equal(count_events(r, &host), 2000);
	const struct store_query exec = { .class_name = STR("exec") };
	assert_int_equal(count_events(r, &exec), 0);
	const struct store_query few = { .limit = 7 };
	assert_int_equal(count_events(r, &few), 7);
}

static void an_event_comes_back_whole(void **state)
{
	struct store_fixture *f = *state;
	AUTO(store_reader_close) struct store_reader *r = NULL;
	AUTO(store_cursor_close) struct store_cursor *c = NULL;
	AUTO(event_free) struct event *ev = NULL;
	const struct store_query all = { 0 };
	struct event_row row;
	store_fixture_open(f);
	put_event(f, fixture_event(9, 5, "/a\x1b[31m"), EVENT_WHY_BEFORE, WEB_ID);
	store_fixture_close(f);
	r = open_reader(f);
	assert_int_equal(store_query_events(&c, r, &all, NULL), 0);
	assert_int_equal(store_next_event(c, &row, NULL), 1);
	assert_true(str_eqz(row.name, "/a\\x1b[31m"));
	assert_true(str_eqz(row.class_name, "open"));
	assert_true(str_eqz(row.why, "before"));
	assert_true(str_eqz(row.boot_id, FIXTURE_BOOT));
	assert_true(str_eqz(row.container_id, WEB_ID));
	assert_int_equal(row.seq, 9);
	assert_int_equal(event_unpack(&ev, row.packed, NULL), 0);
	assert_true(str_eqz(event_str(ev, ev->open.path), "/a\x1b[31m"));
}

static void a_damaged_segment_costs_its_rows_alone(void **state)
{
	struct store_fixture *f = *state;
	AUTO(store_reader_close) struct store_reader *r = NULL;
	const struct store_query all = { 0 };
	fill_segments(f);
	store_fixture_close(f);
	r = open_reader(f);
	size_t before = count_events(r, &all);
	tree_write(f->tree, "s/events/000002.db", "no database");
	store_reader_close(r);
	r = open_reader(f);
	size_t after = count_events(r, &all);
	assert_true(after < before && after >= 400);
	assert_int_equal(store_reader_skipped(r), 1);
}

static void put_varied_alerts(struct store_fixture *f)
{
	store_fixture_open(f);
	for (uint64_t i = 1; i <= 80; i++) {
		struct alert *a = fixture_alert(i, i * 1000, i % 4 ? "common" : "rare");
		a->priority = (enum priority)(i % PRIORITY_N);
		if (i % 2)
			a->container = fixture_container(WEB_ID, "web");
		put_alert(f, a);
	}
	store_fixture_close(f);
}

static void alerts_are_selected_by_each_condition(void **state)
{
	struct store_fixture *f = *state;
	AUTO(store_reader_close) struct store_reader *r = NULL;
	put_varied_alerts(f);
	r = open_reader(f);
	const struct {
		struct store_query q;
		size_t n;
	} cases[] = {
		{ { .newest_first = true }, 80 },
		{ { .rule = STR("rare") }, 20 },
		{ { .by_priority = true, .least_priority = PRIORITY_CRITICAL }, 30 },
		{ { .container = STR("web") }, 40 },
		{ { .container = STR(WEB_ID) }, 40 },
		{ { .container = STR("aaaaaaaaaaaa") }, 40 },
		{ { .container = STR("host") }, 40 },
		{ { .container = STR("nobody") }, 0 },
		{ { .since_ns = FIXTURE_NOW + 41000 }, 40 },
		{ { .since_ns = FIXTURE_NOW + 41000, .until_ns = FIXTURE_NOW + 43000 }, 2 },
		{ { .until_ns = FIXTURE_NOW + 11000, .newest_first = true }, 10 },
		{ { .after_n = 70 }, 10 },
		{ { .before_n = 11, .newest_first = true, .limit = 4 }, 4 },
		{ { .limit = 3 }, 3 },
		{ { .pid = 100 }, 80 },
		{ { .pid = 101 }, 0 },
		{ { .rule = STR("rare' OR 1=1 --") }, 0 },
	};
	for (size_t i = 0; i < ARRAY_N(cases); i++)
		assert_int_equal(count_alerts(r, &cases[i].q), cases[i].n);
}

static void inventories_count_their_alerts(void **state)
{
	struct store_fixture *f = *state;
	AUTO(store_reader_close) struct store_reader *r = NULL;
	AUTO(store_cursor_close) struct store_cursor *containers = NULL, *processes = NULL;
	const struct store_query all = { 0 }, newest = { .newest_first = true };
	struct container_row c;
	struct process_row p;
	put_varied_alerts(f);
	r = open_reader(f);
	assert_int_equal(store_query_containers(&containers, r, &all, NULL), 0);
	assert_int_equal(store_next_container(containers, &c, NULL), 1);
	assert_true(str_eqz(c.name, "web"));
	assert_int_equal(c.alerts_n, 40);
	assert_int_equal(store_next_container(containers, &c, NULL), 0);
	assert_int_equal(store_query_processes(&processes, r, &newest, NULL), 0);
	assert_int_equal(store_next_process(processes, &p, NULL), 1);
	assert_int_equal(p.key.tgid, 100);
	assert_int_equal(p.alerts_n, 80);
	assert_int_equal(p.loginuid, UINT32_MAX);
}

static void a_follower_goes_on_where_it_was(void **state)
{
	struct store_fixture *f = *state;
	AUTO(store_reader_close) struct store_reader *r = NULL;
	AUTO(store_cursor_close) struct store_cursor *c = NULL;
	struct alert_row row;
	store_fixture_open(f);
	put_alert(f, fixture_alert(1, 0, "a"));
	put_alert(f, fixture_alert(2, 0, "a"));
	put_mark(f, 1);
	assert_true(store_fixture_wait_mark(f, 1));
	r = open_reader(f);
	assert_int_equal(store_follow_alerts(&c, r, 1, NULL), 0);
	assert_int_equal(store_next_alert(c, &row, NULL), 1);
	assert_int_equal(row.n, 2);
	assert_int_equal(store_next_alert(c, &row, NULL), 0);
	put_alert(f, fixture_alert(3, 0, "a"));
	put_mark(f, 2);
	assert_true(store_fixture_wait_mark(f, 2));
	assert_int_equal(store_next_alert(c, &row, NULL), 1);
	assert_int_equal(row.n, 3);
	assert_int_equal(store_next_alert(c, &row, NULL), 0);
}

static void a_query_ends_at_its_deadline_and_when_cancelled(void **state)
{
	struct store_fixture *f = *state;
	AUTO(store_reader_close) struct store_reader *r = NULL;
	const struct store_query all = { 0 };
	struct alert_row row;
	struct err e = { 0 };
	put_varied_alerts(f);
	r = open_reader(f);
	for (int i = 0; i < 2; i++) {
		AUTO(store_cursor_close) struct store_cursor *c = NULL;
		assert_int_equal(store_query_alerts(&c, r, &all, NULL), 0);
		assert_int_equal(store_next_alert(c, &row, &e), 1);
		if (i)
			store_reader_cancel(r);
		else
			store_reader_deadline(r, clock_mono_ns());
		assert_int_equal(store_next_alert(c, &row, &e), -1);
		assert_int_equal(e.code, ERR_LIMIT);
		store_reader_deadline(r, 0);
		assert_int_equal(store_next_alert(c, &row, &e), 1);
	}
}

static void too_many_cursors_are_refused(void **state)
{
	struct store_fixture *f = *state;
	AUTO(store_reader_close) struct store_reader *r = NULL;
	const struct store_query all = { 0 };
	struct store_cursor *c[STORE_MAX_CURSORS + 1] = { 0 };
	struct err e = { 0 };
	put_varied_alerts(f);
	r = open_reader(f);
	for (size_t i = 0; i < STORE_MAX_CURSORS; i++)
		assert_int_equal(store_query_losses(&c[i], r, &all, NULL), 0);
	assert_int_equal(store_query_losses(&c[STORE_MAX_CURSORS], r, &all, &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	for (size_t i = 0; i < STORE_MAX_CURSORS; i++)
		store_cursor_close(c[i]);
}

static void nothing_stored_yet_is_said_so(void **state)
{
	struct store_fixture *f = *state;
	struct store_reader *r = NULL;
	struct err e = { 0 };
	assert_int_equal(store_reader_open(&r, f->dir, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(mkdir(f->dir, 0700), 0);
	assert_int_equal(store_reader_open(&r, f->dir, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
}

static void a_single_file_is_read_without_segments(void **state)
{
	struct store_fixture *f = *state;
	AUTO(store_reader_close) struct store_reader *r = NULL;
	const struct store_query all = { 0 };
	fill_segments(f);
	store_fixture_close(f);
	assert_int_equal(store_reader_open(&r, f->db, NULL), 0);
	assert_int_equal(count_events(r, &all), 400);
}

static void losses_and_sources_come_back(void **state)
{
	struct store_fixture *f = *state;
	AUTO(store_reader_close) struct store_reader *r = NULL;
	AUTO(store_cursor_close) struct store_cursor *losses = NULL, *sources = NULL;
	const struct store_query all = { 0 };
	struct loss_row l;
	struct source_row s;
	store_fixture_open(f);
	for (int i = 0; i < 2; i++) {
		struct record *state_record = record_new(RECORD_STATE);
		state_record->state.ts_ns = FIXTURE_NOW;
		state_record->state.source = xstrndup("tp_btf/sys_exit", 15);
		state_record->state.alive = i;
		assert_int_equal(sink_put(store_writer_sink(f->w), state_record), SINK_OK);
	}
	struct record *loss = record_new(RECORD_LOSS);
	loss->loss = (struct record_loss){ FIXTURE_NOW, LOSS_RING, EVENT_OPEN, UINT32_MAX, 9 };
	assert_int_equal(sink_put(store_writer_sink(f->w), loss), SINK_OK);
	store_fixture_close(f);
	r = open_reader(f);
	assert_int_equal(store_query_losses(&losses, r, &all, NULL), 0);
	assert_int_equal(store_next_loss(losses, &l, NULL), 1);
	assert_true(str_eqz(l.where, "ring") && str_eqz(l.class_name, "open"));
	assert_true(l.cpu == UINT32_MAX && l.count == 9);
	assert_int_equal(store_query_sources(&sources, r, &all, NULL), 0);
	assert_int_equal(store_next_source(sources, &s, NULL), 1);
	assert_true(s.alive);
	assert_int_equal(store_next_source(sources, &s, NULL), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(events_of_all_files_come_once_and_in_order),
		T(events_are_selected_by_time_container_class_and_limit),
		T(an_event_comes_back_whole),
		T(a_damaged_segment_costs_its_rows_alone),
		T(alerts_are_selected_by_each_condition),
		T(inventories_count_their_alerts),
		T(a_follower_goes_on_where_it_was),
		T(a_query_ends_at_its_deadline_and_when_cancelled),
		T(too_many_cursors_are_refused),
		T(nothing_stored_yet_is_said_so),
		T(a_single_file_is_read_without_segments),
		T(losses_and_sources_come_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
