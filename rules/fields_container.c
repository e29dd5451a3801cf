/*
 * container.* and k8s.*: what runs it. All but the ids come from metadata that may still be on
 * their way.
 */
#include "rules/fields_impl.h"

#include "rules/glob.h"

enum meta {
	M_NAME,
	M_IMAGE,
	M_IMAGE_ID,
	M_REPOSITORY,
	M_TAG,
	M_DIGEST,
	M_PRIVILEGED,
	M_USER,
	M_HOST_PID,
	M_HOST_NETWORK,
	M_HOST_IPC,
	M_START,
	M_DURATION,
	M_POD,
	M_NS,
	M_MOUNTS,
};

/* HAVE with *c set, MISSING (host, or nothing known), or PENDING. */
static enum value_state metadata(struct field_ctx *cx, const struct container **c)
{
	*c = cx->in->container;
	if (!*c || (*c)->state == CONTAINER_UNKNOWN)
		return VALUE_MISSING;
	if ((*c)->state == CONTAINER_PENDING)
		return cx->final ? VALUE_MISSING : VALUE_PENDING;
	return VALUE_HAVE;
}

static enum value_state get_id(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct container *c = cx->in->container;
	size_t n;

	(void)arg;
	if (!c)
		return give_str(out, STR("host"));
	n = strnlen(c->id, sizeof(c->id));
	/* An LXC container's id is its name and stays whole. */
	if (!f->aux && n == CONTAINER_ID_LEN)
		n = CONTAINER_SHORT_LEN;
	return give_str(out, str_of(c->id, n));
}

static enum value_state get_type(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct container *c = cx->in->container;

	(void)f, (void)arg;
	return give_str(out, c ? str_from(container_runtime_name(c->runtime)) : STR("host"));
}

/* "source:dest:mode:rw:" of each, joined by commas. */
static enum value_state give_mounts(
	struct field_ctx *cx, const struct container *c, struct value *out)
{
	struct buf *b = text_begin(cx);

	for (uint32_t i = 0; i < c->mounts_n; i++) {
		const struct container_mount *m = &c->mounts[i];

		buf_printf(b, "%s%.*s:%.*s:%.*s:%s:", i ? "," : "", STR_ARG(m->source),
			STR_ARG(m->dest), STR_ARG(m->mode), m->rw ? "true" : "false");
	}
	return give_text(cx, out);
}

static enum value_state give_start(
	struct field_ctx *cx, const struct container *c, bool duration, struct value *out)
{
	uint64_t now = cx->in->ev->ts_ns;

	if (!c->created_ns)
		return VALUE_MISSING;
	if (!duration)
		return give_int(out, (int64_t)c->created_ns);
	return give_int(out, now > c->created_ns ? (int64_t)(now - c->created_ns) : 0);
}

static enum value_state give_meta(
	struct field_ctx *cx, enum meta which, const struct container *c, struct value *out)
{
	switch (which) {
	case M_NAME:
		return give_some(out, c->name);
	case M_IMAGE:
		return give_some(out, c->image);
	case M_IMAGE_ID:
		return give_some(out, c->image_id);
	case M_REPOSITORY:
		return give_some(out, c->image_repo);
	case M_TAG:
		return give_some(out, c->image_tag);
	case M_DIGEST:
		return give_some(out, c->image_digest);
	case M_USER:
		return give_some(out, c->user);
	case M_POD:
		return give_some(out, c->k8s_pod);
	case M_NS:
		return give_some(out, c->k8s_ns);
	case M_PRIVILEGED:
		return give_int(out, c->privileged);
	case M_HOST_PID:
		return give_int(out, c->host_pid);
	case M_HOST_NETWORK:
		return give_int(out, c->host_network);
	case M_HOST_IPC:
		return give_int(out, c->host_ipc);
	case M_START:
	case M_DURATION:
		return give_start(cx, c, which == M_DURATION, out);
	default:
		return give_mounts(cx, c, out);
	}
}

static enum value_state get_meta(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct container *c;
	enum value_state state = metadata(cx, &c);

	(void)arg;
	if (!c && f->aux == M_NAME)
		return give_str(out, STR("host"));
	return state == VALUE_HAVE ? give_meta(cx, (enum meta)f->aux, c, out) : state;
}

/* By number, or by pattern over `by`. */
static const struct container_mount *find_mount(
	const struct container *c, const struct field_arg *arg, bool by_dest)
{
	uint64_t index;

	if (str_to_u64(arg->text, &index))
		return index < c->mounts_n ? &c->mounts[index] : NULL;
	for (uint32_t i = 0; i < c->mounts_n; i++) {
		struct str s = by_dest ? c->mounts[i].dest : c->mounts[i].source;

		if (glob_match(arg->text, s, false))
			return &c->mounts[i];
	}
	return NULL;
}

enum mount_part { MOUNT_ALL, MOUNT_SOURCE, MOUNT_DEST, MOUNT_MODE, MOUNT_RW };

static enum value_state get_mount(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct container *c;
	enum value_state state = metadata(cx, &c);
	const struct container_mount *m;

	if (state != VALUE_HAVE)
		return state;
	/* As upstream: dest[X] is looked up by its source, source[X] by its destination. */
	m = find_mount(c, arg, f->aux == MOUNT_SOURCE);
	/* Rules compare with N/A for "no such mount"; a missing value would never equal it. */
	if (!m)
		return give_str(out, STR("N/A"));
	switch ((enum mount_part)f->aux) {
	case MOUNT_SOURCE:
		return give_str(out, m->source);
	case MOUNT_DEST:
		return give_str(out, m->dest);
	case MOUNT_MODE:
		return give_str(out, m->mode);
	case MOUNT_RW:
		return give_str(out, m->rw ? STR("true") : STR("false"));
	default:
		buf_printf(text_begin(cx), "%.*s:%.*s:%.*s:%s:", STR_ARG(m->source),
			STR_ARG(m->dest), STR_ARG(m->mode), m->rw ? "true" : "false");
		return give_text(cx, out);
	}
}

static enum value_state get_label(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct container *c;
	enum value_state state = metadata(cx, &c);

	(void)f;
	if (state != VALUE_HAVE)
		return state;
	for (uint32_t i = 0; i < c->labels_n; i++)
		if (str_eq(c->labels[i].key, arg->text))
			return give_str(out, c->labels[i].value);
	return VALUE_MISSING;
}

static enum value_state get_labels(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct container *c;
	enum value_state state = metadata(cx, &c);
	struct buf *b = text_begin(cx);

	(void)f, (void)arg;
	if (state != VALUE_HAVE)
		return state;
	for (uint32_t i = 0; i < c->labels_n; i++)
		buf_printf(b, "%s%.*s:%.*s", i ? ", " : "", STR_ARG(c->labels[i].key),
			STR_ARG(c->labels[i].value));
	return b->n ? give_text(cx, out) : VALUE_MISSING;
}

#define META(text, type, which, sense)                                                             \
	{                                                                                          \
		text, FIELD_##type, .flags = FIELD_F_META, .aux = (which), .get = get_meta,        \
				    .meaning = sense                                               \
	}
#define MOUNT(text, which, sense)                                                                  \
	{                                                                                          \
		text, FIELD_STR, FIELD_ARG_NAME, FIELD_F_META, .aux = (which), .get = get_mount,   \
							       .meaning = sense                    \
	}

static const struct field table[] = {
	{ "container.id", FIELD_STR, .aux = 0, .get = get_id,
		.meaning = "first 12 digits of the container's id; host outside of containers" },
	{ "container.full_id", FIELD_STR, .aux = 1, .get = get_id,
		.meaning = "the whole id; host" },
	{ "container.type", FIELD_STR, .get = get_type,
		.meaning = "podman, docker, containerd, cri-o, lxc, unknown; host" },
	META("container.name", STR, M_NAME, "name of the container; host"),
	META("container.image", STR, M_IMAGE, "image as it was given"),
	META("container.image.id", STR, M_IMAGE_ID, "id of the image"),
	META("container.image.repository", STR, M_REPOSITORY, "image without tag and digest"),
	META("container.image.tag", STR, M_TAG, "tag of the image"),
	META("container.image.digest", STR, M_DIGEST, "digest of the image's manifest"),
	META("container.privileged", BOOL, M_PRIVILEGED, "runs privileged"),
	META("container.user", STR, M_USER, "user and group it was started with"),
	META("container.host_pid", BOOL, M_HOST_PID, "shares the host's process ids"),
	META("container.host_network", BOOL, M_HOST_NETWORK, "shares the host's network"),
	META("container.host_ipc", BOOL, M_HOST_IPC, "shares the host's IPC"),
	META("container.start_ts", ABSTIME, M_START, "when it was made"),
	META("container.duration", RELTIME, M_DURATION, "nanoseconds since it was made"),
	META("container.mounts", STR, M_MOUNTS,
		"all mounts: source:destination:mode:writable:, ..."),
	MOUNT("container.mount", MOUNT_ALL, "one mount, by number or pattern of its source"),
	MOUNT("container.mount.source", MOUNT_SOURCE,
		"source of the mount with this destination (number or pattern); N/A without one"),
	MOUNT("container.mount.dest", MOUNT_DEST,
		"destination of the mount with this source (number or pattern); N/A without one"),
	MOUNT("container.mount.mode", MOUNT_MODE, "ro or rw, by number or pattern of the source"),
	MOUNT("container.mount.rdwr", MOUNT_RW,
		"true or false, by number or pattern of the source"),
	{ "container.label", FIELD_STR, FIELD_ARG_NAME, FIELD_F_META, .get = get_label,
		.meaning = "value of a label" },
	{ "container.labels", FIELD_STR, .flags = FIELD_F_META, .get = get_labels,
		.meaning = "all labels: key:value, ..." },
	META("k8s.pod.name", STR, M_POD, "name of the pod"),
	META("k8s.ns.name", STR, M_NS, "namespace of the pod"),
};

struct field_table fields_container(void)
{
	return (struct field_table){ table, ARRAY_N(table) };
}
