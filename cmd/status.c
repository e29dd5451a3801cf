#include "cmd/cmd.h"

#include "base/clock.h"
#include "base/text.h"
#include "cmd/control.h"
#include "cmd/service.h"
#include "cmd/show.h"
#include "store/reader.h"

#define ASK_TIMEOUT_MS 10000
#define LAST_LOSSES    5

const struct cmd_option cmd_status_options[] = {
	{ "format", "FORMAT", SHOW_WORDS_DOCS, "how to print" },
	{ 0 },
};

/* ---- a running service ---- */

static uint64_t number(const struct json_node *n, const char *key)
{
	int64_t v = json_int(json_get(n, key), 0);
	return v < 0 ? 0 : (uint64_t)v;
}

static void put_clean(struct buf *b, const struct json_node *n)
{
	text_clean(b, json_str(n, STR("")));
}

static void put_head(struct buf *b, const struct json_node *st)
{
	uint64_t up = (uint64_t)json_real(json_get(st, "uptime_seconds"), 0);
	buf_puts(b, "hullwatch ");
	put_clean(b, json_get(st, "version"));
	buf_printf(b,
		": running, pid %llu, for %llud %02llu:%02llu:%02llu, %.1f MiB, %.1f s of CPU\n",
		(unsigned long long)number(st, "pid"), (unsigned long long)(up / 86400),
		(unsigned long long)(up / 3600 % 24), (unsigned long long)(up / 60 % 60),
		(unsigned long long)(up % 60), (double)number(st, "rss_bytes") / 1048576.0,
		json_real(json_get(st, "cpu_seconds"), 0));
	buf_puts(b, json_bool(json_get(st, "pinned"), false) ? "pinned      at " : "not pinned  ");
	put_clean(b, json_get(st, "pin_detail"));
	buf_putc(b, '\n');
}

static bool put_lost_by(void *ctx, struct str key, const struct json_node *v)
{
	struct buf *b = ctx;
	if (json_int(v, 0)) {
		buf_printf(b, "  %lld at ", (long long)json_int(v, 0));
		text_clean(b, key);
	}
	return true;
}

static void put_events(struct buf *b, const struct json_node *st)
{
	const struct json_node *ev = json_get(st, "events");
	buf_printf(b, "events      %llu seen, %llu filtered in the kernel, %llu cut, %llu lost",
		(unsigned long long)number(ev, "seen"), (unsigned long long)number(ev, "filtered"),
		(unsigned long long)number(ev, "truncated"),
		(unsigned long long)number(ev, "lost"));
	json_each(json_get(ev, "lost_by"), put_lost_by, b);
	if (number(ev, "replayed"))
		buf_printf(b, "; %llu read from an earlier run's rings",
			(unsigned long long)number(ev, "replayed"));
	buf_putc(b, '\n');
}

static void put_store(struct buf *b, const struct json_node *st)
{
	const struct json_node *store = json_get(st, "store");
	const struct json_node *rules = json_get(st, "rules");
	buf_printf(b, "alerts      %llu\n", (unsigned long long)number(st, "alerts"));
	buf_puts(b, "store       ");
	put_clean(b, json_get(store, "state_dir"));
	buf_printf(b, ": %llu events in %llu segments of %.1f MiB; %llu refused, %llu dropped\n",
		(unsigned long long)number(store, "events"),
		(unsigned long long)number(store, "segments"),
		(double)number(store, "segment_bytes") / 1048576.0,
		(unsigned long long)number(store, "events_refused"),
		(unsigned long long)number(store, "events_dropped"));
	if (json_bool(json_get(store, "failing"), false)) {
		buf_puts(b, "            THE DISK REFUSES ROWS: ");
		put_clean(b, json_get(store, "error"));
		buf_putc(b, '\n');
	}
	buf_printf(b, "rules       %llu judged, %llu cannot run here, %llu wrong\n",
		(unsigned long long)number(rules, "judged"),
		(unsigned long long)number(rules, "cannot_run"),
		(unsigned long long)number(rules, "errors"));
}

static bool put_ring(void *ctx, struct str key, const struct json_node *v)
{
	struct buf *b = ctx;
	buf_puts(b, "ring        ");
	text_clean(b, key);
	buf_printf(b, ": %.1f of %.1f MiB waiting\n", (double)number(v, "used") / 1048576.0,
		(double)number(v, "size") / 1048576.0);
	return true;
}

static bool put_source(void *ctx, struct str key, const struct json_node *v)
{
	struct buf *b = ctx;
	buf_puts(b, json_bool(json_get(v, "alive"), false) ? "source      alive  "
							   : "source      DEAD   ");
	text_clean(b, key);
	if (json_str(json_get(v, "detail"), STR("")).n) {
		buf_puts(b, ": ");
		put_clean(b, json_get(v, "detail"));
	}
	buf_putc(b, '\n');
	return true;
}

static bool put_class(void *ctx, struct str key, const struct json_node *v)
{
	struct buf *b = ctx;
	uint64_t sum = number(v, "emitted") + number(v, "dropped") + number(v, "filtered");
	if (sum)
		buf_printf(b, "%-10.*s  %12llu  %12llu  %12llu  %12llu\n", STR_ARG(key),
			(unsigned long long)number(v, "emitted"),
			(unsigned long long)number(v, "dropped"),
			(unsigned long long)number(v, "filtered"),
			(unsigned long long)number(v, "truncated"));
	return true;
}

static void put_classes(struct buf *b, const struct json_node *by_class)
{
	buf_printf(b, "\n%-10s  %12s  %12s  %12s  %12s\n", "CLASS", "EMITTED", "DROPPED",
		"FILTERED", "CUT");
	json_each(by_class, put_class, b);
}

static void put_running(struct buf *b, const struct json_node *st)
{
	const struct json_node *events = json_get(st, "events");
	put_head(b, st);
	put_events(b, st);
	put_store(b, st);
	json_each(json_get(st, "rings"), put_ring, b);
	json_each(json_get(st, "sources"), put_source, b);
	put_classes(b, json_get(events, "by_class"));
	const struct json_node *groups = json_get(events, "by_cgroup");
	for (size_t i = 0; i < json_len(groups); i++) {
		buf_puts(b, "\nof cgroup ");
		put_clean(b, json_get(json_at(groups, i), "path"));
		put_classes(b, json_get(json_at(groups, i), "by_class"));
	}
}

/* ---- a dead one ---- */

struct offline {
	bool asked_pins;
	struct capture_leftover pins;
	struct err pins_error;
	bool has_store;
	struct store_counts counts;
	struct err store_error;
	size_t losses_n;
	struct {
		uint64_t ts_ns, count;
		char where[32], class_name[32];
	} losses[LAST_LOSSES];
};

static void copy_text(char *out, size_t size, struct str s)
{
	size_t n = text_utf8_cut(s, size - 1);
	memcpy(out, s.p ? s.p : "", n);
	out[n] = 0;
}

static void look_at_losses(struct offline *o, struct store_reader *r)
{
	AUTO(store_cursor_close) struct store_cursor *c = NULL;
	struct store_query q = { .newest_first = true, .limit = LAST_LOSSES };
	struct loss_row row;
	if (store_query_losses(&c, r, &q, &o->store_error))
		return;
	while (o->losses_n < LAST_LOSSES && store_next_loss(c, &row, &o->store_error) > 0) {
		o->losses[o->losses_n].ts_ns = row.ts_ns;
		o->losses[o->losses_n].count = row.count;
		copy_text(o->losses[o->losses_n].where, sizeof(o->losses->where), row.where);
		copy_text(o->losses[o->losses_n].class_name, sizeof(o->losses->class_name),
			row.class_name);
		o->losses_n++;
	}
}

static void look_offline(struct offline *o, const struct config *c)
{
	AUTO(store_reader_close) struct store_reader *r = NULL;
	char pin_name[32];
	service_pin_name(c->state_dir, pin_name);
	o->asked_pins = c->collector.pin == CONFIG_PIN_AUTO;
	if (o->asked_pins)
		capture_find_leftover(c->collector.bpffs, pin_name, &o->pins, &o->pins_error);
	if (store_reader_open(&r, c->state_dir, &o->store_error))
		return;
	o->has_store = store_reader_counts(r, &o->counts, &o->store_error) == 0;
	look_at_losses(o, r);
}

static void put_offline_json(struct buf *b, const struct offline *o, const struct config *c)
{
	struct jw w = jw_on(b);
	char iso[CLOCK_ISO_LEN + 1];
	jw_obj(&w);
	jw_kv_bool(&w, "running", false);
	jw_kv_strz(&w, "version", HW_VERSION);
	jw_key(&w, "leftover");
	jw_obj(&w);
	jw_kv_bool(&w, "found", o->pins.found);
	jw_kv_u64(&w, "waiting_bytes", o->pins.waiting_bytes);
	jw_kv_u64(&w, "emitted", o->pins.emitted);
	jw_kv_u64(&w, "dropped", o->pins.dropped);
	jw_kv_strz(&w, "error", o->pins_error.code ? o->pins_error.msg : NULL);
	jw_end_obj(&w);
	jw_key(&w, "store");
	jw_obj(&w);
	jw_kv_strz(&w, "state_dir", c->state_dir);
	jw_kv_bool(&w, "found", o->has_store);
	jw_kv_u64(&w, "alerts", o->counts.alerts);
	jw_kv_u64(&w, "events", o->counts.events);
	jw_kv_u64(&w, "lost", o->counts.lost);
	jw_kv_u64(&w, "segments", o->counts.segments);
	jw_kv_u64(&w, "segment_bytes", o->counts.segment_bytes);
	jw_kv_strz(&w, "error", o->store_error.code ? o->store_error.msg : NULL);
	jw_end_obj(&w);
	jw_key(&w, "last_losses");
	jw_arr(&w);
	for (size_t i = 0; i < o->losses_n; i++) {
		clock_iso(o->losses[i].ts_ns, iso);
		jw_obj(&w);
		jw_kv_strz(&w, "time", iso);
		jw_kv_strz(&w, "where", o->losses[i].where);
		jw_kv_strz(&w, "class", o->losses[i].class_name);
		jw_kv_u64(&w, "count", o->losses[i].count);
		jw_end_obj(&w);
	}
	jw_end_arr(&w);
	jw_end_obj(&w);
	buf_putc(b, '\n');
}

static void put_leftover_text(struct buf *b, const struct offline *o)
{
	if (!o->asked_pins)
		return;
	if (o->pins_error.code)
		buf_printf(b, "leftovers   not known: %s\n", o->pins_error.msg);
	else if (o->pins.found)
		buf_printf(b,
			"leftovers   a dead instance left its programs pinned and running: %llu bytes of "
			"events wait, %llu events emitted, %llu dropped\n"
			"            `hullwatch run` goes on with them, `hullwatch run --fresh` removes them\n",
			(unsigned long long)o->pins.waiting_bytes,
			(unsigned long long)o->pins.emitted, (unsigned long long)o->pins.dropped);
	else
		buf_puts(b, "leftovers   none\n");
}

static void put_offline_text(struct buf *b, const struct offline *o, const struct config *c)
{
	char iso[CLOCK_ISO_LEN + 1];
	put_leftover_text(b, o);
	buf_puts(b, "store       ");
	text_clean(b, str_from(c->state_dir));
	if (o->has_store)
		buf_printf(b, ": %llu alerts, %llu events, %llu segments of %.1f MiB, %llu lost\n",
			(unsigned long long)o->counts.alerts, (unsigned long long)o->counts.events,
			(unsigned long long)o->counts.segments,
			(double)o->counts.segment_bytes / 1048576.0,
			(unsigned long long)o->counts.lost);
	else
		buf_printf(b, ": %s\n", o->store_error.msg);
	for (size_t i = 0; i < o->losses_n; i++) {
		clock_iso(o->losses[i].ts_ns, iso);
		buf_printf(b, "lost        %s: %llu %s events at the %s\n", iso,
			(unsigned long long)o->losses[i].count, o->losses[i].class_name,
			o->losses[i].where);
	}
}

static int show_offline(const struct cmd_env *env, const struct config *c, bool json)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(1u << 20);
	struct offline o = { 0 };
	look_offline(&o, c);
	if (json)
		put_offline_json(&b, &o, c);
	else
		put_offline_text(&b, &o, c);
	if (cmd_print(env, &b))
		return EXIT_FAILED;
	return cmd_fail_text(env, EXIT_FAILED,
		"no service runs on %s; `hullwatch run` or `systemctl start hullwatch` starts one",
		c->state_dir);
}

int cmd_status(int argc, char **argv, struct cmd_env *env)
{
	struct cmd_args a = cmd_args_of(argc, argv, env);
	AUTO(config_free) struct config *c = NULL;
	AUTO(json_free) struct json *answer = NULL;
	AUTO(buf_fini) struct buf b = BUF_INIT(16u << 20);
	bool json = false;
	struct err e = { 0 };
	int got, rc;
	while ((got = cmd_args_next(&a)) >= 0)
		json = show_format_of(a.value) == SHOW_JSON;
	if (got != CMD_ARGS_END)
		return cmd_args_code(got);
	if (cmd_args_count(&a, 0, 0))
		return EXIT_USAGE;
	if ((rc = cmd_load_config(env, &c)) != EXIT_DONE)
		return rc;
	if (control_ask(&answer, json ? &b : NULL, c->runtime_dir, "status", ASK_TIMEOUT_MS, &e) ==
		0) {
		if (!json)
			put_running(&b, json_root(answer));
		return cmd_print(env, &b);
	}
	if (e.code == ERR_NOT_FOUND)
		return show_offline(env, c, json);
	return cmd_fail(env, &e);
}
