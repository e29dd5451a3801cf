/* What a case says that happened, to an event with its process and container. */
#include "rules/cases_impl.h"

#include "base/clock.h"
#include "rules/types.h"

#include <fcntl.h>
#include <sys/stat.h>

#define SECOND   1000000000ull
#define SCENE_TS (1767225600 * SECOND) /* 2026-01-01, where a case does not say when */
#define UPTIME   (100000 * SECOND)

#define C(class) (1u << EVENT_##class)
#define NETS     (C(CONNECT) | C(ACCEPT) | C(BIND) | C(LISTEN) | C(SOCKET))

/* ---- type ---- */

/* The system call's number with which the event has this name. */
static int find_nr(struct scene *s, const char *name)
{
	for (s->ev.nr = 0; s->ev.nr < 1024; s->ev.nr++)
		if (strcmp(event_type_name(&s->ev), name) == 0)
			return 0;
	s->ev.nr = -1;
	return 0;
}

static int set_type(struct scene *s, const struct yaml_node *event, struct fault *f)
{
	const struct yaml_node *v = yaml_get(event, "type");
	struct str name;
	int type;

	if (!v)
		v = yaml_get(event, "evt.type");
	if (!v)
		return fault_set(f, event, "type is missing: the event's type, as openat");
	if (!scene_text(v, &name, f))
		return -1;
	type = types_find(name);
	if (type < 0) {
		const char *nearest = types_nearest(name);

		return fault_set(f, v, "unknown event type %s%s%s%s", name.p,
			nearest ? " (did you mean " : "", nearest ? nearest : "",
			nearest ? "?)" : "");
	}
	s->ev.class = types_class((size_t)type);
	if (s->ev.class == EVENT_NONE) {
		s->missing_type = types_name((size_t)type);
		return 0;
	}
	return find_nr(s, types_name((size_t)type));
}

/* ---- keys of all events ---- */

static int set_done(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	(void)s, (void)base, (void)k, (void)v, (void)f;
	return 0;
}

static bool find_errno(struct str name, int64_t *out)
{
	for (int i = 1; i < 134; i++) {
		const char *known = strerrorname_np(i);

		if (known && str_eqz(name, known)) {
			*out = -i;
			return true;
		}
	}
	return false;
}

static int set_res(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	int64_t res = 0;

	(void)base, (void)k;
	if (v->kind != YAML_SCALAR || (!yaml_i64(v, &res) && !find_errno(v->value, &res) &&
					      !str_eqz(v->value, "SUCCESS")))
		return fault_set(f, v, "res is a number, SUCCESS or an error's name as ENOENT");
	s->ev.ret = res;
	s->has_res = true;
	return 0;
}

static int set_time(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	struct str text;
	struct err e = { 0 };

	(void)base, (void)k;
	if (!scene_text(v, &text, f))
		return -1;
	if (clock_parse(text, SCENE_TS, &s->ev.ts_ns, &e))
		return fault_set(f, v, "%s", e.msg);
	return 0;
}

static int set_flag(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	bool on;

	(void)base;
	if (!yaml_bool(v, &on))
		return fault_set(f, v, "true or false is needed here");
	s->ev.flags = on ? s->ev.flags | (uint32_t)k->aux : s->ev.flags & ~(uint32_t)k->aux;
	return 0;
}

/* ---- users and groups ---- */

static int add_name(struct scene_name *names, size_t *n, uint32_t id, const struct yaml_node *v,
	struct fault *f)
{
	struct str name;

	if (!scene_text(v, &name, f))
		return -1;
	for (size_t i = 0; i < *n; i++) {
		if (names[i].id == id) {
			names[i].name = name;
			return 0;
		}
	}
	if (*n == SCENE_MAX_NAMES)
		return fault_set(f, v, "more than %d names", SCENE_MAX_NAMES);
	names[(*n)++] = (struct scene_name){ id, name };
	return 0;
}

static int set_uid(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	int64_t id;

	(void)base, (void)k;
	if (!scene_number(v, 0, UINT32_MAX, &id, f))
		return -1;
	s->ev.uid = s->ev.euid = (uint32_t)id;
	return 0;
}

static int set_loginuid(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	int64_t id;

	(void)base, (void)k;
	if (!scene_number(v, -1, UINT32_MAX, &id, f))
		return -1;
	s->process[0].loginuid = (uint32_t)id;
	return 0;
}

static const struct scene_key user_table[] = {
	{ "uid", set_uid, 0, 0, 0 },
	{ "euid", scene_set_u32, offsetof(struct event, euid), 0, 0 },
	{ "gid", scene_set_u32, offsetof(struct event, gid), 0, 0 },
	{ "loginuid", set_loginuid, 0, 0, 0 },
	{ "name", set_done, 0, 0, 0 },
	{ "loginname", set_done, 0, 0, 0 },
};
static const struct scene_keys user_keys = { user_table, ARRAY_N(user_table) };

static const struct scene_key group_table[] = {
	{ "gid", scene_set_u32, offsetof(struct event, gid), 0, 0 },
	{ "name", set_done, 0, 0, 0 },
};
static const struct scene_keys group_keys = { group_table, ARRAY_N(group_table) };

/* A number or a name alone; root is 0, others get a usual number. */
static int set_user_short(struct scene *s, const struct yaml_node *v, struct fault *f)
{
	int64_t id;

	if (yaml_i64(v, &id) && id >= 0 && id <= UINT32_MAX) {
		s->ev.uid = s->ev.euid = s->ev.gid = (uint32_t)id;
		return 0;
	}
	s->ev.uid = s->ev.euid = s->ev.gid = str_eqz(v->value, "root") ? 0 : 1000;
	return add_name(s->users, &s->users_n, s->ev.uid, v, f);
}

static int set_user(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	const struct yaml_node *name;

	(void)base, (void)k;
	if (v->kind == YAML_SCALAR)
		return set_user_short(s, v, f);
	if (scene_apply(s, &s->ev, &user_keys, "user", v, f))
		return -1;
	name = yaml_get(v, "name");
	if (name && add_name(s->users, &s->users_n, s->ev.uid, name, f))
		return -1;
	name = yaml_get(v, "loginname");
	return name ? add_name(s->users, &s->users_n, s->process[0].loginuid, name, f) : 0;
}

static int set_group(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	const struct yaml_node *name;

	(void)base, (void)k;
	if (scene_apply(s, &s->ev, &group_keys, "group", v, f))
		return -1;
	name = yaml_get(v, "name");
	return name ? add_name(s->groups, &s->groups_n, s->ev.gid, name, f) : 0;
}

static int set_proc(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	(void)base, (void)k;
	return scene_set_process(s, v, f);
}

static int set_container(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	(void)base, (void)k;
	return scene_set_container(s, v, f);
}

/* ---- open ---- */

static const struct scene_word open_words[] = {
	{ "O_RDONLY", O_RDONLY },
	{ "O_WRONLY", O_WRONLY },
	{ "O_RDWR", O_RDWR },
	{ "O_CREAT", O_CREAT },
	{ "O_EXCL", O_EXCL },
	{ "O_TRUNC", O_TRUNC },
	{ "O_APPEND", O_APPEND },
	{ "O_NOCTTY", O_NOCTTY },
	{ "O_NONBLOCK", O_NONBLOCK },
	{ "O_SYNC", O_SYNC },
	{ "O_DIRECTORY", O_DIRECTORY },
	{ "O_NOFOLLOW", O_NOFOLLOW },
	{ "O_CLOEXEC", O_CLOEXEC },
	{ "O_TMPFILE", O_TMPFILE },
	{ "O_PATH", O_PATH },
	{ "O_DIRECT", O_DIRECT },
};

static int set_flags(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	uint64_t bits;

	(void)base, (void)k;
	if (scene_words(v, "open flag", open_words, ARRAY_N(open_words), &bits, f))
		return -1;
	s->ev.open.flags = (uint32_t)bits;
	s->has_flags = true;
	return 0;
}

/* Octal, as everybody writes it. */
static int set_mode(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	struct str text;
	uint32_t mode = 0;

	(void)base, (void)k;
	if (!scene_text(v, &text, f))
		return -1;
	if (str_starts(text, STR("0o")))
		text = str_of(text.p + 2, text.n - 2);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '7' || i > 6)
			return fault_set(f, v, "mode is an octal number, as 0644");
		mode = mode * 8 + (uint32_t)(text.p[i] - '0');
	}
	s->ev.open.mode = mode;
	return 0;
}

static int set_dirfd(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	int64_t fd;

	(void)base, (void)k;
	if (!scene_number(v, AT_FDCWD, INT32_MAX, &fd, f))
		return -1;
	s->ev.open.dirfd = (int32_t)fd;
	return 0;
}

static int set_open_u64(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	int64_t i;

	(void)base;
	if (!scene_number(v, 0, INT64_MAX, &i, f))
		return -1;
	*(uint64_t *)((char *)&s->ev + k->offset) = (uint64_t)i;
	return 0;
}

static int set_name(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	struct str path;

	(void)base, (void)k;
	if (s->ev.class != EVENT_OPEN)
		return scene_net_name(s, v, f);
	if (!scene_text(v, &path, f))
		return -1;
	s->ev.open.path = scene_span(s, path);
	return 0;
}

static int set_nameraw(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	struct str path;

	(void)base, (void)k;
	if (!scene_text(v, &path, f))
		return -1;
	s->ev.open.user = scene_span(s, path);
	return 0;
}

static int set_fd_type(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	static const char *const names[] = { "file", "directory" };

	(void)base, (void)k;
	if (s->ev.class != EVENT_OPEN)
		return scene_net_type(s, v, f);
	if (v->kind != YAML_SCALAR)
		return fault_set(f, v, "fd.type is file or directory");
	if (str_eqz(v->value, "file"))
		s->ev.open.file_mode = S_IFREG | 0644;
	else if (str_eqz(v->value, "directory"))
		s->ev.open.file_mode = S_IFDIR | 0755;
	else
		return fault_unknown(f, v, "fd.type", names, ARRAY_N(names));
	s->has_mode = true;
	return 0;
}

/* ---- exec and exit ---- */

static int set_filename(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	struct str path;

	(void)base, (void)k;
	if (!scene_text(v, &path, f))
		return -1;
	s->ev.exec.file = scene_span(s, path);
	return 0;
}

enum exit_part { EXIT_PART_STATUS, EXIT_PART_CODE, EXIT_PART_SIGNAL };

static int set_exit(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	int64_t i;

	(void)base;
	if (!scene_number(v, 0, k->aux == EXIT_PART_SIGNAL ? 127 : 65535, &i, f))
		return -1;
	s->ev.exit.code = (int32_t)(k->aux == EXIT_PART_CODE ? (i & 0xff) << 8 : i);
	return 0;
}

static const struct scene_key event_table[] = {
	{ "type", set_done, 0, 0, 0 },
	{ "res", set_res, 0, 0, 0 },
	{ "rawres", set_res, 0, 0, 0 },
	{ "time", set_time, 0, 0, 0 },
	{ "cpu", scene_set_u32, offsetof(struct event, cpu), 0, 0 },
	{ "tid", scene_set_u32, offsetof(struct event, tid), 0, 0 },
	{ "user", set_user, 0, 0, 0 },
	{ "group", set_group, 0, 0, 0 },
	{ "proc", set_proc, 0, 0, 0 },
	{ "container", set_container, 0, 0, 0 },
	{ "hw.path_mismatch", set_flag, 0, C(OPEN), EVENT_F_MISMATCH },
	{ "hw.path_unverified", set_flag, 0, C(OPEN), EVENT_F_UNVERIFIED },
	{ "hw.truncated", set_flag, 0, 0, EVENT_F_TRUNCATED },
	{ "fd.name", set_name, 0, NETS | C(OPEN), 0 },
	{ "fd.type", set_fd_type, 0, NETS | C(OPEN), 0 },
	{ "fd.nameraw", set_nameraw, 0, C(OPEN), 0 },
	{ "flags", set_flags, 0, C(OPEN), 0 },
	{ "mode", set_mode, 0, C(OPEN), 0 },
	{ "dirfd", set_dirfd, 0, C(OPEN), 0 },
	{ "fd.dev", set_open_u64, offsetof(struct event, open.dev), C(OPEN), 0 },
	{ "fd.ino", set_open_u64, offsetof(struct event, open.ino), C(OPEN), 0 },
	{ "filename", set_filename, 0, C(EXEC), 0 },
	{ "status", set_exit, 0, C(EXIT), EXIT_PART_STATUS },
	{ "ret", set_exit, 0, C(EXIT), EXIT_PART_CODE },
	{ "sig", set_exit, 0, C(EXIT), EXIT_PART_SIGNAL },
};
static const struct scene_keys event_keys = { event_table, ARRAY_N(event_table) };

/* Names of fields may stand in the event itself: `proc.name: sh` for `proc: {name: sh}`. */
static int apply_event_key(struct scene *s, const struct yaml_pair *pair, struct fault *f)
{
	const struct {
		struct str prefix;
		const struct scene_keys *keys;
		void *base;
		const char *what;
	} parts[] = {
		{ STR("proc."), &scene_process_keys, &s->process[0], "proc" },
		{ STR("thread."), &scene_process_keys, &s->process[0], "proc" },
		{ STR("container."), &scene_container_keys, &s->container, "container" },
		{ STR("k8s."), &scene_container_keys, &s->container, "container" },
		{ STR("user."), &user_keys, &s->ev, "user" },
		{ STR("group."), &group_keys, &s->ev, "group" },
		{ STR("evt.arg."), &event_keys, &s->ev, "event" },
		{ STR("evt."), &event_keys, &s->ev, "event" },
	};
	struct str key = pair->key->value;

	for (size_t i = 0; i < ARRAY_N(parts); i++) {
		if (!str_starts(key, parts[i].prefix))
			continue;
		s->in_container |= parts[i].base == &s->container;
		key = str_of(key.p + parts[i].prefix.n, key.n - parts[i].prefix.n);
		return scene_apply_one(
			s, parts[i].base, parts[i].keys, parts[i].what, key, pair, f);
	}
	for (size_t i = 0; (1u << s->ev.class & NETS) && i < scene_net_keys.n; i++)
		if (str_eqz(key, scene_net_keys.p[i].name))
			return scene_apply_one(s, s, &scene_net_keys, "event", key, pair, f);
	return scene_apply_one(s, &s->ev, &event_keys, "event", key, pair, f);
}

/* `user.name` beside `user.uid`: the name belongs to the number, whatever their order is. */
static int apply_names(struct scene *s, const struct yaml_node *event, struct fault *f)
{
	const struct yaml_node *user = yaml_get(event, "user.name");
	const struct yaml_node *login = yaml_get(event, "user.loginname");
	const struct yaml_node *group = yaml_get(event, "group.name");

	if (user && add_name(s->users, &s->users_n, s->ev.uid, user, f))
		return -1;
	if (login && add_name(s->users, &s->users_n, s->process[0].loginuid, login, f))
		return -1;
	return group ? add_name(s->groups, &s->groups_n, s->ev.gid, group, f) : 0;
}

/* ---- the whole ---- */

static void set_defaults(struct scene *s)
{
	struct event *ev = &s->ev;

	ev->ts_ns = SCENE_TS;
	ev->boot_ns = UPTIME;
	ev->seq = 1;
	ev->tid = 1000;
	ev->exec_id = 1;
	s->users[s->users_n++] = (struct scene_name){ 0, STR("root") };
	s->groups[s->groups_n++] = (struct scene_name){ 0, STR("root") };
	if (ev->class == EVENT_OPEN)
		ev->open.dirfd = AT_FDCWD;
}

static void finish_open(struct scene *s)
{
	struct event *ev = &s->ev;
	bool creat = strcmp(event_type_name(ev), "creat") == 0;

	if (!s->has_flags && creat)
		ev->open.flags = O_CREAT | O_WRONLY | O_TRUNC;
	if (!s->has_mode)
		ev->open.file_mode = ev->open.flags & O_DIRECTORY ? S_IFDIR | 0755 : S_IFREG | 0644;
	if (!s->has_res)
		ev->ret = 3;
	if (!ev->open.user.len)
		ev->open.user = ev->open.path;
	if (ev->ret >= 0)
		return;
	/* What could not be opened is known by the caller's word alone. */
	ev->open.path = (struct event_span){ 0 };
	ev->open.file_mode = 0;
}

static void finish_exec(struct scene *s)
{
	const struct process *p = &s->process[0];
	struct event_exec *x = &s->ev.exec;

	x->parent = p->parent_key;
	x->ppid = p->ppid;
	x->vpid = p->vpid;
	x->sid = p->sid;
	x->pgid = p->pgid;
	x->vpgid = p->vpgid;
	x->loginuid = p->loginuid;
	x->tty = p->tty;
	x->cap_effective = p->cap_effective;
	x->cap_permitted = p->cap_permitted;
	x->cap_inheritable = p->cap_inheritable;
	x->exe_ino = p->exe_ino;
	x->exe_ctime_ns = p->exe_ctime_ns;
	x->exe_mtime_ns = p->exe_mtime_ns;
	x->exe_upper = p->exe_upper;
	x->exe_memfd = p->exe_memfd;
	x->exe = scene_span(s, p->exe);
	x->args = scene_span(s, p->args);
	x->cwd = scene_span(s, p->cwd);
	x->args_total = x->args.len;
	if (!x->file.len)
		x->file = x->exe;
}

static int finish(struct scene *s, const struct yaml_node *event, struct fault *f)
{
	struct event *ev = &s->ev;

	scene_finish_container(s);
	if (scene_finish_processes(s, f))
		return -1;
	memcpy(ev->comm, s->process[0].comm, sizeof(ev->comm));
	ev->key = s->process[0].key;
	if (ev->class == EVENT_OPEN)
		finish_open(s);
	else if (ev->class == EVENT_EXEC)
		finish_exec(s);
	else if (1u << ev->class & NETS)
		scene_net_finish(s);
	if (s->data.full)
		return fault_set(f, event, "more than %u bytes of text", SCENE_MAX_DATA);
	ev->data = s->data.p;
	ev->data_len = (uint32_t)s->data.n;
	return 0;
}

int scene_build(struct scene *s, const struct yaml_node *event, struct fault *f)
{
	*s = (struct scene){ .arena = arena_new(0), .data = BUF_INIT(SCENE_MAX_DATA) };
	if (event->kind != YAML_MAP)
		return fault_set(f, event, "event must be a map");
	if (set_type(s, event, f))
		return -1;
	if (s->missing_type)
		return 0;
	set_defaults(s);
	s->process_n = 1;
	s->process[0].loginuid = UINT32_MAX;
	s->container.state = CONTAINER_KNOWN;
	for (size_t i = 0; i < event->n; i++)
		if (apply_event_key(s, &event->pairs[i], f))
			return -1;
	return apply_names(s, event, f) || finish(s, event, f) ? -1 : 0;
}

void scene_fini(struct scene *s)
{
	buf_fini(&s->data);
	arena_free(s->arena);
}

struct judge_input scene_input(const struct scene *s)
{
	return (struct judge_input){ .ev = &s->ev,
		.process = &s->process[0],
		.container = s->in_container ? &s->container : NULL };
}

static enum judge_name find_name(
	const struct scene_name *names, size_t n, uint32_t id, struct str *out)
{
	for (size_t i = 0; i < n; i++) {
		if (names[i].id == id) {
			*out = names[i].name;
			return JUDGE_NAME_FOUND;
		}
	}
	return JUDGE_NAME_MISSING;
}

static enum judge_name user_name(
	void *ctx, const struct container *c, uint32_t uid, struct str *out)
{
	const struct scene *s = ctx;

	(void)c;
	return find_name(s->users, s->users_n, uid, out);
}

static enum judge_name group_name(
	void *ctx, const struct container *c, uint32_t gid, struct str *out)
{
	const struct scene *s = ctx;

	(void)c;
	return find_name(s->groups, s->groups_n, gid, out);
}

struct judge_names scene_names(struct scene *s)
{
	return (struct judge_names){ .ctx = s, .user_name = user_name, .group_name = group_name };
}
