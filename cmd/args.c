#include "cmd/cmd.h"

#include <getopt.h>
#include <stdio.h>

#define MAX_OPTIONS 40

const struct cmd_option cmd_common_options[] = {
	{ "config", "FILE", NULL,
		"configuration file instead of " HW_CONFIG_DIR "/hullwatch.yaml" },
	{ "state-dir", "DIR", NULL, "state directory instead of the configured one" },
	{ "help", NULL, NULL, "this text" },
	{ 0 },
};
enum { COMMON_CONFIG, COMMON_STATE_DIR, COMMON_HELP };

/* getopt's values: own options from here on, common ones from COMMON_BASE. */
enum { OWN_BASE = 1000, COMMON_BASE = 2000 };

static size_t add_options(struct option *to, size_t n, const struct cmd_option *from, int base)
{
	for (int i = 0; from && from[i].name && n < MAX_OPTIONS; i++)
		to[n++] = (struct option){ .name = from[i].name,
			.has_arg = from[i].arg ? required_argument : no_argument,
			.val = base + i };
	return n;
}

static const struct cmd_option *own_options(const struct cmd_args *a)
{
	return a->env->cmd ? a->env->cmd->options : NULL;
}

static int tell_unknown(
	const struct cmd_args *a, const struct option *all, size_t n, const char *arg)
{
	const char *names[MAX_OPTIONS];
	struct str given = str_from(arg);
	while (given.n && given.p[0] == '-')
		given = str_of(given.p + 1, given.n - 1);
	given = str_cut(&(struct str){ given.p, given.n }, '=');
	for (size_t i = 0; i < n; i++)
		names[i] = all[i].name;
	const char *near = str_nearest(given, names, n);
	if (near)
		cmd_fail_text(
			a->env, EXIT_USAGE, "unknown option %s; did you mean --%s?", arg, near);
	else
		cmd_fail_text(
			a->env, EXIT_USAGE, "unknown option %s; --help lists the options", arg);
	return CMD_ARGS_BAD;
}

static int tell_bad(const struct cmd_args *a, const struct option *all, size_t n)
{
	const char *arg = optind > 0 && optind <= a->argc ? a->argv[optind - 1] : "";
	if (optopt >= OWN_BASE) {
		for (size_t i = 0; i < n; i++) {
			if (all[i].val != optopt)
				continue;
			cmd_fail_text(a->env, EXIT_USAGE, "option --%s %s", all[i].name,
				all[i].has_arg ? "needs a value" : "takes no value");
			return CMD_ARGS_BAD;
		}
	}
	char letter[] = { '-', (char)optopt, 0 };
	return tell_unknown(a, all, n, optopt ? letter : arg);
}

static bool word_known(const char *words, const char *value)
{
	struct str rest = str_from(words);
	while (rest.p)
		if (str_eqz(str_cut(&rest, ' '), value))
			return true;
	return false;
}

static int take_own(struct cmd_args *a, int i)
{
	const struct cmd_option *o = &own_options(a)[i];
	a->value = optarg;
	if (o->words && !word_known(o->words, optarg)) {
		cmd_fail_text(a->env, EXIT_USAGE, "--%s %s: it takes one of: %s", o->name, optarg,
			o->words);
		return CMD_ARGS_BAD;
	}
	return i;
}

static int print_help(const struct cmd_args *a)
{
	AUTO(buf_fini) struct buf b = BUF_INIT(1u << 16);
	if (a->env->cmd)
		cmd_help(&b, a->env->cmd);
	else
		cmd_usage(&b);
	return cmd_print(a->env, &b) ? CMD_ARGS_BAD : CMD_ARGS_HELP;
}

int cmd_args_next(struct cmd_args *a)
{
	struct option all[MAX_OPTIONS + 1] = { 0 };
	size_t n = add_options(all, 0, own_options(a), OWN_BASE);
	n = add_options(all, n, cmd_common_options, COMMON_BASE);
	if (!a->begun)
		optind = 0; /* glibc: begin anew */
	a->begun = true;
	opterr = 0;
	for (;;) {
		/* Before the command's name is known, parsing ends at it. */
		int got = getopt_long(a->argc, a->argv, a->env->cmd ? ":h" : "+:h", all, NULL);
		if (got == -1) {
			a->first = optind;
			return CMD_ARGS_END;
		}
		if (got == '?' || got == ':')
			return tell_bad(a, all, n);
		if (got == 'h' || got == COMMON_BASE + COMMON_HELP)
			return print_help(a);
		if (got == COMMON_BASE + COMMON_CONFIG)
			a->env->config_file = optarg;
		else if (got == COMMON_BASE + COMMON_STATE_DIR)
			a->env->state_dir = optarg;
		else
			return take_own(a, got - OWN_BASE);
	}
}

int cmd_args_count(const struct cmd_args *a, int from, int to)
{
	int n = a->argc - a->first;
	if (n < from)
		return cmd_fail_text(
			a->env, EXIT_USAGE, "%s is missing; --help tells more", a->env->cmd->args);
	if (n > to)
		return cmd_fail_text(a->env, EXIT_USAGE,
			"unexpected argument %s; --help tells more", a->argv[a->first + to]);
	return EXIT_DONE;
}
