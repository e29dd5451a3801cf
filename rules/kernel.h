/*
 * Conditions for the kernel: what must hold of an event for any rule of a set to be true of it.
 * A collector may drop what is not admitted, before it costs anything; it must let pass whatever
 * it cannot decide, and may leave out any part of a filter. Nothing here knows how a kernel does it.
 *
 * A filter is necessary, not sufficient: an event that a rule matches is always admitted. It
 * speaks of the event's own facts alone. Processes' and containers' names, users and arguments are
 * left to the judge. Whoever needs an event for another reason (exec, fork and exit make the
 * process table) must not filter it.
 */
#ifndef HW_RULES_KERNEL_H
#define HW_RULES_KERNEL_H

#include "rules/rules.h"
#include "rules/types.h"

#define KERNEL_MAX_TERMS 64  /* of a class */
#define KERNEL_MAX_PATHS 512 /* of a term */
#define KERNEL_MAX_PORTS 64  /* ranges of a term */

enum { KERNEL_HOST = 1 << 0, KERNEL_CONTAINER = 1 << 1, KERNEL_PLACES = 3 };

/* What the call returned: not negative, negative. */
enum { KERNEL_OK = 1 << 0, KERNEL_FAILED = 1 << 1, KERNEL_RESULTS = 3 };

/* Of an open: flags & O_ACCMODE as a bit, or the call is creat(2), whose flags do not count. */
enum { KERNEL_CREAT = 1 << 4, KERNEL_ACCESS = 31 };

/* Of an open: does it make a file with an execute bit (evt.is_open_exec)? */
enum { KERNEL_MAKES_EXEC = 1 << 0, KERNEL_MAKES_OTHER = 1 << 1, KERNEL_MAKES = 3 };

/* Of an open: a directory (the inode's mode; without one, O_DIRECTORY), or anything else. */
enum { KERNEL_DIRECTORY = 1 << 0, KERNEL_FILE = 1 << 1, KERNEL_FILES = 3 };

enum kernel_path_kind { KERNEL_PATH_IS, KERNEL_PATH_PREFIX, KERNEL_PATH_SUFFIX };

/*
 * Of an open's path as the kernel walked it (absolute, no empty parts). Where there is none,
 * because the call failed, every path passes.
 */
struct kernel_path {
	enum kernel_path_kind kind;
	struct str text;
};

struct kernel_ports {
	uint16_t from, to; /* both belong to it */
};

/* One way to be wanted: all of it must hold. A part that says nothing has all bits, or `any`. */
struct kernel_term {
	uint8_t places, results;
	uint8_t access, makes, files; /* opens */
	bool any_path, any_port;
	const struct kernel_path *paths; /* opens: one of them */
	size_t paths_n;
	/*
	 * connect: the remote port; families other than IPv4 and IPv6 have none and do not pass. A
	 * socket that listens (its connect fails) passes with any.
	 */
	const struct kernel_ports *ports; /* sorted */
	size_t ports_n;
	struct type_set types; /* names of the call, as in types.h */
};

/* Any of the terms; none: no rule can be true of such an event. */
struct kernel_filter {
	const struct kernel_term *terms;
	size_t terms_n;
};

struct kernel_filters;

/* What the active rules of a set need, class by class. It does not refer to the set. Never NULL. */
struct kernel_filters *kernel_filters_new(const struct ruleset *rs);
void kernel_filters_free(struct kernel_filters *k); /* NULL is fine */
DEFINE_AUTO(struct kernel_filters, kernel_filters_free)

const struct kernel_filter *kernel_filter_of(const struct kernel_filters *k, enum event_class c);

/* The meaning of a filter, for collectors to be tested against. */
bool kernel_admits(const struct kernel_filter *f, const struct event *ev, bool in_container);

/* One line a term, for people; appended. */
struct buf;
void kernel_filter_print(struct buf *b, const struct kernel_filter *f);

#endif
