/* The item `rule`: a definition, a change of an earlier one, or a switch. */
#include "rules/load_impl.h"

static const char *const all_keys[] = { "rule", "desc", "condition", "output", "priority",
	"enabled", "source", "tags", "exceptions", "warn_evttypes", "skip-if-unknown-filter",
	"capture", "capture_duration", "append", "override" };

static const char *const appendable[] = { "condition", "output", "desc", "tags", "exceptions" };
static const char *const replaceable[] = { "condition", "output", "desc", "tags", "exceptions",
	"priority", "enabled", "warn_evttypes", "skip-if-unknown-filter", "capture",
	"capture_duration" };

static bool wrong(struct loader *l, struct place item, const struct yaml_node *n,
	struct subject what, const char *text)
{
	report_place(
		l, RULES_ERROR, n ? (struct place){ item.src, n } : item, what, NULL, "%s", text);
	return false;
}

/* Set *out from an optional boolean; false when it is something else. */
static bool read_bool(
	struct loader *l, struct place item, struct subject what, const char *key, bool *out)
{
	const struct yaml_node *n = yaml_get(item.node, key);

	if (!n || yaml_bool(n, out))
		return true;
	report_place(l, RULES_ERROR, (struct place){ item.src, n }, what, NULL,
		"%s must be true or false", key);
	return false;
}

static bool read_switches(
	struct loader *l, struct def_rule *r, struct place item, struct subject what)
{
	return read_bool(l, item, what, "enabled", &r->enabled) &&
	       read_bool(l, item, what, "warn_evttypes", &r->warn_types) &&
	       read_bool(l, item, what, "skip-if-unknown-filter", &r->skip_unknown);
}

static bool read_priority(
	struct loader *l, struct def_rule *r, struct place item, struct subject what, bool needed)
{
	const struct yaml_node *n = yaml_get(item.node, "priority");

	if (!n && !needed)
		return true;
	if (n && n->kind == YAML_SCALAR && priority_parse(n->value, &r->priority))
		return true;
	return wrong(l, item, n, what,
		n ? "priority must be emergency, alert, critical, error, warning, notice, "
		    "informational or debug"
		  : "priority is missing");
}

static bool read_text(struct loader *l, struct joined *out, struct place item, struct subject what,
	const char *key, bool needed, bool append)
{
	const struct yaml_node *n = yaml_get(item.node, key);

	if (!n && !needed)
		return true;
	if (!n || n->kind != YAML_SCALAR) {
		report_place(l, RULES_ERROR, n ? (struct place){ item.src, n } : item, what, NULL,
			n ? "%s must be a text" : "%s is missing", key);
		return false;
	}
	if (!append)
		joined_clear(out);
	joined_add(l, out, (struct place){ item.src, n });
	return true;
}

static bool read_tags(
	struct loader *l, struct def_rule *r, struct place item, struct subject what, bool append)
{
	const struct yaml_node *tags = yaml_get(item.node, "tags");

	if (!tags)
		return true;
	if (tags->kind != YAML_SEQ && !yaml_is_null(tags))
		return wrong(l, item, tags, what, "tags must be a list");
	if (!append)
		vec_fini(&r->tags);
	for (size_t i = 0; tags->kind == YAML_SEQ && i < tags->n; i++) {
		if (tags->items[i]->kind != YAML_SCALAR)
			return wrong(l, item, tags->items[i], what, "a tag must be a text");
		vec_push(&r->tags, tags->items[i]->value);
	}
	return true;
}

static void read_exceptions(struct loader *l, struct def_rule *r, struct place item, bool append)
{
	const struct yaml_node *n = yaml_get(item.node, "exceptions");

	if (n)
		load_exceptions(l, r, (struct place){ item.src, n }, append);
}

static struct def_rule *new_rule(struct loader *l, struct str name)
{
	struct def_rule *r = xcalloc(1, sizeof(*r));

	r->name = name;
	vec_push(&l->rules, r);
	map_put(l->rule_names, name, r);
	return r;
}

static void reset_rule(struct def_rule *r, struct place item)
{
	joined_clear(&r->cond);
	joined_clear(&r->output);
	joined_clear(&r->desc);
	vec_fini(&r->tags);
	for (size_t i = 0; i < r->exceptions.n; i++)
		vec_fini(&r->exceptions.p[i].values);
	vec_fini(&r->exceptions);
	r->place = item;
	r->enabled = r->warn_types = true;
	r->skip_unknown = r->broken = false;
	r->source = STR("syscall");
}

/*
 * A whole definition; an earlier one of the same name is forgotten, its place in the order stays.
 */
static void define_rule(
	struct loader *l, struct def_rule *r, struct place item, struct subject what)
{
	const struct yaml_node *source = yaml_get(item.node, "source");

	if (!r)
		r = new_rule(l, what.name);
	reset_rule(r, item);
	if (source && source->kind == YAML_SCALAR)
		r->source = source->value;
	/* All of them are tried, so that one run names everything that is wrong. */
	r->broken |= !read_text(l, &r->cond, item, what, "condition", true, false);
	r->broken |= !read_text(l, &r->output, item, what, "output", true, false);
	r->broken |= !read_text(l, &r->desc, item, what, "desc", true, false);
	r->broken |= !read_priority(l, r, item, what, true);
	r->broken |= !read_switches(l, r, item, what);
	r->broken |= !read_tags(l, r, item, what, false);
	read_exceptions(l, r, item, false);
}

static void change_rule(struct loader *l, struct def_rule *r, struct place item,
	struct subject what, const struct override *o)
{
	bool ok = read_text(
		l, &r->cond, item, what, "condition", false, override_appends(o, "condition"));

	ok &= read_text(l, &r->output, item, what, "output", false, override_appends(o, "output"));
	ok &= read_text(l, &r->desc, item, what, "desc", false, override_appends(o, "desc"));
	ok &= read_priority(l, r, item, what, false);
	ok &= read_switches(l, r, item, what);
	ok &= read_tags(l, r, item, what, override_appends(o, "tags"));
	read_exceptions(l, r, item, override_appends(o, "exceptions"));
	/* Half a change is not what was meant: the rule would be judged wrongly. */
	r->broken |= !ok;
}

/* The key append, older than override: it takes conditions and exceptions alone. */
static void append_rule(
	struct loader *l, struct def_rule *r, struct place item, struct subject what)
{
	if (!yaml_get(item.node, "condition") && !yaml_get(item.node, "exceptions")) {
		wrong(l, item, NULL, what, "append needs a condition or exceptions");
		return;
	}
	r->broken |= !read_text(l, &r->cond, item, what, "condition", false, true);
	read_exceptions(l, r, item, true);
}

/* `rule` and `enabled` and nothing else, of a rule that exists: a switch. */
static bool is_switch(const struct def_rule *r, struct place item)
{
	return r && item.node->n == 2 && yaml_get(item.node, "enabled");
}

void load_rule(struct loader *l, struct place item)
{
	struct subject what = { .kind = "rule", .name = yaml_get(item.node, "rule")->value };
	struct def_rule *r = map_get(l->rule_names, what.name);
	struct override o;

	check_keys(l, item, what, all_keys, ARRAY_N(all_keys));
	if (is_switch(r, item)) {
		r->broken |= !read_bool(l, item, what, "enabled", &r->enabled);
		return;
	}
	if (!override_read(l, item, what, appendable, ARRAY_N(appendable), replaceable,
		    ARRAY_N(replaceable), &o))
		return;
	if ((o.map || o.append) && !r)
		wrong(l, item, NULL, what, "there is no such rule to change yet");
	else if (o.map)
		change_rule(l, r, item, what, &o);
	else if (o.append)
		append_rule(l, r, item, what);
	else
		define_rule(l, r, item, what);
}
