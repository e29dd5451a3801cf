#include "base/buf.h"
#include "base/clock.h"
#include "collector/runtime/runtime.h"
#include "tests/unit/tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define A "8f3c5e0a1b2d4c6f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7"
#define B "01234567890abcdef01234567890abcdef01234567890abcdef0123456789abc"
#define I "1b0592b1b941567637913486cbcc9142043028b3652cae83af51f648486b62f9"
#define D "sha256:f3faabc2fdf522b932bbd41b3f71aaa059ccfbc949bd21f457f35a0504810f53"

#define GRAPH "var/lib/containers/storage/overlay-containers/"
#define RUN   "run/containers/storage/overlay-containers/"

#define LISTED(id, name)                                                                           \
	"{\"id\":\"" id "\",\"names\":[\"" name "\"],\"image\":\"" I "\",\"metadata\":"            \
	"\"{\\\"image-name\\\":\\\"localhost/bb:1\\\",\\\"name\\\":\\\"" name "\\\"}\","           \
	"\"created\":\"2026-11-23T15:26:05.47416779Z\"}"

#define NAMESPACES                                                                                 \
	"\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\",\"path\":\"/run/netns/x\"},"     \
	"{\"type\":\"ipc\"},{\"type\":\"mount\"}]"

#define PLAIN                                                                                      \
	"{\"process\":{\"user\":{\"uid\":33,\"gid\":34}},\"mounts\":[],"                           \
	"\"annotations\":{\"io.podman.annotations.privileged\":\"FALSE\"},"                        \
	"\"linux\":{" NAMESPACES "}}"

#define ALL_CAPS                                                                                   \
	"\"CAP_SYS_ADMIN\",\"CAP_SYS_MODULE\",\"CAP_SYS_PTRACE\",\"CAP_SYS_RAWIO\","               \
	"\"CAP_NET_ADMIN\",\"CAP_MAC_ADMIN\",\"CAP_SYSLOG\",\"CAP_CHOWN\""

static struct runtime *open_tree(struct tree *t)
{
	struct runtime *r = NULL;
	struct err e = { 0 };
	struct runtime_options o = { .root = t->root };
	if (runtime_open(&r, &o, &e))
		fail_msg("%s", e.msg);
	return r;
}

static struct container *find(struct runtime *r, const char *id, enum container_runtime hint)
{
	struct container *c = NULL;
	struct err e = { 0 };
	int rc = runtime_lookup(r, id, hint, &c, &e);
	if (rc != 1)
		fail_msg("%s: %d %s", id, rc, e.msg);
	return c;
}

static int try(struct runtime *r, const char *id, enum container_runtime hint, struct err *e)
{
	struct container *c = NULL;
	int rc = runtime_lookup(r, id, hint, &c, e);
	container_free(c);
	return rc;
}

static void check(struct str got, const char *want)
{
	assert_non_null(got.p);
	if (!str_eqz(got, want))
		fail_msg("got %.*s, want %s", STR_ARG(got), want);
}

/* A store with container A whose specification is `spec`. */
static struct runtime *open_podman(struct tree *t, const char *spec)
{
	tree_write(t, GRAPH "containers.json", "[" LISTED(B, "other") "," LISTED(A, "web") "]");
	tree_write(t, GRAPH A "/userdata/config.json", spec);
	return open_tree(t);
}

static void podman_container_is_known_from_its_files(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	tree_write(t, "var/lib/containers/storage/overlay-images/images.json",
		"[{\"id\":\"" I "\",\"digest\":\"" D "\"}]");
	tree_write(t, RUN A "/userdata/pidfile", "4711\n");
	AUTO(runtime_close) struct runtime *r = open_podman(t, PLAIN);
	AUTO(container_free) struct container *c = find(r, A, RUNTIME_PODMAN);
	assert_string_equal(c->id, A);
	assert_int_equal(c->runtime, RUNTIME_PODMAN);
	assert_int_equal(c->state, CONTAINER_KNOWN);
	check(c->name, "web");
	check(c->image, "localhost/bb:1");
	check(c->image_repo, "localhost/bb");
	check(c->image_tag, "1");
	check(c->image_digest, D);
	check(c->image_id, I);
	check(c->user, "33:34");
	check(c->k8s_pod, "");
	assert_int_equal(c->created_ns, 1795447565474167790u);
	assert_int_equal(c->init_pid, 4711);
	assert_false(c->privileged);
	assert_false(c->host_pid);
	assert_false(c->host_network);
	assert_false(c->host_ipc);
}

static void pid_that_is_not_written_yet_is_zero(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	AUTO(runtime_close) struct runtime *r = open_podman(t, PLAIN);
	AUTO(container_free) struct container *c = find(r, A, RUNTIME_PODMAN);
	assert_int_equal(c->init_pid, 0);
	tree_write(t, RUN A "/userdata/pidfile", "not a number");
	AUTO(container_free) struct container *bad = find(r, A, RUNTIME_PODMAN);
	assert_int_equal(bad->init_pid, 0);
	tree_write(t, RUN A "/userdata/pidfile", "12");
	AUTO(container_free) struct container *later = find(r, A, RUNTIME_PODMAN);
	assert_int_equal(later->init_pid, 12);
}

static void shared_namespaces_are_told(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	AUTO(runtime_close)
	struct runtime *r = open_podman(t,
		"{\"linux\":{\"namespaces\":["
		"{\"type\":\"pid\",\"path\":\"/proc/1/ns/pid\"},"
		"{\"type\":\"network\",\"path\":\"/proc/77/ns/net\"}]}}");
	AUTO(container_free) struct container *c = find(r, A, RUNTIME_PODMAN);
	assert_true(c->host_pid);
	assert_false(c->host_network);
	assert_true(c->host_ipc);
}

static bool privileged_by(const char *spec)
{
	AUTO(tree_free) struct tree *t = tree_new();
	AUTO(runtime_close) struct runtime *r = open_podman(t, spec);
	AUTO(container_free) struct container *c = find(r, A, RUNTIME_PODMAN);
	return c->privileged;
}

#define CAPS_OF(list) "\"process\":{\"capabilities\":{\"bounding\":[" list "]}}"

static void podmans_word_on_privileged_counts(void **state)
{
	(void)state;
	assert_true(
		privileged_by("{\"annotations\":{\"io.podman.annotations.privileged\":\"TRUE\"}}"));
	assert_false(privileged_by(
		"{\"annotations\":{\"io.podman.annotations.privileged\":\"FALSE\"}," CAPS_OF(
			ALL_CAPS) ",\"linux\":{}}"));
}

static void privileged_is_seen_by_its_shape_where_nothing_says_it(void **state)
{
	(void)state;
	assert_true(privileged_by("{" CAPS_OF(ALL_CAPS) ",\"linux\":{}}"));
	assert_true(privileged_by("{" CAPS_OF(ALL_CAPS) ",\"linux\":{\"maskedPaths\":[]}}"));
	assert_false(privileged_by("{" CAPS_OF(ALL_CAPS) ",\"linux\":{\"seccomp\":{}}}"));
	assert_false(privileged_by(
		"{" CAPS_OF(ALL_CAPS) ",\"linux\":{\"maskedPaths\":[\"/proc/kcore\"]}}"));
	assert_false(privileged_by("{" CAPS_OF("\"CAP_SYS_ADMIN\"") ",\"linux\":{}}"));
	assert_false(privileged_by("{}"));
}

static void only_the_users_bind_mounts_are_listed(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	AUTO(runtime_close)
	struct runtime *r = open_podman(t,
		"{\"mounts\":["
		"{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
		"{\"destination\":\"/hostetc\",\"type\":\"bind\",\"source\":\"/etc\","
		"\"options\":[\"ro\",\"rprivate\",\"rbind\"]},"
		"{\"destination\":\"/dev/shm\",\"type\":\"bind\",\"source\":\"/" GRAPH A
		"/userdata/shm\",\"options\":[\"bind\"]},"
		"{\"destination\":\"/etc/hosts\",\"type\":\"bind\",\"source\":\"/" RUN B
		"/userdata/hosts\"},"
		"{\"destination\":\"/stolen\",\"type\":\"bind\",\"source\":\"/" GRAPH B
		"/userdata/secrets\"},"
		"{\"destination\":\"/etc/hosts\",\"type\":\"bind\",\"source\":\"/tmp/hosts\"},"
		"{\"destination\":\"/v\",\"type\":\"none\",\"source\":\"/srv\","
		"\"options\":[\"ro\",\"rbind\",\"rw\"]}]}");
	AUTO(container_free) struct container *c = find(r, A, RUNTIME_PODMAN);
	assert_int_equal(c->mounts_n, 4);
	check(c->mounts[0].source, "/etc");
	check(c->mounts[0].dest, "/hostetc");
	check(c->mounts[0].mode, "ro");
	check(c->mounts[0].options, "ro,rprivate,rbind");
	assert_false(c->mounts[0].rw);
	check(c->mounts[1].dest, "/stolen");
	check(c->mounts[2].source, "/tmp/hosts");
	check(c->mounts[3].mode, "rw");
	assert_true(c->mounts[3].rw);
}

static void other_drivers_and_lists_are_looked_through(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	tree_write(t, "var/lib/containers/storage/vfs-containers/containers.json",
		"[" LISTED(A, "vfs") "]");
	tree_write(
		t, "var/lib/containers/storage/vfs-containers/" A "/userdata/config.json", PLAIN);
	tree_write(t, GRAPH "volatile-containers.json", "[" LISTED(B, "volatile") "]");
	tree_write(t, RUN B "/userdata/config.json", PLAIN);
	AUTO(runtime_close) struct runtime *r = open_tree(t);
	AUTO(container_free) struct container *vfs = find(r, A, RUNTIME_PODMAN);
	check(vfs->name, "vfs");
	AUTO(container_free) struct container *vol = find(r, B, RUNTIME_UNKNOWN);
	check(vol->name, "volatile");
}

static void storage_conf_moves_the_store(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	tree_write(t, "etc/containers/storage.conf",
		"[storage]\ngraphroot = \"/srv/g\"\nrunroot = \"/srv/r\"\n");
	tree_write(t, "srv/g/overlay-containers/containers.json", "[" LISTED(A, "moved") "]");
	tree_write(t, "srv/g/overlay-containers/" A "/userdata/config.json", PLAIN);
	tree_write(t, "srv/r/overlay-containers/" A "/userdata/pidfile", "8");
	AUTO(runtime_close) struct runtime *r = open_tree(t);
	AUTO(container_free) struct container *c = find(r, A, RUNTIME_PODMAN);
	check(c->name, "moved");
	assert_int_equal(c->init_pid, 8);
}

static void further_stores_come_after_the_hosts_own(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	tree_write(t, GRAPH "containers.json", "[" LISTED(A, "first") "]");
	tree_write(t, GRAPH A "/userdata/config.json", PLAIN);
	tree_write(t, "x/g/overlay-containers/containers.json",
		"[" LISTED(A, "forged") "," LISTED(B, "second") "]");
	tree_write(t, "x/g/overlay-containers/" A "/userdata/config.json", PLAIN);
	tree_write(t, "x/g/overlay-containers/" B "/userdata/config.json", PLAIN);
	struct runtime_store store = { "/x/g", "/x/r" };
	struct runtime_options o = { .root = t->root, .stores = &store, .stores_n = 1 };
	AUTO(runtime_close) struct runtime *r = NULL;
	assert_int_equal(runtime_open(&r, &o, NULL), 0);
	AUTO(container_free) struct container *a = find(r, A, RUNTIME_PODMAN);
	check(a->name, "first");
	AUTO(container_free) struct container *b = find(r, B, RUNTIME_PODMAN);
	check(b->name, "second");
}

static void too_many_stores_are_refused(void **state)
{
	(void)state;
	static struct runtime_store stores[RUNTIME_MAX_STORES + 1];
	struct runtime_options o = { .stores = stores, .stores_n = ARRAY_N(stores) };
	struct runtime *r = NULL;
	struct err e = { 0 };
	assert_int_equal(runtime_open(&r, &o, &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	assert_null(r);
}

static void list_is_parsed_once_as_long_as_it_stays(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	AUTO(runtime_close) struct runtime *r = open_podman(t, PLAIN);
	for (int i = 0; i < 50; i++) {
		AUTO(container_free) struct container *c = find(r, A, RUNTIME_PODMAN);
		check(c->name, "web");
	}
	assert_int_equal(runtime_counts(r).index_parsed, 1);
	tree_write(t, GRAPH "containers.json", "[" LISTED(A, "new") "]");
	AUTO(container_free) struct container *c = find(r, A, RUNTIME_PODMAN);
	check(c->name, "new");
	assert_int_equal(runtime_counts(r).index_parsed, 2);
	assert_int_equal(runtime_counts(r).found, 51);
}

static void list_that_may_change_unseen_is_parsed_each_time(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	AUTO(runtime_close) struct runtime *r = open_podman(t, PLAIN);
	char path[160];
	snprintf(path, sizeof(path), "%s/" GRAPH "containers.json", t->root);
	/* A time to come stands for "just now", without depending on how fast this runs. */
	struct timespec then = { .tv_sec = (time_t)(clock_real_ns() / 1000000000u) + 3600 };
	assert_int_equal(utimensat(AT_FDCWD, path, (struct timespec[]){ then, then }, 0), 0);
	for (uint64_t i = 1; i <= 3; i++) {
		assert_int_equal(try(r, A, RUNTIME_PODMAN, NULL), 1);
		assert_int_equal(runtime_counts(r).index_parsed, i);
	}
}

static void removed_list_is_forgotten(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	AUTO(runtime_close) struct runtime *r = open_podman(t, PLAIN);
	assert_int_equal(try(r, A, RUNTIME_PODMAN, NULL), 1);
	tree_remove(t, GRAPH "containers.json");
	assert_int_equal(try(r, A, RUNTIME_PODMAN, NULL), 0);
}

static void unknown_ids_are_not_errors(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	AUTO(runtime_close) struct runtime *none = open_tree(t);
	assert_int_equal(try(none, A, RUNTIME_UNKNOWN, NULL), 0);
	AUTO(runtime_close) struct runtime *r = open_podman(t, PLAIN);
	static const char too_long[] = A A;
	static const char upper[] =
		"8F3C5E0A1B2D4C6F8091A2B3C4D5E6F708192A3B4C5D6E7F8091A2B3C4D5E6F7";
	const char *const ids[] = { "", ".", "..", "../x", "/", "a/b", "a b", "\033[2J", "0123",
		too_long, upper };
	for (size_t i = 0; i < ARRAY_N(ids); i++)
		assert_int_equal(try(r, ids[i], RUNTIME_UNKNOWN, NULL), 0);
	assert_int_equal(runtime_counts(r).unknown, ARRAY_N(ids));
	assert_int_equal(runtime_counts(r).lookups, ARRAY_N(ids));
}

static void container_in_the_making_is_an_error_to_be_tried_again(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	AUTO(runtime_close) struct runtime *r = open_podman(t, "{\"process\":{\"us");
	struct err e = { 0 };
	assert_int_equal(try(r, A, RUNTIME_PODMAN, &e), -1);
	assert_int_equal(e.code, ERR_FORMAT);
	tree_remove(t, GRAPH A "/userdata/config.json");
	assert_int_equal(try(r, A, RUNTIME_PODMAN, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(runtime_counts(r).failed, 2);
	tree_write(t, GRAPH A "/userdata/config.json", PLAIN);
	assert_int_equal(try(r, A, RUNTIME_PODMAN, &e), 1);
}

static void damaged_list_is_an_error_and_recovers(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	AUTO(runtime_close) struct runtime *r = open_podman(t, PLAIN);
	tree_write(t, GRAPH "containers.json", "[{\"id\":");
	assert_int_equal(try(r, A, RUNTIME_PODMAN, NULL), -1);
	tree_write(t, GRAPH "containers.json", "[" LISTED(A, "web") "]");
	assert_int_equal(try(r, A, RUNTIME_PODMAN, NULL), 1);
}

static void other_types_than_expected_do_no_harm(void **state)
{
	(void)state;
	static const char *const specs[] = {
		"[]",
		"null",
		"7",
		"{\"process\":7,\"mounts\":{\"a\":1},\"linux\":[],\"annotations\":\"x\"}",
		"{\"process\":{\"user\":\"root\",\"capabilities\":[]},\"mounts\":[1,null,[],{}]}",
		"{\"linux\":{\"namespaces\":{\"pid\":1},\"seccomp\":1}}",
		"{\"mounts\":[{\"destination\":1,\"source\":[],\"type\":\"bind\"}]}",
		"{\"mounts\":[{\"type\":\"bind\",\"options\":\"ro\"}]}",
	};
	for (size_t i = 0; i < ARRAY_N(specs); i++) {
		AUTO(tree_free) struct tree *t = tree_new();
		AUTO(runtime_close) struct runtime *r = open_podman(t, specs[i]);
		AUTO(container_free) struct container *c = find(r, A, RUNTIME_PODMAN);
		assert_false(c->privileged);
	}
	static const char *const lists[] = { "{}", "[1,null]", "[{\"id\":7}]" };
	for (size_t i = 0; i < ARRAY_N(lists); i++) {
		AUTO(tree_free) struct tree *t = tree_new();
		tree_write(t, GRAPH "containers.json", lists[i]);
		AUTO(runtime_close) struct runtime *r = open_tree(t);
		assert_int_equal(try(r, A, RUNTIME_PODMAN, NULL), 0);
	}
}

static void spec_past_the_bound_is_an_error(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	AUTO(runtime_close) struct runtime *r = open_podman(t, PLAIN);
	char path[256];
	snprintf(path, sizeof(path), "%s/" GRAPH A "/userdata/config.json", t->root);
	assert_int_equal(truncate(path, RUNTIME_MAX_SPEC_BYTES + 1), 0);
	struct err e = { 0 };
	assert_int_equal(try(r, A, RUNTIME_PODMAN, &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
}

static void fifo_in_place_of_a_spec_does_not_block(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	AUTO(runtime_close) struct runtime *r = open_podman(t, PLAIN);
	char path[256];
	snprintf(path, sizeof(path), "%s/" GRAPH A "/userdata/config.json", t->root);
	assert_int_equal(remove(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(try(r, A, RUNTIME_PODMAN, NULL), -1);
}

static void crio_container_has_its_pod(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	tree_write(t, GRAPH "containers.json", "[" LISTED(A, "k8s_web_p_n_0") "]");
	tree_write(t, RUN A "/userdata/config.json",
		"{\"annotations\":{\"io.container.manager\":\"cri-o\","
		"\"io.kubernetes.cri-o.Labels\":\"{\\\"app\\\":\\\"shop\\\","
		"\\\"io.kubernetes.container.name\\\":\\\"web\\\","
		"\\\"io.kubernetes.pod.name\\\":\\\"shop-1\\\","
		"\\\"io.kubernetes.pod.namespace\\\":\\\"prod\\\"}\"}}");
	AUTO(runtime_close) struct runtime *r = open_tree(t);
	AUTO(container_free) struct container *c = find(r, A, RUNTIME_CRIO);
	assert_int_equal(c->runtime, RUNTIME_CRIO);
	check(c->name, "web");
	check(c->k8s_pod, "shop-1");
	check(c->k8s_ns, "prod");
	assert_int_equal(c->labels_n, 4);
	check(c->labels[0].key, "app");
	check(c->labels[0].value, "shop");
}

#define DOCKER "var/lib/docker/containers/" A "/"

static void write_docker(struct tree *t, const char *host)
{
	tree_write(t, DOCKER "config.v2.json",
		"{\"ID\":\"" A "\",\"State\":{\"Pid\":99},\"Created\":\"2026-11-22T06:22:03.5Z\","
		"\"Config\":{\"User\":\"www\",\"Image\":\"nginx:1.25\",\"Labels\":{\"a\":\"b\",\"n\":7}},"
		"\"Image\":\"sha256:" I "\",\"Name\":\"/front\",\"Driver\":\"overlay2\","
		"\"MountPoints\":{\"/h\":{\"Source\":\"/etc\",\"Destination\":\"/h\",\"RW\":false}}}");
	if (host)
		tree_write(t, DOCKER "hostconfig.json", host);
	tree_write(t, "var/lib/docker/image/overlay2/repositories.json",
		"{\"Repositories\":{\"mirror/nginx\":{\"mirror/nginx@sha256:no\":\"sha256:" I "\"},"
		"\"nginx\":{\"nginx:1.25\":\"sha256:" I "\",\"nginx@" D "\":\"sha256:" I "\"}}}");
}

static void docker_container_is_known_from_its_files(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	write_docker(t, "{\"Privileged\":true,\"PidMode\":\"host\",\"NetworkMode\":\"none\","
			"\"IpcMode\":\"host\"}");
	AUTO(runtime_close) struct runtime *r = open_tree(t);
	AUTO(container_free) struct container *c = find(r, A, RUNTIME_DOCKER);
	assert_int_equal(c->runtime, RUNTIME_DOCKER);
	check(c->name, "front");
	check(c->image, "nginx:1.25");
	check(c->image_repo, "nginx");
	check(c->image_tag, "1.25");
	check(c->image_digest, D);
	check(c->image_id, I);
	check(c->user, "www");
	assert_true(c->privileged);
	assert_true(c->host_pid);
	assert_false(c->host_network);
	assert_true(c->host_ipc);
	assert_int_equal(c->init_pid, 99);
	assert_int_equal(c->mounts_n, 1);
	check(c->mounts[0].mode, "ro");
	assert_int_equal(c->labels_n, 1);
	check(c->labels[0].key, "a");
}

static void dockers_user_is_a_number_while_it_runs(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	write_docker(t, "{}");
	tree_write(t, "run/containerd/io.containerd.runtime.v2.task/moby/" A "/config.json", PLAIN);
	AUTO(runtime_close) struct runtime *r = open_tree(t);
	AUTO(container_free) struct container *c = find(r, A, RUNTIME_UNKNOWN);
	check(c->name, "front");
	check(c->user, "33:34");
}

static void docker_without_hostconfig_is_tried_again(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	write_docker(t, NULL);
	AUTO(runtime_close) struct runtime *r = open_tree(t);
	assert_int_equal(try(r, A, RUNTIME_DOCKER, NULL), -1);
}

static void docker_root_is_taken_from_its_configuration(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	tree_write(t, "etc/docker/daemon.json", "{\"data-root\":\"/srv/docker\"}");
	tree_write(t, "srv/docker/containers/" A "/config.v2.json", "{\"Name\":\"/far\"}");
	tree_write(t, "srv/docker/containers/" A "/hostconfig.json", "{}");
	AUTO(runtime_close) struct runtime *r = open_tree(t);
	AUTO(container_free) struct container *c = find(r, A, RUNTIME_DOCKER);
	check(c->name, "far");
	check(c->user, "0:0");
	struct runtime_options o = { .root = t->root, .docker_root = "/elsewhere" };
	AUTO(runtime_close) struct runtime *other = NULL;
	assert_int_equal(runtime_open(&other, &o, NULL), 0);
	assert_int_equal(try(other, A, RUNTIME_DOCKER, NULL), 0);
}

#define TASKS "run/containerd/io.containerd.runtime.v2.task/"

static void containerd_task_has_names_from_its_annotations(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	tree_write(t, TASKS "default/other/config.json", "{}");
	tree_write(t, TASKS "k8s.io/" A "/init.pid", "321");
	tree_write(t, TASKS "k8s.io/" A "/config.json",
		"{\"annotations\":{\"io.kubernetes.cri.container-name\":\"web\","
		"\"io.kubernetes.cri.image-name\":\"docker.io/library/nginx:1.25\","
		"\"io.kubernetes.cri.sandbox-name\":\"shop-1\","
		"\"io.kubernetes.cri.sandbox-namespace\":\"prod\"},\"linux\":{" NAMESPACES "},"
		"\"mounts\":[{\"destination\":\"/etc/hostname\",\"type\":\"bind\",\"source\":"
		"\"/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/" B "/hostname\"},"
		"{\"destination\":\"/d\",\"type\":\"bind\",\"source\":\"/var/lib/kubelet/x\"}]}");
	AUTO(runtime_close) struct runtime *r = open_tree(t);
	AUTO(container_free) struct container *c = find(r, A, RUNTIME_CONTAINERD);
	assert_int_equal(c->runtime, RUNTIME_CONTAINERD);
	check(c->name, "web");
	check(c->image, "docker.io/library/nginx:1.25");
	check(c->image_tag, "1.25");
	check(c->k8s_pod, "shop-1");
	check(c->k8s_ns, "prod");
	assert_int_equal(c->init_pid, 321);
	assert_int_equal(c->mounts_n, 1);
	check(c->mounts[0].source, "/var/lib/kubelet/x");
}

static void containerd_takes_names_as_ids(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	tree_write(t, TASKS "default/web_1/config.json", PLAIN);
	tree_write(t, "srv/state/io.containerd.runtime.v2.task/default/far/config.json", PLAIN);
	const char *states[] = { "/srv/state" };
	struct runtime_options o = { .root = t->root, .containerd_states = states };
	o.containerd_states_n = 1;
	AUTO(runtime_close) struct runtime *r = NULL;
	assert_int_equal(runtime_open(&r, &o, NULL), 0);
	AUTO(container_free) struct container *c = find(r, "web_1", RUNTIME_CONTAINERD);
	assert_string_equal(c->id, "web_1");
	check(c->name, "");
	AUTO(container_free) struct container *far = find(r, "far", RUNTIME_UNKNOWN);
	assert_string_equal(far->id, "far");
	/* LXC's containers are not containerd's, whatever they are called. */
	assert_int_equal(try(r, "web_1", RUNTIME_LXC, NULL), 0);
}

static void hint_says_who_is_asked_first(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	write_docker(t, "{}");
	AUTO(runtime_close) struct runtime *r = open_podman(t, PLAIN);
	AUTO(container_free) struct container *docker = find(r, A, RUNTIME_DOCKER);
	check(docker->name, "front");
	AUTO(container_free) struct container *podman = find(r, A, RUNTIME_PODMAN);
	check(podman->name, "web");
	/* A wrong hint costs time, not the answer. */
	AUTO(container_free) struct container *any = find(r, A, RUNTIME_CONTAINERD);
	check(any->name, "web");
}

static void error_of_one_runtime_does_not_hide_another(void **state)
{
	(void)state;
	AUTO(tree_free) struct tree *t = tree_new();
	write_docker(t, "{}");
	AUTO(runtime_close) struct runtime *r = open_podman(t, PLAIN);
	tree_write(t, GRAPH "containers.json", "damaged");
	AUTO(container_free) struct container *c = find(r, A, RUNTIME_PODMAN);
	check(c->name, "front");
	struct err e = { 0 };
	assert_int_equal(try(r, B, RUNTIME_DOCKER, &e), -1);
	assert_non_null(strstr(e.msg, "containers.json"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(podman_container_is_known_from_its_files),
		cmocka_unit_test(pid_that_is_not_written_yet_is_zero),
		cmocka_unit_test(shared_namespaces_are_told),
		cmocka_unit_test(podmans_word_on_privileged_counts),
		cmocka_unit_test(privileged_is_seen_by_its_shape_where_nothing_says_it),
		cmocka_unit_test(only_the_users_bind_mounts_are_listed),
		cmocka_unit_test(other_drivers_and_lists_are_looked_through),
		cmocka_unit_test(storage_conf_moves_the_store),
		cmocka_unit_test(further_stores_come_after_the_hosts_own),
		cmocka_unit_test(too_many_stores_are_refused),
		cmocka_unit_test(list_is_parsed_once_as_long_as_it_stays),
		cmocka_unit_test(list_that_may_change_unseen_is_parsed_each_time),
		cmocka_unit_test(removed_list_is_forgotten),
		cmocka_unit_test(unknown_ids_are_not_errors),
		cmocka_unit_test(container_in_the_making_is_an_error_to_be_tried_again),
		cmocka_unit_test(damaged_list_is_an_error_and_recovers),
		cmocka_unit_test(other_types_than_expected_do_no_harm),
		cmocka_unit_test(spec_past_the_bound_is_an_error),
		cmocka_unit_test(fifo_in_place_of_a_spec_does_not_block),
		cmocka_unit_test(crio_container_has_its_pod),
		cmocka_unit_test(docker_container_is_known_from_its_files),
		cmocka_unit_test(dockers_user_is_a_number_while_it_runs),
		cmocka_unit_test(docker_without_hostconfig_is_tried_again),
		cmocka_unit_test(docker_root_is_taken_from_its_configuration),
		cmocka_unit_test(containerd_task_has_names_from_its_annotations),
		cmocka_unit_test(containerd_takes_names_as_ids),
		cmocka_unit_test(hint_says_who_is_asked_first),
		cmocka_unit_test(error_of_one_runtime_does_not_hide_another),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
