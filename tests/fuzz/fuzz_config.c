/* A configuration file of any bytes: refused with its problems, or shown as text that loads again. */
#include "config/config.h"

#include <stdio.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int load(struct config **out, const void *data, size_t size)
{
	AUTO_FD int fd = memfd_create("config", MFD_CLOEXEC);
	AUTO(buf_fini) struct buf problems = BUF_INIT(1u << 18);
	struct err e = { 0 };
	char path[64];
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	const struct config_source source = { .file = path };
	int rc = config_load(out, &source, &problems, &e);
	/* Refused means told. */
	if (rc && (problems.n == 0 || e.code != ERR_CONFIG))
		abort();
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(config_free) struct config *c = NULL, *again = NULL;
	AUTO(buf_fini) struct buf first = BUF_INIT(8u << 20);
	AUTO(buf_fini) struct buf second = BUF_INIT(8u << 20);
	if (size > 65536 || load(&c, data, size))
		return 0;
	config_show(&first, c, false);
	if (load(&again, buf_cstr(&first), first.n))
		abort();
	config_show(&second, again, false);
	if (!str_eq(buf_str(&first), buf_str(&second)))
		abort();
	return 0;
}
