/* What the generators share. Each makes system calls of a known number and says so on stdout. */
#ifndef HW_TESTS_TOOLS_TOOL_H
#define HW_TESTS_TOOLS_TOOL_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static inline void tool_die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static inline uint64_t tool_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Move this process into the v2 cgroup folder; "-" stays. The open happens before the move. */
static inline void tool_enter_cgroup(const char *folder)
{
	char path[4096], pid[32];

	if (strcmp(folder, "-") == 0)
		return;
	snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int n = snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (fd < 0 || write(fd, pid, (size_t)n) != n)
		tool_die(path);
	close(fd);
}

#endif
