/* SPDX-License-Identifier: Apache-2.0 */
/* Each turn reads events until the ring is full, then does one step of each that is as far from its
 * turn as the step asks; the first turn does those of all that lie nearer. */
#include "server/store/plan_ahead.h"

#include "server/event/event_names.h"
#include "server/store/command.h"

static const unsigned distances[STORE_AHEAD_STEPS] = {24, 18, 12, 6};

/* The next event of the batch; false: there is none, or what comes is no command. */
static bool event_next(struct store_plan_ahead *ahead, struct proto_span commands,
                       struct store_command *command, struct proto_span *source,
                       struct proto_span *id)
{
    struct proto_fault ignored;
    while (store_command_next(commands, &ahead->at, command, &ignored)) {
        if (command->kind == STORE_COMMAND_EVENT && event_names(command->extra, source, id)) {
            return true;
        }
    }
    return false;
}

static bool event_read(struct store_plan_ahead *ahead, const struct store_plan *plan,
                       struct proto_span commands)
{
    struct store_command command;
    struct proto_span source;
    struct proto_span id;
    if (!event_next(ahead, commands, &command, &source, &id)) {
        return false;
    }
    struct store_plan_ahead_event *event = &ahead->events[ahead->read++ % STORE_PLAN_AHEAD];
    const struct store_plan_cells *cells = &plan->text_cells;
    enum store_kind kind = command.version == 0 ? STORE_KIND_ID : STORE_KIND_KEY;
    event->name = store_hash_text(plan->hasher, kind, command.text);
    event->event = event_hash(source, id);
    event->slot = STORE_NO_SLOT;
    store_generation_ahead_text(plan->sight->newest, event->name, 0);
    if (cells->count > 0) {
        __builtin_prefetch(&cells->at[event->name & (cells->count - 1)]);
    }
    if (plan->sight->index != NULL) {
        __builtin_prefetch(store_index_home(plan->sight->index, event->name));
    }
    return true;
}

static void event_step(struct store_plan_ahead_event *event, const struct store_plan *plan,
                       unsigned step)
{
    const struct store_sight *sight = plan->sight;
    if (step == 0) {
        store_generation_ahead_text(sight->newest, event->name, 1);
    }
    if (step == 0 && sight->index != NULL) {
        uint32_t slot = store_index_find(sight->index, event->name);
        event->slot = slot < plan->next.slots ? slot : STORE_NO_SLOT;
    }
    if (event->slot == STORE_NO_SLOT) {
        return;
    }
    for (const struct store_generation *generation = sight->newest; generation != NULL;
         generation = store_generation_older(generation, sight->base->state.seq)) {
        store_generation_ahead_slot(generation, event->slot, step);
        if (step == 0) {
            store_generation_ahead_told(generation, event->slot, event->event);
        }
    }
}

void store_plan_ahead(struct store_plan_ahead *ahead, const struct store_plan *plan,
                      struct proto_span commands, const struct store_command *command)
{
    uint64_t now = ahead->planned++;
    if (now == 0) {
        ahead->read = 0;
        ahead->at = (size_t)(command->text.data - commands.data) - STORE_COMMAND_HEADER_BYTES;
    }
    bool more = true;
    while (more && ahead->read < now + STORE_PLAN_AHEAD) {
        more = event_read(ahead, plan, commands);
    }
    for (unsigned step = 0; step < STORE_AHEAD_STEPS; step++) {
        uint64_t last = now + distances[step];
        for (uint64_t at = now == 0 ? 0 : last; at <= last && at < ahead->read; at++) {
            event_step(&ahead->events[at % STORE_PLAN_AHEAD], plan, step);
        }
    }
}
