/* SPDX-License-Identifier: Apache-2.0 */
/* The page of columns that is asked: its columns are read as numbers, those that are needed, and
 * rows are picked that match, by the verdict on their shape. Without memory there is no page, and
 * timelines are read; who asked can give up while a page is made. */
#include <stdlib.h>

#include "server/lifecycle/lifecycle_asking.h"

/* Whether a row matches that no single interval decides. */
static bool row_matches(struct lifecycle_asking *asking, const struct lifecycle_verdict *verdict,
                        size_t row)
{
    if (verdict->narrow != NULL) {
        const double numbers[LIFECYCLE_WHERE_NUMBERS] = {
            [LIFECYCLE_WHERE_NUMBER_TIME] = (double)asking->times[row],
            [LIFECYCLE_WHERE_NUMBER_AMOUNT] = (double)asking->amounts[row],
            [LIFECYCLE_WHERE_NUMBER_QUANTITY] = (double)asking->quantities[row]};
        return filter_narrow_match(verdict->narrow, numbers);
    }
    struct event event =
        *lifecycle_shape(lifecycle_columns_shapes(asking->columns), (uint32_t)asking->shapes[row]);
    event.time_ms = asking->times[row];
    event.amount = asking->amounts[row];
    event.quantity = asking->quantities[row];
    return lifecycle_where_match(&asking->where, &event);
}

/* Leaves the rows of the page that match, without a branch for most: which of them do is as good as
 * random. */
static bool rows_pick(struct lifecycle_asking *asking, const struct lifecycle_page *page,
                      struct proto_fault *fault)
{
    const int64_t *const numbers[LIFECYCLE_WHERE_NUMBERS] = {
        [LIFECYCLE_WHERE_NUMBER_TIME] = asking->times,
        [LIFECYCLE_WHERE_NUMBER_AMOUNT] = asking->amounts,
        [LIFECYCLE_WHERE_NUMBER_QUANTITY] = asking->quantities};
    uint32_t count = 0;
    for (uint32_t at = 0; at < LIFECYCLE_PAGE_SLOTS; at++) {
        asking->picked_first[at] = count;
        for (uint32_t row = page->first[at]; row < page->first[at + 1]; row++) {
            uint32_t shape = (uint32_t)asking->shapes[row];
            const struct lifecycle_verdict *verdict =
                shape < asking->verdict_count && asking->verdicts[shape].known
                    ? &asking->verdicts[shape]
                    : lifecycle_verdict_get(asking, shape, fault);
            if (verdict == NULL) {
                return false;
            }
            double number = (double)numbers[verdict->number][row];
            bool in = (number >= verdict->low) & (number <= verdict->high);
            bool matches = in == verdict->inside;
            if (verdict->ask) {
                matches = row_matches(asking, verdict, row);
            }
            asking->picked[count] = row;
            count += matches;
        }
    }
    asking->picked_first[LIFECYCLE_PAGE_SLOTS] = count;
    return true;
}

/* Columns that no page is read into are zeros. */
static bool columns_room(struct lifecycle_asking *asking, size_t rows)
{
    int64_t **columns[] = {&asking->shapes, &asking->times, &asking->amounts, &asking->quantities};
    bool good = true;
    if (rows <= asking->column_room) {
        return true;
    }
    for (size_t i = 0; i < 4; i++) {
        free(*columns[i]);
        *columns[i] = calloc(rows * 2, sizeof **columns[i]);
        good = good && *columns[i] != NULL;
    }
    free(asking->picked);
    asking->picked = calloc(rows * 2, sizeof *asking->picked);
    if (!good || asking->picked == NULL) {
        asking->column_room = 0;
        return false;
    }
    asking->column_room = rows * 2;
    return true;
}

bool lifecycle_asking_turn(struct lifecycle_asking *asking, uint32_t slot,
                           struct proto_fault *fault)
{
    uint32_t number = slot / LIFECYCLE_PAGE_SLOTS;
    if (asking->page_asked && number == asking->page_number) {
        return true;
    }
    lifecycle_page_release(asking->page);
    struct proto_fault why = {.code = PROTO_OK};
    struct lifecycle_page *page =
        lifecycle_columns_page(asking->columns, asking->worker, asking->job, number, &why);
    asking->page_asked = true;
    asking->page_number = number;
    asking->page = page;
    if (why.code != PROTO_OK) {
        *fault = why;
        return false;
    }
    if (page != NULL && !columns_room(asking, page->rows)) {
        lifecycle_page_release(page);
        asking->page = page = NULL;
    }
    if (page != NULL && page->rows > 0) {
        event_column_read(&page->shape, 0, page->rows, asking->shapes);
        event_column_read(&page->time, 0, page->rows, asking->times);
        if (asking->query->sum == LIFECYCLE_SUM_AMOUNT ||
            lifecycle_where_reads(&asking->where, LIFECYCLE_WHERE_NUMBER_AMOUNT)) {
            event_column_read(&page->amount, 0, page->rows, asking->amounts);
        }
        if (asking->query->sum == LIFECYCLE_SUM_QUANTITY ||
            lifecycle_where_reads(&asking->where, LIFECYCLE_WHERE_NUMBER_QUANTITY)) {
            event_column_read(&page->quantity, 0, page->rows, asking->quantities);
        }
    }
    return page == NULL || rows_pick(asking, page, fault);
}
