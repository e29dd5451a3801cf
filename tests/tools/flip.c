/*
 * Opens a path while another thread changes its last byte between 'a' and 'b'.
 *
 *   flip FOLDER COUNT
 *
 * Opens FOLDER/f0000000X ..., creating the file, and prints for each open its number and the letter of
 * the file that was really opened, as the kernel names the descriptor.
 */
#include "tests/tools/tool.h"

#include <pthread.h>

static volatile char path[4096];
static volatile bool ended;
static size_t last;

static void *flip(void *arg)
{
	(void)arg;
	while (!ended)
		path[last] = path[last] == 'a' ? 'b' : 'a';
	return NULL;
}

static char opened_letter(int fd)
{
	char link[64], real[4096];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, real, sizeof(real));
	if (n <= 0)
		tool_die(link);
	return real[n - 1];
}

static void put_number(long i)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%08ld", i);
	for (size_t k = 0; k < 8; k++)
		path[last - 8 + k] = digits[k];
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc < 3) {
		fprintf(stderr, "usage: flip FOLDER COUNT\n");
		return 2;
	}
	int n = snprintf((char *)path, sizeof(path), "%s/f00000000a", argv[1]);
	if (n < 0 || (size_t)n >= sizeof(path))
		return 2;
	last = (size_t)n - 1;
	long count = strtol(argv[2], NULL, 10);
	char *letters = calloc((size_t)count + 1, 1);
	if (!letters || pthread_create(&thread, NULL, flip, NULL))
		tool_die("pthread_create");
	for (long i = 0; i < count; i++) {
		put_number(i);
		long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			tool_die((const char *)path);
		letters[i] = opened_letter((int)fd);
		close((int)fd);
	}
	ended = true;
	pthread_join(thread, NULL);
	for (long i = 0; i < count; i++)
		printf("%08ld %c\n", i, letters[i]);
	free(letters);
	return 0;
}
