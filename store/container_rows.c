#include "store/container_rows.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"

#include <stdlib.h>

#define CONTAINER_MAX_TEXT (1u << 18) /* one column, escaped */
#define LAST_SEEN_STEP_NS  60000000000ull
#define KNOWN_N            256 /* power of two */

struct known {
	char id[CONTAINER_ID_LEN + 1];
	enum container_state state;
	uint32_t init_pid;
	uint64_t seen_ns;
};

/* In the order of their parameters, from ?4. */
enum text_column {
	TEXT_NAME,
	TEXT_IMAGE,
	TEXT_REPO,
	TEXT_TAG,
	TEXT_DIGEST,
	TEXT_IMAGE_ID,
	TEXT_USER,
	TEXT_POD,
	TEXT_NS,
	TEXT_MOUNTS,
	TEXT_LABELS,
	TEXT_N
};

struct container_rows {
	struct sql_stmt *put;
	struct buf text[TEXT_N];
	struct known known[KNOWN_N]; /* direct-mapped */
};

/* A container that is only pending must not blank what an earlier look found. */
#define BETTER(col)                                                                                \
	col " = CASE WHEN excluded.state = 'known' OR state <> 'known' THEN excluded." col         \
	    " ELSE " col " END"

static const char put_sql[] = "INSERT INTO containers (id, runtime, state, name, image, image_repo, image_tag,"
			      " image_digest, image_id, user, k8s_pod, k8s_ns, mounts, labels, privileged, host_pid,"
			      " host_network, host_ipc, init_pid, created_ns, first_seen_ns, last_seen_ns)"
			      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
			      " ?19, ?20, ?21, ?21)"
			      " ON CONFLICT (id) DO UPDATE SET"
			      " runtime = CASE WHEN excluded.runtime <> 'unknown' THEN excluded.runtime ELSE runtime END," BETTER("name") "," BETTER("image") "," BETTER(
				      "image_repo") "," BETTER("image_tag") "," BETTER("image_digest") "," BETTER("image_id") "," BETTER("user") "," BETTER("k8s_pod") "," BETTER("k8s_ns") "," BETTER("mounts") "," BETTER("labels") "," BETTER("privileged") "," BETTER("host_pid") "," BETTER("host_network") "," BETTER("host_ipc") "," BETTER("init_pid") "," BETTER("created_ns") "," BETTER("state") ","
																																																	    " first_seen_ns = min(first_seen_ns, excluded.first_seen_ns),"
																																																	    " last_seen_ns = max(last_seen_ns, excluded.last_seen_ns)";

int container_rows_open(struct container_rows **out, struct sql *db, struct err *e)
{
	AUTO(container_rows_close) struct container_rows *t = xcalloc(1, sizeof(*t));
	for (size_t i = 0; i < TEXT_N; i++)
		t->text[i].max = CONTAINER_MAX_TEXT;
	if (sql_prepare(&t->put, db, put_sql, e))
		return -1;
	*out = TAKE(t);
	return 0;
}

void container_rows_close(struct container_rows *t)
{
	if (!t)
		return;
	sql_finalize(t->put);
	for (size_t i = 0; i < TEXT_N; i++)
		buf_fini(&t->text[i]);
	free(t);
}

void container_rows_forget(struct container_rows *t)
{
	memset(t->known, 0, sizeof(t->known));
}

static void put_mounts(struct buf *b, const struct container *c)
{
	struct jw w = jw_on(b);
	jw_arr(&w);
	for (uint32_t i = 0; i < c->mounts_n; i++) {
		const struct container_mount *m = &c->mounts[i];
		jw_obj(&w);
		jw_kv_str(&w, "source", m->source);
		jw_kv_str(&w, "dest", m->dest);
		jw_kv_str(&w, "mode", m->mode);
		jw_kv_str(&w, "options", m->options);
		jw_kv_bool(&w, "rw", m->rw);
		jw_end_obj(&w);
	}
	jw_end_arr(&w);
}

static void put_labels(struct buf *b, const struct container *c)
{
	struct jw w = jw_on(b);
	jw_obj(&w);
	for (uint32_t i = 0; i < c->labels_n; i++) {
		jw_key_str(&w, c->labels[i].key);
		jw_str(&w, c->labels[i].value);
	}
	jw_end_obj(&w);
}

/* JSON that did not fit is no JSON. */
static void replace_if_cut(struct buf *b, const char *empty)
{
	if (!b->full)
		return;
	buf_reset(b);
	buf_puts(b, empty);
}

static void fill_texts(struct container_rows *t, const struct container *c)
{
	const struct str plain[] = {
		c->name,
		c->image,
		c->image_repo,
		c->image_tag,
		c->image_digest,
		c->image_id,
		c->user,
		c->k8s_pod,
		c->k8s_ns,
	};
	for (size_t i = 0; i < TEXT_N; i++)
		buf_reset(&t->text[i]);
	for (size_t i = 0; i < ARRAY_N(plain); i++)
		text_clean(&t->text[i], plain[i]);
	put_mounts(&t->text[TEXT_MOUNTS], c);
	replace_if_cut(&t->text[TEXT_MOUNTS], "[]");
	put_labels(&t->text[TEXT_LABELS], c);
	replace_if_cut(&t->text[TEXT_LABELS], "{}");
}

static const char *state_name(enum container_state s)
{
	switch (s) {
	case CONTAINER_KNOWN:
		return "known";
	case CONTAINER_PENDING:
		return "pending";
	case CONTAINER_UNKNOWN:
		break;
	}
	return "unknown";
}

/* What nobody has looked up is NULL, not "no": answers about privileges must not guess. */
static void bind_flag(struct sql_stmt *s, int at, const struct container *c, bool v)
{
	if (c->state == CONTAINER_KNOWN)
		sql_bind_i64(s, at, v);
	else
		sql_bind_null(s, at);
}

static void bind_row(struct container_rows *t, const struct container *c, uint64_t ts_ns)
{
	struct sql_stmt *s = t->put;
	fill_texts(t, c);
	sql_bind_strz(s, 1, c->id);
	sql_bind_strz(s, 2, container_runtime_name(c->runtime));
	sql_bind_strz(s, 3, state_name(c->state));
	for (int i = 0; i < TEXT_N; i++)
		sql_bind_str(s, 4 + i, buf_str(&t->text[i]));
	bind_flag(s, 15, c, c->privileged);
	bind_flag(s, 16, c, c->host_pid);
	bind_flag(s, 17, c, c->host_network);
	bind_flag(s, 18, c, c->host_ipc);
	sql_bind_i64(s, 19, c->init_pid);
	sql_bind_u64(s, 20, c->created_ns);
	sql_bind_u64(s, 21, ts_ns);
}

int container_rows_put(struct container_rows *t, const struct container *c, uint64_t ts_ns,
	bool fresh, struct err *e)
{
	size_t len = strnlen(c->id, CONTAINER_ID_LEN);
	struct known *k = &t->known[hash_quick(c->id, len, 0) & (KNOWN_N - 1)];
	bool same = strcmp(k->id, c->id) == 0 && k->state == c->state && k->init_pid == c->init_pid;
	if (same && !fresh && ts_ns < k->seen_ns + LAST_SEEN_STEP_NS)
		return 0;
	bind_row(t, c, ts_ns);
	if (sql_run(t->put, e))
		return -1;
	memcpy(k->id, c->id, sizeof(k->id));
	k->state = c->state;
	k->init_pid = c->init_pid;
	k->seen_ns = ts_ns;
	return 0;
}
