/* SPDX-License-Identifier: Apache-2.0 */
/* The console as an ordinary client of its own server: one connection, signed in with the token of
 * who looks, for one page. So the roles of tokens, their limits and their end, the slow log and the
 * list of clients hold for pages as they do for programs, and no page touches the store.
 *
 * Ownership: open to close; the payload of console_question is the link's. Errors: struct
 * icp_fault, as of any client. Threads: one link, one thread; `stops` may be set from any, and ends
 * what waits. Times: a page waits CONSOLE_WAIT_MS for a reply. Cost: a socket pair, a hello. */
#ifndef CONSOLE_CONSOLE_LINK_H
#define CONSOLE_CONSOLE_LINK_H

#include <stdatomic.h>

#include "client/icp.h"
#include "proto/fault.h"

#define CONSOLE_WAIT_MS 30000
#define CONSOLE_REPLY_BYTES_MAX ((size_t)32 << 20)

struct console_dial {
    /* A socket that does not block and that the server's protocol is spoken on; taken. -1 with
     * *fault. */
    int (*connect)(void *context, struct proto_fault *fault);
    void *context;
    atomic_bool stops;
};

struct console_link;

/* token NULL: none is needed. NULL with *fault: refused (ICP_BAD_TOKEN and the like), or not
 * reached. */
struct console_link *console_link_open(struct console_dial *dial, const char *token,
                                       struct icp_fault *fault);
void console_link_close(struct console_link *link); /* NULL is fine */
const char *console_link_role(const struct console_link *link);
const char *console_link_server(const struct console_link *link); /* name and version */

/* An empty payload for the next request. */
struct icp_payload *console_question(struct console_link *link);
/* Sends it and waits. Returns whether a reply came; reply->fault says why none did. The reply is
 * the caller's: zero before its first use, icp_reply_fini at the end. */
bool console_ask(struct console_link *link, enum icp_op op, struct icp_reply *reply);

#endif
