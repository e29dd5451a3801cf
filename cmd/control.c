#include "cmd/control.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define NS_PER_MS 1000000u

struct client {
	int fd; /* -1: free */
	uint64_t deadline_ns;
	bool answering;
	struct buf in, out;
	size_t sent;
};

struct control_server {
	int dir_fd, listen_fd, epoll_fd;
	ino_t inode; /* of our socket: another instance's is not removed */
	control_handler handler;
	void *ctx;
	struct client clients[CONTROL_MAX_CLIENTS];
};

/* ---- addresses ---- */

/* Through the folder's descriptor, so that its path may be longer than sun_path. */
static void socket_address(struct sockaddr_un *a, int dir_fd)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(a->sun_path, sizeof(a->sun_path), "/proc/self/fd/%d/" CONTROL_SOCKET_NAME, dir_fd);
}

static int connect_in(int dir_fd, int flags)
{
	struct sockaddr_un a;
	socket_address(&a, dir_fd);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* ---- opening the server ---- */

/* Each missing part of `dir`; the last one 0750. */
static int make_dirs(const char *dir, struct err *e)
{
	char path[PATH_MAX];
	if ((size_t)snprintf(path, sizeof(path), "%s", dir) >= sizeof(path))
		return err_set(e, ERR_LIMIT, "make %s: the path is too long", dir);
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		if (mkdir(path, 0755) && errno != EEXIST)
			return err_set(e, ERR_SYS, "make %s", path);
		*p = '/';
	}
	if (mkdir(path, 0750) && errno != EEXIST)
		return err_set(e, ERR_SYS, "make %s", path);
	return 0;
}

static int open_dir(struct control_server *s, const char *dir, struct err *e)
{
	struct stat st;
	if (make_dirs(dir, e))
		return -1;
	s->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->dir_fd < 0 || fstat(s->dir_fd, &st))
		return err_set(e, ERR_SYS, "open %s", dir);
	/* In a folder of somebody else the socket could be replaced under its users. */
	if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & S_IWOTH))
		return err_set(e, ERR_CONFIG,
			"%s belongs to user %u with mode %o: give a runtime_dir that others cannot write",
			dir, st.st_uid, st.st_mode & 07777u);
	return 0;
}

static int remove_stale(struct control_server *s, const char *dir, struct err *e)
{
	AUTO_FD int fd = connect_in(s->dir_fd, SOCK_NONBLOCK);
	if (fd >= 0 || errno == EAGAIN)
		return err_set(e, ERR_BUSY,
			"%s/" CONTROL_SOCKET_NAME ": another service listens there", dir);
	if (errno == ENOENT)
		return 0;
	if (unlinkat(s->dir_fd, CONTROL_SOCKET_NAME, 0) && errno != ENOENT)
		return err_set(e, ERR_SYS, "remove %s/" CONTROL_SOCKET_NAME, dir);
	return 0;
}

static int watch(struct control_server *s, int fd, uint32_t events, void *key, int op)
{
	struct epoll_event ev = { .events = events, .data.ptr = key };
	return epoll_ctl(s->epoll_fd, op, fd, &ev);
}

static int start_listening(struct control_server *s, const char *dir, struct err *e)
{
	struct sockaddr_un a;
	struct stat st;
	socket_address(&a, s->dir_fd);
	s->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->listen_fd < 0 || s->epoll_fd < 0)
		return err_set(e, ERR_SYS, "control socket");
	/* The socket's own mode is what bind() gives to the name: never wider than 0660, not even at first. */
	if (fchmod(s->listen_fd, 0660) || bind(s->listen_fd, (struct sockaddr *)&a, sizeof(a)) ||
		fchmodat(s->dir_fd, CONTROL_SOCKET_NAME, 0660, 0) ||
		fstatat(s->dir_fd, CONTROL_SOCKET_NAME, &st, AT_SYMLINK_NOFOLLOW) ||
		listen(s->listen_fd, CONTROL_MAX_CLIENTS) ||
		watch(s, s->listen_fd, EPOLLIN, s, EPOLL_CTL_ADD))
		return err_set(e, ERR_SYS, "listen on %s/" CONTROL_SOCKET_NAME, dir);
	s->inode = st.st_ino;
	return 0;
}

int control_server_open(struct control_server **out, const char *dir, control_handler handler,
	void *ctx, struct err *e)
{
	AUTO(control_server_close) struct control_server *s = xcalloc(1, sizeof(*s));
	s->dir_fd = s->listen_fd = s->epoll_fd = -1;
	s->handler = handler;
	s->ctx = ctx;
	for (int i = 0; i < CONTROL_MAX_CLIENTS; i++)
		s->clients[i].fd = -1;
	if (open_dir(s, dir, e) || remove_stale(s, dir, e) || start_listening(s, dir, e))
		return -1;
	*out = TAKE(s);
	return 0;
}

/* ---- clients ---- */

static void drop_client(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	buf_fini(&c->in);
	buf_fini(&c->out);
	*c = (struct client){ .fd = -1 };
}

void control_server_close(struct control_server *s)
{
	struct stat st;
	if (!s)
		return;
	for (int i = 0; i < CONTROL_MAX_CLIENTS; i++)
		drop_client(&s->clients[i]);
	if (s->inode && fstatat(s->dir_fd, CONTROL_SOCKET_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		st.st_ino == s->inode)
		unlinkat(s->dir_fd, CONTROL_SOCKET_NAME, 0);
	if (s->listen_fd >= 0)
		close(s->listen_fd);
	if (s->epoll_fd >= 0)
		close(s->epoll_fd);
	if (s->dir_fd >= 0)
		close(s->dir_fd);
	free(s);
}

int control_server_fd(const struct control_server *s)
{
	return s->epoll_fd;
}

static bool may_ask(int fd)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n))
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

void control_answer_error(struct buf *answer, const struct err *e)
{
	struct jw w = jw_on(answer);
	jw_obj(&w);
	jw_key(&w, "error");
	jw_obj(&w);
	jw_kv_i64(&w, "code", e->code);
	jw_kv_strz(&w, "message", e->msg);
	jw_end_obj(&w);
	jw_end_obj(&w);
}

static void send_some(struct client *c)
{
	while (c->sent < c->out.n) {
		ssize_t n = send(c->fd, c->out.p + c->sent, c->out.n - c->sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			break;
		c->sent += (size_t)n;
	}
	drop_client(c);
}

static void begin_answer(struct control_server *s, struct client *c)
{
	struct err e = { 0 };
	if (c->out.full) {
		buf_reset(&c->out);
		c->out.full = false;
		err_set(&e, ERR_LIMIT, "the answer is larger than %u bytes", CONTROL_MAX_ANSWER);
		control_answer_error(&c->out, &e);
	}
	buf_putc(&c->out, '\n');
	c->answering = true;
	c->deadline_ns = clock_mono_ns() + (uint64_t)CONTROL_TIMEOUT_MS * NS_PER_MS;
	if (watch(s, c->fd, EPOLLOUT, c, EPOLL_CTL_MOD))
		drop_client(c);
	else
		send_some(c);
}

static void answer_line(struct control_server *s, struct client *c, struct str line)
{
	AUTO(json_free) struct json *j = NULL;
	struct err e = { 0 };
	if (json_parse(&j, line, CONTROL_MAX_REQUEST, &e) == 0 &&
		json_type(json_get(json_root(j), "request")) != JSON_STR)
		err_set(&e, ERR_USAGE, "an object with a text \"request\" is needed");
	if (e.code)
		control_answer_error(&c->out, &e);
	else
		s->handler(s->ctx, json_root(j), &c->out);
	begin_answer(s, c);
}

static void read_some(struct control_server *s, struct client *c)
{
	char chunk[4096];
	ssize_t n = recv(c->fd, chunk, sizeof(chunk), 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop_client(c);
		return;
	}
	buf_put(&c->in, chunk, (size_t)n);
	struct str all = buf_str(&c->in);
	const char *end = memchr(all.p, '\n', all.n);
	if (end) {
		answer_line(s, c, str_of(all.p, (size_t)(end - all.p)));
	} else if (c->in.full) {
		struct err e = { 0 };
		err_set(&e, ERR_LIMIT, "the request is larger than %u bytes", CONTROL_MAX_REQUEST);
		control_answer_error(&c->out, &e);
		begin_answer(s, c);
	}
}

static void take_client(struct control_server *s)
{
	int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	for (int i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		struct client *c = &s->clients[i];
		if (c->fd >= 0)
			continue;
		*c = (struct client){ .fd = fd,
			.in = BUF_INIT(CONTROL_MAX_REQUEST),
			.out = BUF_INIT(CONTROL_MAX_ANSWER),
			.deadline_ns = clock_mono_ns() + (uint64_t)CONTROL_TIMEOUT_MS * NS_PER_MS };
		if (watch(s, fd, EPOLLIN, c, EPOLL_CTL_ADD)) {
			drop_client(c);
		} else if (!may_ask(fd)) {
			struct err e = { 0 };
			err_set(&e, ERR_USAGE, "only root and the service's own user may ask");
			control_answer_error(&c->out, &e);
			begin_answer(s, c);
		}
		return;
	}
	close(fd); /* no place: the other end sees an empty answer */
}

void control_server_step(struct control_server *s, uint64_t mono_ns)
{
	struct epoll_event ready[CONTROL_MAX_CLIENTS + 1];
	int n = epoll_wait(s->epoll_fd, ready, (int)ARRAY_N(ready), 0);
	for (int i = 0; i < n; i++) {
		struct client *c = ready[i].data.ptr;
		if (ready[i].data.ptr == s)
			take_client(s);
		else if (c->fd >= 0 && c->answering)
			send_some(c);
		else if (c->fd >= 0)
			read_some(s, c);
	}
	for (int i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (s->clients[i].fd >= 0 && s->clients[i].deadline_ns < mono_ns)
			drop_client(&s->clients[i]);
}

/* ---- asking ---- */

static int wait_for(int fd, short events, uint64_t deadline_ns, struct err *e)
{
	for (;;) {
		uint64_t now = clock_mono_ns();
		if (now >= deadline_ns)
			return err_set(e, ERR_LIMIT, "no answer in time");
		struct pollfd p = { .fd = fd, .events = events };
		int n = poll(&p, 1, (int)((deadline_ns - now) / NS_PER_MS) + 1);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_set(e, ERR_SYS, "poll");
	}
}

static int send_all(int fd, struct str text, uint64_t deadline_ns, struct err *e)
{
	while (text.n) {
		ssize_t n = send(fd, text.p, text.n, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN) {
			if (wait_for(fd, POLLOUT, deadline_ns, e))
				return -1;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, ERR_SYS, "send");
		text = str_of(text.p + n, text.n - (size_t)n);
	}
	return 0;
}

static int receive_line(int fd, struct buf *b, uint64_t deadline_ns, struct err *e)
{
	for (;;) {
		char *at = buf_reserve(b, 16384);
		if (!at)
			return err_set(e, ERR_LIMIT, "the answer is larger than %zu bytes", b->max);
		ssize_t n = recv(fd, at, 16384, 0);
		if (n < 0 && errno == EAGAIN) {
			if (wait_for(fd, POLLIN, deadline_ns, e))
				return -1;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, ERR_SYS, "receive");
		if (n == 0)
			return err_set(e, ERR_BUSY, "it has no place for another client");
		b->n += (size_t)n;
		if (b->p[b->n - 1] == '\n')
			return 0;
	}
}

static int ask(struct buf *answer, int dir_fd, struct str request, int timeout_ms, struct err *e)
{
	uint64_t deadline_ns = clock_mono_ns() + (uint64_t)timeout_ms * NS_PER_MS;
	AUTO_FD int fd = connect_in(dir_fd, SOCK_NONBLOCK);
	if (fd < 0 && (errno == ENOENT || errno == ECONNREFUSED))
		return err_set(e, ERR_NOT_FOUND, "no service listens there");
	if (fd < 0)
		return err_set(e, ERR_SYS, "connect");
	if (send_all(fd, request, deadline_ns, e))
		return -1;
	return receive_line(fd, answer, deadline_ns, e);
}

static void put_request(struct buf *b, const char *name)
{
	struct jw w = jw_on(b);
	jw_obj(&w);
	jw_kv_strz(&w, "request", name);
	jw_end_obj(&w);
	buf_putc(b, '\n');
}

/* The service's error as ours; its errno is not ours to print. */
static int answered_error(const struct json_node *error, struct err *e)
{
	int64_t code = json_int(json_get(error, "code"), ERR_FORMAT);
	struct str text = json_str(json_get(error, "message"), STR("it failed"));
	if (code <= ERR_SYS || code > ERR_UNSUPPORTED || code == ERR_NOT_FOUND)
		code = ERR_BUSY;
	return err_set(e, (enum err_code)code, "the service answers: %.*s", STR_ARG(text));
}

int control_ask(struct json **out, struct buf *text, const char *dir, const char *name,
	int timeout_ms, struct err *e)
{
	AUTO(buf_fini) struct buf request = BUF_INIT(4096);
	AUTO(buf_fini) struct buf answer = BUF_INIT(CONTROL_MAX_ANSWER + 32768);
	AUTO(json_free) struct json *j = NULL;
	AUTO_FD int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set(
			e, ERR_NOT_FOUND, "control socket in %s: no service listens there", dir);
	if (dir_fd < 0)
		return err_set(e, ERR_SYS, "control socket in %s", dir);
	put_request(&request, name);
	if (ask(&answer, dir_fd, buf_str(&request), timeout_ms, e) ||
		json_parse(&j, buf_str(&answer), CONTROL_MAX_ANSWER + 32768, e))
		return err_wrap(e, "control socket in %s", dir);
	const struct json_node *error = json_get(json_root(j), "error");
	if (error)
		return answered_error(error, e);
	if (text)
		buf_put_str(text, buf_str(&answer));
	*out = TAKE(j);
	return 0;
}
