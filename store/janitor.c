#include "store/janitor.h"

#include "base/log.h"
#include "store/schema.h"
#include "store/segment.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#define SEALS_MAX 8
#define NO_NUMBER UINT64_MAX

enum { WORK_DB = 1 << 0, WORK_SEGMENT = 1 << 1, WORK_SWEEP = 1 << 2, WORK_RECLAIM = 1 << 3 };

struct seal {
	struct segment *segment;
	uint64_t lost;
};

struct janitor {
	char *db_path, *events_dir;
	uint64_t keep_bytes;
	pthread_t thread;

	pthread_mutex_t lock; /* for what follows, up to the blank line; never held across I/O */
	pthread_cond_t wake;
	unsigned int work; /* WORK_* */
	bool stop;
	uint64_t checkpoint_number, current;
	struct seal seals[SEALS_MAX];
	size_t seals_n;
	struct janitor_stats stats;

	/* The thread's own. */
	struct sql *db, *segment_db;
	uint64_t segment_number;
	struct log_limit limit;
};

static void complain(struct janitor *j, const char *what, const struct err *e)
{
	if (log_limit_pass(&j->limit))
		log_warn("store", "%s: %s", what, e->msg);
}

/* Returns the frames in the log, 0 when unknown. */
static uint64_t checkpoint(struct janitor *j, struct sql *db)
{
	struct err e = { 0 };
	AUTO(sql_finalize) struct sql_stmt *s = NULL;
	uint64_t frames = 0;
	int rc = sql_prepare(&s, db, "PRAGMA wal_checkpoint(PASSIVE)", &e);
	if (!rc)
		rc = sql_step(s, &e);
	if (rc == 1 && sql_i64(s, 1) > 0)
		frames = (uint64_t)sql_i64(s, 1);
	if (rc < 0 && e.code != ERR_BUSY)
		complain(j, "checkpoint", &e);
	return frames;
}

/* The file is known to be good, the writer has it open: no schema check. */
static struct sql *connect(struct janitor *j, const char *path)
{
	struct err e = { 0 };
	struct sql *db = NULL;
	if (sql_open(&db, path, SQL_WRITE, 100, &e) ||
		sql_exec(db, "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;", &e)) {
		complain(j, "checkpoint", &e);
		sql_close(db);
		return NULL;
	}
	return db;
}

static void do_db(struct janitor *j)
{
	if (!j->db)
		j->db = connect(j, j->db_path);
	if (!j->db)
		return;
	uint64_t frames = checkpoint(j, j->db);
	pthread_mutex_lock(&j->lock);
	j->stats.wal_frames = frames;
	pthread_mutex_unlock(&j->lock);
}

static void drop_segment_connection(struct janitor *j)
{
	sql_close(j->segment_db);
	j->segment_db = NULL;
	j->segment_number = NO_NUMBER;
}

static void do_segment(struct janitor *j, uint64_t number)
{
	char path[PATH_MAX];
	if (j->segment_number != number) {
		drop_segment_connection(j);
		if (segment_path(path, j->events_dir, number, NULL))
			return;
		j->segment_db = connect(j, path);
		j->segment_number = number;
	}
	if (j->segment_db)
		checkpoint(j, j->segment_db);
}

static void do_seal(struct janitor *j, struct seal *s)
{
	struct err e = { 0 };
	uint64_t number = segment_number(s->segment);
	/* A second connection would keep the log from being folded in. */
	if (j->segment_number == number)
		drop_segment_connection(j);
	if (segment_seal(s->segment, s->lost, &e))
		complain(j, "sealing an event segment", &e);
}

static bool remove_segment(struct janitor *j, uint64_t number)
{
	struct err e = { 0 };
	char path[PATH_MAX];
	if (j->segment_number == number)
		drop_segment_connection(j);
	if (segment_path(path, j->events_dir, number, &e) || schema_unlink(path, &e)) {
		complain(j, "removing an old event segment", &e);
		return false;
	}
	return true;
}

static uint64_t sum_bytes(const struct segment_list *l)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < l->file.n; i++)
		sum += l->file.p[i].bytes;
	return sum;
}

/* Remove the oldest until the rest fits; with `reclaim` at least one, if there is a finished one. */
static void do_sweep(struct janitor *j, uint64_t current, bool reclaim)
{
	struct err e = { 0 };
	AUTO(segment_list_fini) struct segment_list l = { 0 };
	if (segment_list_read(&l, j->events_dir, &e)) {
		complain(j, "retention", &e);
		return;
	}
	uint64_t bytes = sum_bytes(&l), removed = 0;
	for (size_t i = 0; i < l.file.n && (bytes > j->keep_bytes || reclaim); i++) {
		const struct segment_file *f = &l.file.p[i];
		if (f->number >= current || !remove_segment(j, f->number))
			break;
		bytes -= f->bytes;
		removed++;
		reclaim = false;
	}
	pthread_mutex_lock(&j->lock);
	j->stats.segments = l.file.n - removed;
	j->stats.segment_bytes = bytes;
	j->stats.removed += removed;
	pthread_mutex_unlock(&j->lock);
}

/* What there is to do, taken at once. */
struct task {
	unsigned int work;
	uint64_t checkpoint_number, current;
	struct seal seals[SEALS_MAX];
	size_t seals_n;
	bool stop;
};

static void wait_for_task(struct janitor *j, struct task *t)
{
	pthread_mutex_lock(&j->lock);
	while (!j->work && !j->seals_n && !j->stop)
		pthread_cond_wait(&j->wake, &j->lock);
	t->work = j->work;
	t->stop = j->stop;
	t->checkpoint_number = j->checkpoint_number;
	t->current = j->current;
	t->seals_n = j->seals_n;
	memcpy(t->seals, j->seals, sizeof(t->seals));
	j->work = 0;
	j->seals_n = 0;
	pthread_mutex_unlock(&j->lock);
}

static void do_task(struct janitor *j, struct task *t)
{
	for (size_t i = 0; i < t->seals_n; i++)
		do_seal(j, &t->seals[i]);
	if (t->work & (WORK_SWEEP | WORK_RECLAIM) || t->seals_n)
		do_sweep(j, t->current, t->work & WORK_RECLAIM);
	if (t->work & WORK_DB)
		do_db(j);
	if (t->work & WORK_SEGMENT && t->checkpoint_number == t->current)
		do_segment(j, t->checkpoint_number);
}

static void *janitor_main(void *arg)
{
	struct janitor *j = arg;
	struct task t;
	pthread_setname_np(pthread_self(), "hw-janitor");
	do {
		wait_for_task(j, &t);
		do_task(j, &t);
	} while (!t.stop);
	drop_segment_connection(j);
	sql_close(j->db);
	j->db = NULL;
	return NULL;
}

static void janitor_free(struct janitor *j)
{
	pthread_mutex_destroy(&j->lock);
	pthread_cond_destroy(&j->wake);
	free(j->db_path);
	free(j->events_dir);
	free(j);
}

int janitor_open(struct janitor **out, const struct janitor_options *o, struct err *e)
{
	struct janitor *j = xcalloc(1, sizeof(*j));
	sigset_t all, before;
	j->db_path = xstrndup(o->db_path, strlen(o->db_path));
	j->events_dir = xstrndup(o->events_dir, strlen(o->events_dir));
	j->keep_bytes = o->keep_bytes;
	j->segment_number = NO_NUMBER;
	j->current = o->current;
	j->work = WORK_SWEEP;
	pthread_mutex_init(&j->lock, NULL);
	pthread_cond_init(&j->wake, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&j->thread, NULL, janitor_main, j);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc) {
		janitor_free(j);
		return err_set(
			e, ERR_LIMIT, "cannot start the store's second thread: %s", strerror(rc));
	}
	*out = j;
	return 0;
}

static void ask(struct janitor *j, unsigned int work)
{
	pthread_mutex_lock(&j->lock);
	j->work |= work;
	pthread_cond_signal(&j->wake);
	pthread_mutex_unlock(&j->lock);
}

void janitor_checkpoint_db(struct janitor *j)
{
	ask(j, WORK_DB);
}

void janitor_checkpoint_segment(struct janitor *j, uint64_t number)
{
	pthread_mutex_lock(&j->lock);
	j->checkpoint_number = number;
	pthread_mutex_unlock(&j->lock);
	ask(j, WORK_SEGMENT | WORK_SWEEP);
}

void janitor_seal(struct janitor *j, struct segment *s, uint64_t lost)
{
	pthread_mutex_lock(&j->lock);
	bool room = j->seals_n < SEALS_MAX;
	if (room)
		j->seals[j->seals_n++] = (struct seal){ s, lost };
	pthread_cond_signal(&j->wake);
	pthread_mutex_unlock(&j->lock);
	/* The disk is far behind: leave the file unsealed, readers take it as it is. */
	if (!room)
		segment_close(s);
}

void janitor_current(struct janitor *j, uint64_t number)
{
	pthread_mutex_lock(&j->lock);
	j->current = number;
	pthread_mutex_unlock(&j->lock);
}

void janitor_reclaim(struct janitor *j)
{
	ask(j, WORK_RECLAIM);
}

void janitor_read_stats(struct janitor *j, struct janitor_stats *out)
{
	pthread_mutex_lock(&j->lock);
	*out = j->stats;
	pthread_mutex_unlock(&j->lock);
}

void janitor_stop(struct janitor *j)
{
	if (!j)
		return;
	pthread_mutex_lock(&j->lock);
	j->stop = true;
	pthread_cond_signal(&j->wake);
	pthread_mutex_unlock(&j->lock);
	pthread_join(j->thread, NULL);
	janitor_free(j);
}
