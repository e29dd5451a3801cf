/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Paths from the kernel's own objects. A walk goes from a dentry up to the process's root,
 * over mount points, and appends "name/" for each component (wire.h): what was really opened, whatever the
 * caller's memory says by now.
 */
#ifndef HW_BPF_PATH_H
#define HW_BPF_PATH_H

#include "bpf/helpers/task.h"

#define WALK_MAX_COMPONENTS 160

/* Set the walk's end: the root directory of `t`. */
static __always_inline void walk_root(struct scratch *s, struct task_struct *t, bool fast)
{
	struct fs_struct *fs = GET(fast, t, fs);

	s->root_dentry = 0;
	s->root_mount = 0;
	if (!fs)
		return;
	s->root_dentry = (__u64)GET(fast, fs, root.dentry);
	s->root_mount = (__u64)GET(fast, fs, root.mnt);
}

static __always_inline __u64 mount_of(__u64 vfsmount)
{
	return vfsmount - bpf_core_field_offset(struct mount, mnt);
}

/* Append one component and its '/'. Returns 1 when it does not fit. */
static __always_inline int walk_append(struct scratch *s, struct dentry *d, __u32 end, bool fast)
{
	__u32 len = GET(fast, d, d_name.len) & 0xff; /* NAME_MAX */
	const unsigned char *name = GET(fast, d, d_name.name);
	__u32 off = s->off & SCRATCH_MASK;

	if (off + len + 1 > end) {
		s->flags |= WIRE_F_TRUNCATED;
		return 1;
	}
	bpf_probe_read_kernel(&s->rec[off], len, name);
	off = (off + len) & SCRATCH_MASK;
	s->rec[off] = '/';
	s->off = off + 1;
	return 0;
}

/* One step of the walk. Returns 1 at its end. */
static __always_inline int walk_step(struct scratch *s, __u32 end, bool first, bool fast)
{
	if (s->dentry == s->root_dentry && s->mount == s->root_mount)
		return 1;
	struct dentry *d = CAST(fast, dentry, s->dentry);
	__u64 parent = (__u64)GET(fast, d, d_parent);

	if (s->dentry == s->mount_root) {
		struct mount *m = (struct mount *)mount_of(s->mount);
		struct mount *up = BPF_CORE_READ(m, mnt_parent);
		if (m == up) {
			s->flags |= WIRE_F_DETACHED;
			return 1;
		}
		s->dentry = (__u64)BPF_CORE_READ(m, mnt_mountpoint);
		s->mount = (__u64)up + bpf_core_field_offset(struct mount, mnt);
		s->mount_root = (__u64)BPF_CORE_READ(up, mnt.mnt_root);
		return 0;
	}
	if (s->dentry == parent) {
		/* a root that no mount shows: memfd, pipe, or a lazily unmounted tree */
		if (!first) {
			s->flags |= WIRE_F_DETACHED;
			return 1;
		}
		walk_append(s, d, end, fast);
		s->off = (s->off - 1) & SCRATCH_MASK; /* a bare name has no '/' */
		s->flags |= WIRE_F_PSEUDO;
		return 1;
	}
	if (walk_append(s, d, end, fast))
		return 1;
	s->dentry = parent;
	return 0;
}

/*
 * Append the path of (mnt, dentry); walk_root() came before. Returns its length. The offset lives in
 * the map so that the verifier finds the rounds alike.
 */
static __always_inline __u32 walk_path(
	struct scratch *s, struct vfsmount *mnt, struct dentry *dentry, bool fast)
{
	__u32 start = s->off & SCRATCH_MASK;
	__u32 end = start + WIRE_PATH_MAX;
	int i;

	if (!dentry || !mnt)
		return 0;
	s->dentry = (__u64)dentry;
	s->mount = (__u64)mnt;
	s->mount_root = (__u64)GET(fast, mnt, mnt_root);
	for (i = 0; i < WALK_MAX_COMPONENTS; i++) {
		if (walk_step(s, end, i == 0, fast))
			break;
	}
	if (i == WALK_MAX_COMPONENTS)
		s->flags |= WIRE_F_TRUNCATED;
	return (s->off & SCRATCH_MASK) - start;
}

/* Append a string of the caller's memory. Returns its length without NUL; 0 and a mark when unreadable. */
static __always_inline __u32 append_user_str(struct scratch *s, const void *from, __u32 max)
{
	__u32 off = s->off & SCRATCH_MASK;
	long n = bpf_probe_read_user_str(&s->rec[off], max, from);

	if (n <= 0) {
		s->flags |= WIRE_F_NO_USER;
		return 0;
	}
	n--;
	if ((__u32)n == max - 1)
		s->flags |= WIRE_F_TRUNCATED;
	s->off = (off + (__u32)n) & SCRATCH_MASK;
	return (__u32)n;
}

static __always_inline __u32 append_kernel_str(struct scratch *s, const void *from, __u32 max)
{
	__u32 off = s->off & SCRATCH_MASK;
	long n = bpf_probe_read_kernel_str(&s->rec[off], max, from);

	if (n <= 1)
		return 0;
	s->off = (off + (__u32)n - 1) & SCRATCH_MASK;
	return (__u32)n - 1;
}

/* The open file behind a descriptor of the current task, or NULL. */
static __always_inline struct file *file_of_fd(struct task_struct *t, __s64 fd, bool fast)
{
	struct files_struct *files = GET(fast, t, files);
	struct fdtable *fdt;
	struct file **table;
	struct file *f = NULL;

	if (!files)
		return NULL;
	fdt = GET(fast, files, fdt);
	if (!fdt || fd < 0 || fd >= (__s64)GET(fast, fdt, max_fds))
		return NULL;
	table = GET(fast, fdt, fd);
	bpf_probe_read_kernel(&f, sizeof(f), &table[fd]);
	return f;
}

struct inode_facts {
	__u64 dev, ino, ctime_ns, mtime_ns;
	__u32 mode, nlink;
	bool upper;
};

/* Userland's dev_t from the kernel's: major 12 bits, minor 20 bits (new_encode_dev). */
static __always_inline __u64 encode_dev(__u32 dev)
{
	__u32 major = dev >> 20, minor = dev & 0xfffff;

	return (minor & 0xff) | (major << 8) | ((__u64)(minor & ~0xffu) << 12);
}

static __always_inline void inode_read_times(struct inode *inode, struct inode_facts *out)
{
	if (bpf_core_field_exists(((struct inode___sec *)0)->i_ctime_sec)) {
		struct inode___sec *i = (void *)inode;
		/* the top bit is a mark of its own since 6.13 (I_CTIME_QUERIED) */
		out->ctime_ns = (__u64)BPF_CORE_READ(i, i_ctime_sec) * 1000000000u +
				(BPF_CORE_READ(i, i_ctime_nsec) & 0x7fffffffu);
		out->mtime_ns = (__u64)BPF_CORE_READ(i, i_mtime_sec) * 1000000000u +
				BPF_CORE_READ(i, i_mtime_nsec);
	} else if (bpf_core_field_exists(((struct inode___ctime *)0)->__i_mtime)) {
		struct inode___ctime *i = (void *)inode;
		out->ctime_ns = (__u64)BPF_CORE_READ(i, __i_ctime.tv_sec) * 1000000000u +
				(__u64)BPF_CORE_READ(i, __i_ctime.tv_nsec);
		out->mtime_ns = (__u64)BPF_CORE_READ(i, __i_mtime.tv_sec) * 1000000000u +
				(__u64)BPF_CORE_READ(i, __i_mtime.tv_nsec);
	} else if (bpf_core_field_exists(inode->i_mtime)) {
		out->mtime_ns = (__u64)BPF_CORE_READ(inode, i_mtime.tv_sec) * 1000000000u +
				(__u64)BPF_CORE_READ(inode, i_mtime.tv_nsec);
		if (bpf_core_field_exists(inode->i_ctime))
			out->ctime_ns = (__u64)BPF_CORE_READ(inode, i_ctime.tv_sec) * 1000000000u +
					(__u64)BPF_CORE_READ(inode, i_ctime.tv_nsec);
	}
}

#define OVERLAYFS_MAGIC 0x794c7630

/*
 * Upper layer of an overlay: the overlay's own inode (struct ovl_inode) embeds the VFS inode and keeps
 * the upper dentry right behind it. A layout that no header promises: checked on 5.10 to 7.2.
 */
static __always_inline bool inode_is_upper(struct inode *inode)
{
	void *upper = NULL;

	if (BPF_CORE_READ(inode, i_sb, s_magic) != OVERLAYFS_MAGIC)
		return false;
	bpf_probe_read_kernel(
		&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode));
	return upper != NULL;
}

#endif
