/*
 * YAML to a bounded tree with positions (wraps libyaml, its only includer). Aliases are
 * resolved within the same node budget, so that nested aliases cannot explode.
 */
#ifndef HW_BASE_YAML_H
#define HW_BASE_YAML_H

#include "base/arena.h"
#include "base/err.h"

enum yaml_kind { YAML_SCALAR, YAML_SEQ, YAML_MAP };

struct yaml_pair;

/* Plain data, owned by the document's arena. */
struct yaml_node {
	enum yaml_kind kind;
	bool plain;               /* scalar without quotes: may be a number, a bool or null */
	uint32_t line;            /* from 1 */
	uint32_t col;             /* from 1, in characters as libyaml counts */
	struct str value;         /* scalar; NUL-terminated too */
	struct yaml_node **items; /* seq */
	struct yaml_pair *pairs;  /* map, in order */
	size_t n;                 /* items or pairs */
};

struct yaml_pair {
	struct yaml_node *key; /* always a scalar */
	struct yaml_node *value;
};

struct yaml_limits {
	size_t max_bytes;   /* 0: 16 MiB */
	size_t max_nodes;   /* 0: 2 million, aliases counted each time */
	uint32_t max_depth; /* 0: 64 */
};

struct yaml_docs {
	struct arena *arena;
	struct yaml_node **docs; /* NULL entries do not occur: an empty document is left out */
	size_t n;
};

/*
 * Parse all documents of `text`; `name` stands in error messages as name:line:col.
 * Returns 0 and *out (yaml_docs_fini). -1: ERR_FORMAT, ERR_LIMIT. Duplicate keys of a map and zero
 * bytes in a value are ERR_FORMAT. Nodes may be shared (aliases): do not change them.
 */
int yaml_parse(struct yaml_docs *out, struct str text, const char *name,
	const struct yaml_limits *limits, struct err *e);
void yaml_docs_fini(struct yaml_docs *d);
DEFINE_AUTO_VALUE(struct yaml_docs, yaml_docs_fini)

/* The value of `key` in a map, or NULL. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/*
 * Scalars by YAML 1.2 core words (true/false also yes/no/on/off). As in Falco's loader a quoted
 * value counts as a bool or number too: test `plain` where that matters. False, and *out
 * untouched, for anything else. Integers: decimal, 0x hex, 0o octal.
 */
bool yaml_is_null(const struct yaml_node *n); /* NULL, empty plain scalar, ~ or null */
bool yaml_bool(const struct yaml_node *n, bool *out);
bool yaml_i64(const struct yaml_node *n, int64_t *out);

#endif
