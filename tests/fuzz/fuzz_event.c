/* Stored events: whatever unpacks has to be usable, and packs to the same bytes again. */
#include "base/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(event_free) struct event *ev = NULL;
	AUTO(buf_fini) struct buf text = BUF_INIT(1 << 20), packed = BUF_INIT(2 << 20);
	char id[EVENT_ID_LEN + 1];
	struct err e;

	if (event_unpack(&ev, str_of(data, n), &e))
		return 0;
	event_args_text(&text, ev);
	buf_puts(&text, event_type_name(ev));
	event_make_id(ev, STR("boot"), STR("rule"), id);
	if (ev->class >= EVENT_CONNECT && ev->class <= EVENT_SOCKET)
		event_net_tuple(&text, ev);
	event_pack(&packed, ev);
	if (packed.n != n)
		abort();
	AUTO(event_free) struct event *again = event_clone(ev);
	return again->data_len == ev->data_len ? 0 : (abort(), 0);
}
