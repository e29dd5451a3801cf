#include "store/schema.h"

#include "base/sql.h"
#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

/* A file's bytes, to see that nobody touched it. */
static struct str slurp(const char *path)
{
	struct stat st;
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	char *p = xcalloc(1, (size_t)st.st_size + 1);
	assert_int_equal(read(fd, p, (size_t)st.st_size), st.st_size);
	return str_of(p, (size_t)st.st_size);
}

static void refused_untouched(struct store_fixture *f, enum err_code code, const char *words)
{
	struct store_writer *w = NULL;
	struct err e = { 0 };
	struct str before = slurp(f->db);
	assert_int_equal(store_writer_open(&w, &f->o, &e), -1);
	struct str after = slurp(f->db);
	assert_int_equal(e.code, code);
	assert_non_null(strstr(e.msg, words));
	assert_non_null(strstr(e.msg, f->db));
	assert_null(strchr(e.msg, '\n'));
	assert_true(str_eq(before, after));
	free((char *)(uintptr_t)before.p);
	free((char *)(uintptr_t)after.p);
}

static void script_on(const char *path, const char *script)
{
	AUTO(sql_close) struct sql *db = NULL;
	assert_int_equal(sql_open(&db, path, SQL_CREATE, 1000, NULL), 0);
	assert_int_equal(sql_exec(db, script, NULL), 0);
}

static void make_store(struct store_fixture *f)
{
	store_fixture_open(f);
	for (uint64_t i = 1; i <= 200; i++)
		put_alert(f, fixture_alert(i, i, "a"));
	store_fixture_close(f);
}

static void another_programs_database_is_refused_untouched(void **state)
{
	struct store_fixture *f = *state;
	assert_int_equal(mkdir(f->dir, 0700), 0);
	script_on(f->db, "CREATE TABLE cookies (a); PRAGMA user_version = 3");
	refused_untouched(f, ERR_FORMAT, "another program");
}

static void a_newer_database_is_refused_untouched(void **state)
{
	struct store_fixture *f = *state;
	make_store(f);
	script_on(f->db, "PRAGMA user_version = 99");
	refused_untouched(f, ERR_UNSUPPORTED, "newer hullwatch");
}

static void a_file_that_is_no_database_is_refused_untouched(void **state)
{
	struct store_fixture *f = *state;
	tree_write(f->tree, "s/hullwatch.db",
		"this is a text file, and not a short one at that: "
		"it has more bytes than a database's header has");
	refused_untouched(f, ERR_FORMAT, "not a database");
}

static void overwrite(const char *path, off_t at, size_t n)
{
	char junk[4096];
	AUTO_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
	memset(junk, 0xa5, sizeof(junk));
	assert_true(fd >= 0 && n <= sizeof(junk));
	assert_int_equal(pwrite(fd, junk, n, at), n);
}

static void damage_in_the_middle_is_found_and_left(void **state)
{
	struct store_fixture *f = *state;
	make_store(f);
	for (off_t page = 3; page < 20; page++)
		overwrite(f->db, page * 4096, 4096);
	refused_untouched(f, ERR_FORMAT, "damaged");
}

static void a_truncated_database_is_found_and_left(void **state)
{
	struct store_fixture *f = *state;
	make_store(f);
	assert_int_equal(truncate(f->db, 5 * 4096 + 100), 0);
	refused_untouched(f, ERR_FORMAT, "damaged");
}

static void a_folder_in_its_place_is_refused(void **state)
{
	struct store_fixture *f = *state;
	struct store_writer *w = NULL;
	struct err e = { 0 };
	tree_write(f->tree, "s/hullwatch.db/x", "");
	assert_int_equal(store_writer_open(&w, &f->o, &e), -1);
	assert_int_equal(e.code, ERR_FORMAT);
}

static void the_log_of_a_removed_database_is_not_replayed(void **state)
{
	struct store_fixture *f = *state;
	make_store(f);
	assert_int_equal(unlink(f->db), 0);
	tree_write(f->tree, "s/hullwatch.db-wal", "left behind");
	store_fixture_open(f);
	assert_int_equal(number_from(f->db, "SELECT count(*) FROM alerts"), 0);
}

static void a_half_made_database_is_made_anew(void **state)
{
	struct store_fixture *f = *state;
	tree_write(f->tree, "s/hullwatch.db.new", "a writer died here");
	tree_write(f->tree, "s/hullwatch.db", "");
	store_fixture_open(f);
	assert_int_equal(number_from(f->db, "PRAGMA user_version"), schema_main.version);
}

/* --- migrations, with a schema of the test's own --- */

static const char *const steps[] = {
	"ALTER TABLE t ADD COLUMN b INTEGER; UPDATE t SET b = a + 1; PRAGMA user_version = 2",
	"CREATE TABLE u (c); PRAGMA user_version = 3",
};
static const char *const broken_steps[] = {
	"ALTER TABLE t ADD COLUMN b INTEGER; PRAGMA user_version = 2",
	"CREATE TABLE t (c); PRAGMA user_version = 3",
};
static const struct schema first = {
	.what = "test",
	.application_id = 77,
	.version = 1,
	.create = "PRAGMA application_id = 77; PRAGMA user_version = 1; CREATE TABLE t (a);",
	.pragmas = "",
	.check_bytes = 1 << 20,
};

static void make_first(const char *path)
{
	AUTO(sql_close) struct sql *db = NULL;
	assert_int_equal(schema_open(&db, path, &first, NULL), 0);
	assert_int_equal(sql_exec(db, "INSERT INTO t VALUES (41)", NULL), 0);
}

static void an_older_database_is_migrated_after_a_copy(void **state)
{
	struct store_fixture *f = *state;
	char path[128], copy[160];
	struct schema third = first;
	snprintf(path, sizeof(path), "%s/t.db", f->tree->root);
	snprintf(copy, sizeof(copy), "%s.v1.bak", path);
	make_first(path);
	third.version = 3;
	third.migrations = steps;
	AUTO(sql_close) struct sql *db = NULL;
	assert_int_equal(schema_open(&db, path, &third, NULL), 0);
	assert_int_equal(number_from(path, "SELECT b FROM t"), 42);
	assert_int_equal(number_from(path, "PRAGMA user_version"), 3);
	assert_int_equal(number_from(copy, "SELECT a FROM t"), 41);
	assert_int_equal(number_from(copy, "PRAGMA user_version"), 1);
}

static void a_failed_migration_changes_nothing(void **state)
{
	struct store_fixture *f = *state;
	char path[128];
	struct schema third = first;
	struct err e = { 0 };
	snprintf(path, sizeof(path), "%s/t.db", f->tree->root);
	make_first(path);
	third.version = 3;
	third.migrations = broken_steps;
	AUTO(sql_close) struct sql *db = NULL;
	assert_int_equal(schema_open(&db, path, &third, &e), -1);
	assert_non_null(strstr(e.msg, "migration from format 2"));
	assert_int_equal(number_from(path, "PRAGMA user_version"), 1);
	assert_int_equal(number_from(path, "SELECT count(*) FROM pragma_table_info('t')"), 1);
}

static void the_views_answer(void **state)
{
	struct store_fixture *f = *state;
	static const char *const views[] = { "v1_alerts", "v1_events", "v1_processes",
		"v1_containers", "v1_losses", "v1_sources" };
	char query[96];
	make_store(f);
	for (size_t i = 0; i < ARRAY_N(views); i++) {
		snprintf(query, sizeof(query), "SELECT count(*) FROM (SELECT * FROM %s)", views[i]);
		assert_true(number_from(f->db, query) >= 0);
	}
	assert_int_equal(
		number_from(f->db, "SELECT count(*) FROM v1_alerts WHERE priority = 'Warning'"
				   " AND severity = 'medium' AND n = 1"
				   " AND time = '2023-11-14T22:13:20.000000001Z'"),
		1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(another_programs_database_is_refused_untouched),
		T(a_newer_database_is_refused_untouched),
		T(a_file_that_is_no_database_is_refused_untouched),
		T(damage_in_the_middle_is_found_and_left),
		T(a_truncated_database_is_found_and_left),
		T(a_folder_in_its_place_is_refused),
		T(the_log_of_a_removed_database_is_not_replayed),
		T(a_half_made_database_is_made_anew),
		T(an_older_database_is_migrated_after_a_copy),
		T(a_failed_migration_changes_nothing),
		T(the_views_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
