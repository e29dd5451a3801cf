#include "cmd/control.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

struct fixture {
	char dir[PATH_MAX], root[64];
	struct control_server *server;
	struct err e;
	unsigned int asked;
	size_t answer_bytes;
	pthread_t thread;
	atomic_bool stop;
};

static void handler(void *ctx, const struct json_node *request, struct buf *answer)
{
	struct fixture *f = ctx;
	struct str name = json_str(json_get(request, "request"), STR(""));
	f->asked++;
	if (str_eqz(name, "fail")) {
		struct err e = { 0 };
		err_set(&e, ERR_CONFIG, "it cannot be");
		control_answer_error(answer, &e);
		return;
	}
	struct jw w = jw_on(answer);
	jw_obj(&w);
	jw_kv_str(&w, "asked", name);
	jw_key(&w, "filler");
	jw_arr(&w);
	for (size_t i = 0; i < f->answer_bytes && !answer->full; i += 1000) {
		static char thousand[997];
		memset(thousand, 'x', sizeof(thousand));
		jw_str(&w, str_of(thousand, sizeof(thousand)));
	}
	jw_end_arr(&w);
	jw_end_obj(&w);
}

static void *serve(void *ctx)
{
	struct fixture *f = ctx;
	while (!atomic_load(&f->stop)) {
		struct pollfd p = { .fd = control_server_fd(f->server), .events = POLLIN };
		poll(&p, 1, 20);
		control_server_step(f->server, clock_mono_ns());
	}
	return NULL;
}

static void start(struct fixture *f)
{
	assert_int_equal(control_server_open(&f->server, f->dir, handler, f, &f->e), 0);
	assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
}

static void stop(struct fixture *f)
{
	atomic_store(&f->stop, true);
	pthread_join(f->thread, NULL);
	control_server_close(TAKE(f->server));
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	snprintf(f->root, sizeof(f->root), "/tmp/hw-control-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	snprintf(f->dir, sizeof(f->dir), "%s/run", f->root);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	control_server_close(f->server);
	rmdir(f->dir);
	assert_int_equal(rmdir(f->root), 0);
	free(f);
	return 0;
}

/* A raw connection to the server, not through the client under test. */
static int raw_connect(const struct fixture *f)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	snprintf(a.sun_path, sizeof(a.sun_path), "%.90s/" CONTROL_SOCKET_NAME, f->dir);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void a_request_is_answered(void **state)
{
	struct fixture *f = *state;
	AUTO(json_free) struct json *j = NULL;
	AUTO(buf_fini) struct buf text = BUF_INIT(1024);
	start(f);
	assert_int_equal(control_ask(&j, &text, f->dir, "stat\"us", 5000, &f->e), 0);
	assert_true(str_eqz(json_str(json_get(json_root(j), "asked"), STR("")), "stat\"us"));
	assert_string_equal(buf_cstr(&text), "{\"asked\":\"stat\\\"us\",\"filler\":[]}\n");
	stop(f);
}

static void a_large_answer_arrives_whole(void **state)
{
	struct fixture *f = *state;
	AUTO(json_free) struct json *j = NULL;
	f->answer_bytes = 8u << 20;
	start(f);
	assert_int_equal(control_ask(&j, NULL, f->dir, "x", 20000, &f->e), 0);
	assert_int_equal(json_len(json_get(json_root(j), "filler")), (8u << 20) / 1000 + 1);
	stop(f);
}

static void an_answer_past_the_bound_is_an_error_not_a_part(void **state)
{
	struct fixture *f = *state;
	AUTO(json_free) struct json *j = NULL;
	f->answer_bytes = CONTROL_MAX_ANSWER + 100000;
	start(f);
	assert_int_equal(control_ask(&j, NULL, f->dir, "x", 20000, &f->e), -1);
	assert_int_equal(f->e.code, ERR_LIMIT);
	stop(f);
}

static void the_services_error_comes_back(void **state)
{
	struct fixture *f = *state;
	AUTO(json_free) struct json *j = NULL;
	start(f);
	assert_int_equal(control_ask(&j, NULL, f->dir, "fail", 5000, &f->e), -1);
	assert_int_equal(f->e.code, ERR_CONFIG);
	assert_non_null(strstr(f->e.msg, "it cannot be"));
	stop(f);
}

static void without_a_service_it_is_not_found(void **state)
{
	struct fixture *f = *state;
	AUTO(json_free) struct json *j = NULL;
	assert_int_equal(control_ask(&j, NULL, f->dir, "x", 1000, &f->e), -1);
	assert_int_equal(f->e.code, ERR_NOT_FOUND);
	start(f);
	stop(f);
	assert_int_equal(control_ask(&j, NULL, f->dir, "x", 1000, &f->e), -1);
	assert_int_equal(f->e.code, ERR_NOT_FOUND);
}

static void a_second_server_refuses_and_a_stale_socket_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct control_server *second = NULL;
	start(f);
	assert_int_equal(control_server_open(&second, f->dir, handler, f, &f->e), -1);
	assert_int_equal(f->e.code, ERR_BUSY);
	stop(f);
	/* A socket that nobody listens on, as a kill leaves it. */
	char path[PATH_MAX + 32];
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	snprintf(a.sun_path, sizeof(a.sun_path), "%.90s/" CONTROL_SOCKET_NAME, f->dir);
	snprintf(path, sizeof(path), "%s", a.sun_path);
	AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(control_server_open(&second, f->dir, handler, f, &f->e), 0);
	control_server_close(second);
	assert_int_equal(access(path, F_OK), -1);
}

static void the_socket_is_for_owner_and_group_alone(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	char path[PATH_MAX + 32];
	start(f);
	snprintf(path, sizeof(path), "%s/" CONTROL_SOCKET_NAME, f->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(stat(f->dir, &st), 0);
	assert_int_equal(st.st_mode & 0007, 0);
	stop(f);
}

static void a_folder_that_others_can_write_is_refused(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(mkdir(f->dir, 0700), 0);
	assert_int_equal(chmod(f->dir, 0777), 0);
	assert_int_equal(control_server_open(&f->server, f->dir, handler, f, &f->e), -1);
	assert_int_equal(f->e.code, ERR_CONFIG);
}

static void a_path_longer_than_a_socket_address_works(void **state)
{
	struct fixture *f = *state;
	AUTO(json_free) struct json *j = NULL;
	char part[101], parent[PATH_MAX];
	memset(part, 'd', 100);
	part[100] = 0;
	snprintf(parent, sizeof(parent), "%s/%s", f->root, part);
	snprintf(f->dir, sizeof(f->dir), "%.300s/%s", parent, part);
	start(f);
	assert_int_equal(control_ask(&j, NULL, f->dir, "x", 5000, &f->e), 0);
	stop(f);
	assert_int_equal(rmdir(f->dir), 0);
	assert_int_equal(rmdir(parent), 0);
}

/* Sends bytes and returns the first line of what comes back. */
static void exchange(const struct fixture *f, const char *bytes, size_t n, char *out, size_t size)
{
	AUTO_FD int fd = raw_connect(f);
	size_t got = 0;
	while (n) {
		ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
		if (sent <= 0)
			break;
		bytes += sent;
		n -= (size_t)sent;
	}
	for (;;) {
		ssize_t r = recv(fd, out + got, size - 1 - got, 0);
		if (r <= 0)
			break;
		got += (size_t)r;
	}
	out[got] = 0;
}

static void what_is_no_request_is_answered_with_an_error(void **state)
{
	static const char *const wrong[] = { "\n", "{\n", "[]\n", "{\"request\":5}\n", "\xff\xfe\n",
		"\"status\"\n", "{\"request\":null}\n" };
	struct fixture *f = *state;
	char out[1024];
	start(f);
	for (size_t i = 0; i < ARRAY_N(wrong); i++) {
		exchange(f, wrong[i], strlen(wrong[i]), out, sizeof(out));
		assert_non_null(strstr(out, "\"error\""));
	}
	stop(f);
	assert_int_equal(f->asked, 0);
}

static void a_request_without_end_is_bounded(void **state)
{
	struct fixture *f = *state;
	char out[1024];
	AUTO_FREE char *flood = xcalloc(1, CONTROL_MAX_REQUEST + 10000);
	memset(flood, 'a', CONTROL_MAX_REQUEST + 10000);
	start(f);
	exchange(f, flood, CONTROL_MAX_REQUEST + 10000, out, sizeof(out));
	stop(f);
	assert_int_equal(f->asked, 0);
}

static void silent_clients_are_dropped_and_do_not_keep_others_out(void **state)
{
	struct fixture *f = *state;
	int fds[CONTROL_MAX_CLIENTS];
	assert_int_equal(control_server_open(&f->server, f->dir, handler, f, &f->e), 0);
	for (int i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		fds[i] = raw_connect(f);
		control_server_step(f->server, 0);
	}
	/* One too many: closed without an answer. */
	AUTO_FD int extra = raw_connect(f);
	char c;
	control_server_step(f->server, 0);
	assert_int_equal(recv(extra, &c, 1, MSG_DONTWAIT), 0);
	/* Past their time all are gone, and there is room again. */
	uint64_t later = clock_mono_ns() + (CONTROL_TIMEOUT_MS + 1000) * 1000000ull;
	control_server_step(f->server, later);
	for (int i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		assert_int_equal(recv(fds[i], &c, 1, MSG_DONTWAIT), 0);
		close(fds[i]);
	}
	AUTO_FD int again = raw_connect(f);
	control_server_step(f->server, 0);
	assert_int_equal(send(again, "{\"request\":\"x\"}\n", 16, MSG_NOSIGNAL), 16);
	control_server_step(f->server, 0);
	assert_int_equal(f->asked, 1);
}

static void a_service_that_does_not_answer_is_given_up(void **state)
{
	struct fixture *f = *state;
	AUTO(json_free) struct json *j = NULL;
	assert_int_equal(control_server_open(&f->server, f->dir, handler, f, &f->e), 0);
	assert_int_equal(control_ask(&j, NULL, f->dir, "x", 30, &f->e), -1);
	assert_int_equal(f->e.code, ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_request_is_answered),
		T(a_large_answer_arrives_whole),
		T(an_answer_past_the_bound_is_an_error_not_a_part),
		T(the_services_error_comes_back),
		T(without_a_service_it_is_not_found),
		T(a_second_server_refuses_and_a_stale_socket_is_replaced),
		T(the_socket_is_for_owner_and_group_alone),
		T(a_folder_that_others_can_write_is_refused),
		T(a_path_longer_than_a_socket_address_works),
		T(what_is_no_request_is_answered_with_an_error),
		T(a_request_without_end_is_bounded),
		T(silent_clients_are_dropped_and_do_not_keep_others_out),
		T(a_service_that_does_not_answer_is_given_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
