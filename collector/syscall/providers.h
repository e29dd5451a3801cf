/*
 * The ways to get each family's events on the kernels we know, best first. Choosing is by
 * what loads here, never by version number.
 */
#ifndef HW_SYSCALL_PROVIDERS_H
#define HW_SYSCALL_PROVIDERS_H

#include "bpf/wire.h"

#include <stdbool.h>
#include <stddef.h>

enum program_use {
	PROGRAM_ATTACH, /* to its tracepoint */
	PROGRAM_TAIL,   /* into the table of programs by class */
	PROGRAM_ITER,   /* run on request */
};

struct provider_program {
	const char *name;
	enum program_use use;
	enum wire_class class; /* PROGRAM_TAIL */
};

#define PROVIDER_MAX_PROGRAMS 8

struct provider {
	const char *family; /* "call", "file", "net", "process", "cgroup" */
	const char *source; /* what it hangs on, for people */
	const char *variant;
	const char *kfunc; /* only where the kernel has it; NULL: needs none */
	bool vital;        /* without this family we do not start */
	struct provider_program programs[PROVIDER_MAX_PROGRAMS]; /* a NULL name ends it */
};

/* All rows, families together, best first within each. */
const struct provider *providers_table(size_t *n);

#endif
