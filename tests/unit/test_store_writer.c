#include "store/reader.h"
#include "store/writer.h"

#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

static void a_repeated_alert_is_stored_once_and_counted(void **state)
{
	struct store_fixture *f = *state;
	struct store_stats s;
	store_fixture_open(f);
	put_alert(f, fixture_alert(1, 0, "a"));
	put_alert(f, fixture_alert(1, 0, "a"));
	put_alert(f, fixture_alert(1, 0, "b"));
	put_mark(f, 1);
	assert_true(store_fixture_wait_mark(f, 1));
	store_writer_stats(f->w, &s);
	assert_int_equal(s.alerts, 2);
	assert_int_equal(s.alerts_repeated, 1);
	assert_int_equal(number_from(f->db, "SELECT count(*) FROM alerts"), 2);
	assert_int_equal(number_from(f->db, "SELECT count(*) FROM events"), 1);
}

static void a_repeat_after_a_restart_is_stored_once(void **state)
{
	struct store_fixture *f = *state;
	for (int i = 0; i < 2; i++) {
		store_fixture_open(f);
		put_alert(f, fixture_alert(1, 0, "a"));
		store_fixture_close(f);
	}
	assert_int_equal(number_from(f->db, "SELECT count(*) FROM alerts"), 1);
	assert_int_equal(number_from(f->db, "SELECT count(*) FROM processes"), 5);
}

static void what_stands_before_a_reported_mark_is_committed(void **state)
{
	struct store_fixture *f = *state;
	store_fixture_open(f);
	for (uint64_t i = 1; i <= 100; i++) {
		put_alert(f, fixture_alert(i, i, "a"));
		put_mark(f, i);
		assert_true(store_fixture_wait_mark(f, i));
		assert_true(number_from(f->db, "SELECT count(*) FROM alerts") >= (int64_t)i);
	}
}

static void marks_alone_are_reported_without_a_commit(void **state)
{
	struct store_fixture *f = *state;
	struct store_stats s;
	store_fixture_open(f);
	put_mark(f, 5);
	assert_true(store_fixture_wait_mark(f, 5));
	store_writer_stats(f->w, &s);
	assert_int_equal(s.commits, 0);
	assert_int_equal(number_from(f->db, "SELECT count(*) FROM marks"), 0);
}

static void the_last_mark_is_known_to_the_next_writer(void **state)
{
	struct store_fixture *f = *state;
	struct record_mark m;
	store_fixture_open(f);
	assert_false(store_writer_mark(f->w, &m));
	put_alert(f, fixture_alert(1, 0, "a"));
	put_mark(f, 44);
	store_fixture_close(f);
	store_fixture_open(f);
	assert_true(store_writer_mark(f->w, &m));
	assert_int_equal(m.ring_id, 7);
	assert_int_equal(m.pos[0], 44);
	assert_int_equal(store_writer_first_n(f->w), 1);
}

static void a_mark_of_another_boot_is_not_taken(void **state)
{
	struct store_fixture *f = *state;
	struct record_mark m;
	store_fixture_open(f);
	put_alert(f, fixture_alert(1, 0, "a"));
	put_mark(f, 44);
	store_fixture_close(f);
	f->o.boot_id = "other";
	store_fixture_open(f);
	assert_false(store_writer_mark(f->w, &m));
}

static void ancestors_are_stored_and_found_from_the_alert(void **state)
{
	struct store_fixture *f = *state;
	AUTO(store_reader_close) struct store_reader *r = NULL;
	AUTO(store_cursor_close) struct store_cursor *c = NULL;
	struct process_row row;
	store_fixture_open(f);
	put_alert(f, fixture_alert(1, 0, "a"));
	store_fixture_close(f);
	assert_int_equal(store_reader_open(&r, f->dir, NULL), 0);
	struct process_key key = { 100, 1000 };
	assert_int_equal(store_query_lineage(&c, r, STR(FIXTURE_BOOT), key, 1, NULL), 0);
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(store_next_process(c, &row, NULL), 1);
		assert_int_equal(row.key.tgid, 100 + i);
		assert_true(str_eqz(row.args_json, "[\"cat\",\"/etc/shadow\"]"));
	}
	assert_int_equal(store_next_process(c, &row, NULL), 0);
}

static void an_exit_completes_the_process(void **state)
{
	struct store_fixture *f = *state;
	struct event *ev = fixture_event(2, 70, "");
	ev->class = EVENT_EXIT;
	ev->exit.code = 256;
	store_fixture_open(f);
	put_alert(f, fixture_alert(1, 0, "a"));
	put_event(f, ev, EVENT_WHY_ALL, "");
	store_fixture_close(f);
	assert_int_equal(
		number_from(f->db, "SELECT exit_code FROM processes WHERE pid = 100"), 256);
	assert_int_equal(number_from(f->db, "SELECT count(*) FROM processes WHERE exit_code"), 1);
}

static void known_metadata_is_not_blanked_by_less(void **state)
{
	struct store_fixture *f = *state;
	static const char id[] = "aaaaaaaaaaaabbbbbbbbbbbbccccccccccccddddddddddddeeeeeeeeeeeeffff";
	store_fixture_open(f);
	for (int i = 0; i < 2; i++) {
		struct record *r = record_new(RECORD_CONTAINER);
		r->container = i ? container_new_bare(STR("aaaaaaaaaaaabbbbbbbbbbbbccccccccccccdddd"
							  "ddddddddeeeeeeeeeeeeffff"),
					   RUNTIME_UNKNOWN, CONTAINER_PENDING)
				 : fixture_container(id, "web");
		assert_int_equal(sink_put(store_writer_sink(f->w), r), SINK_OK);
	}
	store_fixture_close(f);
	assert_int_equal(number_from(f->db, "SELECT count(*) FROM containers WHERE name = 'web'"
					    " AND state = 'known' AND runtime = 'podman'"),
		1);
}

static void losses_of_one_kind_are_summed(void **state)
{
	struct store_fixture *f = *state;
	store_fixture_open(f);
	for (int i = 0; i < 3; i++) {
		struct record *r = record_new(RECORD_LOSS);
		r->loss = (struct record_loss){ FIXTURE_NOW, LOSS_RING, EVENT_OPEN, 1, 10 };
		assert_int_equal(sink_put(store_writer_sink(f->w), r), SINK_OK);
	}
	store_fixture_close(f);
	assert_int_equal(number_from(f->db, "SELECT count(*) FROM losses"), 1);
	assert_int_equal(
		number_from(f->db, "SELECT count FROM v1_losses WHERE place = 'ring'"), 30);
}

static void a_second_writer_is_refused_and_told_the_pid(void **state)
{
	struct store_fixture *f = *state;
	struct store_writer *second = NULL;
	struct err e = { 0 };
	char pid[32];
	store_fixture_open(f);
	assert_int_equal(store_writer_open(&second, &f->o, &e), -1);
	assert_int_equal(e.code, ERR_BUSY);
	snprintf(pid, sizeof(pid), "pid %d", (int)getpid());
	assert_non_null(strstr(e.msg, pid));
	store_fixture_close(f);
	store_fixture_open(f);
}

static void a_directory_that_cannot_be_written_is_one_clear_error(void **state)
{
	struct store_fixture *f = *state;
	struct store_writer *w = NULL;
	struct err e = { 0 };
	tree_write(f->tree, "s", "a file stands where the directory should be");
	assert_int_equal(store_writer_open(&w, &f->o, &e), -1);
	assert_int_equal(e.code, ERR_SYS);
	assert_non_null(strstr(e.msg, f->dir));
	assert_null(strchr(e.msg, '\n'));
}

static void the_directory_and_the_database_are_private(void **state)
{
	struct store_fixture *f = *state;
	struct stat st;
	store_fixture_open(f);
	assert_int_equal(stat(f->dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(f->db, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_full_queue_keeps_room_for_alerts(void **state)
{
	struct store_fixture *f = *state;
	struct store_stats s;
	unsigned int refused = 0, rounds = 0;
	f->o.queue_capacity = 64;
	store_fixture_open(f);
	/* The writer is slower than this loop, so the queue does fill. */
	while (!refused && rounds++ < 2000000) {
		struct record *r = record_new(RECORD_EVENT);
		r->event.event = fixture_event(rounds, rounds, "/x");
		r->event.why = EVENT_WHY_ALL;
		if (sink_put(store_writer_sink(f->w), r) == SINK_OK)
			continue;
		record_free(r);
		refused++;
	}
	assert_int_equal(refused, 1);
	put_alert(f, fixture_alert(rounds + 1, 0, "a"));
	store_writer_stats(f->w, &s);
	assert_int_equal(s.events_refused, 1);
}

static void the_queue_is_bounded_by_bytes_but_takes_any_first_alert(void **state)
{
	struct store_fixture *f = *state;
	enum sink_result rc = SINK_OK;
	uint64_t n = 0;
	f->o.queue_max_bytes = 1; /* less than any alert */
	store_fixture_open(f);
	while (rc == SINK_OK && n < 1000000) {
		struct record *r = record_new(RECORD_ALERT);
		n++;
		r->alert = fixture_alert(n, n, "a");
		rc = sink_put(store_writer_sink(f->w), r);
		if (rc != SINK_OK)
			record_free(r);
	}
	assert_int_equal(rc, SINK_FULL);
	assert_true(n > 1);
	store_fixture_close(f);
	assert_int_equal(number_from(f->db, "SELECT count(*) FROM alerts"), n - 1);
}

static void set_file_limit(rlim_t bytes)
{
	struct rlimit lim;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &lim), 0);
	lim.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &lim), 0);
}

static bool wait_failing(struct store_fixture *f, bool want)
{
	struct store_stats s = { 0 };
	for (int i = 0; i < 5000000; i++) {
		store_writer_stats(f->w, &s);
		if (s.failing == want && (!want || s.failures))
			return true;
		sched_yield();
	}
	return false;
}

static void a_full_disk_holds_alerts_and_reports_no_mark(void **state)
{
	struct store_fixture *f = *state;
	struct store_stats s;
	signal(SIGXFSZ, SIG_IGN);
	store_fixture_open(f);
	put_alert(f, fixture_alert(1, 0, "a"));
	put_mark(f, 1);
	assert_true(store_fixture_wait_mark(f, 1));
	set_file_limit(4096);
	put_event(f, fixture_event(2, 2, "/raw"), EVENT_WHY_ALL, "");
	put_alert(f, fixture_alert(3, 3, "a"));
	put_mark(f, 2);
	assert_true(wait_failing(f, true));
	pthread_mutex_lock(&f->lock);
	assert_int_equal(f->mark.pos[0], 1);
	pthread_mutex_unlock(&f->lock);
	store_writer_stats(f->w, &s);
	assert_true(s.error[0] != '\0');
	set_file_limit(RLIM_INFINITY);
	assert_true(store_fixture_wait_mark(f, 2));
	store_writer_stats(f->w, &s);
	assert_int_equal(s.alerts, 2);
	assert_int_equal(s.events_dropped, 1);
	store_fixture_close(f);
	assert_int_equal(number_from(f->db, "SELECT count(*) FROM alerts"), 2);
	assert_int_equal(number_from(f->db, "SELECT count FROM losses WHERE place = 'store'"), 1);
}

static void a_stop_on_a_full_disk_says_what_is_missing(void **state)
{
	struct store_fixture *f = *state;
	struct err e = { 0 };
	signal(SIGXFSZ, SIG_IGN);
	store_fixture_open(f);
	set_file_limit(4096);
	put_alert(f, fixture_alert(1, 0, "a"));
	put_mark(f, 1);
	int rc = store_writer_stop(TAKE(f->w), NULL, &e);
	set_file_limit(RLIM_INFINITY);
	assert_int_equal(rc, -1);
	assert_int_equal(f->marks, 0);
	/* The record held is tried again by whoever reads the ring next. */
	store_fixture_open(f);
	put_alert(f, fixture_alert(1, 0, "a"));
	store_fixture_close(f);
	assert_int_equal(number_from(f->db, "SELECT count(*) FROM alerts"), 1);
}

/* In the child: write until killed; each reported mark goes to the pipe. */
static void report_mark(void *ctx, const struct record_mark *mark, int64_t last_n)
{
	int fd = *(int *)ctx;
	(void)last_n;
	if (mark && write(fd, &mark->pos[0], sizeof(mark->pos[0])) < 0)
		_exit(1);
}

static void write_until_killed(struct store_fixture *f, int fd, uint64_t from)
{
	f->o.on_commit = report_mark;
	f->o.ctx = &fd;
	if (store_writer_open(&f->w, &f->o, NULL))
		_exit(1);
	for (uint64_t i = from;; i++) {
		struct record *r = record_new(RECORD_MARK);
		r->mark = (struct record_mark){ .ring_id = 1, .pos = { i } };
		put_event(f, fixture_event(1000000 + i, i, "/raw"), EVENT_WHY_BEFORE, "");
		put_alert(f, fixture_alert(i, i, "a"));
		while (sink_put(store_writer_sink(f->w), r) == SINK_FULL)
			sched_yield();
		if (i % 32 == 0)
			sched_yield();
	}
}

static uint64_t kill_after_marks(struct store_fixture *f, unsigned int n, uint64_t from)
{
	int pipes[2];
	uint64_t mark = 0, got;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(pipes[0]);
		write_until_killed(f, pipes[1], from);
	}
	close(pipes[1]);
	for (unsigned int i = 0; i < n && read(pipes[0], &got, sizeof(got)) == sizeof(got); i++)
		mark = got;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	while (read(pipes[0], &got, sizeof(got)) == sizeof(got))
		mark = got;
	close(pipes[0]);
	return mark;
}

static void a_killed_writer_leaves_what_it_reported_and_a_sound_file(void **state)
{
	struct store_fixture *f = *state;
	uint64_t from = 1;
	char query[128];
	for (unsigned int round = 0; round < 5; round++) {
		uint64_t mark = kill_after_marks(f, 3 + 17 * round, from);
		assert_true(mark >= from);
		snprintf(query, sizeof(query),
			"SELECT count(*) FROM alerts WHERE event_seq <= %llu",
			(unsigned long long)mark);
		assert_int_equal(number_from(f->db, query), mark);
		assert_int_equal(number_from(f->db, "SELECT integrity_check = 'ok'"
						    " FROM pragma_integrity_check"),
			1);
		from = mark + 1;
	}
	store_fixture_open(f);
	store_fixture_close(f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_repeated_alert_is_stored_once_and_counted),
		T(a_repeat_after_a_restart_is_stored_once),
		T(what_stands_before_a_reported_mark_is_committed),
		T(marks_alone_are_reported_without_a_commit),
		T(the_last_mark_is_known_to_the_next_writer),
		T(a_mark_of_another_boot_is_not_taken),
		T(ancestors_are_stored_and_found_from_the_alert),
		T(an_exit_completes_the_process),
		T(known_metadata_is_not_blanked_by_less),
		T(losses_of_one_kind_are_summed),
		T(a_second_writer_is_refused_and_told_the_pid),
		T(a_directory_that_cannot_be_written_is_one_clear_error),
		T(the_directory_and_the_database_are_private),
		T(a_full_queue_keeps_room_for_alerts),
		T(the_queue_is_bounded_by_bytes_but_takes_any_first_alert),
		T(a_full_disk_holds_alerts_and_reports_no_mark),
		T(a_stop_on_a_full_disk_says_what_is_missing),
		T(a_killed_writer_leaves_what_it_reported_and_a_sound_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
