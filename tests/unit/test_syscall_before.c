#include "collector/syscall/before.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define FAR 1000000u

struct taken {
	uint64_t seq[64];
	size_t n, stop_at; /* 0: never */
};

static bool take_one(void *ctx, struct event *ev)
{
	struct taken *t = ctx;
	struct str text = event_str(ev, ev->open.path);

	/* the text tells the number too: bytes of one event in another's would show */
	for (size_t i = 0; i < text.n; i++)
		assert_int_equal(text.p[i], (char)('a' + ev->seq % 26));
	assert_in_range(t->n, 0, 63);
	t->seq[t->n++] = ev->seq;
	event_free(ev);
	return t->n != t->stop_at;
}

static void add(struct before *b, uint64_t key, uint64_t seq, uint32_t len, bool stored)
{
	static char text[8192];
	struct event ev = { .class = EVENT_OPEN, .seq = seq, .boot_ns = 1000 + seq };

	assert_in_range(len, 0, sizeof(text));
	memset(text, (char)('a' + seq % 26), len);
	ev.open.path = (struct event_span){ 0, len };
	ev.data = text;
	ev.data_len = len;
	before_add(b, key, &ev, stored);
	memset(text, '!', len);
}

static struct taken take(struct before *b, uint64_t key, uint64_t since, size_t max)
{
	struct taken t = { 0 };

	before_take(b, key, since, max, take_one, &t);
	return t;
}

static void assert_taken(struct taken t, size_t n, const uint64_t *want)
{
	assert_int_equal(t.n, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(t.seq[i], want[i]);
}
#define assert_take(t, ...)                                                                        \
	assert_taken(t, sizeof((uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t),                    \
		(const uint64_t[]){ __VA_ARGS__ })

static void the_newest_of_a_key_come_first(void **state)
{
	(void)state;
	AUTO(before_free) struct before *b = before_new(1 << 16);
	for (uint64_t i = 1; i <= 6; i++)
		add(b, i % 2, i, 10, false);
	assert_take(take(b, 1, 0, FAR), 5, 3, 1);
	assert_take(take(b, 0, 0, FAR), 6, 4, 2);
	assert_int_equal(take(b, 9, 0, FAR).n, 0);
}

static void nothing_is_handed_over_twice(void **state)
{
	(void)state;
	AUTO(before_free) struct before *b = before_new(1 << 16);
	add(b, 1, 1, 10, false);
	add(b, 1, 2, 10, false);
	assert_take(take(b, 1, 0, FAR), 2, 1);
	assert_int_equal(take(b, 1, 0, FAR).n, 0);
	add(b, 1, 3, 10, false);
	add(b, 1, 4, 10, true); /* an alert's own event */
	assert_take(take(b, 1, 0, FAR), 3);
	assert_int_equal(take(b, 1, 0, FAR).n, 0);
}

static void what_is_stored_already_hides_nothing_before_it(void **state)
{
	(void)state;
	AUTO(before_free) struct before *b = before_new(1 << 16);
	add(b, 1, 1, 10, false);
	add(b, 1, 2, 10, true); /* kept for lineage */
	add(b, 1, 3, 10, false);
	assert_take(take(b, 1, 0, FAR), 3, 1);
	assert_int_equal(take(b, 1, 0, FAR).n, 0);
}

static void what_is_too_old_stays(void **state)
{
	(void)state;
	AUTO(before_free) struct before *b = before_new(1 << 16);
	for (uint64_t i = 1; i <= 5; i++)
		add(b, 1, i, 10, false);
	assert_take(take(b, 1, 1003, FAR), 5, 4, 3);
}

static void no_more_than_asked_for(void **state)
{
	(void)state;
	AUTO(before_free) struct before *b = before_new(1 << 16);
	for (uint64_t i = 1; i <= 5; i++)
		add(b, 1, i, 10, false);
	assert_int_equal(take(b, 1, 0, 0).n, 0);
	assert_take(take(b, 1, 0, 2), 5, 4);
}

static void the_taker_can_stop(void **state)
{
	(void)state;
	AUTO(before_free) struct before *b = before_new(1 << 16);
	for (uint64_t i = 1; i <= 5; i++)
		add(b, 1, i, 10, false);
	struct taken t = { .stop_at = 3 };
	before_take(b, 1, 0, FAR, take_one, &t);
	assert_take(t, 5, 4, 3);
}

static void the_oldest_make_room(void **state)
{
	(void)state;
	AUTO(before_free) struct before *b = before_new(16384);
	for (uint64_t i = 1; i <= 200; i++)
		add(b, 1, i, 500, false);
	struct taken t = take(b, 1, 0, FAR);
	assert_in_range(t.n, 10, 40);
	for (size_t i = 0; i < t.n; i++)
		assert_int_equal(t.seq[i], 200 - i);
}

/* Sizes of all kinds against rings of all kinds: entries end at the ring's end exactly, nearly, not at all. */
static void going_round_never_mixes_events(void **state)
{
	(void)state;
	uint64_t r = 1;
	for (size_t bytes = 4000; bytes < 9000; bytes += 8) {
		AUTO(before_free) struct before *b = before_new(bytes);
		for (uint64_t i = 1; i <= 120; i++) {
			r = r * 6364136223846793005u + 1442695040888963407u;
			add(b, r >> 62, i, (uint32_t)(r >> 33) % 700, (r >> 20) % 8 == 0);
			if ((r >> 40) % 16 == 0)
				take(b, (r >> 50) % 4, 0, FAR);
		}
		for (uint64_t key = 0; key < 4; key++) {
			struct taken t = take(b, key, 0, FAR);
			for (size_t i = 1; i < t.n; i++)
				assert_true(t.seq[i] < t.seq[i - 1]);
		}
	}
}

static void entries_that_end_at_the_rings_end_are_whole(void **state)
{
	(void)state;
	/* room for exactly 8 of these, whatever an entry's head takes: found by trying */
	for (size_t bytes = 4096; bytes < 8192; bytes += 8) {
		AUTO(before_free) struct before *b = before_new(bytes);
		for (uint64_t i = 1; i <= 40; i++)
			add(b, 1, i, 256, false);
		struct taken t = take(b, 1, 0, FAR);
		assert_in_range(t.n, 3, 32);
		for (size_t i = 0; i < t.n; i++)
			assert_int_equal(t.seq[i], 40 - i);
	}
}

static void what_is_larger_than_a_quarter_is_left_out(void **state)
{
	(void)state;
	AUTO(before_free) struct before *b = before_new(8192);
	add(b, 1, 1, 10, false);
	add(b, 1, 2, 8000, false);
	add(b, 1, 3, 10, false);
	assert_take(take(b, 1, 0, FAR), 3, 1);
}

static void a_memory_of_no_size_keeps_nothing(void **state)
{
	(void)state;
	static const size_t sizes[] = { 0, 1, 8, 100 };
	for (size_t i = 0; i < ARRAY_N(sizes); i++) {
		AUTO(before_free) struct before *b = before_new(sizes[i]);
		add(b, 1, 1, 0, false);
		assert_int_equal(take(b, 1, 0, FAR).n, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_of_a_key_come_first),
		cmocka_unit_test(nothing_is_handed_over_twice),
		cmocka_unit_test(what_is_stored_already_hides_nothing_before_it),
		cmocka_unit_test(what_is_too_old_stays),
		cmocka_unit_test(no_more_than_asked_for),
		cmocka_unit_test(the_taker_can_stop),
		cmocka_unit_test(the_oldest_make_room),
		cmocka_unit_test(going_round_never_mixes_events),
		cmocka_unit_test(entries_that_end_at_the_rings_end_are_whole),
		cmocka_unit_test(what_is_larger_than_a_quarter_is_left_out),
		cmocka_unit_test(a_memory_of_no_size_keeps_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
