#include "rules/kernel_impl.h"

#include "base/buf.h"
#include "rules/rules_impl.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#define ARENA_MAX_BYTES (128u << 20)

struct kernel_filters {
	struct arena *arena;
	struct kernel_filter by_class[EVENT_CLASS_N];
};

/* One class: what each node needs to be true and to be false, once it is asked for. */
struct walk {
	const struct program *p;
	enum event_class class;
	struct arena *arena; /* of what is thrown away */
	struct dnf *known[2];
	bool *have[2];
};

static struct dnf node_needs(struct walk *w, uint32_t node, bool truth);

static struct dnf all_kids(struct walk *w, const struct node *n, bool truth)
{
	struct dnf d = dnf_all();

	for (uint32_t i = 0; i < n->n && d.n; i++)
		d = dnf_and(w->arena, d, node_needs(w, w->p->kids.p[n->first + i], truth));
	return d;
}

static struct dnf any_kid(struct walk *w, const struct node *n, bool truth)
{
	struct dnf d = dnf_none();

	for (uint32_t i = 0; i < n->n && !dnf_is_all(d); i++)
		d = dnf_or(w->arena, d, node_needs(w, w->p->kids.p[n->first + i], truth));
	return d;
}

static struct dnf check_needs(struct walk *w, const struct node *n, bool truth)
{
	struct both b = kernel_atom(w->arena, w->p, &w->p->checks.p[n->first], w->class);

	return truth ? b.yes : b.no;
}

static struct dnf compute(struct walk *w, const struct node *n, bool truth)
{
	switch ((enum node_kind)n->kind) {
	case NODE_CHECK:
		return check_needs(w, n, truth);
	case NODE_NOT:
		return node_needs(w, n->first, !truth);
	case NODE_AND:
		return truth ? all_kids(w, n, true) : any_kid(w, n, false);
	case NODE_OR:
		return truth ? any_kid(w, n, true) : all_kids(w, n, false);
	default: /* exactly one */
		return truth ? any_kid(w, n, true) : dnf_all();
	}
}

/* As deep as the nodes are, which was bounded when they were made. */
static struct dnf node_needs(struct walk *w, uint32_t node, bool truth)
{
	if (!w->have[truth][node]) {
		w->known[truth][node] = compute(w, &w->p->nodes.p[node], truth);
		w->have[truth][node] = true;
	}
	return w->known[truth][node];
}

static struct type_set types_of(enum event_class class)
{
	struct type_set set = { 0 };

	for (size_t i = 0; i < types_count(); i++)
		if (types_class(i) == class)
			type_set_add(&set, i);
	return set;
}

/* The rules' needs, within what the class can be. */
static struct dnf rule_needs(struct walk *w, const struct rule *r, struct dnf of_class)
{
	if (r->info.state != RULE_ACTIVE && r->info.state != RULE_PARTIAL)
		return dnf_none();
	return dnf_and(w->arena, of_class, node_needs(w, r->node, true));
}

/* By halves, so that what grows is not copied once for each rule. */
static struct dnf rules_need(struct walk *w, const struct rule *r, size_t n, struct dnf of_class)
{
	if (n == 0)
		return dnf_none();
	if (n == 1)
		return rule_needs(w, r, of_class);
	return dnf_or(w->arena, rules_need(w, r, n / 2, of_class),
		rules_need(w, r + n / 2, n - n / 2, of_class));
}

static struct dnf set_needs(struct walk *w, const struct ruleset *rs)
{
	struct kernel_term base = kernel_any;

	base.types = types_of(w->class);
	return rules_need(w, rs->rules, rs->rules_n, dnf_of(w->arena, &base));
}

static bool copy_term(struct arena *a, struct kernel_term *t)
{
	struct kernel_path *paths = arena_alloc(a, (t->paths_n + 1) * sizeof(*paths));
	struct kernel_ports *ports = arena_alloc(a, (t->ports_n + 1) * sizeof(*ports));

	if (!paths || !ports)
		return false;
	for (size_t i = 0; i < t->paths_n; i++) {
		paths[i] = t->paths[i];
		paths[i].text = arena_str(a, paths[i].text);
		if (!paths[i].text.p)
			return false;
	}
	if (t->ports_n)
		memcpy(ports, t->ports, t->ports_n * sizeof(*ports));
	t->paths = paths;
	t->ports = ports;
	return true;
}

static struct kernel_filter copy_filter(struct arena *a, struct dnf d)
{
	struct kernel_term *terms = arena_alloc(a, (d.n + 1) * sizeof(*terms));
	static const struct kernel_filter pass = { &kernel_any, 1 };

	if (!terms)
		return pass;
	for (size_t i = 0; i < d.n; i++) {
		terms[i] = d.terms[i];
		if (!copy_term(a, &terms[i]))
			return pass;
	}
	return (struct kernel_filter){ terms, d.n };
}

static struct kernel_filter class_filter(
	struct arena *keep, const struct ruleset *rs, enum event_class class)
{
	AUTO(arena_free) struct arena *arena = arena_new(ARENA_MAX_BYTES);
	struct walk w = { .p = rs->program, .class = class, .arena = arena };
	struct kernel_filter f;

	for (int i = 0; i < 2; i++) {
		w.known[i] = xcalloc(w.p->nodes.n + 1, sizeof(*w.known[i]));
		w.have[i] = xcalloc(w.p->nodes.n + 1, sizeof(*w.have[i]));
	}
	f = copy_filter(keep, set_needs(&w, rs));
	for (int i = 0; i < 2; i++) {
		free(w.known[i]);
		free(w.have[i]);
	}
	return f;
}

struct kernel_filters *kernel_filters_new(const struct ruleset *rs)
{
	struct kernel_filters *k = xcalloc(1, sizeof(*k));

	k->arena = arena_new(0);
	for (int c = EVENT_NONE + 1; c < EVENT_CLASS_N; c++)
		k->by_class[c] = class_filter(k->arena, rs, (enum event_class)c);
	return k;
}

void kernel_filters_free(struct kernel_filters *k)
{
	if (!k)
		return;
	arena_free(k->arena);
	free(k);
}

const struct kernel_filter *kernel_filter_of(const struct kernel_filters *k, enum event_class c)
{
	return &k->by_class[c > EVENT_NONE && c < EVENT_CLASS_N ? c : EVENT_NONE];
}

/* --- what it means --- */

static bool admits_open(const struct kernel_term *t, const struct event *ev)
{
	const struct event_open *o = &ev->open;
	bool creat = strcmp(event_type_name(ev), "creat") == 0;
	bool makes = (creat || o->flags & O_CREAT || (o->flags & O_TMPFILE) == O_TMPFILE) &&
		     o->mode & 0111;
	bool directory = o->file_mode ? S_ISDIR(o->file_mode) : (o->flags & O_DIRECTORY) != 0;
	struct str path = event_str(ev, o->path);

	if (!(t->access & (creat ? KERNEL_CREAT : 1 << (o->flags & O_ACCMODE))) ||
		!(t->makes & (makes ? KERNEL_MAKES_EXEC : KERNEL_MAKES_OTHER)) ||
		!(t->files & (directory ? KERNEL_DIRECTORY : KERNEL_FILE)))
		return false;
	if (t->any_path || !path.n)
		return true;
	for (size_t i = 0; i < t->paths_n; i++)
		if (kernel_path_matches(&t->paths[i], path))
			return true;
	return false;
}

static bool admits_connect(const struct kernel_term *t, const struct event *ev)
{
	const struct event_net *n = &ev->net;

	/* The server of a listening socket is this end: fd.sport is not the remote port. */
	if (t->any_port || n->listening)
		return true;
	if (n->family != EVENT_AF_INET && n->family != EVENT_AF_INET6)
		return false;
	for (size_t i = 0; i < t->ports_n; i++)
		if (n->remote.port >= t->ports[i].from && n->remote.port <= t->ports[i].to)
			return true;
	return false;
}

static bool admits(const struct kernel_term *t, const struct event *ev, bool in_container)
{
	int type = types_find(str_from(event_type_name(ev)));

	if (type >= 0 && !type_set_has(&t->types, (size_t)type))
		return false;
	if (!(t->places & (in_container ? KERNEL_CONTAINER : KERNEL_HOST)) ||
		!(t->results & (ev->ret < 0 ? KERNEL_FAILED : KERNEL_OK)))
		return false;
	if (ev->class == EVENT_OPEN)
		return admits_open(t, ev);
	return ev->class != EVENT_CONNECT || admits_connect(t, ev);
}

bool kernel_admits(const struct kernel_filter *f, const struct event *ev, bool in_container)
{
	for (size_t i = 0; i < f->terms_n; i++)
		if (admits(&f->terms[i], ev, in_container))
			return true;
	return false;
}

/* --- for people --- */

struct bit_name {
	uint32_t bit;
	const char *name;
};

static void print_bits(
	struct buf *b, const char *what, uint32_t bits, uint32_t all, const struct bit_name *names)
{
	bool first = true;

	if (bits == all)
		return;
	buf_printf(b, "%s%s=", b->n && b->p[b->n - 1] != '\n' ? " " : "", what);
	for (const struct bit_name *n = names; n->name; n++) {
		if (!(bits & n->bit))
			continue;
		buf_printf(b, "%s%s", first ? "" : "|", n->name);
		first = false;
	}
}

static void print_types(struct buf *b, const struct type_set *set)
{
	if (type_set_count(set) > 12)
		return;
	for (size_t i = 0, n = 0; i < types_count(); i++)
		if (type_set_has(set, i))
			buf_printf(b, "%s%s", n++ ? "|" : "type=", types_name(i));
}

static void print_paths(struct buf *b, const struct kernel_term *t)
{
	for (size_t i = 0; !t->any_path && i < t->paths_n; i++) {
		const struct kernel_path *p = &t->paths[i];

		buf_puts(b, i ? "|" : " path=");
		switch (p->kind) {
		case KERNEL_PATH_IS:
			buf_printf(b, "%.*s", STR_ARG(p->text));
			break;
		case KERNEL_PATH_PREFIX:
			buf_printf(b, "%.*s*", STR_ARG(p->text));
			break;
		default:
			buf_printf(b, "*%.*s", STR_ARG(p->text));
		}
	}
}

static void print_term(struct buf *b, const struct kernel_term *t)
{
	static const struct bit_name places[] = { { KERNEL_HOST, "host" },
		{ KERNEL_CONTAINER, "container" }, { 0 } };
	static const struct bit_name results[] = { { KERNEL_OK, "ok" }, { KERNEL_FAILED, "failed" },
		{ 0 } };
	static const struct bit_name access[] = { { 1 << 0, "O_RDONLY" }, { 1 << 1, "O_WRONLY" },
		{ 1 << 2, "O_RDWR" }, { 1 << 3, "3" }, { KERNEL_CREAT, "creat" }, { 0 } };
	static const struct bit_name makes[] = { { KERNEL_MAKES_EXEC, "executable" },
		{ KERNEL_MAKES_OTHER, "other" }, { 0 } };
	static const struct bit_name files[] = { { KERNEL_DIRECTORY, "directory" },
		{ KERNEL_FILE, "file" }, { 0 } };

	print_types(b, &t->types);
	print_bits(b, "place", t->places, KERNEL_PLACES, places);
	print_bits(b, "result", t->results, KERNEL_RESULTS, results);
	print_bits(b, "access", t->access, KERNEL_ACCESS, access);
	print_bits(b, "makes", t->makes, KERNEL_MAKES, makes);
	print_bits(b, "kind", t->files, KERNEL_FILES, files);
	print_paths(b, t);
	if (!t->any_port && !t->ports_n)
		buf_puts(b, " port=none");
	for (size_t i = 0; !t->any_port && i < t->ports_n; i++)
		buf_printf(b, "%s%u-%u", i ? "," : " port=", t->ports[i].from, t->ports[i].to);
}

void kernel_filter_print(struct buf *b, const struct kernel_filter *f)
{
	for (size_t i = 0; i < f->terms_n; i++) {
		print_term(b, &f->terms[i]);
		buf_putc(b, '\n');
	}
}
