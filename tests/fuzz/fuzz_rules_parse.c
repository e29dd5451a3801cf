/* Conditions: what is read, printed and read again is the same; what compiles can be evaluated. */
#include "base/buf.h"
#include "rules/parse.h"
#include "rules/program.h"

#include <stdlib.h>

static void evaluate(const struct ast *tree)
{
	AUTO(program_free) struct program *p = program_new();
	AUTO(program_state_free) struct program_state *s = NULL;
	struct program_build b = { .program = p };
	struct event ev = { .class = EVENT_EXEC, .nr = 59, .data = "", .comm = "sh" };
	struct process process = {
		.comm = "sh", .exe = STR("/bin/sh"), .args = STR("sh\0-c\0id\0")
	};
	struct judge_input in = { .ev = &ev, .process = &process };
	struct err e;
	uint32_t node;

	process.parent = &process;
	if (program_add(&b, tree, &node, &e))
		return;
	s = program_state_new(p, NULL, STR("host"));
	program_begin(s, &in, false);
	/* No container: nothing can be pending. */
	if (program_eval(s, node) == VERDICT_PENDING)
		abort();
	ev.class = EVENT_OPEN;
	ev.open = (struct event_open){ 0 };
	program_begin(s, &in, true);
	program_eval(s, node);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(buf_fini) struct buf once = BUF_INIT(1 << 24), twice = BUF_INIT(1 << 24);
	struct ast *tree;
	struct err e;
	size_t at;

	if (parse_condition(&tree, a, str_of(data, n), &at, &e)) {
		if (at > n || !e.msg[0])
			abort();
		return 0;
	}
	evaluate(tree);
	ast_print(&once, tree);
	if (parse_condition(&tree, a, buf_str(&once), &at, &e))
		/* Printing adds parentheses, which may pass the bound on depth. */
		return e.code == ERR_LIMIT ? 0 : (abort(), 0);
	ast_print(&twice, tree);
	if (!str_eq(buf_str(&once), buf_str(&twice)))
		abort();
	return 0;
}
