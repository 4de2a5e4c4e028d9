/* SPDX-License-Identifier: Apache-2.0 */
/* What the view shows of an account is copied, event by event, then what was taken back falls out.
 * The view can be damaged, memory can run out, and who asked can give up between two events. */
#include "server/lifecycle/lifecycle_collect.h"

#include <stdlib.h>

#include "server/feature/span_text.h"
#include "server/store/store.h"

enum {
    EVENTS_PER_ASKING = 4096, /* well below a millisecond */
    ARENA_BYTES = 256 << 10   /* kept from account to account: some 500 events */
};

void lifecycle_collect_init(struct lifecycle_collect *collect, struct engine_worker *worker,
                            const struct engine_job *job, const struct lifecycle_as_of *as_of,
                            uint32_t types)
{
    *collect = (struct lifecycle_collect){.worker = worker,
                                          .job = job,
                                          .as_of = *as_of,
                                          .types = types | UINT32_C(1) << EVENT_RETRACTION,
                                          .newest_ms = INT64_MIN,
                                          .happened_ms = INT64_MIN,
                                          .now_ms = engine_now_ms(worker->engine)};
    base_arena_init(&collect->arena, ARENA_BYTES, LIFECYCLE_ACCOUNT_BYTES_MAX);
}

void lifecycle_collect_columns(struct lifecycle_collect *collect, struct lifecycle_columns *columns)
{
    const uint32_t whole = LIFECYCLE_PAGE_NAMED | UINT32_C(1) << EVENT_RETRACTION;
    bool now = collect->as_of.seq >= engine_worker_seq(collect->worker) &&
               collect->as_of.known_ms == INT64_MAX;
    collect->recall.mark = (struct lifecycle_bookmark){
        .columns = now && (collect->types & ~whole) == 0 ? columns : NULL,
        .worker = collect->worker,
        .job = collect->job};
}

void lifecycle_collect_fini(struct lifecycle_collect *collect)
{
    base_arena_fini(&collect->arena);
    lifecycle_recall_fini(&collect->recall);
    free(collect->copies);
    collect->events = collect->copies = NULL;
}

static bool room_make(struct lifecycle_collect *collect)
{
    if (collect->count < collect->room) {
        return true;
    }
    size_t room = collect->room * 2 + 64;
    struct measure_event *grown = realloc(collect->copies, room * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    collect->events = collect->copies = grown;
    collect->room = room;
    return true;
}

static void text_move(struct proto_span *text, uint8_t **to)
{
    if (text->bytes > 0) {
        memcpy(*to, text->data, text->bytes);
        text->data = *to;
        *to += text->bytes;
    }
}

/* The event and the texts that are read behind it; texts that only policies read are left where
 * they will be gone unless they are asked for, and so are taken away. */
static struct event *event_copy(struct base_arena *arena, const struct event *event, bool whole)
{
    size_t rare =
        event->motion.bytes + event->function.bytes + event->campaign.bytes + event->person.bytes;
    size_t bytes = event->source.bytes + event->id.bytes + event->subject.bytes +
                   event->kind.bytes + event->label.bytes + event->currency.bytes +
                   event->retracts.bytes + (whole ? rare : 0);
    struct event *copy = base_arena_take(arena, sizeof *copy + bytes);
    if (copy == NULL) {
        return NULL;
    }
    uint8_t *to = (uint8_t *)(copy + 1);
    *copy = *event;
    if (whole) {
        text_move(&copy->motion, &to);
        text_move(&copy->function, &to);
        text_move(&copy->campaign, &to);
        text_move(&copy->person, &to);
    } else {
        copy->motion = copy->function = copy->campaign = copy->person =
            (struct proto_span){NULL, 0};
    }
    text_move(&copy->source, &to);
    text_move(&copy->id, &to);
    text_move(&copy->subject, &to);
    text_move(&copy->kind, &to);
    text_move(&copy->label, &to);
    text_move(&copy->currency, &to);
    text_move(&copy->retracts, &to);
    return copy;
}

static bool event_each(void *context, const struct event *event)
{
    struct lifecycle_collect *collect = context;
    if (++collect->asked % EVENTS_PER_ASKING == 0 &&
        !engine_scan_goes_on(collect->job, &collect->fault)) {
        return false;
    }
    if (collect->most > 0 && ++collect->looked > collect->most) {
        return proto_fault_set(&collect->fault, PROTO_LIMIT, "",
                               "the account has more than %u events, which is more than is read "
                               "beside a score: ask for its card",
                               collect->most);
    }
    if (event->seq > collect->as_of.seq || event->known_ms > collect->as_of.known_ms) {
        return true;
    }
    collect->known++;
    collect->newest_ms =
        event->known_ms > collect->newest_ms ? event->known_ms : collect->newest_ms;
    if (event->time_ms > collect->happened_ms && event->time_ms <= collect->now_ms) {
        collect->happened_ms = event->time_ms;
    }
    if ((collect->types >> event->type & 1) == 0) {
        return true;
    }
    struct event *copy =
        room_make(collect) ? event_copy(&collect->arena, event, collect->whole) : NULL;
    if (copy == NULL) {
        return proto_fault_set(&collect->fault, PROTO_NO_MEMORY, "",
                               "no memory for the events of an account");
    }
    collect->events[collect->count++] = (struct measure_event){collect->account, copy};
    return true;
}

void lifecycle_collect_count(struct lifecycle_collect *collect, const struct lifecycle_page *page,
                             uint32_t slot)
{
    uint32_t at = slot % LIFECYCLE_PAGE_SLOTS;
    collect->known += page->known[at];
    collect->newest_ms =
        page->newest_ms[at] > collect->newest_ms ? page->newest_ms[at] : collect->newest_ms;
}

/* Out of columns; *done: they have the account. */
static bool account_recall(struct lifecycle_collect *collect, uint32_t slot, uint32_t account,
                           bool *done, struct proto_fault *fault)
{
    struct lifecycle_recall *recall = &collect->recall;
    if (!lifecycle_recall_account(recall, slot, account,
                                  collect->types & ~(UINT32_C(1) << EVENT_RETRACTION), done,
                                  fault)) {
        return false;
    }
    if (*done) {
        collect->events = recall->list;
        collect->count = recall->count;
        lifecycle_collect_count(collect, recall->mark.page, slot);
    }
    return true;
}

bool lifecycle_collect_account(struct lifecycle_collect *collect, uint32_t slot, uint32_t account,
                               struct proto_fault *fault)
{
    bool done = false;
    if (collect->recall.mark.columns != NULL &&
        (!account_recall(collect, slot, account, &done, fault) || done)) {
        return done;
    }
    base_arena_reset(&collect->arena);
    collect->events = collect->copies;
    collect->count = 0;
    collect->looked = 0;
    collect->account = account;
    collect->fault = (struct proto_fault){.code = PROTO_OK};
    if (!store_timeline(collect->worker->view, slot, event_each, collect, fault)) {
        return lifecycle_fault_of(collect->worker, slot, fault);
    }
    if (collect->fault.code != PROTO_OK) {
        *fault = collect->fault;
        return false;
    }
    if (collect->count > 0) {
        collect->count =
            measure_events_stand(collect->events, collect->count, MEASURE_NEVER, fault);
    }
    return collect->count != SIZE_MAX;
}

bool lifecycle_fault_of(struct engine_worker *worker, uint32_t slot, struct proto_fault *fault)
{
    struct feature_record record;
    struct proto_fault ignored;
    if (engine_record(worker, slot, &record, &ignored)) {
        char shown[FEATURE_SHOWN_BYTES];
        (void)proto_fault_within(fault, "accounts[%s]",
                                 feature_text_show(record.id, shown, sizeof shown));
    }
    return false;
}
