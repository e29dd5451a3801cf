/* The OCI runtime specification (config.json of a bundle). Internal to collector/runtime. */
#ifndef HW_COLLECTOR_RUNTIME_OCI_H
#define HW_COLLECTOR_RUNTIME_OCI_H

#include "collector/runtime/draft.h"

/*
 * Take user, namespaces, privileged, mounts and Kubernetes' names from the spec. Of the mounts only
 * bind mounts count, without those that the runtime makes for itself: /etc/hosts and the
 * like from below one of the directories in `own`.
 */
void oci_read_spec(
	struct draft *d, const struct json_node *spec, const char *const *own, size_t own_n);

/* Only the user. */
void oci_read_user(struct draft *d, const struct json_node *spec);

#endif
