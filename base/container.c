#include "base/container.h"

static const char *const runtime_names[] = {
	[RUNTIME_UNKNOWN] = "unknown",
	[RUNTIME_PODMAN] = "podman",
	[RUNTIME_DOCKER] = "docker",
	[RUNTIME_CONTAINERD] = "containerd",
	[RUNTIME_CRIO] = "cri-o",
	[RUNTIME_LXC] = "lxc",
};

static const size_t string_fields[] = {
	offsetof(struct container, name),
	offsetof(struct container, image),
	offsetof(struct container, image_repo),
	offsetof(struct container, image_tag),
	offsetof(struct container, image_digest),
	offsetof(struct container, image_id),
	offsetof(struct container, user),
	offsetof(struct container, k8s_pod),
	offsetof(struct container, k8s_ns),
};

/* Where the strings of a copy go: they follow the fixed parts of the same allocation. */
struct tail {
	char *p;
	bool fill; /* a NULL becomes an empty string */
};

const char *container_runtime_name(enum container_runtime r)
{
	return (unsigned int)r < ARRAY_N(runtime_names) ? runtime_names[r] : "unknown";
}

static struct str *field(struct container *c, size_t offset)
{
	return (struct str *)((char *)c + offset);
}

static size_t mount_bytes(const struct container_mount *m)
{
	return m->source.n + m->dest.n + m->mode.n + m->options.n + 4;
}

/* Every string is counted with the NUL that ends its copy. */
static size_t string_bytes(const struct container *c)
{
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_N(string_fields); i++)
		n += ((const struct str *)((const char *)c + string_fields[i]))->n + 1;
	for (size_t i = 0; i < c->mounts_n; i++)
		n += mount_bytes(&c->mounts[i]);
	for (size_t i = 0; i < c->labels_n; i++)
		n += c->labels[i].key.n + c->labels[i].value.n + 2;
	return n;
}

static void move_string(struct tail *t, struct str *s)
{
	if (!s->p)
		s->n = 0;
	if (!s->p && !t->fill)
		return;
	if (s->p)
		memcpy(t->p, s->p, s->n);
	*s = str_of(t->p, s->n);
	t->p += s->n + 1;
}

static void move_mounts(struct tail *t, struct container *c, struct container_mount *to)
{
	for (size_t i = 0; i < c->mounts_n; i++) {
		to[i] = c->mounts[i];
		move_string(t, &to[i].source);
		move_string(t, &to[i].dest);
		move_string(t, &to[i].mode);
		move_string(t, &to[i].options);
	}
	c->mounts = to;
}

static void move_labels(struct tail *t, struct container *c, struct container_label *to)
{
	for (size_t i = 0; i < c->labels_n; i++) {
		to[i] = c->labels[i];
		move_string(t, &to[i].key);
		move_string(t, &to[i].value);
	}
	c->labels = to;
}

struct container *container_clone(const struct container *c)
{
	if (!c)
		return NULL;
	size_t mounts_len = c->mounts_n * sizeof(*c->mounts);
	size_t labels_len = c->labels_n * sizeof(*c->labels);
	char *block = xcalloc(1, sizeof(*c) + mounts_len + labels_len + string_bytes(c));
	struct container *copy = (struct container *)block;
	*copy = *c;
	void *mounts = block + sizeof(*c);
	void *labels = block + sizeof(*c) + mounts_len;
	struct tail t = {
		.p = block + sizeof(*c) + mounts_len + labels_len,
		.fill = c->state == CONTAINER_KNOWN,
	};
	for (size_t i = 0; i < ARRAY_N(string_fields); i++)
		move_string(&t, field(copy, string_fields[i]));
	move_mounts(&t, copy, mounts);
	move_labels(&t, copy, labels);
	return copy;
}

void container_free(struct container *c)
{
	free(c);
}

struct container *container_new_bare(
	struct str id, enum container_runtime r, enum container_state s)
{
	struct container *c = xcalloc(1, sizeof(*c));
	size_t n = id.n < CONTAINER_ID_LEN ? id.n : CONTAINER_ID_LEN;
	if (n)
		memcpy(c->id, id.p, n);
	c->runtime = r;
	c->state = s;
	return c;
}
