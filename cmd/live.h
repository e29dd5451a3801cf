/* Which of the live processes that the service told of fulfil a condition. */
#ifndef HW_CMD_LIVE_H
#define HW_CMD_LIVE_H

#include "base/err.h"
#include "base/json.h"
#include "base/scope.h"

struct live;

/*
 * `list`: the "processes" of the service's answer. Returns 0 and *out; -1 and *e: ERR_CONFIG (the
 * condition is wrong), ERR_LIMIT.
 */
int live_find(struct live **out, const struct json_node *list, struct str condition, struct err *e);
bool live_has(const struct live *l, const struct json_node *process);
void live_free(struct live *l); /* NULL is fine */
DEFINE_AUTO(struct live, live_free)

#endif
