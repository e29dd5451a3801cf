/* A JSON file that is parsed again only when it has changed. */
#ifndef HW_COLLECTOR_RUNTIME_JSON_FILE_H
#define HW_COLLECTOR_RUNTIME_JSON_FILE_H

#include "base/json.h"
#include "collector/runtime/stamp.h"

/* Zero, and a path, start one. The path is the owner's and must outlive it. */
struct json_file {
	const char *path;
	struct stamp stamp;
	struct json *doc; /* NULL: not there */
	uint64_t parsed_n;
};

/*
 * Bring f up to date; its nodes are valid until the next call. Returns 1 when the file is there, 0 when it
 * is not, -1 and *e: ERR_SYS, ERR_LIMIT (larger than max_bytes), ERR_FORMAT.
 */
int json_file_refresh(struct json_file *f, const char *root, size_t max_bytes, struct err *e);
void json_file_fini(struct json_file *f);

/* Read and parse once. *out stays NULL, with 0, when the file is not there; else as above. */
int json_file_read(
	struct json **out, const char *root, const char *path, size_t max_bytes, struct err *e);

#endif
