/*
 * The configuration: hullwatch.yaml and the files of conf.d beside it, later files over earlier ones,
 * checked key by key against one table. Immutable once loaded; a reload loads another.
 */
#ifndef HW_CONFIG_CONFIG_H
#define HW_CONFIG_CONFIG_H

#include "base/alert.h"
#include "base/arena.h"
#include "base/err.h"

#ifndef HW_DATA_DIR
#define HW_DATA_DIR "/usr/share/hullwatch"
#endif
#ifndef HW_CONFIG_DIR
#define HW_CONFIG_DIR "/etc/hullwatch"
#endif
#define CONFIG_STATE_DIR   "/var/lib/hullwatch"
#define CONFIG_RUNTIME_DIR "/run/hullwatch"

/* The largest file, the most files in conf.d, items of one list, and problems that are told. */
#define CONFIG_MAX_FILE_BYTES (1u << 20)
#define CONFIG_MAX_FILES      256
#define CONFIG_MAX_ITEMS      256
#define CONFIG_MAX_PROBLEMS   100
#define CONFIG_MAX_CGROUPS    16

enum config_match { CONFIG_MATCH_ALL, CONFIG_MATCH_FIRST };
enum config_log { CONFIG_LOG_ERROR, CONFIG_LOG_WARN, CONFIG_LOG_INFO, CONFIG_LOG_DEBUG };
enum config_pin { CONFIG_PIN_AUTO, CONFIG_PIN_OFF };
enum config_events { CONFIG_EVENTS_MATCHED, CONFIG_EVENTS_LINEAGE, CONFIG_EVENTS_ALL };

struct config_list {
	const char *const *p;
	size_t n;
};

struct config_origin;

/* Plain data, owned by its arena. Paths are absolute. Strings are never NULL. */
struct config {
	const char *state_dir;
	const char *runtime_dir;
	struct config_list rules_files; /* files and folders, in order */
	bool watch_config_files;        /* reload when they or the configuration change */
	enum config_match rule_matching;
	enum priority priority; /* rules less severe than this are not loaded */
	bool json_output;
	enum config_log log_level;
	struct {
		enum config_pin pin;
		const char *bpffs;
		uint64_t ring_mib, priority_ring_mib;
		struct config_list account_cgroups;
		uint64_t processes_max;
		uint64_t park_ms;
	} collector;
	struct {
		enum config_events events;
		uint64_t before_s, before_mib;
		uint64_t segment_mib, segment_age_ns, max_mib;
	} store;
	struct {
		struct config_list podman_roots;
	} containers;

	struct config_list files;      /* what was read, in order */
	struct config_origin *origins; /* where each key's value comes from; see config_show() */
	struct arena *arena;
};

struct config_source {
	const char *file; /* given by the user: has to exist. NULL: default_file, may be missing */
	const char *default_file; /* NULL: HW_CONFIG_DIR/hullwatch.yaml */
	const char *state_dir;    /* given on the command line: overrides the files. NULL: not */
};

/*
 * Load and check everything. Each problem is appended to `problems` as one line ending in a newline
 * (file:line:col: key: what is wrong; what would be right), at most CONFIG_MAX_PROBLEMS of them.
 * Returns 0 and *out, to be freed with config_free(); -1 and *e (ERR_CONFIG) when there is any.
 */
int config_load(struct config **out, const struct config_source *source, struct buf *problems,
	struct err *e);
void config_free(struct config *c); /* NULL is fine */
DEFINE_AUTO(struct config, config_free)

/* True while no file and no option has set this key (its dotted name, which must exist). */
bool config_is_default(const struct config *c, const char *key);

/*
 * The effective configuration as YAML that config_load() takes again; appended. With `origin`
 * each line ends in a comment that says where the value comes from.
 */
void config_show(struct buf *b, const struct config *c, bool origin);

/*
 * Call fn with the name of each key whose value differs, until it returns false. For a reload, to tell
 * what is not in force before the next start.
 */
void config_changes(const struct config *a, const struct config *b,
	bool (*fn)(void *ctx, const char *key), void *ctx);

/* The next key of the table, for documentation and its tests; i from 0, false behind the last. */
struct config_key_info {
	const char *name, *help, *fallback;
};
bool config_key_at(size_t i, struct config_key_info *out);

#endif
