/*
 * Makes an exactly known number of events in a cgroup of its own.
 *
 *   produce CGROUP KIND=N...       then prints one JSON object: events made, by class
 *   produce CGROUP -- PROGRAM ...  enters the cgroup and runs the program instead
 *
 * KIND: open, missing (an open that fails), fork, exec, noexec (an exec that fails), connect
 * (socket, connect and accept over loopback), getpid. The process's own end counts as one exit.
 */
#include "tests/tools/tool.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

struct counts {
	long open, fork, exec, exit, socket, bind, listen, connect, accept;
};

static const char *self;

static void make_open(struct counts *c)
{
	long fd = syscall(SYS_openat, AT_FDCWD, "/etc/hostname", O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		tool_die("/etc/hostname");
	close((int)fd);
	c->open++;
}

static void make_missing(struct counts *c)
{
	syscall(SYS_openat, AT_FDCWD, "/nonexistent/hwtest", O_RDONLY, 0);
	c->open++;
}

static void make_fork(struct counts *c)
{
	pid_t child = fork();

	if (child < 0)
		tool_die("fork");
	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
	c->fork++;
	c->exit++;
}

static void make_exec(struct counts *c)
{
	char *argv[] = { (char *)self, NULL }, *envp[] = { NULL };
	pid_t child = fork();

	if (child < 0)
		tool_die("fork");
	if (child == 0) {
		execve(self, argv, envp);
		_exit(127);
	}
	waitpid(child, NULL, 0);
	c->fork++;
	c->exec++;
	c->exit++;
}

static void make_noexec(struct counts *c)
{
	char *argv[] = { "hwtest", NULL }, *envp[] = { NULL };

	execve("/nonexistent/hwtest", argv, envp);
	c->exec++;
}

static void make_getpid(struct counts *c)
{
	(void)c;
	syscall(SYS_getpid);
}

/* The listening end, made with the first connection. */
static int server(struct counts *c, struct sockaddr_in *at)
{
	static struct sockaddr_in bound = { .sin_family = AF_INET };
	static int fd = -1;
	socklen_t len = sizeof(bound);

	if (fd < 0) {
		bound.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0 || bind(fd, (struct sockaddr *)&bound, sizeof(bound)) || listen(fd, 8) ||
			getsockname(fd, (struct sockaddr *)&bound, &len))
			tool_die("listen");
		c->socket++;
		c->bind++;
		c->listen++;
	}
	*at = bound;
	return fd;
}

static void make_connect(struct counts *c)
{
	struct linger reset = { 1, 0 };
	struct sockaddr_in at;
	int listener = server(c, &at), fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)))
		tool_die("connect");
	int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (peer < 0)
		tool_die("accept");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
	close(peer);
	c->socket++;
	c->connect++;
	c->accept++;
}

static const struct {
	const char *name;
	void (*make)(struct counts *c);
} kinds[] = {
	{ "open", make_open },
	{ "missing", make_missing },
	{ "fork", make_fork },
	{ "exec", make_exec },
	{ "noexec", make_noexec },
	{ "connect", make_connect },
	{ "getpid", make_getpid },
};

static void make(struct counts *c, const char *word)
{
	const char *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (len != strlen(kinds[i].name) || strncmp(word, kinds[i].name, len) != 0)
			continue;
		for (long n = strtol(equals + 1, NULL, 10); n > 0; n--)
			kinds[i].make(c);
		return;
	}
	errno = EINVAL;
	tool_die(word);
}

int main(int argc, char **argv)
{
	struct counts c = { .exit = 1 };

	if (argc < 2)
		return 0; /* what `exec` runs */
	self = argv[0];
	tool_enter_cgroup(argv[1]);
	if (argc > 3 && strcmp(argv[2], "--") == 0) {
		execv(argv[3], argv + 3);
		tool_die(argv[3]);
	}
	for (int i = 2; i < argc; i++)
		make(&c, argv[i]);
	printf("{\"open\":%ld,\"fork\":%ld,\"exec\":%ld,\"exit\":%ld,\"socket\":%ld,"
	       "\"bind\":%ld,\"listen\":%ld,\"connect\":%ld,\"accept\":%ld}\n",
		c.open, c.fork, c.exec, c.exit, c.socket, c.bind, c.listen, c.connect, c.accept);
	fflush(stdout);
	return 0;
}
