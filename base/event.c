/*
 * Packed form, little-endian, no padding, every byte accounted for:
 *
 *   u8 'E' | u8 version | u8 class | fields of struct event in its order | fields of the class
 *   | u32 data_len | data
 *
 * A span is two u32 that must lie inside data, a flag one byte that is 0 or 1. Any change to a
 * field below is a new PACK_VERSION.
 */
#include "base/event.h"

#include "base/hash.h"
#include "base/rd.h"

enum {
	PACK_MAGIC = 'E',
	PACK_VERSION = 1,
	PACK_MAX_DATA = 1 << 20, /* bytes; a record of the ring is far smaller */
	ID_MAX_RULE = 512,       /* bytes of the rule's name that count */
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fields are copied as they stand");

static const char *const class_names[EVENT_CLASS_N] = {
	[EVENT_NONE] = "none",
	[EVENT_EXEC] = "exec",
	[EVENT_FORK] = "fork",
	[EVENT_EXIT] = "exit",
	[EVENT_OPEN] = "open",
	[EVENT_CONNECT] = "connect",
	[EVENT_ACCEPT] = "accept",
	[EVENT_BIND] = "bind",
	[EVENT_LISTEN] = "listen",
	[EVENT_SOCKET] = "socket",
	[EVENT_CGROUP] = "cgroup",
	[EVENT_SEED] = "seed",
};

const char *event_class_name(enum event_class c)
{
	return (unsigned int)c < EVENT_CLASS_N ? class_names[c] : "none";
}

struct event *event_clone(const struct event *ev)
{
	struct event *copy = xcalloc(1, sizeof(*copy) + (size_t)ev->data_len + 1);
	char *data = (char *)(copy + 1);

	*copy = *ev;
	if (ev->data_len)
		memcpy(data, ev->data, ev->data_len);
	copy->data = data;
	return copy;
}

void event_free(struct event *ev)
{
	free(ev);
}

void event_make_id(const struct event *ev, struct str boot_id, struct str rule, char *out)
{
	uint8_t digest[HASH_SHA256_LEN];
	AUTO(buf_fini) struct buf b = BUF_INIT(1024);

	/* Each text with its length: no two triples share their bytes. */
	buf_printf(&b, "%zu:", boot_id.n);
	buf_put(&b, boot_id.p, boot_id.n < 64 ? boot_id.n : 64);
	buf_printf(&b, ":%u:%llu:%zu:", ev->cpu, (unsigned long long)ev->seq, rule.n);
	buf_put(&b, rule.p, rule.n < ID_MAX_RULE ? rule.n : ID_MAX_RULE);
	hash_sha256(buf_str(&b), digest);
	hash_hex(digest, EVENT_ID_LEN / 2, out);
}

/* One description of the layout serves both directions. */
struct coder {
	struct buf *out; /* NULL: reading */
	struct rd in;
	bool bad;
};

static void code_bytes(struct coder *c, void *p, size_t n)
{
	if (c->out)
		buf_put(c->out, p, n);
	else
		rd_copy(&c->in, p, n);
}

#define CODE(c, field) code_bytes((c), &(field), sizeof(field))

static void code_bool(struct coder *c, bool *v)
{
	uint8_t byte = *v;

	CODE(c, byte);
	c->bad |= byte > 1;
	*v = byte == 1;
}

static void code_span(struct coder *c, struct event_span *s)
{
	CODE(c, s->off);
	CODE(c, s->len);
}

static void code_key(struct coder *c, struct process_key *k)
{
	CODE(c, k->tgid);
	CODE(c, k->start_ns);
}

static void code_addr(struct coder *c, struct event_addr *a)
{
	CODE(c, a->addr);
	CODE(c, a->port);
}

static void code_open(struct coder *c, struct event_open *o)
{
	CODE(c, o->flags);
	CODE(c, o->mode);
	CODE(c, o->dirfd);
	CODE(c, o->file_mode);
	CODE(c, o->dev);
	CODE(c, o->ino);
	code_span(c, &o->path);
	code_span(c, &o->user);
}

static void code_exec_file(struct coder *c, struct event_exec *x)
{
	CODE(c, x->exe_mode);
	CODE(c, x->exe_dev);
	CODE(c, x->exe_ino);
	CODE(c, x->exe_ctime_ns);
	CODE(c, x->exe_mtime_ns);
	code_bool(c, &x->exe_upper);
	code_bool(c, &x->exe_memfd);
	code_bool(c, &x->kthread);
	code_span(c, &x->exe);
	code_span(c, &x->args);
	code_span(c, &x->cwd);
	code_span(c, &x->file);
	code_span(c, &x->cgroup);
	CODE(c, x->args_total);
}

static void code_exec(struct coder *c, struct event_exec *x)
{
	code_key(c, &x->parent);
	CODE(c, x->parent_exec_id);
	CODE(c, x->ppid);
	CODE(c, x->vpid);
	CODE(c, x->sid);
	CODE(c, x->pgid);
	CODE(c, x->vpgid);
	CODE(c, x->loginuid);
	CODE(c, x->sessionid);
	CODE(c, x->tty);
	CODE(c, x->cap_effective);
	CODE(c, x->cap_permitted);
	CODE(c, x->cap_inheritable);
	CODE(c, x->ns_pid);
	CODE(c, x->ns_mnt);
	CODE(c, x->ns_net);
	CODE(c, x->ns_user);
	CODE(c, x->ns_cgroup);
	CODE(c, x->ns_uts);
	CODE(c, x->ns_ipc);
	code_exec_file(c, x);
}

static void code_fork(struct coder *c, struct event_fork *f)
{
	code_key(c, &f->parent);
	CODE(c, f->parent_exec_id);
	code_key(c, &f->creator);
	CODE(c, f->creator_exec_id);
	CODE(c, f->ppid);
	CODE(c, f->vpid);
	CODE(c, f->sid);
	CODE(c, f->pgid);
	CODE(c, f->vpgid);
	CODE(c, f->clone_flags);
	CODE(c, f->ns_pid);
	CODE(c, f->ns_mnt);
	CODE(c, f->ns_net);
	CODE(c, f->ns_user);
	CODE(c, f->ns_cgroup);
	CODE(c, f->ns_uts);
	CODE(c, f->ns_ipc);
	code_span(c, &f->cgroup);
}

static void code_net(struct coder *c, struct event_net *n)
{
	CODE(c, n->fd);
	CODE(c, n->family);
	CODE(c, n->type);
	CODE(c, n->protocol);
	CODE(c, n->backlog);
	code_addr(c, &n->local);
	code_addr(c, &n->remote);
	code_bool(c, &n->listening);
	code_span(c, &n->path);
}

static void code_cgroup(struct coder *c, struct event_cgroup *g)
{
	CODE(c, g->id);
	code_bool(c, &g->removed);
	CODE(c, g->hierarchy);
	code_span(c, &g->path);
}

static void code_class(struct coder *c, struct event *ev)
{
	switch (ev->class) {
	case EVENT_OPEN:
		code_open(c, &ev->open);
		return;
	case EVENT_EXEC:
	case EVENT_SEED:
		code_exec(c, &ev->exec);
		return;
	case EVENT_FORK:
		code_fork(c, &ev->fork);
		return;
	case EVENT_EXIT:
		CODE(c, ev->exit.code);
		return;
	case EVENT_CGROUP:
		code_cgroup(c, &ev->cgroup);
		return;
	default:
		code_net(c, &ev->net);
		return;
	}
}

static void code_event(struct coder *c, struct event *ev)
{
	CODE(c, ev->flags);
	CODE(c, ev->cpu);
	CODE(c, ev->seq);
	CODE(c, ev->boot_ns);
	CODE(c, ev->ts_ns);
	code_key(c, &ev->key);
	CODE(c, ev->exec_id);
	CODE(c, ev->tid);
	CODE(c, ev->uid);
	CODE(c, ev->gid);
	CODE(c, ev->euid);
	CODE(c, ev->cgroup_id);
	CODE(c, ev->ns_mnt);
	CODE(c, ev->nr);
	CODE(c, ev->ret);
	CODE(c, ev->comm);
	code_class(c, ev);
	CODE(c, ev->data_len);
}

void event_pack(struct buf *b, const struct event *ev)
{
	struct event copy = *ev;
	struct coder c = { .out = b };

	buf_putc(b, PACK_MAGIC);
	buf_putc(b, PACK_VERSION);
	buf_putc(b, (char)ev->class);
	code_event(&c, &copy);
	if (ev->data_len)
		buf_put(b, ev->data, ev->data_len);
}

static bool span_fits(struct event_span s, uint32_t data_len)
{
	return s.len == 0 || (s.off <= data_len && s.len <= data_len - s.off);
}

static bool spans_fit(const struct event *ev)
{
	uint32_t n = ev->data_len;

	switch (ev->class) {
	case EVENT_OPEN:
		return span_fits(ev->open.path, n) && span_fits(ev->open.user, n);
	case EVENT_EXEC:
	case EVENT_SEED:
		return span_fits(ev->exec.exe, n) && span_fits(ev->exec.args, n) &&
		       span_fits(ev->exec.cwd, n) && span_fits(ev->exec.file, n) &&
		       span_fits(ev->exec.cgroup, n);
	case EVENT_FORK:
		return span_fits(ev->fork.cgroup, n);
	case EVENT_CGROUP:
		return span_fits(ev->cgroup.path, n);
	case EVENT_EXIT:
		return true;
	default:
		return span_fits(ev->net.path, n);
	}
}

int event_unpack(struct event **out, struct str packed, struct err *e)
{
	struct coder c = { .in = rd_of(packed.p, packed.n) };
	struct event ev = { 0 };
	uint8_t magic = rd_u8(&c.in), version = rd_u8(&c.in), class = rd_u8(&c.in);

	if (c.in.bad || magic != PACK_MAGIC)
		return err_set(e, ERR_FORMAT, "stored event: not one");
	if (version != PACK_VERSION)
		return err_set(e, ERR_FORMAT, "stored event: version %u, this build reads %d",
			version, PACK_VERSION);
	if (class == EVENT_NONE || class >= EVENT_CLASS_N)
		return err_set(e, ERR_FORMAT, "stored event: class %u is not known", class);
	ev.class = (enum event_class) class;
	code_event(&c, &ev);
	if (c.in.bad || c.bad)
		return err_set(e, ERR_FORMAT, "stored event: damaged fields");
	if (ev.data_len > PACK_MAX_DATA || rd_left(&c.in) != ev.data_len || !spans_fit(&ev))
		return err_set(e, ERR_FORMAT, "stored event: damaged data");
	ev.comm[sizeof(ev.comm) - 1] = 0;
	ev.data = (const char *)c.in.p;
	*out = event_clone(&ev);
	return 0;
}
