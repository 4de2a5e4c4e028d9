/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the service manager how far the server is (sd_notify(3)): one datagram to the socket that
 * NOTIFY_SOCKET names, nothing where there is none. Errors: a message that cannot be sent is lost;
 * a server does not fail because nobody supervises it. Threads: the main thread. Source:
 * systemd.io/PORTABILITY_AND_STABILITY (the protocol is stable), sd_notify(3). */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

/* Such as "READY=1", "STOPPING=1". */
void server_notify(const char *state);
/* RELOADING=1 with the time that Type=notify-reload wants; READY=1 is to follow. */
void server_notify_reloading(void);

#endif
