/*
 * Reading one BPF ring buffer by its mapped pages, without giving anything back to the kernel
 * until told so: what was read stays in the ring as long as it may be needed again.
 * Layout: kernel/bpf/ringbuf.c (consumer page, producer page, data).
 * Belongs to the capture thread.
 */
#ifndef HW_SYSCALL_RING_H
#define HW_SYSCALL_RING_H

#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"

struct ring;

/* `fd` is the map's, `size` its max_entries; the descriptor stays the caller's. ERR_SYS. */
int ring_open(struct ring **out, int fd, uint32_t size, struct err *e);
void ring_close(struct ring *r);
DEFINE_AUTO(struct ring, ring_close)

enum ring_result {
	RING_EMPTY,
	RING_RECORD,
	RING_BUSY,    /* the next one is being written right now */
	RING_DAMAGED, /* a length that cannot be; reading goes on behind all that is there now */
};

/*
 * Step over the next record. With RING_RECORD *rec is valid until the next call.
 * Discarded records are skipped.
 */
enum ring_result ring_next(struct ring *r, struct str *rec);

uint64_t ring_position(const struct ring *r); /* behind the last record read */
uint64_t ring_released(const struct ring *r); /* what the kernel may overwrite ends here */
uint64_t ring_produced(const struct ring *r);
uint32_t ring_size(const struct ring *r);

/* Give everything before `pos`, a position that ring_position() once had, back to the kernel. */
void ring_release(struct ring *r, uint64_t pos);

#endif
