/*
 * Every opening of other people's files goes through here: read-only, never a device or a
 * FIFO that blocks, never through a link that leaves the root. Later a helper process with the
 * needed rights answers behind the same functions.
 */
#ifndef HW_BASE_OPENER_H
#define HW_BASE_OPENER_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Open regular file `path` below directory `root` (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
 * an absolute path or link is taken below root). Returns the descriptor, -1 and *e: ERR_SYS,
 * ERR_FORMAT (not a regular file; nothing of it was opened then). Needs /proc.
 */
int opener_open(const char *root, const char *path, struct err *e);

/* The same for a directory, for reading its entries. */
int opener_open_dir(const char *root, const char *path, struct err *e);

/* Read a whole regular file into b, appended; ERR_LIMIT past b->max (b->full is set then). */
int opener_read(const char *root, const char *path, struct buf *b, struct err *e);

#endif
