/* rules check: problems of rule files, as text, as rows, or as Falco's --validate has them. */
#include "cmd/rules.h"

#include "base/json.h"
#include "cmd/show.h"

#define MAX_ANSWER (256u << 20)

const struct cmd_option cmd_rules_check_options[] = {
	{ "format", "FORMAT", SHOW_WORDS, "how to print the problems; json is Falco's own shape" },
	{ 0 },
};

static int check_code(const struct rules_report *r)
{
	if (r->errors_n)
		return EXIT_USAGE;
	return r->cannot_run_n ? EXIT_PARTLY : EXIT_DONE;
}

/* Worst of one file: 2 an error, 1 anything else, 0 nothing. */
static int worst_of(const struct rules_report *r, const char *file)
{
	int worst = 0;
	for (size_t i = 0; i < r->list.n && worst < 2; i++) {
		if (strcmp(r->list.p[i].file, file) == 0)
			worst = r->list.p[i].level == RULES_ERROR ? 2 : 1;
	}
	return worst;
}

/* ---- text ---- */

static int print_check(const struct cmd_env *env, const struct rules_report *r)
{
	static const char *const verdicts[] = { "Ok", "Ok, with warnings", "Invalid" };
	AUTO(buf_fini) struct buf b = BUF_INIT(MAX_ANSWER);
	for (size_t i = 0; i < r->list.n; i++) {
		buf_reset(&b);
		rules_problem_text(&b, &r->list.p[i]);
		fprintf(stderr, "%s\n", buf_cstr(&b));
	}
	buf_reset(&b);
	for (size_t i = 0; i < r->files.n; i++)
		buf_printf(&b, "%s: %s\n", r->files.p[i], verdicts[worst_of(r, r->files.p[i])]);
	buf_printf(&b,
		"%zu rules, %zu macros, %zu lists: %zu errors, %zu cannot run here, %zu warnings\n",
		r->rules_n, r->macros_n, r->lists_n, r->errors_n, r->cannot_run_n, r->warnings_n);
	int rc = cmd_print(env, &b);
	return rc ? rc : check_code(r);
}

/* ---- Falco's JSON ---- */

static void put_context(struct jw *w, const struct rules_problem *p)
{
	jw_key(w, "context");
	jw_obj(w);
	jw_key(w, "locations");
	jw_arr(w);
	jw_obj(w);
	jw_kv_strz(w, "item_name", p->name);
	jw_kv_strz(w, "item_type", p->kind);
	jw_key(w, "position");
	jw_obj(w);
	jw_kv_u64(w, "column", p->col);
	jw_kv_u64(w, "line", p->line);
	jw_kv_strz(w, "name", p->file);
	jw_end_obj(w);
	jw_end_obj(w);
	jw_end_arr(w);
	jw_end_obj(w);
}

static void put_problem(struct jw *w, const struct rules_problem *p)
{
	AUTO(buf_fini) struct buf what = BUF_INIT(8192);
	buf_printf(&what, "%s", p->what);
	if (p->nearest)
		buf_printf(&what, " (did you mean %s?)", p->nearest);
	jw_obj(w);
	jw_kv_strz(w, "code", rules_problem_code(p));
	jw_kv_strz(w, "codedesc", rules_problem_meaning(p));
	put_context(w, p);
	/* Ours: Falco has no word for a rule that is right and not judged. */
	jw_kv_strz(w, "level", rules_level_name(p->level));
	jw_kv_str(w, "message", buf_str(&what));
	jw_end_obj(w);
}

static void put_problems(
	struct jw *w, const char *key, const struct rules_report *r, const char *file, bool errors)
{
	jw_key(w, key);
	jw_arr(w);
	for (size_t i = 0; i < r->list.n; i++) {
		const struct rules_problem *p = &r->list.p[i];
		if ((p->level == RULES_ERROR) == errors && strcmp(p->file, file) == 0)
			put_problem(w, p);
	}
	jw_end_arr(w);
}

static int print_falco(const struct cmd_env *env, const struct rules_report *r)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(MAX_ANSWER);
	struct jw w = jw_on(&b);
	jw_obj(&w);
	jw_key(&w, "falco_load_results");
	jw_arr(&w);
	for (size_t i = 0; i < r->files.n; i++) {
		const char *file = r->files.p[i];
		jw_obj(&w);
		put_problems(&w, "errors", r, file, true);
		jw_kv_strz(&w, "name", file);
		jw_kv_bool(&w, "successful", worst_of(r, file) < 2);
		put_problems(&w, "warnings", r, file, false);
		jw_end_obj(&w);
	}
	jw_end_arr(&w);
	jw_end_obj(&w);
	buf_putc(&b, '\n');
	int rc = cmd_print(env, &b);
	return rc ? rc : check_code(r);
}

/* ---- rows ---- */

static const struct show_column problem_columns[] = {
	{ "level", "LEVEL", SHOW_TEXT },
	{ "file", "FILE", SHOW_TEXT },
	{ "line", "LINE", SHOW_COUNT },
	{ "column", "COLUMN", SHOW_COUNT },
	{ "kind", "KIND", SHOW_TEXT },
	{ "name", "NAME", SHOW_TEXT },
	{ "problem", "PROBLEM", SHOW_TEXT },
	{ "nearest", "NEAREST", SHOW_TEXT },
};

static void show_problem(struct show *s, const struct rules_problem *p)
{
	const struct show_cell cells[] = {
		{ .text = str_from(rules_level_name(p->level)) },
		{ .text = str_from(p->file) },
		{ .number = p->line, .missing = p->line == 0 },
		{ .number = p->col, .missing = p->col == 0 },
		{ .text = str_from(p->kind) },
		{ .text = str_from(p->name) },
		{ .text = str_from(p->what) },
		{ .text = str_from(p->nearest) },
	};
	show_row(s, cells);
}

static int show_check(
	const struct cmd_env *env, enum show_format format, const struct rules_report *r)
{
	AUTO(show_free)
	struct show *s = show_new(
		stdout, format, problem_columns, ARRAY_N(problem_columns), show_terminal_width());
	struct err e = { 0 };
	for (size_t i = 0; i < r->list.n; i++)
		show_problem(s, &r->list.p[i]);
	return show_end(s, &e) ? cmd_fail(env, &e) : check_code(r);
}

int cmd_rules_check(int argc, char **argv, struct cmd_env *env)
{
	struct cmd_args a = cmd_args_of(argc, argv, env);
	AUTO(ruleset_unref) struct ruleset *rules = NULL;
	AUTO(rules_report_fini) struct rules_report report = RULES_REPORT_INIT;
	enum show_format format = SHOW_TABLE;
	struct err e = { 0 };
	int got;
	while ((got = cmd_args_next(&a)) >= 0)
		format = show_format_of(a.value);
	if (got != CMD_ARGS_END)
		return cmd_args_code(got);
	if (cmd_args_count(&a, 1, CONFIG_MAX_ITEMS))
		return EXIT_USAGE;
	struct rules_options o = { .check_off = true };
	if (rules_load(&rules, (const char *const *)(argv + a.first), (size_t)(argc - a.first), &o,
		    &report, &e)) {
		e.code = ERR_CONFIG;
		return cmd_fail(env, &e);
	}
	if (format == SHOW_TABLE)
		return print_check(env, &report);
	return format == SHOW_JSON ? print_falco(env, &report) : show_check(env, format, &report);
}
