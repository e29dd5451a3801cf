/* config check, config show, version. */
#include "cmd/cmd.h"

const struct cmd_option cmd_config_show_options[] = {
	{ "origin", NULL, NULL, "say where each value comes from" },
	{ 0 },
};

int cmd_config_check(int argc, char **argv, struct cmd_env *env)
{
	struct cmd_args a = cmd_args_of(argc, argv, env);
	AUTO(config_free) struct config *c = NULL;
	int got = cmd_args_next(&a);
	if (got != CMD_ARGS_END)
		return cmd_args_code(got);
	if (cmd_args_count(&a, 0, 0))
		return EXIT_USAGE;
	int rc = cmd_load_config(env, &c);
	if (rc)
		return rc;
	AUTO(buf_fini) struct buf b = BUF_INIT(1u << 18);
	for (size_t i = 0; i < c->files.n; i++)
		buf_printf(&b, "%s: good\n", c->files.p[i]);
	if (c->files.n == 0)
		buf_puts(&b, "no configuration file: the defaults are in effect\n");
	return cmd_print(env, &b);
}

int cmd_config_show(int argc, char **argv, struct cmd_env *env)
{
	struct cmd_args a = cmd_args_of(argc, argv, env);
	AUTO(config_free) struct config *c = NULL;
	bool origin = false;
	int got;
	while ((got = cmd_args_next(&a)) >= 0)
		origin = true;
	if (got != CMD_ARGS_END)
		return cmd_args_code(got);
	if (cmd_args_count(&a, 0, 0))
		return EXIT_USAGE;
	int rc = cmd_load_config(env, &c);
	if (rc)
		return rc;
	AUTO(buf_fini) struct buf b = BUF_INIT(16u << 20);
	config_show(&b, c, origin);
	return cmd_print(env, &b);
}

int cmd_version(int argc, char **argv, struct cmd_env *env)
{
	struct cmd_args a = cmd_args_of(argc, argv, env);
	int got = cmd_args_next(&a);
	if (got != CMD_ARGS_END)
		return cmd_args_code(got);
	if (cmd_args_count(&a, 0, 0))
		return EXIT_USAGE;
	AUTO(buf_fini) struct buf b = BUF_INIT(256);
	buf_puts(&b, "hullwatch " HW_VERSION "\n");
	return cmd_print(env, &b);
}
