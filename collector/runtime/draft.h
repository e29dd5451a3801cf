/* A container being put together from several files. Internal to collector/runtime. */
#ifndef HW_COLLECTOR_RUNTIME_DRAFT_H
#define HW_COLLECTOR_RUNTIME_DRAFT_H

#include "base/arena.h"
#include "base/container.h"
#include "base/err.h"
#include "base/json.h"

#define DRAFT_MAX_BYTES (32 << 20)

/* Everything that c points to lies in the arena. */
struct draft {
	struct container c;
	struct arena *arena;
	bool full; /* something did not fit: draft_finish() fails */
};

/* id is at most CONTAINER_ID_LEN long. */
void draft_init(struct draft *d, struct str id, enum container_runtime r);
void draft_fini(struct draft *d);
DEFINE_AUTO_VALUE(struct draft, draft_fini)

struct str draft_copy(struct draft *d, struct str s);

/* n zeroed items, or NULL and `full`. */
struct container_mount *draft_mounts(struct draft *d, size_t n);

/* Set image and its parts. A digest in the reference is kept, an image id has no parts. */
void draft_set_image(struct draft *d, struct str reference);

/* RFC 3339; anything else leaves it unknown. */
void draft_set_created(struct draft *d, struct str text);

/* Take the string members of an object as labels; NULL or another type is none. */
void draft_set_labels(struct draft *d, const struct json_node *obj);

/* Names that Kubernetes' runtimes leave in labels and annotations. */
void draft_read_names(struct draft *d, const struct json_node *obj);

/* The pid in a small file, taken when it is there and a number. */
void draft_read_pid(struct draft *d, const char *root, const char *path);

/* Returns 1 and the container, KNOWN; -1 and ERR_LIMIT. */
int draft_finish(const struct draft *d, struct container **out, struct err *e);

#endif
