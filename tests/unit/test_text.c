#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check_clean(struct str in, const char *want)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(1000);
	text_clean(&b, in);
	assert_string_equal(buf_cstr(&b), want);
	assert_int_equal(text_is_clean(in), str_eqz(in, want));
	char fixed[1000];
	assert_int_equal(text_clean_into(fixed, sizeof(fixed), in), strlen(want));
	assert_string_equal(fixed, want);
}

static void printable_text_stays_as_it_is(void **state)
{
	(void)state;
	check_clean(STR(""), "");
	check_clean(STR("plain \\ text"), "plain \\ text");
	check_clean(STR("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\xb3"),
		"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\xb3");
}

static void control_bytes_are_written_as_hex(void **state)
{
	(void)state;
	check_clean(STR("a\033[2Jb"), "a\\x1b[2Jb");
	check_clean(STR("\t\n\r"), "\\x09\\x0a\\x0d");
	check_clean(STR("\0\x7f"), "\\x00\\x7f");
	check_clean(STR("\xc2\x9b"), "\\xc2\\x9b");            /* C1: CSI */
	check_clean(STR("\xe2\x80\xaeX"), "\\xe2\\x80\\xaeX"); /* right to left override */
	check_clean(STR("\xe2\x81\xa6"), "\\xe2\\x81\\xa6");
	check_clean(STR("\xd8\x9c"), "\\xd8\\x9c");
}

static void bytes_that_are_not_utf8_are_written_as_hex(void **state)
{
	(void)state;
	check_clean(STR("a\xff"), "a\\xff");
	check_clean(STR("\xc0\xaf"), "\\xc0\\xaf");                   /* overlong */
	check_clean(STR("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");          /* overlong */
	check_clean(STR("\xed\xa0\x80"), "\\xed\\xa0\\x80");          /* surrogate */
	check_clean(STR("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"); /* past U+10FFFF */
	check_clean(STR("\xe2\x82"), "\\xe2\\x82");                   /* cut short */
	check_clean(STR("\xe2\x82z"), "\\xe2\\x82z");
}

static void a_fixed_buffer_never_holds_half_a_character_or_escape(void **state)
{
	char out[8];
	(void)state;
	assert_int_equal(text_clean_into(out, 1, STR("abc")), 0);
	assert_string_equal(out, "");
	text_clean_into(out, 5, STR("ab\xe2\x82\xac"));
	assert_string_equal(out, "ab");
	text_clean_into(out, 6, STR("ab\xe2\x82\xac"));
	assert_string_equal(out, "ab\xe2\x82\xac");
	text_clean_into(out, 6, STR("ab\n"));
	assert_string_equal(out, "ab");
	text_clean_into(out, 7, STR("ab\n"));
	assert_string_equal(out, "ab\\x0a");
}

static void cut_stays_between_characters_and_stops_at_bad_bytes(void **state)
{
	struct str euro = STR("a\xe2\x82\xac"
			      "b");
	(void)state;
	assert_int_equal(text_utf8_cut(euro, 0), 0);
	assert_int_equal(text_utf8_cut(euro, 3), 1);
	assert_int_equal(text_utf8_cut(euro, 4), 4);
	assert_int_equal(text_utf8_cut(euro, 100), 5);
	assert_int_equal(text_utf8_cut(STR("ab\xff"
					   "cd"),
				 100),
		2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(printable_text_stays_as_it_is),
		cmocka_unit_test(control_bytes_are_written_as_hex),
		cmocka_unit_test(bytes_that_are_not_utf8_are_written_as_hex),
		cmocka_unit_test(a_fixed_buffer_never_holds_half_a_character_or_escape),
		cmocka_unit_test(cut_stays_between_characters_and_stops_at_bad_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
