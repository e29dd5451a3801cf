/* A state directory in /tmp, records to put into it, and a way to wait for commits. */
#ifndef HW_TESTS_UNIT_STORE_FIXTURE_H
#define HW_TESTS_UNIT_STORE_FIXTURE_H

#include "store/writer.h"
#include "tests/unit/tree.h"

#include <pthread.h>

#define FIXTURE_BOOT "0b6f3a52-1111-4222-8333-444455556666"
#define FIXTURE_NOW  1700000000000000000ull

struct store_fixture {
	struct tree *tree;
	char dir[80], db[96], events[96];
	struct store_options o;
	struct store_writer *w; /* NULL while closed */

	pthread_mutex_t lock; /* for what on_commit wrote */
	pthread_cond_t changed;
	uint64_t commits, marks;
	struct record_mark mark;
	int64_t last_n;
};

/* cmocka's setup and teardown; *state is the fixture. */
int store_fixture_setup(void **state);
int store_fixture_teardown(void **state);

void store_fixture_open(struct store_fixture *f);  /* the test fails when it cannot */
void store_fixture_close(struct store_fixture *f); /* stops cleanly */

/* Wait until a mark with this position, or one beyond it, was reported. False after ten seconds. */
bool store_fixture_wait_mark(struct store_fixture *f, uint64_t pos);

/* Records; all of them with the boot's clock starting at FIXTURE_NOW. */
struct event *fixture_event(uint64_t seq, uint64_t ns_after, const char *path);
struct alert *fixture_alert(uint64_t seq, uint64_t ns_after, const char *rule);
struct lineage *fixture_lineage(size_t n); /* tgid 100, its parent 101, ... */
struct container *fixture_container(const char *id, const char *name);

/* Into the writer's sink; the test fails when it is refused. */
void put_alert(struct store_fixture *f, struct alert *a);
void put_event(
	struct store_fixture *f, struct event *ev, enum event_why why, const char *container);
void put_mark(struct store_fixture *f, uint64_t pos);

/* One number from a query on a database, by a connection of its own. */
int64_t number_from(const char *path, const char *query);

#endif
