/* fd.*: the file or socket that the event is about. */
#include "rules/fields_impl.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define C(class)  (1u << EVENT_##class)
#define NETS      (C(CONNECT) | C(ACCEPT) | C(BIND) | C(LISTEN) | C(SOCKET))
#define FDS       (NETS | C(OPEN))
#define TYPE_MASK 0xf /* socket(2) puts SOCK_NONBLOCK and SOCK_CLOEXEC above */
#define MAX_PATH  (16 * 1024)

static bool is_net(const struct event *ev)
{
	return 1u << ev->class & NETS;
}

static bool is_mapped(const struct event_addr *a)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(a->addr, prefix, sizeof(prefix)) == 0;
}

/* IPv4 in IPv6 clothes counts as IPv4, as Falco has it. */
static unsigned int family_of(const struct event_net *net)
{
	const struct event_addr *known = net->remote.port ? &net->remote : &net->local;

	if (net->family == EVENT_AF_INET6 && is_mapped(known))
		return EVENT_AF_INET;
	return net->family;
}

static bool is_directory(const struct event_open *o)
{
	return o->file_mode ? S_ISDIR(o->file_mode) : o->flags & O_DIRECTORY;
}

static enum value_state get_num(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct event *ev = cx->in->ev;

	(void)f, (void)arg;
	if (ev->class == EVENT_OPEN || ev->class == EVENT_ACCEPT || ev->class == EVENT_SOCKET)
		return give_int(out, ev->ret < 0 ? -1 : ev->ret);
	return is_net(ev) ? give_int(out, ev->net.fd) : VALUE_MISSING;
}

enum fd_type { TYPE_WORD, TYPE_CHAR, TYPE_FAMILY };

static enum value_state get_type(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	static const struct {
		unsigned int family;
		const char *text[3];
	} sockets[] = {
		{ EVENT_AF_INET, { "ipv4", "4", "ip" } },
		{ EVENT_AF_INET6, { "ipv6", "6", "ip" } },
		{ EVENT_AF_UNIX, { "unix", "u", "unix" } },
		{ AF_NETLINK, { "netlink", "n", NULL } },
	};
	const struct event *ev = cx->in->ev;

	(void)arg;
	if (ev->class == EVENT_OPEN) {
		static const char *const kinds[2][3] = { { "file", "f", NULL },
			{ "directory", "d", NULL } };

		return give_some(out, str_from(kinds[is_directory(&ev->open)][f->aux]));
	}
	for (size_t i = 0; is_net(ev) && i < ARRAY_N(sockets); i++)
		if (sockets[i].family == family_of(&ev->net))
			return give_some(out, str_from(sockets[i].text[f->aux]));
	return VALUE_MISSING;
}

/* Resolve "." and ".." and double slashes in text alone: for paths that were never opened. */
static void append_clean(struct buf *b, struct str path)
{
	while (path.n) {
		struct str part = str_cut(&path, '/');

		if (!part.n || str_eqz(part, "."))
			continue;
		if (str_eqz(part, "..")) {
			while (b->n && b->p[b->n - 1] != '/')
				b->n--;
			if (b->n > 1)
				b->n--;
			continue;
		}
		if (!b->n || b->p[b->n - 1] != '/')
			buf_putc(b, '/');
		buf_put_str(b, part);
	}
}

/* What the caller named, as an absolute path where that can be told. */
static enum value_state give_user_path(struct field_ctx *cx, struct value *out)
{
	const struct event *ev = cx->in->ev;
	const struct process *p = cx->in->process;
	struct str user = event_str(ev, ev->open.user);
	struct buf *b;

	if (!user.n)
		return VALUE_MISSING;
	if (user.p[0] != '/' && (ev->open.dirfd != AT_FDCWD || !p || !p->cwd.n))
		return give_str(out, user);
	b = text_begin(cx);
	buf_putc(b, '/');
	if (user.p[0] != '/')
		append_clean(b, p->cwd);
	append_clean(b, user);
	return give_text(cx, out);
}

enum value_state field_fd_name(struct field_ctx *cx, struct value *out)
{
	const struct event *ev = cx->in->ev;
	struct str path;

	if (ev->class == EVENT_OPEN) {
		path = event_str(ev, ev->open.path);
		return path.n ? give_str(out, path) : give_user_path(cx, out);
	}
	if (!is_net(ev))
		return VALUE_MISSING;
	event_net_tuple(text_begin(cx), ev);
	return cx->text->n ? give_text(cx, out) : VALUE_MISSING;
}

static enum value_state get_name(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	(void)f, (void)arg;
	return field_fd_name(cx, out);
}

static enum value_state get_nameraw(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct event *ev = cx->in->ev;

	(void)f, (void)arg;
	if (ev->class == EVENT_OPEN && ev->open.user.len)
		return give_str(out, event_str(ev, ev->open.user));
	return field_fd_name(cx, out);
}

static size_t last_slash(struct str s)
{
	const char *at = s.n ? memrchr(s.p, '/', s.n) : NULL;

	return at ? (size_t)(at - s.p) : SIZE_MAX;
}

static enum value_state get_directory(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct event *ev = cx->in->ev;
	struct value name;
	size_t slash;

	(void)f, (void)arg;
	if (ev->class != EVENT_OPEN || field_fd_name(cx, &name) != VALUE_HAVE)
		return VALUE_MISSING;
	if (is_directory(&ev->open))
		return give_str(out, name.one.s);
	slash = last_slash(name.one.s);
	if (slash == SIZE_MAX)
		return give_str(out, STR("/"));
	return give_str(out, str_of(name.one.s.p, slash ? slash : 1));
}

static enum value_state get_filename(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	struct value name;
	size_t slash;

	(void)f, (void)arg;
	if (cx->in->ev->class != EVENT_OPEN || field_fd_name(cx, &name) != VALUE_HAVE)
		return VALUE_MISSING;
	slash = last_slash(name.one.s);
	if (slash == SIZE_MAX)
		return give_str(out, name.one.s);
	return give_str(out, str_of(name.one.s.p + slash + 1, name.one.s.n - slash - 1));
}

static enum value_state get_l4proto(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct event_net *net = &cx->in->ev->net;
	unsigned int family = is_net(cx->in->ev) ? net->family : 0;

	(void)f, (void)arg;
	if (family != EVENT_AF_INET && family != EVENT_AF_INET6)
		return VALUE_MISSING;
	if (net->protocol == IPPROTO_ICMP || net->protocol == IPPROTO_ICMPV6)
		return give_str(out, STR("icmp"));
	switch (net->type & TYPE_MASK) {
	case SOCK_STREAM:
		return give_str(out, STR("tcp"));
	case SOCK_DGRAM:
		return give_str(out, STR("udp"));
	case SOCK_RAW:
		return give_str(out, STR("raw"));
	default:
		return VALUE_MISSING;
	}
}

/* Which end; BOTH gives one value for each that is known. */
enum end { END_CLIENT, END_SERVER, END_LOCAL, END_REMOTE, END_BOTH };

static bool is_server(const struct event *ev)
{
	return ev->class == EVENT_ACCEPT || ev->class == EVENT_BIND || ev->class == EVENT_LISTEN ||
	       ev->net.listening;
}

/* NULL: there is no such end. */
static const struct event_addr *end_of(const struct event *ev, enum end end)
{
	const struct event_net *net = &ev->net;
	bool peer = ev->class == EVENT_CONNECT || ev->class == EVENT_ACCEPT;

	if (!is_net(ev) || ev->class == EVENT_SOCKET)
		return NULL;
	if (net->family != EVENT_AF_INET && net->family != EVENT_AF_INET6)
		return NULL;
	if (end == END_CLIENT)
		end = is_server(ev) ? END_REMOTE : END_LOCAL;
	else if (end == END_SERVER)
		end = is_server(ev) ? END_LOCAL : END_REMOTE;
	if (end == END_REMOTE)
		return peer ? &net->remote : NULL;
	return &net->local;
}

static struct ip ip_of(const struct event *ev, const struct event_addr *a)
{
	struct ip ip = { .family = (uint8_t)ev->net.family };

	if (ip.family == EVENT_AF_INET6 && is_mapped(a)) {
		ip.family = EVENT_AF_INET;
		memcpy(ip.addr, a->addr + 12, 4);
	} else {
		memcpy(ip.addr, a->addr, ip.family == EVENT_AF_INET ? 4 : 16);
	}
	return ip;
}

static void take_end(
	const struct event *ev, const struct field *f, const struct event_addr *a, union atom *out)
{
	if (f->type == FIELD_PORT)
		out->i = a->port;
	else
		out->ip = ip_of(ev, a);
}

static enum value_state get_end(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct event *ev = cx->in->ev;
	enum end first = f->aux == END_BOTH ? END_CLIENT : (enum end)f->aux;
	const struct event_addr *a = end_of(ev, first), *b = NULL;
	union atom *both;

	(void)arg;
	if (f->aux == END_BOTH)
		b = end_of(ev, END_SERVER);
	if (!a || !b) {
		a = a ? a : b;
		if (a)
			take_end(ev, f, a, &out->one);
		return a ? VALUE_HAVE : VALUE_MISSING;
	}
	both = scratch_alloc(cx->scratch, 2 * sizeof(*both));
	if (!both)
		return VALUE_MISSING;
	take_end(ev, f, a, &both[0]);
	take_end(ev, f, b, &both[1]);
	out->many = both;
	out->n = 2;
	return VALUE_HAVE;
}

enum fd_bool { FD_IS_SERVER, FD_CONNECTED, FD_NAME_CHANGED };

static enum value_state get_bool(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct event *ev = cx->in->ev;

	(void)arg;
	if (!is_net(ev))
		return VALUE_MISSING;
	if (f->aux == FD_IS_SERVER)
		return give_int(out, is_server(ev));
	if (f->aux == FD_NAME_CHANGED)
		return give_int(out, ev->class == EVENT_CONNECT);
	return give_int(out, ev->class == EVENT_ACCEPT
				     ? ev->ret >= 0
				     : ev->class == EVENT_CONNECT && ev->ret == 0);
}

enum fd_file { FILE_DEV, FILE_MAJOR, FILE_MINOR, FILE_INO };

static enum value_state get_file(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct event_open *o = &cx->in->ev->open;

	(void)arg;
	if (cx->in->ev->class != EVENT_OPEN || cx->in->ev->ret < 0)
		return VALUE_MISSING;
	switch ((enum fd_file)f->aux) {
	case FILE_DEV:
		return give_int(out, (int64_t)o->dev);
	case FILE_MAJOR:
		return give_int(out, major(o->dev));
	case FILE_MINOR:
		return give_int(out, minor(o->dev));
	default:
		return give_int(out, (int64_t)o->ino);
	}
}

#define END(text, type, sides, end, sense)                                                         \
	{                                                                                          \
		text, FIELD_##type, .flags = (sides), .classes = NETS, .aux = (end),               \
				    .get = get_end, .meaning = sense                               \
	}
#define FILTER FIELD_F_FILTER_ONLY
#define SIDES  (FIELD_F_SIDES | FIELD_F_FILTER_ONLY)

static const struct field table[] = {
	{ "fd.num", FIELD_INT, .classes = FDS, .get = get_num,
		.meaning = "number of the descriptor, -1 when there is none" },
	{ "fd.type", FIELD_STR, .classes = FDS, .aux = TYPE_WORD, .get = get_type,
		.meaning = "file, directory, ipv4, ipv6, unix, netlink" },
	{ "fd.typechar", FIELD_STR, .classes = FDS, .aux = TYPE_CHAR, .get = get_type,
		.meaning = "f, d, 4, 6, u, n for the same" },
	{ "fd.sockfamily", FIELD_STR, .classes = NETS, .aux = TYPE_FAMILY, .get = get_type,
		.meaning = "ip or unix" },
	{ "fd.name", FIELD_STR, .flags = FIELD_F_PATH, .classes = FDS, .get = get_name,
		.meaning =
			"path as the kernel opened it (as the caller named it when that failed), or "
			"both ends of a socket" },
	{ "fd.nameraw", FIELD_STR, .flags = FIELD_F_PATH, .classes = FDS, .get = get_nameraw,
		.meaning = "path as the caller named it" },
	{ "fd.directory", FIELD_STR, .flags = FIELD_F_PATH, .classes = C(OPEN),
		.get = get_directory, .meaning = "directory of fd.name, without slash at its end" },
	{ "fd.filename", FIELD_STR, .classes = C(OPEN), .get = get_filename,
		.meaning = "last part of fd.name" },
	{ "fd.dev", FIELD_INT, .classes = C(OPEN), .aux = FILE_DEV, .get = get_file,
		.meaning = "device of the file" },
	{ "fd.dev.major", FIELD_INT, .classes = C(OPEN), .aux = FILE_MAJOR, .get = get_file,
		.meaning = "major number of the file's device" },
	{ "fd.dev.minor", FIELD_INT, .classes = C(OPEN), .aux = FILE_MINOR, .get = get_file,
		.meaning = "minor number of the file's device" },
	{ "fd.ino", FIELD_INT, .classes = C(OPEN), .aux = FILE_INO, .get = get_file,
		.meaning = "inode of the file" },
	{ "fd.l4proto", FIELD_STR, .classes = NETS, .get = get_l4proto,
		.meaning = "tcp, udp, icmp or raw" },
	{ "fd.is_server", FIELD_BOOL, .classes = NETS, .aux = FD_IS_SERVER, .get = get_bool,
		.meaning = "the process is the server" },
	{ "fd.connected", FIELD_BOOL, .classes = NETS, .aux = FD_CONNECTED, .get = get_bool,
		.meaning = "the connection stands" },
	{ "fd.name_changed", FIELD_BOOL, .classes = NETS, .aux = FD_NAME_CHANGED, .get = get_bool,
		.meaning = "the event gave the socket another name: connect does" },
	END("fd.cip", IP, 0, END_CLIENT, "address of the client"),
	END("fd.sip", IP, 0, END_SERVER, "address of the server"),
	END("fd.lip", IP, 0, END_LOCAL, "local address"),
	END("fd.rip", IP, 0, END_REMOTE, "remote address"),
	END("fd.ip", IP, SIDES, END_BOTH, "either address; != needs both to differ"),
	END("fd.cnet", NET, FILTER, END_CLIENT, "network of the client"),
	END("fd.snet", NET, FILTER, END_SERVER, "network of the server"),
	END("fd.lnet", NET, FILTER, END_LOCAL, "local network"),
	END("fd.rnet", NET, FILTER, END_REMOTE, "remote network"),
	END("fd.net", NET, SIDES, END_BOTH, "either network; != needs both to differ"),
	END("fd.cport", PORT, 0, END_CLIENT, "port of the client"),
	END("fd.sport", PORT, 0, END_SERVER, "port of the server"),
	END("fd.lport", PORT, 0, END_LOCAL, "local port"),
	END("fd.rport", PORT, 0, END_REMOTE, "remote port"),
	END("fd.port", PORT, SIDES, END_BOTH, "either port; != needs both to differ"),
};

struct field_table fields_fd(void)
{
	return (struct field_table){ table, ARRAY_N(table) };
}
