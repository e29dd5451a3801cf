/* Judging one stored row: SQL calls, the program asks for values, they are taken from the row. */
#include "rules/where_impl.h"

#define LIST_MAX_BYTES (1u << 20)

void where_row_reset(struct where_row *r)
{
	event_free(r->event);
	r->event = NULL;
	for (size_t i = 0; i < r->documents.n; i++)
		json_free(r->documents.p[i]);
	r->documents.n = 0;
	r->in = (struct judge_input){ 0 };
	r->loaded = false;
}

void where_row_fini(struct where_row *r)
{
	where_row_reset(r);
	vec_fini(&r->documents);
}

/* --- columns --- */

static enum value_state get_text(const struct where_row *r, int arg, struct str *out)
{
	if (arg >= r->args_n || sql_value_is_null(r->args[arg]))
		return VALUE_MISSING;
	*out = sql_value_str(r->args[arg]);
	return VALUE_HAVE;
}

/* A JSON array of strings; what is none is missing. */
static enum value_state get_list(
	struct field_ctx *cx, struct where_row *r, struct str text, struct value *out)
{
	struct json *j = NULL;
	union atom *all;
	size_t n;

	if (json_parse(&j, text, LIST_MAX_BYTES, NULL))
		return VALUE_MISSING;
	vec_push(&r->documents, j);
	if (json_type(json_root(j)) != JSON_ARR)
		return VALUE_MISSING;
	n = json_len(json_root(j));
	all = scratch_alloc(cx->scratch, (n + 1) * sizeof(*all));
	if (!all)
		return VALUE_MISSING;
	for (size_t i = 0; i < n; i++)
		all[i].s = json_str(json_at(json_root(j), i), STR(""));
	out->many = all;
	out->n = (uint32_t)n;
	return VALUE_HAVE;
}

enum value_state where_get_column(struct field_ctx *cx, const struct field *field,
	const struct field_arg *arg, struct value *out)
{
	const struct where_field *f = (const struct where_field *)field;
	struct where_row *r = f->row;
	struct str text;

	(void)arg;
	if (f->arg >= r->args_n || sql_value_is_null(r->args[f->arg]))
		return VALUE_MISSING;
	if (f->column->type != FIELD_STR) {
		out->one.i = sql_value_i64(r->args[f->arg]);
		return VALUE_HAVE;
	}
	if (get_text(r, f->arg, &text) != VALUE_HAVE)
		return VALUE_MISSING;
	if (f->column->flags & WHERE_F_LIST)
		return get_list(cx, r, text, out);
	out->one.s = text;
	return VALUE_HAVE;
}

/* --- event, process, container --- */

static struct process_key row_key(const struct where_row *r, uint64_t *exec_id)
{
	*exec_id = (uint64_t)sql_value_i64(r->args[ROW_EXEC_ID]);
	return (struct process_key){ (uint32_t)sql_value_i64(r->args[ROW_PID]),
		(uint64_t)sql_value_i64(r->args[ROW_START]) };
}

static bool find_process(struct where_row *r, struct process_key key, uint64_t exec_id,
	struct process *out, uint64_t *exec_ts_ns)
{
	return key.tgid && r->source && r->source->process &&
	       r->source->process(r->source->ctx, sql_value_str(r->args[ROW_BOOT_ID]), key, exec_id,
		       out, exec_ts_ns);
}

/* An exec's event tells of the new program what its row does, and as the bytes were. */
static void take_texts(struct process *p, const struct event *ev)
{
	const struct event_exec *x = &ev->exec;

	memcpy(p->comm, ev->comm, sizeof(p->comm));
	if (x->exe.len)
		p->exe = event_str(ev, x->exe);
	if (x->args.len)
		p->args = event_str(ev, x->args);
	if (x->cwd.len)
		p->cwd = event_str(ev, x->cwd);
	if (x->cgroup.len)
		p->cgroup = event_str(ev, x->cgroup);
}

static void process_of_exec(struct process *p, const struct event *ev)
{
	const struct event_exec *x = &ev->exec;

	*p = (struct process){ .key = ev->key,
		.exec_id = ev->exec_id,
		.exec_ns = ev->boot_ns,
		.parent_key = x->parent,
		.parent_exec_id = x->parent_exec_id,
		.ppid = x->ppid,
		.vpid = x->vpid,
		.sid = x->sid,
		.pgid = x->pgid,
		.vpgid = x->vpgid,
		.uid = ev->uid,
		.gid = ev->gid,
		.euid = ev->euid,
		.loginuid = x->loginuid,
		.sessionid = x->sessionid,
		.tty = x->tty,
		.cap_effective = x->cap_effective,
		.cap_permitted = x->cap_permitted,
		.cap_inheritable = x->cap_inheritable,
		.exe_mode = x->exe_mode,
		.exe_dev = x->exe_dev,
		.exe_ino = x->exe_ino,
		.exe_ctime_ns = x->exe_ctime_ns,
		.exe_mtime_ns = x->exe_mtime_ns,
		.exe_upper = x->exe_upper,
		.exe_memfd = x->exe_memfd,
		.kthread = x->kthread };
}

static bool is_exec(const struct event *ev)
{
	return (ev->class == EVENT_EXEC && ev->ret >= 0) || ev->class == EVENT_SEED;
}

/* The event's process: its row, or what an exec tells of itself. */
static bool load_process(struct where_row *r, const struct event *ev)
{
	uint64_t ts_ns;

	if (find_process(r, ev->key, ev->exec_id, &r->process, &ts_ns)) {
		r->process.exec_ns = ts_ns - (ev->ts_ns - ev->boot_ns);
		if (is_exec(ev))
			take_texts(&r->process, ev);
		return true;
	}
	if (!is_exec(ev))
		return false;
	process_of_exec(&r->process, ev);
	take_texts(&r->process, ev);
	if (find_process(r, ev->exec.parent, ev->exec.parent_exec_id, &r->parent, &ts_ns))
		r->process.parent = &r->parent;
	return true;
}

static void load_container(struct where_row *r)
{
	struct str id = sql_value_str(r->args[ROW_CONTAINER]);
	size_t n = id.n < CONTAINER_ID_LEN ? id.n : CONTAINER_ID_LEN;

	r->in.container = NULL;
	if (!id.n)
		return;
	if (r->source && r->source->container)
		r->in.container = r->source->container(r->source->ctx, id);
	if (r->in.container)
		return;
	r->bare = (struct container){ .state = CONTAINER_UNKNOWN };
	memcpy(r->bare.id, id.p, n);
	r->in.container = &r->bare;
}

/* An event to stand for a process, at the moment of its exec. */
static void make_event(struct where_row *r, uint64_t exec_ts_ns)
{
	struct process *p = &r->process;

	/* Both on the same clock: utc() of the process's exec_ns gives exec_ts_ns. */
	p->exec_ns = 1;
	r->made = (struct event){ .boot_ns = 1,
		.ts_ns = exec_ts_ns,
		.key = p->key,
		.exec_id = p->exec_id,
		.tid = p->key.tgid,
		.uid = p->uid,
		.gid = p->gid,
		.euid = p->euid,
		.nr = -1,
		.data = "" };
	memcpy(r->made.comm, p->comm, sizeof(r->made.comm));
}

static void load_without_event(struct where_row *r)
{
	uint64_t exec_id, ts_ns;
	struct process_key key = row_key(r, &exec_id);

	r->in.ev = &r->made;
	if (find_process(r, key, exec_id, &r->process, &ts_ns)) {
		r->level = ROW_HAS_PROCESS;
		r->in.process = &r->process;
		make_event(r, ts_ns);
		return;
	}
	r->level = ROW_HAS_CONTAINER;
	r->made = (struct event){ .nr = -1, .data = "" };
}

static void load(struct where_row *r)
{
	struct str packed = sql_value_str(r->args[ROW_PACKED]);

	r->loaded = true;
	r->in = (struct judge_input){ 0 };
	load_container(r);
	if (!packed.p || event_unpack(&r->event, packed, NULL)) {
		load_without_event(r);
		return;
	}
	r->level = ROW_HAS_EVENT;
	r->in.ev = r->event;
	if (load_process(r, r->event))
		r->in.process = &r->process;
}

static bool starts(const struct field *f, const char *with)
{
	return str_starts(str_from(f->name), str_from(with));
}

static bool among(const struct field *f, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(f->name, names[i]) == 0)
			return true;
	return false;
}

bool where_is_of_container(const struct field *f)
{
	/* Needs a moment to count to. */
	return (starts(f, "container.") && strcmp(f->name, "container.duration") != 0) ||
	       starts(f, "k8s.");
}

bool where_is_of_process(const struct field *f)
{
	static const char *const others[] = { "user.uid", "user.loginuid", "group.gid", "hw.euid",
		"hw.argv", "hw.kthread", "hw.forked", "hw.cgroup" };
	/* These count from the start of the boot, or to a moment. */
	static const char *const timed[] = { "proc.duration", "proc.ppid.duration", "proc.pid.ts",
		"proc.ppid.ts" };

	if (among(f, timed, ARRAY_N(timed)))
		return false;
	return starts(f, "proc.") || starts(f, "thread.cap_") ||
	       among(f, others, ARRAY_N(others)) || where_is_of_container(f);
}

static bool has(const struct where_row *r, const struct field *f)
{
	switch (r->level) {
	case ROW_HAS_EVENT:
		return true;
	case ROW_HAS_PROCESS:
		return where_is_of_process(f);
	case ROW_HAS_CONTAINER:
		return where_is_of_container(f);
	default:
		return false;
	}
}

enum value_state where_get_field(struct field_ctx *cx, const struct field *field,
	const struct field_arg *arg, struct value *out)
{
	const struct where_field *f = (const struct where_field *)field;
	struct field_ctx own = *cx;

	if (!f->row->loaded)
		load(f->row);
	if (!has(f->row, f->registry))
		return VALUE_MISSING;
	own.in = &f->row->in;
	return f->registry->get(&own, f->registry, arg, out);
}

/* --- words --- */

static void add_text(union atom *all, uint32_t *n, struct str s)
{
	if (s.n)
		all[(*n)++].s = s;
}

/* The view's texts stand behind the columns; the container's follow. */
enum value_state where_get_texts(struct field_ctx *cx, const struct field *field,
	const struct field_arg *arg, struct value *out)
{
	const struct where_field *f = (const struct where_field *)field;
	struct where_row *r = f->row;
	const struct container *c;
	union atom *all = scratch_alloc(cx->scratch, ((size_t)r->args_n + 4) * sizeof(*all));
	struct str text;
	uint32_t n = 0;

	(void)arg;
	if (!all)
		return VALUE_MISSING;
	for (int i = r->texts_at; i < r->args_n; i++)
		if (get_text(r, i, &text) == VALUE_HAVE)
			add_text(all, &n, text);
	if (!r->loaded)
		load_container(r);
	c = r->in.container;
	if (c) {
		add_text(all, &n, str_of(c->id, strnlen(c->id, sizeof(c->id))));
		add_text(all, &n, c->name);
		add_text(all, &n, c->image);
	}
	out->many = all;
	out->n = n;
	return n ? VALUE_HAVE : VALUE_MISSING;
}

/* --- the function --- */

static void judge(struct sql_context *c, int n, struct sql_value **args)
{
	struct where_call *call = n > ROW_ARGS_N - 1 ? sql_value_ptr(args[ROW_PTR], WHERE_PTR_TYPE)
						     : NULL;
	struct where_row *r;

	/* A file's own views may call it too; they have no such pointer. */
	if (!call) {
		sql_result_null(c);
		return;
	}
	r = &call->w->row;
	where_row_reset(r);
	r->args = args;
	r->args_n = n;
	program_begin(call->w->state, &r->in, true);
	sql_result_i64(c, program_eval(call->w->state, call->node) == VERDICT_TRUE);
}

const struct sql_function where_functions[] = { { "hw_judge", -1, judge }, { 0 } };
