/* The one table of configuration keys; inside of config/. */
#ifndef HW_CONFIG_KEYS_H
#define HW_CONFIG_KEYS_H

#include "config/config.h"

enum config_kind {
	CONFIG_BOOL,     /* bool */
	CONFIG_COUNT,    /* uint64_t between min and max */
	CONFIG_POWER,    /* the same, and a power of two */
	CONFIG_DURATION, /* uint64_t ns; min and max in seconds */
	CONFIG_WORD,     /* an enum: the index in words */
	CONFIG_PATH,     /* const char * */
	CONFIG_PATHS,    /* struct config_list; max is the most items */
};

struct config_key {
	const char *name; /* dotted */
	enum config_kind kind;
	size_t offset;        /* in struct config */
	const char *fallback; /* as text; paths separated by newlines. NULL: derived */
	uint64_t min, max;
	const char *const *words; /* ends in NULL */
	const char *help;
};

struct config_origin {
	const char *text; /* "default", "--state-dir" or file:line */
	bool set;
};

extern const struct config_key config_keys[];
extern const size_t config_keys_n;

#endif
