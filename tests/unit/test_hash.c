#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check_sha256(struct str data, const char *want)
{
	uint8_t digest[HASH_SHA256_LEN];
	char hex[2 * HASH_SHA256_LEN + 1];
	hash_sha256(data, digest);
	hash_hex(digest, sizeof(digest), hex);
	assert_string_equal(hex, want);
}

static void sha256_gives_the_published_digests(void **state)
{
	(void)state;
	check_sha256((struct str){ 0 },
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check_sha256(
		STR("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void hex_is_lower_case_and_ends_in_nul(void **state)
{
	char out[5];
	(void)state;
	hash_hex((const uint8_t[]){ 0xab, 0x0f }, 2, out);
	assert_string_equal(out, "ab0f");
	hash_hex(NULL, 0, out);
	assert_string_equal(out, "");
}

static void the_quick_hash_depends_on_bytes_and_seed(void **state)
{
	(void)state;
	assert_true(hash_quick("ab", 2, 0) != hash_quick("ba", 2, 0));
	assert_true(hash_quick("ab", 2, 0) != hash_quick("ab", 2, 1));
	assert_true(hash_quick("ab", 2, 5) == hash_quick("abc", 2, 5));
	assert_true(hash_u64(1) != hash_u64(2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_gives_the_published_digests),
		cmocka_unit_test(hex_is_lower_case_and_ends_in_nul),
		cmocka_unit_test(the_quick_hash_depends_on_bytes_and_seed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
