/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of entries into stages: by hand, and owners who differ by chance alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>

#include "server/math/random.h"
#include "server/measure/handoff.h"

#define DAY MEASURE_DAY_MS

static struct proto_fault fault;
static const char *const stages[] = {"lead", "demo", "won"};
static const char *const owners[] = {"ann", "bob"};
static const char *const reasons[] = {"price", "timing"};

/* Numbers of the texts above. */
static bool number(void *context, struct proto_span text, uint32_t *at, struct proto_fault *why)
{
    const char *const *names = context;
    (void)why;
    for (*at = 0; !proto_span_is(text, names[*at]); (*at)++) {
    }
    return true;
}

static struct measure_handoffs begun(void)
{
    return (struct measure_handoffs){.namer = {number, (void *)(uintptr_t)stages,
                                               (void *)(uintptr_t)owners,
                                               (void *)(uintptr_t)reasons},
                                     .as_of_ms = 100 * DAY,
                                     .mature_ms = 30 * DAY};
}

static struct event step(enum event_type type, const char *kind, int64_t day, const char *person,
                         const char *label)
{
    return (struct event){.type = type,
                          .time_ms = day * DAY,
                          .kind = proto_span_text(kind),
                          .person = proto_span_text(person),
                          .label = proto_span_text(label)};
}

static void add(struct measure_handoffs *all, const struct event *events, size_t count,
                enum measure_journey_end end, const struct event *touch)
{
    const struct event *steps[8];
    for (size_t i = 0; i < count; i++) {
        steps[i] = &events[i];
    }
    const struct measure_journey journey = {
        .end = end,
        .outcome = end == MEASURE_JOURNEY_OPEN ? NULL : &events[count - 1],
        .created_ms = events[0].time_ms,
        .end_ms = end == MEASURE_JOURNEY_OPEN ? all->as_of_ms : events[count - 1].time_ms,
        .touches = &touch,
        .touch_count = touch != NULL,
        .steps = steps,
        .step_count = count};
    assert_true(measure_handoffs_add(all, &journey, &fault));
}

static const struct measure_cell *cell(const struct measure_table *table, const char *row,
                                       const char *to, const char *owner, const char *column)
{
    for (size_t r = 0; r < measure_table_rows(table); r++) {
        if (strcmp(measure_cell_find(table, r, "row")->text, row) == 0 &&
            strcmp(measure_cell_find(table, r, "to")->text, to) == 0 &&
            strcmp(measure_cell_find(table, r, "owner")->text, owner) == 0) {
            return measure_cell_find(table, r, column);
        }
    }
    fail_msg("no row %s %s %s", row, to, owner);
    return NULL;
}

static bool table_make(struct measure_handoffs *all, unsigned least, struct measure_table *table)
{
    const struct measure_handoff_names names = {stages, owners, reasons, 3, 2, 2};
    const struct measure_handoff_options options = {
        .within_days = 4, .owners = 5, .least = least, .owners_told = true};
    return measure_handoffs_table(all, &names, &options, table, &fault);
}

/* Five enter lead: to demo after 2 and 6 days, won after 3, lost after 5, open since day 90. */
static void entries_come_out_as_by_hand(void **state)
{
    (void)state;
    struct measure_handoffs all = begun();
    struct measure_table table;
    struct event touch = {.type = EVENT_TOUCH, .time_ms = 11 * DAY};
    const struct event one[] = {step(EVENT_STAGE, "lead", 10, "ann", ""),
                                step(EVENT_STAGE, "demo", 12, "bob", "")};
    const struct event two[] = {step(EVENT_STAGE, "lead", 10, "ann", ""),
                                step(EVENT_STAGE, "demo", 16, "", ""),
                                step(EVENT_DECISION, "rejected", 17, "", "timing")};
    const struct event three[] = {step(EVENT_STAGE, "lead", 10, "bob", ""),
                                  step(EVENT_OUTCOME, "won", 13, "", "")};
    const struct event four[] = {step(EVENT_STAGE, "lead", 10, "", ""),
                                 step(EVENT_OUTCOME, "lost", 15, "", "price")};
    const struct event five[] = {step(EVENT_STAGE, "lead", 90, "", "")};
    add(&all, one, 2, MEASURE_JOURNEY_OPEN, &touch);
    add(&all, two, 2, MEASURE_JOURNEY_OPEN, NULL);
    add(&all, three, 2, MEASURE_JOURNEY_WON, NULL);
    add(&all, four, 2, MEASURE_JOURNEY_LOST, NULL);
    add(&all, five, 1, MEASURE_JOURNEY_OPEN, NULL);
    assert_true(table_make(&all, 4, &table));
    assert_int_equal(cell(&table, "stage", "", "", "n")->whole, 5);
    assert_int_equal(cell(&table, "stage", "", "", "accepted")->whole, 3);
    assert_int_equal(cell(&table, "stage", "", "", "rejected")->whole, 1);
    assert_string_equal(cell(&table, "stage", "", "", "reason")->text, "price");
    assert_int_equal(cell(&table, "stage", "", "", "open")->whole, 1);
    assert_true(cell(&table, "stage", "", "", "drop")->number == 0.2); /* day 90 is still young */
    assert_int_equal(cell(&table, "stage", "", "", "unowned")->whole, 2);
    assert_int_equal(cell(&table, "pair", "demo", "", "accepted")->whole, 2);
    assert_int_equal(cell(&table, "pair", "demo", "", "elsewhere")->whole, 1);
    /* of the pair: at risk 5 at day 2; 3 (won) and 5 (lost) are censored; at day 6 2 are left */
    assert_true(fabs(cell(&table, "pair", "demo", "", "within")->number - 0.2) < 1e-12);
    assert_true(cell(&table, "pair", "demo", "", "median")->number == 6);
    assert_true(cell(&table, "stage", "", "", "median")->number == 6);
    assert_int_equal(cell(&table, "speed to lead", "(first touch)", "", "accepted")->whole, 1);
    assert_true(cell(&table, "speed to lead", "(first touch)", "", "rate")->number == 0.2);
    assert_int_equal(cell(&table, "owner", "", "ann", "n")->whole, 2);
    assert_string_equal(cell(&table, "owner", "", "(none)", "verdict")->text,
                        "insufficient: n is 2, 4 are needed");
    measure_table_fini(&table);
    measure_handoffs_fini(&all);
}

static bool far_number(void *context, struct proto_span text, uint32_t *at, struct proto_fault *why)
{
    (void)context;
    (void)text;
    (void)why;
    *at = MEASURE_STAGES_MAX;
    return true;
}

static void too_many_stages_are_refused(void **state)
{
    (void)state;
    struct measure_handoffs all = begun();
    const struct event lead = step(EVENT_STAGE, "lead", 10, "", "");
    const struct event *steps[] = {&lead};
    const struct measure_journey journey = {
        .end = MEASURE_JOURNEY_OPEN, .steps = steps, .step_count = 1};
    all.namer.number = far_number;
    assert_false(measure_handoffs_add(&all, &journey, &fault));
    assert_int_equal(fault.code, PROTO_LIMIT);
    measure_handoffs_fini(&all);
}

static void a_stage_without_owner_is_told(void **state)
{
    (void)state;
    struct measure_handoffs all = begun();
    struct measure_table table;
    const struct event one[] = {step(EVENT_STAGE, "lead", 10, "", ""),
                                step(EVENT_STAGE, "demo", 12, "ann", "")};
    add(&all, one, 2, MEASURE_JOURNEY_OPEN, NULL);
    add(&all, one, 2, MEASURE_JOURNEY_OPEN, NULL);
    assert_true(table_make(&all, 2, &table));
    assert_string_equal(cell(&table, "stage", "", "", "verdict")->text, "nobody owns it");
    /* demo has been open for 88 days: dropped */
    assert_true(measure_cell_find(&table, measure_table_rows(&table) - 1, "drop")->number == 1);
    measure_table_fini(&table);
    measure_handoffs_fini(&all);
    all = begun();
    assert_false(table_make(&all, 30, &table));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
    assert_non_null(strstr(fault.message, "30 entries"));
    measure_table_fini(&table);
}

/* Owners alike are drawn to one rate; owners who differ keep most of their own. */
static void shrinkage_knows_chance_from_difference(void **state)
{
    (void)state;
    struct math_random random;
    unsigned wide = 0;
    enum { OWNERS = 20, N = 40, RUNS = 200 };
    double n[OWNERS];
    double part[OWNERS];
    math_random_init(&random, 9);
    for (int run = 0; run < RUNS; run++) {
        for (int o = 0; o < OWNERS; o++) {
            n[o] = N;
            part[o] = 0;
            for (int i = 0; i < N; i++) {
                part[o] += math_random_unit(&random) < 0.3;
            }
        }
        wide += measure_shrink_weight(part, n, OWNERS) > N;
    }
    assert_in_range(wide, RUNS * 9 / 10, RUNS); /* more weight to all than to the own */
    for (int o = 0; o < OWNERS; o++) {
        part[o] = o % 2 == 0 ? 4 : 36;
    }
    assert_true(measure_shrink_weight(part, n, OWNERS) < 1);
    part[0] = 0;
    n[0] = 0;
    assert_true(isinf(measure_shrink_weight(part, n, 1)));
    assert_true(isinf(measure_shrink_weight(NULL, NULL, 0)));
}

static bool looks_count(void *context, struct proto_fault *why)
{
    unsigned *left = context;
    return (*left)-- > 0 || proto_fault_set(why, PROTO_CANCELLED, "", "no longer wanted");
}

/* Each row sorts the entries of its stage, so each asks. */
static void every_row_asks_whether_to_go_on(void **state)
{
    (void)state;
    const struct event events[] = {step(EVENT_STAGE, "lead", 10, "ann", ""),
                                   step(EVENT_STAGE, "demo", 12, "ann", ""),
                                   step(EVENT_OUTCOME, "won", 13, "", "")};
    const struct measure_handoff_options options = {.within_days = 7, .owners = 2, .least = 1};
    unsigned left = UINT32_MAX;
    const struct measure_pace pace = {looks_count, &left};
    for (unsigned most = 0; most < 7; most++) {
        struct measure_handoffs all = begun();
        struct measure_table table;
        const struct measure_handoff_names names = {stages, owners, reasons, 3, 1, 0};
        all.pace = &pace;
        left = most < 6 ? most : UINT32_MAX;
        add(&all, events, 3, MEASURE_JOURNEY_WON, NULL);
        bool done = measure_handoffs_table(&all, &names, &options, &table, &fault);
        assert_int_equal(done, most == 6); /* two stages, a pair and an owner each */
        assert_int_equal(done ? PROTO_CANCELLED : fault.code, PROTO_CANCELLED);
        measure_table_fini(&table);
        measure_handoffs_fini(&all);
    }
    assert_int_equal(UINT32_MAX - left, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_out_as_by_hand),
        cmocka_unit_test(too_many_stages_are_refused),
        cmocka_unit_test(a_stage_without_owner_is_told),
        cmocka_unit_test(shrinkage_knows_chance_from_difference),
        cmocka_unit_test(every_row_asks_whether_to_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
