/* storage.conf: what is taken from it is an absolute path. */
#include "collector/runtime/storage_conf.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct storage_conf conf = storage_conf_read(str_of(data, n));
	if (conf.graphroot.n && conf.graphroot.p[0] != '/')
		abort();
	if (conf.runroot.n && conf.runroot.p[0] != '/')
		abort();
	return 0;
}
