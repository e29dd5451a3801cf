/*
 * Exceptions: values for which a rule does not hold. They are written into the condition as text,
 * as Falco does: `(condition) and not ((field op value and ...) or ...)`.
 */
#include "rules/load_impl.h"

#include "rules/parse.h"

static struct subject subject_of(const struct def_rule *r)
{
	return (struct subject){ .kind = "rule", .name = r->name };
}

static void fail(struct loader *l, struct def_rule *r, struct place at, const char *text)
{
	report_place(l, RULES_ERROR, at, subject_of(r), NULL, "%s", text);
	r->broken = true;
}

static size_t find(const struct def_rule *r, struct str name)
{
	for (size_t i = 0; i < r->exceptions.n; i++)
		if (str_eq(r->exceptions.p[i].name, name))
			return i;
	return SIZE_MAX;
}

static bool is_scalars(const struct yaml_node *n)
{
	if (n->kind != YAML_SEQ)
		return n->kind == YAML_SCALAR;
	for (size_t i = 0; i < n->n; i++)
		if (n->items[i]->kind != YAML_SCALAR)
			return false;
	return true;
}

/* An operator, with a modifier behind it: "startswith anyof". */
static bool parse_comp(struct str s, enum op *op, bool *list)
{
	struct str rest = str_trim(s), word = str_cut(&rest, ' ');

	if (!op_parse(word, op) || *op == OP_EXISTS)
		return false;
	rest = str_trim(rest);
	*list = op_kind(*op) == OP_LIST || rest.n;
	return !rest.n ||
	       (op_kind(*op) == OP_STRING && (str_eqz(rest, "oneof") || str_eqz(rest, "anyof") ||
						     str_eqz(rest, "allof")));
}

static bool check_comp(struct loader *l, struct def_rule *r, struct place at, bool needs_list)
{
	enum op op;
	bool list;

	if (!parse_comp(at.node->value, &op, &list)) {
		fail(l, r, at, "unknown operator in an exception's comps");
		return false;
	}
	if (needs_list && !list) {
		fail(l, r, at,
			"comps of a single field must be in, pmatch, intersects or have a modifier");
		return false;
	}
	return true;
}

static bool check_comps(struct loader *l, struct def_rule *r, struct def_exception *x)
{
	bool list = x->fields->kind == YAML_SEQ;
	struct place at = { x->place.src, x->comps };

	if (!x->comps)
		return true;
	if (!is_scalars(x->comps) || list != (x->comps->kind == YAML_SEQ) ||
		(list && x->comps->n != x->fields->n)) {
		fail(l, r, at, "an exception's fields and comps must have the same length");
		return false;
	}
	if (!list)
		return check_comp(l, r, at, true);
	for (size_t i = 0; i < x->comps->n; i++)
		if (!check_comp(l, r, (struct place){ x->place.src, x->comps->items[i] }, false))
			return false;
	return true;
}

static bool check_field(struct loader *l, struct def_rule *r, struct place at)
{
	struct ast_term *t;
	struct err e;
	size_t used;

	if (parse_term(&t, l->arena, at.node->value, &used, &e) == 0)
		return true;
	fail(l, r, at, "an exception's fields must be names of fields");
	return false;
}

static bool check_fields(struct loader *l, struct def_rule *r, struct def_exception *x)
{
	struct place at = { x->place.src, x->fields };

	if (!x->fields || !is_scalars(x->fields) ||
		(x->fields->kind == YAML_SEQ && !x->fields->n)) {
		fail(l, r, x->fields ? at : x->place,
			"an exception needs fields: a field or a list of them");
		return false;
	}
	if (x->fields->kind == YAML_SCALAR)
		return check_field(l, r, at);
	for (size_t i = 0; i < x->fields->n; i++)
		if (!check_field(l, r, (struct place){ x->place.src, x->fields->items[i] }))
			return false;
	return true;
}

static void add_values(
	struct loader *l, struct def_rule *r, struct def_exception *x, struct place item)
{
	const struct yaml_node *values = yaml_get(item.node, "values");

	if (!values || yaml_is_null(values))
		return;
	if (values->kind != YAML_SEQ) {
		fail(l, r, (struct place){ item.src, values },
			"an exception's values must be a list");
		return;
	}
	vec_push(&x->values, ((struct values){ .place = { item.src, values } }));
}

static void new_exception(struct loader *l, struct def_rule *r, struct place item, struct str name)
{
	struct def_exception x = { .name = name,
		.place = item,
		.fields = yaml_get(item.node, "fields"),
		.comps = yaml_get(item.node, "comps") };

	if (!check_fields(l, r, &x) || !check_comps(l, r, &x))
		return;
	add_values(l, r, &x, item);
	vec_push(&r->exceptions, x);
}

static void append_exception(struct loader *l, struct def_rule *r, struct place item, size_t at)
{
	if (yaml_get(item.node, "fields") || yaml_get(item.node, "comps")) {
		fail(l, r, item, "only values can be appended to an exception that exists");
		return;
	}
	if (!yaml_get(item.node, "values")) {
		fail(l, r, item, "values are missing");
		return;
	}
	add_values(l, r, &r->exceptions.p[at], item);
}

static void load_exception(struct loader *l, struct def_rule *r, struct place item, bool append)
{
	static const char *const keys[] = { "name", "fields", "comps", "values" };
	const struct yaml_node *name = item.node->kind == YAML_MAP ? yaml_get(item.node, "name")
								   : NULL;
	size_t at;

	if (!name || name->kind != YAML_SCALAR || !name->value.n) {
		fail(l, r, item, "an exception needs a name");
		return;
	}
	check_keys(l, item, subject_of(r), keys, ARRAY_N(keys));
	at = find(r, name->value);
	if (at == SIZE_MAX)
		new_exception(l, r, item, name->value);
	else if (append)
		append_exception(l, r, item, at);
	else
		fail(l, r, item, "two exceptions have the same name");
}

void load_exceptions(struct loader *l, struct def_rule *r, struct place list, bool append)
{
	if (!append) {
		for (size_t i = 0; i < r->exceptions.n; i++)
			vec_fini(&r->exceptions.p[i].values);
		vec_fini(&r->exceptions);
	}
	if (yaml_is_null(list.node))
		return;
	if (list.node->kind != YAML_SEQ) {
		fail(l, r, list, "exceptions must be a list");
		return;
	}
	for (size_t i = 0; i < list.node->n; i++)
		load_exception(l, r, (struct place){ list.src, list.node->items[i] }, append);
}

/* Writing them down. */

struct writer {
	struct loader *l;
	const struct def_rule *rule;
	struct joined *out;
	struct buf text;
	bool any, wrong;
};

static void mark(struct writer *w, struct place place)
{
	vec_push(&w->out->parts, ((struct part){ .at = w->text.n, .place = place }));
}

static void begin_alternative(struct writer *w)
{
	buf_puts(&w->text, w->any ? " or (" : "(");
	w->any = true;
}

static void put_list(struct writer *w, const struct yaml_node *n)
{
	buf_putc(&w->text, '(');
	for (size_t i = 0; i < n->n; i++) {
		buf_puts(&w->text, i ? ", " : "");
		buf_put_str(&w->text, quote_value(w->l, n->items[i]->value));
	}
	buf_putc(&w->text, ')');
}

static void put_value(struct writer *w, const struct yaml_node *value, bool list)
{
	if (value->kind == YAML_SEQ) {
		put_list(w, value);
	} else if (!list) {
		buf_put_str(&w->text, quote_value(w->l, value->value));
	} else if (value->value.n && value->value.p[0] == '(') {
		buf_put_str(&w->text, value->value);
	} else {
		buf_putc(&w->text, '(');
		buf_put_str(&w->text, value->value);
		buf_putc(&w->text, ')');
	}
}

static void put_check(struct writer *w, struct str field, const struct yaml_node *comp,
	const char *fallback, const struct yaml_node *value)
{
	struct str op = comp ? comp->value : str_from(fallback);
	enum op kind;
	bool list = false;

	parse_comp(op, &kind, &list);
	buf_put_str(&w->text, field);
	buf_putc(&w->text, ' ');
	buf_put_str(&w->text, op);
	buf_putc(&w->text, ' ');
	put_value(w, value, list);
}

static void reject(struct writer *w, struct place at, const char *text)
{
	report_place(w->l, RULES_ERROR, at, subject_of(w->rule), NULL, "%s", text);
	w->wrong = true;
}

/* fields: a, comps: in; values: a list of scalars. */
static void write_single(struct writer *w, const struct def_exception *x, const struct values *v)
{
	if (!v->place.node->n)
		return;
	if (!is_scalars(v->place.node)) {
		reject(w, v->place, "values of a single field must be texts");
		return;
	}
	begin_alternative(w);
	mark(w, v->place);
	put_check(w, x->fields->value, x->comps, "in", v->place.node);
	buf_putc(&w->text, ')');
}

/* fields: [a, b]; each value a list of as many, whose members may be lists again. */
static void write_tuple(struct writer *w, const struct def_exception *x, struct place tuple)
{
	if (tuple.node->kind != YAML_SEQ || tuple.node->n != x->fields->n) {
		reject(w, tuple, "each of the values must be a list as long as fields");
		return;
	}
	begin_alternative(w);
	mark(w, tuple);
	for (size_t i = 0; i < tuple.node->n; i++) {
		const struct yaml_node *value = tuple.node->items[i];

		if (!is_scalars(value)) {
			reject(w, (struct place){ tuple.src, value },
				"a value must be a text or a list of texts");
			return;
		}
		buf_puts(&w->text, i ? " and " : "");
		put_check(w, x->fields->items[i]->value, x->comps ? x->comps->items[i] : NULL, "=",
			value);
	}
	buf_putc(&w->text, ')');
}

static void write_exception(struct writer *w, const struct def_exception *x)
{
	for (size_t i = 0; i < x->values.n; i++) {
		const struct values *v = &x->values.p[i];

		if (x->fields->kind == YAML_SCALAR) {
			write_single(w, x, v);
			continue;
		}
		for (size_t k = 0; k < v->place.node->n; k++)
			write_tuple(w, x, (struct place){ v->place.src, v->place.node->items[k] });
	}
}

bool exceptions_apply(struct loader *l, const struct def_rule *r, struct joined *out)
{
	struct writer w = { .l = l, .rule = r, .out = out, .text = BUF_INIT(LOAD_MAX_TEXT) };
	const char *before = "(", *after = ") and not (";

	for (size_t i = 0; i < r->cond.parts.n; i++) {
		vec_push(&out->parts, r->cond.parts.p[i]);
		out->parts.p[i].at += strlen(before);
	}
	buf_puts(&w.text, before);
	buf_put_str(&w.text, r->cond.text);
	buf_puts(&w.text, after);
	for (size_t i = 0; i < r->exceptions.n; i++)
		write_exception(&w, &r->exceptions.p[i]);
	buf_putc(&w.text, ')');
	if (!w.any) {
		/* Exceptions without values change nothing. */
		for (size_t i = 0; i < r->cond.parts.n; i++)
			out->parts.p[i].at -= strlen(before);
		out->text = r->cond.text;
	} else {
		out->text = load_str(l, buf_str(&w.text));
	}
	if (w.text.full)
		reject(&w, r->place, "condition and exceptions are longer than 1 MiB");
	buf_fini(&w.text);
	return !w.wrong;
}
