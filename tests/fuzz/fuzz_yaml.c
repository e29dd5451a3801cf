#include "base/yaml.h"

/* The first byte chooses the limits, the rest is the text. The tree must keep them. */
struct walk {
	size_t nodes, max_nodes;
	uint32_t max_depth;
};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void visit(struct walk *w, const struct yaml_node *n, uint32_t depth)
{
	bool b;
	int64_t i;

	check(depth <= w->max_depth && ++w->nodes <= w->max_nodes);
	check(n->line > 0 && n->col > 0);
	yaml_is_null(n);
	yaml_bool(n, &b);
	yaml_i64(n, &i);
	if (n->kind == YAML_SCALAR)
		check(strlen(n->value.p) == n->value.n);
	for (size_t k = 0; n->kind == YAML_SEQ && k < n->n; k++)
		visit(w, n->items[k], depth + 1);
	for (size_t k = 0; n->kind == YAML_MAP && k < n->n; k++) {
		check(n->pairs[k].key->kind == YAML_SCALAR);
		check(yaml_get(n, n->pairs[k].key->value.p) == n->pairs[k].value);
		visit(w, n->pairs[k].key, depth + 1);
		visit(w, n->pairs[k].value, depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct yaml_limits limits = { .max_bytes = 1 << 16, .max_nodes = 10000, .max_depth = 64 };
	AUTO(yaml_docs_fini) struct yaml_docs d = { 0 };
	struct err e = { 0 };

	if (n == 0)
		return 0;
	if (data[0] & 1) {
		limits.max_nodes = 20;
		limits.max_depth = 3;
	}
	if (yaml_parse(&d, str_of(data + 1, n - 1), "fuzz", &limits, &e)) {
		check(e.code == ERR_FORMAT || e.code == ERR_LIMIT);
		check(!strchr(e.msg, '\n'));
		return 0;
	}
	struct walk w = { 0, limits.max_nodes, limits.max_depth };
	for (size_t i = 0; i < d.n; i++)
		visit(&w, d.docs[i], 1);
	return 0;
}
