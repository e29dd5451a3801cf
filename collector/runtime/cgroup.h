/*
 * Does the path of a cgroup name a container? Only names are looked at, and names can be chosen
 * by whoever may make cgroups: the caller confirms by namespaces.
 */
#ifndef HW_COLLECTOR_RUNTIME_CGROUP_H
#define HW_COLLECTOR_RUNTIME_CGROUP_H

#include "base/container.h"

struct runtime_match {
	struct str id; /* 64 hex digits, or the name LXC or ctr gave; at most CONTAINER_ID_LEN */
	enum container_runtime runtime;
	/*
	 * Only the shape speaks for it (64 hex digits alone, /default/NAME): no container
	 * unless its namespaces are not the host's.
	 */
	bool weak;
	/* The container around it, as with kind or Docker in LXC; n == 0 when there is none. */
	struct str outer_id;
	enum container_runtime outer_runtime;
};

/*
 * Judge `path` as /proc/PID/cgroup or the kernel shows it, v1 or v2, at any depth: processes
 * below the container's cgroup belong to it. The innermost container wins, but a weak one
 * never hides one that is not weak. Supervisors (conmon, lxc.monitor) are not in their container.
 * True with *out set, whose views point into `path`; false and *out untouched.
 */
bool runtime_match_cgroup(struct str path, struct runtime_match *out);

#endif
