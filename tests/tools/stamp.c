/* stamp FILE: writes each line of stdin to FILE, behind the time (ns, UTC) at which it was read. */
#include "tests/tools/tool.h"

int main(int argc, char **argv)
{
	static char chunk[1 << 16];
	bool at_start = true;
	ssize_t n;
	FILE *out = argc > 1 ? fopen(argv[1], "w") : NULL;

	if (!out)
		tool_die("stamp FILE");
	while ((n = read(0, chunk, sizeof(chunk))) > 0) {
		uint64_t now = tool_ns(CLOCK_REALTIME);
		for (ssize_t i = 0; i < n; i++) {
			if (at_start)
				fprintf(out, "%llu ", (unsigned long long)now);
			fputc(chunk[i], out);
			at_start = chunk[i] == '\n';
		}
		fflush(out);
	}
	return fclose(out) ? 1 : 0;
}
