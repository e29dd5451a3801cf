/*
 * What container runtimes keep on disk about their containers, read without asking a daemon:
 * podman and CRI-O (containers-storage), Docker, containerd. One thread may use a handle.
 */
#ifndef HW_COLLECTOR_RUNTIME_RUNTIME_H
#define HW_COLLECTOR_RUNTIME_RUNTIME_H

#include "base/container.h"
#include "base/err.h"

/* A pair of directories as in podman --root and --runroot. */
struct runtime_store {
	const char *graph, *run;
};

/* Zero is the default: the host's usual places. All strings are copied. */
struct runtime_options {
	const char *root; /* everything is looked for below it; NULL or "": "/" */
	/*
	 * Stores besides the one of /etc/containers/storage.conf (or, without it,
	 * /var/lib/containers/storage with /run/containers/storage).
	 */
	const struct runtime_store *stores;
	size_t stores_n;
	/* NULL: "data-root" of /etc/docker/daemon.json, or /var/lib/docker. */
	const char *docker_root;
	/* Further state directories of containerd, besides /run/containerd and k3s's. */
	const char *const *containerd_states;
	size_t containerd_states_n;
};

#define RUNTIME_MAX_STORES 64

/* Bounds of what is read; past them a look-up fails with ERR_LIMIT. */
#define RUNTIME_MAX_INDEX_BYTES (32 << 20) /* containers.json, images.json, repositories.json */
#define RUNTIME_MAX_SPEC_BYTES  (8 << 20)  /* what describes one container */

struct runtime;

/* Returns 0 and *out, to be closed with runtime_close(); -1 and *e: ERR_LIMIT (too many stores). */
int runtime_open(struct runtime **out, const struct runtime_options *o, struct err *e);
void runtime_close(struct runtime *r);
DEFINE_AUTO(struct runtime, runtime_close)

/*
 * Look for container `id` (64 hex digits, or a name as ctr takes it), in the runtime that `hint`
 * says first. Returns 1 and *out (KNOWN, container_free() it); 0 when no runtime knows it; -1 and *e
 * when one knows it but not all could be read: it may be in the making, so asking again
 * shortly is worth it. init_pid is 0 as long as the runtime has not written it.
 * labels are empty for podman, which keeps them in its database.
 */
int runtime_lookup(struct runtime *r, const char *id, enum container_runtime hint,
	struct container **out, struct err *e);

struct runtime_counts {
	uint64_t lookups, found, unknown, failed;
	uint64_t index_parsed; /* how often an index was read because it had changed */
};
struct runtime_counts runtime_counts(const struct runtime *r);

#endif
