#include "base/map.h"

#include "base/log.h"

#include <sys/random.h>

struct entry;
static uint32_t key_hash(const struct map *m, const void *key, size_t n);

/* Every function that uses uthash has its map in `m`. */
#define HASH_FUNCTION(key, len, out) (out) = key_hash(m, (key), (size_t)(len))
#define uthash_fatal(msg)            give_up(msg)

static _Noreturn void give_up(const char *msg)
{
	log_error("memory", "map: %s", msg);
	abort();
}

#include <uthash.h>

struct entry {
	UT_hash_handle hh;
	void *value;
	size_t len;
	char key[];
};

struct map {
	struct entry *head;
	void (*free_value)(void *);
	uint64_t secret[2];
};

static uint64_t rotl(uint64_t x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

/*
 * SipHash-1-3 with a secret of the map's own: keys come from image names, YAML and the like,
 * and uthash's own functions let a stranger choose keys that all fall into one bucket.
 */
static uint32_t key_hash(const struct map *m, const void *key, size_t n)
{
	uint64_t v[4] = {
		m->secret[0] ^ UINT64_C(0x736f6d6570736575),
		m->secret[1] ^ UINT64_C(0x646f72616e646f6d),
		m->secret[0] ^ UINT64_C(0x6c7967656e657261),
		m->secret[1] ^ UINT64_C(0x7465646279746573),
	};
	const unsigned char *p = key;
	uint64_t word;
	for (size_t left = n; left >= 8; left -= 8, p += 8) {
		memcpy(&word, p, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	word = (uint64_t)n << 56;
	for (size_t i = 0; i < n % 8; i++)
		word |= (uint64_t)p[i] << (8 * i);
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return (uint32_t)(v[0] ^ v[1] ^ v[2] ^ v[3]);
}

struct map *map_new(void (*free_value)(void *))
{
	struct map *m = xcalloc(1, sizeof(*m));
	m->free_value = free_value;
	if (getrandom(m->secret, sizeof(m->secret), GRND_NONBLOCK) < 0)
		m->secret[0] = (uint64_t)(uintptr_t)m; /* early in boot; better than a constant */
	return m;
}

static void drop_value(const struct map *m, void *value)
{
	if (value && m->free_value)
		m->free_value(value);
}

static struct entry *find(const struct map *m, struct str key)
{
	struct entry *found = NULL;
	HASH_FIND(hh, m->head, key.p ? key.p : "", key.n, found);
	return found;
}

void map_free(struct map *m)
{
	if (!m)
		return;
	struct entry *it = m->head, *next;
	HASH_CLEAR(hh, m->head); /* frees the table; the list of entries stays readable */
	for (; it; it = next) {
		next = it->hh.next;
		drop_value(m, it->value);
		free(it);
	}
	free(m);
}

void map_put(struct map *m, struct str key, void *value)
{
	struct entry *found = find(m, key);
	if (found) {
		void *old = found->value;
		found->value = value;
		if (old != value)
			drop_value(m, old);
		return;
	}
	struct entry *en = xcalloc(1, sizeof(*en) + key.n + 1);
	en->value = value;
	en->len = key.n;
	if (key.n)
		memcpy(en->key, key.p, key.n);
	HASH_ADD_KEYPTR(hh, m->head, en->key, en->len, en);
}

void *map_get(const struct map *m, struct str key)
{
	const struct entry *found = find(m, key);
	return found ? found->value : NULL;
}

bool map_remove(struct map *m, struct str key)
{
	struct entry *found = find(m, key);
	if (!found)
		return false;
	HASH_DELETE(hh, m->head, found);
	drop_value(m, found->value);
	free(found);
	return true;
}

size_t map_count(const struct map *m)
{
	return HASH_COUNT(m->head);
}

void map_each(const struct map *m, bool (*fn)(void *ctx, struct str key, void *value), void *ctx)
{
	for (struct entry *it = m->head; it; it = it->hh.next)
		if (!fn(ctx, str_of(it->key, it->len), it->value))
			return;
}
