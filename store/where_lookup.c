/*
 * What a condition asks of processes and containers while rows are read. Runs inside SQL's
 * functions: it reads by statements of its own, on the connection of hullwatch.db.
 */
#include "store/reader_impl.h"

#include "base/json.h"
#include "base/map.h"

#include <stdlib.h>

#define ARENA_MAX_BYTES (64u << 20)
#define KEEP_BYTES      (32u << 20) /* past it everything is forgotten, between two questions */
#define JSON_MAX_BYTES  (2u << 20)

struct known_process {
	bool absent, linked; /* linked: .process.parent is looked up */
	struct process process;
	uint64_t exec_ts_ns;
};

struct known_container {
	bool absent;
	struct container container;
};

struct where_lookup {
	struct sql_stmt *process, *container;
	struct arena *arena;
	struct map *processes, *containers; /* values live in the arena */
};

static const char process_sql[] =
	"SELECT p.parent_pid, p.parent_start_ns, p.parent_exec_id, p.ppid, p.vpid, p.sid, p.pgid,"
	" p.vpgid, p.exec_ts_ns, p.comm, p.exe, p.args, p.cwd, p.cgroup, p.tty, p.uid, p.gid,"
	" p.euid, p.loginuid, p.sessionid, p.cap_effective, p.cap_permitted, p.cap_inheritable,"
	" p.exe_mode, p.exe_dev, p.exe_ino, p.exe_ctime_ns, p.exe_mtime_ns, p.exe_upper,"
	" p.exe_memfd, p.kthread, p.inherited, p.partial FROM boots b JOIN processes p"
	" ON p.boot = b.boot WHERE b.boot_id = ?1 AND p.pid = ?2 AND p.start_ns = ?3"
	" AND p.exec_id = ?4";

static const char container_sql[] =
	"SELECT id, runtime, state, name, image, image_repo, image_tag, image_digest, image_id,"
	" user, k8s_pod, k8s_ns, privileged, host_pid, host_network, host_ipc, init_pid, mounts,"
	" labels, created_ns FROM containers WHERE id = ?1";

static void forget(struct where_lookup *l)
{
	map_free(l->processes);
	map_free(l->containers);
	arena_free(l->arena);
	l->arena = arena_new(ARENA_MAX_BYTES);
	l->processes = map_new(NULL);
	l->containers = map_new(NULL);
}

int where_lookup_open(struct where_lookup **out, struct store_reader *r, struct err *e)
{
	struct where_lookup *l = xcalloc(1, sizeof(*l));
	forget(l);
	if (sql_prepare(&l->process, r->db, process_sql, e) ||
		sql_prepare(&l->container, r->db, container_sql, e)) {
		where_lookup_close(l);
		return -1;
	}
	*out = l;
	return 0;
}

void where_lookup_close(struct where_lookup *l)
{
	if (!l)
		return;
	sql_finalize(l->process);
	sql_finalize(l->container);
	map_free(l->processes);
	map_free(l->containers);
	arena_free(l->arena);
	free(l);
}

static struct str column(struct where_lookup *l, struct sql_stmt *s, int col)
{
	struct str text = arena_str(l->arena, sql_str(s, col));
	return text.p ? text : STR("");
}

static uint32_t or_unset(struct sql_stmt *s, int col)
{
	return sql_is_null(s, col) ? UINT32_MAX : (uint32_t)sql_i64(s, col);
}

/* --- processes --- */

/* The list of the row to argv as the kernel has it, each ended by NUL. */
static struct str read_args(struct where_lookup *l, struct str text)
{
	AUTO(json_free) struct json *j = NULL;
	AUTO(buf_fini) struct buf b = BUF_INIT(JSON_MAX_BYTES);
	if (json_parse(&j, text, JSON_MAX_BYTES, NULL))
		return STR("");
	for (size_t i = 0; i < json_len(json_root(j)); i++) {
		buf_put_str(&b, json_str(json_at(json_root(j), i), STR("")));
		buf_putc(&b, '\0');
	}
	struct str args = arena_str(l->arena, buf_str(&b));
	return args.p ? args : STR("");
}

static void read_process(struct where_lookup *l, struct known_process *k)
{
	struct sql_stmt *s = l->process;
	struct str comm = sql_str(s, 9);
	size_t comm_n = comm.n < sizeof(k->process.comm) - 1 ? comm.n : sizeof(k->process.comm) - 1;
	k->exec_ts_ns = (uint64_t)sql_i64(s, 8);
	k->process = (struct process){
		.parent_key = { (uint32_t)sql_i64(s, 0), (uint64_t)sql_i64(s, 1) },
		.parent_exec_id = (uint64_t)sql_i64(s, 2),
		.ppid = (uint32_t)sql_i64(s, 3),
		.vpid = (uint32_t)sql_i64(s, 4),
		.sid = (uint32_t)sql_i64(s, 5),
		.pgid = (uint32_t)sql_i64(s, 6),
		.vpgid = (uint32_t)sql_i64(s, 7),
		.exe = column(l, s, 10),
		.args = read_args(l, sql_str(s, 11)),
		.cwd = column(l, s, 12),
		.cgroup = column(l, s, 13),
		.tty = (uint32_t)sql_i64(s, 14),
		.uid = (uint32_t)sql_i64(s, 15),
		.gid = (uint32_t)sql_i64(s, 16),
		.euid = (uint32_t)sql_i64(s, 17),
		.loginuid = or_unset(s, 18),
		.sessionid = or_unset(s, 19),
		.cap_effective = (uint64_t)sql_i64(s, 20),
		.cap_permitted = (uint64_t)sql_i64(s, 21),
		.cap_inheritable = (uint64_t)sql_i64(s, 22),
		.exe_mode = (uint32_t)sql_i64(s, 23),
		.exe_dev = (uint64_t)sql_i64(s, 24),
		.exe_ino = (uint64_t)sql_i64(s, 25),
		.exe_ctime_ns = (uint64_t)sql_i64(s, 26),
		.exe_mtime_ns = (uint64_t)sql_i64(s, 27),
		.exe_upper = sql_i64(s, 28) != 0,
		.exe_memfd = sql_i64(s, 29) != 0,
		.kthread = sql_i64(s, 30) != 0,
		.inherited = sql_i64(s, 31) != 0,
		.partial = sql_i64(s, 32) != 0,
	};
	memcpy(k->process.comm, comm.n ? comm.p : "", comm_n);
}

/* NULL when there is no memory left. */
static struct known_process *find_process(
	struct where_lookup *l, struct str boot_id, struct process_key key, uint64_t exec_id)
{
	AUTO(buf_fini) struct buf name = BUF_INIT(256);
	struct known_process *k;
	buf_put(&name, &key.tgid, sizeof(key.tgid));
	buf_put(&name, &key.start_ns, sizeof(key.start_ns));
	buf_put(&name, &exec_id, sizeof(exec_id));
	buf_put_str(&name, boot_id);
	k = map_get(l->processes, buf_str(&name));
	if (k || name.full)
		return k;
	k = arena_alloc(l->arena, sizeof(*k));
	if (!k)
		return NULL;
	sql_reset(l->process);
	sql_bind_str(l->process, 1, boot_id);
	sql_bind_i64(l->process, 2, key.tgid);
	sql_bind_u64(l->process, 3, key.start_ns);
	sql_bind_u64(l->process, 4, exec_id);
	/* A failure, such as a deadline, is the outer query's too. */
	k->absent = sql_step(l->process, NULL) != 1;
	if (!k->absent)
		read_process(l, k);
	k->process.key = key;
	k->process.exec_id = exec_id;
	sql_reset(l->process);
	map_put(l->processes, buf_str(&name), k);
	return k;
}

static void link_parents(struct where_lookup *l, struct str boot_id, struct known_process *k)
{
	for (int i = 0; i < PROCESS_MAX_LINEAGE && !k->linked; i++) {
		struct process *p = &k->process;
		struct known_process *up = NULL;
		k->linked = true;
		if (p->parent_key.tgid)
			up = find_process(l, boot_id, p->parent_key, p->parent_exec_id);
		if (!up || up->absent)
			return;
		p->parent = &up->process;
		k = up;
	}
}

static bool give_process(void *ctx, struct str boot_id, struct process_key key, uint64_t exec_id,
	struct process *out, uint64_t *exec_ts_ns)
{
	struct where_lookup *l = ctx;
	if (arena_used(l->arena) > KEEP_BYTES)
		forget(l);
	struct known_process *k = find_process(l, boot_id, key, exec_id);
	if (!k || k->absent)
		return false;
	link_parents(l, boot_id, k);
	*out = k->process;
	*exec_ts_ns = k->exec_ts_ns;
	return true;
}

/* --- containers --- */

static enum container_runtime runtime_of(struct str name)
{
	for (enum container_runtime r = RUNTIME_PODMAN; r <= RUNTIME_LXC; r++) {
		if (str_eqz(name, container_runtime_name(r)))
			return r;
	}
	return RUNTIME_UNKNOWN;
}

static enum container_state state_of(struct str name)
{
	if (str_eqz(name, "known"))
		return CONTAINER_KNOWN;
	return str_eqz(name, "pending") ? CONTAINER_PENDING : CONTAINER_UNKNOWN;
}

static struct str member(struct where_lookup *l, const struct json_node *n, const char *key)
{
	struct str s = arena_str(l->arena, json_str(json_get(n, key), STR("")));
	return s.p ? s : STR("");
}

static void read_mounts(struct where_lookup *l, struct container *c, struct str text)
{
	AUTO(json_free) struct json *j = NULL;
	if (json_parse(&j, text, JSON_MAX_BYTES, NULL) || json_type(json_root(j)) != JSON_ARR)
		return;
	size_t n = json_len(json_root(j));
	struct container_mount *all = arena_alloc(l->arena, (n + 1) * sizeof(*all));
	for (size_t i = 0; all && i < n; i++) {
		const struct json_node *m = json_at(json_root(j), i);
		all[i] = (struct container_mount){
			.source = member(l, m, "source"),
			.dest = member(l, m, "dest"),
			.mode = member(l, m, "mode"),
			.options = member(l, m, "options"),
			.rw = json_bool(json_get(m, "rw"), false),
		};
	}
	c->mounts = all;
	c->mounts_n = all ? (uint32_t)n : 0;
}

struct labels {
	struct where_lookup *l;
	struct container_label *all;
	uint32_t n;
};

static bool add_label(void *ctx, struct str key, const struct json_node *v)
{
	struct labels *to = ctx;
	struct container_label *label = &to->all[to->n++];
	label->key = arena_str(to->l->arena, key);
	label->value = arena_str(to->l->arena, json_str(v, STR("")));
	return true;
}

static void read_labels(struct where_lookup *l, struct container *c, struct str text)
{
	AUTO(json_free) struct json *j = NULL;
	if (json_parse(&j, text, JSON_MAX_BYTES, NULL) || json_type(json_root(j)) != JSON_OBJ)
		return;
	struct labels to = { .l = l };
	to.all = arena_alloc(l->arena, (json_len(json_root(j)) + 1) * sizeof(*to.all));
	if (!to.all)
		return;
	json_each(json_root(j), add_label, &to);
	c->labels = to.all;
	c->labels_n = to.n;
}

static void read_container(struct where_lookup *l, struct container *c)
{
	struct sql_stmt *s = l->container;
	struct str id = sql_str(s, 0);
	*c = (struct container){
		.runtime = runtime_of(sql_str(s, 1)),
		.state = state_of(sql_str(s, 2)),
		.name = column(l, s, 3),
		.image = column(l, s, 4),
		.image_repo = column(l, s, 5),
		.image_tag = column(l, s, 6),
		.image_digest = column(l, s, 7),
		.image_id = column(l, s, 8),
		.user = column(l, s, 9),
		.k8s_pod = column(l, s, 10),
		.k8s_ns = column(l, s, 11),
		.privileged = sql_i64(s, 12) != 0,
		.host_pid = sql_i64(s, 13) != 0,
		.host_network = sql_i64(s, 14) != 0,
		.host_ipc = sql_i64(s, 15) != 0,
		.init_pid = (uint32_t)sql_i64(s, 16),
		.created_ns = (uint64_t)sql_i64(s, 19),
	};
	memcpy(c->id, id.p, id.n < CONTAINER_ID_LEN ? id.n : CONTAINER_ID_LEN);
	read_mounts(l, c, sql_str(s, 17));
	read_labels(l, c, sql_str(s, 18));
}

static const struct container *give_container(void *ctx, struct str id)
{
	struct where_lookup *l = ctx;
	struct known_container *k = map_get(l->containers, id);
	if (!k) {
		k = arena_alloc(l->arena, sizeof(*k));
		if (!k)
			return NULL;
		sql_reset(l->container);
		sql_bind_str(l->container, 1, id);
		k->absent = sql_step(l->container, NULL) != 1;
		if (!k->absent)
			read_container(l, &k->container);
		sql_reset(l->container);
		map_put(l->containers, id, k);
	}
	return k->absent ? NULL : &k->container;
}

struct where_source where_lookup_source(struct where_lookup *l)
{
	return (struct where_source){
		.ctx = l, .process = give_process, .container = give_container
	};
}
