/*
 * Memory of one event's judging: given out piece by piece, taken back all at once, kept for
 * the next event. Nothing moves, so that views into it stay valid until the reset.
 */
#ifndef HW_RULES_SCRATCH_H
#define HW_RULES_SCRATCH_H

#include "base/buf.h"

struct scratch_chunk;

struct scratch {
	struct scratch_chunk *first, *now;
	size_t used;  /* of the current chunk */
	size_t total; /* given out since the reset */
};

/* One event's values together may be as large; more is refused. */
#define SCRATCH_MAX_BYTES (8u << 20)

void scratch_reset(struct scratch *s);
void scratch_fini(struct scratch *s);

/* Not zeroed, aligned to 8. NULL past the bound. */
void *scratch_alloc(struct scratch *s, size_t n);

/* A copy of what is in b; p == NULL past the bound. */
struct str scratch_copy(struct scratch *s, struct str text);

#endif
