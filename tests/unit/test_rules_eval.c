/* What checks mean: upstream's corner cases, one test for each. */
#include "tests/unit/rules_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct rules_fixture fx;

static int setup(void **state)
{
	(void)state;
	rfx_init(&fx);
	return 0;
}

static void a_missing_field_makes_every_check_false(void **state)
{
	(void)state;
	assert_false_for(&fx, "fd.name = x");
	assert_false_for(&fx, "fd.name != x");
	assert_false_for(&fx, "fd.name exists");
	assert_false_for(&fx, "fd.num >= -1");
	assert_false_for(&fx, "not fd.name != x and fd.name in (x)");
	assert_true_for(&fx, "not fd.name = x");
	assert_true_for(&fx, "not fd.name != x");
	assert_true_for(&fx, "not fd.name in (\"<NA>\", \"N/A\")");
	assert_false_for(&fx, "proc.name = val(fd.name)");
	assert_false_for(&fx, "tolower(fd.name) != x");
}

static void a_value_of_the_wrong_type_does_not_load(void **state)
{
	(void)state;
	assert_non_null(strstr(rfx_error("proc.pid = x"), "not a number"));
	assert_non_null(strstr(rfx_error("evt.is_open_read = yes"), "neither true nor false"));
	assert_non_null(strstr(rfx_error("fd.sport = 70000"), "neither a port"));
	assert_non_null(strstr(rfx_error("fd.sport = nosuchservice"), "neither a port"));
	assert_non_null(strstr(rfx_error("fd.sip = 10.0.0"), "not an address"));
	assert_non_null(strstr(rfx_error("fd.ip = 10.0.0.0/8"), "fd.net"));
	assert_non_null(strstr(rfx_error("fd.net = 10.0.0.0/33"), "0 to 32"));
	assert_non_null(strstr(rfx_error("proc.pid contains 1"), "cannot be used"));
	assert_non_null(strstr(rfx_error("proc.name bcontains x"), "cannot be used"));
	assert_non_null(strstr(rfx_error("evt.is_open_read < 1"), "cannot be used"));
	assert_non_null(strstr(rfx_error("proc.name regex 'a(b'"), ""));
	assert_true_for(&fx, "proc.pid = 1000.7");
	assert_true_for(&fx, "proc.pid = 0x3e8");
	assert_non_null(strstr(rfx_error("proc.pid < 1e+9"), "not a number"));
}

static void unknown_names_do_not_load_and_the_unavailable_say_so(void **state)
{
	(void)state;
	assert_string_equal(rfx_error("proc.nmae = x"), "unknown field proc.nmae");
	assert_string_equal(rfx_error("proc.env[X] = x"), "field proc.env is not available");
	assert_string_equal(rfx_error("evt.arg.cmd = x"), "field evt.arg.cmd is not available");
	assert_string_equal(rfx_error("some_macro"), "unknown macro some_macro");
	assert_non_null(strstr(rfx_error("proc.name[1] = x"), "takes no argument"));
	assert_non_null(strstr(rfx_error("proc.aname[x] = x"), "must be a number"));
	assert_non_null(strstr(rfx_error("container.mount.dest = x"), "needs an argument"));
}

static void in_is_exact_membership(void **state)
{
	(void)state;
	assert_true_for(&fx, "proc.name in (bash, sh)");
	assert_false_for(&fx, "proc.name in (bash, s)");
	assert_false_for(&fx, "proc.name in ()");
	assert_true_for(&fx, "not proc.name in ()");
	assert_true_for(&fx, "proc.pid in (1, 1000)");
	assert_false_for(&fx, "proc.pid in (1, 999)");
	assert_true_for(&fx, "proc.name intersects (sh)");
	assert_true_for(&fx, "proc.name in sh");
}

static void networks_match_by_prefix_and_family(void **state)
{
	(void)state;
	rfx_net(&fx, EVENT_CONNECT, "10.1.2.3", 40000, "192.168.7.9", 443);
	assert_true_for(&fx, "fd.snet = 192.168.0.0/16");
	assert_true_for(&fx, "fd.snet in (172.16.0.0/12, 192.168.7.8/31)");
	assert_false_for(&fx, "fd.snet = 192.168.7.10/31");
	assert_true_for(&fx, "fd.snet = 192.168.7.9");
	assert_true_for(&fx, "fd.cnet = 0.0.0.0/0");
	/* Another family differs, and equals nothing. */
	assert_false_for(&fx, "fd.snet = ::/0");
	assert_true_for(&fx, "fd.snet != ::/0");
	assert_true_for(&fx, "fd.sip != ::1");
	assert_false_for(&fx, "fd.sip = ::1");
}

static void both_sides_count_for_ip_net_and_port(void **state)
{
	(void)state;
	rfx_net(&fx, EVENT_CONNECT, "10.1.2.3", 40000, "192.168.7.9", 443);
	assert_true_for(&fx, "fd.ip = 10.1.2.3 and fd.ip = 192.168.7.9");
	assert_true_for(&fx, "fd.ip in (1.1.1.1, 10.1.2.3)");
	assert_false_for(&fx, "fd.ip != 10.1.2.3");
	assert_true_for(&fx, "fd.ip != 10.1.2.4");
	assert_false_for(&fx, "fd.net != 10.0.0.0/8");
	assert_true_for(&fx, "fd.net != 127.0.0.0/8");
	assert_true_for(&fx, "fd.port = 443 and fd.port = 40000 and fd.port = https");
	assert_false_for(&fx, "fd.port != 443");
	rfx_open(&fx, "/etc/passwd", NULL, O_RDONLY);
	assert_false_for(&fx, "fd.ip = 10.1.2.3");
	assert_false_for(&fx, "fd.ip != 10.1.2.3");
}

static void client_and_server_depend_on_who_called(void **state)
{
	(void)state;
	rfx_net(&fx, EVENT_CONNECT, "10.1.2.3", 40000, "192.168.7.9", 443);
	assert_true_for(&fx, "fd.cip = 10.1.2.3 and fd.sip = 192.168.7.9 and fd.sport = 443");
	assert_true_for(&fx, "fd.lip = 10.1.2.3 and fd.rip = 192.168.7.9 and fd.rport = 443");
	assert_true_for(&fx, "fd.type = ipv4 and fd.typechar = 4 and fd.sockfamily = ip");
	assert_true_for(&fx, "fd.l4proto = tcp and fd.connected = true and fd.is_server = false");
	assert_true_for(&fx, "fd.name = '10.1.2.3:40000->192.168.7.9:443' and fd.num = 5");
	rfx_net(&fx, EVENT_ACCEPT, "10.1.2.3", 22, "192.168.7.9", 50000);
	assert_true_for(&fx, "fd.sip = 10.1.2.3 and fd.sport = 22 and fd.cip = 192.168.7.9");
	assert_true_for(
		&fx, "fd.lport = 22 and fd.rport = 50000 and fd.is_server = true and fd.num = 7");
	rfx_net(&fx, EVENT_CONNECT, "::ffff:10.1.2.3", 4000, "::ffff:1.2.3.4", 80);
	assert_true_for(&fx, "fd.sip = 1.2.3.4 and fd.typechar = 4");
	rfx_net(&fx, EVENT_CONNECT, "::1", 4000, "2001:db8::1", 80);
	assert_true_for(
		&fx, "fd.sip = '2001:db8::1' and fd.typechar = 6 and fd.snet = 2001:db8::/32");
	rfx_net(&fx, EVENT_LISTEN, "0.0.0.0", 80, NULL, 0);
	assert_true_for(&fx, "fd.sport = 80 and not fd.rip exists and fd.ip = 0.0.0.0");
}

static void an_ancestor_without_index_is_any_of_them(void **state)
{
	(void)state;
	assert_true_for(&fx, "proc.aname = sshd");
	assert_false_for(&fx, "proc.aname = sh");
	assert_true_for(&fx, "proc.aname in (systemd, x)");
	/* != holds as soon as one of them differs. */
	assert_true_for(&fx, "proc.aname != sshd");
	assert_true_for(
		&fx, "proc.aname[0] = sh and proc.aname[1] = bash and proc.aname[2] = sshd");
	assert_false_for(&fx, "proc.aname[4] exists");
	assert_false_for(&fx, "proc.aname[4] != x");
	assert_true_for(&fx, "proc.aexepath = /usr/sbin/sshd and proc.acmdline contains user");
	fx.process[0].parent = NULL;
	assert_false_for(&fx, "proc.aname != sshd");
	assert_false_for(&fx, "proc.pname exists");
}

static void a_loop_of_ancestors_ends(void **state)
{
	(void)state;
	fx.process[3].parent = &fx.process[1];
	assert_false_for(&fx, "proc.aname = nobody");
	assert_false_for(&fx, "proc.aname[100000] = nobody");
	assert_true_for(&fx, "proc.sname = sshd or not proc.sname exists or proc.sname = bash");
}

static void lists_are_compared_as_sets(void **state)
{
	(void)state;
	rfx_process(&fx, 0, "nc", "/bin/nc", "nc -e sh host");
	assert_true_for(&fx, "hw.argv in (-e, sh, host, other)");
	assert_false_for(&fx, "hw.argv in (-e, sh)");
	assert_true_for(&fx, "hw.argv intersects (host, nothing)");
	assert_false_for(&fx, "hw.argv intersects (nothing)");
	assert_true_for(&fx, "hw.argv exists");
	assert_non_null(strstr(rfx_error("hw.argv = x"), "on a list"));
}

static void arguments_are_one_string_that_is_always_there(void **state)
{
	(void)state;
	assert_true_for(&fx, "proc.args = '-c id' and proc.args[0] = -c and proc.args[1] = id");
	assert_true_for(&fx, "proc.args[2] = '' and proc.args[99] exists");
	rfx_process(&fx, 0, "sh", "/bin/sh", "sh");
	assert_true_for(&fx, "proc.args = '' and proc.cmdline = sh and proc.cmdnargs = 0");
	rfx_process(&fx, 0, "sh", "/bin/sh", "");
	assert_true_for(&fx, "proc.args = '' and proc.exe = sh");
}

static void glob_crosses_slashes(void **state)
{
	(void)state;
	rfx_open(&fx, "/home/eve/.ssh/id_rsa", NULL, O_RDONLY);
	assert_true_for(&fx, "fd.name glob '/home/*/id_rsa'");
	assert_true_for(&fx, "fd.name glob '/home/*/.ssh/*'");
	assert_true_for(&fx, "fd.name glob '/h?me/[a-e]ve/.[!x]sh/*'");
	assert_false_for(&fx, "fd.name glob '/home/*/.ssh'");
	assert_false_for(&fx, "fd.name glob '/HOME/*'");
	assert_true_for(&fx, "fd.name iglob '/HOME/*'");
	assert_true_for(&fx, "fd.name glob '*[[:alpha:]]' and not fd.name glob '*[[:digit:]]'");
	/* Exponential where a star gives back more than once. */
	assert_false_for(&fx, "fd.name glob '*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b'");
}

static void pmatch_is_a_prefix_of_whole_parts(void **state)
{
	(void)state;
	rfx_open(&fx, "/etc/pam.d/sshd", NULL, O_RDONLY);
	assert_true_for(&fx, "fd.name pmatch (/etc)");
	assert_true_for(&fx, "fd.name pmatch (/usr, /etc/pam.d/)");
	assert_true_for(&fx, "fd.name pmatch (/etc/pam.d/sshd)");
	assert_true_for(&fx, "fd.name pmatch (/)");
	assert_true_for(&fx, "fd.name pmatch (/e*/pam*)");
	assert_false_for(&fx, "fd.name pmatch (/et)");
	assert_false_for(&fx, "fd.name pmatch (/etc/pam.d/sshd/x)");
	assert_false_for(&fx, "fd.name pmatch (etc)");
	assert_false_for(&fx, "fd.name pmatch (/*/sshd)");
}

static void regex_matches_the_whole_text(void **state)
{
	(void)state;
	assert_true_for(&fx, "proc.cmdline regex 'sh -c .*'");
	assert_false_for(&fx, "proc.cmdline regex 'sh'");
	assert_true_for(&fx, "proc.cmdline regex '.*(id|whoami)'");
	assert_non_null(rfx_error("proc.name regex '(a)\\\\1'"));
}

static void open_flags_are_false_for_other_events(void **state)
{
	(void)state;
	assert_false_for(&fx, "evt.is_open_read = true");
	assert_true_for(&fx, "evt.is_open_read = false");
	rfx_open(&fx, "/tmp/x", NULL, O_RDWR | O_CREAT);
	fx.ev.open.mode = 0755;
	assert_true_for(&fx,
		"evt.is_open_read = true and evt.is_open_write = true and evt.is_open_exec = true");
	rfx_open(&fx, "/tmp/x", NULL, O_WRONLY);
	assert_true_for(&fx,
		"evt.is_open_read = false and evt.is_open_write = true and evt.is_open_exec = false");
	fx.ev.nr = 85;
	fx.ev.open.flags = 0;
	assert_true_for(
		&fx, "evt.type = creat and evt.is_open_write = true and evt.is_open_read = false");
}

static void a_failed_call_has_its_error_and_no_descriptor(void **state)
{
	(void)state;
	rfx_open(&fx, NULL, "../etc/./shadow", O_RDONLY);
	assert_true_for(
		&fx, "evt.res = ENOENT and evt.rawres = -2 and evt.failed = true and fd.num = -1");
	assert_true_for(&fx, "fd.typechar = f and fd.nameraw = ../etc/./shadow");
	assert_true_for(&fx, "fd.name = /home/etc/shadow and fd.directory = /home/etc");
	rfx_open(&fx, "/etc/shadow", "../etc/shadow", O_RDONLY | O_CLOEXEC);
	assert_true_for(&fx, "evt.res = SUCCESS and fd.num = 3 and fd.name = /etc/shadow");
	assert_true_for(&fx,
		"fd.filename = shadow and fd.directory = /etc and evt.arg.flags contains O_CLOEXEC");
	assert_true_for(&fx, "fd.nameraw contains ../");
	fx.ev.open.file_mode = S_IFDIR | 0755;
	assert_true_for(&fx, "fd.type = directory and fd.directory = /etc/shadow");
}

static void the_end_of_a_call_is_the_only_direction(void **state)
{
	(void)state;
	assert_true_for(&fx, "evt.dir = <");
	assert_false_for(&fx, "evt.dir = >");
	assert_true_for(&fx, "evt.num > 0");
	assert_false_for(&fx, "evt.num = 0");
}

static void string_operators_do_what_they_say(void **state)
{
	(void)state;
	assert_true_for(&fx, "proc.exepath startswith /usr and proc.exepath endswith dash");
	assert_true_for(&fx, "proc.exepath contains bin/ and proc.exepath icontains BIN/DASH");
	assert_false_for(&fx, "proc.exepath contains BIN");
	assert_true_for(&fx, "proc.name != bash and proc.exepath contains ''");
	assert_true_for(&fx, "proc.exepath startswith anyof (/bin, /usr)");
	assert_false_for(&fx, "proc.exepath startswith allof (/bin, /usr)");
	assert_true_for(&fx, "proc.exepath contains allof (usr, bin)");
	assert_false_for(&fx, "proc.exepath contains oneof (usr, bin)");
	assert_true_for(&fx, "proc.exepath contains oneof (usr, nothing)");
	assert_false_for(&fx, "proc.exepath = anyof ()");
}

static void transformers_change_values(void **state)
{
	(void)state;
	rfx_process(&fx, 0, "Nc", "/bin/NC", "Nc -ve aGVsbG8= -p 80 x");
	assert_true_for(&fx, "tolower(proc.name) = nc and toupper(proc.name) = NC");
	assert_true_for(
		&fx, "basename(proc.exepath) = NC and len(proc.name) = 2 and len(hw.argv) = 5");
	assert_true_for(&fx, "b64(proc.args[1]) = hello");
	assert_false_for(&fx, "b64(proc.cmdline) exists");
	assert_true_for(&fx, "join('|', hw.argv) = '-ve|aGVsbG8=|-p|80|x'");
	assert_true_for(&fx, "join('-', (proc.name, proc.pname)) = Nc-bash");
	assert_true_for(&fx, "concat(proc.name, ':', proc.pname) = Nc:bash");
	assert_true_for(&fx,
		"getopt(hw.argv, 'vp:e:')[e] = 'aGVsbG8=' and getopt(hw.argv, 'vp:e:')[p] = 80");
	assert_true_for(&fx, "getopt(hw.argv, 'vp:e:')[v] exists");
	assert_false_for(&fx, "getopt(hw.argv, 'vp:e:')[q] exists");
	assert_true_for(&fx,
		"getopt(hw.argv, 'vp:e:') intersects (e) and not getopt(hw.argv, 'v') intersects (q)");
	assert_true_for(&fx, "proc.pid = val(thread.tid) and proc.name != val(proc.pname)");
	assert_true_for(&fx, "len(proc.name) < len(proc.exepath)");
	assert_non_null(strstr(rfx_error("tolower(proc.pid) = 1"), "takes text"));
	assert_non_null(strstr(rfx_error("tolower(proc.aname) = x"), "several values"));
	assert_non_null(strstr(rfx_error("proc.pid = val(proc.name)"), "cannot be compared"));
}

static void the_host_and_containers_have_ids(void **state)
{
	(void)state;
	assert_true_for(&fx,
		"container.id = host and container.name = host and not container.image exists");
	assert_false_for(&fx, "container.privileged = false");
	rfx_container(&fx, CONTAINER_KNOWN);
	assert_true_for(&fx,
		"container.id = 0123456789ab and container.name = web and container.type = podman");
	assert_true_for(&fx,
		"container.image.repository = docker.io/library/nginx and container.image.tag = 1.25");
	assert_true_for(&fx, "container.privileged = false and len(container.full_id) = 64");
	assert_true_for(&fx, "container.mount.dest[/var/run/docker.sock] = /run/docker.sock");
	assert_true_for(
		&fx, "container.mount.dest[/proc*] = /host/sys and container.mount.mode[1] = ro");
	assert_true_for(&fx, "container.mount.dest[/etc] in ('<NA>', 'N/A')");
	assert_true_for(&fx, "container.duration = 60000000000");
	assert_false_for(&fx, "container.image.digest exists");
}

static void pending_metadata_decide_only_where_they_matter(void **state)
{
	(void)state;
	rfx_container(&fx, CONTAINER_PENDING);
	assert_int_equal(rfx_eval(&fx, "container.name = web"), VERDICT_PENDING);
	assert_int_equal(rfx_eval(&fx, "not container.name = web"), VERDICT_PENDING);
	assert_int_equal(rfx_eval(&fx, "container.name exists"), VERDICT_PENDING);
	assert_int_equal(rfx_eval(&fx, "container.name = web and proc.name = sh"), VERDICT_PENDING);
	assert_int_equal(rfx_eval(&fx, "container.name = web or proc.name = x"), VERDICT_PENDING);
	assert_int_equal(rfx_eval(&fx, "tolower(container.name) = web"), VERDICT_PENDING);
	assert_int_equal(rfx_eval(&fx, "container.name = oneof (a, b)"), VERDICT_PENDING);
	assert_false_for(&fx, "container.name = web and proc.name = x");
	assert_true_for(&fx, "container.name = web or proc.name = sh");
	assert_true_for(&fx, "container.id != host and container.id = 0123456789ab");
	fx.final = true;
	assert_false_for(&fx, "container.name = web");
	assert_true_for(&fx, "not container.name = web");
	fx.final = false;
	fx.container.state = CONTAINER_UNKNOWN;
	assert_false_for(&fx, "container.name = web");
	assert_true_for(&fx, "container.id != host");
}

static void users_come_from_the_callback(void **state)
{
	(void)state;
	assert_true_for(&fx, "user.uid = 1001 and user.name = user1001 and group.name = user1002");
	assert_true_for(
		&fx, "user.loginuid = -1 and not user.loginname exists and evt.hostname = node1");
	fx.process[0].loginuid = 7;
	rfx_container(&fx, CONTAINER_KNOWN);
	assert_true_for(&fx, "user.name = inner1001 and user.loginname = user7");
	fx.ev.uid = 4040;
	assert_false_for(&fx, "user.name exists");
}

static void times_and_durations_are_nanoseconds(void **state)
{
	(void)state;
	assert_true_for(&fx, "proc.duration = 10000000000 and proc.duration <= 10000000000");
	assert_true_for(
		&fx, "proc.pid.ts = 1699999990000000000 and proc.ppid.duration = 20000000000");
	assert_true_for(&fx,
		"evt.rawtime = 1700000000000000000 and evt.time.iso8601 = '2023-11-14T22:13:20.000000000Z'");
}

static void an_event_without_a_process_has_what_the_event_tells(void **state)
{
	(void)state;
	fx.no_process = true;
	assert_true_for(&fx, "proc.name = sh and proc.pid = 1000 and user.uid = 1001");
	assert_false_for(&fx, "proc.exepath exists");
	assert_false_for(&fx, "proc.args = ''");
	assert_false_for(&fx, "proc.aname exists");
	assert_false_for(&fx, "user.loginuid = -1");
}

static void capabilities_are_named(void **state)
{
	(void)state;
	fx.process[0].cap_effective = 1ull << 21 | 1;
	assert_true_for(&fx, "thread.cap_effective = 'CAP_CHOWN CAP_SYS_ADMIN'");
	assert_true_for(&fx, "thread.cap_permitted = '' and thread.cap_permitted exists");
}

/* No field may crash on any class of event, with or without process and container. */
static void every_field_can_be_read_from_every_event(void **state)
{
	(void)state;
	for (size_t i = 0; i < rules_fields_count(); i++) {
		struct rules_field f = rules_field_at(i);
		char condition[128];

		if (!f.available)
			continue;
		snprintf(condition, sizeof(condition), "%s%s exists or proc.pid exists", f.name,
			strcmp(f.arg, "[index]") == 0 || strcmp(f.arg, "[name]") == 0 ? "[0]" : "");
		assert_true(f.meaning[0] != '\0' && f.type[0] != '\0');
		for (int class = EVENT_EXEC; class < EVENT_CLASS_N; class ++) {
			rfx_init(&fx);
			memset(&fx.ev.exec, 0, sizeof(fx.ev.exec));
			fx.ev.class = (enum event_class) class;
			fx.ev.ret = class % 2 ? -1 : 0;
			rfx_eval(&fx, condition);
			rfx_container(&fx, class % 2 ? CONTAINER_KNOWN : CONTAINER_PENDING);
			fx.no_process = true;
			rfx_eval(&fx, condition);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_missing_field_makes_every_check_false, setup),
		cmocka_unit_test_setup(a_value_of_the_wrong_type_does_not_load, setup),
		cmocka_unit_test_setup(unknown_names_do_not_load_and_the_unavailable_say_so, setup),
		cmocka_unit_test_setup(in_is_exact_membership, setup),
		cmocka_unit_test_setup(networks_match_by_prefix_and_family, setup),
		cmocka_unit_test_setup(both_sides_count_for_ip_net_and_port, setup),
		cmocka_unit_test_setup(client_and_server_depend_on_who_called, setup),
		cmocka_unit_test_setup(an_ancestor_without_index_is_any_of_them, setup),
		cmocka_unit_test_setup(a_loop_of_ancestors_ends, setup),
		cmocka_unit_test_setup(lists_are_compared_as_sets, setup),
		cmocka_unit_test_setup(arguments_are_one_string_that_is_always_there, setup),
		cmocka_unit_test_setup(glob_crosses_slashes, setup),
		cmocka_unit_test_setup(pmatch_is_a_prefix_of_whole_parts, setup),
		cmocka_unit_test_setup(regex_matches_the_whole_text, setup),
		cmocka_unit_test_setup(open_flags_are_false_for_other_events, setup),
		cmocka_unit_test_setup(a_failed_call_has_its_error_and_no_descriptor, setup),
		cmocka_unit_test_setup(the_end_of_a_call_is_the_only_direction, setup),
		cmocka_unit_test_setup(string_operators_do_what_they_say, setup),
		cmocka_unit_test_setup(transformers_change_values, setup),
		cmocka_unit_test_setup(the_host_and_containers_have_ids, setup),
		cmocka_unit_test_setup(pending_metadata_decide_only_where_they_matter, setup),
		cmocka_unit_test_setup(users_come_from_the_callback, setup),
		cmocka_unit_test_setup(times_and_durations_are_nanoseconds, setup),
		cmocka_unit_test_setup(an_event_without_a_process_has_what_the_event_tells, setup),
		cmocka_unit_test_setup(capabilities_are_named, setup),
		cmocka_unit_test_setup(every_field_can_be_read_from_every_event, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
