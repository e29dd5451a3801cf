/* proc.* and thread.*: the process of the event, its parent, its ancestors, its leaders. */
#include "rules/fields_impl.h"

/* Of one process. */
enum attr {
	P_NAME,
	P_EXE,
	P_EXEPATH,
	P_CMDLINE,
	P_EXELINE,
	P_CWD,
	P_PID,
	P_PPID,
	P_VPID,
	P_SID,
	P_PGID,
	P_VPGID,
	P_TTY,
	P_START,
	P_DURATION,
	P_ARGS_N,
	P_ARGS_LEN,
	P_INO,
	P_CTIME,
	P_MTIME,
	P_CTIME_START,
	P_UPPER,
	P_MEMFD,
	P_SID_LEADER,
	P_PGID_LEADER,
	P_VPGID_LEADER,
	P_KTHREAD,
	P_CAP_EFFECTIVE,
	P_CAP_PERMITTED,
	P_CAP_INHERITABLE,
	P_CGROUP,
	P_INHERITED,
};

static const char *const cap_names[] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
};

int fields_cap(struct str name)
{
	for (size_t i = 0; i < ARRAY_N(cap_names); i++)
		if (str_eqz(name, cap_names[i]))
			return (int)i;
	return -1;
}

static enum value_state give_caps(struct field_ctx *cx, struct value *out, uint64_t caps)
{
	struct buf *b = text_begin(cx);

	for (size_t i = 0; i < ARRAY_N(cap_names); i++)
		if (caps >> i & 1)
			buf_printf(b, "%s%s", b->n ? " " : "", cap_names[i]);
	return give_text(cx, out);
}

static struct str comm_of(const struct process *p)
{
	return str_of(p->comm, strnlen(p->comm, sizeof(p->comm)));
}

/* Falco's cwd ends in a slash. */
static enum value_state give_cwd(struct field_ctx *cx, struct value *out, struct str cwd)
{
	if (!cwd.n || cwd.p[cwd.n - 1] == '/')
		return give_some(out, cwd);
	buf_put_str(text_begin(cx), cwd);
	buf_putc(cx->text, '/');
	return give_text(cx, out);
}

static enum value_state give_exeline(
	struct field_ctx *cx, struct value *out, const struct process *p)
{
	struct str args = p->args;
	struct buf *b = text_begin(cx);

	buf_put_str(b, process_argv0(p));
	str_cut(&args, '\0');
	if (args.n) {
		buf_putc(b, ' ');
		process_args_text(b, p);
	}
	return give_text(cx, out);
}

static void count_args(const struct process *p, int64_t *n, int64_t *len)
{
	struct str rest = p->args;

	*n = *len = 0;
	str_cut(&rest, '\0');
	while (rest.n) {
		*len += (int64_t)str_cut(&rest, '\0').n;
		(*n)++;
	}
}

static enum value_state give_args_count(struct value *out, const struct process *p, bool bytes)
{
	int64_t n, len;

	count_args(p, &n, &len);
	return give_int(out, bytes ? len : n);
}

/* UTC of a CLOCK_BOOTTIME instant, by the event's own two clocks. */
static int64_t utc(const struct event *ev, uint64_t boot_ns)
{
	return (int64_t)(ev->ts_ns - ev->boot_ns + boot_ns);
}

static enum value_state give_time(
	struct field_ctx *cx, enum attr attr, const struct process *p, struct value *out)
{
	const struct event *ev = cx->in->ev;
	uint64_t start = p->key.start_ns;

	if (attr == P_CTIME || attr == P_MTIME) {
		uint64_t t = attr == P_CTIME ? p->exe_ctime_ns : p->exe_mtime_ns;

		return t ? give_int(out, (int64_t)t) : VALUE_MISSING;
	}
	if (!start)
		return VALUE_MISSING;
	if (attr == P_START)
		return give_int(out, utc(ev, start));
	if (attr == P_DURATION)
		return give_int(out, ev->boot_ns > start ? (int64_t)(ev->boot_ns - start) : 0);
	if (!p->exe_ctime_ns)
		return VALUE_MISSING;
	return give_int(out, utc(ev, p->exec_ns ? p->exec_ns : start) - (int64_t)p->exe_ctime_ns);
}

static enum value_state give_number(enum attr attr, const struct process *p, struct value *out)
{
	switch (attr) {
	case P_PID:
		return give_int(out, p->key.tgid);
	case P_PPID:
		return give_int(out, p->ppid);
	case P_VPID:
		return give_int(out, p->vpid);
	case P_SID:
		return give_int(out, p->sid);
	case P_PGID:
		return give_int(out, p->pgid);
	case P_VPGID:
		return give_int(out, p->vpgid);
	case P_TTY:
		return give_int(out, p->tty);
	case P_INO:
		return p->exe_ino ? give_int(out, (int64_t)p->exe_ino) : VALUE_MISSING;
	case P_UPPER:
		return give_int(out, p->exe_upper);
	case P_MEMFD:
		return give_int(out, p->exe_memfd);
	case P_KTHREAD:
		return give_int(out, p->kthread);
	case P_INHERITED:
		return give_int(out, p->inherited);
	case P_SID_LEADER:
		return give_int(out, p->sid == p->key.tgid);
	case P_PGID_LEADER:
		return give_int(out, p->pgid == p->key.tgid);
	case P_VPGID_LEADER:
		return give_int(out, p->vpgid == p->vpid);
	default:
		return VALUE_MISSING;
	}
}

static enum value_state give_attr(
	struct field_ctx *cx, enum attr attr, const struct process *p, struct value *out)
{
	switch (attr) {
	case P_NAME:
		return give_some(out, comm_of(p));
	case P_EXE:
		return give_some(out, process_argv0(p));
	case P_EXEPATH:
		return give_some(out, p->exe);
	case P_CMDLINE:
		process_cmdline_text(text_begin(cx), p);
		return cx->text->n ? give_text(cx, out) : VALUE_MISSING;
	case P_EXELINE:
		return give_exeline(cx, out, p);
	case P_CWD:
		return give_cwd(cx, out, p->cwd);
	case P_CGROUP:
		return give_some(out, p->cgroup);
	case P_ARGS_N:
	case P_ARGS_LEN:
		return give_args_count(out, p, attr == P_ARGS_LEN);
	case P_START:
	case P_DURATION:
	case P_CTIME:
	case P_MTIME:
	case P_CTIME_START:
		return give_time(cx, attr, p, out);
	case P_CAP_EFFECTIVE:
		return give_caps(cx, out, p->cap_effective);
	case P_CAP_PERMITTED:
		return give_caps(cx, out, p->cap_permitted);
	case P_CAP_INHERITABLE:
		return give_caps(cx, out, p->cap_inheritable);
	default:
		return give_number(attr, p, out);
	}
}

static enum value_state get_self(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct event *ev = cx->in->ev;

	(void)arg;
	if (cx->in->process)
		return give_attr(cx, (enum attr)f->aux, cx->in->process, out);
	/* The event alone tells these two. */
	if (f->aux == P_NAME)
		return give_some(out, str_of(ev->comm, strnlen(ev->comm, sizeof(ev->comm))));
	return f->aux == P_PID ? give_int(out, ev->key.tgid) : VALUE_MISSING;
}

static const struct process *ancestor(const struct process *p, uint32_t n)
{
	for (; p && n && n <= PROCESS_MAX_LINEAGE; n--)
		p = p->parent;
	return n ? NULL : p;
}

static enum value_state get_parent(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct process *p = ancestor(cx->in->process, 1);

	(void)arg;
	return p ? give_attr(cx, (enum attr)f->aux, p, out) : VALUE_MISSING;
}

static enum value_state get_ancestors(struct field_ctx *cx, enum attr attr, struct value *out)
{
	const struct process *p = ancestor(cx->in->process, 1);
	union atom *all = scratch_alloc(cx->scratch, PROCESS_MAX_LINEAGE * sizeof(*all));
	uint32_t n = 0;

	for (uint32_t i = 0; all && p && i < PROCESS_MAX_LINEAGE; p = p->parent, i++) {
		struct value v;

		if (give_attr(cx, attr, p, &v) == VALUE_HAVE)
			all[n++] = v.one;
	}
	out->many = all;
	out->n = n;
	return n ? VALUE_HAVE : VALUE_MISSING;
}

/* [0] is the process itself, [1] its parent; without an index all ancestors. */
static enum value_state get_ancestor(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	if (!arg->given)
		return get_ancestors(cx, (enum attr)f->aux, out);
	const struct process *p = ancestor(cx->in->process, arg->index);

	return p ? give_attr(cx, (enum attr)f->aux, p, out) : VALUE_MISSING;
}

/* The process itself or the nearest ancestor with this pid. */
static const struct process *find_pid(const struct process *p, uint32_t pid)
{
	for (int i = 0; p && i <= PROCESS_MAX_LINEAGE; p = p->parent, i++)
		if (p->key.tgid == pid)
			return p;
	return NULL;
}

static enum value_state get_session(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct process *p = cx->in->process;

	(void)arg;
	p = p ? find_pid(p, p->sid) : NULL;
	return p ? give_attr(cx, (enum attr)f->aux, p, out) : VALUE_MISSING;
}

static enum value_state get_group_leader(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct process *p = cx->in->process;

	(void)arg;
	p = p ? find_pid(p, p->pgid) : NULL;
	return p ? give_attr(cx, (enum attr)f->aux, p, out) : VALUE_MISSING;
}

/* A string that is always there, empty without arguments or past the last one. */
static enum value_state get_args(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct process *p = cx->in->process;

	(void)f;
	if (!p)
		return VALUE_MISSING;
	if (arg->given)
		return give_str(out, process_arg(p, (size_t)arg->index + 1));
	process_args_text(text_begin(cx), p);
	return give_text(cx, out);
}

/* argv[1..] as a list, for len(), join() and getopt(). */
static enum value_state get_arg_list(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct process *p = cx->in->process;
	struct str rest;
	int64_t n, len;
	union atom *all;

	(void)f, (void)arg;
	if (!p)
		return VALUE_MISSING;
	count_args(p, &n, &len);
	all = scratch_alloc(cx->scratch, ((size_t)n + 1) * sizeof(*all));
	if (!all)
		return VALUE_MISSING;
	rest = p->args;
	str_cut(&rest, '\0');
	for (out->n = 0; rest.n; out->n++)
		all[out->n].s = str_cut(&rest, '\0');
	out->many = all;
	return VALUE_HAVE;
}

/* The oldest shell among the process and its ancestors. */
static enum value_state get_login_shell(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct process *p = cx->in->process;
	int64_t pid = -1;

	(void)f, (void)arg;
	for (int i = 0; p && i <= PROCESS_MAX_LINEAGE; p = p->parent, i++)
		if (str_ends(comm_of(p), STR("sh")))
			pid = p->key.tgid;
	return pid < 0 ? VALUE_MISSING : give_int(out, pid);
}

enum thread_attr { T_TID, T_IS_MAIN };

static enum value_state get_thread(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct event *ev = cx->in->ev;

	(void)arg;
	return give_int(out, f->aux == T_TID ? ev->tid : ev->tid == ev->key.tgid);
}

#define SELF(text, type, attr, sense)                                                              \
	{                                                                                          \
		text, FIELD_##type, .aux = (attr), .get = get_self, .meaning = sense               \
	}
#define OTHER(text, type, from, attr, sense)                                                       \
	{                                                                                          \
		text, FIELD_##type, .aux = (attr), .get = get_##from, .meaning = sense             \
	}
#define UP(text, type, attr, sense)                                                                \
	{                                                                                          \
		text, FIELD_##type, FIELD_ARG_INDEX_OPT, FIELD_F_ANY,                              \
			.aux = (attr), .get = get_ancestor, .meaning = sense                       \
	}

static const struct field table[] = {
	SELF("proc.name", STR, P_NAME, "name of the process, up to 15 bytes"),
	SELF("proc.exe", STR, P_EXE, "argv[0]"),
	{ "proc.exepath", FIELD_STR, .flags = FIELD_F_PATH, .aux = P_EXEPATH, .get = get_self,
		.meaning = "path of the program, from the kernel" },
	SELF("proc.cmdline", STR, P_CMDLINE, "name and arguments, joined by blanks"),
	SELF("proc.exeline", STR, P_EXELINE, "argv[0] and arguments, joined by blanks"),
	{ "proc.args", FIELD_STR, FIELD_ARG_INDEX_OPT, .get = get_args,
		.meaning = "arguments without argv[0], joined by blanks, or one of them from 0; "
			   "empty when there are none" },
	{ "hw.argv", FIELD_STR, .flags = FIELD_F_LIST, .get = get_arg_list,
		.meaning = "arguments without argv[0], as a list" },
	SELF("proc.cmdnargs", INT, P_ARGS_N, "number of arguments without argv[0]"),
	SELF("proc.cmdlenargs", INT, P_ARGS_LEN, "bytes of all arguments without argv[0]"),
	SELF("proc.cwd", STR, P_CWD, "current directory at exec, with a slash at its end"),
	SELF("proc.pid", INT, P_PID, "process id on the host"),
	SELF("proc.ppid", INT, P_PPID, "process id of the parent"),
	SELF("proc.vpid", INT, P_VPID, "process id as the container sees it"),
	SELF("proc.sid", INT, P_SID, "session id"),
	SELF("proc.pgid", INT, P_PGID, "process group id"),
	SELF("proc.vpgid", INT, P_VPGID, "process group id as the container sees it"),
	SELF("proc.is_sid_leader", BOOL, P_SID_LEADER, "leads its session"),
	SELF("proc.is_pgid_leader", BOOL, P_PGID_LEADER, "leads its process group"),
	SELF("proc.is_vpgid_leader", BOOL, P_VPGID_LEADER,
		"leads its group as the container sees it"),
	SELF("proc.tty", INT, P_TTY, "device number of the terminal, 0 without one"),
	SELF("proc.duration", RELTIME, P_DURATION, "nanoseconds since the process began"),
	SELF("proc.pid.ts", ABSTIME, P_START, "when the process began"),
	SELF("proc.exe_ino", INT, P_INO, "inode of the program"),
	SELF("proc.exe_ino.ctime", ABSTIME, P_CTIME, "last change of the program's inode"),
	SELF("proc.exe_ino.mtime", ABSTIME, P_MTIME, "last change of the program's content"),
	SELF("proc.exe_ino.ctime_duration_proc_start", RELTIME, P_CTIME_START,
		"nanoseconds from the change of the program's inode to its start"),
	SELF("proc.is_exe_upper_layer", BOOL, P_UPPER,
		"the program lies on the container's upper layer, not in its image"),
	SELF("proc.is_exe_from_memfd", BOOL, P_MEMFD,
		"the program runs from memory, without a file"),
	SELF("hw.kthread", BOOL, P_KTHREAD, "a thread of the kernel"),
	SELF("hw.forked", BOOL, P_INHERITED, "has not exec'd since its fork"),
	SELF("hw.cgroup", STR, P_CGROUP, "control group, an absolute path"),
	OTHER("proc.pname", STR, parent, P_NAME, "name of the parent"),
	OTHER("proc.pexe", STR, parent, P_EXE, "argv[0] of the parent"),
	OTHER("proc.pexepath", STR, parent, P_EXEPATH, "path of the parent's program"),
	OTHER("proc.pcmdline", STR, parent, P_CMDLINE, "name and arguments of the parent"),
	OTHER("proc.pvpid", INT, parent, P_VPID,
		"process id of the parent as its container sees it"),
	OTHER("proc.ppid.ts", ABSTIME, parent, P_START, "when the parent began"),
	OTHER("proc.ppid.duration", RELTIME, parent, P_DURATION,
		"nanoseconds since the parent began"),
	UP("proc.aname", STR, P_NAME, "name of an ancestor, [1] is the parent; without index any"),
	UP("proc.aexe", STR, P_EXE, "argv[0] of an ancestor"),
	UP("proc.aexepath", STR, P_EXEPATH, "path of an ancestor's program"),
	UP("proc.acmdline", STR, P_CMDLINE, "name and arguments of an ancestor"),
	UP("proc.apid", INT, P_PID, "process id of an ancestor"),
	OTHER("proc.sname", STR, session, P_NAME, "name of the session's leader"),
	OTHER("proc.sid.exe", STR, session, P_EXE, "argv[0] of the session's leader"),
	OTHER("proc.sid.exepath", STR, session, P_EXEPATH, "path of the session leader's program"),
	OTHER("proc.pgid.name", STR, group_leader, P_NAME, "name of the group's leader"),
	OTHER("proc.pgid.exe", STR, group_leader, P_EXE, "argv[0] of the group's leader"),
	OTHER("proc.pgid.exepath", STR, group_leader, P_EXEPATH,
		"path of the group leader's program"),
	OTHER("proc.vpgid.name", STR, group_leader, P_NAME, "name of the group's leader"),
	OTHER("proc.vpgid.exe", STR, group_leader, P_EXE, "argv[0] of the group's leader"),
	OTHER("proc.vpgid.exepath", STR, group_leader, P_EXEPATH,
		"path of the group leader's program"),
	{ "proc.loginshellid", FIELD_INT, .get = get_login_shell,
		.meaning = "process id of the oldest shell among the process and its ancestors" },
	{ "thread.tid", FIELD_INT, .aux = T_TID, .get = get_thread, .meaning = "thread id" },
	{ "thread.ismain", FIELD_BOOL, .aux = T_IS_MAIN, .get = get_thread,
		.meaning = "the main thread of its process" },
	SELF("thread.cap_effective", STR, P_CAP_EFFECTIVE,
		"effective capabilities, joined by blanks"),
	SELF("thread.cap_permitted", STR, P_CAP_PERMITTED,
		"permitted capabilities, joined by blanks"),
	SELF("thread.cap_inheritable", STR, P_CAP_INHERITABLE,
		"inheritable capabilities, joined by blanks"),
};

struct field_table fields_proc(void)
{
	return (struct field_table){ table, ARRAY_N(table) };
}
