/*
 * Shell patterns as fnmatch(3) with flags 0 has them: * and ? cross slashes, [sets], \ quotes.
 * Never worse than pattern times subject, which fnmatch does not promise.
 */
#ifndef HW_RULES_GLOB_H
#define HW_RULES_GLOB_H

#include "base/str.h"

/* The whole subject must match. `fold` ignores the case of ASCII letters. */
bool glob_match(struct str pattern, struct str subject, bool fold);

/* True when the pattern has nothing but ordinary bytes. */
bool glob_is_plain(struct str pattern);

/*
 * pmatch: `prefix`, a path whose parts may be patterns, names the path itself or one of the
 * directories above it.
 */
bool glob_path_prefix(struct str prefix, struct str path);

#endif
