/* Completion scripts, made from the table of commands. */
#include "cmd/cmd.h"

#include <stdio.h>

static void put_option_names(struct buf *b, const struct cmd_option *o)
{
	for (; o && o->name; o++)
		buf_printf(b, "--%s ", o->name);
}

static bool is_path_arg(const struct cmd_option *o)
{
	return strcmp(o->arg, "FILE") == 0 || strcmp(o->arg, "DIR") == 0 ||
	       strcmp(o->arg, "PATH") == 0;
}

/* First words, each once: those of a group stand together in the table. */
static void put_first_words(struct buf *b)
{
	size_t n;
	const struct cmd *c = cmd_table(&n);
	struct str last = { 0 };
	for (size_t i = 0; i < n; i++) {
		struct str rest = str_from(c[i].name);
		struct str first = str_cut(&rest, ' ');
		if (!str_eq(first, last))
			buf_printf(b, "%.*s ", STR_ARG(first));
		last = first;
	}
}

/* ---- bash ---- */

static void put_bash_values(struct buf *b, const char *name, const struct cmd_option *o)
{
	for (; o && o->name; o++) {
		if (o->words)
			buf_printf(b, "\t\"%s\"*\" --%s\") words=\"%s\" ;;\n", name, o->name,
				o->words);
		else if (o->arg && is_path_arg(o))
			buf_printf(b, "\t\"%s\"*\" --%s\") files=1 ;;\n", name, o->name);
		else if (o->arg)
			buf_printf(b, "\t\"%s\"*\" --%s\") return ;;\n", name, o->name);
	}
}

static void put_bash_groups(struct buf *b)
{
	size_t n;
	const struct cmd *c = cmd_table(&n);
	for (size_t i = 0; i < n;) {
		const char *blank = strchr(c[i].name, ' ');
		if (!blank) {
			i++;
			continue;
		}
		size_t group = (size_t)(blank + 1 - c[i].name);
		buf_printf(b, "\t\"%.*s\"*) words=\"", (int)group - 1, c[i].name);
		for (size_t at = i; i < n && strncmp(c[i].name, c[at].name, group) == 0; i++)
			buf_printf(b, "%s ", c[i].name + group);
		buf_puts(b, "\" ;;\n");
	}
}

static void put_bash(struct buf *b)
{
	size_t n;
	const struct cmd *c = cmd_table(&n);
	buf_puts(b,
		"_hullwatch() {\n"
		"\tlocal cur=\"${COMP_WORDS[COMP_CWORD]}\" line=\"\" words=\"\" files=\"\" i w\n"
		"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		"\t\tw=\"${COMP_WORDS[i]}\"\n"
		"\t\tcase \"$w\" in\n"
		"\t\t--config | --state-dir) ((i + 1 < COMP_CWORD)) && ((i++)) || line+=\"$w \" ;;\n"
		"\t\t*) line+=\"$w \" ;;\n"
		"\t\tesac\n"
		"\tdone\n"
		"\tline=\"${line% }\"\n"
		"\tcase \"$line\" in\n");
	put_bash_values(b, "", cmd_common_options);
	for (size_t i = 0; i < n; i++)
		put_bash_values(b, c[i].name, c[i].options);
	for (size_t i = 0; i < n; i++) {
		buf_printf(b, "\t\"%s\" | \"%s \"*)\n\t\twords=\"%s ", c[i].name, c[i].name,
			c[i].words ? c[i].words : "");
		put_option_names(b, c[i].options);
		put_option_names(b, cmd_common_options);
		buf_puts(b, "\"\n");
		if (strstr(c[i].args, "PATH"))
			buf_puts(b, "\t\tfiles=1\n");
		buf_puts(b, "\t\t;;\n");
	}
	/* After the whole names: a group's word alone. */
	put_bash_groups(b);
	buf_puts(b, "\t*)\n\t\twords=\"");
	put_first_words(b);
	put_option_names(b, cmd_common_options);
	buf_puts(b, "\"\n\t\t;;\n\tesac\n"
		    "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
		    "\tif [ -n \"$files\" ]; then\n"
		    "\t\tCOMPREPLY+=($(compgen -f -- \"$cur\"))\n"
		    "\tfi\n"
		    "}\n"
		    "complete -o filenames -F _hullwatch hullwatch\n");
}

static void put_zsh(struct buf *b)
{
	buf_puts(b, "autoload -U +X compinit && compinit\n"
		    "autoload -U +X bashcompinit && bashcompinit\n");
	put_bash(b);
}

/* ---- fish ---- */

static void put_fish_text(struct buf *b, const char *text)
{
	buf_putc(b, '\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			buf_putc(b, '\\');
		buf_putc(b, *text);
	}
	buf_putc(b, '\'');
}

static void put_fish_options(struct buf *b, const char *when, const struct cmd_option *o)
{
	for (; o && o->name; o++) {
		buf_printf(b, "complete -c hullwatch%s%s -l %s", *when ? " " : "", when, o->name);
		if (o->words)
			buf_printf(b, " -x -a '%s'", o->words);
		else if (o->arg)
			buf_puts(b, is_path_arg(o) ? " -r -F" : " -x");
		buf_puts(b, " -d ");
		put_fish_text(b, o->help);
		buf_putc(b, '\n');
	}
}

static void put_fish_command(struct buf *b, const struct cmd *c)
{
	char when[160];
	struct str rest = str_from(c->name);
	struct str first = str_cut(&rest, ' ');
	if (rest.p) {
		buf_printf(b, "complete -c hullwatch -n '__fish_use_subcommand' -a %.*s\n",
			STR_ARG(first));
		buf_printf(b,
			"complete -c hullwatch -n '__fish_seen_subcommand_from %.*s' -a %.*s -d ",
			STR_ARG(first), STR_ARG(rest));
		snprintf(when, sizeof(when),
			"-n '__fish_seen_subcommand_from %.*s; and __fish_seen_subcommand_from %.*s'",
			STR_ARG(first), STR_ARG(rest));
	} else {
		buf_printf(
			b, "complete -c hullwatch -n '__fish_use_subcommand' -a %s -d ", c->name);
		snprintf(when, sizeof(when), "-n '__fish_seen_subcommand_from %s'", c->name);
	}
	put_fish_text(b, c->help);
	buf_putc(b, '\n');
	if (c->words)
		buf_printf(b, "complete -c hullwatch %s -a '%s'\n", when, c->words);
	if (strstr(c->args, "PATH"))
		buf_printf(b, "complete -c hullwatch %s -F\n", when);
	put_fish_options(b, when, c->options);
}

static void put_fish(struct buf *b)
{
	size_t n;
	const struct cmd *c = cmd_table(&n);
	buf_puts(b, "complete -c hullwatch -f\n");
	put_fish_options(b, "", cmd_common_options);
	for (size_t i = 0; i < n; i++)
		put_fish_command(b, &c[i]);
}

int cmd_completion(int argc, char **argv, struct cmd_env *env)
{
	static const struct {
		const char *name;
		void (*put)(struct buf *b);
	} shells[] = { { "bash", put_bash }, { "zsh", put_zsh }, { "fish", put_fish } };
	struct cmd_args a = cmd_args_of(argc, argv, env);
	AUTO(buf_fini) struct buf b = BUF_INIT(1u << 18);
	int got = cmd_args_next(&a);
	if (got != CMD_ARGS_END)
		return cmd_args_code(got);
	if (cmd_args_count(&a, 1, 1))
		return EXIT_USAGE;
	for (size_t i = 0; i < ARRAY_N(shells); i++) {
		if (strcmp(argv[a.first], shells[i].name) != 0)
			continue;
		shells[i].put(&b);
		return cmd_print(env, &b);
	}
	return cmd_fail_text(
		env, EXIT_USAGE, "%s: the shells are bash, zsh and fish", argv[a.first]);
}
