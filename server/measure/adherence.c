/* SPDX-License-Identifier: Apache-2.0 */
/* Sums by group, the posterior of each among all, ranks of those that have enough. No act at all
 * and memory can end it. */
#include "server/measure/adherence.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/grow.h"
#include "server/math/accuracy.h"
#include "server/math/beta.h"
#include "server/math/special.h"
#include "server/measure/handoff.h"

bool measure_works_add(struct measure_works *works, const struct measure_work *work,
                       struct proto_fault *fault)
{
    if (!base_grow(&works->items, &works->room, works->count + 1, sizeof *works->items, "work",
                   fault)) {
        return false;
    }
    works->items[works->count++] = *work;
    return true;
}

void measure_works_fini(struct measure_works *works)
{
    free(works->items);
    *works = (struct measure_works){.count = 0};
}

/* What is told of a group beside its posterior. */
static void work_add(struct measure_kept_share *kept, const struct measure_work *work)
{
    kept->acts += work->acts;
    kept->on += work->on_list ? work->acts : 0;
    kept->effective += work->squares; /* until all are added */
    kept->hours += work->hours;
    kept->spend += work->spend;
    if (!work->on_list) {
        kept->off_hours += work->hours;
        kept->off_spend += work->spend;
    }
}

static void share_make(struct measure_kept_share *kept)
{
    bool any = kept->acts > 0;
    kept->effective = any ? kept->acts * kept->acts / kept->effective : 0;
    kept->share = any ? kept->on / kept->acts : MEASURE_NAN;
    kept->shrunk = kept->low = kept->high = MEASURE_NAN;
}

/* others: what the prior rests on at most. */
static void posterior_make(struct measure_kept_share *kept, double weight, double p, double others)
{
    double m = kept->effective;
    double w = fmin(weight, others);
    if (m <= 0) {
        return;
    }
    double on = kept->share * m + w * p;
    double off = m + w - on;
    kept->shrunk = on / (m + w);
    if (on > 1e-9 && off > 1e-9) {
        kept->low = math_beta_point(on, off, 0.025);
        kept->high = math_beta_point(on, off, 0.975);
    } else {
        math_wilson_share(kept->share, m, math_normal_point(0.975), &kept->low, &kept->high);
    }
}

struct acts_on {
    uint32_t account;
    double acts;
};

static int by_account(const void *left, const void *right)
{
    const struct acts_on *a = left;
    const struct acts_on *b = right;
    return (a->account > b->account) - (a->account < b->account);
}

/* Σ a² of all groups together: what several did about one account is one piece of evidence too. */
static bool all_squares(const struct measure_works *works, double *squares,
                        struct proto_fault *fault)
{
    struct acts_on *acts = calloc(works->count + 1, sizeof *acts);
    size_t count = 0;
    *squares = 0;
    if (acts == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu accounts",
                               works->count);
    }
    for (size_t i = 0; i < works->count; i++) {
        const struct measure_work *work = &works->items[i];
        if (work->account == 0) {
            *squares += work->squares;
        } else {
            acts[count++] = (struct acts_on){work->account, work->acts};
        }
    }
    if (count > 0) {
        qsort(acts, count, sizeof *acts, by_account);
    }
    for (size_t i = 0; i < count;) {
        struct acts_on sum = acts[i++];
        for (; i < count && acts[i].account == sum.account; i++) {
            sum.acts += acts[i].acts;
        }
        *squares += sum.acts * sum.acts;
    }
    free(acts);
    return true;
}

bool measure_adherence_of(const struct measure_works *works, size_t groups,
                          struct measure_kept_share *kept, struct proto_fault *fault)
{
    struct measure_kept_share *all = &kept[groups];
    double total = 0;
    double on = 0;
    double *parts = calloc(2 * groups + 1, sizeof *parts);
    if (parts == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu groups", groups);
    }
    double *sizes = parts + groups;
    memset(kept, 0, (groups + 1) * sizeof *kept);
    for (size_t i = 0; i < works->count; i++) {
        work_add(&kept[works->items[i].group], &works->items[i]);
        work_add(all, &works->items[i]);
    }
    if (!all_squares(works, &all->effective, fault)) {
        free(parts);
        return false;
    }
    for (size_t g = 0; g <= groups; g++) {
        share_make(&kept[g]);
    }
    size_t there = 0; /* groups that did anything: one that only spent says nothing of shares */
    for (size_t g = 0; g < groups; g++) {
        if (kept[g].effective > 0) {
            sizes[there] = kept[g].effective;
            parts[there] = kept[g].share * sizes[there];
            total += sizes[there];
            on += parts[there++];
        }
    }
    double weight = measure_shrink_weight(parts, sizes, there);
    for (size_t g = 0; g < groups; g++) {
        posterior_make(&kept[g], weight, total > 0 ? on / total : 0,
                       fmin(total - kept[g].effective, all->effective));
    }
    if (all->effective > 0) {
        math_wilson_share(all->share, all->effective, math_normal_point(0.975), &all->low,
                          &all->high);
    }
    free(parts);
    return true;
}

struct ranked {
    size_t group, rank; /* rank 0: none */
    const struct measure_kept_share *kept;
};

static int by_shrunk(const void *left, const void *right)
{
    const struct ranked *a = left;
    const struct ranked *b = right;
    if ((a->rank > 0) != (b->rank > 0)) {
        return a->rank > 0 ? -1 : 1;
    }
    if (a->rank > 0 && a->kept->shrunk != b->kept->shrunk) {
        return a->kept->shrunk > b->kept->shrunk ? -1 : 1;
    }
    return (a->group > b->group) - (a->group < b->group);
}

static int by_acts(const void *left, const void *right)
{
    const struct ranked *a = left;
    const struct ranked *b = right;
    if (a->kept->acts != b->kept->acts) {
        return a->kept->acts > b->kept->acts ? -1 : 1;
    }
    return (a->group > b->group) - (a->group < b->group);
}

/* How many have a rank, from 1 on: the best kept first. */
static size_t ranks_make(struct ranked *rows, size_t groups, unsigned least)
{
    size_t ranked = 0;
    for (size_t g = 0; g < groups; g++) {
        rows[g].rank = rows[g].kept->effective >= least;
        ranked += rows[g].rank;
    }
    qsort(rows, groups, sizeof *rows, by_shrunk);
    for (size_t g = 0; g < ranked; g++) {
        rows[g].rank = g + 1;
    }
    qsort(rows, groups, sizeof *rows, by_acts);
    return ranked;
}

static void verdict_add(struct measure_table *table, const struct measure_kept_share *kept,
                        size_t held, const struct measure_adherence_options *options)
{
    char text[96] = "";
    if (kept->effective < options->least) {
        (void)snprintf(text, sizeof text, "insufficient: %.1f effective acts, %u are needed",
                       kept->effective, options->least);
    } else if (options->committed > 0) {
        double low = 0;
        double high = 0;
        double z = math_normal_point(1 - 0.025 / (double)(held > 0 ? held : 1));
        math_wilson_share(kept->share, kept->effective, z, &low, &high);
        (void)snprintf(text, sizeof text, "%s",
                       high < options->committed  ? "below what was committed"
                       : low > options->committed ? "above what was committed"
                                                  : "");
    }
    measure_add_text(table, text);
}

static void row_add(struct measure_table *table, const char *name, const struct ranked *row,
                    size_t held, const struct measure_adherence_options *options)
{
    const struct measure_kept_share *kept = row->kept;
    measure_add_text(table, name);
    measure_add_whole(table, (int64_t)kept->acts);
    measure_add_number(table, kept->effective);
    measure_add_whole(table, (int64_t)kept->on);
    measure_add_number(table, kept->share);
    measure_add_number(table, kept->shrunk);
    measure_add_number(table, kept->low);
    measure_add_number(table, kept->high);
    if (row->rank > 0) {
        measure_add_whole(table, (int64_t)row->rank);
    } else {
        measure_add_absent(table);
    }
    measure_add_whole(table, kept->spend);
    measure_add_whole(table, kept->off_spend);
    measure_add_number(table, kept->hours);
    measure_add_number(table, kept->off_hours);
    verdict_add(table, kept, held, options);
}

bool measure_adherence_table(const struct measure_works *works, const char *const *names,
                             size_t groups, const struct measure_adherence_options *options,
                             struct measure_table *table, struct proto_fault *fault)
{
    struct measure_kept_share *kept = calloc(groups + 1, sizeof *kept);
    struct ranked *rows = calloc(groups + 1, sizeof *rows);
    bool good = kept != NULL && rows != NULL;
    measure_table_init(table, MEASURE_ID_ADHERENCE);
    if (!good) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu groups", groups);
    }
    good = good && measure_adherence_of(works, groups, kept, fault);
    if (good && kept[groups].acts <= 0) {
        good = proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                               "insufficient: no work is told, %u effective acts are needed",
                               options->least);
    }
    if (good) {
        const struct ranked all = {.kept = &kept[groups]};
        for (size_t g = 0; g < groups; g++) {
            rows[g] = (struct ranked){.group = g, .kept = &kept[g]};
        }
        size_t ranked = ranks_make(rows, groups, options->least);
        row_add(table, "(all)", &all, 1, options);
        for (size_t g = 0; g < groups && g < options->top; g++) {
            row_add(table, names[rows[g].group], &rows[g], ranked, options);
        }
        good = measure_table_good(table) ||
               proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
    }
    free(kept);
    free(rows);
    return good;
}
