/* SPDX-License-Identifier: Apache-2.0 */
/* Each column is planned, room for all of them is made behind the head, and they are written one
 * after the other: what is aligned first. Memory can run out. */
#include <assert.h>
#include <stdlib.h>

#include "server/lifecycle/lifecycle_page_parts.h"
#include "server/store/store.h"
#include "server/store/told.h"

const struct event_column *lifecycle_page_column(const struct lifecycle_page *page,
                                                 enum lifecycle_page_column column)
{
    const struct event_column *const columns[LIFECYCLE_COLUMNS] = {
        &page->shape, &page->time,    &page->amount, &page->quantity,
        &page->told,  &page->subject, &page->person};
    return columns[column];
}

bool lifecycle_rows_grow(int64_t *rows[LIFECYCLE_COLUMNS], size_t *room, size_t wanted)
{
    if (wanted <= *room) {
        return true;
    }
    size_t more = *room * 2 > wanted ? *room * 2 : wanted + 1024;
    for (size_t i = 0; i < LIFECYCLE_COLUMNS; i++) {
        int64_t *grown = realloc(rows[i], more * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        rows[i] = grown;
    }
    *room = more;
    return true;
}

bool lifecycle_page_parts_held(struct lifecycle_page_parts *parts, size_t more)
{
    if (parts->held_count + more > parts->held_room) {
        size_t room = parts->held_room * 2 + more;
        struct lifecycle_held *held = realloc(parts->held, room * sizeof *held);
        if (held == NULL) {
            return false;
        }
        parts->held = held;
        parts->held_room = room;
    }
    return true;
}

void lifecycle_page_parts_fini(struct lifecycle_page_parts *parts)
{
    for (size_t c = 0; c < LIFECYCLE_COLUMNS; c++) {
        free(parts->rows[c]);
    }
    free(parts->held);
    lifecycle_names_fini(&parts->names);
}

/* Behind the columns. Returns the end. */
static void texts_write(const struct lifecycle_names *names, struct lifecycle_page *page,
                        uint32_t *ends, uint8_t *texts)
{
    uint32_t end = 0;
    for (uint32_t i = 0; i < names->count; i++) {
        memcpy(texts + end, names->texts[i], names->lengths[i]);
        end += names->lengths[i];
        ends[i] = end;
    }
    page->text_ends = ends;
    page->texts = texts;
    page->text_count = names->count;
}

struct lifecycle_page *lifecycle_page_write(const struct lifecycle_page_parts *parts,
                                            const struct lifecycle_page *head)
{
    struct event_column columns[LIFECYCLE_COLUMNS];
    size_t held_bytes = parts->held_count * sizeof *parts->held;
    size_t end_bytes = parts->names.count * sizeof(uint32_t);
    size_t text_bytes = 0;
    for (uint32_t i = 0; i < parts->names.count; i++) {
        text_bytes += parts->names.lengths[i];
    }
    size_t bytes = sizeof *head + held_bytes + end_bytes + text_bytes;
    for (size_t c = 0; c < LIFECYCLE_COLUMNS; c++) {
        bytes += event_column_plan(&columns[c], parts->rows[c], parts->count);
    }
    struct lifecycle_page *page = text_bytes <= UINT32_MAX ? malloc(bytes) : NULL;
    if (page == NULL) {
        return NULL;
    }
    uint8_t *at = (uint8_t *)(page + 1);
    memcpy(page, head, sizeof *page);
    page->bytes = bytes;
    page->rows = parts->count;
    page->held = (struct lifecycle_held *)(void *)at;
    if (held_bytes > 0) {
        memcpy(page->held, parts->held, held_bytes);
    }
    uint32_t *ends = (uint32_t *)(void *)(at + held_bytes);
    at += held_bytes + end_bytes;
    for (size_t c = 0; c < LIFECYCLE_COLUMNS; c++) {
        event_column_write(&columns[c], parts->rows[c], parts->count, at);
        at += columns[c].width * parts->count;
    }
    page->shape = columns[LIFECYCLE_COLUMN_SHAPE];
    page->time = columns[LIFECYCLE_COLUMN_TIME];
    page->amount = columns[LIFECYCLE_COLUMN_AMOUNT];
    page->quantity = columns[LIFECYCLE_COLUMN_QUANTITY];
    page->told = columns[LIFECYCLE_COLUMN_SEQ];
    page->subject = columns[LIFECYCLE_COLUMN_SUBJECT];
    page->person = columns[LIFECYCLE_COLUMN_PERSON];
    texts_write(&parts->names, page, ends, at);
    return page;
}

struct placed {
    const struct event *event;
    struct event_pick pick;
};

static int placed_compare(const void *a, const void *b)
{
    return measure_moment_compare(((const struct placed *)a)->event,
                                  ((const struct placed *)b)->event);
}

static bool run_order(struct event_pick *picks, size_t count, const struct event *events)
{
    struct placed *placed = malloc(count * sizeof *placed);
    if (placed == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        placed[i] = (struct placed){&events[picks[i].at], picks[i]};
    }
    qsort(placed, count, sizeof *placed, placed_compare);
    for (size_t i = 0; i < count; i++) {
        picks[i] = placed[i].pick;
    }
    free(placed);
    return true;
}

bool lifecycle_picks_order(struct event_pick *picks, size_t count, const struct event *events)
{
    bool good = true;
    for (size_t first = 0; first < count && good;) {
        size_t end = first + 1;
        while (end < count && picks[end].time_ms == picks[first].time_ms) {
            end++;
        }
        good = end - first == 1 || run_order(picks + first, end - first, events);
        first = end;
    }
    return good;
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

bool lifecycle_page_holds(const struct lifecycle_page *page, const struct store_view *view,
                          uint32_t slot)
{
    uint64_t told = store_view_told(view, slot);
    return told <= page->seq && told <= store_view_seq(view) && !lifecycle_page_unread(page, slot);
}

bool lifecycle_page_holds_all(const struct lifecycle_page *page, const struct store_view *view)
{
    static_assert(LIFECYCLE_PAGE_SLOTS == STORE_TOLD_GROUP, "a page is a group");
    uint64_t told = store_view_told_group(view, page->number * LIFECYCLE_PAGE_SLOTS);
    uint64_t unread = 0;
    for (size_t i = 0; i < LIFECYCLE_PAGE_SLOTS / 64; i++) {
        unread |= page->unread[i];
    }
    return told <= page->seq && told <= store_view_seq(view) && unread == 0;
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
