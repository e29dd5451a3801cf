/* Loading rules as the configuration or the command line says. */
#ifndef HW_CMD_RULES_H
#define HW_CMD_RULES_H

#include "cmd/cmd.h"
#include "rules/rules.h"

/*
 * Load `given` (--rules; NULL or empty: the configured files, of which missing default ones are left
 * out) with the configured options. -1 and *e: ERR_CONFIG.
 */
int cmd_rules_load(struct ruleset **out, const struct config *c, const struct config_list *given,
	struct rules_report *report, struct err *e);

/*
 * The paths that cmd_rules_load() would read, at most `max`: out[] borrows from `c` and `given`.
 * Returns how many.
 */
size_t cmd_rules_paths(
	const struct config *c, const struct config_list *given, const char **out, size_t max);

/* Call `tell` with each problem as one line. */
void cmd_rules_tell(
	const struct rules_report *r, void (*tell)(enum rules_level l, const char *line));

/* The same to stderr, errors alone. */
void cmd_rules_tell_errors(const struct rules_report *r);

#endif
