/* SPDX-License-Identifier: Apache-2.0 */
/* Everybody, each campaign by its members, each segment by its accounts: one row each. Campaigns
 * with most members stand first; those beyond the top are told of in none. */
#include <stdlib.h>
#include <string.h>

#include "server/measure/measure_view.h"

struct group {
    uint64_t members, fitting, engaged;
    struct measure_tally cases;
    int64_t spend;
    uint32_t number;
};

static void member_count(struct group *group, const struct measure_standing *account)
{
    group->members++;
    group->fitting += account->grade <= 1;
    group->engaged += account->band >= MEASURE_BAND_MEDIUM;
}

static void account_count(struct group *group, const struct measure_standing *account)
{
    member_count(group, account);
    group->cases.n += account->cases;
    group->cases.hits += account->won;
    group->spend += account->won_spend + account->serving;
}

static void row_add(const struct measure_view *view, const char *of, const char *name,
                    const char *filter, const struct group *group, struct measure_table *table)
{
    const struct measure_tally fitting = {view->scored ? group->members : 0, group->fitting};
    measure_add_text(table, of);
    measure_add_text(table, name);
    measure_add_text(table, filter);
    measure_add_whole(table, (int64_t)group->members);
    measure_add_rate(table, &fitting, 1);
    measure_add_number(table, group->members > 0 ? (double)group->engaged / (double)group->members
                                                 : MEASURE_NAN);
    measure_add_whole(table, (int64_t)group->cases.n);
    measure_add_whole(table, (int64_t)group->cases.hits);
    measure_add_rate(table, &group->cases, view->least);
    if (view->spent) {
        measure_add_whole(table, group->spend);
    } else {
        measure_add_absent(table);
    }
    measure_add_verdict(table, group->cases.n, view->least, "mature cases");
}

static int by_members(const void *left, const void *right)
{
    const struct group *a = left;
    const struct group *b = right;
    return a->members != b->members ? (a->members < b->members) - (a->members > b->members)
                                    : (a->number > b->number) - (a->number < b->number);
}

static bool campaigns_add(const struct measure_view *view, struct measure_table *table,
                          struct proto_fault *fault)
{
    struct group *groups = calloc((size_t)view->campaign_count + 1, sizeof *groups);
    if (groups == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for campaigns");
    }
    for (size_t i = 0; i < view->member_count; i++) {
        member_count(&groups[view->members[i].campaign], &view->accounts[view->members[i].account]);
    }
    for (uint32_t c = 0; c < view->campaign_count; c++) {
        groups[c].number = c;
        groups[c].cases = view->campaigns[c].cases;
        groups[c].spend = view->campaigns[c].spend;
    }
    qsort(groups, view->campaign_count, sizeof *groups, by_members);
    for (uint32_t c = 0; c < view->campaign_count && c < view->top; c++) {
        row_add(view, "campaign", view->campaigns[groups[c].number].name, "", &groups[c], table);
    }
    free(groups);
    return true;
}

/* Text between quotes, each of them doubled within. */
static char *quoted(char *to, char quote, const char *text)
{
    *to++ = quote;
    for (; *text != '\0'; text++) {
        if (*text == quote) {
            *to++ = quote;
        }
        *to++ = *text;
    }
    *to++ = quote;
    return to;
}

/* The expression that selects a segment; the first is of those without a value. */
static char *filter_make(const struct measure_view *view, uint32_t segment)
{
    static const char missing[] = " is missing";
    const char *value = view->segments[segment];
    char *text = malloc(strlen(view->by) * 2 + strlen(value) * 2 + sizeof missing + 8);
    if (text == NULL) {
        return NULL;
    }
    char *to = view->by_label ? stpcpy(text, view->by) : quoted(text, '"', view->by);
    if (segment == 0) {
        memcpy(to, missing, sizeof missing);
        return text;
    }
    memcpy(to, " = ", 3);
    to = quoted(to + 3, '\'', value);
    *to = '\0';
    return text;
}

static bool segments_add(const struct measure_view *view, struct measure_table *table,
                         struct proto_fault *fault)
{
    struct group *groups = calloc((size_t)view->segment_count + 1, sizeof *groups);
    bool good = groups != NULL;
    for (uint32_t a = 0; a < view->count && good; a++) {
        account_count(&groups[view->accounts[a].segment], &view->accounts[a]);
    }
    for (uint32_t s = 0; s < view->segment_count && good; s++) {
        if (groups[s].members > 0) {
            char *filter = filter_make(view, s);
            good = filter != NULL;
            row_add(view, "segment", view->segments[s], good ? filter : "", &groups[s], table);
            free(filter);
        }
    }
    free(groups);
    return good || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for segments");
}

bool measure_marketing_table(const struct measure_view *view, struct measure_table *table,
                             struct proto_fault *fault)
{
    struct group all = {.members = 0};
    for (uint32_t a = 0; a < view->count; a++) {
        account_count(&all, &view->accounts[a]);
    }
    row_add(view, "all", "", "", &all, table);
    if (!campaigns_add(view, table, fault) ||
        (view->segment_count > 0 && !segments_add(view, table, fault))) {
        return false;
    }
    return measure_table_good(table) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
}
