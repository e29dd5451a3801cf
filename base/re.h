/* Regular expressions of RE2's dialect on PCRE2 with match and depth limits (its only includer). */
#ifndef HW_BASE_RE_H
#define HW_BASE_RE_H

#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"

struct re;

/*
 * Compile. What RE2 refuses (backreferences, look-around, atomic groups, possessive quantifiers,
 * recursion, callouts) is refused: ERR_FORMAT with the offset. `full` anchors at both ends.
 */
int re_compile(struct re **out, struct str pattern, bool full, struct err *e);
void re_free(struct re *r);
DEFINE_AUTO(struct re, re_free)

/* 1 matches, 0 does not, -1 the match limit was hit (counts as no match; the caller counts it). */
int re_match(const struct re *r, struct str subject);

#endif
