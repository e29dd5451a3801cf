/* The rules that are shipped: they load without an error, each has a case that fires it and a
 * look-alike that does not, and they give rules of others what these expect. */
#include "tests/unit/rules_fixture.h"

#include "base/map.h"
#include "rules/cases.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#define RULES "config/default/rules"

static struct rules_fixture fx;
static struct ruleset *rs;
static struct map *fired; /* names of rules that fired in some case */
static struct map *quiet; /* names of rules with a look-alike that passed */

/* ---- cases ---- */

static void read_case_file(struct buf *b, const char *path)
{
	FILE *f = fopen(path, "rb");

	assert_non_null(f);
	buf_reset(b);
	b->n += fread(buf_reserve(b, 1u << 20), 1, 1u << 20, f);
	assert_true(feof(f));
	fclose(f);
}

/* "RULE: looks alike (2)" */
static void note_look_alike(const char *name)
{
	const char *end = strstr(name, ": looks alike");

	if (end)
		map_put(quiet, str_of(name, (size_t)(end - name)), rs);
}

static void run_file(const char *path)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(4u << 20);
	AUTO(cases_free) struct cases *c = NULL;
	struct err e = { 0 };

	read_case_file(&b, path);
	if (cases_parse(&c, path, buf_str(&b), &e))
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < cases_count(c); i++) {
		AUTO(case_result_fini) struct case_result r = { 0 };

		cases_run(c, i, rs, &r);
		if (r.outcome == CASE_FAILED || r.outcome == CASE_WRONG)
			fail_msg("%s:%u: %s: %s", path, r.line, r.name, r.remarks.p[0].what);
		for (size_t k = 0; k < r.fired.n; k++)
			map_put(fired, str_from(r.fired.p[k]), rs);
		if (r.outcome == CASE_PASSED)
			note_look_alike(r.name);
	}
}

static void every_case_passes(void **state)
{
	char folder[4096], path[4400];
	DIR *d;
	int files = 0;

	(void)state;
	snprintf(folder, sizeof(folder), "%s", rfx_source_path(RULES "/cases"));
	d = opendir(folder);
	assert_non_null(d);
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		if (!str_ends(str_from(e->d_name), STR(".yaml")))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		run_file(path);
		files++;
	}
	closedir(d);
	assert_true(files >= 7);
}

static void every_rule_that_is_judged_has_a_case_and_a_look_alike(void **state)
{
	(void)state;
	for (size_t i = 0; i < ruleset_count(rs); i++) {
		const struct rule_info *r = ruleset_rule(rs, i);

		if (r->state != RULE_ACTIVE)
			continue;
		if (!map_get(fired, str_from(r->name)))
			fail_msg("no case fires %s", r->name);
		if (!map_get(quiet, str_from(r->name)))
			fail_msg("%s has no look-alike", r->name);
	}
}

/* ---- the set ---- */

static int load_set(void **state)
{
	const char *path = rfx_source_path(RULES);
	AUTO(rules_report_fini) struct rules_report r = RULES_REPORT_INIT;
	struct err e;

	(void)state;
	fired = map_new(NULL);
	quiet = map_new(NULL);
	assert_int_equal(rules_load(&rs, &path, 1, NULL, &r, &e), 0);
	for (size_t i = 0; i < r.list.n; i++) {
		/* One file holds what waits for events; the others load without a remark. */
		if (r.list.p[i].level != RULES_ERROR && strstr(r.list.p[i].file, "90-later"))
			continue;
		fail_msg("%s:%u: %s", r.list.p[i].file, r.list.p[i].line, r.list.p[i].what);
	}
	return 0;
}

static int unload(void **state)
{
	(void)state;
	ruleset_unref(rs);
	map_free(fired);
	map_free(quiet);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	rfx_init(&fx);
	return 0;
}

static const char *matches(struct ruleset *set)
{
	static char out[1024];
	AUTO(judge_free) struct judge *j = judge_new(&(struct judge_options){ .rules = set });
	struct judge_alerts alerts = { 0 };

	out[0] = '\0';
	rfx_judge(&fx, j, &alerts);
	for (size_t i = 0; i < alerts.list.n; i++)
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s%s", i ? "; " : "",
			alerts.list.p[i]->rule);
	rfx_alerts_fini(&alerts);
	return out;
}

/* T1059 or T1059.004 */
static bool is_technique(const char *tag)
{
	return tag[0] == 'T' && strlen(tag) >= 5 && strspn(tag + 1, "0123456789") == 4;
}

static void every_rule_is_mapped_and_at_least_forty_run(void **state)
{
	size_t active = 0;

	(void)state;
	for (size_t i = 0; i < ruleset_count(rs); i++) {
		const struct rule_info *r = ruleset_rule(rs, i);
		bool technique = false, tactic = false;

		active += r->state == RULE_ACTIVE;
		assert_true(r->state == RULE_ACTIVE || r->state == RULE_CANNOT_RUN);
		for (size_t k = 0; k < r->tags_n; k++) {
			technique |= is_technique(r->tags[k]);
			tactic |= strncmp(r->tags[k], "mitre_", 6) == 0;
		}
		if (!technique || !tactic)
			fail_msg("%s is not mapped", r->name);
		if (!strstr(r->output, "%container.id") || !strstr(r->output, "%proc.cmdline"))
			fail_msg("%s does not say who and where", r->name);
	}
	assert_true(active >= 40);
}

static void every_rule_takes_values_for_its_exceptions(void **state)
{
	static const char more[] = "- rule: Sensitive file read in a container\n"
				   "  exceptions:\n"
				   "    - {name: programs, values: [backup]}\n"
				   "    - {name: images, values: [docker.io/library/redis]}\n"
				   "    - {name: commands, values: [[cat, 'cat /etc/sh']]}\n"
				   "  override: {exceptions: append}\n";
	char path[4096], own[] = "/tmp/hwtest-exceptions-XXXXXX";
	const char *paths[] = { path, own };
	AUTO(ruleset_unref) struct ruleset *set = NULL;
	AUTO(rules_report_fini) struct rules_report r = RULES_REPORT_INIT;
	AUTO_FD int fd = mkstemp(own);
	struct err e;

	(void)state;
	assert_int_equal(write(fd, more, sizeof(more) - 1), sizeof(more) - 1);
	snprintf(path, sizeof(path), "%s", rfx_source_path(RULES));
	assert_int_equal(rules_load(&set, paths, 2, NULL, &r, &e), 0);
	unlink(own);
	assert_int_equal(r.errors_n, 0);
	rfx_container(&fx, CONTAINER_KNOWN);
	rfx_open(&fx, "/etc/shadow", NULL, O_RDONLY);
	rfx_process(&fx, 0, "head", "/bin/head", "head /etc/shadow");
	assert_string_equal(matches(set), "Sensitive file read in a container");
	rfx_process(&fx, 0, "backup", "/bin/backup", "backup");
	assert_string_equal(matches(set), "");
	rfx_process(&fx, 0, "cat", "/bin/cat", "cat /etc/shadow");
	assert_string_equal(matches(set), "");
	rfx_process(&fx, 0, "cat", "/bin/cat", "cat -n /etc/shadow");
	assert_string_equal(matches(set), "Sensitive file read in a container");
	fx.container.image_repo = STR("docker.io/library/redis");
	assert_string_equal(matches(set), "");
}

/* Load the shipped rules and then the given file or folder of the shared test data. */
static struct ruleset *load_behind(const char *shared, struct rules_report *r)
{
	char first[4096], second[4096];
	const char *paths[] = { first, second };
	struct ruleset *set = NULL;
	struct err e;

	snprintf(first, sizeof(first), "%s", rfx_source_path("config/default/rules"));
	snprintf(second, sizeof(second), "%s", rfx_source_path(shared));
	if (access(second, R_OK) != 0) {
		const char *ci = getenv("CI");

		if (ci && strcmp(ci, "true") == 0)
			fail_msg("%s is absent", second);
		print_message("SKIP: %s is absent\n", second);
		return NULL;
	}
	if (rules_load(&set, paths, 2, NULL, r, &e))
		fail_msg("%s", e.msg);
	return set;
}

static bool fires(struct ruleset *set, const char *rule)
{
	char list[1100];

	snprintf(list, sizeof(list), "; %s;", matches(set));
	return strstr(list, rule) != NULL;
}

static void rules_of_others_load_behind_ours_and_fire(void **state)
{
	AUTO(rules_report_fini) struct rules_report r = RULES_REPORT_INIT;
	AUTO(ruleset_unref) struct ruleset *set = load_behind("../shared/data/seed-rules", &r);

	(void)state;
	if (!set)
		skip();
	assert_int_equal(r.errors_n, 0);
	for (size_t i = 0; i < r.list.n; i++)
		assert_non_null(strstr(r.list.p[i].file, "90-later"));
	rfx_process(&fx, 0, "sh", "/bin/dash", "sh -c true");
	assert_false(fires(set, "Detect Shell in Container"));
	assert_false(fires(set, "; Terminal shell in container"));
	rfx_container(&fx, CONTAINER_KNOWN);
	assert_true(fires(set, "Detect Shell in Container"));
	assert_true(fires(set, "; Terminal shell in container"));
	rfx_open(&fx, "/etc/shadow", NULL, O_RDONLY);
	rfx_process(&fx, 0, "cat", "/bin/cat", "cat /etc/shadow");
	assert_true(fires(set, "Detect Sensitive File Read"));
	assert_true(fires(set, "Read sensitive file in container"));
	rfx_init(&fx);
	rfx_process(&fx, 0, "x", "/bin/x", "x -o stratum+tcp://p");
	assert_true(fires(set, "Detect Crypto Mining"));
}

/* 93 rules: each loads, or says what is missing; none is an error. */
static void the_known_rule_files_have_no_errors(void **state)
{
	AUTO(rules_report_fini) struct rules_report r = RULES_REPORT_INIT;
	AUTO(ruleset_unref) struct ruleset *set = load_behind("../shared/data/falco-rules", &r);

	(void)state;
	if (!set)
		skip();
	assert_int_equal(r.errors_n, 0);
	assert_true(r.rules_n >= 93 + 8);
	for (size_t i = 0; i < ruleset_count(set); i++) {
		const struct rule_info *info = ruleset_rule(set, i);

		assert_true(info->state == RULE_ACTIVE || info->why[0] != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_case_passes, setup),
		cmocka_unit_test_setup(
			every_rule_that_is_judged_has_a_case_and_a_look_alike, setup),
		cmocka_unit_test_setup(every_rule_is_mapped_and_at_least_forty_run, setup),
		cmocka_unit_test_setup(every_rule_takes_values_for_its_exceptions, setup),
		cmocka_unit_test_setup(rules_of_others_load_behind_ours_and_fire, setup),
		cmocka_unit_test_setup(the_known_rule_files_have_no_errors, setup),
	};

	return cmocka_run_group_tests(tests, load_set, unload);
}
