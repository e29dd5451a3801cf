#include "collector/syscall/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#define SIZE    4096u
#define BUSY    (1u << 31)
#define DISCARD (1u << 30)

/*
 * The kernel's layout in a file: consumer page, producer page, data. The kernel maps the data
 * twice in a row; here each byte is written in both places.
 */
struct fake {
	int fd;
	size_t page;
	uint8_t *base, *data;
	uint64_t *consumer, *producer;
	struct ring *ring;
};

static struct fake *fake_new(uint64_t start)
{
	struct fake *f = calloc(1, sizeof(*f));
	struct err e = { 0 };

	f->page = (size_t)sysconf(_SC_PAGESIZE);
	size_t len = 2 * f->page + 2 * SIZE;
	f->fd = memfd_create("ring", MFD_CLOEXEC);
	assert_int_equal(ftruncate(f->fd, (off_t)len), 0);
	f->base = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	assert_ptr_not_equal(f->base, MAP_FAILED);
	f->consumer = (uint64_t *)(void *)f->base;
	f->producer = (uint64_t *)(void *)(f->base + f->page);
	f->data = f->base + 2 * f->page;
	*f->consumer = *f->producer = start;
	assert_int_equal(ring_open(&f->ring, f->fd, SIZE, &e), 0);
	return f;
}

static void fake_free(struct fake *f)
{
	ring_close(f->ring);
	munmap(f->base, 2 * f->page + 2 * SIZE);
	close(f->fd);
	free(f);
}
DEFINE_AUTO(struct fake, fake_free)

static void write_at(struct fake *f, uint64_t pos, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t at = (size_t)((pos + i) & (SIZE - 1));
		f->data[at] = f->data[at + SIZE] = ((const uint8_t *)p)[i];
	}
}

static void set_head(struct fake *f, uint64_t pos, uint32_t head)
{
	write_at(f, pos, &head, sizeof(head));
}

/* Append a record; returns where its head is. */
static uint64_t produce(struct fake *f, uint32_t flags, const void *p, uint32_t n)
{
	uint64_t at = *f->producer;

	set_head(f, at, n | flags);
	write_at(f, at + 8, p, n);
	*f->producer = at + ((8 + n + 7) & ~7u);
	return at;
}

static uint64_t say(struct fake *f, uint32_t flags, const char *z)
{
	return produce(f, flags, z, (uint32_t)strlen(z));
}

static void assert_next(struct fake *f, const char *z)
{
	struct str rec;

	assert_int_equal(ring_next(f->ring, &rec), RING_RECORD);
	if (!str_eqz(rec, z))
		fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(rec), z);
}

static void assert_result(struct fake *f, enum ring_result rc)
{
	struct str rec;

	assert_int_equal(ring_next(f->ring, &rec), rc);
}

static void an_empty_ring_says_so(void **state)
{
	(void)state;
	AUTO(fake_free) struct fake *f = fake_new(0);
	assert_result(f, RING_EMPTY);
	assert_int_equal(ring_size(f->ring), SIZE);
	assert_int_equal(ring_position(f->ring), 0);
}

static void records_come_in_their_order(void **state)
{
	(void)state;
	AUTO(fake_free) struct fake *f = fake_new(0);
	say(f, 0, "one");
	say(f, 0, "eight888");
	say(f, 0, "");
	say(f, 0, "nine99999");
	assert_next(f, "one");
	assert_int_equal(ring_position(f->ring), 16);
	assert_next(f, "eight888");
	assert_int_equal(ring_position(f->ring), 32);
	assert_next(f, "");
	assert_next(f, "nine99999");
	assert_int_equal(ring_position(f->ring), ring_produced(f->ring));
	assert_result(f, RING_EMPTY);
}

static void discarded_records_are_stepped_over(void **state)
{
	(void)state;
	AUTO(fake_free) struct fake *f = fake_new(0);
	say(f, DISCARD, "gone");
	say(f, 0, "kept");
	say(f, DISCARD, "gone");
	say(f, DISCARD, "gone too");
	assert_next(f, "kept");
	assert_result(f, RING_EMPTY);
	assert_int_equal(ring_position(f->ring), ring_produced(f->ring));
}

static void a_record_in_the_making_is_waited_for(void **state)
{
	(void)state;
	AUTO(fake_free) struct fake *f = fake_new(0);
	say(f, 0, "first");
	uint64_t at = say(f, BUSY, "second");
	say(f, 0, "third");
	assert_next(f, "first");
	assert_result(f, RING_BUSY);
	assert_result(f, RING_BUSY);
	assert_int_equal(ring_position(f->ring), at);
	set_head(f, at, 6);
	assert_next(f, "second");
	assert_next(f, "third");
}

static void a_record_in_the_making_may_be_discarded(void **state)
{
	(void)state;
	AUTO(fake_free) struct fake *f = fake_new(0);
	uint64_t at = say(f, BUSY, "never");
	assert_result(f, RING_BUSY);
	set_head(f, at, 5 | DISCARD);
	assert_result(f, RING_EMPTY);
	say(f, 0, "next");
	assert_next(f, "next");
}

static void records_go_round_the_end_in_one_piece(void **state)
{
	(void)state;
	/* every alignment of head and body to the end of the data, far from position 0 */
	for (uint64_t before = 8; before <= 64; before += 8) {
		AUTO(fake_free) struct fake *f = fake_new(7 * (uint64_t)SIZE - before);
		say(f, 0, "here and there and back");
		say(f, 0, "after");
		assert_next(f, "here and there and back");
		assert_next(f, "after");
		assert_result(f, RING_EMPTY);
	}
}

static void the_largest_record_fills_the_ring(void **state)
{
	(void)state;
	static char all[SIZE - 8];
	memset(all, 'x', sizeof(all));
	AUTO(fake_free) struct fake *f = fake_new(3 * SIZE + 1024);
	struct str rec;
	produce(f, 0, all, sizeof(all));
	assert_int_equal(ring_next(f->ring, &rec), RING_RECORD);
	assert_int_equal(rec.n, sizeof(all));
	assert_memory_equal(rec.p, all, sizeof(all));
}

static void a_length_past_the_ring_is_damage_and_reading_goes_on(void **state)
{
	(void)state;
	static const uint32_t bad[] = { SIZE - 7, SIZE, 2 * SIZE, (1u << 30) - 1, (1u << 30) - 8,
		((1u << 30) - 1) | DISCARD };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		AUTO(fake_free) struct fake *f = fake_new(SIZE);
		uint64_t at = say(f, 0, "x");
		say(f, 0, "lost with it");
		set_head(f, at, bad[i]);
		assert_result(f, RING_DAMAGED);
		assert_int_equal(ring_position(f->ring), ring_produced(f->ring));
		assert_result(f, RING_EMPTY);
		say(f, 0, "later");
		assert_next(f, "later");
	}
}

static void a_length_past_what_was_produced_is_damage(void **state)
{
	(void)state;
	AUTO(fake_free) struct fake *f = fake_new(0);
	uint64_t at = say(f, 0, "12345678");
	set_head(f, at, 9);
	assert_result(f, RING_DAMAGED);
	at = say(f, 0, "12345678");
	set_head(f, at, 9 | DISCARD);
	assert_result(f, RING_DAMAGED);
	assert_result(f, RING_EMPTY);
}

static void nothing_is_given_back_until_told(void **state)
{
	(void)state;
	AUTO(fake_free) struct fake *f = fake_new(64);
	say(f, 0, "a");
	say(f, 0, "b");
	assert_next(f, "a");
	uint64_t first = ring_position(f->ring);
	assert_next(f, "b");
	assert_int_equal(ring_released(f->ring), 64);
	assert_int_equal(*f->consumer, 64);
	ring_release(f->ring, first);
	assert_int_equal(*f->consumer, first);
	assert_int_equal(ring_released(f->ring), first);
}

static void release_never_goes_back(void **state)
{
	(void)state;
	AUTO(fake_free) struct fake *f = fake_new(64);
	say(f, 0, "a");
	assert_next(f, "a");
	ring_release(f->ring, ring_position(f->ring));
	ring_release(f->ring, 64);
	ring_release(f->ring, 0);
	assert_int_equal(ring_released(f->ring), ring_position(f->ring));
}

static void a_second_reader_starts_at_what_was_not_released(void **state)
{
	(void)state;
	AUTO(fake_free) struct fake *f = fake_new(64);
	struct err e = { 0 };
	say(f, 0, "a");
	say(f, 0, "b");
	assert_next(f, "a");
	ring_release(f->ring, ring_position(f->ring));
	assert_next(f, "b");
	ring_close(f->ring);
	assert_int_equal(ring_open(&f->ring, f->fd, SIZE, &e), 0);
	assert_next(f, "b");
	assert_result(f, RING_EMPTY);
}

static void what_is_no_ring_cannot_be_opened(void **state)
{
	(void)state;
	struct ring *r = NULL;
	struct err e = { 0 };
	int pipes[2];
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(ring_open(&r, pipes[0], SIZE, &e), -1);
	assert_int_equal(e.code, ERR_SYS);
	assert_null(r);
	close(pipes[0]);
	close(pipes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_ring_says_so),
		cmocka_unit_test(records_come_in_their_order),
		cmocka_unit_test(discarded_records_are_stepped_over),
		cmocka_unit_test(a_record_in_the_making_is_waited_for),
		cmocka_unit_test(a_record_in_the_making_may_be_discarded),
		cmocka_unit_test(records_go_round_the_end_in_one_piece),
		cmocka_unit_test(the_largest_record_fills_the_ring),
		cmocka_unit_test(a_length_past_the_ring_is_damage_and_reading_goes_on),
		cmocka_unit_test(a_length_past_what_was_produced_is_damage),
		cmocka_unit_test(nothing_is_given_back_until_told),
		cmocka_unit_test(release_never_goes_back),
		cmocka_unit_test(a_second_reader_starts_at_what_was_not_released),
		cmocka_unit_test(what_is_no_ring_cannot_be_opened),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
