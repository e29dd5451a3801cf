/*
 * Names of users and groups out of passwd(5) and group(5): of the host or of any tree. A
 * loaded table does not change; any thread may read it. users_stale() says when to load anew.
 */
#ifndef HW_COLLECTOR_RUNTIME_USERS_H
#define HW_COLLECTOR_RUNTIME_USERS_H

#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"

#define USERS_MAX_BYTES   (16 << 20) /* of each file */
#define USERS_MAX_ENTRIES 262144     /* of each file */

struct users;

/*
 * Read etc/passwd and etc/group below `root` ("" or NULL: the host's). A file that is not there gives
 * no names. Returns 0 and *out, to be freed with users_free(); -1 and *e: ERR_SYS,
 * ERR_FORMAT (not a regular file), ERR_LIMIT (larger than USERS_MAX_BYTES).
 */
int users_load(struct users **out, const char *root, struct err *e);
void users_free(struct users *u);
DEFINE_AUTO(struct users, users_free)

/* True when one of the files is another one, or has changed, since it was loaded. */
bool users_stale(const struct users *u);

/* The name, valid as long as the table; p == NULL when there is none. The first entry counts. */
struct str users_name(const struct users *u, uint32_t uid);
struct str users_group(const struct users *u, uint32_t gid);

/* Lines of both files that could not be used: no name, no number, too large, too many. */
uint64_t users_skipped_n(const struct users *u);

#endif
