/* SPDX-License-Identifier: Apache-2.0 */
/* A ticket waits in a list; taken for an append it goes into a bucket by its id, and stays there
 * until an entry of that id is applied. Ids are a random number and a count: no two are alike. */
#include <stdlib.h>
#include <string.h>

#include "server/cluster/cluster_parts.h"

static size_t bucket_of(const uint8_t id[CLUSTER_ID_BYTES])
{
    uint64_t count;
    memcpy(&count, id + 8, sizeof count);
    return (size_t)(count % CLUSTER_BUCKETS);
}

void cluster_ticket_add(struct cluster_tickets *tickets, struct cluster_ticket *ticket)
{
    memcpy(ticket->id, &tickets->incarnation, 8);
    tickets->next++;
    memcpy(ticket->id + 8, &tickets->next, 8);
    ticket->next = NULL;
    if (tickets->last == NULL) {
        tickets->first = ticket;
    } else {
        tickets->last->next = ticket;
    }
    tickets->last = ticket;
    tickets->count++;
    tickets->bytes += ticket->bytes;
}

static void pending_put(struct cluster_tickets *tickets, struct cluster_ticket *ticket)
{
    struct cluster_ticket **bucket = &tickets->pending[bucket_of(ticket->id)];
    ticket->next = *bucket;
    *bucket = ticket;
}

static void leave(struct cluster_tickets *tickets, const struct cluster_ticket *ticket)
{
    tickets->count--;
    tickets->bytes -= ticket->bytes;
}

static struct cluster_ticket *pending_cut(struct cluster_tickets *tickets,
                                          const uint8_t id[CLUSTER_ID_BYTES])
{
    struct cluster_ticket **at = &tickets->pending[bucket_of(id)];
    while (*at != NULL && memcmp((*at)->id, id, CLUSTER_ID_BYTES) != 0) {
        at = &(*at)->next;
    }
    struct cluster_ticket *ticket = *at;
    if (ticket != NULL) {
        *at = ticket->next;
        ticket->next = NULL;
    }
    return ticket;
}

size_t cluster_group_take(struct cluster_tickets *tickets, struct cluster_ticket **group)
{
    size_t count = 0;
    size_t bytes = 0;
    while (tickets->first != NULL && count < CLUSTER_GROUP_MOST &&
           (count == 0 || bytes + tickets->first->bytes <= CLUSTER_GROUP_BYTES)) {
        struct cluster_ticket *ticket = tickets->first;
        tickets->first = ticket->next;
        bytes += ticket->bytes;
        group[count++] = ticket;
        pending_put(tickets, ticket);
    }
    if (tickets->first == NULL) {
        tickets->last = NULL;
    }
    return count;
}

void cluster_group_back(struct cluster_tickets *tickets, struct cluster_ticket **group,
                        size_t count)
{
    while (count > 0) {
        struct cluster_ticket *ticket = pending_cut(tickets, group[--count]->id);
        ticket->next = tickets->first;
        tickets->first = ticket;
        tickets->last = tickets->last == NULL ? ticket : tickets->last;
    }
}

struct cluster_ticket *cluster_pending_take(struct cluster_tickets *tickets,
                                            const uint8_t id[CLUSTER_ID_BYTES])
{
    struct cluster_ticket *ticket = pending_cut(tickets, id);
    if (ticket != NULL) {
        leave(tickets, ticket);
    }
    return ticket;
}

struct cluster_ticket *cluster_tickets_expire(struct cluster_tickets *tickets, int64_t now_ms,
                                              uint64_t queued_before_ns)
{
    struct cluster_ticket *gone = NULL;
    struct cluster_ticket **at = &tickets->first;
    tickets->last = NULL;
    while (*at != NULL) {
        struct cluster_ticket *ticket = *at;
        bool late = ticket->deadline_ms != 0 && now_ms >= ticket->deadline_ms;
        if (!late && ticket->queued_ns >= queued_before_ns) {
            tickets->last = ticket;
            at = &ticket->next;
            continue;
        }
        *at = ticket->next;
        leave(tickets, ticket);
        ticket->next = gone;
        gone = ticket;
    }
    return gone;
}

static struct cluster_ticket *pending_all(struct cluster_tickets *tickets)
{
    struct cluster_ticket *all = NULL;
    for (size_t i = 0; i < CLUSTER_BUCKETS; i++) {
        while (tickets->pending[i] != NULL) {
            struct cluster_ticket *ticket = tickets->pending[i];
            tickets->pending[i] = ticket->next;
            leave(tickets, ticket);
            ticket->next = all;
            all = ticket;
        }
    }
    return all;
}

void cluster_ticket_free(struct cluster_ticket *ticket)
{
    store_batch_destroy(ticket->batch);
    free(ticket);
}

void cluster_tickets_fail(struct cluster_ticket *list, const struct proto_fault *fault)
{
    const struct store_result result = {.fault = *fault};
    while (list != NULL) {
        struct cluster_ticket *next = list->next;
        list->on_done(list->context, &result);
        cluster_ticket_free(list);
        list = next;
    }
}

void cluster_tickets_give_up(struct cluster *cluster, const struct proto_fault *fault)
{
    struct proto_fault open;
    pthread_mutex_lock(&cluster->lock);
    struct cluster_ticket *queued =
        cluster_tickets_expire(&cluster->tickets, INT64_MAX, UINT64_MAX);
    struct cluster_ticket *pending = pending_all(&cluster->tickets);
    pthread_mutex_unlock(&cluster->lock);
    /* None of the codes that clients read as "nothing was done" and repeat by themselves. */
    proto_fault_set(&open, PROTO_CANCELLED, "",
                    "the write may be in the shared log, and this node does not see what came of "
                    "it (%.300s): repeat it through another one, under the same operation id",
                    fault->message);
    cluster_tickets_fail(queued, fault);
    cluster_tickets_fail(pending, &open);
}
