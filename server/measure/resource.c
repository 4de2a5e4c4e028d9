/* SPDX-License-Identifier: Apache-2.0 */
/* Sums by group, then the spread of each gap over accounts. Nothing used, no value and memory can
 * end it. */
#include "server/measure/resource.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/base/grow.h"
#include "server/math/special.h"

struct pot {
    double accounts, worked, used, value, squares; /* squares: of the linearised gap */
};

bool measure_endowments_add(struct measure_endowments *all, const struct measure_endowed *account,
                            struct proto_fault *fault)
{
    if (!base_grow(&all->items, &all->room, all->count + 1, sizeof *all->items, "accounts",
                   fault)) {
        return false;
    }
    all->items[all->count++] = *account;
    return true;
}

void measure_endowments_fini(struct measure_endowments *all)
{
    free(all->items);
    *all = (struct measure_endowments){.count = 0};
}

void measure_split(const double *values, const double *accounts, size_t groups, double elasticity,
                   double *shares)
{
    double sum = 0;
    for (size_t g = 0; g < groups; g++) {
        bool any = values[g] > 0 && accounts[g] > 0;
        shares[g] =
            any ? exp((log(values[g]) - elasticity * log(accounts[g])) / (1 - elasticity)) : 0;
        sum += shares[g];
    }
    for (size_t g = 0; g < groups; g++) {
        shares[g] = sum > 0 ? shares[g] / sum : 0;
    }
}

static void pots_fill(const struct measure_endowments *all, enum measure_resource resource,
                      struct pot *pots, size_t groups)
{
    struct pot *total = &pots[groups];
    memset(pots, 0, (groups + 1) * sizeof *pots);
    for (size_t i = 0; i < all->count; i++) {
        const struct measure_endowed *account = &all->items[i];
        struct pot *both[2] = {&pots[account->group], total};
        for (int b = 0; b < 2; b++) {
            both[b]->accounts += 1;
            both[b]->worked += account->used[resource] > 0;
            both[b]->used += account->used[resource];
            both[b]->value += account->value;
        }
    }
}

/* Σ u² over accounts, u = e (1g − s)/E − v (1g − r)/V: accounts outside of the group have the same
 * form with 1g 0, so their sums serve all groups. */
static void spread_fill(const struct measure_endowments *all, enum measure_resource resource,
                        struct pot *pots, size_t groups)
{
    const struct pot *total = &pots[groups];
    double used = 0;
    double value = 0;
    double both = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct measure_endowed *account = &all->items[i];
        struct pot *own = &pots[account->group];
        double e = account->used[resource] / total->used;
        double v = account->value / total->value;
        double s = own->used / total->used;
        double r = own->value / total->value;
        double inside = e * (1 - s) - v * (1 - r);
        double outside = v * r - e * s;
        own->squares += inside * inside - outside * outside;
        used += e * e;
        value += v * v;
        both += e * v;
    }
    for (size_t g = 0; g < groups; g++) {
        double s = pots[g].used / total->used;
        double r = pots[g].value / total->value;
        pots[g].squares += s * s * used + r * r * value - 2 * s * r * both;
    }
}

static void row_add(struct measure_table *table, const char *resource, const char *name,
                    const struct pot *pot, const struct pot *total, double split, double reach,
                    const struct measure_resource_options *options, double units)
{
    char verdict[96] = "";
    double n = total->accounts;
    double share = pot->used / total->used;
    double gap = share - pot->value / total->value;
    double half = n > 1 ? reach * sqrt(fmax(pot->squares, 0) * n / (n - 1)) : MEASURE_NAN;
    bool enough = pot->worked >= options->least;
    if (!enough) {
        (void)snprintf(verdict, sizeof verdict,
                       "insufficient: %.0f accounts had any, %u are needed", pot->worked,
                       options->least);
    } else if (gap - half > 0 || gap + half < 0) {
        (void)snprintf(verdict, sizeof verdict, "%s than its value", gap > 0 ? "more" : "less");
    }
    measure_add_text(table, resource);
    measure_add_text(table, name);
    measure_add_whole(table, (int64_t)pot->accounts);
    measure_add_whole(table, (int64_t)pot->worked);
    measure_add_number(table, pot->used / units);
    measure_add_number(table, share);
    measure_add_number(table, pot->value / total->value);
    measure_add_number(table, gap);
    measure_add_number(table, enough ? gap - half : MEASURE_NAN);
    measure_add_number(table, enough ? gap + half : MEASURE_NAN);
    measure_add_number(table, split);
    measure_add_number(table, (split - share) * total->used / units);
    measure_add_text(table, verdict);
}

struct pots {
    struct pot *pots;
    double *values, *accounts, *shares; /* by group */
};

static void resource_add(const struct measure_endowments *all, enum measure_resource resource,
                         struct pots *room, const char *const *names, size_t groups,
                         const struct measure_resource_options *options,
                         struct measure_table *table)
{
    static const char *const words[MEASURE_RESOURCES] = {"acts", "spend"};
    const struct pot *total = &room->pots[groups];
    size_t there = 0;
    pots_fill(all, resource, room->pots, groups);
    if (total->used <= 0) {
        return;
    }
    spread_fill(all, resource, room->pots, groups);
    for (size_t g = 0; g < groups; g++) {
        room->values[g] = room->pots[g].value;
        room->accounts[g] = room->pots[g].accounts;
        there += room->pots[g].accounts > 0;
    }
    measure_split(room->values, room->accounts, groups, options->elasticity, room->shares);
    double reach = math_normal_point(1 - 0.025 / (double)there);
    for (size_t g = 0; g < groups; g++) {
        if (room->pots[g].accounts > 0) {
            row_add(table, words[resource], names[g], &room->pots[g], total, room->shares[g], reach,
                    options, resource == MEASURE_RESOURCE_SPEND ? options->units : 1);
        }
    }
}

bool measure_resource_table(const struct measure_endowments *all, const char *const *names,
                            size_t groups, const struct measure_resource_options *options,
                            struct measure_table *table, struct proto_fault *fault)
{
    struct pots room = {.pots = calloc(groups + 1, sizeof *room.pots),
                        .values = calloc(3 * groups + 1, sizeof *room.values)};
    bool good = room.pots != NULL && room.values != NULL;
    measure_table_init(table, MEASURE_ID_RESOURCES);
    if (!good) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu groups", groups);
    } else {
        room.accounts = room.values + groups;
        room.shares = room.accounts + groups;
        pots_fill(all, MEASURE_RESOURCE_ACTS, room.pots, groups);
        if (room.pots[groups].value > 0) {
            for (int resource = 0; resource < MEASURE_RESOURCES; resource++) {
                resource_add(all, (enum measure_resource)resource, &room, names, groups, options,
                             table);
            }
        }
        good = measure_table_rows(table) > 0 ||
               proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                               "insufficient: %s of the %zu accounts; %u accounts that had any are "
                               "needed in each group",
                               room.pots[groups].value > 0 ? "neither an act nor spend is told"
                                                           : "no value is expected",
                               all->count, options->least);
        good = good && (measure_table_good(table) ||
                        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table"));
    }
    free(room.pots);
    free(room.values);
    return good;
}
