#include "config/config.h"

#include "base/clock.h"
#include "base/yaml.h"
#include "config/keys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>

/* One file's walk. */
struct loader {
	struct config *c;
	struct buf *problems;
	unsigned int problems_n;
	const char *file;   /* as it stands in messages */
	char dir[PATH_MAX]; /* what its relative paths are relative to */
};

/* Sections that the product's later versions know: a better answer than "unknown". */
static const char *const later_names[] = { "append_output", "slack", "elasticsearch", "pagerduty",
	"webhook", "syslog", "scan", "posture", "feeds", "console", "retention", "silences" };

static void problem(struct loader *l, const struct yaml_node *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void problem(struct loader *l, const struct yaml_node *at, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	struct err line = { 0 };
	if (at)
		err_set(&line, ERR_CONFIG, "%s:%u:%u: %s", l->file, at->line, at->col, text);
	else
		err_set(&line, ERR_CONFIG, "%s", text);
	if (l->problems_n++ >= CONFIG_MAX_PROBLEMS)
		return;
	buf_puts(l->problems, line.msg);
	buf_putc(l->problems, '\n');
}

/* ---- values ---- */

static void *member(const struct config *c, const struct config_key *k)
{
	return (char *)(uintptr_t)c + k->offset;
}

static bool set_bool(struct loader *l, const struct config_key *k, const struct yaml_node *n)
{
	bool v;
	if (!n->plain || !yaml_bool(n, &v)) {
		problem(l, n, "%s: \"%.*s\" is neither true nor false", k->name, STR_ARG(n->value));
		return false;
	}
	*(bool *)member(l->c, k) = v;
	return true;
}

static bool set_count(struct loader *l, const struct config_key *k, const struct yaml_node *n)
{
	int64_t v;
	if (!yaml_i64(n, &v)) {
		problem(l, n, "%s: \"%.*s\" is not a whole number", k->name, STR_ARG(n->value));
		return false;
	}
	if (v < 0 || (uint64_t)v < k->min || (uint64_t)v > k->max) {
		problem(l, n, "%s: %lld is not between %llu and %llu", k->name, (long long)v,
			(unsigned long long)k->min, (unsigned long long)k->max);
		return false;
	}
	if (k->kind == CONFIG_POWER && (v & (v - 1)) != 0) {
		problem(l, n, "%s: %lld is not a power of two", k->name, (long long)v);
		return false;
	}
	*(uint64_t *)member(l->c, k) = (uint64_t)v;
	return true;
}

static bool set_duration(struct loader *l, const struct config_key *k, const struct yaml_node *n)
{
	uint64_t ns;
	if (clock_parse_duration(n->value, &ns, NULL)) {
		problem(l, n, "%s: \"%.*s\" is not a duration such as 30s, 5m, 2h or 1d", k->name,
			STR_ARG(n->value));
		return false;
	}
	uint64_t s = ns / 1000000000u;
	if (s < k->min || s > k->max) {
		problem(l, n, "%s: %.*s is not between %llus and %llus", k->name, STR_ARG(n->value),
			(unsigned long long)k->min, (unsigned long long)k->max);
		return false;
	}
	*(uint64_t *)member(l->c, k) = ns;
	return true;
}

/* set_word() and config_show() reach every enum of the table as an int. */
_Static_assert(sizeof(enum config_match) == sizeof(int) && sizeof(enum priority) == sizeof(int),
	"enums have the size of an int");

static bool is_info(struct str s)
{
	return s.n == 4 && strncasecmp(s.p, "info", 4) == 0;
}

static bool set_word(struct loader *l, const struct config_key *k, const struct yaml_node *n)
{
	struct buf all = BUF_INIT(256);
	/* Falco takes "info" for its longest word. */
	struct str v = is_info(n->value) && k->offset == offsetof(struct config, priority)
			       ? STR("informational")
			       : n->value;
	for (int i = 0; k->words[i]; i++) {
		if (v.n == strlen(k->words[i]) && strncasecmp(v.p, k->words[i], v.n) == 0) {
			*(int *)member(l->c, k) = i;
			buf_fini(&all);
			return true;
		}
		buf_printf(&all, "%s%s", i ? ", " : "", k->words[i]);
	}
	problem(l, n, "%s: \"%.*s\" is none of %s", k->name, STR_ARG(n->value), buf_cstr(&all));
	buf_fini(&all);
	return false;
}

/* Absolute, below the file's folder when it is relative. NULL and a problem when it cannot be a path. */
static const char *make_path(
	struct loader *l, const struct config_key *k, const struct yaml_node *n)
{
	struct str v = n->value;
	if (n->kind != YAML_SCALAR || yaml_is_null(n) || v.n == 0) {
		problem(l, n, "%s: here a path is needed", k->name);
		return NULL;
	}
	if (v.n + strlen(l->dir) + 2 > PATH_MAX || memchr(v.p, 0, v.n)) {
		problem(l, n, "%s: this cannot be a path", k->name);
		return NULL;
	}
	char path[PATH_MAX + 2];
	if (v.p[0] == '/')
		snprintf(path, sizeof(path), "%.*s", STR_ARG(v));
	else
		snprintf(path, sizeof(path), "%s/%.*s", l->dir, STR_ARG(v));
	return arena_strz(l->c->arena, path);
}

static bool set_path(struct loader *l, const struct config_key *k, const struct yaml_node *n)
{
	const char *path = make_path(l, k, n);
	if (path)
		*(const char **)member(l->c, k) = path;
	return path != NULL;
}

static bool set_paths(struct loader *l, const struct config_key *k, const struct yaml_node *n)
{
	struct yaml_node *one[] = { (struct yaml_node *)(uintptr_t)n };
	struct yaml_node *const *items = n->kind == YAML_SEQ ? n->items : one;
	size_t items_n = n->kind == YAML_SEQ ? n->n : yaml_is_null(n) ? 0 : 1;
	if (items_n > k->max) {
		problem(l, n, "%s: more than %llu items", k->name, (unsigned long long)k->max);
		return false;
	}
	const char **p = arena_alloc(l->c->arena, (items_n + 1) * sizeof(*p));
	bool good = p != NULL;
	for (size_t i = 0; p && i < items_n; i++) {
		p[i] = make_path(l, k, items[i]);
		good = good && p[i];
	}
	if (good)
		*(struct config_list *)member(l->c, k) = (struct config_list){ p, items_n };
	return good;
}

static void set_origin(struct config *c, const struct config_key *k, const char *text)
{
	struct config_origin *o = &c->origins[k - config_keys];
	*o = (struct config_origin){ text ? text : "?", true };
}

static void set_value(struct loader *l, const struct config_key *k, const struct yaml_node *n)
{
	static bool (*const setters[])(
		struct loader *, const struct config_key *, const struct yaml_node *) = {
		[CONFIG_BOOL] = set_bool,
		[CONFIG_COUNT] = set_count,
		[CONFIG_POWER] = set_count,
		[CONFIG_DURATION] = set_duration,
		[CONFIG_WORD] = set_word,
		[CONFIG_PATH] = set_path,
		[CONFIG_PATHS] = set_paths,
	};
	bool fits = n->kind == YAML_SCALAR || (n->kind == YAML_SEQ && k->kind == CONFIG_PATHS);
	if (!fits) {
		problem(l, n, "%s: a %s does not belong here", k->name,
			n->kind == YAML_SEQ ? "list" : "section");
		return;
	}
	if (!setters[k->kind](l, k, n))
		return;
	char at[PATH_MAX + 32];
	snprintf(at, sizeof(at), "%s:%u", l->file, n->line);
	set_origin(l->c, k, arena_strz(l->c->arena, at));
}

/* ---- keys ---- */

static const struct config_key *find_key(struct str name)
{
	for (size_t i = 0; i < config_keys_n; i++)
		if (str_eqz(name, config_keys[i].name))
			return &config_keys[i];
	return NULL;
}

static bool is_section(struct str name)
{
	for (size_t i = 0; i < config_keys_n; i++) {
		struct str key = str_from(config_keys[i].name);
		if (key.n > name.n && key.p[name.n] == '.' && str_starts(key, name))
			return true;
	}
	return false;
}

/* A candidate for "did you mean": of full names first, then of last parts alone. */
static const char *nearest_key(struct str full)
{
	const char *names[128], *best = NULL;
	size_t n = 0;
	for (size_t i = 0; i < config_keys_n && n < ARRAY_N(names); i++)
		names[n++] = config_keys[i].name;
	best = str_nearest(full, names, n);
	if (best)
		return best;
	struct str last = full;
	for (const char *dot; (dot = memchr(last.p, '.', last.n)) != NULL;)
		last = str_of(dot + 1, last.n - (size_t)(dot + 1 - last.p));
	for (size_t i = 0; i < n; i++) {
		const char *dot = strrchr(config_keys[i].name, '.');
		names[i] = dot ? dot + 1 : config_keys[i].name;
	}
	best = str_nearest(last, names, n);
	for (size_t i = 0; best && i < n; i++)
		if (names[i] == best)
			return config_keys[i].name;
	return NULL;
}

/* The sections' own names are candidates too: "colector:" is a misspelled section. */
static const char *nearest_section(struct str name, char *out, size_t out_size)
{
	unsigned int best = UINT32_MAX;
	for (size_t i = 0; i < config_keys_n; i++) {
		struct str rest = str_from(config_keys[i].name);
		struct str head = str_cut(&rest, '.');
		if (!rest.p)
			continue;
		unsigned int d = str_distance(name, head);
		if (d < best && d <= (head.n + 2) / 3) {
			best = d;
			snprintf(out, out_size, "%.*s", STR_ARG(head));
		}
	}
	return best == UINT32_MAX ? NULL : out;
}

static void unknown_key(struct loader *l, const struct yaml_node *key, struct str full)
{
	for (size_t i = 0; i < ARRAY_N(later_names); i++) {
		if (str_eqz(full, later_names[i])) {
			problem(l, key, "%s: not in this version; remove it", later_names[i]);
			return;
		}
	}
	char section[64];
	const char *near = NULL;
	if (!memchr(full.p, '.', full.n))
		near = nearest_section(full, section, sizeof(section));
	if (!near)
		near = nearest_key(full);
	if (near)
		problem(l, key, "unknown key %.*s; did you mean %s?", STR_ARG(full), near);
	else
		problem(l, key, "unknown key %.*s; `hullwatch config show` lists the keys",
			STR_ARG(full));
}

/* The keys of one section; prefix is "" at the top. The table is two levels deep, so is this. */
static void walk_map(struct loader *l, const struct yaml_node *map, const char *prefix)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct yaml_node *key = map->pairs[i].key, *value = map->pairs[i].value;
		char name[128];
		snprintf(name, sizeof(name), "%s%s%.*s", prefix, *prefix ? "." : "",
			STR_ARG(key->value));
		struct str full = str_from(name);
		const struct config_key *k = find_key(full);
		if (k)
			set_value(l, k, value);
		else if (*prefix || !is_section(full))
			unknown_key(l, key, full);
		else if (value->kind == YAML_MAP)
			walk_map(l, value, name);
		else if (!yaml_is_null(value))
			problem(l, value, "%s: here a section (keys below it) is needed", name);
	}
}

/* ---- files ---- */

static int read_file(const char *path, struct buf *text, struct err *e)
{
	/* Not the opener: a user may give a pipe (`--config <(...)`), and the file is the operator's own. */
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_set(e, ERR_SYS, "%s", path);
	for (;;) {
		char *at = buf_reserve(text, 16384);
		if (!at)
			return err_set(e, ERR_LIMIT, "%s: larger than %u bytes", path,
				CONFIG_MAX_FILE_BYTES);
		ssize_t n = read(fd, at, 16384);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, ERR_SYS, "%s", path);
		if (n == 0)
			return 0;
		text->n += (size_t)n;
	}
}

static void set_dir(struct loader *l, const char *file)
{
	char given[PATH_MAX];
	const char *slash = strrchr(file, '/');
	if (!slash)
		snprintf(given, sizeof(given), ".");
	else
		snprintf(given, sizeof(given), "%.*s", slash == file ? 1 : (int)(slash - file),
			file);
	if (!realpath(given, l->dir))
		snprintf(l->dir, sizeof(l->dir), "%s", given);
}

static void load_file(struct loader *l, const char *file)
{
	AUTO(buf_fini) struct buf text = BUF_INIT(CONFIG_MAX_FILE_BYTES + 16384);
	AUTO(yaml_docs_fini) struct yaml_docs docs = { 0 };
	struct yaml_limits limits = {
		.max_bytes = CONFIG_MAX_FILE_BYTES, .max_nodes = 20000, .max_depth = 16
	};
	struct err e = { 0 };
	l->file = file;
	set_dir(l, file);
	if (read_file(file, &text, &e) || yaml_parse(&docs, buf_str(&text), file, &limits, &e)) {
		problem(l, NULL, "%s", e.msg);
		return;
	}
	if (docs.n > 1)
		problem(l, docs.docs[1], "a second document; one file holds one");
	if (docs.n == 0 || yaml_is_null(docs.docs[0]))
		return;
	if (docs.docs[0]->kind != YAML_MAP)
		problem(l, docs.docs[0], "here keys with values are needed");
	else
		walk_map(l, docs.docs[0], "");
}

static int is_yaml_name(const struct dirent *d)
{
	struct str name = str_from(d->d_name);
	return name.n > 5 && name.p[0] != '.' && str_ends(name, STR(".yaml"));
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The files of conf.d beside `file`, in the order of their bytes whatever the locale. */
static size_t list_conf_d(struct loader *l, const char *file, const char **out, size_t max)
{
	char path[PATH_MAX + 512];
	struct err e = { 0 };
	set_dir(l, file);
	snprintf(path, sizeof(path), "%s/conf.d", l->dir);
	struct dirent **names = NULL;
	int found = scandir(path, &names, is_yaml_name, by_bytes);
	if (found < 0 && errno != ENOENT && errno != ENOTDIR) {
		err_set(&e, ERR_SYS, "%s", path);
		problem(l, NULL, "%s", e.msg);
	}
	size_t n = 0;
	for (int i = 0; i < found; i++) {
		snprintf(path, sizeof(path), "%s/conf.d/%s", l->dir, names[i]->d_name);
		if (n < max)
			out[n++] = arena_strz(l->c->arena, path);
		free(names[i]);
	}
	if (found > (int)max)
		problem(l, NULL, "%s/conf.d: more than %zu files", l->dir, max);
	free(names);
	return n;
}

static void load_files(struct loader *l, const struct config_source *source)
{
	const char *file = source->file ? source->file : source->default_file;
	if (!file)
		file = HW_CONFIG_DIR "/hullwatch.yaml";
	const char **files = arena_alloc(l->c->arena, (CONFIG_MAX_FILES + 1) * sizeof(*files));
	size_t n = 0;
	if (source->file || access(file, F_OK) == 0 || errno != ENOENT)
		files[n++] = arena_strz(l->c->arena, file);
	n += list_conf_d(l, file, files + n, CONFIG_MAX_FILES - n);
	for (size_t i = 0; i < n; i++)
		load_file(l, files[i]);
	l->c->files = (struct config_list){ files, n };
}

/* ---- defaults and what is derived ---- */

static struct config_list split_list(struct arena *a, const char *text)
{
	struct str rest = str_from(text);
	const char **p = arena_alloc(a, (CONFIG_MAX_CGROUPS + 1) * sizeof(*p));
	size_t n = 0;
	while (rest.p && rest.n && n < CONFIG_MAX_CGROUPS) {
		struct str item = str_cut(&rest, '\n');
		p[n++] = arena_str(a, item).p;
	}
	return (struct config_list){ p, n };
}

/* Through the setters, so that a default out of range cannot be shipped: a problem in it is a bug. */
static void set_defaults(struct loader *l)
{
	l->file = "built-in";
	snprintf(l->dir, sizeof(l->dir), "/");
	for (size_t i = 0; i < config_keys_n; i++) {
		const struct config_key *k = &config_keys[i];
		if (k->fallback && k->kind == CONFIG_PATHS) {
			*(struct config_list *)member(l->c, k) = split_list(
				l->c->arena, k->fallback);
		} else if (k->fallback) {
			struct yaml_node n = {
				.kind = YAML_SCALAR, .plain = true, .value = str_from(k->fallback)
			};
			set_value(l, k, &n);
		}
		l->c->origins[i] = (struct config_origin){ "default", false };
	}
}

static void set_from_command_line(struct loader *l, const char *state_dir)
{
	const struct config_key *k = find_key(STR("state_dir"));
	struct yaml_node n = { .kind = YAML_SCALAR, .value = str_from(state_dir) };
	/* Without a working directory a relative path is taken below /, where it fails loudly later. */
	if (!getcwd(l->dir, sizeof(l->dir)))
		snprintf(l->dir, sizeof(l->dir), "/");
	l->file = "--state-dir";
	if (set_path(l, k, &n))
		set_origin(l->c, k, "--state-dir");
}

static void derive_runtime_dir(struct config *c)
{
	char path[PATH_MAX + 8];
	if (!config_is_default(c, "runtime_dir"))
		return;
	/* By value, not by origin: naming the default folder must not move the socket. */
	if (strcmp(c->state_dir, CONFIG_STATE_DIR) == 0)
		snprintf(path, sizeof(path), "%s", CONFIG_RUNTIME_DIR);
	else
		snprintf(path, sizeof(path), "%s/run", c->state_dir);
	c->runtime_dir = arena_strz(c->arena, path);
}

int config_load(struct config **out, const struct config_source *source, struct buf *problems,
	struct err *e)
{
	AUTO(config_free) struct config *c = xcalloc(1, sizeof(*c));
	c->arena = arena_new(16u << 20);
	c->origins = arena_alloc(c->arena, config_keys_n * sizeof(*c->origins));
	struct loader l = { .c = c, .problems = problems };
	set_defaults(&l);
	load_files(&l, source);
	if (source->state_dir)
		set_from_command_line(&l, source->state_dir);
	if (l.problems_n > CONFIG_MAX_PROBLEMS)
		buf_printf(problems, "and %u more\n", l.problems_n - CONFIG_MAX_PROBLEMS);
	if (l.problems_n)
		return err_set(e, ERR_CONFIG, "configuration: %u problem%s", l.problems_n,
			l.problems_n == 1 ? "" : "s");
	derive_runtime_dir(c);
	*out = TAKE(c);
	return 0;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	arena_free(c->arena);
	free(c);
}

bool config_is_default(const struct config *c, const char *key)
{
	const struct config_key *k = find_key(str_from(key));
	return k && !c->origins[k - config_keys].set;
}
