/* Wire records: whatever is accepted has its strings inside the event's data and survives a copy. */
#include "bpf/wire.h"
#include "collector/syscall/decode.h"

#include <stdlib.h>

static void check_span(const struct event *ev, struct event_span s)
{
	if (s.len > ev->data_len || s.off > ev->data_len - s.len)
		abort();
}

static void check_path(const struct event *ev, struct event_span s)
{
	check_span(ev, s);
	if (s.len && ev->data[s.off] != '/')
		abort();
}

static void check_exec(const struct event *ev)
{
	const struct event_exec *x = &ev->exec;

	check_span(ev, x->exe);
	check_path(ev, x->cwd);
	check_span(ev, x->args);
	check_span(ev, x->file);
	check_path(ev, x->cgroup);
	if (x->exe_memfd && !str_starts(event_str(ev, x->exe), STR("memfd:")))
		abort();
}

static void check_event(const struct event *ev)
{
	switch (ev->class) {
	case EVENT_OPEN:
		check_span(ev, ev->open.path);
		check_span(ev, ev->open.user);
		break;
	case EVENT_EXEC:
	case EVENT_SEED:
		check_exec(ev);
		break;
	case EVENT_FORK:
		check_path(ev, ev->fork.cgroup);
		break;
	case EVENT_CGROUP:
		check_path(ev, ev->cgroup.path);
		break;
	case EVENT_EXIT:
		break;
	default:
		check_span(ev, ev->net.path);
	}
	if (memchr(ev->comm, 0, sizeof(ev->comm)) == NULL)
		abort();
}

static void run(struct decoder *d, const uint8_t *data, size_t n)
{
	struct event ev;

	enum decode_result rc = decoder_record(d, str_of(data, n), &ev);
	if (ev.class >= EVENT_CLASS_N)
		abort();
	if (rc != DECODE_OK)
		return;
	check_event(&ev);
	AUTO(event_free) struct event *copy = event_clone(&ev);
	check_event(copy);
	AUTO(buf_fini) struct buf text = BUF_INIT(1 << 20);
	event_args_text(&text, &ev);
	event_type_name(&ev);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(decoder_free) struct decoder *d = decoder_new();
	uint32_t len = (uint32_t)n;

	run(d, data, n);
	if (n < sizeof(len))
		return 0;
	/* with the header's length put right: changes of the length itself would end all else early */
	AUTO_FREE uint8_t *copy = malloc(n);
	if (!copy)
		return 0;
	memcpy(copy, data, n);
	memcpy(copy, &len, sizeof(len));
	run(d, copy, n);
	return 0;
}
