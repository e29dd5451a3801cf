/*
 * Errors as values. A struct err lives on the caller's stack and is fixed in size, so that
 * reporting a failure cannot fail. Functions that can fail return -1 and fill it.
 */
#ifndef HW_BASE_ERR_H
#define HW_BASE_ERR_H

enum err_code {
	ERR_NONE = 0,
	ERR_SYS,    /* a system call failed; err.sys holds errno */
	ERR_FORMAT, /* input is not what it should be */
	ERR_LIMIT,  /* a named bound was passed */
	ERR_USAGE,  /* wrong command line */
	ERR_CONFIG, /* wrong configuration or rule text */
	ERR_BUSY,   /* somebody else holds it */
	ERR_NOT_FOUND,
	ERR_UNSUPPORTED, /* this kernel or host cannot */
};

struct err {
	enum err_code code;
	int sys;       /* errno with ERR_SYS, else 0 */
	char msg[768]; /* one line, outermost context first */
};

/*
 * Set *e. With ERR_SYS the text of errno is appended. Control bytes in the result are
 * escaped, a text that does not fit is cut. Always returns -1, so `return err_set(...)` works.
 * `e` may be NULL: the caller does not want to know.
 */
int err_set(struct err *e, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Put "context: " before the message. Keeps the code. Always returns -1. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The exit code of DESIGN's contract for a failure with this code: 2, 3 or 77. */
int err_exit_code(const struct err *e);

#endif
