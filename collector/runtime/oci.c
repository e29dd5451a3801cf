#include "collector/runtime/oci.h"

#define MAX_OPTIONS_BYTES 65536

/* What a container gets from its runtime and not from its user. */
static const char *const plumbing[] = {
	"/etc/hosts",
	"/etc/hostname",
	"/etc/resolv.conf",
	"/dev/shm",
	"/run/.containerenv",
};

/* No default set holds one of these, a privileged container has them all. */
static const char *const privileged_caps[] = {
	"CAP_SYS_ADMIN",
	"CAP_SYS_MODULE",
	"CAP_SYS_PTRACE",
	"CAP_SYS_RAWIO",
	"CAP_NET_ADMIN",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
};

static bool has_string(const struct json_node *list, const char *want)
{
	for (size_t i = 0; i < json_len(list); i++) {
		if (str_eqz(json_str(json_at(list, i), STR("")), want))
			return true;
	}
	return false;
}

void oci_read_user(struct draft *d, const struct json_node *spec)
{
	const struct json_node *user = json_get(json_get(spec, "process"), "user");
	if (!user)
		return;
	AUTO(buf_fini) struct buf text = BUF_INIT(64);
	buf_put_i64(&text, json_int(json_get(user, "uid"), 0));
	buf_putc(&text, ':');
	buf_put_i64(&text, json_int(json_get(user, "gid"), 0));
	d->c.user = draft_copy(d, buf_str(&text));
}

/* A container shares the host's namespace when it is given none, or pid 1's. */
static bool shares_with_host(const struct json_node *namespaces, const char *type)
{
	for (size_t i = 0; i < json_len(namespaces); i++) {
		const struct json_node *ns = json_at(namespaces, i);
		if (!str_eqz(json_str(json_get(ns, "type"), STR("")), type))
			continue;
		return str_starts(json_str(json_get(ns, "path"), STR("")), STR("/proc/1/ns/"));
	}
	return true;
}

static void read_namespaces(struct draft *d, const struct json_node *os)
{
	const struct json_node *list = json_get(os, "namespaces");
	d->c.host_pid = shares_with_host(list, "pid");
	d->c.host_network = shares_with_host(list, "network");
	d->c.host_ipc = shares_with_host(list, "ipc");
}

/* What --privileged does, where nothing says it: all rights, no filter, nothing masked. */
static bool looks_privileged(const struct json_node *spec, const struct json_node *os)
{
	const struct json_node *caps = json_get(json_get(spec, "process"), "capabilities");
	const struct json_node *bounding = json_get(caps, "bounding");
	for (size_t i = 0; i < ARRAY_N(privileged_caps); i++) {
		if (!has_string(bounding, privileged_caps[i]))
			return false;
	}
	return json_type(json_get(os, "seccomp")) != JSON_OBJ &&
	       !json_len(json_get(os, "maskedPaths"));
}

static bool is_privileged(const struct json_node *spec, const struct json_node *os)
{
	const struct json_node *notes = json_get(spec, "annotations");
	struct str word = json_str(json_get(notes, "io.podman.annotations.privileged"), STR(""));
	if (word.n)
		return str_eqz(word, "TRUE");
	return looks_privileged(spec, os);
}

static bool is_bind(const struct json_node *mount)
{
	const struct json_node *options = json_get(mount, "options");
	return str_eqz(json_str(json_get(mount, "type"), STR("")), "bind") ||
	       has_string(options, "bind") || has_string(options, "rbind");
}

static bool is_plumbing(const struct draft *d, struct str source, struct str dest,
	const char *const *own, size_t own_n)
{
	bool below = false;
	for (size_t i = 0; i < own_n; i++)
		below |= str_starts(source, str_from(own[i]));
	if (!below)
		return false;
	if (str_contains(source, str_from(d->c.id)))
		return true;
	for (size_t i = 0; i < ARRAY_N(plumbing); i++) {
		if (str_eqz(dest, plumbing[i]))
			return true;
	}
	return false;
}

/* "ro,rprivate,rbind"; the last of ro and rw counts, as with mount(8). */
static void read_options(struct draft *d, const struct json_node *list, struct container_mount *m)
{
	AUTO(buf_fini) struct buf text = BUF_INIT(MAX_OPTIONS_BYTES);
	m->rw = true;
	for (size_t i = 0; i < json_len(list); i++) {
		struct str option = json_str(json_at(list, i), STR(""));
		if (i)
			buf_putc(&text, ',');
		buf_put_str(&text, option);
		if (str_eqz(option, "ro") || str_eqz(option, "rro"))
			m->rw = false;
		else if (str_eqz(option, "rw"))
			m->rw = true;
	}
	d->full |= text.full;
	m->options = draft_copy(d, buf_str(&text));
	m->mode = m->rw ? STR("rw") : STR("ro");
}

static void read_mounts(
	struct draft *d, const struct json_node *list, const char *const *own, size_t own_n)
{
	size_t n = json_len(list);
	struct container_mount *to = n ? draft_mounts(d, n) : NULL;
	if (!to)
		return;
	d->c.mounts = to;
	for (size_t i = 0; i < n && !d->full; i++) {
		const struct json_node *mount = json_at(list, i);
		struct str source = json_str(json_get(mount, "source"), STR(""));
		struct str dest = json_str(json_get(mount, "destination"), STR(""));
		if (!is_bind(mount) || is_plumbing(d, source, dest, own, own_n))
			continue;
		struct container_mount *m = &to[d->c.mounts_n++];
		m->source = draft_copy(d, source);
		m->dest = draft_copy(d, dest);
		read_options(d, json_get(mount, "options"), m);
	}
}

void oci_read_spec(
	struct draft *d, const struct json_node *spec, const char *const *own, size_t own_n)
{
	const struct json_node *os = json_get(spec, "linux");
	oci_read_user(d, spec);
	if (os)
		read_namespaces(d, os);
	d->c.privileged = is_privileged(spec, os);
	read_mounts(d, json_get(spec, "mounts"), own, own_n);
	draft_read_names(d, json_get(spec, "annotations"));
}
