#include "base/vec.h"

#define VEC_FIRST 8

void *vec_grow(void *p, size_t *cap, size_t need, size_t item)
{
	size_t want = *cap ? *cap : VEC_FIRST;
	while (want < need)
		want = want > SIZE_MAX / 2 ? need : want * 2;
	size_t bytes;
	if (__builtin_mul_overflow(want, item, &bytes))
		bytes = SIZE_MAX; /* xrealloc refuses it with a line in the log */
	p = xrealloc(p, bytes);
	*cap = want;
	return p;
}
