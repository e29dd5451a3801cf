/* Alerts: a rule matched, or a state changed in a way worth telling. */
#ifndef HW_BASE_ALERT_H
#define HW_BASE_ALERT_H

#include "base/container.h"
#include "base/event.h"
#include "base/process.h"

/* Falco's eight, most severe first. */
enum priority {
	PRIORITY_EMERGENCY = 0,
	PRIORITY_ALERT,
	PRIORITY_CRITICAL,
	PRIORITY_ERROR,
	PRIORITY_WARNING,
	PRIORITY_NOTICE,
	PRIORITY_INFORMATIONAL,
	PRIORITY_DEBUG,
	PRIORITY_N
};

/* "Emergency" ... "Debug". */
const char *priority_name(enum priority p);

/* Case-insensitive, "info" too; false when it is none of them. */
bool priority_parse(struct str s, enum priority *out);

/* "critical", "high", "medium", "low", "info" (DESIGN, Words). */
const char *priority_severity(enum priority p);

/*
 * One allocation set, owned by who holds it; alert_free() frees all of it. Any thread may own it.
 * Texts are clean (text_clean) already.
 */
struct alert {
	char id[EVENT_ID_LEN + 1];
	uint64_t ts_ns; /* UTC of the event */
	enum priority priority;
	char *source; /* "syscall", "posture", "image", "self" */
	char *rule;
	char *output;        /* the rule's output, fields filled in, without time and priority */
	char *fields_json;   /* output_fields: one JSON object */
	char *tags_json;     /* one JSON array of strings */
	struct event *event; /* what matched; NULL for other sources */
	struct lineage *lineage;     /* its process and ancestors; may be NULL */
	struct container *container; /* NULL: host */
};

struct alert *alert_new(void);
void alert_free(struct alert *a);
DEFINE_AUTO(struct alert, alert_free)

/*
 * Falco's line: "HH:MM:SS.nnnnnnnnn: Priority output" (local time); appended without newline.
 * ts_ns, priority and output alone are used.
 */
void alert_text(struct buf *b, uint64_t ts_ns, enum priority p, struct str output);

/* Falco's JSON object (DESIGN, command line), one line without newline. */
struct alert_json {
	uint64_t ts_ns;
	enum priority priority;
	struct str rule, source, hostname, output, tags_json, fields_json;
};
void alert_json(struct buf *b, const struct alert_json *a);

#endif
