/* Rows to stdout as an aligned table, one JSON document, JSON lines or CSV. */
#ifndef HW_CMD_SHOW_H
#define HW_CMD_SHOW_H

#include "base/buf.h"
#include "base/err.h"

#include <stdio.h>

enum show_format { SHOW_TABLE, SHOW_JSON, SHOW_JSONL, SHOW_CSV };

/* What --format takes, in the order of the enum. */
#define SHOW_WORDS      "table json jsonl csv"
#define SHOW_WORDS_DOCS "table json"

/* One of SHOW_WORDS; SHOW_TABLE for anything else (the option's words are checked before). */
enum show_format show_format_of(const char *word);

enum show_kind {
	SHOW_TEXT,
	SHOW_ID,     /* a container's; a table shows the 12 digits that Falco shows */
	SHOW_COUNT,  /* cell.number */
	SHOW_SIGNED, /* cell.number as int64_t */
	SHOW_YESNO,  /* cell.number */
	SHOW_TIME,   /* cell.number: ns since the epoch; 0 is not known */
	SHOW_RAW,    /* cell.text is JSON */
};

struct show_column {
	const char *name;  /* key in JSON, head in CSV */
	const char *title; /* head in the table; NULL: not shown there */
	enum show_kind kind;
};

struct show_cell {
	struct str text; /* p == NULL: missing */
	uint64_t number;
	bool missing;
};

#define SHOW_MAX_COLUMNS 64

struct show;

/*
 * `columns` are borrowed; at most SHOW_MAX_COLUMNS. `width` cuts table lines (0: no cut).
 * Free with show_free().
 */
struct show *show_new(FILE *out, enum show_format format, const struct show_column *columns,
	size_t columns_n, size_t width);
void show_free(struct show *s); /* NULL is fine */
DEFINE_AUTO(struct show, show_free)

/* One cell a column, in their order. Strings are copied. */
void show_row(struct show *s, const struct show_cell *cells);

/* A row for which the caller has a whole JSON object: JSON formats only. */
void show_json(struct show *s, struct str object);

/* Write what is left. -1 and *e (ERR_SYS) when anything could not be written. */
int show_end(struct show *s, struct err *e);

/* Columns of the terminal that stdout is; 0 when it is none. */
size_t show_terminal_width(void);

/* Columns that clean text takes on a terminal. */
size_t show_text_width(struct str s);

/* Length of the longest prefix that takes at most `columns`. */
size_t show_text_cut(struct str s, size_t columns);

#endif
