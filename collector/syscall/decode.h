/*
 * Wire records to events, every length checked: a damaged record is refused, never half used. The
 * decoder knows each version of a class's body that this build can read.
 */
#ifndef HW_SYSCALL_DECODE_H
#define HW_SYSCALL_DECODE_H

#include "base/event.h"
#include "base/scope.h"

struct decoder;

struct decoder *decoder_new(void);
void decoder_free(struct decoder *d);
DEFINE_AUTO(struct decoder, decoder_free)

enum decode_result {
	DECODE_OK,
	DECODE_DAMAGED, /* lengths or class that cannot be */
	DECODE_VERSION, /* a version of the body that this build does not know */
};

/*
 * Decode one record. ev->data is the decoder's and valid until the next call. ts_ns is left 0: the clocks'
 * difference is the caller's. EVENT_F_MISMATCH is set where the last components of the kernel's path and the
 * caller's differ; whether a link explains that is the caller's to find out (pathcheck.h).
 * On failure ev->class holds the class as far as it is one, else EVENT_NONE.
 */
enum decode_result decoder_record(struct decoder *d, struct str rec, struct event *ev);

#endif
