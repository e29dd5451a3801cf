/* A reader of one kind of on-disk state. Internal to collector/runtime. */
#ifndef HW_COLLECTOR_RUNTIME_OPS_H
#define HW_COLLECTOR_RUNTIME_OPS_H

#include "collector/runtime/runtime.h"

struct runtime_ops {
	const char *name;
	uint32_t runtimes; /* whose containers it may know: 1 << enum container_runtime */
	/* root is "/" at least and outlives the reader. Returns 0 and *self; -1 and *e. */
	int (*open)(void **self, const char *root, const struct runtime_options *o, struct err *e);
	/* As runtime_lookup(); id is safe as one component of a path. */
	int (*lookup)(void *self, struct str id, struct container **out, struct err *e);
	uint64_t (*parsed_n)(const void *self); /* how often an index was parsed */
	void (*close)(void *self);              /* NULL is fine */
};

extern const struct runtime_ops runtime_storage_ops, runtime_docker_ops, runtime_containerd_ops;

/* The path "a/b/c" of a few parts; ends at a NULL. An overlong one is cut, and then not found. */
#define RUNTIME_MAX_PATH 4096
struct runtime_path {
	char z[RUNTIME_MAX_PATH];
};
void runtime_path_join(struct runtime_path *p, const char *first, ...) __attribute__((sentinel));

#endif
