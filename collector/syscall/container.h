/*
 * Which container an event belongs to. Cgroups are told by their id, names of cgroups are a
 * claim, namespaces confirm it: a process in the host's mount namespace is the host's, whatever its
 * cgroup is called. Belongs to the capture thread.
 */
#ifndef HW_SYSCALL_CONTAINER_H
#define HW_SYSCALL_CONTAINER_H

#include "base/container.h"
#include "base/process.h"

struct container_table;

/*
 * `ask` is called for each new container, to have its metadata looked up: once, or when it returns false
 * (it cannot now), again with the container's next process.
 */
struct container_table *container_table_new(
	bool (*ask)(void *ctx, const struct container *c), void *ctx);
void container_table_free(struct container_table *t);
DEFINE_AUTO(struct container_table, container_table_free)

/*
 * Namespaces that are the host's: those of its first process, and the kernel's own (its threads), which differ
 * where the first process has made itself a mount namespace. Each call adds one pair, two at most.
 */
void container_table_add_host(struct container_table *t, uint32_t ns_mnt, uint32_t ns_pid);

/* A cgroup of the v2 hierarchy and its path; known ones are left as they are. */
void container_table_learn(struct container_table *t, uint64_t cgroup_id, struct str path);

/* It was removed; forgotten when the main ring has passed `pos`. */
void container_table_forget(struct container_table *t, uint64_t cgroup_id, uint64_t pos);
void container_table_passed(struct container_table *t, uint64_t pos);

/* For a process at exec, fork or seed: by the path of its cgroup and its namespaces. NULL: host. */
const struct container *container_table_of_process(
	struct container_table *t, const struct process *p);

/* For an event: by its cgroup's id and mount namespace, else what its process was found to be. NULL: host. */
const struct container *container_table_of_event(
	struct container_table *t, const struct event *ev, const struct process *p);

/*
 * Metadata has come (owned by the table from now on). Returns the container that it replaces, to be freed by
 * the caller after nothing points to it any more; NULL when it is of no interest (then `c` is freed).
 */
struct container *container_table_resolved(struct container_table *t, struct container *c);

/* The current object of a container id, or NULL. */
const struct container *container_table_find(struct container_table *t, struct str id);

/* Forget containers whose cgroups are gone and that `used` says no process needs. */
void container_table_collect(
	struct container_table *t, bool (*used)(void *ctx, const struct container *c), void *ctx);

uint64_t container_table_count(const struct container_table *t);

/* How often a cgroup or a container found no room: what happened in it counts as the host's. */
uint64_t container_table_refused(const struct container_table *t);

/*
 * Walk the v2 hierarchy mounted at `root` and learn every cgroup in it (bounded). Not for anything else:
 * ids of other hierarchies mean other cgroups.
 */
void container_table_scan(struct container_table *t, const char *root);

#endif
