/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are gathered account by account, from the page before where nothing was told since, else
 * from the timeline; then each column is planned and all are written behind the head. Memory and
 * shapes can run out, a timeline can be damaged, and who asked can give up. */
#include "server/lifecycle/lifecycle_page.h"

#include <stdlib.h>

#include "server/base/grow.h"
#include "server/lifecycle/lifecycle_page_parts.h"
#include "server/measure/event_fold.h"
#include "server/store/store.h"

enum { ACCOUNTS_PER_ASKING = 16 };

/* What the page is made of. */
struct making {
    struct engine_worker *worker;
    struct lifecycle_shapes *shapes;
    struct lifecycle_page_parts parts;
    /* Of the account under way, in the order of reading. */
    int64_t *told[LIFECYCLE_COLUMNS];
    struct event *moments; /* time, sequence, source and id of each */
    size_t told_count, told_room, moment_room;
    struct event *contracts; /* its events of subscriptions, with texts of their own … */
    uint32_t *contract_at;   /* … and their places among those told */
    size_t contract_count, contract_room;
    struct base_arena texts;
    struct event_timeline timeline;
    uint32_t known;
    int64_t newest_ms;
    bool failed; /* no memory, or no shape */
};

static struct proto_span text_kept(struct base_arena *arena, struct proto_span text)
{
    return text.bytes == 0
               ? text
               : (struct proto_span){(const uint8_t *)base_arena_text(arena, text), text.bytes};
}

/* A copy with the texts that subscriptions are folded by. */
static bool contract_keep(struct making *making, const struct event *event)
{
    if (making->contract_count == making->contract_room) {
        size_t room = making->contract_room * 2 + 64;
        struct event *contracts = realloc(making->contracts, room * sizeof *contracts);
        making->contracts = contracts != NULL ? contracts : making->contracts;
        uint32_t *at = realloc(making->contract_at, room * sizeof *at);
        making->contract_at = at != NULL ? at : making->contract_at;
        if (contracts == NULL || at == NULL) {
            return false;
        }
        making->contract_room = room;
    }
    struct event *copy = &making->contracts[making->contract_count];
    *copy = *event;
    copy->source = text_kept(&making->texts, event->source);
    copy->id = text_kept(&making->texts, event->id);
    copy->subject = text_kept(&making->texts, event->subject);
    copy->kind = text_kept(&making->texts, event->kind);
    copy->currency = text_kept(&making->texts, event->currency);
    making->contract_at[making->contract_count++] = (uint32_t)making->told_count;
    return base_arena_ok(&making->texts);
}

/* What events of one time are ordered by. */
static bool moment_keep(struct making *making, const struct event *event)
{
    struct proto_fault ignored;
    if (!base_grow(&making->moments, &making->moment_room, making->told_count + 1,
                   sizeof *making->moments, "events", &ignored)) {
        return false;
    }
    making->moments[making->told_count] =
        (struct event){.time_ms = event->time_ms,
                       .seq = event->seq,
                       .source = text_kept(&making->texts, event->source),
                       .id = text_kept(&making->texts, event->id)};
    return base_arena_ok(&making->texts);
}

/* The number of a subject or a person; 0 for types that have none here. */
static bool name_number(struct making *making, const struct event *event, struct proto_span text,
                        int64_t *number)
{
    uint32_t found = 0;
    struct proto_fault ignored;
    bool named = text.bytes > 0 && (LIFECYCLE_PAGE_NAMED >> event->type & 1) != 0;
    bool good = !named || lifecycle_name_number(&making->parts.names, text, &found, &ignored);
    *number = found;
    return good;
}

static bool event_take(struct making *making, const struct event *event)
{
    size_t at = making->told_count;
    uint32_t shape = lifecycle_shape_find(making->shapes, event);
    if (shape == LIFECYCLE_SHAPE_NONE ||
        !lifecycle_rows_grow(making->told, &making->told_room, at + 1) ||
        !moment_keep(making, event) ||
        !name_number(making, event, event->subject, &making->told[LIFECYCLE_COLUMN_SUBJECT][at]) ||
        !name_number(making, event, event->person, &making->told[LIFECYCLE_COLUMN_PERSON][at]) ||
        (event->type == EVENT_SUBSCRIPTION && !contract_keep(making, event))) {
        return false;
    }
    making->told[LIFECYCLE_COLUMN_SHAPE][at] = shape;
    making->told[LIFECYCLE_COLUMN_TIME][at] = event->time_ms;
    making->told[LIFECYCLE_COLUMN_AMOUNT][at] = event->amount;
    making->told[LIFECYCLE_COLUMN_QUANTITY][at] = event->quantity;
    making->told[LIFECYCLE_COLUMN_SEQ][at] = (int64_t)event->seq;
    making->told_count++;
    return true;
}

static bool event_each(void *context, const struct event *event)
{
    struct making *making = context;
    making->failed = !event_take(making, event);
    if (making->failed) {
        return false;
    }
    event_timeline_add(&making->timeline, event);
    making->known++;
    making->newest_ms = event->known_ms > making->newest_ms ? event->known_ms : making->newest_ms;
    return true;
}

static struct lifecycle_held held_of(const struct measure_subscription *s)
{
    struct lifecycle_held held = {.start_ms = s->start_ms,
                                  .end_ms = s->end_ms,
                                  .amount = s->amount,
                                  .term_months = (uint16_t)s->term_months,
                                  .trial = s->trial,
                                  .one_off = s->one_off,
                                  .paused = s->pause_ms != MEASURE_NEVER,
                                  .past_due = s->past_due_ms != MEASURE_NEVER};
    memcpy(held.currency, s->currency, sizeof held.currency);
    return held;
}

/* The subscriptions of the events that stand, of which stands[] speaks by place. */
static bool contracts_fold(struct making *making, const bool *stands)
{
    struct measure_event *events = calloc(making->contract_count + 1, sizeof *events);
    size_t count = 0;
    size_t made = 0;
    for (size_t i = 0; i < making->contract_count && events != NULL; i++) {
        if (stands[making->contract_at[i]]) {
            events[count++] = (struct measure_event){0, &making->contracts[i]};
        }
    }
    struct proto_fault ignored = {.code = PROTO_OK};
    struct measure_subscription *subscriptions =
        events != NULL ? measure_events_subscriptions(events, count, &made, &ignored) : NULL;
    bool good = subscriptions != NULL && lifecycle_page_parts_held(&making->parts, made);
    for (size_t i = 0; i < made && good; i++) {
        making->parts.held[making->parts.held_count++] = held_of(&subscriptions[i]);
    }
    free(subscriptions);
    free(events);
    return good;
}

/* What was told and stands becomes rows. */
static bool told_take(struct making *making)
{
    const struct event_timeline *timeline = &making->timeline;
    struct lifecycle_page_parts *parts = &making->parts;
    bool *stands = calloc(making->told_count + 1, sizeof *stands);
    if (stands == NULL ||
        !lifecycle_picks_order(timeline->picks, timeline->count, making->moments) ||
        !lifecycle_rows_grow(parts->rows, &parts->room, parts->count + timeline->count)) {
        free(stands);
        return false;
    }
    for (size_t i = 0; i < timeline->count; i++) {
        uint32_t at = timeline->picks[i].at;
        stands[at] = true;
        for (size_t c = 0; c < LIFECYCLE_COLUMNS; c++) {
            parts->rows[c][parts->count] = making->told[c][at];
        }
        parts->count++;
    }
    bool good = making->contract_count == 0 || contracts_fold(making, stands);
    free(stands);
    return good;
}

/* *damaged: the timeline could not be read. */
static bool account_read(struct making *making, uint32_t slot, bool *damaged)
{
    const struct event_choice everything = event_choice_all();
    struct proto_fault why = {.code = PROTO_OK};
    making->told_count = making->contract_count = 0;
    making->known = 0;
    making->newest_ms = INT64_MIN;
    base_arena_reset(&making->texts);
    event_timeline_begin(&making->timeline, &everything);
    bool good = store_timeline(making->worker->view, slot, event_each, making, &why) &&
                !making->failed && event_timeline_end(&making->timeline, &why) && told_take(making);
    event_timeline_fini(&making->timeline);
    *damaged = why.code == PROTO_CORRUPT;
    if (*damaged) {
        making->known = 0;
        making->newest_ms = INT64_MIN;
    }
    return good || *damaged;
}

/* Texts have other numbers in another page. */
static bool names_take(struct making *making, const struct lifecycle_page *before, int64_t *numbers,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct proto_fault ignored;
        uint32_t number = 0;
        if (numbers[i] > 0 &&
            !lifecycle_name_number(&making->parts.names, lifecycle_page_text(before, numbers[i]),
                                   &number, &ignored)) {
            return false;
        }
        numbers[i] = number;
    }
    return true;
}

static bool account_take(struct making *making, const struct lifecycle_page *before, uint32_t at)
{
    struct lifecycle_page_parts *parts = &making->parts;
    size_t from = before->first[at];
    size_t count = before->first[at + 1] - from;
    size_t held = before->held_first[at + 1] - before->held_first[at];
    if (!lifecycle_rows_grow(parts->rows, &parts->room, parts->count + count) ||
        !lifecycle_page_parts_held(parts, held)) {
        return false;
    }
    for (size_t c = 0; c < LIFECYCLE_COLUMNS && count > 0; c++) {
        event_column_read(lifecycle_page_column(before, (enum lifecycle_page_column)c), from, count,
                          parts->rows[c] + parts->count);
    }
    if (count > 0 &&
        (!names_take(making, before, parts->rows[LIFECYCLE_COLUMN_SUBJECT] + parts->count, count) ||
         !names_take(making, before, parts->rows[LIFECYCLE_COLUMN_PERSON] + parts->count, count))) {
        return false;
    }
    if (held > 0) {
        memcpy(parts->held + parts->held_count, before->held + before->held_first[at],
               held * sizeof *before->held);
    }
    parts->count += count;
    parts->held_count += held;
    making->known = before->known[at];
    making->newest_ms = before->newest_ms[at];
    return true;
}

static bool accounts_fill(struct making *making, const struct engine_job *job,
                          const struct lifecycle_page *before, struct lifecycle_page *head,
                          struct proto_fault *fault)
{
    uint32_t slots = store_view_slots(making->worker->view);
    for (uint32_t at = 0; at < LIFECYCLE_PAGE_SLOTS; at++) {
        uint32_t slot = head->number * LIFECYCLE_PAGE_SLOTS + at;
        bool damaged = false;
        making->known = 0;
        making->newest_ms = INT64_MIN;
        head->first[at] = (uint32_t)making->parts.count;
        head->held_first[at] = (uint32_t)making->parts.held_count;
        if (at % ACCOUNTS_PER_ASKING == 0 && !engine_scan_goes_on(job, fault)) {
            return false;
        }
        bool kept = before != NULL && lifecycle_page_holds(before, making->worker->view, slot);
        if (slot < slots &&
            !(kept ? account_take(making, before, at) : account_read(making, slot, &damaged))) {
            return false;
        }
        head->known[at] = making->known;
        head->newest_ms[at] = making->newest_ms;
        head->unread[at / 64] |= (uint64_t)damaged << at % 64;
    }
    head->first[LIFECYCLE_PAGE_SLOTS] = (uint32_t)making->parts.count;
    head->held_first[LIFECYCLE_PAGE_SLOTS] = (uint32_t)making->parts.held_count;
    return making->parts.count <= UINT32_MAX;
}

struct lifecycle_page *lifecycle_page_make(struct engine_worker *worker,
                                           const struct engine_job *job,
                                           struct lifecycle_shapes *shapes,
                                           const struct lifecycle_page *before, uint32_t number,
                                           struct proto_fault *fault)
{
    struct making making = {.worker = worker, .shapes = shapes};
    struct lifecycle_page *head = calloc(1, sizeof *head);
    struct lifecycle_page *page = NULL;
    base_arena_init(&making.texts, 0, (size_t)256 << 20);
    struct proto_fault ignored;
    uint32_t none = 0;
    if (head != NULL &&
        lifecycle_name_number(&making.parts.names, proto_span_text(""), &none, &ignored)) {
        head->references = 1;
        head->number = number;
        head->seq = store_view_seq(worker->view);
        page = accounts_fill(&making, job, before, head, fault)
                   ? lifecycle_page_write(&making.parts, head)
                   : NULL;
    }
    free(head);
    base_arena_fini(&making.texts);
    for (size_t c = 0; c < LIFECYCLE_COLUMNS; c++) {
        free(making.told[c]);
    }
    lifecycle_page_parts_fini(&making.parts);
    free(making.moments);
    free(making.contracts);
    free(making.contract_at);
    return page;
}
