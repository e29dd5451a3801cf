/*
 * What single checks say about an event itself. Each field below is there for every event of the
 * class, or its absence is taken into account: a check on what is missing is false.
 */
#include "rules/kernel_impl.h"

#define NETS                                                                                       \
	(1u << EVENT_CONNECT | 1u << EVENT_ACCEPT | 1u << EVENT_BIND | 1u << EVENT_LISTEN |        \
		1u << EVENT_SOCKET)

struct atom_in {
	struct arena *arena;
	const struct check *check;
	const struct field *field;
	enum event_class class;
};

static const struct both anything = { { &kernel_any, 1 }, { &kernel_any, 1 } };

/* The check against one value that the field may have. */
static bool is_true(const struct check *c, union atom value)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (operand_compare(c->op, c->type, &value, &c->operands[i]))
			return true;
	return false;
}

static bool is_true_of(const struct check *c, const char *text)
{
	return is_true(c, (union atom){ .s = str_from(text) });
}

static bool is_true_of_int(const struct check *c, int64_t i)
{
	return is_true(c, (union atom){ .i = i });
}

/* The field has one of two values; `yes_bits` is where it has the first. */
static void put_bits(uint8_t *yes, uint8_t *no, bool first, bool second, uint8_t bits, uint8_t all)
{
	uint8_t other = all & (uint8_t)~bits;

	*yes = (uint8_t)((first ? bits : 0) | (second ? other : 0));
	*no = all & (uint8_t) ~*yes;
}

static struct both give(
	const struct atom_in *in, const struct kernel_term *yes, const struct kernel_term *no)
{
	return (struct both){ dnf_of(in->arena, yes), dnf_of(in->arena, no) };
}

static struct both give_fixed(bool truth)
{
	return truth ? (struct both){ dnf_all(), dnf_none() }
		     : (struct both){ dnf_none(), dnf_all() };
}

/* --- the call and what it returned --- */

static struct both atom_type(const struct atom_in *in)
{
	struct kernel_term yes = kernel_any, no = kernel_any;

	yes.types = no.types = (struct type_set){ 0 };
	for (size_t i = 0; i < types_count(); i++)
		type_set_add(is_true_of(in->check, types_name(i)) ? &yes.types : &no.types, i);
	return give(in, &yes, &no);
}

/* Is the check true (or false) somewhere in from..to? It changes only at its operands. */
static bool happens(const struct check *c, int64_t from, int64_t to, bool truth)
{
	if (is_true_of_int(c, from) == truth || is_true_of_int(c, to) == truth)
		return true;
	for (uint32_t i = 0; i < c->n; i++) {
		int64_t at = c->operands[i].i;

		for (int64_t d = -1; d <= 1; d++) {
			if ((d < 0 && at == INT64_MIN) || (d > 0 && at == INT64_MAX))
				continue;
			if (at + d >= from && at + d <= to && is_true_of_int(c, at + d) == truth)
				return true;
		}
	}
	return false;
}

static uint8_t results(const struct check *c, int64_t least, bool truth)
{
	return (uint8_t)((happens(c, 0, INT64_MAX, truth) ? KERNEL_OK : 0) |
			 (happens(c, least, -1, truth) ? KERNEL_FAILED : 0));
}

static struct both atom_result(const struct atom_in *in, int64_t least)
{
	struct kernel_term yes = kernel_any, no = kernel_any;

	yes.results = results(in->check, least, true);
	no.results = results(in->check, least, false);
	return give(in, &yes, &no);
}

static struct both atom_rawres(const struct atom_in *in)
{
	return in->class == EVENT_EXIT ? give_fixed(false) : atom_result(in, INT64_MIN);
}

static struct both atom_fd_num(const struct atom_in *in)
{
	bool made = in->class == EVENT_OPEN || in->class == EVENT_ACCEPT ||
		    in->class == EVENT_SOCKET;

	/* These give -1 for every error. */
	return made ? atom_result(in, -1) : anything;
}

static struct both atom_failed(const struct atom_in *in)
{
	struct kernel_term yes = kernel_any, no = kernel_any;

	if (in->class == EVENT_EXIT)
		return give_fixed(is_true_of_int(in->check, 0));
	put_bits(&yes.results, &no.results, is_true_of_int(in->check, 1),
		is_true_of_int(in->check, 0), KERNEL_FAILED, KERNEL_RESULTS);
	return give(in, &yes, &no);
}

/* SUCCESS, or the name of an error, which is never that. */
static struct both atom_res(const struct atom_in *in)
{
	const struct check *c = in->check;
	struct kernel_term yes = kernel_any, no = kernel_any;
	bool only = c->op == OP_EQ || c->op == OP_IN || c->op == OP_INTERSECTS;

	if (in->class == EVENT_EXIT)
		return give_fixed(false);
	for (uint32_t i = 0; i < c->n; i++)
		only = only && str_eqz(c->operands[i].s, "SUCCESS");
	put_bits(&yes.results, &no.results, is_true_of(c, "SUCCESS"), !only, KERNEL_OK,
		KERNEL_RESULTS);
	no.results |= KERNEL_FAILED;
	return give(in, &yes, &no);
}

static struct both atom_num(const struct atom_in *in)
{
	return (struct both){ happens(in->check, 1, INT64_MAX, true) ? dnf_all() : dnf_none(),
		happens(in->check, 1, INT64_MAX, false) ? dnf_all() : dnf_none() };
}

static struct both atom_dir(const struct atom_in *in)
{
	return give_fixed(is_true_of(in->check, "<"));
}

static struct both atom_source(const struct atom_in *in)
{
	return give_fixed(is_true_of(in->check, "syscall"));
}

/* --- where --- */

/* "host" outside of containers; in them it may be anything, even that. */
static struct both atom_place(const struct atom_in *in)
{
	struct kernel_term yes = kernel_any, no = kernel_any;

	if (is_true_of(in->check, "host"))
		no.places = KERNEL_CONTAINER;
	else
		yes.places = KERNEL_CONTAINER;
	return give(in, &yes, &no);
}

/* --- opens --- */

static struct both atom_access(const struct atom_in *in, uint8_t set)
{
	struct kernel_term yes = kernel_any, no = kernel_any;
	bool on = is_true_of_int(in->check, 1), off = is_true_of_int(in->check, 0);

	if (in->class != EVENT_OPEN)
		return give_fixed(off);
	put_bits(&yes.access, &no.access, on, off, set, KERNEL_ACCESS);
	return give(in, &yes, &no);
}

static struct both atom_open_read(const struct atom_in *in)
{
	return atom_access(in, 1 << 0 | 1 << 2 | 1 << 3);
}

static struct both atom_open_write(const struct atom_in *in)
{
	return atom_access(in, 1 << 1 | 1 << 2 | KERNEL_CREAT);
}

static struct both atom_open_exec(const struct atom_in *in)
{
	struct kernel_term yes = kernel_any, no = kernel_any;
	bool on = is_true_of_int(in->check, 1), off = is_true_of_int(in->check, 0);

	if (in->class != EVENT_OPEN)
		return give_fixed(off);
	put_bits(&yes.makes, &no.makes, on, off, KERNEL_MAKES_EXEC, KERNEL_MAKES);
	return give(in, &yes, &no);
}

static struct both atom_kind(const struct atom_in *in, const char *directory, const char *file)
{
	struct kernel_term yes = kernel_any, no = kernel_any;

	if (in->class != EVENT_OPEN)
		return anything;
	put_bits(&yes.files, &no.files, is_true_of(in->check, directory),
		is_true_of(in->check, file), KERNEL_DIRECTORY, KERNEL_FILES);
	return give(in, &yes, &no);
}

static struct both atom_type_word(const struct atom_in *in)
{
	return atom_kind(in, "directory", "file");
}

static struct both atom_type_char(const struct atom_in *in)
{
	return atom_kind(in, "d", "f");
}

/* What a pattern begins with, up to the first byte with a meaning. */
static struct str literal_start(struct str pattern)
{
	size_t n = 0;

	while (n < pattern.n && !strchr("*?[\\", pattern.p[n]))
		n++;
	return str_of(pattern.p, n);
}

/*
 * A pmatch pattern matches part by part and does not mind how many slashes are between: what is
 * certain is the text up to the last whole part before a wildcard or a double slash.
 */
static struct str parts_start(struct str pattern)
{
	struct str s = literal_start(pattern);
	bool whole = s.n == pattern.n;

	for (size_t i = 1; i < s.n; i++)
		if (s.p[i] == '/' && s.p[i - 1] == '/') {
			s.n = i;
			whole = false;
		}
	if (!whole)
		while (s.n && s.p[s.n - 1] != '/')
			s.n--;
	while (s.n > 1 && s.p[s.n - 1] == '/')
		s.n--;
	return s.n && s.p[0] == '/' ? s : STR("");
}

/* What the whole path must look like when one operand is to match; empty text: anything. */
static struct kernel_path name_path(enum op op, struct str operand)
{
	struct str start;

	switch (op) {
	case OP_EQ:
	case OP_IN:
	case OP_INTERSECTS:
		return (struct kernel_path){ KERNEL_PATH_IS, operand };
	case OP_STARTSWITH:
		return (struct kernel_path){ KERNEL_PATH_PREFIX, operand };
	case OP_ENDSWITH:
		return (struct kernel_path){ KERNEL_PATH_SUFFIX, operand };
	case OP_PMATCH:
		return (struct kernel_path){ KERNEL_PATH_PREFIX, parts_start(operand) };
	case OP_GLOB:
		start = literal_start(operand);
		return (struct kernel_path){
			start.n == operand.n ? KERNEL_PATH_IS : KERNEL_PATH_PREFIX, start
		};
	default:
		return (struct kernel_path){ KERNEL_PATH_PREFIX, STR("") };
	}
}

/* The directory begins the path. "/" also stands for a path without any slash. */
static struct kernel_path directory_path(enum op op, struct str operand)
{
	struct kernel_path p = name_path(op, operand);

	if (p.kind == KERNEL_PATH_IS)
		p.kind = KERNEL_PATH_PREFIX;
	if (p.kind == KERNEL_PATH_SUFFIX || p.text.n <= 1)
		p = (struct kernel_path){ KERNEL_PATH_PREFIX, STR("") };
	return p;
}

/* The last part ends it. */
static struct kernel_path filename_path(enum op op, struct str operand)
{
	struct kernel_path p = name_path(op, operand);

	if (p.kind == KERNEL_PATH_PREFIX)
		return (struct kernel_path){ KERNEL_PATH_PREFIX, STR("") };
	p.kind = KERNEL_PATH_SUFFIX;
	return p;
}

static struct both atom_path(
	const struct atom_in *in, struct kernel_path (*of)(enum op op, struct str operand))
{
	const struct check *c = in->check;
	struct kernel_term yes = kernel_any;
	struct kernel_path *paths;

	if (in->class != EVENT_OPEN || c->n > KERNEL_MAX_PATHS)
		return anything;
	paths = arena_alloc(in->arena, (c->n + 1) * sizeof(*paths));
	if (!paths)
		return anything;
	for (uint32_t i = 0; i < c->n; i++) {
		paths[i] = of(c->op, c->operands[i].s);
		if (!paths[i].text.n && paths[i].kind != KERNEL_PATH_IS)
			return anything;
		paths[i].text = arena_str(in->arena, paths[i].text);
		if (!paths[i].text.p)
			return anything;
	}
	yes.any_path = false;
	yes.paths = paths;
	yes.paths_n = c->n;
	/* Not to match leaves nearly every path. */
	return (struct both){ dnf_of(in->arena, &yes), dnf_all() };
}

static struct both atom_name(const struct atom_in *in)
{
	return atom_path(in, name_path);
}

static struct both atom_directory(const struct atom_in *in)
{
	return atom_path(in, directory_path);
}

static struct both atom_filename(const struct atom_in *in)
{
	return atom_path(in, filename_path);
}

/* --- sockets --- */

/* The next port from which on the check may say otherwise; 65536 at the end. */
static int64_t next_change(const struct check *c, int64_t after)
{
	int64_t least = UINT16_MAX + 1;

	for (uint32_t i = 0; i < c->n; i++) {
		int64_t at = c->operands[i].i;

		if (at > after && at < least)
			least = at;
		if (at + 1 > after && at + 1 < least)
			least = at + 1;
	}
	return least;
}

static struct both atom_port(const struct atom_in *in)
{
	struct kernel_term yes = kernel_any;
	struct kernel_ports *ports;

	if (in->class != EVENT_CONNECT || in->check->n > KERNEL_MAX_PORTS / 2)
		return anything;
	ports = arena_alloc(in->arena, (2 * (size_t)in->check->n + 2) * sizeof(*ports));
	if (!ports)
		return anything;
	yes.any_port = false;
	yes.ports = ports;
	for (int64_t at = 0, next; at <= UINT16_MAX; at = next) {
		next = next_change(in->check, at);
		if (!is_true_of_int(in->check, at))
			continue;
		if (yes.ports_n && ports[yes.ports_n - 1].to + 1 == at)
			ports[yes.ports_n - 1].to = (uint16_t)(next - 1);
		else
			ports[yes.ports_n++] = (struct kernel_ports){ (uint16_t)at,
				(uint16_t)(next - 1) };
	}
	return (struct both){ dnf_of(in->arena, &yes), dnf_all() };
}

/* --- which --- */

static const struct {
	const char *name;
	struct both (*get)(const struct atom_in *in);
} atoms[] = {
	{ "evt.type", atom_type },
	{ "evt.rawres", atom_rawres },
	{ "evt.res", atom_res },
	{ "evt.failed", atom_failed },
	{ "evt.num", atom_num },
	{ "evt.dir", atom_dir },
	{ "evt.source", atom_source },
	{ "evt.is_open_read", atom_open_read },
	{ "evt.is_open_write", atom_open_write },
	{ "evt.is_open_exec", atom_open_exec },
	{ "fd.num", atom_fd_num },
	{ "fd.type", atom_type_word },
	{ "fd.typechar", atom_type_char },
	{ "fd.name", atom_name },
	{ "fd.directory", atom_directory },
	{ "fd.filename", atom_filename },
	{ "fd.sport", atom_port },
	{ "fd.rport", atom_port },
	{ "container.id", atom_place },
	{ "container.full_id", atom_place },
	{ "container.type", atom_place },
	{ "container.name", atom_place },
};

static bool starts(const struct field *f, const char *with)
{
	return str_starts(str_from(f->name), str_from(with));
}

/* Events of this class never have it. */
static bool is_missing(const struct field *f, enum event_class class)
{
	return f->type != FIELD_BOOL && f->classes && !(f->classes >> class & 1) &&
	       (starts(f, "fd.") || starts(f, "evt.arg."));
}

static struct both atom_by_name(const struct atom_in *in)
{
	struct kernel_term yes = kernel_any;

	for (size_t i = 0; i < ARRAY_N(atoms); i++)
		if (strcmp(in->field->name, atoms[i].name) == 0)
			return in->check->op == OP_EXISTS || in->check->re ? anything
									   : atoms[i].get(in);
	/* All other metadata is of containers alone. */
	if (!(in->field->flags & FIELD_F_META))
		return anything;
	yes.places = KERNEL_CONTAINER;
	return (struct both){ dnf_of(in->arena, &yes), dnf_all() };
}

struct both kernel_atom(
	struct arena *a, const struct program *p, const struct check *c, enum event_class class)
{
	const struct slot *s = &p->slots.p[c->slot];
	struct atom_in in = { .arena = a, .check = c, .class = class };

	if (s->kind != SLOT_FIELD)
		return anything;
	in.field = s->ref.field;
	if (is_missing(in.field, class))
		return give_fixed(false);
	if (c->right_slot != NO_SLOT)
		return anything;
	return atom_by_name(&in);
}
