#include "cmd/cmd.h"

#include "base/text.h"

#include <locale.h>
#include <stdio.h>

static const struct cmd commands[] = {
	{ "run", cmd_run, "watch this node: judge, store and print alerts", "", NULL,
		"Alerts go to standard output, one a line, each after it is committed to the store; the "
		"log goes to\nstandard error. Ends on SIGINT and SIGTERM; SIGHUP reads the "
		"configuration and the rules again.\n",
		"hullwatch run\n"
		"hullwatch run --output json --duration 60\n"
		"hullwatch --state-dir /tmp/hw run --rules ./my_rules.yaml\n",
		cmd_run_options },
	{ "status", cmd_status, "what the running service does, and what it lost", "", NULL,
		"Ends with 3 when no service runs; then it shows what a dead one has left behind.\n",
		"hullwatch status\nhullwatch status --format json\n", cmd_status_options },
	{ "alerts", cmd_alerts, "alerts of the store", "", NULL,
		"--since and --until take a time (2026-11-23T15:04:05Z, a date, epoch seconds) or an age "
		"(10m, 2h, 3d).\n",
		"hullwatch alerts --since 1h\n"
		"hullwatch alerts --container web --priority warning --format jsonl\n"
		"hullwatch alerts --where 'rule contains shell and container.image contains nginx'\n",
		cmd_alerts_options },
	{ "events", cmd_events, "raw events that were kept", "", NULL,
		"--since and --until take a time (2026-11-23T15:04:05Z, a date, epoch seconds) or an age "
		"(10m, 2h, 3d).\n",
		"hullwatch events --since 10m --class open\nhullwatch events --format csv >events.csv\n"
		"hullwatch events --where 'fd.name startswith /etc and evt.is_open_write = true'\n",
		cmd_events_options },
	{ "processes", cmd_processes, "processes: the live ones, or those of the store", "", NULL,
		"With a running service its table of live processes, else (or with --stored) the "
		"executions that alerts\nbrought into the store.\n",
		"hullwatch processes\nhullwatch processes --container web --format json\n"
		"hullwatch processes --where 'proc.aname = sshd and curl'\n",
		cmd_processes_options },
	{ "containers", cmd_containers, "containers that were seen, with their alerts", "", NULL,
		NULL, "hullwatch containers\nhullwatch containers --format jsonl\n",
		cmd_containers_options },
	{ "rules check", cmd_rules_check, "check rule files, as one set", "PATH...", NULL,
		"Ends with 2 when a rule is wrong, with 4 when all are valid but some cannot run here.\n",
		"hullwatch rules check my_rules.yaml\n"
		"hullwatch rules check falco_rules.yaml local_rules.yaml\n",
		cmd_rules_check_options },
	{ "rules test", cmd_rules_test, "run declarative cases against rules", "FILE...", NULL,
		"A case says what happened, which rules must fire, and what they say; "
		"hullwatch-rules(1) has the format.\nA folder stands for its *.yaml files. Ends with 1 "
		"when a case failed, with 2 when a case or a rule is\nwrong. No kernel is needed.\n",
		"hullwatch rules test my_cases.yaml\n"
		"hullwatch rules test --rules my_rules.yaml --format junit my_cases.yaml >junit.xml\n",
		cmd_rules_test_options },
	{ "rules list", cmd_rules_list, "the configured rules and whether they can run", "", NULL,
		NULL,
		"hullwatch rules list\nhullwatch rules list --rules my_rules.yaml --format json\n",
		cmd_rules_list_options },
	{ "rules fields", cmd_rules_fields, "the fields that conditions and outputs may use", "",
		NULL, NULL, "hullwatch rules fields\nhullwatch rules fields --format csv\n",
		cmd_rules_fields_options },
	{ "config check", cmd_config_check, "check the configuration", "", NULL,
		"Tells every problem and ends with 2 when there is one.\n",
		"hullwatch config check\nhullwatch --config ./hullwatch.yaml config check\n",
		NULL },
	{ "config show", cmd_config_show, "the configuration in effect, as YAML", "", NULL, NULL,
		"hullwatch config show --origin\n", cmd_config_show_options },
	{ "completion", cmd_completion, "a script that completes commands in a shell", "SHELL",
		"bash zsh fish", NULL,
		"hullwatch completion bash >/etc/bash_completion.d/hullwatch\n"
		"hullwatch completion fish >~/.config/fish/completions/hullwatch.fish\n",
		NULL },
	{ "version", cmd_version, "the version", "", NULL, NULL, "hullwatch version\n", NULL },
};

/* Commands of the contract that later versions bring. */
static const char *const later[] = { "console", "record", "replay", "scan", "images", "posture",
	"db", "findings", "ack", "silences", "waivers", "export", "verify", "sinks", "doctor" };

const struct cmd *cmd_table(size_t *n)
{
	*n = ARRAY_N(commands);
	return commands;
}

/* ---- texts ---- */

static void put_options(struct buf *b, const struct cmd_option *o)
{
	for (; o && o->name; o++) {
		char left[64];
		snprintf(left, sizeof(left), "--%s%s%s", o->name, o->arg ? " " : "",
			o->arg ? o->arg : "");
		buf_printf(b, "  %-24s %s", left, o->help);
		if (o->words)
			buf_printf(b, " (%s)", o->words);
		buf_putc(b, '\n');
	}
}

void cmd_usage(struct buf *b)
{
	buf_puts(b,
		"usage: hullwatch [--config FILE] [--state-dir DIR] COMMAND [ARGS]\n\ncommands:\n");
	for (size_t i = 0; i < ARRAY_N(commands); i++)
		buf_printf(b, "  %-24s %s\n", commands[i].name, commands[i].help);
	buf_puts(b, "\noptions, before or after the command:\n");
	put_options(b, cmd_common_options);
	buf_puts(b, "\n`hullwatch COMMAND --help` tells more, with examples.\n");
}

void cmd_help(struct buf *b, const struct cmd *c)
{
	buf_printf(b, "hullwatch %s: %s\n\nusage: hullwatch %s [OPTIONS]%s%s\n", c->name, c->help,
		c->name, *c->args ? " " : "", c->args);
	if (c->text)
		buf_printf(b, "\n%s", c->text);
	buf_puts(b, "\noptions:\n");
	put_options(b, c->options);
	put_options(b, cmd_common_options);
	buf_puts(b, "\nexamples:\n");
	struct str rest = str_from(c->examples);
	while (rest.n) {
		struct str line = str_cut(&rest, '\n');
		buf_printf(b, "  %.*s\n", STR_ARG(line));
	}
}

/* ---- telling ---- */

int cmd_fail_text(const struct cmd_env *env, int code, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	AUTO(buf_fini) struct buf b = BUF_INIT(8192);
	buf_puts(&b, "hullwatch");
	if (env->cmd)
		buf_printf(&b, " %s", env->cmd->name);
	buf_puts(&b, ": ");
	text_clean(&b, str_from(text));
	fprintf(stderr, "%s\n", buf_cstr(&b));
	return code;
}

int cmd_fail(const struct cmd_env *env, const struct err *e)
{
	return cmd_fail_text(env, err_exit_code(e), "%s", e->msg);
}

int cmd_print(const struct cmd_env *env, const struct buf *b)
{
	struct err e = { 0 };
	if (fwrite(buf_cstr(b), 1, b->n, stdout) != b->n || fflush(stdout)) {
		err_set(&e, ERR_SYS, "write to standard output");
		return cmd_fail(env, &e);
	}
	if (b->full)
		return cmd_fail_text(
			env, EXIT_FAILED, "the answer is larger than %zu bytes: cut", b->max);
	return EXIT_DONE;
}

int cmd_load_config(const struct cmd_env *env, struct config **out)
{
	AUTO(buf_fini) struct buf problems = BUF_INIT(1u << 18);
	struct err e = { 0 };
	struct config_source source = { .file = env->config_file, .state_dir = env->state_dir };
	if (config_load(out, &source, &problems, &e) == 0)
		return EXIT_DONE;
	struct str rest = buf_str(&problems);
	while (rest.n) {
		struct str line = str_cut(&rest, '\n');
		cmd_fail_text(env, 0, "%.*s", STR_ARG(line));
	}
	return err_exit_code(&e);
}

/* ---- dispatch ---- */

static bool is_group(const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; i < ARRAY_N(commands); i++)
		if (strncmp(commands[i].name, word, n) == 0 && commands[i].name[n] == ' ')
			return true;
	return false;
}

/* The command that the words name, and how many words that took. */
static const struct cmd *find(int argc, char **argv, int *words)
{
	char two[64];
	snprintf(two, sizeof(two), "%.30s %.30s", argv[0], argc > 1 ? argv[1] : "");
	for (size_t i = 0; i < ARRAY_N(commands); i++) {
		if (strcmp(commands[i].name, two) == 0 || strcmp(commands[i].name, argv[0]) == 0) {
			*words = strchr(commands[i].name, ' ') ? 2 : 1;
			return &commands[i];
		}
	}
	return NULL;
}

static int tell_group(const struct cmd_env *env, int argc, char **argv)
{
	bool help = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
	AUTO(buf_fini) struct buf b = BUF_INIT(8192);
	size_t n = strlen(argv[0]);
	for (size_t i = 0; i < ARRAY_N(commands); i++) {
		const struct cmd *c = &commands[i];
		if (strncmp(c->name, argv[0], n) != 0 || c->name[n] != ' ')
			continue;
		if (help)
			buf_printf(&b, "  hullwatch %-24s %s\n", c->name, c->help);
		else
			buf_printf(&b, "%s%s", b.n ? ", " : "", c->name + n + 1);
	}
	if (help)
		return cmd_print(env, &b);
	return cmd_fail_text(
		env, EXIT_USAGE, "%s: what follows is one of: %s", argv[0], buf_cstr(&b));
}

/* Names are so short that two letters in the wrong order have to count as near ("rnu"). */
static const char *nearest(struct str word)
{
	const char *best = NULL;
	unsigned int best_distance = 3;
	for (size_t i = 0; i < ARRAY_N(commands); i++) {
		struct str name = str_from(commands[i].name);
		unsigned int d = str_distance(word, name);
		if (d < best_distance && d < name.n) {
			best_distance = d;
			best = commands[i].name;
		}
	}
	return best;
}

static int tell_unknown(const struct cmd_env *env, int argc, char **argv)
{
	char two[64];
	snprintf(two, sizeof(two), "%.30s %.30s", argv[0], argc > 1 ? argv[1] : "");
	for (size_t i = 0; i < ARRAY_N(later); i++)
		if (strcmp(later[i], argv[0]) == 0 || strcmp(later[i], two) == 0)
			return cmd_fail_text(env, EXIT_USAGE, "%s: not in this version", later[i]);
	if (is_group(argv[0]))
		return tell_group(env, argc, argv);
	const char *near = nearest(str_from(argv[0]));
	if (near)
		return cmd_fail_text(
			env, EXIT_USAGE, "unknown command %s; did you mean %s?", argv[0], near);
	return cmd_fail_text(
		env, EXIT_USAGE, "unknown command %s; `hullwatch --help` lists them", argv[0]);
}

int cmd_main(int argc, char **argv)
{
	struct cmd_env env = { 0 };
	struct cmd_args a = cmd_args_of(argc, argv, &env);
	/* For the width of characters alone; the C locale stays for everything that is compared or printed. */
	setlocale(LC_CTYPE, "C.UTF-8"); /* NOLINT(concurrency-mt-unsafe): no other thread yet */
	int got = cmd_args_next(&a);
	if (got != CMD_ARGS_END)
		return cmd_args_code(got);
	if (a.first >= argc) {
		AUTO(buf_fini) struct buf b = BUF_INIT(1u << 16);
		cmd_usage(&b);
		fputs(buf_cstr(&b), stderr);
		return EXIT_USAGE;
	}
	int words;
	const struct cmd *c = find(argc - a.first, argv + a.first, &words);
	if (!c)
		return tell_unknown(&env, argc - a.first, argv + a.first);
	env.cmd = c;
	return c->run(argc - a.first - (words - 1), argv + a.first + (words - 1), &env);
}
