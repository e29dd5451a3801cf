/* A temporary folder of files, as a root for modules that take one. */
#ifndef HW_TESTS_UNIT_TREE_H
#define HW_TESTS_UNIT_TREE_H

#include "base/scope.h"
#include "base/str.h"

struct tree {
	char root[64];
};

/* Aborts the test when it cannot. */
struct tree *tree_new(void);
void tree_free(struct tree *t); /* removes it all */
DEFINE_AUTO(struct tree, tree_free)

/*
 * Write a file below the root, with its folders. It gets a new inode and a modification time
 * well in the past, one second later with every call, so that nothing takes it for just written.
 */
void tree_write(struct tree *t, const char *path, const char *text);
void tree_write_bytes(struct tree *t, const char *path, struct str bytes);
void tree_remove(struct tree *t, const char *path);

#endif
