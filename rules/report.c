#include "rules/load_impl.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

#define REPORT_MAX_BYTES (32u << 20)

const char *rules_level_name(enum rules_level l)
{
	static const char *const names[] = { "error", "cannot run", "warning" };

	return names[l];
}

static const struct {
	const char *error, *warning, *meaning;
} codes[] = {
	[RULES_CODE_NONE] = { "LOAD_ERR_VALIDATE", "LOAD_WARNING_EXTENSION", "something else" },
	[RULES_CODE_YAML] = { "LOAD_ERR_YAML_PARSE", NULL, "the file is no YAML" },
	[RULES_CODE_VALIDATE] = { "LOAD_ERR_YAML_VALIDATE", NULL,
		"an item of the file is not what it should be" },
	[RULES_CODE_CONDITION] = { "LOAD_ERR_COMPILE_CONDITION", "LOAD_COMPILE_CONDITION",
		"the condition is wrong or not as meant" },
	[RULES_CODE_OUTPUT] = { "LOAD_ERR_COMPILE_OUTPUT", NULL, "the output is wrong" },
	[RULES_CODE_UNKNOWN_SOURCE] = { NULL, "LOAD_UNKNOWN_SOURCE",
		"nothing here has events of this source" },
	[RULES_CODE_NO_EVTTYPE] = { NULL, "LOAD_NO_EVTTYPE",
		"the condition names no type of events, or none that there is" },
	[RULES_CODE_UNKNOWN_FILTER] = { NULL, "LOAD_UNKNOWN_FILTER",
		"a field or a type of events is not known or not available here" },
	[RULES_CODE_UNKNOWN_ITEM] = { NULL, "LOAD_UNKNOWN_ITEM", "an item or a key is not known" },
	[RULES_CODE_DEPRECATED] = { NULL, "LOAD_DEPRECATED_ITEM", "deprecated" },
	[RULES_CODE_MACRO_NAME] = { NULL, "LOAD_INVALID_MACRO_NAME",
		"no condition can name this macro" },
	[RULES_CODE_LIST_NAME] = { NULL, "LOAD_INVALID_LIST_NAME",
		"no condition can name this list" },
};

const char *rules_problem_code(const struct rules_problem *p)
{
	const char *code = p->level == RULES_ERROR ? codes[p->code].error : codes[p->code].warning;

	if (code)
		return code;
	return p->level == RULES_ERROR ? codes[RULES_CODE_NONE].error
				       : codes[RULES_CODE_NONE].warning;
}

const char *rules_problem_meaning(const struct rules_problem *p)
{
	return codes[p->code].meaning;
}

const char *rule_state_name(enum rule_state s)
{
	static const char *const names[] = { "active", "partial", "cannot run", "off" };

	return names[s];
}

void rules_report_fini(struct rules_report *r)
{
	arena_free(r->arena);
	vec_fini(&r->list);
	vec_fini(&r->files);
	*r = (struct rules_report){ 0 };
}

void rules_problem_text(struct buf *b, const struct rules_problem *p)
{
	text_clean(b, str_from(p->file));
	if (p->line)
		buf_printf(b, ":%u:%u", p->line, p->col);
	buf_printf(b, ": %s: ", rules_level_name(p->level));
	if (*p->name)
		buf_printf(b, "%s %s: ", p->kind, p->name);
	buf_puts(b, p->what);
	if (p->nearest)
		buf_printf(b, " (did you mean %s?)", p->nearest);
}

static const char *keep(struct rules_report *r, struct str s)
{
	AUTO(buf_fini) struct buf clean = BUF_INIT(4096);
	struct str copy;

	if (!r->arena)
		r->arena = arena_new(REPORT_MAX_BYTES);
	text_clean(&clean, s);
	copy = arena_str(r->arena, buf_str(&clean));
	return copy.p ? copy.p : "";
}

void report_file(struct loader *l, const char *file)
{
	vec_push(&l->report->files, keep(l->report, str_from(file)));
}

void report_line(struct loader *l, enum rules_level level, const char *file, uint32_t line,
	uint32_t col, struct subject what, const char *nearest, const char *text)
{
	struct rules_report *r = l->report;
	size_t *counts[] = { &r->errors_n, &r->cannot_run_n, &r->warnings_n };

	(*counts[level])++;
	if (r->list.n >= RULES_MAX_PROBLEMS)
		return;
	if (!r->arena)
		r->arena = arena_new(REPORT_MAX_BYTES);
	vec_push(&r->list, ((struct rules_problem){
				   .level = level,
				   .code = what.code,
				   .file = keep(r, str_from(file)),
				   .line = line,
				   .col = col,
				   .kind = what.kind,
				   .name = keep(r, what.name),
				   .what = keep(r, str_from(text)),
				   .nearest = nearest ? keep(r, str_from(nearest)) : NULL,
			   }));
}

void report_place(struct loader *l, enum rules_level level, struct place at, struct subject what,
	const char *nearest, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (!what.code)
		what.code = level == RULES_ERROR ? RULES_CODE_VALIDATE : RULES_CODE_UNKNOWN_ITEM;
	report_line(l, level, at.src->name, at.node ? at.node->line : 0, at.node ? at.node->col : 0,
		what, nearest, text);
}

static void find_lines(struct source *src)
{
	size_t at = 0;

	if (src->lines.n)
		return;
	vec_push(&src->lines, 0);
	while (at < src->text.n) {
		const char *end = memchr(src->text.p + at, '\n', src->text.n - at);

		if (!end)
			break;
		at = (size_t)(end - src->text.p) + 1;
		vec_push(&src->lines, at);
	}
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Where the scalar's text begins: behind a quote, or on the line behind a block's indicator. */
static size_t scalar_start(const struct source *src, size_t at)
{
	if (at >= src->text.n)
		return at;
	if (src->text.p[at] == '"' || src->text.p[at] == '\'')
		return at + 1;
	if (src->text.p[at] != '>' && src->text.p[at] != '|')
		return at;
	while (at < src->text.n && src->text.p[at] != '\n')
		at++;
	return at;
}

/*
 * Offset in the file of offset `at` in the scalar's value. Folding changes only blanks, so the
 * other bytes are walked side by side; where an escape makes them differ the result is a little
 * off.
 */
static size_t file_offset(struct source *src, const struct yaml_node *node, size_t at)
{
	size_t i;

	find_lines(src);
	if (!node->line || node->line > src->lines.n)
		return 0;
	i = scalar_start(src, src->lines.p[node->line - 1] + node->col - 1);
	for (size_t k = 0; k <= at && k < node->value.n; k++) {
		if (is_blank(node->value.p[k]))
			continue;
		while (i < src->text.n && is_blank(src->text.p[i]))
			i++;
		if (k < at)
			i++;
	}
	return i < src->text.n ? i : src->text.n;
}

static void line_and_col(struct source *src, size_t offset, uint32_t *line, uint32_t *col)
{
	size_t low = 0, high = src->lines.n;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (src->lines.p[mid] <= offset)
			low = mid;
		else
			high = mid;
	}
	*line = (uint32_t)low + 1;
	*col = (uint32_t)(offset - src->lines.p[low]) + 1;
}

static const struct part *find_part(const struct joined *j, size_t at)
{
	const struct part *found = NULL;

	for (size_t i = 0; i < j->parts.n && j->parts.p[i].at <= at; i++)
		found = &j->parts.p[i];
	return found;
}

void report_joined(struct loader *l, enum rules_level level, const struct joined *j, size_t at,
	struct subject what, const char *nearest, const char *text)
{
	const struct part *p = find_part(j, at);
	uint32_t line, col;

	if (!p)
		return;
	if (!what.code)
		what.code = RULES_CODE_CONDITION;
	line = p->place.node->line;
	col = p->place.node->col;
	if (p->exact)
		line_and_col(p->place.src, file_offset(p->place.src, p->place.node, at - p->at),
			&line, &col);
	report_line(l, level, p->place.src->name, line, col, what, nearest, text);
}
