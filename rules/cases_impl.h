/* The parts of cases: cases.c takes files apart and compares; cases_event.c, cases_net.c,
 * cases_process.c and cases_container.c make the records of what a case says that happened, with
 * the tools of cases_values.c. */
#ifndef HW_RULES_CASES_IMPL_H
#define HW_RULES_CASES_IMPL_H

#include "base/judge.h"
#include "base/yaml.h"
#include "rules/judge.h"

#define SCENE_MAX_NAMES 8
#define SCENE_MAX_DATA  (1u << 20)

/* What is wrong, and where. */
struct fault {
	const struct yaml_node *at;
	char what[512];
};

/* Always -1. `at` may be NULL: then an earlier one stays. */
int fault_set(struct fault *f, const struct yaml_node *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "unknown WHAT TEXT", with the nearest of `names`. Always -1. */
int fault_unknown(struct fault *f, const struct yaml_node *at, const char *what,
	const char *const *names, size_t n);

struct scene_name {
	uint32_t id;
	struct str name;
};

/* An event with all that a judge asks about. Must not move once it is built. */
struct scene {
	struct arena *arena;
	struct event ev;
	struct buf data;
	struct process process[PROCESS_MAX_LINEAGE];
	size_t process_n;
	struct container container;
	bool in_container;
	struct scene_name users[SCENE_MAX_NAMES], groups[SCENE_MAX_NAMES];
	size_t users_n, groups_n;
	bool has_res, has_flags, has_mode, in_proc;
	const char *missing_type; /* the event type, when nothing here produces it */
};

/* -1 and *f; scene_fini() in every case. */
int scene_build(struct scene *s, const struct yaml_node *event, struct fault *f);
void scene_fini(struct scene *s);

struct judge_input scene_input(const struct scene *s);
struct judge_names scene_names(struct scene *s);

/* One key of a map in a case, and where its value goes. */
struct scene_key {
	const char *name;
	int (*set)(struct scene *s, void *base, const struct scene_key *k,
		const struct yaml_node *v, struct fault *f);
	size_t offset;    /* in what `base` points to */
	uint32_t classes; /* 1 << enum event_class that have it; 0: all */
	int aux;          /* the setter's own */
};

struct scene_keys {
	const struct scene_key *p;
	size_t n;
};

/* Shared setters; `offset` is that of a field of this type. */
int scene_set_str(struct scene *s, void *base, const struct scene_key *k, const struct yaml_node *v,
	struct fault *f);
int scene_set_u32(struct scene *s, void *base, const struct scene_key *k, const struct yaml_node *v,
	struct fault *f);
int scene_set_bool(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f);

/* The text of a scalar; false (and *f) when it is none. */
bool scene_text(const struct yaml_node *v, struct str *out, struct fault *f);
bool scene_number(
	const struct yaml_node *v, int64_t min, int64_t max, int64_t *out, struct fault *f);
/* A text into the event's data. */
struct event_span scene_span(struct scene *s, struct str text);

/* "A|B" of names to bits; a number too. */
struct scene_word {
	const char *name;
	uint64_t value;
};
int scene_words(const struct yaml_node *v, const char *what, const struct scene_word *words,
	size_t n, uint64_t *out, struct fault *f);

/* cases_process.c */
extern const struct scene_keys scene_process_keys;
/* `proc`: a command line, or a map. */
int scene_set_process(struct scene *s, const struct yaml_node *v, struct fault *f);
int scene_finish_processes(struct scene *s, struct fault *f);
/* cases_container.c */
extern const struct scene_keys scene_container_keys;
int scene_set_container(struct scene *s, const struct yaml_node *v, struct fault *f);
void scene_finish_container(struct scene *s);
/* cases_net.c: keys of sockets; cases_event.c hands fd.name and fd.type on to it. */
extern const struct scene_keys scene_net_keys;
int scene_net_name(struct scene *s, const struct yaml_node *v, struct fault *f);
int scene_net_type(struct scene *s, const struct yaml_node *v, struct fault *f);
void scene_net_finish(struct scene *s);

/* Set what a map says by a table. */
int scene_apply(struct scene *s, void *base, const struct scene_keys *keys, const char *what,
	const struct yaml_node *map, struct fault *f);
/* The same for one key; `node` is where an unknown one is told. */
int scene_apply_one(struct scene *s, void *base, const struct scene_keys *keys, const char *what,
	struct str key, const struct yaml_pair *pair, struct fault *f);

#endif
