/* YAML items to definitions: files' requirements, macros, lists, and what rules share with them. */
#include "rules/load_impl.h"

#include "rules/lex.h"

/* Falco's engine whose rule files are understood. */
#define ENGINE_MAJOR 0
#define ENGINE_MINOR 63

struct str load_str(struct loader *l, struct str s)
{
	struct str copy = arena_str(l->arena, s);

	return copy.p ? copy : STR("");
}

void *load_alloc(struct loader *l, size_t n)
{
	return arena_alloc(l->arena, n);
}

void joined_clear(struct joined *j)
{
	vec_fini(&j->parts);
	j->text = (struct str){ 0 };
}

void joined_add(struct loader *l, struct joined *j, struct place place)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(LOAD_MAX_TEXT);

	if (j->text.n) {
		buf_put_str(&b, j->text);
		buf_putc(&b, ' ');
	}
	vec_push(&j->parts, ((struct part){ .at = b.n, .place = place, .exact = true }));
	buf_put_str(&b, place.node->value);
	j->text = load_str(l, buf_str(&b));
}

static bool is_known(struct str key, const char *const *known, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eqz(key, known[i]))
			return true;
	return false;
}

void check_keys(struct loader *l, struct place item, struct subject what, const char *const *known,
	size_t n)
{
	what.code = RULES_CODE_UNKNOWN_ITEM;
	for (size_t i = 0; i < item.node->n; i++) {
		const struct yaml_node *key = item.node->pairs[i].key;

		if (!is_known(key->value, known, n))
			report_place(l, RULES_WARNING, (struct place){ item.src, key }, what,
				str_nearest(key->value, known, n), "unknown key %.*s",
				STR_ARG(key->value));
	}
}

/* One entry of an override map. False when it cannot be used. */
static bool check_override(struct loader *l, struct place item, struct subject what,
	const struct yaml_pair *pair, const char *const *appendable, size_t appendable_n,
	const char *const *replaceable, size_t replaceable_n)
{
	struct place at = { item.src, pair->key };
	struct str key = pair->key->value, how = pair->value->value;
	bool append = pair->value->kind == YAML_SCALAR && str_eqz(how, "append");
	bool replace = pair->value->kind == YAML_SCALAR && str_eqz(how, "replace");

	if (!append && !replace) {
		report_place(l, RULES_ERROR, at, what, NULL,
			"override of %.*s must be append or replace", STR_ARG(key));
		return false;
	}
	if (append ? !is_known(key, appendable, appendable_n)
		   : !is_known(key, replaceable, replaceable_n)) {
		report_place(l, RULES_ERROR, at, what, NULL, "%.*s cannot be %s by an override",
			STR_ARG(key), append ? "appended to" : "replaced");
		return false;
	}
	if (yaml_get(item.node, key.p))
		return true;
	report_place(
		l, RULES_ERROR, at, what, NULL, "override names %s, which is not given", key.p);
	return false;
}

/* Every given key that an override could name must be named. */
static bool check_given(struct loader *l, struct place item, struct subject what,
	const char *const *keys, size_t n, const struct yaml_node *map)
{
	for (size_t i = 0; i < n; i++)
		if (yaml_get(item.node, keys[i]) && !yaml_get(map, keys[i])) {
			report_place(l, RULES_ERROR, item, what, NULL,
				"%s is given, but override does not say append or replace for it",
				keys[i]);
			return false;
		}
	return true;
}

bool override_read(struct loader *l, struct place item, struct subject what,
	const char *const *appendable, size_t appendable_n, const char *const *replaceable,
	size_t replaceable_n, struct override *out)
{
	const struct yaml_node *map = yaml_get(item.node, "override");
	const struct yaml_node *append = yaml_get(item.node, "append");

	*out = (struct override){ .map = map };
	if (append && !yaml_bool(append, &out->append)) {
		report_place(l, RULES_ERROR, (struct place){ item.src, append }, what, NULL,
			"append must be true or false");
		return false;
	}
	if (out->append)
		report_place(l, RULES_WARNING, (struct place){ item.src, append },
			(struct subject){ what.kind, what.name, RULES_CODE_DEPRECATED }, NULL,
			"append is deprecated; use override");
	if (!map)
		return true;
	if (map->kind != YAML_MAP || !map->n || append) {
		report_place(l, RULES_ERROR, (struct place){ item.src, map }, what, NULL,
			append ? "override and append exclude each other"
			       : "override must be a map of keys to append or replace");
		return false;
	}
	for (size_t i = 0; i < map->n; i++)
		if (!check_override(l, item, what, &map->pairs[i], appendable, appendable_n,
			    replaceable, replaceable_n))
			return false;
	return check_given(l, item, what, appendable, appendable_n, map) &&
	       check_given(l, item, what, replaceable, replaceable_n, map);
}

bool override_appends(const struct override *o, const char *key)
{
	const struct yaml_node *how = o->map ? yaml_get(o->map, key) : NULL;

	return how ? str_eqz(how->value, "append") : o->append;
}

static bool is_identifier(struct str s)
{
	struct lex lex = { .text = s };
	struct str name;

	return lex_identifier(&lex, &name) && name.n == s.n;
}

static bool is_bare(struct str s)
{
	struct lex lex = { .text = s };
	struct str name;

	return lex_bare(&lex, &name) && name.n == s.n;
}

/* The scalar under `key`, or an error. */
static const struct yaml_node *need_scalar(
	struct loader *l, struct place item, struct subject what, const char *key)
{
	const struct yaml_node *n = yaml_get(item.node, key);

	if (n && n->kind == YAML_SCALAR && n->value.n)
		return n;
	report_place(l, RULES_ERROR, n ? (struct place){ item.src, n } : item, what, NULL,
		n ? "%s must be a text" : "%s is missing", key);
	return NULL;
}

static const char *const condition_key[] = { "condition" };
static const char *const items_key[] = { "items" };

static struct def_macro *new_macro(struct loader *l, struct place item, struct str name)
{
	struct def_macro *m = xcalloc(1, sizeof(*m));

	m->name = name;
	m->place = item;
	m->index = l->next_index++;
	m->visible = m->index;
	vec_push(&l->macros, m);
	map_put(l->macro_names, name, m);
	return m;
}

/* Defines anew, replaces or appends; the place in the order of definitions stays the first one. */
static void set_macro(struct loader *l, struct def_macro *m, struct place item,
	const struct yaml_node *condition, bool append)
{
	if (!append) {
		joined_clear(&m->cond);
		m->place = item;
	}
	m->visible = l->next_index++;
	m->broken = false;
	joined_add(l, &m->cond, (struct place){ item.src, condition });
}

static void load_macro(struct loader *l, struct place item)
{
	static const char *const keys[] = { "macro", "condition", "append", "override" };
	struct subject what = { .kind = "macro", .name = yaml_get(item.node, "macro")->value };
	struct def_macro *m = map_get(l->macro_names, what.name);
	const struct yaml_node *condition;
	struct override o;

	check_keys(l, item, what, keys, ARRAY_N(keys));
	if (!is_identifier(what.name)) {
		report_place(l, RULES_WARNING, item,
			(struct subject){ what.kind, what.name, RULES_CODE_MACRO_NAME }, NULL,
			"a condition cannot name it: letters, digits and _ only, a letter first");
	}
	condition = need_scalar(l, item, what, "condition");
	if (!override_read(l, item, what, condition_key, 1, condition_key, 1, &o))
		return;
	if ((o.map || o.append) && !m) {
		report_place(
			l, RULES_ERROR, item, what, NULL, "there is no such macro to change yet");
		return;
	}
	if (!m)
		m = new_macro(l, item, what.name);
	if (condition)
		set_macro(l, m, item, condition, override_appends(&o, "condition"));
	else if (!m->cond.text.n)
		m->broken = true;
}

/* False when an item is no scalar. */
static bool add_items(
	struct loader *l, struct def_list *list, struct place items, struct subject what)
{
	for (size_t i = 0; i < items.node->n; i++) {
		const struct yaml_node *n = items.node->items[i];

		if (n->kind != YAML_SCALAR) {
			report_place(l, RULES_ERROR, (struct place){ items.src, n }, what, NULL,
				"an item must be a text or a number");
			return false;
		}
		vec_push(&list->items, quote_value(l, n->value));
	}
	return true;
}

static struct def_list *new_list(struct loader *l, struct place item, struct str name)
{
	struct def_list *list = xcalloc(1, sizeof(*list));

	list->name = name;
	list->place = item;
	list->index = l->next_index++;
	list->visible = list->index;
	vec_push(&l->lists, list);
	map_put(l->list_names, name, list);
	return list;
}

static void load_list(struct loader *l, struct place item)
{
	static const char *const keys[] = { "list", "items", "append", "override" };
	struct subject what = { .kind = "list", .name = yaml_get(item.node, "list")->value };
	struct def_list *list = map_get(l->list_names, what.name);
	const struct yaml_node *items = yaml_get(item.node, "items");
	struct override o;

	check_keys(l, item, what, keys, ARRAY_N(keys));
	if (!is_bare(what.name))
		report_place(l, RULES_WARNING, item,
			(struct subject){ what.kind, what.name, RULES_CODE_LIST_NAME }, NULL,
			"a condition cannot name it: no blanks, quotes, ( ) , or = in a list's name");
	if (!items || (items->kind != YAML_SEQ && !yaml_is_null(items))) {
		report_place(l, RULES_ERROR, item, what, NULL, "items must be a list");
		return;
	}
	if (!override_read(l, item, what, items_key, 1, items_key, 1, &o))
		return;
	if ((o.map || o.append) && !list) {
		report_place(
			l, RULES_ERROR, item, what, NULL, "there is no such list to change yet");
		return;
	}
	if (!list)
		list = new_list(l, item, what.name);
	else
		list->visible = l->next_index++;
	if (!override_appends(&o, "items"))
		vec_fini(&list->items);
	if (items->kind == YAML_SEQ)
		add_items(l, list, (struct place){ item.src, items }, what);
}

/* "0.57.0", or N for 0.N.0. */
static bool parse_engine(struct str s, uint64_t *major, uint64_t *minor)
{
	struct str rest = s, first = str_cut(&rest, '.'), second;

	if (!rest.p) {
		*major = 0;
		return str_to_u64(first, minor);
	}
	second = str_cut(&rest, '.');
	return str_to_u64(first, major) && str_to_u64(second, minor);
}

static void check_engine(struct loader *l, struct place item)
{
	const struct yaml_node *n = yaml_get(item.node, "required_engine_version");
	struct subject what = { .kind = "item", .name = STR("required_engine_version") };
	uint64_t major, minor;

	if (n->kind != YAML_SCALAR || !parse_engine(n->value, &major, &minor))
		report_place(l, RULES_ERROR, item, what, NULL,
			"must be a number or a version such as 0.57.0");
	else if (major > ENGINE_MAJOR || minor > ENGINE_MINOR)
		report_place(l, RULES_ERROR, item, what, NULL,
			"the file wants engine %.*s; rules are understood as of %d.%d.0",
			STR_ARG(n->value), ENGINE_MAJOR, ENGINE_MINOR);
}

static void check_plugins(struct loader *l, struct place item)
{
	const struct yaml_node *list = yaml_get(item.node, "required_plugin_versions");
	struct subject what = { .kind = "item", .name = STR("required_plugin_versions") };

	for (size_t i = 0; list->kind == YAML_SEQ && i < list->n; i++) {
		const struct yaml_node *p = list->items[i];
		const struct yaml_node *name = p->kind == YAML_MAP ? yaml_get(p, "name") : NULL;

		if (!name || name->kind != YAML_SCALAR)
			report_place(l, RULES_ERROR, (struct place){ item.src, p }, what, NULL,
				"every entry needs a name");
		/* What that plugin gives is built in. */
		else if (!str_eqz(name->value, "container"))
			report_place(l, RULES_WARNING, (struct place){ item.src, p }, what, NULL,
				"plugin %.*s is not available; rules that need it will not load",
				STR_ARG(name->value));
	}
}

static void count_item(struct loader *l, struct str key)
{
	l->report->macros_n += str_eqz(key, "macro");
	l->report->lists_n += str_eqz(key, "list");
	l->report->rules_n += str_eqz(key, "rule");
}

static bool has_name(struct loader *l, struct place item, const char *key)
{
	const struct yaml_node *name = yaml_get(item.node, key);

	if (name->kind == YAML_SCALAR && name->value.n)
		return true;
	report_place(l, RULES_ERROR, item, (struct subject){ .kind = key, .name = STR("") }, NULL,
		"the name must be a text");
	return false;
}

static void load_item(struct loader *l, struct place item)
{
	static const struct {
		const char *key;
		void (*load)(struct loader *l, struct place item);
		bool named;
	} kinds[] = {
		{ "required_engine_version", check_engine, false },
		{ "required_plugin_versions", check_plugins, false },
		{ "macro", load_macro, true },
		{ "list", load_list, true },
		{ "rule", load_rule, true },
	};
	static const char *const names[] = { "rule", "macro", "list", "required_engine_version",
		"required_plugin_versions" };
	struct subject what = { .kind = "item", .name = STR("") };

	if (item.node->kind != YAML_MAP) {
		report_place(
			l, RULES_ERROR, item, what, NULL, "expected a rule, a macro or a list");
		return;
	}
	for (size_t i = 0; i < ARRAY_N(kinds); i++) {
		if (!yaml_get(item.node, kinds[i].key))
			continue;
		count_item(l, str_from(kinds[i].key));
		if (!kinds[i].named || has_name(l, item, kinds[i].key))
			kinds[i].load(l, item);
		return;
	}
	struct str first = item.node->n ? item.node->pairs[0].key->value : STR("");

	report_place(l, RULES_WARNING, item, what, str_nearest(first, names, ARRAY_N(names)),
		"unknown item %.*s", STR_ARG(first));
}

void load_document(struct loader *l, struct source *src, const struct yaml_node *doc)
{
	struct place at = { src, doc };

	if (yaml_is_null(doc))
		return;
	if (doc->kind != YAML_SEQ) {
		report_place(l, RULES_ERROR, at,
			(struct subject){ .kind = "file", .name = STR("") }, NULL,
			"expected a list of rules, macros and lists");
		return;
	}
	for (size_t i = 0; i < doc->n; i++)
		load_item(l, (struct place){ src, doc->items[i] });
}
