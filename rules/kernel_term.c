#include "rules/kernel_impl.h"

#include <stdlib.h>

#define MAX_PATH_PAIRS 4096

const struct kernel_term kernel_any = {
	.places = KERNEL_PLACES,
	.results = KERNEL_RESULTS,
	.access = KERNEL_ACCESS,
	.makes = KERNEL_MAKES,
	.files = KERNEL_FILES,
	.any_path = true,
	.any_port = true,
	.types = { .bits = { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
			   UINT64_MAX, UINT64_MAX } },
};

_Static_assert(TYPES_MAX == 512, "kernel_any has a bit for each type");

struct dnf dnf_all(void)
{
	return (struct dnf){ &kernel_any, 1 };
}

struct dnf dnf_none(void)
{
	return (struct dnf){ NULL, 0 };
}

static bool same_types(const struct kernel_term *x, const struct kernel_term *y)
{
	return memcmp(&x->types, &y->types, sizeof(x->types)) == 0;
}

/* Everything but paths and ports. */
static bool same_bits(const struct kernel_term *x, const struct kernel_term *y)
{
	return x->places == y->places && x->results == y->results && x->access == y->access &&
	       x->makes == y->makes && x->files == y->files && same_types(x, y);
}

bool dnf_is_all(struct dnf d)
{
	for (size_t i = 0; i < d.n; i++)
		if (d.terms[i].any_path && d.terms[i].any_port &&
			same_bits(&d.terms[i], &kernel_any))
			return true;
	return false;
}

/* Without any port it is possible still: of a socket that listens none is asked. */
static bool is_possible(const struct kernel_term *t)
{
	return t->places && t->results && t->access && t->makes && t->files &&
	       (t->any_path || t->paths_n) && type_set_count(&t->types);
}

/* Without memory the answer is the one that is always right. */
struct dnf dnf_of(struct arena *a, const struct kernel_term *t)
{
	struct kernel_term *copy;

	if (!is_possible(t))
		return dnf_none();
	copy = arena_alloc(a, sizeof(*copy));
	if (!copy)
		return dnf_all();
	*copy = *t;
	return (struct dnf){ copy, 1 };
}

/* --- paths --- */

bool kernel_path_matches(const struct kernel_path *p, struct str path)
{
	switch (p->kind) {
	case KERNEL_PATH_IS:
		return str_eq(path, p->text);
	case KERNEL_PATH_PREFIX:
		return str_starts(path, p->text);
	default:
		return str_ends(path, p->text);
	}
}

/* Can one path match both? */
static bool compatible(const struct kernel_path *x, const struct kernel_path *y)
{
	if (x->kind == KERNEL_PATH_IS)
		return kernel_path_matches(y, x->text);
	if (y->kind == KERNEL_PATH_IS)
		return kernel_path_matches(x, y->text);
	if (x->kind != y->kind)
		return true;
	if (x->kind == KERNEL_PATH_PREFIX)
		return str_starts(x->text, y->text) || str_starts(y->text, x->text);
	return str_ends(x->text, y->text) || str_ends(y->text, x->text);
}

/* Of two that one path can match: the one that says more. */
static const struct kernel_path *narrower(const struct kernel_path *x, const struct kernel_path *y)
{
	if (x->kind == KERNEL_PATH_IS || y->kind == KERNEL_PATH_IS)
		return x->kind == KERNEL_PATH_IS ? x : y;
	return x->kind != y->kind || x->text.n >= y->text.n ? x : y;
}

static bool is_covered(const struct kernel_path *paths, size_t n, const struct kernel_path *p);

/* The paths of both sides at once; where those would be too many, of one side, which is true too. */
static void and_paths(struct arena *a, struct kernel_term *x, const struct kernel_term *y)
{
	struct kernel_path *paths;
	size_t n = 0, most = x->paths_n * y->paths_n;

	if (y->any_path)
		return;
	if (x->any_path) {
		x->any_path = false;
		x->paths = y->paths;
		x->paths_n = y->paths_n;
		return;
	}
	if (most > MAX_PATH_PAIRS || !(paths = arena_alloc(a, (most + 1) * sizeof(*paths))))
		return;
	for (size_t i = 0; i < x->paths_n; i++)
		for (size_t k = 0; k < y->paths_n; k++) {
			const struct kernel_path *p = &x->paths[i], *q = &y->paths[k];

			if (!compatible(p, q))
				continue;
			p = narrower(p, q);
			if (!is_covered(paths, n, p))
				paths[n++] = *p;
		}
	if (n > KERNEL_MAX_PATHS)
		return;
	x->paths = paths;
	x->paths_n = n;
}

/* Does everything that `p` matches match one of `paths`? */
static bool is_covered(const struct kernel_path *paths, size_t n, const struct kernel_path *p)
{
	for (size_t i = 0; i < n; i++) {
		const struct kernel_path *q = &paths[i];

		if (q->kind == p->kind && str_eq(q->text, p->text))
			return true;
		if (q->kind != KERNEL_PATH_IS &&
			(p->kind == KERNEL_PATH_IS || p->kind == q->kind) &&
			kernel_path_matches(q, p->text))
			return true;
	}
	return false;
}

static void or_paths(struct arena *a, struct kernel_term *x, const struct kernel_term *y)
{
	struct kernel_path *paths = NULL;
	size_t n = 0, most = x->paths_n + y->paths_n;

	if (x->any_path || y->any_path || !(paths = arena_alloc(a, (most + 1) * sizeof(*paths)))) {
		x->any_path = true;
		x->paths_n = 0;
		return;
	}
	for (size_t i = 0; i < x->paths_n; i++)
		paths[n++] = x->paths[i];
	for (size_t i = 0; i < y->paths_n; i++)
		if (!is_covered(paths, n, &y->paths[i]))
			paths[n++] = y->paths[i];
	x->any_path = n > KERNEL_MAX_PATHS;
	x->paths = paths;
	x->paths_n = x->any_path ? 0 : n;
}

/* --- ports --- */

static void and_ports(struct arena *a, struct kernel_term *x, const struct kernel_term *y)
{
	struct kernel_ports *ports;
	size_t n = 0, i = 0, k = 0;

	if (y->any_port)
		return;
	if (x->any_port) {
		x->any_port = false;
		x->ports = y->ports;
		x->ports_n = y->ports_n;
		return;
	}
	ports = arena_alloc(a, (x->ports_n + y->ports_n + 1) * sizeof(*ports));
	if (!ports)
		return;
	while (i < x->ports_n && k < y->ports_n) {
		struct kernel_ports p = x->ports[i], q = y->ports[k];
		uint16_t from = p.from > q.from ? p.from : q.from;
		uint16_t to = p.to < q.to ? p.to : q.to;

		if (from <= to)
			ports[n++] = (struct kernel_ports){ from, to };
		if (p.to < q.to)
			i++;
		else
			k++;
	}
	x->ports = ports;
	x->ports_n = n;
}

/* Ranges that touch become one. */
static void add_range(struct kernel_ports *ports, size_t *n, struct kernel_ports p)
{
	struct kernel_ports *last = *n ? &ports[*n - 1] : NULL;

	if (!last || p.from > (uint32_t)last->to + 1) {
		ports[(*n)++] = p;
		return;
	}
	if (p.to > last->to)
		last->to = p.to;
}

static void or_ports(struct arena *a, struct kernel_term *x, const struct kernel_term *y)
{
	struct kernel_ports *ports = NULL;
	size_t n = 0, i = 0, k = 0, most = x->ports_n + y->ports_n;

	if (x->any_port || y->any_port || !(ports = arena_alloc(a, (most + 1) * sizeof(*ports)))) {
		x->any_port = true;
		x->ports_n = 0;
		return;
	}
	while (i < x->ports_n || k < y->ports_n) {
		bool first = k == y->ports_n ||
			     (i < x->ports_n && x->ports[i].from <= y->ports[k].from);

		add_range(ports, &n, first ? x->ports[i++] : y->ports[k++]);
	}
	x->any_port = n > KERNEL_MAX_PORTS;
	x->ports = ports;
	x->ports_n = x->any_port ? 0 : n;
}

/* --- terms --- */

static void and_term(struct arena *a, struct kernel_term *x, const struct kernel_term *y)
{
	x->places &= y->places;
	x->results &= y->results;
	x->access &= y->access;
	x->makes &= y->makes;
	x->files &= y->files;
	type_set_and(&x->types, &y->types);
	and_paths(a, x, y);
	and_ports(a, x, y);
}

/* The least term that holds wherever one of them does. */
static void join_term(struct arena *a, struct kernel_term *x, const struct kernel_term *y)
{
	x->places |= y->places;
	x->results |= y->results;
	x->access |= y->access;
	x->makes |= y->makes;
	x->files |= y->files;
	type_set_or(&x->types, &y->types);
	or_paths(a, x, y);
	or_ports(a, x, y);
}

static bool has_all(const struct kernel_term *x, const struct kernel_term *y)
{
	struct type_set types = y->types;

	type_set_and(&types, &x->types);
	return (x->places & y->places) == y->places && (x->results & y->results) == y->results &&
	       (x->access & y->access) == y->access && (x->makes & y->makes) == y->makes &&
	       (x->files & y->files) == y->files && memcmp(&types, &y->types, sizeof(types)) == 0;
}

static bool same_ports(const struct kernel_term *x, const struct kernel_term *y)
{
	return x->any_port == y->any_port && x->ports_n == y->ports_n &&
	       (!x->ports_n || memcmp(x->ports, y->ports, x->ports_n * sizeof(*x->ports)) == 0);
}

static bool same_paths(const struct kernel_term *x, const struct kernel_term *y)
{
	if (x->any_path != y->any_path || x->paths_n != y->paths_n)
		return false;
	for (size_t i = 0; i < x->paths_n; i++)
		if (x->paths[i].kind != y->paths[i].kind ||
			!str_eq(x->paths[i].text, y->paths[i].text))
			return false;
	return true;
}

/* In how many parts besides paths and ports they differ. */
static int differences(const struct kernel_term *x, const struct kernel_term *y)
{
	return (x->places != y->places) + (x->results != y->results) + (x->access != y->access) +
	       (x->makes != y->makes) + (x->files != y->files) + !same_types(x, y);
}

static bool is_wider(const struct kernel_term *x, const struct kernel_term *y)
{
	return (x->any_path || same_paths(x, y)) && (x->any_port || same_ports(x, y)) &&
	       has_all(x, y);
}

/* *x becomes both, if one term can say as much: one holds the other, or one part alone differs. */
static bool merge_term(struct arena *a, struct kernel_term *x, const struct kernel_term *y)
{
	int n = differences(x, y) + !same_paths(x, y) + !same_ports(x, y);

	if (is_wider(x, y))
		return true;
	if (is_wider(y, x)) {
		*x = *y;
		return true;
	}
	if (n != 1)
		return false;
	join_term(a, x, y);
	return true;
}

struct terms {
	struct kernel_term *p;
	size_t n, room;
};

/* What a term became by merging may now merge with another. */
static void add_term(struct arena *a, struct terms *to, const struct kernel_term *term)
{
	struct kernel_term t = *term;

	if (!is_possible(&t))
		return;
	for (size_t i = 0; i < to->n;) {
		if (!merge_term(a, &to->p[i], &t)) {
			i++;
			continue;
		}
		t = to->p[i];
		to->p[i] = to->p[--to->n];
		i = 0;
	}
	if (to->n < to->room)
		to->p[to->n++] = t;
	else
		join_term(a, &to->p[to->n - 1], &t);
}

static struct terms new_terms(struct arena *a, size_t most)
{
	struct terms t = { .room = most < KERNEL_MAX_TERMS ? most : KERNEL_MAX_TERMS };

	t.p = arena_alloc(a, t.room * sizeof(*t.p));
	return t;
}

struct dnf dnf_and(struct arena *a, struct dnf x, struct dnf y)
{
	struct terms to;

	if (!x.n || !y.n)
		return dnf_none();
	if (dnf_is_all(x))
		return y;
	if (dnf_is_all(y))
		return x;
	/* Either alone is necessary; the product of large ones would only be joined again. */
	if (x.n * y.n > KERNEL_MAX_TERMS)
		return x.n <= y.n ? x : y;
	to = new_terms(a, x.n * y.n);
	if (!to.p)
		return x;
	for (size_t i = 0; i < x.n; i++)
		for (size_t k = 0; k < y.n; k++) {
			struct kernel_term t = x.terms[i];

			and_term(a, &t, &y.terms[k]);
			add_term(a, &to, &t);
		}
	return (struct dnf){ to.p, to.n };
}

struct dnf dnf_or(struct arena *a, struct dnf x, struct dnf y)
{
	struct terms to;

	if (!x.n || dnf_is_all(y))
		return y;
	if (!y.n || dnf_is_all(x))
		return x;
	to = new_terms(a, x.n + y.n);
	if (!to.p)
		return dnf_all();
	for (size_t i = 0; i < x.n; i++)
		add_term(a, &to, &x.terms[i]);
	for (size_t i = 0; i < y.n; i++)
		add_term(a, &to, &y.terms[i]);
	return (struct dnf){ to.p, to.n };
}
