/*
 * Rules in Falco's format: files to an immutable, compiled set. One bad rule never stops the
 * rest; everything that was wrong, and everything that cannot run here, stands in the report.
 *
 * A set does not change once it is loaded and may be read by any thread. It is counted by
 * reference: ruleset_ref() for each further owner, ruleset_unref() by each.
 */
#ifndef HW_RULES_RULES_H
#define HW_RULES_RULES_H

#include "base/alert.h"
#include "base/err.h"
#include "base/vec.h"

struct ruleset;

enum rules_matching {
	RULES_MATCH_ALL = 0, /* every rule that matches gives an alert */
	RULES_MATCH_FIRST,   /* only the first one in load order, as Falco does by default */
};

/* Zero is the default everywhere. Strings and arrays are borrowed for the call. */
struct rules_options {
	enum rules_matching matching;
	bool has_priority;      /* `priority` counts: */
	enum priority priority; /* less severe rules are left out */
	const char *const
		*disabled; /* names of rules to leave out; `*` at either end matches the rest */
	size_t disabled_n;
	const char *const *disabled_tags;
	size_t disabled_tags_n;
	size_t max_file_bytes; /* 0: 16 MiB */
	bool check_off;        /* report what cannot run also for rules that are off */
	const char
		*append_output; /* format that is put behind every output, after a blank; or NULL */
	const char *const *append_fields; /* fields that are put into every output_fields */
	size_t append_fields_n;
};

enum rules_level {
	RULES_ERROR,      /* this item was left out */
	RULES_CANNOT_RUN, /* valid, but a field or an event type is not available here */
	RULES_WARNING,    /* works, but probably not as meant */
};

/* "error", "cannot run", "warning". */
const char *rules_level_name(enum rules_level l);

/* What a problem is, in the words of Falco's own report: CI pipelines look for them. */
enum rules_code {
	RULES_CODE_NONE = 0,
	RULES_CODE_YAML,     /* no YAML */
	RULES_CODE_VALIDATE, /* an item is not what it should be */
	RULES_CODE_CONDITION, /* a condition does not compile; as a warning: is probably not as meant */
	RULES_CODE_OUTPUT, /* an output does not compile */
	RULES_CODE_UNKNOWN_SOURCE,
	RULES_CODE_NO_EVTTYPE,
	RULES_CODE_UNKNOWN_FILTER, /* a field or an event type that is not available */
	RULES_CODE_UNKNOWN_ITEM,
	RULES_CODE_DEPRECATED,
	RULES_CODE_MACRO_NAME,
	RULES_CODE_LIST_NAME,
};

struct rules_problem {
	enum rules_level level;
	enum rules_code code;
	const char *file;    /* as given to rules_load */
	uint32_t line, col;  /* from 1; 0 when it concerns the file as a whole */
	const char *kind;    /* "rule", "macro", "list", "file", "item" */
	const char *name;    /* of the rule, macro or list; "" when it has none */
	const char *what;    /* one line, clean text */
	const char *nearest; /* the nearest known name, or NULL */
};

/* Past this many problems the rest is only counted. */
#define RULES_MAX_PROBLEMS 10000

struct rules_report {
	struct arena *arena; /* holds the strings */
	VEC(struct rules_problem) list;
	size_t errors_n, cannot_run_n, warnings_n;
	size_t rules_n, macros_n, lists_n; /* that were defined, the wrong ones included */
	VEC(const char *) files;           /* that were read, in order, as a problem names them */
};

#define RULES_REPORT_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}
void rules_report_fini(struct rules_report *r);
DEFINE_AUTO_VALUE(struct rules_report, rules_report_fini)

/* "FILE:LINE:COL: error: rule NAME: WHAT (did you mean X?)"; appended without newline. */
void rules_problem_text(struct buf *b, const struct rules_problem *p);

/* Falco's name of it, "LOAD_ERR_YAML_PARSE" and the like, and what that means. */
const char *rules_problem_code(const struct rules_problem *p);
const char *rules_problem_meaning(const struct rules_problem *p);

/*
 * Load `n` paths as one set, in order. A directory stands for its *.yaml and *.yml files in the
 * order of their names. `o` and `report` may be NULL. Returns 0 and *out even when some rules or
 * whole files are wrong (a file that is no YAML gives one problem with its line): look at
 * report->errors_n. -1 and *e when a path cannot be read, ERR_SYS, ERR_LIMIT (a file is too
 * large), or an appended format is wrong, ERR_CONFIG; *out is not written then.
 */
int rules_load(struct ruleset **out, const char *const *paths, size_t n,
	const struct rules_options *o, struct rules_report *report, struct err *e);

struct rules_text {
	const char *name; /* stands in messages where a file's path would */
	struct str text;
};

/* The same from memory. ERR_LIMIT, ERR_CONFIG. */
int rules_load_text(struct ruleset **out, const struct rules_text *texts, size_t n,
	const struct rules_options *o, struct rules_report *report, struct err *e);

struct ruleset *ruleset_ref(struct ruleset *rs);
void ruleset_unref(struct ruleset *rs); /* NULL is fine */
DEFINE_AUTO(struct ruleset, ruleset_unref)

/* Whether a rule is judged, and why not. */
enum rule_state {
	RULE_ACTIVE,
	RULE_PARTIAL,    /* judged, but some of its event types are not available here */
	RULE_CANNOT_RUN, /* a field it needs, or every event type of it, is not available here */
	RULE_OFF,        /* enabled: false, or left out by the options */
};

/* "active", "partial", "cannot run", "off". */
const char *rule_state_name(enum rule_state s);

/* One rule as loaded; plain data owned by the set. Wrong rules are not in it. */
struct rule_info {
	const char *name, *desc, *condition, *output, *source;
	enum priority priority;
	const char *const *tags;
	size_t tags_n;
	enum rule_state state;
	const char *why; /* what is missing; "" when active */
	const char *file;
	uint32_t line;
};

size_t ruleset_count(const struct ruleset *rs);
const struct rule_info *ruleset_rule(const struct ruleset *rs, size_t i);
enum rules_matching ruleset_matching(const struct ruleset *rs);

/*
 * Falco's names of the event types that the active rules want and this collector can produce
 * ("execve", "openat", "clone", "procexit", ...), sorted; *n of them. They belong to the set. A
 * rule without a condition on evt.type wants all of them.
 */
const char *const *ruleset_types(const struct ruleset *rs, size_t *n);

/* The same as a set of bits, 1 << enum event_class. */
uint32_t ruleset_classes(const struct ruleset *rs);

/* The macros and lists that are defined; for `rules list`. */
struct rules_name {
	const char *name;
	const char *text; /* condition, or items joined by ", " */
	const char *file;
	uint32_t line;
};
const struct rules_name *ruleset_macros(const struct ruleset *rs, size_t *n);
const struct rules_name *ruleset_lists(const struct ruleset *rs, size_t *n);

/* One field of the language; for `rules fields`. */
struct rules_field {
	const char *name;
	/* "string", "integer", "boolean", "ip", "network", "port", "time", "duration", "list" */
	const char *type;
	const char *arg;     /* "", "[index]" (required), "[index]?" (optional), "[name]", ... */
	const char *meaning; /* "" when not available */
	bool available;
};
size_t rules_fields_count(void);
struct rules_field rules_field_at(size_t i);

#endif
