/* The folder in bpffs where an instance's maps and links outlive it. */
#ifndef HW_SYSCALL_PINS_H
#define HW_SYSCALL_PINS_H

#include "base/err.h"
#include "base/scope.h"

#include <stdbool.h>

#define PINS_PATH_MAX 512

/*
 * Make sure that `bpffs` is one, mounting it where it is an ordinary folder. 1: mounted by us; 0 it was
 * there; -1 and *e.
 */
int pins_mount(const char *bpffs, struct err *e);

/* "bpffs/name" or "bpffs/name/file" into out[PINS_PATH_MAX]. false: too long. */
bool pins_path(char *out, const char *bpffs, const char *name, const char *file);

/* Remove the folder and all in it. A missing one is fine. */
int pins_remove(const char *dir, struct err *e);

/* Remove the pinned links alone (names that begin with "link_"). */
void pins_remove_links(const char *dir);

#endif
