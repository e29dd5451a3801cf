/*
 * The folder in bpffs where what an instance has in the kernel outlives it:
 *
 *   bpffs/NAME/control, ring_main, ...   maps that every set of programs shares
 *   bpffs/NAME/set_N/link_*, prog_*, ... the set of programs with number N
 *
 * A reader that dies at any instant leaves something to go on with, because of the order in which
 * things are made: a set is pinned completely before control->generation names it, the shared maps
 * after the first set, and `control` last of all.
 */
#ifndef HW_SYSCALL_PINS_H
#define HW_SYSCALL_PINS_H

#include "base/err.h"
#include "base/scope.h"

#include <stdbool.h>
#include <stdint.h>

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

/* The folder of set `number` below `dir` into out[PINS_PATH_MAX]. false: too long. */
bool pins_set_path(char *out, const char *dir, uint32_t number);

/* Remove the sets below `dir`, which detaches them; all but `keep` (0: none stays). */
void pins_remove_sets(const char *dir, uint32_t keep);

#endif
