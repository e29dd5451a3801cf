/*
 * The registry of fields: name, type, meaning, which events have it, and how to get it from an
 * event in memory. Every backend of the language asks here; only `program` uses the extractors.
 */
#ifndef HW_RULES_FIELDS_H
#define HW_RULES_FIELDS_H

#include "base/judge.h"
#include "rules/judge.h"
#include "rules/scratch.h"

enum field_type {
	FIELD_STR,
	FIELD_INT,
	FIELD_BOOL,
	FIELD_IP,
	FIELD_NET, /* an address that is compared with networks */
	FIELD_PORT,
	FIELD_ABSTIME, /* UTC nanoseconds */
	FIELD_RELTIME, /* nanoseconds */
	FIELD_TYPE_N
};

enum field_arg_kind {
	FIELD_ARG_NONE,
	FIELD_ARG_INDEX, /* a number in brackets must be there */
	FIELD_ARG_INDEX_OPT,
	FIELD_ARG_NAME,
	FIELD_ARG_NAME_OPT,
};

enum {
	FIELD_F_ANY = 1
		      << 0, /* several values: a check holds when it does for any of them, != too */
	FIELD_F_SIDES = 1 << 1,       /* both ends of a connection: = for any, != for all */
	FIELD_F_LIST = 1 << 2,        /* a list: in (all of it), intersects (any of it), exists */
	FIELD_F_META = 1 << 3,        /* from the container's metadata: may be pending */
	FIELD_F_FILTER_ONLY = 1 << 4, /* not in an output */
	FIELD_F_CLOCK = 1 << 5,       /* FIELD_ABSTIME that reads as a time of day */
	FIELD_F_OPENS = 1 << 6,       /* true only for events of the open family */
	FIELD_F_PATH = 1 << 7,        /* a path: for pmatch and for conditions in the kernel */
};

enum value_state { VALUE_MISSING = 0, VALUE_HAVE, VALUE_PENDING };

struct ip {
	uint8_t family; /* EVENT_AF_INET or EVENT_AF_INET6 */
	uint8_t addr[16];
};

/* One value; which member counts is the type's matter (BOOL and all numbers: i). */
union atom {
	struct str s;
	int64_t i;
	struct ip ip;
};

/* What a field gave. Views point into the event, the process, the container or the scratch. */
struct value {
	enum value_state state;
	uint32_t n; /* values, with VALUE_HAVE; a list may have 0 */
	union atom one;
	const union atom *many; /* NULL: n is 1 and it is `one` */
};

static inline const union atom *value_at(const struct value *v, uint32_t i)
{
	return v->many ? &v->many[i] : &v->one;
}

/* What is judged, and where extractors put what they make. */
struct field_ctx {
	const struct judge_input *in;
	bool final; /* pending counts as missing */
	struct scratch *scratch;
	struct buf *text; /* for building one text; reset by who uses it */
	const struct judge_names *names;
	struct str hostname;
};

struct field_arg {
	bool given;
	struct str text; /* NUL-terminated */
	uint32_t index;  /* for the INDEX kinds */
};

struct field {
	const char *name;
	enum field_type type;
	enum field_arg_kind arg;
	uint32_t flags;
	uint32_t classes; /* 1 << enum event_class; 0: all */
	int aux;          /* the extractor's own */
	enum value_state (*get)(struct field_ctx *cx, const struct field *f,
		const struct field_arg *arg, struct value *out);
	const char *meaning;
};

const char *field_type_name(enum field_type t);

struct field_ref {
	const struct field *field;
	struct field_arg arg;
};

/*
 * Find a field as written, with its argument. Returns 0; -1 with ERR_UNSUPPORTED (Falco has it,
 * hullwatch does not), or ERR_CONFIG (unknown, or its argument is wrong) and *nearest a known
 * name or NULL. arg's bytes must live as long as the reference.
 */
int fields_resolve(struct field_ref *out, struct str name, bool has_arg, struct str arg,
	const char **nearest, struct err *e);

/* All that are available, sorted by group; and the names of those that are not. */
size_t fields_count(void);
const struct field *fields_at(size_t i);
size_t fields_missing_count(void);
const char *fields_missing_at(size_t i);

#endif
