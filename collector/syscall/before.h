/*
 * What happened just before: a bounded memory of the last events, so that an alert can be stored with
 * what its container or session did in the seconds before it. The oldest go when room is needed.
 * Belongs to the capture thread.
 */
#ifndef HW_SYSCALL_BEFORE_H
#define HW_SYSCALL_BEFORE_H

#include "base/event.h"

struct before;

struct before *before_new(size_t bytes);
void before_free(struct before *b);
DEFINE_AUTO(struct before, before_free)

/* Remember an event under `key` (what it is a part of: a container or a session). */
void before_add(struct before *b, uint64_t key, const struct event *ev, bool stored);

/*
 * Hand over what `key` did since `since_boot_ns` and has not been handed over yet, newest first, at most
 * `max`. `fn` gets a copy that it owns; it returns false to stop.
 */
void before_take(struct before *b, uint64_t key, uint64_t since_boot_ns, size_t max,
	bool (*fn)(void *ctx, struct event *ev), void *ctx);

#endif
