#include "collector/syscall/capture_impl.h"

#include "base/clock.h"
#include "base/log.h"

#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

#define LINGER_NS        1000000u /* looks at the ring for so long before it sleeps */
#define LINGER_STEP_NS   50000u   /* between two looks while little happens: latency counts */
#define STORM_STEP_NS    250000u  /* and while much does: each look finds a batch */
#define STORM_RECORDS    16u
#define SLEEP_MAX_MS     250
#define CLOCK_EVERY_NS   1000000000u
#define COLLECT_EVERY_NS 5000000000u
#define BUSY_SPINS       4000

void stream_wake(struct capture *c)
{
	uint64_t one = 1;
	ssize_t n = write(c->wake_fd, &one, sizeof(one));

	(void)n; /* a full counter wakes as well */
}

void stream_lose(struct capture *c, enum loss_where where, enum event_class class, uint64_t n)
{
	size_t k = class < EVENT_CLASS_N ? (size_t) class : 0;

	c->losses[where][k] += n;
	c->losses_new = true;
	c->numbers.lost[where] += n;
}

void stream_put(struct capture *c, struct record *r)
{
	/*
	 * What came before an alert is a help and may go; an event that is kept for its own sake waits, and
	 * the ring with it: that is where there is room.
	 */
	bool raw = r->type == RECORD_EVENT && r->event.why == EVENT_WHY_BEFORE;

	if (c->waiting.n == c->waiting_first && sink_put(c->o.sink, r) == SINK_OK) {
		c->dirty = true;
		return;
	}
	if (raw) {
		stream_lose(c, LOSS_QUEUE, r->event.event->class, 1);
		record_free(r);
		return;
	}
	vec_push(&c->waiting, r);
	c->numbers.pending_alerts++;
}

/* Offer the waiting records again. true: none is left. */
static bool put_waiting(struct capture *c)
{
	while (c->waiting_first < c->waiting.n) {
		if (sink_put(c->o.sink, c->waiting.p[c->waiting_first]) != SINK_OK)
			return false;
		c->waiting_first++;
		c->numbers.pending_alerts--;
		c->dirty = true;
	}
	c->waiting.n = c->waiting_first = 0;
	return true;
}

/* How far a ring is dealt with, apart from commits: up to the first parked event. */
static uint64_t dealt_with(const struct capture *c, enum wire_ring ring)
{
	for (const struct parked *p = c->parked_first; p; p = p->next) {
		if (p->ring == ring)
			return p->pos;
	}
	return ring_position(c->rings[ring]);
}

/* What the capture itself could not keep goes ahead of the mark that lets the ring forget it. */
static void put_losses(struct capture *c)
{
	if (!c->losses_new)
		return;
	c->losses_new = false;
	for (uint32_t w = 0; w < LOSS_WHERE_N; w++) {
		for (uint32_t k = 0; k < EVENT_CLASS_N; k++) {
			uint64_t n = c->losses[w][k];
			if (n == 0)
				continue;
			struct record *r = record_new(RECORD_LOSS);
			r->loss = (struct record_loss){
				.ts_ns = clock_real_ns(),
				.where = (enum loss_where)w,
				.class = (enum event_class)k,
				.cpu = UINT32_MAX,
				.count = n,
			};
			c->losses[w][k] = 0;
			stream_put(c, r);
		}
	}
}

/*
 * Where we are goes behind what was handed on; with nothing on its way it counts as committed at once.
 */
static void mark(struct capture *c)
{
	bool outstanding = false;
	uint64_t now[WIRE_RING_N];

	put_losses(c);
	/* a record whose alert still waits has been read, but is not handed on */
	if (c->waiting.n > c->waiting_first)
		return;
	for (int i = 0; i < WIRE_RING_N; i++) {
		now[i] = dealt_with(c, (enum wire_ring)i);
		outstanding |= c->committed[i] < c->marked[i];
	}
	if (!c->dirty && !outstanding) {
		for (int i = 0; i < WIRE_RING_N; i++)
			c->marked[i] = now[i];
		for (int i = 0; i < WIRE_RING_N; i++)
			c->committed[i] = now[i];
		return;
	}
	if (!c->dirty && now[0] == c->marked[0] && now[1] == c->marked[1])
		return;
	struct record *r = record_new(RECORD_MARK);
	r->mark.ring_id = c->control->ring_id;
	memcpy(r->mark.pos, now, sizeof(now));
	if (sink_put(c->o.sink, r) != SINK_OK) {
		record_free(r); /* the next one says more */
		return;
	}
	memcpy(c->marked, now, sizeof(now));
	c->dirty = false;
}

/*
 * The priority ring is kept half full of what is past: after a restart it tells the lineage of processes
 * that have ended meanwhile.
 */
static uint64_t hold_back(struct capture *c, uint64_t committed)
{
	struct ring *r = c->rings[WIRE_RING_PRIORITY];
	uint64_t half = ring_size(r) / 2, limit = 0;

	if (c->stop == 0 && probe_pinned(c->probe)) {
		uint64_t from = ring_position(r) > half ? ring_position(r) - half : 0;
		while (c->bounds_n && c->bounds[c->bounds_first & 255] <= from) {
			limit = c->bounds[c->bounds_first & 255];
			c->bounds_first++;
			c->bounds_n--;
		}
		return limit < committed ? limit : committed;
	}
	return committed;
}

static void note_bound(struct capture *c)
{
	uint64_t pos = ring_position(c->rings[WIRE_RING_PRIORITY]);
	uint64_t step = ring_size(c->rings[WIRE_RING_PRIORITY]) / 128;

	if (c->bounds_n && pos - c->bounds[(c->bounds_first + c->bounds_n - 1) & 255] < step)
		return;
	if (c->bounds_n == 256)
		return;
	c->bounds[(c->bounds_first + c->bounds_n++) & 255] = pos;
}

/* Give back to the kernel, and forget, what is committed. */
static void advance(struct capture *c)
{
	uint64_t main_pos = c->committed[WIRE_RING_MAIN],
		 prio_pos = c->committed[WIRE_RING_PRIORITY];

	c->control->judged[WIRE_RING_MAIN] = main_pos;
	c->control->judged[WIRE_RING_PRIORITY] = prio_pos;
	ring_release(c->rings[WIRE_RING_MAIN], main_pos);
	ring_release(c->rings[WIRE_RING_PRIORITY], hold_back(c, prio_pos));
	uint64_t passed = dealt_with(c, WIRE_RING_MAIN);
	process_table_passed(c->processes, passed);
	container_table_passed(c->containers, passed);
}

static size_t read_ring(struct capture *c, enum wire_ring which, uint64_t until, size_t max)
{
	struct ring *r = c->rings[which];
	size_t n = 0;
	int spins = 0;

	while (n < max && ring_position(r) < until && c->waiting.n == c->waiting_first) {
		uint64_t pos = ring_position(r);
		struct str rec;
		enum ring_result rc = ring_next(r, &rec);
		if (rc == RING_EMPTY)
			break;
		if (rc == RING_BUSY) {
			/* a program on another CPU is between reserve and commit: microseconds */
			if (++spins > BUSY_SPINS)
				break;
			sched_yield();
			continue;
		}
		n++;
		if (rc == RING_DAMAGED)
			stream_lose(c, LOSS_DECODE, EVENT_NONE, 1);
		else
			events_apply_record(c, which, rec, pos);
	}
	return n;
}

static size_t read_batch(struct capture *c)
{
	uint64_t until = ring_produced(c->rings[WIRE_RING_MAIN]);
	uint64_t first = ring_produced(c->rings[WIRE_RING_PRIORITY]);
	size_t n = read_ring(c, WIRE_RING_PRIORITY, first, SIZE_MAX);

	note_bound(c);
	/* one is still being written: what may follow from it waits for it */
	if (ring_position(c->rings[WIRE_RING_PRIORITY]) < first)
		return n;
	return n + read_ring(c, WIRE_RING_MAIN, until, CAPTURE_BATCH);
}

static bool rings_empty(const struct capture *c)
{
	for (int i = 0; i < WIRE_RING_N; i++) {
		if (ring_position(c->rings[i]) < ring_produced(c->rings[i]))
			return false;
	}
	return true;
}

/* Parked events hold the ring; past half of it the rest of the node's events are worth more than their wait. */
static bool parked_in_the_way(const struct capture *c)
{
	const struct ring *r = c->rings[WIRE_RING_MAIN];

	return c->parked_first && ring_position(r) - ring_released(r) > ring_size(r) / 2;
}

static void run_requests(struct capture *c)
{
	pthread_mutex_lock(&c->lock);
	while (c->requests) {
		struct request *r = c->requests;
		c->requests = r->next;
		pthread_mutex_unlock(&c->lock);
		r->fn(r->ctx, c);
		pthread_mutex_lock(&c->lock);
		r->done = true;
		pthread_cond_broadcast(&c->request_done);
	}
	pthread_mutex_unlock(&c->lock);
}

/* A cgroup without room in the table: a loss of that class, whatever event met it. */
static void count_refused(struct capture *c)
{
	uint64_t n = container_table_refused(c->containers);

	if (n == c->containers_refused)
		return;
	stream_lose(c, LOSS_TABLE, EVENT_CGROUP, n - c->containers_refused);
	c->containers_refused = n;
}

static void housekeep(struct capture *c, uint64_t now)
{
	count_refused(c);
	for (int i = 0; i < WIRE_RING_N; i++)
		c->numbers.ring_used[i] = ring_produced(c->rings[i]) - ring_released(c->rings[i]);
	c->numbers.processes = process_table_count(c->processes);
	c->numbers.progress++;
	if (now - c->clock_checked_ns > CLOCK_EVERY_NS) {
		c->clock_checked_ns = now;
		c->boot_to_real_ns = clock_boot_to_real_offset_ns();
	}
	if (now - c->collected_ns > COLLECT_EVERY_NS) {
		c->collected_ns = now;
		events_collect(c);
	}
}

static int sleep_ms(const struct capture *c, uint64_t now)
{
	if (c->waiting.n > c->waiting_first)
		return 1;
	if (!c->parked_first)
		return SLEEP_MAX_MS;
	uint64_t at = c->parked_first->deadline_ns;
	uint64_t ms = at > now ? (at - now) / 1000000u + 1 : 0;
	return ms < SLEEP_MAX_MS ? (int)ms : SLEEP_MAX_MS;
}

/*
 * Sleep until a program wakes us. The word is cleared before the last look at the rings; a program looks at the word
 * after it has committed its record: one of the two sees the other.
 */
static void sleep_on_rings(struct capture *c)
{
	struct epoll_event got[4];
	uint64_t drain;

	c->want_commit = c->committed[0] < c->marked[0] || c->committed[1] < c->marked[1];
	__atomic_store_n(&c->control->awake, 0, __ATOMIC_SEQ_CST);
	if (rings_empty(c) || c->waiting.n > c->waiting_first) {
		int n = epoll_wait(c->epoll_fd, got, 4, sleep_ms(c, clock_mono_ns()));
		c->numbers.wakeups += n > 0;
		for (int i = 0; i < n; i++) {
			if (got[i].data.fd == c->wake_fd &&
				read(c->wake_fd, &drain, sizeof(drain)) < 0)
				continue;
		}
	}
	__atomic_store_n(&c->control->awake, 1, __ATOMIC_SEQ_CST);
	c->want_commit = false;
}

/* Returns how many records were read. */
static size_t round_of_work(struct capture *c)
{
	run_requests(c);
	events_take_resolved(c);
	size_t n = put_waiting(c) ? read_batch(c) : 0;
	uint64_t now = clock_mono_ns();
	events_expire_parked(c, now, parked_in_the_way(c));
	mark(c);
	advance(c);
	housekeep(c, now);
	return n;
}

/* The end: everything in the rings is judged, nothing waits, and the sink has committed it. */
static bool drained(struct capture *c)
{
	if (!rings_empty(c))
		return false;
	events_expire_parked(c, 0, true);
	if (!put_waiting(c))
		return false;
	mark(c);
	return c->committed[0] >= ring_position(c->rings[0]) &&
	       c->committed[1] >= ring_position(c->rings[1]);
}

static void linger(size_t last_n)
{
	struct timespec step = { 0, last_n >= STORM_RECORDS ? STORM_STEP_NS : LINGER_STEP_NS };

	nanosleep(&step, NULL);
}

void *stream_main(void *arg)
{
	struct capture *c = arg;
	uint64_t idle_since = clock_mono_ns();
	size_t last_n = 0;

	pthread_setname_np(pthread_self(), "hw-capture");
	prctl(PR_SET_TIMERSLACK, 1);
	while (c->stop < 2) {
		size_t n = round_of_work(c);
		uint64_t now = clock_mono_ns();
		if (n) {
			last_n = n;
			idle_since = now;
			continue;
		}
		if (c->stop == 1 && drained(c)) {
			advance(c);
			break;
		}
		if (now - idle_since < LINGER_NS || c->stop)
			linger(last_n);
		else
			sleep_on_rings(c);
	}
	run_requests(c);
	return NULL;
}
