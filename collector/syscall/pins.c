#include "collector/syscall/pins.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define PINS_BPF_FS_MAGIC 0xcafe4a11

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
	int n = snprintf(out, PINS_PATH_MAX, "%s/%s%s%s", bpffs, name, file ? "/" : "", file ? file : "");

	return n > 0 && n < PINS_PATH_MAX;
}

static void remove_in(const char *dir, const char *prefix)
{
	DIR *d = opendir(dir);
	struct dirent *de;

	if (!d)
		return;
	while ((de = readdir(d))) {
		if (de->d_name[0] != '.' && strncmp(de->d_name, prefix, strlen(prefix)) == 0)
			unlinkat(dirfd(d), de->d_name, 0);
	}
	closedir(d);
}

int pins_remove(const char *dir, struct err *e)
{
	remove_in(dir, "");
	if (rmdir(dir) && errno != ENOENT)
		return err_set(e, ERR_SYS, "remove %s", dir);
	return 0;
}

void pins_remove_links(const char *dir)
{
	remove_in(dir, "link_");
}
