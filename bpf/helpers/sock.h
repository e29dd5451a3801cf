/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Sockets from the kernel's own objects: family, type, both ends; and addresses from user memory where there is no object. */
#ifndef HW_BPF_SOCK_H
#define HW_BPF_SOCK_H

#include "bpf/helpers/path.h"

#include <bpf/bpf_endian.h>

#define SOCK_S_IFMT   0170000
#define SOCK_S_IFSOCK 0140000
#define SOCK_AF_UNIX  1
#define SOCK_AF_INET  2
#define SOCK_AF_INET6 10
#define SOCK_LISTEN   10 /* TCP_LISTEN, also used by AF_UNIX */

static __always_inline struct sock *sock_of_file(struct file *f)
{
	struct socket *so;

	if (!f || (BPF_CORE_READ(f, f_inode, i_mode) & SOCK_S_IFMT) != SOCK_S_IFSOCK)
		return NULL;
	so = (struct socket *)BPF_CORE_READ(f, private_data);
	return so ? BPF_CORE_READ(so, sk) : NULL;
}

static __always_inline void sock_ends(struct wire_net *n, struct sock *sk)
{
	if (n->family == SOCK_AF_INET) {
		__u32 l = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
		__u32 r = BPF_CORE_READ(sk, __sk_common.skc_daddr);
		__builtin_memcpy(n->laddr, &l, 4);
		__builtin_memcpy(n->raddr, &r, 4);
	} else if (n->family == SOCK_AF_INET6) {
		bpf_core_read(n->laddr, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(n->raddr, 16, &sk->__sk_common.skc_v6_daddr);
	} else {
		return;
	}
	n->lport = BPF_CORE_READ(sk, __sk_common.skc_num);
	n->rport = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
}

static __always_inline void sock_read(struct wire_net *n, struct sock *sk)
{
	n->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	n->type = BPF_CORE_READ(sk, sk_type);
	n->protocol = BPF_CORE_READ(sk, sk_protocol);
	n->listening = BPF_CORE_READ(sk, __sk_common.skc_state) == SOCK_LISTEN;
	sock_ends(n, sk);
}

/* Append the bound name of an AF_UNIX socket; an abstract one with '@' for its NUL. */
static __always_inline __u32 append_unix_name(struct scratch *s, struct sock *sk)
{
	struct unix_address *a = BPF_CORE_READ((struct unix_sock *)sk, addr);
	__u32 off = s->off & SCRATCH_MASK;
	__u32 len;

	if (!a)
		return 0;
	len = (__u32)BPF_CORE_READ(a, len) - 2; /* less sun_family */
	if (len == 0 || len > WIRE_UNIX_MAX)
		return 0;
	bpf_probe_read_kernel(&s->rec[off], WIRE_UNIX_MAX, (void *)&a->name[0].sun_path);
	if (s->rec[off] == 0)
		s->rec[off] = '@';
	s->off = (off + len) & SCRATCH_MASK;
	return len;
}

/* An address from user memory into one end (or the path). Returns the path's length. */
static __always_inline __u32 append_user_addr(
	struct scratch *s, struct wire_net *n, __u64 from, __u32 len, bool remote)
{
	struct {
		__u16 family, port;
		__u32 a4;
		__u8 a6[16];
	} head = { 0 };
	__u32 off = s->off & SCRATCH_MASK;

	if (len < 3 || bpf_probe_read_user(&head, sizeof(head.family), (void *)from)) {
		s->flags |= WIRE_F_NO_USER;
		return 0;
	}
	if (!n->family)
		n->family = head.family;
	if (head.family == SOCK_AF_UNIX) {
		__u64 path = len - 2 < WIRE_UNIX_MAX ? len - 2 : WIRE_UNIX_MAX;
		asm volatile(""
			     : "+r"(path)); /* the bound in one 64-bit register, for the verifier */
		if (path > WIRE_UNIX_MAX ||
			bpf_probe_read_user(&s->rec[off], path, (void *)(from + 2)))
			return 0;
		if (s->rec[off] == 0)
			s->rec[off] = '@';
		s->off = (off + (__u32)path) & SCRATCH_MASK;
		return (__u32)path;
	}
	if (head.family != SOCK_AF_INET && head.family != SOCK_AF_INET6)
		return 0;
	if (bpf_probe_read_user(&head, head.family == SOCK_AF_INET ? 8 : 24, (void *)from)) {
		s->flags |= WIRE_F_NO_USER;
		return 0;
	}
	__u8 *to = remote ? n->raddr : n->laddr;
	if (head.family == SOCK_AF_INET)
		__builtin_memcpy(to, &head.a4, 4);
	else
		__builtin_memcpy(to, head.a6, 16);
	if (remote)
		n->rport = bpf_ntohs(head.port);
	else
		n->lport = bpf_ntohs(head.port);
	return 0;
}

#endif
