/* Bytes from outside to text that is safe to show: no control bytes, valid UTF-8, bounded. */
#ifndef HW_BASE_TEXT_H
#define HW_BASE_TEXT_H

#include "base/buf.h"

/*
 * Append s with C0, DEL, C1, bidi controls and bytes that are not UTF-8 written as \xNN
 * (a code point beyond one byte as its UTF-8 bytes, each so). Blank and printable text is
 * unchanged; a backslash stays as it is.
 */
void text_clean(struct buf *b, struct str s);

/*
 * The same into out[size] (size at least 1), ended by NUL: for places that must not allocate.
 * What does not fit is cut, never inside a character or an escape. Returns the length.
 */
size_t text_clean_into(char *out, size_t size, struct str s);

/* True when text_clean() would change nothing. */
bool text_is_clean(struct str s);

/* Length of the longest valid UTF-8 prefix of s that is at most max bytes. */
size_t text_utf8_cut(struct str s, size_t max);

/*
 * Decode the character at the start of s: returns its length (1 to 4) and *cp, or 0 when s is
 * empty or does not start with valid UTF-8 (overlong forms and surrogates are not valid).
 */
unsigned int text_utf8_next(struct str s, uint32_t *cp);

/* True for what text_clean() would escape: C0, DEL, C1 and bidi controls. */
bool text_is_control(uint32_t cp);

#endif
