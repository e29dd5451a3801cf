#include "store/segment.h"

#include "store/reader.h"
#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

static size_t count_files(struct store_fixture *f, uint64_t *bytes, uint64_t *first)
{
	AUTO(segment_list_fini) struct segment_list l = { 0 };
	assert_int_equal(segment_list_read(&l, f->events, NULL), 0);
	*bytes = 0;
	*first = l.file.n ? l.file.p[0].number : 0;
	for (size_t i = 0; i < l.file.n; i++)
		*bytes += l.file.p[i].bytes;
	return l.file.n;
}

static void put_raw(struct store_fixture *f, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i <= to; i++) {
		put_event(f, fixture_event(i, i, "/usr/lib/libc.so.6"), EVENT_WHY_ALL, "");
		if (i % 200 && i != to)
			continue;
		put_mark(f, i);
		assert_true(store_fixture_wait_mark(f, i));
	}
}

static void segments_roll_by_size_and_are_sealed_with_their_range(void **state)
{
	struct store_fixture *f = *state;
	uint64_t bytes, first;
	char path[PATH_MAX];
	struct stat st;
	f->o.segment_max_bytes = 256 << 10;
	store_fixture_open(f);
	put_raw(f, 1, 2000);
	store_fixture_close(f);
	assert_true(count_files(f, &bytes, &first) >= 3);
	assert_int_equal(segment_path(path, f->events, 1, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < (512 << 10));
	assert_int_equal(number_from(path, "SELECT value = (SELECT count(*) FROM events) FROM meta"
					   " WHERE key = 'count'"),
		1);
	assert_int_equal(number_from(path, "SELECT value FROM meta WHERE key = 'first_ts_ns'"),
		FIXTURE_NOW + 1);
	assert_int_equal(
		number_from(path, "SELECT value = (SELECT max(ts_ns) FROM events) FROM meta"
				  " WHERE key = 'last_ts_ns'"),
		1);
	assert_int_equal(number_from(path, "SELECT count(*) FROM meta WHERE key = 'sealed_ns'"), 1);
	/* One file, no log beside it. */
	assert_true(strlen(path) + 5 < sizeof(path));
	memcpy(path + strlen(path), "-wal", 5);
	assert_int_equal(stat(path, &st), -1);
}

static void retention_removes_the_oldest_first(void **state)
{
	struct store_fixture *f = *state;
	struct store_stats s;
	uint64_t bytes, first;
	f->o.segment_max_bytes = 256 << 10;
	f->o.events_max_bytes = 1 << 20;
	store_fixture_open(f);
	put_raw(f, 1, 6000);
	assert_int_equal(store_writer_stop(TAKE(f->w), &s, NULL), 0);
	count_files(f, &bytes, &first);
	assert_true(bytes <= 1 << 20);
	assert_true(first > 1);
	/* The newest is there. */
	AUTO(store_reader_close) struct store_reader *r = NULL;
	AUTO(store_cursor_close) struct store_cursor *c = NULL;
	const struct store_query newest = { .newest_first = true };
	struct event_row row;
	assert_int_equal(store_reader_open(&r, f->dir, NULL), 0);
	assert_int_equal(store_query_events(&c, r, &newest, NULL), 0);
	assert_int_equal(store_next_event(c, &row, NULL), 1);
	assert_int_equal(row.seq, 6000);
}

static void an_old_segment_is_rolled_by_age(void **state)
{
	struct store_fixture *f = *state;
	uint64_t bytes, first;
	f->o.segment_max_age_ns = 1;
	store_fixture_open(f);
	put_raw(f, 1, 1);
	put_raw(f, 2, 2);
	store_fixture_close(f);
	assert_int_equal(count_files(f, &bytes, &first), 2);
}

static void a_restart_goes_on_with_the_last_segment(void **state)
{
	struct store_fixture *f = *state;
	uint64_t bytes, first;
	char path[PATH_MAX];
	for (uint64_t i = 0; i < 3; i++) {
		store_fixture_open(f);
		put_raw(f, 10 * i + 1, 10 * i + 10);
		store_fixture_close(f);
	}
	assert_int_equal(count_files(f, &bytes, &first), 1);
	assert_int_equal(segment_path(path, f->events, 1, NULL), 0);
	assert_int_equal(number_from(path, "SELECT count(*) FROM events"), 30);
}

static void a_repeat_after_a_restart_is_one_row(void **state)
{
	struct store_fixture *f = *state;
	char path[PATH_MAX];
	for (int i = 0; i < 2; i++) {
		store_fixture_open(f);
		put_event(f, fixture_event(1, 1, "/x"), EVENT_WHY_ALL, "");
		store_fixture_close(f);
	}
	assert_int_equal(segment_path(path, f->events, 1, NULL), 0);
	assert_int_equal(number_from(path, "SELECT count(*) FROM events"), 1);
}

static void a_damaged_last_segment_is_passed_by(void **state)
{
	struct store_fixture *f = *state;
	struct store_stats s;
	tree_write(f->tree, "s/events/000007.db", "no database at all, but it has the name of one");
	assert_int_equal(chmod(f->dir, 0700), 0);
	store_fixture_open(f);
	put_raw(f, 1, 10);
	assert_int_equal(store_writer_stop(TAKE(f->w), &s, NULL), 0);
	assert_int_equal(s.events, 10);
	assert_int_equal(s.events_dropped, 0);
	char path[PATH_MAX];
	assert_int_equal(segment_path(path, f->events, 8, NULL), 0);
	assert_int_equal(number_from(path, "SELECT count(*) FROM events"), 10);
}

static void a_segment_that_cannot_be_made_costs_raw_events_alone(void **state)
{
	struct store_fixture *f = *state;
	struct store_stats s;
	tree_write(f->tree, "s/events/000001.db.new/x", "the name is taken by a folder");
	store_fixture_open(f);
	put_event(f, fixture_event(1, 1, "/x"), EVENT_WHY_ALL, "");
	put_event(f, fixture_event(2, 2, "/x"), EVENT_WHY_BEFORE, "");
	put_alert(f, fixture_alert(3, 3, "a"));
	put_mark(f, 9);
	assert_true(store_fixture_wait_mark(f, 9));
	store_writer_stats(f->w, &s);
	assert_int_equal(s.alerts, 1);
	assert_int_equal(s.events_dropped, 2);
	assert_true(s.failing && s.error[0]);
	assert_int_equal(number_from(f->db, "SELECT sum(count) FROM losses WHERE place = 'store'"
					    " AND class = 'open'"),
		2);
}

static void other_names_are_no_segments(void **state)
{
	struct store_fixture *f = *state;
	uint64_t bytes, first;
	tree_write(f->tree, "s/events/000003.db", "x");
	tree_write(f->tree, "s/events/1234567.db", "x");
	tree_write(f->tree, "s/events/12345.db", "x");
	tree_write(f->tree, "s/events/00000a.db", "x");
	tree_write(f->tree, "s/events/000003.db-wal", "xx");
	tree_write(f->tree, "s/events/000004.db.new", "x");
	tree_write(f->tree, "s/events/99999999999999999999999.db", "x");
	assert_int_equal(count_files(f, &bytes, &first), 2);
	assert_int_equal(first, 3);
	assert_int_equal(bytes, 4);
}

#define T(name) cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(segments_roll_by_size_and_are_sealed_with_their_range),
		T(retention_removes_the_oldest_first),
		T(an_old_segment_is_rolled_by_age),
		T(a_restart_goes_on_with_the_last_segment),
		T(a_repeat_after_a_restart_is_one_row),
		T(a_damaged_last_segment_is_passed_by),
		T(a_segment_that_cannot_be_made_costs_raw_events_alone),
		T(other_names_are_no_segments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
