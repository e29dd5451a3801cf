#include "base/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
	char dir[64], db[80];
};

static int setup(void **state)
{
	struct place *p = xcalloc(1, sizeof(*p));
	snprintf(p->dir, sizeof(p->dir), "/tmp/hw-test-sql-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	assert_int_equal(chmod(p->dir, 0755), 0);
	snprintf(p->db, sizeof(p->db), "%s/a%%b ?#.db", p->dir);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
	struct place *p = *state;
	char path[100];
	for (size_t i = 0; i < ARRAY_N(suffixes); i++) {
		snprintf(path, sizeof(path), "%s%s", p->db, suffixes[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(p->dir), 0);
	free(p);
	return 0;
}

static struct sql *open_db(const struct place *p, enum sql_mode mode)
{
	struct sql *db = NULL;
	struct err e = { 0 };
	if (sql_open(&db, p->db, mode, 0, &e))
		fail_msg("%s", e.msg);
	return db;
}

static void run(struct sql *db, const char *script)
{
	struct err e = { 0 };
	if (sql_exec(db, script, &e))
		fail_msg("%s", e.msg);
}

static int64_t number(struct sql *db, const char *query)
{
	int64_t v = 0;
	struct err e = { 0 };
	if (sql_get_i64(db, query, &v, &e))
		fail_msg("%s", e.msg);
	return v;
}

static void write_bytes(const char *path, const void *p, size_t n, off_t at)
{
	AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, p, n, at), (ssize_t)n);
}

static void every_kind_of_value_comes_back_as_it_went_in(void **state)
{
	AUTO(sql_close) struct sql *db = open_db(*state, SQL_CREATE);
	AUTO(sql_finalize) struct sql_stmt *s = NULL;
	struct err e = { 0 };
	assert_int_equal(
		sql_prepare(&s, db, "SELECT ?1 AS i, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9", &e), 0);
	char text[] = "text";
	sql_bind_i64(s, 1, INT64_MIN);
	sql_bind_u64(s, 2, UINT64_MAX);
	sql_bind_real(s, 3, 1.5);
	sql_bind_str(s, 4, str_of(text, 4));
	text[0] = 'X'; /* copied at once */
	sql_bind_strz(s, 5, NULL);
	sql_bind_blob(s, 6, STR("a\0b"));
	sql_bind_null(s, 7);
	sql_bind_str(s, 8, STR(""));
	sql_bind_blob(s, 9, STR(""));
	assert_int_equal(sql_step(s, &e), 1);
	assert_int_equal(sql_column_n(s), 9);
	assert_string_equal(sql_column_name(s, 0), "i");
	assert_true(sql_i64(s, 0) == INT64_MIN);
	assert_true((uint64_t)sql_i64(s, 1) == UINT64_MAX);
	assert_true(sql_real(s, 2) == 1.5);
	assert_true(str_eqz(sql_str(s, 3), "text"));
	assert_true(sql_is_null(s, 4));
	assert_null(sql_str(s, 4).p);
	assert_true(str_eq(sql_str(s, 5), STR("a\0b")));
	assert_true(sql_is_null(s, 6));
	assert_non_null(sql_str(s, 7).p);
	assert_int_equal(sql_str(s, 7).n, 0);
	assert_non_null(sql_str(s, 8).p);
	assert_int_equal(sql_step(s, &e), 0);
	assert_int_equal(sql_step(s, &e), 1); /* reset, bindings kept */
	assert_true(sql_real(s, 2) == 1.5);
	sql_bind_real(s, 3, 2.5); /* amid rows: starts over */
	assert_int_equal(sql_step(s, &e), 1);
	assert_true(sql_real(s, 2) == 2.5);
}

static void rows_are_counted_and_numbered(void **state)
{
	AUTO(sql_close) struct sql *db = open_db(*state, SQL_CREATE);
	AUTO(sql_finalize) struct sql_stmt *s = NULL;
	run(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
	assert_int_equal(sql_prepare(&s, db, "INSERT INTO t(v) VALUES (?)", NULL), 0);
	for (int i = 0; i < 3; i++) {
		sql_bind_i64(s, 1, i);
		assert_int_equal(sql_run(s, NULL), 0);
	}
	assert_int_equal(sql_last_id(db), 3);
	run(db, "DELETE FROM t WHERE v < 2");
	assert_int_equal(sql_changes(db), 2);
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
	struct err e = { 0 };
	int64_t v;
	assert_int_equal(sql_get_i64(db, "SELECT id FROM t WHERE v = 99", &v, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
}

static void wrong_text_and_constraints_are_errors(void **state)
{
	AUTO(sql_close) struct sql *db = open_db(*state, SQL_CREATE);
	AUTO(sql_finalize) struct sql_stmt *s = NULL;
	struct sql_stmt *none = NULL;
	struct err e = { 0 };
	assert_int_equal(sql_prepare(&none, db, "SELEC 1", &e), -1);
	assert_int_equal(e.code, ERR_FORMAT);
	assert_non_null(strstr(e.msg, "SELEC"));
	assert_int_equal(sql_prepare(&none, db, " -- nothing", &e), -1);
	assert_int_equal(
		sql_prepare(&none, db, "SELECT \"not a column\"", &e), -1); /* no quoted strings */
	assert_null(none);
	run(db, "CREATE TABLE a(id INTEGER PRIMARY KEY); CREATE TABLE b(a REFERENCES a(id))");
	assert_int_equal(
		sql_exec(db, "INSERT INTO b VALUES (5)", &e), -1); /* foreign keys are on */
	assert_int_equal(
		sql_exec(db, "INSERT INTO a VALUES (1); INSERT INTO a VALUES (1)", &e), -1);
	assert_non_null(strstr(e.msg, "UNIQUE"));
	assert_int_equal(sql_prepare(&s, db, "SELECT ?1", NULL), 0);
	sql_bind_i64(s, 5, 1); /* no such parameter: the next step tells */
	assert_int_equal(sql_step(s, &e), -1);
	assert_int_equal(sql_step(s, &e), 1);
}

static void reading_never_writes(void **state)
{
	struct place *p = *state;
	sql_close(open_db(p, SQL_CREATE));
	AUTO(sql_close) struct sql *db = open_db(p, SQL_READ);
	struct err e = { 0 };
	assert_int_equal(sql_exec(db, "CREATE TABLE t(x)", &e), -1);
	assert_int_equal(e.code, ERR_SYS);
	assert_int_equal(e.sys, EROFS);
}

static void an_absent_database_is_created_only_when_asked(void **state)
{
	struct place *p = *state;
	struct sql *db = NULL;
	struct err e = { 0 };
	assert_int_equal(sql_open(&db, p->db, SQL_READ, 0, &e), -1);
	assert_int_equal(e.code, ERR_SYS);
	assert_int_equal(e.sys, ENOENT);
	assert_int_equal(sql_open(&db, p->db, SQL_WRITE, 0, &e), -1);
	assert_int_equal(e.sys, ENOENT);
	assert_null(db);
	assert_int_equal(access(p->db, F_OK), -1);
	assert_int_equal(sql_open(&db, p->dir, SQL_READ, 0, &e), -1);
	assert_int_equal(e.code, ERR_SYS);
}

static void a_foreign_file_is_no_database(void **state)
{
	struct place *p = *state;
	struct sql *db = NULL;
	struct err e = { 0 };
	char text[4096];
	memset(text, 'x', sizeof(text));
	write_bytes(p->db, text, sizeof(text), 0);
	assert_int_equal(sql_open(&db, p->db, SQL_CREATE, 0, &e), -1);
	assert_int_equal(e.code, ERR_FORMAT);
	assert_non_null(strstr(e.msg, "file is not a database"));
	assert_null(strchr(e.msg, '\n'));
}

static void damage_is_told_as_such(void **state)
{
	struct place *p = *state;
	struct err e = { 0 };
	char zeros[4096];
	struct sql *db = open_db(p, SQL_CREATE);
	run(db, "CREATE TABLE t(x); INSERT INTO t VALUES (1)");
	sql_close(db);
	memset(zeros, 0xee, sizeof(zeros));
	write_bytes(p->db, zeros, sizeof(zeros), 4096); /* the page of the table */
	db = open_db(p, SQL_READ);
	int64_t v;
	assert_int_equal(sql_get_i64(db, "SELECT count(*) FROM t", &v, &e), -1);
	assert_int_equal(e.code, ERR_FORMAT);
	assert_non_null(strstr(e.msg, "damaged"));
	sql_close(db);
}

static void a_held_lock_is_busy(void **state)
{
	AUTO(sql_close) struct sql *one = open_db(*state, SQL_CREATE);
	AUTO(sql_close) struct sql *two = open_db(*state, SQL_WRITE);
	struct err e = { 0 };
	run(one, "BEGIN IMMEDIATE");
	assert_int_equal(sql_exec(two, "BEGIN IMMEDIATE", &e), -1);
	assert_int_equal(e.code, ERR_BUSY);
	run(one, "ROLLBACK");
	run(two, "BEGIN IMMEDIATE; ROLLBACK");
}

static void a_full_database_is_told_as_no_space(void **state)
{
	AUTO(sql_close) struct sql *db = open_db(*state, SQL_CREATE);
	struct err e = { 0 };
	run(db, "CREATE TABLE t(x); PRAGMA max_page_count = 3");
	assert_int_equal(sql_exec(db, "INSERT INTO t VALUES (zeroblob(100000))", &e), -1);
	assert_int_equal(e.code, ERR_SYS);
	assert_int_equal(e.sys, ENOSPC);
	assert_non_null(strstr(e.msg, "No space left"));
}

static int stop_at_once(void *ctx)
{
	++*(int *)ctx;
	return 1;
}

static void a_query_can_be_stopped(void **state)
{
	AUTO(sql_close) struct sql *db = open_db(*state, SQL_CREATE);
	const char *query =
		"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 20000) "
		"SELECT count(*) FROM c";
	struct err e = { 0 };
	int calls = 0;
	int64_t v;
	sql_progress(db, 100, stop_at_once, &calls);
	assert_int_equal(sql_get_i64(db, query, &v, &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	assert_int_equal(calls, 1);
	sql_progress(db, 0, NULL, NULL);
	assert_int_equal(number(db, query), 20000);
}

static void call_len(struct sql_context *c, int n, struct sql_value **args)
{
	assert_int_equal(n, 1);
	if (sql_value_is_null(args[0]))
		sql_result_null(c);
	else
		sql_result_i64(c, (int64_t)sql_value_str(args[0]).n + sql_value_i64(args[0]));
}

static void call_word(struct sql_context *c, int n, struct sql_value **args)
{
	(void)n;
	(void)args;
	sql_result_str(c, STR("word"));
}

static void functions_can_be_offered(void **state)
{
	static const struct sql_function table[] = {
		{ "len_and_value", 1, call_len },
		{ "word", 0, call_word },
		{ 0 },
	};
	AUTO(sql_close) struct sql *db = open_db(*state, SQL_CREATE);
	assert_int_equal(sql_register(db, table, NULL), 0);
	assert_int_equal(number(db, "SELECT len_and_value('12')"), 14);
	assert_int_equal(number(db, "SELECT len_and_value(NULL) IS NULL"), 1);
	assert_int_equal(number(db, "SELECT word() = 'word'"), 1);
	run(db, "CREATE VIEW v AS SELECT word() AS w"); /* also from the schema */
	assert_int_equal(number(db, "SELECT count(*) FROM v WHERE w = 'word'"), 1);
}

static void make_wal_database(const struct place *p)
{
	struct sql *db = open_db(p, SQL_CREATE);
	run(db, "PRAGMA journal_mode = WAL; CREATE TABLE t(x); INSERT INTO t VALUES (7)");
	sql_close(db); /* the last to close folds the log into the file */
}

/* In a child without rights: root may write everywhere. Returns its exit code. */
static int read_as_nobody(const struct place *p)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct sql *db = NULL;
		int64_t v = 0;
		struct err e = { 0 };
		if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
			_exit(9);
		if (sql_open(&db, p->db, SQL_READ, 0, &e))
			_exit(e.code == ERR_SYS ? 1 : 2);
		_exit(sql_get_i64(db, "SELECT x FROM t", &v, &e) == 0 && v == 7 ? 0 : 3);
	}
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_wal_database_in_a_read_only_directory_is_read(void **state)
{
	struct place *p = *state;
	make_wal_database(p);
	assert_int_equal(chmod(p->dir, 0555), 0);
	int rc = read_as_nobody(p);
	assert_int_equal(chmod(p->dir, 0755), 0);
	assert_int_equal(rc, 0);
}

static void a_log_that_cannot_be_read_is_not_passed_over(void **state)
{
	struct place *p = *state;
	char wal[100];
	make_wal_database(p);
	snprintf(wal, sizeof(wal), "%s-wal", p->db);
	write_bytes(wal, "frames that nobody folded in yet", 32, 0);
	assert_int_equal(chmod(p->dir, 0555), 0);
	int rc = read_as_nobody(p);
	assert_int_equal(chmod(p->dir, 0755), 0);
	assert_int_equal(rc, 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_kind_of_value_comes_back_as_it_went_in),
		T(rows_are_counted_and_numbered),
		T(wrong_text_and_constraints_are_errors),
		T(reading_never_writes),
		T(an_absent_database_is_created_only_when_asked),
		T(a_foreign_file_is_no_database),
		T(damage_is_told_as_such),
		T(a_held_lock_is_busy),
		T(a_full_database_is_told_as_no_space),
		T(a_query_can_be_stopped),
		T(functions_can_be_offered),
		T(a_wal_database_in_a_read_only_directory_is_read),
		T(a_log_that_cannot_be_read_is_not_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
