#include "base/scope.h"

#include "base/log.h"

#include <string.h>

static void out_of_memory(size_t n)
{
	log_error("memory", "no memory for %zu bytes, giving up", n);
	abort();
}

void *xcalloc(size_t n, size_t size)
{
	/* calloc(0) may give NULL, which callers would take for a missing object. */
	void *p = calloc(n ? n : 1, size ? size : 1);
	if (!p)
		out_of_memory(size);
	return p;
}

void *xrealloc(void *p, size_t size)
{
	void *q = realloc(p, size ? size : 1);
	if (!q)
		out_of_memory(size);
	return q;
}

char *xstrndup(const char *s, size_t n)
{
	size_t len = s ? strnlen(s, n) : 0;
	char *p = xcalloc(len + 1, 1);
	if (len)
		memcpy(p, s, len);
	return p;
}
