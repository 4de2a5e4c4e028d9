/* SPDX-License-Identifier: Apache-2.0 */
/* What wakes a loop from any other thread. uv_async_send does the same, but a loop that it has
 * woken spins until the sender has come to the end of that call (libuv 1.44, uv__async_spin). A
 * sender of lower priority is put aside at the very moment at which it wakes the loop, so that the
 * loop burns the time that the sender would need: two fifths of the processor time of handshakes
 * went there. Here nobody waits for the one who rang.
 *
 * Rings that come before the loop has heard one are one. Ownership: the caller's, embedded; it must
 * not move. Errors: a libuv code from net_bell_init; a ring is lost where the
 * kernel has no memory for it, so that the loop has to look by itself now and then. Threads:
 * net_bell_ring from any, the rest on the loop's. Cost: one write of 8 bytes for each ring, one
 * read for each time that it is heard. */
#ifndef NET_BELL_H
#define NET_BELL_H

#include <uv.h>

struct net_bell {
    uv_poll_t poll;
    int fd; /* an eventfd; -1: none */
    void (*on_ring)(void *context);
    void *context;
};

/* 0, or a libuv code and there is nothing to close. Keeps the loop running like any handle. */
int net_bell_init(struct net_bell *bell, uv_loop_t *loop, void (*on_ring)(void *context),
                  void *context);
void net_bell_ring(const struct net_bell *bell);
/* After its handle was closed, by uv_close on `poll`, and the loop has run. */
void net_bell_fini(struct net_bell *bell);

#endif
