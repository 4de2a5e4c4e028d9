/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/report_compare.h"

#include <string.h>

struct metric {
    const char *name;
    const char *path[2]; /* within a run */
    bool higher_is_better;
};

static const struct metric metrics[] = {
    {"rate", {"rate", NULL}, true},
    {"p99", {"latency_us", "p99"}, false},
    {"cpu", {"server", "cpu_ns_each"}, false},
};

static const json_t *series_find(const json_t *file, const char *what, const char *who)
{
    size_t i;
    const json_t *series;
    json_array_foreach(json_object_get(file, "series"), i, series)
    {
        const char *its_case = json_string_value(json_object_get(series, "case"));
        const char *its_contender = json_string_value(json_object_get(series, "contender"));
        if (its_case != NULL && its_contender != NULL && strcmp(its_case, what) == 0 &&
            strcmp(its_contender, who) == 0) {
            return series;
        }
    }
    return NULL;
}

/* The metric of each run; runs that lack it are passed over. */
static size_t values_read(const json_t *series, const struct metric *metric,
                          double values[REPORT_RUNS_MAX])
{
    size_t i;
    size_t count = 0;
    const json_t *run;
    json_array_foreach(json_object_get(series, "runs"), i, run)
    {
        const json_t *value = json_object_get(run, metric->path[0]);
        if (metric->path[1] != NULL) {
            value = json_object_get(value, metric->path[1]);
        }
        if (json_is_number(value) && count < REPORT_RUNS_MAX) {
            values[count++] = json_number_value(value);
        }
    }
    return count;
}

static struct report_spread spread_read(const json_t *file, const json_t *series, const char *what,
                                        const struct metric *metric, bool relative)
{
    double own[REPORT_RUNS_MAX];
    double floor[REPORT_RUNS_MAX];
    size_t count = values_read(series, metric, own);
    if (!relative) {
        return report_spread_of(own, count);
    }
    size_t floors = values_read(series_find(file, what, "echo"), metric, floor);
    return report_spread_ratio(own, floor, count < floors ? count : floors);
}

static bool is_ours(const char *who)
{
    return who != NULL && (strncmp(who, "icp", 3) == 0 || strcmp(who, "server") == 0);
}

size_t report_compare(const json_t *a, const json_t *b, struct report_comparison *out,
                      size_t out_max)
{
    size_t i;
    size_t count = 0;
    const json_t *series;
    json_array_foreach(json_object_get(a, "series"), i, series)
    {
        const char *what = json_string_value(json_object_get(series, "case"));
        const char *who = json_string_value(json_object_get(series, "contender"));
        const json_t *other = what != NULL && is_ours(who) ? series_find(b, what, who) : NULL;
        if (other == NULL) {
            continue;
        }
        bool relative =
            series_find(a, what, "echo") != NULL && series_find(b, what, "echo") != NULL;
        for (size_t m = 0; m < sizeof metrics / sizeof *metrics && count < out_max; m++) {
            struct report_comparison *one = &out[count];
            *one = (struct report_comparison){
                .what = what, .who = who, .metric = metrics[m].name, .relative = relative};
            one->a = spread_read(a, series, what, &metrics[m], relative);
            one->b = spread_read(b, other, what, &metrics[m], relative);
            one->change = report_spread_change(&one->a, &one->b, metrics[m].higher_is_better);
            count += one->a.count > 0 && one->b.count > 0;
        }
    }
    return count;
}
