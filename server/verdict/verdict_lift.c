/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of lift: blocks are taken week by week in the order in which they were known, and after each
 * week, or after the last alone, it is told what is known. And rates of cases. */
#include <math.h>

#include "server/math/special.h"
#include "server/term/term_rate.h"
#include "server/verdict/verdict_table.h"

static bool table_good(const struct measure_table *table, struct proto_fault *fault)
{
    return measure_table_good(table) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
}

/* An end that is open, or nothing to tell, is no number. */
static void end_add(struct measure_table *table, double value)
{
    measure_add_number(table, isinf(value) != 0 ? MATH_NAN : value);
}

struct lifting {
    struct measure_table *table;
    const struct verdict_options *options;
    const char *against;
    const struct verdict_blocks *blocks;
    struct term_range range;
    uint64_t telling;
};

static void row_add(struct lifting *lifting, const struct verdict_week *week,
                    struct verdict_lift *lift)
{
    struct measure_table *table = lifting->table;
    const struct term_block *items = lifting->blocks->items;
    struct term_bounds *bounds = &lift->bounds;
    term_range_bounds(&lifting->range, lifting->options->alpha, bounds);
    lift->ratio = term_lift_conditional(items, week->end);
    lift->on = week->on;
    lift->won_on = week->won_on;
    lift->off = week->off;
    lift->won_off = week->won_off;
    measure_add_text(table, lifting->options->outcome);
    measure_add_text(table, lifting->against);
    if (week->known_ms == VERDICT_NEVER || !lifting->options->dated) {
        measure_add_absent(table);
    } else {
        measure_add_whole(table, week->known_ms);
    }
    measure_add_whole(table, (int64_t)lifting->telling);
    measure_add_whole(table, (int64_t)week->on);
    measure_add_whole(table, (int64_t)week->won_on);
    measure_add_whole(table, (int64_t)week->off);
    measure_add_whole(table, (int64_t)week->won_off);
    end_add(table, lift->ratio);
    end_add(table, bounds->low);
    end_add(table, bounds->high);
    end_add(table, bounds->rule_low);
    end_add(table, bounds->rule_high);
    end_add(table, term_lift_mantel(items, week->end));
    measure_add_number(table, bounds->log_e_more);
    measure_add_number(table, bounds->log_e_less);
    measure_add_text(table, term_verdict_word(bounds->verdict));
}

static bool weeks_walk(struct lifting *lifting, struct verdict_lift *lift,
                       struct proto_fault *fault)
{
    const struct verdict_blocks *blocks = lifting->blocks;
    const struct verdict_week none = {.week_ms = 0, .known_ms = VERDICT_NEVER};
    size_t done = 0;
    for (size_t w = 0; w < blocks->week_count; w++) {
        const struct verdict_week *week = &blocks->weeks[w];
        for (; done < week->end; done++) {
            if (!measure_goes_on(lifting->options->pace, fault)) {
                return false;
            }
            lifting->telling += term_block_tells(&blocks->items[done]);
            term_range_add(&lifting->range, &blocks->items[done]);
        }
        if (lifting->options->weekly || w + 1 == blocks->week_count) {
            row_add(lifting, week, lift);
        }
    }
    if (blocks->week_count == 0) {
        row_add(lifting, &none, lift);
    }
    return table_good(lifting->table, fault);
}

bool verdict_lift_add(struct measure_table *table, const struct verdict_case *cases, size_t count,
                      enum verdict_against against, const char *name,
                      const struct verdict_options *options, struct verdict_lift *lift,
                      struct proto_fault *fault)
{
    struct verdict_blocks blocks;
    struct verdict_lift unasked;
    struct lifting lifting = {.table = table,
                              .options = options,
                              .against = name != NULL ? name : verdict_against_name(against),
                              .blocks = &blocks};
    term_range_begin(&lifting.range);
    bool good = verdict_blocks_make(cases, count, against, &blocks, fault) &&
                weeks_walk(&lifting, lift != NULL ? lift : &unasked, fault);
    verdict_blocks_fini(&blocks);
    return good;
}

bool verdict_rate_add(struct measure_table *table, const struct verdict_case *cases, size_t count,
                      const char *group, bool (*keep)(const struct verdict_case *one),
                      const struct verdict_options *options, struct proto_fault *fault)
{
    uint64_t n = 0;
    uint64_t won = 0;
    double low;
    double high;
    for (size_t i = 0; i < count; i++) {
        if (verdict_counts(&cases[i]) && (keep == NULL || keep(&cases[i]))) {
            n += cases[i].count;
            won += cases[i].won ? cases[i].count : 0;
        }
    }
    term_rate_interval(won, n, options->alpha, options->best_at, &low, &high);
    measure_add_text(table, options->outcome);
    measure_add_text(table, group);
    measure_add_whole(table, (int64_t)n);
    measure_add_whole(table, (int64_t)won);
    measure_add_number(table, n > 0 ? (double)won / (double)n : MATH_NAN);
    measure_add_number(table, low);
    measure_add_number(table, high);
    return table_good(table, fault);
}
