/* SPDX-License-Identifier: Apache-2.0 */
/* What customers like this one did in the window before, and what that lets expect of it. Where too
 * few are like it all are taken; where those are too few nothing is advised. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/math/accuracy.h"
#include "server/measure/measure_view.h"

static void kept_add(struct measure_kept *to, const struct measure_kept *from)
{
    to->n += from->n;
    to->kept += from->kept;
    to->grew += from->grew;
    to->growth += from->growth;
}

static struct measure_kept kept_of(const struct measure_view *view, int grade, int band)
{
    struct measure_kept sum = {.n = 0};
    for (int g = 0; g < MEASURE_GRADES; g++) {
        for (int b = 0; b < MEASURE_BANDS; b++) {
            if ((grade < 0 || g == grade) && (band < 0 || b == band)) {
                kept_add(&sum, &view->kept[g][b]);
            }
        }
    }
    return sum;
}

/* Customers like it: the narrowest group that has enough of them. */
static struct measure_kept like_find(const struct measure_view *view,
                                     const struct measure_standing *account, const char **like)
{
    static const char *const names[] = {"grade and band", "band", "all"};
    const int groups[][2] = {{account->grade, account->band}, {-1, account->band}, {-1, -1}};
    struct measure_kept kept = {.n = 0};
    *like = "";
    for (int i = 0; i < 3 && (*like)[0] == '\0'; i++) {
        kept = kept_of(view, groups[i][0], groups[i][1]);
        *like = kept.n > 0 && kept.n >= view->least ? names[i] : "";
    }
    return kept;
}

static struct measure_tally starters_find(const struct measure_view *view,
                                          const struct measure_standing *account, const char **like)
{
    struct measure_tally all = {0, 0};
    const struct measure_tally *band = &view->starters[account->band];
    if (band->n > 0 && band->n >= view->least) {
        *like = "band";
        return *band;
    }
    for (int b = 0; b < MEASURE_BANDS; b++) {
        all.n += view->starters[b].n;
        all.hits += view->starters[b].hits;
    }
    *like = all.n > 0 && all.n >= view->least ? "all" : "";
    return all;
}

static int64_t margin_of(const struct measure_view *view, const struct measure_standing *account,
                         double risk)
{
    double months = (double)view->window_ms / (double)MEASURE_MONTH_MS;
    return llround((double)account->mrr * months * view->margin * (1 - risk)) - account->serving;
}

static void advise(const struct measure_view *view, const struct measure_standing *account,
                   struct measure_outlook *outlook)
{
    struct measure_kept all = kept_of(view, -1, -1);
    double low = 0;
    double high = 1;
    outlook->advice = "insufficient";
    if (outlook->like[0] == '\0') {
        return;
    }
    double risk = (double)outlook->risk.hits / (double)outlook->risk.n;
    double usual = all.n > 0 ? 1 - (double)all.kept / (double)all.n : risk;
    math_wilson((size_t)outlook->risk.hits, (size_t)outlook->risk.n, &low, &high);
    outlook->expected = margin_of(view, account, risk);
    outlook->low = margin_of(view, account, high);
    outlook->high = margin_of(view, account, low);
    outlook->advice = outlook->high < 0                          ? "release"
                      : outlook->low > 0 && risk <= usual + 1e-9 ? "renew"
                                                                 : "mend";
}

struct measure_outlook measure_outlook_of(const struct measure_view *view,
                                          const struct measure_standing *account)
{
    struct measure_outlook outlook = {.like = ""};
    outlook.onboarding = account->since_ms + view->onboarding_ms > view->at_ms;
    if (outlook.onboarding) {
        outlook.risk = starters_find(view, account, &outlook.like);
    } else {
        struct measure_kept kept = like_find(view, account, &outlook.like);
        outlook.risk = (struct measure_tally){kept.n, kept.n - kept.kept};
        outlook.grows = (struct measure_tally){kept.n, kept.grew};
        outlook.growth = kept.grew > 0 ? llround((double)kept.growth / (double)kept.grew) : 0;
    }
    advise(view, account, &outlook);
    return outlook;
}

struct risked {
    int64_t at_risk, mrr;
    uint32_t account;
};

static int by_risk(const void *left, const void *right)
{
    const struct risked *a = left;
    const struct risked *b = right;
    int order = (a->at_risk < b->at_risk) - (a->at_risk > b->at_risk);
    order = order != 0 ? order : (a->mrr < b->mrr) - (a->mrr > b->mrr);
    return order != 0 ? order : (a->account > b->account) - (a->account < b->account);
}

bool measure_success_order(const struct measure_view *view, uint32_t *order, uint32_t *listed,
                           struct proto_fault *fault)
{
    struct risked *risked = calloc((size_t)view->count + 1, sizeof *risked);
    uint32_t count = 0;
    *listed = 0;
    if (risked == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u accounts",
                               view->count);
    }
    for (uint32_t a = 0; a < view->count; a++) {
        const struct measure_standing *account = &view->accounts[a];
        if (account->customer) {
            struct measure_outlook outlook = measure_outlook_of(view, account);
            bool told = outlook.like[0] != '\0';
            double risk = told ? (double)outlook.risk.hits / (double)outlook.risk.n : 0;
            risked[count++] =
                (struct risked){llround((double)account->mrr * risk), account->mrr, a};
        }
    }
    qsort(risked, count, sizeof *risked, by_risk);
    for (; *listed < count && *listed < view->top; (*listed)++) {
        order[*listed] = risked[*listed].account;
    }
    free(risked);
    return true;
}

static void time_add(struct measure_table *table, int64_t ms)
{
    if (ms == MEASURE_NEVER) {
        measure_add_absent(table);
    } else {
        measure_add_whole(table, ms);
    }
}

static void outlook_add(const struct measure_view *view, const struct measure_standing *account,
                        const struct measure_outlook *outlook, struct measure_table *table)
{
    bool told = outlook->like[0] != '\0';
    bool grows = told && outlook->grows.n > 0;
    char advice[96];
    measure_add_rate(table, &outlook->risk, view->least);
    measure_add_whole(table, (int64_t)outlook->risk.n);
    measure_add_text(table, outlook->like);
    measure_add_rate(table, &outlook->grows, view->least);
    if (grows && outlook->grows.hits > 0) {
        measure_add_whole(table, outlook->growth);
    } else {
        measure_add_absent(table);
    }
    if (view->spent) {
        measure_add_whole(table, account->serving);
    } else {
        measure_add_absent(table);
    }
    if (told) {
        measure_add_whole(table, outlook->expected);
    } else {
        measure_add_absent(table);
    }
    (void)snprintf(advice, sizeof advice, "insufficient: %llu of %u %s",
                   (unsigned long long)outlook->risk.n, view->least,
                   outlook->onboarding ? "customers that began a window ago"
                                       : "customers of a window ago");
    measure_add_text(table, told ? outlook->advice : advice);
}

bool measure_success_table(const struct measure_view *view, const uint32_t *order, uint32_t listed,
                           const struct measure_listed *texts, struct measure_table *table,
                           struct proto_fault *fault)
{
    for (uint32_t i = 0; i < listed; i++) {
        const struct measure_standing *account = &view->accounts[order[i]];
        struct measure_outlook outlook = measure_outlook_of(view, account);
        measure_add_text(table, texts[i].id);
        measure_add_text(table, texts[i].name);
        measure_add_text(table, measure_grade_name(account->grade));
        measure_add_text(table, measure_band_name((enum measure_band)account->band));
        measure_add_number(table, (double)account->engagement / (double)MEASURE_WEIGHT_ONE);
        measure_add_whole(table, account->mrr);
        time_add(table, account->since_ms);
        time_add(table, account->renewal_ms);
        measure_add_text(table, outlook.onboarding ? "onboarding" : "renewal");
        outlook_add(view, account, &outlook, table);
    }
    return measure_table_good(table) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
}
