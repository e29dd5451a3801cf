#include "store/reader_impl.h"

#include <assert.h>

#define SHORTEST_PREFIX 12

void select_fini(struct select *s)
{
	buf_fini(&s->text);
}

void select_add(struct select *s, const char *piece)
{
	buf_puts(&s->text, piece);
}

void select_add_i64(struct select *s, const char *piece, int64_t v)
{
	assert(s->args_n < SELECT_MAX_ARGS && !s->where);
	buf_puts(&s->text, piece);
	s->arg[s->args_n].is_text = false;
	s->arg[s->args_n++].number = v;
}

void select_add_str(struct select *s, const char *piece, struct str v)
{
	assert(s->args_n < SELECT_MAX_ARGS && !s->where);
	buf_puts(&s->text, piece);
	s->arg[s->args_n].is_text = true;
	s->arg[s->args_n++].text = v;
}

void select_add_where(struct select *s, const struct where *w)
{
	struct str text = where_sql(w);
	buf_puts(&s->text, " AND (");
	buf_put(&s->text, text.p, text.n);
	buf_puts(&s->text, ")");
	s->where = w;
}

int select_prepare(struct sql_stmt **out, struct sql *db, const struct select *s, struct err *e)
{
	AUTO(sql_finalize) struct sql_stmt *st = NULL;
	assert(!s->text.full);
	if (sql_prepare(&st, db, buf_cstr(&s->text), e))
		return -1;
	for (int i = 0; i < s->args_n; i++) {
		if (s->arg[i].is_text)
			sql_bind_str(st, i + 1, s->arg[i].text);
		else
			sql_bind_i64(st, i + 1, s->arg[i].number);
	}
	if (s->where)
		where_bind(s->where, st, s->args_n + 1);
	*out = TAKE(st);
	return 0;
}

static bool is_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!strchr("0123456789abcdef", s.p[i]) || !s.p[i])
			return false;
	}
	return true;
}

int container_filter_find(
	struct container_filter *f, struct store_reader *r, struct str text, struct err *e)
{
	*f = (struct container_filter){ .on = text.n > 0 };
	if (!f->on)
		return 0;
	if (str_eqz(text, "host")) {
		f->host = true;
		return 0;
	}
	if (text.n >= SHORTEST_PREFIX && text.n <= CONTAINER_ID_LEN && is_hex(text))
		f->prefix = text;
	AUTO(sql_finalize) struct sql_stmt *st = NULL;
	if (sql_prepare(&st, r->db,
		    "SELECT id FROM containers WHERE id = ?1 OR name = ?1"
		    " ORDER BY last_seen_ns DESC LIMIT 16",
		    e))
		return -1;
	sql_bind_str(st, 1, text);
	int rc;
	while ((rc = sql_step(st, e)) > 0 && f->ids_n < FILTER_MAX_IDS) {
		struct str id = sql_str(st, 0);
		if (id.n <= CONTAINER_ID_LEN)
			memcpy(f->id[f->ids_n++], id.p, id.n);
	}
	return rc < 0 ? -1 : 0;
}

void container_filter_add(const struct container_filter *f, struct select *s, const char *column)
{
	if (!f->on)
		return;
	if (f->host) {
		buf_printf(&s->text, " AND %s = ''", column);
		return;
	}
	buf_printf(&s->text, " AND (%s IN (", column);
	for (int i = 0; i < f->ids_n; i++)
		select_add_str(s, i ? ", ?" : "?", str_from(f->id[i]));
	select_add(s, ")");
	if (f->prefix.n) {
		buf_printf(&s->text, " OR substr(%s, 1, ", column);
		select_add_i64(s, "?)", (int64_t)f->prefix.n);
		select_add_str(s, " = ?", f->prefix);
	}
	select_add(s, ")");
}
