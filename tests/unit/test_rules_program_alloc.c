/* Judging an event that no rule is true for allocates nothing, once memory has been warmed up. */
#include "tests/unit/rules_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static size_t allocations;

#if SANITIZED
/* Sanitizers bring their own allocator, with a hook: sanitizer/allocator_interface.h. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *p, size_t n),
	void (*on_free)(const volatile void *p));

static void on_malloc(const volatile void *p, size_t n)
{
	(void)p;
	(void)n;
	allocations++;
}

static void on_free(const volatile void *p)
{
	(void)p;
}

static void start_counting(void)
{
	assert_true(__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0);
}
#else
static void start_counting(void)
{
}

/* Those of the C library, counted on the way. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

__attribute__((visibility("default"))) void *malloc(size_t n)
{
	allocations++;
	return __libc_malloc(n);
}

__attribute__((visibility("default"))) void *calloc(size_t n, size_t size)
{
	allocations++;
	return __libc_calloc(n, size);
}

__attribute__((visibility("default"))) void *realloc(void *p, size_t n)
{
	allocations++;
	return __libc_realloc(p, n);
}
#endif

static struct rules_fixture fx;

/* Conditions of every kind of check, each with something to build or to look up. */
static const char *const conditions[] = {
	"fd.name = /srv/app%u/key",
	"fd.name startswith /srv/site%u",
	"fd.name endswith .part%u",
	"proc.cmdline contains flag%u",
	"proc.cmdline icontains FLAG%u",
	"proc.exepath pmatch (/opt/v%u/bin, /srv/v%u)",
	"fd.name glob \"/x%u/*\"",
	"proc.aname in (a%u, b%u)",
	"hw.argv intersects (a%u, b%u)",
	"proc.args regex \".*zz%u+\"",
	"tolower(proc.name) = name%u",
	"fd.directory = /d%u and evt.is_open_write = true",
	"fd.sport = 1%u and container.id != host",
	"fd.snet = 203.0.113.%u",
	"container.image.repository = image%u",
	"user.name = user_%u and not proc.name = x",
	"proc.name != sh and thread.cap_effective contains CAP_X%u",
};

static struct ruleset *load(void)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(1u << 20);

	for (uint32_t i = 0; i < 200; i++) {
		const char *condition = conditions[i % ARRAY_N(conditions)];

		buf_printf(&b,
			"- rule: r%u\n  desc: d\n  output: o\n  priority: INFO\n  condition: ", i);
		for (; *condition; condition++) {
			if (condition[0] == '%') {
				buf_printf(&b, "%u", i % 250);
				condition++;
			} else {
				buf_putc(&b, *condition);
			}
		}
		buf_putc(&b, '\n');
	}
	return rfx_load(buf_cstr(&b), NULL);
}

static void judge_all(struct judge *j)
{
	struct judge_alerts alerts = { 0 };

	for (int container = 0; container < 2; container++) {
		rfx_init(&fx);
		if (container)
			rfx_container(&fx, CONTAINER_KNOWN);
		assert_int_equal(rfx_judge(&fx, j, &alerts), VERDICT_FALSE);
		rfx_open(&fx, "/usr/lib/libc.so", "/usr/lib/libc.so", O_RDWR);
		assert_int_equal(rfx_judge(&fx, j, &alerts), VERDICT_FALSE);
		rfx_open(&fx, NULL, "../some/other/file", O_RDONLY);
		assert_int_equal(rfx_judge(&fx, j, &alerts), VERDICT_FALSE);
		rfx_net(&fx, EVENT_CONNECT, "10.1.2.3", 40000, "2.2.2.2", 443);
		assert_int_equal(rfx_judge(&fx, j, &alerts), VERDICT_FALSE);
	}
}

static void count_allocations(void)
{
	AUTO(ruleset_unref) struct ruleset *rs = load();
	AUTO(judge_free)
	struct judge *j = judge_new(
		&(struct judge_options){ .rules = rs, .boot_id = STR("b"), .hostname = STR("h") });
	void *volatile counted; /* or the pair of malloc and free would be optimised away */
	size_t before = allocations;

	assert_int_equal(ruleset_rule(rs, 199)->state, RULE_ACTIVE);
	counted = malloc(1);
	free(counted);
	assert_int_equal(allocations, before + 1);
	judge_all(j);
	before = allocations;
	for (int i = 0; i < 100; i++)
		judge_all(j);
	assert_int_equal(allocations, before);
}

static void an_event_without_alert_allocates_nothing(void **state)
{
	(void)state;
	start_counting();
	count_allocations();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_without_alert_allocates_nothing),
	};

	return cmocka_run_group_tests_name("rules_program_alloc", tests, NULL, NULL);
}
