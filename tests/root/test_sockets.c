/* Sockets as the kernel tells them, against getsockname, getpeername and the calls' results. */
#include "tests/root/scene.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

struct ends {
	struct sockaddr_storage local, remote;
};

struct play {
	bool absent; /* the family is not there */
	int server, client, accepted;
	struct ends server_ends, client_ends, accepted_ends;
	struct sockaddr_storage asked;
	int ret[8];
	char path[108];
};

static struct ends ends_of(int fd)
{
	struct ends e = { 0 };
	socklen_t n = sizeof(e.local), m = sizeof(e.remote);

	getsockname(fd, (struct sockaddr *)&e.local, &n);
	getpeername(fd, (struct sockaddr *)&e.remote, &m);
	return e;
}

static void loopback(struct sockaddr_storage *a, int family, uint16_t port)
{
	memset(a, 0, sizeof(*a));
	if (family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)a;
		*in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	} else {
		struct sockaddr_in6 *in = (struct sockaddr_in6 *)a;
		*in = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
		in->sin6_addr = in6addr_loopback;
	}
}

static socklen_t len_of(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

/* Is one end as told the same as `want`? A family of 0 is an end that was not there. */
static void check_end(const struct event_addr *got, const struct sockaddr_storage *want)
{
	static const uint8_t zero[16];

	if (want->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)want;
		assert_memory_equal(got->addr, &in->sin_addr, 4);
		assert_int_equal(got->port, ntohs(in->sin_port));
	} else if (want->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)want;
		assert_memory_equal(got->addr, &in->sin6_addr, 16);
		assert_int_equal(got->port, ntohs(in->sin6_port));
	} else {
		assert_memory_equal(got->addr, zero, 16);
		assert_int_equal(got->port, 0);
	}
}

static void check_ends(const struct event *ev, const struct ends *e)
{
	check_end(&ev->net.local, &e->local);
	check_end(&ev->net.remote, &e->remote);
}

static void talk(struct play *p, int family)
{
	struct sockaddr_storage a;

	loopback(&a, family, 0);
	p->server = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p->server < 0 || bind(p->server, (struct sockaddr *)&a, len_of(&a))) {
		p->absent = true;
		return;
	}
	ACT(listen(p->server, 17) == 0);
	p->server_ends = ends_of(p->server);
	p->client = socket(family, SOCK_STREAM, IPPROTO_TCP);
	ACT(connect(p->client, (struct sockaddr *)&p->server_ends.local, len_of(&a)) == 0);
	p->client_ends = ends_of(p->client);
	p->accepted = accept4(p->server, NULL, NULL, SOCK_CLOEXEC);
	ACT(p->accepted >= 0);
	p->accepted_ends = ends_of(p->accepted);
}

static void talk_4(void *shared)
{
	talk(shared, AF_INET);
}

static void talk_6(void *shared)
{
	talk(shared, AF_INET6);
}

static void check_talk(struct scene *s, pid_t pid, int family)
{
	const struct play *p = s->shared;
	const struct event *ev;

	ev = scene_need(s, EVENT_SOCKET, pid, 0);
	assert_int_equal(ev->ret, p->server);
	assert_int_equal(ev->net.fd, p->server);
	assert_int_equal(ev->net.family, family);
	assert_int_equal(ev->net.type, SOCK_STREAM);
	assert_int_equal(scene_need(s, EVENT_SOCKET, pid, 1)->net.protocol, IPPROTO_TCP);
	ev = scene_need(s, EVENT_BIND, pid, 0);
	assert_int_equal(ev->ret, 0);
	assert_int_equal(ev->net.fd, p->server);
	check_ends(ev, &p->server_ends);
	ev = scene_need(s, EVENT_LISTEN, pid, 0);
	assert_int_equal(ev->net.backlog, 17);
	assert_true(ev->net.listening);
	check_ends(ev, &p->server_ends);
	ev = scene_need(s, EVENT_CONNECT, pid, 0);
	assert_int_equal(ev->ret, 0);
	assert_int_equal(ev->net.fd, p->client);
	assert_false(ev->net.listening);
	check_ends(ev, &p->client_ends);
	ev = scene_need(s, EVENT_ACCEPT, pid, 0);
	assert_int_equal(ev->ret, p->accepted);
	assert_int_equal(ev->net.fd, p->accepted);
	check_ends(ev, &p->accepted_ends);
	for (enum event_class c = EVENT_CONNECT; c < EVENT_SOCKET; c++) {
		ev = scene_need(s, c, pid, 0);
		assert_int_equal(ev->flags, 0);
		assert_int_equal(ev->net.family, family);
		assert_int_equal(ev->net.type, SOCK_STREAM);
		assert_int_equal(ev->net.protocol, IPPROTO_TCP);
		assert_int_equal(scene_count(s, c, pid), 1);
	}
}

static void a_conversation_is_told_from_both_sides(void **state)
{
	struct scene *s = *state;
	check_talk(s, scene_play(s, talk_4), AF_INET);
}

static void ipv6_is_told_as_well(void **state)
{
	struct scene *s = *state;
	pid_t pid = scene_play(s, talk_6);
	const struct play *p = s->shared;

	if (p->absent) {
		fprintf(stderr, "SKIP: no IPv6 here\n");
		skip();
	}
	check_talk(s, pid, AF_INET6);
}

static void be_refused(void *shared)
{
	struct play *p = shared;
	struct sockaddr_storage a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	/* a port that nobody listens at: bound, so that nobody else gets it */
	loopback(&a, AF_INET, 0);
	ACT(bind(fd, (struct sockaddr *)&a, len_of(&a)) == 0);
	p->asked = ends_of(fd).local;
	p->client = socket(AF_INET, SOCK_STREAM, 0);
	errno = 0;
	ACT(connect(p->client, (struct sockaddr *)&p->asked, len_of(&a)) == -1);
	p->ret[0] = -errno;
	/* and the port cannot be had twice */
	ACT(bind(p->client, (struct sockaddr *)&p->asked, len_of(&a)) == -1);
	p->ret[1] = -errno;
	ACT(connect(12345, (struct sockaddr *)&p->asked, len_of(&a)) == -1);
	p->ret[2] = -errno;
	ACT(accept4(fd, NULL, NULL, 0) == -1);
	p->ret[3] = -errno;
	ACT(connect(0, (struct sockaddr *)&p->asked, len_of(&a)) == -1);
	p->ret[4] = -errno;
}

static void a_refused_connection_tells_where_it_should_have_gone(void **state)
{
	struct scene *s = *state;
	pid_t pid = scene_play(s, be_refused);
	const struct play *p = s->shared;
	const struct event *ev = scene_need(s, EVENT_CONNECT, pid, 0);

	assert_int_equal(p->ret[0], -ECONNREFUSED);
	assert_int_equal(ev->ret, -ECONNREFUSED);
	assert_true(ev->flags & EVENT_F_UNVERIFIED);
	assert_int_equal(ev->net.family, AF_INET);
	check_end(&ev->net.remote, &p->asked);
	ev = scene_need(s, EVENT_BIND, pid, 1);
	assert_int_equal(ev->ret, p->ret[1]);
	assert_true(ev->flags & EVENT_F_UNVERIFIED);
	check_end(&ev->net.local, &p->asked);
	/* no descriptor, and one that is no socket: the caller's word all the same */
	for (size_t i = 1; i <= 2; i++) {
		ev = scene_need(s, EVENT_CONNECT, pid, i);
		assert_int_equal(ev->ret, p->ret[i == 1 ? 2 : 4]);
		assert_true(ev->flags & EVENT_F_UNVERIFIED);
		assert_int_equal(ev->net.family, AF_INET);
		check_end(&ev->net.remote, &p->asked);
	}
	ev = scene_need(s, EVENT_ACCEPT, pid, 0);
	assert_int_equal(ev->ret, p->ret[3]);
	assert_true(ev->flags & EVENT_F_UNVERIFIED);
}

static void send_datagrams(void *shared)
{
	struct play *p = shared;
	struct sockaddr_storage a;
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	loopback(&a, AF_INET, 5353);
	p->client = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ACT(connect(p->client, (struct sockaddr *)&a, len_of(&a)) == 0);
	p->client_ends = ends_of(p->client);
	ACT(connect(p->client, &none, sizeof(none)) == 0);
	p->server_ends = ends_of(p->client);
}

static void a_datagram_socket_has_its_peer(void **state)
{
	struct scene *s = *state;
	pid_t pid = scene_play(s, send_datagrams);
	const struct play *p = s->shared;
	const struct event *ev = scene_need(s, EVENT_CONNECT, pid, 0);

	assert_int_equal(scene_need(s, EVENT_SOCKET, pid, 0)->net.type, SOCK_DGRAM);
	assert_int_equal(ev->net.type, SOCK_DGRAM);
	assert_int_equal(ev->net.protocol, IPPROTO_UDP);
	check_ends(ev, &p->client_ends);
	assert_int_equal(scene_need(s, EVENT_CONNECT, pid, 1)->net.remote.port, 0);
}

/* Talk over a unix socket whose address is of `len` bytes. */
static void talk_unix(struct play *p, const struct sockaddr_un *a, socklen_t len)
{
	p->server = socket(AF_UNIX, SOCK_STREAM, 0);
	p->client = socket(AF_UNIX, SOCK_STREAM, 0);
	ACT(p->server >= 0 && p->client >= 0);
	ACT(bind(p->server, (const struct sockaddr *)a, len) == 0 && listen(p->server, 3) == 0);
	ACT(connect(p->client, (const struct sockaddr *)a, len) == 0);
	p->accepted = (int)accept(p->server, NULL, NULL);
	ACT(p->accepted >= 0);
}

static void talk_path(void *shared)
{
	struct play *p = shared;
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char dir[64];

	ACT(getcwd(dir, sizeof(dir)) != NULL);
	snprintf(p->path, sizeof(p->path), "%s/sock", dir);
	memcpy(a.sun_path, p->path, sizeof(a.sun_path));
	talk_unix(p, &a, sizeof(a));
}

static void talk_abstract(void *shared)
{
	struct play *p = shared;
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(p->path, sizeof(p->path), "@hw-scene-%d", (int)getpid());
	memcpy(a.sun_path, p->path, sizeof(a.sun_path));
	a.sun_path[0] = 0;
	talk_unix(p, &a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(p->path)));
}

static void talk_full(void *shared)
{
	struct play *p = shared;
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	/* all 108 bytes of an abstract name: there is no end */
	memset(a.sun_path, 'f', sizeof(a.sun_path));
	a.sun_path[0] = 0;
	talk_unix(p, &a, sizeof(a));
}

static void check_unix(struct scene *s, pid_t pid, const char *path)
{
	const struct play *p = s->shared;
	static const enum event_class classes[] = { EVENT_BIND, EVENT_LISTEN, EVENT_CONNECT,
		EVENT_ACCEPT };
	const int fds[] = { p->server, p->server, p->client, p->accepted };

	for (size_t i = 0; i < ARRAY_N(classes); i++) {
		const struct event *ev = scene_need(s, classes[i], pid, 0);
		assert_int_equal(ev->net.family, AF_UNIX);
		assert_int_equal(ev->net.fd, fds[i]);
		assert_span(ev, net.path, path);
		/* whom a client meant it says itself; the rest is the kernel's */
		assert_int_equal(ev->flags, classes[i] == EVENT_CONNECT ? EVENT_F_UNVERIFIED : 0);
	}
	assert_int_equal(scene_need(s, EVENT_LISTEN, pid, 0)->net.backlog, 3);
}

static void a_unix_socket_has_its_path(void **state)
{
	struct scene *s = *state;
	pid_t pid = scene_play(s, talk_path);
	const struct play *p = s->shared;
	check_unix(s, pid, p->path);
}

static void an_abstract_socket_has_its_name(void **state)
{
	struct scene *s = *state;
	pid_t pid = scene_play(s, talk_abstract);
	const struct play *p = s->shared;
	check_unix(s, pid, p->path);
}

static void the_longest_name_is_whole(void **state)
{
	struct scene *s = *state;
	char name[109] = "@";

	memset(name + 1, 'f', 107);
	check_unix(s, scene_play(s, talk_full), name);
}

static void fail_unix(void *shared)
{
	struct play *p = shared;
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "/no/such/socket" };

	p->client = socket(AF_UNIX, SOCK_DGRAM, 0);
	ACT(connect(p->client, (struct sockaddr *)&a, sizeof(a)) == -1);
	p->ret[0] = -errno;
	ACT(bind(p->client, (struct sockaddr *)&a, sizeof(a)) == -1);
	p->ret[1] = -errno;
}

static void a_unix_socket_that_is_not_there_is_the_callers_word(void **state)
{
	struct scene *s = *state;
	pid_t pid = scene_play(s, fail_unix);
	const struct play *p = s->shared;
	static const enum event_class classes[] = { EVENT_CONNECT, EVENT_BIND };

	for (size_t i = 0; i < 2; i++) {
		const struct event *ev = scene_need(s, classes[i], pid, 0);
		assert_int_equal(ev->ret, p->ret[i]);
		assert_true(ev->ret < 0);
		assert_span(ev, net.path, "/no/such/socket");
		assert_true(ev->flags & EVENT_F_UNVERIFIED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_conversation_is_told_from_both_sides),
		cmocka_unit_test(ipv6_is_told_as_well),
		cmocka_unit_test(a_refused_connection_tells_where_it_should_have_gone),
		cmocka_unit_test(a_datagram_socket_has_its_peer),
		cmocka_unit_test(a_unix_socket_has_its_path),
		cmocka_unit_test(an_abstract_socket_has_its_name),
		cmocka_unit_test(the_longest_name_is_whole),
		cmocka_unit_test(a_unix_socket_that_is_not_there_is_the_callers_word),
	};
	return cmocka_run_group_tests(tests, scene_set_up, scene_tear_down);
}
