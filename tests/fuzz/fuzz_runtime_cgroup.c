/* Paths of cgroups: whatever is recognised has an id within its bounds and inside the path. */
#include "collector/runtime/cgroup.h"

#include <stdlib.h>

static void check_view(struct str path, struct str part)
{
	if (!part.n)
		return;
	if (part.n > CONTAINER_ID_LEN || part.p < path.p || part.p + part.n > path.p + path.n)
		abort();
	if (memchr(part.p, '/', part.n))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str path = str_of(data, n);
	struct runtime_match m;
	if (!runtime_match_cgroup(path, &m))
		return 0;
	if (!m.id.n)
		abort();
	check_view(path, m.id);
	check_view(path, m.outer_id);
	return 0;
}
