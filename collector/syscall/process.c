#include "collector/syscall/process.h"

#include "base/hash.h"
#include "base/vec.h"

#define TABLE_DEFAULT_MAX 65536u
#define TABLE_BUCKETS     16384u /* power of two */

/* One execution. `pub` first: a struct process is turned back into its node by a cast. */
struct node {
	struct process pub;
	uint32_t refs;         /* the table's own, children's parents, holders */
	bool in_table, ending; /* ending: on the list of those that wait for the ring */
	struct node *older;    /* earlier execution of the same process */
	struct node *all_prev, *all_next;
	char *text; /* exe, args, cwd, cgroup: one allocation */
};

struct group {
	struct process_key key;
	struct node *newest;
	struct group *next;
};

struct ending {
	struct node *node;
	uint64_t pos;
};

struct process_table {
	struct group *buckets[TABLE_BUCKETS];
	struct node *all;
	uint32_t count, max;
	uint64_t refused;
	VEC(struct ending) endings; /* in order of pos; [first, n) wait */
	size_t first_ending;
};

static struct node *node_of(const struct process *p)
{
	return (struct node *)(uintptr_t)p;
}

struct process_table *process_table_new(uint32_t max)
{
	struct process_table *t = xcalloc(1, sizeof(*t));

	t->max = max ? max : TABLE_DEFAULT_MAX;
	return t;
}

static struct group **group_slot(struct process_table *t, struct process_key key)
{
	uint64_t h = hash_u64(key.start_ns ^ ((uint64_t)key.tgid << 40));
	struct group **at = &t->buckets[h & (TABLE_BUCKETS - 1)];

	while (*at && ((*at)->key.tgid != key.tgid || (*at)->key.start_ns != key.start_ns))
		at = &(*at)->next;
	return at;
}

static struct group *group_find(struct process_table *t, struct process_key key)
{
	return *group_slot(t, key);
}

static void node_unlink_all(struct process_table *t, struct node *n)
{
	if (n->all_prev)
		n->all_prev->all_next = n->all_next;
	else
		t->all = n->all_next;
	if (n->all_next)
		n->all_next->all_prev = n->all_prev;
}

/* Drop one reference; a chain of parents may go with it, so this loops and does not recurse. */
static void node_unref(struct process_table *t, struct node *n)
{
	while (n && --n->refs == 0) {
		struct node *parent = n->pub.parent ? node_of(n->pub.parent) : NULL;
		node_unlink_all(t, n);
		t->count--;
		free(n->text);
		free(n);
		n = parent;
	}
}

void process_hold(const struct process *p)
{
	if (p)
		node_of(p)->refs++;
}

void process_release(struct process_table *t, const struct process *p)
{
	if (p)
		node_unref(t, node_of(p));
}

void process_table_free(struct process_table *t)
{
	if (!t)
		return;
	for (struct node *n = t->all, *next; n; n = next) {
		next = n->all_next;
		free(n->text);
		free(n);
	}
	for (size_t i = 0; i < TABLE_BUCKETS; i++) {
		for (struct group *g = t->buckets[i], *next; g; g = next) {
			next = g->next;
			free(g);
		}
	}
	vec_fini(&t->endings);
	free(t);
}

/* Put a fresh node into its group, executions in falling order. */
static void node_insert(struct process_table *t, struct node *n)
{
	struct group **slot = group_slot(t, n->pub.key);

	if (!*slot) {
		*slot = xcalloc(1, sizeof(**slot));
		(*slot)->key = n->pub.key;
	}
	struct node **at = &(*slot)->newest;
	while (*at && (*at)->pub.exec_id > n->pub.exec_id)
		at = &(*at)->older;
	n->older = *at;
	*at = n;
	n->in_table = true;
	n->refs = 1;
}

static struct node *node_new(struct process_table *t, struct process_key key, uint64_t exec_id)
{
	if (t->count >= t->max) {
		t->refused++;
		return NULL;
	}
	struct node *n = xcalloc(1, sizeof(*n));
	n->pub.key = key;
	n->pub.exec_id = exec_id;
	n->pub.loginuid = n->pub.sessionid = UINT32_MAX;
	n->all_next = t->all;
	if (t->all)
		t->all->all_prev = n;
	t->all = n;
	t->count++;
	node_insert(t, n);
	return n;
}

static void node_remove(struct process_table *t, struct node *n)
{
	struct group **slot = group_slot(t, n->pub.key);
	struct group *g = *slot;

	for (struct node **at = &g->newest; *at; at = &(*at)->older) {
		if (*at == n) {
			*at = n->older;
			break;
		}
	}
	if (!g->newest) {
		*slot = g->next;
		free(g);
	}
	n->in_table = false;
	node_unref(t, n);
}

/* The four texts into one allocation of the node's own. Sources may be the old texts. */
static void node_set_texts(
	struct node *n, struct str exe, struct str args, struct str cwd, struct str cgroup)
{
	struct str *const to[] = { &n->pub.exe, &n->pub.args, &n->pub.cwd, &n->pub.cgroup };
	const struct str from[] = { exe, args, cwd, cgroup };
	size_t total = exe.n + args.n + cwd.n + cgroup.n;
	char *text = xcalloc(1, total + 1), *at = text;

	for (size_t i = 0; i < ARRAY_N(to); i++) {
		if (from[i].n)
			memcpy(at, from[i].p, from[i].n);
		*to[i] = str_of(at, from[i].n);
		at += from[i].n;
	}
	free(n->text);
	n->text = text;
}

/* Ended by exit or by the next exec; of the latter only leaving the table tells afterwards. */
static bool node_is_over(const struct node *n)
{
	return n->pub.exited || n->ending || !n->in_table;
}

/* Give n a parent; far up, a dead ancestor's own parent is let go (invariant 2). */
static void node_set_parent(struct process_table *t, struct node *n, struct node *parent)
{
	if (parent == n || n->pub.parent)
		return;
	n->pub.parent = parent ? &parent->pub : NULL;
	if (parent)
		parent->refs++;
	struct node *up = parent;
	for (int i = 0; up && i < PROCESS_MAX_LINEAGE; i++)
		up = up->pub.parent ? node_of(up->pub.parent) : NULL;
	if (up && node_is_over(up) && up->pub.parent) {
		struct node *cut = node_of(up->pub.parent);
		up->pub.parent = NULL;
		node_unref(t, cut);
	}
}

static struct node *node_exact(struct process_table *t, struct process_key key, uint64_t exec_id)
{
	struct group *g = group_find(t, key);

	for (struct node *n = g ? g->newest : NULL; n; n = n->older) {
		if (n->pub.exec_id == exec_id || exec_id == UINT64_MAX)
			return n;
	}
	return NULL;
}

/* This execution, or the last one before it, or the first one after it. */
static struct node *node_near(struct process_table *t, struct process_key key, uint64_t exec_id)
{
	struct group *g = group_find(t, key);
	struct node *n = g ? g->newest : NULL;

	while (n && n->pub.exec_id > exec_id && n->older)
		n = n->older;
	return n;
}

static void node_end(struct process_table *t, struct node *n, uint64_t pos)
{
	if (n->ending)
		return;
	n->ending = true;
	vec_push(&t->endings, ((struct ending){ n, pos }));
}

/* It was given up for lack of knowledge (join), and now its own exec or fork is read: it lives on. */
static void node_revive(struct process_table *t, struct node *n)
{
	if (!n->ending || n->pub.exited)
		return;
	for (size_t i = t->endings.n; i > t->first_ending; i--) {
		if (t->endings.p[i - 1].node != n)
			continue;
		t->endings.p[i - 1].node = NULL;
		break;
	}
	n->ending = false;
}

static bool is_newest(struct process_table *t, const struct node *n)
{
	return group_find(t, n->pub.key)->newest == n;
}

static void end_older(struct process_table *t, struct node *n, uint64_t pos)
{
	for (struct node *old = n->older; old; old = old->older)
		node_end(t, old, pos);
}

static void identity_from_event(struct process *p, const struct event *ev)
{
	p->uid = ev->uid;
	p->gid = ev->gid;
	p->euid = ev->euid;
	p->cgroup_id = ev->cgroup_id;
	memcpy(p->comm, ev->comm, sizeof(p->comm));
}

static void facts_from_exec(struct process *p, const struct event *ev)
{
	const struct event_exec *x = &ev->exec;

	identity_from_event(p, ev);
	p->exec_ns = ev->boot_ns;
	p->parent_key = x->parent;
	p->parent_exec_id = x->parent_exec_id;
	p->ppid = x->ppid;
	p->vpid = x->vpid;
	p->sid = x->sid;
	p->pgid = x->pgid;
	p->vpgid = x->vpgid;
	p->loginuid = x->loginuid;
	p->sessionid = x->sessionid;
	p->tty = x->tty;
	p->cap_effective = x->cap_effective;
	p->cap_permitted = x->cap_permitted;
	p->cap_inheritable = x->cap_inheritable;
	p->ns_pid = x->ns_pid;
	p->ns_mnt = x->ns_mnt;
	p->ns_net = x->ns_net;
	p->ns_user = x->ns_user;
	p->ns_cgroup = x->ns_cgroup;
	p->ns_uts = x->ns_uts;
	p->ns_ipc = x->ns_ipc;
	p->exe_mode = x->exe_mode;
	p->exe_dev = x->exe_dev;
	p->exe_ino = x->exe_ino;
	p->exe_ctime_ns = x->exe_ctime_ns;
	p->exe_mtime_ns = x->exe_mtime_ns;
	p->exe_upper = x->exe_upper;
	p->exe_memfd = x->exe_memfd;
	p->kthread = x->kthread;
	p->truncated = x->args_total > x->args.len;
}

/* What a new execution keeps of the one before it, or a child of its parent. */
static void facts_inherit(struct process *to, const struct process *from)
{
	to->loginuid = from->loginuid;
	to->sessionid = from->sessionid;
	to->tty = from->tty;
	to->cap_effective = from->cap_effective;
	to->cap_permitted = from->cap_permitted;
	to->cap_inheritable = from->cap_inheritable;
	to->exe_mode = from->exe_mode;
	to->exe_dev = from->exe_dev;
	to->exe_ino = from->exe_ino;
	to->exe_ctime_ns = from->exe_ctime_ns;
	to->exe_mtime_ns = from->exe_mtime_ns;
	to->exe_upper = from->exe_upper;
	to->exe_memfd = from->exe_memfd;
	to->kthread = from->kthread;
	to->truncated = from->truncated;
}

static struct node *parent_node(struct process_table *t, struct process_key key, uint64_t exec_id)
{
	return key.tgid ? node_near(t, key, exec_id) : NULL;
}

struct process *process_table_exec(struct process_table *t, const struct event *ev, uint64_t pos)
{
	struct node *before = node_near(t, ev->key, ev->exec_id);
	struct node *n = node_exact(t, ev->key, ev->exec_id);

	if (!n)
		n = node_new(t, ev->key, ev->exec_id);
	if (!n)
		return NULL;
	facts_from_exec(&n->pub, ev);
	n->pub.partial = n->pub.inherited = false;
	node_set_texts(n, event_str(ev, ev->exec.exe), event_str(ev, ev->exec.args),
		event_str(ev, ev->exec.cwd), event_str(ev, ev->exec.cgroup));
	/* the creator stays the parent across executions, also when the kernel has another one by now */
	if (before && before != n && before->pub.parent)
		node_set_parent(t, n, node_of(before->pub.parent));
	else
		node_set_parent(t, n, parent_node(t, ev->exec.parent, ev->exec.parent_exec_id));
	if (is_newest(t, n))
		node_revive(t, n);
	else
		node_end(t, n, pos); /* the seed knew a later one already */
	end_older(t, n, pos);
	return &n->pub;
}

struct process *process_table_fork(struct process_table *t, const struct event *ev)
{
	const struct event_fork *f = &ev->fork;
	struct node *parent = parent_node(t, f->parent, f->parent_exec_id);
	struct node *creator = parent_node(t, f->creator, f->creator_exec_id);
	struct node *n = node_exact(t, ev->key, ev->exec_id);

	if (f->creator.tgid == 0)
		creator = parent;
	if (n && !n->pub.partial)
		return &n->pub; /* seeded already: the seed knows more */
	if (!n)
		n = node_new(t, ev->key, ev->exec_id);
	if (!n)
		return NULL;
	struct process *p = &n->pub;
	node_revive(t, n);
	identity_from_event(p, ev);
	if (creator)
		facts_inherit(p, &creator->pub);
	p->exec_ns = ev->boot_ns;
	p->parent_key = f->parent;
	p->parent_exec_id = f->parent_exec_id;
	p->ppid = f->ppid;
	p->vpid = f->vpid;
	p->sid = f->sid;
	p->pgid = f->pgid;
	p->vpgid = f->vpgid;
	p->ns_pid = f->ns_pid;
	p->ns_mnt = f->ns_mnt;
	p->ns_net = f->ns_net;
	p->ns_user = f->ns_user;
	p->ns_cgroup = f->ns_cgroup;
	p->ns_uts = f->ns_uts;
	p->ns_ipc = f->ns_ipc;
	p->inherited = true;
	p->partial = creator == NULL;
	struct str none = { 0 };
	node_set_texts(n, creator ? creator->pub.exe : none, creator ? creator->pub.args : none,
		creator ? creator->pub.cwd : none, event_str(ev, f->cgroup));
	node_set_parent(t, n, parent);
	return p;
}

const struct process *process_table_exit(
	struct process_table *t, const struct event *ev, uint64_t pos)
{
	const struct process *p = process_table_join(t, ev, pos);
	struct group *g = group_find(t, ev->key);

	for (struct node *n = g ? g->newest : NULL; n; n = n->older) {
		n->pub.exited = true;
		n->pub.exit_code = ev->exit.code;
		n->pub.exit_ns = ev->boot_ns;
		node_end(t, n, pos);
	}
	return p;
}

struct process *process_table_seed(struct process_table *t, const struct event *ev, struct str args)
{
	struct node *n = node_exact(t, ev->key, ev->exec_id);

	if (!n)
		n = node_new(t, ev->key, ev->exec_id);
	if (!n)
		return NULL;
	facts_from_exec(&n->pub, ev);
	n->pub.exec_ns = ev->key.start_ns;
	n->pub.truncated = n->pub.partial = n->pub.inherited = false;
	node_set_texts(n, event_str(ev, ev->exec.exe), args, event_str(ev, ev->exec.cwd),
		event_str(ev, ev->exec.cgroup));
	return &n->pub;
}

void process_table_link(struct process_table *t)
{
	for (struct node *n = t->all; n; n = n->all_next) {
		if (!n->pub.parent)
			node_set_parent(
				t, n, parent_node(t, n->pub.parent_key, n->pub.parent_exec_id));
	}
}

const struct process *process_table_join(
	struct process_table *t, const struct event *ev, uint64_t pos)
{
	struct node *n = node_exact(t, ev->key, ev->exec_id);

	if (n)
		return &n->pub;
	struct node *near = node_near(t, ev->key, ev->exec_id);
	bool alive = near && !near->pub.exited && !near->ending;
	n = node_new(t, ev->key, ev->exec_id);
	if (!n)
		return NULL;
	struct process *p = &n->pub;
	p->partial = true;
	if (near) {
		/* the process is known, this execution of it is not: what exec does not change is carried over */
		const struct process *from = &near->pub;
		*p = (struct process){ .key = p->key, .exec_id = p->exec_id, .partial = true };
		facts_inherit(p, from);
		p->parent_key = from->parent_key;
		p->parent_exec_id = from->parent_exec_id;
		p->ppid = from->ppid;
		p->vpid = from->vpid;
		p->sid = from->sid;
		p->pgid = from->pgid;
		p->vpgid = from->vpgid;
		p->ns_pid = from->ns_pid;
		p->ns_net = from->ns_net;
		p->ns_user = from->ns_user;
		p->container = from->container;
		node_set_parent(t, n, from->parent ? node_of(from->parent) : NULL);
	}
	identity_from_event(p, ev);
	p->ns_mnt = ev->ns_mnt;
	p->exec_ns = ev->boot_ns;
	struct str none = { 0 };
	node_set_texts(n, none, none, none, near ? near->pub.cgroup : none);
	/* an older execution of a live process ends with the ring; so does one of a process we know nothing of */
	if (alive && is_newest(t, n))
		end_older(t, n, pos);
	else
		node_end(t, n, pos);
	return p;
}

struct process *process_table_find(
	struct process_table *t, struct process_key key, uint64_t exec_id)
{
	struct node *n = node_exact(t, key, exec_id);

	return n ? &n->pub : NULL;
}

void process_table_complete(
	struct process_table *t, struct process *p, struct str exe, struct str args)
{
	(void)t;
	node_set_texts(node_of(p), exe, args, p->cwd, p->cgroup);
	p->partial = false;
}

void process_table_passed(struct process_table *t, uint64_t pos)
{
	while (t->first_ending < t->endings.n && t->endings.p[t->first_ending].pos <= pos) {
		struct node *n = t->endings.p[t->first_ending++].node;
		if (n)
			node_remove(t, n);
	}
	if (t->first_ending > 1024 && t->first_ending * 2 > t->endings.n) {
		t->endings.n -= t->first_ending;
		memmove(t->endings.p, t->endings.p + t->first_ending,
			t->endings.n * sizeof(t->endings.p[0]));
		t->first_ending = 0;
	}
}

static bool group_is_over(const struct group *g)
{
	for (const struct node *n = g->newest; n; n = n->older) {
		if (!n->ending)
			return false;
	}
	return true;
}

void process_table_sweep(struct process_table *t, uint64_t pos,
	bool (*alive)(void *ctx, struct process_key key), void *ctx)
{
	for (size_t i = 0; i < TABLE_BUCKETS; i++) {
		for (struct group *g = t->buckets[i]; g; g = g->next) {
			if (group_is_over(g) || alive(ctx, g->key))
				continue;
			for (struct node *n = g->newest; n; n = n->older) {
				n->pub.exited = true;
				node_end(t, n, pos);
			}
		}
	}
}

void process_table_each(
	struct process_table *t, bool (*fn)(void *ctx, struct process *p), void *ctx)
{
	for (struct node *n = t->all; n; n = n->all_next) {
		if (!fn(ctx, &n->pub))
			return;
	}
}

uint64_t process_table_count(const struct process_table *t)
{
	return t->count;
}

uint64_t process_table_refused(const struct process_table *t)
{
	return t->refused;
}
