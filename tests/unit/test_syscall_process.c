#include "collector/syscall/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define assert_str(s, z)                                                                           \
	do {                                                                                       \
		struct str assert_s = (s);                                                         \
		if (!str_eqz(assert_s, z))                                                         \
			fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(assert_s), z);                  \
	} while (0)

#define NEWEST UINT64_MAX

#define NEW_TABLE(t)                                                                               \
	(void)state;                                                                               \
	AUTO(process_table_free) struct process_table *t = process_table_new(0)

static struct process_key key_of(uint32_t tgid)
{
	return (struct process_key){ tgid, tgid * 1000u };
}

/* Text of the events that are made here; spans into it. */
static char text[4096];
static uint32_t text_n;

static struct event_span span(const char *z)
{
	uint32_t len = (uint32_t)strlen(z);

	assert_in_range(text_n + len, 0, sizeof(text));
	memcpy(text + text_n, z, len);
	text_n += len;
	return (struct event_span){ text_n - len, len };
}

static struct event make(enum event_class class, uint32_t tgid, uint64_t exec_id)
{
	static uint64_t now;
	struct event ev = { .class = class, .key = key_of(tgid), .exec_id = exec_id };

	text_n = 0;
	ev.boot_ns = ++now;
	ev.uid = 1000;
	ev.ns_mnt = 5;
	ev.data = text;
	ev.data_len = sizeof(text);
	memcpy(ev.comm, "comm", 5);
	return ev;
}

static struct process *do_exec(struct process_table *t, uint32_t tgid, uint64_t exec_id,
	uint32_t parent, uint64_t parent_exec_id, const char *exe, uint64_t pos)
{
	struct event ev = make(EVENT_EXEC, tgid, exec_id);

	ev.exec.parent = parent ? key_of(parent) : (struct process_key){ 0 };
	ev.exec.parent_exec_id = parent_exec_id;
	ev.exec.ppid = parent;
	ev.exec.exe = span(exe);
	ev.exec.args = span("argv");
	ev.exec.args_total = 4;
	ev.exec.cwd = span("/cwd");
	ev.exec.cgroup = span("/cg");
	return process_table_exec(t, &ev, pos);
}

static struct process *do_fork(
	struct process_table *t, uint32_t tgid, uint64_t exec_id, uint32_t parent, uint32_t creator)
{
	struct event ev = make(EVENT_FORK, tgid, exec_id);

	ev.fork.parent = key_of(parent);
	ev.fork.parent_exec_id = exec_id;
	ev.fork.creator = key_of(creator);
	ev.fork.creator_exec_id = exec_id;
	ev.fork.ppid = parent;
	ev.fork.cgroup = span("/cg");
	return process_table_fork(t, &ev);
}

static const struct process *do_exit(
	struct process_table *t, uint32_t tgid, uint64_t exec_id, int32_t code, uint64_t pos)
{
	struct event ev = make(EVENT_EXIT, tgid, exec_id);

	ev.exit.code = code;
	return process_table_exit(t, &ev, pos);
}

static struct process *do_seed(struct process_table *t, uint32_t tgid, uint64_t exec_id,
	uint32_t parent, uint64_t parent_exec_id)
{
	struct event ev = make(EVENT_SEED, tgid, exec_id);

	ev.exec.parent = parent ? key_of(parent) : (struct process_key){ 0 };
	ev.exec.parent_exec_id = parent_exec_id;
	ev.exec.exe = span("/bin/seed");
	return process_table_seed(t, &ev, STR("seeded"));
}

static const struct process *do_open(
	struct process_table *t, uint32_t tgid, uint64_t exec_id, uint64_t pos)
{
	struct event ev = make(EVENT_OPEN, tgid, exec_id);

	return process_table_join(t, &ev, pos);
}

static const struct process *find(struct process_table *t, uint32_t tgid, uint64_t exec_id)
{
	return process_table_find(t, key_of(tgid), exec_id);
}

static void an_exec_is_found_by_key_and_generation(void **state)
{
	NEW_TABLE(t);
	struct process *p = do_exec(t, 10, 3, 0, 0, "/bin/a", 0);
	assert_ptr_equal(find(t, 10, 3), p);
	assert_ptr_equal(find(t, 10, NEWEST), p);
	assert_null(find(t, 10, 2));
	assert_null(process_table_find(t, (struct process_key){ 10, 1 }, NEWEST));
	assert_str(p->exe, "/bin/a");
	assert_str(p->args, "argv");
	assert_str(p->cwd, "/cwd");
	assert_str(p->cgroup, "/cg");
	assert_int_equal(p->uid, 1000);
	assert_false(p->partial);
	assert_false(p->truncated);
	assert_null(p->parent);
	assert_int_equal(process_table_count(t), 1);
}

static void a_fork_has_its_parents_program(void **state)
{
	NEW_TABLE(t);
	struct process *a = do_exec(t, 10, 3, 0, 0, "/bin/a", 0);
	struct process *b = do_fork(t, 11, 3, 10, 10);
	assert_str(b->exe, "/bin/a");
	assert_str(b->args, "argv");
	assert_ptr_equal(b->parent, a);
	assert_true(b->inherited);
	assert_false(b->partial);
	do_exec(t, 10, 4, 0, 0, "/bin/c", 0);
	assert_str(b->exe, "/bin/a");
	assert_ptr_equal(b->parent, a);
}

static void clone_parent_tells_creator_from_parent(void **state)
{
	NEW_TABLE(t);
	struct process *top = do_exec(t, 10, 3, 0, 0, "/bin/top", 0);
	do_exec(t, 11, 3, 10, 3, "/bin/creator", 0);
	struct process *p = do_fork(t, 12, 3, 10, 11);
	assert_ptr_equal(p->parent, top);
	assert_str(p->exe, "/bin/creator");
	/* an unknown creator is not the parent: whose program it runs is not known */
	struct process *q = do_fork(t, 13, 3, 10, 99);
	assert_ptr_equal(q->parent, top);
	assert_int_equal(q->exe.n, 0);
	assert_true(q->partial);
}

static void a_late_event_finds_the_program_that_caused_it(void **state)
{
	NEW_TABLE(t);
	struct process *a = do_exec(t, 10, 3, 0, 0, "/bin/a", 100);
	struct process *b = do_exec(t, 10, 4, 0, 0, "/bin/b", 200);
	do_exit(t, 10, 4, 0, 300);
	assert_ptr_equal(do_open(t, 10, 3, 0), a);
	assert_ptr_equal(do_open(t, 10, 4, 0), b);
	process_table_passed(t, 199);
	assert_ptr_equal(find(t, 10, 3), a);
	process_table_passed(t, 200);
	assert_null(find(t, 10, 3));
	assert_ptr_equal(find(t, 10, 4), b);
	process_table_passed(t, 299);
	assert_ptr_equal(find(t, 10, 4), b);
	process_table_passed(t, 300);
	assert_null(find(t, 10, NEWEST));
	assert_int_equal(process_table_count(t), 0);
}

static void an_exit_tells_code_and_time(void **state)
{
	NEW_TABLE(t);
	do_exec(t, 10, 3, 0, 0, "/bin/a", 0);
	const struct process *p = do_exit(t, 10, 3, 7 << 8, 10);
	assert_true(p->exited);
	assert_int_equal(p->exit_code, 7 << 8);
	assert_true(p->exit_ns > p->exec_ns);
}

static void the_same_number_with_another_start_is_another_process(void **state)
{
	NEW_TABLE(t);
	struct process *a = do_exec(t, 10, 3, 0, 0, "/bin/a", 0);
	do_exit(t, 10, 3, 0, 50);
	struct event ev = make(EVENT_FORK, 10, 3);
	ev.key.start_ns = 77;
	struct process *b = process_table_fork(t, &ev);
	assert_ptr_not_equal(a, b);
	assert_false(b->exited);
	process_table_passed(t, 50);
	assert_null(find(t, 10, NEWEST));
	assert_ptr_equal(process_table_find(t, ev.key, 3), b);
}

static void an_ancestor_stays_as_long_as_a_child_points_to_it(void **state)
{
	NEW_TABLE(t);
	struct process *a = do_exec(t, 10, 3, 0, 0, "/bin/a", 0);
	struct process *b = do_fork(t, 11, 3, 10, 10);
	do_exit(t, 10, 3, 0, 10);
	process_table_passed(t, 10);
	assert_null(find(t, 10, 3));
	assert_ptr_equal(b->parent, a);
	assert_str(a->exe, "/bin/a");
	assert_int_equal(process_table_count(t), 2);
	do_exit(t, 11, 3, 0, 20);
	process_table_passed(t, 20);
	assert_int_equal(process_table_count(t), 0);
}

static void who_is_held_stays(void **state)
{
	NEW_TABLE(t);
	struct process *a = do_exec(t, 10, 3, 0, 0, "/bin/a", 0);
	process_hold(a);
	process_hold(a);
	process_hold(NULL);
	do_exit(t, 10, 3, 0, 10);
	process_table_passed(t, 10);
	assert_str(a->exe, "/bin/a");
	process_release(t, a);
	assert_str(a->exe, "/bin/a");
	process_release(t, a);
	process_release(t, NULL);
	assert_int_equal(process_table_count(t), 0);
}

static void what_is_held_is_freed_with_the_table(void **state)
{
	NEW_TABLE(t);
	process_hold(do_exec(t, 10, 3, 0, 0, "/bin/a", 0));
	do_fork(t, 11, 3, 10, 10);
	do_exit(t, 10, 3, 0, 10);
	process_table_passed(t, 10);
}

static size_t depth_of(const struct process *p)
{
	size_t n = 0;

	for (; p; p = p->parent)
		n++;
	return n;
}

static void forking_for_ever_does_not_grow_the_table(void **state)
{
	NEW_TABLE(t);
	do_exec(t, 1, 3, 0, 0, "/bin/a", 0);
	for (uint32_t i = 2; i < 2000; i++) {
		struct process *p = do_fork(t, i, 3, i - 1, i - 1);
		assert_in_range(depth_of(p), i < PROCESS_MAX_LINEAGE ? i : PROCESS_MAX_LINEAGE,
			PROCESS_MAX_LINEAGE + 2);
		do_exit(t, i - 1, 3, 0, i);
		process_table_passed(t, i);
	}
	assert_in_range(process_table_count(t), 1, PROCESS_MAX_LINEAGE + 2);
}

static void forking_and_executing_for_ever_does_not_grow_the_table(void **state)
{
	NEW_TABLE(t);
	do_exec(t, 1, 3, 0, 0, "/bin/a", 0);
	for (uint32_t i = 2; i < 2000; i++) {
		/* the parent's execution that forked ends by an exec and not by the exit */
		do_fork(t, i, 3, i - 1, i - 1);
		do_exec(t, i - 1, 4, 0, 0, "/bin/true", i);
		process_table_passed(t, i);
		do_exit(t, i - 1, 4, 0, i);
		process_table_passed(t, i);
	}
	assert_in_range(process_table_count(t), 1, PROCESS_MAX_LINEAGE + 2);
}

static void living_ancestors_are_not_cut(void **state)
{
	NEW_TABLE(t);
	do_exec(t, 1, 3, 0, 0, "/bin/a", 0);
	struct process *p = NULL;
	for (uint32_t i = 2; i <= 100; i++)
		p = do_fork(t, i, 3, i - 1, i - 1);
	assert_int_equal(depth_of(p), 100);
}

static void the_creator_stays_the_parent_across_executions(void **state)
{
	NEW_TABLE(t);
	do_seed(t, 1, 1, 0, 0);
	struct process *a = do_exec(t, 10, 3, 1, 1, "/bin/a", 0);
	do_fork(t, 11, 3, 10, 10);
	do_exit(t, 10, 3, 0, 5);
	/* the kernel says init by now */
	struct process *b = do_exec(t, 11, 4, 1, 1, "/bin/b", 6);
	assert_ptr_equal(b->parent, a);
}

static void a_parent_is_the_execution_that_was_running_then(void **state)
{
	NEW_TABLE(t);
	struct process *a3 = do_exec(t, 10, 3, 0, 0, "/bin/a3", 0);
	struct process *a5 = do_exec(t, 10, 5, 0, 0, "/bin/a5", 9);
	assert_ptr_equal(do_fork(t, 11, 3, 10, 10)->parent, a3);
	assert_ptr_equal(do_fork(t, 12, 5, 10, 10)->parent, a5);
	/* 4 was never seen: the one before it is nearest */
	assert_ptr_equal(do_fork(t, 13, 4, 10, 10)->parent, a3);
	assert_ptr_equal(do_fork(t, 14, 2, 10, 10)->parent, a3);
	assert_ptr_equal(do_fork(t, 15, 9, 10, 10)->parent, a5);
}

static void a_child_of_nobody_known_is_partial(void **state)
{
	NEW_TABLE(t);
	struct process *p = do_fork(t, 11, 3, 10, 10);
	assert_true(p->partial);
	assert_null(p->parent);
	assert_int_equal(p->ppid, 10);
	assert_int_equal(p->exe.n, 0);
}

static void an_event_of_nobody_known_makes_a_partial_that_ends_with_the_ring(void **state)
{
	NEW_TABLE(t);
	const struct process *p = do_open(t, 10, 3, 50);
	assert_true(p->partial);
	assert_int_equal(p->uid, 1000);
	assert_int_equal(p->ns_mnt, 5);
	assert_int_equal(p->loginuid, UINT32_MAX);
	assert_string_equal(p->comm, "comm");
	assert_ptr_equal(do_open(t, 10, 3, 60), p);
	process_table_passed(t, 49);
	assert_ptr_equal(find(t, 10, 3), p);
	process_table_passed(t, 50);
	assert_int_equal(process_table_count(t), 0);
}

static void a_partial_is_completed(void **state)
{
	NEW_TABLE(t);
	do_open(t, 10, 3, 50);
	struct process *p = process_table_find(t, key_of(10), 3);
	process_table_complete(t, p, STR("/bin/late"), STR("late\0x\0"));
	assert_str(p->exe, "/bin/late");
	assert_int_equal(p->args.n, 7);
	assert_false(p->partial);
}

static void a_partial_whose_own_fork_is_read_after_all_lives_on(void **state)
{
	NEW_TABLE(t);
	do_exec(t, 9, 3, 0, 0, "/bin/a", 0);
	do_open(t, 10, 3, 50);
	do_open(t, 20, 8, 51);
	do_fork(t, 10, 3, 9, 9);
	process_table_passed(t, 60);
	const struct process *p = find(t, 10, 3);
	assert_non_null(p);
	assert_str(p->exe, "/bin/a");
	assert_null(find(t, 20, 8));
	do_exit(t, 10, 3, 0, 70);
	process_table_passed(t, 70);
	assert_null(find(t, 10, 3));
}

static void a_partial_whose_own_exec_is_read_after_all_lives_on(void **state)
{
	NEW_TABLE(t);
	do_open(t, 10, 3, 50);
	do_exec(t, 10, 3, 0, 0, "/bin/a", 55);
	process_table_passed(t, 60);
	assert_str(find(t, 10, 3)->exe, "/bin/a");
	assert_false(find(t, 10, 3)->partial);
}

static void a_missed_exec_is_the_new_present(void **state)
{
	NEW_TABLE(t);
	struct process *a = do_exec(t, 9, 3, 0, 0, "/bin/a", 0);
	do_fork(t, 10, 3, 9, 9);
	do_exec(t, 10, 4, 9, 3, "/bin/b", 10);
	const struct process *p = do_open(t, 10, 5, 20);
	assert_true(p->partial);
	assert_ptr_equal(p->parent, a);
	assert_int_equal(p->exe.n, 0);
	assert_str(p->cgroup, "/cg");
	process_table_passed(t, 20);
	assert_ptr_equal(find(t, 10, 5), p);
	assert_null(find(t, 10, 4));
	do_exit(t, 10, 5, 0, 30);
	process_table_passed(t, 30);
	assert_null(find(t, 10, NEWEST));
}

static void an_earlier_execution_than_the_seeds_ends_with_the_ring(void **state)
{
	NEW_TABLE(t);
	struct process *now = do_seed(t, 10, 6, 0, 0);
	const struct process *then = do_open(t, 10, 4, 50);
	assert_true(then->partial);
	/* and one whose exec is in the ring still */
	struct process *between = do_exec(t, 10, 5, 0, 0, "/bin/5", 60);
	assert_str(between->exe, "/bin/5");
	assert_ptr_equal(find(t, 10, NEWEST), now);
	process_table_passed(t, 60);
	assert_null(find(t, 10, 4));
	assert_null(find(t, 10, 5));
	assert_ptr_equal(find(t, 10, 6), now);
	do_exec(t, 10, 6, 0, 0, "/bin/6", 70);
	process_table_passed(t, 70);
	assert_str(find(t, 10, 6)->exe, "/bin/6");
}

static void an_event_after_the_exit_ends_with_the_ring_too(void **state)
{
	NEW_TABLE(t);
	do_exec(t, 10, 4, 0, 0, "/bin/a", 0);
	do_exit(t, 10, 4, 0, 10);
	assert_true(do_open(t, 10, 3, 20)->partial);
	process_table_passed(t, 20);
	assert_int_equal(process_table_count(t), 0);
}

static void an_exit_of_nobody_known_leaves_nothing(void **state)
{
	NEW_TABLE(t);
	const struct process *p = do_exit(t, 10, 3, 9, 10);
	assert_true(p->partial);
	assert_true(p->exited);
	assert_ptr_equal(do_exit(t, 10, 3, 9, 11), p);
	process_table_passed(t, 11);
	assert_int_equal(process_table_count(t), 0);
}

static void seeds_are_linked_in_any_order(void **state)
{
	NEW_TABLE(t);
	struct process *c = do_seed(t, 12, 1, 11, 2);
	struct process *b = do_seed(t, 11, 2, 10, 1);
	struct process *a = do_seed(t, 10, 1, 0, 0);
	process_table_link(t);
	assert_ptr_equal(c->parent, b);
	assert_ptr_equal(b->parent, a);
	assert_null(a->parent);
	assert_str(c->args, "seeded");
	assert_int_equal(c->exec_ns, c->key.start_ns);
}

static void a_fork_that_was_seeded_changes_nothing(void **state)
{
	NEW_TABLE(t);
	do_exec(t, 9, 1, 0, 0, "/bin/a", 0);
	struct process *p = do_seed(t, 10, 1, 0, 0);
	assert_ptr_equal(do_fork(t, 10, 1, 9, 9), p);
	assert_str(p->exe, "/bin/seed");
	assert_false(p->inherited);
}

static void a_full_table_refuses_and_counts(void **state)
{
	(void)state;
	AUTO(process_table_free) struct process_table *t = process_table_new(3);
	for (uint32_t i = 1; i <= 3; i++)
		assert_non_null(do_exec(t, i, 1, 0, 0, "/bin/a", 0));
	assert_null(do_exec(t, 4, 1, 0, 0, "/bin/a", 0));
	assert_null(do_fork(t, 5, 1, 1, 1));
	assert_null(do_open(t, 6, 1, 0));
	assert_null(do_exit(t, 7, 1, 0, 0));
	assert_null(do_seed(t, 8, 1, 0, 0));
	assert_int_equal(process_table_refused(t), 5);
	assert_int_equal(process_table_count(t), 3);
	/* who is in it is served still */
	assert_non_null(do_open(t, 2, 1, 0));
	do_exit(t, 1, 1, 0, 10);
	process_table_passed(t, 10);
	assert_non_null(do_exec(t, 4, 1, 0, 0, "/bin/a", 10));
}

static bool lives(void *ctx, struct process_key key)
{
	return key.tgid == *(uint32_t *)ctx;
}

static void who_is_gone_without_an_exit_is_swept_away(void **state)
{
	NEW_TABLE(t);
	uint32_t alive = 10;
	do_exec(t, 10, 3, 0, 0, "/bin/a", 0);
	do_exec(t, 11, 3, 10, 3, "/bin/b", 0);
	struct process *p = do_exec(t, 11, 4, 10, 3, "/bin/c", 5);
	process_table_sweep(t, 20, lives, &alive);
	assert_true(p->exited);
	process_table_passed(t, 19);
	assert_non_null(find(t, 11, 4));
	/* its exit comes after all */
	do_exit(t, 11, 4, 1, 21);
	process_table_sweep(t, 22, lives, &alive);
	process_table_passed(t, 30);
	assert_null(find(t, 11, NEWEST));
	assert_non_null(find(t, 10, 3));
	assert_int_equal(process_table_count(t), 1);
}

/* A long random life: nothing is lost, nothing stays. The sanitizers watch. */
static void at_the_end_of_everything_the_table_is_empty(void **state)
{
	(void)state;
	AUTO(process_table_free) struct process_table *t = process_table_new(500);
	uint64_t r = 42, pos = 0;
	uint64_t gen[64] = { 0 };
	for (int i = 0; i < 20000; i++) {
		r = r * 6364136223846793005u + 1442695040888963407u;
		uint32_t who = (uint32_t)(r >> 33) % 64, parent = (uint32_t)(r >> 45) % 64;
		pos += (r >> 60) % 3;
		switch ((r >> 20) % 6) {
		case 0:
			do_exec(t, who, ++gen[who], parent, gen[parent], "/bin/x", pos);
			break;
		case 1:
			do_fork(t, who, gen[who], parent < who ? parent : 99, parent);
			break;
		case 2:
			do_exit(t, who, gen[who], 0, pos);
			break;
		case 3:
			do_open(t, who, gen[who] - (gen[who] ? (r >> 50) % 2 : 0), pos);
			break;
		default:
			process_table_passed(t, pos > 4 ? pos - 4 : 0);
			break;
		}
	}
	for (uint32_t who = 0; who < 64; who++)
		do_exit(t, who, gen[who], 0, pos);
	process_table_passed(t, pos);
	assert_int_equal(process_table_count(t), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_exec_is_found_by_key_and_generation),
		cmocka_unit_test(a_fork_has_its_parents_program),
		cmocka_unit_test(clone_parent_tells_creator_from_parent),
		cmocka_unit_test(a_late_event_finds_the_program_that_caused_it),
		cmocka_unit_test(an_exit_tells_code_and_time),
		cmocka_unit_test(the_same_number_with_another_start_is_another_process),
		cmocka_unit_test(an_ancestor_stays_as_long_as_a_child_points_to_it),
		cmocka_unit_test(who_is_held_stays),
		cmocka_unit_test(what_is_held_is_freed_with_the_table),
		cmocka_unit_test(forking_for_ever_does_not_grow_the_table),
		cmocka_unit_test(forking_and_executing_for_ever_does_not_grow_the_table),
		cmocka_unit_test(living_ancestors_are_not_cut),
		cmocka_unit_test(the_creator_stays_the_parent_across_executions),
		cmocka_unit_test(a_parent_is_the_execution_that_was_running_then),
		cmocka_unit_test(a_child_of_nobody_known_is_partial),
		cmocka_unit_test(an_event_of_nobody_known_makes_a_partial_that_ends_with_the_ring),
		cmocka_unit_test(a_partial_is_completed),
		cmocka_unit_test(a_partial_whose_own_fork_is_read_after_all_lives_on),
		cmocka_unit_test(a_partial_whose_own_exec_is_read_after_all_lives_on),
		cmocka_unit_test(a_missed_exec_is_the_new_present),
		cmocka_unit_test(an_earlier_execution_than_the_seeds_ends_with_the_ring),
		cmocka_unit_test(an_event_after_the_exit_ends_with_the_ring_too),
		cmocka_unit_test(an_exit_of_nobody_known_leaves_nothing),
		cmocka_unit_test(seeds_are_linked_in_any_order),
		cmocka_unit_test(a_fork_that_was_seeded_changes_nothing),
		cmocka_unit_test(a_full_table_refuses_and_counts),
		cmocka_unit_test(who_is_gone_without_an_exit_is_swept_away),
		cmocka_unit_test(at_the_end_of_everything_the_table_is_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
