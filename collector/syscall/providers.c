#include "collector/syscall/providers.h"

static const struct provider table[] = {
	{
		.family = "call",
		.source = "tp_btf/sys_exit",
		.variant = "dispatcher",
		.vital = true,
		.programs = { { "hw_sys_exit", PROGRAM_ATTACH, WIRE_NONE } },
	},
	{
		.family = "process",
		.source = "tp_btf/sched_process_*",
		.variant = "exec, fork, exit, task iterator",
		.vital = true,
		.programs = { { "hw_exec", PROGRAM_ATTACH, WIRE_NONE },
			{ "hw_fork", PROGRAM_ATTACH, WIRE_NONE },
			{ "hw_exit", PROGRAM_ATTACH, WIRE_NONE },
			{ "hw_exec_failed", PROGRAM_TAIL, WIRE_EXEC },
			{ "hw_seed", PROGRAM_ITER, WIRE_NONE } },
	},
	{
		.family = "file",
		.source = "sys_exit: open family",
		.variant = "direct loads",
		.kfunc = "bpf_rdonly_cast",
		.programs = { { "hw_open_fast", PROGRAM_TAIL, WIRE_OPEN } },
	},
	{
		.family = "file",
		.source = "sys_exit: open family",
		.variant = "probed reads",
		.programs = { { "hw_open_probe", PROGRAM_TAIL, WIRE_OPEN } },
	},
	{
		.family = "net",
		.source = "sys_exit: socket family",
		.variant = "probed reads",
		.programs = { { "hw_socket", PROGRAM_TAIL, WIRE_SOCKET },
			{ "hw_connect", PROGRAM_TAIL, WIRE_CONNECT },
			{ "hw_accept", PROGRAM_TAIL, WIRE_ACCEPT },
			{ "hw_bind", PROGRAM_TAIL, WIRE_BIND },
			{ "hw_listen", PROGRAM_TAIL, WIRE_LISTEN },
			{ "hw_socketcall", PROGRAM_TAIL, (enum wire_class)WIRE_SOCKETCALL } },
	},
	{
		.family = "cgroup",
		.source = "tp_btf/cgroup_*",
		.variant = "mkdir, rmdir",
		.programs = { { "hw_cgroup_mkdir", PROGRAM_ATTACH, WIRE_NONE },
			{ "hw_cgroup_rmdir", PROGRAM_ATTACH, WIRE_NONE } },
	},
};

const struct provider *providers_table(size_t *n)
{
	*n = sizeof(table) / sizeof(table[0]);
	return table;
}
