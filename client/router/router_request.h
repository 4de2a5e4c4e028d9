/* SPDX-License-Identifier: Apache-2.0 */
/* The head of an HTTP/1.1 request, as much of it as a router asks for.
 *
 * Ownership: spans of the text. Errors: a status of HTTP. Threads: pure. Cost: 1 µs. */
#ifndef ROUTER_REQUEST_H
#define ROUTER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

enum { ROUTER_TARGET_BYTES_MAX = 512, ROUTER_HEAD_BYTES_MAX = 16384 };

struct router_request {
    bool post;
    char target[ROUTER_TARGET_BYTES_MAX]; /* decoded, without what follows a ? */
    size_t head_bytes;                    /* with the empty line */
    size_t body_bytes;
    bool close;
    bool wants_continue;
};

/* 0: more bytes are needed; 200: the head is whole; else the status that it is refused with. */
int router_request_read(const char *text, size_t bytes, struct router_request *request);

#endif
