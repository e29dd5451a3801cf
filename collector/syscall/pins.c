#include "collector/syscall/pins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PINS_BPF_FS_MAGIC 0xcafe4a11
#define SET_PREFIX        "set_"

int pins_mount(const char *bpffs, struct err *e)
{
	struct statfs fs;

	if (mkdir(bpffs, 0700) && errno != EEXIST)
		return err_set(e, ERR_SYS, "make %s", bpffs);
	if (statfs(bpffs, &fs))
		return err_set(e, ERR_SYS, "look at %s", bpffs);
	if ((unsigned long)fs.f_type == PINS_BPF_FS_MAGIC)
		return 0;
	if (mount("bpf", bpffs, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return err_set(e, ERR_SYS, "mount bpffs at %s", bpffs);
	return 1;
}

bool pins_path(char *out, const char *bpffs, const char *name, const char *file)
{
	int n = snprintf(
		out, PINS_PATH_MAX, "%s/%s%s%s", bpffs, name, file ? "/" : "", file ? file : "");

	return n > 0 && n < PINS_PATH_MAX;
}

static void remove_files(int at, const char *dir)
{
	int fd = openat(at, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;

	if (!d && fd >= 0)
		close(fd);
	if (!d)
		return;
	while ((de = readdir(d))) {
		if (de->d_type != DT_DIR)
			unlinkat(fd, de->d_name, 0);
	}
	closedir(d);
}

bool pins_set_path(char *out, const char *dir, uint32_t number)
{
	int n = snprintf(out, PINS_PATH_MAX, "%s/" SET_PREFIX "%u", dir, number);

	return n > 0 && n < PINS_PATH_MAX;
}

void pins_remove_sets(const char *dir, uint32_t keep)
{
	DIR *d = opendir(dir);
	struct dirent *de;
	char kept[32];

	if (!d)
		return;
	snprintf(kept, sizeof(kept), SET_PREFIX "%u", keep);
	while ((de = readdir(d))) {
		if (strncmp(de->d_name, SET_PREFIX, strlen(SET_PREFIX)) != 0 ||
			strcmp(de->d_name, kept) == 0)
			continue;
		remove_files(dirfd(d), de->d_name);
		unlinkat(dirfd(d), de->d_name, AT_REMOVEDIR);
	}
	closedir(d);
}

int pins_remove(const char *dir, struct err *e)
{
	pins_remove_sets(dir, 0);
	remove_files(AT_FDCWD, dir);
	if (rmdir(dir) && errno != ENOENT)
		return err_set(e, ERR_SYS, "remove %s", dir);
	return 0;
}
