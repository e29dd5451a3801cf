/* `proc` of a case: a process and its ancestors. */
#include "rules/cases_impl.h"

#include "base/clock.h"
#include "rules/fields_impl.h"

#define SECOND     1000000000ull
#define FIRST_PID  1000
#define AGE_NS     SECOND        /* of the process, where a case does not say */
#define PARENT_AGE (60 * SECOND) /* each ancestor is so much older */
#define SOME_TTY   34816         /* pts/0 */
#define SOME_NAME  "program"
#define MAX_ARGS   (64u << 10)

/* argv of a list: each ended by NUL. */
static int take_args(struct scene *s, struct process *p, const struct yaml_node *v, struct fault *f)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(MAX_ARGS);

	for (size_t i = 0; i < v->n; i++) {
		struct str arg;

		if (!scene_text(v->items[i], &arg, f))
			return -1;
		buf_put_str(&b, arg);
		buf_putc(&b, '\0');
	}
	p->args = arena_str(s->arena, buf_str(&b));
	if (b.full || !p->args.p)
		return fault_set(f, v, "arguments of more than %u bytes", MAX_ARGS);
	return 0;
}

/* A command line: parts between blanks, without any quoting. */
static int take_command(
	struct scene *s, struct process *p, const struct yaml_node *v, struct fault *f)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(MAX_ARGS);
	struct str rest;

	if (!scene_text(v, &rest, f))
		return -1;
	while (rest.n) {
		struct str part = str_cut(&rest, ' ');

		if (!part.n)
			continue;
		buf_put_str(&b, part);
		buf_putc(&b, '\0');
	}
	p->args = arena_str(s->arena, buf_str(&b));
	if (b.full || !p->args.p)
		return fault_set(f, v, "arguments of more than %u bytes", MAX_ARGS);
	return 0;
}

static int set_args(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	(void)k;
	if (v->kind != YAML_SEQ)
		return fault_set(f, v,
			"args is the list of all arguments, the program's name first; a command "
			"line as one text is cmd");
	return take_args(s, base, v, f);
}

static int set_cmd(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	(void)k;
	return take_command(s, base, v, f);
}

static int set_name(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	struct process *p = base;
	struct str name;

	(void)s, (void)k;
	if (!scene_text(v, &name, f))
		return -1;
	if (!name.n || name.n >= sizeof(p->comm))
		return fault_set(f, v, "a process's name has 1 to 15 bytes");
	memset(p->comm, 0, sizeof(p->comm));
	memcpy(p->comm, name.p, name.n);
	return 0;
}

static int set_u64(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	int64_t i;

	(void)s;
	if (!scene_number(v, 0, INT64_MAX, &i, f))
		return -1;
	*(uint64_t *)((char *)base + k->offset) = (uint64_t)i;
	return 0;
}

static int set_tty(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	struct process *p = base;
	bool has;

	if (!yaml_bool(v, &has))
		return scene_set_u32(s, base, k, v, f);
	p->tty = has ? SOME_TTY : 0;
	return 0;
}

static int set_duration(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	struct process *p = base;
	struct str text;
	struct err e = { 0 };
	uint64_t ns;

	(void)k;
	if (!scene_text(v, &text, f))
		return -1;
	if (clock_parse_duration(text, &ns, &e))
		return fault_set(f, v, "%s", e.msg);
	if (ns >= s->ev.boot_ns)
		return fault_set(f, v, "longer than the node is up");
	p->key.start_ns = s->ev.boot_ns - ns;
	return 0;
}

static int set_time(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	struct str text;
	struct err e = { 0 };

	if (!scene_text(v, &text, f))
		return -1;
	if (clock_parse(text, s->ev.ts_ns, (uint64_t *)((char *)base + k->offset), &e))
		return fault_set(f, v, "%s", e.msg);
	return 0;
}

static int add_cap(uint64_t *caps, struct str name, const struct yaml_node *v, struct fault *f)
{
	int cap = fields_cap(name);

	if (str_eqz(name, "all"))
		*caps = UINT64_MAX;
	else if (cap < 0)
		return fault_set(f, v, "unknown capability %.*s", (int)name.n, name.p);
	else
		*caps |= (uint64_t)1 << cap;
	return 0;
}

/* A list, or names with blanks between. */
static int set_caps(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	uint64_t *caps = (uint64_t *)((char *)base + k->offset);
	struct str rest;

	(void)s;
	*caps = 0;
	for (size_t i = 0; v->kind == YAML_SEQ && i < v->n; i++)
		if (!scene_text(v->items[i], &rest, f) || add_cap(caps, rest, v->items[i], f))
			return -1;
	if (v->kind == YAML_SEQ)
		return 0;
	if (!scene_text(v, &rest, f))
		return -1;
	while (rest.n) {
		struct str name = str_cut(&rest, ' ');

		if (name.n && add_cap(caps, name, v, f))
			return -1;
	}
	return 0;
}

/* Taken by scene_set_process(), which walks up. */
static int set_parent(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	(void)base, (void)k;
	return s->in_proc ? 0 : fault_set(f, v, "parent stands in the map proc");
}

#define P(member) offsetof(struct process, member)

static const struct scene_key table[] = {
	{ "name", set_name, 0, 0, 0 },
	{ "exepath", scene_set_str, P(exe), 0, 0 },
	{ "args", set_args, 0, 0, 0 },
	{ "cmd", set_cmd, 0, 0, 0 },
	{ "parent", set_parent, 0, 0, 0 },
	{ "cwd", scene_set_str, P(cwd), 0, 0 },
	{ "pid", scene_set_u32, P(key.tgid), 0, 0 },
	{ "ppid", scene_set_u32, P(ppid), 0, 0 },
	{ "vpid", scene_set_u32, P(vpid), 0, 0 },
	{ "sid", scene_set_u32, P(sid), 0, 0 },
	{ "pgid", scene_set_u32, P(pgid), 0, 0 },
	{ "vpgid", scene_set_u32, P(vpgid), 0, 0 },
	{ "tty", set_tty, P(tty), 0, 0 },
	{ "duration", set_duration, 0, 0, 0 },
	{ "cap_effective", set_caps, P(cap_effective), 0, 0 },
	{ "cap_permitted", set_caps, P(cap_permitted), 0, 0 },
	{ "cap_inheritable", set_caps, P(cap_inheritable), 0, 0 },
	{ "is_exe_upper_layer", scene_set_bool, P(exe_upper), 0, 0 },
	{ "is_exe_from_memfd", scene_set_bool, P(exe_memfd), 0, 0 },
	{ "exe_ino", set_u64, P(exe_ino), 0, 0 },
	{ "exe_ino.ctime", set_time, P(exe_ctime_ns), 0, 0 },
	{ "exe_ino.mtime", set_time, P(exe_mtime_ns), 0, 0 },
	{ "cgroup", scene_set_str, P(cgroup), 0, 0 },
	{ "forked", scene_set_bool, P(inherited), 0, 0 },
	{ "kthread", scene_set_bool, P(kthread), 0, 0 },
};
const struct scene_keys scene_process_keys = { table, ARRAY_N(table) };

static int set_one(struct scene *s, struct process *p, const struct yaml_node *v, struct fault *f)
{
	int rc;

	if (v->kind == YAML_SCALAR)
		return take_command(s, p, v, f);
	s->in_proc = true;
	rc = scene_apply(s, p, &scene_process_keys, "proc", v, f);
	s->in_proc = false;
	return rc;
}

int scene_set_process(struct scene *s, const struct yaml_node *v, struct fault *f)
{
	while (v) {
		struct process *p = &s->process[s->process_n - 1];

		if (set_one(s, p, v, f))
			return -1;
		v = v->kind == YAML_MAP ? yaml_get(v, "parent") : NULL;
		if (!v)
			return 0;
		if (s->process_n == ARRAY_N(s->process))
			return fault_set(f, v, "more than %zu processes", ARRAY_N(s->process));
		s->process[s->process_n++].loginuid = s->process[0].loginuid;
	}
	return 0;
}

static struct str last_part(struct str path)
{
	const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;

	return slash ? str_of(slash + 1, path.n - (size_t)(slash - path.p) - 1) : path;
}

/* Name, program and arguments from each other, as far as one of them is there. */
static int complete(struct scene *s, struct process *p)
{
	struct str comm = str_of(p->comm, strnlen(p->comm, sizeof(p->comm)));
	struct str first = p->args;
	AUTO(buf_fini) struct buf b = BUF_INIT(8192);

	first = first.n ? str_cut(&first, '\0') : comm;
	if (!comm.n) {
		comm = last_part(first.n ? first : p->exe);
		comm = comm.n ? comm : STR(SOME_NAME);
		memcpy(p->comm, comm.p, comm.n < 15 ? comm.n : 15);
	}
	if (!first.n)
		first = comm;
	if (!p->args.n) {
		buf_put_str(&b, first);
		buf_putc(&b, '\0');
		p->args = arena_str(s->arena, buf_str(&b));
	}
	if (!p->exe.n) {
		buf_reset(&b);
		buf_puts(&b, first.n && first.p[0] == '/' ? "" : "/usr/bin/");
		buf_put_str(&b, first);
		p->exe = arena_str(s->arena, buf_str(&b));
	}
	return b.full || !p->args.p || !p->exe.p ? -1 : 0;
}

static void number(struct scene *s, size_t i)
{
	struct process *p = &s->process[i];

	if (!p->key.tgid)
		p->key.tgid = (uint32_t)(FIRST_PID - i * 10);
	if (!p->key.start_ns)
		p->key.start_ns = s->ev.boot_ns - AGE_NS - i * PARENT_AGE;
	p->exec_ns = p->key.start_ns;
	p->exec_id = 1;
	if (!p->vpid)
		p->vpid = p->key.tgid;
	if (!p->pgid)
		p->pgid = p->key.tgid;
	if (!p->vpgid)
		p->vpgid = p->vpid;
	if (!p->sid)
		p->sid = p->pgid;
	if (!p->cwd.n)
		p->cwd = STR("/");
	p->uid = s->ev.uid;
	p->gid = s->ev.gid;
	p->euid = s->ev.euid;
}

int scene_finish_processes(struct scene *s, struct fault *f)
{
	for (size_t i = 0; i < s->process_n; i++) {
		struct process *p = &s->process[i];

		if (complete(s, p))
			return fault_set(f, NULL, "a process's texts are too long");
		number(s, i);
		p->container = s->in_container ? &s->container : NULL;
		if (i == 0)
			continue;
		s->process[i - 1].parent = p;
		s->process[i - 1].parent_key = p->key;
		s->process[i - 1].parent_exec_id = p->exec_id;
		if (!s->process[i - 1].ppid)
			s->process[i - 1].ppid = p->key.tgid;
	}
	if (!s->process[s->process_n - 1].ppid)
		s->process[s->process_n - 1].ppid = 1;
	return 0;
}
