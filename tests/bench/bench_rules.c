/*
 * What judging one event costs: nanoseconds by number of rules and kind of event, and what loading
 * the rules took. Not a test: nothing is asserted.
 *
 *     bench_rules [--rules PATH]...     rules to measure besides the generated ones, as one set
 *
 * Each figure is the median of many short rounds, so that what else the machine does falls out.
 */
#include "base/clock.h"
#include "rules/judge.h"
#include "rules/rules.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/stat.h>

#define ROUNDS         41
#define MAX_RULES_TEXT (64u << 20)

struct sample {
	const char *name;
	struct event ev;
	struct process process, parent;
	struct container container;
	bool in_container;
	char data[512], args[512];
};

static struct event_span put(struct sample *s, const char *text)
{
	struct event_span span = { s->ev.data_len, (uint32_t)strlen(text) };

	memcpy(s->data + span.off, text, span.len);
	s->ev.data_len += span.len;
	return span;
}

static void set_process(struct process *p, const char *comm, const char *exe)
{
	snprintf(p->comm, sizeof(p->comm), "%s", comm);
	p->exe = str_from(exe);
	p->key = (struct process_key){ 1000, 1000000000 };
	p->cwd = STR("/home/user");
	p->loginuid = UINT32_MAX;
}

/* argv has '|' between its strings. */
static void init(struct sample *s, const char *name, enum event_class class, int nr,
	const char *comm, const char *exe, const char *argv)
{
	size_t n = strlen(argv);

	*s = (struct sample){ .name = name };
	s->ev = (struct event){ .class = class,
		.nr = nr,
		.seq = 7,
		.ts_ns = 1700000000000000000u,
		.boot_ns = 100000000000u,
		.key = { 1000, 1000000000 },
		.tid = 1000 };
	for (size_t i = 0; i <= n; i++)
		s->args[i] = argv[i] == '|' ? '\0' : argv[i];
	set_process(&s->process, comm, exe);
	set_process(&s->parent, "bash", "/usr/bin/bash");
}

/* Pointers into the sample itself, once it stands where it stays. */
static void settle(struct sample *s, size_t args_n)
{
	s->ev.data = s->data;
	s->process.args = str_of(s->args, args_n);
	s->process.parent = &s->parent;
	memcpy(s->ev.comm, s->process.comm, sizeof(s->ev.comm));
}

static void init_open(struct sample *s, const char *name, const char *path, uint32_t flags)
{
	init(s, name, EVENT_OPEN, 257, "cc1", "/usr/lib/gcc/cc1", "cc1|-quiet|main.c|-O2");
	s->ev.ret = 3;
	s->ev.open.flags = flags;
	s->ev.open.dirfd = AT_FDCWD;
	s->ev.open.file_mode = S_IFREG | 0644;
	s->ev.open.path = put(s, path);
	s->ev.open.user = put(s, path);
	settle(s, 22);
}

static void init_exec(struct sample *s, const char *name)
{
	init(s, name, EVENT_EXEC, 59, "gcc", "/usr/bin/x86_64-linux-gnu-gcc-12",
		"gcc|-O2|-Wall|-Iinclude|-c|src/module/file.c|-o|build/module/file.o");
	settle(s,
		strlen("gcc|-O2|-Wall|-Iinclude|-c|src/module/file.c|-o|build/module/file.o") + 1);
}

static void init_connect(struct sample *s, const char *name)
{
	static const uint8_t local[4] = { 10, 1, 2, 3 }, remote[4] = { 93, 184, 216, 34 };

	init(s, name, EVENT_CONNECT, 42, "curl", "/usr/bin/curl", "curl|-s|https://example.org");
	s->ev.net.family = EVENT_AF_INET;
	s->ev.net.type = 1;
	s->ev.net.protocol = 6;
	s->ev.net.fd = 5;
	s->ev.net.local.port = 40000;
	s->ev.net.remote.port = 443;
	memcpy(s->ev.net.local.addr, local, sizeof(local));
	memcpy(s->ev.net.remote.addr, remote, sizeof(remote));
	settle(s, 28);
}

static void into_container(struct sample *s)
{
	s->in_container = true;
	memset(s->container.id, 'c', CONTAINER_ID_LEN);
	s->container.runtime = RUNTIME_PODMAN;
	s->container.state = CONTAINER_KNOWN;
	s->container.name = STR("web");
	s->container.image = STR("docker.io/library/nginx:1.25");
	s->container.image_repo = STR("docker.io/library/nginx");
	s->container.image_tag = STR("1.25");
}

enum { SAMPLES = 7 };

static void init_samples(struct sample s[SAMPLES])
{
	init_open(&s[0], "open lib", "/usr/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY);
	init_open(&s[1], "open passwd", "/etc/passwd", O_RDONLY);
	init_open(&s[2], "write tmp", "/tmp/cc/build-4711/object.o", O_WRONLY | O_CREAT);
	init_exec(&s[3], "exec");
	init_connect(&s[4], "connect");
	init_open(&s[5], "open lib ctr", "/usr/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY);
	into_container(&s[5]);
	init_exec(&s[6], "exec ctr");
	into_container(&s[6]);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* *alerts: that one event gives. */
static double measure(struct judge *j, const struct sample *s, size_t *alerts_n)
{
	struct judge_hook hook = judge_hook(j);
	struct judge_input in = { &s->ev, &s->process, s->in_container ? &s->container : NULL };
	struct judge_alerts alerts = { 0 };
	double ns[ROUNDS];
	int n = 200;

	for (int round = -1; round < ROUNDS; round++) {
		uint64_t start = clock_mono_ns(), took;

		for (int i = 0; i < n; i++) {
			hook.event(hook.ctx, &in, true, &alerts);
			*alerts_n = alerts.list.n;
			while (alerts.list.n)
				alert_free(alerts.list.p[--alerts.list.n]);
		}
		took = clock_mono_ns() - start;
		if (round >= 0)
			ns[round] = (double)took / n;
		else
			n = took ? (int)(2000000u * 200u / took) + 1 : 200000; /* 2 ms each */
	}
	vec_fini(&alerts.list);
	qsort(ns, ROUNDS, sizeof(*ns), by_value);
	return ns[ROUNDS / 2];
}

enum { KINDS = 8, MIXED = KINDS };

/* A condition that only its own number makes true. */
static void put_condition(struct buf *b, unsigned int i, unsigned int kind)
{
	switch (kind == MIXED ? i % KINDS : kind) {
	case 0:
		buf_printf(b, "open_read and fd.name = /srv/app%u/conf/server.key", i);
		break;
	case 1:
		buf_printf(b, "open_write and fd.name startswith /opt/site%u/data/", i);
		break;
	case 2:
		buf_printf(b, "spawned and proc.name in (tool%u, helper%u)", i, i);
		break;
	case 3:
		buf_printf(b, "spawned and proc.cmdline contains \"--job=%u-x\"", i);
		break;
	case 4:
		buf_printf(b,
			"open_read and container and fd.directory = /var/lib/unit%u and not "
			"proc.name in (known_procs)",
			i);
		break;
	case 5:
		buf_printf(b, "open_write and fd.name endswith .part%u", i);
		break;
	case 6:
		buf_printf(b, "spawned and proc.exepath pmatch (/opt/vendor%u/bin)", i);
		break;
	default:
		buf_printf(b, "evt.type = connect and container and proc.name = client%u", i);
	}
}

static void put_rules(struct buf *b, unsigned int n, unsigned int kind)
{
	buf_puts(b, "- macro: open_read\n  condition: (evt.type in (open, openat, openat2) and "
		    "evt.is_open_read=true and fd.typechar='f' and fd.num>=0)\n"
		    "- macro: open_write\n  condition: (evt.type in (open, openat, openat2, creat) "
		    "and evt.is_open_write=true and fd.typechar='f' and fd.num>=0)\n"
		    "- macro: spawned\n  condition: (evt.type in (execve, execveat))\n"
		    "- macro: container\n  condition: (container.id != host)\n"
		    "- list: known_procs\n  items: [systemd, sshd, cron]\n");
	for (unsigned int i = 0; i < n; i++) {
		buf_printf(b, "- rule: Rule %u\n  desc: d\n  priority: WARNING\n  condition: ", i);
		put_condition(b, i, kind);
		buf_puts(b,
			"\n  output: it happened (file=%fd.name proc=%proc.cmdline user=%user.name)\n");
	}
}

static void show_set(const char *name, struct ruleset *rs, uint64_t load_ns, size_t bytes)
{
	static struct sample samples[SAMPLES];
	struct judge *j = judge_new(&(struct judge_options){
		.rules = rs, .boot_id = STR("boot"), .hostname = STR("node1") });

	init_samples(samples);
	printf("%-10s %6zu %9.1f %8.1f", name, ruleset_count(rs), (double)load_ns / 1e6,
		(double)bytes / (1u << 20));
	for (size_t i = 0; i < SAMPLES; i++) {
		size_t alerts = 0;
		double ns = measure(j, &samples[i], &alerts);

		printf(" %11.0f%s", ns, alerts ? "!" : " ");
	}
	printf("\n");
	judge_free(j);
}

static void show_heads(void)
{
	static struct sample samples[SAMPLES];

	init_samples(samples);
	printf("%-10s %6s %9s %8s", "set", "rules", "load ms", "MiB");
	for (size_t i = 0; i < SAMPLES; i++)
		printf(" %12s", samples[i].name);
	printf("   (ns per event; !: with the making of alerts)\n");
}

static size_t memory(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void generated(const char *name, unsigned int n, unsigned int kind)
{
	AUTO(buf_fini) struct buf text = BUF_INIT(MAX_RULES_TEXT);
	AUTO(ruleset_unref) struct ruleset *rs = NULL;
	struct rules_text t = { "generated.yaml", { 0 } };
	struct err e = { 0 };
	uint64_t start;
	size_t before;

	put_rules(&text, n, kind);
	before = memory();
	t.text = buf_str(&text);
	start = clock_mono_ns();
	if (rules_load_text(&rs, &t, 1, NULL, NULL, &e)) {
		fprintf(stderr, "%s\n", e.msg);
		return;
	}
	start = clock_mono_ns() - start;
	show_set(name, rs, start, memory() - before);
}

static int given(const char *const *paths, size_t n)
{
	AUTO(ruleset_unref) struct ruleset *rs = NULL;
	struct err e = { 0 };
	size_t before = memory();
	uint64_t start = clock_mono_ns();

	if (rules_load(&rs, paths, n, NULL, NULL, &e)) {
		fprintf(stderr, "%s\n", e.msg);
		return 1;
	}
	show_set("given", rs, clock_mono_ns() - start, memory() - before);
	return 0;
}

int main(int argc, char **argv)
{
	static const unsigned int sizes[] = { 25, 93, 1000, 10000 };
	static const char *const kinds[KINDS] = { "path", "prefix", "name", "contains", "directory",
		"suffix", "pmatch", "client" };
	const char *paths[64];
	size_t n = 0;

	for (int i = 1; i + 1 < argc && n < ARRAY_N(paths); i += 2)
		if (strcmp(argv[i], "--rules") == 0)
			paths[n++] = argv[i + 1];
	show_heads();
	if (n && given(paths, n))
		return 1;
	for (size_t i = 0; i < ARRAY_N(sizes); i++)
		generated("mixed", sizes[i], MIXED);
	for (unsigned int kind = 0; kind < KINDS; kind++)
		generated(kinds[kind], 10000, kind);
	return 0;
}
