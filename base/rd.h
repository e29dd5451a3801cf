/*
 * Reading cursor over untrusted bytes. A failure sticks and later reads give zero, so read a
 * whole record and test `bad` once. Integers are little-endian unless the name says be.
 */
#ifndef HW_BASE_RD_H
#define HW_BASE_RD_H

#include "base/str.h"

struct rd {
	const uint8_t *p, *end;
	bool bad;
};

static inline struct rd rd_of(const void *p, size_t n)
{
	return (struct rd){ p, (const uint8_t *)p + n, false };
}

static inline size_t rd_left(const struct rd *r)
{
	return (size_t)(r->end - r->p);
}

static inline const uint8_t *rd_bytes(struct rd *r, size_t n)
{
	if (r->bad || (size_t)(r->end - r->p) < n) {
		r->bad = true;
		return NULL;
	}
	const uint8_t *at = r->p;
	r->p += n;
	return at;
}

/* Copy n bytes to dst, or zero it. */
static inline void rd_copy(struct rd *r, void *dst, size_t n)
{
	const uint8_t *at = rd_bytes(r, n);
	if (at)
		memcpy(dst, at, n);
	else
		memset(dst, 0, n);
}

static inline struct str rd_str(struct rd *r, size_t n)
{
	const uint8_t *at = rd_bytes(r, n);
	return at ? str_of(at, n) : (struct str){ 0 };
}

#define RD_DEFINE_INT(name, type)                                                                  \
	static inline type name(struct rd *r)                                                      \
	{                                                                                          \
		type v;                                                                            \
		rd_copy(r, &v, sizeof(v));                                                         \
		return v;                                                                          \
	}

RD_DEFINE_INT(rd_u8, uint8_t)
RD_DEFINE_INT(rd_u16, uint16_t)
RD_DEFINE_INT(rd_u32, uint32_t)
RD_DEFINE_INT(rd_u64, uint64_t)

#endif
