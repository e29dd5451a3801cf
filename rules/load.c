#include "rules/load_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define DEFAULT_FILE_BYTES (16u << 20)
#define LOAD_MAX_BYTES     (256u << 20) /* texts of one load, while it lasts */
#define SET_MAX_BYTES      (256u << 20) /* texts of one set */
#define MAX_FILES          10000        /* in one directory */

struct texts {
	VEC(struct rules_text) list;
	VEC(char *) owned;
};

static void texts_fini(struct texts *t)
{
	for (size_t i = 0; i < t->owned.n; i++)
		free(t->owned.p[i]);
	vec_fini(&t->owned);
	vec_fini(&t->list);
}
DEFINE_AUTO_VALUE(struct texts, texts_fini)

static size_t max_bytes(const struct rules_options *o)
{
	return o && o->max_file_bytes ? o->max_file_bytes : DEFAULT_FILE_BYTES;
}

static int read_all(int fd, struct buf *b, const char *path, struct err *e)
{
	for (;;) {
		char *at = buf_reserve(b, 65536);
		ssize_t n;

		if (!at) {
			/* Near the end the bound leaves less room than one read asks for. */
			char rest[65536];

			n = read(fd, rest, sizeof(rest));
			if (n > 0)
				buf_put(b, rest, (size_t)n);
			if (b->full && n > 0)
				return err_set(
					e, ERR_LIMIT, "%s: larger than %zu bytes", path, b->max);
		} else {
			n = read(fd, at, 65536);
			b->n += n > 0 ? (size_t)n : 0;
		}
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_set(e, ERR_SYS, "read %s", path);
	}
}

static int add_file(struct texts *t, const char *path, const struct rules_options *o, struct err *e)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(max_bytes(o));
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct str text;
	char *name;

	if (fd < 0)
		return err_set(e, ERR_SYS, "open %s", path);
	if (read_all(fd, &b, path, e))
		return -1;
	text.n = b.n;
	text.p = buf_take(&b);
	name = xstrndup(path, strlen(path));
	vec_push(&t->owned, (char *)text.p);
	vec_push(&t->owned, name);
	vec_push(&t->list, ((struct rules_text){ .name = name, .text = text }));
	return 0;
}

static int is_rules_file(const struct dirent *d)
{
	struct str name = str_from(d->d_name);

	return name.p[0] != '.' && (str_ends(name, STR(".yaml")) || str_ends(name, STR(".yml")));
}

/* Bytewise, so that the order does not depend on the locale. */
static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_entry(struct texts *t, const char *folder, const char *name,
	const struct rules_options *o, struct err *e)
{
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/%s", folder, name);

	if (n < 0 || (size_t)n >= sizeof(path))
		return err_set(e, ERR_LIMIT, "%s/%s: path is too long", folder, name);
	return add_file(t, path, o, e);
}

static int add_folder(
	struct texts *t, const char *path, const struct rules_options *o, struct err *e)
{
	struct dirent **names = NULL;
	int n = scandir(path, &names, is_rules_file, compare_names);
	int rc = 0;

	if (n < 0)
		return err_set(e, ERR_SYS, "read directory %s", path);
	if (n > MAX_FILES)
		rc = err_set(e, ERR_LIMIT, "%s: more than %d files", path, MAX_FILES);
	for (int i = 0; i < n; i++) {
		if (!rc)
			rc = add_entry(t, path, names[i]->d_name, o, e);
		free(names[i]);
	}
	free(names);
	return rc;
}

int rules_load(struct ruleset **out, const char *const *paths, size_t n,
	const struct rules_options *o, struct rules_report *report, struct err *e)
{
	AUTO(texts_fini) struct texts t = { 0 };

	for (size_t i = 0; i < n; i++) {
		struct stat st;
		int rc;

		if (stat(paths[i], &st))
			return err_set(e, ERR_SYS, "open %s", paths[i]);
		rc = S_ISDIR(st.st_mode) ? add_folder(&t, paths[i], o, e)
					 : add_file(&t, paths[i], o, e);
		if (rc)
			return -1;
	}
	return rules_load_text(out, t.list.p, t.list.n, o, report, e);
}

static struct ruleset *ruleset_new(const struct rules_options *o)
{
	struct ruleset *rs = xcalloc(1, sizeof(*rs));

	atomic_init(&rs->refs, 1);
	rs->arena = arena_new(SET_MAX_BYTES);
	rs->program = program_new();
	rs->matching = o->matching;
	return rs;
}

struct ruleset *ruleset_ref(struct ruleset *rs)
{
	atomic_fetch_add_explicit(&rs->refs, 1, memory_order_relaxed);
	return rs;
}

void ruleset_unref(struct ruleset *rs)
{
	if (!rs || atomic_fetch_sub_explicit(&rs->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < TYPES_MAX; i++)
		free(rs->by_type[i].rules);
	free(rs->types);
	free(rs->rules);
	program_free(rs->program);
	arena_free(rs->arena);
	free(rs);
}

static void free_rule(struct def_rule *r)
{
	joined_clear(&r->cond);
	joined_clear(&r->output);
	joined_clear(&r->desc);
	vec_fini(&r->tags);
	for (size_t i = 0; i < r->exceptions.n; i++)
		vec_fini(&r->exceptions.p[i].values);
	vec_fini(&r->exceptions);
	free(r);
}

static void free_definitions(struct loader *l)
{
	for (size_t i = 0; i < l->macros.n; i++) {
		joined_clear(&l->macros.p[i]->cond);
		free(l->macros.p[i]);
	}
	for (size_t i = 0; i < l->lists.n; i++) {
		vec_fini(&l->lists.p[i]->items);
		free(l->lists.p[i]);
	}
	for (size_t i = 0; i < l->rules.n; i++)
		free_rule(l->rules.p[i]);
}

static void loader_fini(struct loader *l)
{
	free_definitions(l);
	for (size_t i = 0; i < l->sources.n; i++) {
		yaml_docs_fini(&l->sources.p[i]->docs);
		vec_fini(&l->sources.p[i]->lines);
		free(l->sources.p[i]);
	}
	vec_fini(&l->sources);
	vec_fini(&l->macros);
	vec_fini(&l->lists);
	vec_fini(&l->rules);
	map_free(l->macro_names);
	map_free(l->list_names);
	map_free(l->rule_names);
	arena_free(l->arena);
	ruleset_unref(l->rs);
}
DEFINE_AUTO_VALUE(struct loader, loader_fini)

/* The wrapper's message is NAME:LINE:COL: TEXT; a problem wants the parts. */
static void report_yaml(struct loader *l, const char *name, const char *msg)
{
	size_t skip = strlen(name);
	unsigned int line = 0, col = 0;
	int used = 0;

	if (strncmp(msg, name, skip) == 0 &&
		sscanf(msg + skip, ":%u:%u: %n", &line, &col, &used) == 2)
		msg += skip + (size_t)used;
	report_line(l, RULES_ERROR, name, line, col,
		(struct subject){ .kind = "file", .name = STR(""), .code = RULES_CODE_YAML }, NULL,
		msg);
}

static void load_source(struct loader *l, const struct rules_text *text)
{
	struct source *src = xcalloc(1, sizeof(*src));
	struct yaml_limits limits = { .max_bytes = max_bytes(l->options) };
	struct err e = { 0 };

	src->name = text->name;
	src->text = text->text;
	vec_push(&l->sources, src);
	report_file(l, text->name);
	if (yaml_parse(&src->docs, text->text, text->name, &limits, &e)) {
		src->docs = (struct yaml_docs){ 0 };
		report_yaml(l, text->name, e.msg);
		return;
	}
	for (size_t i = 0; i < src->docs.n; i++)
		load_document(l, src, src->docs.docs[i]);
}

/* A wrong appended format would make every rule wrong: told once, before. */
static int check_appended(struct loader *l, struct err *e)
{
	struct program_build b = { .program = l->rs->program };
	const struct rules_options *opt = l->options;
	struct output *o = output_new(l->rs->arena, &b);

	if (!o)
		return err_set(e, ERR_LIMIT, "rules: no memory");
	if (opt->append_output && output_add(o, &b, str_from(opt->append_output), e))
		return err_wrap(e, "appended output");
	for (size_t i = 0; i < opt->append_fields_n; i++)
		if (output_add_field(o, &b, str_from(opt->append_fields[i]), e))
			return err_wrap(e, "appended field %s", opt->append_fields[i]);
	return 0;
}

int rules_load_text(struct ruleset **out, const struct rules_text *texts, size_t n,
	const struct rules_options *o, struct rules_report *report, struct err *e)
{
	static const struct rules_options defaults;
	AUTO(rules_report_fini) struct rules_report unused = RULES_REPORT_INIT;
	AUTO(loader_fini)
	struct loader l = { .options = o ? o : &defaults,
		.report = report ? report : &unused,
		.arena = arena_new(LOAD_MAX_BYTES),
		.macro_names = map_new(NULL),
		.list_names = map_new(NULL),
		.rule_names = map_new(NULL),
		.rs = ruleset_new(o ? o : &defaults) };

	if (check_appended(&l, e))
		return -1;
	for (size_t i = 0; i < n; i++)
		load_source(&l, &texts[i]);
	load_compile(&l);
	*out = TAKE(l.rs);
	return 0;
}

size_t ruleset_count(const struct ruleset *rs)
{
	return rs->rules_n;
}

const struct rule_info *ruleset_rule(const struct ruleset *rs, size_t i)
{
	return &rs->rules[i].info;
}

enum rules_matching ruleset_matching(const struct ruleset *rs)
{
	return rs->matching;
}

const char *const *ruleset_types(const struct ruleset *rs, size_t *n)
{
	*n = rs->types_n;
	return rs->types;
}

uint32_t ruleset_classes(const struct ruleset *rs)
{
	return rs->classes;
}

const struct rules_name *ruleset_macros(const struct ruleset *rs, size_t *n)
{
	*n = rs->macros_n;
	return rs->macros;
}

const struct rules_name *ruleset_lists(const struct ruleset *rs, size_t *n)
{
	*n = rs->lists_n;
	return rs->lists;
}
