/* Puts wire records together the way the kernel side does, for tests of what reads them. */
#ifndef HW_TESTS_UNIT_WIRE_MAKE_H
#define HW_TESTS_UNIT_WIRE_MAKE_H

#include "base/str.h"
#include "bpf/wire.h"

struct wire_make {
	uint8_t bytes[2 * WIRE_RECORD_MAX];
	size_t n;
};

/* Begin a record with a header of plausible values; its length is set by wire_make_end(). */
void wire_make_start(struct wire_make *w, uint8_t class, uint8_t version);
void wire_make_put(struct wire_make *w, const void *p, size_t n); /* past the room: aborts */

/* The header, to be changed. */
void wire_make_flags(struct wire_make *w, uint32_t flags);
void wire_make_ret(struct wire_make *w, int64_t ret);

/* A view of the whole record, valid until the next start. */
struct str wire_make_end(struct wire_make *w);

/* Whole records; `path` is in wire form ("shadow/etc/"), the body's lengths are set from the strings. */
struct str wire_make_open(struct wire_make *w, uint32_t flags, struct str path, struct str user);
struct str wire_make_net(struct wire_make *w, uint8_t class, struct wire_net body, struct str path);
struct str wire_make_cgroup(struct wire_make *w, struct wire_cgroup body, struct str path);
struct str wire_make_fork(struct wire_make *w, struct wire_fork body, struct str cgroup);
struct str wire_make_exit(struct wire_make *w, int32_t code);

struct wire_make_exec {
	uint8_t class; /* WIRE_EXEC or WIRE_SEED */
	uint32_t flags;
	int64_t ret;
	uint32_t tgid; /* 0: the usual one */
	uint64_t start_ns;
	struct wire_exec body;
	struct str exe, cwd, args, file, cgroup;
};
struct str wire_make_exec(struct wire_make *w, const struct wire_make_exec *x);

#define WIRE_MAKE_TGID  4711u
#define WIRE_MAKE_START 123456789000u

#endif
