/*
 * The system calls that we know: Falco's event type, class, and number in both tables of the
 * processor. The one user-space place that knows numbers.
 */
#ifndef HW_SYSCALL_SYSCALLS_H
#define HW_SYSCALL_SYSCALLS_H

#include "base/event.h"

struct syscall_row {
	const char *type;
	enum event_class class;
	int nr;   /* 64-bit table; -1: not there */
	int nr32; /* 32-bit table; -1: not there */
};

/* All rows; *n is set. A type may have one row only. */
const struct syscall_row *syscalls_table(size_t *n);

/* The row of a type, or NULL. */
const struct syscall_row *syscalls_find(const char *type);

/* The old gate of the 32-bit table to the socket family. */
#define SYSCALLS_SOCKETCALL32 102

#endif
