/*
 * containerd, of what runs now:
 *   STATE/io.containerd.runtime.v2.task/NAMESPACE/ID/config.json   OCI specification
 *   STATE/io.containerd.runtime.v2.task/NAMESPACE/ID/init.pid
 * Names and image come from the annotations that Kubernetes and nerdctl leave there; ctr leaves none.
 */
#include "collector/runtime/ops.h"

#include "base/opener.h"
#include "base/vec.h"
#include "collector/runtime/json_file.h"
#include "collector/runtime/oci.h"

#include <dirent.h>

#define TASKS          "io.containerd.runtime.v2.task"
#define MAX_NAMESPACES 256
#define MAX_STATES     32

static const char *const usual_states[] = {
	"/run/containerd",
	"/run/k3s/containerd",
	"/run/docker/containerd/daemon",
};

/* Below these lie what containerd mounts into a container on its own account. */
static const char *const own_dirs[] = {
	"/var/lib/containerd/",
	"/run/containerd/",
	"/var/lib/rancher/",
	"/run/k3s/",
};

struct containerd {
	const char *root;
	VEC(char *) tasks; /* STATE/io.containerd.runtime.v2.task */
};

static void add_state(struct containerd *c, const char *state)
{
	struct runtime_path path;
	runtime_path_join(&path, state, TASKS, NULL);
	vec_push(&c->tasks, xstrndup(path.z, strlen(path.z)));
}

static int containerd_open(
	void **self, const char *root, const struct runtime_options *o, struct err *e)
{
	if (o->containerd_states_n > MAX_STATES)
		return err_set(e, ERR_LIMIT, "%zu state directories of containerd, at most %d",
			o->containerd_states_n, MAX_STATES);
	struct containerd *c = xcalloc(1, sizeof(*c));
	c->root = root;
	for (size_t i = 0; i < ARRAY_N(usual_states); i++)
		add_state(c, usual_states[i]);
	for (size_t i = 0; i < o->containerd_states_n; i++)
		add_state(c, o->containerd_states[i]);
	*self = c;
	return 0;
}

static void containerd_close(void *self)
{
	struct containerd *c = self;
	if (!c)
		return;
	for (size_t i = 0; i < c->tasks.n; i++)
		free(c->tasks.p[i]);
	vec_fini(&c->tasks);
	free(c);
}

static void read_spec(struct draft *d, const struct json_node *spec)
{
	const struct json_node *notes = json_get(spec, "annotations");
	oci_read_spec(d, spec, own_dirs, ARRAY_N(own_dirs));
	draft_set_image(d, json_str(json_get(notes, "io.kubernetes.cri.image-name"), STR("")));
}

static int read_task(struct containerd *c, const char *tasks, const char *ns, struct str id,
	struct container **out, struct err *e)
{
	AUTO(json_free) struct json *doc = NULL;
	AUTO(draft_fini) struct draft d = { 0 };
	struct runtime_path path;
	bool moby = strcmp(ns, "moby") == 0;
	draft_init(&d, id, moby ? RUNTIME_DOCKER : RUNTIME_CONTAINERD);
	runtime_path_join(&path, tasks, ns, d.c.id, "config.json", NULL);
	int rc = json_file_read(&doc, c->root, path.z, RUNTIME_MAX_SPEC_BYTES, e);
	if (rc <= 0)
		return rc;
	read_spec(&d, json_root(doc));
	runtime_path_join(&path, tasks, ns, d.c.id, "init.pid", NULL);
	draft_read_pid(&d, c->root, path.z);
	return draft_finish(&d, out, e);
}

static void close_dir(DIR *dir)
{
	if (dir)
		closedir(dir);
}
DEFINE_AUTO(DIR, close_dir)

static int search_tasks(struct containerd *c, const char *tasks, struct str id,
	struct container **out, struct err *e)
{
	AUTO_FD int fd = opener_open_dir(c->root, tasks, NULL);
	AUTO(close_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return 0;
	(void)TAKE_FD(fd);
	int worst = 0;
	for (size_t i = 0; i < MAX_NAMESPACES + 2; i++) {
		/* One stream for one thread. */
		const struct dirent *ent = readdir(dir); /* NOLINT(concurrency-mt-unsafe) */
		if (!ent)
			return worst;
		if (ent->d_name[0] == '.')
			continue;
		int rc = read_task(c, tasks, ent->d_name, id, out, e);
		if (rc > 0)
			return rc;
		worst = rc < 0 ? rc : worst;
	}
	return err_set(e, ERR_LIMIT, "%s: more than %d namespaces", tasks, MAX_NAMESPACES);
}

static int containerd_lookup(void *self, struct str id, struct container **out, struct err *e)
{
	struct containerd *c = self;
	int worst = 0;
	for (size_t i = 0; i < c->tasks.n; i++) {
		int rc = search_tasks(c, c->tasks.p[i], id, out, e);
		if (rc > 0)
			return rc;
		worst = rc < 0 ? rc : worst;
	}
	return worst;
}

static uint64_t containerd_parsed_n(const void *self)
{
	(void)self; /* keeps no index */
	return 0;
}

const struct runtime_ops runtime_containerd_ops = {
	.name = "containerd",
	.runtimes = 1u << RUNTIME_CONTAINERD | 1u << RUNTIME_DOCKER,
	.open = containerd_open,
	.lookup = containerd_lookup,
	.parsed_n = containerd_parsed_n,
	.close = containerd_close,
};
