/*
 * The databases' schemas and how a file becomes a connection: made, checked, migrated. Base
 * tables may change; the views v1_* are what others may rely on.
 */
#ifndef HW_STORE_SCHEMA_H
#define HW_STORE_SCHEMA_H

#include "base/sql.h"

struct schema {
	const char *what; /* for messages: "database", "event segment" */
	int64_t application_id;
	int64_t version;    /* PRAGMA user_version of `create` */
	const char *create; /* script; sets application_id and user_version itself */
	/* migrations[i] leads from version i + 1 to i + 2 and sets user_version; version - 1 of them. */
	const char *const *migrations;
	const char *pragmas; /* run on every writing connection */
	bool durable;        /* a new file is synced before it gets its name */
	uint64_t
		check_bytes; /* a file up to this size is checked whole when it is opened to write */
};

extern const struct schema schema_main;
extern const struct schema schema_segment;

/*
 * Open `path` for writing: made when absent (mode 0600, under another name first, so that it is
 * never seen half made), checked, and migrated if older, after a copy to `path`.vN.bak. Returns 0 and
 * *out. -1 and *e, with the file left as it was: ERR_FORMAT (damaged, not a database, not of
 * this schema), ERR_UNSUPPORTED (newer version), ERR_SYS.
 */
int schema_open(struct sql **out, const char *path, const struct schema *s, struct err *e);

/*
 * Open an existing `path` for reading. ERR_NOT_FOUND when it is not there; else as above. A whole check
 * for damage is not made here: it would cost every command.
 */
int schema_open_read(struct sql **out, const char *path, const struct schema *s, struct err *e);

/* Remove a database and its -wal, -shm and -journal. Missing files are fine. */
int schema_unlink(const char *path, struct err *e);

#endif
