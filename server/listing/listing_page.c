/* SPDX-License-Identifier: Apache-2.0 */
#include "server/listing/listing_page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

bool listing_count(struct engine_worker *worker, const struct engine_job *job,
                   const struct engine_expression *expression, uint64_t *count,
                   struct proto_fault *fault)
{
    bool scores = expression->filter && filter_reads_score(expression->filter);
    struct engine_walk walk = {
        .worker = worker,
        .job = job,
        .filter = expression->filter,
        .document = scores ? expression->document : NULL,
    };
    if (!expression->filter) {
        *count = store_view_accounts(worker->view);
        return true;
    }
    bool ok = engine_walk(&walk, fault);
    *count = walk.matched;
    return ok;
}

/* A listing under way. */
struct listing {
    struct listing_page *page;
    struct engine_worker *worker;
    struct listing_ranking ranking;
    int64_t raw_after; /* best first: of the cursor */
    struct proto_span id_after;
    bool has_after;
};

static bool cursor_fault(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_BAD_FIELD, "after",
                           "this is no cursor of such a listing; give the one of the reply before, "
                           "with the same order");
}

/* A whole decimal number at the front of the text, then the byte `end`. */
static bool number_take(struct proto_span *text, char end, int64_t *number)
{
    char digits[24] = "";
    size_t bytes = 0;
    while (bytes < text->bytes && bytes + 1 < sizeof digits && text->data[bytes] != (uint8_t)end) {
        digits[bytes] = (char)text->data[bytes];
        bytes++;
    }
    char *stop = NULL;
    *number = strtoll(digits, &stop, 10);
    if (bytes == 0 || *stop != '\0' || bytes == text->bytes || text->data[bytes] != (uint8_t)end) {
        return false;
    }
    text->data += bytes + 1;
    text->bytes -= bytes + 1;
    return true;
}

/* "slot;" in order of arrival, "raw:id" best first. */
static bool cursor_read(struct listing *listing, uint32_t *from, struct proto_fault *fault)
{
    struct proto_span text = listing->page->after;
    int64_t slot = 0;
    *from = 0;
    if (text.bytes == 0) {
        return true;
    }
    if (listing->page->best_first) {
        listing->has_after = true;
        bool good = number_take(&text, ':', &listing->raw_after) && text.bytes > 0;
        listing->id_after = text;
        return good || cursor_fault(fault);
    }
    if (!number_take(&text, ';', &slot) || text.bytes > 0 || slot < 0 ||
        slot >= (int64_t)STORE_BAD_SLOT) {
        return cursor_fault(fault);
    }
    *from = (uint32_t)slot;
    return true;
}

/* One more than the limit is taken, to know whether there is more. */
static bool each_arrival(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct listing *listing = context;
    struct listing_page *page = listing->page;
    (void)fault;
    if (page->count == page->limit) {
        snprintf(page->next, sizeof page->next, "%" PRIu32 ";", slot);
        return false;
    }
    page->found[page->count++] = (struct listing_found){raw, slot};
    return true;
}

static bool each_best(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct listing *listing = context;
    bool before = listing->has_after && raw > listing->raw_after;
    if (listing->has_after && raw == listing->raw_after) {
        struct proto_span bytes;
        struct feature_record record;
        if (!store_record(listing->worker->view, slot, &bytes, fault) ||
            !feature_record_open(bytes, false, &record, fault)) {
            return false;
        }
        before = proto_span_compare(record.id, listing->id_after) <= 0;
    }
    return before || listing_ranking_add(&listing->ranking, slot, raw, fault);
}

static bool best_take(struct listing *listing, struct proto_fault *fault)
{
    struct listing_page *page = listing->page;
    struct listing_ranked next;
    struct listing_ranked last = {0};
    struct proto_fault local = {0};
    while (listing_ranking_next(&listing->ranking, listing->worker, &next, &local)) {
        if (page->count == page->limit) {
            snprintf(page->next, sizeof page->next, "%" PRIi64 ":%.*s", last.raw,
                     (int)last.id.bytes, (const char *)last.id.data);
            return true;
        }
        page->found[page->count++] = (struct listing_found){next.raw, next.slot};
        last = next;
    }
    if (local.code != PROTO_OK) {
        *fault = local;
    }
    return local.code == PROTO_OK;
}

bool listing_filter(struct engine_worker *worker, const struct engine_job *job,
                    const struct engine_expression *expression, struct listing_page *page,
                    struct proto_fault *fault)
{
    /* One more than the page holds, to know whether there is more. */
    struct listing listing = {.page = page, .worker = worker, .ranking.wanted = page->limit + 1};
    struct engine_walk walk = {
        .worker = worker,
        .job = job,
        .filter = expression->filter,
        .document = expression->document,
        .context = &listing,
        .each = page->best_first ? each_best : each_arrival,
    };
    page->count = 0;
    page->next[0] = '\0';
    page->found = NULL;
    if (!cursor_read(&listing, &walk.from, fault)) {
        return false;
    }
    page->found = malloc((page->limit + 1) * sizeof *page->found);
    if (!page->found) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu accounts",
                               page->limit);
    }
    bool ok = engine_walk(&walk, fault) && (!page->best_first || best_take(&listing, fault));
    listing_ranking_fini(&listing.ranking);
    return ok;
}
