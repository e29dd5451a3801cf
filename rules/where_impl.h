/* Between where.c (compile), where_sql.c (write SQL), where_row.c (judge a row). */
#ifndef HW_RULES_WHERE_IMPL_H
#define HW_RULES_WHERE_IMPL_H

#include "base/json.h"
#include "base/vec.h"
#include "rules/ast.h"
#include "rules/program.h"
#include "rules/where.h"

#define WHERE_PTR_TYPE "hullwatch.where"

/* The name, which nobody can write, of the texts that words are searched in. */
#define WHERE_TEXT_FIELD "*text*"

/* What view->row gives, in this order, behind the pointer. */
enum row_arg {
	ROW_PTR,
	ROW_PACKED,
	ROW_BOOT_ID,
	ROW_CONTAINER,
	ROW_PID,
	ROW_START,
	ROW_EXEC_ID,
	ROW_ARGS_N, /* columns and texts follow */
};

/* How much is known of the row that is judged. */
enum row_level { ROW_NOTHING, ROW_HAS_CONTAINER, ROW_HAS_PROCESS, ROW_HAS_EVENT };

struct where_row {
	const struct where_source *source;
	struct sql_value **args;
	int args_n;
	int texts_at; /* the first of the texts that words are searched in */
	bool loaded;  /* what follows */
	enum row_level level;
	struct event *event;
	struct event made; /* where there is no event */
	struct process process, parent;
	struct container bare;
	struct judge_input in;
	VEC(struct json *) documents;
};

/* A field as this condition sees it; `field` is first. */
struct where_field {
	struct field field;
	const struct field *registry; /* NULL: a column */
	int arg;                      /* of the column */
	struct where_row *row;
	const struct where_column *column;
};

struct where_value {
	enum { WHERE_VALUE_INT, WHERE_VALUE_TEXT, WHERE_VALUE_CALL } kind;
	int64_t number;
	struct str text;
	struct where_call *call;
};

struct where_call {
	struct where *w;
	uint32_t node;
};

struct where {
	const struct where_view *view;
	uint64_t now_ns;
	struct arena *arena;
	struct program *program;
	struct program_state *state;
	struct program_build build;
	struct where_row row;
	VEC(const struct where_column *) columns; /* that calls take */
	bool uses_row, uses_text;
	struct buf sql;
	VEC(struct where_value) values;
};

/* The column of this name, or NULL. */
const struct where_column *where_column_find(const struct where_view *v, struct str name);

/* Write the whole of `tree`, which was added to the program, as SQL. ERR_CONFIG, ERR_LIMIT. */
int where_write(struct where *w, struct ast *tree, struct err *e);

/* Extractors of struct where_field. */
enum value_state where_get_column(struct field_ctx *cx, const struct field *f,
	const struct field_arg *arg, struct value *out);
enum value_state where_get_texts(struct field_ctx *cx, const struct field *f,
	const struct field_arg *arg, struct value *out);
enum value_state where_get_field(struct field_ctx *cx, const struct field *f,
	const struct field_arg *arg, struct value *out);

/* Can the field be told from the process and the container alone? */
bool where_is_of_process(const struct field *f);
bool where_is_of_container(const struct field *f);

void where_row_reset(struct where_row *r);
void where_row_fini(struct where_row *r);

#endif
