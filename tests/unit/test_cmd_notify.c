#include "cmd/notify.h"

#include "base/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

static int listen_at(const char *name, socklen_t n)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	memcpy(a.sun_path, name, n);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	n += (socklen_t)offsetof(struct sockaddr_un, sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
	return fd;
}

static void expect_message(int fd, const char *text)
{
	char got[256] = "";
	assert_int_equal(recv(fd, got, sizeof(got) - 1, 0), strlen(text));
	assert_string_equal(got, text);
}

static void a_message_reaches_a_socket_in_the_file_system(void **state)
{
	(void)state;
	char dir[] = "/tmp/hw-notify-XXXXXX", path[64];
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	AUTO_FD int fd = listen_at(path, (socklen_t)strlen(path));
	setenv("NOTIFY_SOCKET", path, 1);
	notify_send("READY=1");
	expect_message(fd, "READY=1");
	unlink(path);
	rmdir(dir);
	notify_send("READY=1"); /* nobody listens any more: no crash, no wait */
}

static void a_message_reaches_an_abstract_socket(void **state)
{
	(void)state;
	char name[64], env[64];
	snprintf(name + 1, sizeof(name) - 1, "hw-notify-%d", getpid());
	name[0] = 0;
	snprintf(env, sizeof(env), "@%s", name + 1);
	AUTO_FD int fd = listen_at(name, (socklen_t)(1 + strlen(name + 1)));
	setenv("NOTIFY_SOCKET", env, 1);
	notify_send("WATCHDOG=1\nSTATUS=x");
	expect_message(fd, "WATCHDOG=1\nSTATUS=x");
}

static void addresses_that_cannot_be_are_passed_over(void **state)
{
	(void)state;
	char large[300];
	memset(large, 'a', sizeof(large) - 1);
	large[0] = '/';
	large[sizeof(large) - 1] = 0;
	const char *const wrong[] = { "", "/", "relative", large };
	for (size_t i = 0; i < ARRAY_N(wrong); i++) {
		setenv("NOTIFY_SOCKET", wrong[i], 1);
		notify_send("READY=1");
	}
	unsetenv("NOTIFY_SOCKET");
	notify_send("READY=1");
}

static void the_watchdog_is_fed_twice_as_often_as_asked(void **state)
{
	(void)state;
	char pid[32];
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	assert_int_equal(notify_watchdog_ns(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(notify_watchdog_ns(), 15000000000u);
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_watchdog_ns(), 15000000000u);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_watchdog_ns(), 0);
	unsetenv("WATCHDOG_PID");
	setenv("WATCHDOG_USEC", "soon", 1);
	assert_int_equal(notify_watchdog_ns(), 0);
	setenv("WATCHDOG_USEC", "18446744073709551615", 1);
	assert_int_equal(notify_watchdog_ns(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_reaches_a_socket_in_the_file_system),
		cmocka_unit_test(a_message_reaches_an_abstract_socket),
		cmocka_unit_test(addresses_that_cannot_be_are_passed_over),
		cmocka_unit_test(the_watchdog_is_fed_twice_as_often_as_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
