#include "base/sink.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Keeps one record. */
struct slot {
	struct record *held;
};

static enum sink_result slot_put(void *ctx, struct record *r)
{
	struct slot *s = ctx;

	if (s->held)
		return SINK_FULL;
	s->held = r;
	return SINK_OK;
}

static void every_place_of_loss_has_a_name(void **state)
{
	(void)state;
	for (unsigned int w = 0; w < LOSS_WHERE_N; w++)
		assert_string_not_equal(loss_where_name((enum loss_where)w), "unknown");
	assert_string_equal(loss_where_name(LOSS_WHERE_N), "unknown");
}

static void a_full_sink_leaves_the_record_with_the_caller(void **state)
{
	struct slot slot = { 0 };
	struct sink sink = { &slot, slot_put };
	struct record *first = record_new(RECORD_MARK), *second = record_new(RECORD_LOSS);

	(void)state;
	assert_int_equal(sink_put(&sink, first), SINK_OK);
	assert_int_equal(sink_put(&sink, second), SINK_FULL);
	assert_ptr_equal(slot.held, first);
	assert_int_equal(first->type, RECORD_MARK);
	record_free(slot.held);
	record_free(second);
}

static void freeing_frees_what_the_type_holds(void **state)
{
	struct event ev = { .class = EVENT_EXIT };

	(void)state;
	record_free(NULL);
	for (unsigned int t = RECORD_ALERT; t <= RECORD_STATE; t++)
		record_free(record_new((enum record_type)t));

	struct record *r = record_new(RECORD_ALERT);
	r->alert = alert_new();
	record_free(r);
	r = record_new(RECORD_EVENT);
	r->event.event = event_clone(&ev);
	record_free(r);
	r = record_new(RECORD_CONTAINER);
	r->container = container_new_bare(STR("abc"), RUNTIME_PODMAN, CONTAINER_KNOWN);
	record_free(r);
	r = record_new(RECORD_STATE);
	r->state.source = xstrndup("s", 1);
	r->state.detail = xstrndup("d", 1);
	record_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_place_of_loss_has_a_name),
		cmocka_unit_test(a_full_sink_leaves_the_record_with_the_caller),
		cmocka_unit_test(freeing_frees_what_the_type_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
