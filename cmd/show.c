#include "cmd/show.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/container.h"
#include "base/json.h"
#include "base/text.h"
#include "base/vec.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <wchar.h>

/* Widths are taken from this many rows; what comes later is written as it comes. */
#define MEASURED_ROWS 1000
/* A cell wider than this does not widen its column. */
#define WIDEST_CELL 60

struct show {
	FILE *out;
	enum show_format format;
	const struct show_column *columns;
	size_t columns_n, width;
	uint64_t rows;
	bool failed;
	int error;
	struct buf line;
	size_t widths[SHOW_MAX_COLUMNS];
	VEC(char *) held; /* the first rows' cells, one after another */
	bool measured;
};

enum show_format show_format_of(const char *word)
{
	static const char *const words[] = { "table", "json", "jsonl", "csv" };
	for (int i = 0; i < (int)ARRAY_N(words); i++)
		if (strcmp(word, words[i]) == 0)
			return (enum show_format)i;
	return SHOW_TABLE;
}

size_t show_terminal_width(void)
{
	struct winsize ws;
	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) || ws.ws_col == 0)
		return 0;
	return ws.ws_col;
}

/* Bytes of the next character and its columns. Bytes that are no character count one each. */
static size_t next_char(struct str s, size_t *columns)
{
	wchar_t wc;
	mbstate_t state = { 0 };
	size_t n = mbrtowc(&wc, s.p, s.n, &state);
	*columns = 1;
	if (n == 0 || n == (size_t)-1 || n == (size_t)-2)
		return 1;
	int w = wcwidth(wc);
	*columns = w < 0 ? 1 : (size_t)w;
	return n;
}

size_t show_text_cut(struct str s, size_t columns)
{
	size_t at = 0, used = 0, w;
	while (at < s.n) {
		size_t n = next_char(str_of(s.p + at, s.n - at), &w);
		if (used + w > columns)
			break;
		used += w;
		at += n;
	}
	return at;
}

size_t show_text_width(struct str s)
{
	size_t at = 0, used = 0, w;
	while (at < s.n) {
		at += next_char(str_of(s.p + at, s.n - at), &w);
		used += w;
	}
	return used;
}

struct show *show_new(FILE *out, enum show_format format, const struct show_column *columns,
	size_t columns_n, size_t width)
{
	struct show *s = xcalloc(1, sizeof(*s));
	*s = (struct show){ .out = out,
		.format = format,
		.columns = columns,
		.columns_n = columns_n < SHOW_MAX_COLUMNS ? columns_n : SHOW_MAX_COLUMNS,
		.width = width,
		.line = BUF_INIT(64u << 20) };
	return s;
}

void show_free(struct show *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->held.n; i++)
		free(s->held.p[i]);
	vec_fini(&s->held);
	buf_fini(&s->line);
	free(s);
}

/* The first one is told at the end. */
static void note_failure(struct show *s, int error)
{
	if (!s->failed)
		s->error = error;
	s->failed = true;
}

static void write_line(struct show *s)
{
	if (s->line.full)
		note_failure(s, EMSGSIZE);
	else if (fwrite(buf_cstr(&s->line), 1, s->line.n, s->out) != s->line.n)
		note_failure(s, errno);
	buf_reset(&s->line);
}

static bool is_text(enum show_kind k)
{
	return k == SHOW_TEXT || k == SHOW_ID || k == SHOW_RAW;
}

/* ---- JSON ---- */

static void put_json_cell(struct jw *w, const struct show_column *c, const struct show_cell *cell)
{
	char iso[CLOCK_ISO_LEN + 1];
	jw_key(w, c->name);
	if (cell->missing || (is_text(c->kind) && !cell->text.p) ||
		(c->kind == SHOW_TIME && !cell->number)) {
		jw_null(w);
		return;
	}
	switch (c->kind) {
	case SHOW_TEXT:
	case SHOW_ID:
		jw_str(w, cell->text);
		break;
	case SHOW_RAW:
		jw_raw(w, cell->text.n ? cell->text : STR("null"));
		break;
	case SHOW_COUNT:
		jw_u64(w, cell->number);
		break;
	case SHOW_SIGNED:
		jw_i64(w, (int64_t)cell->number);
		break;
	case SHOW_YESNO:
		jw_bool(w, cell->number != 0);
		break;
	case SHOW_TIME:
		clock_iso(cell->number, iso);
		jw_strz(w, iso);
		break;
	}
}

static void begin_json(struct show *s)
{
	if (s->format == SHOW_JSON)
		buf_puts(&s->line, s->rows == 0 ? "[\n" : ",\n");
	s->rows++;
}

static void end_json(struct show *s)
{
	if (s->format == SHOW_JSONL)
		buf_putc(&s->line, '\n');
	write_line(s);
}

void show_json(struct show *s, struct str object)
{
	begin_json(s);
	buf_put_str(&s->line, object);
	end_json(s);
}

static void row_json(struct show *s, const struct show_cell *cells)
{
	begin_json(s);
	struct jw w = jw_on(&s->line);
	jw_obj(&w);
	for (size_t i = 0; i < s->columns_n; i++)
		put_json_cell(&w, &s->columns[i], &cells[i]);
	jw_end_obj(&w);
	end_json(s);
}

/* ---- text of a cell, for table and CSV ---- */

static void put_cell(
	struct buf *b, const struct show_column *c, const struct show_cell *cell, bool short_form)
{
	char iso[CLOCK_ISO_LEN + 1];
	/* A name, as LXC has it, is shown whole. */
	bool is_cut = short_form && c->kind == SHOW_ID && cell->text.n == CONTAINER_ID_LEN;
	if (cell->missing)
		return;
	switch (c->kind) {
	case SHOW_TEXT:
	case SHOW_ID:
	case SHOW_RAW:
		if (cell->text.p)
			text_clean(
				b, is_cut ? str_of(cell->text.p, CONTAINER_SHORT_LEN) : cell->text);
		break;
	case SHOW_COUNT:
		buf_put_u64(b, cell->number);
		break;
	case SHOW_SIGNED:
		buf_put_i64(b, (int64_t)cell->number);
		break;
	case SHOW_YESNO:
		buf_puts(b, cell->number ? "yes" : "no");
		break;
	case SHOW_TIME:
		if (!cell->number)
			break;
		clock_iso(cell->number, iso);
		if (short_form) /* to the millisecond: "2026-11-23T15:04:05.123Z" */
			buf_printf(b, "%.23sZ", iso);
		else
			buf_puts(b, iso);
		break;
	}
}

/* ---- CSV ---- */

static void put_csv_text(struct buf *b, struct str s, bool guard)
{
	/* A spreadsheet takes a text that begins so for a formula. */
	bool formula = guard && s.n && strchr("=+-@", s.p[0]) != NULL;
	bool quote = s.n && (formula || memchr(s.p, ',', s.n) || memchr(s.p, '"', s.n) ||
				    s.p[0] == ' ' || s.p[s.n - 1] == ' ');
	if (quote)
		buf_putc(b, '"');
	if (formula)
		buf_putc(b, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			buf_putc(b, '"');
		buf_putc(b, s.p[i]);
	}
	if (quote)
		buf_putc(b, '"');
}

static void head_csv(struct show *s)
{
	for (size_t i = 0; i < s->columns_n; i++)
		buf_printf(&s->line, "%s%s", i ? "," : "", s->columns[i].name);
	buf_puts(&s->line, "\r\n");
	write_line(s);
}

static void row_csv(struct show *s, const struct show_cell *cells)
{
	AUTO(buf_fini) struct buf text = BUF_INIT(16u << 20);
	if (s->rows++ == 0)
		head_csv(s);
	for (size_t i = 0; i < s->columns_n; i++) {
		enum show_kind kind = s->columns[i].kind;
		buf_reset(&text);
		put_cell(&text, &s->columns[i], &cells[i], false);
		if (i)
			buf_putc(&s->line, ',');
		put_csv_text(&s->line, buf_str(&text), is_text(kind));
	}
	buf_puts(&s->line, "\r\n"); /* RFC 4180 */
	write_line(s);
}

/* ---- table ---- */

static bool is_right(enum show_kind k)
{
	return k == SHOW_COUNT || k == SHOW_SIGNED;
}

static size_t last_shown(const struct show *s)
{
	size_t last = 0;
	for (size_t i = 0; i < s->columns_n; i++)
		if (s->columns[i].title)
			last = i;
	return last;
}

static void write_table_line(struct show *s, char *const *texts)
{
	size_t last = last_shown(s), begun = 0;
	for (size_t i = 0; i < s->columns_n; i++) {
		if (!s->columns[i].title)
			continue;
		struct str t = str_from(texts[i]);
		size_t w = show_text_width(t);
		size_t pad = w < s->widths[i] ? s->widths[i] - w : 0;
		if (begun++)
			buf_puts(&s->line, "  ");
		if (is_right(s->columns[i].kind))
			buf_printf(&s->line, "%*s", (int)pad, "");
		buf_put_str(&s->line, t);
		if (!is_right(s->columns[i].kind) && i != last)
			buf_printf(&s->line, "%*s", (int)pad, "");
	}
	struct str all = buf_str(&s->line);
	if (s->width > 1 && show_text_width(all) > s->width) {
		s->line.n = show_text_cut(all, s->width - 1);
		buf_puts(&s->line, "…");
	}
	buf_putc(&s->line, '\n');
	write_line(s);
}

static void write_held(struct show *s)
{
	char *heads[SHOW_MAX_COLUMNS] = { 0 };
	if (s->measured)
		return;
	s->measured = true;
	for (size_t i = 0; i < s->columns_n; i++) {
		const char *title = s->columns[i].title ? s->columns[i].title : "";
		heads[i] = (char *)(uintptr_t)title; /* only read */
		size_t w = show_text_width(str_from(title));
		if (w > s->widths[i])
			s->widths[i] = w;
	}
	write_table_line(s, heads);
	for (size_t i = 0; i < s->held.n; i += s->columns_n)
		write_table_line(s, s->held.p + i);
}

static void row_table(struct show *s, const struct show_cell *cells)
{
	char *texts[SHOW_MAX_COLUMNS] = { 0 };
	for (size_t i = 0; i < s->columns_n; i++) {
		struct buf b = BUF_INIT(1u << 20);
		if (s->columns[i].title)
			put_cell(&b, &s->columns[i], &cells[i], true);
		texts[i] = buf_take(&b);
		size_t w = show_text_width(str_from(texts[i]));
		if (!s->measured && w > s->widths[i])
			s->widths[i] = w < WIDEST_CELL ? w : WIDEST_CELL;
	}
	if (s->rows++ < MEASURED_ROWS) {
		for (size_t i = 0; i < s->columns_n; i++)
			vec_push(&s->held, texts[i]);
		return;
	}
	write_held(s);
	write_table_line(s, texts);
	for (size_t i = 0; i < s->columns_n; i++)
		free(texts[i]);
}

void show_row(struct show *s, const struct show_cell *cells)
{
	static void (*const rows[])(struct show *, const struct show_cell *) = {
		[SHOW_TABLE] = row_table,
		[SHOW_JSON] = row_json,
		[SHOW_JSONL] = row_json,
		[SHOW_CSV] = row_csv,
	};
	rows[s->format](s, cells);
}

int show_end(struct show *s, struct err *e)
{
	if (s->format == SHOW_TABLE)
		write_held(s);
	if (s->format == SHOW_CSV && s->rows == 0)
		head_csv(s);
	if (s->format == SHOW_JSON) {
		buf_puts(&s->line, s->rows ? "\n]\n" : "[]\n");
		write_line(s);
	}
	errno = 0;
	if (fflush(s->out))
		note_failure(s, errno);
	if (!s->failed)
		return 0;
	errno = s->error;
	return err_set(e, ERR_SYS, "write to standard output");
}
