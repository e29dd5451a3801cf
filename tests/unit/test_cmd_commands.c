#include "cmd/cmd.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct cmd_option options[] = {
	{ "format", "FORMAT", "table json", "how" },
	{ "limit", "N", NULL, "how many" },
	{ "fresh", NULL, NULL, "anew" },
	{ 0 },
};
static const struct cmd command = { "test thing", NULL, "help", "THING...", NULL, NULL, "ex\n",
	options };
enum { FORMAT, LIMIT, FRESH };

/* stderr into a file for the time of a call. */
struct caught {
	int saved;
	FILE *file;
	char text[4096];
};

static void catch_begin(struct caught *c)
{
	fflush(stderr);
	c->saved = dup(STDERR_FILENO);
	c->file = tmpfile();
	assert_non_null(c->file);
	dup2(fileno(c->file), STDERR_FILENO);
}

static void catch_end(struct caught *c)
{
	fflush(stderr);
	dup2(c->saved, STDERR_FILENO);
	close(c->saved);
	rewind(c->file);
	c->text[fread(c->text, 1, sizeof(c->text) - 1, c->file)] = 0;
	fclose(c->file);
}

static void options_are_taken_in_any_place(void **state)
{
	(void)state;
	char *argv[] = { "thing", "--format", "json", "one", "--state-dir=/s", "--fresh", "two",
		"--config", "c.yaml", "--", "--three", NULL };
	struct cmd_env env = { .cmd = &command };
	struct cmd_args a = cmd_args_of(11, argv, &env);
	assert_int_equal(cmd_args_next(&a), FORMAT);
	assert_string_equal(a.value, "json");
	assert_int_equal(cmd_args_next(&a), FRESH);
	assert_int_equal(cmd_args_next(&a), CMD_ARGS_END);
	assert_string_equal(env.state_dir, "/s");
	assert_string_equal(env.config_file, "c.yaml");
	assert_int_equal(a.argc - a.first, 3);
	assert_string_equal(argv[a.first], "one");
	assert_string_equal(argv[a.first + 2], "--three");
	assert_int_equal(cmd_args_count(&a, 1, 3), EXIT_DONE);
}

/* These words are refused with 2, and one line that has the part. */
static void refused(int argc, char **argv, const char *part)
{
	struct cmd_env env = { .cmd = &command };
	struct cmd_args a = cmd_args_of(argc, argv, &env);
	struct caught c;
	int got;
	catch_begin(&c);
	while ((got = cmd_args_next(&a)) >= 0)
		;
	catch_end(&c);
	assert_int_equal(got, CMD_ARGS_BAD);
	assert_int_equal(cmd_args_code(got), EXIT_USAGE);
	if (!strstr(c.text, part))
		fail_msg("\"%s\" lacks \"%s\"", c.text, part);
	assert_ptr_equal(strchr(c.text, '\n'), c.text + strlen(c.text) - 1);
	assert_int_equal(strncmp(c.text, "hullwatch test thing: ", 22), 0);
}

static void wrong_options_are_one_line_with_the_nearest(void **state)
{
	(void)state;
	char *misspelled[] = { "thing", "--formt", "json", NULL };
	char *with_value[] = { "thing", "--formt=json", NULL };
	char *unlike[] = { "thing", "--zzzzzzzz", NULL };
	char *letter[] = { "thing", "-q", NULL };
	char *missing[] = { "thing", "--limit", NULL };
	char *extra[] = { "thing", "--fresh=1", NULL };
	char *word[] = { "thing", "--format", "xml", NULL };
	char *bytes[] = { "thing", "--\x1b[31m\n", NULL };
	refused(3, misspelled, "unknown option --formt; did you mean --format?");
	refused(2, with_value, "did you mean --format?");
	refused(2, unlike, "unknown option --zzzzzzzz; --help lists");
	refused(2, letter, "unknown option -q");
	refused(2, missing, "option --limit needs a value");
	refused(2, extra, "option --fresh takes no value");
	refused(3, word, "--format xml: it takes one of: table json");
	refused(2, bytes, "--\\x1b[31m\\x0a");
}

static void too_few_and_too_many_arguments_are_told(void **state)
{
	(void)state;
	char *argv[] = { "thing", "one", "two", NULL };
	struct cmd_env env = { .cmd = &command };
	struct cmd_args a = cmd_args_of(3, argv, &env);
	struct caught c;
	assert_int_equal(cmd_args_next(&a), CMD_ARGS_END);
	catch_begin(&c);
	assert_int_equal(cmd_args_count(&a, 3, 9), EXIT_USAGE);
	assert_int_equal(cmd_args_count(&a, 0, 1), EXIT_USAGE);
	catch_end(&c);
	assert_non_null(strstr(c.text, "THING... is missing"));
	assert_non_null(strstr(c.text, "unexpected argument two"));
}

/* The program with these words: the code, and one line on stderr that has the part. */
static void program(int argc, char **argv, int code, const char *part)
{
	struct caught c;
	catch_begin(&c);
	int got = cmd_main(argc, argv);
	catch_end(&c);
	assert_int_equal(got, code);
	if (!strstr(c.text, part))
		fail_msg("\"%s\" lacks \"%s\"", c.text, part);
}

static void commands_are_found_or_told(void **state)
{
	(void)state;
	char *none[] = { "hullwatch", NULL };
	char *later[] = { "hullwatch", "scan", "x", NULL };
	char *later_two[] = { "hullwatch", "sinks", "test", "x", NULL };
	char *near[] = { "hullwatch", "rnu", NULL };
	char *nothing[] = { "hullwatch", "zzzzzzzzzzzz", NULL };
	char *group[] = { "hullwatch", "rules", NULL };
	char *empty[] = { "hullwatch", "", NULL };
	char *bad_global[] = { "hullwatch", "--confg", "x", "run", NULL };
	program(1, none, EXIT_USAGE, "usage: hullwatch");
	program(3, later, EXIT_USAGE, "hullwatch: scan: not in this version\n");
	program(4, later_two, EXIT_USAGE, "sinks: not in this version");
	program(2, near, EXIT_USAGE, "unknown command rnu; did you mean run?");
	program(2, nothing, EXIT_USAGE, "unknown command zzzzzzzzzzzz");
	program(2, group, EXIT_USAGE, "rules: what follows is one of: check, test, list, fields");
	program(2, empty, EXIT_USAGE, "unknown command");
	program(4, bad_global, EXIT_USAGE, "unknown option --confg; did you mean --config?");
}

static void every_command_has_help_with_its_options_and_examples(void **state)
{
	(void)state;
	size_t n;
	const struct cmd *c = cmd_table(&n);
	for (size_t i = 0; i < n; i++) {
		AUTO(buf_fini) struct buf b = BUF_INIT(1u << 16);
		cmd_help(&b, &c[i]);
		assert_non_null(strstr(buf_cstr(&b), c[i].name));
		assert_non_null(strstr(buf_cstr(&b), "\nexamples:\n  hullwatch "));
		for (const struct cmd_option *o = c[i].options; o && o->name; o++)
			assert_non_null(strstr(buf_cstr(&b), o->name));
	}
}

/* The sources of all manual pages, one after another. */
static void read_pages(struct buf *b, const char *src)
{
	static const char *const pages[] = { "hullwatch.1", "hullwatch-run.1", "hullwatch-status.1",
		"hullwatch-alerts.1", "hullwatch-rules.1", "hullwatch-config.1",
		"hullwatch.yaml.5" };
	for (size_t i = 0; i < ARRAY_N(pages); i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof(path), "%s/docs/man/%s.scd", src, pages[i]);
		FILE *f = fopen(path, "re");
		assert_non_null(f);
		char *at = buf_reserve(b, 1u << 16);
		assert_non_null(at);
		b->n += fread(at, 1, 1u << 16, f);
		b->p[b->n] = 0;
		fclose(f);
	}
}

static void the_manual_names_every_command_option_and_key(void **state)
{
	(void)state;
	const char *src = getenv("HW_SRC");
	if (!src)
		skip();
	AUTO(buf_fini) struct buf b = BUF_INIT(4u << 20);
	char word[80];
	size_t n;
	const struct cmd *c = cmd_table(&n);
	struct config_key_info k;
	read_pages(&b, src);
	for (size_t i = 0; i < n; i++) {
		snprintf(word, sizeof(word), "*%s*", c[i].name);
		if (!strstr(buf_cstr(&b), word))
			fail_msg("no manual page has %s", word);
		for (const struct cmd_option *o = c[i].options; o && o->name; o++) {
			snprintf(word, sizeof(word), "*--%s*", o->name);
			if (!strstr(buf_cstr(&b), word))
				fail_msg("no manual page has %s", word);
		}
	}
	for (size_t i = 0; config_key_at(i, &k); i++) {
		const char *dot = strrchr(k.name, '.');
		snprintf(word, sizeof(word), "*%s*", dot ? dot + 1 : k.name);
		if (!strstr(buf_cstr(&b), word))
			fail_msg("hullwatch.yaml(5) lacks %s", k.name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_taken_in_any_place),
		cmocka_unit_test(wrong_options_are_one_line_with_the_nearest),
		cmocka_unit_test(too_few_and_too_many_arguments_are_told),
		cmocka_unit_test(commands_are_found_or_told),
		cmocka_unit_test(every_command_has_help_with_its_options_and_examples),
		cmocka_unit_test(the_manual_names_every_command_option_and_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
