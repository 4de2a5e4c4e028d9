/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are gathered account by account, from the page before where nothing was told since, else
 * from the timeline; then each column is planned and all are written behind the head. Memory and
 * shapes can run out, a timeline can be damaged, and who asked can give up. */
#include "server/lifecycle/lifecycle_page.h"

#include <stdlib.h>

#include "server/event/event_timeline.h"
#include "server/measure/event_fold.h"
#include "server/store/store.h"

enum { SHAPE, TIME, AMOUNT, QUANTITY, COLUMNS };
enum { ACCOUNTS_PER_ASKING = 16 };

/* What the page is made of. */
struct making {
    struct engine_worker *worker;
    struct lifecycle_shapes *shapes;
    int64_t *rows[COLUMNS];
    size_t count, room;
    struct lifecycle_held *held;
    size_t held_count, held_room;
    /* Of the account under way, in the order of reading. */
    int64_t *told[COLUMNS];
    size_t told_count, told_room;
    struct event *contracts; /* its events of subscriptions, with texts of their own … */
    uint32_t *contract_at;   /* … and their places among those told */
    size_t contract_count, contract_room;
    struct base_arena texts;
    struct event_timeline timeline;
    uint32_t known;
    int64_t newest_ms;
    bool failed; /* no memory, or no shape */
};

static bool grow(int64_t *columns[COLUMNS], size_t *room, size_t wanted)
{
    if (wanted <= *room) {
        return true;
    }
    size_t more = *room * 2 > wanted ? *room * 2 : wanted + 1024;
    for (size_t i = 0; i < COLUMNS; i++) {
        int64_t *grown = realloc(columns[i], more * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        columns[i] = grown;
    }
    *room = more;
    return true;
}

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

static bool event_each(void *context, const struct event *event)
{
    struct making *making = context;
    uint32_t shape = lifecycle_shape_find(making->shapes, event);
    making->failed = shape == LIFECYCLE_SHAPE_NONE ||
                     !grow(making->told, &making->told_room, making->told_count + 1) ||
                     (event->type == EVENT_SUBSCRIPTION && !contract_keep(making, event));
    if (making->failed) {
        return false;
    }
    event_timeline_add(&making->timeline, event);
    making->told[SHAPE][making->told_count] = shape;
    making->told[TIME][making->told_count] = event->time_ms;
    making->told[AMOUNT][making->told_count] = event->amount;
    making->told[QUANTITY][making->told_count] = event->quantity;
    making->told_count++;
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

struct measure_subscription lifecycle_held_open(const struct lifecycle_held *held, uint32_t account)
{
    struct measure_subscription s =
        measure_subscription_open(account, held->start_ms, held->amount, held->term_months);
    s.end_ms = held->end_ms;
    s.trial = held->trial;
    s.one_off = held->one_off;
    s.pause_ms = held->paused ? held->start_ms : MEASURE_NEVER;
    s.past_due_ms = held->past_due ? held->start_ms : MEASURE_NEVER;
    memcpy(s.currency, held->currency, sizeof s.currency);
    return s;
}

static bool held_room(struct making *making, size_t more)
{
    if (making->held_count + more > making->held_room) {
        size_t room = making->held_room * 2 + more;
        struct lifecycle_held *held = realloc(making->held, room * sizeof *held);
        if (held == NULL) {
            return false;
        }
        making->held = held;
        making->held_room = room;
    }
    return true;
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
    bool good = subscriptions != NULL && held_room(making, made);
    for (size_t i = 0; i < made && good; i++) {
        making->held[making->held_count++] = held_of(&subscriptions[i]);
    }
    free(subscriptions);
    free(events);
    return good;
}

/* What was told and stands becomes rows. */
static bool told_take(struct making *making)
{
    const struct event_timeline *timeline = &making->timeline;
    bool *stands = calloc(making->told_count + 1, sizeof *stands);
    if (stands == NULL || !grow(making->rows, &making->room, making->count + timeline->count)) {
        free(stands);
        return false;
    }
    for (size_t i = 0; i < timeline->count; i++) {
        uint32_t at = timeline->picks[i].at;
        stands[at] = true;
        for (size_t c = 0; c < COLUMNS; c++) {
            making->rows[c][making->count] = making->told[c][at];
        }
        making->count++;
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

static bool account_take(struct making *making, const struct lifecycle_page *before, uint32_t at)
{
    size_t from = before->first[at];
    size_t count = before->first[at + 1] - from;
    size_t held = before->held_first[at + 1] - before->held_first[at];
    const struct event_column *columns[COLUMNS] = {&before->shape, &before->time, &before->amount,
                                                   &before->quantity};
    if (!grow(making->rows, &making->room, making->count + count) || !held_room(making, held)) {
        return false;
    }
    for (size_t c = 0; c < COLUMNS && count > 0; c++) {
        event_column_read(columns[c], from, count, making->rows[c] + making->count);
    }
    if (held > 0) {
        memcpy(making->held + making->held_count, before->held + before->held_first[at],
               held * sizeof *before->held);
    }
    making->count += count;
    making->held_count += held;
    making->known = before->known[at];
    making->newest_ms = before->newest_ms[at];
    return true;
}

bool lifecycle_page_holds(const struct lifecycle_page *page, const struct store_view *view,
                          uint32_t slot)
{
    uint64_t told = store_view_told(view, slot);
    return told <= page->seq && told <= store_view_seq(view) && !lifecycle_page_unread(page, slot);
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
        head->first[at] = (uint32_t)making->count;
        head->held_first[at] = (uint32_t)making->held_count;
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
    head->first[LIFECYCLE_PAGE_SLOTS] = (uint32_t)making->count;
    head->held_first[LIFECYCLE_PAGE_SLOTS] = (uint32_t)making->held_count;
    return making->count <= UINT32_MAX;
}

/* Head, subscriptions, columns in one piece. */
static struct lifecycle_page *page_write(const struct making *making,
                                         const struct lifecycle_page *head)
{
    struct event_column columns[COLUMNS];
    size_t held_bytes = making->held_count * sizeof *making->held;
    size_t bytes = sizeof *head + held_bytes;
    for (size_t c = 0; c < COLUMNS; c++) {
        bytes += event_column_plan(&columns[c], making->rows[c], making->count);
    }
    struct lifecycle_page *page = malloc(bytes);
    if (page == NULL) {
        return NULL;
    }
    uint8_t *at = (uint8_t *)(page + 1);
    memcpy(page, head, sizeof *page);
    page->bytes = bytes;
    page->rows = making->count;
    page->held = (struct lifecycle_held *)(void *)at;
    if (held_bytes > 0) {
        memcpy(page->held, making->held, held_bytes);
    }
    at += held_bytes;
    for (size_t c = 0; c < COLUMNS; c++) {
        event_column_write(&columns[c], making->rows[c], making->count, at);
        at += columns[c].width * making->count;
    }
    page->shape = columns[SHAPE];
    page->time = columns[TIME];
    page->amount = columns[AMOUNT];
    page->quantity = columns[QUANTITY];
    return page;
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
    if (head != NULL) {
        head->references = 1;
        head->number = number;
        head->seq = store_view_seq(worker->view);
        page = accounts_fill(&making, job, before, head, fault) ? page_write(&making, head) : NULL;
    }
    free(head);
    base_arena_fini(&making.texts);
    for (size_t c = 0; c < COLUMNS; c++) {
        free(making.rows[c]);
        free(making.told[c]);
    }
    free(making.held);
    free(making.contracts);
    free(making.contract_at);
    return page;
}

struct lifecycle_page *lifecycle_page_retain(struct lifecycle_page *page)
{
    atomic_fetch_add(&page->references, 1);
    return page;
}

void lifecycle_page_release(struct lifecycle_page *page)
{
    if (page != NULL && atomic_fetch_sub(&page->references, 1) == 1) {
        free(page);
    }
}
