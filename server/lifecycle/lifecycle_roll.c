/* SPDX-License-Identifier: Apache-2.0 */
/* The roll of the field is found, or that which was asked longest ago is cleared; pages that are
 * not as they were are read, record by record; then all of them are copied out with the names. */
#include "server/lifecycle/lifecycle_roll.h"

#include <stdlib.h>

#include "server/engine/walk.h"
#include "server/measure/measure_mrr.h"
#include "server/store/written.h"

#define NO_FIELD UINT32_MAX

struct kept_roll {
    uint64_t used;  /* when it was asked last; 0: free */
    uint32_t field; /* id, or NO_FIELD */
    uint32_t schema;
    struct lifecycle_roll roll;
    struct lifecycle_names names;
};

/* A guest of the columns. */
struct rolls {
    pthread_mutex_t lock;
    uint64_t turn;
    struct kept_roll list[LIFECYCLE_ROLLS_MAX];
};

static void *rolls_create(void)
{
    struct rolls *rolls = calloc(1, sizeof *rolls);
    if (rolls != NULL) {
        pthread_mutex_init(&rolls->lock, NULL);
    }
    return rolls;
}

static void roll_clear(struct kept_roll *kept)
{
    lifecycle_roll_fini(&kept->roll);
    lifecycle_names_fini(&kept->names);
    *kept = (struct kept_roll){.used = 0};
}

static void rolls_destroy(void *guest)
{
    struct rolls *rolls = guest;
    for (size_t i = 0; i < LIFECYCLE_ROLLS_MAX; i++) {
        roll_clear(&rolls->list[i]);
    }
    pthread_mutex_destroy(&rolls->lock);
    free(rolls);
}

void lifecycle_roll_fini(struct lifecycle_roll *roll)
{
    free(roll->pages);
    *roll = (struct lifecycle_roll){.count = 0};
}

static struct kept_roll *roll_find(struct rolls *rolls, const struct engine_worker *worker,
                                   const struct feature_field *field)
{
    uint32_t id = field != NULL ? field->id : NO_FIELD;
    uint32_t schema = field != NULL ? worker->state->schema->version : 0;
    struct kept_roll *oldest = &rolls->list[0];
    for (size_t i = 0; i < LIFECYCLE_ROLLS_MAX; i++) {
        struct kept_roll *kept = &rolls->list[i];
        if (kept->used > 0 && kept->field == id && kept->schema == schema) {
            return kept;
        }
        oldest = kept->used < oldest->used ? kept : oldest;
    }
    roll_clear(oldest);
    oldest->field = id;
    oldest->schema = schema;
    return oldest;
}

static bool roll_room(struct lifecycle_roll *roll, uint32_t count)
{
    if (count <= roll->count) {
        return true;
    }
    struct lifecycle_roll_page *grown = realloc(roll->pages, count * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    memset(grown + roll->count, 0, (count - roll->count) * sizeof *grown);
    roll->pages = grown;
    roll->count = count;
    return true;
}

/* Whether nothing of the page was written after it was read, nor after the view. */
static bool page_holds(const struct lifecycle_roll_page *page, uint32_t number,
                       const struct store_view *view)
{
    bool holds = page->seq > 0;
    for (uint32_t at = 0; at < LIFECYCLE_PAGE_SLOTS && holds; at++) {
        uint64_t written = store_view_written(view, number * LIFECYCLE_PAGE_SLOTS + at);
        holds = written <= page->seq && written <= store_view_seq(view);
    }
    return holds;
}

/* False: an account cannot be read, or there are too many names. */
static bool page_read(struct kept_roll *kept, uint32_t number, struct engine_worker *worker,
                      const struct feature_field *field)
{
    struct lifecycle_roll_page page = {.seq = store_view_seq(worker->view)};
    uint32_t slots = store_view_slots(worker->view);
    for (uint32_t at = 0; at < LIFECYCLE_PAGE_SLOTS; at++) {
        uint32_t slot = number * LIFECYCLE_PAGE_SLOTS + at;
        struct proto_fault why = {.code = PROTO_OK};
        struct proto_span record;
        uint32_t segment = 0;
        bool read =
            slot < slots && (field != NULL ? engine_values(worker, slot, NULL, &why)
                                           : store_record(worker->view, slot, &record, &why));
        if (!read) {
            if (why.code != PROTO_OK && why.code != PROTO_NOT_FOUND) {
                return false;
            }
            continue;
        }
        if (field != NULL &&
            !lifecycle_segment_number(&kept->names, &worker->values[field->id], &segment, &why)) {
            return false;
        }
        page.living[at / 64] |= UINT64_C(1) << at % 64;
        page.segments[at] = (uint16_t)segment;
    }
    kept->roll.pages[number] = page;
    return true;
}

static bool roll_renew(struct kept_roll *kept, struct engine_worker *worker,
                       const struct engine_job *job, const struct feature_field *field,
                       uint32_t count, struct proto_fault *fault)
{
    bool good = roll_room(&kept->roll, count);
    if (good && field != NULL && kept->names.count == 0) {
        struct proto_fault ignored;
        good = lifecycle_segments_begin(&kept->names, &ignored);
    }
    for (uint32_t number = 0; number < count && good; number++) {
        if (!page_holds(&kept->roll.pages[number], number, worker->view)) {
            good = engine_scan_goes_on(job, fault) && page_read(kept, number, worker, field);
        }
    }
    return good;
}

static bool roll_copy(const struct kept_roll *kept, uint32_t count, struct lifecycle_roll *roll,
                      struct lifecycle_names *names)
{
    struct proto_fault ignored;
    uint32_t number = 0;
    roll->pages = calloc((size_t)count + 1, sizeof *roll->pages);
    bool good = roll->pages != NULL;
    if (good && count > 0) {
        memcpy(roll->pages, kept->roll.pages, count * sizeof *roll->pages);
        roll->count = count;
    }
    for (uint32_t i = 0; i < kept->names.count && good; i++) {
        const struct proto_span name = {(const uint8_t *)kept->names.texts[i],
                                        kept->names.lengths[i]};
        good = lifecycle_name_number(names, name, &number, &ignored) && number == i;
    }
    return good;
}

bool lifecycle_roll_get(struct lifecycle_columns *columns, struct engine_worker *worker,
                        const struct engine_job *job, const struct feature_field *field,
                        struct lifecycle_roll *roll, struct lifecycle_names *names, bool *done,
                        struct proto_fault *fault)
{
    uint32_t slots = store_view_slots(worker->view);
    uint32_t count = (slots + LIFECYCLE_PAGE_SLOTS - 1) / LIFECYCLE_PAGE_SLOTS;
    struct proto_fault why = {.code = PROTO_OK};
    *roll = (struct lifecycle_roll){.count = 0};
    *done = false;
    bool kept_at_all = columns != NULL && (field == NULL || !lifecycle_field_is_label(field));
    struct rolls *rolls = kept_at_all ? lifecycle_columns_guest(columns, LIFECYCLE_GUEST_ROLLS,
                                                                rolls_create, rolls_destroy)
                                      : NULL;
    if (rolls == NULL) {
        return true;
    }
    pthread_mutex_lock(&rolls->lock);
    struct kept_roll *kept = roll_find(rolls, worker, field);
    kept->used = ++rolls->turn;
    *done =
        roll_renew(kept, worker, job, field, count, &why) && roll_copy(kept, count, roll, names);
    if (!*done) {
        roll_clear(kept);
        lifecycle_roll_fini(roll);
        lifecycle_names_fini(names);
    }
    pthread_mutex_unlock(&rolls->lock);
    if (why.code != PROTO_OK) {
        *fault = why;
    }
    return why.code == PROTO_OK;
}

bool lifecycle_roll_walk(struct lifecycle_columns *columns, struct engine_worker *worker,
                         const struct engine_job *job, void *context,
                         bool (*each)(void *context, uint32_t slot, int64_t raw,
                                      struct proto_fault *fault),
                         bool *done, struct proto_fault *fault)
{
    struct lifecycle_roll roll;
    struct lifecycle_names none = {.count = 0};
    uint32_t slots = store_view_slots(worker->view);
    bool good = lifecycle_roll_get(columns, worker, job, NULL, &roll, &none, done, fault);
    for (uint32_t slot = 0; slot < slots && *done && good; slot++) {
        good = slot % LIFECYCLE_PAGE_SLOTS != 0 || engine_scan_goes_on(job, fault);
        if (good && lifecycle_roll_lives(&roll, slot)) {
            good = each(context, slot, 0, fault);
        }
    }
    lifecycle_roll_fini(&roll);
    lifecycle_names_fini(&none);
    return good;
}
