/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions of the spool are told to icpd, oldest first, one request at a time of many events,
 * again and again until each is stored once.
 *
 *     {"account"|"key":…,"type":"decision","kind":"routed"|"unrouted","time":…,"id":LEAD,
 *      "subject":LEAD,"person":WHO,"function":…,"motion":"inbound","quantity":p in thousandths,
 *      "label":"rest, turn; p 0.412345 fit 71.2 grade B icp 3; segment Bank; by domain; of ann bo"}
 *
 * An event whose account is not there is told under router:unmatched-NN, NN from the lead's id: a
 * store holds 100,000 events an account, and so 64 accounts take the strangers. One that icpd will
 * never take (another decision under the same id) leaves the queue for refused.ndjson, and the rest
 * goes on.
 *
 * Ownership: borrows all it is given; router_send_end before they go. Errors: told to on_trouble,
 * and tried again. Threads: the loop's. Cost: some 2 µs a decision. */
#ifndef ROUTER_SEND_H
#define ROUTER_SEND_H

#include <icp_uv.h>

#include "client/router/router_spool.h"
#include "client/router/router_stats.h"

struct router_send {
    struct icp_uv *client;
    struct router_spool *spool;
    struct router_stats *stats;
    const char *source;
    void (*on_trouble)(void *context, const char *message);
    void *trouble_context;
    struct icp_payload *payload;
    uv_timer_t timer;
    size_t most;            /* of the next request: one that fails by an event makes it small */
    size_t under_way;       /* entries of the request that is out; 0: none is */
    bool making;            /* the request that is out makes an account */
    uint64_t not_before_ms; /* of the loop's clock */
    bool ended;
};

bool router_send_begin(struct router_send *send, uv_loop_t *loop);
/* Something was added. */
void router_send_kick(struct router_send *send);
void router_send_end(struct router_send *send);

#endif
