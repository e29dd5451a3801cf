/*
 * The control socket: RUNTIME_DIR/control.sock. One request and one answer a connection, each one
 * line of JSON. Only root and the service's own user are heard.
 *
 * The server lives in a thread's poll loop and never blocks it: everything is bounded in size, number and time.
 */
#ifndef HW_CMD_CONTROL_H
#define HW_CMD_CONTROL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

#define CONTROL_SOCKET_NAME "control.sock"
#define CONTROL_MAX_CLIENTS 16
#define CONTROL_MAX_REQUEST (64u << 10)
#define CONTROL_MAX_ANSWER  (64u << 20)
#define CONTROL_TIMEOUT_MS                                                                         \
	5000 /* from connecting to the whole request, and for the answer to be read */

struct control_server;

/*
 * Answers one request (an object with a member "request"): write one JSON value into `answer`.
 * Called by control_server_step().
 */
typedef void (*control_handler)(void *ctx, const struct json_node *request, struct buf *answer);

/*
 * Make `dir` (0750) where it is missing and the socket (0660) in it; one that nobody listens on is
 * replaced. ERR_BUSY: a service listens there; ERR_SYS; ERR_CONFIG: the folder is another user's.
 * Close with control_server_close(), which removes the socket.
 */
int control_server_open(struct control_server **out, const char *dir, control_handler handler,
	void *ctx, struct err *e);
void control_server_close(struct control_server *s); /* NULL is fine */
DEFINE_AUTO(struct control_server, control_server_close)

/* A descriptor that is readable when control_server_step() has something to do. */
int control_server_fd(const struct control_server *s);

/* Do what can be done now; drops clients that are past their time. Also to be called about once a second. */
void control_server_step(struct control_server *s, uint64_t mono_ns);

/* The standard answer for what went wrong. */
void control_answer_error(struct buf *answer, const struct err *e);

/*
 * Ask the service: send {"request":NAME}, wait at most timeout_ms, parse the answer.
 * Returns 0 and *out (json_free), and with `text` (may be NULL) the answer as it came, appended.
 * ERR_NOT_FOUND: no service listens in `dir`; ERR_SYS (EACCES: not allowed); ERR_FORMAT; ERR_LIMIT (too
 * late, or too long); an error that the service answers comes back as such.
 */
int control_ask(struct json **out, struct buf *text, const char *dir, const char *name,
	int timeout_ms, struct err *e);

#endif
