/*
 * Two sets of programs attached at once, as in an upgrade, and the word that tells whose turn it is changed
 * all the time: what takes a moment there goes on here until stdin ends. Then prints one JSON object: how
 * often the word changed, and how many records of the cgroup the rings held, by class.
 *
 *   two_sets CGROUP none|a|b|both     who works: neither set, one of them, or both in turn
 */
#include "base/event.h"
#include "collector/syscall/loader.h"
#include "collector/syscall/ring.h"
#include "collector/syscall/syscalls.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

/* Not 1, which is what the programs have when nothing is set. */
#define SET_A    7u
#define SET_B    8u
#define SET_NONE 9u

struct two_sets {
	struct loader *a, *b;
	int maps[LOADER_MAP_N];
	struct wire_control *control;
	struct ring *rings[WIRE_RING_N];
	uint64_t cgroup;
	uint64_t counted[EVENT_CLASS_N]; /* records of the cgroup */
};

static void die(const char *what, const struct err *e)
{
	fprintf(stderr, "%s: %s\n", what, e ? e->msg : strerror(errno));
	exit(1);
}

static void load(struct two_sets *t)
{
	struct loader_options o = { .generation = SET_A, .ring_bytes = { 64u << 20, 4u << 20 } };
	struct err e = { 0 };

	if (loader_open(&t->a, &o, &e))
		die("load", &e);
	for (int i = 0; i < LOADER_MAP_N; i++)
		t->maps[i] = loader_map_fd(t->a, (enum loader_map)i);
	o.generation = SET_B;
	o.reuse = t->maps;
	if (loader_open(&t->b, &o, &e))
		die("load the second set", &e);
	for (int i = 0; i < WIRE_RING_N; i++) {
		int map = i == WIRE_RING_MAIN ? LOADER_MAP_RING_MAIN : LOADER_MAP_RING_PRIORITY;
		if (ring_open(&t->rings[i], t->maps[map], o.ring_bytes[i], &e))
			die("ring", &e);
	}
}

static void unload(struct two_sets *t)
{
	for (int i = 0; i < WIRE_RING_N; i++)
		ring_close(t->rings[i]);
	loader_close(t->b);
	loader_close(t->a);
	munmap(t->control, sizeof(*t->control));
}

static void want_everything(struct two_sets *t)
{
	static const char *const types[] = { "open", "openat", "connect", "accept4", "bind",
		"listen", "socket" };
	struct wire_control *c = t->control;

	for (size_t i = 0; i < ARRAY_N(types); i++) {
		const struct syscall_row *row = syscalls_find(types[i]);
		c->interest[row->nr] = WIRE_INTEREST((uint32_t)row->class, 0);
	}
	c->fork_on = c->exec_on = c->exit_on = c->cgroup_on = c->awake = 1;
}

static void attach(struct two_sets *t)
{
	struct err e = { 0 };

	if (loader_attach(t->a, &e) || loader_attach(t->b, &e))
		die("attach", &e);
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

static void count(struct two_sets *t, struct str rec)
{
	struct wire_hdr h;

	if (rec.n < sizeof(h))
		return;
	memcpy(&h, rec.p, sizeof(h));
	if (h.cgroup_id == t->cgroup && h.class < EVENT_CLASS_N)
		t->counted[h.class]++;
}

/* Read what is there; in the end also what is still being written. */
static void drain(struct two_sets *t, bool all)
{
	enum ring_result rc;
	struct str rec;

	for (int i = 0; i < WIRE_RING_N; i++) {
		while ((rc = ring_next(t->rings[i], &rec)) == RING_RECORD ||
			(all && rc == RING_BUSY)) {
			if (rc == RING_RECORD)
				count(t, rec);
		}
		ring_release(t->rings[i], ring_position(t->rings[i]));
	}
}

static bool stdin_ended(void)
{
	struct pollfd p = { .fd = 0, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

static unsigned long work(struct two_sets *t, uint32_t first, uint32_t second)
{
	struct timespec pause = { 0, 20000 };
	unsigned long changes = 0;

	for (; !stdin_ended(); changes++) {
		__atomic_store_n(
			&t->control->generation, changes & 1 ? second : first, __ATOMIC_SEQ_CST);
		nanosleep(&pause, NULL);
		drain(t, false);
	}
	drain(t, true);
	return changes;
}

static void print_counts(const struct two_sets *t, unsigned long changes)
{
	printf("{\"changes\":%lu", changes);
	for (int i = EVENT_EXEC; i <= EVENT_CGROUP; i++)
		printf(",\"%s\":%llu", event_class_name((enum event_class)i),
			(unsigned long long)t->counted[i]);
	printf("}\n");
}

int main(int argc, char **argv)
{
	struct two_sets t = { 0 };
	struct stat st;

	if (argc < 3 || stat(argv[1], &st)) {
		fprintf(stderr, "usage: two_sets CGROUP none|a|b|both\n");
		return 2;
	}
	t.cgroup = st.st_ino;
	load(&t);
	t.control = mmap(NULL, sizeof(*t.control), PROT_READ | PROT_WRITE, MAP_SHARED,
		t.maps[LOADER_MAP_CONTROL], 0);
	if (t.control == MAP_FAILED)
		die("control page", NULL);
	want_everything(&t);
	t.control->leader = SET_A;
	attach(&t);
	uint32_t first = strcmp(argv[2], "none") == 0 ? SET_NONE
			 : strcmp(argv[2], "b") == 0  ? SET_B
						      : SET_A;
	t.control->generation = first;
	printf("start\n");
	fflush(stdout);
	unsigned long changes = work(&t, first, strcmp(argv[2], "both") == 0 ? SET_B : first);
	print_counts(&t, changes);
	unload(&t);
	return 0;
}
