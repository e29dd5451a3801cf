#include "base/err.h"

#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define EXIT_USAGE       2
#define EXIT_FAILED      3
#define EXIT_UNSUPPORTED 77

/* Longer than err.msg: cleaning may only then cut. */
#define ERR_RAW_LEN 1024

static const char *errno_text(int sys)
{
	const char *text = strerrordesc_np(sys); /* no locale, no static buffer */
	return text ? text : "unknown error";
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	int saved = errno;
	if (!e)
		return -1;
	char raw[ERR_RAW_LEN];
	va_list ap;
	va_start(ap, fmt);
	if (vsnprintf(raw, sizeof(raw), fmt, ap) < 0)
		raw[0] = '\0';
	va_end(ap);

	char tail[96] = "";
	if (code == ERR_SYS)
		snprintf(tail, sizeof(tail), ": %s", errno_text(saved));
	/* The reason stays whole: a text that is too long loses its own end. */
	size_t tail_len = strlen(tail);
	size_t n = text_clean_into(e->msg, sizeof(e->msg) - tail_len, str_from(raw));
	memcpy(e->msg + n, tail, tail_len + 1);
	e->code = code;
	e->sys = code == ERR_SYS ? saved : 0;
	errno = saved;
	return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	if (!e)
		return -1;
	char raw[ERR_RAW_LEN];
	va_list ap;
	va_start(ap, fmt);
	if (vsnprintf(raw, sizeof(raw), fmt, ap) < 0)
		raw[0] = '\0';
	va_end(ap);

	char inner[sizeof(e->msg)];
	memcpy(inner, e->msg, sizeof(inner));
	inner[sizeof(inner) - 1] = '\0';
	size_t n = text_clean_into(e->msg, sizeof(e->msg) / 2, str_from(raw));
	if (inner[0]) {
		memcpy(e->msg + n, ": ", 3);
		text_clean_into(e->msg + n + 2, sizeof(e->msg) - n - 2, str_from(inner));
	}
	return -1;
}

int err_exit_code(const struct err *e)
{
	if (e->code == ERR_USAGE || e->code == ERR_CONFIG)
		return EXIT_USAGE;
	return e->code == ERR_UNSUPPORTED ? EXIT_UNSUPPORTED : EXIT_FAILED;
}
