#include "collector/syscall/capture_impl.h"

#include "base/clock.h"
#include "base/log.h"
#include "collector/syscall/seed.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/vfs.h>

#define DEFAULT_RING_BYTES     (16u << 20)
#define DEFAULT_PRIORITY_BYTES (4u << 20)
#define DEFAULT_BEFORE_BYTES   (16u << 20)
#define DEFAULT_BEFORE_MAX     4096u
#define DEFAULT_BEFORE_NS      10000000000u
#define DEFAULT_PARK_NS        500000000u
#define DRAIN_MAX_S            10

static void options_fill(struct capture_options *o)
{
	o->ring_bytes = o->ring_bytes ? o->ring_bytes : DEFAULT_RING_BYTES;
	o->priority_ring_bytes = o->priority_ring_bytes ? o->priority_ring_bytes
							: DEFAULT_PRIORITY_BYTES;
	o->before_ns = o->before_ns ? o->before_ns : DEFAULT_BEFORE_NS;
	o->before_bytes = o->before_bytes ? o->before_bytes : DEFAULT_BEFORE_BYTES;
	o->before_max = o->before_max ? o->before_max : DEFAULT_BEFORE_MAX;
	o->park_ns = o->park_ns ? o->park_ns : DEFAULT_PARK_NS;
}

static bool ask_resolver(void *ctx, const struct container *ctr)
{
	struct capture *c = ctx;

	return resolver_ask(c->resolver, ctr->id, ctr->runtime);
}

static void resolver_done(void *ctx)
{
	stream_wake(ctx);
}

static int open_rings(struct capture *c, struct err *e)
{
	for (int i = 0; i < WIRE_RING_N; i++) {
		enum wire_ring which = (enum wire_ring)i;
		if (ring_open(&c->rings[i], probe_ring_fd(c->probe, which),
			    probe_ring_size(c->probe, which), e))
			return -1;
		uint64_t from = ring_position(c->rings[i]);
		bool old = probe_taken_over(c->probe);
		c->replay_until[i] = old ? ring_produced(c->rings[i]) : 0;
		c->judged_until[i] = old ? c->control->judged[i] : 0;
		/* the main ring is released as far as it is judged; the priority ring lies further back */
		c->marked[i] = from > c->judged_until[i] ? from : c->judged_until[i];
		c->committed[i] = c->marked[i];
		struct epoll_event ev = { .events = EPOLLIN | EPOLLET,
			.data.fd = probe_ring_fd(c->probe, which) };
		if (epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, ev.data.fd, &ev))
			return err_set(e, ERR_SYS, "wait on a ring");
	}
	return 0;
}

static int open_waits(struct capture *c, struct err *e)
{
	c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = c->wake_fd };
	if (c->epoll_fd < 0 || c->wake_fd < 0 ||
		epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, c->wake_fd, &ev))
		return err_set(e, ERR_SYS, "set up waiting");
	return 0;
}

static int open_probe(struct capture *c, struct err *e)
{
	struct probe_options po = {
		.bpffs = c->o.bpffs,
		.pin_name = c->o.pin_name,
		.fresh = c->o.fresh,
		.ring_bytes = { c->o.ring_bytes, c->o.priority_ring_bytes },
		.account_cgroups = c->o.account_cgroups,
		.account_cgroups_n = c->o.account_cgroups_n,
	};

	if (probe_open(&c->probe, &po, e))
		return -1;
	c->control = probe_control(c->probe);
	return 0;
}

static bool attach_container(void *ctx, struct process *p)
{
	struct capture *c = ctx;

	p->container = container_table_of_process(c->containers, p);
	return true;
}

/* On a hybrid host /sys/fs/cgroup holds v1 hierarchies, whose ids are others' ids. */
static void scan_cgroups(struct capture *c)
{
	static const char *const roots[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	struct statfs fs;

	for (size_t i = 0; i < ARRAY_N(roots); i++) {
		if (statfs(roots[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
			container_table_scan(c->containers, roots[i]);
	}
}

static int seed(struct capture *c, struct err *e)
{
	AUTO_FD int fd = probe_open_seed(c->probe, e);

	if (fd < 0)
		return -1;
	scan_cgroups(c);
	if (seed_read(fd, events_apply_seed, c, e))
		return -1;
	process_table_link(c->processes);
	process_table_each(c->processes, attach_container, c);
	return 0;
}

static void put_sources(struct capture *c)
{
	size_t n;
	const struct capture_source *s = probe_sources(c->probe, &n);

	for (size_t i = 0; i < n; i++) {
		struct record *r = record_new(RECORD_STATE);
		r->state.ts_ns = clock_real_ns();
		r->state.source = xstrndup(s[i].name, strlen(s[i].name));
		r->state.alive = s[i].alive;
		r->state.detail = xstrndup(s[i].detail, strlen(s[i].detail));
		stream_put(c, r);
	}
}

static int open_all(struct capture *c, struct err *e)
{
	if (open_waits(c, e) || open_probe(c, e) || open_rings(c, e))
		return -1;
	if (resolver_open(&c->resolver, c->o.runtime, c->o.park_ns, resolver_done, c, e))
		return -1;
	if (seed(c, e))
		return -1;
	put_sources(c);
	if (pthread_create(&c->thread, NULL, stream_main, c))
		return err_set(e, ERR_SYS, "start the capture thread");
	c->thread_runs = true;
	return 0;
}

int capture_open(struct capture **out, const struct capture_options *options, struct err *e)
{
	struct capture *c = xcalloc(1, sizeof(*c));

	c->o = *options;
	options_fill(&c->o);
	c->judge = options->judge;
	c->epoll_fd = c->wake_fd = -1;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->request_done, NULL);
	c->decoder = decoder_new();
	c->processes = process_table_new(c->o.processes_max);
	c->containers = container_table_new(ask_resolver, c);
	c->before = before_new(c->o.before_bytes);
	c->pathcheck = pathcheck_new();
	c->boot_to_real_ns = clock_boot_to_real_offset_ns();
	c->clock_checked_ns = c->collected_ns = clock_mono_ns();
	if (open_all(c, e)) {
		/* rings of an earlier run that we could not take over stay for another try */
		bool theirs = e->code == ERR_BUSY || (c->probe && probe_taken_over(c->probe));
		capture_stop(c, theirs ? CAPTURE_LEAVE : CAPTURE_STOP);
		capture_close(c);
		return -1;
	}
	*out = c;
	return 0;
}

void capture_set_interest(struct capture *c, const char *const *types, size_t n)
{
	probe_set_interest(c->probe, types, n);
}

static void swap_judge(void *ctx, struct capture *c)
{
	c->judge = *(struct judge_hook *)ctx;
}

void capture_set_judge(struct capture *c, struct judge_hook judge)
{
	capture_run(c, swap_judge, &judge);
}

void capture_committed(struct capture *c, const struct record_mark *mark)
{
	for (int i = 0; i < WIRE_RING_N; i++) {
		if (c->committed[i] < mark->pos[i])
			c->committed[i] = mark->pos[i];
	}
	if (c->want_commit)
		stream_wake(c);
}

void capture_run(struct capture *c, void (*fn)(void *ctx, struct capture *c), void *ctx)
{
	struct request r = { .fn = fn, .ctx = ctx };

	pthread_mutex_lock(&c->lock);
	r.next = c->requests;
	c->requests = &r;
	stream_wake(c);
	while (!r.done)
		pthread_cond_wait(&c->request_done, &c->lock);
	pthread_mutex_unlock(&c->lock);
}

struct each_ctx {
	bool (*fn)(void *ctx, const struct process *p);
	void *ctx;
};

static bool each_live(void *ctx, struct process *p)
{
	struct each_ctx *x = ctx;

	return p->exited || x->fn(x->ctx, p);
}

void capture_each_process(
	struct capture *c, bool (*fn)(void *ctx, const struct process *p), void *ctx)
{
	struct each_ctx x = { fn, ctx };

	process_table_each(c->processes, each_live, &x);
}

static void add_counts(struct capture_count *to, const struct wire_count *n)
{
	to->emitted += n->emitted;
	to->dropped += n->dropped;
	to->filtered += n->filtered;
	to->truncated += n->truncated;
}

static void status_counts(struct capture *c, struct capture_status *out)
{
	int cpus = probe_cpus(c->probe);
	AUTO_FREE struct wire_count *n = xcalloc((size_t)cpus, sizeof(*n));

	for (uint32_t k = 1; k < EVENT_CLASS_N; k++) {
		if (!probe_counts(c->probe, k, n))
			continue;
		for (int i = 0; i < cpus; i++)
			add_counts(&out->by_class[k], &n[i]);
		out->lost[LOSS_RING] += out->by_class[k].dropped;
	}
}

static void status_cgroups(struct capture *c, struct capture_status *out)
{
	for (size_t i = 0; i < c->o.account_cgroups_n && i < CAPTURE_MAX_CGROUPS; i++) {
		struct wire_count n[WIRE_CLASS_MAX] = { 0 };
		out->cgroups[i].path = c->o.account_cgroups[i];
		out->cgroups_n = i + 1;
		if (!probe_account(c->probe, i, n))
			continue;
		for (size_t k = 0; k < EVENT_CLASS_N; k++)
			add_counts(&out->cgroups[i].by_class[k], &n[k]);
	}
}

void capture_status(struct capture *c, struct capture_status *out)
{
	memset(out, 0, sizeof(*out));
	for (int i = 0; i < LOSS_WHERE_N; i++)
		out->lost[i] = c->numbers.lost[i];
	status_counts(c, out);
	status_cgroups(c, out);
	out->seen = c->numbers.seen;
	out->replayed = c->numbers.replayed;
	out->parked_now = c->numbers.parked_now;
	out->parked = c->numbers.parked;
	out->park_timeouts = c->numbers.park_timeouts;
	out->pending_alerts = c->numbers.pending_alerts;
	out->processes = c->numbers.processes;
	out->processes_max = c->o.processes_max;
	out->partial = c->numbers.partial;
	out->wakeups = c->numbers.wakeups;
	out->mismatches = c->numbers.mismatches;
	out->progress = c->numbers.progress;
	for (int i = 0; i < WIRE_RING_N; i++) {
		out->ring_used[i] = c->numbers.ring_used[i];
		out->ring_size[i] = probe_ring_size(c->probe, (enum wire_ring)i);
	}
	out->pinned = probe_pinned(c->probe);
	out->pin_detail = probe_pin_detail(c->probe);
	out->sources = probe_sources(c->probe, &out->sources_n);
}

static bool put_loss(
	struct capture *c, enum loss_where where, uint32_t class, uint32_t cpu, uint64_t n)
{
	struct record *r = record_new(RECORD_LOSS);

	r->loss = (struct record_loss){ clock_real_ns(), where, (enum event_class) class, cpu, n };
	if (sink_put(c->o.sink, r) == SINK_OK)
		return true;
	record_free(r);
	return false;
}

/* The kernel's drops by CPU, against what was reported before: by this run or an earlier one. */
static void report_drops(
	struct capture *c, uint32_t class, struct wire_count *now, struct wire_count *told)
{
	bool changed = false;

	if (!probe_counts(c->probe, class, now) || !probe_reported(c->probe, class, told))
		return;
	for (int i = 0; i < probe_cpus(c->probe); i++) {
		uint64_t n = now[i].dropped - told[i].dropped;
		if (n == 0 || !put_loss(c, LOSS_RING, class, (uint32_t)i, n))
			continue;
		told[i].dropped = now[i].dropped;
		changed = true;
	}
	if (changed)
		probe_set_reported(c->probe, class, told);
}

void capture_report_losses(struct capture *c)
{
	size_t cpus = (size_t)probe_cpus(c->probe);
	AUTO_FREE struct wire_count *now = xcalloc(cpus, sizeof(*now));
	AUTO_FREE struct wire_count *told = xcalloc(cpus, sizeof(*told));

	for (uint32_t k = 1; k < EVENT_CLASS_N; k++)
		report_drops(c, k, now, told);
}

/* Wait for the capture thread; one that cannot drain (a store that takes nothing) is told to give up. */
static bool join_capture(struct capture *c, int how)
{
	struct timespec until;

	c->stop = how;
	stream_wake(c);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += DRAIN_MAX_S;
	if (pthread_timedjoin_np(c->thread, NULL, &until) == 0)
		return true;
	log_error("capture",
		"the store does not take what is left: stopped with %llu bytes in the ring",
		(unsigned long long)(ring_produced(c->rings[0]) - ring_released(c->rings[0])));
	c->stop = 2;
	stream_wake(c);
	pthread_join(c->thread, NULL);
	return false;
}

bool capture_stop(struct capture *c, enum capture_stop_mode mode)
{
	if (c->stopped)
		return c->stop_mode == mode;
	c->stopped = true;
	c->stop_mode = mode;
	if (c->probe && mode == CAPTURE_STOP)
		probe_stop(c->probe);
	if (c->thread_runs && !join_capture(c, mode == CAPTURE_STOP ? 1 : 2))
		c->stop_mode = CAPTURE_LEAVE;
	resolver_close(TAKE(c->resolver));
	return c->stop_mode == mode;
}

static void free_parked(struct capture *c)
{
	while (c->parked_first) {
		struct parked *p = c->parked_first;
		c->parked_first = p->next;
		event_free(p->ev);
		free(p);
	}
}

void capture_close(struct capture *c)
{
	if (!c)
		return;
	capture_stop(c, CAPTURE_STOP);
	free_parked(c);
	for (size_t i = c->waiting_first; i < c->waiting.n; i++)
		record_free(c->waiting.p[i]);
	vec_fini(&c->waiting);
	for (int i = 0; i < WIRE_RING_N; i++)
		ring_close(c->rings[i]);
	probe_close(c->probe, c->stop_mode == CAPTURE_STOP ? PROBE_UNPIN : PROBE_LEAVE);
	process_table_free(c->processes);
	container_table_free(c->containers);
	before_free(c->before);
	pathcheck_free(c->pathcheck);
	decoder_free(c->decoder);
	if (c->epoll_fd >= 0)
		close(c->epoll_fd);
	if (c->wake_fd >= 0)
		close(c->wake_fd);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->request_done);
	free(c);
}
