/*
 * containers-storage, as podman and CRI-O use it:
 *   GRAPH/DRIVER-containers/containers.json            ids, names, image; a list
 *   GRAPH/DRIVER-containers/ID/userdata/config.json    OCI specification (CRI-O: below RUN as well)
 *   RUN/DRIVER-containers/ID/userdata/pidfile          pid of the first process
 *   GRAPH/DRIVER-images/images.json                    image id to manifest digest
 * podman lists a container before its cgroup is made and drops it after that is gone. What runs
 * with --rm, or in a transient store, is listed in volatile-containers.json by newer ones.
 */
#include "collector/runtime/ops.h"

#include "base/opener.h"
#include "base/vec.h"
#include "collector/runtime/hex.h"
#include "collector/runtime/json_file.h"
#include "collector/runtime/oci.h"
#include "collector/runtime/storage_conf.h"

static const char *const drivers[] = { "overlay", "vfs", "btrfs", "zfs" };

enum { LIST_GRAPH, LIST_VOLATILE, LIST_TRANSIENT, LIST_N };

/* One driver's part of one store. */
struct part {
	char *graph_dir, *run_dir; /* ".../overlay-containers/" */
	struct json_file lists[LIST_N];
	struct json_file images;
};

struct store {
	struct part parts[ARRAY_N(drivers)];
};

struct storage {
	const char *root;
	VEC(struct store) stores;
};

static char *join(const char *dir, const char *driver, const char *rest)
{
	struct runtime_path path;
	AUTO_FREE char *name = NULL;
	AUTO(buf_fini) struct buf b = BUF_INIT(256);
	buf_printf(&b, "%s-%s", driver, rest);
	name = buf_take(&b);
	runtime_path_join(&path, dir, name, NULL);
	return xstrndup(path.z, strlen(path.z));
}

static void part_init(struct part *p, const char *graph, const char *run, const char *driver)
{
	p->graph_dir = join(graph, driver, "containers/");
	p->run_dir = join(run, driver, "containers/");
	p->lists[LIST_GRAPH].path = join(graph, driver, "containers/containers.json");
	p->lists[LIST_VOLATILE].path = join(graph, driver, "containers/volatile-containers.json");
	p->lists[LIST_TRANSIENT].path = join(run, driver, "containers/volatile-containers.json");
	p->images.path = join(graph, driver, "images/images.json");
}

static void file_fini(struct json_file *f)
{
	json_file_fini(f);
	free((char *)f->path);
}

static void part_fini(struct part *p)
{
	free(p->graph_dir);
	free(p->run_dir);
	for (size_t i = 0; i < LIST_N; i++)
		file_fini(&p->lists[i]);
	file_fini(&p->images);
}

static void add_store(struct storage *s, const char *graph, const char *run)
{
	struct store st;
	memset(&st, 0, sizeof(st));
	for (size_t i = 0; i < ARRAY_N(drivers); i++)
		part_init(&st.parts[i], graph, run, drivers[i]);
	vec_push(&s->stores, st);
}

/* The administrator's file, or the one that the distribution ships. */
static void add_default_store(struct storage *s)
{
	static const char *const files[] = { "/etc/containers/storage.conf",
		"/usr/share/containers/storage.conf" };
	AUTO(buf_fini) struct buf text = BUF_INIT(STORAGE_CONF_MAX_BYTES);
	for (size_t i = 0; i < ARRAY_N(files); i++) {
		if (!opener_read(s->root, files[i], &text, NULL))
			break;
		buf_reset(&text);
	}
	struct storage_conf conf = storage_conf_read(buf_str(&text));
	struct str graph = conf.graphroot.n ? conf.graphroot : STR("/var/lib/containers/storage");
	struct str run = conf.runroot.n ? conf.runroot : STR("/run/containers/storage");
	AUTO_FREE char *g = xstrndup(graph.p, graph.n);
	AUTO_FREE char *r = xstrndup(run.p, run.n);
	add_store(s, g, r);
}

static void storage_close(void *self)
{
	struct storage *s = self;
	if (!s)
		return;
	for (size_t i = 0; i < s->stores.n; i++) {
		for (size_t k = 0; k < ARRAY_N(drivers); k++)
			part_fini(&s->stores.p[i].parts[k]);
	}
	vec_fini(&s->stores);
	free(s);
}

static int storage_open(
	void **self, const char *root, const struct runtime_options *o, struct err *e)
{
	if (o->stores_n > RUNTIME_MAX_STORES)
		return err_set(e, ERR_LIMIT, "%zu container stores, at most %d are read",
			o->stores_n, RUNTIME_MAX_STORES);
	struct storage *s = xcalloc(1, sizeof(*s));
	s->root = root;
	add_default_store(s);
	for (size_t i = 0; i < o->stores_n; i++)
		add_store(s, o->stores[i].graph, o->stores[i].run);
	*self = s;
	return 0;
}

static const struct json_node *find_by_id(const struct json_file *f, struct str id)
{
	const struct json_node *list = json_root(f->doc);
	for (size_t i = 0; i < json_len(list); i++) {
		const struct json_node *item = json_at(list, i);
		if (str_eq(json_str(json_get(item, "id"), STR("")), id))
			return item;
	}
	return NULL;
}

/* Returns 1 and *row, valid until the list is refreshed again; 0; -1. */
static int find_row(struct storage *s, struct part *p, struct str id, const struct json_node **row,
	struct err *e)
{
	int rc = 0;
	for (size_t i = 0; i < LIST_N; i++) {
		int there = json_file_refresh(&p->lists[i], s->root, RUNTIME_MAX_INDEX_BYTES, e);
		if (there < 0)
			rc = -1;
		*row = there > 0 ? find_by_id(&p->lists[i], id) : NULL;
		if (*row)
			return 1;
	}
	return rc;
}

/* "metadata" is a JSON text of its own. */
static void read_metadata(struct draft *d, const struct json_node *row)
{
	AUTO(json_free) struct json *doc = NULL;
	struct str text = json_str(json_get(row, "metadata"), STR(""));
	if (!text.n || json_parse(&doc, text, RUNTIME_MAX_SPEC_BYTES, NULL))
		return;
	const struct json_node *meta = json_root(doc);
	draft_set_image(d, json_str(json_get(meta, "image-name"), STR("")));
	d->c.name = draft_copy(d, json_str(json_get(meta, "name"), STR("")));
}

static void read_row(struct draft *d, const struct json_node *row)
{
	read_metadata(d, row);
	if (!d->c.name.n)
		d->c.name = draft_copy(d, json_str(json_at(json_get(row, "names"), 0), STR("")));
	d->c.image_id = draft_copy(d, json_str(json_get(row, "image"), STR("")));
	draft_set_created(d, json_str(json_get(row, "created"), STR("")));
}

/* Without the digest the container is still known; a reference may have brought one. */
static void read_digest(struct storage *s, struct part *p, struct draft *d)
{
	if (d->c.image_digest.n || !d->c.image_id.n)
		return;
	if (json_file_refresh(&p->images, s->root, RUNTIME_MAX_INDEX_BYTES, NULL) <= 0)
		return;
	const struct json_node *image = find_by_id(&p->images, d->c.image_id);
	d->c.image_digest = draft_copy(d, json_str(json_get(image, "digest"), STR("")));
}

/* CRI-O tells its labels in an annotation, again as a JSON text. */
static void read_crio(struct draft *d, const struct json_node *notes)
{
	AUTO(json_free) struct json *doc = NULL;
	struct str text = json_str(json_get(notes, "io.kubernetes.cri-o.Labels"), STR(""));
	if (!text.n || json_parse(&doc, text, RUNTIME_MAX_SPEC_BYTES, NULL))
		return;
	draft_set_labels(d, json_root(doc));
	draft_read_names(d, json_root(doc));
}

static void read_manager(struct draft *d, const struct json_node *spec)
{
	const struct json_node *notes = json_get(spec, "annotations");
	struct str manager = json_str(json_get(notes, "io.container.manager"), STR(""));
	if (!str_eqz(manager, "cri-o"))
		return;
	d->c.runtime = RUNTIME_CRIO;
	read_crio(d, notes);
}

static int read_spec(struct storage *s, struct part *p, struct draft *d, struct err *e)
{
	AUTO(json_free) struct json *doc = NULL;
	const char *own[] = { p->graph_dir, p->run_dir };
	int rc = 0;
	for (size_t i = 0; i < ARRAY_N(own) && rc == 0; i++) {
		struct runtime_path path;
		runtime_path_join(&path, own[i], d->c.id, "userdata/config.json", NULL);
		rc = json_file_read(&doc, s->root, path.z, RUNTIME_MAX_SPEC_BYTES, e);
	}
	if (rc < 0)
		return -1;
	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, "no specification below %s", p->graph_dir);
	oci_read_spec(d, json_root(doc), own, ARRAY_N(own));
	read_manager(d, json_root(doc));
	return 0;
}

static int read_container(struct storage *s, struct part *p, const struct json_node *row,
	struct container **out, struct err *e)
{
	AUTO(draft_fini) struct draft d = { 0 };
	struct str id = json_str(json_get(row, "id"), STR(""));
	draft_init(&d, id, RUNTIME_PODMAN);
	read_row(&d, row);
	if (read_spec(s, p, &d, e))
		return err_wrap(e, "container %s", d.c.id);
	read_digest(s, p, &d);
	struct runtime_path path;
	runtime_path_join(&path, p->run_dir, d.c.id, "userdata/pidfile", NULL);
	draft_read_pid(&d, s->root, path.z);
	return draft_finish(&d, out, e);
}

static int storage_lookup(void *self, struct str id, struct container **out, struct err *e)
{
	struct storage *s = self;
	int worst = 0;
	if (!hex_is_id(id))
		return 0;
	for (size_t i = 0; i < s->stores.n * ARRAY_N(drivers); i++) {
		struct part *p = &s->stores.p[i / ARRAY_N(drivers)].parts[i % ARRAY_N(drivers)];
		const struct json_node *row;
		int rc = find_row(s, p, id, &row, e);
		if (rc > 0)
			return read_container(s, p, row, out, e);
		if (rc < 0)
			worst = -1;
	}
	return worst;
}

static uint64_t storage_parsed_n(const void *self)
{
	const struct storage *s = self;
	uint64_t n = 0;
	for (size_t i = 0; i < s->stores.n * ARRAY_N(drivers); i++) {
		const struct part *p = &s->stores.p[i / ARRAY_N(drivers)]
						.parts[i % ARRAY_N(drivers)];
		for (size_t k = 0; k < LIST_N; k++)
			n += p->lists[k].parsed_n;
		n += p->images.parsed_n;
	}
	return n;
}

const struct runtime_ops runtime_storage_ops = {
	.name = "containers-storage",
	.runtimes = 1u << RUNTIME_PODMAN | 1u << RUNTIME_CRIO,
	.open = storage_open,
	.lookup = storage_lookup,
	.parsed_n = storage_parsed_n,
	.close = storage_close,
};
