#include "collector/runtime/runtime.h"

#include "collector/runtime/ops.h"

#include <stdarg.h>
#include <stdio.h>

/* Docker before containerd: the latter sees Docker's containers too, but not their names. */
static const struct runtime_ops *const kinds[] = {
	&runtime_storage_ops,
	&runtime_docker_ops,
	&runtime_containerd_ops,
};

struct runtime {
	char *root;
	void *readers[ARRAY_N(kinds)];
	struct runtime_counts counts;
};

void runtime_path_join(struct runtime_path *p, const char *first, ...)
{
	int first_len = snprintf(p->z, sizeof(p->z), "%s", first);
	size_t n = first_len < 0 ? 0 : strnlen(p->z, sizeof(p->z));
	va_list more;
	va_start(more, first);
	for (const char *part; n < sizeof(p->z) - 1 && (part = va_arg(more, const char *));) {
		const char *slash = n && p->z[n - 1] == '/' ? "" : "/";
		int len = snprintf(p->z + n, sizeof(p->z) - n, "%s%s", slash, part);
		n = len < 0 || (size_t)len >= sizeof(p->z) - n ? sizeof(p->z) - 1 : n + (size_t)len;
	}
	va_end(more);
}

/* An id becomes a component of paths: no slash, no dot in front, nothing that needs escaping. */
static bool is_safe_id(struct str id)
{
	if (!id.n || id.n > CONTAINER_ID_LEN || id.p[0] == '.')
		return false;
	for (size_t i = 0; i < id.n; i++) {
		unsigned char c = (unsigned char)id.p[i];
		if (c <= ' ' || c >= 0x7f || c == '/')
			return false;
	}
	return true;
}

int runtime_open(struct runtime **out, const struct runtime_options *o, struct err *e)
{
	AUTO(runtime_close) struct runtime *r = xcalloc(1, sizeof(*r));
	const char *root = o->root && *o->root ? o->root : "/";
	r->root = xstrndup(root, strlen(root));
	for (size_t i = 0; i < ARRAY_N(kinds); i++) {
		if (kinds[i]->open(&r->readers[i], r->root, o, e))
			return err_wrap(e, "%s", kinds[i]->name);
	}
	*out = TAKE(r);
	return 0;
}

void runtime_close(struct runtime *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < ARRAY_N(kinds); i++)
		kinds[i]->close(r->readers[i]);
	free(r->root);
	free(r);
}

/* One pass over the readers: those of the hinted runtime, or all others. */
static int search(struct runtime *r, struct str id, enum container_runtime hint, bool hinted,
	struct container **out, struct err *e)
{
	int worst = 0;
	for (size_t i = 0; i < ARRAY_N(kinds); i++) {
		if (((kinds[i]->runtimes >> hint & 1u) != 0) != hinted)
			continue;
		struct err why = { 0 };
		int rc = kinds[i]->lookup(r->readers[i], id, out, &why);
		if (rc > 0)
			return rc;
		if (rc < 0 && worst == 0 && e) {
			*e = why;
			err_wrap(e, "%s", kinds[i]->name);
		}
		worst = rc < 0 ? rc : worst;
	}
	return worst;
}

static int search_all(struct runtime *r, struct str id, enum container_runtime hint,
	struct container **out, struct err *e)
{
	struct err other;
	int first = search(r, id, hint, true, out, e);
	if (first > 0)
		return first;
	int rest = search(r, id, hint, false, out, first < 0 ? &other : e);
	return rest > 0 || first == 0 ? rest : first;
}

int runtime_lookup(struct runtime *r, const char *id, enum container_runtime hint,
	struct container **out, struct err *e)
{
	struct str s = str_from(id);
	r->counts.lookups++;
	/* LXC's names are nobody else's ids. */
	bool worth = hint != RUNTIME_LXC && is_safe_id(s);
	int rc = worth ? search_all(r, s, hint, out, e) : 0;
	if (rc > 0)
		r->counts.found++;
	else if (rc == 0)
		r->counts.unknown++;
	else
		r->counts.failed++;
	return rc;
}

struct runtime_counts runtime_counts(const struct runtime *r)
{
	struct runtime_counts n = r->counts;
	for (size_t i = 0; i < ARRAY_N(kinds); i++)
		n.index_parsed += kinds[i]->parsed_n(r->readers[i]);
	return n;
}
