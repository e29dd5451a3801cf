/*
 * Is there a link that explains why a file that was opened is called otherwise than the caller said? Looks at
 * the file system at the time of asking; answers are remembered for a moment.
 */
#ifndef HW_SYSCALL_PATHCHECK_H
#define HW_SYSCALL_PATHCHECK_H

#include "base/event.h"

struct pathcheck;

struct pathcheck *pathcheck_new(void);
void pathcheck_free(struct pathcheck *c);
DEFINE_AUTO(struct pathcheck, pathcheck_free)

/* For an EVENT_OPEN with EVENT_F_MISMATCH: clears the flag where the caller's path is a link. `now_ns` is any
 * monotonic clock. */
void pathcheck_event(struct pathcheck *c, struct event *ev, uint64_t now_ns);

#endif
