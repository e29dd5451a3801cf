/* Digests and the quick hash. SHA-256 comes from libcrypto, whose only includer hash.c is. */
#ifndef HW_BASE_HASH_H
#define HW_BASE_HASH_H

#include "base/str.h"

#define HASH_SHA256_LEN 32
void hash_sha256(struct str data, uint8_t out[HASH_SHA256_LEN]);

/* Lower-case hex of n bytes into out[2 * n + 1]. */
void hash_hex(const uint8_t *p, size_t n, char *out);

/* FNV-1a with a final mix: for tables that hold no attacker-chosen keys in bulk. */
static inline uint64_t hash_quick(const void *p, size_t n, uint64_t seed)
{
	const uint8_t *b = p;
	uint64_t h = 0xcbf29ce484222325u ^ seed;
	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 0x100000001b3u;
	return h ^ (h >> 29);
}

static inline uint64_t hash_u64(uint64_t x)
{
	/* finaliser of splitmix64 */
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

#endif
