/* The processes that are there already, from the kernel's task iterator, with arguments from /proc. */
#ifndef HW_SYSCALL_SEED_H
#define HW_SYSCALL_SEED_H

#include "base/buf.h"
#include "base/err.h"
#include "base/event.h"

/*
 * Read all seed records from the iterator's descriptor: fn gets each event, valid during the call, and the
 * process's arguments (NUL after each; empty where it has none or is gone). ERR_SYS, ERR_FORMAT.
 */
int seed_read(int fd, void (*fn)(void *ctx, const struct event *ev, struct str args), void *ctx,
	struct err *e);

/* Does the process that started at start_ns exist (a zombie does)? */
bool seed_exists(struct process_key key);

/* Arguments and program of a living process, as far as it is the one that started at start_ns; else false. */
bool seed_from_proc(struct process_key key, struct buf *args, struct buf *exe);

#endif
