/*
 * Docker:
 *   ROOT/containers/ID/config.v2.json       name, image, labels, mounts, pid
 *   ROOT/containers/ID/hostconfig.json      privileged and whose namespaces
 *   ROOT/image/DRIVER/repositories.json     image id to manifest digest
 *   STATE/io.containerd.runtime.v2.task/moby/ID/config.json   the user as numbers, while it runs
 */
#include "collector/runtime/ops.h"

#include "collector/runtime/hex.h"
#include "collector/runtime/image_ref.h"
#include "collector/runtime/json_file.h"
#include "collector/runtime/oci.h"

#define MAX_CONF_BYTES (1 << 20)
#define MAX_DRIVER_LEN 64

static const char *const moby_tasks[] = {
	"/run/containerd/io.containerd.runtime.v2.task/moby",
	"/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby",
};

struct docker {
	const char *root;
	char *data;
	struct json_file repositories; /* its path follows the driver of the last container */
	char *repositories_path;
};

static char *data_root(const char *root, const struct runtime_options *o)
{
	AUTO(json_free) struct json *doc = NULL;
	struct str dir = STR("/var/lib/docker");
	if (o->docker_root)
		dir = str_from(o->docker_root);
	else if (json_file_read(&doc, root, "/etc/docker/daemon.json", MAX_CONF_BYTES, NULL) > 0)
		dir = json_str(json_get(json_root(doc), "data-root"), dir);
	return xstrndup(dir.p, dir.n);
}

static int docker_open(
	void **self, const char *root, const struct runtime_options *o, struct err *e)
{
	(void)e;
	struct docker *k = xcalloc(1, sizeof(*k));
	k->root = root;
	k->data = data_root(root, o);
	*self = k;
	return 0;
}

static void docker_close(void *self)
{
	struct docker *k = self;
	if (!k)
		return;
	json_file_fini(&k->repositories);
	free(k->repositories_path);
	free(k->data);
	free(k);
}

/* MountPoints is an object whose keys are the destinations. */
struct mount_fill {
	struct draft *d;
	struct container_mount *to;
};

static bool add_mount(void *ctx, struct str key, const struct json_node *v)
{
	struct mount_fill *fill = ctx;
	struct draft *d = fill->d;
	struct container_mount *m = &fill->to[d->c.mounts_n++];
	m->source = draft_copy(d, json_str(json_get(v, "Source"), STR("")));
	m->dest = draft_copy(d, json_str(json_get(v, "Destination"), key));
	m->rw = json_bool(json_get(v, "RW"), true);
	m->mode = m->rw ? STR("rw") : STR("ro");
	m->options = draft_copy(d, json_str(json_get(v, "Propagation"), STR("")));
	return !d->full;
}

static void read_mounts(struct draft *d, const struct json_node *points)
{
	if (json_type(points) != JSON_OBJ || !json_len(points))
		return;
	struct mount_fill fill = { .d = d, .to = draft_mounts(d, json_len(points)) };
	if (!fill.to)
		return;
	d->c.mounts = fill.to;
	json_each(points, add_mount, &fill);
}

static struct str drop_slash(struct str s)
{
	return s.n && s.p[0] == '/' ? str_of(s.p + 1, s.n - 1) : s;
}

static void read_config(struct draft *d, const struct json_node *conf)
{
	const struct json_node *inner = json_get(conf, "Config");
	const struct json_node *labels = json_get(inner, "Labels");
	d->c.name = draft_copy(d, drop_slash(json_str(json_get(conf, "Name"), STR(""))));
	draft_set_image(d, json_str(json_get(inner, "Image"), STR("")));
	d->c.image_id = draft_copy(d, image_ref_id(json_str(json_get(conf, "Image"), STR(""))));
	draft_set_created(d, json_str(json_get(conf, "Created"), STR("")));
	draft_set_labels(d, labels);
	draft_read_names(d, labels);
	read_mounts(d, json_get(conf, "MountPoints"));
	struct str user = json_str(json_get(inner, "User"), STR(""));
	d->c.user = user.n ? draft_copy(d, user) : STR("0:0");
	int64_t pid = json_int(json_get(json_get(conf, "State"), "Pid"), 0);
	d->c.init_pid = pid > 0 && pid <= INT32_MAX ? (uint32_t)pid : 0;
}

static bool is_host(const struct json_node *host, const char *key)
{
	return str_eqz(json_str(json_get(host, key), STR("")), "host");
}

static void read_hostconfig(struct draft *d, const struct json_node *host)
{
	d->c.privileged = json_bool(json_get(host, "Privileged"), false);
	d->c.host_pid = is_host(host, "PidMode");
	d->c.host_network = is_host(host, "NetworkMode");
	d->c.host_ipc = is_host(host, "IpcMode");
}

/* Names in the configuration may be those of the image's own passwd: the spec has numbers. */
static void read_user(const struct docker *k, struct draft *d)
{
	for (size_t i = 0; i < ARRAY_N(moby_tasks); i++) {
		AUTO(json_free) struct json *doc = NULL;
		struct runtime_path path;
		runtime_path_join(&path, moby_tasks[i], d->c.id, "config.json", NULL);
		if (json_file_read(&doc, k->root, path.z, RUNTIME_MAX_SPEC_BYTES, NULL) <= 0)
			continue;
		oci_read_user(d, json_root(doc));
		return;
	}
}

static bool is_driver(struct str s)
{
	return s.n && s.n <= MAX_DRIVER_LEN && s.p[0] != '.' && !memchr(s.p, '/', s.n);
}

static int open_repositories(struct docker *k, struct str driver)
{
	if (!is_driver(driver))
		return 0;
	AUTO_FREE char *name = xstrndup(driver.p, driver.n);
	struct runtime_path path;
	runtime_path_join(&path, k->data, "image", name, "repositories.json", NULL);
	if (!k->repositories_path || strcmp(k->repositories_path, path.z) != 0) {
		json_file_fini(&k->repositories);
		free(k->repositories_path);
		k->repositories_path = xstrndup(path.z, strlen(path.z));
		k->repositories.path = k->repositories_path;
	}
	return json_file_refresh(&k->repositories, k->root, RUNTIME_MAX_INDEX_BYTES, NULL);
}

struct digest_search {
	struct str image_id, digest;
};

static bool match_reference(void *ctx, struct str reference, const struct json_node *v)
{
	struct digest_search *search = ctx;
	struct str digest = image_ref_split(reference).digest;
	if (!digest.n || !str_eq(image_ref_id(json_str(v, STR(""))), search->image_id))
		return true;
	search->digest = digest;
	return false;
}

static bool match_repository(void *ctx, struct str name, const struct json_node *references)
{
	struct digest_search *search = ctx;
	(void)name;
	json_each(references, match_reference, search);
	return !search->digest.n;
}

static void read_digest(struct docker *k, struct draft *d, struct str driver)
{
	struct digest_search search = { .image_id = d->c.image_id };
	if (d->c.image_digest.n || !d->c.image_id.n || open_repositories(k, driver) <= 0)
		return;
	const struct json_node *all = json_get(json_root(k->repositories.doc), "Repositories");
	/* The repository that the container was started from, then any other. */
	AUTO_FREE char *own = xstrndup(d->c.image_repo.p, d->c.image_repo.n);
	json_each(json_get(all, own), match_reference, &search);
	if (!search.digest.n)
		json_each(all, match_repository, &search);
	d->c.image_digest = draft_copy(d, search.digest);
}

static int docker_lookup(void *self, struct str id, struct container **out, struct err *e)
{
	struct docker *k = self;
	AUTO(json_free) struct json *conf = NULL;
	AUTO(json_free) struct json *host = NULL;
	AUTO(draft_fini) struct draft d = { 0 };
	struct runtime_path path;
	if (!hex_is_id(id))
		return 0;
	draft_init(&d, id, RUNTIME_DOCKER);
	runtime_path_join(&path, k->data, "containers", d.c.id, "config.v2.json", NULL);
	int rc = json_file_read(&conf, k->root, path.z, RUNTIME_MAX_SPEC_BYTES, e);
	if (rc <= 0)
		return rc;
	runtime_path_join(&path, k->data, "containers", d.c.id, "hostconfig.json", NULL);
	rc = json_file_read(&host, k->root, path.z, RUNTIME_MAX_SPEC_BYTES, e);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, "container %s: no %s", d.c.id, path.z);
	read_config(&d, json_root(conf));
	read_hostconfig(&d, json_root(host));
	read_user(k, &d);
	read_digest(k, &d, json_str(json_get(json_root(conf), "Driver"), STR("")));
	return draft_finish(&d, out, e);
}

static uint64_t docker_parsed_n(const void *self)
{
	return ((const struct docker *)self)->repositories.parsed_n;
}

const struct runtime_ops runtime_docker_ops = {
	.name = "docker",
	.runtimes = 1u << RUNTIME_DOCKER,
	.open = docker_open,
	.lookup = docker_lookup,
	.parsed_n = docker_parsed_n,
	.close = docker_close,
};
