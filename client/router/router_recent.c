/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of decisions, and for each cell of the hash a chain through the ring. Numbers are places
 * plus one, so that zero is none. */
#include "client/router/router_recent.h"

#include <stdlib.h>
#include <string.h>

enum { CELLS = 2 * ROUTER_RECENT_MAX };

struct router_recent {
    uint32_t cells[CELLS];
    uint32_t after[ROUTER_RECENT_MAX];
    struct router_decision *ring[ROUTER_RECENT_MAX]; /* the oldest is at next once it is full */
    uint32_t next;
};

struct router_recent *router_recent_create(void)
{
    return calloc(1, sizeof(struct router_recent));
}

void router_recent_destroy(struct router_recent *recent)
{
    for (size_t i = 0; recent != NULL && i < ROUTER_RECENT_MAX; i++) {
        router_decision_drop(recent->ring[i]);
    }
    free(recent);
}

static uint32_t cell_of(const char *id)
{
    uint32_t hash = 2166136261U;
    for (; *id != '\0'; id++) {
        hash = (hash ^ (unsigned char)*id) * 16777619U;
    }
    return (hash ^ (hash >> 17)) % CELLS;
}

/* The decision of that place leaves the ring and its chain. */
static void place_clear(struct router_recent *recent, uint32_t place)
{
    struct router_decision *decision = recent->ring[place];
    if (decision == NULL) {
        return;
    }
    uint32_t *at = &recent->cells[cell_of(decision->id)];
    while (*at != place + 1) {
        at = &recent->after[*at - 1];
    }
    *at = recent->after[place];
    recent->ring[place] = NULL;
    router_decision_drop(decision);
}

void router_recent_put(struct router_recent *recent, struct router_decision *decision)
{
    uint32_t place = recent->next;
    uint32_t *cell = &recent->cells[cell_of(decision->id)];
    place_clear(recent, place);
    recent->ring[place] = router_decision_hold(decision);
    recent->after[place] = *cell;
    *cell = place + 1;
    recent->next = (place + 1) % ROUTER_RECENT_MAX;
}

void router_recent_undo(struct router_recent *recent, const struct router_decision *decision)
{
    uint32_t place = (recent->next + ROUTER_RECENT_MAX - 1) % ROUTER_RECENT_MAX;
    if (recent->ring[place] == decision) {
        place_clear(recent, place);
        recent->next = place;
    }
}

struct router_decision *router_recent_find(const struct router_recent *recent, const char *id)
{
    uint32_t at = recent->cells[cell_of(id)];
    while (at != 0 && strcmp(recent->ring[at - 1]->id, id) != 0) {
        at = recent->after[at - 1];
    }
    return at == 0 ? NULL : recent->ring[at - 1];
}
