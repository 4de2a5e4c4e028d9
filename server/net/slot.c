/* SPDX-License-Identifier: Apache-2.0 */
/* The table that turns a ticket into its connection. A slot is used again, a generation never. */
#include <assert.h>
#include <stdlib.h>

#include "server/net/net_worker.h"

#define NO_SLOT UINT32_MAX

static bool slots_grow(struct net_worker *worker)
{
    if (worker->slots_count < worker->slots_capacity) {
        return true;
    }
    /* connections_max bounds the count, so the doubling cannot overflow in practice. */
    if (worker->slots_capacity >= UINT32_MAX / 2) {
        return false;
    }
    uint32_t capacity = worker->slots_capacity == 0 ? 64 : worker->slots_capacity * 2;
    struct net_slot *slots = realloc(worker->slots, capacity * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    worker->slots = slots;
    worker->slots_capacity = capacity;
    return true;
}

bool net_slot_take(struct net_worker *worker, struct net_conn *conn)
{
    uint32_t slot = worker->slots_free;
    if (slot != NO_SLOT) {
        worker->slots_free = worker->slots[slot].next_free;
    } else {
        if (!slots_grow(worker)) {
            return false;
        }
        slot = worker->slots_count++;
    }
    conn->slot = slot;
    conn->generation = ++worker->generation;
    worker->slots[slot] = (struct net_slot){conn, conn->generation, NO_SLOT};
    return true;
}

void net_slot_release(struct net_worker *worker, struct net_conn *conn)
{
    assert(worker->slots[conn->slot].conn == conn);
    worker->slots[conn->slot] = (struct net_slot){NULL, 0, worker->slots_free};
    worker->slots_free = conn->slot;
}

struct net_conn *net_slot_find(const struct net_worker *worker, struct net_ticket ticket)
{
    if (ticket.slot >= worker->slots_count) {
        return NULL;
    }
    const struct net_slot *slot = &worker->slots[ticket.slot];
    return slot->generation == ticket.generation ? slot->conn : NULL;
}
