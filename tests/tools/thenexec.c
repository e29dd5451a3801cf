/* thenexec FILE PROGRAM [ARG...]: opens FILE, then becomes PROGRAM. */
#include "tests/tools/tool.h"

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: thenexec FILE PROGRAM [ARG...]\n");
		return 2;
	}
	int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		tool_die(argv[1]);
	execv(argv[2], argv + 2);
	tool_die(argv[2]);
}
