/*
 * The resolver thread: looks up the metadata of containers on disk, so that the capture thread
 * never waits for a file. Asked again for a while when a runtime has not written it yet.
 */
#ifndef HW_SYSCALL_RESOLVER_H
#define HW_SYSCALL_RESOLVER_H

#include "base/container.h"
#include "base/err.h"

struct resolver;
struct runtime;

/*
 * Start the thread. `runtime` is used by it alone from now on. `done` is called on the resolver's thread when
 * answers wait to be taken. `patience_ns`: how long a container that is not found is looked for.
 */
int resolver_open(struct resolver **out, struct runtime *runtime, uint64_t patience_ns,
	void (*done)(void *ctx), void *ctx, struct err *e);
void resolver_close(struct resolver *r);
DEFINE_AUTO(struct resolver, resolver_close)

/* Never blocks. false: too many are waiting; ask again later. */
bool resolver_ask(struct resolver *r, const char *id, enum container_runtime runtime);

/* The next answer (owned by the caller; state KNOWN or UNKNOWN), or NULL. */
struct container *resolver_take(struct resolver *r);

#endif
