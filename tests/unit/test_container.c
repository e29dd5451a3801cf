#include "base/container.h"

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void assert_str(struct str s, const char *want)
{
	assert_int_equal(s.n, strlen(want));
	assert_memory_equal(s.p, want, s.n);
	assert_int_equal(s.p[s.n], 0);
}

static void clone_shares_nothing_with_its_source(void **state)
{
	(void)state;
	char source[] = "/srv/data";
	char key[] = "app", value[] = "web", name[] = "front";
	struct container_mount mounts[] = {
		{ str_from(source), STR("/data"), STR("ro"), STR("rbind,ro"), false },
		{ STR("tmpfs"), STR("/tmp"), STR("rw"), STR(""), true },
	};
	struct container_label labels[] = { { str_from(key), str_from(value) } };
	struct container c = {
		.id = ID,
		.runtime = RUNTIME_PODMAN,
		.state = CONTAINER_KNOWN,
		.name = str_from(name),
		.image = STR("docker.io/library/nginx:1.25"),
		.privileged = true,
		.created_ns = 7,
		.init_pid = 42,
		.mounts = mounts,
		.mounts_n = 2,
		.labels = labels,
		.labels_n = 1,
	};
	AUTO(container_free) struct container *copy = container_clone(&c);
	memset(source, 'x', sizeof(source));
	memset(key, 'x', sizeof(key));
	memset(value, 'x', sizeof(value));
	memset(name, 'x', sizeof(name));
	memset(mounts, 0, sizeof(mounts));
	memset(labels, 0, sizeof(labels));

	assert_string_equal(copy->id, ID);
	assert_str(copy->name, "front");
	assert_str(copy->image, "docker.io/library/nginx:1.25");
	assert_int_equal(copy->mounts_n, 2);
	assert_str(copy->mounts[0].source, "/srv/data");
	assert_str(copy->mounts[0].options, "rbind,ro");
	assert_false(copy->mounts[0].rw);
	assert_str(copy->mounts[1].dest, "/tmp");
	assert_true(copy->mounts[1].rw);
	assert_str(copy->labels[0].key, "app");
	assert_str(copy->labels[0].value, "web");
	assert_true(copy->privileged);
	assert_int_equal(copy->created_ns, 7);
	assert_int_equal(copy->init_pid, 42);
}

static void clone_of_a_clone_is_equal(void **state)
{
	(void)state;
	struct container_mount m = { STR("a"), STR("/b"), STR("rw"), STR("bind"), true };
	struct container c = { .id = ID, .state = CONTAINER_KNOWN, .mounts = &m, .mounts_n = 1 };
	c.k8s_pod = STR("pod-1");
	struct container *first = container_clone(&c);
	AUTO(container_free) struct container *second = container_clone(first);
	container_free(first);
	assert_str(second->k8s_pod, "pod-1");
	assert_str(second->mounts[0].dest, "/b");
}

static void known_container_has_no_null_string(void **state)
{
	(void)state;
	struct container c = { .id = ID, .state = CONTAINER_KNOWN };
	AUTO(container_free) struct container *copy = container_clone(&c);
	assert_str(copy->name, "");
	assert_str(copy->image_digest, "");
	assert_str(copy->k8s_ns, "");
}

static void missing_string_of_a_pending_container_stays_missing(void **state)
{
	(void)state;
	struct container c = { .id = ID, .state = CONTAINER_PENDING };
	AUTO(container_free) struct container *copy = container_clone(&c);
	assert_null(copy->name.p);
	assert_int_equal(copy->name.n, 0);
}

static void clone_of_null_is_null(void **state)
{
	(void)state;
	assert_null(container_clone(NULL));
	container_free(NULL);
}

static void bare_container_cuts_an_overlong_id(void **state)
{
	(void)state;
	AUTO(container_free)
	struct container *c = container_new_bare(STR(ID "more"), RUNTIME_LXC, CONTAINER_UNKNOWN);
	assert_string_equal(c->id, ID);
	assert_int_equal(c->runtime, RUNTIME_LXC);
	assert_int_equal(c->state, CONTAINER_UNKNOWN);
	assert_null(c->name.p);
}

static void every_runtime_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(container_runtime_name(RUNTIME_PODMAN), "podman");
	assert_string_equal(container_runtime_name(RUNTIME_DOCKER), "docker");
	assert_string_equal(container_runtime_name(RUNTIME_CONTAINERD), "containerd");
	assert_string_equal(container_runtime_name(RUNTIME_CRIO), "cri-o");
	assert_string_equal(container_runtime_name(RUNTIME_LXC), "lxc");
	assert_string_equal(container_runtime_name(RUNTIME_UNKNOWN), "unknown");
	assert_string_equal(container_runtime_name((enum container_runtime)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clone_shares_nothing_with_its_source),
		cmocka_unit_test(clone_of_a_clone_is_equal),
		cmocka_unit_test(known_container_has_no_null_string),
		cmocka_unit_test(missing_string_of_a_pending_container_stays_missing),
		cmocka_unit_test(clone_of_null_is_null),
		cmocka_unit_test(bare_container_cuts_an_overlong_id),
		cmocka_unit_test(every_runtime_has_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
