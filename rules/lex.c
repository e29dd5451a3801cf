#include "rules/lex.h"

#include "base/scope.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\b' || c == '\r' || c == '\n';
}

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
	return is_alpha(c) || is_digit(c) || c == '_';
}

/* NUL past the end, which no token contains. */
static char peek(const struct lex *l, size_t ahead)
{
	return ahead < l->text.n - l->at ? l->text.p[l->at + ahead] : '\0';
}

static struct str take(struct lex *l, size_t n)
{
	struct str s = str_of(l->text.p + l->at, n);

	l->at += n;
	return s;
}

bool lex_blank(struct lex *l)
{
	size_t n = 0;

	while (is_blank(peek(l, n)))
		n++;
	l->at += n;
	return n > 0;
}

bool lex_char(struct lex *l, char c)
{
	if (peek(l, 0) != c || l->at >= l->text.n)
		return false;
	l->at++;
	return true;
}

bool lex_word(struct lex *l, const char *w)
{
	size_t n = strlen(w);

	if (l->text.n - l->at < n || memcmp(l->text.p + l->at, w, n) != 0)
		return false;
	l->at += n;
	return true;
}

bool lex_not(struct lex *l)
{
	if (memcmp((char[]){ peek(l, 0), peek(l, 1), peek(l, 2) }, "not", 3) != 0 ||
		!is_blank(peek(l, 3)))
		return false;
	l->at += 3;
	return lex_blank(l);
}

static size_t identifier_len(const struct lex *l, size_t from)
{
	size_t n = 0;

	if (!is_alpha(peek(l, from)))
		return 0;
	while (is_name(peek(l, from + n)))
		n++;
	return n;
}

bool lex_identifier(struct lex *l, struct str *out)
{
	size_t n = identifier_len(l, 0);

	if (n)
		*out = take(l, n);
	return n > 0;
}

bool lex_field(struct lex *l, struct str *out)
{
	size_t n = identifier_len(l, 0);
	bool dots = false;

	while (n && peek(l, n) == '.') {
		size_t more = identifier_len(l, n + 1);

		if (!more)
			break;
		n += 1 + more;
		dots = true;
	}
	if (dots)
		*out = take(l, n);
	return dots;
}

static bool lex_until(struct lex *l, const char *stop, struct str *out)
{
	size_t n = 0;

	while (l->at + n < l->text.n && peek(l, n) && !strchr(stop, peek(l, n)))
		n++;
	if (n)
		*out = take(l, n);
	return n > 0;
}

bool lex_bare_arg(struct lex *l, struct str *out)
{
	return lex_until(l, "[]\"' \t\r\n\v\f", out);
}

bool lex_bare(struct lex *l, struct str *out)
{
	return lex_until(l, "()\"' \t\r\n\v\f=,", out);
}

static size_t digits(const struct lex *l, size_t from)
{
	size_t n = 0;

	while (is_digit(peek(l, from + n)))
		n++;
	return n;
}

static bool lex_hex(struct lex *l, struct str *out)
{
	size_t n = 2;

	if (peek(l, 0) != '0' || (peek(l, 1) != 'x' && peek(l, 1) != 'X'))
		return false;
	while (is_alpha(peek(l, n)) || is_digit(peek(l, n)))
		n++;
	if (n > 2)
		*out = take(l, n);
	return n > 2;
}

bool lex_number(struct lex *l, struct str *out)
{
	size_t n = peek(l, 0) == '+' || peek(l, 0) == '-';
	size_t whole;

	if (lex_hex(l, out))
		return true;
	whole = digits(l, n);
	if (!whole)
		return false;
	n += whole;
	if (peek(l, n) == '.')
		n += 1 + digits(l, n + 1);
	if ((peek(l, n) | 0x20) == 'e' && (peek(l, n + 1) == '+' || peek(l, n + 1) == '-') &&
		digits(l, n + 2))
		n += 2 + digits(l, n + 2);
	*out = take(l, n);
	return true;
}

bool lex_transform(struct lex *l, enum transform *out)
{
	for (enum transform t = 0; t < TR_N; t++) {
		const char *name = transform_name(t);

		if (peek(l, strlen(name)) == '(' && lex_word(l, name)) {
			l->at++;
			*out = t;
			return true;
		}
	}
	return false;
}

bool lex_op(struct lex *l, enum op *out)
{
	/* "==" before "=", "<=" before "<", "intersects" before "in": the longer one wins. */
	if (lex_word(l, "==")) {
		*out = OP_EQ;
		return true;
	}
	for (enum op op = 0; op < OP_N; op++) {
		const char *name = op_name(op);
		bool word = is_alpha(name[0]) && op_kind(op) == OP_STRING;

		if (word && !is_blank(peek(l, strlen(name))))
			continue;
		if (lex_word(l, name)) {
			*out = op;
			return true;
		}
	}
	return false;
}

bool lex_modifier(struct lex *l, enum ast_modifier *out)
{
	for (enum ast_modifier m = MOD_ONEOF; m <= MOD_ALLOF; m++) {
		size_t n = strlen(modifier_name(m));

		if ((is_blank(peek(l, n)) || peek(l, n) == '(') && lex_word(l, modifier_name(m))) {
			*out = m;
			return true;
		}
	}
	return false;
}

/* Offset of the closing quote from the opening one, 0 when there is none. */
static size_t closing_quote(const struct lex *l)
{
	char quote = peek(l, 0);

	for (size_t n = 1; l->at + n < l->text.n; n++) {
		if (peek(l, n) == quote)
			return n;
		if (peek(l, n) == '\\')
			n++;
	}
	return 0;
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*
 * `s` begins behind the backslash. Returns how many bytes it takes, 0 when it is wrong. Backslash
 * and blank are one backslash: rules with that old mistake exist.
 */
static size_t unescape(struct str s, char quote, char *out)
{
	static const char from[] = "bfnrt\\/ ";
	static const char to[] = "\b\f\n\r\t\\/\\";
	const char *known = s.n && s.p[0] ? strchr(from, s.p[0]) : NULL;

	if (known) {
		*out = to[known - from];
		return 1;
	}
	if (s.n && s.p[0] == quote) {
		*out = quote;
		return 1;
	}
	if (s.n < 3 || s.p[0] != 'x' || hex_value(s.p[1]) < 0 || hex_value(s.p[2]) < 0)
		return 0;
	*out = (char)(hex_value(s.p[1]) * 16 + hex_value(s.p[2]));
	return *out ? 3 : 0;
}

/*
 * Copy `in` into `out` (as long as in) without its escapes. Returns -1 with *at where it is
 * wrong.
 */
static int unescape_all(struct str in, char quote, char *out, size_t *n, size_t *at)
{
	*n = 0;
	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] != '\\') {
			out[(*n)++] = in.p[i];
			if (in.p[i])
				continue;
			*at = i;
			return -1;
		}
		size_t used = unescape(str_of(in.p + i + 1, in.n - i - 1), quote, &out[*n]);

		if (!used) {
			*at = i;
			return -1;
		}
		(*n)++;
		i += used;
	}
	return 0;
}

int lex_quoted(struct lex *l, struct arena *a, struct str *out, const char **what)
{
	char quote = peek(l, 0);
	size_t end = quote == '"' || quote == '\'' ? closing_quote(l) : 0;

	if (!end)
		return 0;
	struct str in = str_of(l->text.p + l->at + 1, end - 1);
	char *text = arena_alloc(a, in.n + 1);
	size_t n, at;

	if (!text) {
		*what = "condition needs too much memory";
		return -1;
	}
	if (unescape_all(in, quote, text, &n, &at)) {
		l->at += 1 + at;
		*what = "unknown escape in a quoted string; a backslash is written as \\\\";
		return -1;
	}
	*out = str_of(text, n);
	l->at += end + 1;
	return 1;
}
