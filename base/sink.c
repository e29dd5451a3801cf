#include "base/sink.h"

static const char *const loss_names[LOSS_WHERE_N] = {
	[LOSS_RING] = "ring",
	[LOSS_QUEUE] = "queue",
	[LOSS_DECODE] = "decode",
	[LOSS_VERSION] = "version",
	[LOSS_TABLE] = "table",
	[LOSS_STORE] = "store",
	[LOSS_KERNEL] = "kernel",
};

const char *loss_where_name(enum loss_where w)
{
	return (unsigned int)w < LOSS_WHERE_N ? loss_names[w] : "unknown";
}

struct record *record_new(enum record_type t)
{
	struct record *r = xcalloc(1, sizeof(*r));

	r->type = t;
	return r;
}

void record_free(struct record *r)
{
	if (!r)
		return;
	switch (r->type) {
	case RECORD_ALERT:
		alert_free(r->alert);
		break;
	case RECORD_EVENT:
		event_free(r->event.event);
		break;
	case RECORD_CONTAINER:
		container_free(r->container);
		break;
	case RECORD_STATE:
		free(r->state.source);
		free(r->state.detail);
		break;
	case RECORD_LOSS:
	case RECORD_MARK:
		break;
	}
	free(r);
}
