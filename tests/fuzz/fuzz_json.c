#include "base/json.h"

#define MAX_WALK 4096 /* nodes whose copy is compared */

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* Writes the document anew, as deep as the writer goes. */
struct copy {
	struct jw w;
	size_t nodes;
};

static void put(struct copy *c, const struct json_node *n);

static bool put_member(void *ctx, struct str key, const struct json_node *v)
{
	struct copy *c = ctx;

	jw_key_str(&c->w, key);
	put(c, v);
	return true;
}

static void put(struct copy *c, const struct json_node *n)
{
	if (++c->nodes > MAX_WALK || c->w.depth >= 59) {
		jw_null(&c->w);
		return;
	}
	switch (json_type(n)) {
	case JSON_OBJ:
		jw_obj(&c->w);
		json_each(n, put_member, c);
		jw_end_obj(&c->w);
		break;
	case JSON_ARR:
		jw_arr(&c->w);
		for (size_t i = 0; i < json_len(n); i++)
			put(c, json_at(n, i));
		jw_end_arr(&c->w);
		break;
	case JSON_STR:
		jw_str(&c->w, json_str(n, STR("")));
		break;
	case JSON_INT:
		jw_i64(&c->w, json_int(n, 0));
		break;
	case JSON_REAL:
		jw_real(&c->w, json_real(n, 0));
		break;
	case JSON_BOOL:
		jw_bool(&c->w, json_bool(n, false));
		break;
	case JSON_NULL:
	case JSON_NONE:
		jw_null(&c->w);
		break;
	}
}

/* Whatever bytes a string has, what is written is JSON again. */
static void write_raw_bytes(const uint8_t *data, size_t n)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(1 << 20);
	AUTO(json_free) struct json *j = NULL;
	struct jw w = jw_on(&b);

	jw_arr(&w);
	jw_str(&w, str_of(data, n));
	jw_end_arr(&w);
	if (!b.full && !memchr(data, 0, n)) /* NUL is written, and refused when read */
		check(json_parse(&j, buf_str(&b), 0, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(json_free) struct json *j = NULL, *again = NULL;
	AUTO(buf_fini) struct buf b = BUF_INIT(1 << 22);
	struct err e = { 0 };

	if (n == 0)
		return 0;
	write_raw_bytes(data, n);
	if (json_parse(&j, str_of(data, n), 1 << 16, &e)) {
		check(e.code == ERR_FORMAT || e.code == ERR_LIMIT);
		check(!strchr(e.msg, '\n'));
		return 0;
	}
	struct copy c = { .w = jw_on(&b) };
	put(&c, json_root(j));
	if (!b.full)
		check(json_parse(&again, buf_str(&b), 0, NULL) == 0);
	return 0;
}
