/* What the running service tells of itself over the control socket. */
#include "cmd/service.h"

#include "base/clock.h"
#include "cmd/service_parts.h"

#include <fcntl.h>
#include <sys/resource.h>

/* ---- of the process ---- */

static uint64_t rss_bytes(void)
{
	char text[128];
	uint64_t pages = 0;
	AUTO_FD int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text));
	struct str rest = str_of(text, n > 0 ? (size_t)n : 0);
	str_cut(&rest, ' '); /* size; resident comes second */
	str_to_u64(str_cut(&rest, ' '), &pages);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static double cpu_seconds(void)
{
	struct rusage u;
	if (getrusage(RUSAGE_SELF, &u))
		return 0;
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* ---- parts of status ---- */

static void put_by_class(struct jw *w, const struct capture_count *counts)
{
	jw_key(w, "by_class");
	jw_obj(w);
	for (int i = EVENT_NONE + 1; i < EVENT_CLASS_N; i++) {
		jw_key(w, event_class_name((enum event_class)i));
		jw_obj(w);
		jw_kv_u64(w, "emitted", counts[i].emitted);
		jw_kv_u64(w, "dropped", counts[i].dropped);
		jw_kv_u64(w, "filtered", counts[i].filtered);
		jw_kv_u64(w, "truncated", counts[i].truncated);
		jw_end_obj(w);
	}
	jw_end_obj(w);
}

static void put_lost(struct jw *w, const struct capture_status *c, const struct store_stats *st)
{
	uint64_t sum = 0, lost[LOSS_WHERE_N];
	for (int i = 0; i < LOSS_WHERE_N; i++) {
		lost[i] = c->lost[i] + (i == LOSS_STORE ? st->events_dropped : 0);
		sum += lost[i];
	}
	jw_kv_u64(w, "lost", sum);
	jw_key(w, "lost_by");
	jw_obj(w);
	for (int i = 0; i < LOSS_WHERE_N; i++)
		jw_kv_u64(w, loss_where_name((enum loss_where)i), lost[i]);
	jw_end_obj(w);
}

static void put_events(struct jw *w, const struct capture_status *c, const struct store_stats *st)
{
	uint64_t filtered = 0, truncated = 0;
	for (int i = 0; i < EVENT_CLASS_N; i++) {
		filtered += c->by_class[i].filtered;
		truncated += c->by_class[i].truncated;
	}
	jw_key(w, "events");
	jw_obj(w);
	jw_kv_u64(w, "seen", c->seen);
	jw_kv_u64(w, "filtered", filtered);
	put_lost(w, c, st);
	jw_kv_u64(w, "truncated", truncated);
	jw_kv_u64(w, "replayed", c->replayed);
	put_by_class(w, c->by_class);
	jw_key(w, "by_cgroup");
	jw_arr(w);
	for (size_t i = 0; i < c->cgroups_n; i++) {
		jw_obj(w);
		jw_kv_strz(w, "path", c->cgroups[i].path);
		put_by_class(w, c->cgroups[i].by_class);
		jw_end_obj(w);
	}
	jw_end_arr(w);
	jw_end_obj(w);
}

static void put_parked(struct jw *w, const struct capture_status *c)
{
	jw_key(w, "parked");
	jw_obj(w);
	jw_kv_u64(w, "now", c->parked_now);
	jw_kv_u64(w, "total", c->parked);
	jw_kv_u64(w, "timeouts", c->park_timeouts);
	jw_end_obj(w);
	jw_kv_u64(w, "pending_alerts", c->pending_alerts);
	jw_key(w, "processes");
	jw_obj(w);
	jw_kv_u64(w, "known", c->processes);
	jw_kv_u64(w, "max", c->processes_max);
	jw_kv_u64(w, "partial", c->partial);
	jw_end_obj(w);
}

static void put_rings(struct jw *w, const struct capture_status *c)
{
	static const char *const names[SINK_RINGS] = { "main", "priority" };
	jw_key(w, "rings");
	jw_obj(w);
	for (int i = 0; i < SINK_RINGS; i++) {
		jw_key(w, names[i]);
		jw_obj(w);
		jw_kv_u64(w, "used", c->ring_used[i]);
		jw_kv_u64(w, "size", c->ring_size[i]);
		jw_end_obj(w);
	}
	jw_end_obj(w);
	jw_kv_bool(w, "pinned", c->pinned);
	jw_kv_strz(w, "pin_detail", c->pin_detail);
	jw_kv_u64(w, "wakeups", c->wakeups);
}

static void put_sources(struct jw *w, const struct capture_status *c)
{
	jw_key(w, "sources");
	jw_obj(w);
	for (size_t i = 0; i < c->sources_n; i++) {
		jw_key(w, c->sources[i].name);
		jw_obj(w);
		jw_kv_bool(w, "alive", c->sources[i].alive);
		jw_kv_strz(w, "family", c->sources[i].family);
		jw_kv_strz(w, "detail", c->sources[i].detail);
		jw_end_obj(w);
	}
	jw_end_obj(w);
}

static void put_store(struct jw *w, const struct service *s, const struct store_stats *st)
{
	jw_key(w, "store");
	jw_obj(w);
	jw_kv_strz(w, "state_dir", s->config->state_dir);
	jw_kv_i64(w, "last_alert", st->last_alert_n);
	jw_kv_u64(w, "alerts", st->alerts);
	jw_kv_u64(w, "alerts_repeated", st->alerts_repeated);
	jw_kv_u64(w, "events", st->events);
	jw_kv_u64(w, "events_refused", st->events_refused);
	jw_kv_u64(w, "events_dropped", st->events_dropped);
	jw_kv_u64(w, "commits", st->commits);
	jw_kv_u64(w, "failures", st->failures);
	jw_kv_u64(w, "segments", st->segments);
	jw_kv_u64(w, "segment_bytes", st->segment_bytes);
	jw_kv_u64(w, "segments_removed", st->segments_removed);
	jw_kv_u64(w, "queue", st->queue_len);
	jw_kv_bool(w, "failing", st->failing);
	jw_kv_strz(w, "error", st->error[0] ? st->error : NULL);
	jw_end_obj(w);
}

static void put_rules(struct jw *w, const struct service *s)
{
	struct judge_stats st = judge_stats(s->judge);
	jw_key(w, "rules");
	jw_obj(w);
	jw_kv_u64(w, "judged", service_rules_n(s));
	jw_kv_u64(w, "errors", s->rule_errors_n);
	jw_kv_u64(w, "cannot_run", s->rule_cannot_run_n);
	jw_kv_u64(w, "reloads", s->reloads);
	jw_kv_u64(w, "reloads_refused", s->reloads_refused);
	jw_kv_u64(w, "events", st.events);
	jw_kv_u64(w, "pending", st.pending);
	jw_kv_u64(w, "alerts", st.alerts);
	jw_kv_u64(w, "outputs_cut", st.outputs_cut);
	jw_kv_u64(w, "pattern_limits", st.re_limits);
	jw_end_obj(w);
}

static void put_printer(struct jw *w, struct service *s)
{
	struct stdout_stats st = { 0 };
	stdout_printer_stats(s->printer, &st);
	jw_key(w, "printer");
	jw_obj(w);
	jw_kv_u64(w, "printed", st.printed);
	jw_kv_bool(w, "broken", st.broken);
	jw_kv_strz(w, "error", st.error[0] ? st.error : NULL);
	jw_end_obj(w);
}

void service_put_status(struct service *s, struct buf *answer)
{
	struct capture_status c;
	struct store_stats st = { 0 };
	struct jw w = jw_on(answer);
	capture_status(s->capture, &c);
	store_writer_stats(s->writer, &st);
	jw_obj(&w);
	jw_kv_bool(&w, "running", true);
	jw_kv_strz(&w, "version", HW_VERSION);
	jw_kv_i64(&w, "pid", getpid());
	put_events(&w, &c, &st);
	jw_kv_u64(&w, "alerts", st.alerts);
	put_store(&w, s, &st);
	jw_key(&w, "sinks");
	jw_arr(&w);
	jw_end_arr(&w);
	put_sources(&w, &c);
	put_rings(&w, &c);
	put_parked(&w, &c);
	put_rules(&w, s);
	put_printer(&w, s);
	jw_kv_u64(&w, "rss_bytes", rss_bytes());
	jw_key(&w, "cpu_seconds");
	jw_real(&w, cpu_seconds());
	jw_key(&w, "uptime_seconds");
	jw_real(&w, (double)(clock_mono_ns() - s->started_ns) / 1e9);
	jw_end_obj(&w);
}

/* ---- processes ---- */

struct process_walk {
	struct jw w;
	struct buf text;
	int64_t boot_to_real_ns;
	uint64_t left_out;
};

/* The answer's bound, less room for one process and the end. */
#define PROCESSES_MAX_BYTES ((48u << 20))

static void put_container_of(struct jw *w, const struct container *c)
{
	bool known = c && c->state == CONTAINER_KNOWN;
	jw_kv_strz(w, "container_id", c ? c->id : "");
	jw_kv_str(w, "container_name", known ? c->name : STR(""));
	if (!c)
		return;
	jw_kv_strz(w, "container_runtime", container_runtime_name(c->runtime));
	if (!known)
		return;
	jw_kv_str(w, "container_image", c->image);
	jw_kv_str(w, "container_image_repo", c->image_repo);
	jw_kv_str(w, "container_image_tag", c->image_tag);
	jw_kv_str(w, "container_image_id", c->image_id);
	jw_kv_str(w, "k8s_pod", c->k8s_pod);
	jw_kv_str(w, "k8s_ns", c->k8s_ns);
	jw_kv_bool(w, "container_privileged", c->privileged);
}

/* What processes --where asks for beside what it shows. */
static void put_kin(struct jw *w, const struct process *p)
{
	struct str args = p->args;
	jw_kv_u64(w, "parent_pid", p->parent_key.tgid);
	jw_kv_u64(w, "parent_start_ns", p->parent_key.start_ns);
	jw_kv_u64(w, "parent_exec_id", p->parent_exec_id);
	jw_kv_u64(w, "sid", p->sid);
	jw_kv_u64(w, "pgid", p->pgid);
	jw_kv_u64(w, "vpgid", p->vpgid);
	jw_kv_u64(w, "cap_effective", p->cap_effective);
	jw_kv_u64(w, "cap_permitted", p->cap_permitted);
	jw_kv_u64(w, "cap_inheritable", p->cap_inheritable);
	jw_kv_i64(w, "exe_ino", (int64_t)p->exe_ino);
	jw_kv_u64(w, "exe_ctime_ns", p->exe_ctime_ns);
	jw_kv_u64(w, "exe_mtime_ns", p->exe_mtime_ns);
	jw_kv_bool(w, "exe_upper", p->exe_upper);
	jw_kv_bool(w, "exe_memfd", p->exe_memfd);
	jw_kv_bool(w, "inherited", p->inherited);
	jw_kv_str(w, "cgroup", p->cgroup);
	jw_key(w, "args");
	jw_arr(w);
	while (args.n)
		jw_str(w, str_cut(&args, '\0'));
	jw_end_arr(w);
}

static bool put_process(void *ctx, const struct process *p)
{
	struct process_walk *walk = ctx;
	struct jw *w = &walk->w;
	if (p->exited)
		return true;
	if (w->b->n > PROCESSES_MAX_BYTES) {
		walk->left_out++;
		return true;
	}
	buf_reset(&walk->text);
	process_cmdline_text(&walk->text, p);
	jw_obj(w);
	jw_kv_u64(w, "pid", p->key.tgid);
	jw_kv_u64(w, "start_ns", p->key.start_ns);
	jw_kv_u64(w, "exec_id", p->exec_id);
	jw_kv_u64(w, "ppid", p->ppid);
	jw_kv_u64(w, "vpid", p->vpid);
	jw_kv_u64(w, "uid", p->uid);
	jw_kv_u64(w, "gid", p->gid);
	jw_kv_u64(w, "euid", p->euid);
	jw_kv_u64(w, "loginuid", p->loginuid);
	jw_kv_u64(w, "tty", p->tty);
	jw_kv_u64(w, "time_ns", p->exec_ns + (uint64_t)walk->boot_to_real_ns);
	jw_kv_str(w, "comm", str_of(p->comm, strnlen(p->comm, sizeof(p->comm))));
	jw_kv_str(w, "exe", p->exe);
	jw_kv_str(w, "cmdline", buf_str(&walk->text));
	jw_kv_str(w, "cwd", p->cwd);
	put_container_of(w, p->container);
	put_kin(w, p);
	jw_kv_bool(w, "kthread", p->kthread);
	jw_kv_bool(w, "partial", p->partial);
	jw_end_obj(w);
	return true;
}

/* On the capture thread. */
static void walk_processes(void *ctx, struct capture *c)
{
	capture_each_process(c, put_process, ctx);
}

void service_put_processes(struct service *s, struct buf *answer)
{
	struct process_walk walk = {
		.w = jw_on(answer),
		.text = BUF_INIT(1u << 20),
		.boot_to_real_ns = clock_boot_to_real_offset_ns(),
	};
	jw_obj(&walk.w);
	jw_key(&walk.w, "processes");
	jw_arr(&walk.w);
	capture_run(s->capture, walk_processes, &walk);
	jw_end_arr(&walk.w);
	jw_kv_u64(&walk.w, "left_out", walk.left_out);
	jw_end_obj(&walk.w);
	buf_fini(&walk.text);
}
