/* rules list, rules fields, and how rules are loaded. */
#include "cmd/rules.h"

#include "cmd/show.h"

#include <errno.h>

const struct cmd_option cmd_rules_list_options[] = {
	{ "format", "FORMAT", SHOW_WORDS, "how to print" },
	{ "rules", "PATH", NULL, "instead of the configured files; may be repeated" },
	{ 0 },
};
const struct cmd_option cmd_rules_fields_options[] = {
	{ "format", "FORMAT", SHOW_WORDS, "how to print" },
	{ 0 },
};

/* ---- loading, for run too ---- */

size_t cmd_rules_paths(
	const struct config *c, const struct config_list *given, const char **out, size_t max)
{
	const struct config_list *list = given && given->n ? given : &c->rules_files;
	bool may_miss = list == &c->rules_files && config_is_default(c, "rules_files");
	size_t n = 0;
	for (size_t i = 0; i < list->n && n < max; i++) {
		if (!may_miss || access(list->p[i], F_OK) == 0 || errno != ENOENT)
			out[n++] = list->p[i];
	}
	return n;
}

int cmd_rules_load(struct ruleset **out, const struct config *c, const struct config_list *given,
	struct rules_report *report, struct err *e)
{
	const char *paths[CONFIG_MAX_ITEMS];
	size_t n = cmd_rules_paths(c, given, paths, ARRAY_N(paths));
	if (n == 0)
		return err_set(e, ERR_CONFIG, "no rule files: none in %s; give some with --rules",
			HW_DATA_DIR "/rules");
	/* What Falco's container plugin suggests for every output: which container, whatever the rule says. */
	static const char *const suggested[] = { "container.id", "container.name",
		"container.image.repository", "container.image.tag" };
	struct rules_options o = {
		.matching = c->rule_matching == CONFIG_MATCH_FIRST ? RULES_MATCH_FIRST
								   : RULES_MATCH_ALL,
		.has_priority = true,
		.priority = c->priority,
		.append_fields = suggested,
		.append_fields_n = ARRAY_N(suggested),
	};
	if (rules_load(out, paths, n, &o, report, e) == 0)
		return 0;
	/* A rule file that is missing or no YAML is a wrong configuration, not a failure of ours. */
	e->code = ERR_CONFIG;
	return err_wrap(e, "load rules");
}

/* ---- rules list ---- */

static const struct show_column rule_columns[] = {
	{ "rule", "RULE", SHOW_TEXT },
	{ "priority", "PRIORITY", SHOW_TEXT },
	{ "state", "STATE", SHOW_TEXT },
	{ "why", "WHY", SHOW_TEXT },
	{ "source", NULL, SHOW_TEXT },
	{ "file", "FILE", SHOW_TEXT },
	{ "line", NULL, SHOW_COUNT },
	{ "desc", NULL, SHOW_TEXT },
	{ "condition", NULL, SHOW_TEXT },
	{ "output", NULL, SHOW_TEXT },
};

static void show_rule(struct show *s, const struct rule_info *r)
{
	const struct show_cell cells[] = {
		{ .text = str_from(r->name) },
		{ .text = str_from(priority_name(r->priority)) },
		{ .text = str_from(rule_state_name(r->state)) },
		{ .text = str_from(r->why) },
		{ .text = str_from(r->source) },
		{ .text = str_from(r->file) },
		{ .number = r->line },
		{ .text = str_from(r->desc) },
		{ .text = str_from(r->condition) },
		{ .text = str_from(r->output) },
	};
	show_row(s, cells);
}

void cmd_rules_tell(
	const struct rules_report *r, void (*tell)(enum rules_level l, const char *line))
{
	for (size_t i = 0; i < r->list.n; i++) {
		AUTO(buf_fini) struct buf b = BUF_INIT(1u << 16);
		rules_problem_text(&b, &r->list.p[i]);
		tell(r->list.p[i].level, buf_cstr(&b));
	}
}

static void tell_stderr(enum rules_level l, const char *line)
{
	if (l == RULES_ERROR)
		fprintf(stderr, "%s\n", line);
}

void cmd_rules_tell_errors(const struct rules_report *r)
{
	cmd_rules_tell(r, tell_stderr);
}

static int list_rules(struct cmd_env *env, enum show_format format, const struct config_list *given)
{
	AUTO(config_free) struct config *c = NULL;
	AUTO(ruleset_unref) struct ruleset *rules = NULL;
	AUTO(rules_report_fini) struct rules_report report = RULES_REPORT_INIT;
	struct err e = { 0 };
	int rc = cmd_load_config(env, &c);
	if (rc)
		return rc;
	if (cmd_rules_load(&rules, c, given, &report, &e))
		return cmd_fail(env, &e);
	cmd_rules_tell_errors(&report);
	AUTO(show_free)
	struct show *s = show_new(
		stdout, format, rule_columns, ARRAY_N(rule_columns), show_terminal_width());
	for (size_t i = 0; i < ruleset_count(rules); i++)
		show_rule(s, ruleset_rule(rules, i));
	if (show_end(s, &e))
		return cmd_fail(env, &e);
	return report.errors_n ? EXIT_USAGE : EXIT_DONE;
}

int cmd_rules_list(int argc, char **argv, struct cmd_env *env)
{
	struct cmd_args a = cmd_args_of(argc, argv, env);
	const char *paths[CONFIG_MAX_ITEMS];
	size_t n = 0;
	enum show_format format = SHOW_TABLE;
	int got;
	while ((got = cmd_args_next(&a)) >= 0) {
		if (got == 0)
			format = show_format_of(a.value);
		else if (n < ARRAY_N(paths))
			paths[n++] = a.value;
		else
			return cmd_fail_text(
				env, EXIT_USAGE, "more than %d --rules", CONFIG_MAX_ITEMS);
	}
	if (got != CMD_ARGS_END)
		return cmd_args_code(got);
	if (cmd_args_count(&a, 0, 0))
		return EXIT_USAGE;
	return list_rules(env, format, &(struct config_list){ paths, n });
}

/* ---- rules fields ---- */

static const struct show_column field_columns[] = {
	{ "field", "FIELD", SHOW_TEXT },
	{ "argument", "ARGUMENT", SHOW_TEXT },
	{ "type", "TYPE", SHOW_TEXT },
	{ "available", "AVAILABLE", SHOW_YESNO },
	{ "meaning", "MEANING", SHOW_TEXT },
};

int cmd_rules_fields(int argc, char **argv, struct cmd_env *env)
{
	struct cmd_args a = cmd_args_of(argc, argv, env);
	enum show_format format = SHOW_TABLE;
	struct err e = { 0 };
	int got;
	while ((got = cmd_args_next(&a)) >= 0)
		format = show_format_of(a.value);
	if (got != CMD_ARGS_END)
		return cmd_args_code(got);
	if (cmd_args_count(&a, 0, 0))
		return EXIT_USAGE;
	AUTO(show_free)
	struct show *s = show_new(
		stdout, format, field_columns, ARRAY_N(field_columns), show_terminal_width());
	for (size_t i = 0; i < rules_fields_count(); i++) {
		struct rules_field f = rules_field_at(i);
		const struct show_cell cells[] = {
			{ .text = str_from(f.name) },
			{ .text = str_from(f.arg) },
			{ .text = str_from(f.type) },
			{ .number = f.available },
			{ .text = str_from(f.meaning) },
		};
		show_row(s, cells);
	}
	return show_end(s, &e) ? cmd_fail(env, &e) : EXIT_DONE;
}
