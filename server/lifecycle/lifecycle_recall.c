/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of an account are read into numbers; each event is its shape with the numbers of its
 * row. Memory can run out, and who asked can give up. */
#include "server/lifecycle/lifecycle_recall.h"

#include <stdlib.h>

#include "server/base/grow.h"

/* The numbers of some rows, column by column; one that is the same all along is not read. */
static bool rows_read(struct lifecycle_recall *recall, size_t from, size_t count,
                      struct proto_fault *fault)
{
    if (!base_grow(&recall->numbers, &recall->room, count * LIFECYCLE_COLUMNS,
                   sizeof *recall->numbers, "events", fault)) {
        return false;
    }
    for (size_t c = 0; c < LIFECYCLE_COLUMNS; c++) {
        const struct event_column *column =
            lifecycle_page_column(recall->mark.page, (enum lifecycle_page_column)c);
        recall->columns[c].step = column->width > 0;
        recall->columns[c].numbers = &column->base;
        if (column->width > 0 && count > 0) {
            recall->columns[c].numbers = recall->numbers + c * count;
            event_column_read(column, from, count, recall->numbers + c * count);
        }
    }
    return true;
}

static int64_t number_of(const struct lifecycle_recall *recall, enum lifecycle_page_column column,
                         size_t row)
{
    return recall->columns[column].numbers[row * recall->columns[column].step];
}

static void event_fill(const struct lifecycle_recall *recall, const struct event *shape, size_t row,
                       struct event *event)
{
    *event = *shape;
    event->time_ms = number_of(recall, LIFECYCLE_COLUMN_TIME, row);
    event->seq = (uint64_t)number_of(recall, LIFECYCLE_COLUMN_SEQ, row);
    event->amount = number_of(recall, LIFECYCLE_COLUMN_AMOUNT, row);
    event->quantity = number_of(recall, LIFECYCLE_COLUMN_QUANTITY, row);
    event->subject =
        lifecycle_page_text(recall->mark.page, number_of(recall, LIFECYCLE_COLUMN_SUBJECT, row));
    event->person =
        lifecycle_page_text(recall->mark.page, number_of(recall, LIFECYCLE_COLUMN_PERSON, row));
}

bool lifecycle_recall_account(struct lifecycle_recall *recall, uint32_t slot, uint32_t account,
                              uint32_t types, bool *done, struct proto_fault *fault)
{
    const struct lifecycle_shapes *shapes = lifecycle_columns_shapes(recall->mark.columns);
    uint32_t at = slot % LIFECYCLE_PAGE_SLOTS;
    bool there = false;
    *done = false;
    bool good = lifecycle_bookmark_find(&recall->mark, slot, &there, fault);
    if (!good || !there) {
        return good;
    }
    const struct lifecycle_page *page = recall->mark.page;
    size_t count = page->first[at + 1] - page->first[at];
    if (!rows_read(recall, page->first[at], count, fault) ||
        !base_grow(&recall->events, &recall->event_room, count, sizeof *recall->events, "events",
                   fault) ||
        !base_grow(&recall->list, &recall->list_room, count, sizeof *recall->list, "events",
                   fault)) {
        return false;
    }
    recall->count = 0;
    for (size_t row = 0; row < count; row++) {
        const struct event *shape =
            lifecycle_shape(shapes, (uint32_t)number_of(recall, LIFECYCLE_COLUMN_SHAPE, row));
        if ((types >> shape->type & 1) != 0) {
            event_fill(recall, shape, row, &recall->events[recall->count]);
            recall->list[recall->count] =
                (struct measure_event){account, &recall->events[recall->count]};
            recall->count++;
        }
    }
    *done = true;
    return true;
}

void lifecycle_recall_fini(struct lifecycle_recall *recall)
{
    lifecycle_bookmark_fini(&recall->mark);
    free(recall->numbers);
    free(recall->events);
    free(recall->list);
    recall->numbers = NULL;
    recall->events = NULL;
    recall->list = NULL;
    recall->room = recall->count = recall->event_room = recall->list_room = 0;
}
