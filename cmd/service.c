#include "cmd/service.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "cmd/rules.h"
#include "cmd/service_parts.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#define PRINTER_WAIT_MS 2000
/* passwd and group are looked at this often. */
#define USERS_EVERY_TICKS 5

#define MIB(n) ((n) << 20)
/* In a storm of alerts the rings hold what the store has not taken: memory stays flat. */
#define STORE_QUEUE_BYTES (16u << 20)

/* ---- identity ---- */

static int read_boot_id(char out[SERVICE_BOOT_ID_LEN + 1], struct err *e)
{
	const char *file = "/proc/sys/kernel/random/boot_id";
	AUTO_FD int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, out, SERVICE_BOOT_ID_LEN) != SERVICE_BOOT_ID_LEN)
		return err_set(e, ERR_SYS, "read %s", file);
	out[SERVICE_BOOT_ID_LEN] = 0;
	return 0;
}

void service_pin_name(const char *state_dir, char *out)
{
	uint8_t digest[HASH_SHA256_LEN];
	char hex[2 * 4 + 1], real[PATH_MAX];
	if (!realpath(state_dir, real))
		snprintf(real, sizeof(real), "%s", state_dir);
	if (strcmp(real, CONFIG_STATE_DIR) == 0) {
		snprintf(out, 32, "hullwatch");
		return;
	}
	hash_sha256(str_from(real), digest);
	hash_hex(digest, 4, hex);
	snprintf(out, 32, "hullwatch-%s", hex);
}

static void set_log_level(const struct config *c)
{
	static const enum log_level levels[] = {
		[CONFIG_LOG_ERROR] = LOG_LEVEL_ERROR,
		[CONFIG_LOG_WARN] = LOG_LEVEL_WARN,
		[CONFIG_LOG_INFO] = LOG_LEVEL_INFO,
		[CONFIG_LOG_DEBUG] = LOG_LEVEL_DEBUG,
	};
	log_set_level(levels[c->log_level]);
}

/* ---- rules ---- */

static void tell_rule_problem(enum rules_level l, const char *line)
{
	/* What cannot run here is expected of rules written for everywhere; `rules list` shows it. */
	log_line(l == RULES_ERROR ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, "rules", "%s", line);
}

static size_t count_judged(const struct ruleset *rules)
{
	size_t n = 0;
	for (size_t i = 0; i < ruleset_count(rules); i++) {
		enum rule_state state = ruleset_rule(rules, i)->state;
		n += state == RULE_ACTIVE || state == RULE_PARTIAL;
	}
	return n;
}

/* `strict`: one wrong rule is enough to refuse the set. */
static int load_rules(
	struct service *s, struct ruleset **out, const struct config *c, bool strict, struct err *e)
{
	AUTO(ruleset_unref) struct ruleset *rules = NULL;
	AUTO(rules_report_fini) struct rules_report report = RULES_REPORT_INIT;
	if (cmd_rules_load(&rules, c, &s->options->rules, &report, e))
		return -1;
	cmd_rules_tell(&report, tell_rule_problem);
	if (strict && report.errors_n)
		return err_set(e, ERR_CONFIG, "rules: %zu errors", report.errors_n);
	if (count_judged(rules) == 0)
		return err_set(e, ERR_CONFIG,
			"rules: none of %zu can be judged here (%zu errors, %zu cannot run); "
			"`hullwatch rules list` tells why",
			report.rules_n, report.errors_n, report.cannot_run_n);
	if (report.cannot_run_n)
		log_info("rules", "%zu rules cannot run here; `hullwatch rules list` tells why",
			report.cannot_run_n);
	s->rule_errors_n = report.errors_n;
	s->rule_cannot_run_n = report.cannot_run_n;
	*out = TAKE(rules);
	return 0;
}

/* On the capture thread. */
static enum judge_name name_of(
	const struct container *c, struct str host, uint32_t id, struct str *out)
{
	/* The host's names say nothing about a container's users, except for the one that all have. */
	if (c && id != 0)
		return JUDGE_NAME_MISSING;
	*out = c ? STR("root") : host;
	return out->p ? JUDGE_NAME_FOUND : JUDGE_NAME_MISSING;
}

static enum judge_name user_name(
	void *ctx, const struct container *c, uint32_t uid, struct str *out)
{
	const struct service *s = ctx;
	return name_of(c, c ? (struct str){ 0 } : users_name(s->users, uid), uid, out);
}

static enum judge_name group_name(
	void *ctx, const struct container *c, uint32_t gid, struct str *out)
{
	const struct service *s = ctx;
	return name_of(c, c ? (struct str){ 0 } : users_group(s->users, gid), gid, out);
}

static struct judge *make_judge(struct service *s, struct ruleset *rules)
{
	struct judge_options o = {
		.rules = rules,
		.boot_id = str_from(s->boot_id),
		.hostname = str_from(s->hostname),
		.names = { .ctx = s, .user_name = user_name, .group_name = group_name },
	};
	return judge_new(&o);
}

/* ---- store and printer ---- */

/* On the store's thread. */
static void on_commit(void *ctx, const struct record_mark *mark, int64_t last_alert_n)
{
	struct service *s = ctx;
	pthread_mutex_lock(&s->commit_lock);
	if (mark) {
		s->mark = *mark;
		s->has_mark = true;
		/* Under the lock, so that marks arrive in their order; capture's own lock nests inside it. */
		if (s->committing)
			capture_committed(s->committing, mark);
	}
	if (s->printer)
		stdout_printer_notify(s->printer, last_alert_n);
	pthread_mutex_unlock(&s->commit_lock);
}

static void set_committing(struct service *s, struct capture *c)
{
	pthread_mutex_lock(&s->commit_lock);
	s->committing = c;
	if (c && s->has_mark)
		capture_committed(c, &s->mark);
	pthread_mutex_unlock(&s->commit_lock);
}

static int open_store(struct service *s, struct err *e)
{
	const struct config *c = s->config;
	struct store_options o = {
		.dir = c->state_dir,
		.boot_id = s->boot_id,
		.hostname = s->hostname,
		.segment_max_bytes = MIB(c->store.segment_mib),
		.segment_max_age_ns = c->store.segment_age_ns,
		.events_max_bytes = MIB(c->store.max_mib),
		.queue_max_bytes = STORE_QUEUE_BYTES,
		.on_commit = on_commit,
		.ctx = s,
	};
	return store_writer_open(&s->writer, &o, e);
}

static int open_printer(struct service *s, struct err *e)
{
	struct stdout_options o = {
		.path = s->config->state_dir,
		.fd = STDOUT_FILENO,
		.json = s->options->has_json ? s->options->json : s->config->json_output,
		.after_n = store_writer_first_n(s->writer),
	};
	struct stdout_printer *printer;
	if (stdout_printer_open(&printer, &o, e))
		return -1;
	pthread_mutex_lock(&s->commit_lock);
	s->printer = printer;
	pthread_mutex_unlock(&s->commit_lock);
	return 0;
}

/* ---- collectors ---- */

static int open_runtime(struct service *s, struct err *e)
{
	struct runtime_store stores[CONFIG_MAX_ITEMS] = { 0 };
	const struct config_list *roots = &s->config->containers.podman_roots;
	char *copies[CONFIG_MAX_ITEMS];
	size_t n = roots->n < ARRAY_N(stores) ? roots->n : ARRAY_N(stores);
	for (size_t i = 0; i < n; i++) {
		copies[i] = xstrndup(roots->p[i], strlen(roots->p[i]));
		char *colon = strchr(copies[i], ':');
		if (colon)
			*colon = 0;
		stores[i].graph = copies[i];
		stores[i].run = colon ? colon + 1 : "/run/containers/storage";
	}
	struct runtime_options o = { .stores = stores, .stores_n = n };
	int rc = runtime_open(&s->runtime, &o, e);
	for (size_t i = 0; i < n; i++)
		free(copies[i]);
	return rc;
}

/* The collector takes 0 for its default; a configured 0 means none at all. */
static uint64_t none_is_tiny(uint64_t ns)
{
	return ns ? ns : 1;
}

static int open_capture(struct service *s, struct err *e)
{
	static const enum capture_keep keeps[] = {
		[CONFIG_EVENTS_MATCHED] = CAPTURE_KEEP_MATCHED,
		[CONFIG_EVENTS_LINEAGE] = CAPTURE_KEEP_LINEAGE,
		[CONFIG_EVENTS_ALL] = CAPTURE_KEEP_ALL,
	};
	const struct config *c = s->config;
	struct capture_options o = {
		.sink = store_writer_sink(s->writer),
		.judge = judge_hook(s->judge),
		.runtime = s->runtime,
		.boot_id = s->boot_id,
		.bpffs = c->collector.pin == CONFIG_PIN_AUTO ? c->collector.bpffs : NULL,
		.pin_name = s->pin_name,
		.fresh = s->options->fresh,
		.ring_bytes = (uint32_t)MIB(c->collector.ring_mib),
		.priority_ring_bytes = (uint32_t)MIB(c->collector.priority_ring_mib),
		.processes_max = (uint32_t)c->collector.processes_max,
		.keep = keeps[c->store.events],
		.before_ns = none_is_tiny(c->store.before_s * 1000000000u),
		.before_bytes = MIB(c->store.before_mib),
		.park_ns = none_is_tiny(c->collector.park_ms * 1000000u),
		.account_cgroups = c->collector.account_cgroups.p,
		.account_cgroups_n = c->collector.account_cgroups.n,
	};
	size_t n;
	const char *const *types = ruleset_types(judge_rules(s->judge), &n);
	if (capture_open(&s->capture, &o, e))
		return -1;
	set_committing(s, s->capture);
	capture_set_interest(s->capture, types, n);
	return 0;
}

int service_open(struct service **out, const struct service_options *o, struct err *e)
{
	struct service *s = xcalloc(1, sizeof(*s));
	AUTO(ruleset_unref) struct ruleset *rules = NULL;
	s->options = o;
	s->started_ns = clock_mono_ns();
	pthread_mutex_init(&s->commit_lock, NULL);
	int rc = cmd_load_config(o->env, &s->config);
	if (rc) {
		service_close(s, NULL);
		/* Already told, each problem in a line of its own. */
		return err_set(e, ERR_CONFIG, "%s", "");
	}
	set_log_level(s->config);
	if (gethostname(s->hostname, sizeof(s->hostname) - 1))
		s->hostname[0] = 0;
	/* Rules before the store: wrong usage leaves nothing behind. */
	if (read_boot_id(s->boot_id, e) || load_rules(s, &rules, s->config, false, e) ||
		users_load(&s->users, NULL, e) || open_store(s, e)) {
		service_close(s, NULL);
		return -1;
	}
	service_pin_name(s->config->state_dir, s->pin_name);
	s->judge = make_judge(s, rules);
	if (open_printer(s, e) || open_runtime(s, e) || open_capture(s, e)) {
		service_close(s, NULL);
		return -1;
	}
	*out = s;
	return 0;
}

/* ---- stopping ---- */

static int stop_capture(struct service *s, struct err *e)
{
	struct store_stats stats = { 0 };
	if (!s->capture)
		return 0;
	if (capture_stop(s->capture, CAPTURE_STOP))
		return 0;
	store_writer_stats(s->writer, &stats);
	return err_set(e, ERR_BUSY,
		"stop: the store refuses rows (%s); the rings stay pinned for the next start",
		stats.error);
}

/* Commits are reported until the writer has ended: the capture goes after it. */
static int stop_parts(struct service *s, struct err *e)
{
	struct err stop_error = { 0 };
	int rc = stop_capture(s, e);
	if (store_writer_stop(TAKE(s->writer), NULL, &stop_error)) {
		if (rc == 0 && e)
			*e = stop_error;
		rc = -1;
	}
	stdout_printer_stop(TAKE(s->printer), PRINTER_WAIT_MS, NULL);
	s->committing = NULL;
	capture_close(TAKE(s->capture));
	return rc;
}

int service_close(struct service *s, struct err *e)
{
	if (!s)
		return 0;
	int rc = stop_parts(s, e);
	runtime_close(s->runtime);
	judge_free(s->judge);
	users_free(s->users);
	config_free(s->config);
	pthread_mutex_destroy(&s->commit_lock);
	free(s);
	return rc;
}

/* ---- running ---- */

static bool tell_change(void *ctx, const char *key)
{
	/* What service_reload() puts into force. */
	static const char *const live[] = { "rules_files", "rule_matching", "priority", "log.level",
		"watch_config_files" };
	(void)ctx;
	for (size_t i = 0; i < ARRAY_N(live); i++)
		if (strcmp(live[i], key) == 0)
			return true;
	log_warn("reload", "%s has changed: in force after the next start", key);
	return true;
}

int service_reload(struct service *s, struct err *e)
{
	AUTO(config_free) struct config *c = NULL;
	AUTO(ruleset_unref) struct ruleset *rules = NULL;
	if (cmd_load_config(s->options->env, &c)) {
		s->reloads_refused++;
		return err_set(
			e, ERR_CONFIG, "reload: the configuration is wrong; the old one stays");
	}
	if (load_rules(s, &rules, c, true, e)) {
		s->reloads_refused++;
		return err_wrap(e, "reload: the old rules stay");
	}
	size_t n;
	const char *const *types = ruleset_types(rules, &n);
	struct judge *fresh = make_judge(s, rules);
	/* Events first, so that the new rules never wait for a type that nobody has asked for. */
	capture_set_interest(s->capture, types, n);
	capture_set_judge(s->capture, judge_hook(fresh));
	judge_free(s->judge);
	s->judge = fresh;
	set_log_level(c);
	/* Against what the parts were started with, and s->config stays that. */
	config_changes(s->config, c, tell_change, NULL);
	s->reloads++;
	return 0;
}

struct users_swap {
	struct service *s;
	struct users *users;
};

/* On the capture thread, which is the one that reads them. */
static void swap_users(void *ctx, struct capture *c)
{
	struct users_swap *swap = ctx;
	(void)c;
	struct users *old = swap->s->users;
	swap->s->users = swap->users;
	swap->users = old;
}

static void refresh_users(struct service *s)
{
	struct users_swap swap = { .s = s };
	struct err e = { 0 };
	if (!users_stale(s->users))
		return;
	if (users_load(&swap.users, NULL, &e)) {
		log_warn("users", "%s; the names known so far stay", e.msg);
		return;
	}
	capture_run(s->capture, swap_users, &swap);
	users_free(swap.users);
}

void service_tick(struct service *s)
{
	capture_report_losses(s->capture);
	if (s->ticks++ % USERS_EVERY_TICKS == USERS_EVERY_TICKS - 1)
		refresh_users(s);
}

bool service_alive(struct service *s)
{
	struct capture_status st;
	capture_status(s->capture, &st);
	bool moved = st.progress != s->last_progress;
	s->last_progress = st.progress;
	return moved;
}

size_t service_rules_n(const struct service *s)
{
	return count_judged(judge_rules(s->judge));
}

const struct config *service_config(const struct service *s)
{
	return s->config;
}

void service_capture_status(struct service *s, struct capture_status *out)
{
	capture_status(s->capture, out);
}
