/*
 * Which of many values is this? A hash table from byte strings to the tags of those who ask for
 * them, and the same for paths: who asks for this path or a directory above it? Built by one
 * thread; then read by any.
 */
#ifndef HW_RULES_MATCH_KEYS_H
#define HW_RULES_MATCH_KEYS_H

#include "base/scope.h"
#include "base/str.h"

struct match_keys;

struct match_keys *match_keys_new(void);
void match_keys_free(struct match_keys *m);
DEFINE_AUTO(struct match_keys, match_keys_free)

/* `key` is copied. Not after match_keys_build(). False past the bound on memory. */
bool match_keys_add(struct match_keys *m, struct str key, uint32_t tag);

/* The same for a path that holds no pattern (glob_is_plain) and is not empty. */
bool match_keys_add_path(struct match_keys *m, struct str path, uint32_t tag);

/* End of adding. */
void match_keys_build(struct match_keys *m);

/* The tags that were added with just this key; *n of them. */
const uint32_t *match_keys_find(const struct match_keys *m, struct str key, uint32_t *n);

/*
 * fn is called with the tags of each path that was added and is `path` or above it, as
 * glob_path_prefix() has it; it returns false to stop.
 */
typedef bool match_keys_hit(void *ctx, const uint32_t *tags, uint32_t n);
void match_keys_walk(const struct match_keys *m, struct str path, match_keys_hit *hit, void *ctx);

#endif
