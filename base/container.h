/* What is known of one container. Immutable once published; a change makes a new one. */
#ifndef HW_BASE_CONTAINER_H
#define HW_BASE_CONTAINER_H

#include "base/scope.h"
#include "base/str.h"

#define CONTAINER_ID_LEN    64
#define CONTAINER_SHORT_LEN 12 /* what container.id shows */

enum container_runtime {
	RUNTIME_UNKNOWN = 0,
	RUNTIME_PODMAN,
	RUNTIME_DOCKER,
	RUNTIME_CONTAINERD,
	RUNTIME_CRIO,
	RUNTIME_LXC,
};

/* "podman", "docker", "containerd", "cri-o", "lxc", "unknown". */
const char *container_runtime_name(enum container_runtime r);

/* How far the metadata (everything but id and runtime) has come. */
enum container_state {
	CONTAINER_PENDING, /* asked for; rules that need it wait */
	CONTAINER_KNOWN,
	CONTAINER_UNKNOWN, /* looked for, not found: fields are missing, nothing waits */
};

struct container_mount {
	struct str source, dest, mode, options; /* mode: "ro" or "rw" */
	bool rw;
};

struct container_label {
	struct str key, value;
};

/*
 * One allocation (container_clone gives another). Strings are never NULL-pointered when
 * KNOWN, but may be empty.
 */
struct container {
	char id[CONTAINER_ID_LEN + 1]; /* LXC: its name */
	enum container_runtime runtime;
	enum container_state state;
	struct str name;
	struct str image;           /* as given: "docker.io/library/nginx:1.25" */
	struct str image_repo;      /* "docker.io/library/nginx" */
	struct str image_tag;       /* "1.25" */
	struct str image_digest;    /* "sha256:..." of the manifest, if known */
	struct str image_id;        /* config digest, 64 hex */
	struct str user;            /* OCI process.user as "uid:gid" */
	struct str k8s_pod, k8s_ns; /* from labels or annotations */
	bool privileged, host_pid, host_network, host_ipc;
	uint64_t created_ns; /* UTC; 0 unknown */
	uint32_t init_pid;   /* 0 unknown */
	const struct container_mount *mounts;
	uint32_t mounts_n;
	uint32_t labels_n;
	const struct container_label *labels;
};

/* Deep copy in one allocation; container_free() it. NULL gives NULL. */
struct container *container_clone(const struct container *c);
void container_free(struct container *c);
DEFINE_AUTO(struct container, container_free)

/* A container of which only id and runtime are known. */
struct container *container_new_bare(
	struct str id, enum container_runtime r, enum container_state s);

#endif
