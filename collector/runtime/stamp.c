#include "collector/runtime/stamp.h"

#include "base/clock.h"
#include "base/opener.h"

#include <errno.h>
#include <sys/stat.h>

/* Files' times move in ticks of at most 10 ms; twice that, and some for a clock that is set. */
#define FRESH_NS 50000000u

#define NS_PER_S 1000000000u

static uint64_t to_ns(struct timespec t)
{
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static bool is_missing(const struct err *e)
{
	return e->code == ERR_NOT_FOUND ||
	       (e->code == ERR_SYS && (e->sys == ENOENT || e->sys == ENOTDIR));
}

int stamp_take(struct stamp *out, const char *root, const char *path, struct err *e)
{
	struct err why = { 0 };
	AUTO_FD int fd = opener_open(root, path, &why);
	if (fd < 0 && is_missing(&why)) {
		*out = (struct stamp){ 0 };
		return 0;
	}
	if (fd < 0) {
		if (e)
			*e = why;
		return -1;
	}
	struct stat st;
	if (fstat(fd, &st))
		return err_set(e, ERR_SYS, "stat %s", path);
	*out = (struct stamp){
		.there = true,
		.dev = st.st_dev,
		.ino = st.st_ino,
		.size = (uint64_t)st.st_size,
		.mtime_ns = to_ns(st.st_mtim),
		.ctime_ns = to_ns(st.st_ctim),
	};
	out->fresh = out->mtime_ns + FRESH_NS > clock_real_ns();
	return 0;
}

bool stamp_equal(const struct stamp *a, const struct stamp *b)
{
	if (!a->there && !b->there)
		return true;
	return a->there == b->there && !a->fresh && !b->fresh && a->dev == b->dev &&
	       a->ino == b->ino && a->size == b->size && a->mtime_ns == b->mtime_ns &&
	       a->ctime_ns == b->ctime_ns;
}
