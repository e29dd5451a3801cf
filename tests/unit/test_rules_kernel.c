/* What the kernel may drop: never what a rule wants, and as much as can be told beforehand. */
#include "rules/kernel.h"

#include "base/clock.h"
#include "tests/unit/rules_fixture.h"
#include "tests/unit/where_gen.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void put_rule(struct buf *b, int i, const char *condition)
{
	buf_printf(b, "- rule: r%d\n  desc: d\n  condition: >-\n    %s\n", i, condition);
	buf_puts(b, "  output: x\n  priority: INFO\n");
}

static struct kernel_filters *filters_of(const char *yaml)
{
	AUTO(ruleset_unref) struct ruleset *rs = rfx_load(yaml, NULL);

	return kernel_filters_new(rs);
}

/* The filter of one condition as text. */
static const char *filter_text(const char *condition, enum event_class class)
{
	static char text[4096];
	AUTO(buf_fini) struct buf yaml = BUF_INIT(1 << 16);
	AUTO(buf_fini) struct buf b = BUF_INIT(1 << 16);
	AUTO(kernel_filters_free) struct kernel_filters *k = NULL;

	put_rule(&yaml, 1, condition);
	k = filters_of(buf_cstr(&yaml));
	kernel_filter_print(&b, kernel_filter_of(k, class));
	snprintf(text, sizeof(text), "%s", buf_cstr(&b));
	return text;
}

static void expect_filter(const char *condition, enum event_class class, const char *text)
{
	const char *got = filter_text(condition, class);

	if (strcmp(got, text) != 0)
		fail_msg("%s:\n%sinstead of\n%s", condition, got, text);
}

#define OPENS "type=creat|open|openat|openat2"

/* --- the property --- */

static bool speaks_of_the_event(const struct field *f)
{
	static const char *const names[] = { "evt.type", "evt.rawres", "evt.res", "evt.failed",
		"evt.num", "evt.dir", "evt.source", "evt.is_open_read", "evt.is_open_write",
		"evt.is_open_exec", "fd.num", "fd.type", "fd.typechar", "fd.name", "fd.directory",
		"fd.filename", "fd.sport", "fd.rport", "container.id", "container.type",
		"container.name", "container.image", "proc.name", "fd.lport", "evt.arg.flags" };

	for (size_t i = 0; i < ARRAY_N(names); i++)
		if (strcmp(f->name, names[i]) == 0)
			return true;
	return false;
}

static bool is_any(const struct field *f)
{
	return strcmp(f->name, "user.name") != 0 && strcmp(f->name, "user.loginname") != 0 &&
	       strcmp(f->name, "group.name") != 0;
}

enum { EVENTS = 160, SETS = 150, RULES = 4 };

struct tally {
	size_t pairs, wanted, dropped;
};

/* One set of rules, all events. */
static void check_set(struct gen *g, bool (*usable)(const struct field *f), struct tally *sum)
{
	AUTO(buf_fini) struct buf yaml = BUF_INIT(1 << 20);
	AUTO(kernel_filters_free) struct kernel_filters *k = NULL;
	bool want[EVENTS] = { 0 };
	int rules = 1 + (int)gen_below(g, RULES);

	for (int i = 0; i < rules; i++) {
		AUTO(buf_fini) struct buf b = BUF_INIT(1 << 16);
		bool one[EVENTS];

		gen_condition(g, &b, usable);
		if (!gen_verdicts(g, buf_cstr(&b), "", one))
			continue;
		put_rule(&yaml, i, buf_cstr(&b));
		for (size_t n = 0; n < EVENTS; n++)
			want[n] |= one[n];
	}
	if (!yaml.n)
		return;
	k = filters_of(buf_cstr(&yaml));
	for (size_t n = 0; n < EVENTS; n++) {
		const struct gen_event *e = &g->event[n];
		bool admitted = kernel_admits(
			kernel_filter_of(k, e->ev.class), &e->ev, e->container > 0);

		if (want[n] && !admitted)
			fail_msg("event %zu (%s) is wanted, but not admitted:\n%s", n + 1,
				event_type_name(&e->ev), buf_cstr(&yaml));
		sum->pairs++;
		sum->wanted += want[n];
		sum->dropped += !admitted;
	}
}

static void what_a_rule_matches_is_always_admitted(void **state)
{
	struct gen *g = gen_new(gen_seed(), EVENTS);
	struct tally own = { 0 }, all = { 0 };

	(void)state;
	for (size_t i = 0; i < EVENTS; i++)
		assert_true(g->event[i].ev.class != EVENT_OPEN ||
			    !str_contains(event_str(&g->event[i].ev, g->event[i].ev.open.path),
				    STR("//")));
	for (int i = 0; i < SETS; i++) {
		check_set(g, speaks_of_the_event, &own);
		check_set(g, is_any, &all);
	}
	print_message("%zu pairs, %zu wanted, %zu dropped; of any fields %zu, %zu, %zu\n",
		own.pairs, own.wanted, own.dropped, all.pairs, all.wanted, all.dropped);
	assert_true(own.pairs >= 20000 && all.pairs >= 20000);
	/* A filter that admits everything would be right too, and useless. */
	assert_true(own.dropped > own.pairs / 20);
	assert_true(own.wanted > own.pairs / 10);
	gen_free(g);
}

/* --- what it finds --- */

static void an_unwanted_class_has_no_terms(void **state)
{
	(void)state;
	expect_filter("evt.type = execve", EVENT_OPEN, "");
	expect_filter("evt.type = execve", EVENT_EXEC, "type=execve\n");
	expect_filter("evt.type = execve and fd.name = /x", EVENT_EXEC, "");
	expect_filter("evt.num = 0", EVENT_OPEN, "");
	expect_filter("proc.name = x", EVENT_FORK, "type=clone|clone3|fork|vfork\n");
}

static void opens_are_told_by_access_result_and_kind(void **state)
{
	(void)state;
	expect_filter("evt.type in (open, openat) and evt.is_open_write = true and fd.num >= 0",
		EVENT_OPEN, "type=open|openat result=ok access=O_WRONLY|O_RDWR|creat\n");
	expect_filter("evt.is_open_read = true and fd.typechar = 'f'", EVENT_OPEN,
		OPENS " access=O_RDONLY|O_RDWR|3 kind=file\n");
	expect_filter("not evt.is_open_read = true", EVENT_OPEN, OPENS " access=O_WRONLY|creat\n");
	expect_filter("evt.failed = true and evt.is_open_exec = true", EVENT_OPEN,
		OPENS " result=failed makes=executable\n");
	expect_filter("evt.rawres < 0 and evt.type != creat", EVENT_OPEN,
		"type=open|openat|openat2 result=failed\n");
	expect_filter("evt.res = SUCCESS", EVENT_OPEN, OPENS " result=ok\n");
	expect_filter("evt.res = ENOENT", EVENT_OPEN, OPENS " result=failed\n");
}

static void opens_are_told_by_path(void **state)
{
	(void)state;
	expect_filter("fd.name in (/etc/shadow, /etc/passwd) and proc.name = cat", EVENT_OPEN,
		OPENS " path=/etc/shadow|/etc/passwd\n");
	expect_filter("fd.name startswith /etc/ or fd.name = /etc/shadow", EVENT_OPEN,
		OPENS " path=/etc/*\n");
	expect_filter(
		"fd.directory in (/bin, /usr/bin)", EVENT_OPEN, OPENS " path=/bin*|/usr/bin*\n");
	expect_filter("fd.name pmatch (/etc, '/var/lib/*/x')", EVENT_OPEN,
		OPENS " path=/etc*|/var/lib*\n");
	expect_filter("fd.name glob '/home/*/.ssh/*'", EVENT_OPEN, OPENS " path=/home/*\n");
	expect_filter("fd.filename = id_rsa", EVENT_OPEN, OPENS " path=*id_rsa\n");
	expect_filter("fd.name contains shadow", EVENT_OPEN, OPENS "\n");
	expect_filter("not fd.name startswith /proc", EVENT_OPEN, OPENS "\n");
	expect_filter("fd.name startswith /etc and fd.name = /tmp/x", EVENT_OPEN, "");
	expect_filter("fd.name startswith /etc and fd.name in (/tmp/x, /etc/x)", EVENT_OPEN,
		OPENS " path=/etc/x\n");
	expect_filter("fd.name startswith anyof (/a, /b)", EVENT_OPEN, OPENS " path=/a*|/b*\n");
}

static void places_and_ports_are_told(void **state)
{
	(void)state;
	expect_filter("container.id != host and evt.type = openat", EVENT_OPEN,
		"type=openat place=container\n");
	expect_filter("not container.id = host", EVENT_CONNECT, "type=connect place=container\n");
	expect_filter(
		"container.image contains nginx", EVENT_CONNECT, "type=connect place=container\n");
	/* An LXC container may be named so. */
	expect_filter("container.id = host", EVENT_CONNECT, "type=connect\n");
	expect_filter("fd.sport in (80, 443) or fd.rport > 65000", EVENT_CONNECT,
		"type=connect port=80-80,443-443,65001-65535\n");
	expect_filter("fd.sport != 53 and fd.sport < 1024", EVENT_CONNECT,
		"type=connect port=0-52,54-1023\n");
	expect_filter("fd.sport = 80", EVENT_OPEN, "");
}

static void alternatives_stay_apart(void **state)
{
	(void)state;
	expect_filter("(evt.is_open_write = true and fd.name startswith /etc) or "
		      "(evt.is_open_read = true and fd.name = /etc/shadow)",
		EVENT_OPEN,
		OPENS " access=O_WRONLY|O_RDWR|creat path=/etc*\n" OPENS
		      " access=O_RDONLY|O_RDWR|3 path=/etc/shadow\n");
}

static void macros_and_inactive_rules_are_seen(void **state)
{
	AUTO(kernel_filters_free)
	struct kernel_filters *k = filters_of(
		"- macro: open_write\n  condition: evt.type in (open, openat) and "
		"evt.is_open_write=true\n"
		"- rule: on\n  desc: d\n  condition: open_write and fd.name = /a\n  output: x\n"
		"  priority: INFO\n"
		"- rule: off\n  desc: d\n  condition: open_write and fd.name = /b\n  output: x\n"
		"  priority: INFO\n  enabled: false\n");
	AUTO(buf_fini) struct buf b = BUF_INIT(4096);

	(void)state;
	kernel_filter_print(&b, kernel_filter_of(k, EVENT_OPEN));
	assert_string_equal(
		buf_cstr(&b), "type=open|openat access=O_WRONLY|O_RDWR|creat path=/a\n");
}

static void a_path_that_is_not_known_passes(void **state)
{
	struct rules_fixture fx;
	AUTO(kernel_filters_free)
	struct kernel_filters *k = filters_of(
		"- rule: r\n  desc: d\n  condition: fd.name = /etc/shadow\n  output: x\n"
		"  priority: INFO\n");
	const struct kernel_filter *f = kernel_filter_of(k, EVENT_OPEN);

	(void)state;
	rfx_init(&fx);
	rfx_open(&fx, NULL, "shadow", O_RDONLY);
	assert_true(kernel_admits(f, &fx.ev, false));
	rfx_open(&fx, "/etc/shadow", "shadow", O_RDONLY);
	assert_true(kernel_admits(f, &fx.ev, false));
	rfx_open(&fx, "/etc/passwd", "shadow", O_RDONLY);
	assert_false(kernel_admits(f, &fx.ev, false));
}

static void large_sets_become_wider_not_wrong(void **state)
{
	AUTO(buf_fini) struct buf yaml = BUF_INIT(16 << 20);
	AUTO(kernel_filters_free) struct kernel_filters *k = NULL;
	const struct kernel_filter *f;
	struct rules_fixture fx;
	uint64_t began;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		char c[256];

		snprintf(c, sizeof(c),
			"evt.type = %s and fd.name = /dir%d/f and evt.rawres %s 0 and "
			"(fd.sport = %d or container.id != host or evt.is_open_write = true)",
			i % 2 ? "openat" : "open", i, i % 3 ? ">=" : "<", i);
		put_rule(&yaml, i, c);
	}
	began = clock_mono_ns();
	k = filters_of(buf_cstr(&yaml));
	print_message(
		"3000 rules: %llu ms\n", (unsigned long long)(clock_mono_ns() - began) / 1000000);
	f = kernel_filter_of(k, EVENT_OPEN);
	assert_true(f->terms_n > 0 && f->terms_n <= KERNEL_MAX_TERMS);
	assert_int_equal(kernel_filter_of(k, EVENT_CONNECT)->terms_n, 0);
	rfx_init(&fx);
	for (int i = 0; i < 3000; i += 7) {
		char path[64];

		snprintf(path, sizeof(path), "/dir%d/f", i);
		rfx_open(&fx, path, path, O_WRONLY);
		fx.ev.nr = i % 2 ? 257 : 2;
		fx.ev.ret = i % 3 ? 3 : -13;
		assert_true(kernel_admits(f, &fx.ev, true));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_rule_matches_is_always_admitted),
		cmocka_unit_test(an_unwanted_class_has_no_terms),
		cmocka_unit_test(opens_are_told_by_access_result_and_kind),
		cmocka_unit_test(opens_are_told_by_path),
		cmocka_unit_test(places_and_ports_are_told),
		cmocka_unit_test(alternatives_stay_apart),
		cmocka_unit_test(macros_and_inactive_rules_are_seen),
		cmocka_unit_test(a_path_that_is_not_known_passes),
		cmocka_unit_test(large_sets_become_wider_not_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
