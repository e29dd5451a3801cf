/* Specifications of containers, from JSON text to a finished container. */
#include "collector/runtime/oci.h"

#define MAX_BYTES (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const own[] = { "/var/lib/containers/", "/run/" };
	AUTO(json_free) struct json *doc = NULL;
	AUTO(draft_fini) struct draft d = { 0 };
	AUTO(container_free) struct container *c = NULL;
	if (json_parse(&doc, str_of(data, n), MAX_BYTES, NULL))
		return 0;
	draft_init(&d, STR("c1"), RUNTIME_CONTAINERD);
	oci_read_spec(&d, json_root(doc), own, ARRAY_N(own));
	draft_set_labels(&d, json_get(json_root(doc), "annotations"));
	if (draft_finish(&d, &c, NULL) != 1)
		return 0;
	for (uint32_t i = 0; i < c->mounts_n; i++) {
		if (!c->mounts[i].source.p || !c->mounts[i].options.p)
			abort();
	}
	return 0;
}
