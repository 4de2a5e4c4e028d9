/* SPDX-License-Identifier: Apache-2.0 */
/* Members are sorted by campaign and owner, and each run of them becomes a row. No member at all
 * and memory can end it. */
#include "server/measure/campaign.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/base/grow.h"
#include "server/math/accuracy.h"
#include "server/measure/long_sort.h"

bool measure_members_add(struct measure_members *members, const struct measure_member *member,
                         struct proto_fault *fault)
{
    if (!base_grow(&members->items, &members->room, members->count + 1, sizeof *members->items,
                   "members", fault)) {
        return false;
    }
    members->items[members->count++] = *member;
    return true;
}

void measure_members_fini(struct measure_members *members)
{
    free(members->items);
    *members = (struct measure_members){.count = 0};
}

static int by_owner(const void *left, const void *right)
{
    const struct measure_member *a = left;
    const struct measure_member *b = right;
    if (a->campaign != b->campaign) {
        return a->campaign < b->campaign ? -1 : 1;
    }
    return (a->owner > b->owner) - (a->owner < b->owner);
}

static void rate_add(struct measure_table *table, size_t part, size_t n)
{
    double low = MEASURE_NAN;
    double high = MEASURE_NAN;
    if (n > 0) {
        math_wilson(part, n, &low, &high);
    }
    measure_add_whole(table, (int64_t)part);
    measure_add_number(table, n > 0 ? (double)part / (double)n : MEASURE_NAN);
    measure_add_number(table, low);
    measure_add_number(table, high);
}

/* What was not asked for is no figure. */
static void rate_or_none(struct measure_table *table, bool asked, size_t part, size_t n)
{
    if (asked) {
        rate_add(table, part, n);
        return;
    }
    for (int cell = 0; cell < 4; cell++) {
        measure_add_absent(table);
    }
}

static void row_add(struct measure_table *table, const char *campaign, const char *owner,
                    const struct measure_member *members, size_t count,
                    const struct measure_campaign_options *options)
{
    char verdict[80] = "";
    size_t on = 0;
    size_t in = 0;
    size_t watched = 0;
    size_t worked = 0;
    for (size_t i = 0; i < count; i++) {
        on += members[i].on_list;
        in += members[i].in_segment;
        watched += members[i].watched;
        worked += members[i].watched && members[i].worked;
    }
    if (count < options->least) {
        (void)snprintf(verdict, sizeof verdict, "insufficient: %u are needed", options->least);
    }
    measure_add_text(table, campaign);
    measure_add_text(table, owner);
    measure_add_whole(table, (int64_t)count);
    rate_or_none(table, options->list, on, count);
    rate_or_none(table, options->segment, in, count);
    measure_add_whole(table, (int64_t)watched);
    rate_add(table, worked, watched);
    measure_add_text(table, verdict);
}

struct run {
    size_t first, count;
};

static int by_count(const void *left, const void *right)
{
    const struct run *a = left;
    const struct run *b = right;
    if (a->count != b->count) {
        return a->count > b->count ? -1 : 1;
    }
    return (a->first > b->first) - (a->first < b->first);
}

/* The members of one campaign, in the order of their owners. */
static bool owners_add(struct measure_table *table, const char *campaign, const char *const *owners,
                       const struct measure_member *members, size_t count,
                       const struct measure_campaign_options *options)
{
    struct run *runs = calloc(count, sizeof *runs);
    size_t run_count = 0;
    if (runs == NULL) {
        return false;
    }
    for (size_t i = 0; i < count;) {
        runs[run_count].first = i;
        while (i < count && members[i].owner == members[runs[run_count].first].owner) {
            i++;
        }
        runs[run_count].count = i - runs[run_count].first;
        run_count++;
    }
    qsort(runs, run_count, sizeof *runs, by_count);
    for (size_t r = 0; r < run_count && r < options->owners; r++) {
        const struct measure_member *first = &members[runs[r].first];
        row_add(table, campaign, owners[first->owner], first, runs[r].count, options);
    }
    free(runs);
    return true;
}

bool measure_campaign_table(struct measure_members *members, const char *const *campaigns,
                            const char *const *owners,
                            const struct measure_campaign_options *options,
                            struct measure_table *table, struct proto_fault *fault)
{
    bool good = true;
    measure_table_init(table, MEASURE_ID_CAMPAIGN);
    if (members->count == 0) {
        return proto_fault_set(
            fault, PROTO_NO_EVIDENCE, "",
            "insufficient: no touch of the campaign is told, %u members are needed",
            options->least);
    }
    if (!measure_sort(members->items, members->count, sizeof *members->items, by_owner,
                      options->pace, fault)) {
        return false;
    }
    for (size_t i = 0; i < members->count && good;) {
        size_t first = i;
        const struct measure_member *of = &members->items[first];
        while (i < members->count && members->items[i].campaign == of->campaign) {
            i++;
        }
        row_add(table, campaigns[of->campaign], "all", of, i - first, options);
        good = owners_add(table, campaigns[of->campaign], owners, of, i - first, options);
    }
    return (good && measure_table_good(table)) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
}
