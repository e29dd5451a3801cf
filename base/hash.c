#include "base/hash.h"

#include <openssl/evp.h>
#include <stdlib.h>

void hash_sha256(struct str data, uint8_t out[HASH_SHA256_LEN])
{
	unsigned int len = 0;
	/* Fails only without memory or without any provider: nothing true could be answered. */
	if (!EVP_Digest(data.n ? data.p : "", data.n, out, &len, EVP_sha256(), NULL) ||
		len != HASH_SHA256_LEN)
		abort();
}

void hash_hex(const uint8_t *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * n] = '\0';
}
