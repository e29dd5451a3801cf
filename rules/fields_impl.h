/* Between the registry and the files that fill it. */
#ifndef HW_RULES_FIELDS_IMPL_H
#define HW_RULES_FIELDS_IMPL_H

#include "rules/fields.h"

#include <stdlib.h>

struct field_table {
	const struct field *fields;
	size_t n;
};

/* One for each file fields_*.c. */
struct field_table fields_evt(void);
struct field_table fields_args(void); /* "evt.arg.NAME", "evt.rawarg.NAME" */
struct field_table fields_fd(void);
struct field_table fields_proc(void);
struct field_table fields_user(void);
struct field_table fields_container(void);

/* Known to Falco, not available here; sorted by nothing. */
extern const char *const fields_missing[];
extern const size_t fields_missing_n;

/* Extractors end with one of these. */
static inline enum value_state give_str(struct value *out, struct str s)
{
	out->one.s = s;
	return VALUE_HAVE;
}

/* A text that is missing when it is empty. */
static inline enum value_state give_some(struct value *out, struct str s)
{
	out->one.s = s;
	return s.n ? VALUE_HAVE : VALUE_MISSING;
}

static inline enum value_state give_int(struct value *out, int64_t i)
{
	out->one.i = i;
	return VALUE_HAVE;
}

/* Give what was built in cx->text. */
static inline enum value_state give_text(struct field_ctx *cx, struct value *out)
{
	out->one.s = scratch_copy(cx->scratch, buf_str(cx->text));
	return out->one.s.p ? VALUE_HAVE : VALUE_MISSING;
}

static inline struct buf *text_begin(struct field_ctx *cx)
{
	buf_reset(cx->text);
	return cx->text;
}

/* Names back to numbers, for who writes events down; -1: no such name. */
int fields_cap(struct str name);    /* "CAP_SYS_ADMIN" */
int fields_domain(struct str name); /* "AF_INET" */

/* fd.name; used by evt.arg.* too. */
enum value_state field_fd_name(struct field_ctx *cx, struct value *out);

#endif
