#include "collector/syscall/providers.h"
#include "collector/syscall/syscalls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/syscall.h>

#include <cmocka.h>

static void numbers_are_this_systems(void **state)
{
	(void)state;
#ifdef __x86_64__
	static const struct {
		const char *type;
		int nr;
	} rows[] = {
		{ "execve", SYS_execve },
		{ "execveat", SYS_execveat },
		{ "open", SYS_open },
		{ "openat", SYS_openat },
		{ "openat2", SYS_openat2 },
		{ "creat", SYS_creat },
		{ "socket", SYS_socket },
		{ "connect", SYS_connect },
		{ "accept", SYS_accept },
		{ "accept4", SYS_accept4 },
		{ "bind", SYS_bind },
		{ "listen", SYS_listen },
	};
	size_t n;

	syscalls_table(&n);
	assert_int_equal(n, sizeof(rows) / sizeof(rows[0]));
	for (size_t i = 0; i < n; i++) {
		const struct syscall_row *row = syscalls_find(rows[i].type);
		assert_non_null(row);
		assert_int_equal(row->nr, rows[i].nr);
	}
#endif
}

static void every_number_fits_the_interest_table(void **state)
{
	(void)state;
	size_t n;
	const struct syscall_row *t = syscalls_table(&n);

	for (size_t i = 0; i < n; i++) {
		assert_in_range(t[i].class, EVENT_NONE + 1, EVENT_CLASS_N - 1);
		assert_true(t[i].nr < WIRE_NR_MAX && t[i].nr32 < WIRE_NR_MAX);
		assert_true(t[i].nr >= 0 || t[i].nr32 >= 0);
		/* the gate's number must not be anybody's own */
		assert_int_not_equal(t[i].nr32, SYSCALLS_SOCKETCALL32);
	}
	assert_true(SYSCALLS_SOCKETCALL32 < WIRE_NR_MAX);
}

static void no_type_and_no_number_stands_twice(void **state)
{
	(void)state;
	size_t n;
	const struct syscall_row *t = syscalls_table(&n);

	for (size_t i = 0; i < n; i++) {
		assert_ptr_equal(syscalls_find(t[i].type), &t[i]);
		for (size_t k = 0; k < i; k++) {
			assert_true(t[i].nr < 0 || t[i].nr != t[k].nr);
			assert_true(t[i].nr32 < 0 || t[i].nr32 != t[k].nr32);
		}
	}
}

static void a_type_is_found_by_its_whole_name_only(void **state)
{
	(void)state;
	assert_null(syscalls_find("opena"));
	assert_null(syscalls_find("openat3"));
	assert_null(syscalls_find(""));
	assert_null(syscalls_find("OPEN"));
}

static void every_class_of_calls_has_a_program_behind_the_dispatcher(void **state)
{
	(void)state;
	size_t n, rows;
	const struct provider *p = providers_table(&n);
	const struct syscall_row *t = syscalls_table(&rows);

	for (size_t i = 0; i < rows; i++) {
		bool found = false;
		for (size_t k = 0; k < n; k++) {
			for (size_t m = 0; m < PROVIDER_MAX_PROGRAMS && p[k].programs[m].name; m++)
				found |= p[k].programs[m].use == PROGRAM_TAIL &&
					 (int)p[k].programs[m].class == (int)t[i].class;
		}
		assert_true(found);
	}
}

static void families_stand_together_and_the_last_of_each_needs_nothing(void **state)
{
	(void)state;
	size_t n;
	const struct provider *p = providers_table(&n);

	for (size_t i = 0; i < n; i++) {
		assert_non_null(p[i].programs[0].name);
		for (size_t k = 0; k + 1 < i; k++) {
			if (strcmp(p[k].family, p[i].family) == 0)
				assert_string_equal(p[i - 1].family, p[i].family);
		}
		bool last = i + 1 == n || strcmp(p[i + 1].family, p[i].family) != 0;
		if (last)
			assert_null(p[i].kfunc);
	}
}

static void no_program_belongs_to_two_rows(void **state)
{
	(void)state;
	const char *seen[64];
	size_t n, seen_n = 0;
	const struct provider *p = providers_table(&n);

	for (size_t i = 0; i < n; i++) {
		for (size_t m = 0; m < PROVIDER_MAX_PROGRAMS && p[i].programs[m].name; m++) {
			for (size_t k = 0; k < seen_n; k++)
				assert_string_not_equal(seen[k], p[i].programs[m].name);
			assert_in_range(p[i].programs[m].class, 0, WIRE_CLASS_MAX - 1);
			assert_in_range(seen_n, 0, 63);
			seen[seen_n++] = p[i].programs[m].name;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_this_systems),
		cmocka_unit_test(every_number_fits_the_interest_table),
		cmocka_unit_test(no_type_and_no_number_stands_twice),
		cmocka_unit_test(a_type_is_found_by_its_whole_name_only),
		cmocka_unit_test(every_class_of_calls_has_a_program_behind_the_dispatcher),
		cmocka_unit_test(families_stand_together_and_the_last_of_each_needs_nothing),
		cmocka_unit_test(no_program_belongs_to_two_rows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
