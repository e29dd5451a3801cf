/*
 * The printer: a thread of its own with a reading connection that writes each committed alert once
 * to a descriptor, as text or as Falco's JSON, one a line. What it prints is committed. A reader that does
 * not read blocks this thread alone.
 */
#ifndef HW_ALERTS_STDOUT_H
#define HW_ALERTS_STDOUT_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct stdout_printer;

struct stdout_options {
	const char *path; /* state directory; copied */
	int fd;           /* stays the caller's and must outlive the printer; usually 1 */
	bool json;
	int64_t after_n; /* print alerts with a greater n */
};

struct stdout_stats {
	uint64_t printed;
	int64_t last_n; /* printed, or passed over after `broken` */
	bool broken; /* the other end is gone (EPIPE) or the descriptor fails: nothing is printed any more */
	char error[256]; /* "" if none */
};

/* Start the thread. ERR_SYS, ERR_FORMAT, ERR_NOT_FOUND: the store cannot be read. */
int stdout_printer_open(struct stdout_printer **out, const struct stdout_options *o, struct err *e);

/* Any thread, never blocks: alerts up to n are committed. */
void stdout_printer_notify(struct stdout_printer *p, int64_t n);

/* Any thread. */
void stdout_printer_stats(struct stdout_printer *p, struct stdout_stats *out);

/*
 * Print what was notified, end the thread, free p. `wait_ms` bounds how long a blocked descriptor is
 * waited for after that (it is polled, never written beyond what it takes). NULL is fine.
 */
void stdout_printer_stop(struct stdout_printer *p, int wait_ms, struct stdout_stats *last);

#endif
