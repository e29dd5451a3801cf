/* evt.*, syscall.type and hullwatch's own hw.*. */
#include "rules/fields_impl.h"

#include "base/clock.h"

#include <fcntl.h>
#include <time.h>

#define NS_PER_S 1000000000u

#define OPENS    (1u << EVENT_OPEN)
#define HAS_PATH OPENS

enum evt_time { TIME_S, TIME_ISO, TIME_DATE, TIME_RAW, TIME_RAW_S, TIME_RAW_NS };

static enum value_state get_num(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	(void)f, (void)arg;
	/* From 1: macros such as never_true are written as evt.num=0. */
	return give_int(out, (int64_t)(cx->in->ev->seq & INT64_MAX >> 1) + 1);
}

static struct tm local_time(uint64_t ts_ns)
{
	time_t s = (time_t)(ts_ns / NS_PER_S);
	struct tm tm = { 0 };

	localtime_r(&s, &tm);
	return tm;
}

static enum value_state give_iso(struct field_ctx *cx, struct value *out, uint64_t ts_ns)
{
	char iso[CLOCK_ISO_LEN + 1];

	clock_iso(ts_ns, iso);
	buf_puts(text_begin(cx), iso);
	return give_text(cx, out);
}

static enum value_state get_time(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	uint64_t ts = cx->in->ev->ts_ns;
	struct tm tm = local_time(ts);

	(void)arg;
	switch ((enum evt_time)f->aux) {
	case TIME_S:
		buf_printf(text_begin(cx), "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
		return give_text(cx, out);
	case TIME_ISO:
		return give_iso(cx, out, ts);
	case TIME_DATE:
		buf_printf(text_begin(cx), "%04d-%02d-%02d %02d:%02d:%02d.%09u", tm.tm_year + 1900,
			tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
			(unsigned int)(ts % NS_PER_S));
		return give_text(cx, out);
	case TIME_RAW_S:
		return give_int(out, (int64_t)(ts / NS_PER_S));
	case TIME_RAW_NS:
		return give_int(out, (int64_t)(ts % NS_PER_S));
	default:
		return give_int(out, (int64_t)ts);
	}
}

static enum value_state get_type(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	(void)f, (void)arg;
	return give_str(out, str_from(event_type_name(cx->in->ev)));
}

static enum value_state get_syscall(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	if (cx->in->ev->class == EVENT_EXIT)
		return VALUE_MISSING;
	return get_type(cx, f, arg, out);
}

static enum value_state get_category(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	static const char *const names[EVENT_CLASS_N] = {
		[EVENT_EXEC] = "process",
		[EVENT_FORK] = "process",
		[EVENT_EXIT] = "process",
		[EVENT_OPEN] = "file",
		[EVENT_CONNECT] = "net",
		[EVENT_ACCEPT] = "net",
		[EVENT_BIND] = "net",
		[EVENT_LISTEN] = "net",
		[EVENT_SOCKET] = "net",
	};
	const char *name = names[cx->in->ev->class];

	(void)f, (void)arg;
	return give_some(out, str_from(name));
}

/* Text that is the same for every event. */
static enum value_state get_fixed(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	static const char *const texts[] = { "<", "syscall" };

	(void)cx, (void)arg;
	return give_str(out, str_from(texts[f->aux]));
}

static enum value_state get_one(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	(void)cx, (void)arg;
	return give_int(out, f->aux);
}

static enum value_state get_hostname(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	(void)f, (void)arg;
	return give_some(out, cx->hostname);
}

static enum value_state get_cpu(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	(void)f, (void)arg;
	return give_int(out, cx->in->ev->cpu);
}

static enum value_state get_args(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	(void)f, (void)arg;
	event_args_text(text_begin(cx), cx->in->ev);
	return give_text(cx, out);
}

static enum value_state get_res(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct event *ev = cx->in->ev;
	const char *name;

	(void)f, (void)arg;
	if (ev->class == EVENT_EXIT)
		return VALUE_MISSING;
	if (ev->ret >= 0)
		return give_str(out, STR("SUCCESS"));
	name = ev->ret > -4096 ? strerrorname_np((int)-ev->ret) : NULL;
	if (name)
		return give_str(out, str_from(name));
	buf_put_i64(text_begin(cx), ev->ret);
	return give_text(cx, out);
}

static enum value_state get_rawres(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	(void)f, (void)arg;
	return cx->in->ev->class == EVENT_EXIT ? VALUE_MISSING : give_int(out, cx->in->ev->ret);
}

static enum value_state get_failed(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	(void)f, (void)arg;
	return give_int(out, cx->in->ev->class != EVENT_EXIT && cx->in->ev->ret < 0);
}

enum open_how { OPEN_READ, OPEN_WRITE, OPEN_EXEC };

static bool is_open(const struct event *ev, enum open_how how)
{
	uint32_t access = ev->open.flags & O_ACCMODE;
	bool creat = strcmp(event_type_name(ev), "creat") == 0;

	switch (how) {
	case OPEN_READ:
		return !creat && access != O_WRONLY;
	case OPEN_WRITE:
		return creat || access == O_WRONLY || access == O_RDWR;
	default:
		return (creat || ev->open.flags & O_CREAT ||
			       (ev->open.flags & O_TMPFILE) == O_TMPFILE) &&
		       ev->open.mode & 0111;
	}
}

static enum value_state get_is_open(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct event *ev = cx->in->ev;

	(void)arg;
	return give_int(out, ev->class == EVENT_OPEN && is_open(ev, (enum open_how)f->aux));
}

static enum value_state get_flag(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	(void)arg;
	return give_int(out, (cx->in->ev->flags & (uint32_t)f->aux) != 0);
}

static const struct field table[] = {
	{ "evt.num", FIELD_INT, .get = get_num,
		.meaning = "number of the event on its CPU, from 1" },
	{ "evt.time", FIELD_ABSTIME, .flags = FIELD_F_CLOCK, .aux = TIME_RAW, .get = get_time,
		.meaning = "time of day with nanoseconds; a number in JSON" },
	{ "evt.time.s", FIELD_STR, .aux = TIME_S, .get = get_time, .meaning = "time of day" },
	{ "evt.time.iso8601", FIELD_STR, .aux = TIME_ISO, .get = get_time,
		.meaning = "time in UTC, ISO 8601 with nanoseconds" },
	{ "evt.datetime", FIELD_STR, .aux = TIME_DATE, .get = get_time,
		.meaning = "local date and time of day" },
	{ "evt.rawtime", FIELD_ABSTIME, .aux = TIME_RAW, .get = get_time,
		.meaning = "nanoseconds since the epoch" },
	{ "evt.rawtime.s", FIELD_INT, .aux = TIME_RAW_S, .get = get_time,
		.meaning = "whole seconds since the epoch" },
	{ "evt.rawtime.ns", FIELD_INT, .aux = TIME_RAW_NS, .get = get_time,
		.meaning = "nanoseconds behind evt.rawtime.s" },
	{ "evt.type", FIELD_STR, .get = get_type,
		.meaning = "name of the system call, or procexit" },
	{ "syscall.type", FIELD_STR, .get = get_syscall, .meaning = "name of the system call" },
	{ "evt.dir", FIELD_STR, .aux = 0, .get = get_fixed,
		.meaning = "always <, the end of a call; deprecated" },
	{ "evt.source", FIELD_STR, .aux = 1, .get = get_fixed, .meaning = "always syscall" },
	{ "evt.count", FIELD_INT, .aux = 1, .get = get_one, .meaning = "always 1" },
	{ "evt.is_async", FIELD_BOOL, .aux = 0, .get = get_one, .meaning = "always false" },
	{ "evt.category", FIELD_STR, .get = get_category, .meaning = "process, file or net" },
	{ "evt.hostname", FIELD_STR, .get = get_hostname, .meaning = "name of this host" },
	{ "evt.cpu", FIELD_INT, .get = get_cpu, .meaning = "CPU on which it happened" },
	{ "evt.args", FIELD_STR, .get = get_args, .meaning = "all arguments as name=value" },
	{ "evt.info", FIELD_STR, .get = get_args, .meaning = "the same as evt.args" },
	{ "evt.res", FIELD_STR, .get = get_res, .meaning = "SUCCESS or the error's name" },
	{ "evt.rawres", FIELD_INT, .get = get_rawres, .meaning = "what the call returned" },
	{ "evt.failed", FIELD_BOOL, .get = get_failed, .meaning = "the call returned an error" },
	{ "evt.is_open_read", FIELD_BOOL, .flags = FIELD_F_OPENS, .classes = OPENS,
		.aux = OPEN_READ, .get = get_is_open, .meaning = "a file was opened for reading" },
	{ "evt.is_open_write", FIELD_BOOL, .flags = FIELD_F_OPENS, .classes = OPENS,
		.aux = OPEN_WRITE, .get = get_is_open, .meaning = "a file was opened for writing" },
	{ "evt.is_open_exec", FIELD_BOOL, .flags = FIELD_F_OPENS, .classes = OPENS,
		.aux = OPEN_EXEC, .get = get_is_open,
		.meaning = "a file was created with an execute bit" },
	{ "hw.path_mismatch", FIELD_BOOL, .classes = HAS_PATH, .aux = EVENT_F_MISMATCH,
		.get = get_flag,
		.meaning = "what was opened is not what the caller's memory named afterwards" },
	{ "hw.path_unverified", FIELD_BOOL, .classes = HAS_PATH, .aux = EVENT_F_UNVERIFIED,
		.get = get_flag, .meaning = "the path is the caller's word" },
	{ "hw.truncated", FIELD_BOOL, .aux = EVENT_F_TRUNCATED, .get = get_flag,
		.meaning = "some text of the event was cut" },
	{ "hw.compat", FIELD_BOOL, .aux = EVENT_F_COMPAT, .get = get_flag,
		.meaning = "a 32-bit system call" },
};

struct field_table fields_evt(void)
{
	return (struct field_table){ table, ARRAY_N(table) };
}
