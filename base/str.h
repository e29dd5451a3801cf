/* Borrowed views of bytes. A struct str owns nothing and is not terminated. */
#ifndef HW_BASE_STR_H
#define HW_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p;
	size_t n;
};

#define STR(lit)   ((struct str){ "" lit, sizeof(lit) - 1 })
#define STR_ARG(s) (int)(s).n, (s).p /* for "%.*s" */

static inline struct str str_from(const char *z)
{
	return (struct str){ z, z ? strlen(z) : 0 };
}

static inline struct str str_of(const void *p, size_t n)
{
	return (struct str){ p, n };
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_eqz(struct str a, const char *z)
{
	return str_eq(a, str_from(z));
}

bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_contains(struct str s, struct str part);
bool str_icontains(struct str s, struct str part); /* ASCII case only */
int str_cmp(struct str a, struct str b);           /* bytewise, like memcmp */
struct str str_trim(struct str s);                 /* ASCII blanks at both ends */

/* Cut `*s` at the first `sep`: returns what stands before it and leaves the rest in *s.
 * Without a separator returns all of it and leaves *s empty with p == NULL. */
struct str str_cut(struct str *s, char sep);

/* Whole string to number. Return false, and leave *out, on anything else or overflow.
 * str_to_u64 takes decimal or 0x hex. */
bool str_to_u64(struct str s, uint64_t *out);
bool str_to_i64(struct str s, int64_t *out);

/* Levenshtein distance, for "did you mean"; both cut at 64 bytes. */
unsigned int str_distance(struct str a, struct str b);

/* The nearest of `names` (n of them) within a third of the longer's length, rounded up, or NULL. */
const char *str_nearest(struct str s, const char *const *names, size_t n);

#endif
