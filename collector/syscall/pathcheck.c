#include "collector/syscall/pathcheck.h"

#include "base/hash.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define PATHCHECK_SLOTS   1024u
#define PATHCHECK_FRESH_NS 1000000000u

struct answer {
	uint64_t hash, until_ns;
	bool link;
};

struct pathcheck {
	struct answer slots[PATHCHECK_SLOTS];
};

struct pathcheck *pathcheck_new(void)
{
	return xcalloc(1, sizeof(struct pathcheck));
}

void pathcheck_free(struct pathcheck *c)
{
	free(c);
}

/* The caller's path as seen from its root and working directory; its process may be gone: then from ours. */
static bool is_link(const struct event *ev, struct str user)
{
	char path[4352];
	struct stat st;
	bool absolute = user.p[0] == '/';
	const char *from = absolute ? "root" : "cwd";

	if (!absolute && ev->open.dirfd != AT_FDCWD)
		snprintf(path, sizeof(path), "/proc/%u/fd/%d/%.*s", ev->key.tgid, ev->open.dirfd,
			 STR_ARG(user));
	else
		snprintf(path, sizeof(path), "/proc/%u/%s/%.*s", ev->key.tgid, from, STR_ARG(user));
	if (lstat(path, &st) == 0)
		return S_ISLNK(st.st_mode);
	if (!absolute)
		return false;
	snprintf(path, sizeof(path), "%.*s", STR_ARG(user));
	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

void pathcheck_event(struct pathcheck *c, struct event *ev, uint64_t now_ns)
{
	struct str user = event_str(ev, ev->open.user), path = event_str(ev, ev->open.path);

	if (!user.n)
		return;
	uint64_t h = hash_quick(user.p, user.n, ev->ns_mnt) ^ hash_quick(path.p, path.n, 0);
	struct answer *a = &c->slots[h & (PATHCHECK_SLOTS - 1)];
	if (a->hash != h || a->until_ns < now_ns)
		*a = (struct answer){ h, now_ns + PATHCHECK_FRESH_NS, is_link(ev, user) };
	if (a->link)
		ev->flags &= ~(uint32_t)EVENT_F_MISMATCH;
}
