#include "base/json.h"

#include "base/text.h"

/* jansson's names that ours would collide with; its macros that use them are not used here. */
#define json_type jansson_type
#define json_real jansson_real
#define JSON_NULL JANSSON_NULL
#define JSON_REAL JANSSON_REAL
#include <jansson.h>
#undef json_type
#undef json_real
#undef JSON_NULL
#undef JSON_REAL

#include <assert.h>
#include <math.h>
#include <stdio.h>

#define JSON_DEFAULT_MAX ((size_t)16 << 20)
#define JW_MAX_DEPTH     60

struct json {
	json_t *root;
};

static const json_t *impl(const struct json_node *n)
{
	return (const json_t *)n;
}

static const struct json_node *node(const json_t *j)
{
	return (const struct json_node *)j;
}

int json_parse(struct json **out, struct str text, size_t max_bytes, struct err *e)
{
	size_t max = max_bytes ? max_bytes : JSON_DEFAULT_MAX;
	if (text.n > max)
		return err_set(
			e, ERR_LIMIT, "JSON text of %zu bytes, allowed are %zu", text.n, max);
	json_error_t why = { 0 };
	json_t *root = json_loadb(text.n ? text.p : "", text.n, JSON_DECODE_ANY, &why);
	if (!root)
		return err_set(e,
			json_error_code(&why) == json_error_stack_overflow ? ERR_LIMIT : ERR_FORMAT,
			"JSON line %d column %d: %s", why.line, why.column, why.text);
	struct json *j = xcalloc(1, sizeof(*j));
	j->root = root;
	*out = j;
	return 0;
}

void json_free(struct json *j)
{
	if (!j)
		return;
	json_decref(j->root);
	free(j);
}

const struct json_node *json_root(const struct json *j)
{
	return node(j->root);
}

enum json_type json_type(const struct json_node *n)
{
	if (!n)
		return JSON_NONE;
	switch (impl(n)->type) {
	case JSON_OBJECT:
		return JSON_OBJ;
	case JSON_ARRAY:
		return JSON_ARR;
	case JSON_STRING:
		return JSON_STR;
	case JSON_INTEGER:
		return JSON_INT;
	case JANSSON_REAL:
		return JSON_REAL;
	case JSON_TRUE:
	case JSON_FALSE:
		return JSON_BOOL;
	case JANSSON_NULL:
		return JSON_NULL;
	}
	return JSON_NONE;
}

const struct json_node *json_get(const struct json_node *obj, const char *key)
{
	return json_type(obj) == JSON_OBJ ? node(json_object_get(impl(obj), key)) : NULL;
}

const struct json_node *json_at(const struct json_node *arr, size_t i)
{
	return json_type(arr) == JSON_ARR ? node(json_array_get(impl(arr), i)) : NULL;
}

size_t json_len(const struct json_node *n)
{
	if (json_type(n) == JSON_OBJ)
		return json_object_size(impl(n));
	return json_type(n) == JSON_ARR ? json_array_size(impl(n)) : 0;
}

struct str json_str(const struct json_node *n, struct str fallback)
{
	if (json_type(n) != JSON_STR)
		return fallback;
	return str_of(json_string_value(impl(n)), json_string_length(impl(n)));
}

int64_t json_int(const struct json_node *n, int64_t fallback)
{
	return json_type(n) == JSON_INT ? (int64_t)json_integer_value(impl(n)) : fallback;
}

double json_real(const struct json_node *n, double fallback)
{
	enum json_type t = json_type(n);
	return t == JSON_REAL || t == JSON_INT ? json_number_value(impl(n)) : fallback;
}

bool json_bool(const struct json_node *n, bool fallback)
{
	return json_type(n) == JSON_BOOL ? impl(n)->type == JSON_TRUE : fallback;
}

void json_each(const struct json_node *obj,
	bool (*fn)(void *ctx, struct str key, const struct json_node *v), void *ctx)
{
	if (json_type(obj) != JSON_OBJ)
		return;
	/* Iterators do not change the object; jansson only lacks a const form of them. */
	json_t *o = (json_t *)(uintptr_t)obj;
	for (void *it = json_object_iter(o); it; it = json_object_iter_next(o, it)) {
		struct str key = str_of(json_object_iter_key(it), json_object_iter_key_len(it));
		if (!fn(ctx, key, node(json_object_iter_value(it))))
			return;
	}
}

/* Writing */

static uint64_t level_bit(const struct jw *w)
{
	return UINT64_C(1) << (w->depth & 63);
}

static void begin_value(struct jw *w)
{
	if (!w->after_key && (w->has_item & level_bit(w)))
		buf_putc(w->b, ',');
	w->has_item |= level_bit(w);
	w->after_key = false;
}

static void open_level(struct jw *w, char c)
{
	begin_value(w);
	buf_putc(w->b, c);
	assert(w->depth < JW_MAX_DEPTH);
	w->depth++;
	w->has_item &= ~level_bit(w);
}

static void close_level(struct jw *w, char c)
{
	assert(w->depth > 0 && !w->after_key);
	w->depth--;
	buf_putc(w->b, c);
}

void jw_obj(struct jw *w)
{
	open_level(w, '{');
}

void jw_arr(struct jw *w)
{
	open_level(w, '[');
}

void jw_end_obj(struct jw *w)
{
	close_level(w, '}');
}

void jw_end_arr(struct jw *w)
{
	close_level(w, ']');
}

/* Length of the prefix that needs no escape in a JSON string. */
static size_t plain_prefix(struct str s)
{
	size_t i = 0;
	while (i < s.n) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
			break;
		i++;
	}
	return i;
}

/* One character that is not plain ASCII; returns its length. */
static size_t put_special(struct buf *b, struct str s)
{
	uint32_t cp;
	unsigned int len = text_utf8_next(s, &cp);
	if (len == 0) {
		buf_printf(b, "\\\\x%02x", (unsigned char)s.p[0]);
		return 1;
	}
	if (cp == '"' || cp == '\\') {
		buf_putc(b, '\\');
		buf_putc(b, (char)cp);
	} else if (text_is_control(cp)) {
		buf_printf(b, "\\u%04x", cp); /* none lies beyond the basic plane */
	} else {
		buf_put(b, s.p, len);
	}
	return len;
}

static void put_quoted(struct buf *b, struct str s)
{
	buf_putc(b, '"');
	while (s.n) {
		size_t n = plain_prefix(s);
		buf_put(b, s.p, n);
		s = str_of(s.p + n, s.n - n);
		if (s.n) {
			n = put_special(b, s);
			s = str_of(s.p + n, s.n - n);
		}
	}
	buf_putc(b, '"');
}

void jw_key_str(struct jw *w, struct str key)
{
	assert(!w->after_key);
	begin_value(w);
	put_quoted(w->b, key);
	buf_putc(w->b, ':');
	w->after_key = true;
}

void jw_key(struct jw *w, const char *key)
{
	jw_key_str(w, str_from(key));
}

void jw_str(struct jw *w, struct str s)
{
	begin_value(w);
	put_quoted(w->b, s);
}

void jw_raw(struct jw *w, struct str json)
{
	begin_value(w);
	buf_put_str(w->b, json);
}

void jw_null(struct jw *w)
{
	jw_raw(w, STR("null"));
}

void jw_strz(struct jw *w, const char *z)
{
	if (z)
		jw_str(w, str_from(z));
	else
		jw_null(w);
}

void jw_u64(struct jw *w, uint64_t v)
{
	begin_value(w);
	buf_put_u64(w->b, v);
}

void jw_i64(struct jw *w, int64_t v)
{
	begin_value(w);
	buf_put_i64(w->b, v);
}

void jw_real(struct jw *w, double v)
{
	char text[40];
	if (!isfinite(v)) {
		jw_null(w);
		return;
	}
	/* the shortest of two forms that reads back as the same number */
	snprintf(text, sizeof(text), "%.15g", v);
	if (strtod(text, NULL) != v)
		snprintf(text, sizeof(text), "%.17g", v);
	char *comma = strchr(text, ','); /* a locale's decimal mark */
	if (comma)
		*comma = '.';
	jw_raw(w, str_from(text));
}

void jw_bool(struct jw *w, bool v)
{
	jw_raw(w, v ? STR("true") : STR("false"));
}

void jw_kv_str(struct jw *w, const char *key, struct str s)
{
	jw_key(w, key);
	jw_str(w, s);
}

void jw_kv_strz(struct jw *w, const char *key, const char *z)
{
	jw_key(w, key);
	jw_strz(w, z);
}

void jw_kv_u64(struct jw *w, const char *key, uint64_t v)
{
	jw_key(w, key);
	jw_u64(w, v);
}

void jw_kv_i64(struct jw *w, const char *key, int64_t v)
{
	jw_key(w, key);
	jw_i64(w, v);
}

void jw_kv_bool(struct jw *w, const char *key, bool v)
{
	jw_key(w, key);
	jw_bool(w, v);
}
