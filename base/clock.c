#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#define NS_PER_S       1000000000u
#define OFFSET_SAMPLES 5
#define YEAR_LAST      2500

static uint64_t now_of(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t clock_real_ns(void)
{
	return now_of(CLOCK_REALTIME);
}

uint64_t clock_boot_ns(void)
{
	return now_of(CLOCK_BOOTTIME);
}

uint64_t clock_mono_ns(void)
{
	return now_of(CLOCK_MONOTONIC);
}

int64_t clock_boot_to_real_offset_ns(void)
{
	int64_t offset = 0;
	uint64_t best = UINT64_MAX;
	for (int i = 0; i < OFFSET_SAMPLES; i++) {
		uint64_t before = clock_boot_ns();
		uint64_t real = clock_real_ns();
		uint64_t width = clock_boot_ns() - before;
		if (width >= best)
			continue;
		best = width;
		offset = (int64_t)(real - (before + width / 2));
	}
	return offset;
}

void clock_iso(uint64_t real_ns, char out[CLOCK_ISO_LEN + 1])
{
	time_t s = (time_t)(real_ns / NS_PER_S);
	struct tm tm = { 0 };
	gmtime_r(&s, &tm);
	/* 2^64 ns end in 2554: every number has the width that the format gives it */
	char text[96];
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%09uZ", tm.tm_year + 1900,
		tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		(unsigned int)(real_ns % NS_PER_S));
	memcpy(out, text, CLOCK_ISO_LEN);
	out[CLOCK_ISO_LEN] = '\0';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void skip(struct str *s, size_t n)
{
	*s = str_of(s->p + n, s->n - n);
}

static bool take_char(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	skip(s, 1);
	return true;
}

/* Exactly n digits (n at most 4). */
static bool take_fixed(struct str *s, size_t n, unsigned int *out)
{
	unsigned int v = 0;
	if (s->n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_digit(s->p[i]))
			return false;
		v = v * 10 + (unsigned int)(s->p[i] - '0');
	}
	skip(s, n);
	*out = v;
	return true;
}

/* ".123" to billionths; digits past the ninth are read and dropped. Nothing there is 0. */
static bool take_fraction(struct str *s, uint32_t *billionths)
{
	uint32_t v = 0, scale = NS_PER_S / 10;
	*billionths = 0;
	if (!take_char(s, '.'))
		return true;
	if (s->n == 0 || !is_digit(s->p[0]))
		return false;
	while (s->n && is_digit(s->p[0])) {
		v += (uint32_t)(s->p[0] - '0') * scale;
		scale /= 10;
		skip(s, 1);
	}
	*billionths = v;
	return true;
}

/* "12.5" and what follows it. */
static bool take_number(struct str *s, uint64_t *whole, uint32_t *billionths)
{
	size_t n = 0;
	while (n < s->n && is_digit(s->p[n]))
		n++;
	if (!str_to_u64(str_of(s->p, n), whole))
		return false;
	skip(s, n);
	return take_fraction(s, billionths);
}

static uint64_t unit_ns(struct str unit)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "ms", 1000000u },
		{ "s", NS_PER_S },
		{ "m", 60ull * NS_PER_S },
		{ "h", 3600ull * NS_PER_S },
		{ "d", 86400ull * NS_PER_S },
		{ "w", 7 * 86400ull * NS_PER_S },
	};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (str_eqz(unit, units[i].name))
			return units[i].ns;
	return 0;
}

static bool scale_number(uint64_t whole, uint32_t billionths, uint64_t ns_each, uint64_t *ns)
{
	uint64_t v;
	if (__builtin_mul_overflow(whole, ns_each, &v))
		return false;
	unsigned __int128 part = (unsigned __int128)billionths * ns_each / NS_PER_S;
	return !__builtin_add_overflow(v, (uint64_t)part, ns);
}

/* Number and unit; `bare` is what a number alone counts in ns. */
static bool parse_amount(struct str text, uint64_t bare, uint64_t *ns)
{
	uint64_t whole, each;
	uint32_t billionths;
	if (!take_number(&text, &whole, &billionths))
		return false;
	each = text.n ? unit_ns(text) : bare;
	return each && scale_number(whole, billionths, each, ns);
}

int clock_parse_duration(struct str text, uint64_t *ns, struct err *e)
{
	uint64_t v;
	if (!parse_amount(text, NS_PER_S, &v))
		return err_set(e, ERR_USAGE,
			"'%.*s' is not a duration (such as 500ms, 30s, 5m, 2h, 1d)",
			(int)(text.n < 64 ? text.n : 64), text.n ? text.p : "");
	*ns = v;
	return 0;
}

struct stamp {
	unsigned int year, month, day, hour, minute, second;
	uint32_t billionths;
	int offset_s; /* east of Greenwich */
};

static unsigned int days_in_month(unsigned int year, unsigned int month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return month == 2 && leap ? 29 : days[month - 1];
}

static bool take_date(struct str *s, struct stamp *t)
{
	return take_fixed(s, 4, &t->year) && take_char(s, '-') && take_fixed(s, 2, &t->month) &&
	       take_char(s, '-') && take_fixed(s, 2, &t->day) && t->year >= 1970 &&
	       t->year <= YEAR_LAST && t->month >= 1 && t->month <= 12 && t->day >= 1 &&
	       t->day <= days_in_month(t->year, t->month);
}

static bool take_time(struct str *s, struct stamp *t)
{
	if (!take_fixed(s, 2, &t->hour) || !take_char(s, ':') || !take_fixed(s, 2, &t->minute))
		return false;
	if (take_char(s, ':') &&
		(!take_fixed(s, 2, &t->second) || !take_fraction(s, &t->billionths)))
		return false;
	return t->hour < 24 && t->minute < 60 && t->second <= 60; /* 60: a leap second */
}

static bool take_zone(struct str *s, struct stamp *t)
{
	unsigned int hours, minutes;
	if (s->n == 0 || take_char(s, 'Z') || take_char(s, 'z'))
		return s->n == 0;
	bool west = s->p[0] == '-';
	if (!west && s->p[0] != '+')
		return false;
	skip(s, 1);
	if (!take_fixed(s, 2, &hours) || !take_char(s, ':') || !take_fixed(s, 2, &minutes))
		return false;
	t->offset_s = (int)(hours * 3600 + minutes * 60) * (west ? -1 : 1);
	return s->n == 0 && hours < 24 && minutes < 60;
}

static bool parse_stamp(struct str s, uint64_t *ns)
{
	struct stamp t = { 0 };
	if (!take_date(&s, &t))
		return false;
	if (s.n) {
		if (!take_char(&s, 'T') && !take_char(&s, 't') && !take_char(&s, ' '))
			return false;
		if (!take_time(&s, &t) || !take_zone(&s, &t))
			return false;
	}
	struct tm tm = {
		.tm_year = (int)t.year - 1900,
		.tm_mon = (int)t.month - 1,
		.tm_mday = (int)t.day,
		.tm_hour = (int)t.hour,
		.tm_min = (int)t.minute,
		.tm_sec = (int)t.second,
	};
	int64_t seconds = (int64_t)timegm(&tm) - t.offset_s;
	if (seconds < 0)
		return false;
	*ns = (uint64_t)seconds * NS_PER_S + t.billionths;
	return true;
}

static bool parse_epoch_or_age(struct str text, uint64_t now_ns, uint64_t *ns)
{
	uint64_t v;
	if (!parse_amount(text, NS_PER_S, &v))
		return false;
	if (is_digit(text.p[text.n - 1]))
		*ns = v;
	else
		*ns = v > now_ns ? 0 : now_ns - v;
	return true;
}

int clock_parse(struct str text, uint64_t now_ns, uint64_t *real_ns, struct err *e)
{
	uint64_t v;
	if (!parse_stamp(text, &v) && !parse_epoch_or_age(text, now_ns, &v))
		return err_set(e, ERR_USAGE,
			"'%.*s' is not a time (such as 2026-11-23T15:04:05Z, 2026-11-23, 10m)",
			(int)(text.n < 64 ? text.n : 64), text.n ? text.p : "");
	*real_ns = v;
	return 0;
}
