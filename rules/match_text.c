/*
 * Two tries share the states: one of literals that may begin anywhere (its root is state 0), one
 * of those bound to the start (its root is `start`, the first state behind the other trie). A state
 * that cannot go on with a byte falls back to the longest end of what it has read which is a state
 * of the first trie; nothing falls back into the second, since a text has only one start.
 *
 * States are numbered breadth first: the children of a state follow each other, sorted by label,
 * and begin where the previous state's end. One number between the tries is nobody's, so that the
 * last state of the first has an end too.
 */
#include "rules/match_text.h"

#include "base/vec.h"

#define NONE UINT32_MAX

/* More are searched many bytes at a time. */
#define FEW_CHILDREN 8

/* A state while literals are added. */
struct grown {
	uint32_t child, sibling; /* 0: none; state 0 is nobody's child */
	uint32_t tags;           /* head of a list in `tags`, or NONE */
	uint8_t label;
};

struct tag {
	uint32_t tag, next;
};

/* What to tell in some state: its own tags, then those of the next record. */
struct output {
	uint32_t first, n, next;
};

struct match_text {
	bool backward;
	uint8_t map[256]; /* bytes to bytes: folds case, or nothing */
	VEC(struct grown) grown;
	VEC(struct tag) added;
	uint32_t start;
	uint32_t *children; /* where they begin; one more than states */
	uint32_t *fail;
	uint32_t *out;  /* index into outputs, or NONE */
	uint8_t *label; /* by which the state is reached */
	uint32_t root[256];
	VEC(struct output) outputs;
	VEC(uint32_t) tags;
};

enum { ROOT_ANYWHERE, ROOT_START };

static uint32_t grow(struct match_text *m, uint8_t label)
{
	vec_push(&m->grown, ((struct grown){ .tags = NONE, .label = label }));
	return (uint32_t)m->grown.n - 1;
}

struct match_text *match_text_new(bool backward, bool fold)
{
	struct match_text *m = xcalloc(1, sizeof(*m));

	m->backward = backward;
	for (int c = 0; c < 256; c++)
		m->map[c] = (uint8_t)(fold && c >= 'A' && c <= 'Z' ? c + 32 : c);
	grow(m, 0);
	grow(m, 0);
	return m;
}

void match_text_free(struct match_text *m)
{
	if (!m)
		return;
	vec_fini(&m->grown);
	vec_fini(&m->added);
	vec_fini(&m->outputs);
	vec_fini(&m->tags);
	free(m->children);
	free(m->fail);
	free(m->out);
	free(m->label);
	free(m);
}

static uint8_t byte_at(const struct match_text *m, struct str s, size_t i)
{
	return m->map[(uint8_t)s.p[m->backward ? s.n - 1 - i : i]];
}

/* The child by `label`, made where its siblings' order wants it. */
static uint32_t grow_child(struct match_text *m, uint32_t at, uint8_t label)
{
	uint32_t before = 0, child = m->grown.p[at].child, made;

	while (child && m->grown.p[child].label < label) {
		before = child;
		child = m->grown.p[child].sibling;
	}
	if (child && m->grown.p[child].label == label)
		return child;
	made = grow(m, label);
	m->grown.p[made].sibling = child;
	if (before)
		m->grown.p[before].sibling = made;
	else
		m->grown.p[at].child = made;
	return made;
}

bool match_text_add(struct match_text *m, struct str literal, bool at_start, uint32_t tag)
{
	uint32_t at = at_start ? ROOT_START : ROOT_ANYWHERE;

	if (literal.n > MATCH_TEXT_MAX_STATES - m->grown.n)
		return false;
	for (size_t i = 0; i < literal.n; i++)
		at = grow_child(m, at, byte_at(m, literal, i));
	vec_push(&m->added, ((struct tag){ tag, m->grown.p[at].tags }));
	m->grown.p[at].tags = (uint32_t)m->added.n - 1;
	return true;
}

static uint32_t child_of(const struct match_text *m, uint32_t state, uint8_t label)
{
	uint32_t i = m->children[state], end = m->children[state + 1];
	const uint8_t *at;

	if (end - i > FEW_CHILDREN) {
		at = memchr(m->label + i, label, end - i);
		return at ? (uint32_t)(at - m->label) : NONE;
	}
	while (i < end && m->label[i] < label)
		i++;
	return i < end && m->label[i] == label ? i : NONE;
}

static uint32_t step(const struct match_text *m, uint32_t state, uint8_t c)
{
	while (state) {
		uint32_t next = child_of(m, state, c);

		if (next != NONE)
			return next;
		state = m->fail[state];
	}
	return m->root[c];
}

/* What the state tells itself, before what it tells through its fallback. */
static void add_output(struct match_text *m, uint32_t state, uint32_t added)
{
	struct output o = { .first = (uint32_t)m->tags.n,
		.next = state ? m->out[m->fail[state]] : NONE };

	m->out[state] = o.next;
	if (added == NONE)
		return;
	for (; added != NONE; added = m->added.p[added].next)
		vec_push(&m->tags, m->added.p[added].tag);
	o.n = (uint32_t)m->tags.n - o.first;
	m->out[state] = (uint32_t)m->outputs.n;
	vec_push(&m->outputs, o);
}

/*
 * One trie, whose root becomes state `at`. grown_of[state] is where it came from; the parent of a
 * state precedes it, so fallbacks of parents are known.
 */
static uint32_t number(struct match_text *m, uint32_t root, uint32_t at, uint32_t *grown_of)
{
	uint32_t end = at + 1;

	grown_of[at] = root;
	m->fail[at] = 0;
	add_output(m, at, NONE);
	for (; at < end; at++) {
		uint32_t child = m->grown.p[grown_of[at]].child;

		m->children[at] = end;
		for (; child; child = m->grown.p[child].sibling) {
			const struct grown *g = &m->grown.p[child];

			grown_of[end] = child;
			m->label[end] = g->label;
			m->fail[end] = at ? step(m, m->fail[at], g->label) : 0;
			add_output(m, end, g->tags);
			if (!at)
				m->root[g->label] = end;
			end++;
		}
		m->children[at + 1] = end;
	}
	return end;
}

/* So that the root can be asked about bytes as they are. */
static void fold_root(struct match_text *m)
{
	for (int c = 0; c < 256; c++)
		m->root[c] = m->root[m->map[c]];
}

void match_text_build(struct match_text *m)
{
	size_t n = m->grown.n + 1;
	AUTO_FREE uint32_t *grown_of = xcalloc(n, sizeof(*grown_of));

	m->children = xcalloc(n + 1, sizeof(*m->children));
	m->fail = xcalloc(n, sizeof(*m->fail));
	m->out = xcalloc(n, sizeof(*m->out));
	m->label = xcalloc(n, sizeof(*m->label));
	m->start = number(m, ROOT_ANYWHERE, 0, grown_of) + 1;
	number(m, ROOT_START, m->start, grown_of);
	fold_root(m);
	vec_fini(&m->grown);
	vec_fini(&m->added);
}

static void tell(const struct match_text *m, uint32_t out, match_text_hit *hit, void *ctx)
{
	for (; out != NONE; out = m->outputs.p[out].next)
		for (uint32_t i = 0; i < m->outputs.p[out].n; i++)
			hit(ctx, m->tags.p[m->outputs.p[out].first + i]);
}

/* From state 0: the next place where a literal may begin, or `end`. */
static ptrdiff_t skip(const struct match_text *m, const uint8_t *text, ptrdiff_t i, ptrdiff_t end)
{
	ptrdiff_t way = m->backward ? -1 : 1;

	while (i != end && !m->root[text[i]])
		i += way;
	return i;
}

void match_text_run(const struct match_text *m, struct str text, match_text_hit *hit, void *ctx)
{
	const uint8_t *bytes = (const uint8_t *)text.p;
	ptrdiff_t n = (ptrdiff_t)text.n, way = m->backward ? -1 : 1;
	ptrdiff_t i = m->backward ? n - 1 : 0, end = m->backward ? -1 : n;
	bool only_start = m->start == 2;
	uint32_t state = m->start;

	for (; i != end; i += way) {
		if (!state)
			i = skip(m, bytes, i, end);
		if (i == end)
			return;
		state = step(m, state, m->map[bytes[i]]);
		if (!state && only_start)
			return;
		if (m->out[state] != NONE)
			tell(m, m->out[state], hit, ctx);
	}
}
