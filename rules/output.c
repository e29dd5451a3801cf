#include "rules/output.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "base/vec.h"
#include "rules/parse.h"

#include <arpa/inet.h>
#include <time.h>

#define NO_SLOT          UINT32_MAX
#define MAX_WIDTH        1024
#define MAX_STRING_BYTES (16u << 10) /* of one field */
#define NS_PER_S         1000000000u

/* Text, or (text.p == NULL) a field. */
struct piece {
	struct str text;
	uint32_t slot; /* NO_SLOT: not available, always <NA> */
	uint32_t width;
	struct piece *next;
};

struct member {
	const char *name;
	uint32_t slot;
	struct member *next;
};

struct output {
	struct arena *arena;
	struct piece *pieces, **last_piece;
	struct member *members, **last_member;
};

static int no_memory(struct err *e)
{
	return err_set(e, ERR_LIMIT, "output needs too much memory");
}

static struct piece *add_piece(struct output *o)
{
	struct piece *p = arena_alloc(o->arena, sizeof(*p));

	if (p) {
		p->slot = NO_SLOT;
		*o->last_piece = p;
		o->last_piece = &p->next;
	}
	return p;
}

static int add_text(struct output *o, struct str text, struct err *e)
{
	struct piece *p = text.n ? add_piece(o) : NULL;

	if (!text.n)
		return 0;
	if (p)
		p->text = arena_str(o->arena, text);
	return p && p->text.p ? 0 : no_memory(e);
}

static int add_member(struct output *o, const struct ast_term *t, uint32_t slot, struct err *e)
{
	AUTO(buf_fini) struct buf name = BUF_INIT(OUTPUT_MAX_TEXT);
	struct member *m;

	ast_print_term(&name, t);
	for (m = o->members; m; m = m->next)
		if (strcmp(m->name, buf_cstr(&name)) == 0)
			return 0;
	m = arena_alloc(o->arena, sizeof(*m));
	if (!m)
		return no_memory(e);
	m->name = arena_strz(o->arena, buf_cstr(&name));
	m->slot = slot;
	*o->last_member = m;
	o->last_member = &m->next;
	return m->name ? 0 : no_memory(e);
}

/* The slot of a field; not available here: NO_SLOT and a remark. */
static int find_slot(
	struct program_build *b, const struct ast_term *t, size_t at, uint32_t *slot, struct err *e)
{
	struct err why = { 0 };

	if (program_add_term(b, t, slot, &why) == 0) {
		const struct field *f = program_slot_info(b->program, *slot).field;

		if (!f || !(f->flags & FIELD_F_FILTER_ONLY))
			return 0;
		err_set(&why, ERR_CONFIG, "field %s cannot be used in an output", f->name);
	}
	b->at = at;
	if (why.code != ERR_UNSUPPORTED) {
		*e = why;
		return -1;
	}
	if (b->warn)
		b->warn(b->ctx, at, NULL, why.msg);
	*slot = NO_SLOT;
	return 0;
}

/*
 * Names of fields contain dots and may be followed by one: %fd.name.bak is fd.name and ".bak". Cut
 * what was read as a name until it is known.
 */
static int find_longest(struct program_build *b, struct ast_term *t, size_t at, size_t *used,
	uint32_t *slot, struct err *e)
{
	struct str name = t->text;

	while (find_slot(b, t, at, slot, e)) {
		const char *dot = memrchr(t->text.p, '.', t->text.n);
		size_t n = dot ? (size_t)(dot - t->text.p) : 0;

		if (e->code != ERR_CONFIG || t->kind != TERM_FIELD || t->has_arg ||
			!memchr(t->text.p, '.', n))
			return -1;
		t->text.n = n;
	}
	*used -= name.n - t->text.n;
	return 0;
}

/* A field behind a %; *used is its length with the width, without the %. */
static int add_field(struct output *o, struct program_build *b, struct str format, size_t at,
	size_t *used, struct err *e)
{
	struct str rest = str_of(format.p + at, format.n - at);
	struct ast_term *t = NULL;
	struct piece *p;
	uint32_t width = 0;
	size_t digits = 0, name = 0;

	while (digits < rest.n && rest.p[digits] >= '0' && rest.p[digits] <= '9' &&
		width < MAX_WIDTH)
		width = width * 10 + (uint32_t)(rest.p[digits++] - '0');
	b->at = at;
	if (parse_term_prefix(&t, o->arena, str_of(rest.p + digits, rest.n - digits), &name, e))
		return -1;
	uint32_t slot;

	if (find_longest(b, t, at, &name, &slot, e))
		return -1;
	p = add_piece(o);
	if (!p)
		return no_memory(e);
	p->slot = slot;
	p->width = width < MAX_WIDTH ? width : MAX_WIDTH;
	*used = digits + name;
	return add_member(o, t, slot, e);
}

/* %container.info is what old outputs end with; upstream expands it to nothing. */
static bool skip_info(struct program_build *b, struct str rest, size_t at, size_t *used)
{
	static const char info[] = "container.info";

	if (!str_starts(rest, str_from(info)))
		return false;
	if (b->warn)
		b->warn(b->ctx, at, NULL, "%container.info is deprecated and expands to nothing");
	*used = sizeof(info) - 1;
	return true;
}

int output_add(struct output *o, struct program_build *b, struct str format, struct err *e)
{
	size_t i = 0, used = 0;

	/* A leading * once asked for <NA> in place of missing fields, which is always so now. */
	if (format.n && format.p[0] == '*')
		i = 1;
	while (i < format.n) {
		const char *percent = memchr(format.p + i, '%', format.n - i);
		size_t end = percent ? (size_t)(percent - format.p) : format.n;

		if (add_text(o, str_of(format.p + i, end - i), e))
			return -1;
		if (!percent)
			return 0;
		i = end + 1;
		if (i < format.n && format.p[i] == '%') {
			used = 1;
			if (add_text(o, STR("%"), e))
				return -1;
		} else if (!skip_info(b, str_of(format.p + i, format.n - i), i, &used) &&
			   add_field(o, b, format, i, &used, e)) {
			return -1;
		}
		i += used;
	}
	return 0;
}

int output_add_field(struct output *o, struct program_build *b, struct str field, struct err *e)
{
	struct ast_term *t;
	uint32_t slot;
	size_t at;

	b->at = 0;
	if (parse_term(&t, o->arena, field, &at, e) || find_slot(b, t, 0, &slot, e))
		return -1;
	return add_member(o, t, slot, e);
}

struct output *output_new(struct arena *a, struct program_build *b)
{
	struct output *o = arena_alloc(a, sizeof(*o));
	struct err e;

	if (!o)
		return NULL;
	o->arena = a;
	o->last_piece = &o->pieces;
	o->last_member = &o->members;
	return output_add_field(o, b, STR("evt.time"), &e) ? NULL : o;
}

static void put_time_of_day(struct buf *b, uint64_t ns)
{
	time_t s = (time_t)(ns / NS_PER_S);
	struct tm tm = { 0 };

	localtime_r(&s, &tm);
	buf_printf(b, "%02d:%02d:%02d.%09u", tm.tm_hour, tm.tm_min, tm.tm_sec,
		(unsigned int)(ns % NS_PER_S));
}

static void put_ip(struct buf *b, const struct ip *ip)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(ip->family == EVENT_AF_INET ? AF_INET : AF_INET6, ip->addr, text, sizeof(text));
	buf_puts(b, text);
}

static struct str bounded(struct str s, bool *cut)
{
	if (s.n <= MAX_STRING_BYTES)
		return s;
	*cut = true;
	return str_of(s.p, MAX_STRING_BYTES);
}

static void put_time(struct buf *b, const struct field *f, int64_t ns)
{
	char iso[CLOCK_ISO_LEN + 1];

	if (f && f->flags & FIELD_F_CLOCK) {
		put_time_of_day(b, (uint64_t)ns);
		return;
	}
	clock_iso((uint64_t)ns, iso);
	buf_puts(b, iso);
}

static void put_atom(struct buf *b, struct program_slot_info info, const union atom *a, bool *cut)
{
	switch (info.type) {
	case FIELD_STR:
		text_clean(b, bounded(a->s, cut));
		break;
	case FIELD_BOOL:
		buf_puts(b, a->i ? "true" : "false");
		break;
	case FIELD_IP:
	case FIELD_NET:
		put_ip(b, &a->ip);
		break;
	case FIELD_ABSTIME:
		put_time(b, info.field, a->i);
		break;
	default:
		buf_put_i64(b, a->i);
	}
}

static void put_value(
	struct buf *b, struct program_slot_info info, const struct value *v, bool *cut)
{
	if (v->state != VALUE_HAVE) {
		buf_puts(b, "<NA>");
		return;
	}
	for (uint32_t i = 0; i < v->n; i++) {
		if (i)
			buf_puts(b, ", ");
		put_atom(b, info, value_at(v, i), cut);
	}
}

/* Pad or cut what stands behind `from` to the width. */
static void fit(struct buf *b, size_t from, uint32_t width)
{
	size_t n = b->n - from;

	if (!width || b->full)
		return;
	if (n > width) {
		b->n = from + text_utf8_cut(str_of(b->p + from, n), width);
		b->p[b->n] = '\0';
		return;
	}
	for (; n < width; n++)
		buf_putc(b, ' ');
}

static void put_piece(const struct piece *p, struct program_state *s, struct buf *b, bool *cut)
{
	static const struct value missing = { .state = VALUE_MISSING };
	size_t from = b->n;

	if (p->text.p) {
		text_clean(b, p->text);
		return;
	}
	if (p->slot == NO_SLOT)
		put_value(b, (struct program_slot_info){ 0 }, &missing, cut);
	else
		put_value(b, program_slot_info(program_of(s), p->slot), program_value(s, p->slot),
			cut);
	fit(b, from, p->width);
}

bool output_text(const struct output *o, struct program_state *s, struct buf *b)
{
	bool cut = false;

	for (const struct piece *p = o->pieces; p && !b->full; p = p->next)
		put_piece(p, s, b, &cut);
	return cut || b->full;
}

static void json_atom(struct jw *w, struct buf *tmp, struct program_slot_info info,
	const union atom *a, bool *cut)
{
	switch (info.type) {
	case FIELD_STR:
	case FIELD_IP:
	case FIELD_NET:
		buf_reset(tmp);
		put_atom(tmp, info, a, cut);
		jw_str(w, buf_str(tmp));
		break;
	case FIELD_BOOL:
		jw_bool(w, a->i != 0);
		break;
	default:
		jw_i64(w, a->i);
	}
}

static void json_value(struct jw *w, struct buf *tmp, struct program_slot_info info,
	const struct value *v, bool *cut)
{
	if (v->state != VALUE_HAVE) {
		jw_null(w);
		return;
	}
	if (!info.several) {
		json_atom(w, tmp, info, value_at(v, 0), cut);
		return;
	}
	jw_arr(w);
	for (uint32_t i = 0; i < v->n; i++)
		json_atom(w, tmp, info, value_at(v, i), cut);
	jw_end_arr(w);
}

bool output_json(const struct output *o, struct program_state *s, struct buf *b)
{
	AUTO(buf_fini) struct buf tmp = BUF_INIT(OUTPUT_MAX_TEXT * 4);
	struct jw w = jw_on(b);
	size_t from = b->n;
	bool cut = false;

	jw_obj(&w);
	for (const struct member *m = o->members; m; m = m->next) {
		jw_key(&w, m->name);
		if (m->slot == NO_SLOT)
			jw_null(&w);
		else
			json_value(&w, &tmp, program_slot_info(program_of(s), m->slot),
				program_value(s, m->slot), &cut);
	}
	jw_end_obj(&w);
	if (!b->full)
		return cut;
	/* Half an object is worth nothing. */
	b->n = from;
	b->full = false;
	buf_puts(b, "{}");
	return true;
}

bool output_pending(const struct output *o, struct program_state *s)
{
	for (const struct member *m = o->members; m; m = m->next)
		if (m->slot != NO_SLOT && program_value(s, m->slot)->state == VALUE_PENDING)
			return true;
	return false;
}
