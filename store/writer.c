/* Invariant: on_commit(mark) is called only when all records before the mark are committed or counted. */
#include "store/writer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/queue.h"
#include "store/batch.h"
#include "store/janitor.h"
#include "store/lock.h"
#include "store/segment.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

enum {
	CHUNK = 32, /* taken from the queue at once: the clock is looked at in between */
	IDLE_MS = 500,
	/* Log frames of 4 KiB. Each start of a new log costs a sync, so not after every alert. */
	FRAMES_IDLE = 256,
	FRAMES_BUSY = 4096,
	FRAMES_TOO_MANY = 16384, /* the log never became empty: checkpoint between two commits */
	QUEUE_DEFAULT = 65536,
	QUEUE_MIN = 16,
	QUEUE_MAX = 1 << 22,
	RESERVE_PART = 8, /* of the queue's room, which raw events may not take */
	ALERT_TEXT_BYTES = 4096,
};

#define MS                     1000000ull
#define BATCH_NS               (2 * MS)
#define RETRY_FIRST_NS         (20 * MS)
#define RETRY_MAX_NS           (1000 * MS)
#define STOP_PATIENCE_NS       (2000 * MS)
#define SEGMENT_BYTES_DEFAULT  (64ull << 20)
#define SEGMENT_AGE_DEFAULT_NS (3600 * 1000 * MS)
#define EVENTS_BYTES_DEFAULT   (1ull << 30)
#define QUEUE_BYTES_DEFAULT    (64ull << 20)

struct counters {
	_Atomic uint64_t alerts, alerts_repeated, events, events_refused, events_dropped;
	_Atomic uint64_t commits, failures;
	_Atomic int64_t last_alert_n;
	atomic_bool failing;
};

struct store_writer {
	struct store_options o; /* strings owned, defaults filled in */
	char *dir, *boot_id, *hostname;
	char db_path[PATH_MAX], events_dir[PATH_MAX];
	int lock_fd;
	struct main_db *db;
	struct raw_log *raw;
	struct janitor *janitor;
	struct queue *queue;
	struct sink sink;
	pthread_t thread;
	bool has_mark;
	struct record_mark first_mark;
	int64_t first_n;
	struct counters count;
	_Atomic uint64_t queued_bytes;

	pthread_mutex_t lock; /* for error and stopping; never held across I/O */
	pthread_cond_t wake;  /* stopping */
	char error[256];
	bool stopping;

	/* The store thread's own. */
	struct batch batch;
	uint64_t frames; /* guessed, in the log since the last checkpoint */
	struct log_limit limit;
};

static void note_failure(struct store_writer *w, const char *what, const struct err *e)
{
	atomic_fetch_add(&w->count.failures, 1);
	atomic_store(&w->count.failing, true);
	pthread_mutex_lock(&w->lock);
	snprintf(w->error, sizeof(w->error), "%.*s", (int)sizeof(w->error) - 1, e->msg);
	pthread_mutex_unlock(&w->lock);
	if (log_limit_pass(&w->limit))
		log_error("store", "%s: %s", what, e->msg);
}

/* Waits that long, or until the writer is to stop. Returns whether it is. */
static bool pause_for(struct store_writer *w, uint64_t ns)
{
	uint64_t at = clock_mono_ns() + ns;
	struct timespec until = { (time_t)(at / (1000 * MS)), (long)(at % (1000 * MS)) };
	pthread_mutex_lock(&w->lock);
	while (!w->stopping && pthread_cond_timedwait(&w->wake, &w->lock, &until) != ETIMEDOUT)
		;
	bool stopping = w->stopping;
	pthread_mutex_unlock(&w->lock);
	return stopping;
}

/*
 * The disk refuses the batch. Nothing else is taken from the queue meanwhile: it fills, raw events
 * are refused there, and as no mark is reported the collector's ring holds the rest.
 * Returns false when it was given up, which happens only while stopping.
 */
static bool retry(struct store_writer *w)
{
	struct batch *b = &w->batch;
	uint64_t wait = RETRY_FIRST_NS, give_up = 0;
	batch_shed_raw(b);
	if (b->e.sys == ENOSPC)
		raw_log_let_go(w->raw);
	for (;;) {
		note_failure(w, "alerts cannot be written, they are held and tried again", &b->e);
		batch_rollback(b);
		janitor_reclaim(w->janitor);
		if (pause_for(w, wait)) {
			uint64_t now = clock_mono_ns();
			give_up = give_up ? give_up : now + STOP_PATIENCE_NS;
			if (now > give_up)
				return false;
			nanosleep(&(struct timespec){ .tv_nsec = RETRY_FIRST_NS }, NULL);
		}
		batch_redo(b);
		if (batch_commit_main(b) >= 0)
			return true;
		wait = wait * 2 < RETRY_MAX_NS ? wait * 2 : RETRY_MAX_NS;
	}
}

static void count_dropped(struct store_writer *w)
{
	uint64_t dropped[EVENT_CLASS_N], sum = 0;
	if (!raw_log_dropped(w->raw, dropped))
		return;
	for (size_t c = 0; c < EVENT_CLASS_N; c++)
		sum += dropped[c];
	atomic_fetch_add(&w->count.events_dropped, sum);
	raw_log_forget_dropped(w->raw);
}

static void checkpoint_if_long(struct store_writer *w)
{
	struct janitor_stats js;
	if (w->frames < FRAMES_BUSY)
		return;
	w->frames = 0;
	janitor_read_stats(w->janitor, &js);
	/* The writer was always ahead of the janitor; only a complete checkpoint starts the log anew. */
	if (js.wal_frames > FRAMES_TOO_MANY)
		main_db_checkpoint_passive(w->db, NULL);
	janitor_checkpoint_db(w->janitor);
}

static void account(struct store_writer *w)
{
	const struct batch *b = &w->batch;
	atomic_fetch_add(&w->count.alerts, b->alerts);
	atomic_fetch_add(&w->count.alerts_repeated, b->repeated);
	atomic_store(&w->count.last_alert_n, main_db_last_alert(w->db));
	count_dropped(w);
	w->frames += 6 + 2 * b->n;
	checkpoint_if_long(w);
}

/* Returns false when the batch was given up. */
static bool finish_batch(struct store_writer *w)
{
	struct batch *b = &w->batch;
	uint64_t events = batch_commit_raw(b);
	const struct err *news = raw_log_news(w->raw);
	atomic_fetch_add(&w->count.events, events);
	if (news)
		note_failure(w, "raw events cannot be written, they are dropped", news);
	int committed = batch_commit_main(b);
	if (committed < 0 && !retry(w))
		return false;
	if (committed)
		account(w);
	atomic_store(&w->count.failing, raw_log_failing(w->raw));
	if (events || committed)
		atomic_fetch_add(&w->count.commits, 1);
	const struct record_mark *mark = batch_last_mark(b);
	if (w->o.on_commit && (mark || committed))
		w->o.on_commit(w->o.ctx, mark, main_db_last_alert(w->db));
	batch_clear(b);
	return true;
}

/* Near enough: a queue of alerts with long lineages must not take all memory. */
static uint64_t record_bytes(const struct record *r)
{
	const struct event *ev = NULL;
	uint64_t n = sizeof(*r);
	if (r->type == RECORD_EVENT) {
		ev = r->event.event;
	} else if (r->type == RECORD_ALERT) {
		ev = r->alert->event;
		n += sizeof(*r->alert) + ALERT_TEXT_BYTES;
		for (size_t i = 0; r->alert->lineage && i < r->alert->lineage->n; i++)
			n += sizeof(struct process) + r->alert->lineage->process[i].args.n;
	}
	return ev ? n + sizeof(*ev) + ev->data_len : n;
}

static size_t take(struct store_writer *w, int timeout_ms)
{
	void *chunk[CHUNK];
	size_t room = BATCH_MAX - w->batch.n;
	size_t n = queue_pop(w->queue, chunk, room < CHUNK ? room : CHUNK, timeout_ms);
	for (size_t i = 0; i < n; i++) {
		atomic_fetch_sub(&w->queued_bytes, record_bytes(chunk[i]));
		batch_add(&w->batch, chunk[i]);
	}
	return n;
}

static void on_idle(struct store_writer *w)
{
	raw_log_idle(w->raw);
	if (w->frames < FRAMES_IDLE)
		return;
	janitor_checkpoint_db(w->janitor);
	w->frames = 0;
}

static void *writer_main(void *arg)
{
	struct store_writer *w = arg;
	pthread_setname_np(pthread_self(), "hw-store");
	for (;;) {
		bool dirty = w->frames >= FRAMES_IDLE || raw_log_is_dirty(w->raw);
		if (!take(w, dirty ? IDLE_MS : -1)) {
			if (queue_closed(w->queue)) {
				/* Without it the next start only reads more of the ring again. */
				batch_save_mark(&w->batch, NULL);
				return NULL;
			}
			on_idle(w);
			continue;
		}
		uint64_t began = clock_mono_ns();
		while (w->batch.n < BATCH_MAX && clock_mono_ns() - began < BATCH_NS && take(w, 0))
			;
		if (!finish_batch(w))
			return NULL;
	}
}

/* --- the outside --- */

/* Room is taken before the push and given back when it fails, so the bound holds between threads. */
static bool reserve_bytes(struct store_writer *w, uint64_t n, bool raw)
{
	uint64_t most = w->o.queue_max_bytes - (raw ? w->o.queue_max_bytes / RESERVE_PART : 0);
	uint64_t before = atomic_fetch_add(&w->queued_bytes, n);
	/* Into an empty queue anything goes: no alert may be too large for ever. */
	if (!before || before + n <= most)
		return true;
	atomic_fetch_sub(&w->queued_bytes, n);
	return false;
}

static enum sink_result put(void *ctx, struct record *r)
{
	struct store_writer *w = ctx;
	bool raw = r->type == RECORD_EVENT && r->event.why != EVENT_WHY_ALERT;
	uint64_t bytes = record_bytes(r);
	if (reserve_bytes(w, bytes, raw)) {
		if (queue_push(w->queue, r, raw ? QUEUE_BULK : QUEUE_VITAL))
			return SINK_OK;
		atomic_fetch_sub(&w->queued_bytes, bytes);
	}
	if (raw)
		atomic_fetch_add(&w->count.events_refused, 1);
	return SINK_FULL;
}

const struct sink *store_writer_sink(struct store_writer *w)
{
	return &w->sink;
}

bool store_writer_mark(const struct store_writer *w, struct record_mark *out)
{
	if (w->has_mark)
		*out = w->first_mark;
	return w->has_mark;
}

int64_t store_writer_first_n(const struct store_writer *w)
{
	return w->first_n;
}

static void free_item(void *r)
{
	record_free(r);
}

static void writer_free(struct store_writer *w)
{
	if (!w)
		return;
	queue_free(w->queue, free_item);
	batch_clear(&w->batch);
	/* The segment before the janitor: whose connection is last folds the log in, and that may be slow. */
	raw_log_free(w->raw);
	janitor_stop(w->janitor);
	main_db_close(w->db);
	store_unlock(w->lock_fd);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->wake);
	free(w->dir);
	free(w->boot_id);
	free(w->hostname);
	free(w);
}
DEFINE_AUTO(struct store_writer, writer_free)

static uint64_t or_default(uint64_t v, uint64_t fallback)
{
	return v ? v : fallback;
}

static size_t bounded(size_t v, size_t least, size_t most)
{
	if (v < least)
		return least;
	return v > most ? most : v;
}

static struct store_writer *writer_new(const struct store_options *o)
{
	struct store_writer *w = xcalloc(1, sizeof(*w));
	pthread_condattr_t attr;
	w->lock_fd = -1;
	w->limit.burst = 1; /* a full disk lasts */
	w->o = *o;
	w->o.dir = w->dir = xstrndup(o->dir, strlen(o->dir));
	w->o.boot_id = w->boot_id = xstrndup(o->boot_id, strlen(o->boot_id));
	w->o.hostname = w->hostname = xstrndup(o->hostname, strlen(o->hostname));
	w->o.events_max_bytes = or_default(o->events_max_bytes, EVENTS_BYTES_DEFAULT);
	w->o.segment_max_bytes = or_default(o->segment_max_bytes, SEGMENT_BYTES_DEFAULT);
	w->o.queue_max_bytes = or_default(o->queue_max_bytes, QUEUE_BYTES_DEFAULT);
	w->o.segment_max_age_ns = or_default(o->segment_max_age_ns, SEGMENT_AGE_DEFAULT_NS);
	/* Retention removes whole segments: with few of them it would remove most of the history. */
	if (w->o.segment_max_bytes > w->o.events_max_bytes / 4)
		w->o.segment_max_bytes = w->o.events_max_bytes / 4;
	size_t capacity = bounded(
		o->queue_capacity ? o->queue_capacity : QUEUE_DEFAULT, QUEUE_MIN, QUEUE_MAX);
	w->queue = queue_new(capacity, capacity / RESERVE_PART);
	w->sink = (struct sink){ w, put };
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_condattr_destroy(&attr);
	return w;
}

static int make_paths(struct store_writer *w, struct err *e)
{
	int a = snprintf(w->db_path, PATH_MAX, "%s/%s", w->dir, STORE_DB_NAME);
	int b = snprintf(w->events_dir, PATH_MAX, "%s/%s", w->dir, STORE_EVENTS_DIR);
	if (a < 0 || a >= PATH_MAX || b < 0 || b >= PATH_MAX)
		return err_set(e, ERR_LIMIT, "path too long: %s", w->dir);
	return 0;
}

/* The segment to go on with: the last there is. */
static int last_segment(struct store_writer *w, uint64_t *number, struct err *e)
{
	AUTO(segment_list_fini) struct segment_list l = { 0 };
	if (mkdir(w->events_dir, 0700) && errno != EEXIST)
		return err_set(e, ERR_SYS, "create folder %s", w->events_dir);
	if (segment_list_read(&l, w->events_dir, e))
		return -1;
	*number = l.file.n ? l.file.p[l.file.n - 1].number : 1;
	return 0;
}

static int open_raw(struct store_writer *w, struct err *e)
{
	uint64_t number = 1;
	if (last_segment(w, &number, e))
		return -1;
	const struct janitor_options jo = {
		.db_path = w->db_path,
		.events_dir = w->events_dir,
		.keep_bytes = w->o.events_max_bytes - w->o.segment_max_bytes,
		.current = number,
	};
	if (janitor_open(&w->janitor, &jo, e))
		return -1;
	const struct raw_log_options ro = {
		.dir = w->events_dir,
		.boot_id = w->boot_id,
		.hostname = w->hostname,
		.max_bytes = w->o.segment_max_bytes,
		.max_age_ns = w->o.segment_max_age_ns,
		.janitor = w->janitor,
		.number = number,
	};
	w->raw = raw_log_new(&ro);
	return 0;
}

static int start(struct store_writer *w, struct err *e)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&w->thread, NULL, writer_main, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		return err_set(e, ERR_LIMIT, "cannot start the store thread: %s", strerror(rc));
	return 0;
}

int store_writer_open(struct store_writer **out, const struct store_options *o, struct err *e)
{
	AUTO(writer_free) struct store_writer *w = writer_new(o);
	if (make_paths(w, e))
		return -1;
	w->lock_fd = store_lock(w->dir, e);
	if (w->lock_fd < 0)
		return -1;
	if (main_db_open(&w->db, w->db_path, w->boot_id, w->hostname, e) || open_raw(w, e))
		return -1;
	w->has_mark = main_db_last_mark(w->db, &w->first_mark);
	w->first_n = main_db_last_alert(w->db);
	atomic_store(&w->count.last_alert_n, w->first_n);
	w->batch.db = w->db;
	w->batch.raw = w->raw;
	if (start(w, e))
		return -1;
	*out = TAKE(w);
	return 0;
}

void store_writer_stats(const struct store_writer *cw, struct store_stats *out)
{
	/* Only the lock changes; the caller's view of the writer does not. */
	struct store_writer *w = (struct store_writer *)(uintptr_t)cw;
	struct janitor_stats js;
	janitor_read_stats(w->janitor, &js);
	*out = (struct store_stats){
		.alerts = atomic_load(&w->count.alerts),
		.alerts_repeated = atomic_load(&w->count.alerts_repeated),
		.events = atomic_load(&w->count.events),
		.events_refused = atomic_load(&w->count.events_refused),
		.events_dropped = atomic_load(&w->count.events_dropped),
		.commits = atomic_load(&w->count.commits),
		.failures = atomic_load(&w->count.failures),
		.segments = js.segments,
		.segment_bytes = js.segment_bytes,
		.segments_removed = js.removed,
		.queue_len = queue_len(w->queue),
		.last_alert_n = atomic_load(&w->count.last_alert_n),
		.failing = atomic_load(&w->count.failing),
	};
	pthread_mutex_lock(&w->lock);
	memcpy(out->error, w->error, sizeof(out->error));
	pthread_mutex_unlock(&w->lock);
}

int store_writer_stop(struct store_writer *w, struct store_stats *last, struct err *e)
{
	if (!w)
		return 0;
	queue_close(w->queue);
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	uint64_t left = w->batch.n + queue_len(w->queue);
	batch_rollback(&w->batch);
	main_db_checkpoint(w->db, NULL);
	if (last)
		store_writer_stats(w, last);
	int rc = 0;
	if (left)
		rc = err_set(e, ERR_SYS, "%llu records could not be stored: %s",
			(unsigned long long)left, w->error);
	writer_free(w);
	return rc;
}
