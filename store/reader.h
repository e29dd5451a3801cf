/*
 * The store's reading side, for commands, console, printer and exports: a state directory or one
 * exported .db file. Never writes, takes no lock that a writer would notice. One thread at a time
 * per reader, except store_reader_cancel().
 *
 * A query gives a cursor; a cursor gives rows whose strings are valid until its next step. Strings
 * may hold anything an attacker chose, but are clean text (text_clean) unless said otherwise.
 * A reader may have up to STORE_MAX_CURSORS cursors open; close them before the reader.
 */
#ifndef HW_STORE_READER_H
#define HW_STORE_READER_H

#include "base/alert.h"
#include "base/sink.h"

#define STORE_MAX_CURSORS 16

struct store_reader;
struct store_cursor;

/*
 * `path`: a directory with hullwatch.db (and events/), or a database file. -1 and *e: ERR_NOT_FOUND
 * (nothing there yet), ERR_SYS, ERR_FORMAT (not a database of hullwatch, damaged),
 * ERR_UNSUPPORTED (made by a newer version).
 */
int store_reader_open(struct store_reader **out, const char *path, struct err *e);
void store_reader_close(struct store_reader *r);

/*
 * The same over a database in memory, filled by the caller: for what is in no file. On success
 * the connection belongs to the reader.
 */
struct sql;
int store_reader_open_on(struct store_reader **out, struct sql *db, struct err *e);
DEFINE_AUTO(struct store_reader, store_reader_close)

/*
 * From now on steps past this CLOCK_MONOTONIC time fail with ERR_LIMIT; 0 takes the bound away.
 */
void store_reader_deadline(struct store_reader *r, uint64_t mono_ns);

/* Any thread: the running step and later ones fail with ERR_LIMIT, until the next deadline is set. */
void store_reader_cancel(struct store_reader *r);

/* Segments that could not be read (damaged, newer version): their rows are missing. */
uint32_t store_reader_skipped(const struct store_reader *r);

/* Which rows. All zero: all of them, oldest first. What a kind of row does not have is ignored. */
struct store_query {
	uint64_t since_ns, until_ns; /* UTC, since <= ts < until; until 0: open */
	bool newest_first;
	uint64_t limit;            /* 0: none */
	int64_t after_n, before_n; /* alerts: after_n < n, n < before_n (0: open). For pages */
	bool by_priority;          /* alerts: only this severe or more */
	enum priority least_priority;
	struct str rule;       /* alerts: whole name */
	struct str container;  /* whole id, at least its first 12 digits, or name; "host": none */
	struct str id;         /* alerts, events: this one */
	struct str class_name; /* events: "open", "exec", ... */
	uint32_t pid;          /* alerts, events, processes: thread group */
	struct str where;      /* alerts, events, processes: a condition (rules/where.h) */
};

struct alert_row {
	int64_t n; /* grows in the order of commit */
	struct str id;
	uint64_t ts_ns;
	enum priority priority;
	struct str severity, source, hostname, rule, output;
	struct str tags_json, fields_json;
	struct str event_id; /* p == NULL: none */
	struct str boot_id;
	struct process_key key; /* tgid 0: none */
	uint64_t exec_id;
	struct str container_id; /* empty: host */
};

struct event_row {
	struct str id;
	uint64_t ts_ns, boot_ns;
	struct str boot_id;
	uint32_t cpu;
	uint64_t seq;
	struct str class_name, type;
	uint32_t flags; /* EVENT_F_* */
	struct process_key key;
	uint64_t exec_id;
	uint32_t tid, uid, gid;
	int32_t nr;
	int64_t ret;
	struct str comm, name, args;
	struct str container_id;
	struct str why;    /* "alert", "before", "all" */
	struct str packed; /* event_unpack(); raw bytes */
};

struct process_row {
	struct str boot_id;
	struct process_key key;
	uint64_t exec_id;
	struct process_key parent;
	uint64_t parent_exec_id;
	uint32_t ppid, vpid, sid, pgid, vpgid;
	uint64_t exec_ts_ns; /* UTC */
	bool exited;
	uint64_t exit_ts_ns;
	int32_t exit_code;
	struct str comm, exe, cmdline, args_json, cwd, cgroup;
	uint32_t tty, uid, gid, euid, loginuid, sessionid;
	uint64_t cap_effective, cap_permitted, cap_inheritable;
	uint32_t ns_pid, ns_mnt, ns_net, ns_user, ns_cgroup, ns_uts, ns_ipc;
	bool exe_upper, exe_memfd, kthread, truncated, inherited, partial;
	struct str container_id;
	uint64_t alerts_n; /* of this execution; 0 in a lineage */
};

struct container_row {
	struct str id, runtime, state, name;
	struct str image, image_repo, image_tag, image_digest, image_id;
	struct str user, k8s_pod, k8s_ns, mounts_json, labels_json;
	bool privileged, host_pid, host_network, host_ipc;
	uint32_t init_pid;
	uint64_t created_ns, first_seen_ns, last_seen_ns;
	uint64_t alerts_n;
};

struct loss_row {
	uint64_t ts_ns;
	struct str where, class_name;
	uint32_t cpu; /* UINT32_MAX: not of one CPU */
	uint64_t count;
};

struct source_row {
	uint64_t ts_ns;
	struct str source, detail;
	bool alive;
};

/*
 * Start a query; close the cursor. The strings of *q are copied. -1 and *e: ERR_FORMAT (damaged),
 * ERR_CONFIG (where is wrong), ERR_LIMIT (too many cursors, deadline), ERR_SYS.
 * Alerts are in order of n; events and losses in order of time; processes by exec time; containers
 * by first_seen; sources: the latest state of each, by name. Each event comes once, though it may
 * be both in hullwatch.db and in a segment, or twice after a restart.
 */
int store_query_alerts(struct store_cursor **out, struct store_reader *r,
	const struct store_query *q, struct err *e);
int store_query_events(struct store_cursor **out, struct store_reader *r,
	const struct store_query *q, struct err *e);
int store_query_processes(struct store_cursor **out, struct store_reader *r,
	const struct store_query *q, struct err *e);
int store_query_containers(struct store_cursor **out, struct store_reader *r,
	const struct store_query *q, struct err *e);
int store_query_losses(struct store_cursor **out, struct store_reader *r,
	const struct store_query *q, struct err *e);
int store_query_sources(struct store_cursor **out, struct store_reader *r,
	const struct store_query *q, struct err *e);

/*
 * Alerts after n, oldest first, to be stepped again and again: after a 0 it goes on with what was
 * committed meanwhile. For printers and outboxes, which have it prepared once.
 */
int store_follow_alerts(
	struct store_cursor **out, struct store_reader *r, int64_t after_n, struct err *e);

/* The execution itself, then its ancestors, at most PROCESS_MAX_LINEAGE. */
int store_query_lineage(struct store_cursor **out, struct store_reader *r, struct str boot_id,
	struct process_key key, uint64_t exec_id, struct err *e);
void store_cursor_close(struct store_cursor *c);
DEFINE_AUTO(struct store_cursor, store_cursor_close)

/*
 * Step: 1 and *row, 0 at the end (or limit), -1 and *e: ERR_LIMIT past the deadline or cancelled,
 * ERR_FORMAT, ERR_SYS. The cursor must be of that kind of row.
 */
int store_next_alert(struct store_cursor *c, struct alert_row *row, struct err *e);
int store_next_event(struct store_cursor *c, struct event_row *row, struct err *e);
int store_next_process(
	struct store_cursor *c, struct process_row *row, struct err *e); /* lineage too */
int store_next_container(struct store_cursor *c, struct container_row *row, struct err *e);
int store_next_loss(struct store_cursor *c, struct loss_row *row, struct err *e);
int store_next_source(struct store_cursor *c, struct source_row *row, struct err *e);

/* How often a pattern of where was given up because it took too long: such rows were left out. */
uint64_t store_cursor_gave_up(const struct store_cursor *c);

/* Highest alerts.n that is committed; 0 when there is none. Cheap. */
int store_reader_last_alert(struct store_reader *r, int64_t *n, struct err *e);

struct store_counts {
	uint64_t alerts, events, processes, containers;
	uint64_t lost; /* sum over all loss records */
	uint64_t segments, segment_bytes, db_bytes;
	uint64_t oldest_ns, newest_ns; /* of alerts; 0: none */
};

/* For status and doctor. `events` counts those of segments too, repeats included. */
int store_reader_counts(struct store_reader *r, struct store_counts *out, struct err *e);

#endif
