/* SPDX-License-Identifier: Apache-2.0 */
/* How many leads may wait for icpd, so that each of them can still be answered in time if icpd
 * never answers.
 *
 * icpd has the first three quarters of a deadline; when they end for many leads at once, all of
 * them are decided within the last one. So no more wait than can be decided in half of that, by
 * what a lead took lately on the clock of the wall, in which a machine that is shared counts too:
 * the other half is for a burst that gets less of the machine than the turns before it. Whoever
 * comes beyond that is worth the default at once.
 *
 * Shapes: plain values. Errors: none. Threads: one. Cost: nothing. Source: an exponentially
 * weighted mean over the last some 256 leads that jumps up to twice itself at most. */
#ifndef ROUTER_PACE_H
#define ROUTER_PACE_H

#include <stddef.h>
#include <stdint.h>

enum {
    ROUTER_WAIT_MIN = 64, /* that many may wait however slow all is */
    ROUTER_WAIT_PART = 8  /* of the deadline, for all of those who wait */
};

struct router_pace {
    uint64_t lead_ns; /* 0: nothing is known yet */
};

/* A turn of the loop was busy for so long and decided so many leads. */
void router_pace_turn(struct router_pace *pace, uint64_t busy_ns, size_t leads);
size_t router_pace_room(const struct router_pace *pace, unsigned deadline_ms);

#endif
