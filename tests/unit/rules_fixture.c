#include "tests/unit/rules_fixture.h"

#include "rules/parse.h"
#include "rules/program.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#define SECOND 1000000000ull

struct event_span rfx_span(struct rules_fixture *fx, const char *text)
{
	uint32_t n = (uint32_t)strlen(text);
	struct event_span s = { fx->ev.data_len, n };

	assert_true(fx->ev.data_len + n < sizeof(fx->data));
	memcpy(fx->data + s.off, text, n);
	fx->ev.data_len += n;
	return s;
}

void rfx_process(
	struct rules_fixture *fx, int i, const char *comm, const char *exe, const char *argv)
{
	struct process *p = &fx->process[i];
	size_t n = strlen(argv);

	snprintf(p->comm, sizeof(p->comm), "%s", comm);
	p->exe = str_from(exe);
	assert_true(n + 1 < sizeof(fx->args[i]));
	for (size_t k = 0; k <= n; k++)
		fx->args[i][k] = argv[k] == ' ' ? '\0' : argv[k];
	p->args = str_of(fx->args[i], n ? n + 1 : 0);
	if (i == 0)
		snprintf(fx->ev.comm, sizeof(fx->ev.comm), "%s", comm);
}

void rfx_init(struct rules_fixture *fx)
{
	memset(fx, 0, sizeof(*fx));
	fx->ev = (struct event){ .class = EVENT_EXEC,
		.cpu = 1,
		.seq = 41,
		.boot_ns = 100 * SECOND,
		.ts_ns = 1700000000 * SECOND,
		.key = { 1000, 90 * SECOND },
		.exec_id = 2,
		.tid = 1000,
		.nr = 59,
		.uid = 1001,
		.gid = 1002,
		.euid = 1001 };
	fx->ev.data = fx->data;
	for (int i = 0; i < 4; i++) {
		struct process *p = &fx->process[i];

		p->key = (struct process_key){ i == 3 ? 1u : 1000u - (uint32_t)i * 100,
			90u * SECOND - (uint64_t)i * 10 * SECOND };
		p->exec_ns = p->key.start_ns;
		p->parent = i < 3 ? &fx->process[i + 1] : NULL;
		p->ppid = i < 2 ? 900u - (uint32_t)i * 100 : i == 2;
		p->vpid = p->key.tgid;
		p->sid = p->pgid = p->vpgid = 900;
		p->loginuid = UINT32_MAX;
		p->uid = p->euid = 1001;
		p->cwd = STR("/home/user");
	}
	rfx_process(fx, 0, "sh", "/usr/bin/dash", "sh -c id");
	rfx_process(fx, 1, "bash", "/usr/bin/bash", "-bash");
	rfx_process(fx, 2, "sshd", "/usr/sbin/sshd", "sshd: user");
	rfx_process(fx, 3, "systemd", "/usr/lib/systemd/systemd", "/sbin/init splash");
}

void rfx_open(struct rules_fixture *fx, const char *path, const char *user, uint32_t flags)
{
	struct event *ev = &fx->ev;

	ev->class = EVENT_OPEN;
	ev->nr = 257;
	ev->data_len = 0;
	ev->ret = path ? 3 : -ENOENT;
	memset(&ev->open, 0, sizeof(ev->open));
	ev->open.flags = flags;
	ev->open.dirfd = AT_FDCWD;
	ev->open.file_mode = path ? S_IFREG | 0644 : 0;
	ev->open.dev = 0x801;
	ev->open.ino = 77;
	if (path)
		ev->open.path = rfx_span(fx, path);
	if (user)
		ev->open.user = rfx_span(fx, user);
}

static void set_addr(struct event_addr *a, const char *text, uint16_t port)
{
	a->port = port;
	if (strchr(text, ':'))
		assert_int_equal(inet_pton(AF_INET6, text, a->addr), 1);
	else
		assert_int_equal(inet_pton(AF_INET, text, a->addr), 1);
}

void rfx_net(struct rules_fixture *fx, enum event_class class, const char *local,
	uint16_t local_port, const char *remote, uint16_t remote_port)
{
	static const int32_t calls[EVENT_CLASS_N] = { [EVENT_CONNECT] = 42,
		[EVENT_ACCEPT] = 43,
		[EVENT_BIND] = 49,
		[EVENT_LISTEN] = 50,
		[EVENT_SOCKET] = 41 };
	struct event *ev = &fx->ev;

	ev->class = class;
	ev->nr = calls[class];
	ev->ret = class == EVENT_ACCEPT ? 7 : 0;
	ev->data_len = 0;
	memset(&ev->net, 0, sizeof(ev->net));
	ev->net.fd = 5;
	ev->net.type = 1;
	ev->net.protocol = 6;
	ev->net.family = strchr(local, ':') ? EVENT_AF_INET6 : EVENT_AF_INET;
	set_addr(&ev->net.local, local, local_port);
	if (remote)
		set_addr(&ev->net.remote, remote, remote_port);
}

void rfx_container(struct rules_fixture *fx, enum container_state state)
{
	struct container *c = &fx->container;

	fx->in_container = true;
	memset(c, 0, sizeof(*c));
	memset(c->id, 'c', CONTAINER_ID_LEN);
	memcpy(c->id, "0123456789ab", 12);
	c->runtime = RUNTIME_PODMAN;
	c->state = state;
	if (state != CONTAINER_KNOWN)
		return;
	c->name = STR("web");
	c->image = STR("docker.io/library/nginx:1.25");
	c->image_repo = STR("docker.io/library/nginx");
	c->image_tag = STR("1.25");
	c->created_ns = fx->ev.ts_ns - 60 * SECOND;
	fx->mounts[0] = (struct container_mount){ STR("/var/run/docker.sock"),
		STR("/run/docker.sock"), STR("rw"), STR("rbind"), true };
	fx->mounts[1] = (struct container_mount){ STR("/proc/sys"), STR("/host/sys"), STR("ro"),
		STR(""), false };
	c->mounts = fx->mounts;
	c->mounts_n = 2;
}

struct judge_input rfx_input(const struct rules_fixture *fx)
{
	return (struct judge_input){ .ev = &fx->ev,
		.process = fx->no_process ? NULL : &fx->process[0],
		.container = fx->in_container ? &fx->container : NULL };
}

static enum judge_name user_name(
	void *ctx, const struct container *c, uint32_t uid, struct str *out)
{
	static char name[32];

	(void)ctx;
	if (uid == 4040)
		return JUDGE_NAME_MISSING;
	snprintf(name, sizeof(name), "%s%u", c ? "inner" : "user", uid);
	*out = str_from(name);
	return JUDGE_NAME_FOUND;
}

static const struct judge_names names = { .user_name = user_name, .group_name = user_name };

static int load_condition(struct program *p, const char *condition, uint32_t *node, struct err *e)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct program_build b = { .program = p };
	struct ast *tree;
	size_t at;

	if (parse_condition(&tree, a, str_from(condition), &at, e))
		return -1;
	return program_add(&b, tree, node, e);
}

enum verdict rfx_eval(const struct rules_fixture *fx, const char *condition)
{
	AUTO(program_free) struct program *p = program_new();
	AUTO(program_state_free) struct program_state *s = NULL;
	struct judge_input in = rfx_input(fx);
	struct err e = { 0 };
	uint32_t node;

	if (load_condition(p, condition, &node, &e))
		fail_msg("%s: %s", condition, e.msg);
	s = program_state_new(p, &names, STR("node1"));
	program_begin(s, &in, fx->final);
	return program_eval(s, node);
}

const char *rfx_error(const char *condition)
{
	static struct err e;
	AUTO(program_free) struct program *p = program_new();
	uint32_t node;

	e = (struct err){ 0 };
	if (load_condition(p, condition, &node, &e) == 0)
		fail_msg("%s: loads, but should not", condition);
	return e.msg;
}

struct ruleset *rfx_load(const char *text, struct rules_report *report)
{
	struct rules_text t = { "test.yaml", str_from(text) };
	struct ruleset *rs = NULL;
	struct err e = { 0 };

	if (rules_load_text(&rs, &t, 1, NULL, report, &e))
		fail_msg("%s", e.msg);
	return rs;
}

enum verdict rfx_judge(const struct rules_fixture *fx, struct judge *j, struct judge_alerts *out)
{
	struct judge_input in = rfx_input(fx);
	struct judge_hook hook = judge_hook(j);

	return hook.event(hook.ctx, &in, fx->final, out);
}

void rfx_alerts_fini(struct judge_alerts *a)
{
	for (size_t i = 0; i < a->list.n; i++)
		alert_free(a->list.p[i]);
	vec_fini(&a->list);
}

const char *rfx_source_path(const char *path)
{
	static char out[4096];
	static const char here[] = __FILE__;
	const char *tests = strstr(here, "tests/unit/");

	assert_non_null(tests);
	snprintf(out, sizeof(out), "%.*s%s", (int)(tests - here), here, path);
	return out;
}
