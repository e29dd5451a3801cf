/* What the commands that read the store have in common: their options, opening, ending. */
#ifndef HW_CMD_QUERY_H
#define HW_CMD_QUERY_H

#include "cmd/cmd.h"
#include "cmd/show.h"
#include "rules/where.h"
#include "store/reader.h"

/* Rows of a command's option list; in this order, first. */
#define QUERY_OPTIONS                                                                              \
	{ "since", "TIME", NULL, "not before this time or age" },                                  \
		{ "until", "TIME", NULL, "before this time or age" },                              \
		{ "limit", "N", NULL, "at most this many, newest first" },                         \
		{ "format", "FORMAT", SHOW_WORDS, "how to print" },                                \
	{                                                                                          \
		"container", "NAME", NULL, "of this container (name, id, or host)"                 \
	}
enum { QUERY_SINCE, QUERY_UNTIL, QUERY_LIMIT, QUERY_FORMAT, QUERY_CONTAINER, QUERY_OWN };

/* Of those whose rows can be asked by a condition; after QUERY_OPTIONS. */
#define QUERY_WHERE_OPTION                                                                         \
	{                                                                                          \
		"where", "CONDITION", NULL, "for which this is true: a rule's condition, or words" \
	}

struct query {
	struct store_query q;
	enum show_format format;
};

/* Take one of QUERY_OPTIONS. EXIT_DONE or EXIT_USAGE (told). */
int query_option(struct query *q, const struct cmd_args *a, int option);

/* Take --where, checked against the view that will be asked. EXIT_DONE or EXIT_USAGE (told). */
int query_where(struct query *q, const struct cmd_args *a, const struct where_view *view);

/* Open the configured store. EXIT_DONE and *out, or the code to return (told). */
int query_open(const struct cmd_env *env, struct store_reader **out);

/*
 * The last part of a command: `step` is the cursor's last result. Tells what went wrong and what
 * was skipped. Returns the exit code.
 */
int query_end(const struct cmd_env *env, struct store_reader *r, const struct store_cursor *c,
	struct show *s, int step, struct err *e);

#endif
