#include "collector/syscall/before.h"

#include "base/hash.h"

#define BEFORE_HEADS 8192u
#define BEFORE_NONE  UINT64_MAX

/*
 * Entries lie one after the other in a ring of bytes and are named by their position, which only
 * grows: one is alive as long as its position is not below `tail`.
 */
struct entry {
	uint32_t size; /* with this header; aligned to 8 */
	bool stored;   /* elsewhere: not handed over again */
	bool taken;    /* this one and all before it of its key */
	uint64_t key;
	uint64_t previous; /* of the same bucket */
	struct event ev;   /* ev.data is set when read */
};

struct before {
	uint8_t *bytes;
	size_t size; /* multiple of 8 */
	uint64_t head, tail;
	uint64_t heads[BEFORE_HEADS];
};

struct before *before_new(size_t bytes)
{
	struct before *b = xcalloc(1, sizeof(*b));

	b->size = bytes & ~(size_t)7;
	b->bytes = xcalloc(1, b->size + sizeof(struct entry));
	memset(b->heads, 0xff, sizeof(b->heads));
	return b;
}

void before_free(struct before *b)
{
	if (!b)
		return;
	free(b->bytes);
	free(b);
}

static struct entry *entry_at(const struct before *b, uint64_t pos)
{
	return (struct entry *)(void *)(b->bytes + pos % b->size);
}

/* Room for `size` bytes in one piece at the head; the oldest entries make place. */
static struct entry *entry_make(struct before *b, uint32_t size)
{
	size_t to_end = b->size - b->head % b->size;
	uint64_t want = b->head + size + (size > to_end ? to_end : 0);

	while (b->tail < b->head && want - b->tail > b->size)
		b->tail += entry_at(b, b->tail)->size;
	if (size > to_end) {
		/* the slack behind the ring's end holds a header even where only 8 bytes are left */
		struct entry *rest = entry_at(b, b->head);
		rest->size = (uint32_t)to_end;
		b->head += to_end;
	}
	struct entry *e = entry_at(b, b->head);
	b->head += size;
	return e;
}

void before_add(struct before *b, uint64_t key, const struct event *ev, bool stored)
{
	uint32_t size = (uint32_t)((sizeof(struct entry) + ev->data_len + 7) & ~(size_t)7);
	uint64_t *bucket = &b->heads[hash_u64(key) & (BEFORE_HEADS - 1)];

	if (size > b->size / 4)
		return;
	struct entry *e = entry_make(b, size);
	e->size = size;
	e->stored = stored;
	e->taken = false;
	e->key = key;
	e->previous = *bucket;
	e->ev = *ev;
	if (ev->data_len)
		memcpy(e + 1, ev->data, ev->data_len);
	*bucket = b->head - size;
}

void before_take(struct before *b, uint64_t key, uint64_t since_boot_ns, size_t max,
	bool (*fn)(void *ctx, struct event *ev), void *ctx)
{
	uint64_t at = b->heads[hash_u64(key) & (BEFORE_HEADS - 1)];
	bool newest = true;

	while (at != BEFORE_NONE && at >= b->tail && at < b->head && max > 0) {
		struct entry *e = entry_at(b, at);
		at = e->previous;
		if (e->key != key)
			continue;
		if (e->taken || e->ev.boot_ns < since_boot_ns)
			return;
		/* what lies before it goes with it now, or is too old, or too much */
		e->taken = newest;
		newest = false;
		if (e->stored)
			continue;
		e->stored = true;
		e->ev.data = (const char *)(e + 1);
		max--;
		if (!fn(ctx, event_clone(&e->ev)))
			return;
	}
}
