#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOG_MAX_LINE      2048
#define LOG_DEFAULT_BURST 5
#define NS_PER_S          1000000000u

static atomic_int max_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level max)
{
	atomic_store_explicit(&max_level, (int)max, memory_order_relaxed);
}

enum log_level log_level_get(void)
{
	return (enum log_level)atomic_load_explicit(&max_level, memory_order_relaxed);
}

static const char *level_word(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "error";
	case LOG_LEVEL_WARN:
		return "warn";
	case LOG_LEVEL_INFO:
		return "info";
	case LOG_LEVEL_DEBUG:
		return "debug";
	}
	return "log";
}

static int put_prefix(char *out, size_t size, enum log_level level, const char *component)
{
	/* journald takes the number from the line only when it reads our stderr itself */
	if (!isatty(STDERR_FILENO) && getenv("JOURNAL_STREAM"))
		return snprintf(out, size, "<%d>%s: ", (int)level, component);
	return snprintf(out, size, "%s: %s: ", level_word(level), component);
}

void log_line(enum log_level level, const char *component, const char *fmt, ...)
{
	if (level > log_level_get())
		return;
	int saved = errno;
	char raw[LOG_MAX_LINE], line[LOG_MAX_LINE];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	if (n < 0)
		raw[0] = '\0';

	int prefix = put_prefix(line, sizeof(line) / 2, level, component);
	size_t len = prefix < 0 ? 0 : (size_t)prefix;
	if (len >= sizeof(line) / 2)
		len = sizeof(line) / 2 - 1;
	len += text_clean_into(line + len, sizeof(line) - len - 1, str_from(raw));
	line[len++] = '\n';
	/* One write, so that lines of several threads do not mix. Nobody to tell of a failure. */
	if (write(STDERR_FILENO, line, len) < 0)
		errno = saved;
	errno = saved;
}

int log_limit_pass(struct log_limit *l)
{
	uint64_t second = clock_mono_ns() / NS_PER_S;
	if (second != l->second) {
		l->second = second;
		l->used = 0;
	}
	if (l->used < (l->burst ? l->burst : LOG_DEFAULT_BURST)) {
		l->used++;
		return 1;
	}
	l->missed++;
	return 0;
}

uint64_t log_limit_missed(struct log_limit *l)
{
	uint64_t n = l->missed;
	l->missed = 0;
	return n;
}
