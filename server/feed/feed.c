/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of page it is, then the page. A since that lies ahead is refused; one that the log does
 * not reach gets all accounts instead. */
#include "server/feed/feed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server/engine/audit.h"
#include "server/engine/segments.h"
#include "server/engine/version.h"
#include "server/engine/walk.h"
#include "server/feed/feed_log.h"
#include "server/feed/feed_move.h"

enum {
    LOOKED_FOR_EACH = 20 /* accounts looked at for each that a page of a switch may hold */
};

static const char *const names[] = {
    [FEED_GRADE] = "grade", [FEED_SEGMENT] = "segment", [FEED_NEW] = "new",
    [FEED_GONE] = "gone",   [FEED_ON_LIST] = "on list", [FEED_OFF_LIST] = "off list",
    [FEED_IS] = "is",
};

const char *feed_what_name(enum feed_what what)
{
    return names[what];
}

struct feeding {
    struct feed_between between;
    const struct engine_job *job;
    const struct feed_request *request;
    size_t looked, looked_most;
    bool tells; /* of a list of all; else compares */
};

/* The document of a version; NULL for none, and for one that cannot be used: it graded nobody. */
static const struct learn_document *document_of(const struct engine_worker *worker,
                                                uint32_t version)
{
    struct proto_fault ignored = {.code = PROTO_OK};
    return version > 0 ? engine_state_document(worker->state, version, &ignored) : NULL;
}

static bool account_look(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct feeding *feeding = context;
    struct feed_page *page = feeding->between.page;
    (void)raw;
    bool enough = feeding->looked >= feeding->looked_most || page->count >= feeding->request->limit;
    if (feeding->looked > 0 && enough) {
        page->after = slot;
        return false;
    }
    feeding->looked++;
    return feeding->tells ? feed_tell(&feeding->between, slot, fault)
                          : feed_compare(&feeding->between, slot, fault);
}

/* All accounts from `after` on, as many as a page may have. */
static bool sweep(struct feeding *feeding, struct proto_fault *fault)
{
    struct engine_walk walk = {.worker = feeding->between.worker,
                               .job = feeding->job,
                               .from = feeding->request->after,
                               .context = feeding,
                               .each = account_look};
    feeding->between.page->after = 0;
    return engine_walk(&walk, fault);
}

static bool list_tell(struct feeding *feeding, const struct engine_list *list, enum feed_what what,
                      struct proto_fault *fault)
{
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        if (!feed_listed(&feeding->between, list->slots[i], what, list->name, fault)) {
            return false;
        }
    }
    return true;
}

/* Lists of the version before count no more, those of the version now do. */
static bool lists_switch(struct feeding *feeding, uint32_t before, uint32_t now,
                         struct proto_fault *fault)
{
    const struct engine_lists *lists = feeding->between.worker->state->lists;
    for (size_t i = 0; lists != NULL && before != now && i < lists->count; i++) {
        const struct engine_list *list = lists->items[i];
        if (list == NULL || (list->icp != before && list->icp != now)) {
            continue;
        }
        if (!list_tell(feeding, list, list->icp == now ? FEED_ON_LIST : FEED_OFF_LIST, fault)) {
            return false;
        }
    }
    return true;
}

static bool lists_built(struct feeding *feeding, const struct feed_stretch *stretch,
                        struct proto_fault *fault)
{
    const struct engine_lists *lists = feeding->between.worker->state->lists;
    for (size_t i = 0; lists != NULL && i < stretch->list_count; i++) {
        uint32_t number = stretch->lists[i];
        bool there = number >= 1 && number <= lists->count;
        if (there && !list_tell(feeding, lists->items[number - 1], FEED_ON_LIST, fault)) {
            return false;
        }
    }
    return true;
}

static int by_slot(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static int by_id(const void *left, const void *right)
{
    const struct proto_span *a = left;
    const struct proto_span *b = right;
    size_t bytes = a->bytes < b->bytes ? a->bytes : b->bytes;
    int order = memcmp(a->data, b->data, bytes);
    return order != 0 ? order : (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

/* Slots of the accounts that were touched, each once; ids that are no account's are gone. */
static bool touched_find(struct feeding *feeding, struct feed_stretch *stretch, uint32_t *slots,
                         size_t *count, struct proto_fault *fault)
{
    *count = 0;
    if (stretch->id_count > 1) {
        qsort(stretch->ids, stretch->id_count, sizeof *stretch->ids, by_id);
    }
    for (size_t i = 0; i < stretch->id_count; i++) {
        struct engine_name name = {.id = stretch->ids[i]};
        struct proto_fault why = {.code = PROTO_OK};
        struct feature_record record;
        if (i > 0 && proto_span_equal(stretch->ids[i], stretch->ids[i - 1])) {
            continue;
        }
        uint32_t slot = engine_find(feeding->between.worker, &name, &why);
        if (slot == ENGINE_NO_SLOT && why.code != PROTO_OK) {
            *fault = why;
            return false;
        }
        if (slot == ENGINE_NO_SLOT) {
            if (!feed_gone(&feeding->between, stretch->ids[i], fault)) {
                return false;
            }
            continue;
        }
        if (!engine_record(feeding->between.worker, slot, &record, fault)) {
            return false;
        }
        /* A record that is part of another account now is none by itself any more. */
        if (!proto_span_equal(record.id, stretch->ids[i]) &&
            !feed_gone(&feeding->between, stretch->ids[i], fault)) {
            return false;
        }
        slots[(*count)++] = slot;
    }
    if (*count > 1) {
        qsort(slots, *count, sizeof *slots, by_slot);
    }
    return true;
}

static bool touched_compare(struct feeding *feeding, struct feed_stretch *stretch,
                            struct proto_fault *fault)
{
    size_t count = 0;
    uint32_t *slots =
        base_arena_array(feeding->between.arena, stretch->id_count + 1, sizeof *slots);
    if (slots == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a page of changes");
    }
    if (!touched_find(feeding, stretch, slots, &count, fault)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (i % 64 == 0 && !engine_scan_goes_on(feeding->job, fault)) {
            return false;
        }
        if ((i == 0 || slots[i] != slots[i - 1]) &&
            !feed_compare(&feeding->between, slots[i], fault)) {
            return false;
        }
    }
    return true;
}

/* Labels by the first `count` segments that were put. */
static bool labels_open(struct feeding *feeding, size_t count, struct engine_labels **labels,
                        struct proto_fault *fault)
{
    const struct engine_state *state = feeding->between.worker->state;
    struct engine_segments *segments = NULL;
    bool good = engine_segments_until(state->segments, count, &segments, fault) &&
                engine_labels_of_values(state, segments, labels, fault);
    engine_segments_release(segments);
    return good;
}

static bool labels_between(struct feeding *feeding, const struct feed_stretch *stretch,
                           struct proto_fault *fault)
{
    struct feed_between *between = &feeding->between;
    size_t before = 0;
    size_t now = 0;
    return feed_segments(between->worker, stretch, &before, &now, fault) &&
           labels_open(feeding, before, &between->labels_before, fault) &&
           labels_open(feeding, now, &between->labels_now, fault);
}

static bool full_page(struct feeding *feeding, const char *why, struct proto_fault *fault)
{
    struct feed_page *page = feeding->between.page;
    const struct feed_request *request = feeding->request;
    const struct engine_state *state = feeding->between.worker->state;
    page->full = true;
    page->why = why;
    page->next = request->after > 0 && request->until > 0 ? request->until : page->seq;
    page->icp = state->active != NULL ? state->active_version : 0;
    feeding->between.now = state->active;
    feeding->tells = true;
    feeding->looked_most = SIZE_MAX;
    return labels_open(feeding, SIZE_MAX, &feeding->between.labels_now, fault) &&
           sweep(feeding, fault);
}

static bool changes_page(struct feeding *feeding, struct proto_fault *fault)
{
    struct feed_between *between = &feeding->between;
    struct feed_page *page = between->page;
    const struct feed_request *request = feeding->request;
    struct feed_stretch stretch;
    uint32_t before = between->worker->state->active_version;
    uint32_t now = before;
    if (!feed_stretch_read(between->worker, feeding->job, request->since, page->seq, request->limit,
                           between->arena, &stretch, fault) ||
        (stretch.any && !(feed_active(between->worker, &stretch, &before, &now, fault) &&
                          labels_between(feeding, &stretch, fault)))) {
        return false;
    }
    page->next = between->next = stretch.last;
    page->icp = now;
    between->since = request->since;
    between->before = document_of(between->worker, before);
    between->now = document_of(between->worker, now);
    if (stretch.sweeps) {
        feeding->looked_most = request->limit * LOOKED_FOR_EACH;
        return (request->after > 0 || lists_switch(feeding, before, now, fault)) &&
               sweep(feeding, fault);
    }
    return touched_compare(feeding, &stretch, fault) && lists_built(feeding, &stretch, fault);
}

bool feed_read(struct engine_worker *worker, const struct engine_job *job,
               const struct feed_request *request, struct base_arena *arena, struct feed_page *page,
               struct proto_fault *fault)
{
    struct base_arena scratch;
    struct feeding feeding = {
        .between = {.worker = worker, .arena = arena, .scratch = &scratch, .page = page},
        .job = job,
        .request = request};
    uint64_t newest = 0;
    uint64_t floor = 0;
    *page = (struct feed_page){.seq = engine_worker_seq(worker)};
    if (!engine_audit_range(worker->engine, &floor, &newest, fault)) {
        return false;
    }
    page->oldest = floor > 0 ? floor - 1 : 0;
    if (request->since > page->seq) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "since",
                               "it lies ahead of the newest sequence, %" PRIu64
                               ": it is of another store, or of one that was restored",
                               page->seq);
    }
    base_arena_init(&scratch, 0, 0);
    bool good = request->since == 0 ? full_page(&feeding, "since 0 asks for everything", fault)
                : request->since < page->oldest
                    ? full_page(&feeding, "the log does not reach back so far", fault)
                    : changes_page(&feeding, fault);
    engine_labels_release(feeding.between.labels_before);
    engine_labels_release(feeding.between.labels_now);
    base_arena_fini(&scratch);
    return good;
}
