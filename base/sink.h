/*
 * Where collectors put what they found. A record is handed over whole: on SINK_OK it belongs to
 * the sink. cmd/ connects a sink to the store's queue; tests to a list.
 */
#ifndef HW_BASE_SINK_H
#define HW_BASE_SINK_H

#include "base/alert.h"

enum record_type {
	RECORD_ALERT,     /* never dropped */
	RECORD_EVENT,     /* raw: dropped and counted when there is no room */
	RECORD_CONTAINER, /* seen or changed */
	RECORD_LOSS,      /* something could not be kept */
	RECORD_MARK,      /* everything before it is in: the reader may advance its rings */
	RECORD_STATE,     /* a source of events came alive, went away, or is not there */
};

/* Why an event record is kept. */
enum event_why { EVENT_WHY_ALERT, EVENT_WHY_BEFORE, EVENT_WHY_ALL };

struct record_event {
	struct event *event;
	enum event_why why;
	char container_id[CONTAINER_ID_LEN + 1]; /* empty: host */
};

/* Where records were lost. */
enum loss_where {
	LOSS_RING,    /* the kernel found no room */
	LOSS_QUEUE,   /* the store's queue was full */
	LOSS_DECODE,  /* a record could not be understood */
	LOSS_VERSION, /* a record of another version that this build cannot read */
	LOSS_TABLE,   /* the process table was full: an event without its process */
	LOSS_STORE,   /* the store could not write it */
	LOSS_KERNEL,  /* the program could not read what it needed */
	LOSS_WHERE_N
};
const char *loss_where_name(enum loss_where w);

struct record_loss {
	uint64_t ts_ns;
	enum loss_where where;
	enum event_class class;
	uint32_t cpu;   /* UINT32_MAX: not of one CPU */
	uint64_t count; /* since the last such record */
};

/* Positions of the rings (bytes, as the kernel counts) and which rings they are. */
#define SINK_RINGS 2
struct record_mark {
	uint64_t ring_id; /* of the pair of rings; 0: nothing to persist */
	uint64_t pos[SINK_RINGS];
};

struct record_state {
	uint64_t ts_ns;
	char *source; /* "tp_btf/sys_exit", ... */
	bool alive;
	char *detail;
};

struct record {
	enum record_type type;
	union {
		struct alert *alert;
		struct record_event event;
		struct container *container;
		struct record_loss loss;
		struct record_mark mark;
		struct record_state state;
	};
};

struct record *record_new(enum record_type t);
void record_free(struct record *r);
DEFINE_AUTO(struct record, record_free)

enum sink_result { SINK_OK, SINK_FULL };

struct sink {
	void *ctx;
	/* Never blocks. SINK_FULL: the caller keeps the record (alerts: tries again; raw: counts). */
	enum sink_result (*put)(void *ctx, struct record *r);
};

static inline enum sink_result sink_put(const struct sink *s, struct record *r)
{
	return s->put(s->ctx, r);
}

#endif
