#include "collector/syscall/syscalls.h"

/* Source: arch/x86/entry/syscalls/syscall_64.tbl and syscall_32.tbl of the kernel. */
static const struct syscall_row table[] = {
	{ "execve", EVENT_EXEC, 59, 11 },
	{ "execveat", EVENT_EXEC, 322, 358 },
	{ "open", EVENT_OPEN, 2, 5 },
	{ "openat", EVENT_OPEN, 257, 295 },
	{ "openat2", EVENT_OPEN, 437, 437 },
	{ "creat", EVENT_OPEN, 85, 8 },
	{ "socket", EVENT_SOCKET, 41, 359 },
	{ "connect", EVENT_CONNECT, 42, 362 },
	{ "accept", EVENT_ACCEPT, 43, -1 },
	{ "accept4", EVENT_ACCEPT, 288, 364 },
	{ "bind", EVENT_BIND, 49, 361 },
	{ "listen", EVENT_LISTEN, 50, 363 },
};

const struct syscall_row *syscalls_table(size_t *n)
{
	*n = sizeof(table) / sizeof(table[0]);
	return table;
}

const struct syscall_row *syscalls_find(const char *type)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(table[i].type, type) == 0)
			return &table[i];
	}
	return NULL;
}
