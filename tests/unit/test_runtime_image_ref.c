#include "collector/runtime/image_ref.h"

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define HEX    "1b0592b1b941567637913486cbcc9142043028b3652cae83af51f648486b62f9"
#define DIGEST "sha256:" HEX

static void check(const char *text, const char *repository, const char *tag, const char *digest)
{
	struct image_ref ref = image_ref_split(str_from(text));
	if (!str_eqz(ref.repository, repository))
		fail_msg("%s: repository is %.*s", text, STR_ARG(ref.repository));
	if (!str_eqz(ref.tag, tag))
		fail_msg("%s: tag is %.*s", text, STR_ARG(ref.tag));
	if (!str_eqz(ref.digest, digest))
		fail_msg("%s: digest is %.*s", text, STR_ARG(ref.digest));
	assert_non_null(ref.repository.p);
	assert_non_null(ref.tag.p);
	assert_non_null(ref.digest.p);
}

static void reference_is_split_into_its_parts(void **state)
{
	(void)state;
	check("nginx", "nginx", "", "");
	check("nginx:1.25", "nginx", "1.25", "");
	check("docker.io/library/nginx:1.25", "docker.io/library/nginx", "1.25", "");
	check("docker.io/library/x:tag@" DIGEST, "docker.io/library/x", "tag", DIGEST);
	check("docker.io/library/x@" DIGEST, "docker.io/library/x", "", DIGEST);
}

static void colon_before_a_slash_is_a_port(void **state)
{
	(void)state;
	check("host:5000/x", "host:5000/x", "", "");
	check("host:5000/x:1", "host:5000/x", "1", "");
	check("[::1]:5000/x/y", "[::1]:5000/x/y", "", "");
	check("127.0.0.1:5000/test/x:latest@" DIGEST, "127.0.0.1:5000/test/x", "latest", DIGEST);
}

static void image_id_is_no_name(void **state)
{
	(void)state;
	check(HEX, "", "", "");
	check(DIGEST, "", "", "");
	assert_true(str_eqz(image_ref_id(STR(HEX)), HEX));
	assert_true(str_eqz(image_ref_id(STR(DIGEST)), HEX));
	assert_int_equal(image_ref_id(STR("nginx")).n, 0);
	assert_int_equal(image_ref_id(STR("sha256:12")).n, 0);
	assert_int_equal(image_ref_id(STR(HEX "0")).n, 0);
	/* a repository may well be called so */
	check("sha256:12", "sha256", "12", "");
}

static void odd_references_do_no_harm(void **state)
{
	(void)state;
	check("", "", "", "");
	check(":", "", "", "");
	check("@", "", "", "");
	check("x:", "x", "", "");
	check("x@", "x", "", "");
	check("/", "/", "", "");
	check("a:b:c", "a:b", "c", "");
	check("a@b@c", "a", "", "b@c");
	struct image_ref none = image_ref_split((struct str){ 0 });
	assert_int_equal(none.repository.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reference_is_split_into_its_parts),
		cmocka_unit_test(colon_before_a_slash_is_a_port),
		cmocka_unit_test(image_id_is_no_name),
		cmocka_unit_test(odd_references_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
