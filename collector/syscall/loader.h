/*
 * The compiled object: opened, cut down to what this kernel takes, loaded, attached, pinned. The only
 * user of the generated skeleton.
 */
#ifndef HW_SYSCALL_LOADER_H
#define HW_SYSCALL_LOADER_H

#include "base/err.h"
#include "base/scope.h"
#include "bpf/wire.h"

#include <stdbool.h>

/* The maps that sets of programs share. Each set has a table of programs and scratches of its own. */
enum loader_map {
	LOADER_MAP_CONTROL, /* first: whether it is there tells whether anything is */
	LOADER_MAP_RING_MAIN,
	LOADER_MAP_RING_PRIORITY,
	LOADER_MAP_COUNTERS,
	LOADER_MAP_REPORTED,
	LOADER_MAP_ACCOUNTS,
	LOADER_MAP_SEQUENCES,
	LOADER_MAP_ENDED,
	LOADER_MAP_TURNS,
	LOADER_MAP_N
};

const char *loader_map_name(enum loader_map m);

struct loader;

struct loader_options {
	uint32_t generation; /* number of this set of programs; not 0 */
	uint32_t ring_bytes[WIRE_RING_N];
	const int *reuse; /* maps of the set before, by enum loader_map; NULL: new ones */
};

/*
 * Load. Families that this kernel refuses are left out, unless vital: ERR_UNSUPPORTED with the
 * verifier's last word.
 */
int loader_open(struct loader **out, const struct loader_options *o, struct err *e);
int loader_attach(struct loader *l, struct err *e);
void loader_detach(struct loader *l);
void loader_close(struct loader *l); /* pinned ones live on */
DEFINE_AUTO(struct loader, loader_close)

/* Pin links, programs and what else is this set's own into `folder`, which must not be there yet. */
int loader_pin_set(struct loader *l, const char *folder, struct err *e);

/* Pin the maps into `dir`, the control page last. Those that are there already are taken to be the same. */
int loader_pin_maps(struct loader *l, const char *dir, struct err *e);

int loader_map_fd(struct loader *l, enum loader_map m); /* a duplicate, the caller's; -1 */
int loader_seed_fd(struct loader *l);                   /* the loader's */
uint64_t loader_object_hash(void);

#define LOADER_MAX_SOURCES 16
struct loader_source {
	const char *family, *source, *detail;
	bool alive;
};
size_t loader_sources(const struct loader *l, struct loader_source out[LOADER_MAX_SOURCES]);

/* The same for a set that was found pinned. */
size_t loader_sources_pinned(const char *folder, struct loader_source out[LOADER_MAX_SOURCES]);

#endif
