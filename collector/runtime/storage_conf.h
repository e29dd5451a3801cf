/* The few keys of containers-storage's storage.conf(5) that say where things are. */
#ifndef HW_COLLECTOR_RUNTIME_STORAGE_CONF_H
#define HW_COLLECTOR_RUNTIME_STORAGE_CONF_H

#include "base/str.h"

#define STORAGE_CONF_MAX_BYTES (64 << 10)

struct storage_conf {
	struct str graphroot, runroot; /* n == 0 when not given */
};

/*
 * Read a TOML text line by line; only plain strings in the table [storage] count, everything
 * else is passed over. The views point into `text`. A path that is not absolute or has an
 * escape or a variable in it counts as not given.
 */
struct storage_conf storage_conf_read(struct str text);

#endif
