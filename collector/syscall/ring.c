#include "collector/syscall/ring.h"

#include <sys/mman.h>

#define RING_BUSY_BIT    (1u << 31)
#define RING_DISCARD_BIT (1u << 30)
#define RING_HEAD        8u
#define RING_MAX_RECORD  (64u << 10)

struct ring {
	volatile uint64_t *consumer;
	const volatile uint64_t *producer;
	const uint8_t *data;
	void *producer_map;
	size_t page;
	uint32_t size;
	uint64_t pos;
	uint8_t *bounce; /* a record that goes over the end, in one piece */
};

int ring_open(struct ring **out, int fd, uint32_t size, struct err *e)
{
	AUTO(ring_close) struct ring *r = xcalloc(1, sizeof(*r));

	r->page = (size_t)sysconf(_SC_PAGESIZE);
	r->size = size;
	void *c = mmap(NULL, r->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (c == MAP_FAILED)
		return err_set(e, ERR_SYS, "map the ring's consumer page");
	r->consumer = c;
	/* the kernel offers the data twice in a row; once is enough and half the resident memory */
	void *p = mmap(NULL, r->page + (size_t)size, PROT_READ, MAP_SHARED, fd, (off_t)r->page);
	if (p == MAP_FAILED)
		return err_set(e, ERR_SYS, "map the ring's data");
	r->producer_map = p;
	r->producer = p;
	r->data = (const uint8_t *)p + r->page;
	r->pos = *r->consumer;
	r->bounce = xcalloc(1, RING_MAX_RECORD);
	*out = TAKE(r);
	return 0;
}

void ring_close(struct ring *r)
{
	if (!r)
		return;
	if (r->consumer)
		munmap((void *)(uintptr_t)r->consumer, r->page);
	if (r->producer_map)
		munmap(r->producer_map, r->page + (size_t)r->size);
	free(r->bounce);
	free(r);
}

/* `len` bytes at a position, in one piece. Heads are aligned to 8 and never go over the end. */
static const uint8_t *bytes_at(struct ring *r, uint64_t pos, uint32_t len)
{
	uint32_t at = (uint32_t)(pos & (r->size - 1)), to_end = r->size - at;

	if (len <= to_end)
		return r->data + at;
	memcpy(r->bounce, r->data + at, to_end);
	memcpy(r->bounce + to_end, r->data, len - to_end);
	return r->bounce;
}

enum ring_result ring_next(struct ring *r, struct str *rec)
{
	for (;;) {
		uint64_t produced = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
		if (r->pos >= produced)
			return RING_EMPTY;
		const uint8_t *at = r->data + (r->pos & (r->size - 1));
		uint32_t head = __atomic_load_n((const uint32_t *)at, __ATOMIC_ACQUIRE);
		if (head & RING_BUSY_BIT)
			return RING_BUSY;
		uint32_t len = head & ~(RING_BUSY_BIT | RING_DISCARD_BIT);
		uint64_t step = (uint64_t)((len + RING_HEAD + 7) & ~7u);
		if (len > r->size - RING_HEAD || len > RING_MAX_RECORD ||
			step > produced - r->pos) {
			r->pos = produced;
			return RING_DAMAGED;
		}
		uint64_t body = r->pos + RING_HEAD;
		r->pos += step;
		if (head & RING_DISCARD_BIT)
			continue;
		*rec = str_of(bytes_at(r, body, len), len);
		return RING_RECORD;
	}
}

uint64_t ring_position(const struct ring *r)
{
	return r->pos;
}

uint64_t ring_released(const struct ring *r)
{
	return *r->consumer;
}

uint64_t ring_produced(const struct ring *r)
{
	return __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
}

uint32_t ring_size(const struct ring *r)
{
	return r->size;
}

void ring_release(struct ring *r, uint64_t pos)
{
	if (pos > *r->consumer)
		__atomic_store_n(r->consumer, pos, __ATOMIC_RELEASE);
}
