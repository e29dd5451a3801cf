#include "base/alert.h"

#include "base/clock.h"
#include "base/json.h"

#include <strings.h>
#include <time.h>

enum { NS_PER_S = 1000000000, ALERT_MAX_LINE = 1 << 20 };

static const struct {
	const char *name, *severity;
} priorities[PRIORITY_N] = {
	[PRIORITY_EMERGENCY] = { "Emergency", "critical" },
	[PRIORITY_ALERT] = { "Alert", "critical" },
	[PRIORITY_CRITICAL] = { "Critical", "critical" },
	[PRIORITY_ERROR] = { "Error", "high" },
	[PRIORITY_WARNING] = { "Warning", "medium" },
	[PRIORITY_NOTICE] = { "Notice", "low" },
	[PRIORITY_INFORMATIONAL] = { "Informational", "info" },
	[PRIORITY_DEBUG] = { "Debug", "info" },
};

const char *priority_name(enum priority p)
{
	return (unsigned int)p < PRIORITY_N ? priorities[p].name : "Debug";
}

const char *priority_severity(enum priority p)
{
	return (unsigned int)p < PRIORITY_N ? priorities[p].severity : "info";
}

static bool same_word(struct str s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

bool priority_parse(struct str s, enum priority *out)
{
	for (unsigned int p = 0; p < PRIORITY_N; p++) {
		if (same_word(s, priorities[p].name)) {
			*out = (enum priority)p;
			return true;
		}
	}
	if (!same_word(s, "info"))
		return false;
	*out = PRIORITY_INFORMATIONAL;
	return true;
}

struct alert *alert_new(void)
{
	return xcalloc(1, sizeof(struct alert));
}

void alert_free(struct alert *a)
{
	if (!a)
		return;
	free(a->source);
	free(a->rule);
	free(a->output);
	free(a->fields_json);
	free(a->tags_json);
	event_free(a->event);
	lineage_free(a->lineage);
	container_free(a->container);
	free(a);
}

void alert_text(struct buf *b, uint64_t ts_ns, enum priority p, struct str output)
{
	time_t seconds = (time_t)(ts_ns / NS_PER_S);
	struct tm local = { 0 };

	localtime_r(&seconds, &local);
	buf_printf(b, "%02d:%02d:%02d.%09u: %s ", local.tm_hour, local.tm_min, local.tm_sec,
		(unsigned int)(ts_ns % NS_PER_S), priority_name(p));
	buf_put_str(b, output);
}

/* `empty` stands for a document that was never made: the line stays valid JSON. */
static void put_document(struct jw *w, const char *key, struct str json, struct str empty)
{
	jw_key(w, key);
	jw_raw(w, json.n ? json : empty);
}

void alert_json(struct buf *b, const struct alert_json *a)
{
	AUTO(buf_fini) struct buf line = BUF_INIT(ALERT_MAX_LINE);
	char time[CLOCK_ISO_LEN + 1];
	struct jw w = jw_on(b);

	clock_iso(a->ts_ns, time);
	alert_text(&line, a->ts_ns, a->priority, a->output);
	jw_obj(&w);
	jw_kv_strz(&w, "time", time);
	jw_kv_str(&w, "rule", a->rule);
	jw_kv_strz(&w, "priority", priority_name(a->priority));
	jw_kv_str(&w, "source", a->source);
	jw_kv_str(&w, "hostname", a->hostname);
	jw_kv_str(&w, "output", buf_str(&line));
	put_document(&w, "tags", a->tags_json, STR("[]"));
	put_document(&w, "output_fields", a->fields_json, STR("{}"));
	jw_end_obj(&w);
}
