#include "collector/syscall/seed.h"

#include "bpf/wire.h"
#include "collector/syscall/decode.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#define SEED_BUFFER   (256u << 10)
#define SEED_MAX_ARGS WIRE_ARGS_MAX

/* Start of a process in clock ticks, field 22 of /proc/PID/stat; the name before it may hold anything. */
static bool start_ticks(uint32_t tgid, uint64_t *ticks)
{
	char path[64], text[1024];

	snprintf(path, sizeof(path), "/proc/%u/stat", tgid);
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = 0;
	char *at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++) {
		at = strchr(at + 1, ' ');
	}
	if (!at)
		return false;
	*ticks = strtoull(at + 1, NULL, 10);
	return true;
}

static bool same_start(struct process_key key)
{
	uint64_t ticks, per_second = (uint64_t)sysconf(_SC_CLK_TCK);

	return start_ticks(key.tgid, &ticks) && key.start_ns / (1000000000u / per_second) == ticks;
}

bool seed_exists(struct process_key key)
{
	return !(kill((pid_t)key.tgid, 0) && errno == ESRCH) && same_start(key);
}

static void read_some(const char *path, struct buf *out, size_t max)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *to = fd < 0 ? NULL : buf_reserve(out, max);
	ssize_t n = to ? read(fd, to, max) : 0;

	if (n > 0)
		out->n += (size_t)n;
}

bool seed_from_proc(struct process_key key, struct buf *args, struct buf *exe)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/cmdline", key.tgid);
	read_some(path, args, SEED_MAX_ARGS);
	if (exe) {
		snprintf(path, sizeof(path), "/proc/%u/exe", key.tgid);
		char *to = buf_reserve(exe, 4096);
		ssize_t n = to ? readlink(path, to, 4096) : 0;
		if (n > 0)
			exe->n += (size_t)n;
	}
	/* asked last: what was read belongs to this process if it is still the same one */
	return same_start(key);
}

struct seed_input {
	uint8_t *bytes;
	size_t n;
	struct decoder *decoder;
	void (*fn)(void *ctx, const struct event *ev, struct str args);
	void *ctx;
};

static int seed_one(struct seed_input *in, struct str rec, struct err *e)
{
	AUTO(buf_fini) struct buf args = BUF_INIT(SEED_MAX_ARGS + 1);
	struct event ev;

	if (decoder_record(in->decoder, rec, &ev) != DECODE_OK || ev.class != EVENT_SEED)
		return err_set(
			e, ERR_FORMAT, "the task iterator gave a record that makes no sense");
	if (ev.exec.kthread || !seed_from_proc(ev.key, &args, NULL))
		buf_reset(&args);
	in->fn(in->ctx, &ev, buf_str(&args));
	return 0;
}

/* All whole records in the buffer; what is cut stays for the next read. */
static int seed_eat(struct seed_input *in, struct err *e)
{
	size_t at = 0;

	while (in->n - at >= sizeof(struct wire_hdr)) {
		uint32_t len;
		memcpy(&len, in->bytes + at, sizeof(len));
		if (len < sizeof(struct wire_hdr) || len > WIRE_RECORD_MAX)
			return err_set(
				e, ERR_FORMAT, "the task iterator gave a record of %u bytes", len);
		if (in->n - at < len)
			break;
		if (seed_one(in, str_of(in->bytes + at, len), e))
			return -1;
		at += len;
	}
	in->n -= at;
	memmove(in->bytes, in->bytes + at, in->n);
	return 0;
}

int seed_read(int fd, void (*fn)(void *ctx, const struct event *ev, struct str args), void *ctx,
	struct err *e)
{
	AUTO_FREE void *bytes = xcalloc(1, SEED_BUFFER);
	AUTO(decoder_free) struct decoder *d = decoder_new();
	struct seed_input in = { .bytes = bytes, .decoder = d, .fn = fn, .ctx = ctx };

	for (;;) {
		ssize_t n = read(fd, in.bytes + in.n, SEED_BUFFER - in.n);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return err_set(e, ERR_SYS, "read the task iterator");
		if (n == 0)
			return 0;
		in.n += (size_t)n;
		if (seed_eat(&in, e))
			return -1;
	}
}
