/* SPDX-License-Identifier: Apache-2.0 */
/* Entries, sorted by stage, as rows. No entry at all is told as such; memory can run out, and who
 * asked can give up between two stages. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/math/accuracy.h"
#include "server/math/order.h"
#include "server/measure/handoff.h"
#include "server/measure/long_sort.h"

/* What a row counts. */
struct tally {
    size_t n, accepted, rejected, elsewhere, open, stale, unowned;
};

struct tabling {
    const struct measure_handoffs *handoffs;
    const struct measure_handoff_names *names;
    const struct measure_handoff_options *options;
    struct measure_table *table;
    struct measure_life *lives; /* room for all entries */
    size_t *counts;             /* by reason, or by owner; room for either */
    double *parts, *sizes;      /* by owner */
};

static int by_stage(const void *left, const void *right)
{
    const struct measure_handoff *a = left;
    const struct measure_handoff *b = right;
    return (a->stage > b->stage) - (a->stage < b->stage);
}

/* next: MEASURE_NOBODY counts every stage as accepted. */
static struct tally tally_make(const struct measure_handoff *items, size_t count, uint32_t next)
{
    struct tally tally = {.n = count};
    for (size_t i = 0; i < count; i++) {
        bool there = next == MEASURE_NOBODY || items[i].next == next;
        tally.accepted += items[i].answer == MEASURE_ACCEPTED && there;
        tally.elsewhere += items[i].answer == MEASURE_ACCEPTED && !there;
        tally.rejected += items[i].answer == MEASURE_REJECTED;
        tally.open += items[i].answer == MEASURE_UNANSWERED;
        tally.stale += items[i].answer == MEASURE_UNANSWERED && items[i].mature;
        tally.unowned += items[i].owner == MEASURE_NOBODY;
    }
    return tally;
}

/* The reason that was told most often; "" for none. */
static const char *reason_of(const struct tabling *t, const struct measure_handoff *items,
                             size_t count)
{
    uint32_t most = MEASURE_NOBODY;
    memset(t->counts, 0, t->names->reason_count * sizeof *t->counts);
    for (size_t i = 0; i < count; i++) {
        uint32_t reason = items[i].reason;
        if (items[i].answer == MEASURE_REJECTED && reason != MEASURE_NOBODY) {
            t->counts[reason]++;
            if (most == MEASURE_NOBODY || t->counts[reason] > t->counts[most]) {
                most = reason;
            }
        }
    }
    return most == MEASURE_NOBODY ? "" : t->names->reasons[most];
}

static void rate_add(struct measure_table *table, size_t part, size_t n)
{
    double low = 0;
    double high = 0;
    if (n == 0) {
        measure_add_absent(table);
        measure_add_absent(table);
        measure_add_absent(table);
        return;
    }
    math_wilson(part, n, &low, &high);
    measure_add_number(table, (double)part / (double)n);
    measure_add_number(table, low);
    measure_add_number(table, high);
}

/* Median in days, and the share that was answered within some days, by the curve. */
static bool latency_add(const struct tabling *t, size_t count, struct proto_fault *fault)
{
    struct measure_survival curve;
    struct measure_survival_point point;
    double within_ms = t->options->within_days * (double)MEASURE_DAY_MS;
    if (!measure_survival_of(t->lives, count, t->handoffs->pace, &curve, fault)) {
        return false;
    }
    int64_t median = measure_survival_median(&curve);
    bool known = measure_survival_at(&curve, t->lives, (int64_t)within_ms, &point);
    measure_add_number(t->table, median == MEASURE_NEVER ? MEASURE_NAN
                                                         : (double)median / (double)MEASURE_DAY_MS);
    measure_add_number(t->table, known ? 1 - point.survival : MEASURE_NAN);
    measure_add_number(t->table, known ? 1 - point.high : MEASURE_NAN);
    measure_add_number(t->table, known ? 1 - point.low : MEASURE_NAN);
    measure_survival_fini(&curve);
    return true;
}

static void lives_fill(const struct tabling *t, const struct measure_handoff *items, size_t count,
                       uint32_t next)
{
    for (size_t i = 0; i < count; i++) {
        bool there = next == MEASURE_NOBODY || items[i].next == next;
        t->lives[i] = (struct measure_life){items[i].latency_ms,
                                            items[i].answer == MEASURE_ACCEPTED && there};
    }
}

static void verdict_add(const struct tabling *t, const struct tally *tally)
{
    char text[96] = "";
    if (tally->n < t->options->least) {
        (void)snprintf(text, sizeof text, "insufficient: n is %zu, %u are needed", tally->n,
                       t->options->least);
    } else if (tally->unowned == tally->n && t->options->owners_told) {
        (void)snprintf(text, sizeof text, "nobody owns it");
    }
    measure_add_text(t->table, text);
}

struct row {
    const char *row, *from, *to, *owner;
    const struct measure_handoff *items;
    size_t count;
    uint32_t next;
    double shrunk; /* NAN but for owners */
};

static bool row_add(const struct tabling *t, const struct row *row, struct proto_fault *fault)
{
    struct measure_table *table = t->table;
    if (!measure_goes_on(t->handoffs->pace, fault)) { /* a row is a sort of its entries */
        return false;
    }
    const struct tally tally = tally_make(row->items, row->count, row->next);
    measure_add_text(table, row->row);
    measure_add_text(table, row->from);
    measure_add_text(table, row->to);
    measure_add_text(table, row->owner);
    measure_add_whole(table, (int64_t)tally.n);
    measure_add_whole(table, (int64_t)tally.accepted);
    rate_add(table, tally.accepted, tally.n);
    measure_add_number(table, row->shrunk);
    measure_add_whole(table, (int64_t)tally.rejected);
    measure_add_text(table, reason_of(t, row->items, row->count));
    measure_add_whole(table, (int64_t)tally.elsewhere);
    measure_add_whole(table, (int64_t)tally.open);
    measure_add_number(table, (double)(tally.rejected + tally.stale) / (double)tally.n);
    measure_add_whole(table, (int64_t)tally.unowned);
    lives_fill(t, row->items, row->count, row->next);
    if (!latency_add(t, row->count, fault)) {
        return false;
    }
    verdict_add(t, &tally);
    return true;
}

/* From the creation of a journey to the first touch that answers. */
static bool lead_row_add(const struct tabling *t, struct proto_fault *fault)
{
    const struct measure_handoffs *all = t->handoffs;
    struct measure_table *table = t->table;
    struct tally tally = {.n = all->lead_count};
    char text[96] = "";
    for (size_t i = 0; i < all->lead_count; i++) {
        t->lives[i] = all->leads[i];
        tally.accepted += all->leads[i].ended;
    }
    measure_add_text(table, "speed to lead");
    measure_add_text(table, "(created)");
    measure_add_text(table, "(first touch)");
    measure_add_text(table, "");
    measure_add_whole(table, (int64_t)tally.n);
    measure_add_whole(table, (int64_t)tally.accepted);
    rate_add(table, tally.accepted, tally.n);
    measure_add_absent(table); /* shrunk */
    measure_add_absent(table); /* rejected */
    measure_add_text(table, "");
    measure_add_absent(table); /* elsewhere */
    measure_add_whole(table, (int64_t)(tally.n - tally.accepted));
    measure_add_absent(table); /* drop */
    measure_add_absent(table); /* unowned */
    if (!latency_add(t, all->lead_count, fault)) {
        return false;
    }
    if (tally.n < t->options->least) {
        (void)snprintf(text, sizeof text, "insufficient: n is %zu, %u are needed", tally.n,
                       t->options->least);
    } else if (tally.accepted == 0) {
        (void)snprintf(text, sizeof text, "no touch is told after the creation");
    }
    measure_add_text(table, text);
    return true;
}

/* Each stage that follows, in the order in which stages first came. */
static bool pairs_add(const struct tabling *t, const struct measure_handoff *items, size_t count,
                      struct proto_fault *fault)
{
    bool follows[MEASURE_STAGES_MAX] = {false};
    for (size_t i = 0; i < count; i++) {
        if (items[i].answer == MEASURE_ACCEPTED) {
            follows[items[i].next] = true;
        }
    }
    for (uint32_t next = 0; next < t->names->stage_count; next++) {
        const struct row row = {.row = "pair",
                                .from = t->names->stages[items[0].stage],
                                .to = t->names->stages[next],
                                .owner = "",
                                .items = items,
                                .count = count,
                                .next = next,
                                .shrunk = MEASURE_NAN};
        if (follows[next] && !row_add(t, &row, fault)) {
            return false;
        }
    }
    return true;
}

static int by_owner(const void *left, const void *right)
{
    const struct measure_handoff *a = left;
    const struct measure_handoff *b = right;
    return (a->owner > b->owner) - (a->owner < b->owner);
}

/* Those with most entries first; nobody's entries are an owner too, and the last of all by number.
 * The entries of the stage are sorted by owner. */
static bool owners_add(const struct tabling *t, struct measure_handoff *items, size_t count,
                       struct proto_fault *fault)
{
    size_t owners = 0;
    size_t parts = 0;
    if (!measure_sort(items, count, sizeof *items, by_owner, t->handoffs->pace, fault)) {
        return false;
    }
    for (size_t i = 0, first = 0; i < count; i++) {
        if (i + 1 == count || items[i + 1].owner != items[i].owner) {
            const struct tally tally = tally_make(items + first, i + 1 - first, MEASURE_NOBODY);
            t->parts[owners] = (double)tally.accepted;
            t->sizes[owners] = -(double)tally.n;
            t->counts[owners++] = first;
            parts += tally.accepted;
            first = i + 1;
        }
    }
    uint32_t *order = math_order_create(t->sizes, owners);
    for (size_t o = 0; o < owners; o++) {
        t->sizes[o] = -t->sizes[o];
    }
    double weight = measure_shrink_weight(t->parts, t->sizes, owners);
    double rate = (double)parts / (double)count;
    size_t *firsts = calloc(owners, sizeof *firsts);
    bool good = order != NULL && firsts != NULL;
    if (good) {
        memcpy(firsts, t->counts, owners * sizeof *firsts); /* reasons are counted there next */
    } else {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu owners", owners);
    }
    for (size_t i = 0; i < owners && i < t->options->owners && good; i++) {
        uint32_t o = order[i];
        uint32_t owner = items[firsts[o]].owner;
        double shrunk =
            isinf(weight) ? rate : (t->parts[o] + weight * rate) / (t->sizes[o] + weight);
        const struct row row = {.row = "owner",
                                .from = t->names->stages[items[0].stage],
                                .to = "",
                                .owner =
                                    owner == MEASURE_NOBODY ? "(none)" : t->names->owners[owner],
                                .items = items + firsts[o],
                                .count = (size_t)t->sizes[o],
                                .next = MEASURE_NOBODY,
                                .shrunk = shrunk};
        good = row_add(t, &row, fault);
    }
    free(firsts);
    free(order);
    return good;
}

static bool stages_add(const struct tabling *t, struct proto_fault *fault)
{
    struct measure_handoff *items = t->handoffs->items;
    size_t count = t->handoffs->count;
    for (size_t i = 0; i < count;) {
        size_t first = i;
        while (i < count && items[i].stage == items[first].stage) {
            i++;
        }
        const struct row row = {.row = "stage",
                                .from = t->names->stages[items[first].stage],
                                .to = "",
                                .owner = "",
                                .items = items + first,
                                .count = i - first,
                                .next = MEASURE_NOBODY,
                                .shrunk = MEASURE_NAN};
        if (!row_add(t, &row, fault) || !pairs_add(t, items + first, i - first, fault) ||
            (t->options->owners > 0 && !owners_add(t, items + first, i - first, fault))) {
            return false;
        }
    }
    return true;
}

bool measure_handoffs_table(struct measure_handoffs *handoffs,
                            const struct measure_handoff_names *names,
                            const struct measure_handoff_options *options,
                            struct measure_table *table, struct proto_fault *fault)
{
    struct tabling t = {.handoffs = handoffs, .names = names, .options = options, .table = table};
    size_t most = handoffs->count > handoffs->lead_count ? handoffs->count : handoffs->lead_count;
    size_t groups = (size_t)names->owner_count + names->reason_count + 2;
    measure_table_init(table, MEASURE_ID_HANDOFFS);
    if (handoffs->count == 0) {
        return proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                               "insufficient: no stage is told of what was looked at; %u entries "
                               "into one are needed",
                               options->least);
    }
    if (!measure_sort(handoffs->items, handoffs->count, sizeof *handoffs->items, by_stage,
                      handoffs->pace, fault)) {
        return false;
    }
    t.lives = calloc(most + 1, sizeof *t.lives);
    t.counts = calloc(groups, sizeof *t.counts);
    t.parts = calloc(groups, sizeof *t.parts);
    t.sizes = calloc(groups, sizeof *t.sizes);
    bool good = t.lives != NULL && t.counts != NULL && t.parts != NULL && t.sizes != NULL;
    if (!good) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu handoffs", most);
    } else {
        good = (handoffs->without_leads || lead_row_add(&t, fault)) && stages_add(&t, fault);
    }
    free(t.lives);
    free(t.counts);
    free(t.parts);
    free(t.sizes);
    return good && (measure_table_good(table) ||
                    proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table"));
}
