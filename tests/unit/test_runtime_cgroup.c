#include "collector/runtime/cgroup.h"

/* cmocka wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define A   "8f3c5e0a1b2d4c6f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7"
#define B   "01234567890abcdef01234567890abcdef01234567890abcdef0123456789abc"
#define C   "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define UID "1b9c4d7e-0a51-4f7e-9d52-7d8a3c1e4b60"
#define UIS "1b9c4d7e_0a51_4f7e_9d52_7d8a3c1e4b60"

#define USER1000 "/user.slice/user-1000.slice/user@1000.service"

struct row {
	const char *path;
	const char *id;
	const char *outer; /* NULL: none */
	enum container_runtime runtime, outer_runtime;
};

static void check_row(const struct row *row, bool weak)
{
	struct runtime_match m;
	if (!runtime_match_cgroup(str_from(row->path), &m))
		fail_msg("not recognised: %s", row->path);
	if (!str_eqz(m.id, row->id))
		fail_msg("%s: id is %.*s", row->path, STR_ARG(m.id));
	if (m.runtime != row->runtime)
		fail_msg("%s: taken for %s", row->path, container_runtime_name(m.runtime));
	if (m.weak != weak)
		fail_msg("%s: weak is %d", row->path, m.weak);
	if (!str_eqz(m.outer_id, row->outer ? row->outer : ""))
		fail_msg("%s: outer is %.*s", row->path, STR_ARG(m.outer_id));
	if (m.outer_runtime != row->outer_runtime)
		fail_msg("%s: outer is %s", row->path, container_runtime_name(m.outer_runtime));
}

static void podman_is_recognised(void **state)
{
	(void)state;
	static const char *const paths[] = {
		/* cgroupfs manager, v1 and hybrid */
		"/libpod_parent/libpod-" A,
		"/libpod_parent/" B "/libpod-" A, /* in a pod */
		"/batch/nightly/libpod-" A,       /* --cgroup-parent */
		/* systemd manager */
		"/machine.slice/libpod-" A ".scope",
		"/machine.slice/libpod-" A ".scope/container",
		"/machine.slice/libpod-" A ".scope/container/init.scope",
		"/machine.slice/libpod-" A ".scope/container/system.slice/nginx.service",
		"/machine.slice/machine-libpod_pod_" B ".slice/libpod-" A ".scope",
		/* rootless */
		USER1000 "/user.slice/libpod-" A ".scope",
		USER1000 "/user.slice/libpod-" A ".scope/container",
		USER1000 "/user.slice/user-libpod_pod_" B ".slice/libpod-" A ".scope/container",
		USER1000 "/app.slice/web.service/libpod-payload-" A,
		/* quadlet: --cgroups=split */
		"/system.slice/web.service/libpod-payload-" A,
		"/system.slice/web.service/libpod-payload-" A "/deep/er",
		/* as seen through a cgroup namespace, and after the end */
		"/../../libpod_parent/libpod-" A,
		"/libpod_parent/libpod-" A " (deleted)",
		"libpod-" A,
		"//libpod_parent//libpod-" A "//",
	};
	for (size_t i = 0; i < ARRAY_N(paths); i++)
		check_row(&(struct row){ paths[i], A, NULL, RUNTIME_PODMAN, 0 }, false);
}

static void docker_is_recognised(void **state)
{
	(void)state;
	static const char *const paths[] = {
		"/docker/" A,
		"/docker/" A "/init.scope",
		"/docker/" A "/system.slice/ssh.service",
		"/system.slice/docker-" A ".scope",
		"/system.slice/docker-" A ".scope/init.scope",
		"/system.slice/docker.service/docker/" A,
		"/custom.slice/docker-" A ".scope",
		USER1000 "/user.slice/docker-" A ".scope",
		USER1000 "/docker.service/docker/" A,
		"/kubepods/burstable/pod" UID "/docker-" A ".scope",
		"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UIS
		".slice/docker-" A ".scope",
		"/system.slice/containerd.service/system.slice:docker:" A,
	};
	for (size_t i = 0; i < ARRAY_N(paths); i++)
		check_row(&(struct row){ paths[i], A, NULL, RUNTIME_DOCKER, 0 }, false);
}

static void containerd_is_recognised(void **state)
{
	(void)state;
	static const char *const paths[] = {
		"/kubepods/pod" UID "/" A,
		"/kubepods/burstable/pod" UID "/" A,
		"/kubepods/besteffort/pod" UID "/" A "/nested",
		"/kubepods.slice/kubepods-pod" UIS ".slice/cri-containerd-" A ".scope",
		"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UIS
		".slice/cri-containerd-" A ".scope",
		"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UIS
		".slice/cri-containerd-" A ".scope/init.scope",
		"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UIS ".slice/" A,
		"/system.slice/containerd.service/kubepods-burstable-pod" UIS
		".slice:cri-containerd:" A,
		"/kubepods-besteffort-pod" UIS ".slice:cri-containerd:" A,
		"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" UIS
		".slice/cri-containerd-" A ".scope",
		"/kubelet/kubepods/besteffort/pod" UID "/" A,
		"/k8s.io/" A,
		"/system.slice/nerdctl-" A ".scope",
		USER1000 "/user.slice/nerdctl-" A ".scope",
		"/system.slice/containerd.service/system.slice:nerdctl:" A,
	};
	for (size_t i = 0; i < ARRAY_N(paths); i++)
		check_row(&(struct row){ paths[i], A, NULL, RUNTIME_CONTAINERD, 0 }, false);
}

static void crio_is_recognised(void **state)
{
	(void)state;
	static const char *const paths[] = {
		"/kubepods/burstable/pod" UID "/crio-" A,
		"/kubepods.slice/kubepods-pod" UIS ".slice/crio-" A ".scope",
		"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UIS
		".slice/crio-" A ".scope/container",
		"/system.slice/crio-" A ".scope",
	};
	for (size_t i = 0; i < ARRAY_N(paths); i++)
		check_row(&(struct row){ paths[i], A, NULL, RUNTIME_CRIO, 0 }, false);
}

static void lxc_is_recognised_by_its_name(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "/lxc/web", "web", NULL, RUNTIME_LXC, 0 },
		{ "/lxc/101/ns", "101", NULL, RUNTIME_LXC, 0 },
		{ "/lxc/101/ns/system.slice/cron.service", "101", NULL, RUNTIME_LXC, 0 },
		{ "/lxc.payload/web/init.scope", "web", NULL, RUNTIME_LXC, 0 },
		{ "/lxc.payload.web", "web", NULL, RUNTIME_LXC, 0 },
		{ "/lxc.payload.web-1/system.slice/ssh.service", "web-1", NULL, RUNTIME_LXC, 0 },
		{ "/lxc.payload.default_my.box", "default_my.box", NULL, RUNTIME_LXC, 0 },
		{ USER1000 "/app.slice/lxc.payload.web", "web", NULL, RUNTIME_LXC, 0 },
	};
	for (size_t i = 0; i < ARRAY_N(rows); i++)
		check_row(&rows[i], false);
}

static void innermost_container_wins_and_the_outer_is_told(void **state)
{
	(void)state;
	static const struct row rows[] = {
		/* kind: a node in Docker */
		{ "/docker/" B "/kubelet/kubepods/burstable/pod" UID "/" A, A, B,
			RUNTIME_CONTAINERD, RUNTIME_DOCKER },
		{ "/system.slice/docker-" B ".scope/kubelet.slice/kubelet-kubepods.slice/"
		  "kubelet-kubepods-pod" UIS ".slice/cri-containerd-" A ".scope",
			A, B, RUNTIME_CONTAINERD, RUNTIME_DOCKER },
		{ "/system.slice/docker-" B ".scope/init.scope", B, NULL, RUNTIME_DOCKER, 0 },
		{ "/lxc/101/ns/docker/" A, A, "101", RUNTIME_DOCKER, RUNTIME_LXC },
		{ "/lxc.payload.ci/system.slice/docker-" A ".scope", A, "ci", RUNTIME_DOCKER,
			RUNTIME_LXC },
		{ "/machine.slice/libpod-" B ".scope/container/libpod_parent/libpod-" A, A, B,
			RUNTIME_PODMAN, RUNTIME_PODMAN },
		/* three deep: the nearest counts as the outer one */
		{ "/lxc/101/docker/" B "/docker/" A, A, B, RUNTIME_DOCKER, RUNTIME_DOCKER },
		/* a supervisor inside is still in the outer container */
		{ "/docker/" B "/libpod_parent/conmon", B, NULL, RUNTIME_DOCKER, 0 },
		{ "/docker/" B "/machine.slice/libpod-conmon-" A ".scope", B, NULL, RUNTIME_DOCKER,
			0 },
		/* the same again is not an outer one */
		{ "/docker/" A "/docker/" A, A, NULL, RUNTIME_DOCKER, 0 },
	};
	for (size_t i = 0; i < ARRAY_N(rows); i++)
		check_row(&rows[i], false);
}

static void shape_alone_is_weak(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "/" A, A, NULL, RUNTIME_UNKNOWN, 0 },
		{ "/libpod_parent/" A, A, NULL, RUNTIME_UNKNOWN, 0 }, /* a pod's own cgroup */
		{ "/ecs/0d5a7ed1/" A, A, NULL, RUNTIME_UNKNOWN, 0 },
		{ "/actions_job/" A "/x", A, NULL, RUNTIME_UNKNOWN, 0 },
		{ "/system.slice/" A ".service/" B, B, NULL, RUNTIME_UNKNOWN, 0 },
		{ "/podium/" A, A, NULL, RUNTIME_UNKNOWN, 0 }, /* no kubepods above */
		{ "/default/" A, A, NULL, RUNTIME_CONTAINERD, 0 },
		{ "/default/web_1", "web_1", NULL, RUNTIME_CONTAINERD, 0 },
		{ "/default/web_1/init.scope", "web_1", NULL, RUNTIME_CONTAINERD, 0 },
		{ "/k8s.io/c2", "c2", NULL, RUNTIME_CONTAINERD, 0 },
		{ "/home/lxc/web", "web", NULL, RUNTIME_LXC, 0 },
	};
	for (size_t i = 0; i < ARRAY_N(rows); i++)
		check_row(&rows[i], true);
}

static void weak_match_inside_does_not_hide_a_container(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "/docker/" A "/" B, A, NULL, RUNTIME_DOCKER, 0 },
		{ "/machine.slice/libpod-" A ".scope/container/" B "/x", A, NULL, RUNTIME_PODMAN,
			0 },
		{ "/lxc/101/docker/" A "/" B, A, "101", RUNTIME_DOCKER, RUNTIME_LXC },
	};
	for (size_t i = 0; i < ARRAY_N(rows); i++)
		check_row(&rows[i], false);
}

static void host_is_no_container(void **state)
{
	(void)state;
	static const char *const paths[] = {
		"",
		"/",
		"///",
		"/init.scope",
		"/system.slice/docker.service",
		"/system.slice/containerd.service",
		"/system.slice/crio.service",
		"/system.slice/ssh.service",
		USER1000 "/app.slice/app-org.gnome.Terminal.slice/vte-spawn-" UID ".scope",
		USER1000 "/user.slice/podman-4242.scope",
		/* supervisors */
		"/libpod_parent/conmon",
		"/machine.slice/libpod-conmon-" A ".scope",
		"/system.slice/web.service/supervisor",
		"/kubepods.slice/kubepods-pod" UIS ".slice/crio-conmon-" A ".scope",
		"/lxc.monitor/101",
		"/lxc.monitor.web",
		"/lxc.pivot",
		"/lxc",
		"/lxc.payload",
		"/lxc.payload.",
		"/lxc/..",
		/* pods and slices without a container */
		"/kubepods/burstable/pod" UID,
		"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UIS ".slice",
		"/machine.slice/machine-libpod_pod_" A ".slice",
		/* ids that are none */
		"/docker/0123456789abcdef0123456789abcdef", /* 32 digits */
		"/libpod-0123456789abcdef0123456789abcdef",
		"/libpod_parent/libpod-" A "0",
		"/docker/" A "0",
		"/docker/8F3C5E0A1B2D4C6F8091A2B3C4D5E6F708192A3B4C5D6E7F8091A2B3C4D5E6F7",
		"/x-" A ".scope",
		"/notlibpod-" A,
		"/libpod-" A ".service",
		"/libpod-" A ".scope.d",
		"/system.slice:bogus:" A,
		"/:" A,
		"/-" A,
		/* not where ctr puts its own */
		"/user.slice/default/web",
		"/default",
		"/default/.",
		"/default/with blank",
		"/kubepods/x",
		/* systemd-nspawn: not one of ours */
		"/machine.slice/systemd-nspawn@web.service/payload",
		"/docker/buildkit/k2v0rsjkxyl5e1hh1ygbu3ncz",
	};
	for (size_t i = 0; i < ARRAY_N(paths); i++) {
		struct runtime_match m = { .id = STR("untouched") };
		if (runtime_match_cgroup(str_from(paths[i]), &m))
			fail_msg("%s: taken for %s %.*s", paths[i],
				container_runtime_name(m.runtime), STR_ARG(m.id));
		assert_true(str_eqz(m.id, "untouched"));
	}
}

static void overlong_name_is_no_id(void **state)
{
	(void)state;
	struct runtime_match m;
	assert_true(runtime_match_cgroup(STR("/lxc/" C), &m));
	assert_int_equal(m.id.n, CONTAINER_ID_LEN);
	assert_false(runtime_match_cgroup(STR("/lxc/" C "x"), &m));
	assert_false(runtime_match_cgroup(STR("/lxc.payload.x" C), &m));
}

static void name_with_control_bytes_is_no_id(void **state)
{
	(void)state;
	struct runtime_match m;
	assert_false(runtime_match_cgroup(STR("/lxc/a\033[2J"), &m));
	assert_false(runtime_match_cgroup(STR("/lxc.payload.\n"), &m));
	assert_false(runtime_match_cgroup(STR("/lxc/a\0b"), &m));
	assert_false(runtime_match_cgroup(STR("/default/\xff"), &m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(podman_is_recognised),
		cmocka_unit_test(docker_is_recognised),
		cmocka_unit_test(containerd_is_recognised),
		cmocka_unit_test(crio_is_recognised),
		cmocka_unit_test(lxc_is_recognised_by_its_name),
		cmocka_unit_test(innermost_container_wins_and_the_outer_is_told),
		cmocka_unit_test(shape_alone_is_weak),
		cmocka_unit_test(weak_match_inside_does_not_hide_a_container),
		cmocka_unit_test(host_is_no_container),
		cmocka_unit_test(overlong_name_is_no_id),
		cmocka_unit_test(name_with_control_bytes_is_no_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
