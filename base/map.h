/* Hash map from byte strings to pointers. Hides its library (uthash). Not thread-safe. */
#ifndef HW_BASE_MAP_H
#define HW_BASE_MAP_H

#include "base/scope.h"
#include "base/str.h"

struct map;

/*
 * free_value may be NULL; it is called for values that are replaced, removed, or left at map_free,
 * but not for NULL.
 */
struct map *map_new(void (*free_value)(void *));
void map_free(struct map *m);
DEFINE_AUTO(struct map, map_free)

/* The key is copied. An earlier value of the same key is freed. */
void map_put(struct map *m, struct str key, void *value);
void *map_get(const struct map *m, struct str key); /* NULL when absent */
bool map_remove(struct map *m, struct str key);     /* false when absent */
size_t map_count(const struct map *m);

/* In order of insertion. fn returns false to stop. The map must not change meanwhile. */
void map_each(const struct map *m, bool (*fn)(void *ctx, struct str key, void *value), void *ctx);

#endif
