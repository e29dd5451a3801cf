/*
 * libyaml's events are put together on stacks of our own, so the depth of the input is never a
 * depth of calls. An alias shares the node it names: the tree costs no memory then, but whoever
 * walks it walks the shared part again, so each alias counts with all nodes below it.
 */
#include "base/yaml.h"

#include "base/map.h"
#include "base/vec.h"

#include <yaml.h>

#define YAML_DEFAULT_BYTES ((size_t)16 << 20)
#define YAML_DEFAULT_NODES 2000000u
#define YAML_DEFAULT_DEPTH 64u
#define YAML_FEW_KEYS      8u

/* What is remembered of a node while its document is built; `node` comes first. */
struct cell {
	struct yaml_node node;
	size_t weight; /* nodes of this subtree, aliases expanded */
	uint32_t height;
	bool open;
};

struct frame {
	struct cell *cell;
	size_t first; /* its children start here in `done` */
};

struct build {
	yaml_parser_t parser;
	struct yaml_limits limits;
	const char *name;
	struct str text;
	struct arena *arena;
	struct map *anchors; /* of this document: name to cell */
	size_t nodes;        /* aliases expanded */
	VEC(struct frame) open;
	VEC(struct cell *) done; /* finished nodes whose parent is still open */
	VEC(struct yaml_node *) docs;
};

static uint32_t line_of(yaml_mark_t m)
{
	return m.line < UINT32_MAX ? (uint32_t)m.line + 1 : UINT32_MAX;
}

static uint32_t col_of(yaml_mark_t m)
{
	return m.column < UINT32_MAX ? (uint32_t)m.column + 1 : UINT32_MAX;
}

static int set_error(
	const struct build *b, struct err *e, enum err_code code, yaml_mark_t at, const char *text)
{
	return err_set(e, code, "%s:%u:%u: %s", b->name, line_of(at), col_of(at), text);
}

/* Of bytes that are no text libyaml tells the offset alone. */
static int set_byte_error(const struct build *b, size_t offset, const char *problem, struct err *e)
{
	size_t at = offset < b->text.n ? offset : b->text.n;
	size_t line = 1, begin = 0;
	for (size_t i = 0; i < at; i++) {
		if (b->text.p[i] != '\n')
			continue;
		line++;
		begin = i + 1;
	}
	return err_set(e, ERR_FORMAT, "%s:%zu:%zu: byte %zu: %s", b->name, line, at - begin + 1,
		offset, problem);
}

static int set_parser_error(const struct build *b, struct err *e)
{
	const yaml_parser_t *p = &b->parser;
	if (p->error == YAML_MEMORY_ERROR)
		return err_set(e, ERR_LIMIT, "%s: no memory for this text", b->name);
	if (p->error == YAML_READER_ERROR)
		return set_byte_error(
			b, p->problem_offset, p->problem ? p->problem : "not text", e);
	return err_set(e, ERR_FORMAT, "%s:%u:%u: %s%s%s", b->name, line_of(p->problem_mark),
		col_of(p->problem_mark), p->context ? p->context : "", p->context ? ": " : "",
		p->problem ? p->problem : "not YAML");
}

/* Count nodes that come into the tree, `height` levels of them below the open ones. */
static int spend(struct build *b, size_t weight, uint32_t height, yaml_mark_t at, struct err *e)
{
	if (weight > b->limits.max_nodes - b->nodes)
		return set_error(b, e, ERR_LIMIT, at, "too many values (aliases count each time)");
	if (height > b->limits.max_depth - b->open.n)
		return set_error(b, e, ERR_LIMIT, at, "nested too deeply");
	b->nodes += weight;
	return 0;
}

static void remember_anchor(struct build *b, const yaml_char_t *anchor, struct cell *c)
{
	if (anchor)
		map_put(b->anchors, str_from((const char *)anchor), c);
}

static struct cell *new_cell(struct build *b, enum yaml_kind kind, const yaml_event_t *ev,
	const yaml_char_t *anchor, struct err *e)
{
	if (spend(b, 1, 1, ev->start_mark, e))
		return NULL;
	struct cell *c = arena_alloc(b->arena, sizeof(*c));
	if (!c) {
		set_error(b, e, ERR_LIMIT, ev->start_mark, "no more memory for this text");
		return NULL;
	}
	c->node.kind = kind;
	c->node.line = line_of(ev->start_mark);
	c->node.col = col_of(ev->start_mark);
	c->weight = 1;
	c->height = 1;
	remember_anchor(b, anchor, c);
	return c;
}

/* A finished node goes to its open parent, or is the document's root. */
static void deliver(struct build *b, struct cell *c)
{
	if (b->open.n)
		vec_push(&b->done, c);
	else
		vec_push(&b->docs, &c->node);
}

static bool tag_is_str(const yaml_char_t *tag)
{
	return tag && (str_eqz(str_from((const char *)tag), YAML_STR_TAG) ||
			      str_eqz(str_from((const char *)tag), "!"));
}

static int on_scalar(struct build *b, const yaml_event_t *ev, struct err *e)
{
	struct str value = str_of(ev->data.scalar.value, ev->data.scalar.length);
	bool plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		     !tag_is_str(ev->data.scalar.tag);
	if (plain && value.n == 0 && !b->open.n && !ev->data.scalar.tag && !ev->data.scalar.anchor)
		return 0; /* an empty document */
	if (value.n && memchr(value.p, '\0', value.n))
		return set_error(
			b, e, ERR_FORMAT, ev->start_mark, "a value must not hold a zero byte");
	struct cell *c = new_cell(b, YAML_SCALAR, ev, ev->data.scalar.anchor, e);
	if (!c)
		return -1;
	c->node.plain = plain;
	c->node.value = arena_str(b->arena, value);
	if (!c->node.value.p)
		return set_error(b, e, ERR_LIMIT, ev->start_mark, "no more memory for this text");
	deliver(b, c);
	return 0;
}

static int on_start(struct build *b, enum yaml_kind kind, const yaml_event_t *ev,
	const yaml_char_t *anchor, struct err *e)
{
	struct cell *c = new_cell(b, kind, ev, anchor, e);
	if (!c)
		return -1;
	c->open = true;
	struct frame f = { c, b->done.n };
	vec_push(&b->open, f);
	return 0;
}

static int on_alias(struct build *b, const yaml_event_t *ev, struct err *e)
{
	struct cell *c = map_get(b->anchors, str_from((const char *)ev->data.alias.anchor));
	if (!c)
		return set_error(b, e, ERR_FORMAT, ev->start_mark, "alias of an unknown anchor");
	if (c->open)
		return set_error(
			b, e, ERR_FORMAT, ev->start_mark, "alias of a value that holds it");
	if (spend(b, c->weight, c->height, ev->start_mark, e))
		return -1;
	deliver(b, c);
	return 0;
}

static int set_duplicate(const struct build *b, const struct yaml_node *key, struct err *e)
{
	return err_set(e, ERR_FORMAT, "%s:%u:%u: the key '%.*s' stands here twice", b->name,
		key->line, key->col, (int)(key->value.n < 64 ? key->value.n : 64), key->value.p);
}

static int check_keys(const struct build *b, const struct yaml_node *m, struct err *e)
{
	if (m->n > YAML_FEW_KEYS) {
		AUTO(map_free) struct map *seen = map_new(NULL);
		for (size_t i = 0; i < m->n; i++) {
			if (map_get(seen, m->pairs[i].key->value))
				return set_duplicate(b, m->pairs[i].key, e);
			map_put(seen, m->pairs[i].key->value, m->pairs[i].key);
		}
		return 0;
	}
	for (size_t i = 1; i < m->n; i++)
		for (size_t j = 0; j < i; j++)
			if (str_eq(m->pairs[i].key->value, m->pairs[j].key->value))
				return set_duplicate(b, m->pairs[i].key, e);
	return 0;
}

static int fill_map(
	struct build *b, struct yaml_node *m, struct cell **kids, size_t n, struct err *e)
{
	if (!kids)
		return 0;
	m->n = n / 2;
	m->pairs = arena_alloc(b->arena, m->n * sizeof(*m->pairs));
	if (!m->pairs)
		return err_set(
			e, ERR_LIMIT, "%s:%u: no more memory for this text", b->name, m->line);
	for (size_t i = 0; i < m->n; i++) {
		struct yaml_node *key = &kids[2 * i]->node;
		if (key->kind != YAML_SCALAR)
			return err_set(e, ERR_FORMAT, "%s:%u:%u: a key must be a single value",
				b->name, key->line, key->col);
		m->pairs[i] = (struct yaml_pair){ key, &kids[2 * i + 1]->node };
	}
	return check_keys(b, m, e);
}

static int fill_seq(
	struct build *b, struct yaml_node *s, struct cell **kids, size_t n, struct err *e)
{
	if (!kids)
		return 0;
	s->n = n;
	s->items = arena_alloc(b->arena, n * sizeof(struct yaml_node *));
	if (!s->items)
		return err_set(
			e, ERR_LIMIT, "%s:%u: no more memory for this text", b->name, s->line);
	for (size_t i = 0; i < n; i++)
		s->items[i] = &kids[i]->node;
	return 0;
}

static int on_end(struct build *b, struct err *e)
{
	struct frame f = b->open.p[b->open.n - 1];
	struct cell *c = f.cell;
	size_t n = b->done.n - f.first;
	struct cell **kids = n ? b->done.p + f.first : NULL;

	for (size_t i = 0; i < n; i++) {
		c->weight += kids[i]->weight;
		if (kids[i]->height >= c->height)
			c->height = kids[i]->height + 1;
	}
	int rc = c->node.kind == YAML_MAP ? fill_map(b, &c->node, kids, n, e)
					  : fill_seq(b, &c->node, kids, n, e);
	if (rc)
		return -1;
	c->open = false;
	b->done.n = f.first;
	b->open.n--;
	deliver(b, c);
	return 0;
}

static int on_event(struct build *b, const yaml_event_t *ev, struct err *e)
{
	switch (ev->type) {
	case YAML_DOCUMENT_START_EVENT:
		map_free(b->anchors);
		b->anchors = map_new(NULL);
		return 0;
	case YAML_SCALAR_EVENT:
		return on_scalar(b, ev, e);
	case YAML_ALIAS_EVENT:
		return on_alias(b, ev, e);
	case YAML_SEQUENCE_START_EVENT:
		return on_start(b, YAML_SEQ, ev, ev->data.sequence_start.anchor, e);
	case YAML_MAPPING_START_EVENT:
		return on_start(b, YAML_MAP, ev, ev->data.mapping_start.anchor, e);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_end(b, e);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return 0;
	}
	return 0;
}

static int run_parser(struct build *b, struct err *e)
{
	for (;;) {
		yaml_event_t ev;
		if (!yaml_parser_parse(&b->parser, &ev))
			return set_parser_error(b, e);
		bool end = ev.type == YAML_STREAM_END_EVENT;
		int rc = on_event(b, &ev, e);
		yaml_event_delete(&ev);
		if (rc || end)
			return rc;
	}
}

static void build_fini(struct build *b)
{
	yaml_parser_delete(&b->parser);
	arena_free(b->arena);
	map_free(b->anchors);
	vec_fini(&b->open);
	vec_fini(&b->done);
	vec_fini(&b->docs);
}
DEFINE_AUTO_VALUE(struct build, build_fini)

static struct yaml_limits with_defaults(const struct yaml_limits *given)
{
	struct yaml_limits l = { 0 };
	if (given)
		l = *given;
	if (!l.max_bytes)
		l.max_bytes = YAML_DEFAULT_BYTES;
	if (!l.max_nodes)
		l.max_nodes = YAML_DEFAULT_NODES;
	if (!l.max_depth)
		l.max_depth = YAML_DEFAULT_DEPTH;
	return l;
}

/* The root array of the documents is the last thing to go into the arena. */
static int hand_over(struct yaml_docs *out, struct build *b, struct err *e)
{
	struct yaml_node **docs = arena_alloc(b->arena, b->docs.n * sizeof(struct yaml_node *));
	if (!docs)
		return err_set(e, ERR_LIMIT, "%s: no more memory for this text", b->name);
	if (b->docs.n)
		memcpy(docs, b->docs.p, b->docs.n * sizeof(struct yaml_node *));
	*out = (struct yaml_docs){ .docs = docs, .n = b->docs.n, .arena = TAKE(b->arena) };
	return 0;
}

int yaml_parse(struct yaml_docs *out, struct str text, const char *name,
	const struct yaml_limits *limits, struct err *e)
{
	AUTO(build_fini)
	struct build b = { .limits = with_defaults(limits), .name = name, .text = text };
	if (text.n > b.limits.max_bytes)
		return err_set(e, ERR_LIMIT, "%s: %zu bytes, allowed are %zu", name, text.n,
			b.limits.max_bytes);
	/* A node costs its cell, its place with the parent and up to two roundings; "[:,:" makes
	 * three nodes of two bytes, and text in UTF-16 grows by half. */
	size_t nodes = b.limits.max_nodes < 2 * text.n ? b.limits.max_nodes : 2 * text.n;
	b.arena = arena_new((nodes + 64) * (sizeof(struct cell) + 64) + text.n * 2);
	b.anchors = map_new(NULL);
	if (!yaml_parser_initialize(&b.parser))
		return err_set(e, ERR_LIMIT, "%s: no memory for the parser", name);
	yaml_parser_set_input_string(
		&b.parser, (const unsigned char *)(text.n ? text.p : ""), text.n);
	if (run_parser(&b, e))
		return -1;
	return hand_over(out, &b, e);
}

void yaml_docs_fini(struct yaml_docs *d)
{
	arena_free(d->arena);
	*d = (struct yaml_docs){ 0 };
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	if (!map || map->kind != YAML_MAP)
		return NULL;
	struct str k = str_from(key);
	for (size_t i = 0; i < map->n; i++)
		if (str_eq(map->pairs[i].key->value, k))
			return map->pairs[i].value;
	return NULL;
}

static bool is_one_of(struct str s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eqz(s, words[i]))
			return true;
	return false;
}

bool yaml_is_null(const struct yaml_node *n)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };
	return !n ||
	       (n->kind == YAML_SCALAR && n->plain && is_one_of(n->value, words, ARRAY_N(words)));
}

bool yaml_bool(const struct yaml_node *n, bool *out)
{
	static const char *const yes[] = { "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On",
		"ON" };
	static const char *const no[] = { "false", "False", "FALSE", "no", "No", "NO", "off", "Off",
		"OFF" };
	if (!n || n->kind != YAML_SCALAR)
		return false;
	bool is_yes = is_one_of(n->value, yes, ARRAY_N(yes));
	if (!is_yes && !is_one_of(n->value, no, ARRAY_N(no)))
		return false;
	*out = is_yes;
	return true;
}

static bool octal_to_i64(struct str digits, int64_t *out)
{
	uint64_t v = 0;
	if (digits.n == 0 || digits.n > 20)
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '7')
			return false;
		v = v << 3 | (uint64_t)(digits.p[i] - '0');
	}
	*out = (int64_t)v; /* at most 60 bits */
	return true;
}

bool yaml_i64(const struct yaml_node *n, int64_t *out)
{
	uint64_t v;
	if (!n || n->kind != YAML_SCALAR)
		return false;
	struct str s = n->value;
	if (str_starts(s, STR("0o")))
		return octal_to_i64(str_of(s.p + 2, s.n - 2), out);
	if (str_starts(s, STR("0x"))) {
		if (!str_to_u64(s, &v) || v > INT64_MAX)
			return false;
		*out = (int64_t)v;
		return true;
	}
	if (s.n > 1 && s.p[0] == '+' && s.p[1] != '-')
		s = str_of(s.p + 1, s.n - 1);
	return str_to_i64(s, out);
}
