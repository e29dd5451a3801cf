#include "rules/scratch.h"

enum { CHUNK_BYTES = 64 * 1024 };

struct scratch_chunk {
	struct scratch_chunk *next;
	size_t cap;
	char bytes[];
};

void scratch_reset(struct scratch *s)
{
	s->now = s->first;
	s->used = 0;
	s->total = 0;
}

void scratch_fini(struct scratch *s)
{
	while (s->first) {
		struct scratch_chunk *next = s->first->next;

		free(s->first);
		s->first = next;
	}
	*s = (struct scratch){ 0 };
}

/*
 * A new chunk behind the current one. Those that are too small for n stay where they are, unused.
 */
static void add_chunk(struct scratch *s, size_t n)
{
	size_t cap = CHUNK_BYTES;
	struct scratch_chunk *c;

	/* Powers of two, so that sizes that creep up do not leave a chunk behind each. */
	while (cap < n)
		cap *= 2;
	c = xcalloc(1, sizeof(*c) + cap);
	c->cap = cap;
	if (s->now) {
		c->next = s->now->next;
		s->now->next = c;
	} else {
		c->next = s->first;
		s->first = c;
	}
	s->now = c;
	s->used = 0;
}

void *scratch_alloc(struct scratch *s, size_t n)
{
	if (n > SCRATCH_MAX_BYTES)
		return NULL;
	n = (n + 7) & ~(size_t)7;
	if (n > SCRATCH_MAX_BYTES - s->total)
		return NULL;
	while (!s->now || n > s->now->cap - s->used) {
		if (s->now && s->now->next && s->now->next->cap >= n) {
			s->now = s->now->next;
			s->used = 0;
		} else {
			add_chunk(s, n);
		}
	}
	void *at = s->now->bytes + s->used;

	s->used += n;
	s->total += n;
	return at;
}

struct str scratch_copy(struct scratch *s, struct str text)
{
	char *at = scratch_alloc(s, text.n + 1);

	if (!at)
		return (struct str){ 0 };
	if (text.n)
		memcpy(at, text.p, text.n);
	at[text.n] = '\0';
	return str_of(at, text.n);
}
