/*
 * The appliance: configuration, rules, store, printer, runtimes and capture, put together in one
 * process. One thread (main) owns it and calls all of this.
 */
#ifndef HW_CMD_SERVICE_H
#define HW_CMD_SERVICE_H

#include "alerts/stdout.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "collector/syscall/capture.h"
#include "rules/judge.h"
#include "store/writer.h"

struct service;

struct service_options {
	const struct cmd_env *env; /* how to read the configuration, again at reload */
	struct config_list rules;  /* --rules; empty: the configured files */
	bool fresh;
	bool has_json, json; /* --output; else json_output of the configuration */
};

/*
 * Start everything; when it returns 0, events flow. `o` and what it points to must outlive the
 * service. Signals that the caller handles have to be blocked already: threads inherit the mask.
 * -1 and *e; what went wrong with rules and configuration is told line by line before.
 */
int service_open(struct service **out, const struct service_options *o, struct err *e);

/*
 * A clean stop: judge what is in the rings, commit, print, release. -1 and *e when not everything could
 * be committed (then the rings stay pinned for the next start). NULL: 0.
 */
int service_close(struct service *s, struct err *e);

/* Read configuration and rules again; on -1 and *e the old ones are in force as before. */
int service_reload(struct service *s, struct err *e);

/* About once a second: losses to the store, names of users. */
void service_tick(struct service *s);

/* True when the capture thread has moved since the last call: the watchdog may be fed. */
bool service_alive(struct service *s);

/* Rules that are judged. */
size_t service_rules_n(const struct service *s);

const struct config *service_config(const struct service *s);
void service_capture_status(struct service *s, struct capture_status *out);

/* Answers to `status` and `processes`; one JSON value each. */
void service_put_status(struct service *s, struct buf *answer);
void service_put_processes(struct service *s, struct buf *answer);

/* The folder's name below bpffs for this state directory; out[32]. */
void service_pin_name(const char *state_dir, char *out);

#endif
