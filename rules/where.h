/*
 * Conditions to SQL, for --where and filters over what the store holds. The language is that of
 * rules, with two differences: there are no macros, a bare word or quoted text is searched for in
 * the view's texts (ASCII case does not count); and a time may be written as a time.
 *
 * What a column can answer as it stands becomes a plain comparison, which an index may serve.
 * Everything else becomes one call of a function that judges with the program of the rules over
 * the stored row, so that operators and fields mean the same in both: whatever lacks is false.
 * Texts of processes and containers are those of the store, control bytes written as \xNN.
 *
 * One thread uses a struct where and the statements it is bound to.
 */
#ifndef HW_RULES_WHERE_H
#define HW_RULES_WHERE_H

#include "base/container.h"
#include "base/err.h"
#include "base/process.h"
#include "base/sql.h"
#include "rules/fields.h"

#define WHERE_MAX_BYTES (64u << 10) /* of a condition's text */

enum {
	WHERE_F_PLAIN = 1 << 0,    /* `sql` can be compared in SQL */
	WHERE_F_NULL = 1 << 1,     /* may be NULL: missing */
	WHERE_F_LIST = 1 << 2,     /* FIELD_STR: the text is a JSON array of strings */
	WHERE_F_PRIORITY = 1 << 3, /* holds priority_name()s */
};

/* A name that is one expression over the view's row: its own columns, and some of the fields. */
struct where_column {
	const char *name;
	enum field_type type; /* FIELD_STR, FIELD_INT or FIELD_ABSTIME */
	uint32_t flags;
	const char *sql;
};

/*
 * What is searched. The query that takes the condition must name its tables so:
 * events e, alerts a, processes p, each joined to boots b. Columns are those of the v1_ views.
 */
struct where_view {
	const char *what; /* for messages: "events" */
	const struct where_column *columns;
	size_t columns_n;
	const char *text; /* SQL: the texts that words are searched in, by commas */
	const char *row;  /* SQL: what where_source and fields start from */
	bool (*has)(const struct field *f); /* can the field be told from a row? */
};

extern const struct where_view where_events, where_alerts, where_processes;

/* Where rows' processes and containers are looked up. */
struct where_source {
	void *ctx;
	/*
	 * Fill *out, whose strings and parents stay valid until the next call, and *exec_ts_ns (UTC);
	 * out->exec_ns is not used. False: not known.
	 */
	bool (*process)(void *ctx, struct str boot_id, struct process_key key, uint64_t exec_id,
		struct process *out, uint64_t *exec_ts_ns);
	/* NULL: not known. Valid until the next call. */
	const struct container *(*container)(void *ctx, struct str id);
};

struct where;

/*
 * Compile. `now_ns` is what ages ("10m") are counted from. Returns 0 and *out; -1 and *e:
 * ERR_CONFIG, "column N: what; did you mean X?" (columns are characters, from 1).
 */
int where_compile(struct where **out, struct str condition, const struct where_view *view,
	uint64_t now_ns, struct err *e);
void where_free(struct where *w);
DEFINE_AUTO(struct where, where_free)

/* Without one, no process and no container is known. Borrowed. */
void where_set_source(struct where *w, const struct where_source *source);

/* The condition as one SQL expression, 0 or 1, with `?` for its values. NUL-terminated. */
struct str where_sql(const struct where *w);
int where_values_n(const struct where *w);

/* Bind the values to parameters from `first` on. *w must outlive the statement. */
void where_bind(const struct where *w, struct sql_stmt *s, int first);

/* How often a regular expression gave up, which counted as no match. */
uint64_t where_re_limits(const struct where *w);

/* To be registered on every connection that runs where_sql(). */
extern const struct sql_function where_functions[];

#endif
