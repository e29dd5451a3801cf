#include "tests/unit/wire_make.h"

#include <stdlib.h>

void wire_make_start(struct wire_make *w, uint8_t class, uint8_t version)
{
	struct wire_hdr h = {
		.class = class,
		.version = version,
		.cpu = 3,
		.seq = 0x1234567890,
		.boot_ns = 987654321000,
		.start_ns = WIRE_MAKE_START,
		.exec_id = 7,
		.cgroup_id = 4242,
		.tgid = WIRE_MAKE_TGID,
		.tid = WIRE_MAKE_TGID + 1,
		.uid = 1000,
		.gid = 1001,
		.euid = 1002,
		.ns_mnt = 4026531840u,
		.nr = -1,
		.comm = "sh",
	};

	w->n = 0;
	wire_make_put(w, &h, sizeof(h));
}

void wire_make_put(struct wire_make *w, const void *p, size_t n)
{
	if (n > sizeof(w->bytes) - w->n)
		abort();
	if (n)
		memcpy(w->bytes + w->n, p, n);
	w->n += n;
}

static void put_str(struct wire_make *w, struct str s)
{
	wire_make_put(w, s.p, s.n);
}

void wire_make_flags(struct wire_make *w, uint32_t flags)
{
	memcpy(w->bytes + offsetof(struct wire_hdr, flags), &flags, sizeof(flags));
}

void wire_make_ret(struct wire_make *w, int64_t ret)
{
	memcpy(w->bytes + offsetof(struct wire_hdr, ret), &ret, sizeof(ret));
}

struct str wire_make_end(struct wire_make *w)
{
	uint32_t len = (uint32_t)w->n;

	memcpy(w->bytes + offsetof(struct wire_hdr, len), &len, sizeof(len));
	return str_of(w->bytes, w->n);
}

struct str wire_make_open(struct wire_make *w, uint32_t flags, struct str path, struct str user)
{
	struct wire_open body = {
		.dev = 0xfd01,
		.ino = 99,
		.oflags = 02000000,
		.mode = 0640,
		.dirfd = -100,
		.file_mode = 0100644,
		.path_len = (uint16_t)path.n,
		.user_len = (uint16_t)user.n,
	};

	wire_make_start(w, WIRE_OPEN, WIRE_VERSION_OPEN);
	wire_make_flags(w, flags);
	wire_make_put(w, &body, sizeof(body));
	put_str(w, path);
	put_str(w, user);
	return wire_make_end(w);
}

struct str wire_make_net(struct wire_make *w, uint8_t class, struct wire_net body, struct str path)
{
	body.path_len = (uint16_t)path.n;
	wire_make_start(w, class, WIRE_VERSION_NET);
	wire_make_put(w, &body, sizeof(body));
	put_str(w, path);
	return wire_make_end(w);
}

struct str wire_make_cgroup(struct wire_make *w, struct wire_cgroup body, struct str path)
{
	body.path_len = (uint16_t)path.n;
	wire_make_start(w, WIRE_CGROUP, WIRE_VERSION_CGROUP);
	wire_make_put(w, &body, sizeof(body));
	put_str(w, path);
	return wire_make_end(w);
}

struct str wire_make_fork(struct wire_make *w, struct wire_fork body, struct str cgroup)
{
	body.cgroup_len = (uint16_t)cgroup.n;
	wire_make_start(w, WIRE_FORK, WIRE_VERSION_FORK);
	wire_make_put(w, &body, sizeof(body));
	put_str(w, cgroup);
	return wire_make_end(w);
}

struct str wire_make_exit(struct wire_make *w, int32_t code)
{
	struct wire_exit body = { .code = code };

	wire_make_start(w, WIRE_EXIT, WIRE_VERSION_EXIT);
	wire_make_put(w, &body, sizeof(body));
	return wire_make_end(w);
}

struct str wire_make_exec(struct wire_make *w, const struct wire_make_exec *x)
{
	struct wire_exec body = x->body;

	body.exe_len = (uint16_t)x->exe.n;
	body.cwd_len = (uint16_t)x->cwd.n;
	body.args_len = (uint16_t)x->args.n;
	body.file_len = (uint16_t)x->file.n;
	body.cgroup_len = (uint16_t)x->cgroup.n;
	wire_make_start(w, x->class, WIRE_VERSION_EXEC);
	wire_make_flags(w, x->flags);
	wire_make_ret(w, x->ret);
	if (x->tgid) {
		memcpy(w->bytes + offsetof(struct wire_hdr, tgid), &x->tgid, sizeof(x->tgid));
		memcpy(w->bytes + offsetof(struct wire_hdr, start_ns), &x->start_ns,
			sizeof(x->start_ns));
	}
	wire_make_put(w, &body, sizeof(body));
	put_str(w, x->exe);
	put_str(w, x->cwd);
	put_str(w, x->args);
	put_str(w, x->file);
	put_str(w, x->cgroup);
	return wire_make_end(w);
}
