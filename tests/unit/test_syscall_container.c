#include "collector/syscall/container.h"

#include "tests/unit/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#define A "8f3c5e0a1b2d4c6f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7"
#define B "01234567890abcdef01234567890abcdef01234567890abcdef0123456789abc"

#define PODMAN "/libpod_parent/libpod-" A
#define WEAK   "/some/" B

enum { HOST_MNT = 1, HOST_PID = 2, OWN_MNT = 11, OWN_PID = 12 };

struct asked {
	size_t n, refuse; /* the first so many are refused */
	char last[CONTAINER_ID_LEN + 1];
};
static struct asked asked;

static bool ask(void *ctx, const struct container *c)
{
	struct asked *a = ctx;

	assert_int_equal(c->state, CONTAINER_PENDING);
	memcpy(a->last, c->id, sizeof(a->last));
	return a->n++ >= a->refuse;
}

static struct container_table *table_new(void)
{
	memset(&asked, 0, sizeof(asked));
	struct container_table *t = container_table_new(ask, &asked);
	container_table_add_host(t, HOST_MNT, HOST_PID);
	return t;
}

static const struct container *of_process(
	struct container_table *t, const char *cgroup, uint32_t ns_mnt, uint32_t ns_pid)
{
	struct process p = { .cgroup = str_from(cgroup), .ns_mnt = ns_mnt, .ns_pid = ns_pid };

	return container_table_of_process(t, &p);
}

static const struct container *of_event(struct container_table *t, uint64_t cgroup_id,
	uint32_t ns_mnt, const struct container *of_its_process)
{
	struct event ev = { .cgroup_id = cgroup_id, .ns_mnt = ns_mnt };
	struct process p = { .container = of_its_process };

	return container_table_of_event(t, &ev, &p);
}

static void a_process_in_a_containers_cgroup_is_the_containers(void **state)
{
	(void)state;
	AUTO(container_table_free) struct container_table *t = table_new();
	const struct container *c = of_process(t, PODMAN, OWN_MNT, OWN_PID);
	assert_non_null(c);
	assert_string_equal(c->id, A);
	assert_int_equal(c->runtime, RUNTIME_PODMAN);
	assert_int_equal(c->state, CONTAINER_PENDING);
	assert_ptr_equal(of_process(t, PODMAN "/sub", OWN_MNT, OWN_PID), c);
	assert_ptr_equal(container_table_find(t, STR(A)), c);
	assert_int_equal(asked.n, 1);
	assert_string_equal(asked.last, A);
}

static void the_hosts_mount_namespace_is_the_hosts(void **state)
{
	(void)state;
	AUTO(container_table_free) struct container_table *t = table_new();
	assert_null(of_process(t, PODMAN, HOST_MNT, HOST_PID));
	assert_null(of_process(t, PODMAN, HOST_MNT, OWN_PID));
	assert_null(of_process(t, PODMAN, 0, OWN_PID)); /* not known: a process on its way out */
	assert_int_equal(asked.n, 0);
	assert_int_equal(container_table_count(t), 0);
}

static void a_cgroup_that_names_no_container_is_the_hosts(void **state)
{
	(void)state;
	AUTO(container_table_free) struct container_table *t = table_new();
	assert_null(of_process(t, "/system.slice/ssh.service", OWN_MNT, OWN_PID));
	assert_null(of_process(t, "/", OWN_MNT, OWN_PID));
	assert_null(of_process(t, "", OWN_MNT, OWN_PID));
	assert_null(of_process(t, "/libpod_parent/libpod-" A "x", OWN_MNT, OWN_PID));
}

static void a_weak_name_needs_more_than_private_mounts(void **state)
{
	(void)state;
	AUTO(container_table_free) struct container_table *t = table_new();
	assert_null(of_process(t, WEAK, OWN_MNT, HOST_PID));
	assert_int_equal(asked.n, 0);
	const struct container *c = of_process(t, WEAK, OWN_MNT, OWN_PID);
	assert_non_null(c);
	assert_string_equal(c->id, B);
	assert_int_equal(asked.n, 1);
	/* a strong one does not: --pid=host */
	assert_non_null(of_process(t, PODMAN, OWN_MNT, HOST_PID));
}

static void a_new_cgroup_is_asked_about_before_anybody_is_inside(void **state)
{
	(void)state;
	AUTO(container_table_free) struct container_table *t = table_new();
	container_table_learn(t, 100, STR(PODMAN));
	assert_int_equal(asked.n, 1);
	container_table_learn(t, 101, STR(PODMAN "/sub"));
	container_table_learn(t, 100, STR(PODMAN));
	assert_int_equal(asked.n, 1);
	container_table_learn(t, 102, STR(WEAK));
	assert_int_equal(asked.n, 1);
	assert_int_equal(container_table_count(t), 2);
}

static void who_could_not_be_asked_about_is_asked_about_again(void **state)
{
	(void)state;
	AUTO(container_table_free) struct container_table *t = table_new();
	asked.refuse = 2;
	container_table_learn(t, 100, STR(PODMAN));
	of_process(t, PODMAN, OWN_MNT, OWN_PID);
	of_process(t, PODMAN, OWN_MNT, OWN_PID);
	of_process(t, PODMAN, OWN_MNT, OWN_PID);
	assert_int_equal(asked.n, 3);
}

static void an_event_is_told_by_its_cgroup(void **state)
{
	(void)state;
	AUTO(container_table_free) struct container_table *t = table_new();
	container_table_learn(t, 100, STR(PODMAN));
	container_table_learn(t, 200, STR("/system.slice"));
	const struct container *c = container_table_find(t, STR(A));
	/* the runtime's init, before its exec: its process was forked on the host */
	assert_ptr_equal(of_event(t, 100, OWN_MNT, NULL), c);
	assert_null(of_event(t, 100, HOST_MNT, NULL));
	assert_null(of_event(t, 100, HOST_MNT, c));
	assert_null(of_event(t, 200, OWN_MNT, NULL));
	/* v1: the cgroup's id says nothing, the process's path did */
	assert_ptr_equal(of_event(t, 1, OWN_MNT, c), c);
	struct event ev = { .cgroup_id = 1, .ns_mnt = OWN_MNT };
	assert_null(container_table_of_event(t, &ev, NULL));
}

static void a_weak_cgroup_alone_tells_nothing_of_an_event(void **state)
{
	(void)state;
	AUTO(container_table_free) struct container_table *t = table_new();
	container_table_learn(t, 100, STR(WEAK));
	assert_null(of_event(t, 100, OWN_MNT, NULL));
	const struct container *c = of_process(t, WEAK, OWN_MNT, OWN_PID);
	assert_null(of_event(t, 100, OWN_MNT, NULL));
	assert_ptr_equal(of_event(t, 100, OWN_MNT, c), c);
}

static void metadata_takes_the_place_of_the_bare_one(void **state)
{
	(void)state;
	AUTO(container_table_free) struct container_table *t = table_new();
	container_table_learn(t, 100, STR(PODMAN));
	const struct container *bare = container_table_find(t, STR(A));
	struct container *known = container_new_bare(STR(A), RUNTIME_PODMAN, CONTAINER_KNOWN);
	AUTO(container_free) struct container *old = container_table_resolved(t, known);
	assert_ptr_equal(old, bare);
	assert_ptr_equal(container_table_find(t, STR(A)), known);
	assert_ptr_equal(of_event(t, 100, OWN_MNT, NULL), known);
	assert_int_equal(asked.n, 1);
	/* one that nobody knows any more is freed */
	struct container *other = container_new_bare(STR(B), RUNTIME_PODMAN, CONTAINER_KNOWN);
	assert_null(container_table_resolved(t, other));
}

static bool used(void *ctx, const struct container *c)
{
	return str_eqz(str_from(c->id), ctx);
}

static bool unused(void *ctx, const struct container *c)
{
	(void)ctx;
	(void)c;
	return false;
}

static void a_removed_cgroup_is_known_until_the_ring_has_passed(void **state)
{
	(void)state;
	AUTO(container_table_free) struct container_table *t = table_new();
	container_table_learn(t, 100, STR(PODMAN));
	container_table_forget(t, 100, 50);
	container_table_forget(t, 100, 10); /* told twice: the first counts */
	container_table_forget(t, 999, 10);
	container_table_passed(t, 49);
	assert_non_null(of_event(t, 100, OWN_MNT, NULL));
	container_table_passed(t, 50);
	assert_null(of_event(t, 100, OWN_MNT, NULL));
	assert_int_equal(container_table_count(t), 1);
	container_table_collect(t, used, A);
	assert_int_equal(container_table_count(t), 1);
	container_table_collect(t, unused, NULL);
	assert_int_equal(container_table_count(t), 0);
	assert_null(container_table_find(t, STR(A)));
}

static void a_removal_at_the_rings_beginning_is_one(void **state)
{
	(void)state;
	AUTO(container_table_free) struct container_table *t = table_new();
	container_table_learn(t, 100, STR(PODMAN));
	container_table_forget(t, 100, 0);
	container_table_passed(t, 1);
	assert_null(of_event(t, 100, OWN_MNT, NULL));
}

static void a_container_stays_as_long_as_one_of_its_cgroups(void **state)
{
	(void)state;
	AUTO(container_table_free) struct container_table *t = table_new();
	container_table_learn(t, 100, STR(PODMAN));
	container_table_learn(t, 101, STR(PODMAN "/sub"));
	container_table_forget(t, 101, 5);
	container_table_passed(t, 5);
	container_table_collect(t, unused, NULL);
	assert_non_null(container_table_find(t, STR(A)));
	container_table_forget(t, 100, 6);
	container_table_passed(t, 6);
	container_table_collect(t, unused, NULL);
	assert_null(container_table_find(t, STR(A)));
	/* and comes back as a new one */
	container_table_learn(t, 102, STR(PODMAN));
	assert_int_equal(asked.n, 2);
}

static void many_cgroups_come_and_go(void **state)
{
	(void)state;
	AUTO(container_table_free) struct container_table *t = table_new();
	for (uint64_t i = 1; i <= 20000; i++) {
		char path[200];
		snprintf(path, sizeof(path), "/libpod_parent/libpod-%064x", (unsigned int)i);
		container_table_learn(t, i, str_from(path));
		container_table_forget(t, i, i);
		if (i % 500 == 0) {
			container_table_passed(t, i);
			container_table_collect(t, unused, NULL);
			assert_int_equal(container_table_count(t), 0);
		}
	}
	assert_int_equal(asked.n, 20000);
}

static uint64_t inode_of(const struct tree *tree, const char *path)
{
	char full[512];
	struct stat st;

	snprintf(full, sizeof(full), "%s/%s", tree->root, path);
	assert_int_equal(stat(full, &st), 0);
	return st.st_ino;
}

static void a_hierarchy_is_learned_by_walking_it(void **state)
{
	(void)state;
	AUTO(container_table_free) struct container_table *t = table_new();
	AUTO(tree_free) struct tree *tree = tree_new();
	tree_write(tree, "system.slice/ssh.service/cgroup.procs", "");
	tree_write(tree, "libpod_parent/libpod-" A "/cgroup.procs", "");
	tree_write(tree, "libpod_parent/libpod-" A "/sub/deeper/cgroup.procs", "");
	tree_write(tree, "z/cgroup.procs", "");
	tree_write(tree, "machine.slice/libpod-" B ".scope/cgroup.procs", "");
	container_table_scan(t, tree->root);
	assert_int_equal(container_table_count(t), 2);
	const struct container *a = container_table_find(t, STR(A));
	const struct container *b = container_table_find(t, STR(B));
	assert_non_null(a);
	assert_non_null(b);
	uint64_t id = inode_of(tree, "libpod_parent/libpod-" A "/sub/deeper");
	assert_ptr_equal(of_event(t, id, OWN_MNT, NULL), a);
	id = inode_of(tree, "machine.slice/libpod-" B ".scope");
	assert_ptr_equal(of_event(t, id, OWN_MNT, NULL), b);
	assert_null(of_event(t, inode_of(tree, "z"), OWN_MNT, NULL));
	assert_null(of_event(t, inode_of(tree, "system.slice/ssh.service"), OWN_MNT, NULL));
	container_table_scan(t, "/no/such/folder");
}

static void a_hierarchy_too_deep_is_walked_as_far_as_it_goes(void **state)
{
	(void)state;
	AUTO(container_table_free) struct container_table *t = table_new();
	AUTO(tree_free) struct tree *tree = tree_new();
	char path[1024] = "";
	for (int i = 0; i < 40; i++)
		memcpy(path + 2 * i, "d/", 3);
	memcpy(path + 80, "x", 2);
	tree_write(tree, path, "");
	tree_write(tree, "d/libpod-" A "/x", "");
	tree_write(tree, "z/libpod-" B "/x", "");
	container_table_scan(t, tree->root);
	assert_int_equal(container_table_count(t), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_in_a_containers_cgroup_is_the_containers),
		cmocka_unit_test(the_hosts_mount_namespace_is_the_hosts),
		cmocka_unit_test(a_cgroup_that_names_no_container_is_the_hosts),
		cmocka_unit_test(a_weak_name_needs_more_than_private_mounts),
		cmocka_unit_test(a_new_cgroup_is_asked_about_before_anybody_is_inside),
		cmocka_unit_test(who_could_not_be_asked_about_is_asked_about_again),
		cmocka_unit_test(an_event_is_told_by_its_cgroup),
		cmocka_unit_test(a_weak_cgroup_alone_tells_nothing_of_an_event),
		cmocka_unit_test(metadata_takes_the_place_of_the_bare_one),
		cmocka_unit_test(a_removed_cgroup_is_known_until_the_ring_has_passed),
		cmocka_unit_test(a_removal_at_the_rings_beginning_is_one),
		cmocka_unit_test(a_container_stays_as_long_as_one_of_its_cgroups),
		cmocka_unit_test(many_cgroups_come_and_go),
		cmocka_unit_test(a_hierarchy_is_learned_by_walking_it),
		cmocka_unit_test(a_hierarchy_too_deep_is_walked_as_far_as_it_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
