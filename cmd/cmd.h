/*
 * Subcommands: one table row each, from which dispatch, usage, --help and completion are made.
 */
#ifndef HW_CMD_CMD_H
#define HW_CMD_CMD_H

#include "base/err.h"
#include "config/config.h"

#ifndef HW_VERSION
#define HW_VERSION "0.0.0"
#endif

/* Exit codes of the command line's contract. */
enum {
	EXIT_DONE = 0,
	EXIT_FINDINGS = 1,
	EXIT_USAGE = 2,
	EXIT_FAILED = 3,
	EXIT_PARTLY = 4,
	EXIT_KERNEL = 77
};

/* A long option. A list of them ends with a NULL name. */
struct cmd_option {
	const char *name;  /* without dashes */
	const char *arg;   /* what stands for its value in help, "FILE"; NULL: takes none */
	const char *words; /* the values it takes, separated by blanks; NULL: any */
	const char *help;
};

struct cmd_env;

struct cmd {
	const char *name; /* one word, or two: "rules check" */
	int (*run)(int argc, char **argv, struct cmd_env *env); /* argv[0] is the name */
	const char *help;                                       /* one line */
	const char *args;                 /* positional arguments for the usage line; "" for none */
	const char *words;                /* values of the first one, for completion; NULL: none */
	const char *text;                 /* further lines of --help; NULL: none */
	const char *examples;             /* lines */
	const struct cmd_option *options; /* NULL: none of its own */
};

/* What stands on the command line beside the command's own arguments. */
struct cmd_env {
	const struct cmd *cmd;
	const char *config_file; /* NULL: the default one */
	const char *state_dir;   /* NULL: as configured */
};

/* The table, and the options that every command takes. */
const struct cmd *cmd_table(size_t *n);
extern const struct cmd_option cmd_common_options[];

/* The whole program: everything but `int main`. Returns the exit code. */
int cmd_main(int argc, char **argv);

/* Usage of the program, help of one command; appended. */
void cmd_usage(struct buf *b);
void cmd_help(struct buf *b, const struct cmd *c);

/* One line on stderr: "hullwatch NAME: message". Returns the exit code that goes with it. */
int cmd_fail(const struct cmd_env *env, const struct err *e);
int cmd_fail_text(const struct cmd_env *env, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Write to stdout and flush; EXIT_DONE, or EXIT_FAILED with a line on stderr. */
int cmd_print(const struct cmd_env *env, const struct buf *b);

/*
 * Load the configuration as the command line says. Every problem goes to stderr. EXIT_DONE and *out
 * (config_free), or the code to return.
 */
int cmd_load_config(const struct cmd_env *env, struct config **out);

/* Walks a command's arguments. */
struct cmd_args {
	int argc;
	char **argv;
	struct cmd_env *env;
	const char *value; /* of the option that cmd_args_next() returned */
	bool begun;
	int first; /* after CMD_ARGS_END: argv[first..argc) are positional */
};

enum { CMD_ARGS_END = -1, CMD_ARGS_BAD = -2, CMD_ARGS_HELP = -3 };

/*
 * The next option: its index in the command's list. CMD_ARGS_END when none is left; CMD_ARGS_BAD
 * (told on stderr: return EXIT_USAGE); CMD_ARGS_HELP (printed: return EXIT_DONE). Common options are
 * taken into env here. Not for two threads (getopt_long).
 */
int cmd_args_next(struct cmd_args *a);

static inline struct cmd_args cmd_args_of(int argc, char **argv, struct cmd_env *env)
{
	return (struct cmd_args){ .argc = argc, .argv = argv, .env = env };
}

/* The code to return after a negative result other than CMD_ARGS_END. */
static inline int cmd_args_code(int result)
{
	return result == CMD_ARGS_HELP ? EXIT_DONE : EXIT_USAGE;
}

/* Fails when there are positional arguments besides those from..to; EXIT_DONE or EXIT_USAGE (told). */
int cmd_args_count(const struct cmd_args *a, int from, int to);

/* The commands. */
int cmd_run(int argc, char **argv, struct cmd_env *env);
int cmd_status(int argc, char **argv, struct cmd_env *env);
int cmd_events(int argc, char **argv, struct cmd_env *env);
int cmd_alerts(int argc, char **argv, struct cmd_env *env);
int cmd_processes(int argc, char **argv, struct cmd_env *env);
int cmd_containers(int argc, char **argv, struct cmd_env *env);
int cmd_rules_check(int argc, char **argv, struct cmd_env *env);
int cmd_rules_test(int argc, char **argv, struct cmd_env *env);
int cmd_rules_list(int argc, char **argv, struct cmd_env *env);
int cmd_rules_fields(int argc, char **argv, struct cmd_env *env);
int cmd_config_check(int argc, char **argv, struct cmd_env *env);
int cmd_config_show(int argc, char **argv, struct cmd_env *env);
int cmd_completion(int argc, char **argv, struct cmd_env *env);
int cmd_version(int argc, char **argv, struct cmd_env *env);

/* Their options. */
extern const struct cmd_option cmd_run_options[], cmd_status_options[], cmd_events_options[],
	cmd_alerts_options[], cmd_processes_options[], cmd_containers_options[],
	cmd_rules_check_options[], cmd_rules_test_options[], cmd_rules_list_options[],
	cmd_rules_fields_options[], cmd_config_show_options[];

#endif
