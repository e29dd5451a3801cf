/* Files of cases: whatever they say, each case has an outcome, and what is told is clean. */
#include "base/text.h"
#include "rules/cases.h"

#include <stdlib.h>

static const char rules[] =
	"- rule: open\n  desc: d\n  priority: INFO\n"
	"  condition: evt.type in (open, openat, openat2, creat) and fd.name startswith /etc\n"
	"  output: \"%fd.name %fd.directory %fd.nameraw %evt.args %proc.cmdline %proc.aname[3]\"\n"
	"- rule: net\n  desc: d\n  priority: INFO\n"
	"  condition: evt.type in (connect, accept, bind, listen, socket) and fd.num >= 0\n"
	"  output: \"%fd.name %fd.sip %fd.sport %fd.l4proto %evt.args %user.name %group.name\"\n"
	"- rule: exec\n  desc: d\n  priority: INFO\n"
	"  condition: evt.type in (execve, clone, procexit) and proc.name exists\n"
	"  output: \"%evt.args %proc.exeline %thread.cap_effective %container.mounts "
	"%container.labels %container.image.tag %proc.duration %proc.exe_ino.ctime\"\n"
	"- rule: later\n  desc: d\n  priority: INFO\n  condition: evt.type = ptrace\n  output: x\n";

static struct ruleset *load(void)
{
	struct rules_text text = { "rules.yaml", str_from(rules) };
	struct ruleset *rs = NULL;

	if (rules_load_text(&rs, &text, 1, NULL, NULL, NULL))
		abort();
	return rs;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct ruleset *rs;
	AUTO(cases_free) struct cases *c = NULL;
	struct err e;
	size_t paths_n;

	if (!rs)
		rs = load();
	if (cases_parse(&c, "fuzz.yaml", str_of(data, n), &e))
		return 0;
	cases_rules(c, &paths_n);
	for (size_t i = 0; i < cases_count(c); i++) {
		AUTO(case_result_fini) struct case_result r = { 0 };

		cases_run(c, i, rs, &r);
		if (r.outcome != CASE_PASSED && !r.remarks.n)
			abort();
		for (size_t k = 0; k < r.remarks.n; k++)
			if (!text_is_clean(str_from(r.remarks.p[k].what)) || !r.remarks.p[k].line)
				abort();
	}
	return 0;
}
