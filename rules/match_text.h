/*
 * Many literals looked for in one text, in one pass over it: an Aho-Corasick automaton. A literal
 * may be bound to the text's start. Running backward reads literals and text from their ends, so
 * that one bound to the start is one that the text ends with. Built by one thread; then read by any.
 */
#ifndef HW_RULES_MATCH_TEXT_H
#define HW_RULES_MATCH_TEXT_H

#include "base/scope.h"
#include "base/str.h"

struct match_text;

/* Bytes of different literals together, common beginnings counted once: memory is 13 times that. */
#define MATCH_TEXT_MAX_STATES (1u << 22)

/* `fold` ignores the case of ASCII letters. */
struct match_text *match_text_new(bool backward, bool fold);
void match_text_free(struct match_text *m);
DEFINE_AUTO(struct match_text, match_text_free)

/*
 * Look for `literal` (copied; not empty) too, and tell `tag` when it is there. Not after
 * match_text_build(). False, and nothing was added, past the bound.
 */
bool match_text_add(struct match_text *m, struct str literal, bool at_start, uint32_t tag);

/* End of adding. */
void match_text_build(struct match_text *m);

/* Called with each tag whose literal is there; with the same one again when it is there again. */
typedef void match_text_hit(void *ctx, uint32_t tag);
void match_text_run(const struct match_text *m, struct str text, match_text_hit *hit, void *ctx);

#endif
