/* Tells whether a file is still the one that was read. */
#ifndef HW_COLLECTOR_RUNTIME_STAMP_H
#define HW_COLLECTOR_RUNTIME_STAMP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct stamp {
	bool there;
	/*
	 * The file was written so shortly before the stamp was taken (or after it, by its
	 * own word) that another write may show the same times: never equal to anything.
	 */
	bool fresh;
	uint64_t dev, ino, size, mtime_ns, ctime_ns;
};

/*
 * Stamp regular file `path` below `root`, before reading it. A missing file is a stamp too
 * (`there` false). -1 and *e as opener_open() otherwise.
 */
int stamp_take(struct stamp *out, const char *root, const char *path, struct err *e);

bool stamp_equal(const struct stamp *a, const struct stamp *b);

#endif
