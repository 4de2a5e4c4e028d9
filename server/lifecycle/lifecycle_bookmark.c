/* SPDX-License-Identifier: Apache-2.0 */
/* A page is asked for when the first of its accounts comes, whether or not there is one. Who asked
 * can give up while it is made. */
#include "server/lifecycle/lifecycle_bookmark.h"

/* Some 10 ns each: well below a millisecond. */
enum { ROWS_PER_ASKING = 65536 };

/* Apart from the question whether there is one, which every account asks: a fault takes longer to
 * clear than that. */
static bool page_turn(struct lifecycle_bookmark *mark, uint32_t number, struct proto_fault *fault)
{
    struct proto_fault why = {.code = PROTO_OK};
    lifecycle_page_release(mark->page);
    mark->page = lifecycle_columns_page(mark->columns, mark->worker, mark->job, number, &why);
    mark->number = number;
    mark->asked = true;
    mark->turns++;
    if (why.code != PROTO_OK) {
        *fault = why;
    }
    return why.code == PROTO_OK;
}

bool lifecycle_bookmark_turn(struct lifecycle_bookmark *mark, uint32_t slot,
                             struct proto_fault *fault)
{
    uint32_t number = slot / LIFECYCLE_PAGE_SLOTS;
    return (mark->asked && number == mark->number) || page_turn(mark, number, fault);
}

bool lifecycle_bookmark_holds(const struct lifecycle_bookmark *mark, uint32_t slot)
{
    return mark->page != NULL && lifecycle_page_holds(mark->page, mark->worker->view, slot);
}

bool lifecycle_bookmark_find(struct lifecycle_bookmark *mark, uint32_t slot, bool *there,
                             struct proto_fault *fault)
{
    uint32_t at = slot % LIFECYCLE_PAGE_SLOTS;
    *there = false;
    if (!lifecycle_bookmark_turn(mark, slot, fault)) {
        return false;
    }
    if (!lifecycle_bookmark_holds(mark, slot)) {
        return true;
    }
    mark->looked += mark->page->first[at + 1] - mark->page->first[at];
    if (mark->looked >= ROWS_PER_ASKING) {
        mark->looked = 0;
        if (!engine_scan_goes_on(mark->job, fault)) {
            return false;
        }
    }
    *there = true;
    return true;
}

void lifecycle_bookmark_fini(struct lifecycle_bookmark *mark)
{
    lifecycle_page_release(mark->page);
    mark->page = NULL;
    mark->asked = false;
}
