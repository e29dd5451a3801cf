#include "cmd/watch.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/vec.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#define EVENTS                                                                                     \
	(IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF |   \
		IN_MOVE_SELF)
/* Entries of one folder that count: more would be no folder of rules. */
#define MAX_ENTRIES  20000
#define MAX_DESCRIBE (16u << 20)

struct folder {
	int wd;
	char *path;
};

struct watch {
	int fd;
	VEC(char *) paths;
	VEC(struct folder) folders;
	uint8_t seen[HASH_SHA256_LEN];
	uint64_t first_ns, due_ns; /* 0: nothing has happened */
};

/* ---- how the files are ---- */

static void describe_one(struct buf *b, const char *path)
{
	struct stat st;
	buf_puts(b, path);
	if (stat(path, &st)) {
		buf_puts(b, "\n-\n");
		return;
	}
	buf_printf(b, "\n%llu %llu %o %lld %lld.%09ld %lld.%09ld\n", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino, st.st_mode, (long long)st.st_size,
		(long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (long long)st.st_ctim.tv_sec,
		st.st_ctim.tv_nsec);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_yaml(const struct dirent *d)
{
	struct str name = str_from(d->d_name);
	return str_ends(name, STR(".yaml")) || str_ends(name, STR(".yml"));
}

static bool is_folder(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Calls fn with each file of a folder that is loaded. */
static void each_file(const char *folder, void (*fn)(void *ctx, const char *path), void *ctx)
{
	struct dirent **names = NULL;
	int n = scandir(folder, &names, is_yaml, by_name);
	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		if (i < MAX_ENTRIES)
			fn(ctx, path);
		free(names[i]);
	}
	free(names);
}

static void describe_file(void *ctx, const char *path)
{
	describe_one(ctx, path);
}

static void describe(const struct watch *w, uint8_t out[HASH_SHA256_LEN])
{
	AUTO(buf_fini) struct buf b = BUF_INIT(MAX_DESCRIBE);
	for (size_t i = 0; i < w->paths.n; i++) {
		/* A folder's own times change with every temporary file in it. */
		if (is_folder(w->paths.p[i]))
			each_file(w->paths.p[i], describe_file, &b);
		else
			describe_one(&b, w->paths.p[i]);
	}
	hash_sha256(buf_str(&b), out);
}

/* ---- folders ---- */

static void cut_last(char *path)
{
	char *slash = strrchr(path, '/');
	if (!slash)
		snprintf(path, 2, ".");
	else
		slash[slash == path] = 0;
}

/* The folder itself, or where it will be made: the nearest one above that there is. */
static int add_folder(struct watch *w, const char *folder, struct err *e)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s", folder);
	for (;;) {
		int wd = inotify_add_watch(w->fd, path, EVENTS | IN_ONLYDIR);
		if (wd < 0 && (errno == ENOENT || errno == ENOTDIR) && strlen(path) > 1) {
			cut_last(path);
			continue;
		}
		if (wd < 0)
			return err_set(e, ERR_SYS, "watch %s", path);
		for (size_t i = 0; i < w->folders.n; i++)
			if (w->folders.p[i].wd == wd)
				return 0;
		if (w->folders.n == WATCH_MAX_FOLDERS)
			return err_set(e, ERR_LIMIT, "watch %s: more than %d folders", path,
				WATCH_MAX_FOLDERS);
		vec_push(&w->folders, ((struct folder){ wd, xstrndup(path, strlen(path)) }));
		return 0;
	}
}

struct adding {
	struct watch *w;
	struct err *e;
	int rc;
};

/* The folder that a path stands in, and the one that it leads to by links. */
static void add_around(void *ctx, const char *path)
{
	struct adding *a = ctx;
	char at[PATH_MAX], real[PATH_MAX];
	snprintf(at, sizeof(at), "%s", path);
	cut_last(at);
	if (!a->rc)
		a->rc = add_folder(a->w, at, a->e);
	if (a->rc || !realpath(path, real))
		return;
	cut_last(real);
	a->rc = add_folder(a->w, real, a->e);
}

static int add_path(struct watch *w, const char *path, struct err *e)
{
	struct adding a = { .w = w, .e = e };
	add_around(&a, path);
	if (a.rc || !is_folder(path))
		return a.rc;
	if (add_folder(w, path, e))
		return -1;
	each_file(path, add_around, &a);
	return a.rc;
}

int watch_open(struct watch **out, const char *const *paths, size_t n, struct err *e)
{
	AUTO(watch_close) struct watch *w = xcalloc(1, sizeof(*w));
	w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->fd < 0)
		return err_set(e, ERR_SYS, "inotify_init");
	for (size_t i = 0; i < n; i++) {
		vec_push(&w->paths, xstrndup(paths[i], strlen(paths[i])));
		if (add_path(w, paths[i], e))
			return -1;
	}
	/* After the watches are set: what changes from here on gives an event. */
	describe(w, w->seen);
	*out = TAKE(w);
	return 0;
}

void watch_close(struct watch *w)
{
	if (!w)
		return;
	if (w->fd >= 0)
		close(w->fd);
	for (size_t i = 0; i < w->folders.n; i++)
		free(w->folders.p[i].path);
	for (size_t i = 0; i < w->paths.n; i++)
		free(w->paths.p[i]);
	vec_fini(&w->folders);
	vec_fini(&w->paths);
	free(w);
}

/* ---- events ---- */

/* A new plain file is still being written: its end is told by another event. */
static bool is_beginning(const struct watch *w, const struct inotify_event *ev)
{
	struct stat st;
	char path[PATH_MAX];
	if (!(ev->mask & IN_CREATE) || ev->mask & IN_ISDIR || !ev->len)
		return false;
	for (size_t i = 0; i < w->folders.n; i++) {
		if (w->folders.p[i].wd != ev->wd)
			continue;
		snprintf(path, sizeof(path), "%s/%s", w->folders.p[i].path, ev->name);
		return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1;
	}
	return false;
}

/* Take what has come. True when something may have changed. */
static bool drain(const struct watch *w)
{
	_Alignas(struct inotify_event) char buf[8192];
	bool any = false;
	for (;;) {
		ssize_t n = read(w->fd, buf, sizeof(buf));
		if (n <= 0)
			return any;
		for (const char *at = buf; at < buf + n;) {
			const struct inotify_event *ev = (const void *)at;
			any |= !is_beginning(w, ev);
			at += sizeof(*ev) + ev->len;
		}
	}
}

int watch_fd(const struct watch *w)
{
	return w && !w->due_ns ? w->fd : -1;
}

uint64_t watch_due_ns(const struct watch *w)
{
	return w ? w->due_ns : 0;
}

bool watch_step(struct watch *w, uint64_t now_ns)
{
	uint8_t now_is[HASH_SHA256_LEN];
	if (!w || (w->due_ns && now_ns < w->due_ns))
		return false;
	bool more = drain(w);
	if (!w->due_ns && !more)
		return false;
	if (!w->due_ns)
		w->first_ns = now_ns;
	if (more && now_ns - w->first_ns < WATCH_LONG_NS) {
		w->due_ns = now_ns + WATCH_QUIET_NS;
		return false;
	}
	w->due_ns = 0;
	describe(w, now_is);
	if (memcmp(now_is, w->seen, sizeof(now_is)) == 0)
		return false;
	memcpy(w->seen, now_is, sizeof(now_is));
	return true;
}
