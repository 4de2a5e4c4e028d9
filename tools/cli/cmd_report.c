/* SPDX-License-Identifier: Apache-2.0 */
/* icp report lifecycle: options read, tables asked of the server, a page written beside its final
 * name and then put there. A day, period or share that is none is told before anything is asked. */
#include <time.h>

#include "server/feature/date_text.h"
#include "server/feature/span_text.h"
#include "server/measure/measure_mrr.h"
#include "server/measure/movement.h"
#include "tools/cli/cmd.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/measure_remote.h"
#include "tools/cli/report_served.h"

/* More rows of months than these are quarters. */
#define MONTH_ROWS_MAX 36

struct report_days {
    char from[FEATURE_DATE_TEXT_BYTES], to[FEATURE_DATE_TEXT_BYTES];
    int64_t from_ms, to_ms;
};

/* The last day is the first of this month, and the first a year before it. */
static int days_read(const struct cli *cli, struct report_days *days)
{
    time_t now = time(NULL);
    struct tm today;
    if (gmtime_r(&now, &today) == NULL ||
        !feature_date_of(today.tm_year + 1900, today.tm_mon + 1, 1, &days->to_ms)) {
        return cli_fail(cli, EX_OSERR, "the clock tells no day; --from and --to do");
    }
    if (!measure_option_day(cli, "to", false, &days->to_ms)) {
        return EX_USAGE;
    }
    days->from_ms = days->to_ms; /* where the year before has no day, --from must be told */
    (void)measure_months_later(days->to_ms, -12, &days->from_ms);
    if (!measure_option_day(cli, "from", false, &days->from_ms)) {
        return EX_USAGE;
    }
    if (days->to_ms <= days->from_ms) {
        return cli_fail(cli, EX_USAGE, "--to must be a later day than --from");
    }
    (void)feature_date_print(days->from_ms, days->from);
    (void)feature_date_print(days->to_ms, days->to);
    return EX_OK;
}

static int period_read(const struct cli *cli, const struct report_days *days, const char **period)
{
    int64_t end = 0;
    *period = cli_text(cli, CLI_REPORT_LIFECYCLE_PERIOD);
    if (*period == NULL) {
        bool few = !measure_months_later(days->from_ms, MONTH_ROWS_MAX, &end) || days->to_ms <= end;
        *period = few ? "month" : "quarter";
    }
    return measure_period_months(*period) > 0
               ? EX_OK
               : cli_fail(cli, EX_USAGE, "--period is month, quarter or year, not '%s'", *period);
}

/* --against, or --against-definition, and of which metric. */
static int against_read(const struct cli *cli, struct report_wanted *wanted)
{
    const char *metric = cli_text(cli, CLI_REPORT_LIFECYCLE_METRIC);
    bool given = cli_has(cli, CLI_REPORT_LIFECYCLE_AGAINST) ||
                 cli_has(cli, CLI_REPORT_LIFECYCLE_AGAINST_DEFINITION);
    wanted->metric = MEASURE_METRICS;
    if (!given) {
        return metric == NULL ? EX_OK
                              : cli_fail(cli, EX_USAGE,
                                         "--metric is of --against NAME=CHOICE, which says how "
                                         "somebody else's definition differs");
    }
    wanted->metric = measure_metric_find(metric != NULL ? metric : "mrr");
    if ((int)wanted->metric >= MEASURE_METRICS_OF_REVENUE) {
        return cli_fail(cli, EX_USAGE, "--metric: there is no metric '%s'; there are %s", metric,
                        measure_parameter_find(MEASURE_ID_BRIDGE, "metric")->help);
    }
    return measure_against_read(cli, &wanted->rules, wanted->metric, &wanted->against);
}

static int wanted_read(const struct cli *cli, const struct report_days *days,
                       struct report_wanted *wanted)
{
    *wanted = (struct report_wanted){
        .from = days->from,
        .to = days->to,
        .segment = cli_text(cli, CLI_REPORT_LIFECYCLE_SEGMENT),
        .top = cli_text(cli, CLI_REPORT_LIFECYCLE_TOP),
        .stale_days = cli_text(cli, CLI_REPORT_LIFECYCLE_STALE_DAYS),
        .floor = cli_text(cli, CLI_REPORT_LIFECYCLE_FLOOR),
    };
    int status = period_read(cli, days, &wanted->period);
    if (status == EX_OK) {
        status = measure_rules_told(cli, &wanted->rules, &wanted->definition);
    }
    if (status == EX_OK) {
        status = against_read(cli, wanted);
    }
    return status == EX_OK ? measure_scope_read(cli, &wanted->scope) : status;
}

/* The floor that readiness was held against; the server has refused what is none. */
static double floor_of(const struct report_wanted *wanted)
{
    double floor = 0;
    const char *text = wanted->floor != NULL
                           ? wanted->floor
                           : measure_parameter_find(MEASURE_ID_READINESS, "floor")->fallback;
    (void)feature_number_read(proto_span_text(text), &floor);
    return floor;
}

static int page_write(const struct cli *cli, const struct report_lifecycle *page)
{
    const char *path = cli_text(cli, CLI_REPORT_LIFECYCLE_OUT);
    struct out_file output;
    int status = cli_file_begin(cli, path != NULL ? path : "-", &output);
    if (status != EX_OK) {
        return status;
    }
    report_lifecycle(output.file, page);
    status = cli_file_commit(cli, &output);
    out_file_abandon(&output);
    return status;
}

int cmd_report_lifecycle(struct cli *cli)
{
    struct report_days days = {.from_ms = 0};
    struct report_wanted wanted;
    struct report_served served;
    if (!cli_arguments(cli, 0, 0)) {
        return EX_USAGE;
    }
    int status = days_read(cli, &days);
    if (status == EX_OK) {
        status = wanted_read(cli, &days, &wanted);
    }
    if (status != EX_OK) {
        return status;
    }
    status = report_served_read(cli, &wanted, &served);
    if (status == EX_OK) {
        served.page.from_ms = days.from_ms;
        served.page.to_ms = days.to_ms;
        served.page.floor = floor_of(&wanted);
        status = page_write(cli, &served.page);
    }
    report_served_fini(&served);
    return status;
}
