/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The kernel structs and fields that the programs read, and no others. Offsets are found at load
 * time (CO-RE), so order and size here mean nothing; names and types do. Written by hand: a
 * build does not depend on the build host's kernel. A name with ___ is another kernel's flavour of a struct.
 */
#ifndef HW_BPF_KERNEL_H
#define HW_BPF_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	unsigned int val;
} kuid_t;

typedef struct {
	unsigned int val;
} kgid_t;

struct pt_regs {
	unsigned long bp, bx, r10, r9, r8, cx, dx, si, di, orig_ax;
};

struct thread_info {
	unsigned int status;
};

struct ns_common {
	unsigned int inum;
};
struct pid_namespace {
	struct ns_common ns;
};
struct mnt_namespace {
	struct ns_common ns;
};
struct net {
	struct ns_common ns;
};
struct uts_namespace {
	struct ns_common ns;
};
struct ipc_namespace {
	struct ns_common ns;
};
struct cgroup_namespace {
	struct ns_common ns;
};
struct user_namespace {
	struct ns_common ns;
};
struct nsproxy {
	struct uts_namespace *uts_ns;
	struct ipc_namespace *ipc_ns;
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
	struct cgroup_namespace *cgroup_ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};
struct pid {
	unsigned int level;
	struct upid numbers[1];
};

/* 64 bits in every kernel, as two words until 6.2, as one since: read whole */
typedef struct {
	unsigned long long val;
} kernel_cap_t;

struct cred {
	kuid_t uid, euid;
	kgid_t gid;
	kernel_cap_t cap_inheritable, cap_permitted, cap_effective;
	struct user_namespace *user_ns;
};

struct tty_driver {
	int major, minor_start;
};
struct tty_struct {
	struct tty_driver *driver;
	int index;
};

/* enum pid_type of the kernel: PID, TGID, PGID, SID since 4.19 */
#define PIDTYPE_PGID_AT        2
#define PIDTYPE_SID_AT         3
#define TASK_SIGNAL_GROUP_EXIT 0x4
struct signal_struct {
	atomic_t live;
	int nr_threads;
	int group_exit_code;
	unsigned int flags;
	struct pid *pids[4];
	struct tty_struct *tty;
};

struct qstr {
	unsigned int len;
	const unsigned char *name;
};
struct super_block {
	unsigned int s_dev;
	unsigned long s_magic;
};
struct timespec64 {
	long long tv_sec;
	long tv_nsec;
};
struct inode {
	unsigned short i_mode;
	unsigned int i_nlink;
	unsigned long i_ino;
	struct super_block *i_sb;
	struct timespec64 i_ctime, i_mtime; /* until 6.5 and 6.6 */
};
struct inode___ctime {
	struct timespec64 __i_ctime, __i_mtime; /* 6.6 to 6.10 */
};
struct inode___sec {
	long long i_ctime_sec, i_mtime_sec; /* since 6.11 */
	unsigned int i_ctime_nsec, i_mtime_nsec;
};
struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
};
struct vfsmount {
	struct dentry *mnt_root;
};
struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};
struct file {
	struct path f_path;
	struct inode *f_inode;
	void *private_data;
};
struct fs_struct {
	struct path root, pwd;
};
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};
struct files_struct {
	struct fdtable *fdt;
};
struct mm_struct {
	unsigned long arg_start, arg_end;
	struct file *exe_file;
};
struct linux_binprm {
	const char *filename;
};

struct kernfs_node {
	struct kernfs_node *parent; /* until 6.14 */
	const char *name;
	unsigned long long id;
};
struct kernfs_node___rcu {
	struct kernfs_node *__parent; /* since 6.15 */
};
struct cgroup_root {
	int hierarchy_id;
};
struct cgroup {
	struct kernfs_node *kn;
	struct cgroup_root *root;
};
struct cgroup_subsys_state {
	struct cgroup *cgroup;
};
struct css_set {
	struct cgroup *dfl_cgrp;
	struct cgroup_subsys_state *subsys[16];
};
enum cgroup_subsys_id {
	/* values are the running kernel's: found by bpf_core_enum_value() */
	cpuset_cgrp_id = 1,
	cpu_cgrp_id = 2,
	memory_cgrp_id = 3,
	devices_cgrp_id = 4,
	pids_cgrp_id = 5,
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	int exit_code;
	int pid, tgid;
	struct task_struct *real_parent, *group_leader;
	struct pid *thread_pid;
	unsigned long long start_boottime;
	unsigned long long self_exec_id;
	struct cred *cred;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct mm_struct *mm;
	kuid_t loginuid;
	unsigned int sessionid;
	struct css_set *cgroups;
};
#define TASK_PF_KTHREAD 0x00200000

struct in6_addr {
	unsigned char bytes[16];
};
struct sock_common {
	unsigned int skc_daddr, skc_rcv_saddr;
	unsigned short skc_dport, skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};
struct sock {
	struct sock_common __sk_common;
	unsigned short sk_type, sk_protocol;
};
struct socket {
	short type;
	struct sock *sk;
	struct file *file;
};
struct sockaddr_un {
	unsigned short sun_family;
	char sun_path[108];
};
struct unix_address {
	int len;
	struct sockaddr_un name[];
};
struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
};
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

#endif
