/* The appliance without a screen: this thread has signals, control socket, watchdog and the tick. */
#include "cmd/service.h"

#include "base/clock.h"
#include "base/log.h"
#include "cmd/control.h"
#include "cmd/notify.h"
#include "cmd/watch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>

#define TICK_NS 1000000000u

const struct cmd_option cmd_run_options[] = {
	{ "output", "FORMAT", "text json", "how alerts are printed" },
	{ "duration", "TIME", NULL, "end after this time: 30, 90s, 5m, 2h" },
	{ "rules", "PATH", NULL,
		"rule file or folder instead of the configured ones; may be repeated" },
	{ "fresh", NULL, NULL, "remove what a dead instance left instead of going on with it" },
	{ "no-scan", NULL, NULL, "do not scan images" },
	{ "no-posture", NULL, NULL, "do not check the node's configuration" },
	{ 0 },
};
enum { RUN_OUTPUT, RUN_DURATION, RUN_RULES, RUN_FRESH, RUN_NO_SCAN, RUN_NO_POSTURE };

struct run {
	struct cmd_env *env;
	struct service_options options;
	uint64_t duration_ns; /* 0: until told */
	const char *paths[CONFIG_MAX_ITEMS];
	size_t paths_n;

	struct service *service;
	struct control_server *control;
	struct watch *watch; /* NULL: none, or not wanted */
	int signal_fd;
	uint64_t end_ns, next_tick_ns, next_watchdog_ns, watchdog_ns; /* CLOCK_MONOTONIC */
	bool stop;
};

static int take_option(struct run *r, const struct cmd_args *a, int option)
{
	struct err e = { 0 };
	switch (option) {
	case RUN_OUTPUT:
		r->options.has_json = true;
		r->options.json = strcmp(a->value, "json") == 0;
		return EXIT_DONE;
	case RUN_DURATION:
		if (clock_parse_duration(str_from(a->value), &r->duration_ns, &e))
			return cmd_fail_text(
				r->env, EXIT_USAGE, "--duration %s: %s", a->value, e.msg);
		if (r->duration_ns == 0)
			return cmd_fail_text(r->env, EXIT_USAGE,
				"--duration %s: more than 0 is needed", a->value);
		return EXIT_DONE;
	case RUN_RULES:
		if (r->paths_n == ARRAY_N(r->paths))
			return cmd_fail_text(
				r->env, EXIT_USAGE, "more than %d --rules", CONFIG_MAX_ITEMS);
		r->paths[r->paths_n++] = a->value;
		return EXIT_DONE;
	case RUN_FRESH:
		r->options.fresh = true;
		return EXIT_DONE;
	}
	return EXIT_DONE; /* --no-scan, --no-posture: this version has neither */
}

/* ---- control requests ---- */

static void put_ok(struct buf *answer)
{
	buf_puts(answer, "{\"ok\":true}");
}

/* A change of these means that the rules or the configuration have changed. Returns how many. */
static size_t watched_paths(
	const struct run *r, const struct config *c, char *conf_d, const char **out, size_t max)
{
	const struct config_list *rules = r->paths_n ? &r->options.rules : &c->rules_files;
	size_t n = 0;
	for (size_t i = 0; i < rules->n && n < max; i++)
		out[n++] = rules->p[i];
	for (size_t i = 0; i < c->files.n && n < max; i++)
		out[n++] = c->files.p[i];
	if (c->files.n == 0 || n == max)
		return n;
	const char *slash = strrchr(c->files.p[0], '/');
	int len = slash ? (int)(slash - c->files.p[0]) : 0;
	snprintf(conf_d, PATH_MAX, "%.*s%sconf.d", len, c->files.p[0], slash ? "/" : "");
	out[n++] = conf_d;
	return n;
}

/*
 * Watch the files anew, as they are before they are read: a change meanwhile is another one. A wrong
 * configuration is told by who loads it in earnest; until it is right the old files are watched.
 */
static void renew_watch(struct run *r)
{
	AUTO(config_free) struct config *c = NULL;
	AUTO(buf_fini) struct buf problems = BUF_INIT(1u << 16);
	AUTO(watch_close) struct watch *fresh = NULL;
	const char *paths[2 * CONFIG_MAX_ITEMS + CONFIG_MAX_FILES];
	char conf_d[PATH_MAX];
	struct err e = { 0 };
	struct config_source source = { .file = r->env->config_file,
		.state_dir = r->env->state_dir };
	if (config_load(&c, &source, &problems, NULL))
		return;
	size_t n = c->watch_config_files ? watched_paths(r, c, conf_d, paths, ARRAY_N(paths)) : 0;
	if (n && watch_open(&fresh, paths, n, &e))
		log_warn("run", "%s; changes of files are taken on SIGHUP only", e.msg);
	watch_close(r->watch);
	r->watch = TAKE(fresh);
}

static void reload(struct run *r, struct buf *answer)
{
	struct err e = { 0 };
	char line[80];
	renew_watch(r);
	snprintf(line, sizeof(line), "RELOADING=1\nMONOTONIC_USEC=%llu",
		(unsigned long long)(clock_mono_ns() / 1000));
	notify_send(line);
	int rc = service_reload(r->service, &e);
	notify_send("READY=1");
	if (rc)
		log_error("run", "%s", e.msg);
	else
		log_info("run", "reloaded: %zu rules", service_rules_n(r->service));
	if (rc && answer)
		control_answer_error(answer, &e);
	else if (answer)
		put_ok(answer);
}

static void answer_control(void *ctx, const struct json_node *request, struct buf *answer)
{
	struct run *r = ctx;
	struct err e = { 0 };
	struct str name = json_str(json_get(request, "request"), STR(""));
	if (str_eqz(name, "status")) {
		service_put_status(r->service, answer);
	} else if (str_eqz(name, "processes")) {
		service_put_processes(r->service, answer);
	} else if (str_eqz(name, "reload")) {
		reload(r, answer);
	} else if (str_eqz(name, "stop")) {
		r->stop = true;
		put_ok(answer);
	} else {
		err_set(&e, ERR_USAGE, "unknown request %.*s: status, processes, reload or stop",
			STR_ARG(name));
		control_answer_error(answer, &e);
	}
}

/* ---- the loop ---- */

static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN); /* a reader of alerts that goes away must not end the watch */
}

static void take_signals(struct run *r)
{
	struct signalfd_siginfo info;
	while (read(r->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload(r, NULL);
		else
			r->stop = true;
	}
}

static void tick(struct run *r, uint64_t now)
{
	if (now >= r->next_tick_ns) {
		r->next_tick_ns = now + TICK_NS;
		service_tick(r->service);
	}
	if (r->watchdog_ns && now >= r->next_watchdog_ns) {
		r->next_watchdog_ns = now + r->watchdog_ns;
		if (service_alive(r->service))
			notify_send("WATCHDOG=1");
	}
	if (r->duration_ns && now >= r->end_ns)
		r->stop = true;
}

static int wait_ms(const struct run *r, uint64_t now)
{
	uint64_t until = r->next_tick_ns;
	if (r->duration_ns && r->end_ns < until)
		until = r->end_ns;
	if (r->watchdog_ns && r->next_watchdog_ns < until)
		until = r->next_watchdog_ns;
	if (watch_due_ns(r->watch) && watch_due_ns(r->watch) < until)
		until = watch_due_ns(r->watch);
	return until <= now ? 0 : (int)((until - now) / 1000000u) + 1;
}

static void loop(struct run *r)
{
	r->next_tick_ns = clock_mono_ns() + TICK_NS;
	while (!r->stop) {
		struct pollfd p[] = {
			{ .fd = r->signal_fd, .events = POLLIN },
			{ .fd = control_server_fd(r->control), .events = POLLIN },
			{ .fd = watch_fd(r->watch), .events = POLLIN },
		};
		if (poll(p, ARRAY_N(p), wait_ms(r, clock_mono_ns())) < 0 && errno != EINTR) {
			struct err e = { 0 };
			err_set(&e, ERR_SYS, "poll");
			log_error("run", "%s", e.msg);
			return;
		}
		uint64_t now = clock_mono_ns();
		take_signals(r);
		control_server_step(r->control, now);
		if (watch_step(r->watch, now)) {
			log_info("run", "files of rules or configuration have changed");
			reload(r, NULL);
		}
		tick(r, now);
	}
}

/* ---- from start to end ---- */

static void say_ready(struct run *r, uint64_t begun_ns)
{
	struct capture_status st;
	service_capture_status(r->service, &st);
	double seconds = (double)(clock_mono_ns() - begun_ns) / 1e9;
	size_t dead = 0;
	for (size_t i = 0; i < st.sources_n; i++)
		dead += !st.sources[i].alive;
	if (dead)
		log_warn("run",
			"%zu of %zu event sources are not alive; `hullwatch status` tells which",
			dead, st.sources_n);
	/* Not through the log: a contract, whatever log.level is. */
	dprintf(STDERR_FILENO, "hullwatch: ready: %zu rules, %s%s, %.2f s\n",
		service_rules_n(r->service),
		st.pinned ? "pinned at " : "not pinned: ", st.pin_detail ? st.pin_detail : "",
		seconds);
	notify_send("READY=1");
}

static int open_loop(struct run *r, const sigset_t *signals, struct err *e)
{
	r->signal_fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r->signal_fd < 0)
		return err_set(e, ERR_SYS, "signalfd");
	if (control_server_open(
		    &r->control, service_config(r->service)->runtime_dir, answer_control, r, e))
		return -1;
	renew_watch(r);
	r->watchdog_ns = notify_watchdog_ns();
	r->end_ns = clock_mono_ns() + r->duration_ns;
	return 0;
}

static int tell_start(const struct run *r, const struct err *e)
{
	if (!e->msg[0])
		return err_exit_code(e); /* told already */
	bool refused = e->code == ERR_SYS && (e->sys == EPERM || e->sys == EACCES);
	if (refused && geteuid() != 0)
		return cmd_fail_text(r->env, err_exit_code(e), "%s; it needs root", e->msg);
	return cmd_fail(r->env, e);
}

static int serve(struct run *r)
{
	struct err e = { 0 };
	sigset_t signals;
	uint64_t begun_ns = clock_mono_ns();
	int rc = EXIT_DONE;
	block_signals(&signals);
	if (service_open(&r->service, &r->options, &e))
		return tell_start(r, &e);
	if (open_loop(r, &signals, &e) == 0) {
		say_ready(r, begun_ns);
		loop(r);
		notify_send("STOPPING=1");
		log_info("run", "stopping");
	} else {
		rc = cmd_fail(r->env, &e);
	}
	/* The socket first: who connects from here on is told at once that no service runs. */
	control_server_close(TAKE(r->control));
	watch_close(TAKE(r->watch));
	if (service_close(TAKE(r->service), &e))
		rc = cmd_fail(r->env, &e);
	if (r->signal_fd >= 0)
		close(r->signal_fd);
	return rc;
}

int cmd_run(int argc, char **argv, struct cmd_env *env)
{
	struct cmd_args a = cmd_args_of(argc, argv, env);
	struct run r = { .env = env, .signal_fd = -1 };
	int got;
	while ((got = cmd_args_next(&a)) >= 0) {
		if (take_option(&r, &a, got))
			return EXIT_USAGE;
	}
	if (got != CMD_ARGS_END)
		return cmd_args_code(got);
	if (cmd_args_count(&a, 0, 0))
		return EXIT_USAGE;
	r.options.env = env;
	r.options.rules = (struct config_list){ r.paths, r.paths_n };
	return serve(&r);
}
