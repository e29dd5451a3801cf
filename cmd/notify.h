/* sd_notify(3)'s protocol without its library: one datagram to $NOTIFY_SOCKET. */
#ifndef HW_CMD_NOTIFY_H
#define HW_CMD_NOTIFY_H

#include <stdint.h>

/* Send lines such as "READY=1". Does nothing without a service manager; a lost message is none of ours. */
void notify_send(const char *lines);

/* How often WATCHDOG=1 is expected, halved; 0: not expected (of this process). */
uint64_t notify_watchdog_ns(void);

#endif
