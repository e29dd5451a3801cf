/* Scope cleanup, moves, and the allocation that cannot fail. */
#ifndef HW_BASE_SCOPE_H
#define HW_BASE_SCOPE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* A local that its scope closes: `AUTO(layer_close) struct layer *l = NULL;` */
#define AUTO(f) __attribute__((cleanup(auto_##f)))

/* Makes AUTO(f) work for pointers to `type`; f must take NULL. Stands after f's prototype. */
#define DEFINE_AUTO(type, f)                                                                       \
	static inline void auto_##f(type **p)                                                      \
	{                                                                                          \
		f(*p);                                                                             \
	}

/* The same for storage that is the caller's: `AUTO(buf_fini) struct buf b = ...;` */
#define DEFINE_AUTO_VALUE(type, f)                                                                 \
	static inline void auto_##f(type *p)                                                       \
	{                                                                                          \
		f(p);                                                                              \
	}

static inline void auto_fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void auto_free_ptr(void *p)
{
	free(*(void **)p);
}

#define AUTO_FD   __attribute__((cleanup(auto_fd_close)))
#define AUTO_FREE __attribute__((cleanup(auto_free_ptr)))

/* Hand a local on: yields its value and leaves NULL behind. */
#define TAKE(p)                                                                                    \
	({                                                                                         \
		__typeof__(p) take_tmp = (p);                                                      \
		(p) = NULL;                                                                        \
		take_tmp;                                                                          \
	})

/* Hand a descriptor on: yields it and leaves -1 behind. */
#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int take_fd = (fd);                                                                \
		(fd) = -1;                                                                         \
		take_fd;                                                                           \
	})

#define ARRAY_N(a) (sizeof(a) / sizeof((a)[0]))

/* For small fixed sizes only: log and abort when there is no memory. Zeroed. */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrndup(const char *s, size_t n);

#endif
