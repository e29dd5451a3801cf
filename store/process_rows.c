#include "store/process_rows.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"

#include <stdlib.h>

enum {
	PROCESS_MAX_TEXT = 1 << 20, /* one column, escaped; argv is at most 128 KiB an argument */
	KNOWN_N = 8192,             /* power of two */
};

/* A cell holds the whole key: a hash alone could be made to collide, and a row would be missing. */
struct known {
	uint32_t tgid;
	bool exited, contained, partial;
	uint64_t start_ns, exec_id;
};

enum text_column { TEXT_COMM, TEXT_EXE, TEXT_CMDLINE, TEXT_ARGS, TEXT_CWD, TEXT_CGROUP, TEXT_N };

struct process_rows {
	struct sql *db;
	int64_t boot;
	struct sql_stmt *put, *exit;
	struct buf text[TEXT_N], raw;
	struct known known[KNOWN_N]; /* direct-mapped; tgid 0 is free */
};

/* Of a process that was first seen halfway, the full row replaces what was guessed. */
#define COMPLETE(col)                                                                              \
	col " = CASE WHEN excluded.partial < partial THEN excluded." col " ELSE " col " END"

static const char put_sql[] = "INSERT INTO processes (boot, pid, start_ns, exec_id, parent_pid, parent_start_ns,"
			      " parent_exec_id, ppid, vpid, sid, pgid, vpgid, exec_ts_ns, exit_ts_ns, exit_code, comm, exe,"
			      " cmdline, args, cwd, cgroup, tty, uid, gid, euid, loginuid, sessionid, cap_effective,"
			      " cap_permitted, cap_inheritable, ns_pid, ns_mnt, ns_net, ns_user, ns_cgroup, ns_uts, ns_ipc,"
			      " cgroup_id, exe_mode, exe_dev, exe_ino, exe_ctime_ns, exe_mtime_ns, exe_upper, exe_memfd,"
			      " kthread, truncated, inherited, partial, container_id)"
			      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
			      " ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36,"
			      " ?37, ?38, ?39, ?40, ?41, ?42, ?43, ?44, ?45, ?46, ?47, ?48, ?49, ?50)"
			      " ON CONFLICT (boot, pid, start_ns, exec_id) DO UPDATE SET"
			      " exit_ts_ns = coalesce(excluded.exit_ts_ns, exit_ts_ns),"
			      " exit_code = coalesce(excluded.exit_code, exit_code),"
			      " container_id = CASE WHEN excluded.container_id <> '' THEN excluded.container_id"
			      "  ELSE container_id END," COMPLETE("parent_pid") "," COMPLETE("parent_start_ns") "," COMPLETE(
				      "parent_exec_id") "," COMPLETE("ppid") "," COMPLETE("vpid") "," COMPLETE("sid") "," COMPLETE("pgid") "," COMPLETE("vpgid") "," COMPLETE("exec_ts_ns") "," COMPLETE("comm") "," COMPLETE("exe") "," COMPLETE("cmdline") "," COMPLETE("args") "," COMPLETE("cwd") "," COMPLETE("cgroup") "," COMPLETE("tty") "," COMPLETE("loginuid") "," COMPLETE("sessionid") "," COMPLETE("cap_effective") "," COMPLETE("cap_permitted") "," COMPLETE("cap_inheritable") "," COMPLETE("ns_pid") "," COMPLETE("ns_mnt") "," COMPLETE("ns_net") "," COMPLETE("ns_user") "," COMPLETE("ns_cgroup") "," COMPLETE("ns_uts") "," COMPLETE("ns_ipc") "," COMPLETE("exe_mode") "," COMPLETE("exe_dev") "," COMPLETE("exe_ino") "," COMPLETE("exe_ctime_ns") "," COMPLETE("exe_mtime_ns") "," COMPLETE("exe_upper") "," COMPLETE("exe_memfd") "," COMPLETE("truncated") "," COMPLETE("inherited") ","
																																																																																																														" partial = min(excluded.partial, partial)";

static const char exit_sql[] = "UPDATE processes SET exit_ts_ns = ?1, exit_code = ?2"
			       " WHERE boot = ?3 AND pid = ?4 AND start_ns = ?5 AND exec_id = ?6";

int process_rows_open(struct process_rows **out, struct sql *db, int64_t boot, struct err *e)
{
	AUTO(process_rows_close) struct process_rows *t = xcalloc(1, sizeof(*t));
	t->db = db;
	t->boot = boot;
	t->raw.max = PROCESS_MAX_TEXT;
	for (size_t i = 0; i < TEXT_N; i++)
		t->text[i].max = PROCESS_MAX_TEXT;
	if (sql_prepare(&t->put, db, put_sql, e) || sql_prepare(&t->exit, db, exit_sql, e))
		return -1;
	*out = TAKE(t);
	return 0;
}

void process_rows_close(struct process_rows *t)
{
	if (!t)
		return;
	sql_finalize(t->put);
	sql_finalize(t->exit);
	for (size_t i = 0; i < TEXT_N; i++)
		buf_fini(&t->text[i]);
	buf_fini(&t->raw);
	free(t);
}

void process_rows_forget(struct process_rows *t)
{
	memset(t->known, 0, sizeof(t->known));
}

static struct known *known_cell(struct process_rows *t, const struct process *p)
{
	uint64_t h = hash_u64(
		p->key.start_ns ^ hash_u64(p->exec_id ^ ((uint64_t)p->key.tgid << 32)));
	return &t->known[h & (KNOWN_N - 1)];
}

static bool is_known(const struct known *k, const struct known *now)
{
	return k->tgid == now->tgid && k->start_ns == now->start_ns && k->exec_id == now->exec_id &&
	       k->exited == now->exited && k->contained == now->contained &&
	       k->partial == now->partial;
}

static void put_args_json(struct buf *b, struct str args)
{
	struct jw w = jw_on(b);
	jw_arr(&w);
	while (args.n)
		jw_str(&w, str_cut(&args, '\0'));
	jw_end_arr(&w);
}

static void fill_texts(struct process_rows *t, const struct process *p)
{
	for (size_t i = 0; i < TEXT_N; i++)
		buf_reset(&t->text[i]);
	buf_reset(&t->raw);
	process_cmdline_text(&t->raw, p);
	text_clean(&t->text[TEXT_CMDLINE], buf_str(&t->raw));
	text_clean(&t->text[TEXT_COMM], str_of(p->comm, strnlen(p->comm, sizeof(p->comm))));
	text_clean(&t->text[TEXT_EXE], p->exe);
	text_clean(&t->text[TEXT_CWD], p->cwd);
	text_clean(&t->text[TEXT_CGROUP], p->cgroup);
	put_args_json(&t->text[TEXT_ARGS], p->args);
	/* A list that was cut in the middle is no JSON. The command line holds what fits. */
	if (t->text[TEXT_ARGS].full) {
		buf_reset(&t->text[TEXT_ARGS]);
		buf_puts(&t->text[TEXT_ARGS], "[]");
	}
}

static void bind_or_null(struct sql_stmt *s, int at, uint32_t v)
{
	if (v == UINT32_MAX)
		sql_bind_null(s, at);
	else
		sql_bind_i64(s, at, v);
}

static void bind_keys(struct process_rows *t, const struct process *p, int64_t offset_ns)
{
	struct sql_stmt *s = t->put;
	uint64_t exec_ns = p->exec_ns ? p->exec_ns : p->key.start_ns;
	sql_bind_i64(s, 1, t->boot);
	sql_bind_i64(s, 2, p->key.tgid);
	sql_bind_u64(s, 3, p->key.start_ns);
	sql_bind_u64(s, 4, p->exec_id);
	sql_bind_i64(s, 5, p->parent_key.tgid);
	sql_bind_u64(s, 6, p->parent_key.start_ns);
	sql_bind_u64(s, 7, p->parent_exec_id);
	sql_bind_i64(s, 8, p->ppid);
	sql_bind_i64(s, 9, p->vpid);
	sql_bind_i64(s, 10, p->sid);
	sql_bind_i64(s, 11, p->pgid);
	sql_bind_i64(s, 12, p->vpgid);
	sql_bind_u64(s, 13, exec_ns + (uint64_t)offset_ns);
	if (p->exited) {
		sql_bind_u64(s, 14, p->exit_ns + (uint64_t)offset_ns);
		sql_bind_i64(s, 15, p->exit_code);
	} else {
		sql_bind_null(s, 14);
		sql_bind_null(s, 15);
	}
}

static void bind_numbers(struct sql_stmt *s, const struct process *p)
{
	const uint64_t plain[] = {
		p->cap_effective,
		p->cap_permitted,
		p->cap_inheritable,
		p->ns_pid,
		p->ns_mnt,
		p->ns_net,
		p->ns_user,
		p->ns_cgroup,
		p->ns_uts,
		p->ns_ipc,
		p->cgroup_id,
		p->exe_mode,
		p->exe_dev,
		p->exe_ino,
		p->exe_ctime_ns,
		p->exe_mtime_ns,
		p->exe_upper,
		p->exe_memfd,
		p->kthread,
		p->truncated,
		p->inherited,
		p->partial,
	};
	sql_bind_i64(s, 22, p->tty);
	sql_bind_i64(s, 23, p->uid);
	sql_bind_i64(s, 24, p->gid);
	sql_bind_i64(s, 25, p->euid);
	bind_or_null(s, 26, p->loginuid);
	bind_or_null(s, 27, p->sessionid);
	for (size_t i = 0; i < ARRAY_N(plain); i++)
		sql_bind_u64(s, 28 + (int)i, plain[i]);
}

int process_rows_put(struct process_rows *t, const struct process *p, struct str container_id,
	int64_t offset_ns, struct err *e)
{
	struct known *cell = known_cell(t, p);
	struct known now = {
		.tgid = p->key.tgid,
		.start_ns = p->key.start_ns,
		.exec_id = p->exec_id,
		.exited = p->exited,
		.contained = container_id.n > 0,
		.partial = p->partial,
	};
	if (!p->key.tgid || is_known(cell, &now))
		return 0;
	fill_texts(t, p);
	bind_keys(t, p, offset_ns);
	for (int i = 0; i < TEXT_N; i++)
		sql_bind_str(t->put, 16 + i, buf_str(&t->text[i]));
	bind_numbers(t->put, p);
	sql_bind_str(t->put, 50, container_id.p ? container_id : STR(""));
	if (sql_run(t->put, e))
		return -1;
	*cell = now;
	return 0;
}

int process_rows_exit(struct process_rows *t, const struct event *ev, struct err *e)
{
	sql_bind_u64(t->exit, 1, ev->ts_ns);
	sql_bind_i64(t->exit, 2, ev->exit.code);
	sql_bind_i64(t->exit, 3, t->boot);
	sql_bind_i64(t->exit, 4, ev->key.tgid);
	sql_bind_u64(t->exit, 5, ev->key.start_ns);
	sql_bind_u64(t->exit, 6, ev->exec_id);
	return sql_run(t->exit, e);
}
