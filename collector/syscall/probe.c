#include "collector/syscall/probe.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/vec.h"
#include "collector/syscall/loader.h"
#include "collector/syscall/pins.h"
#include "collector/syscall/syscalls.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

struct probe {
	struct loader *loader;        /* NULL when taken over as it was */
	int maps[LOADER_MAP_N];       /* descriptors, ours */
	int seed_prog;                /* descriptor of the iterator's program */
	struct wire_control *control; /* mapped */
	char dir[PINS_PATH_MAX];      /* empty: not pinned */
	char pin_detail[1024];
	bool taken_over;
	uint32_t ring_size[WIRE_RING_N];
	int cpus;
	struct capture_source *sources;
	size_t sources_n;
	uint64_t account_ids[CAPTURE_MAX_CGROUPS];
	size_t accounts_n;
};

static int map_control(struct probe *p, struct err *e)
{
	void *at = mmap(NULL, sizeof(struct wire_control), PROT_READ | PROT_WRITE, MAP_SHARED,
		p->maps[LOADER_MAP_CONTROL], 0);

	if (at == MAP_FAILED)
		return err_set(e, ERR_SYS, "map the control page");
	p->control = at;
	return 0;
}

static uint32_t map_entries(int fd)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.max_entries;
}

/* Is the process that last read these rings still alive? Its number may belong to another by now. */
static bool reader_alive(const struct wire_control *c)
{
	char path[64], comm[32] = "";

	if (c->self_tgid == 0 || c->self_tgid == (uint32_t)getpid() || kill((pid_t)c->self_tgid, 0))
		return false;
	snprintf(path, sizeof(path), "/proc/%u/comm", c->self_tgid);
	FILE *f = fopen(path, "re");
	if (!f)
		return false;
	bool ours = fgets(comm, sizeof(comm), f) && strncmp(comm, "hullwatch", 9) == 0;
	fclose(f);
	return ours;
}

static void close_maps(struct probe *p)
{
	if (p->control)
		munmap(p->control, sizeof(struct wire_control));
	p->control = NULL;
	for (int i = 0; i < LOADER_MAP_N; i++) {
		if (p->maps[i] >= 0)
			close(p->maps[i]);
		p->maps[i] = -1;
	}
}

/* Open what an earlier run pinned. 1: there and usable; 0: nothing there, or not to be used; -1 and *e. */
static int open_pinned(struct probe *p, const struct probe_options *o, struct err *e)
{
	char path[PINS_PATH_MAX];

	for (int i = 0; i < LOADER_MAP_N; i++) {
		if (!pins_path(path, o->bpffs, o->pin_name, loader_map_name((enum loader_map)i)))
			return err_set(e, ERR_LIMIT, "pin path below %s is too long", o->bpffs);
		p->maps[i] = bpf_obj_get(path);
		if (p->maps[i] < 0 && i == LOADER_MAP_CONTROL)
			return 0;
		if (p->maps[i] < 0) {
			log_warn("probe", "what an earlier run left in %s is not complete: removed",
				p->dir);
			close_maps(p);
			return 0;
		}
	}
	if (map_control(p, e))
		return -1;
	if (reader_alive(p->control))
		return err_set(e, ERR_BUSY, "another hullwatch (pid %u) reads the rings in %s",
			p->control->self_tgid, p->dir);
	if (p->control->magic != WIRE_MAGIC || p->control->abi != WIRE_ABI) {
		log_warn("probe",
			"the rings in %s are of version %u, this build reads %u: what they hold is lost",
			p->dir, p->control->abi, WIRE_ABI);
		close_maps(p);
		return 0;
	}
	return 1;
}

static void take_ring_sizes(struct probe *p)
{
	p->ring_size[WIRE_RING_MAIN] = map_entries(p->maps[LOADER_MAP_RING_MAIN]);
	p->ring_size[WIRE_RING_PRIORITY] = map_entries(p->maps[LOADER_MAP_RING_PRIORITY]);
}

static void control_init(struct wire_control *c)
{
	uint64_t born = clock_boot_ns();

	c->abi = WIRE_ABI;
	c->ring_id = born;
	/* 16 million records a millisecond and CPU: a later birth's numbers are always above */
	c->seq_base = born / 1000000u << 24;
	c->fork_on = c->exec_on = c->exit_on = c->cgroup_on = 1;
	c->magic = WIRE_MAGIC;
}

static void control_take(struct wire_control *c)
{
	c->awake = 1;
	c->self_start_ns = 0;
	c->self_tgid = (uint32_t)getpid();
}

static void add_source(struct probe *p, const struct loader_source *s)
{
	p->sources[p->sources_n++] = (struct capture_source){ s->source, s->family, s->alive,
		s->detail };
}

static int dup_maps(struct probe *p, struct err *e)
{
	for (int i = 0; i < LOADER_MAP_N; i++) {
		if (p->maps[i] >= 0)
			continue;
		p->maps[i] = loader_map_fd(p->loader, (enum loader_map)i);
		if (p->maps[i] < 0)
			return err_set(
				e, ERR_SYS, "take the map %s", loader_map_name((enum loader_map)i));
	}
	return 0;
}

/* Go on without pins: `pin_detail` tells why. */
static void unpin(struct probe *p, const struct err *why)
{
	struct err ignored;

	snprintf(p->pin_detail, sizeof(p->pin_detail), "not pinned: %s", why->msg);
	log_warn("probe", "%s: a restart will lose what happens meanwhile", p->pin_detail);
	pins_remove(p->dir, &ignored);
	p->dir[0] = 0;
}

static int pin(struct probe *p, uint32_t number, struct err *e)
{
	char folder[PINS_PATH_MAX];

	if (mkdir(p->dir, 0700) && errno != EEXIST)
		return err_set(e, ERR_SYS, "make %s", p->dir);
	if (!pins_set_path(folder, p->dir, number))
		return err_set(e, ERR_LIMIT, "pin path below %s is too long", p->dir);
	return loader_pin_set(p->loader, folder, e) || loader_pin_maps(p->loader, p->dir, e) ? -1
											     : 0;
}

/*
 * Wait until no event is under way that began before. Tracepoints call their programs with
 * preemption off, so that is an RCU grace period, which the kernel gives to anyone. Where it refuses
 * (cores without a tick) time has to do: an event is a matter of microseconds.
 */
static void wait_events_under_way(void)
{
	struct timespec long_enough = { 0, 50000000 };

	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		nanosleep(&long_enough, NULL);
}

/*
 * The set `number`, attached and pinned, takes over from the one that works, if one does. Each event
 * is one set's: `generation` changes when every event passes both, and the lead when none is left
 * that the older one took.
 */
static void hand_over(struct probe *p, uint32_t number)
{
	struct wire_control *c = p->control;
	bool first = c->generation == 0;

	if (!first)
		wait_events_under_way();
	/* no hash: whoever finds this half done replaces the set once more */
	__atomic_store_n(&c->object_hash, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&c->generation, number, __ATOMIC_SEQ_CST);
	if (!first)
		wait_events_under_way();
	__atomic_store_n(&c->leader, number, __ATOMIC_SEQ_CST);
	__atomic_store_n(&c->object_hash, loader_object_hash(), __ATOMIC_SEQ_CST);
}

/* Load a new set of programs; with maps of an earlier one, which works until the new one does. */
static int load_new(struct probe *p, const struct probe_options *o, bool upgrade, struct err *e)
{
	struct loader_options lo = {
		.generation = upgrade ? p->control->sets + 1 : 1,
		.ring_bytes = { o->ring_bytes[0], o->ring_bytes[1] },
		.reuse = upgrade ? p->maps : NULL,
	};
	struct err why = { 0 };

	if (loader_open(&p->loader, &lo, e) || dup_maps(p, e))
		return -1;
	if (!p->control && map_control(p, e))
		return -1;
	if (!upgrade)
		control_init(p->control);
	control_take(p->control);
	p->control->sets = lo.generation;
	if (p->control->generation == 0)
		p->control->leader = lo.generation;
	if (loader_attach(p->loader, e))
		return -1;
	bool pinned = p->dir[0] && pin(p, lo.generation, &why) == 0;
	hand_over(p, lo.generation);
	if (pinned) {
		pins_remove_sets(p->dir, lo.generation);
		snprintf(p->pin_detail, sizeof(p->pin_detail), "%s", p->dir);
	} else if (p->dir[0]) {
		unpin(p, &why);
	}
	return 0;
}

/* What an instance that died in the middle of a hand-over or of a stop left to do. */
static void settle(struct probe *p)
{
	struct wire_control *c = p->control;

	if (c->generation && c->leader != c->generation) {
		wait_events_under_way();
		__atomic_store_n(&c->leader, c->generation, __ATOMIC_SEQ_CST);
	}
	pins_remove_sets(p->dir, c->generation);
}

static int take_over(struct probe *p, const struct probe_options *o, struct err *e)
{
	char set[PINS_PATH_MAX], path[PINS_PATH_MAX + 16];

	p->taken_over = true;
	settle(p);
	if (p->control->generation == 0) {
		log_info("probe", "programs in %s were stopped: loaded anew, their rings go on",
			p->dir);
		return load_new(p, o, true, e);
	}
	if (p->control->object_hash != loader_object_hash()) {
		log_info("probe",
			"programs in %s are of another build: replaced, their rings go on", p->dir);
		return load_new(p, o, true, e);
	}
	control_take(p->control);
	if (!pins_set_path(set, p->dir, p->control->generation))
		return err_set(e, ERR_LIMIT, "pin path below %s is too long", p->dir);
	snprintf(path, sizeof(path), "%s/prog_hw_seed", set);
	p->seed_prog = bpf_obj_get(path);
	if (p->seed_prog < 0)
		return err_set(e, ERR_SYS, "open %s", path);
	snprintf(p->pin_detail, sizeof(p->pin_detail), "%s", p->dir);
	return 0;
}

static int prepare_pins(struct probe *p, const struct probe_options *o)
{
	struct err e = { 0 };

	if (!o->bpffs) {
		snprintf(p->pin_detail, sizeof(p->pin_detail), "not pinned: switched off");
		return 0;
	}
	int mounted = pins_mount(o->bpffs, &e);
	if (mounted < 0 || !pins_path(p->dir, o->bpffs, o->pin_name, NULL)) {
		snprintf(p->pin_detail, sizeof(p->pin_detail), "not pinned: %s", e.msg);
		log_warn("probe", "%s: a restart will lose what happens meanwhile", p->pin_detail);
		p->dir[0] = 0;
		return 0;
	}
	if (mounted)
		log_info("probe", "mounted bpffs at %s", o->bpffs);
	return 1;
}

static int load_or_take(struct probe *p, const struct probe_options *o, struct err *e)
{
	int rc = prepare_pins(p, o) ? open_pinned(p, o, e) : 0;

	if (rc < 0)
		return -1;
	if (rc > 0 && !o->fresh)
		return take_over(p, o, e);
	close_maps(p);
	if (p->dir[0] && pins_remove(p->dir, e))
		return -1;
	return load_new(p, o, false, e);
}

static void accounts_open(struct probe *p, const struct probe_options *o)
{
	static const struct {
		struct wire_count by_class[WIRE_CLASS_MAX];
	} zero;

	for (size_t i = 0; i < o->account_cgroups_n && i < CAPTURE_MAX_CGROUPS; i++) {
		struct stat st;
		uint64_t id = stat(o->account_cgroups[i], &st) ? 0 : st.st_ino;
		if (!id)
			log_warn("probe", "cgroup %s is not there: not counted apart",
				o->account_cgroups[i]);
		else if (bpf_map_update_elem(
				 p->maps[LOADER_MAP_ACCOUNTS], &id, &zero, BPF_NOEXIST) &&
			 errno != EEXIST)
			log_warn("probe", "count cgroup %s apart: %s", o->account_cgroups[i],
				strerror(errno));
		p->account_ids[p->accounts_n++] = id;
	}
	p->control->accounting = p->accounts_n > 0;
}

static void sources_open(struct probe *p)
{
	struct loader_source found[LOADER_MAX_SOURCES];
	char set[PINS_PATH_MAX] = "";
	size_t n;

	if (p->loader)
		n = loader_sources(p->loader, found);
	else
		n = pins_set_path(set, p->dir, p->control->generation)
			    ? loader_sources_pinned(set, found)
			    : 0;

	p->sources = xcalloc(n + 1, sizeof(*p->sources));
	for (size_t i = 0; i < n; i++)
		add_source(p, &found[i]);
}

int probe_open(struct probe **out, const struct probe_options *o, struct err *e)
{
	struct probe *p = xcalloc(1, sizeof(*p));

	p->seed_prog = -1;
	for (int i = 0; i < LOADER_MAP_N; i++)
		p->maps[i] = -1;
	p->cpus = libbpf_num_possible_cpus();
	if (p->cpus < 1)
		p->cpus = 1;
	if (load_or_take(p, o, e)) {
		/* what belongs to a living reader, or waits to be taken over, stays as it is */
		probe_close(p, e->code == ERR_BUSY || p->taken_over ? PROBE_LEAVE : PROBE_UNPIN);
		return -1;
	}
	take_ring_sizes(p);
	accounts_open(p, o);
	sources_open(p);
	*out = p;
	return 0;
}

void probe_stop(struct probe *p)
{
	__atomic_store_n(&p->control->generation, 0, __ATOMIC_SEQ_CST);
	wait_events_under_way();
	if (p->loader)
		loader_detach(p->loader);
	if (p->dir[0])
		pins_remove_sets(p->dir, 0);
}

void probe_close(struct probe *p, enum probe_close how)
{
	struct err e = { 0 };

	if (!p)
		return;
	if (how == PROBE_UNPIN && p->dir[0] && pins_remove(p->dir, &e))
		log_warn("probe", "%s", e.msg);
	loader_close(p->loader);
	if (p->seed_prog >= 0)
		close(p->seed_prog);
	close_maps(p);
	free(p->sources);
	free(p);
}

struct wire_control *probe_control(struct probe *p)
{
	return p->control;
}

int probe_ring_fd(const struct probe *p, enum wire_ring which)
{
	return p->maps[which == WIRE_RING_MAIN ? LOADER_MAP_RING_MAIN : LOADER_MAP_RING_PRIORITY];
}

uint32_t probe_ring_size(const struct probe *p, enum wire_ring which)
{
	return p->ring_size[which];
}

int probe_open_seed(struct probe *p, struct err *e)
{
	int prog = p->loader ? loader_seed_fd(p->loader) : p->seed_prog;
	AUTO_FD int link = bpf_link_create(prog, 0, BPF_TRACE_ITER, NULL);

	if (link < 0)
		return err_set(e, ERR_SYS, "link the task iterator");
	int fd = bpf_iter_create(link);
	if (fd < 0)
		return err_set(e, ERR_SYS, "start the task iterator");
	return fd;
}

bool probe_taken_over(const struct probe *p)
{
	return p->taken_over;
}

bool probe_pinned(const struct probe *p)
{
	return p->dir[0] != 0;
}

const char *probe_pin_detail(const struct probe *p)
{
	return p->pin_detail;
}

const struct capture_source *probe_sources(const struct probe *p, size_t *n)
{
	*n = p->sources_n;
	return p->sources;
}

void probe_set_interest(struct probe *p, const char *const *types, size_t n)
{
	uint16_t wanted[WIRE_NR_MAX] = { 0 };
	uint32_t socketcall = 0;

	for (size_t i = 0; i < n; i++) {
		const struct syscall_row *row = syscalls_find(types[i]);
		if (!row)
			continue;
		if (row->nr >= 0)
			wanted[row->nr] |= WIRE_INTEREST((uint32_t)row->class, 0);
		if (row->nr32 >= 0)
			wanted[row->nr32] |= WIRE_INTEREST(0, (uint32_t)row->class);
		if (row->class >= EVENT_CONNECT && row->class <= EVENT_SOCKET)
			socketcall |= 1u << row->class;
	}
	if (socketcall)
		wanted[SYSCALLS_SOCKETCALL32] |= WIRE_INTEREST(0, (uint32_t)WIRE_SOCKETCALL);
	p->control->socketcall = socketcall;
	for (size_t i = 0; i < WIRE_NR_MAX; i++)
		__atomic_store_n(&p->control->interest[i], wanted[i], __ATOMIC_RELAXED);
}

int probe_cpus(const struct probe *p)
{
	return p->cpus;
}

bool probe_counts(struct probe *p, uint32_t class, struct wire_count *out)
{
	return bpf_map_lookup_elem(p->maps[LOADER_MAP_COUNTERS], &class, out) == 0;
}

bool probe_reported(struct probe *p, uint32_t class, struct wire_count *out)
{
	return bpf_map_lookup_elem(p->maps[LOADER_MAP_REPORTED], &class, out) == 0;
}

void probe_set_reported(struct probe *p, uint32_t class, const struct wire_count *in)
{
	bpf_map_update_elem(p->maps[LOADER_MAP_REPORTED], &class, in, BPF_ANY);
}

bool probe_account(struct probe *p, size_t at, struct wire_count *out)
{
	if (at >= p->accounts_n || p->account_ids[at] == 0)
		return false;
	return bpf_map_lookup_elem(p->maps[LOADER_MAP_ACCOUNTS], &p->account_ids[at], out) == 0;
}

int capture_find_leftover(
	const char *bpffs, const char *pin_name, struct capture_leftover *out, struct err *e)
{
	struct probe_options o = { .bpffs = bpffs, .pin_name = pin_name };
	struct probe p = { .seed_prog = -1 };
	size_t pages = (size_t)sysconf(_SC_PAGESIZE);

	memset(out, 0, sizeof(*out));
	for (int i = 0; i < LOADER_MAP_N; i++)
		p.maps[i] = -1;
	if (!pins_path(p.dir, bpffs, pin_name, NULL))
		return 0;
	int rc = open_pinned(&p, &o, e);
	for (int i = 0; rc > 0 && i < WIRE_RING_N; i++) {
		uint64_t *c = mmap(NULL, pages, PROT_READ, MAP_SHARED,
			probe_ring_fd(&p, (enum wire_ring)i), 0);
		uint64_t *w = mmap(NULL, pages, PROT_READ, MAP_SHARED,
			probe_ring_fd(&p, (enum wire_ring)i), (off_t)pages);
		if (c != MAP_FAILED && w != MAP_FAILED) {
			uint64_t from = p.control->judged[i] > *c ? p.control->judged[i] : *c;
			out->waiting_bytes += *w > from ? *w - from : 0;
		}
		if (c != MAP_FAILED)
			munmap(c, pages);
		if (w != MAP_FAILED)
			munmap(w, pages);
	}
	int cpus = libbpf_num_possible_cpus();
	AUTO_FREE struct wire_count *n = xcalloc((size_t)(cpus > 0 ? cpus : 1), sizeof(*n));
	for (uint32_t k = 1; rc > 0 && k < WIRE_CLASS_N; k++) {
		for (int i = 0; probe_counts(&p, k, n) && i < cpus; i++) {
			out->dropped += n[i].dropped;
			out->emitted += n[i].emitted;
		}
	}
	out->found = rc > 0;
	close_maps(&p);
	return rc < 0 ? -1 : 0;
}
