#include "base/process.h"

struct str process_arg(const struct process *p, size_t i)
{
	struct str rest = p->args;
	while (rest.n) {
		/* The last one has no NUL when the arguments were cut. */
		struct str arg = str_cut(&rest, '\0');
		if (i-- == 0)
			return arg;
	}
	return STR("");
}

struct str process_argv0(const struct process *p)
{
	if (p->args.n)
		return process_arg(p, 0);
	return str_of(p->comm, strnlen(p->comm, sizeof(p->comm)));
}

void process_args_text(struct buf *b, const struct process *p)
{
	struct str rest = p->args;
	str_cut(&rest, '\0');
	for (bool first = true; rest.n; first = false) {
		if (!first)
			buf_putc(b, ' ');
		buf_put_str(b, str_cut(&rest, '\0'));
	}
}

void process_cmdline_text(struct buf *b, const struct process *p)
{
	struct str rest = p->args;
	buf_put(b, p->comm, strnlen(p->comm, sizeof(p->comm)));
	str_cut(&rest, '\0');
	if (!rest.n)
		return;
	buf_putc(b, ' ');
	process_args_text(b, p);
}

static bool is_among(const struct process *const *seen, size_t n, const struct process *p)
{
	for (size_t i = 0; i < n; i++) {
		if (seen[i] == p)
			return true;
	}
	return false;
}

/* The chain from p upwards. A loop ends it too, and counts as cut. */
static size_t collect_chain(const struct process **chain, const struct process *p, bool *cut)
{
	size_t n = 0;
	for (; p; p = p->parent) {
		if (n == PROCESS_MAX_LINEAGE || is_among(chain, n, p)) {
			*cut = true;
			break;
		}
		chain[n++] = p;
	}
	return n;
}

static size_t string_bytes(const struct process *p)
{
	return p->exe.n + p->args.n + p->cwd.n + p->cgroup.n + 4;
}

static void move_string(char **to, struct str *s)
{
	if (!s->p || !s->n) {
		*s = STR("");
		return;
	}
	memcpy(*to, s->p, s->n);
	s->p = *to;
	*to += s->n + 1; /* zeroed memory: the copy ends in NUL */
}

static void copy_process(struct lineage *l, size_t i, const struct process *from, char **to)
{
	struct process *p = &l->process[i];
	*p = *from;
	p->parent = i + 1 < l->n ? &l->process[i + 1] : NULL;
	move_string(to, &p->exe);
	move_string(to, &p->args);
	move_string(to, &p->cwd);
	move_string(to, &p->cgroup);
	if (p->container)
		memcpy(l->container_id[i], p->container->id, CONTAINER_ID_LEN);
	p->container = NULL;
}

struct lineage *lineage_copy(const struct process *p)
{
	if (!p)
		return NULL;
	const struct process *chain[PROCESS_MAX_LINEAGE];
	bool cut = false;
	size_t n = collect_chain(chain, p, &cut);
	size_t len = sizeof(struct lineage) + n * sizeof(struct process);
	size_t ids = len;
	len += n * sizeof(*(struct lineage){ 0 }.container_id);
	size_t strings = len;
	for (size_t i = 0; i < n; i++)
		len += string_bytes(chain[i]);
	char *bytes = xcalloc(1, len);
	struct lineage *l = (struct lineage *)(void *)bytes;
	l->n = n;
	l->cut = cut;
	l->process = (struct process *)(l + 1);
	l->container_id = (void *)(bytes + ids);
	char *to = bytes + strings;
	for (size_t i = 0; i < n; i++)
		copy_process(l, i, chain[i], &to);
	return l;
}

void lineage_free(struct lineage *l)
{
	free(l);
}
