/* What cases are made of: values of one kind, keys by tables, and how what is wrong is told. */
#include "rules/cases_impl.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- telling ---- */

int fault_set(struct fault *f, const struct yaml_node *at, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(f->what, sizeof(f->what), fmt, args);
	va_end(args);
	if (at)
		f->at = at;
	return -1;
}

int fault_unknown(struct fault *f, const struct yaml_node *at, const char *what,
	const char *const *names, size_t n)
{
	const char *nearest = str_nearest(at->value, names, n);

	return fault_set(f, at, "unknown %s %.100s%s%s%s", what, at->value.p,
		nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "");
}

/* ---- values ---- */

bool scene_text(const struct yaml_node *v, struct str *out, struct fault *f)
{
	if (v->kind != YAML_SCALAR) {
		fault_set(f, v, "a text is needed here");
		return false;
	}
	*out = v->value;
	return true;
}

bool scene_number(
	const struct yaml_node *v, int64_t min, int64_t max, int64_t *out, struct fault *f)
{
	if (v->kind == YAML_SCALAR && yaml_i64(v, out) && *out >= min && *out <= max)
		return true;
	fault_set(
		f, v, "a number from %lld to %lld is needed here", (long long)min, (long long)max);
	return false;
}

struct event_span scene_span(struct scene *s, struct str text)
{
	struct event_span span = { (uint32_t)s->data.n, (uint32_t)text.n };

	buf_put_str(&s->data, text);
	return s->data.full ? (struct event_span){ 0 } : span;
}

int scene_set_str(struct scene *s, void *base, const struct scene_key *k, const struct yaml_node *v,
	struct fault *f)
{
	(void)s;
	return scene_text(v, (struct str *)((char *)base + k->offset), f) ? 0 : -1;
}

int scene_set_u32(struct scene *s, void *base, const struct scene_key *k, const struct yaml_node *v,
	struct fault *f)
{
	int64_t i;

	(void)s;
	if (!scene_number(v, 0, UINT32_MAX, &i, f))
		return -1;
	*(uint32_t *)((char *)base + k->offset) = (uint32_t)i;
	return 0;
}

int scene_set_bool(struct scene *s, void *base, const struct scene_key *k,
	const struct yaml_node *v, struct fault *f)
{
	(void)s;
	if (yaml_bool(v, (bool *)((char *)base + k->offset)))
		return 0;
	return fault_set(f, v, "true or false is needed here");
}

static bool find_word(struct str name, const struct scene_word *words, size_t n, uint64_t *bits)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eqz(name, words[i].name)) {
			*bits |= words[i].value;
			return true;
		}
	}
	return false;
}

int scene_words(const struct yaml_node *v, const char *what, const struct scene_word *words,
	size_t n, uint64_t *out, struct fault *f)
{
	struct str rest;
	int64_t number;

	if (v->kind == YAML_SCALAR && yaml_i64(v, &number) && number >= 0) {
		*out = (uint64_t)number;
		return 0;
	}
	if (!scene_text(v, &rest, f))
		return -1;
	*out = 0;
	while (rest.n) {
		struct str name = str_trim(str_cut(&rest, '|'));

		if (!find_word(name, words, n, out))
			return fault_set(f, v, "unknown %s %.*s", what, (int)name.n, name.p);
	}
	return 0;
}

/* ---- keys ---- */

static int tell_unknown_key(struct fault *f, const struct yaml_node *key, const char *what,
	const struct scene_keys *keys)
{
	const char *names[64];
	char kind[64];
	size_t n = 0;

	for (size_t i = 0; i < keys->n && n < ARRAY_N(names); i++)
		names[n++] = keys->p[i].name;
	snprintf(kind, sizeof(kind), "key of %s:", what);
	return fault_unknown(f, key, kind, names, n);
}

int scene_apply_one(struct scene *s, void *base, const struct scene_keys *keys, const char *what,
	struct str key, const struct yaml_pair *pair, struct fault *f)
{
	for (size_t i = 0; i < keys->n; i++) {
		const struct scene_key *k = &keys->p[i];

		if (!str_eqz(key, k->name))
			continue;
		if (k->classes && !(k->classes >> s->ev.class & 1))
			return fault_set(f, pair->key, "%s: events of this type have none",
				pair->key->value.p);
		return k->set(s, base, k, pair->value, f);
	}
	return tell_unknown_key(f, pair->key, what, keys);
}

int scene_apply(struct scene *s, void *base, const struct scene_keys *keys, const char *what,
	const struct yaml_node *map, struct fault *f)
{
	if (map->kind != YAML_MAP)
		return fault_set(f, map, "%s must be a map", what);
	for (size_t i = 0; i < map->n; i++)
		if (scene_apply_one(
			    s, base, keys, what, map->pairs[i].key->value, &map->pairs[i], f))
			return -1;
	return 0;
}
