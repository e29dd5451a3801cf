/* What a rule set is made of; between load and judge. */
#ifndef HW_RULES_RULES_IMPL_H
#define HW_RULES_RULES_IMPL_H

#include "rules/output.h"
#include "rules/rules.h"

#include <stdatomic.h>

struct rule {
	struct rule_info info;
	uint32_t node;
	struct output *output;
	const char *tags_json;
};

/* The active rules that want one event type, in load order. */
struct type_rules {
	uint32_t *rules;
	uint32_t n;
};

struct ruleset {
	atomic_uint refs;
	struct arena *arena;
	struct program *program;
	enum rules_matching matching;
	struct rule *rules;
	size_t rules_n;
	struct rules_name *macros, *lists;
	size_t macros_n, lists_n;
	const char **types; /* that are wanted */
	size_t types_n;
	uint32_t classes;
	struct type_rules by_type[TYPES_MAX];
};

#endif
