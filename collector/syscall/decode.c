#include "collector/syscall/decode.h"

#include "base/rd.h"
#include "bpf/wire.h"

#include <fcntl.h>

_Static_assert((int)WIRE_EXEC == (int)EVENT_EXEC && (int)WIRE_SEED == (int)EVENT_SEED &&
		       (int)WIRE_CLASS_N == (int)EVENT_CLASS_N,
	"wire and event classes are one list");

/* All strings of the largest record, with a '/' before each path. */
#define DECODER_MAX_TEXT (WIRE_RECORD_MAX + 16)

struct decoder {
	char text[DECODER_MAX_TEXT];
	uint32_t used;
	uint32_t flags; /* WIRE_F_* of the record at hand */
};

struct decoder *decoder_new(void)
{
	return xcalloc(1, sizeof(struct decoder));
}

void decoder_free(struct decoder *d)
{
	free(d);
}

/* Copy a string behind the others. The caller has bounded all of them together by the record's length. */
static struct event_span put(struct decoder *d, struct str s)
{
	struct event_span span = { d->used, (uint32_t)s.n };

	if (s.n > DECODER_MAX_TEXT - d->used)
		return (struct event_span){ 0, 0 };
	if (s.n)
		memcpy(d->text + d->used, s.p, s.n);
	d->used += (uint32_t)s.n;
	return span;
}

/* "c/b/a/" to "/a/b/c"; nothing to "/". */
static struct event_span put_path(struct decoder *d, struct str s)
{
	uint32_t start = d->used, at = start;
	size_t end = s.n;

	if (s.n + 1 > DECODER_MAX_TEXT - d->used)
		return (struct event_span){ 0, 0 };
	if (s.n == 0)
		d->text[at++] = '/';
	if (end && s.p[end - 1] == '/')
		end--;
	while (s.n && end <= s.n) {
		size_t from = end;
		while (from > 0 && s.p[from - 1] != '/')
			from--;
		d->text[at++] = '/';
		memcpy(d->text + at, s.p + from, end - from);
		at += (uint32_t)(end - from);
		if (from == 0)
			break;
		end = from - 1;
	}
	d->used = at;
	return (struct event_span){ start, at - start };
}

static struct event_span put_path_or_name(struct decoder *d, struct str s, bool name)
{
	return name ? put(d, s) : put_path(d, s);
}

static struct str last_component(struct str s)
{
	size_t from = s.n;

	while (from > 0 && s.p[from - 1] != '/')
		from--;
	return str_of(s.p + from, s.n - from);
}

/*
 * Does the caller's word for the file differ from the kernel's in a way that needs a reason? "." and ".."
 * and a final '/' say nothing about the name; O_TMPFILE names a folder.
 */
static bool names_differ(const struct event *ev)
{
	struct str user = event_str(ev, ev->open.user), path = event_str(ev, ev->open.path);

	if (!user.n || !path.n || ev->open.flags & (__O_TMPFILE))
		return false;
	struct str a = last_component(user), b = last_component(path);
	if (!a.n || str_eqz(a, ".") || str_eqz(a, ".."))
		return false;
	return !str_eq(a, b);
}

/* The body's first `len` bytes are there, what a later version added reads as zero. */
static bool decode_open_of(struct decoder *d, struct rd *r, struct event *ev, size_t len)
{
	struct wire_open w = { 0 };

	rd_copy(r, &w, len);
	struct str path = rd_str(r, w.path_len), user = rd_str(r, w.user_len);
	if (r->bad)
		return false;
	ev->open = (struct event_open){
		.flags = w.oflags,
		.mode = w.mode,
		.dirfd = w.dirfd,
		.file_mode = w.file_mode,
		.dev = w.dev,
		.ino = w.ino,
	};
	if (!(ev->flags & EVENT_F_UNVERIFIED))
		ev->open.path = put_path_or_name(d, path, d->flags & WIRE_F_PSEUDO);
	ev->open.user = put(d, user);
	if (names_differ(ev))
		ev->flags |= EVENT_F_MISMATCH;
	return true;
}

static bool decode_open(struct decoder *d, struct rd *r, struct event *ev)
{
	return decode_open_of(d, r, ev, sizeof(struct wire_open));
}

#ifdef HW_WIRE_NEXT
/* As version 1 had it: what a build with the new one must still read. */
static bool decode_open_v1(struct decoder *d, struct rd *r, struct event *ev)
{
	return decode_open_of(d, r, ev, offsetof(struct wire_open, next_only));
}
#endif

static void exec_from_wire(struct event_exec *e, const struct wire_exec *w)
{
	*e = (struct event_exec){
		.parent = { w->parent_tgid, w->parent_start_ns },
		.parent_exec_id = w->parent_exec_id,
		.ppid = w->parent_tgid,
		.vpid = w->vpid,
		.sid = w->sid,
		.pgid = w->pgid,
		.vpgid = w->vpgid,
		.loginuid = w->loginuid,
		.sessionid = w->sessionid,
		.tty = w->tty,
		.cap_effective = w->cap_effective,
		.cap_permitted = w->cap_permitted,
		.cap_inheritable = w->cap_inheritable,
		.ns_pid = w->ns_pid,
		.ns_net = w->ns_net,
		.ns_user = w->ns_user,
		.ns_cgroup = w->ns_cgroup,
		.ns_uts = w->ns_uts,
		.ns_ipc = w->ns_ipc,
		.exe_mode = w->exe_mode,
		.exe_dev = w->exe_dev,
		.exe_ino = w->exe_ino,
		.exe_ctime_ns = w->exe_ctime_ns,
		.exe_mtime_ns = w->exe_mtime_ns,
		.exe_upper = w->exe_upper,
		.kthread = w->kthread,
		.args_total = w->args_total,
	};
}

static bool decode_exec(struct decoder *d, struct rd *r, struct event *ev)
{
	struct wire_exec w;
	bool pseudo = d->flags & WIRE_F_EXE_PSEUDO;

	rd_copy(r, &w, sizeof(w));
	struct str exe = rd_str(r, w.exe_len), cwd = rd_str(r, w.cwd_len),
		   args = rd_str(r, w.args_len);
	struct str file = rd_str(r, w.file_len), cgroup = rd_str(r, w.cgroup_len);
	if (r->bad)
		return false;
	exec_from_wire(&ev->exec, &w);
	ev->exec.ns_mnt = ev->ns_mnt;
	if (w.exe_ino) {
		ev->exec.exe_memfd = pseudo && w.exe_nlink == 0 && str_starts(exe, STR("memfd:"));
		ev->exec.exe = put_path_or_name(d, exe, pseudo);
	}
	if (ev->ret == 0 && !w.kthread)
		ev->exec.cwd = put_path(d, cwd);
	ev->exec.args = put(d, args);
	ev->exec.file = put(d, file);
	if (ev->ret == 0)
		ev->exec.cgroup = put_path(d, cgroup);
	return true;
}

static bool decode_fork(struct decoder *d, struct rd *r, struct event *ev)
{
	struct wire_fork w;

	rd_copy(r, &w, sizeof(w));
	struct str cgroup = rd_str(r, w.cgroup_len);
	if (r->bad)
		return false;
	ev->fork = (struct event_fork){
		.parent = { w.parent_tgid, w.parent_start_ns },
		.parent_exec_id = w.parent_exec_id,
		.creator = { w.creator_tgid, w.creator_start_ns },
		.creator_exec_id = w.creator_exec_id,
		.ppid = w.parent_tgid,
		.vpid = w.vpid,
		.sid = w.sid,
		.pgid = w.pgid,
		.vpgid = w.vpgid,
		.ns_pid = w.ns_pid,
		.ns_mnt = ev->ns_mnt,
		.ns_net = w.ns_net,
		.ns_user = w.ns_user,
		.ns_cgroup = w.ns_cgroup,
		.ns_uts = w.ns_uts,
		.ns_ipc = w.ns_ipc,
	};
	ev->fork.cgroup = put_path(d, cgroup);
	return true;
}

static bool decode_exit(struct decoder *d, struct rd *r, struct event *ev)
{
	struct wire_exit w;

	(void)d;
	rd_copy(r, &w, sizeof(w));
	ev->exit.code = w.code;
	return !r->bad;
}

static bool decode_net(struct decoder *d, struct rd *r, struct event *ev)
{
	struct wire_net w;

	rd_copy(r, &w, sizeof(w));
	struct str path = rd_str(r, w.path_len);
	if (r->bad)
		return false;
	ev->net = (struct event_net){
		.fd = w.fd,
		.family = w.family,
		.type = w.type,
		.protocol = w.protocol,
		.backlog = w.backlog,
		.listening = w.listening,
	};
	ev->net.local.port = w.lport;
	ev->net.remote.port = w.rport;
	memcpy(ev->net.local.addr, w.laddr, sizeof(w.laddr));
	memcpy(ev->net.remote.addr, w.raddr, sizeof(w.raddr));
	/* a path of user memory ends at its NUL; an abstract name may hold NULs, so only trailing ones go */
	if (path.n && path.p[0] != '@') {
		const char *nul = memchr(path.p, 0, path.n);
		path.n = nul ? (size_t)(nul - path.p) : path.n;
	}
	while (path.n && path.p[path.n - 1] == 0)
		path.n--;
	ev->net.path = put(d, path);
	return true;
}

static bool decode_cgroup(struct decoder *d, struct rd *r, struct event *ev)
{
	struct wire_cgroup w;

	rd_copy(r, &w, sizeof(w));
	struct str path = rd_str(r, w.path_len);
	if (r->bad)
		return false;
	ev->cgroup = (struct event_cgroup){
		.id = w.id, .removed = w.removed, .hierarchy = w.hierarchy
	};
	ev->cgroup.path = put_path(d, path);
	return true;
}

typedef bool (*decode_body_fn)(struct decoder *d, struct rd *r, struct event *ev);

/* The registry: which version of which class is read by what. */
static const struct decode_row {
	uint8_t class, version;
	decode_body_fn body;
} registry[] = {
	{ WIRE_EXEC, 1, decode_exec },
	{ WIRE_SEED, 1, decode_exec },
	{ WIRE_FORK, 1, decode_fork },
	{ WIRE_EXIT, 1, decode_exit },
	{ WIRE_CONNECT, 1, decode_net },
	{ WIRE_ACCEPT, 1, decode_net },
	{ WIRE_BIND, 1, decode_net },
	{ WIRE_LISTEN, 1, decode_net },
	{ WIRE_SOCKET, 1, decode_net },
	{ WIRE_CGROUP, 1, decode_cgroup },
#ifdef HW_WIRE_NEXT
	{ WIRE_OPEN, 1, decode_open_v1 },
	{ WIRE_OPEN, 2, decode_open },
#else
	{ WIRE_OPEN, 1, decode_open },
#endif
};

static decode_body_fn body_of(uint8_t class, uint8_t version)
{
	for (size_t i = 0; i < ARRAY_N(registry); i++) {
		if (registry[i].class == class && registry[i].version == version)
			return registry[i].body;
	}
	return NULL;
}

static void header_from_wire(struct event *ev, const struct wire_hdr *h)
{
	ev->class = (enum event_class)h->class;
	ev->flags = (h->flags & WIRE_F_TRUNCATED ? EVENT_F_TRUNCATED : 0u) |
		    (h->flags & WIRE_F_UNVERIFIED ? EVENT_F_UNVERIFIED : 0u) |
		    (h->flags & WIRE_F_COMPAT ? EVENT_F_COMPAT : 0u) |
		    (h->flags & WIRE_F_DETACHED ? EVENT_F_DETACHED : 0u) |
		    (h->flags & WIRE_F_NO_USER ? EVENT_F_NO_USER : 0u) |
		    (h->flags & WIRE_F_CGROUP_V1 ? EVENT_F_CGROUP_V1 : 0u);
	ev->cpu = h->cpu;
	ev->seq = h->seq;
	ev->boot_ns = h->boot_ns;
	ev->key = (struct process_key){ h->tgid, h->start_ns };
	ev->exec_id = h->exec_id;
	ev->tid = h->tid;
	ev->uid = h->uid;
	ev->gid = h->gid;
	ev->euid = h->euid;
	ev->cgroup_id = h->cgroup_id;
	ev->ns_mnt = h->ns_mnt;
	ev->nr = h->nr;
	ev->ret = h->ret;
	memcpy(ev->comm, h->comm, sizeof(ev->comm));
	ev->comm[sizeof(ev->comm) - 1] = 0;
}

enum decode_result decoder_record(struct decoder *d, struct str rec, struct event *ev)
{
	struct rd r = rd_of(rec.p, rec.n);
	struct wire_hdr h;

	memset(ev, 0, sizeof(*ev));
	rd_copy(&r, &h, sizeof(h));
	if (r.bad || h.class == WIRE_NONE || h.class >= WIRE_CLASS_N)
		return DECODE_DAMAGED;
	ev->class = (enum event_class)h.class;
	if (h.len != rec.n || rec.n > WIRE_RECORD_MAX)
		return DECODE_DAMAGED;
	decode_body_fn body = body_of(h.class, h.version);
	if (!body)
		return DECODE_VERSION;
	d->used = 0;
	d->flags = h.flags;
	header_from_wire(ev, &h);
	ev->data = d->text;
	if (!body(d, &r, ev))
		return DECODE_DAMAGED;
	ev->data_len = d->used;
	return DECODE_OK;
}
