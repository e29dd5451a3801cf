#include "tests/unit/rules_random.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static uint64_t rng_state;

void rnd_seed(uint64_t seed)
{
	rng_state = seed;
}

uint32_t rnd(uint32_t n)
{
	uint64_t z = rng_state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) >> 32) % n;
}

#define pick(table) ((table)[rnd(ARRAY_N(table))])

/* Few values, so that rules and events meet. */

static const char *const paths[] = { "/etc/passwd", "/etc/shadow", "/etc//shadow", "/etc/ssh/key",
	"/etc", "/", "/usr/bin/id", "/usr/bin/sh", "/usr/lib/x.so", "/tmp/a", "/tmp/a/b.txt",
	"/tmp/", "/tmp/aa/ab/abc", "/home/u/.ssh/id", "/HOME/U/.SSH/id", "relative/x",
	"/var/log/sys.log", "/var/log", "/proc/1/mem", "/tmp/[a]", "/tmp/a*b" };
static const char *const names[] = { "sh", "bash", "id", "nginx", "a", "ab", "abc", "systemd",
	"SH" };
static const char *const words[] = { "sh", "a", "ab", "abc", "/", "/etc", "ssh", "s", "-c", "id",
	".so", "x", "bc", "log", "host", "tmp/a", "/tmp", "nginx", "txt", "root", "b", "-x 1" };
static const char *const globs[] = { "/etc/*", "*sh*", "/tmp/?", "*.so", "/*/[a-z]*", "s?",
	"/tmp/\\[a\\]", "[", "a*c", "*", "/HOME/*id", "/t[m]p/a" };
static const char *const prefixes[] = { "/etc", "/tmp/a", "/usr", "/", "/etc/ssh/", "//etc//ssh",
	"relative", "/home/*/.ssh", "/tmp/a*", "/tmp/aa/ab", "/proc/1" };
static const char *const regexes[] = { "s.*", "(/etc|/tmp)/.*", "a+b?c", ".*sh", "[0-9]+" };
static const char *const types[] = { "open", "openat", "openat2", "creat", "execve", "execveat",
	"connect", "accept", "accept4", "procexit", "bind", "clone", "kill" };
static const char *const ips[] = { "10.0.0.1", "10.0.0.2", "1.2.3.4", "::1", "fe80::1", "fe80::2" };
static const char *const nets[] = { "10.0.0.0/8", "1.2.3.4", "::/0", "0.0.0.0/0" };

static const char *const text_fields[] = { "fd.name", "fd.name", "fd.name", "fd.directory",
	"fd.filename", "fd.nameraw", "proc.name", "proc.name", "proc.pname", "proc.exepath",
	"proc.cmdline", "proc.args", "proc.args[1]", "proc.aname", "proc.aname[2]", "proc.aexepath",
	"proc.cwd", "container.id", "container.name", "container.image.repository", "user.name",
	"evt.res", "evt.category", "syscall.type", "fd.typechar", "fd.l4proto",
	"container.mount.dest[/x]", "evt.args" };
static const char *const number_fields[] = { "fd.num", "evt.num", "evt.rawres", "proc.pid",
	"proc.tty", "fd.sport", "fd.port", "fd.lport", "user.uid", "proc.apid", "proc.cmdnargs" };
static const char *const bool_fields[] = { "evt.is_open_read", "evt.is_open_write",
	"evt.is_open_exec", "container.privileged", "proc.is_exe_upper_layer", "fd.is_server",
	"evt.failed", "hw.path_unverified" };

static const char *text_value(void)
{
	switch (rnd(4)) {
	case 0:
		return pick(names);
	case 1:
		return pick(words);
	default:
		return pick(paths);
	}
}

static void put_quoted(struct buf *b, const char *z)
{
	buf_putc(b, '"');
	for (; *z; z++)
		buf_printf(b, *z == '\\' || *z == '"' ? "\\%c" : "%c", *z);
	buf_putc(b, '"');
}

/* "(a, b, c)", up to `most` of what `value` gives; sometimes none. */
static void put_list(struct buf *b, uint32_t least, const char *(*value)(void))
{
	uint32_t n = rnd(20) ? 1 + rnd(rnd(4) ? 3 : 12) : least;

	buf_putc(b, '(');
	for (uint32_t i = 0; i < n; i++) {
		buf_puts(b, i ? ", " : "");
		put_quoted(b, value());
	}
	buf_putc(b, ')');
}

static const char *prefix_value(void)
{
	return pick(prefixes);
}

static const char *type_value(void)
{
	return pick(types);
}

static const char *ip_value(void)
{
	return pick(ips);
}

static const char *net_value(void)
{
	return pick(nets);
}

static void put_text_check(struct buf *b)
{
	static const char *const ops[] = { "=", "!=", "contains", "startswith", "endswith",
		"icontains", "in", "in", "in", "pmatch", "pmatch", "glob", "iglob", "regex",
		"exists", "intersects", "contains", "startswith", "endswith", "=", "<", ">=" };
	static const char *const modifiers[] = { "anyof", "allof", "oneof" };
	const char *op = pick(ops), *field = pick(text_fields);

	if (rnd(12) == 0 && strcmp(field, "proc.aname") != 0 && strcmp(field, "proc.aexepath") != 0)
		buf_printf(b, "%s(%s) %s ", rnd(2) ? "tolower" : "basename", field, op);
	else
		buf_printf(b, "%s %s ", field, op);
	if (strcmp(op, "in") == 0 || strcmp(op, "intersects") == 0)
		put_list(b, 0, text_value);
	else if (strcmp(op, "pmatch") == 0)
		put_list(b, 1, prefix_value);
	else if (strstr(op, "glob"))
		put_quoted(b, pick(globs));
	else if (strcmp(op, "regex") == 0)
		put_quoted(b, pick(regexes));
	else if (strcmp(op, "<") == 0 || strcmp(op, ">=") == 0)
		buf_puts(b, "val(proc.name)");
	else if (op[0] > 'Z' && strcmp(op, "exists") != 0 && rnd(4) == 0) {
		buf_printf(b, "%s ", pick(modifiers));
		put_list(b, 1, text_value);
	} else if (strcmp(op, "exists") != 0 && rnd(15) == 0)
		buf_puts(b, "val(proc.pname)");
	else if (strcmp(op, "exists") != 0)
		put_quoted(b, text_value());
}

static void put_number_check(struct buf *b)
{
	static const char *const ops[] = { "=", "!=", "<", "<=", ">", ">=", "in", "=", "in" };
	static const int values[] = { 0, 1, 3, 22, 80, 443, 900, 1000, 1001, -2, 5 };
	const char *op = pick(ops), *field = pick(number_fields);
	bool port = strstr(field, "port"); /* which is never negative */
	int first = pick(values), second = pick(values);

	first = port ? abs(first) : first;
	second = port ? abs(second) : second;
	if (strcmp(op, "in") != 0)
		buf_printf(b, "%s %s %d", field, op, first);
	else
		buf_printf(b, "%s %s (%d, %d)", field, op, first, second);
}

static void put_address_check(struct buf *b)
{
	static const char *const fields[] = { "fd.sip", "fd.cip", "fd.ip", "fd.rip" };
	static const char *const net_fields[] = { "fd.snet", "fd.net" };
	static const char *const ops[] = { "=", "!=", "in" };
	const char *op = pick(ops);
	bool net = rnd(3) == 0;

	buf_printf(b, "%s %s ", net ? pick(net_fields) : pick(fields), op);
	if (strcmp(op, "in") == 0)
		put_list(b, 1, net ? net_value : ip_value);
	else
		put_quoted(b, net ? net_value() : ip_value());
}

void random_type_check(struct buf *b)
{
	if (rnd(3)) {
		buf_puts(b, "evt.type in ");
		put_list(b, 1, type_value);
	} else {
		buf_printf(b, "%s %s %s", rnd(4) ? "evt.type" : "syscall.type",
			rnd(4) ? "=" : "!=", pick(types));
	}
}

static void put_check(struct buf *b)
{
	switch (rnd(12)) {
	case 0:
		random_type_check(b);
		break;
	case 1:
		put_number_check(b);
		break;
	case 2:
		put_address_check(b);
		break;
	case 3:
	case 4:
		buf_printf(b, "%s = %s", pick(bool_fields), rnd(2) ? "true" : "false");
		break;
	case 5:
		buf_puts(b, "hw.argv intersects ");
		put_list(b, 0, text_value);
		break;
	case 6:
		buf_puts(b, "hw.argv in ");
		put_list(b, 0, text_value);
		break;
	default:
		put_text_check(b);
	}
}

void random_condition(struct buf *b, uint32_t depth, uint32_t macros)
{
	const char *op;
	uint32_t n;

	if (rnd(7) == 0)
		buf_puts(b, "not ");
	if (macros && rnd(4) == 0) {
		buf_printf(b, "macro%u", rnd(macros));
		return;
	}
	if (!depth || rnd(5) == 0) {
		put_check(b);
		return;
	}
	op = rnd(3) ? " and " : " or ";
	n = 2 + rnd(3);
	buf_putc(b, '(');
	for (uint32_t i = 0; i < n; i++) {
		buf_puts(b, i ? op : "");
		random_condition(b, depth - 1, macros);
	}
	buf_putc(b, ')');
}

/* Events. */

static void random_process(struct rules_fixture *fx, int i)
{
	char argv[256];

	snprintf(argv, sizeof(argv), "%s %s %s", pick(names), pick(words), text_value());
	rfx_process(fx, i, pick(names), pick(paths), rnd(8) ? argv : "");
	fx->process[i].tty = rnd(2) * 34816;
	fx->process[i].exe_upper = rnd(2);
	fx->process[i].key.tgid = rnd(3) ? 1000 : 900;
}

static void random_open(struct rules_fixture *fx)
{
	static const int32_t calls[] = { 2, 257, 437, 85, 257 };
	static const uint32_t flags[] = { O_RDONLY, O_WRONLY, O_RDWR, O_RDONLY | O_CREAT,
		O_RDONLY | O_DIRECTORY };

	rfx_open(fx, rnd(6) ? pick(paths) : NULL, rnd(6) ? pick(paths) : NULL, pick(flags));
	fx->ev.nr = pick(calls);
	fx->ev.open.mode = rnd(2) ? 0755 : 0644;
	if (rnd(4) == 0)
		fx->ev.open.file_mode = S_IFDIR | 0755;
}

static void random_net(struct rules_fixture *fx)
{
	static const enum event_class classes[] = { EVENT_CONNECT, EVENT_ACCEPT, EVENT_BIND,
		EVENT_SOCKET, EVENT_CONNECT };
	static const uint16_t ports[] = { 22, 80, 443, 1000 };
	bool six = rnd(3) == 0;

	rfx_net(fx, pick(classes), six ? ips[3 + rnd(3)] : ips[rnd(3)], pick(ports),
		six ? ips[3 + rnd(3)] : ips[rnd(3)], pick(ports));
}

void random_event(struct rules_fixture *fx)
{
	static const uint32_t uids[] = { 0, 7, 1001, 1002 };

	rfx_init(fx);
	for (int i = 0; i < 4; i++)
		if (rnd(2))
			random_process(fx, i);
	fx->ev.uid = fx->process[0].uid = pick(uids);
	fx->ev.seq = rnd(3);
	switch (rnd(5)) {
	case 0:
		fx->ev.nr = rnd(2) ? 59 : 322;
		break;
	case 1:
		random_net(fx);
		break;
	case 2:
		fx->ev.class = rnd(2) ? EVENT_EXIT : EVENT_FORK;
		fx->ev.nr = fx->ev.class == EVENT_EXIT ? -1 : 56;
		break;
	default:
		random_open(fx);
	}
	if (rnd(2))
		rfx_container(fx, (enum container_state)rnd(3));
	fx->container.privileged = rnd(2);
	if (fx->container.state == CONTAINER_KNOWN && rnd(2))
		fx->container.name = str_from(pick(names));
	fx->no_process = rnd(20) == 0;
	fx->final = rnd(3) == 0;
}
