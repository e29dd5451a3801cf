/*
 * A pattern is compiled twice: by characters and by bytes. Subjects of valid UTF-8 that go beyond
 * ASCII are matched by characters, as RE2 does. All others are matched by bytes: one stray byte
 * in a path must not hide it from ".*".
 */
#include "base/re.h"

#include "base/text.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdatomic.h>

#define RE_MAX_PATTERN   ((size_t)32 << 10)
#define RE_MAX_REPEAT    1000 /* as RE2 */
#define RE_MATCH_LIMIT   100000
#define RE_DEPTH_LIMIT   50000
#define RE_HEAP_LIMIT_KB 16384

struct re {
	pcre2_code *bytes; /* NULL when the pattern only makes sense by characters */
	pcre2_code *chars; /* NULL when the pattern is not UTF-8 */
	pcre2_match_context *limits;
	/* Match data for the next who comes: one match at a time allocates nothing. */
	_Atomic(pcre2_match_data *) *spare;
};

/* The scan refuses what PCRE2 knows and RE2 does not. */
struct scan {
	struct str text;
	size_t at;
	struct err *e;
};

static int refuse(const struct scan *s, size_t at, const char *what)
{
	return err_set(s->e, ERR_FORMAT, "regular expression, offset %zu: %s", at, what);
}

static char peek(const struct scan *s, size_t ahead)
{
	return ahead < s->text.n - s->at ? s->text.p[s->at + ahead] : '\0';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void skip_quoted(struct scan *s)
{
	s->at += 2;
	while (s->at < s->text.n && !(peek(s, 0) == '\\' && peek(s, 1) == 'E'))
		s->at++;
	s->at += s->at < s->text.n ? 2 : 0;
}

/* At a backslash. */
static int scan_escape(struct scan *s, bool in_class)
{
	const char *known = in_class ? "aftnrvxQdDsSwWpP" : "aftnrvxCQdDsSwWpPAbBz";
	char c = peek(s, 1);
	if (s->at + 1 >= s->text.n)
		return refuse(s, s->at, "a backslash at the end");
	if (c == 'Q') {
		skip_quoted(s);
		return 0;
	}
	if (c >= '1' && c <= '9')
		return refuse(s, s->at, "backreferences are not supported (bytes: \\x0a)");
	if (is_letter(c) && !strchr(known, c))
		return refuse(s, s->at, "this escape is not supported");
	s->at += 2;
	return 0;
}

/* "[:alpha:]" inside a class. */
static bool skip_posix_name(struct scan *s)
{
	size_t n = 2;
	if (peek(s, 0) != '[' || peek(s, 1) != ':')
		return false;
	while (is_letter(peek(s, n)) || peek(s, n) == '^')
		n++;
	if (peek(s, n) != ':' || peek(s, n + 1) != ']')
		return false;
	s->at += n + 2;
	return true;
}

/* At the opening bracket. */
static int scan_class(struct scan *s)
{
	size_t start = s->at++;
	if (peek(s, 0) == '^')
		s->at++;
	if (peek(s, 0) == ']')
		s->at++; /* stands for itself */
	while (s->at < s->text.n && peek(s, 0) != ']') {
		if (peek(s, 0) == '\\') {
			if (scan_escape(s, true))
				return -1;
		} else if (!skip_posix_name(s)) {
			s->at++;
		}
	}
	if (s->at >= s->text.n)
		return refuse(s, start, "a class without its end");
	s->at++;
	return 0;
}

static bool is_flag(char c)
{
	return c == 'i' || c == 'm' || c == 's' || c == 'U' || c == '-';
}

/* At the opening parenthesis: RE2 has "(?flags)", "(?flags:", "(?:", "(?P<name>", "(?<name>". */
static int scan_group(struct scan *s)
{
	size_t start = s->at++;
	if (peek(s, 0) == '*')
		return refuse(s, start, "(*VERB) is not supported");
	if (peek(s, 0) != '?')
		return 0;
	s->at++;
	if (peek(s, 0) == 'P' && peek(s, 1) == '<') {
		s->at += 2;
		return 0;
	}
	if (peek(s, 0) == '<' && peek(s, 1) != '=' && peek(s, 1) != '!') {
		s->at++;
		return 0;
	}
	while (is_flag(peek(s, 0)))
		s->at++;
	if (peek(s, 0) != ':' && peek(s, 0) != ')')
		return refuse(s, start,
			"only (?:...), (?P<name>...) and the flags i, m, s, U are supported "
			"(no look-around, atomic group, condition, recursion, comment)");
	/* the parenthesis or colon is read by the caller as an ordinary character */
	return 0;
}

/* At an opening brace: the length of "{n}", "{n,}" or "{n,m}", or 0 when the brace is itself. */
static size_t repeat_len(const struct scan *s, unsigned int *largest)
{
	size_t n = 1;
	unsigned int v[2] = { 0 };
	for (int i = 0; i < 2; i++) {
		if (i == 0 && !is_digit(peek(s, n)))
			return 0;
		for (; is_digit(peek(s, n)); n++)
			if (v[i] <= RE_MAX_REPEAT)
				v[i] = v[i] * 10 + (unsigned int)(peek(s, n) - '0');
		if (peek(s, n) != ',' || i == 1)
			break;
		n++;
	}
	*largest = v[0] > v[1] ? v[0] : v[1];
	return peek(s, n) == '}' ? n + 1 : 0;
}

/* At a quantifier of `len` bytes. */
static int scan_repeat(struct scan *s, size_t len)
{
	size_t start = s->at;
	s->at += len;
	if (peek(s, 0) == '+')
		return refuse(s, start, "possessive quantifiers are not supported");
	if (peek(s, 0) == '?')
		s->at++;
	return 0;
}

static int scan_one(struct scan *s)
{
	unsigned int largest;
	size_t len;
	switch (peek(s, 0)) {
	case '\\':
		return scan_escape(s, false);
	case '[':
		return scan_class(s);
	case '(':
		return scan_group(s);
	case '*':
	case '+':
	case '?':
		return scan_repeat(s, 1);
	case '{':
		len = repeat_len(s, &largest);
		if (len && largest > RE_MAX_REPEAT)
			return refuse(s, s->at, "more than 1000 repetitions");
		if (len)
			return scan_repeat(s, len);
		break;
	default:
		break;
	}
	s->at++;
	return 0;
}

static int check_dialect(struct str pattern, struct err *e)
{
	struct scan s = { pattern, 0, e };
	if (pattern.n > RE_MAX_PATTERN)
		return err_set(e, ERR_FORMAT, "regular expression of %zu bytes, allowed are %zu",
			pattern.n, RE_MAX_PATTERN);
	while (s.at < s.text.n)
		if (scan_one(&s))
			return -1;
	return 0;
}

static pcre2_code *compile(struct str pattern, uint32_t options, int *why, size_t *at)
{
	pcre2_compile_context *c = pcre2_compile_context_create(NULL);
	if (!c)
		return NULL;
	pcre2_set_newline(c, PCRE2_NEWLINE_LF);
	pcre2_code *code = pcre2_compile(
		(PCRE2_SPTR)(pattern.n ? pattern.p : ""), pattern.n, options, why, at, c);
	pcre2_compile_context_free(c);
	if (code)
		pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* without it the interpreter serves */
	return code;
}

int re_compile(struct re **out, struct str pattern, bool full, struct err *e)
{
	if (check_dialect(pattern, e))
		return -1;
	/* RE2's meaning of $ and of ^ after the last line */
	uint32_t options = PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_CIRCUMFLEX;
	if (full)
		options |= PCRE2_ANCHORED | PCRE2_ENDANCHORED;

	AUTO(re_free) struct re *r = xcalloc(1, sizeof(*r));
	int why = PCRE2_ERROR_NOMEMORY;
	size_t at = 0;
	r->bytes = compile(pattern, options, &why, &at);
	r->chars = compile(pattern, options | PCRE2_UTF, &why, &at);
	if (!r->bytes && !r->chars) {
		char text[160] = "";
		pcre2_get_error_message(why, (PCRE2_UCHAR *)text, sizeof(text));
		return err_set(e, ERR_FORMAT, "regular expression, offset %zu: %s", at, text);
	}
	r->limits = pcre2_match_context_create(NULL);
	if (!r->limits)
		return err_set(e, ERR_LIMIT, "regular expression: no memory");
	pcre2_set_match_limit(r->limits, RE_MATCH_LIMIT);
	pcre2_set_depth_limit(r->limits, RE_DEPTH_LIMIT);
	pcre2_set_heap_limit(r->limits, RE_HEAP_LIMIT_KB);
	r->spare = xcalloc(1, sizeof(*r->spare));
	*out = TAKE(r);
	return 0;
}

void re_free(struct re *r)
{
	if (!r)
		return;
	pcre2_code_free(r->bytes);
	pcre2_code_free(r->chars);
	pcre2_match_context_free(r->limits);
	if (r->spare)
		pcre2_match_data_free(atomic_load(r->spare));
	free(r->spare);
	free(r);
}

static bool is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

static const pcre2_code *code_for(const struct re *r, struct str subject)
{
	if (!r->bytes)
		return r->chars;
	if (!r->chars || is_ascii(subject) || text_utf8_cut(subject, subject.n) != subject.n)
		return r->bytes;
	return r->chars;
}

static bool has_jit(const pcre2_code *code)
{
	size_t n = 0;
	return pcre2_pattern_info(code, PCRE2_INFO_JITSIZE, &n) == 0 && n > 0;
}

/* Several threads may match with one expression: who finds the spare taken makes another. */
static pcre2_match_data *take_spare(const struct re *r)
{
	pcre2_match_data *found = atomic_exchange(r->spare, NULL);
	return found ? found : pcre2_match_data_create(1, NULL);
}

/* The interpreter leaves up to its whole heap in the data: not worth keeping. */
static void put_spare(const struct re *r, pcre2_match_data *found, bool keep)
{
	pcre2_match_data_free(keep ? atomic_exchange(r->spare, found) : found);
}

int re_match(const struct re *r, struct str subject)
{
	pcre2_match_data *found = take_spare(r);
	if (!found)
		return -1;
	const pcre2_code *code = code_for(r, subject);
	PCRE2_SPTR p = (PCRE2_SPTR)(subject.n ? subject.p : "");
	bool jit = has_jit(code);
	int rc = pcre2_match(code, p, subject.n, 0, 0, found, r->limits);
	if (rc == PCRE2_ERROR_JIT_STACKLIMIT) {
		rc = pcre2_match(code, p, subject.n, 0, PCRE2_NO_JIT, found, r->limits);
		jit = false;
	}
	put_spare(r, found, jit);
	if (rc >= 0)
		return 1;
	/* a pattern by characters only never finds anything in bytes that are none */
	if (rc == PCRE2_ERROR_NOMATCH ||
		(rc <= PCRE2_ERROR_UTF8_ERR1 && rc >= PCRE2_ERROR_UTF8_ERR21))
		return 0;
	return -1;
}
