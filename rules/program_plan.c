/* Building the plan: which atoms and gates each rule hangs on, for each group of event types. */
#include "rules/program_plan.h"

#include <assert.h>

/* More likely than this an atom saves nothing. */
#define MAX_CHANCE 0.4f
/* What a matcher costs besides its slot, and what taking up one more rule does (nanoseconds). */
#define FINDER_COST 15.0f
#define PARTS_COST  50.0f
#define RULE_COST   8.0f
/* Gates are evaluated for each event, so they must be cheap and often closed. */
#define GATE_MAX_COST   35.0f
#define GATE_MAX_CHANCE 0.75f
#define GATE_MIN_GAIN   1.5f
/* A field that costs as much as this makes an atom as bad as one of twice MAX_CHANCE. */
#define FULL_SLOT_COST 5000.0f

/* With more slots than that each must have several checks; past the second figure no more count. */
#define FAIR_SLOTS   64
#define MAX_MATCHERS 512

#define NO_COVER 1e9f

/* A rule hangs on an atom. */
struct hang {
	uint32_t rule, atom;
};

struct draft {
	VEC(struct plan_rule) rules;
	VEC(uint32_t) terms;
	VEC(struct hang) hangs; /* ascending by rule */
};

struct planner {
	struct program *p;
	struct plan *plan;
	const uint32_t *nodes; /* by rule */
	struct guess *guesses;
	float *own;      /* by node: how likely its check is found; NO_COVER: it has no atom */
	uint32_t *atoms; /* by node, or NO_ATOM */
	/* For the current group, by node: */
	uint8_t *fold;
	float *cover;   /* how likely one of the atoms on which it hangs is found, or NO_COVER */
	uint32_t *via;  /* AND: the child on which it hangs */
	uint32_t *gain; /* by node: rules that need it */
	uint32_t *seen; /* by node: visited for this rule */
	uint32_t round;
	VEC(uint32_t) stack;
	VEC(struct hang) all_hangs; /* of all groups, with the rule's place in its group */
	VEC(size_t) hangs_end;      /* by group */
};

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->groups.n; i++) {
		struct plan_group *g = &plan->groups.p[i];

		for (uint32_t k = 0; k < g->gates_n; k++)
			free(g->gates[k].rules);
		for (uint32_t k = 0; k < g->finders_n; k++)
			free(g->finders[k].rules);
		free(g->rules);
		free(g->terms);
		free(g->finders);
		free(g->always);
		free(g->first);
		free(g->posts);
	}
	for (size_t i = 0; i < plan->matchers.n; i++) {
		match_keys_free(plan->matchers.p[i].keys);
		match_text_free(plan->matchers.p[i].text);
	}
	vec_fini(&plan->groups);
	vec_fini(&plan->matchers);
	vec_fini(&plan->atoms);
	free(plan);
}

static void bit_set(uint64_t *bits, uint32_t i)
{
	bits[i / 64] |= (uint64_t)1 << (i % 64);
}

static uint64_t *bitmap_new(uint32_t n)
{
	return xcalloc(BITMAP_WORDS(n) + 1, sizeof(uint64_t));
}

/* Atoms and matchers. */

/* MAX_MATCHERS: there are as many already. */
static uint32_t find_matcher(struct plan *plan, uint32_t slot, enum matcher_kind kind)
{
	struct matcher m = { .slot = slot, .kind = kind };

	for (size_t i = 0; i < plan->matchers.n; i++)
		if (plan->matchers.p[i].slot == slot && plan->matchers.p[i].kind == kind)
			return (uint32_t)i;
	if (plan->matchers.n == MAX_MATCHERS)
		return MAX_MATCHERS;
	if (kind == MATCHER_KEYS || kind == MATCHER_PATHS)
		m.keys = match_keys_new();
	else
		m.text = match_text_new(kind == MATCHER_BACKWARD, kind == MATCHER_FOLDED);
	vec_push(&plan->matchers, m);
	return (uint32_t)plan->matchers.n - 1;
}

/* The atom of a check's node; NO_ATOM: its matcher is full, or there are too many. */
static uint32_t atom_of(struct planner *pl, uint32_t node)
{
	struct plan *plan = pl->plan;
	struct check *c = &pl->p->checks.p[pl->p->nodes.p[node].first];
	struct plan_atom a = { .node = node };
	uint32_t index = (uint32_t)plan->atoms.n;
	enum matcher_kind kind;

	if (pl->atoms[node] != NO_ATOM)
		return pl->atoms[node];
	if (!atom_kind(c, &kind, &a.exact))
		return NO_ATOM;
	a.matcher = find_matcher(plan, c->slot, kind);
	if (a.matcher >= MAX_MATCHERS)
		return NO_ATOM;
	vec_push(&plan->atoms, a);
	if (!atom_add(&plan->matchers.p[a.matcher], c, index)) {
		/* Some of it may be in the matcher already: the atom stays, without rules. */
		pl->own[node] = NO_COVER;
		return NO_ATOM;
	}
	if (a.exact)
		c->matcher = a.matcher + 1;
	pl->atoms[node] = index;
	return index;
}

/* How many checks there are on each slot that could be atoms; *slots_n: on how many slots. */
static uint32_t *count_checks(const struct program *p, size_t *slots_n)
{
	uint32_t *n = xcalloc(p->slots.n + 1, sizeof(*n));
	enum matcher_kind kind;
	bool exact;

	*slots_n = 0;
	for (size_t i = 0; i < p->checks.n; i++)
		if (atom_kind(&p->checks.p[i], &kind, &exact))
			*slots_n += n[p->checks.p[i].slot]++ == 0;
	return n;
}

/*
 * A slot is looked at for each event once any rule hangs on it. When there are very many (a label
 * each for thousands of rules), only those that many checks are on are worth it.
 */
static void guess_own(struct planner *pl)
{
	const struct program *p = pl->p;
	size_t slots_n;
	AUTO_FREE uint32_t *checks = count_checks(p, &slots_n);

	for (size_t i = 0; i < p->nodes.n; i++) {
		const struct check *c = &p->checks.p[p->nodes.p[i].first];
		enum matcher_kind kind;
		bool exact;

		pl->own[i] = NO_COVER;
		if (p->nodes.p[i].kind != NODE_CHECK || !atom_kind(c, &kind, &exact) ||
			checks[c->slot] < 1 + slots_n / FAIR_SLOTS)
			continue;
		pl->own[i] = pl->guesses[i].chance + guess_slot_cost(p, c->slot) / FULL_SLOT_COST;
		if (kind == MATCHER_FORWARD || kind == MATCHER_FOLDED)
			pl->own[i] += PARTS_COST / FULL_SLOT_COST;
	}
}

/*
 * On what each node hangs: a check on its atom, AND on what its best child hangs on, OR on what any
 * of its children does. A negation hangs on nothing.
 */
static void find_covers(struct planner *pl)
{
	const struct program *p = pl->p;

	for (size_t i = 0; i < p->nodes.n; i++) {
		const struct node *n = &p->nodes.p[i];
		float cover = n->kind == NODE_AND || n->kind == NODE_NOT ? NO_COVER : 0;

		if (n->kind == NODE_CHECK)
			cover = pl->own[i];
		for (uint32_t k = 0; n->kind < NODE_NOT && k < n->n; k++) {
			uint32_t kid = p->kids.p[n->first + k];

			if (n->kind != NODE_AND) {
				cover += pl->cover[kid];
			} else if (pl->cover[kid] < cover) {
				cover = pl->cover[kid];
				pl->via[i] = kid;
			}
		}
		if (pl->fold[i] != FOLD_UNKNOWN)
			cover = pl->fold[i] == FOLD_FALSE ? 0 : NO_COVER;
		pl->cover[i] = cover < NO_COVER ? cover : NO_COVER;
	}
}

static void push_once(struct planner *pl, uint32_t node)
{
	if (pl->seen[node] == pl->round || pl->fold[node] == FOLD_FALSE)
		return;
	pl->seen[node] = pl->round;
	vec_push(&pl->stack, node);
}

/* Hang the rule at place `rule` on the atoms of its root. False: it cannot be. */
static bool hang_rule(struct planner *pl, struct draft *d, uint32_t rule, uint32_t root)
{
	const struct program *p = pl->p;
	size_t before = d->hangs.n;
	bool ok = true;

	pl->round++;
	pl->stack.n = 0;
	push_once(pl, root);
	while (pl->stack.n) {
		uint32_t at = pl->stack.p[--pl->stack.n];
		const struct node *n = &p->nodes.p[at];

		if (n->kind == NODE_CHECK) {
			uint32_t atom = atom_of(pl, at);

			ok = ok && atom != NO_ATOM;
			vec_push(&d->hangs, ((struct hang){ rule, atom }));
		} else if (n->kind == NODE_AND) {
			push_once(pl, pl->via[at]);
		} else {
			for (uint32_t k = 0; k < n->n; k++)
				push_once(pl, p->kids.p[n->first + k]);
		}
	}
	if (!ok)
		d->hangs.n = before;
	return ok;
}

/* What must hold for the rule, without what the type decides: the leaves of its ANDs. */
static void add_terms(struct planner *pl, struct draft *d, struct plan_rule *r, uint32_t root)
{
	const struct program *p = pl->p;

	r->first = (uint32_t)d->terms.n;
	pl->round++;
	pl->stack.n = 0;
	vec_push(&pl->stack, root);
	while (pl->stack.n) {
		uint32_t at = pl->stack.p[--pl->stack.n];
		const struct node *n = &p->nodes.p[at];

		if (pl->fold[at] == FOLD_TRUE || pl->seen[at] == pl->round)
			continue;
		pl->seen[at] = pl->round;
		if (n->kind != NODE_AND) {
			vec_push(&d->terms, at);
			continue;
		}
		for (uint32_t k = n->n; k-- > 0;)
			vec_push(&pl->stack, p->kids.p[n->first + k]);
	}
	r->n = (uint32_t)d->terms.n - r->first;
	if (r->n)
		guess_sort(&d->terms.p[r->first], r->n, pl->guesses, true);
}

static float gate_gain(const struct planner *pl, uint32_t node)
{
	const struct guess *g = &pl->guesses[node];

	if (pl->own[node] < NO_COVER || pl->cover[node] < MAX_CHANCE || g->cost > GATE_MAX_COST ||
		g->chance > GATE_MAX_CHANCE)
		return 0;
	return (float)pl->gain[node] * (1 - g->chance);
}

/* The terms that shut out most, one after the other. */
static void choose_gates(struct planner *pl, struct draft *d, struct plan_group *g)
{
	for (size_t i = 0; i < d->terms.n; i++)
		pl->gain[d->terms.p[i]]++;
	while (g->gates_n < PLAN_GATES) {
		float best = GATE_MIN_GAIN;
		uint32_t gate = UINT32_MAX;

		for (size_t i = 0; i < d->terms.n; i++) {
			float gain = gate_gain(pl, d->terms.p[i]);

			if (gain > best) {
				best = gain;
				gate = d->terms.p[i];
			}
		}
		if (gate == UINT32_MAX)
			break;
		pl->gain[gate] = 0;
		g->gates[g->gates_n++] = (struct plan_gate){ .node = gate };
	}
	for (size_t i = 0; i < d->terms.n; i++)
		pl->gain[d->terms.p[i]] = 0;
}

/* Terms that are gates are looked at there. */
static void take_gates(struct draft *d, struct plan_group *g)
{
	for (uint32_t i = 0; i < d->rules.n; i++) {
		struct plan_rule *r = &d->rules.p[i];
		uint32_t *terms = r->n ? &d->terms.p[r->first] : NULL, n = 0;

		for (uint32_t k = 0; k < r->n; k++) {
			uint32_t gate = 0;

			while (gate < g->gates_n && g->gates[gate].node != terms[k])
				gate++;
			if (gate < g->gates_n)
				r->gates |= 1u << gate;
			else
				terms[n++] = terms[k];
		}
		r->n = n;
	}
	for (uint32_t k = 0; k < g->gates_n; k++) {
		g->gates[k].rules = bitmap_new((uint32_t)d->rules.n);
		for (uint32_t i = 0; i < d->rules.n; i++)
			if (d->rules.p[i].gates >> k & 1)
				bit_set(g->gates[k].rules, i);
	}
}

/* What looking at the rule costs when it is always looked at. */
static float rule_cost(const struct planner *pl, const struct draft *d, const struct plan_rule *r)
{
	float cost = RULE_COST, open = 1;

	for (uint32_t i = 0; i < r->n; i++) {
		const struct guess *g = &pl->guesses[d->terms.p[r->first + i]];

		cost += open * g->cost;
		open *= g->chance;
	}
	return cost;
}

/*
 * A matcher that only a rule or two hang on may cost more than it saves: those are always looked
 * at. `saves` is by matcher; hangs of such rules go.
 */
static void drop_poor_finders(struct planner *pl, struct draft *d, uint64_t *always)
{
	size_t n = pl->plan->matchers.n, kept = 0;
	AUTO_FREE float *saves = xcalloc(n + 1, sizeof(*saves));

	for (size_t i = 0; i < d->hangs.n; i++) {
		const struct hang *h = &d->hangs.p[i];
		uint32_t m = pl->plan->atoms.p[h->atom].matcher;

		/* Hangs of one rule stand together; each matcher counts it once or nearly so. */
		if (!i || h[-1].rule != h->rule || pl->plan->atoms.p[h[-1].atom].matcher != m)
			saves[m] += rule_cost(pl, d, &d->rules.p[h->rule]);
	}
	for (size_t i = 0; i < d->hangs.n; i++) {
		uint32_t m = pl->plan->atoms.p[d->hangs.p[i].atom].matcher;
		const struct matcher *matcher = &pl->plan->matchers.p[m];
		float cost = guess_slot_cost(pl->p, matcher->slot) + FINDER_COST;

		if (matcher->parts || matcher->kind == MATCHER_PATHS)
			cost += PARTS_COST;
		if (saves[m] < cost)
			bit_set(always, d->hangs.p[i].rule);
	}
	for (size_t i = 0; i < d->hangs.n; i++) {
		uint32_t r = d->hangs.p[i].rule;

		if (!(always[r / 64] >> (r % 64) & 1))
			d->hangs.p[kept++] = d->hangs.p[i];
	}
	d->hangs.n = kept;
}

static struct plan_finder *find_finder(struct plan_group *g, uint32_t matcher)
{
	for (uint32_t i = 0; i < g->finders_n; i++)
		if (g->finders[i].matcher == matcher)
			return &g->finders[i];
	g->finders = xrealloc(g->finders, (g->finders_n + 1) * sizeof(*g->finders));
	g->finders[g->finders_n] = (struct plan_finder){ .matcher = matcher,
		.rules = bitmap_new(g->n) };
	return &g->finders[g->finders_n++];
}

/* A finder is needed while some rule that hangs on it has no closed gate. */
static void add_finder(struct plan_group *g, uint32_t matcher, uint32_t rule)
{
	struct plan_finder *f = find_finder(g, matcher);
	uint32_t gates = g->rules[rule].gates;

	bit_set(f->rules, rule);
	for (uint32_t closed = 0; closed < PLAN_CLOSED; closed++)
		if (!(closed & gates))
			f->needed[closed / 64] |= (uint64_t)1 << (closed % 64);
}

/* The rules of `list` for the events of one type, which pl->fold knows, into a new group. */
static void add_group(struct planner *pl, const struct program_list *list)
{
	struct plan_group g = { 0 };
	struct draft d = { 0 };

	find_covers(pl);
	for (uint32_t i = 0; i < list->n; i++) {
		struct plan_rule r = { .rule = list->rules[i] };
		uint32_t root = pl->nodes[r.rule];

		if (pl->fold[root] == FOLD_FALSE)
			continue;
		add_terms(pl, &d, &r, root);
		vec_push(&d.rules, r);
	}
	g.n = (uint32_t)d.rules.n;
	g.always = bitmap_new(g.n);
	choose_gates(pl, &d, &g);
	take_gates(&d, &g);
	for (uint32_t i = 0; i < g.n; i++) {
		uint32_t root = pl->nodes[d.rules.p[i].rule];

		if (pl->cover[root] > MAX_CHANCE || !hang_rule(pl, &d, i, root))
			bit_set(g.always, i);
	}
	drop_poor_finders(pl, &d, g.always);
	g.rules = d.rules.p;
	g.terms = d.terms.p;
	for (size_t i = 0; i < d.hangs.n; i++) {
		add_finder(&g, pl->plan->atoms.p[d.hangs.p[i].atom].matcher, d.hangs.p[i].rule);
		vec_push(&pl->all_hangs, d.hangs.p[i]);
	}
	vec_push(&pl->hangs_end, pl->all_hangs.n);
	vec_fini(&d.hangs);
	if (BITMAP_WORDS(g.n) > pl->plan->words)
		pl->plan->words = BITMAP_WORDS(g.n);
	vec_push(&pl->plan->groups, g);
}

static bool same_list(const struct program_list *a, const struct program_list *b)
{
	return a->n == b->n &&
	       (a->n == 0 || memcmp(a->rules, b->rules, a->n * sizeof(*a->rules)) == 0);
}

/* Types whose events no condition tells apart have one group: openat and openat2, say. */
static void add_groups(struct planner *pl, const struct program_list *lists)
{
	size_t n = pl->p->nodes.n;
	uint8_t *folds[TYPES_MAX] = { 0 }; /* by group */
	uint32_t types[TYPES_MAX];         /* likewise: its first type */

	for (uint32_t t = 0; t < TYPES_MAX; t++) {
		size_t g = 0, groups = pl->plan->groups.n;

		pl->plan->group_of[t] = NO_GROUP;
		if (!lists[t].n)
			continue;
		fold_nodes(pl->p, t, pl->fold);
		while (g < groups && (!same_list(&lists[t], &lists[types[g]]) ||
					     memcmp(folds[g], pl->fold, n) != 0))
			g++;
		pl->plan->group_of[t] = (uint16_t)g;
		if (g < groups)
			continue;
		types[g] = t;
		folds[g] = xcalloc(n + 1, 1);
		memcpy(folds[g], pl->fold, n);
		add_group(pl, &lists[t]);
	}
	for (size_t g = 0; g < pl->plan->groups.n; g++)
		free(folds[g]);
}

/* Now that all atoms are there: who hangs on each, group by group. */
static void fill_posts(struct planner *pl)
{
	size_t from = 0, atoms = pl->plan->atoms.n;

	for (size_t i = 0; i < pl->plan->groups.n; i++) {
		struct plan_group *g = &pl->plan->groups.p[i];
		size_t end = pl->hangs_end.p[i];

		g->first = xcalloc(atoms + 1, sizeof(*g->first));
		g->posts = xcalloc(end - from + 1, sizeof(*g->posts));
		for (size_t k = from; k < end; k++)
			g->first[pl->all_hangs.p[k].atom]++;
		for (uint32_t a = 0, at = 0; a <= atoms; a++) {
			at += a < atoms ? g->first[a] : 0;
			g->first[a] = at;
		}
		/* Each place counts down to where it begins. */
		for (size_t k = end; k-- > from;)
			g->posts[--g->first[pl->all_hangs.p[k].atom]] = pl->all_hangs.p[k].rule;
		from = end;
	}
}

static void build_matchers(struct plan *plan)
{
	for (size_t i = 0; i < plan->matchers.n; i++) {
		if (plan->matchers.p[i].keys)
			match_keys_build(plan->matchers.p[i].keys);
		else
			match_text_build(plan->matchers.p[i].text);
	}
}

void program_arrange(struct program *p, const uint32_t *nodes, const struct program_list *lists)
{
	size_t n = p->nodes.n + 1;
	struct planner pl = { .p = p, .nodes = nodes, .guesses = program_guess(p) };

	assert(!p->plan);
	program_sort_kids(p, pl.guesses);
	p->plan = pl.plan = xcalloc(1, sizeof(*p->plan));
	pl.own = xcalloc(n, sizeof(*pl.own));
	pl.cover = xcalloc(n, sizeof(*pl.cover));
	pl.atoms = xcalloc(n, sizeof(*pl.atoms));
	memset(pl.atoms, 0xff, n * sizeof(*pl.atoms));
	pl.fold = xcalloc(n, 1);
	pl.via = xcalloc(n, sizeof(*pl.via));
	pl.gain = xcalloc(n, sizeof(*pl.gain));
	pl.seen = xcalloc(n, sizeof(*pl.seen));
	guess_own(&pl);
	add_groups(&pl, lists);
	fill_posts(&pl);
	build_matchers(pl.plan);
	map_free(TAKE(p->known));
	free(pl.guesses);
	free(pl.own);
	free(pl.cover);
	free(pl.atoms);
	free(pl.fold);
	free(pl.via);
	free(pl.gain);
	free(pl.seen);
	vec_fini(&pl.stack);
	vec_fini(&pl.all_hangs);
	vec_fini(&pl.hangs_end);
}
