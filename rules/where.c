#include "rules/where_impl.h"

#include "base/alert.h"
#include "base/clock.h"
#include "rules/parse.h"

#include <stdio.h>

#define ARENA_MAX_BYTES (16u << 20)
#define SQL_MAX_BYTES   (1u << 20)

const struct where_column *where_column_find(const struct where_view *v, struct str name)
{
	for (size_t i = 0; i < v->columns_n; i++)
		if (str_eqz(name, v->columns[i].name))
			return &v->columns[i];
	return NULL;
}

/* Columns are characters: bytes that continue one do not count. */
static size_t column_of(struct str text, size_t at)
{
	size_t n = 1;

	for (size_t i = 0; i < at && i < text.n; i++)
		n += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	return n;
}

static int tell(struct str text, size_t at, const char *nearest, struct err *e)
{
	struct err inner = { 0 };

	if (!e)
		return -1;
	inner = *e;
	return err_set(e, ERR_CONFIG, "column %zu: %s%s%s%s", column_of(text, at), inner.msg,
		nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
}

/* --- fields --- */

static int no_memory(struct err *e)
{
	return err_set(e, ERR_LIMIT, "condition needs too much memory");
}

static struct where_field *new_field(struct where *w, const struct field *like)
{
	struct where_field *f = arena_alloc(w->arena, sizeof(*f));

	if (f) {
		f->field = *like;
		f->row = &w->row;
	}
	return f;
}

static int give_field(struct field_ref *out, struct where_field *f, struct err *e)
{
	if (!f)
		return no_memory(e);
	out->field = &f->field;
	return 0;
}

static int resolve_column(
	struct where *w, struct field_ref *out, const struct where_column *c, struct err *e)
{
	const struct field like = { .name = c->name,
		.type = c->type,
		.flags = c->flags & WHERE_F_LIST ? FIELD_F_LIST : 0,
		.get = where_get_column };
	struct where_field *f = new_field(w, &like);

	if (f) {
		f->column = c;
		f->arg = ROW_ARGS_N + (int)w->columns.n;
		vec_push(&w->columns, c);
	}
	return give_field(out, f, e);
}

static int resolve_texts(struct where *w, struct field_ref *out, struct err *e)
{
	static const struct field like = {
		.name = WHERE_TEXT_FIELD, .flags = FIELD_F_ANY, .get = where_get_texts
	};

	w->uses_text = w->uses_row = true;
	return give_field(out, new_field(w, &like), e);
}

static const char *nearest_column(const struct where_view *v, struct str name)
{
	const char **names = xcalloc(v->columns_n, sizeof(*names));
	const char *nearest;

	for (size_t i = 0; i < v->columns_n; i++)
		names[i] = v->columns[i].name;
	nearest = str_nearest(name, names, v->columns_n);
	free(names);
	return nearest;
}

static int resolve_registry(struct where *w, struct field_ref *out, const struct ast_term *t,
	struct str arg, const char **nearest, struct err *e)
{
	struct field_ref ref = { 0 };
	struct where_field *f;

	if (fields_resolve(&ref, t->text, t->has_arg, arg, nearest, e)) {
		/* Names without a dot are the view's own. */
		if (!*nearest || !memchr(t->text.p, '.', t->text.n))
			*nearest = nearest_column(w->view, t->text);
		return -1;
	}
	if (!w->view->has(ref.field))
		return err_set(e, ERR_UNSUPPORTED, "field %s is not stored with %s",
			ref.field->name, w->view->what);
	f = new_field(w, ref.field);
	if (f) {
		f->registry = ref.field;
		f->field.get = where_get_field;
	}
	w->uses_row = true;
	out->arg = ref.arg;
	return give_field(out, f, e);
}

static int resolve(void *ctx, struct field_ref *out, const struct ast_term *t, struct str arg,
	const char **nearest, struct err *e)
{
	struct where *w = ctx;
	const struct where_column *c = where_column_find(w->view, t->text);

	*nearest = NULL;
	*out = (struct field_ref){ .arg = { .given = t->has_arg, .text = arg } };
	if (c && t->has_arg)
		return err_set(e, ERR_CONFIG, "field %s takes no argument", c->name);
	if (c)
		return resolve_column(w, out, c, e);
	if (str_eqz(t->text, WHERE_TEXT_FIELD))
		return resolve_texts(w, out, e);
	return resolve_registry(w, out, t, arg, nearest, e);
}

/* --- what --where alone can say, in the words of rules --- */

static struct ast_term *new_term(
	struct where *w, enum term_kind kind, struct str text, uint32_t at, struct err *e)
{
	struct ast_term *t = arena_alloc(w->arena, sizeof(*t));

	if (!t) {
		no_memory(e);
		return NULL;
	}
	t->kind = kind;
	t->text = text;
	t->at = at;
	t->quoted = kind == TERM_TEXT;
	return t;
}

/* `word` is `*text* icontains "word"`. */
static int rewrite_word(struct where *w, struct ast *n, struct err *e)
{
	struct ast_term **right = arena_alloc(w->arena, sizeof(*right));

	if (!right)
		return no_memory(e);
	n->left = new_term(w, TERM_FIELD, STR(WHERE_TEXT_FIELD), n->at, e);
	right[0] = new_term(w, TERM_TEXT, n->word, n->at, e);
	if (!n->left || !right[0])
		return -1;
	n->kind = AST_CHECK;
	n->op = OP_ICONTAINS;
	n->right = right;
	n->right_n = 1;
	return 0;
}

static bool is_number(struct str s)
{
	int64_t i;
	uint64_t u;

	return str_to_i64(s, &i) || str_to_u64(s, &u);
}

/* Numbers stay what they are in rules, nanoseconds; any other text is a time or an age. */
static int rewrite_time(struct where *w, struct ast_term *t, struct err *e)
{
	struct err why = { 0 };
	char text[24];
	uint64_t ns;
	int n;

	if (t->kind != TERM_TEXT || is_number(t->text))
		return 0;
	if (clock_parse(t->text, w->now_ns, &ns, &why))
		return err_set(e, ERR_CONFIG, "%s", why.msg);
	n = snprintf(text, sizeof(text), "%llu", (unsigned long long)ns);
	t->text = arena_str(w->arena, str_of(text, (size_t)n));
	return t->text.p ? 0 : no_memory(e);
}

static int rewrite_priority(struct ast_term *t, struct err *e)
{
	enum priority p;

	if (t->kind != TERM_TEXT)
		return 0;
	if (!priority_parse(t->text, &p))
		return err_set(e, ERR_CONFIG,
			"\"%.*s\" is none of emergency alert critical error warning notice "
			"informational debug",
			STR_ARG(t->text));
	t->text = str_from(priority_name(p));
	return 0;
}

static bool is_time(const struct where *w, const struct ast_term *t)
{
	const struct where_column *c = where_column_find(w->view, t->text);
	struct field_ref ref;
	const char *nearest;

	if (c)
		return c->type == FIELD_ABSTIME;
	return fields_resolve(&ref, t->text, t->has_arg, t->arg, &nearest, NULL) == 0 &&
	       ref.field->type == FIELD_ABSTIME;
}

static bool is_priority(const struct where *w, const struct ast *n)
{
	const struct where_column *c = where_column_find(w->view, n->left->text);

	return c && c->flags & WHERE_F_PRIORITY &&
	       (n->op == OP_EQ || n->op == OP_NE || n->op == OP_IN);
}

static int rewrite_check(struct where *w, struct ast *n, size_t *at, struct err *e)
{
	bool time, priority;

	if (n->left->kind != TERM_FIELD)
		return 0;
	time = is_time(w, n->left);
	priority = is_priority(w, n);
	for (size_t i = 0; i < n->right_n && (time || priority); i++) {
		*at = n->right[i]->at;
		if (time ? rewrite_time(w, n->right[i], e) : rewrite_priority(n->right[i], e))
			return -1;
	}
	return 0;
}

/* The parser bounded the depth. */
static int rewrite(struct where *w, struct ast *n, size_t *at, struct err *e)
{
	if (n->kind == AST_WORD)
		return rewrite_word(w, n, e);
	if (n->kind == AST_CHECK)
		return rewrite_check(w, n, at, e);
	for (size_t i = 0; i < n->items_n; i++)
		if (rewrite(w, n->items[i], at, e))
			return -1;
	return 0;
}

/* --- all of it --- */

static bool is_field(void *ctx, struct str name)
{
	const struct where *w = ctx;

	return where_column_find(w->view, name) != NULL;
}

static int compile(struct where *w, struct str text, struct err *e)
{
	const struct parse_where words = { .is_field = is_field, .ctx = w };
	struct ast *tree;
	size_t at = 0;
	uint32_t node;

	if (text.n > WHERE_MAX_BYTES) {
		err_set(e, ERR_LIMIT, "longer than %u bytes", WHERE_MAX_BYTES);
		return tell(text, WHERE_MAX_BYTES, NULL, e);
	}
	if (parse_where(&tree, w->arena, text, &words, &at, e) || rewrite(w, tree, &at, e))
		return tell(text, at, NULL, e);
	/* All of it, though parts become plain SQL: the program checks types and values. */
	if (program_add(&w->build, tree, &node, e))
		return tell(text, w->build.at, w->build.nearest, e);
	if (where_write(w, tree, e))
		return tell(text, 0, NULL, e);
	return 0;
}

int where_compile(struct where **out, struct str condition, const struct where_view *view,
	uint64_t now_ns, struct err *e)
{
	AUTO(where_free) struct where *w = xcalloc(1, sizeof(*w));
	struct err own = { 0 };

	w->view = view;
	w->now_ns = now_ns;
	w->arena = arena_new(ARENA_MAX_BYTES);
	w->sql.max = SQL_MAX_BYTES;
	w->program = program_new();
	w->build = (struct program_build){ .program = w->program, .ctx = w, .resolve = resolve };
	if (compile(w, condition, e ? e : &own))
		return -1;
	w->state = program_state_new(w->program, NULL, STR(""));
	*out = TAKE(w);
	return 0;
}

void where_free(struct where *w)
{
	if (!w)
		return;
	where_row_fini(&w->row);
	program_state_free(w->state);
	program_free(w->program);
	vec_fini(&w->columns);
	vec_fini(&w->values);
	buf_fini(&w->sql);
	arena_free(w->arena);
	free(w);
}

void where_set_source(struct where *w, const struct where_source *source)
{
	w->row.source = source;
}

struct str where_sql(const struct where *w)
{
	return buf_str(&w->sql);
}

int where_values_n(const struct where *w)
{
	return (int)w->values.n;
}

void where_bind(const struct where *w, struct sql_stmt *s, int first)
{
	for (size_t i = 0; i < w->values.n; i++) {
		const struct where_value *v = &w->values.p[i];
		int at = first + (int)i;

		if (v->kind == WHERE_VALUE_CALL)
			sql_bind_ptr(s, at, v->call, WHERE_PTR_TYPE);
		else if (v->kind == WHERE_VALUE_TEXT)
			sql_bind_str(s, at, v->text);
		else
			sql_bind_i64(s, at, v->number);
	}
}

uint64_t where_re_limits(const struct where *w)
{
	return program_re_limits(w->state);
}
