#include "base/str.h"

#define DISTANCE_LEN 64

static unsigned char lower(char c)
{
	unsigned char u = (unsigned char)c;
	return u >= 'A' && u <= 'Z' ? (unsigned char)(u + 32) : u;
}

bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq(str_of(s.p, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n &&
	       (suffix.n == 0 || str_eq(str_of(s.p + s.n - suffix.n, suffix.n), suffix));
}

bool str_contains(struct str s, struct str part)
{
	if (part.n == 0)
		return true;
	return s.n >= part.n && memmem(s.p, s.n, part.p, part.n) != NULL;
}

static bool ieq(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

bool str_icontains(struct str s, struct str part)
{
	if (part.n == 0)
		return true;
	for (size_t i = 0; i + part.n <= s.n; i++)
		if (ieq(s.p + i, part.p, part.n))
			return true;
	return false;
}

int str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int d = n ? memcmp(a.p, b.p, n) : 0;
	if (d)
		return d;
	return (a.n > b.n) - (a.n < b.n);
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
	while (s.n && is_blank(s.p[0]))
		s = str_of(s.p + 1, s.n - 1);
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str str_cut(struct str *s, char sep)
{
	struct str all = *s;
	const char *at = all.n ? memchr(all.p, sep, all.n) : NULL;
	if (!at) {
		*s = (struct str){ 0 };
		return all;
	}
	size_t n = (size_t)(at - all.p);
	*s = str_of(at + 1, all.n - n - 1);
	return str_of(all.p, n);
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

static bool digits_to_u64(struct str s, unsigned int base, uint64_t *out)
{
	uint64_t v = 0;
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned int d = (unsigned int)digit_of(s.p[i]);
		if (d >= base || __builtin_mul_overflow(v, base, &v) ||
			__builtin_add_overflow(v, d, &v))
			return false;
	}
	*out = v;
	return true;
}

bool str_to_u64(struct str s, uint64_t *out)
{
	if (str_starts(s, STR("0x")) || str_starts(s, STR("0X")))
		return digits_to_u64(str_of(s.p + 2, s.n - 2), 16, out);
	return digits_to_u64(s, 10, out);
}

bool str_to_i64(struct str s, int64_t *out)
{
	bool minus = s.n && s.p[0] == '-';
	uint64_t v;
	if (!digits_to_u64(minus ? str_of(s.p + 1, s.n - 1) : s, 10, &v))
		return false;
	if (v > (uint64_t)INT64_MAX + minus)
		return false;
	*out = minus ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int m = a < b ? a : b;
	return m < c ? m : c;
}

unsigned int str_distance(struct str a, struct str b)
{
	unsigned int row[DISTANCE_LEN + 1];
	size_t an = a.n < DISTANCE_LEN ? a.n : DISTANCE_LEN;
	size_t bn = b.n < DISTANCE_LEN ? b.n : DISTANCE_LEN;

	for (size_t j = 0; j <= bn; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 0; i < an; i++) {
		unsigned int diagonal = row[0];
		row[0] = (unsigned int)i + 1;
		for (size_t j = 0; j < bn; j++) {
			unsigned int above = row[j + 1];
			row[j + 1] = min3(above + 1, row[j] + 1, diagonal + (a.p[i] != b.p[j]));
			diagonal = above;
		}
	}
	return row[bn];
}

const char *str_nearest(struct str s, const char *const *names, size_t n)
{
	const char *best = NULL;
	unsigned int best_distance = 0;

	for (size_t i = 0; i < n; i++) {
		struct str name = str_from(names[i]);
		size_t len = name.n > s.n ? name.n : s.n;
		unsigned int d = str_distance(s, name);
		/* Rounded up: two letters swapped in a name of four count two. */
		if (d >= len || d > (len + 2) / 3 || len > DISTANCE_LEN)
			continue;
		if (!best || d < best_distance) {
			best = names[i];
			best_distance = d;
		}
	}
	return best;
}
