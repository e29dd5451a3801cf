#include "base/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define OPENER_RETRIES 8
#define OPENER_CHUNK   ((size_t)64 << 10)

static int open_below(int root_fd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned int)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd = -1;
	/* EAGAIN: somebody renames on the way, so that the kernel cannot vouch for ".." */
	for (int i = 0; i < OPENER_RETRIES; i++) {
		fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return (int)fd;
}

static int open_root(const char *root)
{
	return open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* O_PATH opens nothing of the file itself: only what is known to be a regular file is opened. */
static int open_handle(const char *root, const char *path, struct err *e)
{
	AUTO_FD int root_fd = open_root(root);
	if (root_fd < 0)
		return err_set(e, ERR_SYS, "open directory %s", root);
	AUTO_FD int fd = open_below(root_fd, path, O_PATH);
	if (fd < 0)
		return err_set(e, ERR_SYS, "open %s in %s", path, root);
	struct stat st;
	if (fstat(fd, &st))
		return err_set(e, ERR_SYS, "stat %s in %s", path, root);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_FORMAT, "%s in %s is not a regular file", path, root);
	return TAKE_FD(fd);
}

int opener_open(const char *root, const char *path, struct err *e)
{
	AUTO_FD int handle = open_handle(root, path, e);
	if (handle < 0)
		return -1;
	/* Through the handle, so that it is the same file whatever the path has become since. */
	char link[40];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", handle);
	int fd = open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, ERR_SYS, "open %s in %s", path, root);
	return fd;
}

int opener_open_dir(const char *root, const char *path, struct err *e)
{
	AUTO_FD int root_fd = open_root(root);
	if (root_fd < 0)
		return err_set(e, ERR_SYS, "open directory %s", root);
	int fd = open_below(root_fd, path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return err_set(e, ERR_SYS, "open directory %s in %s", path, root);
	return fd;
}

static ssize_t read_again(int fd, void *p, size_t n)
{
	ssize_t got;
	do {
		got = read(fd, p, n);
	} while (got < 0 && errno == EINTR);
	return got;
}

/* One chunk; 0 at the end. At the buffer's bound a single byte tells whether more follows. */
static ssize_t read_chunk(int fd, struct buf *b)
{
	char probe;
	size_t left = b->max - b->n;
	if (left == 0)
		return read_again(fd, &probe, 1);
	size_t n = left < OPENER_CHUNK ? left : OPENER_CHUNK;
	char *p = buf_reserve(b, n);
	if (!p)
		return (ssize_t)n; /* no memory: told by b->full */
	ssize_t got = read_again(fd, p, n);
	if (got > 0)
		b->n += (size_t)got;
	return got;
}

int opener_read(const char *root, const char *path, struct buf *b, struct err *e)
{
	AUTO_FD int fd = opener_open(root, path, e);
	if (fd < 0)
		return -1;
	for (;;) {
		bool at_bound = b->n == b->max;
		ssize_t got = read_chunk(fd, b);
		if (got == 0)
			break;
		if (got < 0)
			return err_set(e, ERR_SYS, "read %s in %s", path, root);
		if (at_bound || b->full) {
			b->full = true;
			return err_set(e, ERR_LIMIT, "%s in %s is larger than %zu bytes", path,
				root, b->max);
		}
	}
	buf_cstr(b); /* ends it in NUL */
	return 0;
}
