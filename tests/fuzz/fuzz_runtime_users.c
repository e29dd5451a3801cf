/* passwd and group: the same bytes as both files of a folder that the target makes for itself. */
#include "collector/runtime/users.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static char root[64], passwd[80], group[80];

static void remove_root(void)
{
	char etc[80];
	snprintf(etc, sizeof(etc), "%s/etc", root);
	unlink(passwd);
	unlink(group);
	rmdir(etc);
	rmdir(root);
}

static void make_root(void)
{
	char etc[80];
	snprintf(root, sizeof(root), "/tmp/hw-fuzz-XXXXXX");
	if (!mkdtemp(root))
		abort();
	snprintf(etc, sizeof(etc), "%s/etc", root);
	snprintf(passwd, sizeof(passwd), "%s/etc/passwd", root);
	snprintf(group, sizeof(group), "%s/etc/group", root);
	if (mkdir(etc, 0700))
		abort();
	atexit(remove_root);
}

static void write_file(const char *path, const uint8_t *data, size_t n)
{
	AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, data, n) != (ssize_t)n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(users_free) struct users *u = NULL;
	if (!root[0])
		make_root();
	write_file(passwd, data, n);
	write_file(group, data, n);
	if (users_load(&u, root, NULL))
		return 0;
	for (uint32_t id = 0; id < 64; id++) {
		struct str name = users_name(u, id);
		if (!str_eq(name, users_group(u, id)) || memchr(name.p ? name.p : "", ':', name.n))
			abort();
	}
	return 0;
}
