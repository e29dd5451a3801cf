#include "collector/syscall/loader.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/str.h"
#include "collector/syscall/pins.h"
#include "collector/syscall/providers.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "hullwatch.skel.h"

#define LOADER_MAX_PROVIDERS 16
#define LOADER_MAX_LINKS     16

struct loader {
	struct hullwatch *skel;
	bool off[LOADER_MAX_PROVIDERS]; /* by row of the providers' table: refused, or not chosen */
	struct bpf_link *links[LOADER_MAX_LINKS];
	const char *link_names[LOADER_MAX_LINKS];
	size_t links_n;
};

static const char *const map_names[LOADER_MAP_N] = {
	[LOADER_MAP_CONTROL] = "control",
	[LOADER_MAP_RING_MAIN] = "ring_main",
	[LOADER_MAP_RING_PRIORITY] = "ring_priority",
	[LOADER_MAP_COUNTERS] = "counters",
	[LOADER_MAP_REPORTED] = "reported",
	[LOADER_MAP_ACCOUNTS] = "accounts",
	[LOADER_MAP_SEQUENCES] = "sequences",
	[LOADER_MAP_ENDED] = "ended",
	[LOADER_MAP_TURNS] = "turns",
};

const char *loader_map_name(enum loader_map m)
{
	return map_names[m];
}

/*
 * libbpf reports by printing. What it says last about a program that was refused is kept, for the error
 * and to know which program it was; loading happens on one thread.
 */
static struct {
	char program[64];
	char line[256];
} refused;

static int keep_words(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char text[2048], *nl;
	char name[64];

	vsnprintf(text, sizeof(text), fmt, args);
	if (sscanf(text, "libbpf: prog '%63[^']': failed to load", name) == 1)
		memcpy(refused.program, name, sizeof(name));
	if (level == LIBBPF_WARN) {
		nl = strchr(text, '\n');
		snprintf(refused.line, sizeof(refused.line), "%.*s", nl ? (int)(nl - text) : 250,
			text);
	}
	if (log_level_get() >= LOG_LEVEL_DEBUG)
		log_debug("libbpf", "%s", text);
	return 0;
}

static bool kernel_has_function(const struct btf *btf, const char *name)
{
	return !name || (btf && btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0);
}

/* For each family the first row that is not off. Returns whether row `at` is it. */
static bool row_chosen(const struct loader *l, const struct provider *t, size_t at)
{
	if (l->off[at])
		return false;
	for (size_t i = 0; i < at; i++) {
		if (!l->off[i] && strcmp(t[i].family, t[at].family) == 0)
			return false;
	}
	return true;
}

static bool program_wanted(const struct loader *l, const char *name)
{
	size_t n;
	const struct provider *t = providers_table(&n);

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < PROVIDER_MAX_PROGRAMS && t[i].programs[k].name; k++) {
			if (strcmp(t[i].programs[k].name, name) == 0)
				return row_chosen(l, t, i);
		}
	}
	return false;
}

/* The row that holds a program, switched off. false: it is the last of a vital family. */
static bool switch_off(struct loader *l, const char *program)
{
	size_t n;
	const struct provider *t = providers_table(&n);

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < PROVIDER_MAX_PROGRAMS && t[i].programs[k].name; k++) {
			if (strcmp(t[i].programs[k].name, program) != 0)
				continue;
			l->off[i] = true;
			log_warn("probe", "%s (%s): this kernel refuses %s", t[i].source,
				t[i].variant, program);
			return !t[i].vital;
		}
	}
	return false;
}

static int share_maps(struct hullwatch *skel, const int *reuse, struct err *e)
{
	for (int i = 0; reuse && i < LOADER_MAP_N; i++) {
		struct bpf_map *m = bpf_object__find_map_by_name(skel->obj, map_names[i]);
		if (!m || bpf_map__reuse_fd(m, reuse[i]))
			return err_set(e, ERR_SYS, "share the map %s", map_names[i]);
	}
	return 0;
}

static int open_once(struct loader *l, const struct loader_options *o, struct err *e)
{
	struct bpf_program *prog;

	l->skel = hullwatch__open();
	if (!l->skel)
		return err_set(e, ERR_SYS, "open the kernel programs");
	bpf_object__for_each_program(prog, l->skel->obj)
	{
		bpf_program__set_autoload(prog, program_wanted(l, bpf_program__name(prog)));
	}
	l->skel->rodata->generation = o->generation;
	if (o->reuse)
		return share_maps(l->skel, o->reuse, e);
	bpf_map__set_max_entries(l->skel->maps.ring_main, o->ring_bytes[WIRE_RING_MAIN]);
	bpf_map__set_max_entries(l->skel->maps.ring_priority, o->ring_bytes[WIRE_RING_PRIORITY]);
	return 0;
}

/* Load; when a program is refused, without its row, until it loads or something vital is missing. */
static int load_some(struct loader *l, const struct loader_options *o, struct err *e)
{
	for (;;) {
		refused.program[0] = refused.line[0] = 0;
		if (open_once(l, o, e))
			return -1;
		int rc = hullwatch__load(l->skel);
		if (rc == 0)
			return 0;
		hullwatch__destroy(l->skel);
		l->skel = NULL;
		errno = -rc;
		if (rc == -EPERM || rc == -EACCES)
			if (!refused.program[0])
				return err_set(e, ERR_SYS,
					"load the kernel programs (root, or CAP_BPF and CAP_PERFMON, is needed)");
		if (!refused.program[0])
			return err_set(e, rc == -ENOMEM ? ERR_SYS : ERR_UNSUPPORTED,
				"load the kernel programs: %s", refused.line);
		if (!switch_off(l, refused.program))
			return err_set(e, ERR_UNSUPPORTED, "this kernel refuses %s: %s",
				refused.program, refused.line);
	}
}

int loader_open(struct loader **out, const struct loader_options *o, struct err *e)
{
	AUTO(loader_close) struct loader *l = xcalloc(1, sizeof(*l));
	size_t n;
	const struct provider *t = providers_table(&n);

	libbpf_set_print(keep_words);
	struct btf *btf = btf__load_vmlinux_btf();
	if (!btf)
		return err_set(e, ERR_UNSUPPORTED,
			"this kernel gives no type information (/sys/kernel/btf/vmlinux)");
	for (size_t i = 0; i < n; i++)
		l->off[i] = !kernel_has_function(btf, t[i].kfunc);
	btf__free(btf);
	if (load_some(l, o, e))
		return -1;
	*out = TAKE(l);
	return 0;
}

static int attach_program(struct loader *l, const struct provider_program *pp, struct err *e)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(l->skel->obj, pp->name);
	uint32_t slot = pp->class;
	int fd = bpf_program__fd(prog);

	if (pp->use == PROGRAM_TAIL) {
		if (bpf_map_update_elem(bpf_map__fd(l->skel->maps.programs), &slot, &fd, BPF_ANY))
			return err_set(e, ERR_SYS, "enter %s into the table of programs", pp->name);
		return 0;
	}
	if (pp->use == PROGRAM_ITER)
		return 0;
	struct bpf_link *link = bpf_program__attach(prog);
	if (!link)
		return err_set(e, ERR_SYS, "attach %s", pp->name);
	l->link_names[l->links_n] = pp->name;
	l->links[l->links_n++] = link;
	return 0;
}

int loader_attach(struct loader *l, struct err *e)
{
	size_t n;
	const struct provider *t = providers_table(&n);

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < PROVIDER_MAX_PROGRAMS && t[i].programs[k].name; k++) {
			if (row_chosen(l, t, i) && attach_program(l, &t[i].programs[k], e))
				return -1;
		}
	}
	return 0;
}

void loader_detach(struct loader *l)
{
	for (size_t i = 0; i < l->links_n; i++)
		bpf_link__destroy(l->links[i]);
	l->links_n = 0;
}

void loader_close(struct loader *l)
{
	if (!l)
		return;
	/* destroying a link that is pinned closes our hold of it, the pin keeps it attached */
	for (size_t i = 0; i < l->links_n; i++)
		bpf_link__destroy(l->links[i]);
	if (l->skel)
		hullwatch__destroy(l->skel);
	free(l);
}

static int pin_fd(int fd, const char *dir, const char *prefix, const char *name, struct err *e)
{
	char path[PINS_PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s%s", dir, prefix, name) >= (int)sizeof(path))
		return err_set(e, ERR_LIMIT, "pin path below %s is too long", dir);
	if (bpf_obj_pin(fd, path) && errno != EEXIST)
		return err_set(e, ERR_SYS, "pin %s", path);
	return 0;
}

int loader_pin_set(struct loader *l, const char *folder, struct err *e)
{
	size_t n;
	const struct provider *t = providers_table(&n);

	if (mkdir(folder, 0700))
		return err_set(e, ERR_SYS, "make %s", folder);
	/* the kernel empties a table of programs that has neither a pin nor a descriptor */
	if (pin_fd(bpf_map__fd(l->skel->maps.programs), folder, "", "programs", e))
		return -1;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < PROVIDER_MAX_PROGRAMS && t[i].programs[k].name; k++) {
			const char *name = t[i].programs[k].name;
			struct bpf_program *prog = bpf_object__find_program_by_name(
				l->skel->obj, name);
			if (row_chosen(l, t, i) &&
				pin_fd(bpf_program__fd(prog), folder, "prog_", name, e))
				return -1;
		}
	}
	for (size_t i = 0; i < l->links_n; i++) {
		if (pin_fd(bpf_link__fd(l->links[i]), folder, "link_", l->link_names[i], e))
			return -1;
	}
	return 0;
}

int loader_pin_maps(struct loader *l, const char *dir, struct err *e)
{
	for (int i = LOADER_MAP_N - 1; i >= 0; i--) {
		struct bpf_map *m = bpf_object__find_map_by_name(l->skel->obj, map_names[i]);
		if (pin_fd(bpf_map__fd(m), dir, "", map_names[i], e))
			return -1;
	}
	return 0;
}

int loader_map_fd(struct loader *l, enum loader_map m)
{
	struct bpf_map *map = bpf_object__find_map_by_name(l->skel->obj, map_names[m]);

	return map ? fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 3) : -1;
}

int loader_seed_fd(struct loader *l)
{
	return bpf_program__fd(l->skel->progs.hw_seed);
}

uint64_t loader_object_hash(void)
{
	size_t len = 0;
	const void *elf = hullwatch__elf_bytes(&len);

	return hash_quick(elf, len, 0);
}

static size_t list_sources(struct loader_source out[LOADER_MAX_SOURCES],
	bool (*alive)(const void *ctx, const struct provider *t, size_t at), const void *ctx)
{
	size_t n, at = 0;
	const struct provider *t = providers_table(&n);

	for (size_t i = 0; i < n; i++) {
		bool here = alive(ctx, t, i);
		if (at && strcmp(out[at - 1].family, t[i].family) == 0) {
			if (here)
				out[at - 1] = (struct loader_source){ t[i].family, t[i].source,
					t[i].variant, true };
			continue;
		}
		out[at++] = (struct loader_source){ t[i].family, t[i].source,
			here ? t[i].variant : "refused by this kernel", here };
	}
	return at;
}

static bool alive_loaded(const void *ctx, const struct provider *t, size_t at)
{
	return row_chosen(ctx, t, at);
}

static bool alive_pinned(const void *ctx, const struct provider *t, size_t at)
{
	char path[PINS_PATH_MAX];

	snprintf(path, sizeof(path), "%s/prog_%s", (const char *)ctx, t[at].programs[0].name);
	return access(path, F_OK) == 0;
}

size_t loader_sources(const struct loader *l, struct loader_source out[LOADER_MAX_SOURCES])
{
	return list_sources(out, alive_loaded, l);
}

size_t loader_sources_pinned(const char *folder, struct loader_source out[LOADER_MAX_SOURCES])
{
	return list_sources(out, alive_pinned, folder);
}
