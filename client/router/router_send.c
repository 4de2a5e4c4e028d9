/* SPDX-License-Identifier: Apache-2.0 */
/* One request is out at most, so what a reply is about stays at the head of the spool. A reply that
 * names an event is about that one; any other fault is of all, and they are sent again later. */
#include "client/router/router_send.h"

#include <stdio.h>

enum {
    EVENTS_MAX = 1000,
    ACCOUNTS = 64,
    AGAIN_MS = 200,
    GATHER_MS = 5, /* so that a trickle is not one sync each */
    TIMEOUT_MS = 10000
};

static void unmatched_name(const char *id, char name[40])
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (const char *at = id; *at != '\0'; at++) {
        hash = (hash ^ (unsigned char)*at) * 16777619U;
    }
    (void)snprintf(name, 40, "router:unmatched-%02u", hash % ACCOUNTS);
}

/* Whether the entry is told under an account for strangers: it says no account, or was moved. */
static bool is_unmatched(const struct router_entry *entry)
{
    return entry->moved || (entry->decision->account[0] == '\0' && entry->decision->key[0] == '\0');
}

static void event_put(struct icp_payload *payload, const struct router_entry *entry)
{
    const struct router_decision *decision = entry->decision;
    const char *id = decision->id;
    const char *person = decision->person;
    char unmatched[40];
    icp_payload_map_begin(payload, NULL);
    if (is_unmatched(entry)) {
        unmatched_name(id, unmatched);
        icp_payload_text(payload, "account", unmatched);
    } else if (decision->account[0] != '\0') {
        icp_payload_text(payload, "account", decision->account);
    } else {
        icp_payload_text(payload, "key", decision->key);
    }
    icp_payload_text(payload, "type", "decision");
    icp_payload_text(payload, "kind", person[0] != '\0' ? "routed" : "unrouted");
    icp_payload_int(payload, "time", decision->at_ms);
    icp_payload_text(payload, "id", id);
    icp_payload_text(payload, "subject", id);
    if (person[0] != '\0') {
        icp_payload_text(payload, "person", person);
    }
    icp_payload_text(payload, "function", "sales");
    icp_payload_text(payload, "motion", "inbound");
    icp_payload_text(payload, "label", decision->label);
    icp_payload_int(payload, "quantity", decision->p_thousandths);
    icp_payload_map_end(payload);
}

static void again_later(struct router_send *send, const char *message)
{
    send->stats->failed++;
    send->not_before_ms = uv_now(send->timer.loop) + AGAIN_MS;
    send->on_trouble(send->trouble_context, message);
}

static void account_made(void *context, const struct icp_reply *reply)
{
    struct router_send *send = context;
    send->making = false;
    if (reply->fault.code != ICP_OK) {
        again_later(send, reply->fault.message);
    }
    router_send_kick(send);
}

static void unmatched_make(struct router_send *send, const char *id)
{
    char name[40];
    struct icp_fault fault;
    unmatched_name(id, name);
    icp_payload_reset(send->payload);
    icp_payload_flag(send->payload, "create", true);
    icp_payload_text(send->payload, "source", send->source);
    icp_payload_list_begin(send->payload, "accounts");
    icp_payload_map_begin(send->payload, NULL);
    icp_payload_text(send->payload, "id", name);
    icp_payload_map_end(send->payload);
    icp_payload_list_end(send->payload);
    send->making = icp_uv_call(send->client, ICP_OP_ACCOUNT_PATCH, send->payload, TIMEOUT_MS,
                               account_made, send, &fault) != NULL;
    if (!send->making) {
        again_later(send, fault.message);
    }
}

/* The entry that the fault is about is seen to; the others are sent again. */
static void one_mend(struct router_send *send, size_t place, const struct icp_fault *fault)
{
    struct router_fault local;
    const struct router_entry *entry = router_spool_at(send->spool, place);
    bool good = true;
    if (fault->code == ICP_NOT_FOUND && is_unmatched(entry)) {
        unmatched_make(send, entry->decision->id);
    } else if (fault->code == ICP_NOT_FOUND) {
        good = router_spool_move(send->spool, place, &local);
    } else {
        char why[700];
        (void)snprintf(why, sizeof why, "%s: %s", fault->field, fault->message);
        good = router_spool_refuse(send->spool, place, why, &local);
        send->stats->dead += good;
        send->on_trouble(send->trouble_context, why);
    }
    if (!good) {
        again_later(send, local.message);
    }
}

/* The oldest that many are on icpd's disk. */
static void stored_drop(struct router_send *send, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        send->stats->moved += is_unmatched(router_spool_at(send->spool, i));
    }
    send->stats->stored += count;
    router_spool_drop(send->spool, count);
}

static void on_stored(void *context, const struct icp_reply *reply)
{
    struct router_send *send = context;
    size_t count = send->under_way;
    size_t place = 0;
    send->under_way = 0;
    if (send->ended) {
        return;
    }
    if (reply->fault.code == ICP_OK) {
        send->most = 2 * send->most < EVENTS_MAX ? 2 * send->most : EVENTS_MAX;
        stored_drop(send, count);
    } else if (!reply->fault.retryable && sscanf(reply->fault.field, "events[%zu]", &place) == 1 &&
               place < count) {
        send->most = place > 0 ? place : 1; /* those before it are good */
        one_mend(send, place, &reply->fault);
    } else {
        again_later(send, reply->fault.message);
    }
    router_send_kick(send);
}

static void batch_send(struct router_send *send)
{
    struct icp_fault fault;
    size_t count = router_spool_count(send->spool);
    count = count < send->most ? count : send->most;
    icp_payload_reset(send->payload);
    icp_payload_text(send->payload, "source", send->source);
    icp_payload_list_begin(send->payload, "events");
    for (size_t i = 0; i < count; i++) {
        event_put(send->payload, router_spool_at(send->spool, i));
    }
    icp_payload_list_end(send->payload);
    send->under_way = count;
    if (icp_uv_call(send->client, ICP_OP_EVENT_APPEND, send->payload, TIMEOUT_MS, on_stored, send,
                    &fault) == NULL) {
        send->under_way = 0;
        again_later(send, fault.message);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct router_send *send = timer->data;
    if (send->under_way > 0 || send->making || send->ended ||
        router_spool_count(send->spool) == 0) {
        return;
    }
    if (uv_now(timer->loop) < send->not_before_ms) {
        router_send_kick(send);
        return;
    }
    batch_send(send);
}

bool router_send_begin(struct router_send *send, uv_loop_t *loop)
{
    send->payload = icp_payload_create();
    send->most = EVENTS_MAX;
    (void)uv_timer_init(loop, &send->timer);
    send->timer.data = send;
    return send->payload != NULL;
}

void router_send_kick(struct router_send *send)
{
    uint64_t now_ms = uv_now(send->timer.loop);
    if (send->ended || send->under_way > 0 || send->making ||
        router_spool_count(send->spool) == 0 || uv_is_active((uv_handle_t *)&send->timer)) {
        return;
    }
    uint64_t wait_ms = send->not_before_ms > now_ms ? send->not_before_ms - now_ms
                       : router_spool_count(send->spool) >= EVENTS_MAX ? 0
                                                                       : GATHER_MS;
    (void)uv_timer_start(&send->timer, on_timer, wait_ms, 0);
}

void router_send_end(struct router_send *send)
{
    send->ended = true;
    uv_close((uv_handle_t *)&send->timer, NULL);
    icp_payload_destroy(send->payload);
    send->payload = NULL;
}
