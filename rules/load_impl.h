/* The loader's parts: load.c reads files, load_items.c and load_rule.c take the YAML apart,
 * load_text.c substitutes lists, load_compile.c makes the set. All of it lives for one load. */
#ifndef HW_RULES_LOAD_IMPL_H
#define HW_RULES_LOAD_IMPL_H

#include "base/map.h"
#include "base/yaml.h"
#include "rules/rules_impl.h"

/* One condition with its lists written out, or one list's text. */
#define LOAD_MAX_TEXT (1u << 20)

struct source {
	const char *name;
	struct str text;
	struct yaml_docs docs;
	VEC(size_t) lines; /* offset of each line; built when first needed */
};

/* Where a definition stands. */
struct place {
	struct source *src;
	const struct yaml_node *node;
};

/* A text put together of several YAML scalars: each part remembers where it came from. */
struct part {
	size_t at;
	struct place place;
	bool exact; /* offsets within the part are offsets in the scalar's value */
};

struct joined {
	struct str text;
	VEC(struct part) parts;
};

enum macro_state { MACRO_NEW, MACRO_BUSY, MACRO_DONE, MACRO_FAILED };

/*
 * index: place among its kind, kept when it is defined anew. A definition sees those of a smaller
 * index than its own `visible`.
 */
struct def_macro {
	struct str name;
	struct place place;
	uint32_t index, visible;
	struct joined cond;
	bool used, broken;
	enum macro_state state;
	uint32_t node;
	struct err err;
};

struct def_list {
	struct str name;
	struct place place;
	uint32_t index, visible;
	VEC(struct str) items; /* quoted where needed */
	bool used;
	bool resolved;
	struct str text; /* resolved: items with earlier lists written out, joined */
};

struct values {
	struct place place; /* a sequence */
};

struct def_exception {
	struct str name;
	struct place place;
	const struct yaml_node *fields, *comps;
	VEC(struct values) values;
};

struct def_rule {
	struct str name;
	struct place place;
	struct joined cond, output, desc;
	enum priority priority;
	struct str source;
	bool enabled, warn_types, skip_unknown, broken;
	VEC(struct str) tags;
	VEC(struct def_exception) exceptions;
};

struct loader {
	const struct rules_options *options;
	struct rules_report *report;
	struct arena *arena; /* of what dies with the load */
	VEC(struct source *) sources;
	VEC(struct def_macro *) macros;
	VEC(struct def_list *) lists;
	VEC(struct def_rule *) rules;
	struct map *macro_names, *list_names, *rule_names;
	uint32_t next_index;
	struct ruleset *rs;
};

/* What a problem is about. */
struct subject {
	const char *kind;
	struct str name;
	enum rules_code code; /* 0: what the way of telling stands for */
};

/* report.c */
void report_place(struct loader *l, enum rules_level level, struct place at, struct subject what,
	const char *nearest, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* A file that is about to be read. */
void report_file(struct loader *l, const char *file);
void report_line(struct loader *l, enum rules_level level, const char *file, uint32_t line,
	uint32_t col, struct subject what, const char *nearest, const char *text);
/* At offset `at` of a joined text. */
void report_joined(struct loader *l, enum rules_level level, const struct joined *j, size_t at,
	struct subject what, const char *nearest, const char *text);

/* load_items.c */
void load_document(struct loader *l, struct source *src, const struct yaml_node *doc);
/* Append a scalar to a joined text, a blank between. */
void joined_add(struct loader *l, struct joined *j, struct place place);
void joined_clear(struct joined *j);
void check_keys(struct loader *l, struct place item, struct subject what, const char *const *known,
	size_t n);
/*
 * Is `key` to be appended to what is there? False also when it replaces; *wrong when the item
 * cannot be used.
 */
struct override {
	const struct yaml_node *map; /* NULL: none */
	bool append;                 /* the deprecated key */
};
bool override_read(struct loader *l, struct place item, struct subject what,
	const char *const *appendable, size_t appendable_n, const char *const *replaceable,
	size_t replaceable_n, struct override *out);
bool override_appends(const struct override *o, const char *key);

/* load_rule.c */
void load_rule(struct loader *l, struct place item);

/* load_exceptions.c */
void load_exceptions(struct loader *l, struct def_rule *r, struct place exceptions, bool append);
/* The rule's condition with its exceptions; false when they are wrong (reported). */
bool exceptions_apply(struct loader *l, const struct def_rule *r, struct joined *out);

/* load_text.c */
/* A text with its lists written out, and the way back to the text before. */
struct run {
	size_t at, from;
	bool exact;
};
struct expanded {
	struct buf text;
	VEC(struct run) runs;
};
void expanded_fini(struct expanded *x);
DEFINE_AUTO_VALUE(struct expanded, expanded_fini)
/* Lists of index < visible are substituted. ERR_LIMIT. */
int expand_lists(
	struct loader *l, struct str text, uint32_t visible, struct expanded *out, struct err *e);
size_t expanded_origin(const struct expanded *x, size_t at);
/* A value as it must be written in a condition. */
struct str quote_value(struct loader *l, struct str s);

/* load_compile.c */
void load_compile(struct loader *l);

/* Arena copy that cannot fail: the load ends with ERR_LIMIT when the arena is full. */
struct str load_str(struct loader *l, struct str s);
void *load_alloc(struct loader *l, size_t n);

#endif
