/* What upstream's reference says of the rule language, statement by statement, through the loader and
 * the judge: grammar, the eleven corner cases of evaluation, the points of the loader. */
#include "tests/unit/rules_fixture.h"

#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

static struct rules_fixture fx;
static struct rules_report report;

static int setup(void **state)
{
	(void)state;
	rfx_init(&fx);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rules_report_fini(&report);
	return 0;
}

/* ---- helpers ---- */

static struct ruleset *load(const char *text)
{
	rules_report_fini(&report);
	return rfx_load(text, &report);
}

/* For what is told alone. */
static void check(const char *text)
{
	ruleset_unref(load(text));
}

/* The rules that fire, joined by blanks; static memory. */
static const char *fired_by(struct ruleset *rs)
{
	static char out[512];
	AUTO(judge_free) struct judge *j = judge_new(&(struct judge_options){ .rules = rs });
	struct judge_alerts alerts = { 0 };

	out[0] = '\0';
	rfx_judge(&fx, j, &alerts);
	for (size_t i = 0; i < alerts.list.n; i++)
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s%s", i ? " " : "",
			alerts.list.p[i]->rule);
	rfx_alerts_fini(&alerts);
	return out;
}

static const char *fired(const char *text)
{
	AUTO(ruleset_unref) struct ruleset *rs = load(text);

	return fired_by(rs);
}

/* A rule of this condition, written as a YAML scalar that needs no escaping. */
static const char *rule_of(const char *condition)
{
	static char text[8192];
	int n = snprintf(text, sizeof(text),
		"- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: |\n    %s\n",
		condition);

	assert_true(n > 0 && (size_t)n < sizeof(text));
	return text;
}

static void holds(const char *condition)
{
	const char *got = fired(rule_of(condition));

	if (report.errors_n || report.cannot_run_n)
		fail_msg("%s: %s", condition, report.list.p[0].what);
	if (strcmp(got, "r") != 0)
		fail_msg("%s: is false", condition);
}

static void fails(const char *condition)
{
	const char *got = fired(rule_of(condition));

	if (report.errors_n || report.cannot_run_n)
		fail_msg("%s: %s", condition, report.list.p[0].what);
	if (got[0])
		fail_msg("%s: is true", condition);
}

/* Does not load, and says so with these words. */
static void refused(const char *condition, const char *words)
{
	AUTO(ruleset_unref) struct ruleset *rs = load(rule_of(condition));

	if (report.errors_n != 1)
		fail_msg("%s: %zu errors", condition, report.errors_n);
	if (!strstr(report.list.p[0].what, words))
		fail_msg("%s: \"%s\" lacks \"%s\"", condition, report.list.p[0].what, words);
}

static bool told(enum rules_level level, const char *words)
{
	for (size_t i = 0; i < report.list.n; i++)
		if (report.list.p[i].level == level && strstr(report.list.p[i].what, words))
			return true;
	return false;
}

static void assert_told(enum rules_level level, const char *words)
{
	if (told(level, words))
		return;
	for (size_t i = 0; i < report.list.n; i++)
		print_error("%s: %s\n", rules_level_name(report.list.p[i].level),
			report.list.p[i].what);
	fail_msg("nobody says \"%s\"", words);
}

#define RULE(name, condition)                                                                      \
	"- rule: " name "\n  desc: d\n  output: o\n  priority: INFO\n  condition: " condition "\n"
#define ALWAYS "proc.name exists"

/* ---- grammar ---- */

static void not_binds_closer_than_and_and_and_closer_than_or(void **state)
{
	(void)state;
	holds("proc.name = sh or proc.name = x and proc.name = y");
	fails("(proc.name = sh or proc.name = x) and proc.name = y");
	holds("not proc.name = x and proc.name = sh");
	fails("not (proc.name = x or proc.name = sh)");
}

static void words_of_logic_need_a_blank_or_a_parenthesis(void **state)
{
	(void)state;
	holds("not(proc.name=x)and(proc.name=sh)");
	holds("(proc.name=x)or(proc.name=sh)");
	holds("not not proc.name = sh");
	fails("not not not proc.name = sh");
	refused("proc.name = sh andproc.name = x", "");
	/* "notproc" is a word of its own: a macro that does not exist. */
	refused("notproc", "unknown macro notproc");
}

static void a_check_is_a_field_a_transformer_a_word_or_a_parenthesis(void **state)
{
	(void)state;
	holds("((((proc.name = sh))))");
	holds("tolower(proc.name) = sh");
	assert_string_equal(fired("- macro: m\n  condition: proc.name = sh\n" RULE("r", "m")), "r");
	refused("proc.name", "");
	refused("proc.name =", "");
	refused("= sh", "");
	refused("(proc.name = sh", "");
	refused("proc.name = sh)", "");
	refused("proc.name = sh proc.name = x", "");
	refused("", "");
}

static void a_field_may_have_an_argument_bare_or_quoted(void **state)
{
	(void)state;
	holds("proc.aname[1] = bash");
	holds("proc.aname[\"1\"] = bash");
	holds("proc.aname['2'] = sshd");
	rfx_container(&fx, CONTAINER_KNOWN);
	holds("container.mount.dest[/var/run/*] = /run/docker.sock");
	refused("proc.aname[1 = bash", "");
	refused("proc.aname[ 1 ] = bash", "bare or quoted");
	refused("proc.name[1] = sh", "takes no argument");
	refused("proc.aname[x] = bash", "must be a number");
}

static void exists_stands_alone(void **state)
{
	(void)state;
	holds("proc.name exists");
	holds("proc.name exists and proc.pname exists");
	fails("fd.name exists");
	refused("proc.name exists sh", "");
}

static void numeric_operators_take_numbers_alone(void **state)
{
	(void)state;
	holds("proc.pid <= 1000 and proc.pid>=1000 and proc.pid<1001 and proc.pid > 999");
	holds("proc.pid >= 0x3e8");
	refused("proc.pid >= sh", "");
	refused("proc.pid < (1, 2)", "");
}

static void operators_that_are_words_need_a_blank_and_list_operators_do_not(void **state)
{
	(void)state;
	holds("proc.name=sh");
	holds("proc.name==sh");
	holds("proc.name!=x");
	holds("proc.name in(sh,x)");
	holds("proc.name in (x, \"sh\")");
	holds("proc.exepath startswith /usr");
	refused("proc.exepath startswith/usr", "");
	holds("proc.exepath pmatch(/usr,/opt)");
}

static void every_string_operator_works(void **state)
{
	(void)state;
	holds("proc.exepath contains bin/d");
	holds("proc.exepath icontains BIN/D");
	holds("proc.exepath startswith /usr/");
	holds("proc.exepath endswith dash");
	holds("proc.exepath glob /usr/*");
	holds("proc.exepath iglob /USR/*");
	holds("proc.exepath regex '/usr/(bin|sbin)/d.*'");
	fails("proc.exepath contains BIN");
}

static void modifiers_take_a_list_behind_a_string_operator(void **state)
{
	(void)state;
	holds("proc.exepath startswith anyof (/opt, /usr)");
	fails("proc.exepath startswith allof (/opt, /usr)");
	holds("proc.exepath contains allof (usr, dash)");
	holds("proc.exepath startswith oneof (/opt, /usr)");
	fails("proc.exepath startswith oneof (/u, /usr)");
}

static void transformers_nest_on_both_sides(void **state)
{
	(void)state;
	holds("toupper(proc.name) = SH");
	holds("proc.name = tolower(proc.name)");
	holds("proc.pname = basename(proc.pexepath)");
	holds("basename(proc.exepath) = dash");
	holds("tolower(toupper(proc.name)) = val(proc.name)");
	holds("len(proc.name) = 2");
	holds("concat(proc.name, -, proc.pname) = sh-bash");
	holds("join(\"+\", (a, b)) = a+b");
	rfx_process(&fx, 0, "ls", "/bin/ls", "ls -l -I x");
	holds("getopt(hw.argv, \"lI:\")[I] = x");
	refused("val(proc.name) = sh", "");
}

static void bare_words_end_at_blanks_quotes_parentheses_commas_and_equals(void **state)
{
	(void)state;
	rfx_process(&fx, 0, "a-b:c/d", "/bin/x", "x");
	holds("proc.name = a-b:c/d");
	holds("proc.name in (a-b:c/d,x)");
	refused("proc.name = a,b", "");
	refused("proc.name = a=b", "");
}

static void numbers_may_have_a_sign_a_fraction_and_an_exponent_in_text_only(void **state)
{
	(void)state;
	holds("proc.pid > -1");
	holds("proc.pid = +1000");
	/* Read, and left out: fields are integers. */
	holds("proc.pid = 1000.9");
	refused("proc.pid < 1e+9", "not a number");
}

static void escapes_are_those_of_the_reference_and_no_others(void **state)
{
	(void)state;
	rfx_process(&fx, 0, "a\tb", "/bin/x", "x");
	holds("proc.name = \"a\\tb\"");
	holds("proc.name = 'a\\x09b'");
	rfx_process(&fx, 0, "a\"b'c", "/bin/x", "x");
	holds("proc.name = \"a\\\"b'c\"");
	holds("proc.name = 'a\"b\\'c'");
	rfx_process(&fx, 0, "a\\b/c", "/bin/x", "x");
	holds("proc.name = \"a\\\\b\\/c\"");
	rfx_process(&fx, 0, "a\\", "/bin/x", "x");
	refused("proc.name = \"a\\q\"", "");
	refused("proc.name = 'a\\\"b'", "");
	refused("proc.name = \"a\\'b\"", "");
	refused("proc.name = \"a\\x0\"", "");
	refused("proc.name = \"a\\x00\"", "");
	refused("proc.name = \"open", "");
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
			holds(buf_cstr(&b));
		else
			refused(buf_cstr(&b), "deep");
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
		fails(text);
		snprintf(text, sizeof(text), "not fd.name %s", operators[i]);
		holds(text);
	}
	/* <NA> is text of outputs alone: such a check holds for what is missing. */
	holds("not fd.name in (\"<NA>\", \"N/A\")");
	fails("fd.name = \"<NA>\"");
}

static void s2_the_right_side_is_read_as_the_field_s_type_when_loading(void **state)
{
	(void)state;
	refused("proc.pid = sh", "not a number");
	refused("proc.is_exe_upper_layer = yes", "neither true nor false");
	refused("proc.is_exe_upper_layer = 1", "neither true nor false");
	refused("fd.sport = 65536", "neither a port");
	refused("fd.sip = host.example", "not an address");
	rfx_net(&fx, EVENT_CONNECT, "10.0.0.1", 4000, "10.0.0.2", 443);
	holds("fd.sport = https");
	holds("fd.sport = 443");
	holds("fd.sport in (ssh, https)");
}

static void s3_in_is_exact_and_networks_are_compared_by_net_fields(void **state)
{
	(void)state;
	rfx_net(&fx, EVENT_CONNECT, "10.0.0.1", 4000, "10.0.0.2", 443);
	fails("fd.sport in (400, 500)");
	holds("fd.snet = 10.0.0.0/8");
	holds("fd.snet in (192.168.0.0/16, 10.0.0.0/8)");
	refused("fd.ip = 10.0.0.0/8", "fd.net");
	refused("fd.sip in (10.0.0.0/8)", "fd.net");
	/* Another family: different, and nothing else. */
	holds("fd.sip != ::1");
	fails("fd.sip = ::1");
	fails("fd.snet = \"fd00::/8\"");
	holds("fd.snet != \"fd00::/8\"");
}

static void s4_fields_of_both_ends_match_either_and_differ_by_both(void **state)
{
	(void)state;
	rfx_net(&fx, EVENT_CONNECT, "10.0.0.1", 4000, "10.0.0.2", 443);
	holds("fd.ip = 10.0.0.1");
	holds("fd.ip = 10.0.0.2");
	holds("fd.ip in (10.0.0.2, 10.9.9.9)");
	fails("fd.ip != 10.0.0.1");
	fails("fd.ip != 10.0.0.2");
	holds("fd.ip != 10.0.0.3");
	holds("fd.port = 443");
	fails("fd.port != 443");
	holds("fd.net = 10.0.0.2/32");
	fails("fd.net != 10.0.0.2/32");
	rfx_open(&fx, "/etc/hosts", NULL, O_RDONLY);
	fails("fd.ip = 10.0.0.1");
	fails("fd.ip != 10.0.0.1");
	fails("fd.port != 1");
}

static void s5_ancestors_without_an_index_are_any_of_them(void **state)
{
	(void)state;
	holds("proc.aname = sshd");
	holds("proc.aname in (systemd, x)");
	fails("proc.aname = sh");
	holds("proc.aname != sshd");
	holds("proc.aname != bash");
	holds("proc.aname[1] = bash");
	holds("proc.aname[3] = systemd");
	fails("proc.aname[3] != systemd");
	fails("proc.aname[4] != systemd");
	holds("proc.aexepath endswith /sshd");
	holds("proc.acmdline startswith sshd");
}

static void s6_lists_take_exists_in_and_intersects_and_args_is_a_string(void **state)
{
	(void)state;
	rfx_process(&fx, 0, "ls", "/bin/ls", "ls -l -a");
	holds("hw.argv exists");
	holds("hw.argv in (-l, -a, -x)");
	fails("hw.argv in (-l, -x)");
	holds("hw.argv intersects (-l, -x)");
	fails("hw.argv intersects (-y, -x)");
	refused("hw.argv contains -l", "cannot be used on a list");
	holds("proc.args = \"-l -a\"");
	holds("proc.args[1] = -a");
	holds("proc.args[7] = \"\"");
	rfx_process(&fx, 0, "ls", "/bin/ls", "ls");
	holds("proc.args=\"\"");
	holds("proc.args exists");
}

static void s7_glob_crosses_slashes_pmatch_is_by_components_regex_is_whole(void **state)
{
	(void)state;
	rfx_open(&fx, "/var/log/nginx/access.log", NULL, O_RDONLY);
	holds("fd.name glob /var/*.log");
	fails("fd.name glob /var/?.log");
	holds("fd.name pmatch (/var/log)");
	fails("fd.name pmatch (/var/lo)");
	holds("fd.name pmatch (/etc, /var/log/nginx/access.log)");
	holds("fd.name pmatch (/var/*/nginx)");
	fails("fd.name pmatch (/var/*/access.log)");
	fails("fd.name regex 'access'");
	holds("fd.name regex '.*access\\\\.log'");
	fails("fd.name regex '/var/log|/var'");
	holds("fd.name regex '/var/lo[g]/.*'");
}

static void s8_names_of_addresses_are_not_available_and_say_so(void **state)
{
	AUTO(ruleset_unref)
	struct ruleset *rs = load(RULE("r", "evt.type = connect and fd.sip.name = example.org"));

	(void)state;
	assert_int_equal(report.errors_n, 0);
	assert_int_equal(report.cannot_run_n, 1);
	assert_int_equal(ruleset_rule(rs, 0)->state, RULE_CANNOT_RUN);
	assert_told(RULES_CANNOT_RUN, "fd.sip.name");
}

static void s9_open_flags_results_and_arguments_are_texts(void **state)
{
	(void)state;
	fails("evt.is_open_read = true");
	holds("evt.is_open_read = false");
	fails("evt.is_open_write = true");
	rfx_open(&fx, "/tmp/f", NULL, O_RDWR | O_TRUNC | O_CREAT);
	holds("evt.is_open_read = true and evt.is_open_write = true");
	holds("evt.arg.flags contains O_TRUNC");
	holds("evt.arg.flags contains O_RDWR");
	holds("evt.res = SUCCESS and evt.rawres = 3");
	rfx_open(&fx, NULL, "/tmp/f", O_RDONLY);
	holds("evt.res = ENOENT and evt.rawres = -2 and evt.failed = true");
	rfx_net(&fx, EVENT_SOCKET, "0.0.0.0", 0, NULL, 0);
	fx.ev.net.family = AF_PACKET;
	holds("evt.arg.domain contains AF_PACKET");
}

static void s10_there_are_only_ends_of_calls_and_evt_dir_is_deprecated(void **state)
{
	(void)state;
	holds("evt.dir = <");
	assert_told(RULES_WARNING, "evt.dir is deprecated");
	fails("evt.dir = >");
}

static void type_list(const char *condition, const char *expected)
{
	AUTO(ruleset_unref) struct ruleset *rs = load(rule_of(condition));
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
	assert_int_equal(report.warnings_n, 0);
	type_list("evt.is_open_read = true and evt.type != open", "creat openat openat2");
	check(rule_of("proc.name = sh"));
	assert_told(RULES_WARNING, "no condition on evt.type");
}

/* ---- loader ---- */

static void files_are_sequences_in_any_number_of_documents(void **state)
{
	(void)state;
	assert_string_equal(fired("- macro: m\n  condition: proc.name = sh\n---\n" RULE("r", "m")
				"---\n" RULE("s", "m")),
		"r s");
	check("rule: r\n");
	assert_told(RULES_ERROR, "expected a list");
	check("--- \n---\n...\n");
	assert_int_equal(report.errors_n, 0);
}

static void one_wrong_rule_leaves_the_rest_and_says_where(void **state)
{
	AUTO(ruleset_unref)
	struct ruleset *rs =
		load(RULE("a", ALWAYS) RULE("b", "proc.nmae = sh") RULE("c", ALWAYS));

	(void)state;
	assert_string_equal(fired_by(rs), "a c");
	assert_int_equal(report.errors_n, 1);
	assert_int_equal(report.list.p[0].line, 10);
	assert_int_equal(report.list.p[0].col, 14);
	assert_string_equal(report.list.p[0].name, "b");
	assert_string_equal(report.list.p[0].nearest, "proc.name");
}

static void lists_are_put_in_as_text(void **state)
{
	(void)state;
	assert_string_equal(
		fired("- list: l\n  items: [x, sh]\n" RULE("r", "proc.name in (l)")), "r");
	assert_string_equal(
		fired("- list: l\n  items: [x, sh]\n" RULE("r", "proc.name in (a,l,b)")), "r");
	/* An item with a blank is quoted. */
	rfx_process(&fx, 0, "a b", "/bin/x", "x");
	assert_string_equal(
		fired("- list: l\n  items: [x, a b]\n" RULE("r", "proc.name in (l)")), "r");
	/* Inside quotes too, where the name stands between delimiters. */
	rfx_process(&fx, 0, "x", "/bin/x", "x");
	assert_string_equal(
		fired("- list: l\n  items: [x]\n" RULE("r", "'proc.name = \"l\"'")), "");
	assert_string_equal(
		fired("- list: lx\n  items: [x]\n" RULE("r", "proc.name in (l)")), "");
}

static void lists_see_only_those_before_them_and_one_level_deep(void **state)
{
	(void)state;
	assert_string_equal(fired("- list: a\n  items: [sh]\n- list: b\n  items: [a, x]\n" RULE(
				"r", "proc.name in (b)")),
		"r");
	rfx_process(&fx, 0, "a", "/bin/x", "x");
	assert_string_equal(fired("- list: b\n  items: [x]\n- list: c\n  items: [b]\n"
				"- list: d\n  items: [c]\n" RULE("r", "proc.name in (d)")),
		"");
	rfx_process(&fx, 0, "b", "/bin/x", "x");
	assert_string_equal(fired("- list: a\n  items: [b]\n" RULE("r", "proc.name in (a)")), "r");
}

static void an_empty_list_takes_a_comma_along(void **state)
{
	static const char *const conditions[] = { "proc.name in (e, sh)", "proc.name in (sh, e)",
		"proc.name in (sh,e,x)", "not proc.name in (e)" };
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_N(conditions); i++) {
		snprintf(text, sizeof(text), "- list: e\n  items: []\n" RULE("r", "%s"),
			conditions[i]);
		if (strcmp(fired(text), "r") != 0)
			fail_msg("%s", conditions[i]);
	}
}

static void macros_see_those_before_them_and_rules_see_all(void **state)
{
	(void)state;
	assert_string_equal(fired(RULE("r", "m") "- macro: m\n  condition: proc.name = sh\n"), "r");
	check("- macro: a\n  condition: b\n- macro: b\n  condition: " ALWAYS "\n" RULE("r", "a"));
	assert_told(RULES_ERROR, "macro b is defined only later");
	assert_string_equal(
		fired("- macro: b\n  condition: " ALWAYS
		      "\n- macro: a\n  condition: b\n" RULE("r", "a")),
		"r");
}

static void a_macro_is_substituted_as_a_tree_and_not_as_text(void **state)
{
	(void)state;
	/* As text it would read: not proc.name = x or proc.name = sh. */
	assert_string_equal(fired("- macro: m\n  condition: proc.name = x or proc.name = sh\n" RULE(
				"r", "not m")),
		"");
}

static void a_macro_that_is_defined_again_keeps_its_place(void **state)
{
	(void)state;
	assert_string_equal(
		fired("- macro: a\n  condition: proc.name = x\n- macro: b\n  condition: a\n"
		      "- macro: a\n  condition: proc.name = sh\n" RULE("r", "b")),
		"r");
	check("- macro: a\n  condition: b\n- macro: b\n  condition: a\n" RULE("r", "a"));
	assert_true(report.errors_n > 0);
}

static void names_that_no_condition_can_use_are_a_warning(void **state)
{
	(void)state;
	check("- macro: 1m\n  condition: " ALWAYS "\n- list: 'a b'\n  items: [x]\n" RULE(
		"r", ALWAYS));
	assert_int_equal(report.errors_n, 0);
	assert_told(RULES_WARNING, "letters, digits and _ only");
	assert_told(RULES_WARNING, "in a list's name");
}

static void a_rule_needs_its_five_keys(void **state)
{
	static const char *const texts[] = {
		"- rule: r\n  output: o\n  priority: INFO\n  condition: " ALWAYS "\n",
		"- rule: r\n  desc: d\n  priority: INFO\n  condition: " ALWAYS "\n",
		"- rule: r\n  desc: d\n  output: o\n  condition: " ALWAYS "\n",
		"- rule: r\n  desc: d\n  output: o\n  priority: INFO\n",
	};
	static const char *const words[] = { "desc is missing", "output is missing",
		"priority", "condition is missing" };

	(void)state;
	for (size_t i = 0; i < ARRAY_N(texts); i++) {
		AUTO(ruleset_unref) struct ruleset *rs = load(texts[i]);

		assert_int_equal(ruleset_count(rs), 0);
		assert_told(RULES_ERROR, words[i]);
	}
}

static void keys_have_their_defaults_and_unknown_ones_are_a_warning(void **state)
{
	AUTO(ruleset_unref)
	struct ruleset *rs = load(RULE("r", ALWAYS) "  tegs: [x]\n" RULE("off", ALWAYS)
				  "  enabled: false\n" RULE("other", "ka.verb = get")
				  "  source: k8s_audit\n");

	(void)state;
	assert_told(RULES_WARNING, "unknown key tegs");
	assert_string_equal(fired_by(rs), "r");
	assert_string_equal(ruleset_rule(rs, 0)->source, "syscall");
	assert_int_equal(ruleset_rule(rs, 1)->state, RULE_OFF);
	assert_int_equal(ruleset_rule(rs, 2)->state, RULE_CANNOT_RUN);
}

static void keys_of_quiet_rules_are_taken(void **state)
{
	AUTO(ruleset_unref)
	struct ruleset *rs = load(RULE("r", ALWAYS)
		"  warn_evttypes: false\n  capture: false\n  capture_duration: 5\n" RULE(
			"s", "no.such.field = x") "  skip-if-unknown-filter: true\n");

	(void)state;
	assert_int_equal(report.errors_n, 0);
	assert_false(told(RULES_WARNING, "no condition on evt.type"));
	assert_told(RULES_WARNING, "unknown field");
	assert_int_equal(ruleset_count(rs), 1);
}

static void override_appends_with_one_blank(void **state)
{
	(void)state;
	/* Precedence bites, as upstream: x or (sh and y). */
	assert_string_equal(fired(RULE("r", "proc.name = sh or proc.name = x")
				"- rule: r\n  condition: and proc.name = y\n"
				"  override: {condition: append}\n"),
		"r");
	assert_string_equal(fired("- macro: m\n  condition: proc.name = sh\n"
				"- macro: m\n  condition: and proc.pname = x\n"
				"  override: {condition: append}\n" RULE("r", "m")),
		"");
	assert_string_equal(fired("- list: l\n  items: [x]\n- list: l\n  items: [sh]\n"
				"  override: {items: append}\n" RULE("r", "proc.name in (l)")),
		"r");
}

static void override_replaces_what_it_names(void **state)
{
	AUTO(ruleset_unref)
	struct ruleset *rs = load(RULE("r", "proc.name = x")
		"- rule: r\n  condition: proc.name = sh\n  priority: CRITICAL\n  enabled: true\n"
		"  override: {condition: replace, priority: replace, enabled: replace}\n");

	(void)state;
	assert_int_equal(report.errors_n, 0);
	assert_string_equal(fired_by(rs), "r");
	assert_int_equal(ruleset_rule(rs, 0)->priority, PRIORITY_CRITICAL);
}

static void override_must_speak_of_every_key_and_only_of_those_that_allow_it(void **state)
{
	(void)state;
	check(RULE("r", ALWAYS) "- rule: r\n  condition: and x\n  desc: e\n"
			       "  override: {condition: append}\n");
	assert_told(RULES_ERROR, "override does not say append or replace");
	check(RULE("r", ALWAYS) "- rule: r\n  priority: INFO\n  override: {priority: append}\n");
	assert_told(RULES_ERROR, "cannot be appended to");
	check(RULE("r", ALWAYS) "- rule: r\n  desc: e\n  override: {desc: prepend}\n");
	assert_told(RULES_ERROR, "must be append or replace");
	check("- rule: r\n  desc: e\n  override: {desc: append}\n");
	assert_told(RULES_ERROR, "no such rule");
	check(RULE("r", ALWAYS) "- rule: r\n  desc: e\n  append: true\n  override: {desc: append}\n");
	assert_told(RULES_ERROR, "exclude each other");
}

static void append_is_deprecated_and_works(void **state)
{
	(void)state;
	assert_string_equal(fired(RULE("r", "proc.name = sh")
				"- rule: r\n  append: true\n  condition: and proc.pname = x\n"),
		"");
	assert_told(RULES_WARNING, "append is deprecated");
}

static void a_rule_and_enabled_alone_switch_it(void **state)
{
	(void)state;
	assert_string_equal(fired(RULE("r", ALWAYS) "- rule: r\n  enabled: false\n"), "");
	assert_string_equal(
		fired(RULE("r", ALWAYS) "  enabled: false\n- rule: r\n  enabled: true\n"), "r");
}

static void exceptions_become_and_not(void **state)
{
	static const char rule[] = RULE("r", "proc.name = x or proc.name = sh")
		"  exceptions:\n    - name: e\n      fields: [proc.name, proc.pname]\n"
		"      comps: [=, startswith]\n      values:\n        - [sh, %s]\n";
	char text[512];

	(void)state;
	/* With the condition in parentheses, so that its `or` does not escape. */
	snprintf(text, sizeof(text), rule, "ba");
	assert_string_equal(fired(text), "");
	snprintf(text, sizeof(text), rule, "zs");
	assert_string_equal(fired(text), "r");
}

static void exceptions_default_to_equals_and_for_one_field_to_in(void **state)
{
	(void)state;
	assert_string_equal(fired(RULE("r", ALWAYS)
				"  exceptions:\n    - name: e\n      fields: proc.name\n"
				"      values: [x, sh]\n"),
		"");
	assert_string_equal(fired(RULE("r", ALWAYS)
				"  exceptions:\n    - name: e\n      fields: proc.exepath\n"
				"      comps: pmatch\n      values: [/usr/bin]\n"),
		"");
	check(RULE("r", ALWAYS) "  exceptions:\n    - name: e\n      fields: proc.name\n"
			       "      comps: startswith\n      values: [x]\n");
	assert_told(RULES_ERROR, "comps of a single field");
	assert_string_equal(fired(RULE("r", ALWAYS)
				"  exceptions:\n    - name: e\n      fields: [proc.name, proc.pname]\n"
				"      values: [[sh, bash]]\n"),
		"");
}

static void appended_exceptions_carry_values_alone(void **state)
{
	static const char rule[] = RULE("r", ALWAYS)
		"  exceptions:\n    - name: e\n      fields: proc.name\n";
	char text[1024];

	(void)state;
	assert_string_equal(fired(rule), "r");
	snprintf(text, sizeof(text),
		"%s- rule: r\n  exceptions:\n    - name: e\n      values: [sh]\n"
		"  override: {exceptions: append}\n",
		rule);
	assert_string_equal(fired(text), "");
	snprintf(text, sizeof(text),
		"%s- rule: r\n  exceptions:\n    - name: e\n      fields: proc.pname\n"
		"      values: [sh]\n  override: {exceptions: append}\n",
		rule);
	check(text);
	assert_true(report.errors_n > 0);
}

static void required_versions_are_semantic_or_a_number(void **state)
{
	(void)state;
	check("- required_engine_version: 0.57.0\n- required_engine_version: 57\n"
	     "- required_engine_version: '0.63.0'\n"
	     "- required_plugin_versions:\n    - name: container\n      version: 0.4.0\n");
	assert_int_equal(report.list.n, 0);
	check("- required_engine_version: 0.999.0\n");
	assert_told(RULES_ERROR, "wants engine 0.999.0");
	check("- required_engine_version: 1.0.0\n");
	assert_told(RULES_ERROR, "wants engine");
	check("- required_engine_version: soon\n");
	assert_told(RULES_ERROR, "must be a number or a version");
}

static void priorities_are_eight_words_in_any_case(void **state)
{
	static const char *const words[] = { "EMERGENCY", "alert", "Critical", "error", "WARNING",
		"notice", "informational", "debug", "Info" };
	static const enum priority values[] = { PRIORITY_EMERGENCY, PRIORITY_ALERT,
		PRIORITY_CRITICAL, PRIORITY_ERROR, PRIORITY_WARNING, PRIORITY_NOTICE,
		PRIORITY_INFORMATIONAL, PRIORITY_DEBUG, PRIORITY_INFORMATIONAL };
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_N(words); i++) {
		snprintf(text, sizeof(text),
			"- rule: r\n  desc: d\n  output: o\n  priority: %s\n  condition: " ALWAYS "\n",
			words[i]);
		AUTO(ruleset_unref) struct ruleset *rs = load(text);

		assert_int_equal(ruleset_rule(rs, 0)->priority, values[i]);
	}
	check("- rule: r\n  desc: d\n  output: o\n  priority: loud\n  condition: " ALWAYS "\n");
	assert_int_equal(report.errors_n, 1);
}

static struct ruleset *load_with(const char *text, const struct rules_options *o)
{
	struct rules_text t = { "test.yaml", str_from(text) };
	struct ruleset *rs = NULL;
	struct err e;

	assert_int_equal(rules_load_text(&rs, &t, 1, o, NULL, &e), 0);
	return rs;
}

static void the_configured_priority_drops_what_is_less_severe(void **state)
{
	struct rules_options o = { .has_priority = true, .priority = PRIORITY_NOTICE };
	AUTO(ruleset_unref)
	struct ruleset *rs = load_with(RULE("info", ALWAYS)
		"- rule: note\n  desc: d\n  output: o\n  priority: NOTICE\n  condition: " ALWAYS
		"\n", &o);

	(void)state;
	assert_string_equal(fired_by(rs), "note");
}

static void matching_first_stops_at_the_first_rule(void **state)
{
	static const char text[] = RULE("a", "proc.name = x") RULE("b", ALWAYS) RULE("c", ALWAYS);
	struct rules_options o = { .matching = RULES_MATCH_FIRST };
	AUTO(ruleset_unref) struct ruleset *first = load_with(text, &o);

	(void)state;
	assert_string_equal(fired_by(first), "b");
	assert_string_equal(fired(text), "b c");
}

/* The first alert's text; static memory. */
static const char *output_of(const char *output)
{
	static char out[512];
	char text[1024];
	struct judge_alerts alerts = { 0 };

	snprintf(text, sizeof(text),
		"- rule: r\n  desc: d\n  priority: INFO\n  condition: " ALWAYS "\n  output: '%s'\n",
		output);
	AUTO(ruleset_unref) struct ruleset *rs = load(text);
	AUTO(judge_free) struct judge *j = judge_new(&(struct judge_options){ .rules = rs });

	rfx_judge(&fx, j, &alerts);
	assert_int_equal(alerts.list.n, 1);
	snprintf(out, sizeof(out), "%s", alerts.list.p[0]->output);
	rfx_alerts_fini(&alerts);
	return out;
}

static void outputs_have_fields_widths_transformers_and_na(void **state)
{
	(void)state;
	assert_string_equal(output_of("p=%proc.name parent=%proc.pname"), "p=sh parent=bash");
	assert_string_equal(output_of("[%6proc.pname]"), "[bash  ]");
	assert_string_equal(output_of("[%2proc.pname]"), "[ba]");
	assert_string_equal(output_of("%toupper(proc.name)"), "SH");
	assert_string_equal(output_of("%proc.aname[2]"), "sshd");
	assert_string_equal(output_of("*%fd.name"), "<NA>");
	assert_string_equal(output_of("100%% %proc.name"), "100% sh");
	assert_string_equal(output_of("a %container.info b"), "a  b");
	assert_told(RULES_WARNING, "container.info");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(not_binds_closer_than_and_and_and_closer_than_or),
		T(words_of_logic_need_a_blank_or_a_parenthesis),
		T(a_check_is_a_field_a_transformer_a_word_or_a_parenthesis),
		T(a_field_may_have_an_argument_bare_or_quoted),
		T(exists_stands_alone),
		T(numeric_operators_take_numbers_alone),
		T(operators_that_are_words_need_a_blank_and_list_operators_do_not),
		T(every_string_operator_works),
		T(modifiers_take_a_list_behind_a_string_operator),
		T(transformers_nest_on_both_sides),
		T(bare_words_end_at_blanks_quotes_parentheses_commas_and_equals),
		T(numbers_may_have_a_sign_a_fraction_and_an_exponent_in_text_only),
		T(escapes_are_those_of_the_reference_and_no_others),
		T(nesting_has_a_bound),
		T(s1_a_field_that_is_missing_makes_every_operator_false),
		T(s2_the_right_side_is_read_as_the_field_s_type_when_loading),
		T(s3_in_is_exact_and_networks_are_compared_by_net_fields),
		T(s4_fields_of_both_ends_match_either_and_differ_by_both),
		T(s5_ancestors_without_an_index_are_any_of_them),
		T(s6_lists_take_exists_in_and_intersects_and_args_is_a_string),
		T(s7_glob_crosses_slashes_pmatch_is_by_components_regex_is_whole),
		T(s8_names_of_addresses_are_not_available_and_say_so),
		T(s9_open_flags_results_and_arguments_are_texts),
		T(s10_there_are_only_ends_of_calls_and_evt_dir_is_deprecated),
		T(s11_the_types_of_a_rule_come_from_its_condition),
		T(files_are_sequences_in_any_number_of_documents),
		T(one_wrong_rule_leaves_the_rest_and_says_where),
		T(lists_are_put_in_as_text),
		T(lists_see_only_those_before_them_and_one_level_deep),
		T(an_empty_list_takes_a_comma_along),
		T(macros_see_those_before_them_and_rules_see_all),
		T(a_macro_is_substituted_as_a_tree_and_not_as_text),
		T(a_macro_that_is_defined_again_keeps_its_place),
		T(names_that_no_condition_can_use_are_a_warning),
		T(a_rule_needs_its_five_keys),
		T(keys_have_their_defaults_and_unknown_ones_are_a_warning),
		T(keys_of_quiet_rules_are_taken),
		T(override_appends_with_one_blank),
		T(override_replaces_what_it_names),
		T(override_must_speak_of_every_key_and_only_of_those_that_allow_it),
		T(append_is_deprecated_and_works),
		T(a_rule_and_enabled_alone_switch_it),
		T(exceptions_become_and_not),
		T(exceptions_default_to_equals_and_for_one_field_to_in),
		T(appended_exceptions_carry_values_alone),
		T(required_versions_are_semantic_or_a_number),
		T(priorities_are_eight_words_in_any_case),
		T(the_configured_priority_drops_what_is_less_severe),
		T(matching_first_stops_at_the_first_rule),
		T(outputs_have_fields_widths_transformers_and_na),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
