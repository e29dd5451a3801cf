#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define S  UINT64_C(1000000000)
#define MS UINT64_C(1000000)

/* 2026-11-23T15:04:05Z */
#define THEN (UINT64_C(1795446245) * S)

static void iso_text_has_nanoseconds_and_a_fixed_length(void **state)
{
	char out[CLOCK_ISO_LEN + 1];
	(void)state;
	clock_iso(THEN + 123456789, out);
	assert_string_equal(out, "2026-11-23T15:04:05.123456789Z");
	clock_iso(0, out);
	assert_string_equal(out, "1970-01-01T00:00:00.000000000Z");
	clock_iso(UINT64_MAX, out);
	assert_string_equal(out, "2554-07-21T23:34:33.709551615Z");
}

static void times_are_read_in_every_form(void **state)
{
	static const struct {
		const char *text;
		uint64_t want;
	} rows[] = {
		{ "2026-11-23T15:04:05Z", THEN }, { "2026-11-23t15:04:05z", THEN },
		{ "2026-11-23 15:04:05", THEN }, { "2026-11-23T15:04:05.5Z", THEN + 500 * MS },
		{ "2026-11-23T15:04:05.1234567891Z", THEN + 123456789 },
		{ "2026-11-23T17:34:05+02:30", THEN }, { "2026-11-23T10:04:05-05:00", THEN },
		{ "2026-11-23T15:04Z", THEN - 5 * S },
		{ "2026-11-23", THEN - (15 * 3600 + 4 * 60 + 5) * S },
		{ "2024-02-29", UINT64_C(1709164800) * S }, { "1795446245", THEN },
		{ "1795446245.25", THEN + 250 * MS }, { "0", 0 }, { "10s", THEN - 10 * S },
		{ "1.5m", THEN - 90 * S }, { "2h", THEN - 7200 * S },
		{ "3d", THEN - 3 * 86400 * S },
		{ "100000d", 0 }, /* before the epoch: as early as there is */
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t got = 1;
		struct err e = { 0 };
		if (clock_parse(str_from(rows[i].text), THEN, &got, &e))
			fail_msg("%s: %s", rows[i].text, e.msg);
		if (got != rows[i].want)
			fail_msg("%s gives %llu", rows[i].text, (unsigned long long)got);
	}
}

static void other_texts_are_not_times(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		"-5s",
		"5 s",
		"5y",
		"1.s",
		".5",
		"2026-13-01",
		"2026-02-29",
		"2026-11-31",
		"2026-11-23T24:00:00Z",
		"2026-11-23T15:60:00Z",
		"2026-11-23T15:04:61Z",
		"2026-11-23T",
		"2026-11-23T15Z",
		"2026-11-23T15:04:05.Z",
		"2026-11-23T15:04:05Zx",
		"2026-11-23T15:04:05+2",
		"2026-11-23T15:04:05+24:00",
		"1969-12-31",
		"9999-01-01",
		"1970-01-01T00:00:00+01:00",
		"2026-11-23x",
		"99999999999999999999",
		"20000000000000000000s",
		"0x10",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t got = 77;
		struct err e = { 0 };
		if (clock_parse(str_from(bad[i]), THEN, &got, &e) != -1)
			fail_msg("%s was taken for a time", bad[i]);
		assert_int_equal(e.code, ERR_USAGE);
		assert_int_equal(got, 77);
	}
	assert_int_equal(clock_parse((struct str){ 0 }, THEN, &(uint64_t){ 0 }, NULL), -1);
}

static void durations_have_units_and_seconds_by_default(void **state)
{
	static const struct {
		const char *text;
		uint64_t want;
	} rows[] = {
		{ "30", 30 * S },
		{ "30s", 30 * S },
		{ "500ms", 500 * MS },
		{ "5m", 300 * S },
		{ "2h", 7200 * S },
		{ "1d", 86400 * S },
		{ "0.25s", 250 * MS },
		{ "0", 0 },
	};
	static const char *const bad[] = { "", "s", "5x", "5 s", "-1", "1e3", "1h30m",
		"999999999999d", "5S" };
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t got = 1;
		assert_int_equal(clock_parse_duration(str_from(rows[i].text), &got, NULL), 0);
		assert_true(got == rows[i].want);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t got = 77;
		struct err e = { 0 };
		assert_int_equal(clock_parse_duration(str_from(bad[i]), &got, &e), -1);
		assert_int_equal(e.code, ERR_USAGE);
		assert_int_equal(got, 77);
	}
}

static void the_offset_joins_both_clocks(void **state)
{
	uint64_t before = clock_real_ns();
	uint64_t from_boot = clock_boot_ns() + (uint64_t)clock_boot_to_real_offset_ns();
	uint64_t after = clock_real_ns();
	(void)state;
	/* a minute of slack: the wall clock may be set while this runs */
	assert_true(from_boot + 60 * S > before);
	assert_true(from_boot < after + 60 * S);
	assert_true(clock_mono_ns() <= clock_mono_ns());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(iso_text_has_nanoseconds_and_a_fixed_length),
		cmocka_unit_test(times_are_read_in_every_form),
		cmocka_unit_test(other_texts_are_not_times),
		cmocka_unit_test(durations_have_units_and_seconds_by_default),
		cmocka_unit_test(the_offset_joins_both_clocks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
