/*
 * Nothing here may block for ever but the thread's own write: it is polled for first, and a pipe is
 * never given more than it takes at once, so that a stop is heeded while nobody reads.
 */
#include "alerts/stdout.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/reader.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define FLUSH_BYTES   65536
#define MAX_BATCH     (8u << 20) /* bytes; more than the longest line and FLUSH_BYTES */
#define READ_RETRY_MS 200
#define NS_PER_MS     UINT64_C(1000000)

enum fd_kind { FD_PLAIN, FD_PIPE, FD_SOCKET };

struct stdout_printer {
	int fd;
	enum fd_kind kind;
	bool json;
	int event_fd;
	pthread_t thread;
	struct store_reader *reader;
	struct store_cursor *cursor;
	_Atomic int64_t notified;
	atomic_bool stop;
	_Atomic uint64_t stop_ns; /* monotonic; a blocked descriptor is waited for until then */

	pthread_mutex_t lock; /* for stats */
	struct stdout_stats stats;

	/* The thread's own. */
	struct buf out;
	uint64_t lines; /* in out */
	int64_t last_n; /* read */
	bool broken;
	bool woken; /* an event was taken while a write waited: what it told of is not read yet */
	struct log_limit limit;
};

static void note_error(struct stdout_printer *p, const char *text)
{
	pthread_mutex_lock(&p->lock);
	snprintf(p->stats.error, sizeof(p->stats.error), "%.*s", (int)sizeof(p->stats.error) - 1,
		text);
	p->stats.broken = p->broken;
	pthread_mutex_unlock(&p->lock);
	if (log_limit_pass(&p->limit))
		log_warn("stdout", "%s", text);
}

static void give_up(struct stdout_printer *p, int sys)
{
	char text[128];
	p->broken = true;
	snprintf(text, sizeof(text), "alerts are no longer printed, they are stored: %s",
		sys ? strerror(sys) : "the reader did not read");
	note_error(p, text);
}

/* Milliseconds that may still be waited; -1: no bound yet. */
static int time_left_ms(struct stdout_printer *p)
{
	if (!atomic_load(&p->stop))
		return -1;
	uint64_t now = clock_mono_ns(), until = atomic_load(&p->stop_ns);
	return now >= until ? 0 : (int)((until - now + NS_PER_MS - 1) / NS_PER_MS);
}

static void drain_event(struct stdout_printer *p)
{
	uint64_t n;
	if (read(p->event_fd, &n, sizeof(n)) < 0)
		return;
}

/* True when the descriptor takes something; false when it is over. */
static bool wait_writable(struct stdout_printer *p)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = p->fd, .events = POLLOUT },
			{ .fd = p->event_fd, .events = POLLIN },
		};
		int left = time_left_ms(p);
		int n = poll(fds, ARRAY_N(fds), left);
		if (n > 0 && fds[0].revents)
			return true;
		if (n == 0 || left == 0)
			return false;
		drain_event(p);
		p->woken = true;
	}
}

static ssize_t write_some(const struct stdout_printer *p, const char *at, size_t n)
{
	/* A pipe that polls writable has room for one page; more would block. */
	if (p->kind == FD_PIPE && n > PIPE_BUF)
		n = PIPE_BUF;
	if (p->kind == FD_SOCKET)
		return send(p->fd, at, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return write(p->fd, at, n);
}

static void write_all(struct stdout_printer *p)
{
	struct str rest = buf_str(&p->out);
	while (rest.n && !p->broken) {
		if (!wait_writable(p)) {
			give_up(p, 0);
			break;
		}
		ssize_t n = write_some(p, rest.p, rest.n);
		if (n >= 0)
			rest = str_of(rest.p + n, rest.n - (size_t)n);
		else if (errno != EAGAIN && errno != EINTR)
			give_up(p, errno);
	}
}

static void flush(struct stdout_printer *p)
{
	if (!p->broken)
		write_all(p);
	pthread_mutex_lock(&p->lock);
	if (!p->broken)
		p->stats.printed += p->lines;
	p->stats.last_n = p->last_n;
	pthread_mutex_unlock(&p->lock);
	p->lines = 0;
	buf_reset(&p->out);
}

static void add_line(struct stdout_printer *p, const struct alert_row *row)
{
	size_t before = p->out.n;
	if (p->json) {
		const struct alert_json a = {
			.ts_ns = row->ts_ns,
			.priority = row->priority,
			.rule = row->rule,
			.source = row->source,
			.hostname = row->hostname,
			.output = row->output,
			.tags_json = row->tags_json,
			.fields_json = row->fields_json,
		};
		alert_json(&p->out, &a);
	} else {
		alert_text(&p->out, row->ts_ns, row->priority, row->output);
	}
	buf_putc(&p->out, '\n');
	if (p->out.full) {
		/* Half a line would spoil the next. */
		p->out.n = before;
		p->out.full = false;
		note_error(p, "an alert was too long to print, it is stored");
		return;
	}
	p->lines++;
}

/* Returns false when the store could not be read; it is tried again. */
static bool print_new(struct stdout_printer *p)
{
	struct err e = { 0 };
	struct alert_row row;
	int rc;
	while ((rc = store_next_alert(p->cursor, &row, &e)) > 0) {
		p->last_n = row.n;
		if (!p->broken)
			add_line(p, &row);
		if (p->out.n >= FLUSH_BYTES)
			flush(p);
	}
	flush(p);
	if (rc < 0)
		note_error(p, e.msg);
	return rc == 0;
}

static int idle_ms(struct stdout_printer *p, bool again)
{
	if (p->woken)
		return 0;
	return again ? READ_RETRY_MS : -1;
}

static void *printer_main(void *arg)
{
	struct stdout_printer *p = arg;
	bool again = false;
	pthread_setname_np(pthread_self(), "hw-stdout");
	for (;;) {
		struct pollfd fd = { .fd = p->event_fd, .events = POLLIN };
		bool stop = atomic_load(&p->stop);
		if (!stop && poll(&fd, 1, idle_ms(p, again)) > 0)
			drain_event(p);
		p->woken = false;
		if (p->last_n < atomic_load(&p->notified))
			again = !print_new(p);
		if (stop)
			return NULL;
	}
}

static enum fd_kind kind_of(int fd)
{
	struct stat st;
	if (fstat(fd, &st))
		return FD_PLAIN;
	if (S_ISFIFO(st.st_mode))
		return FD_PIPE;
	return S_ISSOCK(st.st_mode) ? FD_SOCKET : FD_PLAIN;
}

static void printer_free(struct stdout_printer *p)
{
	if (!p)
		return;
	store_cursor_close(p->cursor);
	store_reader_close(p->reader);
	buf_fini(&p->out);
	if (p->event_fd >= 0)
		close(p->event_fd);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
DEFINE_AUTO(struct stdout_printer, printer_free)

static int start(struct stdout_printer *p, struct err *e)
{
	sigset_t all, before;
	/* SIGPIPE too: the write tells by EPIPE. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&p->thread, NULL, printer_main, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		return err_set(e, ERR_LIMIT, "cannot start the printer's thread: %s", strerror(rc));
	return 0;
}

int stdout_printer_open(struct stdout_printer **out, const struct stdout_options *o, struct err *e)
{
	AUTO(printer_free) struct stdout_printer *p = xcalloc(1, sizeof(*p));
	pthread_mutex_init(&p->lock, NULL);
	p->fd = o->fd;
	p->kind = kind_of(o->fd);
	p->json = o->json;
	p->out.max = MAX_BATCH;
	p->last_n = p->stats.last_n = o->after_n;
	atomic_store(&p->notified, o->after_n);
	p->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->event_fd < 0)
		return err_set(e, ERR_SYS, "eventfd");
	if (store_reader_open(&p->reader, o->path, e) ||
		store_follow_alerts(&p->cursor, p->reader, o->after_n, e) || start(p, e))
		return -1;
	*out = TAKE(p);
	return 0;
}

static void wake(struct stdout_printer *p)
{
	const uint64_t one = 1;
	/* Fails only when it is full of wake-ups already. */
	if (write(p->event_fd, &one, sizeof(one)) < 0)
		return;
}

void stdout_printer_notify(struct stdout_printer *p, int64_t n)
{
	int64_t seen = atomic_load(&p->notified);
	while (seen < n) {
		if (atomic_compare_exchange_weak(&p->notified, &seen, n)) {
			wake(p);
			return;
		}
	}
}

void stdout_printer_stats(struct stdout_printer *p, struct stdout_stats *out)
{
	pthread_mutex_lock(&p->lock);
	*out = p->stats;
	pthread_mutex_unlock(&p->lock);
}

void stdout_printer_stop(struct stdout_printer *p, int wait_ms, struct stdout_stats *last)
{
	if (!p)
		return;
	uint64_t wait_ns = wait_ms > 0 ? (uint64_t)wait_ms * NS_PER_MS : 0;
	uint64_t until = clock_mono_ns() + wait_ns;
	atomic_store(&p->stop_ns, until);
	atomic_store(&p->stop, true);
	wake(p);
	pthread_join(p->thread, NULL);
	if (last)
		stdout_printer_stats(p, last);
	printer_free(p);
}
