#include "tests/unit/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#define LONG_AGO_S 1000000000

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

struct tree *tree_new(void)
{
	struct tree *t = xcalloc(1, sizeof(*t));
	const char *dir = getenv("TMPDIR");
	int n = snprintf(t->root, sizeof(t->root), "%s/hw-tree-XXXXXX", dir ? dir : "/tmp");
	must(n > 0 && (size_t)n < sizeof(t->root) && mkdtemp(t->root), "mkdtemp");
	return t;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void tree_free(struct tree *t)
{
	if (!t)
		return;
	nftw(t->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(t);
}

static void full_path(const struct tree *t, const char *path, char out[static 1024])
{
	int n = snprintf(out, 1024, "%s/%s", t->root, path);
	must(n > 0 && n < 1024, "path");
}

static void make_folders(char *path)
{
	for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = 0;
		must(!mkdir(path, 0755) || errno == EEXIST, path);
		*at = '/';
	}
}

void tree_write_bytes(struct tree *t, const char *path, struct str bytes)
{
	static time_t seconds;
	char to[1024], fresh[1032];
	full_path(t, path, to);
	make_folders(to);
	snprintf(fresh, sizeof(fresh), "%s.new", to);
	AUTO_FD int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	must(fd >= 0, fresh);
	must(write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n, "write");
	struct timespec when = { .tv_sec = LONG_AGO_S + seconds++ };
	must(!futimens(fd, (struct timespec[]){ when, when }), "futimens");
	must(!rename(fresh, to), "rename");
}

void tree_write(struct tree *t, const char *path, const char *text)
{
	tree_write_bytes(t, path, str_from(text));
}

void tree_remove(struct tree *t, const char *path)
{
	char at[1024];
	full_path(t, path, at);
	must(!remove(at), at);
}
