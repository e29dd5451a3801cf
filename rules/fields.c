#include "rules/fields_impl.h"

static const char *const type_names[FIELD_TYPE_N] = {
	[FIELD_STR] = "string",
	[FIELD_INT] = "integer",
	[FIELD_BOOL] = "boolean",
	[FIELD_IP] = "ip",
	[FIELD_NET] = "network",
	[FIELD_PORT] = "port",
	[FIELD_ABSTIME] = "time",
	[FIELD_RELTIME] = "duration",
};

/* proc.aname[n] and the like: nobody's ancestry is as long. */
#define FIELD_MAX_INDEX 100000

const char *field_type_name(enum field_type t)
{
	return type_names[t];
}

static struct field_table (*const tables[])(void) = {
	fields_evt,
	fields_args,
	fields_proc,
	fields_user,
	fields_fd,
	fields_container,
};

size_t fields_count(void)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_N(tables); i++)
		n += tables[i]().n;
	return n;
}

const struct field *fields_at(size_t i)
{
	for (size_t t = 0; t < ARRAY_N(tables); t++) {
		struct field_table table = tables[t]();

		if (i < table.n)
			return &table.fields[i];
		i -= table.n;
	}
	return NULL;
}

size_t fields_missing_count(void)
{
	return fields_missing_n;
}

const char *fields_missing_at(size_t i)
{
	return fields_missing[i];
}

static const struct field *find(struct str name)
{
	for (size_t t = 0; t < ARRAY_N(tables); t++) {
		struct field_table table = tables[t]();

		for (size_t i = 0; i < table.n; i++)
			if (str_eqz(name, table.fields[i].name))
				return &table.fields[i];
	}
	return NULL;
}

/* Names that end in ".*" stand for all that begin so. */
static bool is_missing(struct str name)
{
	for (size_t i = 0; i < fields_missing_n; i++) {
		struct str known = str_from(fields_missing[i]);

		if (str_eq(name, known))
			return true;
		if (str_ends(known, STR(".*")) && str_starts(name, str_of(known.p, known.n - 1)))
			return true;
	}
	return false;
}

static const char *nearest_field(struct str name)
{
	static const size_t max = 1024;
	size_t n = 0;
	const char **names = xcalloc(max, sizeof(*names));
	const char *nearest;

	for (size_t i = 0; i < fields_count() && n < max; i++)
		names[n++] = fields_at(i)->name;
	nearest = str_nearest(name, names, n);
	free(names);
	return nearest;
}

static int check_arg(struct field_ref *ref, struct err *e)
{
	enum field_arg_kind kind = ref->field->arg;
	const char *name = ref->field->name;
	uint64_t index;

	if (!ref->arg.given) {
		if (kind == FIELD_ARG_INDEX || kind == FIELD_ARG_NAME)
			return err_set(
				e, ERR_CONFIG, "field %s needs an argument in brackets", name);
		return 0;
	}
	if (kind == FIELD_ARG_NONE)
		return err_set(e, ERR_CONFIG, "field %s takes no argument", name);
	if (kind == FIELD_ARG_NAME || kind == FIELD_ARG_NAME_OPT)
		return 0;
	if (!str_to_u64(ref->arg.text, &index) || index > FIELD_MAX_INDEX)
		return err_set(e, ERR_CONFIG, "field %s[%.*s]: the argument must be a number", name,
			STR_ARG(ref->arg.text));
	ref->arg.index = (uint32_t)index;
	return 0;
}

int fields_resolve(struct field_ref *out, struct str name, bool has_arg, struct str arg,
	const char **nearest, struct err *e)
{
	struct field_ref ref = { .field = find(name), .arg = { .given = has_arg, .text = arg } };

	*nearest = NULL;
	if (!ref.field && is_missing(name))
		return err_set(e, ERR_UNSUPPORTED, "field %.*s is not available", STR_ARG(name));
	if (!ref.field) {
		*nearest = nearest_field(name);
		return err_set(e, ERR_CONFIG, "unknown field %.*s", STR_ARG(name));
	}
	if (check_arg(&ref, e))
		return -1;
	*out = ref;
	return 0;
}

size_t rules_fields_count(void)
{
	return fields_count() + fields_missing_count();
}

struct rules_field rules_field_at(size_t i)
{
	static const char *const args[] = {
		[FIELD_ARG_NONE] = "",
		[FIELD_ARG_INDEX] = "[index]",
		[FIELD_ARG_INDEX_OPT] = "[index]?",
		[FIELD_ARG_NAME] = "[name]",
		[FIELD_ARG_NAME_OPT] = "[name]?",
	};

	if (i >= fields_count())
		return (struct rules_field){ .name = fields_missing_at(i - fields_count()),
			.type = "",
			.arg = "",
			.meaning = "" };
	const struct field *f = fields_at(i);

	return (struct rules_field){ .name = f->name,
		.type = f->flags & FIELD_F_LIST ? "list" : field_type_name(f->type),
		.arg = args[f->arg],
		.meaning = f->meaning,
		.available = true };
}
