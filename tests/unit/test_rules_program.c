/*
 * Finding rules by atoms and gates must give what evaluating each rule gives: random rules and
 * events, judged, against a plain walk over the syntax trees. HW_SEED=n repeats a run.
 */
#include "tests/unit/rules_fixture.h"

#include "base/re.h"
#include "rules/fields.h"
#include "rules/operand.h"
#include "rules/parse.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#define MAX_RULES  160
#define MACROS     6
#define ROUNDS     300
#define EVENTS     60
#define MAX_TEXT   (4u << 20)
#define SEED_WORDS 0x9e3779b97f4a7c15u

static uint64_t rng_state;

static uint32_t rnd(uint32_t n)
{
	rng_state += SEED_WORDS;
	uint64_t z = rng_state;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) >> 32) % n;
}

#define pick(table) ((table)[rnd(ARRAY_N(table))])

/* Few values, so that rules and events meet. */

static const char *const paths[] = { "/etc/passwd", "/etc/shadow", "/etc//shadow", "/etc/ssh/key",
	"/etc", "/", "/usr/bin/id", "/usr/bin/sh", "/usr/lib/x.so", "/tmp/a", "/tmp/a/b.txt", "/tmp/",
	"/tmp/aa/ab/abc", "/home/u/.ssh/id", "/HOME/U/.SSH/id", "relative/x", "/var/log/sys.log",
	"/var/log", "/proc/1/mem", "/tmp/[a]", "/tmp/a*b" };
static const char *const names[] = { "sh", "bash", "id", "nginx", "a", "ab", "abc", "systemd",
	"SH" };
static const char *const words[] = { "sh", "a", "ab", "abc", "/", "/etc", "ssh", "s", "-c", "id",
	".so", "x", "bc", "log", "host", "tmp/a", "/tmp", "nginx", "txt", "root", "b", "-x 1" };
static const char *const globs[] = { "/etc/*", "*sh*", "/tmp/?", "*.so", "/*/[a-z]*", "s?",
	"/tmp/\\[a\\]", "[", "a*c", "*", "/HOME/*id", "/t[m]p/a" };
static const char *const prefixes[] = { "/etc", "/tmp/a", "/usr", "/", "/etc/ssh/", "//etc//ssh",
	"relative", "/home/*/.ssh", "/tmp/a*", "/tmp/aa/ab", "/proc/1" };
static const char *const regexes[] = { "s.*", "(/etc|/tmp)/.*", "a+b?c", ".*sh", "[0-9]+" };
static const char *const types[] = { "open", "openat", "openat2", "creat", "execve", "execveat",
	"connect", "accept", "accept4", "procexit", "bind", "clone", "kill" };
static const char *const ips[] = { "10.0.0.1", "10.0.0.2", "1.2.3.4", "::1", "fe80::1" };
static const char *const nets[] = { "10.0.0.0/8", "1.2.3.4", "::/0", "0.0.0.0/0" };

static const char *const text_fields[] = { "fd.name", "fd.name", "fd.name", "fd.directory",
	"fd.filename", "fd.nameraw", "proc.name", "proc.name", "proc.pname", "proc.exepath",
	"proc.cmdline", "proc.args", "proc.args[1]", "proc.aname", "proc.aname[2]", "proc.aexepath",
	"proc.cwd", "container.id", "container.name", "container.image.repository", "user.name",
	"evt.res", "evt.category", "syscall.type", "fd.typechar", "fd.l4proto",
	"container.mount.dest[/x]", "evt.args" };
static const char *const number_fields[] = { "fd.num", "evt.num", "evt.rawres", "proc.pid",
	"proc.tty", "fd.sport", "fd.port", "fd.lport", "user.uid", "proc.apid", "proc.cmdnargs" };
static const char *const bool_fields[] = { "evt.is_open_read", "evt.is_open_write",
	"evt.is_open_exec", "container.privileged", "proc.is_exe_upper_layer", "fd.is_server",
	"evt.failed", "hw.path_unverified" };

static const char *text_value(void)
{
	switch (rnd(4)) {
	case 0:
		return pick(names);
	case 1:
		return pick(words);
	default:
		return pick(paths);
	}
}

static void put_quoted(struct buf *b, const char *z)
{
	buf_putc(b, '"');
	for (; *z; z++)
		buf_printf(b, *z == '\\' || *z == '"' ? "\\%c" : "%c", *z);
	buf_putc(b, '"');
}

/* "(a, b, c)", up to `most` of what `value` gives; sometimes none. */
static void put_list(struct buf *b, uint32_t least, const char *(*value)(void))
{
	uint32_t n = rnd(20) ? 1 + rnd(rnd(4) ? 3 : 12) : least;

	buf_putc(b, '(');
	for (uint32_t i = 0; i < n; i++) {
		buf_puts(b, i ? ", " : "");
		put_quoted(b, value());
	}
	buf_putc(b, ')');
}

static const char *prefix_value(void)
{
	return pick(prefixes);
}

static const char *type_value(void)
{
	return pick(types);
}

static const char *ip_value(void)
{
	return pick(ips);
}

static const char *net_value(void)
{
	return pick(nets);
}

static void put_text_check(struct buf *b)
{
	static const char *const ops[] = { "=", "!=", "contains", "startswith", "endswith",
		"icontains", "in", "in", "in", "pmatch", "pmatch", "glob", "iglob", "regex", "exists",
		"intersects", "contains", "startswith", "endswith", "=", "<", ">=" };
	static const char *const modifiers[] = { "anyof", "allof", "oneof" };
	const char *op = pick(ops), *field = pick(text_fields);

	if (rnd(12) == 0 && strcmp(field, "proc.aname") != 0 && strcmp(field, "proc.aexepath") != 0)
		buf_printf(b, "%s(%s) %s ", rnd(2) ? "tolower" : "basename", field, op);
	else
		buf_printf(b, "%s %s ", field, op);
	if (strcmp(op, "in") == 0 || strcmp(op, "intersects") == 0)
		put_list(b, 0, text_value);
	else if (strcmp(op, "pmatch") == 0)
		put_list(b, 1, prefix_value);
	else if (strstr(op, "glob"))
		put_quoted(b, pick(globs));
	else if (strcmp(op, "regex") == 0)
		put_quoted(b, pick(regexes));
	else if (strcmp(op, "<") == 0 || strcmp(op, ">=") == 0)
		buf_puts(b, "val(proc.name)");
	else if (op[0] > 'Z' && strcmp(op, "exists") != 0 && rnd(4) == 0) {
		buf_printf(b, "%s ", pick(modifiers));
		put_list(b, 1, text_value);
	} else if (strcmp(op, "exists") != 0 && rnd(15) == 0)
		buf_puts(b, "val(proc.pname)");
	else if (strcmp(op, "exists") != 0)
		put_quoted(b, text_value());
}

static void put_number_check(struct buf *b)
{
	static const char *const ops[] = { "=", "!=", "<", "<=", ">", ">=", "in", "=", "in" };
	static const int values[] = { 0, 1, 3, 22, 80, 443, 900, 1000, 1001, -2, 5 };
	const char *op = pick(ops), *field = pick(number_fields);
	bool port = strstr(field, "port"); /* which is never negative */
	int first = pick(values), second = pick(values);

	first = port ? abs(first) : first;
	second = port ? abs(second) : second;
	if (strcmp(op, "in") != 0)
		buf_printf(b, "%s %s %d", field, op, first);
	else
		buf_printf(b, "%s %s (%d, %d)", field, op, first, second);
}

static void put_address_check(struct buf *b)
{
	static const char *const fields[] = { "fd.sip", "fd.cip", "fd.ip", "fd.rip" };
	static const char *const net_fields[] = { "fd.snet", "fd.net" };
	static const char *const ops[] = { "=", "!=", "in" };
	const char *op = pick(ops);
	bool net = rnd(3) == 0;

	buf_printf(b, "%s %s ", net ? pick(net_fields) : pick(fields), op);
	if (strcmp(op, "in") == 0)
		put_list(b, 1, net ? net_value : ip_value);
	else
		put_quoted(b, net ? net_value() : ip_value());
}

static void put_type_check(struct buf *b)
{
	if (rnd(3)) {
		buf_puts(b, "evt.type in ");
		put_list(b, 1, type_value);
	} else {
		buf_printf(b, "%s %s %s", rnd(4) ? "evt.type" : "syscall.type",
			rnd(4) ? "=" : "!=", pick(types));
	}
}

static void put_check(struct buf *b)
{
	switch (rnd(12)) {
	case 0:
		put_type_check(b);
		break;
	case 1:
		put_number_check(b);
		break;
	case 2:
		put_address_check(b);
		break;
	case 3:
	case 4:
		buf_printf(b, "%s = %s", pick(bool_fields), rnd(2) ? "true" : "false");
		break;
	case 5:
		buf_puts(b, "hw.argv intersects ");
		put_list(b, 0, text_value);
		break;
	case 6:
		buf_puts(b, "hw.argv in ");
		put_list(b, 0, text_value);
		break;
	default:
		put_text_check(b);
	}
}

/* Macros above `macros` are not there yet. */
static void put_condition(struct buf *b, uint32_t depth, uint32_t macros)
{
	const char *op;
	uint32_t n;

	if (rnd(7) == 0)
		buf_puts(b, "not ");
	if (macros && rnd(4) == 0) {
		buf_printf(b, "macro%u", rnd(macros));
		return;
	}
	if (!depth || rnd(5) == 0) {
		put_check(b);
		return;
	}
	op = rnd(3) ? " and " : " or ";
	n = 2 + rnd(3);
	buf_putc(b, '(');
	for (uint32_t i = 0; i < n; i++) {
		buf_puts(b, i ? op : "");
		put_condition(b, depth - 1, macros);
	}
	buf_putc(b, ')');
}

/* A set of rules, as text for the loader and as trees for the walk. */
struct set {
	struct arena *arena;
	struct buf yaml;
	struct ast *macros[MACROS], *rules[MAX_RULES];
	uint32_t rules_n;
	enum rules_matching matching;
};

static struct ast *parse(struct set *set, struct buf *condition)
{
	struct ast *tree = NULL;
	struct err e = { 0 };
	size_t at;

	if (parse_condition(&tree, set->arena, buf_str(condition), &at, &e))
		fail_msg("%s: %s", buf_cstr(condition), e.msg);
	return tree;
}

static struct ast *put_definition(
	struct set *set, const char *kind, uint32_t i, uint32_t depth, uint32_t macros)
{
	AUTO(buf_fini) struct buf condition = BUF_INIT(MAX_TEXT);

	/* Half of the rules look like real ones: something shared, then something of their own. */
	if (depth > 1 && rnd(2))
		buf_printf(&condition, "macro%u and %s", rnd(macros), rnd(3) ? "" : "not ");
	if (depth > 1 && rnd(2)) {
		put_type_check(&condition);
		buf_puts(&condition, " and ");
	}
	put_condition(&condition, depth, macros);
	buf_printf(&set->yaml, "- %s: %s%u\n  condition: >\n    %s\n", kind, kind, i,
		buf_cstr(&condition));
	return parse(set, &condition);
}

static void set_init(struct set *set)
{
	*set = (struct set){ .arena = arena_new(MAX_TEXT * 16), .yaml = BUF_INIT(MAX_TEXT) };
	set->rules_n = 1 + rnd(rnd(3) ? 20 : MAX_RULES);
	set->matching = rnd(4) ? RULES_MATCH_ALL : RULES_MATCH_FIRST;
	for (uint32_t i = 0; i < MACROS; i++)
		set->macros[i] = put_definition(set, "macro", i, rnd(2), i);
	for (uint32_t i = 0; i < set->rules_n; i++) {
		set->rules[i] = put_definition(set, "rule", i, rnd(4), MACROS);
		buf_puts(&set->yaml, "  desc: d\n  output: o\n  priority: INFO\n");
	}
}

static void set_fini(struct set *set)
{
	arena_free(set->arena);
	buf_fini(&set->yaml);
}

/* The walk. */

struct walk {
	const struct set *set;
	struct judge_input in;
	struct scratch scratch;
	struct buf text;
	struct field_ctx cx;
};

static enum judge_name user_name(
	void *ctx, const struct container *c, uint32_t uid, struct str *out)
{
	(void)ctx, (void)c;
	if (uid == 7)
		return JUDGE_NAME_PENDING;
	*out = uid ? STR("a") : STR("root");
	return uid == 1001 ? JUDGE_NAME_MISSING : JUDGE_NAME_FOUND;
}

static const struct judge_names judge_names = { .user_name = user_name };

static struct str changed(struct walk *w, enum transform t, struct str s)
{
	char *to = scratch_alloc(&w->scratch, s.n + 1);
	const char *slash = s.n ? memrchr(s.p, '/', s.n) : NULL;

	if (t == TR_BASENAME)
		return slash ? str_of(slash + 1, (size_t)(s.p + s.n - slash) - 1) : s;
	for (size_t i = 0; i < s.n; i++)
		to[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
	return str_of(to, s.n);
}

/* Value, type and flags of a term with a field in it. */
static struct value term_value(
	struct walk *w, const struct ast_term *t, enum field_type *type, uint32_t *flags)
{
	const char *nearest;
	struct field_ref ref;
	struct err e;
	struct value v = { .n = 1 };

	if (t->kind == TERM_TRANSFORM) {
		v = term_value(w, t->args[0], type, flags);
		if (t->transform != TR_VAL && v.state == VALUE_HAVE)
			v.one.s = changed(w, t->transform, v.one.s);
		return v;
	}
	assert_int_equal(fields_resolve(&ref, t->text, t->has_arg, t->arg, &nearest, &e), 0);
	*type = ref.field->type;
	*flags = ref.field->flags;
	if (t->has_arg)
		*flags &= ~(uint32_t)FIELD_F_ANY;
	v.state = ref.field->get(&w->cx, ref.field, &ref.arg, &v);
	return v;
}

static bool compare_text(const struct ast *n, enum field_type type, const union atom *left,
	const struct ast_term *right)
{
	AUTO(re_free) struct re *re = NULL;
	union operand o;
	struct err e;

	assert_int_equal(operand_parse(&o, type, right->text, &e), 0);
	if (n->op != OP_REGEX)
		return operand_compare(n->op, type, left, &o);
	assert_int_equal(re_compile(&re, right->text, true, &e), 0);
	return re_match(re, left->s) == 1;
}

static enum verdict compare_field(
	struct walk *w, const struct ast *n, const struct value *left, enum field_type type)
{
	enum field_type right_type;
	uint32_t right_flags;
	struct value right = term_value(w, n->right[0], &right_type, &right_flags);
	union operand o = { 0 };

	if (right.state != VALUE_HAVE)
		return right.state == VALUE_PENDING ? VERDICT_PENDING : VERDICT_FALSE;
	o.s = right.one.s;
	for (uint32_t i = 0; i < left->n; i++)
		if (operand_compare(n->op, type, value_at(left, i), &o))
			return VERDICT_TRUE;
	return VERDICT_FALSE;
}

static enum verdict walk_check(
	struct walk *w, const struct ast *n, struct ast_term *const *right, size_t right_n)
{
	enum field_type type = FIELD_STR;
	uint32_t flags = 0, hits = 0;
	struct value left = term_value(w, n->left, &type, &flags);
	bool all;

	if (left.state != VALUE_HAVE)
		return left.state == VALUE_PENDING ? VERDICT_PENDING : VERDICT_FALSE;
	if (n->op == OP_EXISTS)
		return VERDICT_TRUE;
	if (right_n == 1 && right[0]->kind != TERM_TEXT)
		return compare_field(w, n, &left, type);
	for (uint32_t i = 0; i < left.n; i++) {
		bool hit = false;

		for (size_t k = 0; k < right_n; k++)
			hit = hit || compare_text(n, type, value_at(&left, i), right[k]);
		hits += hit;
	}
	all = flags & FIELD_F_LIST ? n->op == OP_IN : flags & FIELD_F_SIDES && n->op == OP_NE;
	return (all ? hits == left.n && hits : hits > 0) ? VERDICT_TRUE : VERDICT_FALSE;
}

struct tally {
	uint32_t n, yes, pending;
};

static void count(struct tally *t, enum verdict v)
{
	t->n++;
	t->yes += v == VERDICT_TRUE;
	t->pending += v == VERDICT_PENDING;
}

static enum verdict all_of(struct tally t)
{
	if (t.yes + t.pending < t.n)
		return VERDICT_FALSE;
	return t.pending ? VERDICT_PENDING : VERDICT_TRUE;
}

static enum verdict any_of(struct tally t)
{
	return t.yes ? VERDICT_TRUE : t.pending ? VERDICT_PENDING : VERDICT_FALSE;
}

static enum verdict one_of(struct tally t)
{
	if (t.yes > 1)
		return VERDICT_FALSE;
	return t.pending ? VERDICT_PENDING : t.yes ? VERDICT_TRUE : VERDICT_FALSE;
}

static enum verdict walk_modified(struct walk *w, const struct ast *n)
{
	struct tally t = { 0 };

	for (size_t i = 0; i < n->right_n; i++)
		count(&t, walk_check(w, n, &n->right[i], 1));
	return n->modifier == MOD_ALLOF ? all_of(t) : n->modifier == MOD_ANYOF ? any_of(t) : one_of(t);
}

static enum verdict walk(struct walk *w, const struct ast *n)
{
	struct tally t = { 0 };
	enum verdict v;

	switch (n->kind) {
	case AST_CHECK:
		return n->modifier ? walk_modified(w, n) : walk_check(w, n, n->right, n->right_n);
	case AST_WORD:
		return walk(w, w->set->macros[n->word.p[n->word.n - 1] - '0']);
	case AST_NOT:
		v = walk(w, n->items[0]);
		return v == VERDICT_PENDING ? v : v == VERDICT_TRUE ? VERDICT_FALSE : VERDICT_TRUE;
	default:
		for (size_t i = 0; i < n->items_n; i++)
			count(&t, walk(w, n->items[i]));
		return n->kind == AST_AND ? all_of(t) : any_of(t);
	}
}

/* What the judge must say: PENDING, or these rules in this order. */
struct expected {
	enum verdict verdict;
	uint32_t n, rules[MAX_RULES];
};

static void expect(const struct set *set, const struct rules_fixture *fx, struct expected *x)
{
	struct walk w = { .set = set, .in = rfx_input(fx), .text = BUF_INIT(1u << 20) };

	w.cx = (struct field_ctx){ .in = &w.in,
		.final = fx->final,
		.scratch = &w.scratch,
		.text = &w.text,
		.names = &judge_names,
		.hostname = STR("node1") };
	*x = (struct expected){ 0 };
	for (uint32_t i = 0; i < set->rules_n && x->verdict != VERDICT_PENDING; i++) {
		enum verdict v;

		scratch_reset(&w.scratch);
		v = walk(&w, set->rules[i]);
		if (v == VERDICT_FALSE)
			continue;
		x->verdict = v;
		x->rules[x->n++] = i;
		if (v == VERDICT_TRUE && set->matching == RULES_MATCH_FIRST)
			break;
	}
	scratch_fini(&w.scratch);
	buf_fini(&w.text);
}

/* Events. */

static void random_process(struct rules_fixture *fx, int i)
{
	char argv[256];

	snprintf(argv, sizeof(argv), "%s %s %s", pick(names), pick(words), text_value());
	rfx_process(fx, i, pick(names), pick(paths), rnd(8) ? argv : "");
	fx->process[i].tty = rnd(2) * 34816;
	fx->process[i].exe_upper = rnd(2);
	fx->process[i].key.tgid = rnd(3) ? 1000 : 900;
}

static void random_open(struct rules_fixture *fx)
{
	static const int32_t calls[] = { 2, 257, 437, 85, 257 };
	static const uint32_t flags[] = { O_RDONLY, O_WRONLY, O_RDWR, O_RDONLY | O_CREAT,
		O_RDONLY | O_DIRECTORY };

	rfx_open(fx, rnd(6) ? pick(paths) : NULL, rnd(6) ? pick(paths) : NULL, pick(flags));
	fx->ev.nr = pick(calls);
	fx->ev.open.mode = rnd(2) ? 0755 : 0644;
	if (rnd(4) == 0)
		fx->ev.open.file_mode = S_IFDIR | 0755;
}

static void random_net(struct rules_fixture *fx)
{
	static const enum event_class classes[] = { EVENT_CONNECT, EVENT_ACCEPT, EVENT_BIND,
		EVENT_SOCKET, EVENT_CONNECT };
	static const uint16_t ports[] = { 22, 80, 443, 1000 };
	bool six = rnd(3) == 0;

	rfx_net(fx, pick(classes), six ? ips[3 + rnd(2)] : ips[rnd(3)], pick(ports),
		six ? ips[3 + rnd(2)] : ips[rnd(3)], pick(ports));
}

static void random_event(struct rules_fixture *fx)
{
	static const uint32_t uids[] = { 0, 7, 1001, 1002 };

	rfx_init(fx);
	for (int i = 0; i < 4; i++)
		if (rnd(2))
			random_process(fx, i);
	fx->ev.uid = fx->process[0].uid = pick(uids);
	fx->ev.seq = rnd(3);
	switch (rnd(5)) {
	case 0:
		fx->ev.nr = rnd(2) ? 59 : 322;
		break;
	case 1:
		random_net(fx);
		break;
	case 2:
		fx->ev.class = rnd(2) ? EVENT_EXIT : EVENT_FORK;
		fx->ev.nr = fx->ev.class == EVENT_EXIT ? -1 : 56;
		break;
	default:
		random_open(fx);
	}
	if (rnd(2))
		rfx_container(fx, (enum container_state)rnd(3));
	fx->container.privileged = rnd(2);
	if (fx->container.state == CONTAINER_KNOWN && rnd(2))
		fx->container.name = str_from(pick(names));
	fx->no_process = rnd(20) == 0;
	fx->final = rnd(3) == 0;
}

static struct ruleset *load(const struct set *set)
{
	struct rules_text t = { "random.yaml", buf_str(&set->yaml) };
	struct rules_options o = { .matching = set->matching };
	AUTO(rules_report_fini) struct rules_report report = RULES_REPORT_INIT;
	struct ruleset *rs = NULL;
	struct err e = { 0 };

	if (rules_load_text(&rs, &t, 1, &o, &report, &e))
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < report.list.n; i++)
		if (report.list.p[i].level == RULES_ERROR)
			fail_msg("line %u: %s", report.list.p[i].line, report.list.p[i].what);
	assert_int_equal(ruleset_count(rs), set->rules_n);
	return rs;
}

static void show(const struct set *set, const struct expected *x, enum verdict v,
	const struct judge_alerts *alerts)
{
	fprintf(stderr, "expected %d:", (int)x->verdict);
	for (uint32_t i = 0; i < x->n; i++)
		fprintf(stderr, " rule%u", x->rules[i]);
	fprintf(stderr, "\ngot %d:", (int)v);
	for (size_t i = 0; i < alerts->list.n; i++)
		fprintf(stderr, " %s", alerts->list.p[i]->rule);
	fprintf(stderr, "\n%s\n", buf_cstr(&set->yaml));
}

static bool agrees(const struct expected *x, enum verdict v, const struct judge_alerts *alerts)
{
	if (v != x->verdict)
		return false;
	if (v == VERDICT_PENDING)
		return alerts->list.n == 0;
	if (alerts->list.n != x->n)
		return false;
	for (uint32_t i = 0; i < x->n; i++)
		if (strtoul(alerts->list.p[i]->rule + 4, NULL, 10) != x->rules[i])
			return false;
	return true;
}

struct totals {
	uint64_t cases, alerts, pending;
};

static void compare_set(struct totals *totals)
{
	static struct rules_fixture fx;
	static uint64_t hits[MAX_RULES];
	struct set set;

	memset(hits, 0, sizeof(hits));
	set_init(&set);
	struct ruleset *rs = load(&set);
	struct judge *j = judge_new(&(struct judge_options){ .rules = rs,
		.boot_id = STR("boot"),
		.hostname = STR("node1"),
		.names = judge_names });

	for (int i = 0; i < EVENTS; i++) {
		struct judge_alerts alerts = { 0 };
		struct expected x;
		enum verdict v;

		random_event(&fx);
		expect(&set, &fx, &x);
		v = rfx_judge(&fx, j, &alerts);
		if (!agrees(&x, v, &alerts)) {
			show(&set, &x, v, &alerts);
			fail();
		}
		for (size_t k = 0; v == VERDICT_TRUE && k < x.n; k++)
			hits[x.rules[k]]++;
		totals->cases += set.rules_n;
		totals->alerts += alerts.list.n;
		totals->pending += v == VERDICT_PENDING;
		rfx_alerts_fini(&alerts);
	}
	for (uint32_t i = 0; i < set.rules_n; i++)
		assert_int_equal(judge_hits(j, i), hits[i]);
	judge_free(j);
	ruleset_unref(rs);
	set_fini(&set);
}

static void judging_agrees_with_a_walk_over_the_trees(void **state)
{
	const char *seed = getenv("HW_SEED");
	struct totals totals = { 0 };

	(void)state;
	rng_state = seed ? strtoull(seed, NULL, 0) : 20240607;
	print_message("HW_SEED=%llu\n", (unsigned long long)rng_state);
	for (int i = 0; i < ROUNDS; i++)
		compare_set(&totals);
	print_message("%llu conditions on events, %llu alerts, %llu events pending\n",
		(unsigned long long)totals.cases, (unsigned long long)totals.alerts,
		(unsigned long long)totals.pending);
	/* A run in which hardly anything is true shows nothing. */
	assert_true(totals.cases > 100000);
	assert_true(totals.alerts > 10000);
	assert_true(totals.pending > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judging_agrees_with_a_walk_over_the_trees),
	};

	return cmocka_run_group_tests_name("rules_program", tests, NULL, NULL);
}
