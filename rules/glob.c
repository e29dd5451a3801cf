#include "rules/glob.h"

#include <ctype.h>

static unsigned char fold_case(char c, bool fold)
{
	unsigned char u = (unsigned char)c;

	return fold && u >= 'A' && u <= 'Z' ? (unsigned char)(u + 32) : u;
}

static bool in_class(struct str name, unsigned char c)
{
	static const struct {
		const char *name;
		int (*is)(int);
	} classes[] = {
		{ "alpha", isalpha },
		{ "digit", isdigit },
		{ "alnum", isalnum },
		{ "upper", isupper },
		{ "lower", islower },
		{ "space", isspace },
		{ "punct", ispunct },
		{ "xdigit", isxdigit },
		{ "blank", isblank },
		{ "cntrl", iscntrl },
		{ "graph", isgraph },
		{ "print", isprint },
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		if (str_eqz(name, classes[i].name))
			return c < 0x80 && classes[i].is(c);
	return false;
}

/* A [:name:] at p.p[i]; its length, or 0. */
static size_t class_at(struct str p, size_t i, struct str *name)
{
	size_t end = i + 2;

	if (p.n - i < 4 || p.p[i] != '[' || p.p[i + 1] != ':')
		return 0;
	while (end + 1 < p.n && p.p[end] != ':')
		end++;
	if (end + 1 >= p.n || p.p[end + 1] != ']')
		return 0;
	*name = str_of(p.p + i + 2, end - i - 2);
	return end + 2 - i;
}

/* One member of a set at *i, moved past. */
static bool match_member(struct str p, size_t *i, unsigned char c, bool fold)
{
	struct str name;
	size_t len = class_at(p, *i, &name);
	unsigned char from, to;

	if (len) {
		*i += len;
		return in_class(name, c);
	}
	if (p.p[*i] == '\\' && *i + 1 < p.n)
		(*i)++;
	from = to = fold_case(p.p[(*i)++], fold);
	if (*i + 1 < p.n && p.p[*i] == '-' && p.p[*i + 1] != ']') {
		(*i)++;
		if (p.p[*i] == '\\' && *i + 1 < p.n)
			(*i)++;
		to = fold_case(p.p[(*i)++], fold);
	}
	return c >= from && c <= to;
}

/* The set at p.p[at] == '['. Its length, 0 when it is not closed (then [ is itself). */
static size_t match_set(struct str p, size_t at, unsigned char c, bool fold, bool *matched)
{
	size_t i = at + 1;
	bool negate = i < p.n && (p.p[i] == '!' || p.p[i] == '^');
	bool any = false;
	size_t first;

	i += negate;
	first = i;
	while (i < p.n && (p.p[i] != ']' || i == first)) {
		if (match_member(p, &i, c, fold))
			any = true;
	}
	if (i >= p.n)
		return 0;
	*matched = any != negate;
	return i + 1 - at;
}

/* One pattern element against one byte; *used is its length in the pattern. */
static bool match_one(struct str p, size_t i, unsigned char c, bool fold, size_t *used)
{
	bool matched = false;

	*used = 1;
	if (p.p[i] == '?')
		return true;
	if (p.p[i] == '[') {
		*used = match_set(p, i, c, fold, &matched);
		if (*used)
			return matched;
		*used = 1;
	}
	if (p.p[i] == '\\' && i + 1 < p.n) {
		*used = 2;
		i++;
	}
	return fold_case(p.p[i], fold) == c;
}

bool glob_match(struct str p, struct str s, bool fold)
{
	size_t i = 0, k = 0, star = SIZE_MAX, mark = 0, used;

	/*
	 * Only the last star ever has to give back: what an earlier one took could be the
	 * later's.
	 */
	while (k < s.n) {
		if (i < p.n && p.p[i] == '*') {
			star = i++;
			mark = k;
		} else if (i < p.n && match_one(p, i, fold_case(s.p[k], fold), fold, &used)) {
			i += used;
			k++;
		} else if (star != SIZE_MAX) {
			i = star + 1;
			k = ++mark;
		} else {
			return false;
		}
	}
	while (i < p.n && p.p[i] == '*')
		i++;
	return i == p.n;
}

bool glob_is_plain(struct str p)
{
	for (size_t i = 0; i < p.n; i++)
		if (strchr("*?[\\", p.p[i]))
			return false;
	return true;
}

static bool is_absolute(struct str path)
{
	return path.n && path.p[0] == '/';
}

/* The next part that is not empty; false at the end. */
static bool next_part(struct str *path, struct str *part)
{
	while (path->n) {
		*part = str_cut(path, '/');
		if (part->n)
			return true;
	}
	return false;
}

bool glob_path_prefix(struct str prefix, struct str path)
{
	struct str want, have;

	if (!prefix.n || is_absolute(prefix) != is_absolute(path))
		return false;
	while (next_part(&prefix, &want)) {
		if (!next_part(&path, &have))
			return false;
		if (!str_eq(want, have) && !glob_match(want, have, false))
			return false;
	}
	return true;
}
