/* One writer per state directory: a lock file that says whose it is. */
#ifndef HW_STORE_LOCK_H
#define HW_STORE_LOCK_H

#include "base/err.h"

/*
 * Make `dir` (0700) if it is not there and take its lock. Returns the descriptor that holds it:
 * store_unlock() it. The kernel lets go of it when the process dies. -1 and *e: ERR_BUSY (says
 * which pid), ERR_SYS.
 */
int store_lock(const char *dir, struct err *e);
void store_unlock(int fd); /* -1 is fine */

#endif
