#include "base/text.h"
#include "config/config.h"
#include "config/keys.h"

/* Length of the UTF-8 sequence that begins here and its code point; 1 and the byte when it is none. */
static size_t next_point(struct str s, uint32_t *point)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc0 ? 2 : 1;
	*point = *p;
	if (n == 1 || n > s.n || text_utf8_cut(str_of(s.p, n), n) != n)
		return 1;
	*point = *p & (0x7fu >> n);
	for (size_t i = 1; i < n; i++)
		*point = *point << 6 | (p[i] & 0x3fu);
	return n;
}

/* Double-quoted: the one YAML form in which everything can be written. */
static void put_text(struct buf *b, const char *z)
{
	struct str rest = str_from(z);
	uint32_t point;
	buf_putc(b, '"');
	while (rest.n) {
		size_t n = next_point(rest, &point);
		struct str one = str_of(rest.p, n);
		rest = str_of(rest.p + n, rest.n - n);
		/* What YAML does not take as it stands, and what no terminal should see. */
		bool plain = text_is_clean(one) && (point & 0xfffeu) != 0xfffeu && point != 0xfeff;
		if (point == '"' || point == '\\')
			buf_printf(b, "\\%c", (int)point);
		else if (plain)
			buf_put_str(b, one);
		else
			buf_printf(b, "\\U%08x", point);
	}
	buf_putc(b, '"');
}

/* The largest unit that says it exactly. */
static void put_duration(struct buf *b, uint64_t ns)
{
	static const struct {
		uint64_t ns;
		const char *unit;
	} units[] = { { 86400000000000u, "d" }, { 3600000000000u, "h" }, { 60000000000u, "m" },
		{ 1000000000u, "s" }, { 1000000u, "ms" } };
	for (size_t i = 0; i < ARRAY_N(units); i++) {
		if (ns % units[i].ns == 0 || i + 1 == ARRAY_N(units)) {
			buf_put_u64(b, ns / units[i].ns);
			buf_puts(b, units[i].unit);
			return;
		}
	}
}

static void put_list(struct buf *b, const struct config_list *list)
{
	buf_putc(b, '[');
	for (size_t i = 0; i < list->n; i++) {
		if (i)
			buf_puts(b, ", ");
		put_text(b, list->p[i]);
	}
	buf_putc(b, ']');
}

static void put_value(struct buf *b, const struct config *c, const struct config_key *k)
{
	const void *at = (const char *)c + k->offset;
	switch (k->kind) {
	case CONFIG_BOOL:
		buf_puts(b, *(const bool *)at ? "true" : "false");
		break;
	case CONFIG_COUNT:
	case CONFIG_POWER:
		buf_put_u64(b, *(const uint64_t *)at);
		break;
	case CONFIG_DURATION:
		put_duration(b, *(const uint64_t *)at);
		break;
	case CONFIG_WORD:
		/* Quoted where YAML would read the word as a bool. */
		buf_printf(b, "\"%s\"", k->words[*(const int *)at]);
		break;
	case CONFIG_PATH:
		put_text(b, *(const char *const *)at);
		break;
	case CONFIG_PATHS:
		put_list(b, at);
		break;
	}
}

void config_show(struct buf *b, const struct config *c, bool origin)
{
	struct str section = { 0 };
	for (size_t i = 0; i < config_keys_n; i++) {
		struct str rest = str_from(config_keys[i].name);
		struct str head = str_cut(&rest, '.');
		if (rest.p && !str_eq(head, section))
			buf_printf(b, "%.*s:\n", STR_ARG(head));
		section = rest.p ? head : (struct str){ 0 };
		if (rest.p)
			buf_printf(b, "  %.*s: ", STR_ARG(rest));
		else
			buf_printf(b, "%.*s: ", STR_ARG(head));
		put_value(b, c, &config_keys[i]);
		if (origin) {
			buf_puts(b, "  # ");
			text_clean(b, str_from(c->origins[i].text));
		}
		buf_putc(b, '\n');
	}
}

void config_changes(const struct config *a, const struct config *b,
	bool (*fn)(void *ctx, const char *key), void *ctx)
{
	AUTO(buf_fini) struct buf left = BUF_INIT(4u << 20);
	AUTO(buf_fini) struct buf right = BUF_INIT(4u << 20);
	for (size_t i = 0; i < config_keys_n; i++) {
		buf_reset(&left);
		buf_reset(&right);
		put_value(&left, a, &config_keys[i]);
		put_value(&right, b, &config_keys[i]);
		if (!str_eq(buf_str(&left), buf_str(&right)) && !fn(ctx, config_keys[i].name))
			return;
	}
}
