/* user.* and group.*: who. Names come from the judge's callbacks. */
#include "rules/fields_impl.h"

static enum value_state give_name(
	struct field_ctx *cx, enum judge_name found, struct str name, struct value *out)
{
	if (found == JUDGE_NAME_PENDING)
		return cx->final ? VALUE_MISSING : VALUE_PENDING;
	if (found != JUDGE_NAME_FOUND)
		return VALUE_MISSING;
	/* The callback may use its memory again before the event is judged to its end. */
	out->one.s = scratch_copy(cx->scratch, name);
	return out->one.s.n ? VALUE_HAVE : VALUE_MISSING;
}

static enum value_state user_name(
	struct field_ctx *cx, const struct container *c, uint32_t uid, struct value *out)
{
	struct str name = { 0 };
	enum judge_name found = JUDGE_NAME_MISSING;

	if (cx->names && cx->names->user_name)
		found = cx->names->user_name(cx->names->ctx, c, uid, &name);
	return give_name(cx, found, name, out);
}

static enum value_state get_user_name(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	(void)f, (void)arg;
	return user_name(cx, cx->in->container, cx->in->ev->uid, out);
}

static enum value_state get_uid(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	(void)arg;
	return give_int(out, f->aux ? cx->in->ev->euid : cx->in->ev->uid);
}

static enum value_state get_loginuid(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	(void)f, (void)arg;
	return cx->in->process ? give_int(out, (int32_t)cx->in->process->loginuid) : VALUE_MISSING;
}

/* A login happens on the host, whatever container its processes enter afterwards. */
static enum value_state get_loginname(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	const struct process *p = cx->in->process;

	(void)f, (void)arg;
	return p && p->loginuid != UINT32_MAX ? user_name(cx, NULL, p->loginuid, out)
					      : VALUE_MISSING;
}

static enum value_state get_gid(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	(void)f, (void)arg;
	return give_int(out, cx->in->ev->gid);
}

static enum value_state get_group_name(
	struct field_ctx *cx, const struct field *f, const struct field_arg *arg, struct value *out)
{
	struct str name = { 0 };
	enum judge_name found = JUDGE_NAME_MISSING;

	(void)f, (void)arg;
	if (cx->names && cx->names->group_name)
		found = cx->names->group_name(
			cx->names->ctx, cx->in->container, cx->in->ev->gid, &name);
	return give_name(cx, found, name, out);
}

static const struct field table[] = {
	{ "user.uid", FIELD_INT, .aux = 0, .get = get_uid, .meaning = "user id" },
	{ "hw.euid", FIELD_INT, .aux = 1, .get = get_uid, .meaning = "effective user id" },
	{ "user.name", FIELD_STR, .get = get_user_name, .meaning = "name of the user" },
	{ "user.loginuid", FIELD_INT, .get = get_loginuid,
		.meaning = "user id of the login, -1 when there was none" },
	{ "user.loginname", FIELD_STR, .get = get_loginname,
		.meaning = "name of the login's user" },
	{ "group.gid", FIELD_INT, .get = get_gid, .meaning = "group id" },
	{ "group.name", FIELD_STR, .get = get_group_name, .meaning = "name of the group" },
};

struct field_table fields_user(void)
{
	return (struct field_table){ table, ARRAY_N(table) };
}
