#include "collector/runtime/draft.h"

#include "base/clock.h"
#include "base/opener.h"
#include "collector/runtime/image_ref.h"

#define PID_MAX_BYTES 32

/* cri-o and cri-dockerd use the kubelet's own keys, containerd and nerdctl theirs. */
static const struct {
	const char *key;
	size_t offset;
} names[] = {
	{ "nerdctl/name", offsetof(struct container, name) },
	{ "io.kubernetes.container.name", offsetof(struct container, name) },
	{ "io.kubernetes.cri.container-name", offsetof(struct container, name) },
	{ "io.kubernetes.pod.name", offsetof(struct container, k8s_pod) },
	{ "io.kubernetes.cri.sandbox-name", offsetof(struct container, k8s_pod) },
	{ "io.kubernetes.pod.namespace", offsetof(struct container, k8s_ns) },
	{ "io.kubernetes.cri.sandbox-namespace", offsetof(struct container, k8s_ns) },
};

void draft_init(struct draft *d, struct str id, enum container_runtime r)
{
	*d = (struct draft){ .arena = arena_new(DRAFT_MAX_BYTES) };
	d->c.runtime = r;
	memcpy(d->c.id, id.p, id.n < CONTAINER_ID_LEN ? id.n : CONTAINER_ID_LEN);
}

void draft_fini(struct draft *d)
{
	arena_free(d->arena);
	d->arena = NULL;
}

static void *take(struct draft *d, size_t n, size_t size)
{
	void *p = n > DRAFT_MAX_BYTES / size ? NULL : arena_alloc(d->arena, n * size);
	if (!p)
		d->full = true;
	return p;
}

struct str draft_copy(struct draft *d, struct str s)
{
	if (!s.n)
		return STR("");
	struct str copy = arena_str(d->arena, s);
	if (!copy.p) {
		d->full = true;
		return STR("");
	}
	return copy;
}

struct container_mount *draft_mounts(struct draft *d, size_t n)
{
	return take(d, n, sizeof(struct container_mount));
}

void draft_set_image(struct draft *d, struct str reference)
{
	d->c.image = draft_copy(d, reference);
	struct image_ref ref = image_ref_split(d->c.image);
	d->c.image_repo = ref.repository;
	d->c.image_tag = ref.tag;
	if (ref.digest.n)
		d->c.image_digest = ref.digest;
}

void draft_set_created(struct draft *d, struct str text)
{
	uint64_t ns;
	if (!clock_parse(text, 0, &ns, NULL))
		d->c.created_ns = ns;
}

struct label_fill {
	struct draft *d;
	struct container_label *to;
	uint32_t n;
};

static bool add_label(void *ctx, struct str key, const struct json_node *v)
{
	struct label_fill *fill = ctx;
	if (json_type(v) != JSON_STR)
		return true;
	struct container_label *to = &fill->to[fill->n++];
	to->key = draft_copy(fill->d, key);
	to->value = draft_copy(fill->d, json_str(v, STR("")));
	return !fill->d->full;
}

void draft_set_labels(struct draft *d, const struct json_node *obj)
{
	if (json_type(obj) != JSON_OBJ || !json_len(obj))
		return;
	struct label_fill fill = { .d = d };
	fill.to = take(d, json_len(obj), sizeof(*fill.to));
	if (!fill.to)
		return;
	json_each(obj, add_label, &fill);
	d->c.labels = fill.to;
	d->c.labels_n = fill.n;
}

void draft_read_names(struct draft *d, const struct json_node *obj)
{
	for (size_t i = 0; i < ARRAY_N(names); i++) {
		struct str v = json_str(json_get(obj, names[i].key), STR(""));
		if (v.n)
			*(struct str *)((char *)&d->c + names[i].offset) = draft_copy(d, v);
	}
}

void draft_read_pid(struct draft *d, const char *root, const char *path)
{
	AUTO(buf_fini) struct buf text = BUF_INIT(PID_MAX_BYTES);
	uint64_t pid;
	if (opener_read(root, path, &text, NULL))
		return;
	if (str_to_u64(str_trim(buf_str(&text)), &pid) && pid <= INT32_MAX)
		d->c.init_pid = (uint32_t)pid;
}

int draft_finish(const struct draft *d, struct container **out, struct err *e)
{
	if (d->full)
		return err_set(e, ERR_LIMIT, "container %s: description larger than %d MiB",
			d->c.id, DRAFT_MAX_BYTES >> 20);
	struct container c = d->c;
	c.state = CONTAINER_KNOWN;
	*out = container_clone(&c);
	return 1;
}
