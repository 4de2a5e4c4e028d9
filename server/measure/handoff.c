/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of journeys as entries into stages. Names and memory can run out. */
#include "server/measure/handoff.h"

#include <math.h>
#include <stdlib.h>

void measure_handoffs_fini(struct measure_handoffs *handoffs)
{
    free(handoffs->items);
    free(handoffs->leads);
    handoffs->items = NULL;
    handoffs->leads = NULL;
}

static bool no_memory(struct proto_fault *fault, size_t count)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu handoffs", count);
}

static bool item_add(struct measure_handoffs *all, const struct measure_handoff *item,
                     struct proto_fault *fault)
{
    if (all->count == all->room) {
        size_t room = all->room * 2 + 1024;
        struct measure_handoff *grown = realloc(all->items, room * sizeof *grown);
        if (grown == NULL) {
            return no_memory(fault, room);
        }
        all->items = grown;
        all->room = room;
    }
    all->items[all->count++] = *item;
    return true;
}

static bool lead_add(struct measure_handoffs *all, const struct measure_journey *journey,
                     struct proto_fault *fault)
{
    struct measure_life life = {.duration = journey->end_ms - journey->created_ms};
    for (size_t i = 0; i < journey->touch_count && !life.ended; i++) {
        const struct event *touch = journey->touches[i];
        if (touch->time_ms >= journey->created_ms &&
            (all->answered_by.bytes == 0 || proto_span_equal(touch->function, all->answered_by))) {
            life = (struct measure_life){touch->time_ms - journey->created_ms, true};
        }
    }
    if (all->lead_count == all->lead_room) {
        size_t room = all->lead_room * 2 + 256;
        struct measure_life *grown = realloc(all->leads, room * sizeof *grown);
        if (grown == NULL) {
            return no_memory(fault, room);
        }
        all->leads = grown;
        all->lead_room = room;
    }
    all->leads[all->lead_count++] = life;
    return true;
}

static bool number(const struct measure_handoffs *all, void *context, struct proto_span text,
                   uint32_t *number_of, struct proto_fault *fault)
{
    *number_of = MEASURE_NOBODY;
    return text.bytes == 0 || all->namer.number(context, text, number_of, fault);
}

static bool stage_number(const struct measure_handoffs *all, struct proto_span text,
                         uint32_t *stage, struct proto_fault *fault)
{
    if (!number(all, all->namer.stages, text.bytes > 0 ? text : proto_span_text("(none)"), stage,
                fault)) {
        return false;
    }
    return *stage < MEASURE_STAGES_MAX ||
           proto_fault_set(fault, PROTO_LIMIT, "", "more than %d stages", MEASURE_STAGES_MAX);
}

/* How the entry at a step is answered by the next. */
static bool answer_read(const struct measure_handoffs *all, const struct measure_journey *journey,
                        size_t at, struct measure_handoff *item, struct proto_fault *fault)
{
    const struct event *here = journey->steps[at];
    if (at + 1 == journey->step_count) {
        item->latency_ms = all->as_of_ms > here->time_ms ? all->as_of_ms - here->time_ms : 0;
        item->answer = MEASURE_UNANSWERED;
        item->mature = item->latency_ms >= all->mature_ms;
        return true;
    }
    const struct event *next = journey->steps[at + 1];
    bool lost = next == journey->outcome && journey->end == MEASURE_JOURNEY_LOST;
    bool refused = next->type == EVENT_DECISION && proto_span_is(next->kind, "rejected");
    item->latency_ms = next->time_ms - here->time_ms;
    if (lost || refused) {
        item->answer = MEASURE_REJECTED;
        return number(all, all->namer.reasons, next->label, &item->reason, fault);
    }
    item->answer = MEASURE_ACCEPTED;
    return stage_number(all, next->kind, &item->next, fault);
}

bool measure_handoffs_add(void *handoffs, const struct measure_journey *journey,
                          struct proto_fault *fault)
{
    struct measure_handoffs *all = handoffs;
    if (journey->step_count == 0) {
        return true; /* touches, and nothing that could be handed on */
    }
    for (size_t i = 0; i < journey->step_count; i++) {
        const struct event *step = journey->steps[i];
        struct measure_handoff item = {.next = MEASURE_NOBODY, .reason = MEASURE_NOBODY};
        if (step->type == EVENT_OUTCOME) {
            continue; /* an end, or lost before it was won */
        }
        if (!stage_number(all, step->kind, &item.stage, fault) ||
            !number(all, all->namer.owners, step->person, &item.owner, fault) ||
            !answer_read(all, journey, i, &item, fault) || !item_add(all, &item, fault)) {
            return false;
        }
    }
    return all->without_leads || lead_add(all, journey, fault);
}

/* Kleinman's moments: the spread of the rates beyond what binomials have. */
double measure_shrink_weight(const double *part, const double *n, size_t count)
{
    double total = 0;
    double parts = 0;
    double squares = 0;
    double spread = 0;
    for (size_t i = 0; i < count; i++) {
        total += n[i];
        parts += part[i];
        squares += n[i] * n[i];
    }
    double p = total > 0 ? parts / total : 0;
    for (size_t i = 0; i < count; i++) {
        double off = n[i] > 0 ? part[i] / n[i] - p : 0;
        spread += n[i] * off * off;
    }
    double chance = p * (1 - p) * (double)(count > 0 ? count - 1 : 0);
    double room = p * (1 - p) * (total - squares / (total > 0 ? total : 1)) - chance;
    double rho = room > 0 ? (spread - chance) / room : 0; /* correlation within a group */
    return rho > 0 ? fmax(1 / rho - 1, 0) : (double)INFINITY;
}
