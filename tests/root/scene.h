/*
 * A scene: the programs are loaded, an actor (a child process) does something, what the kernel
 * told of it is read and compared with what the actor saw. The test process is the reader and as such not watched.
 */
#ifndef HW_TESTS_ROOT_SCENE_H
#define HW_TESTS_ROOT_SCENE_H

#include "base/event.h"
#include "base/vec.h"
#include "collector/syscall/probe.h"

#include <stdio.h>
#include <sys/types.h>

struct scene {
	struct probe *probe;
	struct ring *rings[WIRE_RING_N];
	struct decoder *decoder;
	VEC(struct event *) events; /* in the rings' order, priority first */
	uint64_t refused;           /* records that could not be decoded */
	char dir[64];               /* an empty folder for the actors */
	void *shared; /* SCENE_SHARED bytes, seen by the actors too; zeroed for each */
};

#define SCENE_SHARED (1u << 20)

/*
 * Load with everything of interest on. Without root or BPF: says why and ends the program with 77, or 1
 * under CI=true. `accounts` are cgroups to be counted apart.
 */
struct scene *scene_open(uint32_t ring_bytes, const char *const *accounts, size_t accounts_n);
void scene_close(struct scene *s);

/* cmocka's group fixtures: *state is a scene. */
int scene_set_up(void **state);
int scene_tear_down(void **state);

/* Run fn in a child that gets s->shared, wait, read. Fails the test unless it ended well. */
pid_t scene_play(struct scene *s, void (*fn)(void *shared));

/* The same without judging; *status is of waitpid(). */
pid_t scene_try(struct scene *s, void (*fn)(void *shared), int *status);

/* Read what is in the rings now, behind what was read. */
void scene_read(struct scene *s);
void scene_forget(struct scene *s);

/* The n-th event (from 0) of a class and process, or NULL. */
const struct event *scene_find(const struct scene *s, enum event_class class, pid_t pid, size_t n);
const struct event *scene_need(const struct scene *s, enum event_class class, pid_t pid, size_t n);
size_t scene_count(const struct scene *s, enum event_class class, pid_t pid);

/* For actors: end with a message unless `ok`. */
#define ACT(ok) scene_act((ok), #ok, __LINE__)
void scene_act(bool ok, const char *what, int line);

/* Both for actors and tests. */
void scene_link(const char *path, char *out, size_t size); /* readlink, "" where it fails */
uint64_t scene_inode(const char *path);                    /* 0 where it fails */
uint64_t scene_start_ticks(pid_t pid);
uint64_t scene_ticks(uint64_t start_ns);
const char *scene_cgroup2(void); /* where the v2 hierarchy is mounted, or NULL */

#define assert_span(ev, span, z)                                                                   \
	do {                                                                                       \
		struct str span_s = event_str((ev), (ev)->span);                                   \
		if (!str_eqz(span_s, (z)))                                                         \
			fail_msg(#span ": \"%.*s\" is not \"%s\"", STR_ARG(span_s), (z));          \
	} while (0)

#endif
