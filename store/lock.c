#include "store/lock.h"

#include "base/scope.h"
#include "base/str.h"
#include "store/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

/* The pid that stands in the file; 0 when there is none to read. */
static uint64_t read_pid(int fd)
{
	char text[32];
	ssize_t n = pread(fd, text, sizeof(text), 0);
	uint64_t pid = 0;
	if (n > 0)
		str_to_u64(str_trim(str_of(text, (size_t)n)), &pid);
	return pid;
}

static int write_pid(int fd, const char *path, struct err *e)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) || pwrite(fd, text, (size_t)n, 0) != n)
		return err_set(e, ERR_SYS, "write %s", path);
	return 0;
}

/* A lock of the open file, not of the process: it survives other descriptors being closed. */
static int take(int fd, const char *dir, struct err *e)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	if (!fcntl(fd, F_OFD_SETLK, &lock))
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return err_set(e, ERR_SYS, "lock state directory %s", dir);
	uint64_t pid = read_pid(fd);
	if (!pid)
		return err_set(e, ERR_BUSY, "state directory %s is in use by another process", dir);
	return err_set(e, ERR_BUSY,
		"state directory %s is in use by pid %llu; stop it or choose another --state-dir",
		dir, (unsigned long long)pid);
}

int store_lock(const char *dir, struct err *e)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, STORE_LOCK_NAME);
	if (n < 0 || (size_t)n >= sizeof(path))
		return err_set(e, ERR_LIMIT, "path too long: %s", dir);
	if (mkdir(dir, 0700) && errno != EEXIST)
		return err_set(e, ERR_SYS, "create state directory %s", dir);
	AUTO_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(e, ERR_SYS, "state directory %s cannot be written", dir);
	if (take(fd, dir, e) || write_pid(fd, path, e))
		return -1;
	return TAKE_FD(fd);
}

void store_unlock(int fd)
{
	if (fd < 0)
		return;
	/* No stale pid for people to read. The file stays: unlinking it would race with the next one. */
	if (ftruncate(fd, 0))
		errno = 0;
	close(fd);
}
