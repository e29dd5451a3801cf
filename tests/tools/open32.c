/* open32 FILE: opens FILE by the 32-bit system call of a 64-bit program (int 0x80). */
#include "tests/tools/tool.h"

#include <sys/mman.h>

int main(int argc, char **argv)
{
#ifdef __x86_64__
	enum { NR_OPEN_I386 = 5 };
	long ret;

	/* The call takes 32 bits of address: the stack is out of its reach. */
	char *low = mmap(
		NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (argc < 2 || low == MAP_FAILED)
		return 2;
	snprintf(low, 4096, "%s", argv[1]);
	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"((long)NR_OPEN_I386), "b"(low), "c"(0L), "d"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	if (ret >= 0)
		return 0;
	fprintf(stderr, "%s: %s\n", argv[1], strerror((int)-ret));
	return 1;
#else
	(void)argc;
	(void)argv;
	return 77;
#endif
}
