/* The answer becomes a small store in memory, which is asked as the one on disk is. */
#include "cmd/live.h"

#include "base/map.h"
#include "store/container_rows.h"
#include "store/event_rows.h"
#include "store/process_rows.h"
#include "store/reader.h"
#include "store/schema.h"

#include <stdlib.h>

#define ARGS_MAX_BYTES (2u << 20)

struct live {
	struct map *found; /* by key_of(); values are the map itself */
};

static uint64_t number(const struct json_node *n, const char *key)
{
	return (uint64_t)json_int(json_get(n, key), 0);
}

static struct str text(const struct json_node *n, const char *key)
{
	return json_str(json_get(n, key), STR(""));
}

static bool flag(const struct json_node *n, const char *key)
{
	return json_bool(json_get(n, key), false);
}

static struct str key_of(struct buf *b, uint64_t pid, uint64_t start_ns, uint64_t exec_id)
{
	buf_reset(b);
	buf_printf(b, "%llu.%llu.%llu", (unsigned long long)pid, (unsigned long long)start_ns,
		(unsigned long long)exec_id);
	return buf_str(b);
}

static void read_args(struct buf *b, const struct json_node *list)
{
	buf_reset(b);
	for (size_t i = 0; i < json_len(list); i++) {
		buf_put_str(b, json_str(json_at(list, i), STR("")));
		buf_putc(b, '\0');
	}
}

static struct process process_of(const struct json_node *n, struct buf *args)
{
	struct str comm = text(n, "comm");
	struct process p = {
		.key = { (uint32_t)number(n, "pid"), number(n, "start_ns") },
		.exec_id = number(n, "exec_id"),
		.exec_ns = number(n, "time_ns"), /* on UTC already: stored with an offset of 0 */
		.parent_key = { (uint32_t)number(n, "parent_pid"), number(n, "parent_start_ns") },
		.parent_exec_id = number(n, "parent_exec_id"),
		.ppid = (uint32_t)number(n, "ppid"),
		.vpid = (uint32_t)number(n, "vpid"),
		.sid = (uint32_t)number(n, "sid"),
		.pgid = (uint32_t)number(n, "pgid"),
		.vpgid = (uint32_t)number(n, "vpgid"),
		.uid = (uint32_t)number(n, "uid"),
		.gid = (uint32_t)number(n, "gid"),
		.euid = (uint32_t)number(n, "euid"),
		.loginuid = (uint32_t)number(n, "loginuid"),
		.sessionid = UINT32_MAX,
		.tty = (uint32_t)number(n, "tty"),
		.cap_effective = number(n, "cap_effective"),
		.cap_permitted = number(n, "cap_permitted"),
		.cap_inheritable = number(n, "cap_inheritable"),
		.exe_ino = number(n, "exe_ino"),
		.exe_ctime_ns = number(n, "exe_ctime_ns"),
		.exe_mtime_ns = number(n, "exe_mtime_ns"),
		.exe_upper = flag(n, "exe_upper"),
		.exe_memfd = flag(n, "exe_memfd"),
		.kthread = flag(n, "kthread"),
		.inherited = flag(n, "inherited"),
		.partial = flag(n, "partial"),
		.exe = text(n, "exe"),
		.cwd = text(n, "cwd"),
		.cgroup = text(n, "cgroup"),
	};
	read_args(args, json_get(n, "args"));
	p.args = buf_str(args);
	memcpy(p.comm, comm.n ? comm.p : "", comm.n < sizeof(p.comm) ? comm.n : sizeof(p.comm) - 1);
	return p;
}

static enum container_runtime runtime_of(struct str name)
{
	for (enum container_runtime r = RUNTIME_PODMAN; r <= RUNTIME_LXC; r++)
		if (str_eqz(name, container_runtime_name(r)))
			return r;
	return RUNTIME_UNKNOWN;
}

static struct container container_of_process(const struct json_node *n)
{
	struct str id = text(n, "container_id");
	struct container c = {
		.runtime = runtime_of(text(n, "container_runtime")),
		.state = json_get(n, "container_image") ? CONTAINER_KNOWN : CONTAINER_UNKNOWN,
		.name = text(n, "container_name"),
		.image = text(n, "container_image"),
		.image_repo = text(n, "container_image_repo"),
		.image_tag = text(n, "container_image_tag"),
		.image_id = text(n, "container_image_id"),
		.k8s_pod = text(n, "k8s_pod"),
		.k8s_ns = text(n, "k8s_ns"),
		.privileged = flag(n, "container_privileged"),
	};
	memcpy(c.id, id.n ? id.p : "", id.n < sizeof(c.id) ? id.n : CONTAINER_ID_LEN);
	return c;
}

static int fill(struct sql *db, const struct json_node *list, struct err *e)
{
	AUTO(process_rows_close) struct process_rows *processes = NULL;
	AUTO(container_rows_close) struct container_rows *containers = NULL;
	AUTO(buf_fini) struct buf args = BUF_INIT(ARGS_MAX_BYTES);
	int64_t boot;
	if (sql_exec(db, schema_main.create, e) || boot_number(db, "", "", &boot, e) ||
		process_rows_open(&processes, db, boot, e) ||
		container_rows_open(&containers, db, e))
		return -1;
	for (size_t i = 0; i < json_len(list); i++) {
		const struct json_node *n = json_at(list, i);
		struct process p = process_of(n, &args);
		struct container c = container_of_process(n);
		if (process_rows_put(processes, &p, str_from(c.id), 0, e) ||
			(c.id[0] && container_rows_put(containers, &c, 1, false, e)))
			return -1;
	}
	return 0;
}

static int open_reader(struct store_reader **out, const struct json_node *list, struct err *e)
{
	AUTO(sql_close) struct sql *db = NULL;
	if (sql_open(&db, ":memory:", SQL_CREATE, 0, e) || sql_exec(db, "BEGIN", e) ||
		fill(db, list, e) || sql_exec(db, "COMMIT", e) || store_reader_open_on(out, db, e))
		return -1;
	TAKE(db);
	return 0;
}

int live_find(struct live **out, const struct json_node *list, struct str condition, struct err *e)
{
	AUTO(live_free) struct live *l = xcalloc(1, sizeof(*l));
	AUTO(store_reader_close) struct store_reader *r = NULL;
	AUTO(store_cursor_close) struct store_cursor *c = NULL;
	AUTO(buf_fini) struct buf key = BUF_INIT(256);
	const struct store_query q = { .where = condition };
	struct process_row row;
	int step;
	l->found = map_new(NULL);
	if (open_reader(&r, list, e) || store_query_processes(&c, r, &q, e))
		return -1;
	while ((step = store_next_process(c, &row, e)) > 0)
		map_put(l->found, key_of(&key, row.key.tgid, row.key.start_ns, row.exec_id),
			l->found);
	if (step < 0)
		return -1;
	*out = TAKE(l);
	return 0;
}

bool live_has(const struct live *l, const struct json_node *p)
{
	AUTO(buf_fini) struct buf key = BUF_INIT(256);
	return map_get(l->found,
		key_of(&key, number(p, "pid"), number(p, "start_ns"), number(p, "exec_id")));
}

void live_free(struct live *l)
{
	if (!l)
		return;
	map_free(l->found);
	free(l);
}
