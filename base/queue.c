#include "base/queue.h"

#include <assert.h>
#include <pthread.h>
#include <time.h>

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled; /* on CLOCK_MONOTONIC */
	size_t capacity, reserve;
	size_t head, len;
	bool closed;
	bool waiting; /* the consumer sleeps: only then is a signal worth its call */
	void *items[];
};

struct queue *queue_new(size_t capacity, size_t reserve)
{
	assert(capacity > 0 && reserve < capacity);
	assert(capacity < SIZE_MAX / sizeof(void *) / 2);
	struct queue *q = xcalloc(1, sizeof(*q) + capacity * sizeof(q->items[0]));
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->filled, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&q->lock, NULL);
	q->capacity = capacity;
	q->reserve = reserve;
	return q;
}

static void *take_first(struct queue *q)
{
	void *item = q->items[q->head];
	q->head = q->head + 1 == q->capacity ? 0 : q->head + 1;
	q->len--;
	return item;
}

void queue_free(struct queue *q, void (*free_item)(void *))
{
	if (!q)
		return;
	while (q->len) {
		void *item = take_first(q);
		if (free_item)
			free_item(item);
	}
	pthread_cond_destroy(&q->filled);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

bool queue_push(struct queue *q, void *item, enum queue_class c)
{
	pthread_mutex_lock(&q->lock);
	size_t room = q->capacity - (c == QUEUE_VITAL ? 0 : q->reserve);
	bool taken = !q->closed && q->len < room;
	if (taken) {
		size_t at = q->head + q->len;
		q->items[at >= q->capacity ? at - q->capacity : at] = item;
		q->len++;
	}
	bool wake = taken && q->waiting;
	if (wake)
		q->waiting = false;
	pthread_mutex_unlock(&q->lock);
	if (wake)
		pthread_cond_signal(&q->filled);
	return taken;
}

static struct timespec deadline_in(int ms)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* With the lock held: returns when something is there, the queue is closed or the time is over. */
static void wait_filled(struct queue *q, int timeout_ms)
{
	struct timespec until = timeout_ms > 0 ? deadline_in(timeout_ms) : (struct timespec){ 0 };
	int rc = 0;
	while (q->len == 0 && !q->closed && rc == 0) {
		q->waiting = true;
		rc = timeout_ms < 0 ? pthread_cond_wait(&q->filled, &q->lock)
				    : pthread_cond_timedwait(&q->filled, &q->lock, &until);
	}
	q->waiting = false;
}

size_t queue_pop(struct queue *q, void **out, size_t max, int timeout_ms)
{
	size_t n = 0;
	pthread_mutex_lock(&q->lock);
	if (timeout_ms != 0)
		wait_filled(q, timeout_ms);
	while (n < max && q->len)
		out[n++] = take_first(q);
	pthread_mutex_unlock(&q->lock);
	return n;
}

void queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_broadcast(&q->filled);
	pthread_mutex_unlock(&q->lock);
}

/* The lock is no part of what a reader sees as the queue's value. */
static pthread_mutex_t *lock_of(const struct queue *q)
{
	return (pthread_mutex_t *)(uintptr_t)&q->lock;
}

bool queue_closed(const struct queue *q)
{
	pthread_mutex_lock(lock_of(q));
	bool closed = q->closed && q->len == 0;
	pthread_mutex_unlock(lock_of(q));
	return closed;
}

size_t queue_len(const struct queue *q)
{
	pthread_mutex_lock(lock_of(q));
	size_t n = q->len;
	pthread_mutex_unlock(lock_of(q));
	return n;
}
