/*
 * A rule's output, compiled: text with %fields to one line of text and one JSON object. In the
 * text a missing field is <NA>, in JSON null.
 */
#ifndef HW_RULES_OUTPUT_H
#define HW_RULES_OUTPUT_H

#include "rules/program.h"

struct output;

/*
 * Lives in the arena. evt.time is always one of the JSON object's members. NULL: the arena is
 * full.
 */
struct output *output_new(struct arena *a, struct program_build *b);

/*
 * Append a format: "%field", "%12field" (padded or cut to 12), "%transformer(field)". A field
 * that is not available here becomes <NA> and a warning through b->warn. -1: ERR_CONFIG,
 * ERR_LIMIT; b->at is the offset in `format`.
 */
int output_add(struct output *o, struct program_build *b, struct str format, struct err *e);

/* One more member of the JSON object that is not in the text. */
int output_add_field(struct output *o, struct program_build *b, struct str field, struct err *e);

/* True when some field of it is pending now. */
bool output_pending(const struct output *o, struct program_state *s);

/*
 * Append the text (clean, one line) and the JSON object. True: something was cut to the bound.
 */
bool output_text(const struct output *o, struct program_state *s, struct buf *b);
bool output_json(const struct output *o, struct program_state *s, struct buf *b);

/* Bounds for the buffers that are given to the two above. */
#define OUTPUT_MAX_TEXT (64u << 10)
#define OUTPUT_MAX_JSON (1u << 20)

#endif
