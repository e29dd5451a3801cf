#include "collector/syscall/capture_impl.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "collector/syscall/seed.h"

#define COMPLETE_MAX 4096

/*
 * What an event's recent past is: its container, else its login session, else the process session.
 */
static uint64_t past_key(
	const struct event *ev, const struct process *p, const struct container *ctr)
{
	if (ctr)
		return hash_quick(ctr->id, strlen(ctr->id), 1);
	if (p && p->sessionid != UINT32_MAX)
		return hash_u64(p->sessionid) ^ 2;
	return hash_u64(p && p->sid ? p->sid : ev->key.tgid) ^ 3;
}

struct take_ctx {
	struct capture *c;
	const struct container *container;
};

static bool put_before(void *ctx, struct event *ev)
{
	struct take_ctx *t = ctx;
	struct record *r = record_new(RECORD_EVENT);

	r->event.event = ev;
	r->event.why = EVENT_WHY_BEFORE;
	if (t->container)
		memcpy(r->event.container_id, t->container->id, sizeof(r->event.container_id));
	stream_put(t->c, r);
	return true;
}

static bool keep_event(const struct capture *c, const struct event *ev)
{
	if (c->o.keep == CAPTURE_KEEP_ALL)
		return true;
	return c->o.keep == CAPTURE_KEEP_LINEAGE &&
	       (ev->class == EVENT_EXEC || ev->class == EVENT_FORK || ev->class == EVENT_EXIT);
}

static void put_event(struct capture *c, const struct event *ev, const struct container *ctr)
{
	struct record *r = record_new(RECORD_EVENT);

	r->event.event = event_clone(ev);
	r->event.why = EVENT_WHY_ALL;
	if (ctr)
		memcpy(r->event.container_id, ctr->id, sizeof(r->event.container_id));
	stream_put(c, r);
}

/* After the verdict: the alerts, what came before them, and the event itself where all are kept. */
static void hand_on(struct capture *c, const struct judge_input *in, struct judge_alerts *alerts)
{
	uint64_t key = past_key(in->ev, in->process, in->container);
	bool keep = keep_event(c, in->ev);

	if (alerts->list.n && c->o.keep != CAPTURE_KEEP_ALL) {
		struct take_ctx t = { c, in->container };
		uint64_t since = in->ev->boot_ns > c->o.before_ns ? in->ev->boot_ns - c->o.before_ns
								  : 0;
		before_take(c->before, key, since, c->o.before_max, put_before, &t);
	}
	if (keep)
		put_event(c, in->ev, in->container);
	for (size_t i = 0; i < alerts->list.n; i++) {
		struct record *r = record_new(RECORD_ALERT);
		r->alert = alerts->list.p[i];
		stream_put(c, r);
	}
	if (c->o.keep != CAPTURE_KEEP_ALL)
		before_add(c->before, key, in->ev, keep || alerts->list.n > 0);
	alerts->list.n = 0;
}

static void park(struct capture *c, const struct judge_input *in, enum wire_ring ring, uint64_t pos)
{
	struct parked *p = xcalloc(1, sizeof(*p));

	p->ev = event_clone(in->ev);
	p->process = in->process;
	process_hold(p->process);
	if (in->container)
		memcpy(p->container_id, in->container->id, sizeof(p->container_id));
	p->deadline_ns = clock_mono_ns() + c->o.park_ns;
	p->ring = ring;
	p->pos = pos;
	p->prev = c->parked_last;
	if (c->parked_last)
		c->parked_last->next = p;
	else
		c->parked_first = p;
	c->parked_last = p;
	c->numbers.parked++;
	c->numbers.parked_now++;
}

static void unpark(struct capture *c, struct parked *p)
{
	*(p->prev ? &p->prev->next : &c->parked_first) = p->next;
	*(p->next ? &p->next->prev : &c->parked_last) = p->prev;
	process_release(c->processes, p->process);
	event_free(p->ev);
	free(p);
	c->numbers.parked_now--;
}

/* Judge a parked event again. Returns whether it is settled. */
static bool judge_parked(struct capture *c, struct parked *p, bool final)
{
	struct judge_alerts alerts = { 0 };
	struct judge_input in = { p->ev, p->process,
		p->container_id[0] ? container_table_find(c->containers, str_from(p->container_id))
				   : NULL };

	if (c->judge.event(c->judge.ctx, &in, final, &alerts) == VERDICT_PENDING && !final)
		return false;
	hand_on(c, &in, &alerts);
	vec_fini(&alerts.list);
	unpark(c, p);
	return true;
}

void events_expire_parked(struct capture *c, uint64_t now_ns, bool all)
{
	/* deadlines rise along the list: all have the same patience */
	while (c->parked_first && (all || c->parked_first->deadline_ns <= now_ns)) {
		c->numbers.park_timeouts++;
		judge_parked(c, c->parked_first, true);
	}
}

struct swap {
	const struct container *from, *to;
};

static bool swap_container(void *ctx, struct process *p)
{
	struct swap *s = ctx;

	if (p->container == s->from)
		p->container = s->to;
	return true;
}

void events_take_resolved(struct capture *c)
{
	struct container *now;

	while ((now = resolver_take(c->resolver))) {
		char id[CONTAINER_ID_LEN + 1];
		memcpy(id, now->id, sizeof(id));
		struct container *old = container_table_resolved(c->containers, now);
		if (!old)
			continue;
		struct swap s = { old, now };
		process_table_each(c->processes, swap_container, &s);
		container_free(old);
		struct record *r = record_new(RECORD_CONTAINER);
		r->container = container_clone(now);
		stream_put(c, r);
		for (struct parked *p = c->parked_first, *next; p; p = next) {
			next = p->next;
			if (strcmp(p->container_id, id) == 0)
				judge_parked(c, p, false);
		}
	}
}

struct used_ctx {
	const struct container *container;
	bool found;
};

static bool uses(void *ctx, struct process *p)
{
	struct used_ctx *u = ctx;

	u->found = p->container == u->container;
	return !u->found;
}

static bool container_used(void *ctx, const struct container *ctr)
{
	struct capture *c = ctx;
	struct used_ctx u = { ctr, false };

	for (struct parked *p = c->parked_first; p; p = p->next) {
		if (strcmp(p->container_id, ctr->id) == 0)
			return true;
	}
	process_table_each(c->processes, uses, &u);
	return u.found;
}

static bool still_exists(void *ctx, struct process_key key)
{
	(void)ctx;
	return seed_exists(key);
}

/* What never tells its end stays in the table for ever. */
static void sweep_processes(struct capture *c)
{
	size_t cpus = (size_t)probe_cpus(c->probe);
	AUTO_FREE struct wire_count *n = xcalloc(cpus, sizeof(*n));
	uint64_t missed = process_table_refused(c->processes);

	if (!probe_counts(c->probe, WIRE_EXIT, n))
		return;
	for (size_t i = 0; i < cpus; i++)
		missed += n[i].dropped;
	if (missed == c->ends_missed)
		return;
	c->ends_missed = missed;
	process_table_sweep(c->processes, ring_produced(c->rings[WIRE_RING_MAIN]), still_exists, c);
}

void events_collect(struct capture *c)
{
	container_table_collect(c->containers, container_used, c);
	sweep_processes(c);
}

/* A process that nobody told us of, but that is alive: what /proc still says is better than nothing. */
static void complete_partial(struct capture *c, const struct process *p)
{
	AUTO(buf_fini)
	struct buf args = BUF_INIT(2 * COMPLETE_MAX), exe = BUF_INIT(2 * COMPLETE_MAX);
	struct process *own = process_table_find(c->processes, p->key, p->exec_id);

	c->numbers.partial++;
	/* of an execution that is over /proc tells nothing any more */
	if (!own || own != process_table_find(c->processes, p->key, UINT64_MAX))
		return;
	if (seed_from_proc(p->key, &args, &exe))
		process_table_complete(c->processes, own, buf_str(&exe), buf_str(&args));
}

/* A process may rename itself (prctl); what its first thread is called at an event is its name by then. */
static void follow_name(struct capture *c, const struct event *ev, const struct process *p)
{
	if (ev->tid != ev->key.tgid || memcmp(p->comm, ev->comm, sizeof(p->comm)) == 0)
		return;
	struct process *own = process_table_find(c->processes, p->key, p->exec_id);
	if (own)
		memcpy(own->comm, ev->comm, sizeof(own->comm));
}

/* What an event changes in our picture. Returns the execution it belongs to; NULL where the table is full. */
static const struct process *apply(struct capture *c, const struct event *ev)
{
	uint64_t pos = ring_produced(c->rings[WIRE_RING_MAIN]);
	struct process *p = NULL;

	if (ev->class == EVENT_EXEC && ev->ret == 0) {
		p = process_table_exec(c->processes, ev, pos);
		if (p && !(ev->flags & EVENT_F_CGROUP_V1))
			container_table_learn(c->containers, ev->cgroup_id, p->cgroup);
	} else if (ev->class == EVENT_FORK) {
		p = process_table_fork(c->processes, ev);
	} else if (ev->class == EVENT_EXIT) {
		return process_table_exit(c->processes, ev, pos);
	} else {
		const struct process *joined = process_table_join(c->processes, ev, pos);
		if (joined && joined->partial && joined->exe.n == 0 &&
			joined->exec_ns == ev->boot_ns)
			complete_partial(c, joined);
		if (joined)
			follow_name(c, ev, joined);
		return joined;
	}
	if (p)
		p->container = container_table_of_process(c->containers, p);
	return p;
}

static void apply_cgroup(struct capture *c, const struct event *ev)
{
	if (ev->cgroup.hierarchy != 0)
		return;
	if (ev->cgroup.removed)
		container_table_forget(
			c->containers, ev->cgroup.id, ring_produced(c->rings[WIRE_RING_MAIN]));
	else
		container_table_learn(c->containers, ev->cgroup.id, event_str(ev, ev->cgroup.path));
}

static void judge_event(struct capture *c, struct event *ev, const struct process *p,
	enum wire_ring ring, uint64_t pos)
{
	struct judge_alerts alerts = { 0 };
	struct judge_input in = { ev, p, container_table_of_event(c->containers, ev, p) };

	if (c->judge.event(c->judge.ctx, &in, false, &alerts) == VERDICT_PENDING)
		park(c, &in, ring, pos);
	else
		hand_on(c, &in, &alerts);
	vec_fini(&alerts.list);
}

void events_apply_record(struct capture *c, enum wire_ring ring, struct str rec, uint64_t pos)
{
	struct event ev;
	enum decode_result rc = decoder_record(c->decoder, rec, &ev);

	if (rc != DECODE_OK) {
		/* what is held back for lineage was counted, or even read, by an earlier run */
		if (pos >= c->judged_until[ring])
			stream_lose(
				c, rc == DECODE_VERSION ? LOSS_VERSION : LOSS_DECODE, ev.class, 1);
		return;
	}
	ev.ts_ns = (uint64_t)((int64_t)ev.boot_ns + c->boot_to_real_ns);
	if (pos < c->replay_until[ring])
		ev.flags |= EVENT_F_REPLAYED;
	if (ev.class == EVENT_CGROUP)
		apply_cgroup(c, &ev);
	if (ev.flags & EVENT_F_MISMATCH)
		pathcheck_event(c->pathcheck, &ev, ev.boot_ns);
	const struct process *p = apply(c, &ev);
	/* held back for lineage, but judged and committed in the run before */
	if (pos < c->judged_until[ring])
		return;
	if (!p)
		stream_lose(c, LOSS_TABLE, ev.class, 1);
	c->numbers.seen++;
	if (ev.flags & EVENT_F_REPLAYED)
		c->numbers.replayed++;
	if (ev.flags & EVENT_F_MISMATCH)
		c->numbers.mismatches++;
	judge_event(c, &ev, p, ring, pos);
}

void events_apply_seed(void *ctx, const struct event *ev, struct str args)
{
	struct capture *c = ctx;

	if (ev->key.tgid == (uint32_t)getpid())
		c->control->self_start_ns = ev->key.start_ns;
	if (ev->key.tgid == 1 || (ev->exec.kthread && ev->key.tgid == 2))
		container_table_add_host(c->containers, ev->ns_mnt, ev->exec.ns_pid);
	process_table_seed(c->processes, ev, args);
	if (!(ev->flags & EVENT_F_CGROUP_V1))
		container_table_learn(c->containers, ev->cgroup_id, event_str(ev, ev->exec.cgroup));
}
