#include "base/queue.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int items[16];

static void items_come_out_in_the_order_they_went_in(void **state)
{
	struct queue *q = queue_new(4, 0);
	void *out[4];
	(void)state;
	for (int round = 0; round < 3; round++) { /* the ring wraps */
		for (int i = 0; i < 3; i++)
			assert_true(queue_push(q, &items[i], QUEUE_BULK));
		assert_int_equal(queue_len(q), 3);
		assert_int_equal(queue_pop(q, out, 2, 0), 2);
		assert_ptr_equal(out[0], &items[0]);
		assert_ptr_equal(out[1], &items[1]);
		assert_int_equal(queue_pop(q, out, 4, -1), 1);
		assert_ptr_equal(out[0], &items[2]);
	}
	queue_free(q, NULL);
}

static void the_reserve_is_kept_for_vital_items(void **state)
{
	struct queue *q = queue_new(4, 2);
	(void)state;
	assert_true(queue_push(q, &items[0], QUEUE_BULK));
	assert_true(queue_push(q, &items[1], QUEUE_BULK));
	assert_false(queue_push(q, &items[2], QUEUE_BULK));
	assert_true(queue_push(q, &items[2], QUEUE_VITAL));
	assert_true(queue_push(q, &items[3], QUEUE_VITAL));
	assert_false(queue_push(q, &items[4], QUEUE_VITAL));
	assert_int_equal(queue_len(q), 4);
	queue_free(q, NULL);
}

static void nothing_in_time_gives_nothing(void **state)
{
	struct queue *q = queue_new(2, 0);
	void *out[2];
	(void)state;
	assert_int_equal(queue_pop(q, out, 2, 0), 0);
	assert_int_equal(queue_pop(q, out, 2, 1), 0);
	assert_false(queue_closed(q));
	queue_free(q, NULL);
}

static void a_closed_queue_refuses_and_drains(void **state)
{
	struct queue *q = queue_new(4, 0);
	void *out[4];
	(void)state;
	queue_push(q, &items[0], QUEUE_BULK);
	queue_close(q);
	assert_false(queue_push(q, &items[1], QUEUE_VITAL));
	assert_false(queue_closed(q));
	assert_int_equal(queue_pop(q, out, 4, -1), 1);
	assert_true(queue_closed(q));
	assert_int_equal(queue_pop(q, out, 4, -1), 0);
	queue_free(q, NULL);
}

static void count_item(void *item)
{
	++*(int *)item;
}

static void what_is_left_is_freed(void **state)
{
	struct queue *q = queue_new(4, 0);
	int a = 0, b = 0;
	(void)state;
	queue_push(q, &a, QUEUE_BULK);
	queue_push(q, &b, QUEUE_BULK);
	queue_free(q, count_item);
	assert_int_equal(a, 1);
	assert_int_equal(b, 1);
	queue_free(NULL, count_item);
}

enum { PRODUCERS = 3, PUSHES = 20000 };

struct producer {
	struct queue *q;
	size_t refused;
};

static void *produce(void *arg)
{
	static int token;
	struct producer *p = arg;
	for (int i = 0; i < PUSHES; i++)
		p->refused += !queue_push(p->q, &token, i % 2 ? QUEUE_VITAL : QUEUE_BULK);
	return NULL;
}

struct consumer {
	struct queue *q;
	size_t taken;
};

static void *consume(void *arg)
{
	struct consumer *c = arg;
	void *out[8];
	do {
		c->taken += queue_pop(c->q, out, 8, -1);
	} while (!queue_closed(c->q));
	return NULL;
}

static void every_push_is_either_taken_or_refused(void **state)
{
	struct queue *q = queue_new(64, 8);
	struct producer p[PRODUCERS] = { { q, 0 }, { q, 0 }, { q, 0 } };
	struct consumer c = { q, 0 };
	pthread_t producers[PRODUCERS], consumer;
	size_t refused = 0;
	(void)state;
	assert_int_equal(pthread_create(&consumer, NULL, consume, &c), 0);
	for (int i = 0; i < PRODUCERS; i++)
		assert_int_equal(pthread_create(&producers[i], NULL, produce, &p[i]), 0);
	for (int i = 0; i < PRODUCERS; i++) {
		pthread_join(producers[i], NULL);
		refused += p[i].refused;
	}
	queue_close(q);
	pthread_join(consumer, NULL);
	assert_int_equal(c.taken + refused, PRODUCERS * PUSHES);
	assert_true(c.taken > 0);
	queue_free(q, NULL);
}

static void a_sleeping_consumer_wakes_for_an_item_and_for_the_close(void **state)
{
	struct queue *q = queue_new(2, 0);
	struct consumer c = { q, 0 };
	pthread_t consumer;
	(void)state;
	assert_int_equal(pthread_create(&consumer, NULL, consume, &c), 0);
	while (!queue_push(q, &items[0], QUEUE_BULK))
		;
	while (queue_len(q))
		; /* until the consumer took it, however it was woken */
	queue_close(q);
	pthread_join(consumer, NULL);
	assert_int_equal(c.taken, 1);
	queue_free(q, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_come_out_in_the_order_they_went_in),
		cmocka_unit_test(the_reserve_is_kept_for_vital_items),
		cmocka_unit_test(nothing_in_time_gives_nothing),
		cmocka_unit_test(a_closed_queue_refuses_and_drains),
		cmocka_unit_test(what_is_left_is_freed),
		cmocka_unit_test(every_push_is_either_taken_or_refused),
		cmocka_unit_test(a_sleeping_consumer_wakes_for_an_item_and_for_the_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
