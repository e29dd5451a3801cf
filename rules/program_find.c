/* The plan at work: one event at a time, without allocating. */
#include "rules/program_plan.h"

#include <assert.h>

void program_find_init(struct program_state *s)
{
	const struct plan *plan = s->program->plan;

	if (!plan)
		return;
	s->ran = xcalloc(plan->matchers.n + 1, sizeof(*s->ran));
	s->told = xcalloc(plan->atoms.n + 1, sizeof(*s->told));
	s->found = xcalloc(plan->words + 1, sizeof(*s->found));
	s->found_words = xcalloc(BITMAP_WORDS(plan->words) + 1, sizeof(*s->found_words));
}

void program_find_fini(struct program_state *s)
{
	free(s->ran);
	free(s->told);
	free(s->found);
	free(s->found_words);
}

void program_find_forget(struct program_state *s)
{
	const struct plan *plan = s->program->plan;

	if (!plan)
		return;
	memset(s->ran, 0, plan->matchers.n * sizeof(*s->ran));
	memset(s->told, 0, plan->atoms.n * sizeof(*s->told));
}

static void look_at(struct program_state *s, uint32_t rule)
{
	uint32_t word = rule / 64;

	s->found[word] |= (uint64_t)1 << (rule % 64);
	s->found_words[word / 64] |= (uint64_t)1 << (word % 64);
}

static void look_at_all(struct program_state *s, const uint64_t *rules)
{
	for (size_t i = 0; i < BITMAP_WORDS(s->group->n); i++)
		if (rules[i]) {
			s->found[i] |= rules[i];
			s->found_words[i / 64] |= (uint64_t)1 << (i % 64);
		}
}

/* What an earlier search left behind, which nobody looked at to the end. */
static void clear_found(struct program_state *s)
{
	for (size_t i = 0; i < BITMAP_WORDS(s->program->plan->words); i++)
		for (; s->found_words[i]; s->found_words[i] &= s->found_words[i] - 1)
			s->found[i * 64 + (size_t)__builtin_ctzll(s->found_words[i])] = 0;
}

static void tell_atom(void *ctx, uint32_t index)
{
	struct program_state *s = ctx;
	const struct plan_atom *a = &s->program->plan->atoms.p[index];

	/* Hostile text repeats what it holds. */
	if (s->told[index] == s->generation)
		return;
	s->told[index] = s->generation;
	if (a->exact)
		s->verdicts[a->node] = s->generation << 2 | VERDICT_TRUE;
	for (uint32_t i = s->group->first[index]; i < s->group->first[index + 1]; i++)
		look_at(s, s->group->posts[i]);
}

static bool tell_atoms(void *ctx, const uint32_t *atoms, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		tell_atom(ctx, atoms[i]);
	return true;
}

static void match_value(struct program_state *s, const struct matcher *m, const union atom *a)
{
	struct key_bytes tmp;
	const uint32_t *atoms;
	uint32_t n;

	if (m->text) {
		match_text_run(m->text, a->s, tell_atom, s);
	} else if (m->kind == MATCHER_PATHS) {
		match_keys_walk(m->keys, a->s, tell_atoms, s);
	} else {
		atoms = match_keys_find(
			m->keys, atom_key(s->program->slots.p[m->slot].type, a, &tmp), &n);
		tell_atoms(s, atoms, n);
	}
}

static void run_finder(struct program_state *s, const struct plan_finder *f)
{
	const struct matcher *m = &s->program->plan->matchers.p[f->matcher];
	const struct value *v = program_value(s, m->slot);

	if (v->state == VALUE_PENDING)
		look_at_all(s, f->rules);
	if (v->state != VALUE_HAVE)
		return;
	s->ran[f->matcher] = s->generation;
	for (uint32_t i = 0; i < v->n; i++)
		match_value(s, m, value_at(v, i));
}

void program_find(struct program_state *s, size_t type)
{
	const struct plan *plan = s->program->plan;
	const struct plan_group *g;

	assert(plan);
	clear_found(s);
	s->group = NULL;
	s->closed = s->waiting = 0;
	if (plan->group_of[type] == NO_GROUP)
		return;
	s->group = g = &plan->groups.p[plan->group_of[type]];
	for (uint32_t i = 0; i < g->gates_n; i++) {
		enum verdict v = program_eval(s, g->gates[i].node);

		s->closed |= (uint32_t)(v == VERDICT_FALSE) << i;
		s->waiting |= (uint32_t)(v == VERDICT_PENDING) << i;
	}
	look_at_all(s, g->always);
	for (uint32_t i = 0; i < g->finders_n; i++)
		if (g->finders[i].needed[s->closed / 64] >> (s->closed % 64) & 1)
			run_finder(s, &g->finders[i]);
}

static enum verdict eval_rule(struct program_state *s, const struct plan_rule *r)
{
	enum verdict result = r->gates & s->waiting ? VERDICT_PENDING : VERDICT_TRUE;

	for (uint32_t i = 0; i < r->n; i++) {
		enum verdict v = program_eval(s, s->group->terms[r->first + i]);

		if (v == VERDICT_FALSE)
			return v;
		if (v == VERDICT_PENDING)
			result = v;
	}
	return result;
}

/* The next rule that was found and has no closed gate; false at the end. */
static bool next_found(struct program_state *s, uint32_t *rule)
{
	for (size_t i = 0; i < BITMAP_WORDS(BITMAP_WORDS(s->group->n)); i++) {
		while (s->found_words[i]) {
			uint32_t word = (uint32_t)i * 64 +
					(uint32_t)__builtin_ctzll(s->found_words[i]);
			uint64_t *bits = &s->found[word];

			for (uint32_t k = 0; k < s->group->gates_n; k++)
				if (s->closed >> k & 1)
					*bits &= ~s->group->gates[k].rules[word];
			if (*bits) {
				*rule = word * 64 + (uint32_t)__builtin_ctzll(*bits);
				*bits &= *bits - 1;
				return true;
			}
			s->found_words[i] &= s->found_words[i] - 1;
		}
	}
	return false;
}

bool program_next(struct program_state *s, uint32_t *rule, enum verdict *v)
{
	uint32_t at;

	while (s->group && next_found(s, &at)) {
		const struct plan_rule *r = &s->group->rules[at];

		*v = eval_rule(s, r);
		if (*v == VERDICT_FALSE)
			continue;
		*rule = r->rule;
		return true;
	}
	return false;
}
