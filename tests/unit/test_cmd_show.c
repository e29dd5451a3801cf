#include "cmd/show.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct show_column columns[] = {
	{ "time", "TIME", SHOW_TIME },
	{ "name", "NAME", SHOW_TEXT },
	{ "hidden", NULL, SHOW_TEXT },
	{ "count", "COUNT", SHOW_COUNT },
	{ "result", NULL, SHOW_SIGNED },
	{ "yes", NULL, SHOW_YESNO },
	{ "raw", NULL, SHOW_RAW },
	{ "text", "TEXT", SHOW_TEXT },
};

struct sample {
	uint64_t time_ns;
	const char *name, *text;
	uint64_t count;
};

static void add(struct show *s, const struct sample *r)
{
	const struct show_cell cells[] = {
		{ .number = r->time_ns },
		{ .text = str_from(r->name) },
		{ .text = STR("unseen") },
		{ .number = r->count },
		{ .number = (uint64_t)-2 },
		{ .number = 1 },
		{ .text = STR("[1,2]") },
		{ .text = str_from(r->text) },
	};
	show_row(s, cells);
}

/* What show writes for these rows; free() it. */
static char *shown(enum show_format format, size_t width, const struct sample *rows, size_t n)
{
	char *out = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&out, &len);
	assert_non_null(f);
	struct show *s = show_new(f, format, columns, ARRAY_N(columns), width);
	for (size_t i = 0; i < n; i++)
		add(s, &rows[i]);
	struct err e = { 0 };
	assert_int_equal(show_end(s, &e), 0);
	show_free(s);
	fclose(f);
	return out;
}

static void expect(enum show_format format, size_t width, const struct sample *rows, size_t n,
	const char *expected)
{
	AUTO_FREE char *out = shown(format, width, rows, n);
	assert_string_equal(out, expected);
}

/* 2026-11-23T15:04:05.123456789Z */
#define AT 1795446245123456789u

static void a_table_is_aligned_and_numbers_stand_right(void **state)
{
	(void)state;
	const struct sample rows[] = { { AT, "a", "one", 5 }, { 0, "longer", "two", 12345 } };
	expect(SHOW_TABLE, 0, rows, 2,
		"TIME                      NAME    COUNT  TEXT\n"
		"2026-11-23T15:04:05.123Z  a           5  one\n"
		"                          longer  12345  two\n");
}

static void a_table_is_cut_to_the_width(void **state)
{
	(void)state;
	const struct sample rows[] = { { 0, "x", "a long text that goes on", 1 } };
	expect(SHOW_TABLE, 20, rows, 1,
		"TIME  NAME  COUNT  …\n"
		"      x         1  …\n");
}

static void wide_characters_count_as_they_show(void **state)
{
	(void)state;
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		skip();
	const struct sample rows[] = { { 0, "漢字", "t", 1 }, { 0, "é", "t", 1 } };
	expect(SHOW_TABLE, 0, rows, 2,
		"TIME  NAME  COUNT  TEXT\n"
		"      漢字      1  t\n"
		"      é         1  t\n");
	assert_int_equal(show_text_width(STR("漢é")), 3);
	assert_int_equal(show_text_cut(STR("漢字"), 3), 3);
}

static void no_control_byte_reaches_a_table_or_csv(void **state)
{
	(void)state;
	const struct sample rows[] = { { 0, "a\x1b[31m\nb", "\x9b\xff", 1 } };
	static const enum show_format formats[] = { SHOW_TABLE, SHOW_CSV };
	for (size_t i = 0; i < ARRAY_N(formats); i++) {
		AUTO_FREE char *out = shown(formats[i], 0, rows, 1);
		assert_null(strchr(out, 0x1b));
		assert_null(strchr(out, (char)0x9b));
		assert_non_null(strstr(out, "a\\x1b[31m\\x0ab"));
	}
}

static void rows_past_the_measured_ones_are_written_too(void **state)
{
	(void)state;
	static struct sample rows[1500];
	for (size_t i = 0; i < ARRAY_N(rows); i++)
		rows[i] = (struct sample){ 0, i < 1400 ? "n" : "wider than all", "t", i };
	AUTO_FREE char *out = shown(SHOW_TABLE, 0, rows, ARRAY_N(rows));
	size_t n = 0;
	for (char *p = out; *p; p++)
		n += *p == '\n';
	assert_int_equal(n, ARRAY_N(rows) + 1);
	assert_non_null(strstr(out, "wider than all"));
}

static void json_is_one_document_and_jsonl_an_object_a_line(void **state)
{
	(void)state;
	const struct sample rows[] = { { AT, "a\"b", "x\ny", 5 }, { 0, "c", NULL, 6 } };
	const char *first = "{\"time\":\"2026-11-23T15:04:05.123456789Z\",\"name\":\"a\\\"b\","
			    "\"hidden\":\"unseen\",\"count\":5,\"result\":-2,\"yes\":true,"
			    "\"raw\":[1,2],\"text\":\"x\\u000ay\"}";
	AUTO_FREE char *lines = shown(SHOW_JSONL, 0, rows, 2);
	char *end = strchr(lines, '\n');
	assert_non_null(end);
	*end = 0;
	assert_string_equal(lines, first);
	assert_non_null(strstr(end + 1, "\"time\":null"));
	assert_non_null(strstr(end + 1, "\"text\":null}"));
	AUTO_FREE char *doc = shown(SHOW_JSON, 0, rows, 2);
	assert_int_equal(strncmp(doc, "[\n{", 3), 0);
	assert_string_equal(doc + strlen(doc) - 3, "\n]\n");
	expect(SHOW_JSON, 0, NULL, 0, "[]\n");
	expect(SHOW_JSONL, 0, NULL, 0, "");
}

static void csv_quotes_and_guards_against_formulas(void **state)
{
	(void)state;
	const struct sample rows[] = {
		{ 0, "a,b", "say \"x\"", 1 },
		{ 0, "=cmd()", "-1", 2 },
		{ 0, "@x", "+y", 3 },
	};
	expect(SHOW_CSV, 0, rows, 3,
		"time,name,hidden,count,result,yes,raw,text\r\n"
		",\"a,b\",unseen,1,-2,yes,\"[1,2]\",\"say \"\"x\"\"\"\r\n"
		",\"'=cmd()\",unseen,2,-2,yes,\"[1,2]\",\"'-1\"\r\n"
		",\"'@x\",unseen,3,-2,yes,\"[1,2]\",\"'+y\"\r\n");
	expect(SHOW_CSV, 0, NULL, 0, "time,name,hidden,count,result,yes,raw,text\r\n");
}

static void a_disk_that_takes_nothing_is_an_error(void **state)
{
	(void)state;
	const struct sample row = { 0, "a", "b", 1 };
	FILE *f = fopen("/dev/full", "we");
	if (!f)
		skip();
	struct err e = { 0 };
	AUTO(show_free) struct show *s = show_new(f, SHOW_JSONL, columns, ARRAY_N(columns), 0);
	add(s, &row);
	assert_int_equal(show_end(s, &e), -1);
	assert_int_equal(e.code, ERR_SYS);
	fclose(f);
}

static void formats_are_known_by_their_words(void **state)
{
	(void)state;
	assert_int_equal(show_format_of("table"), SHOW_TABLE);
	assert_int_equal(show_format_of("json"), SHOW_JSON);
	assert_int_equal(show_format_of("jsonl"), SHOW_JSONL);
	assert_int_equal(show_format_of("csv"), SHOW_CSV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_is_aligned_and_numbers_stand_right),
		cmocka_unit_test(a_table_is_cut_to_the_width),
		cmocka_unit_test(wide_characters_count_as_they_show),
		cmocka_unit_test(no_control_byte_reaches_a_table_or_csv),
		cmocka_unit_test(rows_past_the_measured_ones_are_written_too),
		cmocka_unit_test(json_is_one_document_and_jsonl_an_object_a_line),
		cmocka_unit_test(csv_quotes_and_guards_against_formulas),
		cmocka_unit_test(a_disk_that_takes_nothing_is_an_error),
		cmocka_unit_test(formats_are_known_by_their_words),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
