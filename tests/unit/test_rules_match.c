/* Many literals, keys and paths at once, against looking for one after the other. */
#include "rules/glob.h"
#include "rules/match_keys.h"
#include "rules/match_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define MAX_LITERALS 60
#define MAX_LEN      12

static uint64_t rng_state = 99;

static uint32_t rnd(uint32_t n)
{
	rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(rng_state >> 33) % n;
}

/* Few letters, so that literals overlap and hold each other. */
static size_t random_text(char *out, size_t max, const char *letters)
{
	size_t n = rnd((uint32_t)max) + 1;

	for (size_t i = 0; i < n; i++)
		out[i] = letters[rnd((uint32_t)strlen(letters))];
	return n;
}

struct hits {
	uint32_t n[MAX_LITERALS];
};

static void hit(void *ctx, uint32_t tag)
{
	struct hits *h = ctx;

	assert_true(tag < MAX_LITERALS);
	h->n[tag]++;
}

static bool hit_all(void *ctx, const uint32_t *tags, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		hit(ctx, tags[i]);
	return true;
}

struct literal {
	char text[MAX_LEN];
	size_t n;
	bool at_start;
};

static bool is_there(const struct literal *l, struct str text, bool backward, bool fold)
{
	struct str s = str_of(l->text, l->n);

	if (!l->at_start)
		return fold ? str_icontains(text, s) : str_contains(text, s);
	if (fold && text.n >= s.n)
		text = backward ? str_of(text.p + text.n - s.n, s.n) : str_of(text.p, s.n);
	if (fold)
		return text.n == s.n && str_icontains(text, s);
	return backward ? str_ends(text, s) : str_starts(text, s);
}

static void check_texts(bool backward, bool fold, const char *letters)
{
	AUTO(match_text_free) struct match_text *m = match_text_new(backward, fold);
	struct literal literals[MAX_LITERALS];
	uint32_t n = 1 + rnd(MAX_LITERALS);
	bool only_start = rnd(3) == 0;

	for (uint32_t i = 0; i < n; i++) {
		struct literal *l = &literals[i];

		l->n = random_text(l->text, rnd(2) ? MAX_LEN : 3, letters);
		l->at_start = only_start || rnd(2);
		assert_true(match_text_add(m, str_of(l->text, l->n), l->at_start, i));
	}
	match_text_build(m);
	for (int k = 0; k < 40; k++) {
		char text[40];
		struct str s = str_of(text, random_text(text, sizeof(text), letters));
		struct hits h = { 0 };

		match_text_run(m, s, hit, &h);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(h.n[i] > 0, is_there(&literals[i], s, backward, fold));
	}
}

static void literals_are_found_in_one_pass(void **state)
{
	(void)state;
	for (int i = 0; i < 500; i++)
		check_texts(rnd(2), rnd(2), rnd(2) ? "ab" : "abAB/");
}

static void bytes_of_all_values_are_told_apart(void **state)
{
	AUTO(match_text_free) struct match_text *m = match_text_new(false, false);
	static const char all[] = "\0\x01\x7f\x80\xff";

	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		assert_true(match_text_add(m, str_of(all + i, 1), i % 2, i));
	match_text_build(m);
	for (uint32_t i = 0; i < 5; i++) {
		struct hits h = { 0 };

		match_text_run(m, str_of(all + i, 1), hit, &h);
		for (uint32_t k = 0; k < 5; k++)
			assert_int_equal(h.n[k], k == i);
	}
}

static void an_automaton_without_literals_finds_nothing(void **state)
{
	AUTO(match_text_free) struct match_text *m = match_text_new(false, false);
	struct match_text *never_built = match_text_new(true, true);
	struct hits h = { 0 };

	(void)state;
	match_text_free(never_built);
	match_text_build(m);
	match_text_run(m, STR("text"), hit, &h);
	match_text_run(m, STR(""), hit, &h);
	assert_int_equal(h.n[0], 0);
}

static void a_literal_past_the_bound_is_refused(void **state)
{
	AUTO(match_text_free) struct match_text *m = match_text_new(false, false);
	size_t n = MATCH_TEXT_MAX_STATES;
	AUTO_FREE char *text = xcalloc(n, 1);
	struct hits h = { 0 };

	(void)state;
	memset(text, 'x', n);
	assert_false(match_text_add(m, str_of(text, n), false, 0));
	assert_true(match_text_add(m, STR("xx"), false, 1));
	match_text_build(m);
	match_text_run(m, str_of(text, 100), hit, &h);
	assert_int_equal(h.n[0], 0);
	assert_int_equal(h.n[1], 99);
}

static void keys_are_found_whole(void **state)
{
	(void)state;
	for (int round = 0; round < 300; round++) {
		AUTO(match_keys_free) struct match_keys *m = match_keys_new();
		struct literal keys[MAX_LITERALS];
		uint32_t n = rnd(MAX_LITERALS);

		for (uint32_t i = 0; i < n; i++) {
			keys[i].n = random_text(keys[i].text, MAX_LEN, "ab") - rnd(2);
			assert_true(match_keys_add(m, str_of(keys[i].text, keys[i].n), i));
		}
		match_keys_build(m);
		for (int k = 0; k < 40; k++) {
			char text[MAX_LEN];
			struct str s = str_of(text, random_text(text, sizeof(text), "ab") - 1);
			struct hits h = { 0 };
			uint32_t found;
			const uint32_t *tags = match_keys_find(m, s, &found);

			hit_all(&h, tags, found);
			for (uint32_t i = 0; i < n; i++)
				assert_int_equal(
					h.n[i], str_eq(s, str_of(keys[i].text, keys[i].n)));
		}
	}
}

static void paths_are_found_by_those_above_them(void **state)
{
	(void)state;
	for (int round = 0; round < 300; round++) {
		AUTO(match_keys_free) struct match_keys *m = match_keys_new();
		struct literal keys[MAX_LITERALS];
		uint32_t n = rnd(MAX_LITERALS);

		for (uint32_t i = 0; i < n; i++) {
			keys[i].n = random_text(keys[i].text, MAX_LEN, "/ab");
			assert_true(match_keys_add_path(m, str_of(keys[i].text, keys[i].n), i));
		}
		match_keys_build(m);
		for (int k = 0; k < 40; k++) {
			char text[20];
			struct str s = str_of(text, random_text(text, sizeof(text), "/ab"));
			struct hits h = { 0 };

			match_keys_walk(m, s, hit_all, &h);
			for (uint32_t i = 0; i < n; i++)
				assert_int_equal(h.n[i],
					glob_path_prefix(str_of(keys[i].text, keys[i].n), s));
		}
	}
}

static bool stop(void *ctx, const uint32_t *tags, uint32_t n)
{
	(void)tags, (void)n;
	++*(int *)ctx;
	return false;
}

static void a_walk_stops_when_told(void **state)
{
	AUTO(match_keys_free) struct match_keys *m = match_keys_new();
	int calls = 0;

	(void)state;
	assert_true(match_keys_add_path(m, STR("/"), 0));
	assert_true(match_keys_add_path(m, STR("/a"), 1));
	assert_true(match_keys_add_path(m, STR("//a"), 2));
	match_keys_build(m);
	match_keys_walk(m, STR("/a/b"), stop, &calls);
	assert_int_equal(calls, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals_are_found_in_one_pass),
		cmocka_unit_test(bytes_of_all_values_are_told_apart),
		cmocka_unit_test(an_automaton_without_literals_finds_nothing),
		cmocka_unit_test(a_literal_past_the_bound_is_refused),
		cmocka_unit_test(keys_are_found_whole),
		cmocka_unit_test(paths_are_found_by_those_above_them),
		cmocka_unit_test(a_walk_stops_when_told),
	};

	return cmocka_run_group_tests_name("rules_match", tests, NULL, NULL);
}
