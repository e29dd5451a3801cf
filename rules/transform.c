/* tolower() and its kin, on values that are there. */
#include "rules/program_impl.h"

static struct str change_case(struct field_ctx *cx, struct str s, bool upper)
{
	char *to = scratch_alloc(cx->scratch, s.n + 1);

	if (!to)
		return (struct str){ 0 };
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool flip = upper ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z';

		to[i] = flip ? (char)(c ^ 0x20) : c;
	}
	return str_of(to, s.n);
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes; what is no base64 gives a missing value. */
static struct str decode_base64(struct field_ctx *cx, struct str s)
{
	uint8_t *to = scratch_alloc(cx->scratch, s.n + 1);
	size_t n = 0;
	uint32_t bits = 0, have = 0;

	while (s.n && s.p[s.n - 1] == '=')
		s.n--;
	if (!to || s.n % 4 == 1)
		return (struct str){ 0 };
	for (size_t i = 0; i < s.n; i++) {
		int v = base64_value(s.p[i]);

		if (v < 0)
			return (struct str){ 0 };
		bits = (bits << 6 | (uint32_t)v) & 0xffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			to[n++] = (uint8_t)(bits >> have);
		}
	}
	return str_of(to, n);
}

static struct str base_name(struct str s)
{
	const char *slash = s.n ? memrchr(s.p, '/', s.n) : NULL;
	size_t from = slash ? (size_t)(slash - s.p) + 1 : 0;

	return s.n ? str_of(s.p + from, s.n - from) : s;
}

/* p == NULL: no value. */
static struct str map_text(struct field_ctx *cx, enum transform t, struct str s)
{
	if (!s.p)
		s = STR("");
	switch (t) {
	case TR_TOLOWER:
	case TR_TOUPPER:
		return change_case(cx, s, t == TR_TOUPPER);
	case TR_B64:
		return decode_base64(cx, s);
	default:
		return base_name(s);
	}
}

static enum value_state map_all(
	struct field_ctx *cx, const struct slot *s, const struct value *in, struct value *out)
{
	union atom *all = scratch_alloc(cx->scratch, ((size_t)in->n + 1) * sizeof(*all));

	if (!all)
		return VALUE_MISSING;
	for (uint32_t i = 0; i < in->n; i++) {
		all[i].s = map_text(cx, s->transform, value_at(in, i)->s);
		if (!all[i].s.p)
			return VALUE_MISSING;
	}
	out->many = all;
	out->n = in->n;
	return VALUE_HAVE;
}

/* join(sep, list) and join(sep, (a, b)): everything behind the first argument is joined. */
static enum value_state join(struct field_ctx *cx, const struct slot *s,
	const struct value *const *args, struct value *out)
{
	bool sep = s->transform == TR_JOIN, first = true;
	struct buf *b = cx->text;

	buf_reset(b);
	for (uint32_t i = sep; i < s->args_n; i++)
		for (uint32_t k = 0; k < args[i]->n; k++) {
			if (sep && !first)
				buf_put_str(b, value_at(args[0], 0)->s);
			first = false;
			buf_put_str(b, value_at(args[i], k)->s);
		}
	out->one.s = scratch_copy(cx->scratch, buf_str(b));
	return out->one.s.p ? VALUE_HAVE : VALUE_MISSING;
}

/* Where an option may stand: in the letters behind one dash. Long options are left alone. */
static bool is_cluster(struct str arg)
{
	return arg.n > 1 && arg.p[0] == '-' && arg.p[1] != '-';
}

static bool takes_value(struct str options, char letter, bool *known)
{
	const char *at = options.n ? memchr(options.p, letter, options.n) : NULL;

	*known = at && letter != ':';
	return *known && at + 1 < options.p + options.n && at[1] == ':';
}

struct getopt {
	const struct value *list;
	struct str options;
	uint32_t arg; /* where we are */
	size_t at;    /* in its letters; 0 before the first */
};

/* The next option that `options` knows, as getopt(3) reads them; false at the end. */
static bool next_option(struct getopt *g, struct str *letter, struct str *value)
{
	for (; g->arg < g->list->n; g->arg++, g->at = 0) {
		struct str arg = value_at(g->list, g->arg)->s;

		if (str_eqz(arg, "--"))
			return false;
		while (is_cluster(arg) && ++g->at < arg.n) {
			bool known, more = takes_value(g->options, arg.p[g->at], &known);

			*letter = str_of(arg.p + g->at, 1);
			*value = STR("");
			if (!more) {
				if (known)
					return true;
				continue;
			}
			*value = str_of(arg.p + g->at + 1, arg.n - g->at - 1);
			if (!value->n && g->arg + 1 < g->list->n)
				*value = value_at(g->list, ++g->arg)->s;
			g->arg++;
			g->at = 0;
			return true;
		}
	}
	return false;
}

static enum value_state get_option(struct field_ctx *cx, const struct slot *s,
	const struct value *const *args, struct value *out)
{
	struct getopt g = { .list = args[0], .options = value_at(args[1], 0)->s };
	union atom *all = scratch_alloc(cx->scratch, 256 * sizeof(*all));
	struct str letter, value;
	uint32_t n = 0;

	if (!all)
		return VALUE_MISSING;
	while (next_option(&g, &letter, &value)) {
		if (s->arg.given && str_eq(letter, s->arg.text)) {
			out->one.s = value;
			return VALUE_HAVE;
		}
		if (n < 256)
			all[n++].s = letter;
	}
	if (s->arg.given)
		return VALUE_MISSING;
	out->many = all;
	out->n = n;
	return VALUE_HAVE;
}

static int64_t length(const struct slot *s, const struct value *v)
{
	(void)s;
	return v->many ? (int64_t)v->n : (int64_t)v->one.s.n;
}

enum value_state transform_apply(struct field_ctx *cx, const struct slot *s,
	const struct value *const *args, struct value *out)
{
	switch (s->transform) {
	case TR_VAL:
		*out = *args[0];
		return VALUE_HAVE;
	case TR_LEN:
		out->one.i = length(s, args[0]);
		return VALUE_HAVE;
	case TR_JOIN:
	case TR_CONCAT:
		return join(cx, s, args, out);
	case TR_GETOPT:
		return get_option(cx, s, args, out);
	default:
		break;
	}
	if (args[0]->many)
		return map_all(cx, s, args[0], out);
	out->one.s = map_text(cx, s->transform, args[0]->one.s);
	return out->one.s.p ? VALUE_HAVE : VALUE_MISSING;
}
