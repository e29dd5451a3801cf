#include "rules/match_keys.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/vec.h"
#include "rules/glob.h"

/* Keys and their tags of one set of rules. */
#define MAX_KEY_BYTES (256u << 20)

struct added {
	uint64_t hash;
	struct str key;
	uint32_t tag;
};

/* Tags of one key; n == 0 is a free place. */
struct place {
	uint64_t hash;
	struct str key;
	uint32_t first, n;
};

struct match_keys {
	struct arena *arena;
	VEC(struct added) added;
	struct place *places; /* open addressing, at most half full */
	size_t mask;
	uint32_t *tags;
};

struct match_keys *match_keys_new(void)
{
	struct match_keys *m = xcalloc(1, sizeof(*m));

	m->arena = arena_new(MAX_KEY_BYTES);
	return m;
}

void match_keys_free(struct match_keys *m)
{
	if (!m)
		return;
	arena_free(m->arena);
	vec_fini(&m->added);
	free(m->places);
	free(m->tags);
	free(m);
}

/*
 * Eight bytes a step: paths are long, and this runs for each event. Who chooses the text looked up
 * cannot choose the keys, so that chains are as short as the rules make them.
 */
static uint64_t hash_bytes(struct str s, uint64_t h)
{
	uint64_t word;

	h ^= s.n * 0x9e3779b97f4a7c15u;
	for (; s.n >= 8; s.p += 8, s.n -= 8) {
		memcpy(&word, s.p, 8);
		h = (h ^ word) * 0xbf58476d1ce4e5b9u;
		h ^= h >> 32;
	}
	word = 0;
	for (size_t i = 0; i < s.n; i++)
		word |= (uint64_t)(uint8_t)s.p[i] << (8 * i);
	h = (h ^ word) * 0x94d049bb133111ebu;
	return h ^ h >> 29;
}

static bool add(struct match_keys *m, struct str key, uint64_t hash, uint32_t tag)
{
	struct added a = { .hash = hash, .key = arena_str(m->arena, key), .tag = tag };

	if (!a.key.p)
		return false;
	vec_push(&m->added, a);
	return true;
}

bool match_keys_add(struct match_keys *m, struct str key, uint32_t tag)
{
	return add(m, key, hash_bytes(key, 0), tag);
}

static struct place *find(const struct match_keys *m, struct str key, uint64_t hash)
{
	size_t i = hash & m->mask;

	while (m->places[i].n && (m->places[i].hash != hash || !str_eq(m->places[i].key, key)))
		i = (i + 1) & m->mask;
	return &m->places[i];
}

void match_keys_build(struct match_keys *m)
{
	size_t cap = 4;
	uint32_t at = 0;

	while (cap < m->added.n * 2)
		cap *= 2;
	m->mask = cap - 1;
	m->places = xcalloc(cap, sizeof(*m->places));
	m->tags = xcalloc(m->added.n + 1, sizeof(*m->tags));
	/* Count, then lay out, then fill: the tags of one key stand together. */
	for (size_t i = 0; i < m->added.n; i++) {
		struct place *p = find(m, m->added.p[i].key, m->added.p[i].hash);

		p->key = m->added.p[i].key;
		p->hash = m->added.p[i].hash;
		p->n++;
	}
	for (size_t i = 0; i < cap; i++) {
		m->places[i].first = at;
		at += m->places[i].n;
	}
	for (size_t i = m->added.n; i-- > 0;) {
		struct place *p = find(m, m->added.p[i].key, m->added.p[i].hash);

		m->tags[p->first++] = m->added.p[i].tag;
	}
	for (size_t i = 0; i < cap; i++)
		m->places[i].first -= m->places[i].n;
	vec_fini(&m->added);
}

const uint32_t *match_keys_find(const struct match_keys *m, struct str key, uint32_t *n)
{
	const struct place *p = find(m, key, hash_bytes(key, 0));

	*n = p->n;
	return m->tags + p->first;
}

/* Paths: the hash goes over the parts, so that empty parts do not count. */

static uint64_t hash_root(struct str path)
{
	return path.n && path.p[0] == '/' ? 1 : 2;
}

static bool next_part(struct str *path, uint64_t *hash)
{
	while (path->n) {
		struct str part = str_cut(path, '/');

		if (part.n) {
			*hash = hash_bytes(part, *hash);
			return true;
		}
	}
	return false;
}

bool match_keys_add_path(struct match_keys *m, struct str path, uint32_t tag)
{
	struct str rest = path;
	uint64_t hash = hash_root(path);

	while (next_part(&rest, &hash))
		;
	return add(m, path, hash, tag);
}

/* Paths of the same parts may be written differently: each has a place of its own. */
static bool walk_at(
	const struct match_keys *m, uint64_t hash, struct str path, match_keys_hit *hit, void *ctx)
{
	for (size_t i = hash & m->mask; m->places[i].n; i = (i + 1) & m->mask) {
		const struct place *p = &m->places[i];

		if (p->hash == hash && glob_path_prefix(p->key, path) &&
			!hit(ctx, m->tags + p->first, p->n))
			return false;
	}
	return true;
}

void match_keys_walk(const struct match_keys *m, struct str path, match_keys_hit *hit, void *ctx)
{
	struct str rest = path;
	uint64_t hash = hash_root(path);

	do {
		if (!walk_at(m, hash, path, hit, ctx))
			return;
	} while (next_part(&rest, &hash));
}
