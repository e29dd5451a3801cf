#include "config/keys.h"

#define AT(member) offsetof(struct config, member)

static const char *const match_words[] = { "all", "first", NULL };
static const char *const log_words[] = { "error", "warn", "info", "debug", NULL };
static const char *const pin_words[] = { "auto", "off", NULL };
static const char *const events_words[] = { "matched", "lineage", "all", NULL };
/* In the order of enum priority. */
static const char *const priority_words[] = { "emergency", "alert", "critical", "error", "warning",
	"notice", "informational", "debug", NULL };

/* Keys of one section stand together: config_show() prints in this order. */
const struct config_key config_keys[] = {
	{ "state_dir", CONFIG_PATH, AT(state_dir), CONFIG_STATE_DIR, 0, 0, NULL,
		"where the database and the event segments are" },
	{ "runtime_dir", CONFIG_PATH, AT(runtime_dir), NULL, 0, 0, NULL,
		"where the control socket is; /run/hullwatch with the default state_dir, else "
		"state_dir/run" },
	{ "rules_files", CONFIG_PATHS, AT(rules_files),
		HW_DATA_DIR "/rules\n" HW_CONFIG_DIR "/rules.d", 0, CONFIG_MAX_ITEMS, NULL,
		"rule files and folders of them, loaded in order as one set" },
	{ "watch_config_files", CONFIG_BOOL, AT(watch_config_files), "true", 0, 0, NULL,
		"reload when files of rules or configuration change" },
	{ "rule_matching", CONFIG_WORD, AT(rule_matching), "all", 0, 0, match_words,
		"all: every rule that matches gives an alert; first: the first one does" },
	{ "priority", CONFIG_WORD, AT(priority), "debug", 0, 0, priority_words,
		"rules less severe than this are left out" },
	{ "json_output", CONFIG_BOOL, AT(json_output), "false", 0, 0, NULL,
		"print alerts as JSON objects unless --output says otherwise" },
	{ "log.level", CONFIG_WORD, AT(log_level), "info", 0, 0, log_words,
		"what is written to standard error" },
	{ "collector.pin", CONFIG_WORD, AT(collector.pin), "auto", 0, 0, pin_words,
		"auto: programs and rings are pinned where that is possible and outlive a kill; off: never" },
	{ "collector.bpffs", CONFIG_PATH, AT(collector.bpffs), "/sys/fs/bpf", 0, 0, NULL,
		"the BPF file system to pin in" },
	{ "collector.ring_mib", CONFIG_POWER, AT(collector.ring_mib), "16", 1, 1024, NULL,
		"size of the main ring in MiB" },
	{ "collector.priority_ring_mib", CONFIG_POWER, AT(collector.priority_ring_mib), "4", 1, 256,
		NULL, "size of the ring for exec, fork, exit and cgroup events in MiB" },
	{ "collector.account_cgroups", CONFIG_PATHS, AT(collector.account_cgroups), "", 0,
		CONFIG_MAX_CGROUPS, NULL, "cgroup folders whose events are counted apart" },
	{ "collector.processes_max", CONFIG_COUNT, AT(collector.processes_max), "65536", 1024,
		4194304, NULL, "executions kept in memory" },
	{ "collector.park_ms", CONFIG_COUNT, AT(collector.park_ms), "500", 0, 10000, NULL,
		"longest wait for a container's metadata in ms" },
	{ "store.events", CONFIG_WORD, AT(store.events), "matched", 0, 0, events_words,
		"which raw events are kept: those of alerts and what came before them, those of the "
		"same lineage too, or all" },
	{ "store.before_s", CONFIG_COUNT, AT(store.before_s), "10", 0, 600, NULL,
		"how far back the events before an alert go, in seconds" },
	{ "store.before_mib", CONFIG_COUNT, AT(store.before_mib), "16", 1, 1024, NULL,
		"memory for them in MiB" },
	{ "store.segment_mib", CONFIG_COUNT, AT(store.segment_mib), "64", 1, 4096, NULL,
		"a new event segment is begun at this size in MiB" },
	{ "store.segment_age", CONFIG_DURATION, AT(store.segment_age_ns), "1h", 60, 31536000, NULL,
		"or at this age" },
	{ "store.max_mib", CONFIG_COUNT, AT(store.max_mib), "2048", 16, 1048576, NULL,
		"the oldest segments are removed past this size in MiB" },
	{ "containers.podman_roots", CONFIG_PATHS, AT(containers.podman_roots), "", 0,
		CONFIG_MAX_ITEMS, NULL,
		"further storage of podman, as in --root, or --root:--runroot" },
};
const size_t config_keys_n = ARRAY_N(config_keys);

bool config_key_at(size_t i, struct config_key_info *out)
{
	if (i >= config_keys_n)
		return false;
	const struct config_key *k = &config_keys[i];
	*out = (struct config_key_info){ k->name, k->help, k->fallback };
	return true;
}
