#include "collector/runtime/cgroup.h"

#include "collector/runtime/hex.h"

/* Scopes and directories that are called WORD-ID, WORD-ID.scope or ...:WORD:ID. */
static const struct {
	struct str word;
	enum container_runtime runtime;
} words[] = {
	{ { "libpod", 6 }, RUNTIME_PODMAN },
	{ { "libpod-payload", 14 }, RUNTIME_PODMAN }, /* podman --cgroups=split */
	{ { "docker", 6 }, RUNTIME_DOCKER },
	{ { "cri-containerd", 14 }, RUNTIME_CONTAINERD },
	{ { "nerdctl", 7 }, RUNTIME_CONTAINERD },
	{ { "crio", 4 }, RUNTIME_CRIO },
};

/* One component of the path with what stands around it. */
struct place {
	struct str name;
	struct str parent; /* the component before; n == 0 at the top */
	struct str above;  /* the path before `parent` */
};

/* What LXC, ctr and nerdctl allow in a name. */
static bool is_name(struct str s)
{
	if (!s.n || s.n > CONTAINER_ID_LEN || s.p[0] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			    (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
		if (!word)
			return false;
	}
	return true;
}

static struct str drop_prefix(struct str s, size_t n)
{
	return str_of(s.p + n, s.n - n);
}

static struct str drop_suffix(struct str s, struct str suffix)
{
	return str_ends(s, suffix) ? str_of(s.p, s.n - suffix.n) : s;
}

static bool found(struct runtime_match *m, struct str id, enum container_runtime r, bool weak)
{
	*m = (struct runtime_match){ .id = id, .runtime = r, .weak = weak };
	return true;
}

/* The last component and the path before it; blank and doubled slashes do not count. */
static struct str cut_last(struct str *path)
{
	while (path->n && path->p[path->n - 1] == '/')
		path->n--;
	size_t at = path->n;
	while (at && path->p[at - 1] != '/')
		at--;
	struct str last = drop_prefix(*path, at);
	path->n = at;
	return last;
}

static bool is_top(struct str above)
{
	return cut_last(&above).n == 0;
}

/* libpod-ID, docker-ID.scope, kubepods-burstable-podUID.slice:cri-containerd:ID */
static bool match_word(const struct place *at, struct runtime_match *m)
{
	struct str name = drop_suffix(at->name, STR(".scope"));
	if (name.n <= CONTAINER_ID_LEN + 1)
		return false;
	struct str id = drop_prefix(name, name.n - CONTAINER_ID_LEN);
	char mark = id.p[-1];
	struct str word = str_of(name.p, name.n - CONTAINER_ID_LEN - 1);
	if (!hex_is_id(id) || (mark != '-' && mark != ':'))
		return false;
	/* systemd's own spelling of a parent slice stands before the word. */
	const char *colon = mark == ':' ? memrchr(word.p, ':', word.n) : NULL;
	if (colon)
		word = drop_prefix(word, (size_t)(colon + 1 - word.p));
	for (size_t i = 0; i < ARRAY_N(words); i++) {
		if (str_eq(word, words[i].word))
			return found(m, id, words[i].runtime, false);
	}
	return false;
}

static bool is_below_kubepods(struct str above)
{
	for (struct str c = cut_last(&above); c.n; c = cut_last(&above)) {
		if (str_starts(c, STR("kubepods")) || str_starts(c, STR("kubelet-kubepods")))
			return true;
	}
	return false;
}

/* A pod's directory: podUID of cgroupfs, kubepods-...-podUID.slice of systemd. */
static bool is_pod(const struct place *at)
{
	if (str_starts(at->parent, STR("pod")))
		return is_below_kubepods(at->above);
	return str_ends(at->parent, STR(".slice")) && str_contains(at->parent, STR("-pod")) &&
	       str_contains(at->parent, STR("kubepods"));
}

/* A bare ID whose parent says whose it is: /docker/ID, /kubepods/.../podUID/ID, /k8s.io/ID. */
static bool match_parent(const struct place *at, struct runtime_match *m)
{
	if (!hex_is_id(at->name))
		return false;
	if (str_eqz(at->parent, "docker"))
		return found(m, at->name, RUNTIME_DOCKER, false);
	if (str_eqz(at->parent, "k8s.io") || is_pod(at))
		return found(m, at->name, RUNTIME_CONTAINERD, false);
	if (str_eqz(at->parent, "default"))
		return found(m, at->name, RUNTIME_CONTAINERD, true);
	return found(m, at->name, RUNTIME_UNKNOWN, true);
}

/* ctr puts NAMESPACE/NAME at the top of the tree, and any name will do. */
static bool match_ctr(const struct place *at, struct runtime_match *m)
{
	if (!str_eqz(at->parent, "default") && !str_eqz(at->parent, "k8s.io"))
		return false;
	if (!is_top(at->above) || !is_name(at->name))
		return false;
	return found(m, at->name, RUNTIME_CONTAINERD, true);
}

/* lxc.payload.NAME (4.0 and later), lxc.payload/NAME (3.1), lxc/NAME. */
static bool match_lxc(const struct place *at, struct runtime_match *m)
{
	struct str payload = STR("lxc.payload.");
	if (str_starts(at->name, payload)) {
		struct str name = drop_prefix(at->name, payload.n);
		return is_name(name) && found(m, name, RUNTIME_LXC, false);
	}
	if (!is_name(at->name))
		return false;
	if (str_eqz(at->parent, "lxc.payload"))
		return found(m, at->name, RUNTIME_LXC, false);
	/* Anybody may have a directory of that name further down. */
	if (str_eqz(at->parent, "lxc"))
		return found(m, at->name, RUNTIME_LXC, !is_top(at->above));
	return false;
}

static bool match_place(const struct place *at, struct runtime_match *m)
{
	return match_word(at, m) || match_lxc(at, m) || match_parent(at, m) || match_ctr(at, m);
}

/* From the inside out. Returns false when nothing is left above. */
static bool step_out(struct str *path, struct place *at)
{
	at->name = cut_last(path);
	at->above = *path;
	at->parent = cut_last(&at->above);
	return at->name.n != 0;
}

static void note_outer(struct runtime_match *best, const struct runtime_match *outer)
{
	if (outer->weak || str_eq(best->id, outer->id))
		return;
	best->outer_id = outer->id;
	best->outer_runtime = outer->runtime;
}

bool runtime_match_cgroup(struct str path, struct runtime_match *out)
{
	path = drop_suffix(path, STR(" (deleted)"));
	struct runtime_match best = { 0 }, m;
	bool any = false;
	struct place at;
	while (step_out(&path, &at)) {
		if (!match_place(&at, &m))
			continue;
		if (!any || (best.weak && !m.weak)) {
			best = m;
			any = true;
			continue;
		}
		note_outer(&best, &m);
		if (best.outer_id.n)
			break;
	}
	if (any)
		*out = best;
	return any;
}
