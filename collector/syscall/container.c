#include "collector/syscall/container.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/vec.h"
#include "collector/runtime/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#define CGROUP_BUCKETS 4096u
#define CGROUP_MAX     65536u
#define CONTAINERS_MAX 8192u
#define HOSTS_MAX      2u
#define SCAN_MAX_DEPTH 16u
#define SCAN_MAX_PATH  4096u

/* One container. The object is replaced when metadata comes; the slot stays. */
struct slot {
	struct container *now;
	bool weak;      /* its cgroup's name is a weak claim */
	bool confirmed; /* some process in it had namespaces of its own */
	bool asked;
	uint32_t cgroups_n;
};

struct cgroup_entry {
	uint64_t id;
	struct slot *slot;   /* NULL: not a container's */
	uint64_t forget_pos; /* 0: alive */
	struct cgroup_entry *next;
};

struct container_table {
	bool (*ask)(void *ctx, const struct container *c);
	void *ctx;
	uint32_t host_ns_mnt[HOSTS_MAX], host_ns_pid;
	size_t hosts_n;
	struct map *slots; /* id to struct slot */
	struct cgroup_entry *buckets[CGROUP_BUCKETS];
	uint32_t cgroups_n, forgotten_n;
	uint64_t refused;
};

static void slot_free(void *p)
{
	struct slot *s = p;

	container_free(s->now);
	free(s);
}

struct container_table *container_table_new(
	bool (*ask)(void *ctx, const struct container *c), void *ctx)
{
	struct container_table *t = xcalloc(1, sizeof(*t));

	t->ask = ask;
	t->ctx = ctx;
	t->slots = map_new(slot_free);
	return t;
}

void container_table_free(struct container_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < CGROUP_BUCKETS; i++) {
		for (struct cgroup_entry *e = t->buckets[i], *next; e; e = next) {
			next = e->next;
			free(e);
		}
	}
	map_free(t->slots);
	free(t);
}

void container_table_add_host(struct container_table *t, uint32_t ns_mnt, uint32_t ns_pid)
{
	if (t->hosts_n < HOSTS_MAX)
		t->host_ns_mnt[t->hosts_n++] = ns_mnt;
	t->host_ns_pid = ns_pid;
}

static bool is_host_mount(const struct container_table *t, uint32_t ns_mnt)
{
	for (size_t i = 0; i < t->hosts_n; i++) {
		if (t->host_ns_mnt[i] == ns_mnt)
			return true;
	}
	return false;
}

static struct slot *slot_of_match(struct container_table *t, const struct runtime_match *m)
{
	struct slot *s = map_get(t->slots, m->id);

	if (s)
		return s;
	if (map_count(t->slots) >= CONTAINERS_MAX) {
		t->refused++;
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	s->now = container_new_bare(m->id, m->runtime, CONTAINER_PENDING);
	s->weak = m->weak;
	map_put(t->slots, m->id, s);
	return s;
}

/* The first process that is really inside makes it a container worth asking about. */
static void slot_confirm(struct container_table *t, struct slot *s)
{
	s->confirmed = true;
	if (!s->asked)
		s->asked = t->ask(t->ctx, s->now);
}

static struct cgroup_entry **entry_slot(struct container_table *t, uint64_t id)
{
	struct cgroup_entry **at = &t->buckets[hash_u64(id) & (CGROUP_BUCKETS - 1)];

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	return at;
}

void container_table_learn(struct container_table *t, uint64_t cgroup_id, struct str path)
{
	struct cgroup_entry **at = entry_slot(t, cgroup_id);
	struct runtime_match m;

	if (*at)
		return;
	if (t->cgroups_n >= CGROUP_MAX) {
		t->refused++;
		return;
	}
	*at = xcalloc(1, sizeof(**at));
	(*at)->id = cgroup_id;
	t->cgroups_n++;
	if (runtime_match_cgroup(path, &m))
		(*at)->slot = slot_of_match(t, &m);
	if ((*at)->slot) {
		(*at)->slot->cgroups_n++;
		/* asked before anybody is inside, so that the answer is there in time */
		if (!(*at)->slot->weak)
			slot_confirm(t, (*at)->slot);
	}
}

void container_table_forget(struct container_table *t, uint64_t cgroup_id, uint64_t pos)
{
	struct cgroup_entry *e = *entry_slot(t, cgroup_id);

	if (!e || e->forget_pos)
		return;
	e->forget_pos = pos ? pos : 1;
	t->forgotten_n++;
}

void container_table_passed(struct container_table *t, uint64_t pos)
{
	if (!t->forgotten_n)
		return;
	for (size_t i = 0; i < CGROUP_BUCKETS; i++) {
		for (struct cgroup_entry **at = &t->buckets[i]; *at;) {
			struct cgroup_entry *e = *at;
			if (!e->forget_pos || e->forget_pos > pos) {
				at = &e->next;
				continue;
			}
			*at = e->next;
			if (e->slot)
				e->slot->cgroups_n--;
			t->cgroups_n--;
			t->forgotten_n--;
			free(e);
		}
	}
}

const struct container *container_table_of_process(
	struct container_table *t, const struct process *p)
{
	struct runtime_match m;

	if (p->ns_mnt == 0 || is_host_mount(t, p->ns_mnt))
		return NULL;
	if (!runtime_match_cgroup(p->cgroup, &m))
		return NULL;
	/* a weak name and nothing but a mount namespace of its own: a service with private mounts */
	if (m.weak && p->ns_pid == t->host_ns_pid)
		return NULL;
	struct slot *s = slot_of_match(t, &m);
	if (!s)
		return NULL;
	slot_confirm(t, s);
	return s->now;
}

const struct container *container_table_of_event(
	struct container_table *t, const struct event *ev, const struct process *p)
{
	struct cgroup_entry *e = *entry_slot(t, ev->cgroup_id);

	if (ev->ns_mnt != 0 && is_host_mount(t, ev->ns_mnt))
		return NULL;
	if (e && e->slot && e->slot->confirmed && !e->slot->weak)
		return e->slot->now;
	return p ? p->container : NULL;
}

struct container *container_table_resolved(struct container_table *t, struct container *c)
{
	struct slot *s = map_get(t->slots, str_from(c->id));

	if (!s) {
		container_free(c);
		return NULL;
	}
	struct container *old = s->now;
	s->now = c;
	return old;
}

const struct container *container_table_find(struct container_table *t, struct str id)
{
	struct slot *s = map_get(t->slots, id);

	return s ? s->now : NULL;
}

struct collect {
	bool (*used)(void *ctx, const struct container *c);
	void *ctx;
	VEC(struct slot *) gone;
};

static bool collect_one(void *ctx, struct str key, void *value)
{
	struct collect *g = ctx;
	struct slot *s = value;

	(void)key;
	if (s->cgroups_n == 0 && !g->used(g->ctx, s->now))
		vec_push(&g->gone, s);
	return true;
}

void container_table_collect(
	struct container_table *t, bool (*used)(void *ctx, const struct container *c), void *ctx)
{
	struct collect g = { .used = used, .ctx = ctx };

	map_each(t->slots, collect_one, &g);
	for (size_t i = 0; i < g.gone.n; i++) {
		char id[CONTAINER_ID_LEN + 1];
		memcpy(id, g.gone.p[i]->now->id, sizeof(id));
		map_remove(t->slots, str_from(id));
	}
	vec_fini(&g.gone);
}

uint64_t container_table_count(const struct container_table *t)
{
	return map_count(t->slots);
}

uint64_t container_table_refused(const struct container_table *t)
{
	return t->refused;
}

/* Depth first with a stack of open directories: nobody's nesting makes us recurse. */
void container_table_scan(struct container_table *t, const char *root)
{
	DIR *stack[SCAN_MAX_DEPTH];
	size_t ends[SCAN_MAX_DEPTH], depth = 0;
	char path[SCAN_MAX_PATH] = "";
	size_t len = 0;

	DIR *d = opendir(root);
	if (!d)
		return;
	stack[depth] = d;
	ends[depth++] = 0;
	while (depth > 0) {
		struct dirent *de = readdir(stack[depth - 1]);
		struct stat st;
		if (!de) {
			closedir(stack[--depth]);
			len = depth ? ends[depth] : 0;
			continue;
		}
		size_t n = strlen(de->d_name);
		if (de->d_name[0] == '.' || de->d_type != DT_DIR || len + n + 2 > sizeof(path))
			continue;
		if (fstatat(dirfd(stack[depth - 1]), de->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		size_t parent_len = len;
		path[len] = '/';
		memcpy(path + len + 1, de->d_name, n);
		len += n + 1;
		container_table_learn(t, st.st_ino, str_of(path, len));
		int fd = depth < SCAN_MAX_DEPTH
				 ? openat(dirfd(stack[depth - 1]), de->d_name,
					   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
				 : -1;
		DIR *sub = fd >= 0 ? fdopendir(fd) : NULL;
		if (!sub) {
			if (fd >= 0)
				close(fd);
			len = parent_len;
			continue;
		}
		ends[depth] = parent_len;
		stack[depth++] = sub;
	}
}
