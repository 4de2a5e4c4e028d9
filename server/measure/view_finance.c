/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of money by group, each with what it rests on. Where one is made of others its interval
 * is drawn: 200 times each of those is taken anew from its own distribution, seeded, so that the
 * same numbers give the same interval. A figure that the data cannot give says what is missing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/math/accuracy.h"
#include "server/math/auc.h"
#include "server/math/order.h"
#include "server/math/random.h"
#include "server/measure/clv.h"
#include "server/measure/measure_view.h"

enum { DRAWS = 200, SEED = 1 };

/* Sums of a group. */
struct sums {
    uint64_t accounts, customers, fresh, then, lost, piped;
    double mrr, mrr_squares, pipeline, pipeline_squares, spend, serving;
};

struct page {
    const struct measure_view *view;
    const struct sums *all;
    struct measure_table *table;
    double lives[DRAWS]; /* months of discounted life to be expected, drawn anew; all customers' */
    double life;         /* NAN: it cannot be told, and why_not says why */
    const char *why_not;
    uint32_t cohort;
};

static void account_add(const struct measure_view *view, const struct measure_standing *account,
                        struct sums *sums)
{
    double mrr = account->customer ? (double)account->mrr : 0;
    bool fresh =
        account->since_ms != MEASURE_NEVER && account->since_ms > view->at_ms - view->window_ms;
    sums->accounts++;
    sums->customers += account->customer;
    sums->fresh += fresh;
    sums->then += account->customer_then;
    sums->lost += account->customer_then && !account->customer;
    sums->piped += account->pipeline > 0;
    sums->mrr += mrr;
    sums->mrr_squares += mrr * mrr;
    sums->pipeline += (double)account->pipeline;
    sums->pipeline_squares += (double)account->pipeline * (double)account->pipeline;
    sums->spend += (double)account->won_spend;
    sums->serving += (double)account->serving;
}

/* A row; NAN ends are none, and a value that is none needs a reason. */
static void row_add(struct page *page, const char *figure, const char *of, double value, double low,
                    double high, uint64_t n, const char *why)
{
    measure_add_text(page->table, figure);
    measure_add_text(page->table, of);
    measure_add_number(page->table, why[0] == '\0' ? value : MEASURE_NAN);
    measure_add_number(page->table, why[0] == '\0' ? low : MEASURE_NAN);
    measure_add_number(page->table, why[0] == '\0' ? high : MEASURE_NAN);
    measure_add_whole(page->table, (int64_t)n);
    measure_add_text(page->table, why);
}

static void counted_add(struct page *page, const char *figure, const char *of, double value,
                        uint64_t n)
{
    row_add(page, figure, of, value, MEASURE_NAN, MEASURE_NAN, n, "");
}

struct why {
    char text[112];
};

static struct why few(const struct page *page, uint64_t n, const char *what)
{
    struct why why = {""};
    if (n == 0 || n < page->view->least) {
        (void)snprintf(why.text, sizeof why.text, "insufficient: %llu of %u %s",
                       (unsigned long long)n, page->view->least, what);
    }
    return why;
}

/* Σ of a group over Σ of all, with the ratio estimator: of who is in the group b = a, else b = 0.
 */
static void share_add(struct page *page, const char *figure, const char *of, const double part[2],
                      const double whole[2], uint64_t n)
{
    if (whole[0] <= 0 || n < 2) {
        row_add(page, figure, of, MEASURE_NAN, MEASURE_NAN, MEASURE_NAN, n,
                "insufficient: there is nothing to share");
        return;
    }
    double share = part[0] / whole[0];
    double squares = (1 - share) * (1 - share) * part[1] + share * share * (whole[1] - part[1]);
    double mean = whole[0] / (double)n;
    double error = sqrt(squares / ((double)n * (double)(n - 1) * mean * mean));
    row_add(page, figure, of, share, fmax(0, share - MATH_Z_95 * error),
            fmin(1, share + MATH_Z_95 * error), n, "");
}

static double mean_of(const struct sums *sums)
{
    return sums->customers > 0 ? sums->mrr / (double)sums->customers : MEASURE_NAN;
}

static double mean_error(const struct sums *sums)
{
    double n = (double)sums->customers;
    double mean = mean_of(sums);
    double variance = n > 1 ? fmax(0, (sums->mrr_squares - n * mean * mean) / (n - 1)) : 0;
    return n > 1 ? sqrt(variance / n) : MEASURE_NAN;
}

static double lost_a_month(const struct page *page, double lost)
{
    return 1 - pow(1 - fmin(lost, 1), (double)MEASURE_MONTH_MS / (double)page->view->window_ms);
}

/* What is drawn anew for figures made of several. */
struct drawn {
    double arpa, cac, lost;
};

static struct drawn draw(const struct sums *sums, struct math_random *random)
{
    double fresh = (double)sums->fresh + sqrt((double)sums->fresh) * math_random_normal(random);
    double n = (double)sums->then;
    double lost = n > 0 ? (double)sums->lost / n : 0;
    double error = n > 0 ? sqrt(lost * (1 - lost) / n) : 0;
    return (struct drawn){
        .arpa = fmax(0, mean_of(sums) + mean_error(sums) * math_random_normal(random)),
        .cac = sums->spend / fmax(1, fresh),
        .lost = fmin(1, fmax(n > 0 ? 0.5 / n : 0, lost + error * math_random_normal(random)))};
}

enum made { MADE_PAYBACK, MADE_LTV, MADE_SIMPLE, MADE_RATIO };

static double made_of(const struct page *page, enum made made, const struct drawn *of, double life)
{
    double margin = of->arpa * page->view->margin;
    switch (made) {
    case MADE_PAYBACK:
        return margin > 0 ? of->cac / margin : MEASURE_NAN;
    case MADE_LTV:
        return margin * life;
    case MADE_SIMPLE:
        return margin / lost_a_month(page, of->lost);
    case MADE_RATIO:
        return of->cac > 0 ? margin * life / of->cac : MEASURE_NAN;
    }
    return MEASURE_NAN;
}

static void made_add(struct page *page, const char *figure, const char *of, enum made made,
                     const struct sums *sums, uint64_t n, struct why why)
{
    struct math_random random;
    double values[DRAWS];
    size_t count = 0;
    double lost = sums->then > 0 ? (double)sums->lost / (double)sums->then : 0;
    const struct drawn best = {
        mean_of(sums), sums->fresh > 0 ? sums->spend / (double)sums->fresh : MEASURE_NAN, lost};
    if (why.text[0] == '\0' && sums->customers < 2) { /* the mean of one has no error */
        (void)snprintf(why.text, sizeof why.text, "insufficient: %llu of 2 customers",
                       (unsigned long long)sums->customers);
    }
    math_random_init(&random, SEED);
    for (int i = 0; i < DRAWS && why.text[0] == '\0'; i++) {
        struct drawn one = draw(sums, &random);
        double value = made_of(page, made, &one, page->lives[i]);
        if (isfinite(value)) {
            values[count++] = value;
        }
    }
    if (count < DRAWS / 2) {
        row_add(page, figure, of, MEASURE_NAN, MEASURE_NAN, MEASURE_NAN, n,
                why.text[0] != '\0' ? why.text : "insufficient: nobody pays anything");
        return;
    }
    qsort(values, count, sizeof *values, math_ascending);
    row_add(page, figure, of, made_of(page, made, &best, page->life),
            math_quantile(values, count, 0.025), math_quantile(values, count, 0.975), n, "");
}

static void lost_add(struct page *page, const char *of, const struct sums *sums)
{
    struct why why = few(page, sums->then, "customers of a window ago");
    double low = 0;
    double high = 1;
    if (why.text[0] == '\0') {
        math_wilson((size_t)sums->lost, (size_t)sums->then, &low, &high);
    }
    row_add(page, "lost", of, sums->then > 0 ? (double)sums->lost / (double)sums->then : 0, low,
            high, sums->then, why.text);
}

static struct why no_spend(void)
{
    return (struct why){"insufficient: no spend is told (events of type spend)"};
}

static void acquisition_add(struct page *page, const char *of, const struct sums *sums)
{
    struct why why =
        page->view->spent ? few(page, sums->fresh, "new customers in the window") : no_spend();
    double fresh = (double)sums->fresh;
    double least = fresh - MATH_Z_95 * sqrt(fresh);
    row_add(page, "cac", of, sums->spend / fresh, sums->spend / (fresh + MATH_Z_95 * sqrt(fresh)),
            least > 0 ? sums->spend / least : MEASURE_NAN, sums->fresh, why.text);
    made_add(page, "payback", of, MADE_PAYBACK, sums, sums->fresh, why);
}

static void lifetime_add(struct page *page, const char *of, const struct sums *sums, bool whole)
{
    struct why why = few(page, sums->then, "customers of a window ago");
    if (why.text[0] == '\0' && sums->lost == 0) {
        why = (struct why){"insufficient: nobody was lost in the window"};
    }
    made_add(page, "ltv simple", of, MADE_SIMPLE, sums, sums->then, why);
    if (!whole) {
        return;
    }
    why = (struct why){""};
    if (isnan(page->life)) {
        (void)snprintf(why.text, sizeof why.text, "insufficient: %s", page->why_not);
    }
    made_add(page, "ltv", of, MADE_LTV, sums, page->cohort, why);
    if (why.text[0] == '\0' && (!page->view->spent || sums->fresh < page->view->least)) {
        why =
            page->view->spent ? few(page, sums->fresh, "new customers in the window") : no_spend();
    }
    made_add(page, "ltv:cac", of, MADE_RATIO, sums, page->cohort, why);
}

static void group_add(struct page *page, const char *of, const struct sums *sums, bool whole)
{
    const double arr[2] = {sums->mrr, sums->mrr_squares};
    const double all_arr[2] = {page->all->mrr, page->all->mrr_squares};
    const double pipe[2] = {sums->pipeline, sums->pipeline_squares};
    const double all_pipe[2] = {page->all->pipeline, page->all->pipeline_squares};
    struct why why = few(page, sums->customers, "customers");
    double mean = mean_of(sums);
    double error = mean_error(sums);
    counted_add(page, "arr", of, 12 * sums->mrr, sums->customers);
    if (!whole) {
        share_add(page, "arr share", of, arr, all_arr, page->all->customers);
    }
    counted_add(page, "pipeline", of, sums->pipeline, sums->piped);
    if (!whole) {
        share_add(page, "pipeline share", of, pipe, all_pipe, page->all->piped);
    }
    counted_add(page, "customers", of, (double)sums->customers, sums->accounts);
    row_add(page, "arpa", of, mean, mean - MATH_Z_95 * error, mean + MATH_Z_95 * error,
            sums->customers, why.text);
    lost_add(page, of, sums);
    acquisition_add(page, of, sums);
    lifetime_add(page, of, sums, whole);
    double revenue = sums->mrr * (double)page->view->window_ms / (double)MEASURE_MONTH_MS;
    row_add(page, "serving", of, sums->serving / revenue, MEASURE_NAN, MEASURE_NAN, sums->customers,
            !page->view->spent ? no_spend().text
            : revenue > 0      ? ""
                               : "insufficient: no revenue");
}

/* Months of margin of a new customer, each discounted: the first now, then those of renewals. */
static double life_of(const struct measure_fit *fit, double discount)
{
    return 1 + measure_contract_residual(fit, discount, 1) / (1 + discount);
}

static void lives_fit(struct page *page, const struct measure_cohort_lost *cohort)
{
    struct measure_fit fit;
    struct proto_fault why = {.code = PROTO_OK};
    struct math_random random;
    double discount = pow(1 + page->view->discount, 1.0 / 12) - 1;
    page->life = MEASURE_NAN;
    page->cohort = cohort->customers;
    if (cohort->customers < page->view->least) {
        page->why_not = "too few customers began between two and one years ago";
        return;
    }
    if (!measure_sbg_fit(cohort->lost, MEASURE_LOST_MONTHS, cohort->customers, &fit, &why)) {
        page->why_not = "of those who began between two and one years ago no lifetime can be "
                        "fitted";
        return;
    }
    page->life = life_of(&fit, discount);
    math_random_init(&random, SEED + 1);
    for (int i = 0; i < DRAWS; i++) {
        uint32_t lost[MEASURE_LOST_MONTHS];
        uint32_t left = cohort->customers;
        for (int month = 0; month < MEASURE_LOST_MONTHS; month++) {
            double mean = (double)cohort->lost[month];
            double one = fmax(0, round(mean + sqrt(mean) * math_random_normal(&random)));
            lost[month] = one < (double)left ? (uint32_t)one : left;
            left -= lost[month];
        }
        struct proto_fault ignored = {.code = PROTO_OK};
        page->lives[i] =
            measure_sbg_fit(lost, MEASURE_LOST_MONTHS, cohort->customers, &fit, &ignored)
                ? life_of(&fit, discount)
                : MEASURE_NAN;
    }
}

bool measure_finance_table(const struct measure_view *view,
                           const struct measure_cohort_lost *cohort, struct measure_table *table,
                           struct proto_fault *fault)
{
    struct sums grades[MEASURE_GRADES] = {{.accounts = 0}};
    struct sums all = {.accounts = 0};
    struct sums *segments = calloc((size_t)view->segment_count + 1, sizeof *segments);
    struct page page = {.view = view, .all = &all, .table = table};
    if (segments == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for segments");
    }
    for (uint32_t a = 0; a < view->count; a++) {
        account_add(view, &view->accounts[a], &all);
        account_add(view, &view->accounts[a], &grades[view->accounts[a].grade]);
        account_add(view, &view->accounts[a], &segments[view->accounts[a].segment]);
    }
    lives_fit(&page, cohort);
    group_add(&page, "all", &all, true);
    for (unsigned grade = 0; view->scored && grade < MEASURE_UNGRADED; grade++) {
        group_add(&page, measure_grade_name(grade), &grades[grade], false);
    }
    for (uint32_t s = 0; s < view->segment_count; s++) {
        if (segments[s].accounts > 0) {
            group_add(&page, view->segments[s], &segments[s], false);
        }
    }
    free(segments);
    return measure_table_good(table) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
}
