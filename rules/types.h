/*
 * Event types by Falco's names: every system call, and what is not one (procexit, ...). Which of
 * them the collector produces is known here, so that rules that need another can be told.
 */
#ifndef HW_RULES_TYPES_H
#define HW_RULES_TYPES_H

#include "base/event.h"

#define TYPES_MAX 512

/* A set of event types. */
struct type_set {
	uint64_t bits[TYPES_MAX / 64];
};

size_t types_count(void);
const char *types_name(size_t i);           /* names are sorted */
int types_find(struct str name);            /* -1: no such type */
const char *types_nearest(struct str name); /* or NULL */

/* EVENT_NONE: the collector does not produce it. */
enum event_class types_class(size_t i);

static inline bool type_set_has(const struct type_set *s, size_t i)
{
	return s->bits[i / 64] >> (i % 64) & 1;
}

static inline void type_set_add(struct type_set *s, size_t i)
{
	s->bits[i / 64] |= (uint64_t)1 << (i % 64);
}

static inline void type_set_and(struct type_set *s, const struct type_set *with)
{
	for (size_t i = 0; i < TYPES_MAX / 64; i++)
		s->bits[i] &= with->bits[i];
}

static inline void type_set_or(struct type_set *s, const struct type_set *with)
{
	for (size_t i = 0; i < TYPES_MAX / 64; i++)
		s->bits[i] |= with->bits[i];
}

size_t type_set_count(const struct type_set *s);
struct type_set type_set_all(void);
struct type_set type_set_available(void);
struct type_set type_set_not(const struct type_set *s);

#endif
