#include "tests/root/scene.h"

#include "collector/syscall/decode.h"
#include "collector/syscall/ring.h"

#include <errno.h>
#include <ftw.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include <cmocka.h>

static const char *const types[] = { "execve", "execveat", "open", "openat", "openat2", "creat",
	"socket", "connect", "accept", "accept4", "bind", "listen" };

static void cannot(const char *why)
{
	const char *ci = getenv("CI");
	bool must = ci && strcmp(ci, "true") == 0;

	fprintf(stderr, "%s: %s\n", must ? "FAIL" : "SKIP", why);
	exit(must ? 1 : 77);
}

struct scene *scene_open(uint32_t ring_bytes, const char *const *accounts, size_t accounts_n)
{
	struct scene *s = xcalloc(1, sizeof(*s));
	struct probe_options o = { .ring_bytes = { ring_bytes, 4u << 20 },
		.account_cgroups = accounts,
		.account_cgroups_n = accounts_n };
	struct err e = { 0 };

	if (geteuid() != 0)
		cannot("loading kernel programs needs root");
	if (probe_open(&s->probe, &o, &e))
		cannot(e.msg);
	for (int i = 0; i < WIRE_RING_N; i++) {
		enum wire_ring which = (enum wire_ring)i;
		if (ring_open(&s->rings[i], probe_ring_fd(s->probe, which),
			    probe_ring_size(s->probe, which), &e))
			cannot(e.msg);
	}
	probe_set_interest(s->probe, types, ARRAY_N(types));
	s->decoder = decoder_new();
	s->shared = mmap(
		NULL, SCENE_SHARED, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memcpy(s->dir, "/tmp/hw-scene-XXXXXX", 21);
	if (s->shared == MAP_FAILED || !mkdtemp(s->dir))
		cannot(strerror(errno));
	return s;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void scene_close(struct scene *s)
{
	scene_forget(s);
	vec_fini(&s->events);
	for (int i = 0; i < WIRE_RING_N; i++)
		ring_close(s->rings[i]);
	probe_stop(s->probe);
	probe_close(s->probe, PROBE_UNPIN);
	decoder_free(s->decoder);
	munmap(s->shared, SCENE_SHARED);
	nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	free(s);
}

int scene_set_up(void **state)
{
	*state = scene_open(16u << 20, NULL, 0);
	return 0;
}

int scene_tear_down(void **state)
{
	scene_close(*state);
	return 0;
}

static void read_ring(struct scene *s, struct ring *r)
{
	struct event ev;
	struct str rec;

	for (;;) {
		enum ring_result rc = ring_next(r, &rec);
		if (rc == RING_EMPTY)
			break;
		if (rc == RING_BUSY)
			continue; /* another process's, on the other CPU */
		if (rc != RING_RECORD || decoder_record(s->decoder, rec, &ev) != DECODE_OK) {
			s->refused++;
			continue;
		}
		vec_push(&s->events, event_clone(&ev));
	}
	ring_release(r, ring_position(r));
}

void scene_read(struct scene *s)
{
	read_ring(s, s->rings[WIRE_RING_PRIORITY]);
	read_ring(s, s->rings[WIRE_RING_MAIN]);
	assert_int_equal(s->refused, 0);
}

void scene_forget(struct scene *s)
{
	for (size_t i = 0; i < s->events.n; i++)
		event_free(s->events.p[i]);
	s->events.n = 0;
}

pid_t scene_try(struct scene *s, void (*fn)(void *shared), int *status)
{
	scene_read(s);
	scene_forget(s);
	memset(s->shared, 0, SCENE_SHARED);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		ACT(chdir(s->dir) == 0);
		fn(s->shared);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, status, 0), pid);
	scene_read(s);
	return pid;
}

pid_t scene_play(struct scene *s, void (*fn)(void *shared))
{
	int status = -1;
	pid_t pid = scene_try(s, fn, &status);

	if (status != 0)
		fail_msg("the actor ended with %x", (unsigned int)status);
	return pid;
}

const struct event *scene_find(const struct scene *s, enum event_class class, pid_t pid, size_t n)
{
	for (size_t i = 0; i < s->events.n; i++) {
		const struct event *ev = s->events.p[i];
		if (ev->class == class && ev->key.tgid == (uint32_t)pid && n-- == 0)
			return ev;
	}
	return NULL;
}

const struct event *scene_need(const struct scene *s, enum event_class class, pid_t pid, size_t n)
{
	const struct event *ev = scene_find(s, class, pid, n);

	if (!ev)
		fail_msg("no %s event number %zu of %d", event_class_name(class), n, (int)pid);
	return ev;
}

size_t scene_count(const struct scene *s, enum event_class class, pid_t pid)
{
	size_t n = 0;

	while (scene_find(s, class, pid, n))
		n++;
	return n;
}

void scene_act(bool ok, const char *what, int line)
{
	if (ok)
		return;
	fprintf(stderr, "actor, line %d: %s: %s\n", line, what, strerror(errno));
	_exit(1);
}

void scene_link(const char *path, char *out, size_t size)
{
	ssize_t n = readlink(path, out, size - 1);

	out[n > 0 ? n : 0] = 0;
}

uint64_t scene_inode(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_ino;
}

uint64_t scene_start_ticks(pid_t pid)
{
	char path[64], text[1024];
	unsigned long long ticks = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	if (f)
		fclose(f);
	text[n] = 0;
	const char *at = strrchr(text, ')');
	if (!at ||
		sscanf(at,
			") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
			"%llu",
			&ticks) != 1)
		return 0;
	return ticks;
}

uint64_t scene_ticks(uint64_t start_ns)
{
	return start_ns / (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}

const char *scene_cgroup2(void)
{
	static const char *const roots[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	struct statfs fs;

	for (size_t i = 0; i < ARRAY_N(roots); i++) {
		if (statfs(roots[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
			return roots[i];
	}
	return NULL;
}
