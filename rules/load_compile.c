/*
 * Definitions to the set: macros, then rules in order, into one program; then who wants which
 * event types.
 */
#include "rules/load_impl.h"

#include "base/json.h"
#include "rules/parse.h"

/* A rule that wants more types than this has no real condition on evt.type. */
#define MANY_TYPES 100

/* One condition on its way into the program. */
struct item {
	struct loader *l;
	const struct joined *text;
	struct expanded *x;
	struct subject what;
	uint32_t visible;
	bool quiet;
};

static const char *nearest_macro(struct loader *l, struct str name, uint32_t visible)
{
	const char **names = xcalloc(l->macros.n + 1, sizeof(*names));
	const char *nearest;
	size_t n = 0;

	for (size_t i = 0; i < l->macros.n; i++)
		if (l->macros.p[i]->index < visible)
			names[n++] = l->macros.p[i]->name.p;
	nearest = str_nearest(name, names, n);
	free(names);
	return nearest;
}

static int compile_text(
	struct item *it, uint32_t *node, size_t *at, const char **nearest, struct err *e);

/* Compile once, on first use or when its turn comes. What was wrong stays in m->err. */
static void compile_macro(struct loader *l, struct def_macro *m)
{
	AUTO(expanded_fini) struct expanded x = { 0 };
	struct item it = { .l = l,
		.text = &m->cond,
		.x = &x,
		.what = { "macro", m->name },
		.visible = m->visible };
	const char *nearest = NULL;
	size_t at = 0;

	m->state = MACRO_BUSY;
	if (compile_text(&it, &m->node, &at, &nearest, &m->err) == 0) {
		m->state = MACRO_DONE;
		return;
	}
	m->state = MACRO_FAILED;
	/* What this node cannot supply is told for each rule that needs it. */
	if (m->err.code != ERR_UNSUPPORTED)
		report_joined(l, RULES_ERROR, &m->cond, at, it.what, nearest, m->err.msg);
}

static int macro_error(const struct def_macro *m, struct err *e)
{
	if (m->err.code == ERR_UNSUPPORTED) {
		*e = m->err;
		return -1;
	}
	return err_set(e, ERR_CONFIG, "macro %.*s is wrong", STR_ARG(m->name));
}

static int find_macro(
	void *ctx, struct str name, uint32_t *node, const char **nearest, struct err *e)
{
	struct item *it = ctx;
	struct def_macro *m = map_get(it->l->macro_names, name);

	if (!m || m->index >= it->visible) {
		if (!m && map_get(it->l->list_names, name))
			return err_set(e, ERR_CONFIG, "%.*s is a list, not a macro", STR_ARG(name));
		*nearest = m ? NULL : nearest_macro(it->l, name, it->visible);
		return err_set(e, ERR_CONFIG,
			m ? "macro %.*s is defined only later" : "unknown macro %.*s",
			STR_ARG(name));
	}
	m->used = true;
	if (m->broken)
		return err_set(e, ERR_CONFIG, "macro %.*s is wrong", STR_ARG(name));
	if (m->state == MACRO_BUSY)
		return err_set(e, ERR_CONFIG, "macro %.*s refers to itself", STR_ARG(name));
	if (m->state == MACRO_NEW)
		compile_macro(it->l, m);
	if (m->state == MACRO_FAILED)
		return macro_error(m, e);
	*node = m->node;
	return 0;
}

static void warn_condition(void *ctx, size_t at, const char *nearest, const char *what)
{
	struct item *it = ctx;

	struct subject subject = it->what;

	/* The two that are told: a deprecated field, an event type that does not exist. */
	subject.code = nearest ? RULES_CODE_UNKNOWN_FILTER : RULES_CODE_CONDITION;
	report_joined(
		it->l, RULES_WARNING, it->text, expanded_origin(it->x, at), subject, nearest, what);
}

/* Lists, syntax, program. On failure *at is the offset in the text as it was written. */
static int compile_text(
	struct item *it, uint32_t *node, size_t *at, const char **nearest, struct err *e)
{
	struct loader *l = it->l;
	struct program_build b = {
		.program = l->rs->program, .ctx = it, .macro = find_macro, .warn = warn_condition
	};
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct ast *tree;
	size_t where = 0;

	*at = 0;
	if (expand_lists(l, it->text->text, it->visible, it->x, e))
		return -1;
	if (parse_condition(&tree, a, buf_str(&it->x->text), &where, e)) {
		*at = expanded_origin(it->x, where);
		return -1;
	}
	if (program_add(&b, tree, node, e) == 0)
		return 0;
	*at = expanded_origin(it->x, b.at);
	*nearest = b.nearest;
	return -1;
}

struct output_item {
	struct loader *l;
	const struct def_rule *rule;
};

static void warn_output(void *ctx, size_t at, const char *nearest, const char *what)
{
	struct output_item *it = ctx;

	report_joined(it->l, RULES_WARNING, &it->rule->output, at,
		(struct subject){ "rule", it->rule->name, RULES_CODE_UNKNOWN_FILTER }, nearest,
		what);
}

static int append_output(struct loader *l, struct output *o, struct program_build *b, struct err *e)
{
	const struct rules_options *opt = l->options;

	b->warn = NULL;
	if (opt->append_output && (output_add(o, b, STR(" "), e) ||
					  output_add(o, b, str_from(opt->append_output), e)))
		return err_wrap(e, "appended output");
	for (size_t i = 0; i < opt->append_fields_n; i++)
		if (output_add_field(o, b, str_from(opt->append_fields[i]), e))
			return err_wrap(e, "appended field %s", opt->append_fields[i]);
	return 0;
}

/* False: reported. */
static bool compile_output(struct loader *l, const struct def_rule *r, struct rule *out)
{
	struct output_item it = { l, r };
	struct program_build b = { .program = l->rs->program, .ctx = &it, .warn = warn_output };
	struct subject what = { .kind = "rule", .name = r->name };
	struct err e = { 0 };

	out->output = output_new(l->rs->arena, &b);
	if (!out->output) {
		report_place(l, RULES_ERROR, r->place, what, NULL,
			"the rules together need too much memory");
		return false;
	}
	/* Block scalars end in a line feed, which is not meant as part of the line. */
	if (output_add(out->output, &b, str_trim(r->output.text), &e)) {
		what.code = RULES_CODE_OUTPUT;
		report_joined(l, RULES_ERROR, &r->output, b.at, what, b.nearest, e.msg);
		return false;
	}
	if (append_output(l, out->output, &b, &e)) {
		report_place(l, RULES_ERROR, r->place, what, NULL, "%s", e.msg);
		return false;
	}
	return true;
}

static const char *keep(struct loader *l, struct str s)
{
	struct str copy = arena_str(l->rs->arena, s);

	return copy.p ? copy.p : "";
}

static const char *tags_json(struct loader *l, const struct def_rule *r)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(LOAD_MAX_TEXT);
	struct jw w = jw_on(&b);

	jw_arr(&w);
	for (size_t i = 0; i < r->tags.n; i++)
		jw_str(&w, r->tags.p[i]);
	jw_end_arr(&w);
	return b.full ? "[]" : keep(l, buf_str(&b));
}

static void fill_info(struct loader *l, const struct def_rule *r, struct rule *out)
{
	const char **tags = arena_alloc(l->rs->arena, (r->tags.n + 1) * sizeof(*tags));
	struct rule_info *info = &out->info;

	for (size_t i = 0; tags && i < r->tags.n; i++)
		tags[i] = keep(l, r->tags.p[i]);
	*info = (struct rule_info){ .name = keep(l, r->name),
		.desc = keep(l, str_trim(r->desc.text)),
		.condition = keep(l, str_trim(r->cond.text)),
		.output = keep(l, str_trim(r->output.text)),
		.source = keep(l, r->source),
		.priority = r->priority,
		.tags = tags,
		.tags_n = tags ? r->tags.n : 0,
		.why = "",
		.file = keep(l, str_from(r->place.src->name)),
		.line = r->place.node->line };
	out->tags_json = tags_json(l, r);
}

/* `*` at either end of a pattern stands for anything. */
static bool name_matches(const char *pattern, struct str name)
{
	struct str p = str_from(pattern);
	bool head = p.n && p.p[0] == '*', tail = p.n > 1 && p.p[p.n - 1] == '*';
	struct str middle = str_of(p.p + head, p.n - head - tail);

	if (head && (tail || !middle.n))
		return str_contains(name, middle);
	if (head)
		return str_ends(name, middle);
	return tail ? str_starts(name, middle) : str_eq(name, middle);
}

static const char *why_off(const struct loader *l, const struct def_rule *r)
{
	const struct rules_options *o = l->options;

	if (!r->enabled)
		return "enabled: false";
	if (o->has_priority && r->priority > o->priority)
		return "less severe than the configured priority";
	for (size_t i = 0; i < o->disabled_n; i++)
		if (name_matches(o->disabled[i], r->name))
			return "disabled by the configuration";
	for (size_t i = 0; i < o->disabled_tags_n; i++)
		for (size_t k = 0; k < r->tags.n; k++)
			if (str_eqz(r->tags.p[k], o->disabled_tags[i]))
				return "its tag is disabled by the configuration";
	return NULL;
}

static void cannot_run(struct loader *l, const struct joined *text, size_t at,
	const struct def_rule *r, struct rule *out, enum rules_code code, const char *why)
{
	bool off = out->info.state == RULE_OFF;

	if (!off || l->options->check_off)
		report_joined(l, RULES_CANNOT_RUN, text, at,
			(struct subject){ "rule", r->name, code }, NULL, why);
	if (off)
		return;
	out->info.state = RULE_CANNOT_RUN;
	out->info.why = keep(l, str_from(why));
}

/* False: the rule is wrong, and that was reported. */
static bool compile_condition(struct loader *l, const struct def_rule *r, struct rule *out)
{
	struct joined text = { 0 };
	AUTO(expanded_fini) struct expanded x = { 0 };
	struct item it = {
		.l = l, .text = &text, .x = &x, .what = { "rule", r->name }, .visible = UINT32_MAX
	};
	const char *nearest = NULL;
	struct err e = { 0 };
	size_t at = 0;
	bool ok = exceptions_apply(l, r, &text);

	if (ok && compile_text(&it, &out->node, &at, &nearest, &e)) {
		ok = e.code == ERR_UNSUPPORTED;
		if (ok)
			cannot_run(l, &text, at, r, out, RULES_CODE_UNKNOWN_FILTER, e.msg);
		else
			report_joined(l, r->skip_unknown ? RULES_WARNING : RULES_ERROR, &text, at,
				it.what, nearest, e.msg);
	}
	joined_clear(&text);
	return ok;
}

static void compile_rule(struct loader *l, const struct def_rule *r)
{
	struct rule *out = &l->rs->rules[l->rs->rules_n];
	const char *off = why_off(l, r);

	if (r->broken)
		return;
	*out = (struct rule){ 0 };
	fill_info(l, r, out);
	if (off) {
		out->info.state = RULE_OFF;
		out->info.why = off;
	}
	if (!str_eqz(r->source, "syscall")) {
		/* Its fields are another source's: nothing of it can be checked. */
		cannot_run(l, &r->cond, 0, r, out, RULES_CODE_UNKNOWN_SOURCE,
			"only events of source syscall are available");
		l->rs->rules_n++;
		return;
	}
	if (compile_condition(l, r, out) && compile_output(l, r, out))
		l->rs->rules_n++;
}

/* "a, b, c and 5 more" */
static void put_types(struct buf *b, const struct type_set *set)
{
	size_t n = 0, total = type_set_count(set);

	for (size_t i = 0; i < types_count() && n < 8; i++)
		if (type_set_has(set, i))
			buf_printf(b, "%s%s", n++ ? ", " : "", types_name(i));
	if (total > n)
		buf_printf(b, " and %zu more", total - n);
}

static const struct def_rule *definition(struct loader *l, const struct rule *r)
{
	return map_get(l->rule_names, str_from(r->info.name));
}

/* Set the state by what the rule wants and what there is; *wants becomes what it gets. */
static void judge_types(struct loader *l, struct rule *r, struct type_set *wants)
{
	const struct def_rule *def = definition(l, r);
	struct type_set have = type_set_available(), missing = type_set_not(&have);
	bool many = type_set_count(wants) > MANY_TYPES;
	AUTO(buf_fini) struct buf why = BUF_INIT(4096);

	type_set_and(&missing, wants);
	if (many && def->warn_types)
		report_joined(l, RULES_WARNING, &def->cond, 0,
			(struct subject){ "rule", def->name, RULES_CODE_NO_EVTTYPE }, NULL,
			"no condition on evt.type: it is judged for every event, which is slow");
	if (!type_set_count(wants))
		report_joined(l, RULES_WARNING, &def->cond, 0,
			(struct subject){ "rule", def->name, RULES_CODE_NO_EVTTYPE }, NULL,
			"there is no event type for which it could be true");
	type_set_and(wants, &have);
	if (many || !type_set_count(&missing))
		return;
	buf_puts(&why, "event type ");
	put_types(&why, &missing);
	buf_puts(&why, " not available");
	if (!type_set_count(wants)) {
		cannot_run(l, &def->cond, 0, def, r, RULES_CODE_UNKNOWN_FILTER, buf_cstr(&why));
		return;
	}
	r->info.state = RULE_PARTIAL;
	r->info.why = keep(l, buf_str(&why));
	buf_puts(&why, "; it is judged for the others");
	report_joined(l, RULES_WARNING, &def->cond, 0,
		(struct subject){ "rule", def->name, RULES_CODE_UNKNOWN_FILTER }, NULL,
		buf_cstr(&why));
}

static void add_types(struct loader *l, uint32_t rule, const struct type_set *gets)
{
	for (size_t t = 0; t < types_count(); t++) {
		struct type_rules *list = &l->rs->by_type[t];

		if (!type_set_has(gets, t))
			continue;
		/* Grows by doubling: full when the count is a power of two. */
		if ((list->n & (list->n - 1)) == 0)
			list->rules = xrealloc(list->rules,
				(list->n ? (size_t)list->n * 2 : 1) * sizeof(*list->rules));
		list->rules[list->n++] = rule;
	}
}

static void collect_types(struct loader *l)
{
	struct ruleset *rs = l->rs;
	size_t n;
	struct type_set *sets = program_types(rs->program, &n);

	for (uint32_t i = 0; i < rs->rules_n; i++) {
		struct type_set gets;

		if (rs->rules[i].info.state != RULE_ACTIVE)
			continue;
		gets = sets[rs->rules[i].node];
		judge_types(l, &rs->rules[i], &gets);
		add_types(l, i, &gets);
	}
	free(sets);
	rs->types = xcalloc(types_count() + 1, sizeof(*rs->types));
	for (size_t t = 0; t < types_count(); t++)
		if (rs->by_type[t].n) {
			rs->types[rs->types_n++] = types_name(t);
			rs->classes |= 1u << types_class(t);
		}
}

static void arrange(struct ruleset *rs)
{
	AUTO_FREE uint32_t *nodes = xcalloc(rs->rules_n + 1, sizeof(*nodes));
	AUTO_FREE struct program_list *lists = xcalloc(TYPES_MAX, sizeof(*lists));

	for (size_t i = 0; i < rs->rules_n; i++)
		nodes[i] = rs->rules[i].node;
	for (size_t t = 0; t < TYPES_MAX; t++)
		lists[t] = (struct program_list){ rs->by_type[t].rules, rs->by_type[t].n };
	program_arrange(rs->program, nodes, lists);
}

static struct rules_name *keep_names(struct loader *l, size_t n)
{
	return arena_alloc(l->rs->arena, (n + 1) * sizeof(struct rules_name));
}

static struct rules_name keep_name(
	struct loader *l, struct str name, struct str text, const struct place *at)
{
	return (struct rules_name){ .name = keep(l, name),
		.text = keep(l, str_trim(text)),
		.file = keep(l, str_from(at->src->name)),
		.line = at->node->line };
}

static void keep_macros(struct loader *l)
{
	struct ruleset *rs = l->rs;

	rs->macros = keep_names(l, l->macros.n);
	for (size_t i = 0; rs->macros && i < l->macros.n; i++) {
		const struct def_macro *m = l->macros.p[i];

		rs->macros[rs->macros_n++] = keep_name(l, m->name, m->cond.text, &m->place);
	}
}

static void keep_lists(struct loader *l)
{
	struct ruleset *rs = l->rs;

	rs->lists = keep_names(l, l->lists.n);
	for (size_t i = 0; rs->lists && i < l->lists.n; i++) {
		const struct def_list *list = l->lists.p[i];
		AUTO(buf_fini) struct buf items = BUF_INIT(LOAD_MAX_TEXT);

		for (size_t k = 0; k < list->items.n; k++) {
			buf_puts(&items, k ? ", " : "");
			buf_put_str(&items, list->items.p[k]);
		}
		rs->lists[rs->lists_n++] = keep_name(l, list->name, buf_str(&items), &list->place);
	}
}

void load_compile(struct loader *l)
{
	l->rs->rules = xcalloc(l->rules.n + 1, sizeof(*l->rs->rules));
	for (size_t i = 0; i < l->macros.n; i++)
		if (l->macros.p[i]->state == MACRO_NEW && !l->macros.p[i]->broken)
			compile_macro(l, l->macros.p[i]);
	for (size_t i = 0; i < l->rules.n; i++)
		compile_rule(l, l->rules.p[i]);
	collect_types(l);
	arrange(l->rs);
	keep_macros(l);
	keep_lists(l);
}
