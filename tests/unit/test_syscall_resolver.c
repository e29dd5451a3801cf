#include "collector/syscall/resolver.h"

#include "collector/runtime/runtime.h"
#include "tests/unit/tree.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/eventfd.h>

#include <cmocka.h>

#define A "8f3c5e0a1b2d4c6f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7"
#define B "01234567890abcdef01234567890abcdef01234567890abcdef0123456789abc"

#define DEADLINE_MS 20000
#define LONG_NS     30000000000u /* longer than the test is patient */

struct fixture {
	struct tree *tree;
	struct runtime *runtime;
	struct resolver *resolver;
	int told; /* eventfd: written at each `done` */
};

static void done(void *ctx)
{
	struct fixture *f = ctx;

	assert_int_equal(eventfd_write(f->told, 1), 0);
}

static struct fixture *fixture_new(uint64_t patience_ns)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err e = { 0 };

	f->tree = tree_new();
	f->told = eventfd(0, EFD_CLOEXEC);
	struct runtime_options o = { .root = f->tree->root };
	assert_int_equal(runtime_open(&f->runtime, &o, &e), 0);
	assert_int_equal(resolver_open(&f->resolver, f->runtime, patience_ns, done, f, &e), 0);
	return f;
}

static void fixture_free(struct fixture *f)
{
	resolver_close(f->resolver);
	runtime_close(f->runtime);
	tree_free(f->tree);
	close(f->told);
	free(f);
}
DEFINE_AUTO(struct fixture, fixture_free)

static void write_docker(struct fixture *f, const char *id, const char *name)
{
	char path[256], text[256];

	/* complete only with the second file, which comes last */
	snprintf(path, sizeof(path), "var/lib/docker/containers/%s/config.v2.json", id);
	snprintf(text, sizeof(text), "{\"ID\":\"%s\",\"Name\":\"/%s\"}", id, name);
	tree_write(f->tree, path, text);
	snprintf(path, sizeof(path), "var/lib/docker/containers/%s/hostconfig.json", id);
	tree_write(f->tree, path, "{}");
}

static struct container *wait_for(struct fixture *f)
{
	for (;;) {
		struct container *c = resolver_take(f->resolver);
		struct pollfd p = { .fd = f->told, .events = POLLIN };
		eventfd_t n;
		if (c)
			return c;
		assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
		assert_int_equal(eventfd_read(f->told, &n), 0);
	}
}

static void a_container_on_disk_is_found(void **state)
{
	(void)state;
	AUTO(fixture_free) struct fixture *f = fixture_new(LONG_NS);
	write_docker(f, A, "front");
	assert_null(resolver_take(f->resolver));
	assert_true(resolver_ask(f->resolver, A, RUNTIME_DOCKER));
	AUTO(container_free) struct container *c = wait_for(f);
	assert_string_equal(c->id, A);
	assert_int_equal(c->state, CONTAINER_KNOWN);
	assert_true(str_eqz(c->name, "front"));
	assert_null(resolver_take(f->resolver));
}

static void one_that_is_not_found_is_unknown_in_the_end(void **state)
{
	(void)state;
	AUTO(fixture_free) struct fixture *f = fixture_new(1000000);
	assert_true(resolver_ask(f->resolver, B, RUNTIME_PODMAN));
	AUTO(container_free) struct container *c = wait_for(f);
	assert_string_equal(c->id, B);
	assert_int_equal(c->state, CONTAINER_UNKNOWN);
	assert_int_equal(c->runtime, RUNTIME_PODMAN);
}

static void one_that_is_written_later_is_found_then(void **state)
{
	(void)state;
	AUTO(fixture_free) struct fixture *f = fixture_new(LONG_NS);
	assert_true(resolver_ask(f->resolver, A, RUNTIME_DOCKER));
	/* another's answer: by then the first question was tried in vain */
	write_docker(f, B, "other");
	assert_true(resolver_ask(f->resolver, B, RUNTIME_DOCKER));
	AUTO(container_free) struct container *other = wait_for(f);
	assert_string_equal(other->id, B);
	write_docker(f, A, "late");
	AUTO(container_free) struct container *c = wait_for(f);
	assert_string_equal(c->id, A);
	assert_int_equal(c->state, CONTAINER_KNOWN);
	assert_true(str_eqz(c->name, "late"));
}

static void many_questions_have_as_many_answers(void **state)
{
	(void)state;
	AUTO(fixture_free) struct fixture *f = fixture_new(1);
	uint64_t sum = 0;
	for (unsigned int i = 0; i < 500; i++) {
		char id[65];
		snprintf(id, sizeof(id), "%064x", i);
		assert_true(resolver_ask(f->resolver, id, RUNTIME_PODMAN));
	}
	for (unsigned int i = 0; i < 500; i++) {
		AUTO(container_free) struct container *c = wait_for(f);
		sum += strtoull(c->id + 48, NULL, 16);
	}
	assert_int_equal(sum, 500 * 499 / 2);
	assert_null(resolver_take(f->resolver));
}

static void closing_does_not_wait_for_answers(void **state)
{
	(void)state;
	AUTO(fixture_free) struct fixture *f = fixture_new(LONG_NS);
	assert_true(resolver_ask(f->resolver, A, RUNTIME_DOCKER));
	assert_true(resolver_ask(f->resolver, B, RUNTIME_DOCKER));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_container_on_disk_is_found),
		cmocka_unit_test(one_that_is_not_found_is_unknown_in_the_end),
		cmocka_unit_test(one_that_is_written_later_is_found_then),
		cmocka_unit_test(many_questions_have_as_many_answers),
		cmocka_unit_test(closing_does_not_wait_for_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
