#include "collector/syscall/pathcheck.h"

#include "base/hash.h"
#include "base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define PATHCHECK_SLOTS    1024u
#define PATHCHECK_FRESH_NS 1000000000u
#define PATHCHECK_MAX_PATH 4096u

struct answer {
	uint64_t hash, until_ns;
	bool link;
};

struct pathcheck {
	struct answer slots[PATHCHECK_SLOTS];
	uint32_t own_ns_mnt;
};

struct pathcheck *pathcheck_new(void)
{
	struct pathcheck *c = xcalloc(1, sizeof(*c));
	struct stat st;

	if (stat("/proc/self/ns/mnt", &st) == 0)
		c->own_ns_mnt = (uint32_t)st.st_ino;
	return c;
}

void pathcheck_free(struct pathcheck *c)
{
	free(c);
}

/*
 * From memory only: the caller has just walked this path, so that the kernel knows it still, and a file system
 * that does not answer (its server may be the watched one's own) must not hold the capture thread. Kernels before
 * 5.12 cannot promise that.
 */
static int open_cached(int dir, const char *path, uint64_t resolve)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = resolve | RESOLVE_CACHED,
	};
	long fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));

	/* proc and sysfs make their names up when asked, and do not block */
	bool made_up = resolve && (str_starts(str_from(path), STR("/proc/")) ||
					  str_starts(str_from(path), STR("/sys/")));
	if (fd < 0 && (errno == EINVAL || (errno == EAGAIN && made_up))) {
		how.resolve = resolve;
		fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));
	}
	return (int)fd;
}

/* 1: a link; 0: something else; -1: not there, or not known. */
static int link_below(const char *dir, const char *path, uint64_t resolve)
{
	struct statx st;
	AUTO_FD int from = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_FD int fd = from < 0 ? -1 : open_cached(from, path, resolve);

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &st))
		return -1;
	return S_ISLNK(st.stx_mode);
}

/* Links by what they are; looked at from here they would be ours. */
static bool is_own_proc(struct str user)
{
	return str_starts(user, STR("/proc/self/")) ||
	       str_starts(user, STR("/proc/thread-self/")) || str_starts(user, STR("/dev/fd/"));
}

/* The caller's path as seen from its root and working directory; its process may be gone: then from ours. */
static bool is_link(const struct pathcheck *c, const struct event *ev, struct str user)
{
	char path[PATHCHECK_MAX_PATH + 1], dir[64];
	bool absolute = user.p[0] == '/';

	if (is_own_proc(user))
		return true;
	if (user.n > PATHCHECK_MAX_PATH)
		return false;
	memcpy(path, user.p, user.n);
	path[user.n] = 0;
	if (absolute)
		snprintf(dir, sizeof(dir), "/proc/%u/root", ev->key.tgid);
	else if (ev->open.dirfd == AT_FDCWD)
		snprintf(dir, sizeof(dir), "/proc/%u/cwd", ev->key.tgid);
	else
		snprintf(dir, sizeof(dir), "/proc/%u/fd/%d", ev->key.tgid, ev->open.dirfd);
	int link = link_below(dir, path, absolute ? RESOLVE_IN_ROOT : 0);
	/* another mount namespace's path means nothing in ours */
	if (link < 0 && absolute && ev->ns_mnt == c->own_ns_mnt)
		link = link_below("/", path, RESOLVE_IN_ROOT);
	return link > 0;
}

void pathcheck_event(struct pathcheck *c, struct event *ev, uint64_t now_ns)
{
	struct str user = event_str(ev, ev->open.user), path = event_str(ev, ev->open.path);

	if (!user.n)
		return;
	uint64_t h = hash_quick(user.p, user.n, ev->ns_mnt) ^ hash_quick(path.p, path.n, 0);
	struct answer *a = &c->slots[h & (PATHCHECK_SLOTS - 1)];
	if (a->hash != h || a->until_ns < now_ns)
		*a = (struct answer){ h, now_ns + PATHCHECK_FRESH_NS, is_link(c, ev, user) };
	if (a->link)
		ev->flags &= ~(uint32_t)EVENT_F_MISMATCH;
}
