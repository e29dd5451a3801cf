#include "base/text.h"

#define ESCAPE_LEN 4 /* \xNN */

static unsigned int utf8_len(uint8_t lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

unsigned int text_utf8_next(struct str s, uint32_t *cp)
{
	static const uint8_t lead_mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };

	if (s.n == 0)
		return 0;
	unsigned int len = utf8_len((uint8_t)s.p[0]);
	if (len == 0 || len > s.n)
		return 0;
	uint32_t c = (uint8_t)s.p[0] & lead_mask[len];
	for (unsigned int i = 1; i < len; i++) {
		uint8_t b = (uint8_t)s.p[i];
		if ((b & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (b & 0x3f);
	}
	if (c < smallest[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*cp = c;
	return len;
}

bool text_is_control(uint32_t cp)
{
	if (cp < 0x80)
		return cp < 0x20 || cp == 0x7f;
	if (cp < 0xa0)
		return true;
	return cp == 0x61c || cp == 0x200e || cp == 0x200f || (cp >= 0x202a && cp <= 0x202e) ||
	       (cp >= 0x2066 && cp <= 0x2069);
}

/* Length of the next piece; *safe tells whether it may stand as it is. s is not empty. */
static unsigned int next_piece(struct str s, bool *safe)
{
	uint32_t cp;
	unsigned int len = text_utf8_next(s, &cp);
	*safe = len && !text_is_control(cp);
	return len ? len : 1;
}

static void escape_bytes(char *out, const char *p, unsigned int n)
{
	static const char digits[] = "0123456789abcdef";
	for (unsigned int i = 0; i < n; i++) {
		uint8_t b = (uint8_t)p[i];
		out[0] = '\\';
		out[1] = 'x';
		out[2] = digits[b >> 4];
		out[3] = digits[b & 15];
		out += ESCAPE_LEN;
	}
}

/* Length of the prefix that stands as it is. */
static size_t clean_prefix(struct str s)
{
	size_t i = 0;
	while (i < s.n) {
		bool safe;
		unsigned int len = next_piece(str_of(s.p + i, s.n - i), &safe);
		if (!safe)
			break;
		i += len;
	}
	return i;
}

void text_clean(struct buf *b, struct str s)
{
	while (s.n) {
		size_t n = clean_prefix(s);
		buf_put(b, s.p, n);
		s = str_of(s.p + n, s.n - n);
		if (s.n == 0)
			return;
		bool safe;
		unsigned int len = next_piece(s, &safe);
		char esc[4 * ESCAPE_LEN];
		escape_bytes(esc, s.p, len);
		buf_put(b, esc, (size_t)len * ESCAPE_LEN);
		s = str_of(s.p + len, s.n - len);
	}
}

size_t text_clean_into(char *out, size_t size, struct str s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n;) {
		bool safe;
		unsigned int len = next_piece(str_of(s.p + i, s.n - i), &safe);
		size_t need = safe ? len : (size_t)len * ESCAPE_LEN;
		if (need >= size - n)
			break;
		if (safe)
			memcpy(out + n, s.p + i, len);
		else
			escape_bytes(out + n, s.p + i, len);
		n += need;
		i += len;
	}
	out[n] = '\0';
	return n;
}

bool text_is_clean(struct str s)
{
	return clean_prefix(s) == s.n;
}

size_t text_utf8_cut(struct str s, size_t max)
{
	if (s.n > max)
		s.n = max;
	size_t i = 0;
	uint32_t cp;
	unsigned int len;
	while ((len = text_utf8_next(str_of(s.p + i, s.n - i), &cp)))
		i += len;
	return i;
}
