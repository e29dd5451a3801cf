/*
 * evt.arg.*: single arguments of the call, as text. Which events have one differs from name to
 * name.
 */
#include "rules/fields_impl.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define C(class) (1u << EVENT_##class)
#define NETS     (C(CONNECT) | C(ACCEPT) | C(BIND) | C(LISTEN) | C(SOCKET))

enum arg {
	ARG_RES,
	ARG_FD,
	ARG_NAME,
	ARG_FLAGS,
	ARG_MODE,
	ARG_DIRFD,
	ARG_DEV,
	ARG_INO,
	ARG_FILENAME,
	ARG_EXE,
	ARG_ARGS,
	ARG_CWD,
	ARG_COMM,
	ARG_TID,
	ARG_PID,
	ARG_PTID,
	ARG_TTY,
	ARG_UID,
	ARG_GID,
	ARG_PGID,
	ARG_VPGID,
	ARG_LOGINUID,
	ARG_EXEPATH,
	ARG_TUPLE,
	ARG_DOMAIN,
	ARG_TYPE,
	ARG_PROTO,
	ARG_BACKLOG,
	ARG_STATUS,
	ARG_RET,
	ARG_SIG,
};

static enum value_state number(struct field_ctx *cx, struct value *out, int64_t i)
{
	buf_put_i64(text_begin(cx), i);
	return give_text(cx, out);
}

static enum value_state get_fd(struct field_ctx *cx, struct value *out)
{
	const struct event *ev = cx->in->ev;
	bool made = ev->class == EVENT_OPEN || ev->class == EVENT_ACCEPT ||
		    ev->class == EVENT_SOCKET;

	return number(cx, out, made ? ev->ret : ev->net.fd);
}

static enum value_state get_exec_flags(struct field_ctx *cx, struct value *out)
{
	const struct event_exec *x = &cx->in->ev->exec;
	struct buf *b = text_begin(cx);

	if (x->exe_upper)
		buf_puts(b, "EXE_UPPER_LAYER");
	if (x->exe_memfd)
		buf_puts(b, b->n ? "|EXE_FROM_MEMFD" : "EXE_FROM_MEMFD");
	if (!b->n)
		buf_puts(b, "0");
	return give_text(cx, out);
}

static enum value_state get_open(struct field_ctx *cx, enum arg which, struct value *out)
{
	const struct event *ev = cx->in->ev;
	const struct event_open *o = &ev->open;

	switch (which) {
	case ARG_NAME:
	case ARG_FILENAME:
		return give_some(out, event_str(ev, o->user.len ? o->user : o->path));
	case ARG_FLAGS:
		event_open_flags(text_begin(cx), o->flags, false);
		return give_text(cx, out);
	case ARG_MODE:
		buf_printf(text_begin(cx), "%#o", o->mode);
		return give_text(cx, out);
	case ARG_DIRFD:
		return number(cx, out, o->dirfd);
	case ARG_DEV:
		return number(cx, out, (int64_t)o->dev);
	case ARG_INO:
		return number(cx, out, (int64_t)o->ino);
	default:
		return VALUE_MISSING;
	}
}

static enum value_state get_process(struct field_ctx *cx, enum arg which, struct value *out)
{
	const struct event *ev = cx->in->ev;
	const struct process *p = cx->in->process;

	switch (which) {
	case ARG_TID:
		return number(cx, out, ev->tid);
	case ARG_PID:
		return number(cx, out, ev->key.tgid);
	case ARG_UID:
		return number(cx, out, ev->uid);
	case ARG_GID:
		return number(cx, out, ev->gid);
	case ARG_COMM:
		return give_some(out, str_of(ev->comm, strnlen(ev->comm, sizeof(ev->comm))));
	case ARG_PTID:
		return p ? number(cx, out, p->ppid) : VALUE_MISSING;
	case ARG_PGID:
		return p ? number(cx, out, p->pgid) : VALUE_MISSING;
	case ARG_VPGID:
		return p ? number(cx, out, p->vpgid) : VALUE_MISSING;
	case ARG_LOGINUID:
		return p ? number(cx, out, (int32_t)p->loginuid) : VALUE_MISSING;
	case ARG_TTY:
		return p ? number(cx, out, p->tty) : VALUE_MISSING;
	case ARG_CWD:
		return p ? give_some(out, p->cwd) : VALUE_MISSING;
	case ARG_EXE:
		return p ? give_some(out, process_argv0(p)) : VALUE_MISSING;
	case ARG_EXEPATH:
		return p ? give_some(out, p->exe) : VALUE_MISSING;
	case ARG_ARGS:
		if (!p)
			return VALUE_MISSING;
		process_args_text(text_begin(cx), p);
		return give_text(cx, out);
	default:
		return VALUE_MISSING;
	}
}

static const struct {
	int family;
	const char *name;
} domains[] = {
	{ AF_UNSPEC, "AF_UNSPEC" },
	{ AF_UNIX, "AF_UNIX" },
	{ AF_INET, "AF_INET" },
	{ AF_INET6, "AF_INET6" },
	{ AF_NETLINK, "AF_NETLINK" },
	{ AF_PACKET, "AF_PACKET" },
	{ AF_BLUETOOTH, "AF_BLUETOOTH" },
	{ AF_ALG, "AF_ALG" },
	{ AF_VSOCK, "AF_VSOCK" },
	{ AF_XDP, "AF_XDP" },
	{ AF_KEY, "AF_KEY" },
	{ AF_CAN, "AF_CAN" },
	{ AF_TIPC, "AF_TIPC" },
	{ AF_SMC, "AF_SMC" },
	{ AF_QIPCRTR, "AF_QIPCRTR" },
	{ AF_RDS, "AF_RDS" },
};

int fields_domain(struct str name)
{
	for (size_t i = 0; i < ARRAY_N(domains); i++)
		if (str_eqz(name, domains[i].name))
			return domains[i].family;
	return -1;
}

static enum value_state get_domain(struct field_ctx *cx, struct value *out)
{
	for (size_t i = 0; i < ARRAY_N(domains); i++)
		if (domains[i].family == cx->in->ev->net.family)
			return give_str(out, str_from(domains[i].name));
	return number(cx, out, cx->in->ev->net.family);
}

static enum value_state get_net(struct field_ctx *cx, enum arg which, struct value *out)
{
	const struct event_net *net = &cx->in->ev->net;

	switch (which) {
	case ARG_TUPLE:
	case ARG_NAME:
		return field_fd_name(cx, out);
	case ARG_DOMAIN:
		return get_domain(cx, out);
	case ARG_TYPE:
		return number(cx, out, net->type);
	case ARG_PROTO:
		return number(cx, out, net->protocol);
	case ARG_BACKLOG:
		return number(cx, out, net->backlog);
	default:
		return VALUE_MISSING;
	}
}

static enum value_state get_exit(struct field_ctx *cx, enum arg which, struct value *out)
{
	int code = cx->in->ev->exit.code;

	switch (which) {
	case ARG_STATUS:
		return number(cx, out, code);
	case ARG_RET:
		return number(cx, out, WIFEXITED(code) ? WEXITSTATUS(code) : 0);
	case ARG_SIG:
		return number(cx, out, WIFSIGNALED(code) ? WTERMSIG(code) : 0);
	default:
		return VALUE_MISSING;
	}
}

static enum value_state get_res_text(struct field_ctx *cx, struct value *out)
{
	return cx->in->ev->class == EVENT_EXIT ? VALUE_MISSING : number(cx, out, cx->in->ev->ret);
}

static enum value_state get_arg(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct event *ev = cx->in->ev;
	enum arg which = (enum arg)f->aux;

	(void)arg;
	if (!(f->classes & 1u << ev->class))
		return VALUE_MISSING;
	if (which == ARG_RES)
		return get_res_text(cx, out);
	if (which == ARG_FD)
		return get_fd(cx, out);
	if (which == ARG_FLAGS && ev->class == EVENT_EXEC)
		return get_exec_flags(cx, out);
	if (which == ARG_FILENAME && ev->class == EVENT_EXEC)
		return give_some(out, event_str(ev, ev->exec.file));
	if (ev->class == EVENT_OPEN)
		return get_open(cx, which, out);
	if (ev->class == EVENT_EXIT)
		return get_exit(cx, which, out);
	return 1u << ev->class & NETS ? get_net(cx, which, out) : get_process(cx, which, out);
}

#define ARG(text, cls, which, sense)                                                               \
	{                                                                                          \
		"evt.arg." text, FIELD_STR, .classes = (cls), .aux = (which), .get = get_arg,      \
					    .meaning = sense                                       \
	}

static const struct field table[] = {
	ARG("res", ~C(EXIT), ARG_RES, "what the call returned"),
	ARG("fd", C(OPEN) | NETS, ARG_FD, "number of the file descriptor"),
	ARG("name", C(OPEN) | NETS, ARG_NAME,
		"open: the path as the caller gave it; sockets: both ends"),
	ARG("flags", C(OPEN) | C(EXEC), ARG_FLAGS, "open: O_RDONLY|...; exec: EXE_UPPER_LAYER|..."),
	ARG("mode", C(OPEN), ARG_MODE, "open: permission bits, octal"),
	ARG("dirfd", C(OPEN), ARG_DIRFD,
		"openat: the directory's descriptor, -100 for the current one"),
	ARG("dev", C(OPEN), ARG_DEV, "open: device of the file"),
	ARG("ino", C(OPEN), ARG_INO, "open: inode of the file"),
	ARG("filename", C(EXEC) | C(OPEN), ARG_FILENAME, "the path as the caller gave it"),
	ARG("exe", C(EXEC) | C(FORK), ARG_EXE, "argv[0]"),
	ARG("args", C(EXEC) | C(FORK), ARG_ARGS, "arguments, joined by blanks"),
	ARG("cwd", C(EXEC) | C(FORK), ARG_CWD, "current directory"),
	ARG("comm", C(EXEC) | C(FORK), ARG_COMM, "name of the process"),
	ARG("tid", C(EXEC) | C(FORK), ARG_TID, "thread id"),
	ARG("pid", C(EXEC) | C(FORK), ARG_PID, "process id"),
	ARG("ptid", C(EXEC) | C(FORK), ARG_PTID, "process id of the parent"),
	ARG("uid", C(EXEC) | C(FORK), ARG_UID, "user id"),
	ARG("gid", C(EXEC) | C(FORK), ARG_GID, "group id"),
	ARG("pgid", C(EXEC) | C(FORK), ARG_PGID, "process group"),
	ARG("vpgid", C(EXEC) | C(FORK), ARG_VPGID, "process group as the container sees it"),
	ARG("loginuid", C(EXEC) | C(FORK), ARG_LOGINUID,
		"user id of the login, -1 when there was none"),
	ARG("tty", C(EXEC) | C(FORK), ARG_TTY, "device number of the terminal, 0 without one"),
	ARG("trusted_exepath", C(EXEC) | C(FORK), ARG_EXEPATH,
		"path of the program, from the kernel"),
	ARG("tuple", NETS, ARG_TUPLE, "both ends of the connection"),
	ARG("addr", C(CONNECT) | C(BIND), ARG_TUPLE, "both ends of the connection"),
	ARG("domain", NETS, ARG_DOMAIN, "AF_INET, AF_UNIX, ..."),
	ARG("type", NETS, ARG_TYPE, "type of the socket, a number"),
	ARG("proto", NETS, ARG_PROTO, "protocol of the socket, a number"),
	ARG("backlog", C(LISTEN), ARG_BACKLOG, "listen: length of the queue"),
	ARG("status", C(EXIT), ARG_STATUS, "procexit: status as wait(2) gives it"),
	ARG("ret", C(EXIT), ARG_RET, "procexit: exit code"),
	ARG("sig", C(EXIT), ARG_SIG, "procexit: number of the signal that ended it"),
};

struct field_table fields_args(void)
{
	return (struct field_table){ table, ARRAY_N(table) };
}
