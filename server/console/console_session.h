/* SPDX-License-Identifier: Apache-2.0 */
/* Who is signed in: a session is 32 random bytes, which the browser keeps in a cookie, and the
 * token that was shown, which is kept here alone and shown to the server anew for each page. So a
 * token that is taken away or expires ends its sessions with it.
 *
 * Shapes: ids are 64 hex digits. Bounds: CONSOLE_SESSIONS_MAX; one more takes the place of the one
 * that was not used for the longest time. A session ends CONSOLE_IDLE_S after its last page and
 * CONSOLE_LIFE_S after its beginning. Ownership: tokens are copied, and wiped when the session
 * ends. Errors: false. Threads: any, behind one lock. Times: ns of a monotonic clock. Cost: a walk
 * over the places, which takes the same time whatever differs. */
#ifndef CONSOLE_CONSOLE_SESSION_H
#define CONSOLE_CONSOLE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/span.h"

#define CONSOLE_SESSIONS_MAX 64
#define CONSOLE_IDLE_S 1800u
#define CONSOLE_LIFE_S 43200u
#define CONSOLE_ID_BYTES 65
#define CONSOLE_TOKEN_BYTES 512

struct console_sessions;

struct console_sessions *console_sessions_create(void); /* NULL: no memory */
void console_sessions_destroy(struct console_sessions *all);

/* False: the token is too long, or the machine gives no random bytes. */
bool console_session_begin(struct console_sessions *all, const char *token, uint64_t now_ns,
                           char id[CONSOLE_ID_BYTES]);
/* The token of a session that stands, which the caller wipes. */
bool console_session_find(struct console_sessions *all, struct proto_span id, uint64_t now_ns,
                          char token[CONSOLE_TOKEN_BYTES]);
void console_session_end(struct console_sessions *all, struct proto_span id, uint64_t now_ns);

#endif
