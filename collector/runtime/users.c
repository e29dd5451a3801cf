#include "collector/runtime/users.h"

#include "base/opener.h"
#include "base/text.h"
#include "base/vec.h"
#include "collector/runtime/stamp.h"

#define USERS_MAX_NAME 256

struct entry {
	uint32_t id;
	uint32_t line; /* among equal ids the first in the file counts */
	struct str name;
};

struct table {
	const char *path;
	struct stamp stamp;
	struct buf text; /* what the entries' names point into */
	VEC(struct entry) entries;
	uint64_t skipped_n;
};

struct users {
	char *root;
	struct table passwd, group;
};

static bool read_id(struct str s, uint32_t *id)
{
	uint64_t v;
	/* str_to_u64() takes hex as well, passwd does not. */
	if (!s.n || memchr(s.p, 'x', s.n) || memchr(s.p, 'X', s.n))
		return false;
	/* The largest number means "none" to the kernel. */
	if (!str_to_u64(s, &v) || v >= UINT32_MAX)
		return false;
	*id = (uint32_t)v;
	return true;
}

/* NAME:PASSWORD:NUMBER:... is the beginning of both formats. */
static bool read_line(struct str line, struct entry *out)
{
	struct str name = str_cut(&line, ':');
	str_cut(&line, ':');
	struct str id = str_cut(&line, ':');
	if (!line.p || !name.n || name.n > USERS_MAX_NAME || !text_is_clean(name))
		return false;
	/* Entries of NIS: not names. */
	if (name.p[0] == '+' || name.p[0] == '-')
		return false;
	out->name = name;
	return read_id(id, &out->id);
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->line > y->line) - (x->line < y->line);
}

static void read_lines(struct table *t)
{
	struct str rest = buf_str(&t->text);
	while (rest.n) {
		struct str line = str_cut(&rest, '\n');
		if (!str_trim(line).n || line.p[0] == '#')
			continue;
		struct entry en = { .line = (uint32_t)t->entries.n };
		if (t->entries.n < USERS_MAX_ENTRIES && read_line(line, &en))
			vec_push(&t->entries, en);
		else
			t->skipped_n++;
	}
	if (t->entries.n)
		qsort(t->entries.p, t->entries.n, sizeof(*t->entries.p), compare_entries);
}

static int load_table(struct table *t, const char *root, const char *path, struct err *e)
{
	t->path = path;
	t->text.max = USERS_MAX_BYTES;
	if (stamp_take(&t->stamp, root, path, e))
		return -1;
	if (!t->stamp.there)
		return 0;
	if (opener_read(root, path, &t->text, e))
		return -1;
	read_lines(t);
	return 0;
}

static struct str find_name(const struct table *t, uint32_t id)
{
	size_t lo = 0, hi = t->entries.n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (t->entries.p[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	bool hit = lo < t->entries.n && t->entries.p[lo].id == id;
	return hit ? t->entries.p[lo].name : (struct str){ 0 };
}

static bool table_stale(const struct table *t, const char *root)
{
	struct stamp now;
	if (stamp_take(&now, root, t->path, NULL))
		return true;
	return !stamp_equal(&t->stamp, &now);
}

static void table_fini(struct table *t)
{
	vec_fini(&t->entries);
	buf_fini(&t->text);
}

int users_load(struct users **out, const char *root, struct err *e)
{
	AUTO(users_free) struct users *u = xcalloc(1, sizeof(*u));
	const char *dir = root && *root ? root : "/";
	u->root = xstrndup(dir, strlen(dir));
	if (load_table(&u->passwd, u->root, "/etc/passwd", e))
		return err_wrap(e, "users");
	if (load_table(&u->group, u->root, "/etc/group", e))
		return err_wrap(e, "groups");
	*out = TAKE(u);
	return 0;
}

void users_free(struct users *u)
{
	if (!u)
		return;
	table_fini(&u->passwd);
	table_fini(&u->group);
	free(u->root);
	free(u);
}

bool users_stale(const struct users *u)
{
	return table_stale(&u->passwd, u->root) || table_stale(&u->group, u->root);
}

struct str users_name(const struct users *u, uint32_t uid)
{
	return find_name(&u->passwd, uid);
}

struct str users_group(const struct users *u, uint32_t gid)
{
	return find_name(&u->group, gid);
}

uint64_t users_skipped_n(const struct users *u)
{
	return u->passwd.skipped_n + u->group.skipped_n;
}
