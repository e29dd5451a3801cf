/* What upstream's reference says of conditions, statement by statement, through the loader and the
 * judge: grammar, and the eleven corner cases of evaluation (s1 to s11). */
#include "tests/unit/rules_say.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

/* ---- grammar ---- */

static void not_binds_closer_than_and_and_and_closer_than_or(void **state)
{
	(void)state;
	say_holds("proc.name = sh or proc.name = x and proc.name = y");
	say_fails("(proc.name = sh or proc.name = x) and proc.name = y");
	say_holds("not proc.name = x and proc.name = sh");
	say_fails("not (proc.name = x or proc.name = sh)");
}

static void words_of_logic_need_a_blank_or_a_parenthesis(void **state)
{
	(void)state;
	say_holds("not(proc.name=x)and(proc.name=sh)");
	say_holds("(proc.name=x)or(proc.name=sh)");
	say_holds("not not proc.name = sh");
	say_fails("not not not proc.name = sh");
	say_refused("proc.name = sh andproc.name = x", "");
	/* "notproc" is a word of its own: a macro that does not exist. */
	say_refused("notproc", "unknown macro notproc");
}

static void a_check_is_a_field_a_transformer_a_word_or_a_parenthesis(void **state)
{
	(void)state;
	say_holds("((((proc.name = sh))))");
	say_holds("tolower(proc.name) = sh");
	assert_string_equal(
		say_fired("- macro: m\n  condition: proc.name = sh\n" SAY_RULE("r", "m")), "r");
	say_refused("proc.name", "");
	say_refused("proc.name =", "");
	say_refused("= sh", "");
	say_refused("(proc.name = sh", "");
	say_refused("proc.name = sh)", "");
	say_refused("proc.name = sh proc.name = x", "");
	say_refused("", "");
}

static void a_field_may_have_an_argument_bare_or_quoted(void **state)
{
	(void)state;
	say_holds("proc.aname[1] = bash");
	say_holds("proc.aname[\"1\"] = bash");
	say_holds("proc.aname['2'] = sshd");
	rfx_container(&say_fx, CONTAINER_KNOWN);
	say_holds("container.mount.dest[/var/run/*] = /run/docker.sock");
	say_refused("proc.aname[1 = bash", "");
	say_refused("proc.aname[ 1 ] = bash", "bare or quoted");
	say_refused("proc.name[1] = sh", "takes no argument");
	say_refused("proc.aname[x] = bash", "must be a number");
}

static void exists_stands_alone(void **state)
{
	(void)state;
	say_holds("proc.name exists");
	say_holds("proc.name exists and proc.pname exists");
	say_fails("fd.name exists");
	say_refused("proc.name exists sh", "");
}

static void numeric_operators_take_numbers_alone(void **state)
{
	(void)state;
	say_holds("proc.pid <= 1000 and proc.pid>=1000 and proc.pid<1001 and proc.pid > 999");
	say_holds("proc.pid >= 0x3e8");
	say_refused("proc.pid >= sh", "");
	say_refused("proc.pid < (1, 2)", "");
}

static void operators_that_are_words_need_a_blank_and_list_operators_do_not(void **state)
{
	(void)state;
	say_holds("proc.name=sh");
	say_holds("proc.name==sh");
	say_holds("proc.name!=x");
	say_holds("proc.name in(sh,x)");
	say_holds("proc.name in (x, \"sh\")");
	say_holds("proc.exepath startswith /usr");
	say_refused("proc.exepath startswith/usr", "");
	say_holds("proc.exepath pmatch(/usr,/opt)");
}

static void every_string_operator_works(void **state)
{
	(void)state;
	say_holds("proc.exepath contains bin/d");
	say_holds("proc.exepath icontains BIN/D");
	say_holds("proc.exepath startswith /usr/");
	say_holds("proc.exepath endswith dash");
	say_holds("proc.exepath glob /usr/*");
	say_holds("proc.exepath iglob /USR/*");
	say_holds("proc.exepath regex '/usr/(bin|sbin)/d.*'");
	say_fails("proc.exepath contains BIN");
}

static void modifiers_take_a_list_behind_a_string_operator(void **state)
{
	(void)state;
	say_holds("proc.exepath startswith anyof (/opt, /usr)");
	say_fails("proc.exepath startswith allof (/opt, /usr)");
	say_holds("proc.exepath contains allof (usr, dash)");
	say_holds("proc.exepath startswith oneof (/opt, /usr)");
	say_fails("proc.exepath startswith oneof (/u, /usr)");
}

static void transformers_nest_on_both_sides(void **state)
{
	(void)state;
	say_holds("toupper(proc.name) = SH");
	say_holds("proc.name = tolower(proc.name)");
	say_holds("proc.pname = basename(proc.pexepath)");
	say_holds("basename(proc.exepath) = dash");
	say_holds("tolower(toupper(proc.name)) = val(proc.name)");
	say_holds("len(proc.name) = 2");
	say_holds("concat(proc.name, -, proc.pname) = sh-bash");
	say_holds("join(\"+\", (a, b)) = a+b");
	rfx_process(&say_fx, 0, "ls", "/bin/ls", "ls -l -I x");
	say_holds("getopt(hw.argv, \"lI:\")[I] = x");
	say_refused("val(proc.name) = sh", "");
}

static void bare_words_end_at_blanks_quotes_parentheses_commas_and_equals(void **state)
{
	(void)state;
	rfx_process(&say_fx, 0, "a-b:c/d", "/bin/x", "x");
	say_holds("proc.name = a-b:c/d");
	say_holds("proc.name in (a-b:c/d,x)");
	say_refused("proc.name = a,b", "");
	say_refused("proc.name = a=b", "");
}

static void numbers_may_have_a_sign_a_fraction_and_an_exponent_in_text_only(void **state)
{
	(void)state;
	say_holds("proc.pid > -1");
	say_holds("proc.pid = +1000");
	/* Read, and left out: fields are integers. */
	say_holds("proc.pid = 1000.9");
	say_refused("proc.pid < 1e+9", "not a number");
}

static void escapes_are_those_of_the_reference_and_no_others(void **state)
{
	(void)state;
	rfx_process(&say_fx, 0, "a\tb", "/bin/x", "x");
	say_holds("proc.name = \"a\\tb\"");
	say_holds("proc.name = 'a\\x09b'");
	rfx_process(&say_fx, 0, "a\"b'c", "/bin/x", "x");
	say_holds("proc.name = \"a\\\"b'c\"");
	say_holds("proc.name = 'a\"b\\'c'");
	rfx_process(&say_fx, 0, "a\\b/c", "/bin/x", "x");
	say_holds("proc.name = \"a\\\\b\\/c\"");
	rfx_process(&say_fx, 0, "a\\", "/bin/x", "x");
	say_refused("proc.name = \"a\\q\"", "");
	say_refused("proc.name = 'a\\\"b'", "");
	say_refused("proc.name = \"a\\'b\"", "");
	say_refused("proc.name = \"a\\x0\"", "");
	say_refused("proc.name = \"a\\x00\"", "");
	say_refused("proc.name = \"open", "");
}

static void nesting_has_a_bound(void **state)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(8000);

	(void)state;
	for (int depth = 900; depth <= 1100; depth += 200) {
		buf_reset(&b);
		for (int i = 0; i < depth; i++)
			buf_putc(&b, '(');
		buf_puts(&b, "proc.name = sh");
		for (int i = 0; i < depth; i++)
			buf_putc(&b, ')');
		if (depth < 1000)
			say_holds(buf_cstr(&b));
		else
			say_refused(buf_cstr(&b), "deep");
	}
}

/* ---- evaluation, by the reference's numbers ---- */

static void s1_a_field_that_is_missing_makes_every_operator_false(void **state)
{
	static const char *const operators[] = { "= x", "!= x", "in (x)", "contains x", "exists",
		"startswith \"\"", "glob *", "regex '.*'", "pmatch (/)", "icontains x",
		"endswith \"\"" };
	char text[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_N(operators); i++) {
		snprintf(text, sizeof(text), "fd.name %s", operators[i]);
		say_fails(text);
		snprintf(text, sizeof(text), "not fd.name %s", operators[i]);
		say_holds(text);
	}
	/* <NA> is text of outputs alone: such a check holds for what is missing. */
	say_holds("not fd.name in (\"<NA>\", \"N/A\")");
	say_fails("fd.name = \"<NA>\"");
}

static void s2_the_right_side_is_read_as_the_field_s_type_when_loading(void **state)
{
	(void)state;
	say_refused("proc.pid = sh", "not a number");
	say_refused("proc.is_exe_upper_layer = yes", "neither true nor false");
	say_refused("proc.is_exe_upper_layer = 1", "neither true nor false");
	say_refused("fd.sport = 65536", "neither a port");
	say_refused("fd.sip = host.example", "not an address");
	rfx_net(&say_fx, EVENT_CONNECT, "10.0.0.1", 4000, "10.0.0.2", 443);
	say_holds("fd.sport = https");
	say_holds("fd.sport = 443");
	say_holds("fd.sport in (ssh, https)");
}

static void s3_in_is_exact_and_networks_are_compared_by_net_fields(void **state)
{
	(void)state;
	rfx_net(&say_fx, EVENT_CONNECT, "10.0.0.1", 4000, "10.0.0.2", 443);
	say_fails("fd.sport in (400, 500)");
	say_holds("fd.snet = 10.0.0.0/8");
	say_holds("fd.snet in (192.168.0.0/16, 10.0.0.0/8)");
	say_refused("fd.ip = 10.0.0.0/8", "fd.net");
	say_refused("fd.sip in (10.0.0.0/8)", "fd.net");
	/* Another family: different, and nothing else. */
	say_holds("fd.sip != ::1");
	say_fails("fd.sip = ::1");
	say_fails("fd.snet = \"fd00::/8\"");
	say_holds("fd.snet != \"fd00::/8\"");
}

static void s4_fields_of_both_ends_match_either_and_differ_by_both(void **state)
{
	(void)state;
	rfx_net(&say_fx, EVENT_CONNECT, "10.0.0.1", 4000, "10.0.0.2", 443);
	say_holds("fd.ip = 10.0.0.1");
	say_holds("fd.ip = 10.0.0.2");
	say_holds("fd.ip in (10.0.0.2, 10.9.9.9)");
	say_fails("fd.ip != 10.0.0.1");
	say_fails("fd.ip != 10.0.0.2");
	say_holds("fd.ip != 10.0.0.3");
	say_holds("fd.port = 443");
	say_fails("fd.port != 443");
	say_holds("fd.net = 10.0.0.2/32");
	say_fails("fd.net != 10.0.0.2/32");
	rfx_open(&say_fx, "/etc/hosts", NULL, O_RDONLY);
	say_fails("fd.ip = 10.0.0.1");
	say_fails("fd.ip != 10.0.0.1");
	say_fails("fd.port != 1");
}

static void s5_ancestors_without_an_index_are_any_of_them(void **state)
{
	(void)state;
	say_holds("proc.aname = sshd");
	say_holds("proc.aname in (systemd, x)");
	say_fails("proc.aname = sh");
	say_holds("proc.aname != sshd");
	say_holds("proc.aname != bash");
	say_holds("proc.aname[1] = bash");
	say_holds("proc.aname[3] = systemd");
	say_fails("proc.aname[3] != systemd");
	say_fails("proc.aname[4] != systemd");
	say_holds("proc.aexepath endswith /sshd");
	say_holds("proc.acmdline startswith sshd");
}

static void s6_lists_take_exists_in_and_intersects_and_args_is_a_string(void **state)
{
	(void)state;
	rfx_process(&say_fx, 0, "ls", "/bin/ls", "ls -l -a");
	say_holds("hw.argv exists");
	say_holds("hw.argv in (-l, -a, -x)");
	say_fails("hw.argv in (-l, -x)");
	say_holds("hw.argv intersects (-l, -x)");
	say_fails("hw.argv intersects (-y, -x)");
	say_refused("hw.argv contains -l", "cannot be used on a list");
	say_holds("proc.args = \"-l -a\"");
	say_holds("proc.args[1] = -a");
	say_holds("proc.args[7] = \"\"");
	rfx_process(&say_fx, 0, "ls", "/bin/ls", "ls");
	say_holds("proc.args=\"\"");
	say_holds("proc.args exists");
}

static void s7_glob_crosses_slashes_pmatch_is_by_components_regex_is_whole(void **state)
{
	(void)state;
	rfx_open(&say_fx, "/var/log/nginx/access.log", NULL, O_RDONLY);
	say_holds("fd.name glob /var/*.log");
	say_fails("fd.name glob /var/?.log");
	say_holds("fd.name pmatch (/var/log)");
	say_fails("fd.name pmatch (/var/lo)");
	say_holds("fd.name pmatch (/etc, /var/log/nginx/access.log)");
	say_holds("fd.name pmatch (/var/*/nginx)");
	say_fails("fd.name pmatch (/var/*/access.log)");
	say_fails("fd.name regex 'access'");
	say_holds("fd.name regex '.*access\\\\.log'");
	say_fails("fd.name regex '/var/log|/var'");
	say_holds("fd.name regex '/var/lo[g]/.*'");
}

static void s8_names_of_addresses_are_not_available_and_say_so(void **state)
{
	AUTO(ruleset_unref)
	struct ruleset *rs = say_load(
		SAY_RULE("r", "evt.type = connect and fd.sip.name = example.org"));

	(void)state;
	assert_int_equal(say_report.errors_n, 0);
	assert_int_equal(say_report.cannot_run_n, 1);
	assert_int_equal(ruleset_rule(rs, 0)->state, RULE_CANNOT_RUN);
	say_assert_told(RULES_CANNOT_RUN, "fd.sip.name");
}

static void s9_open_flags_results_and_arguments_are_texts(void **state)
{
	(void)state;
	say_fails("evt.is_open_read = true");
	say_holds("evt.is_open_read = false");
	say_fails("evt.is_open_write = true");
	rfx_open(&say_fx, "/tmp/f", NULL, O_RDWR | O_TRUNC | O_CREAT);
	say_holds("evt.is_open_read = true and evt.is_open_write = true");
	say_holds("evt.arg.flags contains O_TRUNC");
	say_holds("evt.arg.flags contains O_RDWR");
	say_holds("evt.res = SUCCESS and evt.rawres = 3");
	rfx_open(&say_fx, NULL, "/tmp/f", O_RDONLY);
	say_holds("evt.res = ENOENT and evt.rawres = -2 and evt.failed = true");
	rfx_net(&say_fx, EVENT_SOCKET, "0.0.0.0", 0, NULL, 0);
	say_fx.ev.net.family = AF_PACKET;
	say_holds("evt.arg.domain contains AF_PACKET");
}

static void s10_there_are_only_ends_of_calls_and_evt_dir_is_deprecated(void **state)
{
	(void)state;
	say_holds("evt.dir = <");
	say_assert_told(RULES_WARNING, "evt.dir is deprecated");
	say_fails("evt.dir = >");
}

static void type_list(const char *condition, const char *expected)
{
	AUTO(ruleset_unref) struct ruleset *rs = say_load(say_rule(condition));
	AUTO(buf_fini) struct buf b = BUF_INIT(4096);
	size_t n;
	const char *const *types = ruleset_types(rs, &n);

	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s%s", i ? " " : "", types[i]);
	if (strcmp(buf_cstr(&b), expected) != 0)
		fail_msg("%s: wants %s, not %s", condition, buf_cstr(&b), expected);
}

static void s11_the_types_of_a_rule_come_from_its_condition(void **state)
{
	(void)state;
	type_list("evt.type = connect", "connect");
	type_list("evt.type in (connect, bind) and evt.type != bind", "connect");
	type_list("evt.type = connect or evt.type = listen", "connect listen");
	type_list("not (evt.type != connect or proc.name = x)", "connect");
	type_list("evt.type = connect and evt.num = 0", "");
	type_list("evt.type = connect and evt.type = bind", "");
	type_list("evt.type in (openat, connect) and not (evt.type = connect and proc.name = x)",
		"connect openat");
	type_list("evt.type = connect", "connect");
	assert_int_equal(say_report.warnings_n, 0);
	type_list("evt.is_open_read = true and evt.type != open", "creat openat openat2");
	say_check(say_rule("proc.name = sh"));
	say_assert_told(RULES_WARNING, "no condition on evt.type");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAY_T(not_binds_closer_than_and_and_and_closer_than_or),
		SAY_T(words_of_logic_need_a_blank_or_a_parenthesis),
		SAY_T(a_check_is_a_field_a_transformer_a_word_or_a_parenthesis),
		SAY_T(a_field_may_have_an_argument_bare_or_quoted),
		SAY_T(exists_stands_alone),
		SAY_T(numeric_operators_take_numbers_alone),
		SAY_T(operators_that_are_words_need_a_blank_and_list_operators_do_not),
		SAY_T(every_string_operator_works),
		SAY_T(modifiers_take_a_list_behind_a_string_operator),
		SAY_T(transformers_nest_on_both_sides),
		SAY_T(bare_words_end_at_blanks_quotes_parentheses_commas_and_equals),
		SAY_T(numbers_may_have_a_sign_a_fraction_and_an_exponent_in_text_only),
		SAY_T(escapes_are_those_of_the_reference_and_no_others),
		SAY_T(nesting_has_a_bound),
		SAY_T(s1_a_field_that_is_missing_makes_every_operator_false),
		SAY_T(s2_the_right_side_is_read_as_the_field_s_type_when_loading),
		SAY_T(s3_in_is_exact_and_networks_are_compared_by_net_fields),
		SAY_T(s4_fields_of_both_ends_match_either_and_differ_by_both),
		SAY_T(s5_ancestors_without_an_index_are_any_of_them),
		SAY_T(s6_lists_take_exists_in_and_intersects_and_args_is_a_string),
		SAY_T(s7_glob_crosses_slashes_pmatch_is_by_components_regex_is_whole),
		SAY_T(s8_names_of_addresses_are_not_available_and_say_so),
		SAY_T(s9_open_flags_results_and_arguments_are_texts),
		SAY_T(s10_there_are_only_ends_of_calls_and_evt_dir_is_deprecated),
		SAY_T(s11_the_types_of_a_rule_come_from_its_condition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
