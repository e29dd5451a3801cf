#include "rules/judge.h"

#include "rules/rules_impl.h"

/* System call numbers whose event type is remembered; others are looked up each time. */
#define CACHED_CALLS 1024

enum { NOT_LOOKED_UP = 0, NO_TYPE = 1, FIRST_TYPE = 2 };

struct judge {
	struct ruleset *rules;
	struct program_state *state;
	char *boot_id;
	struct buf text, json;
	uint32_t *matches; /* rules that are true for the current event */
	atomic_uint_fast64_t *hits;
	atomic_uint_fast64_t events, skipped, pending, alerts, outputs_cut, re_limits;
	/* event_type_name() compares strings; this makes it once per (class, call, table). */
	uint16_t types[EVENT_CLASS_N][2][CACHED_CALLS];
};

static void count(atomic_uint_fast64_t *c)
{
	/* One writer: no locked instruction is needed. */
	atomic_store_explicit(
		c, atomic_load_explicit(c, memory_order_relaxed) + 1, memory_order_relaxed);
}

static uint64_t get(const atomic_uint_fast64_t *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

struct judge *judge_new(const struct judge_options *o)
{
	struct judge *j = xcalloc(1, sizeof(*j));

	j->rules = ruleset_ref(o->rules);
	j->state = program_state_new(j->rules->program, &o->names, o->hostname);
	j->boot_id = xstrndup(o->boot_id.n ? o->boot_id.p : "", o->boot_id.n);
	j->text = (struct buf)BUF_INIT(OUTPUT_MAX_TEXT);
	j->json = (struct buf)BUF_INIT(OUTPUT_MAX_JSON);
	j->matches = xcalloc(j->rules->rules_n + 1, sizeof(*j->matches));
	j->hits = xcalloc(j->rules->rules_n + 1, sizeof(*j->hits));
	return j;
}

void judge_free(struct judge *j)
{
	if (!j)
		return;
	program_state_free(j->state);
	ruleset_unref(j->rules);
	buf_fini(&j->text);
	buf_fini(&j->json);
	free(j->matches);
	free(j->hits);
	free(j->boot_id);
	free(j);
}

const struct ruleset *judge_rules(const struct judge *j)
{
	return j->rules;
}

uint64_t judge_hits(const struct judge *j, size_t rule)
{
	return rule < j->rules->rules_n ? get(&j->hits[rule]) : 0;
}

struct judge_stats judge_stats(const struct judge *j)
{
	return (struct judge_stats){ .events = get(&j->events),
		.skipped = get(&j->skipped),
		.pending = get(&j->pending),
		.alerts = get(&j->alerts),
		.outputs_cut = get(&j->outputs_cut),
		.re_limits = get(&j->re_limits) };
}

static uint16_t look_up_type(const struct event *ev)
{
	int type = types_find(str_from(event_type_name(ev)));

	return type < 0 ? NO_TYPE : (uint16_t)(type + FIRST_TYPE);
}

/* The event's type if rules want it, else -1: also for what they cannot see (seeds, cgroups). */
static int type_of(struct judge *j, const struct event *ev)
{
	uint16_t type, *cached = NULL;

	if (ev->class <= EVENT_NONE || ev->class >= EVENT_CLASS_N || ev->class == EVENT_SEED ||
		ev->class == EVENT_CGROUP)
		return -1;
	if (ev->nr >= -1 && ev->nr < CACHED_CALLS - 1)
		cached = &j->types[ev->class][!!(ev->flags & EVENT_F_COMPAT)][ev->nr + 1];
	type = cached && *cached != NOT_LOOKED_UP ? *cached : look_up_type(ev);
	if (cached)
		*cached = type;
	if (type == NO_TYPE || !j->rules->by_type[type - FIRST_TYPE].n)
		return -1;
	return type - FIRST_TYPE;
}

/*
 * Which rules are true, into j->matches. -1: the verdict of one is pending, or the output of one
 * that is true; then nothing is told yet, since the event comes again and each rule may tell
 * once.
 */
static int find_matches(struct judge *j, size_t type)
{
	const struct ruleset *rs = j->rules;
	enum verdict v;
	uint32_t rule;
	int n = 0;

	program_find(j->state, type);
	while (program_next(j->state, &rule, &v)) {
		if (v == VERDICT_PENDING || output_pending(rs->rules[rule].output, j->state))
			return -1;
		j->matches[n++] = rule;
		if (rs->matching == RULES_MATCH_FIRST)
			break;
	}
	return n;
}

static char *take_text(struct buf *b)
{
	return xstrndup(buf_cstr(b), b->n);
}

static struct alert *make_alert(struct judge *j, const struct rule *r, const struct judge_input *in)
{
	struct alert *a = alert_new();
	bool cut;

	event_make_id(in->ev, str_from(j->boot_id), str_from(r->info.name), a->id);
	a->ts_ns = in->ev->ts_ns;
	a->priority = r->info.priority;
	a->source = xstrndup(r->info.source, strlen(r->info.source));
	a->rule = xstrndup(r->info.name, strlen(r->info.name));
	buf_reset(&j->text);
	buf_reset(&j->json);
	cut = output_text(r->output, j->state, &j->text);
	cut |= output_json(r->output, j->state, &j->json);
	a->output = take_text(&j->text);
	a->fields_json = take_text(&j->json);
	a->tags_json = xstrndup(r->tags_json, strlen(r->tags_json));
	a->event = event_clone(in->ev);
	a->lineage = lineage_copy(in->process);
	a->container = container_clone(in->container);
	if (cut)
		count(&j->outputs_cut);
	return a;
}

static enum verdict judge_event(
	void *ctx, const struct judge_input *in, bool final, struct judge_alerts *out)
{
	struct judge *j = ctx;
	int n, type = type_of(j, in->ev);

	if (type < 0) {
		count(&j->skipped);
		return VERDICT_FALSE;
	}
	program_begin(j->state, in, final);
	n = find_matches(j, (size_t)type);
	atomic_store_explicit(&j->re_limits, program_re_limits(j->state), memory_order_relaxed);
	if (n < 0) {
		count(&j->pending);
		return VERDICT_PENDING;
	}
	count(&j->events);
	for (int i = 0; i < n; i++) {
		vec_push(&out->list, make_alert(j, &j->rules->rules[j->matches[i]], in));
		count(&j->hits[j->matches[i]]);
		count(&j->alerts);
	}
	return n ? VERDICT_TRUE : VERDICT_FALSE;
}

struct judge_hook judge_hook(struct judge *j)
{
	return (struct judge_hook){ .ctx = j, .event = judge_event };
}
