#include "tests/unit/store_fixture.h"

#include "base/sql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static void on_commit(void *ctx, const struct record_mark *mark, int64_t last_n)
{
	struct store_fixture *f = ctx;
	pthread_mutex_lock(&f->lock);
	f->commits++;
	f->last_n = last_n;
	if (mark) {
		f->marks++;
		f->mark = *mark;
	}
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

int store_fixture_setup(void **state)
{
	struct store_fixture *f = xcalloc(1, sizeof(*f));
	f->tree = tree_new();
	snprintf(f->dir, sizeof(f->dir), "%s/s", f->tree->root);
	snprintf(f->db, sizeof(f->db), "%s/hullwatch.db", f->dir);
	snprintf(f->events, sizeof(f->events), "%s/events", f->dir);
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
	f->o = (struct store_options){
		.dir = f->dir,
		.boot_id = FIXTURE_BOOT,
		.hostname = "node",
		.on_commit = on_commit,
		.ctx = f,
	};
	*state = f;
	return 0;
}

int store_fixture_teardown(void **state)
{
	struct store_fixture *f = *state;
	store_writer_stop(f->w, NULL, NULL);
	tree_free(f->tree);
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->changed);
	free(f);
	return 0;
}

void store_fixture_open(struct store_fixture *f)
{
	struct err e = { 0 };
	if (store_writer_open(&f->w, &f->o, &e))
		fail_msg("%s", e.msg);
}

void store_fixture_close(struct store_fixture *f)
{
	struct err e = { 0 };
	if (store_writer_stop(TAKE(f->w), NULL, &e))
		fail_msg("%s", e.msg);
}

bool store_fixture_wait_mark(struct store_fixture *f, uint64_t pos)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	int rc = 0;
	pthread_mutex_lock(&f->lock);
	while (f->mark.pos[0] < pos && !rc)
		rc = pthread_cond_timedwait(&f->changed, &f->lock, &until);
	bool there = f->mark.pos[0] >= pos;
	pthread_mutex_unlock(&f->lock);
	return there;
}

struct event *fixture_event(uint64_t seq, uint64_t ns_after, const char *path)
{
	const struct event ev = {
		.class = EVENT_OPEN,
		.seq = seq,
		.boot_ns = 5000000000ull + ns_after,
		.ts_ns = FIXTURE_NOW + ns_after,
		.key = { 100, 1000 },
		.exec_id = 1,
		.tid = 100,
		.uid = 1000,
		.nr = 257,
		.ret = 3,
		.comm = "cat",
		.open.path = { 0, (uint32_t)strlen(path) },
		.data = path,
		.data_len = (uint32_t)strlen(path),
	};
	return event_clone(&ev);
}

struct alert *fixture_alert(uint64_t seq, uint64_t ns_after, const char *rule)
{
	struct alert *a = alert_new();
	a->event = fixture_event(seq, ns_after, "/etc/shadow");
	event_make_id(a->event, STR(FIXTURE_BOOT), str_from(rule), a->id);
	a->ts_ns = a->event->ts_ns;
	a->priority = PRIORITY_WARNING;
	a->source = xstrndup("syscall", 7);
	a->rule = xstrndup(rule, strlen(rule));
	a->output = xstrndup("read /etc/shadow", 16);
	a->fields_json = xstrndup("{\"fd.name\":\"/etc/shadow\"}", 25);
	a->tags_json = xstrndup("[\"t\"]", 5);
	a->lineage = fixture_lineage(5);
	return a;
}

struct lineage *fixture_lineage(size_t n)
{
	struct process chain[PROCESS_MAX_LINEAGE] = { 0 };
	static const char args[] = "cat\0/etc/shadow";
	for (size_t i = 0; i < n; i++) {
		struct process *p = &chain[i];
		p->key = (struct process_key){ 100 + (uint32_t)i, 1000 - i };
		p->exec_id = 1;
		p->exec_ns = 4000000000ull - i;
		p->parent_key = (struct process_key){ 101 + (uint32_t)i, 999 - i };
		p->parent_exec_id = 1;
		p->parent = i + 1 < n ? &chain[i + 1] : NULL;
		p->loginuid = p->sessionid = UINT32_MAX;
		snprintf(p->comm, sizeof(p->comm), "cat");
		p->exe = STR("/usr/bin/cat");
		p->args = str_of(args, sizeof(args));
		p->cwd = STR("/");
		p->cgroup = STR("/user.slice");
	}
	chain[n - 1].parent_key = (struct process_key){ 0 };
	return lineage_copy(&chain[0]);
}

struct container *fixture_container(const char *id, const char *name)
{
	struct container *c = container_new_bare(str_from(id), RUNTIME_PODMAN, CONTAINER_KNOWN);
	c->name = str_from(name);
	c->image = STR("docker.io/library/alpine:3.19");
	struct container *copy = container_clone(c);
	container_free(c);
	return copy;
}

static void put(struct store_fixture *f, struct record *r)
{
	if (sink_put(store_writer_sink(f->w), r) == SINK_OK)
		return;
	record_free(r);
	fail_msg("the sink refused a record");
}

void put_alert(struct store_fixture *f, struct alert *a)
{
	struct record *r = record_new(RECORD_ALERT);
	r->alert = a;
	put(f, r);
}

void put_event(struct store_fixture *f, struct event *ev, enum event_why why, const char *container)
{
	struct record *r = record_new(RECORD_EVENT);
	r->event.event = ev;
	r->event.why = why;
	snprintf(r->event.container_id, sizeof(r->event.container_id), "%s", container);
	put(f, r);
}

void put_mark(struct store_fixture *f, uint64_t pos)
{
	struct record *r = record_new(RECORD_MARK);
	r->mark = (struct record_mark){ .ring_id = 7, .pos = { pos, pos / 2 } };
	put(f, r);
}

int64_t number_from(const char *path, const char *query)
{
	AUTO(sql_close) struct sql *db = NULL;
	struct err e = { 0 };
	int64_t v = -1;
	if (sql_open(&db, path, SQL_READ, 1000, &e) || sql_get_i64(db, query, &v, &e))
		print_error("%s\n", e.msg);
	return v;
}
