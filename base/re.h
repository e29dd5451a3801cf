/* Regular expressions of RE2's dialect on PCRE2 with match and depth limits (its only includer). */
#ifndef HW_BASE_RE_H
#define HW_BASE_RE_H

#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"

struct re;

/*
 * Compile. What RE2 refuses (backreferences, look-around, atomic groups, possessive quantifiers,
 * recursion, callouts, verbs, comments, octal escapes) is refused: ERR_FORMAT with the offset.
 * `full` anchors at both ends. At most 32 KiB of pattern and 1000 repetitions.
 */
int re_compile(struct re **out, struct str pattern, bool full, struct err *e);
void re_free(struct re *r);
DEFINE_AUTO(struct re, re_free)

/*
 * 1 matches, 0 does not, -1 a limit was hit (counts as no match; the caller counts it).
 * Characters are UTF-8; a subject that is not valid UTF-8 is matched byte by byte, so that a
 * stray byte hides nothing. Several threads may use one expression at a time.
 */
int re_match(const struct re *r, struct str subject);

#endif
