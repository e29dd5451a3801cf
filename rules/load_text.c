/*
 * Lists are substituted in the text of a condition, before it is parsed and inside of quotes too,
 * as Falco does: wherever a list's name stands between blanks, ( ) , or =.
 */
#include "rules/load_impl.h"

/* A list's text may hold names of lists that are defined after it, and so on. */
#define MAX_LIST_CHAIN 100

void expanded_fini(struct expanded *x)
{
	buf_fini(&x->text);
	vec_fini(&x->runs);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_delimiter(char c)
{
	return is_blank(c) || c == '(' || c == ')' || c == ',' || c == '=';
}

struct str quote_value(struct loader *l, struct str s)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(LOAD_MAX_TEXT);
	bool plain = s.n > 0;

	if (s.n && (s.p[0] == '"' || s.p[0] == '\''))
		return s;
	for (size_t i = 0; i < s.n; i++)
		plain = plain && !is_delimiter(s.p[i]);
	if (plain)
		return s;
	buf_putc(&b, '"');
	for (size_t i = 0; i < s.n; i++) {
		/*
		 * A quote inside would end the text; a backslash is left to mean what upstream
		 * makes of it.
		 */
		if (s.p[i] == '"' && (i == 0 || s.p[i - 1] != '\\'))
			buf_putc(&b, '\\');
		buf_putc(&b, s.p[i]);
	}
	buf_putc(&b, '"');
	return load_str(l, buf_str(&b));
}

/* Items with the earlier lists among them written out, one level deep. */
static void resolve_list(struct loader *l, struct def_list *list)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(LOAD_MAX_TEXT);

	if (list->resolved)
		return;
	for (size_t i = 0; i < list->items.n; i++) {
		struct def_list *inner = map_get(l->list_names, list->items.p[i]);

		if (!inner || inner->index >= list->visible || inner == list) {
			buf_puts(&b, b.n ? ", " : "");
			buf_put_str(&b, list->items.p[i]);
			continue;
		}
		inner->used = true;
		for (size_t k = 0; k < inner->items.n; k++) {
			buf_puts(&b, b.n ? ", " : "");
			buf_put_str(&b, inner->items.p[k]);
		}
	}
	list->text = load_str(l, buf_str(&b));
	list->resolved = true;
}

static void add_run(struct expanded *x, size_t from, bool exact)
{
	vec_push(&x->runs, ((struct run){ .at = x->text.n, .from = from, .exact = exact }));
}

static void trim_end(struct buf *b)
{
	while (b->n && is_blank(b->p[b->n - 1]))
		b->p[--b->n] = '\0';
}

static int expand(struct loader *l, struct str text, uint32_t first, uint32_t visible,
	unsigned int chain, size_t origin, struct expanded *x, struct err *e);

/*
 * Put a list in place of its name; *at stands behind the name. Blanks around it become one, and an
 * empty list takes a comma beside it along.
 */
static int put_list(struct loader *l, struct def_list *list, struct str text, size_t *at,
	uint32_t visible, unsigned int chain, size_t from, struct expanded *x, struct err *e)
{
	list->used = true;
	resolve_list(l, list);
	trim_end(&x->text);
	while (*at < text.n && is_blank(text.p[*at]))
		(*at)++;
	if (!list->items.n && x->text.n && x->text.p[x->text.n - 1] == ',')
		x->text.p[--x->text.n] = '\0';
	else if (!list->items.n && *at < text.n && text.p[*at] == ',')
		(*at)++;
	add_run(x, from, false);
	if (x->text.n)
		buf_putc(&x->text, ' ');
	if (expand(l, list->text, list->index + 1, visible, chain + 1, from, x, e))
		return -1;
	buf_putc(&x->text, ' ');
	return 0;
}

/* origin: SIZE_MAX for the text itself, else the place of the list that this is the text of. */
static int expand(struct loader *l, struct str text, uint32_t first, uint32_t visible,
	unsigned int chain, size_t origin, struct expanded *x, struct err *e)
{
	bool exact = origin == SIZE_MAX;
	size_t at = 0;

	if (chain > MAX_LIST_CHAIN)
		return err_set(e, ERR_LIMIT, "more than %d lists name each other", MAX_LIST_CHAIN);
	if (exact)
		add_run(x, 0, true);
	while (at < text.n && !x->text.full) {
		size_t end = at;
		struct def_list *list;

		while (end < text.n && !is_delimiter(text.p[end]))
			end++;
		list = end > at ? map_get(l->list_names, str_of(text.p + at, end - at)) : NULL;
		if (list && list->index >= first && list->index < visible) {
			size_t from = exact ? at : origin;

			at = end;
			if (put_list(l, list, text, &at, visible, chain, from, x, e))
				return -1;
			add_run(x, exact ? at : origin, exact);
			continue;
		}
		end += end == at;
		buf_put(&x->text, text.p + at, end - at);
		at = end;
	}
	return x->text.full ? err_set(e, ERR_LIMIT, "longer than 1 MiB with its lists written out")
			    : 0;
}

int expand_lists(
	struct loader *l, struct str text, uint32_t visible, struct expanded *out, struct err *e)
{
	out->text = (struct buf)BUF_INIT(LOAD_MAX_TEXT);
	return expand(l, text, 0, visible, 0, SIZE_MAX, out, e);
}

size_t expanded_origin(const struct expanded *x, size_t at)
{
	const struct run *found = NULL;

	for (size_t i = 0; i < x->runs.n && x->runs.p[i].at <= at; i++)
		found = &x->runs.p[i];
	if (!found)
		return 0;
	return found->exact ? found->from + (at - found->at) : found->from;
}
