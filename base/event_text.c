/* How an event reads: names, socket tuples, flags and arguments in the words Falco's users know. */
#include "base/event.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum {
	ARGS_MAX = 64 * 1024, /* bytes of evt.args */
	X32_BIT = 0x40000000, /* set in the numbers of the x32 table */
	NR_I386_SOCKETCALL = 102,
};

struct nr_name {
	enum event_class class;
	bool compat;
	int32_t nr;
	const char *name;
};

/* What differs from the class's usual call. Socket calls of i386 and socketcall(2) are usual. */
static const struct nr_name nr_names[] = {
	{ EVENT_EXEC, false, 322, "execveat" },
	{ EVENT_EXEC, true, 358, "execveat" },
	{ EVENT_EXEC, false, X32_BIT | 545, "execveat" },
	{ EVENT_FORK, false, 57, "fork" },
	{ EVENT_FORK, true, 2, "fork" },
	{ EVENT_FORK, false, 58, "vfork" },
	{ EVENT_FORK, true, 190, "vfork" },
	{ EVENT_FORK, false, 435, "clone3" },
	{ EVENT_FORK, true, 435, "clone3" },
	{ EVENT_OPEN, false, 2, "open" },
	{ EVENT_OPEN, true, 5, "open" },
	{ EVENT_OPEN, false, 437, "openat2" },
	{ EVENT_OPEN, true, 437, "openat2" },
	{ EVENT_OPEN, false, 85, "creat" },
	{ EVENT_OPEN, true, 8, "creat" },
	{ EVENT_ACCEPT, false, 288, "accept4" },
	{ EVENT_ACCEPT, true, 364, "accept4" },
};

static const char *const usual_names[EVENT_CLASS_N] = {
	[EVENT_NONE] = "none",
	[EVENT_EXEC] = "execve",
	[EVENT_FORK] = "clone",
	[EVENT_EXIT] = "procexit",
	[EVENT_OPEN] = "openat",
	[EVENT_CONNECT] = "connect",
	[EVENT_ACCEPT] = "accept",
	[EVENT_BIND] = "bind",
	[EVENT_LISTEN] = "listen",
	[EVENT_SOCKET] = "socket",
	[EVENT_CGROUP] = "cgroup",
	[EVENT_SEED] = "seed",
};

const char *event_type_name(const struct event *ev)
{
	bool compat = ev->flags & EVENT_F_COMPAT;

	for (size_t i = 0; ev->nr >= 0 && i < ARRAY_N(nr_names); i++) {
		const struct nr_name *n = &nr_names[i];
		bool same = n->nr == ev->nr || (!compat && n->nr == (ev->nr & ~X32_BIT));
		if (n->class == ev->class && n->compat == compat && same)
			return n->name;
	}
	return (unsigned int)ev->class < EVENT_CLASS_N ? usual_names[ev->class] : "none";
}

/* In Falco's order; O_RDWR comes before the two that it contains in Falco's own numbers. */
static const struct {
	uint32_t bits, falco;
	const char *name;
} open_flags[] = {
	{ 0100000, 1 << 11, "O_LARGEFILE" },
	{ O_TMPFILE, 1 << 13, "O_TMPFILE" },
	{ O_DIRECTORY, 1 << 10, "O_DIRECTORY" },
	{ O_DIRECT, 1 << 9, "O_DIRECT" },
	{ O_TRUNC, 1 << 8, "O_TRUNC" },
	{ O_SYNC, 1 << 7, "O_SYNC" },
	{ O_NONBLOCK, 1 << 6, "O_NONBLOCK" },
	{ O_EXCL, 1 << 5, "O_EXCL" },
	{ O_DSYNC, 1 << 4, "O_DSYNC" },
	{ O_APPEND, 1 << 3, "O_APPEND" },
	{ O_CREAT, 1 << 2, "O_CREAT" },
};

enum { FALCO_O_CLOEXEC = 1 << 12, FALCO_O_F_CREATED = 1 << 14 };

static const char *const access_names[] = { "O_RDONLY", "O_WRONLY", "O_RDWR", NULL };

static void put_flag(struct buf *b, const char *name, bool *first)
{
	if (!*first)
		buf_putc(b, '|');
	buf_puts(b, name);
	*first = false;
}

/* Writes the names and returns Falco's number of the same flags. */
static uint32_t put_open_flags(struct buf *b, uint32_t flags, bool created)
{
	uint32_t rest = flags, number = 0, access = flags & O_ACCMODE;
	bool first = true;

	for (size_t i = 0; i < ARRAY_N(open_flags); i++) {
		if ((rest & open_flags[i].bits) != open_flags[i].bits)
			continue;
		/* Names of two bits swallow those of one: O_SYNC has O_DSYNC's. */
		rest &= ~open_flags[i].bits;
		number |= open_flags[i].falco;
		put_flag(b, open_flags[i].name, &first);
	}
	if (access_names[access])
		put_flag(b, access_names[access], &first);
	number |= access_names[access] ? access + 1 : 0;
	if (flags & O_CLOEXEC)
		put_flag(b, "O_CLOEXEC", &first);
	if (created)
		put_flag(b, "O_F_CREATED", &first);
	return number | (flags & O_CLOEXEC ? FALCO_O_CLOEXEC : 0) |
	       (created ? FALCO_O_F_CREATED : 0);
}

void event_open_flags(struct buf *b, uint32_t flags, bool created)
{
	put_open_flags(b, flags, created);
}

static bool is_mapped(const struct event_addr *a)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(a->addr, prefix, sizeof(prefix)) == 0;
}

static void put_addr(struct buf *b, uint16_t family, const struct event_addr *a)
{
	char text[INET6_ADDRSTRLEN] = "";
	bool mapped = family == EVENT_AF_INET6 && is_mapped(a);

	if (mapped)
		inet_ntop(AF_INET, a->addr + 12, text, sizeof(text));
	else
		inet_ntop(
			family == EVENT_AF_INET ? AF_INET : AF_INET6, a->addr, text, sizeof(text));
	buf_printf(b, "%s:%u", text, a->port);
}

static bool addr_is_set(const struct event_addr *a)
{
	static const uint8_t none[sizeof(a->addr)];

	return a->port || memcmp(a->addr, none, sizeof(none)) != 0;
}

void event_net_tuple(struct buf *b, const struct event *ev)
{
	const struct event_net *n = &ev->net;
	bool inbound = ev->class == EVENT_ACCEPT;
	const struct event_addr *from = inbound ? &n->remote : &n->local;
	const struct event_addr *to = inbound ? &n->local : &n->remote;

	if (n->family == EVENT_AF_UNIX) {
		buf_put_str(b, event_str(ev, n->path));
		return;
	}
	if (n->family != EVENT_AF_INET && n->family != EVENT_AF_INET6)
		return;
	if (n->listening || ev->class == EVENT_BIND || !addr_is_set(&n->remote)) {
		if (addr_is_set(&n->local) || ev->class == EVENT_BIND || n->listening)
			put_addr(b, n->family, &n->local);
		return;
	}
	put_addr(b, n->family, from);
	buf_puts(b, "->");
	put_addr(b, n->family, to);
}

static void put_result(struct buf *b, const char *key, int64_t ret)
{
	const char *name = ret < 0 && ret > -4096 ? strerrorname_np((int)-ret) : NULL;

	buf_printf(b, "%s=%lld", key, (long long)ret);
	if (name)
		buf_printf(b, "(%s)", name);
}

static const char *socket_type(const struct event_net *n)
{
	bool datagram = n->type == 2;

	switch (n->family) {
	case EVENT_AF_UNIX:
		return "<u>";
	case EVENT_AF_INET:
		return datagram ? "<4u>" : "<4t>";
	case EVENT_AF_INET6:
		return datagram ? "<6u>" : "<6t>";
	default:
		return "<s>";
	}
}

static void put_socket_fd(struct buf *b, const struct event *ev)
{
	if (ev->net.fd < 0) {
		put_result(b, "fd", ev->net.fd);
		return;
	}
	buf_printf(b, "fd=%d(%s", ev->net.fd, socket_type(&ev->net));
	event_net_tuple(b, ev);
	buf_putc(b, ')');
}

static void open_args(struct buf *b, const struct event *ev)
{
	const struct event_open *o = &ev->open;
	struct str user = event_str(ev, o->user), path = event_str(ev, o->path);
	const char *type = event_type_name(ev);
	AUTO(buf_fini) struct buf names = BUF_INIT(256);

	put_result(b, "fd", ev->ret);
	if (ev->ret >= 0)
		buf_printf(b, "(%s%.*s)", S_ISDIR(o->file_mode) ? "<d>" : "<f>", STR_ARG(path));
	if (strcmp(type, "openat") == 0 || strcmp(type, "openat2") == 0)
		buf_printf(b, o->dirfd == AT_FDCWD ? " dirfd=%d(AT_FDCWD)" : " dirfd=%d", o->dirfd);
	buf_printf(b, " name=%.*s", STR_ARG(user.n ? user : path));
	buf_printf(b, " flags=%u(", put_open_flags(&names, o->flags, false));
	buf_put_str(b, buf_str(&names));
	buf_printf(b, ") mode=%#o dev=%llX ino=%llu", o->mode, (unsigned long long)o->dev,
		(unsigned long long)o->ino);
}

/* argv[1..] as Falco's byte buffer: each NUL is a dot. */
static void put_argv(struct buf *b, struct str args)
{
	struct str first = str_cut(&args, 0);

	buf_printf(b, " exe=%.*s args=", STR_ARG(first));
	for (size_t i = 0; i < args.n; i++)
		buf_putc(b, args.p[i] ? args.p[i] : '.');
}

static void exec_args(struct buf *b, const struct event *ev)
{
	const struct event_exec *x = &ev->exec;

	put_result(b, "res", ev->ret);
	put_argv(b, event_str(ev, x->args));
	buf_printf(b, " tid=%u(%.16s) pid=%u(%.16s) ptid=%u", ev->tid, ev->comm, ev->key.tgid,
		ev->comm, x->ppid);
	buf_printf(b, " cwd=%.*s comm=%.16s", STR_ARG(event_str(ev, x->cwd)), ev->comm);
	buf_printf(b, " cgroups=%.*s", STR_ARG(event_str(ev, x->cgroup)));
	buf_printf(b, " tty=%u vpgid=%u loginuid=%d", x->tty, x->vpgid, (int32_t)x->loginuid);
	buf_printf(b, " cap_inheritable=%llX cap_permitted=%llX cap_effective=%llX",
		(unsigned long long)x->cap_inheritable, (unsigned long long)x->cap_permitted,
		(unsigned long long)x->cap_effective);
	buf_printf(b, " exe_ino=%llu exe_ino_ctime=%llu exe_ino_mtime=%llu uid=%u",
		(unsigned long long)x->exe_ino, (unsigned long long)x->exe_ctime_ns,
		(unsigned long long)x->exe_mtime_ns, ev->uid);
	buf_printf(b, " trusted_exepath=%.*s pgid=%u gid=%u filename=%.*s",
		STR_ARG(event_str(ev, x->exe)), x->pgid, ev->gid, STR_ARG(event_str(ev, x->file)));
}

static void fork_args(struct buf *b, const struct event *ev)
{
	const struct event_fork *f = &ev->fork;

	/* Falco tells of the child with the child's own return value. */
	buf_printf(b, "res=0 tid=%u(%.16s) pid=%u(%.16s) ptid=%u", ev->tid, ev->comm, ev->key.tgid,
		ev->comm, f->ppid);
	buf_printf(b, " comm=%.16s cgroups=%.*s", ev->comm, STR_ARG(event_str(ev, f->cgroup)));
	buf_printf(b, " flags=%llu uid=%u gid=%u vpid=%u", (unsigned long long)f->clone_flags,
		ev->uid, ev->gid, f->vpid);
}

static void exit_args(struct buf *b, const struct event *ev)
{
	int code = ev->exit.code;

	buf_printf(b, "status=%d ret=%d sig=%d core=%d", code,
		WIFEXITED(code) ? WEXITSTATUS(code) : 0, WIFSIGNALED(code) ? WTERMSIG(code) : 0,
		WCOREDUMP(code) ? 1 : 0);
}

static void connect_args(struct buf *b, const struct event *ev)
{
	put_result(b, "res", ev->ret);
	buf_puts(b, " tuple=");
	event_net_tuple(b, ev);
	buf_putc(b, ' ');
	put_socket_fd(b, ev);
}

static void accept_args(struct buf *b, const struct event *ev)
{
	put_socket_fd(b, ev);
	buf_puts(b, " tuple=");
	event_net_tuple(b, ev);
}

static void bind_args(struct buf *b, const struct event *ev)
{
	put_result(b, "res", ev->ret);
	buf_puts(b, " addr=");
	event_net_tuple(b, ev);
	buf_putc(b, ' ');
	put_socket_fd(b, ev);
}

static void listen_args(struct buf *b, const struct event *ev)
{
	put_result(b, "res", ev->ret);
	buf_putc(b, ' ');
	put_socket_fd(b, ev);
	buf_printf(b, " backlog=%u", ev->net.backlog);
}

static const char *family_name(uint16_t family)
{
	switch (family) {
	case EVENT_AF_UNIX:
		return "AF_UNIX";
	case EVENT_AF_INET:
		return "AF_INET";
	case EVENT_AF_INET6:
		return "AF_INET6";
	case 16:
		return "AF_NETLINK";
	case 17:
		return "AF_PACKET";
	default:
		return NULL;
	}
}

static void socket_args(struct buf *b, const struct event *ev)
{
	const struct event_net *n = &ev->net;
	const char *family = family_name(n->family);

	put_result(b, "fd", ev->ret);
	buf_printf(b, " domain=%u", n->family);
	if (family)
		buf_printf(b, "(%s)", family);
	buf_printf(b, " type=%u proto=%u", n->type, n->protocol);
}

static void cgroup_args(struct buf *b, const struct event *ev)
{
	buf_printf(b, "id=%llu path=%.*s removed=%d", (unsigned long long)ev->cgroup.id,
		STR_ARG(event_str(ev, ev->cgroup.path)), ev->cgroup.removed);
}

static void (*const args_of[EVENT_CLASS_N])(struct buf *b, const struct event *ev) = {
	[EVENT_EXEC] = exec_args,
	[EVENT_FORK] = fork_args,
	[EVENT_EXIT] = exit_args,
	[EVENT_OPEN] = open_args,
	[EVENT_CONNECT] = connect_args,
	[EVENT_ACCEPT] = accept_args,
	[EVENT_BIND] = bind_args,
	[EVENT_LISTEN] = listen_args,
	[EVENT_SOCKET] = socket_args,
	[EVENT_CGROUP] = cgroup_args,
	[EVENT_SEED] = exec_args,
};

void event_args_text(struct buf *b, const struct event *ev)
{
	AUTO(buf_fini) struct buf raw = BUF_INIT(ARGS_MAX);

	if ((unsigned int)ev->class >= EVENT_CLASS_N || !args_of[ev->class])
		return;
	args_of[ev->class](&raw, ev);
	text_clean(b, buf_str(&raw));
}
