/* Between kernel.c (a set's nodes), kernel_atom.c (one check) and kernel_term.c (and, or). */
#ifndef HW_RULES_KERNEL_IMPL_H
#define HW_RULES_KERNEL_IMPL_H

#include "base/arena.h"
#include "rules/kernel.h"
#include "rules/program_impl.h"

/* Any of `n` terms. Every operation gives at least what is true, at times more. */
struct dnf {
	const struct kernel_term *terms;
	size_t n;
};

extern const struct kernel_term kernel_any; /* says nothing */

struct dnf dnf_all(void);
struct dnf dnf_none(void);
struct dnf dnf_of(struct arena *a, const struct kernel_term *t); /* without bits: none */
struct dnf dnf_and(struct arena *a, struct dnf x, struct dnf y);
struct dnf dnf_or(struct arena *a, struct dnf x, struct dnf y);
bool dnf_is_all(struct dnf d);

/* For which events of the class a check can be true, and for which it can be false. */
struct both {
	struct dnf yes, no;
};
struct both kernel_atom(
	struct arena *a, const struct program *p, const struct check *c, enum event_class class);

bool kernel_path_matches(const struct kernel_path *p, struct str path);

#endif
