/*
 * Bounded queue of pointers between threads: any number of producers, one consumer.
 * A push never blocks. Two classes share the room: bulk items are refused once only
 * `reserve` places are left, vital items (alerts) may use those too.
 */
#ifndef HW_BASE_QUEUE_H
#define HW_BASE_QUEUE_H

#include "base/scope.h"

#include <stdbool.h>

enum queue_class { QUEUE_BULK, QUEUE_VITAL };

struct queue;

/* 0 < capacity, reserve < capacity. Never fails (aborts without memory). */
struct queue *queue_new(size_t capacity, size_t reserve);

/* Calls free_item for what is still inside. No thread may be using it any more. */
void queue_free(struct queue *q, void (*free_item)(void *));

/* Ownership passes on true. false: full or closed; the caller keeps the item and counts. */
bool queue_push(struct queue *q, void *item, enum queue_class c);

/*
 * Takes up to max items into out, waiting at most timeout_ms (-1: for ever) for the first.
 * Returns how many; 0 on timeout, or when closed and drained (then queue_closed() is true).
 */
size_t queue_pop(struct queue *q, void **out, size_t max, int timeout_ms);

void queue_close(struct queue *q);        /* no more pushes; pop drains what is there */
bool queue_closed(const struct queue *q); /* closed and empty */
size_t queue_len(const struct queue *q);

#endif
