#include "base/arena.h"

#define ARENA_DEFAULT_MAX (64u << 20)
#define ARENA_ALIGN       16u
#define ARENA_FIRST       (4u << 10)
#define ARENA_LARGEST     (256u << 10)

/* Blocks are linked newest first; only the first has room to give. */
struct block {
	struct block *next;
	size_t size, used;
	_Alignas(ARENA_ALIGN) unsigned char data[];
};

struct arena {
	struct block *blocks;
	size_t next_size;
	size_t used, max;
};

struct arena *arena_new(size_t max_bytes)
{
	struct arena *a = xcalloc(1, sizeof(*a));
	a->max = max_bytes ? max_bytes : ARENA_DEFAULT_MAX;
	a->next_size = ARENA_FIRST;
	return a;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	while (a->blocks) {
		struct block *b = a->blocks;
		a->blocks = b->next;
		free(b);
	}
	free(a);
}

static struct block *add_block(size_t size)
{
	struct block *b = calloc(1, sizeof(*b) + size);
	if (!b)
		return NULL;
	b->size = size;
	return b;
}

/* A large piece gets a block of its own behind the first, whose room stays in use. */
static void *alloc_large(struct arena *a, size_t n)
{
	struct block *b = add_block(n);
	if (!b)
		return NULL;
	b->used = n;
	if (a->blocks) {
		b->next = a->blocks->next;
		a->blocks->next = b;
	} else {
		a->blocks = b;
	}
	return b->data;
}

static void *alloc_small(struct arena *a, size_t n)
{
	struct block *b = a->blocks;
	if (!b || b->size - b->used < n) {
		b = add_block(a->next_size);
		if (!b)
			return NULL;
		b->next = a->blocks;
		a->blocks = b;
		if (a->next_size < ARENA_LARGEST)
			a->next_size *= 2;
	}
	void *p = b->data + b->used;
	b->used += n;
	return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
	if (n > a->max || n > SIZE_MAX - 2 * ARENA_ALIGN - sizeof(struct block))
		return NULL;
	size_t rounded = n ? (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1) : ARENA_ALIGN;
	if (rounded > a->max - a->used)
		return NULL;
	void *p = rounded > a->next_size / 4 ? alloc_large(a, rounded) : alloc_small(a, rounded);
	if (p)
		a->used += rounded;
	return p;
}

struct str arena_str(struct arena *a, struct str s)
{
	if (s.n == SIZE_MAX)
		return (struct str){ 0 };
	char *p = arena_alloc(a, s.n + 1);
	if (!p)
		return (struct str){ 0 };
	if (s.n)
		memcpy(p, s.p, s.n);
	return str_of(p, s.n);
}

char *arena_strz(struct arena *a, const char *z)
{
	struct str s = str_from(z);
	char *p = arena_alloc(a, s.n + 1);
	if (p && s.n)
		memcpy(p, s.p, s.n);
	return p;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}
