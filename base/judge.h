/*
 * The border between who collects events and who judges them: collectors call the hook, cmd/
 * fills it with the rule engine. Three-valued, because a container's metadata may come later.
 */
#ifndef HW_BASE_JUDGE_H
#define HW_BASE_JUDGE_H

#include "base/alert.h"
#include "base/vec.h"

enum verdict { VERDICT_FALSE, VERDICT_TRUE, VERDICT_PENDING };

struct judge_input {
	const struct event *ev;
	const struct process *process; /* NULL only when nothing at all is known of it */
	const struct container
		*container; /* NULL: host; its state says whether metadata is there */
};

struct judge_alerts {
	VEC(struct alert *) list; /* owned by the caller of the hook */
};

struct judge_hook {
	void *ctx;
	/*
	 * Judge one event, on the capture thread. TRUE: alerts were added to *out. PENDING: nothing was
	 * added, metadata that decides (or that an output needs) is still CONTAINER_PENDING; the event
	 * will be judged again. With `final` pending metadata counts as missing, and PENDING is not returned.
	 */
	enum verdict (*event)(
		void *ctx, const struct judge_input *in, bool final, struct judge_alerts *out);
};

#endif
