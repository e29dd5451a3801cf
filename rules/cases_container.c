/* `container` of a case. */
#include "rules/cases_impl.h"

#include "base/clock.h"

#define MAX_MOUNTS 64
#define SOME_ID    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct container *of(void *base)
{
	return base;
}

/* 12 digits are enough to write; the rest is made up. */
static int set_id(struct scene *s, void *base, const struct scene_key *k, const struct yaml_node *v,
	struct fault *f)
{
	struct str id;

	(void)s, (void)k;
	if (!scene_text(v, &id, f))
		return -1;
	if (!id.n || id.n > CONTAINER_ID_LEN)
		return fault_set(f, v, "a container's id has 1 to 64 bytes");
	memcpy(of(base)->id, SOME_ID, CONTAINER_ID_LEN);
	memcpy(of(base)->id, id.p, id.n);
	return 0;
}

/* "registry/name:tag@digest" as it stands. */
static int set_image(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	struct container *c = of(base);
	struct str rest, name;
	const char *slash, *colon;

	(void)s, (void)k;
	if (!scene_text(v, &rest, f))
		return -1;
	c->image = rest;
	name = str_cut(&rest, '@');
	if (rest.p)
		c->image_digest = rest;
	slash = name.n ? memrchr(name.p, '/', name.n) : NULL;
	colon = name.n ? memrchr(name.p, ':', name.n) : NULL;
	c->image_repo = name;
	if (!colon || (slash && colon < slash))
		return 0;
	c->image_repo.n = (size_t)(colon - name.p);
	c->image_tag = str_of(colon + 1, name.n - c->image_repo.n - 1);
	return 0;
}

static int set_type(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	static const char *const names[] = { "podman", "docker", "containerd", "cri-o", "lxc" };

	(void)s, (void)k;
	for (int r = RUNTIME_PODMAN; r <= RUNTIME_LXC; r++) {
		if (v->kind != YAML_SCALAR ||
			!str_eqz(v->value, container_runtime_name((enum container_runtime)r)))
			continue;
		of(base)->runtime = (enum container_runtime)r;
		return 0;
	}
	if (v->kind != YAML_SCALAR)
		return fault_set(f, v, "a text is needed here");
	return fault_unknown(f, v, "runtime", names, ARRAY_N(names));
}

/* Whether its metadata has come: known, or unknown for a container that nobody can tell about. */
static int set_state(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	static const char *const names[] = { "known", "unknown" };

	(void)s, (void)k;
	if (v->kind != YAML_SCALAR)
		return fault_set(f, v, "state is known or unknown");
	if (str_eqz(v->value, "known"))
		of(base)->state = CONTAINER_KNOWN;
	else if (str_eqz(v->value, "unknown"))
		of(base)->state = CONTAINER_UNKNOWN;
	else
		return fault_unknown(f, v, "state", names, ARRAY_N(names));
	return 0;
}

static int set_start(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	struct str text;
	struct err e = { 0 };
	uint64_t ns;

	if (!scene_text(v, &text, f))
		return -1;
	if (k->aux ? clock_parse_duration(text, &ns, &e) : clock_parse(text, s->ev.ts_ns, &ns, &e))
		return fault_set(f, v, "%s", e.msg);
	if (k->aux && ns > s->ev.ts_ns)
		return fault_set(f, v, "too long");
	of(base)->created_ns = k->aux ? s->ev.ts_ns - ns : ns;
	return 0;
}

static int take_mount(struct container_mount *m, const struct yaml_node *v, struct fault *f)
{
	static const char *const names[] = { "source", "dest", "mode", "options" };
	struct str *const parts[] = { &m->source, &m->dest, &m->mode, &m->options };

	if (v->kind != YAML_MAP)
		return fault_set(f, v, "a mount is a map of source, dest and mode");
	m->mode = STR("rw");
	for (size_t i = 0; i < v->n; i++) {
		size_t k = 0;

		while (k < ARRAY_N(names) && !str_eqz(v->pairs[i].key->value, names[k]))
			k++;
		if (k == ARRAY_N(names))
			return fault_unknown(
				f, v->pairs[i].key, "key of a mount:", names, ARRAY_N(names));
		if (!scene_text(v->pairs[i].value, parts[k], f))
			return -1;
	}
	m->rw = !str_eqz(m->mode, "ro");
	return 0;
}

static int set_mounts(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	struct container_mount *mounts;

	(void)k;
	if (v->kind != YAML_SEQ || v->n > MAX_MOUNTS)
		return fault_set(f, v, "mounts is a list of at most %d maps", MAX_MOUNTS);
	mounts = arena_alloc(s->arena, (v->n + 1) * sizeof(*mounts));
	for (size_t i = 0; mounts && i < v->n; i++)
		if (take_mount(&mounts[i], v->items[i], f))
			return -1;
	of(base)->mounts = mounts;
	of(base)->mounts_n = mounts ? (uint32_t)v->n : 0;
	return 0;
}

static int set_labels(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	struct container_label *labels;

	(void)k;
	if (v->kind != YAML_MAP || v->n > MAX_MOUNTS)
		return fault_set(f, v, "labels is a map of at most %d texts", MAX_MOUNTS);
	labels = arena_alloc(s->arena, (v->n + 1) * sizeof(*labels));
	for (size_t i = 0; labels && i < v->n; i++) {
		labels[i].key = v->pairs[i].key->value;
		if (!scene_text(v->pairs[i].value, &labels[i].value, f))
			return -1;
	}
	of(base)->labels = labels;
	of(base)->labels_n = labels ? (uint32_t)v->n : 0;
	return 0;
}

#define M(member) offsetof(struct container, member)

static const struct scene_key table[] = {
	{ "id", set_id, 0, 0, 0 },
	{ "name", scene_set_str, M(name), 0, 0 },
	{ "type", set_type, 0, 0, 0 },
	{ "state", set_state, 0, 0, 0 },
	{ "image", set_image, 0, 0, 0 },
	{ "image.id", scene_set_str, M(image_id), 0, 0 },
	{ "image.repository", scene_set_str, M(image_repo), 0, 0 },
	{ "image.tag", scene_set_str, M(image_tag), 0, 0 },
	{ "image.digest", scene_set_str, M(image_digest), 0, 0 },
	{ "privileged", scene_set_bool, M(privileged), 0, 0 },
	{ "host_pid", scene_set_bool, M(host_pid), 0, 0 },
	{ "host_network", scene_set_bool, M(host_network), 0, 0 },
	{ "host_ipc", scene_set_bool, M(host_ipc), 0, 0 },
	{ "user", scene_set_str, M(user), 0, 0 },
	{ "start_ts", set_start, 0, 0, 0 },
	{ "duration", set_start, 0, 0, 1 },
	{ "mounts", set_mounts, 0, 0, 0 },
	{ "labels", set_labels, 0, 0, 0 },
	{ "pod.name", scene_set_str, M(k8s_pod), 0, 0 },
	{ "ns.name", scene_set_str, M(k8s_ns), 0, 0 },
};
const struct scene_keys scene_container_keys = { table, ARRAY_N(table) };

int scene_set_container(struct scene *s, const struct yaml_node *v, struct fault *f)
{
	struct container *c = &s->container;

	if (v->kind == YAML_SCALAR && str_eqz(v->value, "host")) {
		s->in_container = false;
		return 0;
	}
	s->in_container = true;
	if (v->kind == YAML_SCALAR) {
		c->name = v->value;
		return 0;
	}
	return scene_apply(s, c, &scene_container_keys, "container", v, f);
}

void scene_finish_container(struct scene *s)
{
	struct container *c = &s->container;

	if (!c->id[0])
		memcpy(c->id, SOME_ID, CONTAINER_ID_LEN);
	if (c->runtime == RUNTIME_UNKNOWN)
		c->runtime = RUNTIME_PODMAN;
}
