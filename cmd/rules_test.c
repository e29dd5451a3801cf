/* rules test: declarative cases against rules; nothing of the kernel is needed. */
#include "base/json.h"
#include "cmd/rules.h"
#include "cmd/show.h"
#include "rules/cases.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#define FORMATS        "table json jsonl csv junit"
#define MAX_CASE_BYTES (16u << 20)
#define MAX_XML        (256u << 20)
#define MAX_FOLDER     10000

const struct cmd_option cmd_rules_test_options[] = {
	{ "format", "FORMAT", FORMATS, "how to print the results" },
	{ "rules", "PATH", NULL, "instead of the rules that the case files name; may be repeated" },
	{ 0 },
};

struct test_run {
	struct cmd_env *env;
	struct config *config; /* NULL until a file needs the configured rules */
	const char *given[CONFIG_MAX_ITEMS];
	size_t given_n;
	bool junit;
	struct show *show;
	struct buf xml;
	struct ruleset *rules;
	struct buf rules_key; /* the paths that `rules` was loaded from */
	size_t counts[CASE_WRONG + 1];
	bool broken; /* a file or a rule set could not be used: told on stderr */
};

/* ---- rules ---- */

struct path_list {
	VEC(char *) list;
};

static void path_list_fini(struct path_list *p)
{
	for (size_t i = 0; i < p->list.n; i++)
		free(p->list.p[i]);
	vec_fini(&p->list);
}
DEFINE_AUTO_VALUE(struct path_list, path_list_fini)

static void add_path(struct path_list *p, const char *path)
{
	vec_push(&p->list, xstrndup(path, strlen(path)));
}

/* What the configuration names; -1 when it is wrong (told). */
static int add_configured(struct test_run *t, struct path_list *p)
{
	const char *paths[CONFIG_MAX_ITEMS];
	if (!t->config && cmd_load_config(t->env, &t->config))
		return -1;
	size_t n = cmd_rules_paths(t->config, NULL, paths, ARRAY_N(paths));
	for (size_t i = 0; i < n; i++)
		add_path(p, paths[i]);
	return 0;
}

/* A path of a case file is relative to the folder of that file. */
static void add_beside(struct path_list *p, const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	char full[PATH_MAX];
	if (path[0] == '/' || !slash) {
		add_path(p, path);
		return;
	}
	snprintf(full, sizeof(full), "%.*s/%s", (int)(slash - file), file, path);
	add_path(p, full);
}

static int find_rules(
	struct test_run *t, const struct cases *c, const char *file, struct path_list *p)
{
	size_t n;
	const char *const *named = cases_rules(c, &n);
	for (size_t i = 0; i < t->given_n; i++)
		add_path(p, t->given[i]);
	if (t->given_n)
		return 0;
	if (n == 0)
		return add_configured(t, p);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(named[i], "configured") == 0 && add_configured(t, p))
			return -1;
		if (strcmp(named[i], "shipped") == 0)
			add_path(p, HW_DATA_DIR "/rules");
		else if (strcmp(named[i], "configured") != 0)
			add_beside(p, file, named[i]);
	}
	return 0;
}

static int load_rules(struct test_run *t, const struct path_list *p, struct err *e)
{
	AUTO(rules_report_fini) struct rules_report report = RULES_REPORT_INIT;
	AUTO(buf_fini) struct buf key = BUF_INIT(4u << 20);
	for (size_t i = 0; i < p->list.n; i++)
		buf_printf(&key, "%s\n", p->list.p[i]);
	if (t->rules && str_eq(buf_str(&key), buf_str(&t->rules_key)))
		return 0;
	ruleset_unref(TAKE(t->rules));
	if (p->list.n == 0)
		return err_set(e, ERR_CONFIG, "no rule files to test; give some with --rules");
	if (rules_load(&t->rules, (const char *const *)p->list.p, p->list.n, NULL, &report, e))
		return err_wrap(e, "load rules");
	cmd_rules_tell_errors(&report);
	t->broken |= report.errors_n != 0;
	buf_reset(&t->rules_key);
	buf_put_str(&t->rules_key, buf_str(&key));
	return 0;
}

/* ---- printing ---- */

static const struct show_column columns[] = {
	{ "status", "STATUS", SHOW_TEXT },
	{ "file", "FILE", SHOW_TEXT },
	{ "line", "LINE", SHOW_COUNT },
	{ "column", "COLUMN", SHOW_COUNT },
	{ "name", "NAME", SHOW_TEXT },
	{ "fired", "FIRED", SHOW_RAW },
	{ "remarks", "REMARKS", SHOW_RAW },
};

static void put_remarks(struct buf *b, const struct case_result *r)
{
	struct jw w = jw_on(b);
	jw_arr(&w);
	for (size_t i = 0; i < r->remarks.n; i++) {
		jw_obj(&w);
		jw_kv_u64(&w, "line", r->remarks.p[i].line);
		jw_kv_u64(&w, "column", r->remarks.p[i].col);
		jw_kv_strz(&w, "what", r->remarks.p[i].what);
		jw_end_obj(&w);
	}
	jw_end_arr(&w);
}

static void show_result(struct test_run *t, const char *file, const struct case_result *r)
{
	AUTO(buf_fini) struct buf fired = BUF_INIT(1u << 20), remarks = BUF_INIT(8u << 20);
	struct jw w = jw_on(&fired);
	jw_arr(&w);
	for (size_t i = 0; i < r->fired.n; i++)
		jw_strz(&w, r->fired.p[i]);
	jw_end_arr(&w);
	put_remarks(&remarks, r);
	const struct show_cell cells[] = {
		{ .text = str_from(case_outcome_name(r->outcome)) },
		{ .text = str_from(file) },
		{ .number = r->line },
		{ .number = r->col },
		{ .text = str_from(r->name) },
		{ .text = buf_str(&fired) },
		{ .text = buf_str(&remarks) },
	};
	show_row(t->show, cells);
}

static void print_result(const char *file, const struct case_result *r)
{
	if (r->outcome == CASE_PASSED)
		return;
	for (size_t i = 0; i < r->remarks.n; i++) {
		const struct case_remark *m = &r->remarks.p[i];
		printf("%s:%u:%u: %s: %s: %s\n", file, m->line, m->col,
			case_outcome_name(r->outcome), r->name, m->what);
	}
}

static void put_xml(struct buf *b, const char *z)
{
	for (; *z; z++) {
		if (*z == '<')
			buf_puts(b, "&lt;");
		else if (*z == '>')
			buf_puts(b, "&gt;");
		else if (*z == '&')
			buf_puts(b, "&amp;");
		else if (*z == '"')
			buf_puts(b, "&quot;");
		else
			buf_putc(b, *z);
	}
}

static void put_junit(struct test_run *t, const char *file, const struct case_result *r)
{
	static const char *const elements[] = { NULL, "failure", "skipped", "error" };
	struct buf *b = &t->xml;
	buf_puts(b, "<testcase classname=\"");
	put_xml(b, file);
	buf_puts(b, "\" name=\"");
	put_xml(b, r->name);
	buf_printf(b, "\" line=\"%u\">", r->line);
	/* One element a case, or readers count it twice. */
	if (elements[r->outcome])
		buf_printf(b, "<%s message=\"", elements[r->outcome]);
	for (size_t i = 0; elements[r->outcome] && i < r->remarks.n; i++) {
		buf_printf(
			b, "%s%u:%u: ", i ? "; " : "", r->remarks.p[i].line, r->remarks.p[i].col);
		put_xml(b, r->remarks.p[i].what);
	}
	if (elements[r->outcome])
		buf_puts(b, "\"/>");
	buf_puts(b, "</testcase>\n");
}

/* ---- files ---- */

static int read_file(struct buf *b, const char *path, struct err *e)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	char part[65536];
	ssize_t n = 0;
	if (fd < 0)
		return err_set(e, ERR_SYS, "open %s", path);
	while (!b->full && (n = read(fd, part, sizeof(part))) != 0) {
		if (n > 0)
			buf_put(b, part, (size_t)n);
		else if (errno != EINTR)
			return err_set(e, ERR_SYS, "read %s", path);
	}
	return b->full ? err_set(e, ERR_LIMIT, "%s: larger than %zu bytes", path, b->max) : 0;
}

static void run_cases(struct test_run *t, const struct cases *c, const char *file)
{
	for (size_t i = 0; i < cases_count(c); i++) {
		AUTO(case_result_fini) struct case_result r = { 0 };
		cases_run(c, i, t->rules, &r);
		t->counts[r.outcome]++;
		if (t->show)
			show_result(t, file, &r);
		else if (t->junit)
			put_junit(t, file, &r);
		else
			print_result(file, &r);
	}
}

static int test_file(struct test_run *t, const char *file, struct err *e)
{
	AUTO(buf_fini) struct buf text = BUF_INIT(MAX_CASE_BYTES);
	AUTO(cases_free) struct cases *c = NULL;
	AUTO(path_list_fini) struct path_list paths = { 0 };
	if (read_file(&text, file, e) || cases_parse(&c, file, buf_str(&text), e))
		return -1;
	if (find_rules(t, c, file, &paths)) {
		/* Told line by line. */
		return err_set(e, ERR_CONFIG, "%s: the configuration is wrong", file);
	}
	if (load_rules(t, &paths, e))
		return err_wrap(e, "%s", file);
	run_cases(t, c, file);
	return 0;
}

/* A wrong file does not keep the others from being tested. */
static void test_and_tell(struct test_run *t, const char *file)
{
	struct err e = { 0 };
	if (test_file(t, file, &e) == 0)
		return;
	t->broken = true;
	cmd_fail(t->env, &e);
}

static int is_case_file(const struct dirent *d)
{
	struct str name = str_from(d->d_name);
	return name.p[0] != '.' && (str_ends(name, STR(".yaml")) || str_ends(name, STR(".yml")));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void test_folder(struct test_run *t, const char *folder)
{
	struct dirent **names = NULL;
	int n = scandir(folder, &names, is_case_file, by_name);
	if (n <= 0 || n > MAX_FOLDER) {
		t->broken = true;
		cmd_fail_text(t->env, EXIT_USAGE, "%s: no case files, or too many", folder);
	}
	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		if (n <= MAX_FOLDER)
			test_and_tell(t, path);
		free(names[i]);
	}
	free(names);
}

/* ---- the command ---- */

static int end_output(struct test_run *t)
{
	size_t n = t->counts[CASE_PASSED] + t->counts[CASE_FAILED] + t->counts[CASE_SKIPPED] +
		   t->counts[CASE_WRONG];
	AUTO(buf_fini) struct buf b = BUF_INIT(MAX_XML);
	struct err e = { 0 };
	if (t->show)
		return show_end(t->show, &e) ? cmd_fail(t->env, &e) : EXIT_DONE;
	if (t->junit) {
		buf_printf(&b,
			"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"rules\" "
			"tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n",
			n, t->counts[CASE_FAILED], t->counts[CASE_WRONG], t->counts[CASE_SKIPPED]);
		buf_put_str(&b, buf_str(&t->xml));
		buf_puts(&b, "</testsuite>\n");
	} else if (n || !t->broken) {
		buf_printf(&b, "%zu cases: %zu passed, %zu failed, %zu skipped, %zu wrong\n", n,
			t->counts[CASE_PASSED], t->counts[CASE_FAILED], t->counts[CASE_SKIPPED],
			t->counts[CASE_WRONG]);
	}
	b.full |= t->xml.full;
	return cmd_print(t->env, &b);
}

static int run_tests(struct test_run *t, char **paths, int n, const char *format)
{
	t->junit = strcmp(format, "junit") == 0;
	if (!t->junit && show_format_of(format) != SHOW_TABLE)
		t->show = show_new(stdout, show_format_of(format), columns, ARRAY_N(columns), 0);
	for (int i = 0; i < n; i++) {
		struct stat st;
		if (stat(paths[i], &st) == 0 && S_ISDIR(st.st_mode))
			test_folder(t, paths[i]);
		else
			test_and_tell(t, paths[i]);
	}
	int rc = end_output(t);
	if (rc)
		return rc;
	if (t->broken || t->counts[CASE_WRONG])
		return EXIT_USAGE;
	return t->counts[CASE_FAILED] ? EXIT_FINDINGS : EXIT_DONE;
}

int cmd_rules_test(int argc, char **argv, struct cmd_env *env)
{
	struct cmd_args a = cmd_args_of(argc, argv, env);
	struct test_run t = {
		.env = env, .xml = BUF_INIT(MAX_XML), .rules_key = BUF_INIT(4u << 20)
	};
	const char *format = "table";
	int got;
	while ((got = cmd_args_next(&a)) >= 0) {
		if (got == 0)
			format = a.value;
		else if (t.given_n < ARRAY_N(t.given))
			t.given[t.given_n++] = a.value;
		else
			return cmd_fail_text(
				env, EXIT_USAGE, "more than %d --rules", CONFIG_MAX_ITEMS);
	}
	if (got != CMD_ARGS_END)
		return cmd_args_code(got);
	if (cmd_args_count(&a, 1, INT_MAX))
		return EXIT_USAGE;
	int rc = run_tests(&t, argv + a.first, argc - a.first, format);
	show_free(t.show);
	buf_fini(&t.xml);
	buf_fini(&t.rules_key);
	ruleset_unref(t.rules);
	config_free(t.config);
	return rc;
}
