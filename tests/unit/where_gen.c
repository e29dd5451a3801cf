#include "tests/unit/where_gen.h"

#include "tests/unit/store_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#define SECOND 1000000000ull

#define PICK(g, array) ((array)[gen_below(g, (uint32_t)ARRAY_N(array))])

/* splitmix64 */
static uint64_t next(struct gen *g)
{
	uint64_t z = (g->state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

uint32_t gen_below(struct gen *g, uint32_t n)
{
	return (uint32_t)(next(g) % n);
}

uint64_t gen_seed(void)
{
	const char *text = getenv("HW_SEED");
	uint64_t seed = 1;

	if (text)
		str_to_u64(str_from(text), &seed);
	print_message("HW_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

/* --- events --- */

static const char *const paths[] = { "/etc/shadow", "/etc/passwd", "/etc/pam.d/sshd", "/tmp/x",
	"/usr/bin/ls", "/var/log/../log/syslog", "/etc", "/proc/self/mem", "/home/user/.ssh/id_rsa",
	"/dev/null", "/etc/we\"ird 'name", "/tmp/\xc3\xa9t\xc3\xa9", "/bad/\xff\xfe",
	"/esc/\x1b[31m" };
static const char *const users[] = { "/etc/shadow", "shadow", "../etc/passwd", "x/./y", "",
	"/tmp//x" };

static struct event_span put_data(struct gen_event *e, const char *text, size_t n)
{
	struct event_span s = { e->ev.data_len, (uint32_t)n };

	assert_true(e->ev.data_len + n < sizeof(e->data));
	memcpy(e->data + s.off, text, n);
	e->ev.data_len += s.len;
	return s;
}

static struct event_span put_text(struct gen_event *e, const char *text)
{
	return put_data(e, text, strlen(text));
}

static void make_open(struct gen *g, struct gen_event *e)
{
	static const int32_t calls[] = { 257, 257, 257, 2, 437, 85 };
	static const uint32_t flags[] = { 0, O_WRONLY, O_RDWR, O_WRONLY | O_CREAT | O_TRUNC,
		O_RDWR | O_CREAT, O_CLOEXEC, O_TMPFILE | O_RDWR, O_DIRECTORY };
	struct event *ev = &e->ev;
	bool good = gen_below(g, 3) > 0;

	ev->class = EVENT_OPEN;
	ev->nr = PICK(g, calls);
	ev->ret = good ? 3 + (int)gen_below(g, 4) : -ENOENT;
	ev->open.flags = PICK(g, flags);
	ev->open.mode = gen_below(g, 2) ? 0644 : 0755;
	ev->open.dirfd = gen_below(g, 4) ? AT_FDCWD : 7;
	if (good) {
		ev->open.file_mode = gen_below(g, 5) ? S_IFREG | 0644 : S_IFDIR | 0755;
		ev->open.dev = 0x801;
		ev->open.ino = gen_below(g, 3) + 70;
		ev->open.path = put_text(e, PICK(g, paths));
	}
	ev->open.user = put_text(e, PICK(g, users));
}

static void set_addr(struct gen *g, struct event_addr *a, bool v6)
{
	static const char *const fours[] = { "10.0.0.1", "10.0.0.2", "127.0.0.1", "192.168.1.9",
		"0.0.0.0" };
	static const char *const sixes[] = { "::1", "fe80::1", "::ffff:10.0.0.1", "::" };
	static const uint16_t ports[] = { 0, 22, 80, 443, 40000 };

	assert_int_equal(
		inet_pton(v6 ? AF_INET6 : AF_INET, v6 ? PICK(g, sixes) : PICK(g, fours), a->addr),
		1);
	a->port = PICK(g, ports);
}

static void make_net(struct gen *g, struct gen_event *e)
{
	static const struct {
		enum event_class class;
		int32_t nr;
	} kinds[] = { { EVENT_CONNECT, 42 }, { EVENT_CONNECT, 42 }, { EVENT_ACCEPT, 43 },
		{ EVENT_ACCEPT, 288 }, { EVENT_BIND, 49 }, { EVENT_LISTEN, 50 },
		{ EVENT_SOCKET, 41 } };
	static const uint16_t families[] = { EVENT_AF_INET, EVENT_AF_INET, EVENT_AF_INET6,
		EVENT_AF_UNIX, 16, 0 };
	struct event *ev = &e->ev;
	uint32_t kind = gen_below(g, (uint32_t)ARRAY_N(kinds));
	bool v6;

	ev->class = kinds[kind].class;
	ev->nr = kinds[kind].nr;
	ev->ret = gen_below(g, 4) ? (int)gen_below(g, 2) * 6 : -ECONNREFUSED;
	ev->net.fd = gen_below(g, 8) ? 5 : -1;
	ev->net.family = PICK(g, families);
	ev->net.type = (uint16_t)(1 + gen_below(g, 3));
	ev->net.protocol = gen_below(g, 2) ? 6 : 1;
	ev->net.listening = ev->class == EVENT_LISTEN || gen_below(g, 9) == 0;
	v6 = ev->net.family == EVENT_AF_INET6;
	if (ev->net.family == EVENT_AF_UNIX) {
		ev->net.path = put_text(e, gen_below(g, 2) ? "/run/docker.sock" : "@abstract");
	} else if (ev->net.family == EVENT_AF_INET || v6) {
		set_addr(g, &ev->net.local, v6);
		set_addr(g, &ev->net.remote, v6);
	}
}

static void make_exec(struct gen *g, struct gen_event *e, const struct process *p)
{
	struct event *ev = &e->ev;

	ev->class = EVENT_EXEC;
	ev->nr = gen_below(g, 4) ? 59 : 322;
	/* Whoever could exec is known by it. */
	ev->ret = p && gen_below(g, 6) ? 0 : -ENOENT;
	ev->exec.file = put_text(e, "./run");
	if (!p || ev->ret)
		return;
	ev->exec.exe = put_data(e, p->exe.p, p->exe.n);
	ev->exec.args = put_data(e, p->args.p, p->args.n);
	ev->exec.cwd = put_data(e, p->cwd.p, p->cwd.n);
	ev->exec.exe_upper = p->exe_upper;
	ev->exec.exe_memfd = p->exe_memfd;
}

static void make_event(struct gen *g, size_t i)
{
	static const uint32_t uids[] = { 0, 0, 1000, 1001, 4294967295u };
	struct gen_event *e = &g->event[i];
	struct event *ev = &e->ev;
	const struct process *p;

	e->chain = (int)gen_below(g, GEN_CHAINS + 1) - 1;
	e->container = (int)gen_below(g, GEN_CONTAINERS);
	p = e->chain < 0 ? NULL : &g->process[e->chain][0];
	ev->data = e->data;
	ev->cpu = gen_below(g, 3);
	ev->seq = i + 1;
	ev->boot_ns = 1000 * SECOND + (uint64_t)i * 1000;
	ev->ts_ns = FIXTURE_NOW + ev->boot_ns;
	ev->key = p ? p->key : (struct process_key){ 77, 5 };
	ev->exec_id = p ? p->exec_id : 1;
	ev->tid = ev->key.tgid + gen_below(g, 2);
	ev->uid = PICK(g, uids);
	ev->gid = PICK(g, uids);
	ev->euid = PICK(g, uids);
	ev->flags = gen_below(g, 3) ? 0 : 1u << gen_below(g, 3);
	ev->nr = -1;
	snprintf(ev->comm, sizeof(ev->comm), "%s", p ? p->comm : "ghost");
	switch (gen_below(g, 8)) {
	case 0:
		ev->class = EVENT_EXIT;
		ev->exit.code = (int32_t)gen_below(g, 3) * 128;
		return;
	case 1:
		ev->class = EVENT_FORK;
		ev->nr = 56;
		ev->ret = 12;
		return;
	case 2:
		make_exec(g, e, p);
		return;
	case 3:
	case 4:
		make_net(g, e);
		return;
	default:
		make_open(g, e);
	}
}

/* --- processes and containers --- */

static void make_process(struct gen *g, int c, int i)
{
	static const char *const names[GEN_CHAINS][GEN_CHAIN_N] = {
		{ "sh", "bash", "sshd", "systemd" }, { "nginx", "nginx", "conmon", "systemd" },
		{ "cat", "sh", "cron", "init" }, { "python3.11", "bash", "login", "init" },
		{ "x", "y", "z", "x" }, { "a b", "sh", "sh", "sh" }
	};
	static const char *const argvs[] = { "sh\0-c\0id\0", "nginx:\0worker\0process\0", "cat\0",
		"python3\0-m\0http.server\0-p80\0", "./x\0a=b\0\0c d\0", "" };
	static const size_t lens[] = { 9, 22, 4, 27, 14, 0 };
	struct process *p = &g->process[c][i];
	uint32_t argv = (uint32_t)(c + i) % (uint32_t)ARRAY_N(argvs);

	p->key.tgid = i == 3 ? 1 : (uint32_t)(1000 + c * 10 + i);
	p->key.start_ns = SECOND * (uint32_t)(900 - i * 100 + c);
	p->exec_id = (uint64_t)i + 1;
	p->exec_ns = i == 1 ? 0 : p->key.start_ns + SECOND;
	p->parent = i + 1 < GEN_CHAIN_N ? &g->process[c][i + 1] : NULL;
	p->ppid = p->parent ? (uint32_t)(1001 + c * 10 + i) : 0;
	p->vpid = gen_below(g, 2) ? p->key.tgid : 7;
	p->sid = (uint32_t)(1000 + c * 10 + (int)gen_below(g, 3));
	p->pgid = (uint32_t)(1000 + c * 10 + (int)gen_below(g, 3));
	p->vpgid = 7;
	p->uid = p->euid = p->gid = 1000;
	p->loginuid = gen_below(g, 2) ? UINT32_MAX : 1000;
	p->sessionid = UINT32_MAX;
	p->tty = gen_below(g, 2) ? 34816 : 0;
	p->cap_effective = gen_below(g, 2) ? UINT64_MAX >> 23 : 1ull << 21;
	p->cap_permitted = p->cap_effective;
	p->exe_ino = gen_below(g, 2) * 55;
	p->exe_ctime_ns = gen_below(g, 2) * FIXTURE_NOW;
	p->exe_mtime_ns = gen_below(g, 2) * FIXTURE_NOW;
	p->exe_upper = gen_below(g, 2);
	p->exe_memfd = gen_below(g, 4) == 0;
	p->kthread = gen_below(g, 8) == 0;
	p->inherited = gen_below(g, 4) == 0;
	snprintf(p->comm, sizeof(p->comm), "%s", names[c][i]);
	p->exe = gen_below(g, 4) ? STR("/usr/bin/thing") : STR("");
	memcpy(g->args[c][i], argvs[argv], lens[argv]);
	p->args = str_of(g->args[c][i], lens[argv]);
	p->cwd = gen_below(g, 3) ? STR("/home/user") : STR("/");
	p->cgroup = STR("/user.slice");
}

static void make_containers(struct gen *g)
{
	struct container *c = g->container;

	g->mounts[0] = (struct container_mount){ STR("/var/run/docker.sock"),
		STR("/run/docker.sock"), STR("rw"), STR("rbind"), true };
	g->mounts[1] = (struct container_mount){ STR("/proc/sys"), STR("/host/sys"), STR("ro"),
		STR(""), false };
	g->labels[0] = (struct container_label){ STR("app"), STR("web") };
	g->labels[1] = (struct container_label){ STR("tier"), STR("") };
	memset(c[1].id, 'c', CONTAINER_ID_LEN);
	memcpy(c[1].id, "0123456789ab", 12);
	c[1].runtime = RUNTIME_PODMAN;
	c[1].state = CONTAINER_KNOWN;
	c[1].name = STR("web");
	c[1].image = STR("docker.io/library/nginx:1.25");
	c[1].image_repo = STR("docker.io/library/nginx");
	c[1].image_tag = STR("1.25");
	c[1].image_digest = c[1].image_id = c[1].user = c[1].k8s_pod = c[1].k8s_ns = STR("");
	c[1].privileged = true;
	c[1].created_ns = FIXTURE_NOW;
	c[1].mounts = g->mounts;
	c[1].mounts_n = 2;
	c[1].labels = g->labels;
	c[1].labels_n = 2;
	memset(c[2].id, 'd', CONTAINER_ID_LEN);
	c[2].runtime = RUNTIME_DOCKER;
	c[2].state = CONTAINER_UNKNOWN;
	memcpy(c[3].id, "lxcbox", 6);
	c[3].runtime = RUNTIME_LXC;
	c[3].state = CONTAINER_PENDING;
}

struct gen *gen_new(uint64_t seed, size_t events_n)
{
	struct gen *g = xcalloc(1, sizeof(*g));

	g->state = seed;
	for (int c = 0; c < GEN_CHAINS; c++)
		for (int i = 0; i < GEN_CHAIN_N; i++)
			make_process(g, c, i);
	for (int c = 0; c < GEN_CHAINS; c++)
		for (int i = 0; i + 1 < GEN_CHAIN_N; i++) {
			g->process[c][i].parent_key = g->process[c][i + 1].key;
			g->process[c][i].parent_exec_id = g->process[c][i + 1].exec_id;
		}
	make_containers(g);
	g->event = xcalloc(events_n, sizeof(*g->event));
	g->events_n = events_n;
	for (size_t i = 0; i < events_n; i++)
		make_event(g, i);
	return g;
}

void gen_free(struct gen *g)
{
	free(g->event);
	free(g);
}

struct judge_input gen_input(const struct gen *g, size_t i)
{
	const struct gen_event *e = &g->event[i];

	return (struct judge_input){ .ev = &e->ev,
		.process = e->chain < 0 ? NULL : &g->process[e->chain][0],
		.container = e->container ? &g->container[e->container] : NULL };
}
