/*
 * Tells when files that were loaded have changed, by inotify. Folders are watched and not files,
 * because editors, package managers and ConfigMaps put new files in place of old ones. What counts
 * in the end is not the event but whether the files differ from when the watch was opened.
 *
 * One thread uses it.
 */
#ifndef HW_CMD_WATCH_H
#define HW_CMD_WATCH_H

#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"

#define WATCH_MAX_FOLDERS 256
/* Nothing may have happened for this long; but no change waits longer than the second. */
#define WATCH_QUIET_NS 50000000ull
#define WATCH_LONG_NS  1000000000ull

struct watch;

/*
 * Remember how `paths` (files; folders with all that is directly in them; either may be missing) are
 * now, and watch them. They are copied. -1 and *e: ERR_SYS; ERR_LIMIT (more than WATCH_MAX_FOLDERS
 * folders). Close with watch_close().
 */
int watch_open(struct watch **out, const char *const *paths, size_t n, struct err *e);
void watch_close(struct watch *w); /* NULL is fine */
DEFINE_AUTO(struct watch, watch_close)

/*
 * To be polled for reading; -1 while it only waits for time to pass, so that a busy folder wakes
 * nobody. NULL gives -1.
 */
int watch_fd(const struct watch *w);

/* When watch_step() has to be called, CLOCK_MONOTONIC; 0: when watch_fd() is readable. NULL gives 0. */
uint64_t watch_due_ns(const struct watch *w);

/*
 * To be called when it is due or readable. True when the files differ from how they were when the
 * watch was opened, or when this was true the last time. NULL gives false.
 */
bool watch_step(struct watch *w, uint64_t now_ns);

#endif
