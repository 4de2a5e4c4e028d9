/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of an account are parted into touches and steps by their shapes; steps of several
 * opportunities are put in the order of their subjects. Memory can run out, and who asked can give
 * up. */
#include "server/lifecycle/lifecycle_instants.h"

#include <stdlib.h>

#include "server/base/grow.h"

enum { KIND_NEW, KIND_NONE, KIND_FIRST }; /* then those of measure_instant_kind */
enum { TOUCHES, STEPS };

static bool is_end(const struct event *shape, struct proto_span kind)
{
    return shape->type == EVENT_OUTCOME && proto_span_equal(shape->kind, kind);
}

static uint8_t kind_of(const struct lifecycle_instants *instants, uint32_t number)
{
    const struct event *shape =
        lifecycle_shape(lifecycle_columns_shapes(instants->mark.columns), number);
    switch (shape->type) {
    case EVENT_TOUCH:
        return KIND_FIRST + MEASURE_INSTANT_TOUCH;
    case EVENT_STAGE:
        return KIND_FIRST + MEASURE_INSTANT_STAGE;
    case EVENT_DECISION:
        return KIND_FIRST + MEASURE_INSTANT_DECISION;
    default:
        return is_end(shape, instants->options->won)    ? KIND_FIRST + MEASURE_INSTANT_WON
               : is_end(shape, instants->options->lost) ? KIND_FIRST + MEASURE_INSTANT_LOST
                                                        : KIND_NONE;
    }
}

/* A shape that was not seen yet is looked at. */
static bool kind_learn(struct lifecycle_instants *instants, uint32_t shape,
                       struct proto_fault *fault)
{
    size_t count = (size_t)shape + 1;
    if (count > instants->kind_count) {
        if (!base_grow(&instants->kinds, &instants->kind_room, count, sizeof *instants->kinds,
                       "shapes of events", fault)) {
            return false;
        }
        memset(instants->kinds + instants->kind_count, KIND_NEW, count - instants->kind_count);
        instants->kind_count = count;
    }
    instants->kinds[shape] = kind_of(instants, shape);
    return true;
}

/* The number that the page has for the owner's name. */
static uint32_t owner_find(const struct lifecycle_instants *instants)
{
    const struct lifecycle_page *page = instants->mark.page;
    struct proto_span owner = instants->options->owner;
    for (uint32_t number = 1; number < page->text_count && owner.bytes > 0; number++) {
        if (proto_span_equal(lifecycle_page_text(page, number), owner)) {
            return number;
        }
    }
    return 0;
}

static bool page_read(struct lifecycle_instants *instants, struct proto_fault *fault)
{
    const struct measure_journey_options *options = instants->options;
    const struct lifecycle_page *page = instants->mark.page;
    const bool wanted[LIFECYCLE_COLUMNS] = {[LIFECYCLE_COLUMN_SHAPE] = true,
                                            [LIFECYCLE_COLUMN_TIME] = true,
                                            [LIFECYCLE_COLUMN_SEQ] = options->late_left_out,
                                            [LIFECYCLE_COLUMN_SUBJECT] = !options->by_account,
                                            [LIFECYCLE_COLUMN_PERSON] = options->owner.bytes > 0};
    if (!base_grow(&instants->numbers, &instants->number_room, page->rows * LIFECYCLE_COLUMNS + 1,
                   sizeof *instants->numbers, "events", fault) ||
        !base_grow(&instants->opportunities, &instants->opportunity_room, page->text_count,
                   sizeof *instants->opportunities, "opportunities", fault)) {
        return false;
    }
    for (size_t c = 0; c < LIFECYCLE_COLUMNS; c++) {
        int64_t *numbers = instants->numbers + c * page->rows;
        instants->columns[c] = wanted[c] ? numbers : NULL;
        if (wanted[c]) {
            event_column_read(lifecycle_page_column(page, (enum lifecycle_page_column)c), 0,
                              page->rows, numbers);
        }
    }
    memset(instants->opportunities, 0, page->text_count * sizeof *instants->opportunities);
    instants->account = 0;
    instants->owner = owner_find(instants);
    instants->numbered = instants->mark.turns;
    return true;
}

/* One more than there are: what is neither is written and left. */
static bool room_make(struct lifecycle_instants *instants, size_t count, struct proto_fault *fault)
{
    for (int i = 0; i < 2; i++) {
        if (!base_grow(&instants->room_of[i], &instants->room[i], count, sizeof **instants->room_of,
                       "events", fault)) {
            return false;
        }
    }
    return true;
}

/* By text, then as the rows are. */
static int steps_order(const void *left, const void *right, void *context)
{
    const struct measure_instant *a = left;
    const struct measure_instant *b = right;
    const struct lifecycle_page *page = context;
    int order = a->subject == b->subject
                    ? 0
                    : proto_span_compare(lifecycle_page_text(page, a->subject),
                                         lifecycle_page_text(page, b->subject));
    return order != 0 ? order : (a->at > b->at) - (a->at < b->at);
}

/* A column of the page, or zeros where it was not asked for: step 0. */
struct reading {
    const int64_t *numbers;
    size_t step;
};

static struct reading reading_of(const struct lifecycle_instants *instants,
                                 enum lifecycle_page_column column)
{
    static const int64_t zero = 0;
    const int64_t *numbers = instants->columns[column];
    return numbers != NULL ? (struct reading){numbers, 1} : (struct reading){&zero, 0};
}

/* Rows first … last − 1 as instants, parted. Nothing of a row is branched on but what is the same
 * of nearly all. */
static bool rows_part(struct lifecycle_instants *instants, uint32_t first, uint32_t last,
                      struct proto_fault *fault)
{
    const int64_t *shapes = instants->columns[LIFECYCLE_COLUMN_SHAPE];
    const int64_t *times = instants->columns[LIFECYCLE_COLUMN_TIME];
    const struct reading subjects = reading_of(instants, LIFECYCLE_COLUMN_SUBJECT);
    const struct reading told = reading_of(instants, LIFECYCLE_COLUMN_SEQ);
    const struct reading persons = reading_of(instants, LIFECYCLE_COLUMN_PERSON);
    const int64_t owner = instants->owner > 0 ? (int64_t)instants->owner : -1;
    struct measure_instant *touch = instants->room_of[TOUCHES];
    struct measure_instant *step = instants->room_of[STEPS];
    const uint8_t *kinds = instants->kinds; /* here: what is written below could be anything */
    size_t kind_count = instants->kind_count;
    for (uint32_t at = first; at < last; at++) {
        size_t shape = (size_t)shapes[at];
        if (shape >= kind_count || kinds[shape] == KIND_NEW) {
            if (!kind_learn(instants, (uint32_t)shape, fault)) {
                return false;
            }
            kinds = instants->kinds;
            kind_count = instants->kind_count;
        }
        uint8_t kind = kinds[shape];
        bool is_touch = kind == KIND_FIRST + MEASURE_INSTANT_TOUCH;
        struct measure_instant *instant = is_touch ? touch : step;
        *instant =
            (struct measure_instant){.time_ms = times[at],
                                     .seq = (uint64_t)told.numbers[at * told.step],
                                     .subject = (uint32_t)subjects.numbers[at * subjects.step],
                                     .at = at,
                                     .kind = (uint8_t)(kind - KIND_FIRST),
                                     .owned = persons.numbers[at * persons.step] == owner,
                                     .bound = false};
        touch += is_touch;
        step += kind > KIND_FIRST + MEASURE_INSTANT_TOUCH;
    }
    instants->all = (struct measure_instants){
        instants->room_of[TOUCHES], (size_t)(touch - instants->room_of[TOUCHES]),
        instants->room_of[STEPS], (size_t)(step - instants->room_of[STEPS])};
    return true;
}

/* Which touches are of one of the account's opportunities. */
static void touches_bind(struct lifecycle_instants *instants)
{
    struct measure_instant *touches = instants->room_of[TOUCHES];
    const struct measure_instant *steps = instants->room_of[STEPS];
    instants->account++;
    for (size_t i = 0; i < instants->all.step_count; i++) {
        instants->opportunities[steps[i].subject] = instants->account;
    }
    for (size_t i = 0; i < instants->all.touch_count; i++) {
        touches[i].bound = touches[i].subject > 0 &&
                           instants->opportunities[touches[i].subject] == instants->account;
    }
}

/* Steps by opportunity, and touches told to be of one. Of most accounts there is nothing to do. */
static void subjects_say(struct lifecycle_instants *instants)
{
    struct measure_instant *steps = instants->room_of[STEPS];
    uint32_t named = 0;
    uint32_t other = 0;
    for (size_t i = 0; i < instants->all.touch_count; i++) {
        named |= instants->room_of[TOUCHES][i].subject;
    }
    for (size_t i = 1; i < instants->all.step_count; i++) {
        other |= steps[i].subject ^ steps[0].subject;
    }
    if (named != 0 && instants->all.step_count > 0) {
        touches_bind(instants);
    }
    if (other != 0) {
        qsort_r(steps, instants->all.step_count, sizeof *steps, steps_order, instants->mark.page);
    }
}

bool lifecycle_instants_account(struct lifecycle_instants *instants, uint32_t slot, bool *done,
                                struct proto_fault *fault)
{
    uint32_t at = slot % LIFECYCLE_PAGE_SLOTS;
    bool there = false;
    *done = false;
    bool good = lifecycle_bookmark_find(&instants->mark, slot, &there, fault);
    if (!good || !there) {
        return good;
    }
    const struct lifecycle_page *page = instants->mark.page;
    size_t count = page->first[at + 1] - page->first[at];
    if ((instants->numbered != instants->mark.turns && !page_read(instants, fault)) ||
        !room_make(instants, count + 1, fault) ||
        !rows_part(instants, page->first[at], page->first[at + 1], fault)) {
        return false;
    }
    if (!instants->options->by_account) {
        subjects_say(instants);
    }
    *done = true;
    return true;
}

struct event lifecycle_instants_event(const struct lifecycle_instants *instants, uint32_t at)
{
    const struct lifecycle_page *page = instants->mark.page;
    int64_t numbers[LIFECYCLE_COLUMNS];
    for (size_t c = 0; c < LIFECYCLE_COLUMNS; c++) {
        event_column_read(lifecycle_page_column(page, (enum lifecycle_page_column)c), at, 1,
                          &numbers[c]);
    }
    struct event event = *lifecycle_shape(lifecycle_columns_shapes(instants->mark.columns),
                                          (uint32_t)numbers[LIFECYCLE_COLUMN_SHAPE]);
    event.time_ms = numbers[LIFECYCLE_COLUMN_TIME];
    event.seq = (uint64_t)numbers[LIFECYCLE_COLUMN_SEQ];
    event.amount = numbers[LIFECYCLE_COLUMN_AMOUNT];
    event.quantity = numbers[LIFECYCLE_COLUMN_QUANTITY];
    event.subject = lifecycle_page_text(page, numbers[LIFECYCLE_COLUMN_SUBJECT]);
    event.person = lifecycle_page_text(page, numbers[LIFECYCLE_COLUMN_PERSON]);
    return event;
}

void lifecycle_instants_fini(struct lifecycle_instants *instants)
{
    lifecycle_bookmark_fini(&instants->mark);
    for (int i = 0; i < 2; i++) {
        free(instants->room_of[i]);
    }
    free(instants->numbers);
    free(instants->kinds);
    free(instants->opportunities);
    *instants = (struct lifecycle_instants){.mark = instants->mark, .options = instants->options};
}
