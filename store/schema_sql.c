#include "store/schema.h"

/* UTC nanoseconds as ISO-8601 text, for people who open the file with sqlite3. */
#define ISO(col)                                                                                   \
	"(strftime('%Y-%m-%dT%H:%M:%S', " col " / 1000000000, 'unixepoch')"                        \
	" || printf('.%09dZ', " col " % 1000000000))"

/*
 * Boots are numbered per file: a process's or an event's key carries a small number instead of 36
 * characters.
 */
#define COMMON_TABLES                                                                                                            \
	"CREATE TABLE meta ("                                                                                                    \
	"  key TEXT NOT NULL PRIMARY KEY,"                                                                                       \
	"  value ANY"                                                                                                            \
	") STRICT, WITHOUT ROWID;"                                                                                               \
	"CREATE TABLE boots ("                                                                                                   \
	"  boot INTEGER PRIMARY KEY,"                                                                                            \
	"  boot_id TEXT NOT NULL UNIQUE,"                                                                                        \
	"  hostname TEXT NOT NULL,"                                                                                              \
	"  first_seen_ns INTEGER NOT NULL"                                                                                       \
	") STRICT;"                                                                                                              \
	"CREATE TABLE events ("                                                                                                  \
	"  n INTEGER PRIMARY KEY,"                                                                                               \
	"  id TEXT NOT NULL,"                                                                                                    \
	"  ts_ns INTEGER NOT NULL,"                                                                                              \
	"  ts TEXT NOT NULL GENERATED ALWAYS AS " ISO(                                                                           \
		"ts_ns") " VIRTUAL,"                                                                                             \
			 "  boot INTEGER NOT NULL REFERENCES boots(boot),"                                                       \
			 "  boot_ns INTEGER NOT NULL,"                                                                           \
			 "  cpu INTEGER NOT NULL,"                                                                               \
			 "  seq INTEGER NOT NULL,"                                                                               \
			 "  class TEXT NOT NULL,"                                                                                \
			 "  type TEXT NOT NULL,"                                                                                 \
			 "  flags INTEGER NOT NULL,"                                                                             \
			 "  pid INTEGER NOT NULL,"                                                                               \
			 "  start_ns INTEGER NOT NULL,"                                                                          \
			 "  exec_id INTEGER NOT NULL,"                                                                           \
			 "  tid INTEGER NOT NULL,"                                                                               \
			 "  uid INTEGER NOT NULL,"                                                                               \
			 "  gid INTEGER NOT NULL,"                                                                               \
			 "  nr INTEGER NOT NULL,"                                                                                \
			 "  ret INTEGER NOT NULL,"                                                                               \
			 "  comm TEXT NOT NULL,"                                                                                 \
			 "  name TEXT NOT NULL,"                                                                                 \
			 "  args TEXT NOT NULL,"                                                                                 \
			 "  container_id TEXT NOT NULL,"                                                                         \
			 "  why TEXT NOT NULL,"                                                                                  \
			 "  packed BLOB NOT NULL"                                                                                \
			 ") STRICT;" /* One event is one (boot, cpu, seq); unlike its id these grow, so the index stays warm. */ \
			 "CREATE UNIQUE INDEX events_key ON events(boot, cpu, seq);"                                             \
			 "CREATE INDEX events_time ON events(ts_ns, cpu, seq);"                                                  \
			 "CREATE VIEW v1_events AS SELECT e.id, e.ts AS time, e.ts_ns, b.boot_id, b.hostname,"                   \
			 "  e.cpu, e.seq, e.class, e.type, e.flags, e.pid, e.start_ns, e.exec_id, e.tid, e.uid,"                 \
			 "  e.gid, e.nr, e.ret, e.comm, e.name, e.args, e.container_id, e.why"                                   \
			 "  FROM events e JOIN boots b ON b.boot = e.boot;"

#define ALERT_TABLES                                                                                     \
	"CREATE TABLE marks ("                                                                           \
	"  boot INTEGER PRIMARY KEY REFERENCES boots(boot),"                                             \
	"  ring_id INTEGER NOT NULL,"                                                                    \
	"  pos0 INTEGER NOT NULL,"                                                                       \
	"  pos1 INTEGER NOT NULL"                                                                        \
	") STRICT;" /* AUTOINCREMENT: printers and outboxes remember n, it must never be given twice. */ \
	"CREATE TABLE alerts ("                                                                          \
	"  n INTEGER PRIMARY KEY AUTOINCREMENT,"                                                         \
	"  id TEXT NOT NULL UNIQUE,"                                                                     \
	"  ts_ns INTEGER NOT NULL,"                                                                      \
	"  ts TEXT NOT NULL GENERATED ALWAYS AS " ISO(                                                   \
		"ts_ns") " VIRTUAL,"                                                                     \
			 "  priority INTEGER NOT NULL,"                                                  \
			 "  severity TEXT NOT NULL,"                                                     \
			 "  source TEXT NOT NULL,"                                                       \
			 "  hostname TEXT NOT NULL,"                                                     \
			 "  rule TEXT NOT NULL,"                                                         \
			 "  output TEXT NOT NULL,"                                                       \
			 "  tags TEXT NOT NULL,"                                                         \
			 "  output_fields TEXT NOT NULL,"                                                \
			 "  event_id TEXT,"                                                              \
			 "  boot INTEGER NOT NULL REFERENCES boots(boot),"                               \
			 "  event_cpu INTEGER,"                                                          \
			 "  event_seq INTEGER,"                                                          \
			 "  pid INTEGER,"                                                                \
			 "  start_ns INTEGER,"                                                           \
			 "  exec_id INTEGER,"                                                            \
			 "  container_id TEXT NOT NULL"                                                  \
			 ") STRICT;"                                                                     \
			 "CREATE INDEX alerts_time ON alerts(ts_ns);"                                    \
			 "CREATE INDEX alerts_process ON alerts(boot, pid, start_ns, exec_id);"          \
			 "CREATE INDEX alerts_container ON alerts(container_id) WHERE container_id <> '';"

#define PROCESS_ROWS                                                                                                \
	"CREATE TABLE processes ("                                                                                  \
	"  n INTEGER PRIMARY KEY,"                                                                                  \
	"  boot INTEGER NOT NULL REFERENCES boots(boot),"                                                           \
	"  pid INTEGER NOT NULL,"                                                                                   \
	"  start_ns INTEGER NOT NULL,"                                                                              \
	"  exec_id INTEGER NOT NULL,"                                                                               \
	"  parent_pid INTEGER NOT NULL,"                                                                            \
	"  parent_start_ns INTEGER NOT NULL,"                                                                       \
	"  parent_exec_id INTEGER NOT NULL,"                                                                        \
	"  ppid INTEGER NOT NULL, vpid INTEGER NOT NULL, sid INTEGER NOT NULL,"                                     \
	"  pgid INTEGER NOT NULL, vpgid INTEGER NOT NULL,"                                                          \
	"  exec_ts_ns INTEGER NOT NULL,"                                                                            \
	"  exec_ts TEXT NOT NULL GENERATED ALWAYS AS " ISO(                                                         \
		"exec_ts_ns") " VIRTUAL,"                                                                           \
			      "  exit_ts_ns INTEGER,"                                                               \
			      "  exit_code INTEGER,"                                                                \
			      "  comm TEXT NOT NULL, exe TEXT NOT NULL, cmdline TEXT NOT NULL,"                     \
			      "  args TEXT NOT NULL,"                                                               \
			      "  cwd TEXT NOT NULL, cgroup TEXT NOT NULL,"                                          \
			      "  tty INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL,"                 \
			      "  euid INTEGER NOT NULL, loginuid INTEGER, sessionid INTEGER,"                       \
			      "  cap_effective INTEGER NOT NULL, cap_permitted INTEGER NOT NULL,"                   \
			      "  cap_inheritable INTEGER NOT NULL,"                                                 \
			      "  ns_pid INTEGER NOT NULL, ns_mnt INTEGER NOT NULL, ns_net INTEGER NOT NULL,"        \
			      "  ns_user INTEGER NOT NULL, ns_cgroup INTEGER NOT NULL, ns_uts INTEGER NOT NULL,"    \
			      "  ns_ipc INTEGER NOT NULL,"                                                          \
			      "  cgroup_id INTEGER NOT NULL,"                                                       \
			      "  exe_mode INTEGER NOT NULL, exe_dev INTEGER NOT NULL, exe_ino INTEGER NOT NULL,"    \
			      "  exe_ctime_ns INTEGER NOT NULL, exe_mtime_ns INTEGER NOT NULL,"                     \
			      "  exe_upper INTEGER NOT NULL, exe_memfd INTEGER NOT NULL, kthread INTEGER NOT NULL," \
			      "  truncated INTEGER NOT NULL, inherited INTEGER NOT NULL, partial INTEGER NOT NULL," \
			      "  container_id TEXT NOT NULL"                                                        \
			      ") STRICT;"                                                                           \
			      "CREATE UNIQUE INDEX processes_key ON processes(boot, pid, start_ns, exec_id);"

#define CONTAINER_ROWS                                                                             \
	"CREATE TABLE containers ("                                                                \
	"  id TEXT NOT NULL PRIMARY KEY,"                                                          \
	"  runtime TEXT NOT NULL, state TEXT NOT NULL, name TEXT NOT NULL,"                        \
	"  image TEXT NOT NULL, image_repo TEXT NOT NULL, image_tag TEXT NOT NULL,"                \
	"  image_digest TEXT NOT NULL, image_id TEXT NOT NULL,"                                    \
	"  user TEXT NOT NULL, k8s_pod TEXT NOT NULL, k8s_ns TEXT NOT NULL,"                       \
	"  privileged INTEGER, host_pid INTEGER, host_network INTEGER, host_ipc INTEGER,"          \
	"  init_pid INTEGER NOT NULL,"                                                             \
	"  mounts TEXT NOT NULL, labels TEXT NOT NULL,"                                            \
	"  created_ns INTEGER NOT NULL,"                                                           \
	"  first_seen_ns INTEGER NOT NULL, last_seen_ns INTEGER NOT NULL"                          \
	") STRICT;"

/*
 * Losses are summed per place, class, CPU and ten seconds: a flood that lasts for days must not
 * fill the disk with its own account.
 */
#define ACCOUNT_TABLES                                                                              \
	"CREATE TABLE losses ("                                                                     \
	"  n INTEGER PRIMARY KEY,"                                                                  \
	"  slot INTEGER NOT NULL,"                                                                  \
	"  ts_ns INTEGER NOT NULL,"                                                                 \
	"  ts TEXT NOT NULL GENERATED ALWAYS AS " ISO(                                              \
		"ts_ns") " VIRTUAL,"                                                                \
			 "  boot INTEGER NOT NULL REFERENCES boots(boot),"                          \
			 "  place TEXT NOT NULL,"                                                   \
			 "  class TEXT NOT NULL,"                                                   \
			 "  cpu INTEGER NOT NULL,"                                                  \
			 "  count INTEGER NOT NULL"                                                 \
			 ") STRICT;"                                                                \
			 "CREATE UNIQUE INDEX losses_key ON losses(slot, boot, place, class, cpu);" \
			 "CREATE TABLE sources ("                                                   \
			 "  n INTEGER PRIMARY KEY,"                                                 \
			 "  ts_ns INTEGER NOT NULL,"                                                \
			 "  ts TEXT NOT NULL GENERATED ALWAYS AS " ISO(                             \
				 "ts_ns") " VIRTUAL,"                                               \
					  "  boot INTEGER NOT NULL REFERENCES boots(boot),"         \
					  "  source TEXT NOT NULL,"                                 \
					  "  alive INTEGER NOT NULL,"                               \
					  "  detail TEXT NOT NULL"                                  \
					  ") STRICT;"

#define MAIN_VIEWS                                                                                  \
	"CREATE VIEW v1_alerts AS SELECT a.n, a.id, a.ts AS time, a.ts_ns, a.rule,"                 \
	"  CASE a.priority WHEN 0 THEN 'Emergency' WHEN 1 THEN 'Alert' WHEN 2 THEN 'Critical'"      \
	"  WHEN 3 THEN 'Error' WHEN 4 THEN 'Warning' WHEN 5 THEN 'Notice'"                          \
	"  WHEN 6 THEN 'Informational' ELSE 'Debug' END AS priority,"                               \
	"  a.severity, a.source, a.hostname, a.output, a.tags, a.output_fields, a.event_id,"        \
	"  b.boot_id, a.pid, a.start_ns, a.exec_id, a.container_id,"                                \
	"  c.name AS container_name, c.image AS container_image"                                    \
	"  FROM alerts a JOIN boots b ON b.boot = a.boot"                                           \
	"  LEFT JOIN containers c ON c.id = a.container_id;"                                        \
	"CREATE VIEW v1_processes AS SELECT b.boot_id, p.pid, p.start_ns, p.exec_id, p.parent_pid," \
	"  p.parent_start_ns, p.parent_exec_id, p.ppid, p.vpid, p.sid, p.pgid,"                     \
	"  p.exec_ts AS exec_time, p.exec_ts_ns, p.exit_ts_ns, p.exit_code, p.comm, p.exe,"         \
	"  p.cmdline, p.args, p.cwd, p.cgroup, p.tty, p.uid, p.gid, p.euid, p.loginuid,"            \
	"  p.sessionid, p.cap_effective, p.cap_permitted, p.cap_inheritable, p.ns_pid, p.ns_mnt,"   \
	"  p.ns_net, p.ns_user, p.ns_cgroup, p.ns_uts, p.ns_ipc, p.exe_upper, p.exe_memfd,"         \
	"  p.kthread, p.truncated, p.inherited, p.partial, p.container_id"                          \
	"  FROM processes p JOIN boots b ON b.boot = p.boot;"                                       \
	"CREATE VIEW v1_containers AS SELECT id, runtime, state, name, image, image_repo,"          \
	"  image_tag, image_digest, image_id, user, k8s_pod, k8s_ns, privileged, host_pid,"         \
	"  host_network, host_ipc, init_pid, mounts, labels, created_ns, first_seen_ns,"            \
	"  last_seen_ns FROM containers;"                                                           \
	"CREATE VIEW v1_losses AS SELECT l.ts AS time, l.ts_ns, b.boot_id, l.place, l.class,"       \
	"  CASE WHEN l.cpu < 0 THEN NULL ELSE l.cpu END AS cpu, l.count"                            \
	"  FROM losses l JOIN boots b ON b.boot = l.boot;"                                          \
	"CREATE VIEW v1_sources AS SELECT s.ts AS time, s.ts_ns, b.boot_id, s.source, s.alive,"     \
	"  s.detail FROM sources s JOIN boots b ON b.boot = s.boot;"

/*
 * synchronous=NORMAL: a commit survives the death of this process, and a power cut loses at most
 * the newest of it, never the file's integrity. No automatic checkpoint: it would run inside a
 * commit that an alert waits for (store/janitor.h).
 */
#define WRITER_PRAGMAS                                                                             \
	"PRAGMA synchronous = NORMAL;"                                                             \
	"PRAGMA wal_autocheckpoint = 0;"                                                           \
	"PRAGMA journal_size_limit = 67108864;"                                                    \
	"PRAGMA temp_store = MEMORY;"                                                              \
	"PRAGMA foreign_keys = OFF;" /* one writer, which numbers boots itself */

const struct schema schema_main = {
	.what = "database",
	.application_id = 0x48576462, /* HWdb */
	.version = 1,
	.create = "PRAGMA application_id = 0x48576462;"
		  "PRAGMA user_version = 1;" COMMON_TABLES ALERT_TABLES PROCESS_ROWS CONTAINER_ROWS
			  ACCOUNT_TABLES MAIN_VIEWS,
	.pragmas = WRITER_PRAGMAS "PRAGMA cache_size = -16384;",
	.durable = true,
	.check_bytes = 32 << 20,
};

const struct schema schema_segment = {
	.what = "event segment",
	.application_id = 0x48576576, /* HWev */
	.version = 1,
	.create = "PRAGMA application_id = 0x48576576;"
		  "PRAGMA user_version = 1;" COMMON_TABLES,
	.pragmas = WRITER_PRAGMAS "PRAGMA cache_size = -8192;",
	/* Made in the middle of a storm: a sync would hold up alerts, and raw events may be lost. */
	.durable = false,
	.check_bytes = 0,
};
