#include "store/raw_log.h"

#include "base/clock.h"
#include "store/segment.h"

#include <stdlib.h>

#define RETRY_NS    250000000ull
#define FRAMES_IDLE 256 /* of 4 KiB: worth a checkpoint when there is time */
#define FRAMES_BUSY 2048

struct raw_log {
	struct raw_log_options o;
	struct segment *segment;
	uint64_t number;
	uint64_t pending[EVENT_CLASS_N]; /* in the open transaction */
	uint64_t pending_n;
	uint64_t dropped[EVENT_CLASS_N];
	bool any_dropped;
	uint64_t lost;     /* while the current segment was written */
	uint64_t frames;   /* guessed, since the last checkpoint */
	uint64_t retry_ns; /* monotonic; not before this after a failure */
	struct err failure;
	bool news;
};

struct raw_log *raw_log_new(const struct raw_log_options *o)
{
	struct raw_log *l = xcalloc(1, sizeof(*l));
	l->o = *o;
	l->number = o->number;
	return l;
}

void raw_log_free(struct raw_log *l)
{
	if (!l)
		return;
	segment_close(l->segment);
	free(l);
}

static size_t class_of(const struct record_event *r)
{
	size_t c = (size_t)r->event->class;
	return c < EVENT_CLASS_N ? c : EVENT_NONE;
}

static void drop(struct raw_log *l, size_t class, uint64_t n)
{
	l->dropped[class] += n;
	l->lost += n;
	l->any_dropped = true;
}

static void drop_pending(struct raw_log *l)
{
	for (size_t c = 0; c < EVENT_CLASS_N; c++) {
		if (l->pending[c])
			drop(l, c, l->pending[c]);
		l->pending[c] = 0;
	}
	l->pending_n = 0;
}

void raw_log_let_go(struct raw_log *l)
{
	if (!l->segment)
		return;
	segment_close(l->segment);
	l->segment = NULL;
	janitor_current(l->o.janitor, ++l->number);
}

static void fail(struct raw_log *l, const struct err *e)
{
	raw_log_let_go(l);
	drop_pending(l);
	l->failure = *e;
	l->news = true;
	l->retry_ns = clock_mono_ns() + RETRY_NS;
	/* A damaged file stays as it is and takes no more; a full disk may be helped. */
	if (e->code == ERR_FORMAT || e->code == ERR_UNSUPPORTED)
		l->number++;
	else
		janitor_reclaim(l->o.janitor);
}

static int open_number(struct raw_log *l, struct err *e)
{
	janitor_current(l->o.janitor, l->number);
	return segment_open(&l->segment, l->o.dir, l->number, l->o.boot_id, l->o.hostname, e);
}

static bool open_segment(struct raw_log *l)
{
	struct err e = { 0 };
	if (l->failure.code && clock_mono_ns() < l->retry_ns)
		return false;
	int rc = open_number(l, &e);
	/* What an earlier writer left sealed or damaged is passed by. */
	if (rc && (e.code == ERR_FORMAT || e.code == ERR_UNSUPPORTED)) {
		l->number++;
		rc = open_number(l, &e);
	}
	if (rc) {
		fail(l, &e);
		return false;
	}
	l->lost = 0;
	return true;
}

static void roll(struct raw_log *l)
{
	janitor_current(l->o.janitor, ++l->number);
	janitor_seal(l->o.janitor, l->segment, l->lost);
	l->segment = NULL;
	l->frames = 0;
}

static bool is_old(const struct raw_log *l)
{
	uint64_t now = clock_real_ns(), made = segment_created_ns(l->segment);
	return now > made && now - made >= l->o.max_age_ns;
}

void raw_log_put(struct raw_log *l, const struct record_event *r)
{
	struct err e = { 0 };
	size_t class = class_of(r);
	if (l->segment && !l->pending_n && is_old(l))
		roll(l);
	if (!l->segment && !open_segment(l)) {
		drop(l, class, 1);
		return;
	}
	l->pending[class]++;
	l->pending_n++;
	if (segment_put(l->segment, r, &e))
		fail(l, &e);
}

static void after_commit(struct raw_log *l)
{
	l->frames += 4 + l->pending_n / 2;
	memset(l->pending, 0, sizeof(l->pending));
	l->pending_n = 0;
	l->failure.code = ERR_NONE;
	if (segment_bytes(l->segment) >= l->o.max_bytes) {
		roll(l);
	} else if (l->frames >= FRAMES_BUSY) {
		janitor_checkpoint_segment(l->o.janitor, l->number);
		l->frames = 0;
	}
}

uint64_t raw_log_commit(struct raw_log *l)
{
	struct err e = { 0 };
	uint64_t n = l->pending_n;
	if (!n)
		return 0;
	if (segment_commit(l->segment, &e)) {
		segment_rollback(l->segment);
		fail(l, &e);
		return 0;
	}
	after_commit(l);
	return n;
}

bool raw_log_dropped(const struct raw_log *l, uint64_t out[EVENT_CLASS_N])
{
	memcpy(out, l->dropped, sizeof(l->dropped));
	return l->any_dropped;
}

void raw_log_forget_dropped(struct raw_log *l)
{
	memset(l->dropped, 0, sizeof(l->dropped));
	l->any_dropped = false;
}

void raw_log_note_lost(struct raw_log *l, uint64_t n)
{
	l->lost += n;
}

bool raw_log_is_dirty(const struct raw_log *l)
{
	return l->segment && l->frames >= FRAMES_IDLE;
}

void raw_log_idle(struct raw_log *l)
{
	if (!raw_log_is_dirty(l))
		return;
	janitor_checkpoint_segment(l->o.janitor, l->number);
	l->frames = 0;
}

bool raw_log_failing(const struct raw_log *l)
{
	return l->failure.code != ERR_NONE;
}

const struct err *raw_log_news(struct raw_log *l)
{
	bool news = l->news;
	l->news = false;
	return news ? &l->failure : NULL;
}
