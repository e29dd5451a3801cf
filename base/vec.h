/* Growing arrays of plain values: VEC(struct item) v = { 0 }; vec_push(&v, item); vec_fini(&v); */
#ifndef HW_BASE_VEC_H
#define HW_BASE_VEC_H

#include "base/scope.h"

#define VEC(type)                                                                                  \
	struct {                                                                                   \
		type *p;                                                                           \
		size_t n, cap;                                                                     \
	}

void *vec_grow(void *p, size_t *cap, size_t need, size_t item);

#define vec_push(v, x)                                                                             \
	do {                                                                                       \
		if ((v)->n == (v)->cap)                                                            \
			(v)->p = vec_grow((v)->p, &(v)->cap, (v)->n + 1, sizeof(*(v)->p));         \
		(v)->p[(v)->n++] = (x);                                                            \
	} while (0)

#define vec_fini(v)                                                                                \
	do {                                                                                       \
		free((v)->p);                                                                      \
		(v)->p = NULL;                                                                     \
		(v)->n = (v)->cap = 0;                                                             \
	} while (0)

#endif
