/* What service.c and service_answer.c share. */
#ifndef HW_CMD_SERVICE_PARTS_H
#define HW_CMD_SERVICE_PARTS_H

#include "cmd/service.h"
#include "collector/runtime/runtime.h"
#include "collector/runtime/users.h"

#include <pthread.h>

#define SERVICE_BOOT_ID_LEN 36

struct service {
	const struct service_options *options;
	struct config *config;
	char boot_id[SERVICE_BOOT_ID_LEN + 1];
	char hostname[256];
	char pin_name[32];
	uint64_t started_ns; /* CLOCK_MONOTONIC */

	struct judge *judge;
	struct users *users; /* read by the capture thread: swapped on it */
	struct runtime *runtime;
	struct store_writer *writer;
	struct stdout_printer *printer;
	struct capture *capture;

	/*
	 * The store's thread reports commits from the moment the writer is open, before capture_open()
	 * has returned and after capture_close() has: `committing` is the capture to tell, under the lock.
	 */
	pthread_mutex_t commit_lock;
	struct capture *committing;
	bool has_mark;
	struct record_mark mark;

	uint64_t reloads, reloads_refused;
	uint64_t last_progress;
	uint64_t ticks;
	size_t rule_errors_n, rule_cannot_run_n;
};

#endif
