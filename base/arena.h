/* Memory that dies together: one rule set, one scan, one screen frame. */
#ifndef HW_BASE_ARENA_H
#define HW_BASE_ARENA_H

#include "base/scope.h"
#include "base/str.h"

struct arena;

/* max_bytes bounds the whole arena (0: 64 MiB). Never fails (aborts without memory). */
struct arena *arena_new(size_t max_bytes);
void arena_free(struct arena *a);
DEFINE_AUTO(struct arena, arena_free)

/* Zeroed, aligned to 16. NULL past the arena's bound or without memory. */
void *arena_alloc(struct arena *a, size_t n);

/* Copies; NUL-terminated behind the last byte. p == NULL past the bound. */
struct str arena_str(struct arena *a, struct str s);
char *arena_strz(struct arena *a, const char *z);

size_t arena_used(const struct arena *a);

#endif
