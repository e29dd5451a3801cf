/*
 * JSON: bounded reading (wraps jansson, its only includer) and writing into a struct buf.
 */
#ifndef HW_BASE_JSON_H
#define HW_BASE_JSON_H

#include "base/buf.h"
#include "base/err.h"

struct json; /* a parsed document; nodes are borrowed from it */
struct json_node;

enum json_type {
	JSON_NONE,
	JSON_NULL,
	JSON_BOOL,
	JSON_INT,
	JSON_REAL,
	JSON_STR,
	JSON_ARR,
	JSON_OBJ
};

/*
 * Parse one document. max_bytes bounds the text (0: 16 MiB); depth is bounded by the library
 * to 2048. Duplicate keys: the last counts. Strings are UTF-8 without NUL. Any value may be the
 * root. An integer beyond 64 bits signed or a real beyond double is ERR_FORMAT.
 * ERR_LIMIT, ERR_FORMAT with line and column.
 */
int json_parse(struct json **out, struct str text, size_t max_bytes, struct err *e);
void json_free(struct json *j);
DEFINE_AUTO(struct json, json_free)

const struct json_node *json_root(const struct json *j);
enum json_type json_type(const struct json_node *n); /* NULL: JSON_NONE */
const struct json_node *json_get(
	const struct json_node *obj, const char *key); /* NULL when absent */
const struct json_node *json_at(const struct json_node *arr, size_t i);
size_t json_len(const struct json_node *n); /* members or items */
struct str json_str(const struct json_node *n, struct str fallback);
int64_t json_int(const struct json_node *n, int64_t fallback);
/* Integers too. Hidden, because jansson has a function of this name and would call ours. */
__attribute__((visibility("hidden"))) double json_real(const struct json_node *n, double fallback);
bool json_bool(const struct json_node *n, bool fallback);

/* Calls fn for each member of an object, in the document's order; fn returns false to stop. */
void json_each(const struct json_node *obj,
	bool (*fn)(void *ctx, struct str key, const struct json_node *v), void *ctx);

/*
 * Writing. Commas are placed by the writer; nesting up to 60. A member is jw_key() and one
 * value; or the jw_kv_* shorthands. Strings that are not UTF-8 are written by text_clean()'s rule
 * for the bad bytes (the text \xNN); what text_is_control() names as \uNNNN. A real that is not
 * finite is null. Whether all fitted is told by the buffer's `full`.
 */
struct jw {
	struct buf *b;
	uint64_t has_item; /* one bit a level */
	unsigned int depth;
	bool after_key;
};

static inline struct jw jw_on(struct buf *b)
{
	return (struct jw){ .b = b };
}

void jw_obj(struct jw *w);
void jw_arr(struct jw *w);
void jw_end_obj(struct jw *w);
void jw_end_arr(struct jw *w);
void jw_key(struct jw *w, const char *key);
void jw_key_str(struct jw *w, struct str key);
void jw_str(struct jw *w, struct str s);
void jw_strz(struct jw *w, const char *z); /* NULL is null */
void jw_u64(struct jw *w, uint64_t v);
void jw_i64(struct jw *w, int64_t v);
void jw_real(struct jw *w, double v);
void jw_bool(struct jw *w, bool v);
void jw_null(struct jw *w);
void jw_raw(struct jw *w, struct str json); /* text that is JSON already */
void jw_kv_str(struct jw *w, const char *key, struct str s);
void jw_kv_strz(struct jw *w, const char *key, const char *z);
void jw_kv_u64(struct jw *w, const char *key, uint64_t v);
void jw_kv_i64(struct jw *w, const char *key, int64_t v);
void jw_kv_bool(struct jw *w, const char *key, bool v);

#endif
