#include "config/config.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

struct fixture {
	char dir[64], real[PATH_MAX];
	struct buf problems;
	struct config *c;
	struct err e;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	snprintf(f->dir, sizeof(f->dir), "/tmp/hw-config-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_non_null(realpath(f->dir, f->real));
	f->problems = (struct buf)BUF_INIT(1u << 20);
	*state = f;
	return 0;
}

static void remove_in(struct fixture *f, const char *name)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	remove(path);
}

static int teardown(void **state)
{
	static const char *const names[] = { "conf.d/10-a.yaml", "conf.d/9-b.yaml",
		"conf.d/.x.yaml", "conf.d/c.yml", "conf.d", "hullwatch.yaml", "" };
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_N(names); i++)
		remove_in(f, names[i]);
	buf_fini(&f->problems);
	config_free(f->c);
	free(f);
	return 0;
}

static void write_in(struct fixture *f, const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	FILE *out = fopen(path, "we");
	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
}

static void make_conf_d(struct fixture *f)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/conf.d", f->dir);
	assert_int_equal(mkdir(path, 0700), 0);
}

static int load_given(struct fixture *f, const char *state_dir)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/hullwatch.yaml", f->dir);
	const struct config_source s = { .file = path, .state_dir = state_dir };
	buf_reset(&f->problems);
	config_free(f->c);
	f->c = NULL;
	return config_load(&f->c, &s, &f->problems, &f->e);
}

static int load_text(struct fixture *f, const char *text)
{
	write_in(f, "hullwatch.yaml", text);
	return load_given(f, NULL);
}

/* The text is refused, and each of the parts stands in the problems. */
static void refused(struct fixture *f, const char *text, const char *part)
{
	assert_int_equal(load_text(f, text), -1);
	assert_int_equal(f->e.code, ERR_CONFIG);
	if (!strstr(buf_cstr(&f->problems), part))
		fail_msg("\"%s\" lacks \"%s\"", buf_cstr(&f->problems), part);
}

static size_t lines(const struct buf *b)
{
	size_t n = 0;
	for (size_t i = 0; i < b->n; i++)
		n += b->p[i] == '\n';
	return n;
}

static void without_any_file_the_defaults_hold(void **state)
{
	struct fixture *f = *state;
	char path[256];
	snprintf(path, sizeof(path), "%s/hullwatch.yaml", f->dir);
	const struct config_source s = { .default_file = path };
	assert_int_equal(config_load(&f->c, &s, &f->problems, &f->e), 0);
	assert_string_equal(f->c->state_dir, "/var/lib/hullwatch");
	assert_string_equal(f->c->runtime_dir, "/run/hullwatch");
	assert_int_equal(f->c->rules_files.n, 2);
	assert_int_equal(f->c->rule_matching, CONFIG_MATCH_ALL);
	assert_int_equal(f->c->priority, PRIORITY_DEBUG);
	assert_int_equal(f->c->collector.ring_mib, 16);
	assert_int_equal(f->c->collector.park_ms, 500);
	assert_int_equal(f->c->store.segment_age_ns, 3600000000000u);
	assert_int_equal(f->c->collector.account_cgroups.n, 0);
	assert_int_equal(f->c->files.n, 0);
	assert_true(config_is_default(f->c, "rules_files"));
}

static void a_given_file_that_is_missing_is_an_error(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(load_given(f, NULL), -1);
	assert_int_equal(f->e.code, ERR_CONFIG);
	assert_non_null(strstr(buf_cstr(&f->problems), "hullwatch.yaml"));
	assert_non_null(strstr(buf_cstr(&f->problems), "No such file"));
}

static void values_of_every_kind_are_taken(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(load_text(f, "state_dir: /srv/hw\n"
				      "rule_matching: first\n"
				      "priority: Info\n"
				      "json_output: yes\n"
				      "log: {level: debug}\n"
				      "collector:\n"
				      "  pin: off\n"
				      "  ring_mib: 64\n"
				      "  account_cgroups: [/sys/fs/cgroup/a, /sys/fs/cgroup/b]\n"
				      "store:\n"
				      "  events: all\n"
				      "  segment_age: 2d\n"
				      "containers:\n"),
		0);
	assert_string_equal(f->c->state_dir, "/srv/hw");
	assert_string_equal(f->c->runtime_dir, "/srv/hw/run");
	assert_int_equal(f->c->rule_matching, CONFIG_MATCH_FIRST);
	assert_int_equal(f->c->priority, PRIORITY_INFORMATIONAL);
	assert_true(f->c->json_output);
	assert_int_equal(f->c->log_level, CONFIG_LOG_DEBUG);
	assert_int_equal(f->c->collector.pin, CONFIG_PIN_OFF);
	assert_int_equal(f->c->collector.ring_mib, 64);
	assert_int_equal(f->c->collector.account_cgroups.n, 2);
	assert_string_equal(f->c->collector.account_cgroups.p[1], "/sys/fs/cgroup/b");
	assert_int_equal(f->c->store.events, CONFIG_EVENTS_ALL);
	assert_int_equal(f->c->store.segment_age_ns, 2 * 86400000000000u);
}

static void an_unknown_key_is_told_with_place_and_nearest_key(void **state)
{
	struct fixture *f = *state;
	refused(f, "collector:\n  ring_mb: 4\n",
		"hullwatch.yaml:2:3: unknown key collector.ring_mb");
	assert_non_null(strstr(buf_cstr(&f->problems), "did you mean collector.ring_mib?"));
	refused(f, "colector:\n  ring_mib: 4\n", "did you mean collector?");
	refused(f, "rules_file: []\n", "did you mean rules_files?");
	refused(f, "ring_mib: 4\n", "did you mean collector.ring_mib?");
	refused(f, "qqqqqqqqqqqqqq: 4\n", "unknown key qqqqqqqqqqqqqq");
	refused(f, "slack: {webhookurl: x}\n", "slack: not in this version");
}

static void a_wrong_type_or_range_is_told_with_what_would_be_right(void **state)
{
	struct fixture *f = *state;
	refused(f, "collector: {ring_mib: big}\n",
		"1:23: collector.ring_mib: \"big\" is not a whole");
	refused(f, "collector: {ring_mib: 4096}\n", "not between 1 and 1024");
	refused(f, "collector: {ring_mib: -1}\n", "not between 1 and 1024");
	refused(f, "collector: {ring_mib: 12}\n", "not a power of two");
	refused(f, "collector: {pin: maybe}\n", "none of auto, off");
	refused(f, "json_output: perhaps\n", "neither true nor false");
	refused(f, "json_output: [true]\n", "a list does not belong here");
	refused(f, "state_dir: {a: b}\n", "a section does not belong here");
	refused(f, "state_dir:\n", "a path is needed");
	refused(f, "store: 5\n", "a section (keys below it) is needed");
	refused(f, "store: {segment_age: soon}\n", "not a duration");
	refused(f, "store: {segment_age: 1s}\n", "not between 60s and");
	refused(f, "rules_files: [[a]]\n", "a path is needed");
	refused(f, "- a\n", "keys with values are needed");
	refused(f, "priority: debug\n---\npriority: debug\n", "a second document");
	refused(f, "a: [\n", "hullwatch.yaml:");
}

static void every_problem_of_every_file_is_told(void **state)
{
	struct fixture *f = *state;
	make_conf_d(f);
	write_in(f, "conf.d/10-a.yaml", "nothing_like_it: 1\n");
	refused(f, "json_output: 5x\nlog: {level: loud}\nqqqqqq: 1\n", "json_output");
	assert_int_equal(lines(&f->problems), 4);
	assert_non_null(strstr(buf_cstr(&f->problems), "conf.d/10-a.yaml:1:1"));
	assert_string_equal(f->e.msg, "configuration: 4 problems");
}

static void more_problems_than_the_bound_are_counted(void **state)
{
	struct fixture *f = *state;
	AUTO(buf_fini) struct buf text = BUF_INIT(1u << 16);
	for (int i = 0; i < CONFIG_MAX_PROBLEMS + 7; i++)
		buf_printf(&text, "unknown%d: 1\n", i);
	refused(f, buf_cstr(&text), "and 7 more\n");
	assert_int_equal(lines(&f->problems), CONFIG_MAX_PROBLEMS + 1);
}

static void later_files_override_scalars_and_replace_lists(void **state)
{
	struct fixture *f = *state;
	make_conf_d(f);
	write_in(f, "conf.d/10-a.yaml", "rules_files: [from_a.yaml]\nlog: {level: warn}\n");
	write_in(f, "conf.d/9-b.yaml", "log: {level: error}\n"); /* after 10-a by its bytes */
	write_in(f, "conf.d/.x.yaml", "nonsense: 1\n");
	write_in(f, "conf.d/c.yml", "nonsense: 1\n");
	assert_int_equal(load_text(f, "rules_files: [one.yaml, two.yaml]\njson_output: true\n"), 0);
	assert_int_equal(f->c->rules_files.n, 1);
	assert_int_equal(f->c->log_level, CONFIG_LOG_ERROR);
	assert_true(f->c->json_output);
	assert_int_equal(f->c->files.n, 3);
}

static void a_relative_path_is_relative_to_its_file(void **state)
{
	struct fixture *f = *state;
	char expected[PATH_MAX + 32];
	make_conf_d(f);
	write_in(f, "conf.d/10-a.yaml", "rules_files: [mine.yaml]\n");
	assert_int_equal(load_text(f, "state_dir: state\n"), 0);
	snprintf(expected, sizeof(expected), "%s/state", f->real);
	assert_string_equal(f->c->state_dir, expected);
	snprintf(expected, sizeof(expected), "%s/conf.d/mine.yaml", f->real);
	assert_string_equal(f->c->rules_files.p[0], expected);
}

static void the_command_line_wins_over_the_files(void **state)
{
	struct fixture *f = *state;
	write_in(f, "hullwatch.yaml", "state_dir: /srv/hw\n");
	assert_int_equal(load_given(f, "/tmp/other"), 0);
	assert_string_equal(f->c->state_dir, "/tmp/other");
	assert_string_equal(f->c->runtime_dir, "/tmp/other/run");
	assert_int_equal(load_given(f, "/var/lib/hullwatch"), 0);
	assert_string_equal(f->c->runtime_dir, "/run/hullwatch");
	assert_int_equal(load_given(f, ""), -1);
}

static void what_is_shown_loads_to_the_same(void **state)
{
	struct fixture *f = *state;
	AUTO(buf_fini) struct buf first = BUF_INIT(1u << 16);
	AUTO(buf_fini) struct buf second = BUF_INIT(1u << 16);
	assert_int_equal(load_text(f, "state_dir: \"/srv/a \\\"b\\\\ c\"\n"
				      "collector: {pin: off, account_cgroups: [/a]}\n"
				      "store: {segment_age: 90s}\n"),
		0);
	config_show(&first, f->c, false);
	assert_int_equal(load_text(f, buf_cstr(&first)), 0);
	config_show(&second, f->c, false);
	assert_string_equal(buf_cstr(&first), buf_cstr(&second));
	assert_non_null(strstr(buf_cstr(&first), "segment_age: 90s"));
}

static void origins_name_the_file_the_option_or_the_default(void **state)
{
	struct fixture *f = *state;
	AUTO(buf_fini) struct buf b = BUF_INIT(1u << 16);
	write_in(f, "hullwatch.yaml", "priority: error\nlog:\n  level: warn\n");
	assert_int_equal(load_given(f, "/tmp/x"), 0);
	config_show(&b, f->c, true);
	assert_non_null(strstr(buf_cstr(&b), "state_dir: \"/tmp/x\"  # --state-dir\n"));
	assert_non_null(strstr(buf_cstr(&b), "json_output: false  # default\n"));
	assert_non_null(strstr(buf_cstr(&b), "hullwatch.yaml:3\n"));
}

static void an_origin_cannot_smuggle_a_line(void **state)
{
	struct fixture *f = *state;
	char path[256];
	AUTO(buf_fini) struct buf b = BUF_INIT(1u << 16);
	write_in(f, "hullwatch.yaml", "priority: error\n");
	snprintf(path, sizeof(path), "%s/a\nstate_dir: x.yaml", f->dir);
	char from[256];
	snprintf(from, sizeof(from), "%s/hullwatch.yaml", f->dir);
	assert_int_equal(rename(from, path), 0);
	const struct config_source s = { .file = path };
	int rc = config_load(&f->c, &s, &f->problems, &f->e);
	remove(path);
	assert_int_equal(rc, 0);
	config_show(&b, f->c, true);
	assert_null(strstr(buf_cstr(&b), "\nstate_dir: x"));
}

static bool note_key(void *ctx, const char *key)
{
	struct buf *b = ctx;
	buf_printf(b, "%s ", key);
	return true;
}

static void changes_name_the_keys_that_differ(void **state)
{
	struct fixture *f = *state;
	AUTO(buf_fini) struct buf b = BUF_INIT(1024);
	assert_int_equal(load_text(f, "rules_files: [a]\n"), 0);
	AUTO(config_free) struct config *before = TAKE(f->c);
	assert_int_equal(load_text(f, "rules_files: [b]\ncollector: {ring_mib: 32}\n"), 0);
	config_changes(before, f->c, note_key, &b);
	assert_string_equal(buf_cstr(&b), "rules_files collector.ring_mib ");
}

static void too_large_a_file_is_refused(void **state)
{
	struct fixture *f = *state;
	AUTO(buf_fini) struct buf text = BUF_INIT(4u << 20);
	while (text.n <= CONFIG_MAX_FILE_BYTES + 20000)
		buf_puts(&text, "# nothing\n");
	refused(f, buf_cstr(&text), "larger than");
}

static void the_shipped_file_loads_and_changes_nothing(void **state)
{
	struct fixture *f = *state;
	const char *src = getenv("HW_SRC");
	if (!src)
		skip();
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/config/default/hullwatch.yaml", src);
	const struct config_source s = { .file = path };
	struct config_key_info k;
	assert_int_equal(config_load(&f->c, &s, &f->problems, &f->e), 0);
	for (size_t i = 0; config_key_at(i, &k); i++)
		assert_true(config_is_default(f->c, k.name));
}

static void the_shipped_examples_are_the_defaults(void **state)
{
	struct fixture *f = *state;
	const char *src = getenv("HW_SRC");
	/* The file shows the paths of a distribution's package. */
	if (!src || strcmp(HW_DATA_DIR, "/usr/share/hullwatch") != 0 ||
		strcmp(HW_CONFIG_DIR, "/etc/hullwatch") != 0)
		skip();
	char path[PATH_MAX], line[512];
	AUTO(buf_fini) struct buf text = BUF_INIT(1u << 16);
	AUTO(buf_fini) struct buf shown = BUF_INIT(1u << 16);
	AUTO(buf_fini) struct buf expected = BUF_INIT(1u << 16);
	snprintf(path, sizeof(path), "%s/config/default/hullwatch.yaml", src);
	FILE *in = fopen(path, "re");
	assert_non_null(in);
	/* The lines that are keys or items, without their comment sign. */
	while (fgets(line, sizeof(line), in)) {
		const char *word = line + 1 + strspn(line + 1, " ");
		size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyz_");
		if (line[0] == '#' && ((n && word[n] == ':') || strncmp(word, "- ", 2) == 0))
			buf_puts(&text, line + 2);
	}
	fclose(in);
	write_in(f, "hullwatch.yaml", "");
	assert_int_equal(load_given(f, NULL), 0);
	config_show(&expected, f->c, false);
	if (load_text(f, buf_cstr(&text)))
		fail_msg("%s", buf_cstr(&f->problems));
	config_show(&shown, f->c, false);
	assert_string_equal(buf_cstr(&shown), buf_cstr(&expected));
}

static void every_key_has_help_and_stands_in_the_shipped_file(void **state)
{
	(void)state;
	const char *src = getenv("HW_SRC");
	if (!src)
		skip();
	char path[PATH_MAX];
	static char text[1 << 16];
	snprintf(path, sizeof(path), "%s/config/default/hullwatch.yaml", src);
	FILE *in = fopen(path, "re");
	assert_non_null(in);
	text[fread(text, 1, sizeof(text) - 1, in)] = 0;
	fclose(in);
	struct config_key_info k;
	for (size_t i = 0; config_key_at(i, &k); i++) {
		const char *dot = strrchr(k.name, '.');
		char line[80];
		snprintf(line, sizeof(line), "# %s%s:", dot ? "  " : "", dot ? dot + 1 : k.name);
		assert_true(strlen(k.help) > 5);
		if (!strstr(text, line))
			fail_msg("%s lacks %s", path, k.name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(without_any_file_the_defaults_hold),
		T(a_given_file_that_is_missing_is_an_error),
		T(values_of_every_kind_are_taken),
		T(an_unknown_key_is_told_with_place_and_nearest_key),
		T(a_wrong_type_or_range_is_told_with_what_would_be_right),
		T(every_problem_of_every_file_is_told),
		T(more_problems_than_the_bound_are_counted),
		T(later_files_override_scalars_and_replace_lists),
		T(a_relative_path_is_relative_to_its_file),
		T(the_command_line_wins_over_the_files),
		T(what_is_shown_loads_to_the_same),
		T(origins_name_the_file_the_option_or_the_default),
		T(an_origin_cannot_smuggle_a_line),
		T(changes_name_the_keys_that_differ),
		T(too_large_a_file_is_refused),
		T(the_shipped_file_loads_and_changes_nothing),
		T(the_shipped_examples_are_the_defaults),
		T(every_key_has_help_and_stands_in_the_shipped_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
