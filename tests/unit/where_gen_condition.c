#include "tests/unit/where_gen.h"

#include "rules/parse.h"
#include "rules/program.h"

#include <arpa/inet.h>

#define PICK(g, array) ((array)[gen_below(g, (uint32_t)ARRAY_N(array))])

static void put_quoted(struct buf *b, struct str s)
{
	buf_putc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			buf_printf(b, "\\x%02x", c ? c : 1);
		else
			buf_putc(b, (char)c);
	}
	buf_putc(b, '"');
}

/* The field with an argument where it takes one. */
static void put_field(struct gen *g, struct buf *b, const struct field *f)
{
	static const char *const names[] = { "app", "tier", "nope", "0", "1", "/proc/*",
		"/run/docker.sock" };

	buf_puts(b, f->name);
	if (f->arg == FIELD_ARG_INDEX || (f->arg == FIELD_ARG_INDEX_OPT && gen_below(g, 2)))
		buf_printf(b, "[%u]", gen_below(g, 5));
	else if (f->arg == FIELD_ARG_NAME || f->arg == FIELD_ARG_NAME_OPT)
		buf_printf(b, "[%s]", PICK(g, names));
}

/* Values of a field or transformer, as they occur. */
struct sample {
	enum field_type type;
	bool list;
	struct buf text;
	bool found;
};

static void take_atom(struct sample *s, const union atom *a)
{
	char ip[INET6_ADDRSTRLEN] = "";

	s->found = true;
	switch (s->type) {
	case FIELD_STR:
		buf_put_str(&s->text, a->s);
		return;
	case FIELD_IP:
	case FIELD_NET:
		inet_ntop(a->ip.family, a->ip.addr, ip, sizeof(ip));
		buf_puts(&s->text, ip);
		return;
	case FIELD_BOOL:
		buf_puts(&s->text, a->i ? "true" : "false");
		return;
	default:
		buf_put_i64(&s->text, a->i);
	}
}

/* False: the left side does not compile. */
static bool take_sample(struct gen *g, const char *left, struct sample *s)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(program_free) struct program *p = program_new();
	AUTO(program_state_free) struct program_state *st = NULL;
	struct program_build b = { .program = p };
	struct ast_term *t;
	uint32_t slot;
	size_t at;

	if (parse_term(&t, a, str_from(left), &at, NULL) || program_add_term(&b, t, &slot, NULL))
		return false;
	s->type = program_slot_info(p, slot).type;
	s->list = program_slot_info(p, slot).field &&
		  program_slot_info(p, slot).field->flags & FIELD_F_LIST;
	st = program_state_new(p, NULL, STR("node"));
	for (int tries = 0; tries < 10 && !s->found; tries++) {
		struct judge_input in = gen_input(g, gen_below(g, (uint32_t)g->events_n));
		const struct value *v;

		program_begin(st, &in, true);
		v = program_value(st, slot);
		if (v->state == VALUE_HAVE && v->n)
			take_atom(s, value_at(v, gen_below(g, v->n)));
	}
	return true;
}

static void put_text_operand(struct gen *g, struct buf *b, const struct sample *s, const char *op)
{
	static const char *const others[] = { "", "sh", "/etc", "etc", "*", "/etc/*", "[a-s]*",
		"-c", "host", "O_RDONLY", "a.*", "nothing like it", "%",
		"'; DROP TABLE events; --" };
	struct str v = buf_str(&s->text);
	uint32_t from, to;

	if (!s->found || gen_below(g, 3) == 0) {
		put_quoted(b, str_from(PICK(g, others)));
		return;
	}
	from = v.n ? gen_below(g, (uint32_t)v.n + 1) : 0;
	to = v.n ? from + gen_below(g, (uint32_t)v.n - from + 1) : 0;
	if (strcmp(op, "startswith") == 0 || strcmp(op, "pmatch") == 0)
		from = 0;
	if (strcmp(op, "endswith") == 0)
		to = (uint32_t)v.n;
	if (strchr("=!i", op[0]) && gen_below(g, 4))
		from = 0, to = (uint32_t)v.n;
	if (strcmp(op, "regex") == 0) {
		buf_puts(b, "\"[a-z/]*.*\"");
		return;
	}
	put_quoted(b, str_of(v.n ? v.p + from : "", to - from));
}

static void put_operand(struct gen *g, struct buf *b, const struct sample *s, const char *op)
{
	static const char *const numbers[] = { "0", "1", "-1", "22", "443", "1000", "1001", "3" };
	static const char *const ips[] = { "10.0.0.1", "::1", "127.0.0.1", "192.168.1.9",
		"fe80::1" };
	static const char *const nets[] = { "10.0.0.0/8", "127.0.0.0/8", "::/0", "0.0.0.0/0",
		"fe80::/10", "192.168.1.8/31" };
	bool known = s->found && gen_below(g, 2);

	if (s->type == FIELD_STR)
		put_text_operand(g, b, s, op);
	else if (s->type == FIELD_BOOL)
		buf_puts(b, gen_below(g, 3) ? "true" : "false");
	else if (known)
		buf_put_str(b, buf_str(&s->text));
	else if (s->type == FIELD_IP)
		buf_puts(b, PICK(g, ips));
	else if (s->type == FIELD_NET)
		buf_puts(b, PICK(g, nets));
	else if (s->type == FIELD_PORT && !strchr("<>", op[0]) && gen_below(g, 4) == 0)
		buf_puts(b, "https");
	else
		buf_puts(b, PICK(g, numbers));
}

static void put_operands(struct gen *g, struct buf *b, const struct sample *s, const char *op)
{
	buf_puts(b, " (");
	for (uint32_t i = 0, n = gen_below(g, 4); i < n; i++) {
		buf_puts(b, i ? ", " : "");
		put_operand(g, b, s, op);
	}
	buf_puts(b, ")");
}

static void put_right(struct gen *g, struct buf *b, const struct sample *s)
{
	static const char *const strings[] = { "=", "!=", "contains", "icontains", "startswith",
		"endswith", "glob", "iglob", "regex" };
	static const char *const numbers[] = { "=", "!=", "<", "<=", ">", ">=" };
	static const char *const plain[] = { "=", "!=" };
	static const char *const lists[] = { "in", "intersects" };
	static const char *const modifiers[] = { "anyof", "allof", "oneof" };
	const char *op;

	if (gen_below(g, 12) == 0) {
		buf_puts(b, " exists");
		return;
	}
	if (s->list || gen_below(g, 4) == 0) {
		op = s->type == FIELD_STR && !s->list && gen_below(g, 2) ? "pmatch"
									 : PICK(g, lists);
		buf_printf(b, " %s", op);
		put_operands(g, b, s, op);
		return;
	}
	op = s->type == FIELD_STR ? PICK(g, strings)
	     : s->type == FIELD_BOOL || s->type == FIELD_IP || s->type == FIELD_NET
		     ? PICK(g, plain)
		     : PICK(g, numbers);
	buf_printf(b, " %s ", op);
	if (s->type == FIELD_STR && strcmp(op, "regex") != 0 && gen_below(g, 6) == 0) {
		buf_puts(b, PICK(g, modifiers));
		put_operands(g, b, s, op);
		return;
	}
	put_operand(g, b, s, op);
}

static const struct field *any_field(struct gen *g, bool (*usable)(const struct field *f))
{
	/* Those that people ask for, and that SQL has as columns, more often. */
	static const char *const often[] = { "evt.type", "evt.rawres", "evt.rawtime",
		"container.id", "container.full_id", "user.uid", "proc.pid", "thread.tid",
		"fd.name", "proc.name", "evt.cpu", "evt.hostname", "evt.is_open_write",
		"fd.directory" };
	struct field_ref ref;
	const char *nearest;

	if (gen_below(g, 4) == 0 &&
		fields_resolve(&ref, str_from(PICK(g, often)), false, STR(""), &nearest, NULL) ==
			0 &&
		usable(ref.field))
		return ref.field;
	for (;;) {
		const struct field *f = fields_at(gen_below(g, (uint32_t)fields_count()));

		if (usable(f))
			return f;
	}
}

static void put_left(struct gen *g, struct buf *b, bool (*usable)(const struct field *f))
{
	static const char *const transforms[] = { "tolower", "toupper", "basename", "len", "b64" };
	uint32_t how = gen_below(g, 10);

	if (how == 0) {
		buf_printf(b, "%s(", PICK(g, transforms));
		put_field(g, b, any_field(g, usable));
		buf_putc(b, ')');
	} else if (how == 1 && gen_below(g, 2)) {
		buf_puts(
			b, gen_below(g, 2) ? "join(\"-\", hw.argv)" : "getopt(hw.argv, \"c:mp:\")");
		buf_puts(b, str_ends(buf_str(b), STR("\")")) && gen_below(g, 2) ? "[p]" : "");
	} else {
		put_field(g, b, any_field(g, usable));
	}
}

static void put_check(struct gen *g, struct buf *b, bool (*usable)(const struct field *f))
{
	for (;;) {
		AUTO(buf_fini) struct buf left = BUF_INIT(4096);
		struct sample s = { .text = BUF_INIT(1 << 16) };

		put_left(g, &left, usable);
		if (!take_sample(g, buf_cstr(&left), &s)) {
			buf_fini(&s.text);
			continue;
		}
		buf_put_str(b, buf_str(&left));
		if (gen_below(g, 20) == 0 && !s.list) {
			buf_puts(b, " = val(");
			put_field(g, b, any_field(g, usable));
			buf_puts(b, ")");
		} else {
			put_right(g, b, &s);
		}
		buf_fini(&s.text);
		return;
	}
}

static void put_tree(struct gen *g, struct buf *b, bool (*usable)(const struct field *f), int depth)
{
	uint32_t n = 2 + gen_below(g, 2);
	const char *word = gen_below(g, 2) ? " and " : " or ";

	if (gen_below(g, 5) == 0) {
		buf_puts(b, "not (");
		put_tree(g, b, usable, depth);
		buf_puts(b, ")");
		return;
	}
	if (depth == 0 || gen_below(g, 3) == 0) {
		put_check(g, b, usable);
		return;
	}
	buf_putc(b, '(');
	for (uint32_t i = 0; i < n; i++) {
		buf_puts(b, i ? word : "");
		put_tree(g, b, usable, depth - 1);
	}
	buf_putc(b, ')');
}

void gen_condition(struct gen *g, struct buf *b, bool (*usable)(const struct field *f))
{
	put_tree(g, b, usable, (int)gen_below(g, 3));
}

bool gen_verdicts(const struct gen *g, const char *condition, const char *hostname, bool *verdicts)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(program_free) struct program *p = program_new();
	AUTO(program_state_free) struct program_state *s = NULL;
	struct program_build b = { .program = p };
	struct ast *tree;
	uint32_t node;
	size_t at;

	if (parse_condition(&tree, a, str_from(condition), &at, NULL) ||
		program_add(&b, tree, &node, NULL))
		return false;
	s = program_state_new(p, NULL, str_from(hostname));
	for (size_t i = 0; i < g->events_n; i++) {
		struct judge_input in = gen_input(g, i);

		program_begin(s, &in, true);
		verdicts[i] = program_eval(s, node) == VERDICT_TRUE;
	}
	return true;
}
