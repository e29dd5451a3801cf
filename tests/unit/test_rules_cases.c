/* Cases for rules: what they can say, what comes of it, and how wrong ones are told. */
#include "tests/unit/rules_say.h"

#include "rules/cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* One rule that prints what the event is told to be, and a few to tell apart. */
static const char rules[] =
	"- rule: all\n  desc: d\n  priority: NOTICE\n  tags: [one, two]\n"
	"  condition: evt.type in (openat, creat, execve, connect, listen, socket, procexit, clone)\n"
	"  output: \"%evt.type|%fd.name|%proc.cmdline|%proc.pname|%user.name|%container.name\"\n"
	"- rule: exact\n  desc: d\n  priority: CRITICAL\n  condition: evt.type = execve and "
	"proc.name = exact\n  output: \"pid=%proc.pid\"\n"
	"- rule: off\n  desc: d\n  priority: INFO\n  condition: evt.type = execve\n  output: o\n"
	"  enabled: false\n"
	"- rule: later\n  desc: d\n  priority: INFO\n  condition: evt.type = ptrace\n  output: o\n";

static struct case_result result;

static int end(void **state)
{
	case_result_fini(&result);
	return say_teardown(state);
}

/* Run the first case of a file against the rules above (or others). */
static enum case_outcome run_with(const char *set, const char *text)
{
	AUTO(ruleset_unref) struct ruleset *rs = say_load(set);
	AUTO(cases_free) struct cases *c = NULL;
	struct err e;

	case_result_fini(&result);
	if (cases_parse(&c, "t.yaml", str_from(text), &e))
		fail_msg("%s", e.msg);
	cases_run(c, 0, rs, &result);
	return result.outcome;
}

static enum case_outcome run(const char *text)
{
	return run_with(rules, text);
}

static void passes(const char *text)
{
	if (run(text) != CASE_PASSED)
		fail_msg("%s: %s: %s", text, case_outcome_name(result.outcome),
			result.remarks.p[0].what);
}

static void ends(enum case_outcome o, const char *text, const char *words)
{
	if (run(text) != o)
		fail_msg("%s: %s", text, case_outcome_name(result.outcome));
	if (!strstr(result.remarks.p[0].what, words))
		fail_msg("\"%s\" lacks \"%s\"", result.remarks.p[0].what, words);
}

/* A condition that must hold for an event. */
static void event_is(const char *event, const char *condition)
{
	char set[2048], text[2048];

	snprintf(set, sizeof(set), "%s", say_rule(condition));
	snprintf(text, sizeof(text), "cases:\n  - event: {%s}\n    expect: [r]\n", event);
	if (run_with(set, text) != CASE_PASSED)
		fail_msg("%s: %s: %s", event, condition,
			result.remarks.n ? result.remarks.p[0].what : "?");
}

#define CASE(event, rest) "cases:\n  - name: n\n    event: {" event "}\n    " rest "\n"

static void expected_rules_must_fire_and_others_may(void **state)
{
	(void)state;
	passes(CASE("type: execve, proc: exact", "expect: [exact]"));
	passes(CASE("type: execve, proc: exact", "expect: [all, exact]"));
	assert_int_equal(result.fired.n, 2);
	assert_string_equal(result.fired.p[0], "all");
	passes(CASE("type: execve, proc: exact", "expect: exact"));
	ends(CASE_FAILED, CASE("type: execve, proc: other", "expect: [exact]"),
		"expected rule exact to fire; fired: all");
	assert_int_equal(result.remarks.p[0].line, 4);
	assert_int_equal(result.remarks.p[0].col, 14);
}

static void only_means_no_other(void **state)
{
	(void)state;
	passes(CASE("type: execve, proc: x", "expect_only: [all]"));
	ends(CASE_FAILED, CASE("type: execve, proc: exact", "expect_only: [exact]"),
		"rule all fired too");
	ends(CASE_FAILED, CASE("type: execve, proc: x", "expect_only: []"), "rule all fired too");
}

static void an_empty_expectation_means_nothing_at_all(void **state)
{
	(void)state;
	passes(CASE("type: bind, fd.name: \"0.0.0.0:80\"", "expect: []"));
	ends(CASE_FAILED, CASE("type: execve, proc: x", "expect: []"), "rule all fired too");
}

static void what_must_not_fire_must_not(void **state)
{
	(void)state;
	passes(CASE("type: execve, proc: x", "expect_not: [exact]"));
	ends(CASE_FAILED, CASE("type: execve, proc: exact", "expect_not: [exact]"),
		"rule exact must not fire, but did: pid=1000");
}

static void the_alert_s_parts_are_compared(void **state)
{
	static const char event[] = "cases:\n  - event: {type: openat, fd.name: /a, proc: {cmd: "
				    "cat /a, pid: 7, parent: sh}, user: root, container: web}\n"
				    "    expect:\n      - rule: all\n        %s\n";
	static const struct {
		const char *detail, *words;
	} wrong[] = {
		{ "output: other",
			"output: expected \"other\", came \"openat|/a|cat /a|sh|root|web\"" },
		{ "output_contains: [cat, dog]", "output_contains: expected \"dog\"" },
		{ "priority: error", "priority: expected \"error\", came \"Notice\"" },
		{ "tags: [one, three]", "rule all has no tag three" },
		{ "fields: {proc.pname: bash}", "proc.pname: expected \"bash\", came \"sh\"" },
		{ "fields: {proc.pid: 7}", "proc.pid is not in the output of rule all" },
		{ "fields: {user.name: null}", "user.name: expected \"null\", came \"root\"" },
	};
	static const char *const right[] = { "output: openat|/a|cat /a|sh|root|web",
		"output_contains: [cat, web]", "output_contains: openat", "priority: NOTICE",
		"tags: [two]", "fields: {proc.pname: sh, container.name: web}" };
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_N(right); i++) {
		snprintf(text, sizeof(text), event, right[i]);
		passes(text);
	}
	for (size_t i = 0; i < ARRAY_N(wrong); i++) {
		snprintf(text, sizeof(text), event, wrong[i].detail);
		ends(CASE_FAILED, text, wrong[i].words);
	}
}

static void missing_fields_are_null(void **state)
{
	(void)state;
	passes("cases:\n  - event: {type: execve, proc: x}\n    expect:\n      - rule: all\n"
	       "        fields: {fd.name: null, proc.pname: ~, container.name: host}\n");
}

static void what_cannot_be_judged_here_is_skipped(void **state)
{
	(void)state;
	ends(CASE_SKIPPED, CASE("type: ptrace, evt.arg.request: X", "expect: [later]"),
		"rule later cannot run here: event type ptrace");
	ends(CASE_SKIPPED, CASE("type: ptrace", "expect_not: [all]"),
		"events of type ptrace are not available");
}

static void wrong_cases_are_told_with_their_place(void **state)
{
	static const struct {
		const char *text, *words;
		uint32_t line, col;
	} wrong[] = {
		{ CASE("type: execve, proc: x", "expect: [exat]"), "did you mean exact?", 4, 14 },
		{ CASE("type: execve, proc: x", "expect: [off]"), "rule off is off: enabled: false",
			4, 14 },
		{ CASE("type: execv, proc: x", "expect: [all]"), "did you mean execve?", 3, 19 },
		{ CASE("proc: x", "expect: [all]"), "type is missing", 3, 12 },
		{ CASE("type: execve, porc: x", "expect: [all]"), "did you mean proc?", 3, 27 },
		{ CASE("type: execve, proc: {nmae: x}", "expect: [all]"), "did you mean name?", 3,
			34 },
		{ CASE("type: execve, proc: {args: x}", "expect: [all]"), "cmd", 3, 40 },
		{ CASE("type: execve, fd.name: /x", "expect: [all]"),
			"events of this type have none", 3, 27 },
		{ CASE("type: openat, flags: O_RDNOLY", "expect: [all]"),
			"unknown open flag O_RDNOLY", 3, 34 },
		{ CASE("type: openat, res: EWHAT", "expect: [all]"), "ENOENT", 3, 32 },
		{ CASE("type: openat, container: {privileged: maybe}", "expect: [all]"),
			"true or false", 3, 51 },
		{ CASE("type: connect, fd.name: 10.0.0.1", "expect: [all]"), "ADDRESS:PORT", 3,
			37 },
		{ CASE("type: connect, fd.sip: 10.0.0.1, fd.cip: \"::1\"", "expect: [all]"),
			"not of the same family", 3, 54 },
		{ CASE("type: execve", "expekt: [all]"), "did you mean expect?", 4, 5 },
		{ CASE("type: execve", "name2: x"), "unknown key", 4, 5 },
		{ "cases:\n  - event: {type: execve}\n", "expect_not is missing", 2, 5 },
		{ "cases: [x]\n", "a case is a map", 1, 9 },
		{ CASE("type: execve", "expect: [{rule: all, otput: x}]"), "did you mean output?",
			4, 26 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_N(wrong); i++) {
		ends(CASE_WRONG, wrong[i].text, wrong[i].words);
		if (result.remarks.p[0].line != wrong[i].line ||
			result.remarks.p[0].col != wrong[i].col)
			fail_msg("%s: at %u:%u", wrong[i].text, result.remarks.p[0].line,
				result.remarks.p[0].col);
	}
}

static void wrong_files_are_told_with_their_place(void **state)
{
	static const struct {
		const char *text, *words;
	} wrong[] = {
		{ "", "t.yaml:1:1: expected a map" },
		{ "- x\n", "t.yaml:1:1: expected a map" },
		{ "rules: [x]\n", "t.yaml:1:1: cases must be a list" },
		{ "cases: []\n", "t.yaml:1:8: cases must be a list" },
		{ "cases: [x]\nroles: x\n", "t.yaml:2:1: unknown key" },
		{ "cases: [x]\nrules: {a: b}\n", "t.yaml:2:8: rules is a list" },
		{ "cases: [x]\n---\ncases: [y]\n", "t.yaml:3:1: one document" },
		{ "cases: [\n", "t.yaml:2:1: " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_N(wrong); i++) {
		struct cases *c = NULL;
		struct err e;

		assert_int_equal(cases_parse(&c, "t.yaml", str_from(wrong[i].text), &e), -1);
		if (!strstr(e.msg, wrong[i].words))
			fail_msg("\"%s\" lacks \"%s\"", e.msg, wrong[i].words);
	}
}

static void rules_are_named_as_written(void **state)
{
	AUTO(cases_free) struct cases *c = NULL;
	struct err e;
	size_t n;

	(void)state;
	assert_int_equal(
		cases_parse(&c, "t.yaml", STR("rules: [shipped, ../x.yaml]\ncases: [x, y]\n"), &e),
		0);
	assert_int_equal(cases_count(c), 2);
	assert_string_equal(cases_rules(c, &n)[1], "../x.yaml");
	assert_int_equal(n, 2);
}

static void processes_are_made_from_what_is_told(void **state)
{
	(void)state;
	event_is("type: execve, proc: /bin/cat -n /x",
		"proc.name = cat and proc.exepath = /bin/cat and proc.args = \"-n /x\"");
	event_is("type: execve, proc: cat", "proc.exepath = /usr/bin/cat and proc.args = \"\"");
	event_is("type: execve, proc: {name: x, exepath: /opt/y, args: [z, a b]}",
		"proc.name = x and proc.exepath = /opt/y and proc.exe = z and proc.args[0] = 'a b'");
	event_is("type: execve, proc: {cmd: a, parent: {cmd: b, parent: {cmd: c, parent: d}}}",
		"proc.pname = b and proc.aname[2] = c and proc.aname[3] = d and "
		"not proc.aname[4] exists");
	event_is("type: execve, proc: {cmd: a, tty: true, pid: 5, vpid: 1, duration: 3s}",
		"proc.tty != 0 and proc.pid = 5 and proc.vpid = 1 and proc.duration = 3000000000");
	event_is("type: execve, proc: {cmd: a, cap_effective: [CAP_NET_RAW, CAP_SYS_ADMIN]}",
		"thread.cap_effective = 'CAP_NET_RAW CAP_SYS_ADMIN'");
	event_is("type: execve, proc.name: a, proc.is_exe_from_memfd: true",
		"proc.name = a and proc.is_exe_from_memfd = true and "
		"evt.arg.flags contains EXE_FROM_MEMFD");
	event_is("type: procexit, ret: 3, proc: x", "evt.arg.ret = 3");
	event_is("type: clone, proc: x", "evt.type = clone");
	event_is("type: execveat, proc: x, filename: ./x", "evt.arg.filename = ./x");
}

static void users_have_their_names(void **state)
{
	(void)state;
	event_is("type: execve", "user.uid = 0 and user.name = root");
	event_is("type: execve, user: 33", "user.uid = 33 and not user.name exists");
	event_is("type: execve, user: joe", "user.uid = 1000 and user.name = joe");
	event_is("type: execve, user: {uid: 5, name: u, loginuid: 6, loginname: l, gid: 7}",
		"user.name = u and user.loginname = l and user.loginuid = 6 and group.gid = 7");
	event_is("type: execve, user.name: u, user.uid: 5", "user.uid = 5 and user.name = u");
	event_is("type: execve, group: {gid: 4, name: adm}", "group.name = adm");
}

static void containers_have_their_metadata(void **state)
{
	(void)state;
	event_is("type: execve", "container.id = host");
	event_is("type: execve, container: host", "container.id = host");
	event_is("type: execve, container: web",
		"container.id = 0123456789ab and container.name = web and container.type = podman");
	event_is("type: execve, container: {id: abcdefabcdef, image: \"r.io:5000/a/b:1.2\"}",
		"container.id = abcdefabcdef and container.image.repository = r.io:5000/a/b and "
		"container.image.tag = 1.2");
	event_is("type: execve, container: {image: \"r.io:5000/a\"}",
		"container.image.repository = r.io:5000/a and not container.image.tag exists");
	event_is("type: execve, container: {mounts: [{source: /s, dest: /d, mode: ro}]}",
		"container.mount.dest[/s] = /d and container.mount.rdwr[/s] = false");
	event_is("type: execve, container: {labels: {a: b}, privileged: true, pod.name: p}",
		"container.label[a] = b and container.privileged = true and k8s.pod.name = p");
	event_is("type: execve, container: {name: x, state: unknown}",
		"container.id != host and not container.image exists");
	event_is("type: execve, container.image.tag: latest", "container.image.tag = latest");
}

static void files_are_as_the_kernel_and_the_caller_name_them(void **state)
{
	(void)state;
	event_is("type: openat, fd.name: /etc/x",
		"fd.name = /etc/x and fd.nameraw = /etc/x and evt.rawres = 3 and "
		"evt.is_open_read = true and fd.typechar = f");
	event_is("type: openat, fd.name: /etc/x, fd.nameraw: ../x, hw.path_mismatch: true",
		"fd.nameraw = ../x and hw.path_mismatch = true");
	event_is("type: openat, fd.name: /etc/x, res: ENOENT",
		"fd.name = /etc/x and fd.num = -1 and evt.res = ENOENT");
	event_is("type: openat, fd.name: /etc, fd.type: directory", "fd.typechar = d");
	event_is("type: openat, fd.name: /x, evt.arg.flags: O_WRONLY|O_TRUNC, mode: 0755",
		"evt.is_open_write = true and evt.arg.flags contains O_TRUNC and "
		"evt.arg.mode = 0755");
	event_is("type: creat, fd.name: /x", "evt.type = creat and evt.is_open_write = true");
}

static void sockets_have_their_ends(void **state)
{
	(void)state;
	event_is("type: connect, fd.name: \"10.0.0.1:40->10.0.0.2:443\"",
		"fd.cip = 10.0.0.1 and fd.cport = 40 and fd.sip = 10.0.0.2 and fd.sport = 443 and "
		"fd.l4proto = tcp and fd.name = \"10.0.0.1:40->10.0.0.2:443\"");
	event_is("type: accept, fd.name: \"10.0.0.1:40->10.0.0.2:443\"",
		"fd.cip = 10.0.0.1 and fd.lip = 10.0.0.2 and fd.lport = 443 and fd.rport = 40");
	event_is("type: connect, fd.sip: \"fd00::1\", fd.sport: 53, fd.l4proto: udp",
		"fd.sip = \"fd00::1\" and fd.typechar = 6 and fd.l4proto = udp");
	event_is(
		"type: connect, fd.name: /run/x.sock", "fd.typechar = u and fd.name = /run/x.sock");
	event_is("type: listen, fd.name: \"0.0.0.0:80\"", "fd.sport = 80 and fd.is_server = true");
	event_is("type: socket, domain: AF_PACKET, socket_type: SOCK_RAW",
		"evt.arg.domain = AF_PACKET and evt.arg.type = 3");
	event_is("type: connect, fd.name: \"10.0.0.1:40->10.0.0.2:443\", res: EINPROGRESS",
		"evt.res = EINPROGRESS and fd.connected = false");
}

static void too_many_parents_are_told(void **state)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(1 << 16);

	(void)state;
	buf_puts(&b, "cases:\n  - expect: [all]\n    event: {type: execve, proc: ");
	for (int i = 0; i < 40; i++)
		buf_puts(&b, "{cmd: x, parent: ");
	buf_puts(&b, "x");
	for (int i = 0; i < 40; i++)
		buf_putc(&b, '}');
	buf_puts(&b, "}\n");
	ends(CASE_WRONG, buf_cstr(&b), "more than 32 processes");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, say_setup, end)
	const struct CMUnitTest tests[] = {
		T(expected_rules_must_fire_and_others_may),
		T(only_means_no_other),
		T(an_empty_expectation_means_nothing_at_all),
		T(what_must_not_fire_must_not),
		T(the_alert_s_parts_are_compared),
		T(missing_fields_are_null),
		T(what_cannot_be_judged_here_is_skipped),
		T(wrong_cases_are_told_with_their_place),
		T(wrong_files_are_told_with_their_place),
		T(rules_are_named_as_written),
		T(processes_are_made_from_what_is_told),
		T(users_have_their_names),
		T(containers_have_their_metadata),
		T(files_are_as_the_kernel_and_the_caller_name_them),
		T(sockets_have_their_ends),
		T(too_many_parents_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
