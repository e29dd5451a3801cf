/*
 * Opens files of which each has its own name: PREFIX0, PREFIX1, ...
 *
 *   opens CGROUP PREFIX COUNT [RATE]   RATE: opens a second, 0 or none: as fast as it goes
 *
 * Ends after COUNT (0: never) or on SIGTERM or SIGINT, and prints how many it opened. Each file
 * is created and removed again.
 */
#include "tests/tools/tool.h"

#include <signal.h>

static volatile sig_atomic_t asked_to_end;

static void on_signal(int number)
{
	(void)number;
	asked_to_end = 1;
}

static void open_one(const char *prefix, long i)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s%ld", prefix, i);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		tool_die(path);
	close(fd);
	unlink(path);
}

/* Wait until the i-th is due. Slices of 1 ms: a steady load, not one burst a second. */
static void pace(uint64_t begin, long i, double rate)
{
	struct timespec slice = { 0, 1000000 };

	while (rate > 0 && !asked_to_end &&
		(double)(tool_ns(CLOCK_MONOTONIC) - begin) * 1e-9 * rate < (double)i)
		nanosleep(&slice, NULL);
}

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = on_signal };
	long i = 0;

	if (argc < 4) {
		fprintf(stderr, "usage: opens CGROUP PREFIX COUNT [RATE]\n");
		return 2;
	}
	long count = strtol(argv[3], NULL, 10);
	double rate = argc > 4 ? strtod(argv[4], NULL) : 0;

	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	tool_enter_cgroup(argv[1]);
	printf("start\n");
	fflush(stdout);
	uint64_t begin = tool_ns(CLOCK_MONOTONIC);
	for (; !asked_to_end && (count == 0 || i < count); i++) {
		pace(begin, i, rate);
		if (asked_to_end)
			break;
		open_one(argv[2], i);
	}
	printf("%ld\n", i);
	return 0;
}
