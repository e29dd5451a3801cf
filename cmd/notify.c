#include "cmd/notify.h"

#include "base/scope.h"
#include "base/str.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

void notify_send(const char *lines)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct str path = str_from(getenv("NOTIFY_SOCKET"));
	if (path.n < 2 || path.n >= sizeof(a.sun_path) || (path.p[0] != '/' && path.p[0] != '@'))
		return;
	memcpy(a.sun_path, path.p, path.n);
	if (path.p[0] == '@')
		a.sun_path[0] = 0; /* abstract */
	AUTO_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n);
	/* Not waiting: a manager that does not read must not stop the watch. */
	if (sendto(fd, lines, strlen(lines), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&a,
		    n) < 0)
		return;
}

uint64_t notify_watchdog_ns(void)
{
	uint64_t us, pid;
	struct str pid_text = str_from(getenv("WATCHDOG_PID"));
	if (!str_to_u64(str_from(getenv("WATCHDOG_USEC")), &us) || us > UINT64_MAX / 1000)
		return 0;
	if (pid_text.p && (!str_to_u64(pid_text, &pid) || pid != (uint64_t)getpid()))
		return 0;
	return us * 1000 / 2;
}
