/*
 * The log: one line to stderr, with a syslog priority prefix ("<4>") when stderr is not a
 * terminal and JOURNAL_STREAM is set, else with a plain level word. Control bytes are escaped.
 */
#ifndef HW_BASE_LOG_H
#define HW_BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARN = 4, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

void log_set_level(enum log_level max);
enum log_level log_level_get(void);

void log_line(enum log_level level, const char *component, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(component, ...) log_line(LOG_LEVEL_ERROR, component, __VA_ARGS__)
#define log_warn(component, ...)  log_line(LOG_LEVEL_WARN, component, __VA_ARGS__)
#define log_info(component, ...)  log_line(LOG_LEVEL_INFO, component, __VA_ARGS__)
#define log_debug(component, ...) log_line(LOG_LEVEL_DEBUG, component, __VA_ARGS__)

/*
 * Limits what input can trigger: `if (log_limit_pass(&lim)) log_warn(...)`. Lets `burst` lines
 * through per second (default 5 with zero); log_limit_missed() tells and resets how many were
 * held back. A limit belongs to one thread.
 */
struct log_limit {
	uint32_t burst;
	uint64_t second;
	uint32_t used;
	uint64_t missed;
};
int log_limit_pass(struct log_limit *l);
uint64_t log_limit_missed(struct log_limit *l);

#endif
