#include "store/batch.h"

#include "base/clock.h"

#include <assert.h>

static int ensure_open(struct batch *b, struct err *e)
{
	if (b->open)
		return 0;
	if (main_db_begin(b->db, e))
		return -1;
	b->open = true;
	return 0;
}

static int store_alert(struct batch *b, const struct alert *a, struct err *e)
{
	bool repeated = false;
	if (main_db_alert(b->db, a, &repeated, e))
		return -1;
	b->alerts += !repeated;
	b->repeated += repeated;
	return 0;
}

static bool is_raw(const struct record *r)
{
	return r->type == RECORD_EVENT && r->event.why != EVENT_WHY_ALERT;
}

/* A raw exit also completes the row of its process, if there is one. */
static bool needs_main(const struct record *r)
{
	return r->type != RECORD_MARK && (!is_raw(r) || r->event.event->class == EVENT_EXIT);
}

static int store_record(struct batch *b, const struct record *r, struct err *e)
{
	if (ensure_open(b, e))
		return -1;
	switch (r->type) {
	case RECORD_ALERT:
		return store_alert(b, r->alert, e);
	case RECORD_EVENT:
		return is_raw(r) ? main_db_exit(b->db, r->event.event, e)
				 : main_db_event(b->db, &r->event, e);
	case RECORD_CONTAINER:
		return main_db_container(b->db, r->container, e);
	case RECORD_LOSS:
		return main_db_loss(b->db, &r->loss, e);
	case RECORD_STATE:
		return main_db_state(b->db, &r->state, e);
	case RECORD_MARK:
		break;
	}
	return 0;
}

void batch_add(struct batch *b, struct record *r)
{
	assert(b->n < BATCH_MAX);
	b->record[b->n++] = r;
	if (is_raw(r))
		raw_log_put(b->raw, &r->event);
	if (r->type == RECORD_LOSS)
		raw_log_note_lost(b->raw, r->loss.count);
	if (!b->failed && needs_main(r) && store_record(b, r, &b->e))
		b->failed = true;
}

uint64_t batch_commit_raw(struct batch *b)
{
	return raw_log_commit(b->raw);
}

/* How many raw events the disk refused goes with whatever is committed next. */
static int store_dropped(struct batch *b, struct err *e)
{
	uint64_t dropped[EVENT_CLASS_N];
	if (!raw_log_dropped(b->raw, dropped))
		return 0;
	if (ensure_open(b, e))
		return -1;
	for (size_t c = 0; c < EVENT_CLASS_N; c++) {
		const struct record_loss l = {
			.ts_ns = clock_real_ns(),
			.where = LOSS_STORE,
			.class = (enum event_class)c,
			.cpu = UINT32_MAX,
			.count = dropped[c],
		};
		if (l.count && main_db_loss(b->db, &l, e))
			return -1;
	}
	return 0;
}

const struct record_mark *batch_last_mark(const struct batch *b)
{
	for (size_t i = b->n; i-- > 0;) {
		if (b->record[i]->type == RECORD_MARK)
			return &b->record[i]->mark;
	}
	return NULL;
}

int batch_commit_main(struct batch *b)
{
	if (b->failed)
		return -1;
	const struct record_mark *mark = batch_last_mark(b);
	if (store_dropped(b, &b->e))
		return -1;
	if (mark && mark->ring_id) {
		b->unsaved = *mark;
		b->has_unsaved = true;
	}
	if (!b->open)
		return 0;
	if (b->has_unsaved && main_db_mark(b->db, &b->unsaved, &b->e))
		return -1;
	if (main_db_commit(b->db, &b->e))
		return -1;
	b->open = b->has_unsaved = false;
	return 1;
}

int batch_save_mark(struct batch *b, struct err *e)
{
	if (!b->has_unsaved)
		return 0;
	if (ensure_open(b, e) || main_db_mark(b->db, &b->unsaved, e) || main_db_commit(b->db, e)) {
		batch_rollback(b);
		return -1;
	}
	b->open = b->has_unsaved = false;
	return 0;
}

void batch_shed_raw(struct batch *b)
{
	size_t kept = 0;
	for (size_t i = 0; i < b->n; i++) {
		if (is_raw(b->record[i]))
			record_free(b->record[i]);
		else
			b->record[kept++] = b->record[i];
	}
	b->n = kept;
}

void batch_rollback(struct batch *b)
{
	main_db_rollback(b->db);
	b->open = b->failed = false;
	b->alerts = b->repeated = 0;
}

void batch_redo(struct batch *b)
{
	batch_rollback(b);
	for (size_t i = 0; i < b->n && !b->failed; i++) {
		if (needs_main(b->record[i]) && store_record(b, b->record[i], &b->e))
			b->failed = true;
	}
}

void batch_clear(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		record_free(b->record[i]);
	b->n = 0;
	b->alerts = b->repeated = 0;
}
