/* A growing byte buffer that always ends in NUL and never passes its largest size. */
#ifndef HW_BASE_BUF_H
#define HW_BASE_BUF_H

#include "base/scope.h"
#include "base/str.h"

#include <stdarg.h>

/*
 * Storage is the caller's; `BUF_INIT(max)` starts one. Once a write does not fit in `max`,
 * nothing more is added and `full` stays set: write everything, then test it once.
 */
struct buf {
	char *p; /* NULL until the first write */
	size_t n, cap, max;
	bool full;
};

#define BUF_INIT(largest)                                                                          \
	{                                                                                          \
		.max = (largest)                                                                   \
	}

void buf_fini(struct buf *b);
DEFINE_AUTO_VALUE(struct buf, buf_fini)

void buf_reset(struct buf *b); /* empty, keeps the memory */
void buf_put(struct buf *b, const void *p, size_t n);
void buf_putc(struct buf *b, char c);
void buf_puts(struct buf *b, const char *z);
void buf_put_str(struct buf *b, struct str s);
void buf_put_u64(struct buf *b, uint64_t v); /* decimal */
void buf_put_i64(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for n more bytes, to be filled by the caller and accepted by b->n += n; NULL when full. */
char *buf_reserve(struct buf *b, size_t n);

/* The contents as a C string ("" while empty), valid until the next write. */
const char *buf_cstr(const struct buf *b);

static inline struct str buf_str(const struct buf *b)
{
	return (struct str){ b->p ? b->p : "", b->n };
}

/* Hand the memory on (free() it); the buffer is empty afterwards. Never NULL. */
char *buf_take(struct buf *b);

#endif
