/*
 * Runs a fuzz target without libFuzzer: every seed of a folder as it stands, cut short at each
 * length, and with single bytes changed, all from a fixed seed. A folder without seeds fails: then
 * nothing would be tested.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	REPLAY_MAX_SEED = 1 << 20, /* bytes of one seed */
	REPLAY_CUTS = 512,         /* shortened variants of one seed */
	REPLAY_CHANGES = 512,      /* variants with changed bytes */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* An exact heap copy, so that ASan sees the first byte read past the end. */
static void run_exact(const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	if (!copy)
		abort();
	memcpy(copy, data, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

static void run_variants(uint8_t *data, size_t n)
{
	static const uint8_t edge[] = { 0x00, 0x7f, 0x80, 0xff, '\n', '"', '(', 0x1b };
	uint64_t state = 1;
	size_t step = n / REPLAY_CUTS + 1;

	for (size_t len = 0; len < n; len += step)
		run_exact(data, len);
	for (int i = 0; n && i < REPLAY_CHANGES; i++) {
		size_t at = next_random(&state) % n;
		uint8_t old = data[at];

		data[at] = edge[next_random(&state) % sizeof(edge)];
		run_exact(data, n);
		data[at] = old;
	}
}

/* Runs one seed. Returns 1, 0 for what is no file (a folder), -1 when it cannot be read. */
static int replay_file(const char *path)
{
	static uint8_t data[REPLAY_MAX_SEED];
	struct stat st;
	FILE *f = fopen(path, "rb");

	if (!f || fstat(fileno(f), &st)) {
		perror(path);
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		fclose(f);
		return 0;
	}
	size_t n = fread(data, 1, sizeof(data), f);
	bool bad = ferror(f) || (off_t)n != st.st_size;

	fclose(f);
	if (bad) {
		fprintf(stderr, "%s: unreadable or past %d bytes\n", path, REPLAY_MAX_SEED);
		return -1;
	}
	run_exact(data, n);
	run_variants(data, n);
	return 1;
}

static int replay_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int seeds = 0;

	if (!dir) {
		perror(folder);
		return -1;
	}
	while ((entry = readdir(dir))) {
		char path[4096];
		int len = snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		int rc = len > 0 && (size_t)len < sizeof(path) ? replay_file(path) : -1;

		if (rc < 0) {
			closedir(dir);
			return -1;
		}
		seeds += rc;
	}
	closedir(dir);
	return seeds;
}

int main(int argc, char **argv)
{
	int seeds = argc == 2 ? replay_folder(argv[1]) : -1;

	if (seeds <= 0) {
		fprintf(stderr, "usage: %s CORPUS (a folder with at least one seed)\n", argv[0]);
		return 1;
	}
	printf("%d seeds\n", seeds);
	return 0;
}
