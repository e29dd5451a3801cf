// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Network: socket, connect, accept, bind, listen. Reached by tail call with the arguments of sys_exit. */
#include "bpf/helpers/arch.h"
#include "bpf/helpers/cond.h"
#include "bpf/helpers/sock.h"

#include <bpf/bpf_tracing.h>

#define NET_EINPROGRESS 115
#define I386_SOCKETCALL 102

/* The 32-bit table's old gate: the arguments are an array in user memory. */
static __always_inline void socketcall_unfold(struct call *call)
{
	__u32 args[4] = { 0 };

	if (!call->compat || call->nr != I386_SOCKETCALL)
		return;
	bpf_probe_read_user(args, sizeof(args), (void *)call->arg[1]);
	for (int i = 0; i < 4; i++)
		call->arg[i] = args[i];
}

static __always_inline void net_socket(struct wire_net *n, const struct call *call)
{
	n->family = (__u16)call->arg[0];
	n->type = (__u16)(call->arg[1] & 0xf);
	n->protocol = (__u16)call->arg[2];
}

/* Fill from the kernel's socket, and from user memory what it cannot say any more. */
static __always_inline void net_fill(struct scratch *s, struct wire_net *n, struct task_struct *t,
	const struct call *call, __u32 class, long ret)
{
	struct sock *sk = sock_of_file(file_of_fd(t, n->fd, false));
	bool failed = ret < 0 && ret != -NET_EINPROGRESS;

	if (sk)
		sock_read(n, sk);
	if (class == WIRE_LISTEN)
		n->backlog = (__u16)call->arg[1];
	if (!sk || ((class == WIRE_CONNECT || class == WIRE_BIND) && failed))
		s->flags |= WIRE_F_UNVERIFIED;
	if (class == WIRE_CONNECT && n->family == SOCK_AF_UNIX)
		s->flags |=
			WIRE_F_UNVERIFIED; /* the name is the caller's word, also when it succeeded */
	if (class == WIRE_CONNECT && (n->family == SOCK_AF_UNIX || failed || !sk))
		n->path_len = (__u16)append_user_addr(
			s, n, call->arg[1], (__u32)call->arg[2], true);
	else if (class == WIRE_BIND && (failed || !sk))
		n->path_len = (__u16)append_user_addr(
			s, n, call->arg[1], (__u32)call->arg[2], false);
	else if (sk && n->family == SOCK_AF_UNIX)
		n->path_len = (__u16)append_unix_name(s, sk);
}

static __always_inline int net_exit(struct pt_regs *regs, long ret, __u32 class)
{
	struct wire_control *c = control_get();
	struct scratch *s = scratch_get(SCRATCH_CALL);
	struct task_struct *t = (struct task_struct *)bpf_get_current_task();
	struct call call;

	if (!c || !s)
		return 0;
	if (task_is_reader(c, t, false) || !cond_pass(c, class)) {
		count(c, class, COUNT_FILTERED);
		return 0;
	}
	call_read(&call, regs, BPF_CORE_READ(t, thread_info.status) & ARCH_TS_COMPAT);
	socketcall_unfold(&call);
	record_start(s, t, class, WIRE_VERSION_NET, false);
	struct wire_hdr *h = (struct wire_hdr *)s->rec;
	struct wire_net *n = RECORD_BODY(s, wire_net);
	h->nr = call.nr;
	h->ret = ret;
	if (call.compat)
		h->flags |= WIRE_F_COMPAT;
	if (class == WIRE_SOCKET) {
		n->fd = (__s32)ret;
		net_socket(n, &call);
	} else {
		n->fd = class == WIRE_ACCEPT ? (__s32)ret : (__s32)call.arg[0];
		net_fill(s, n, t, &call, class, ret);
	}
	EMIT_TO(c, s, ring_main, WIRE_RING_MAIN);
	return 0;
}

#define NET_PROGRAM(name, class)                                                                   \
	SEC("tp_btf/sys_exit")                                                                     \
	int BPF_PROG(name, struct pt_regs *regs, long ret)                                         \
	{                                                                                          \
		return net_exit(regs, ret, class);                                                 \
	}

NET_PROGRAM(hw_socket, WIRE_SOCKET)
NET_PROGRAM(hw_connect, WIRE_CONNECT)
NET_PROGRAM(hw_accept, WIRE_ACCEPT)
NET_PROGRAM(hw_bind, WIRE_BIND)
NET_PROGRAM(hw_listen, WIRE_LISTEN)

/* All five behind one number of the 32-bit table: the first argument tells which. */
SEC("tp_btf/sys_exit")
int BPF_PROG(hw_socketcall, struct pt_regs *regs, long ret)
{
	struct wire_control *c = control_get();
	__u32 class;

	if (!c)
		return 0;
	switch ((__u32)regs->bx) {
	case 1:
		class = WIRE_SOCKET;
		break;
	case 2:
		class = WIRE_BIND;
		break;
	case 3:
		class = WIRE_CONNECT;
		break;
	case 4:
		class = WIRE_LISTEN;
		break;
	case 5:
	case 18:
		class = WIRE_ACCEPT;
		break;
	default:
		return 0;
	}
	if (c->socketcall & (1u << class))
		bpf_tail_call(ctx, &programs, class);
	return 0;
}
