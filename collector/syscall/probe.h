/*
 * The kernel side as user space holds it: which programs this kernel can run, loading, attaching and pinning
 * them, taking over what an earlier run left, and the words shared with the programs.
 *
 * A provider is one way to get the events of a family; the first in the table that loads serves. Records
 * do not tell which it was.
 */
#ifndef HW_SYSCALL_PROBE_H
#define HW_SYSCALL_PROBE_H

#include "bpf/wire.h"
#include "collector/syscall/capture.h"

struct probe;

struct probe_options {
	const char *bpffs; /* NULL: do not pin */
	const char *pin_name;
	bool fresh;
	uint32_t ring_bytes[WIRE_RING_N]; /* powers of two */
	const char *const *account_cgroups;
	size_t account_cgroups_n;
};

/*
 * Load and attach, or take over. Programs work when this returns, with lineage events on and no calls wanted yet.
 * ERR_UNSUPPORTED, ERR_BUSY (its reader is alive), ERR_SYS.
 */
int probe_open(struct probe **out, const struct probe_options *o, struct err *e);

enum probe_close { PROBE_UNPIN, PROBE_LEAVE };
void probe_close(struct probe *p, enum probe_close how);

/* Programs stop making records; the rings stay readable. */
void probe_stop(struct probe *p);

struct wire_control *probe_control(struct probe *p);
int probe_ring_fd(const struct probe *p, enum wire_ring which);
uint32_t probe_ring_size(const struct probe *p, enum wire_ring which);

/* A descriptor that reads as seed records of all processes; the caller's. ERR_SYS. */
int probe_open_seed(struct probe *p, struct err *e);

/* Rings of an earlier run are at hand: what they hold comes first. */
bool probe_taken_over(const struct probe *p);
bool probe_pinned(const struct probe *p);
const char *probe_pin_detail(const struct probe *p);
const struct capture_source *probe_sources(const struct probe *p, size_t *n);

/* Which calls the programs tell of; types are Falco's names. Takes effect with the next call anywhere. */
void probe_set_interest(struct probe *p, const char *const *types, size_t n);

/* Counters of one class per CPU; out[probe_cpus()]. */
int probe_cpus(const struct probe *p);
bool probe_counts(struct probe *p, uint32_t class, struct wire_count *out);
bool probe_reported(struct probe *p, uint32_t class, struct wire_count *out);
void probe_set_reported(struct probe *p, uint32_t class, const struct wire_count *in);

/* Counters of an accounted cgroup, by index into the options' list; out[WIRE_CLASS_MAX]. */
bool probe_account(struct probe *p, size_t at, struct wire_count *out);

#endif
