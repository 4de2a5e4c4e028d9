/* SPDX-License-Identifier: Apache-2.0 */
/* Measures are asked one by one and their rows put beside the segments by name, whatever their
 * case; filters are counted. Whatever the server refuses but for lack of evidence ends it. */
#include "tools/cli/align_served.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "server/feature/span_text.h"
#include "server/math/special.h"
#include "tools/cli/cmd.h"
#include "tools/cli/measure_ask.h"
#include "tools/cli/measure_cells.h"

enum { DAY_BYTES = 16, YEAR_DAYS = 365, DAY_S = 86400, FILTER_BYTES = 4096 };
enum { WON, BOOKED, NRR, GRR, FIGURES };

struct serving {
    const struct cli *cli;
    struct cli_request request;
    struct align_answers *answers;
    const char *by;
    char from[DAY_BYTES], to[DAY_BYTES];
    size_t columns[FIGURES];            /* of the answers' measures */
    bool retained;                      /* a subscription was told */
    char names[MEASURE_ITEMS_MAX][200]; /* of segments, as the server writes them */
};

/* *there: whether there was evidence. */
static int one_ask(struct serving *all, struct measure_ask *ask, struct measure_table *table,
                   bool *there)
{
    struct cli_request *request = &all->request;
    icp_payload_reset(request->payload);
    measure_table_init(table, ask->id);
    *there = false;
    int status = measure_ask_put(all->cli, ask, request->payload);
    if (status != EX_OK) {
        return status;
    }
    if (!icp_call(request->client, ICP_OP_MEASURE, request->payload, &request->reply)) {
        if (request->reply.fault.code != ICP_NO_EVIDENCE) {
            return cli_refused(all->cli, &request->reply);
        }
        cli_say(all->cli, "%s: %s", measure_info(ask->id)->name, request->reply.fault.message);
        return EX_OK;
    }
    measure_table_fini(table);
    status = measure_ask_take(all->cli, ask->id, &request->reply, table);
    *there = status == EX_OK;
    return status;
}

/* The segment of a name; SIZE_MAX: nobody ranked it. */
static size_t segment_of(struct serving *all, const char *name)
{
    const struct align_words *segments = &all->answers->segments;
    for (size_t s = 0; s < segments->count; s++) {
        if (strcasecmp(segments->words[s], name) == 0) {
            (void)snprintf(all->names[s], sizeof all->names[s], "%s", name);
            return s;
        }
    }
    return SIZE_MAX;
}

static void figure_put(struct serving *all, size_t segment, int figure, double value)
{
    if (segment != SIZE_MAX) {
        all->answers->figures[segment * MEASURE_ITEMS_MAX + all->columns[figure]] = value;
    }
}

static double cell_value(const struct measure_table *table, size_t row, const char *column)
{
    const struct measure_cell *cell = measure_cell_find(table, row, column);
    return cell->kind == MEASURE_KIND_NUMBER  ? cell->number
           : cell->kind == MEASURE_KIND_MONEY ? (double)cell->whole
                                              : MATH_NAN;
}

static bool cell_is(const struct measure_table *table, size_t row, const char *column,
                    const char *text)
{
    const struct measure_cell *cell = measure_cell_find(table, row, column);
    return cell->kind == MEASURE_KIND_TEXT && strcmp(cell->text, text) == 0;
}

static int retention_take(struct serving *all)
{
    struct measure_ask ask = {.id = MEASURE_ID_RETENTION, .by = all->by};
    struct measure_table table;
    bool there = false;
    measure_ask_parameter(&ask, "from", all->from);
    measure_ask_parameter(&ask, "to", all->to);
    int status = one_ask(all, &ask, &table, &there);
    all->retained = there;
    for (size_t row = 0; there && row < measure_table_rows(&table); row++) {
        size_t segment = segment_of(all, measure_cell_find(&table, row, "segment")->text);
        if (cell_is(&table, row, "metric", "nrr-cohort")) {
            figure_put(all, segment, NRR, cell_value(&table, row, "value"));
        } else if (cell_is(&table, row, "metric", "grr-cohort")) {
            figure_put(all, segment, GRR, cell_value(&table, row, "value"));
        }
    }
    measure_table_fini(&table);
    return status;
}

static int bookings_take(struct serving *all)
{
    struct measure_ask ask = {.id = MEASURE_ID_FOCUS, .by = all->by};
    struct measure_table table;
    bool there = false;
    measure_ask_parameter(&ask, "of", "won");
    measure_ask_parameter(&ask, "top", "1000");
    measure_ask_parameter(&ask, "resamples", "100");
    measure_ask_parameter(&ask, "from", all->from);
    measure_ask_parameter(&ask, "to", all->to);
    int status = one_ask(all, &ask, &table, &there);
    for (size_t row = 0; there && row < measure_table_rows(&table); row++) {
        if (cell_is(&table, row, "row", "group") && cell_is(&table, row, "by", "value")) {
            figure_put(all, segment_of(all, measure_cell_find(&table, row, "group")->text), BOOKED,
                       cell_value(&table, row, "amount"));
        }
    }
    measure_table_fini(&table);
    return status;
}

/* FIELD = 'text', the quotes within them twice. False where there is no room. */
static bool equal_print(const char *field, const char *text, char filter[FILTER_BYTES])
{
    const char *const parts[2] = {field, text};
    const char signs[2] = {'"', '\''};
    size_t used = 0;
    for (int p = 0; p < 2; p++) {
        used += (size_t)snprintf(filter + used, FILTER_BYTES - used, "%s%c", p > 0 ? " = " : "",
                                 signs[p]);
        for (const char *at = parts[p]; *at != '\0'; at++) {
            if (used + 8 > FILTER_BYTES) {
                return false;
            }
            filter[used++] = *at;
            if (*at == signs[p]) {
                filter[used++] = *at;
            }
        }
        filter[used++] = signs[p];
    }
    filter[used] = '\0';
    return true;
}

/* Won by cohort of creation, of those old enough: a share by day of closing drifts by itself. */
static int won_take(struct serving *all)
{
    const struct align_words *segments = &all->answers->segments;
    int status = EX_OK;
    for (size_t s = 0; s < segments->count && status == EX_OK; s++) {
        char filter[FILTER_BYTES];
        struct measure_ask ask = {.id = MEASURE_ID_MOTIONS, .filter = filter};
        struct measure_table table;
        bool there = false;
        const char *name = all->names[s][0] != '\0' ? all->names[s] : segments->words[s];
        if (!equal_print(all->by, name, filter)) {
            continue;
        }
        measure_ask_parameter(&ask, "least", "1");
        measure_ask_parameter(&ask, "from", all->from);
        measure_ask_parameter(&ask, "to", all->to);
        status = one_ask(all, &ask, &table, &there);
        for (size_t row = 0; there && row < measure_table_rows(&table); row++) {
            if (cell_is(&table, row, "motion", "(all)") &&
                cell_is(&table, row, "figure", "conversion")) {
                figure_put(all, s, WON, cell_value(&table, row, "value"));
            }
        }
        measure_table_fini(&table);
    }
    return status;
}

static void day_default(const char *told, time_t otherwise, char text[DAY_BYTES])
{
    struct tm parts;
    (void)gmtime_r(&otherwise, &parts);
    (void)strftime(text, DAY_BYTES, "%Y-%m-%d", &parts);
    if (told != NULL) {
        (void)snprintf(text, DAY_BYTES, "%s", told);
    }
}

static int measures_name(struct serving *all)
{
    static const char *const names[FIGURES] = {"win rate", "bookings", "NRR", "GRR"};
    struct align_words *measures = &all->answers->measures;
    char **grown = realloc(measures->words, (measures->count + FIGURES) * sizeof *grown);
    if (grown == NULL) {
        return cli_fail(all->cli, EX_OSERR, "no memory for the figures");
    }
    measures->words = grown;
    for (int f = 0; f < FIGURES; f++) {
        all->columns[f] = measures->count;
        grown[measures->count] = strdup(names[f]);
        if (grown[measures->count] == NULL) {
            return cli_fail(all->cli, EX_OSERR, "no memory for the figures");
        }
        measures->count++;
    }
    return EX_OK;
}

/* Columns that nothing can be told of: NRR and GRR, which stand last. */
static void retention_drop(struct serving *all)
{
    struct align_words *measures = &all->answers->measures;
    for (int f = NRR; f <= GRR && !all->retained; f++) {
        free(measures->words[--measures->count]);
    }
}

int align_served_figures(const struct cli *cli, struct align_answers *answers)
{
    struct serving *all = calloc(1, sizeof *all);
    int64_t ms = 0;
    if (all == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory for the figures");
    }
    all->cli = cli;
    all->answers = answers;
    all->by = cli_text_named(cli, "segment");
    day_default(cli_text_named(cli, "to"), time(NULL), all->to);
    day_default(cli_text_named(cli, "from"), time(NULL) - (time_t)YEAR_DAYS * DAY_S, all->from);
    int status =
        measure_option_day(cli, "from", false, &ms) && measure_option_day(cli, "to", false, &ms)
            ? measures_name(all)
            : EX_USAGE;
    status = status == EX_OK ? cli_request_open(cli, &all->request) : status;
    if (status == EX_OK) {
        status = retention_take(all);
        status = status == EX_OK ? bookings_take(all) : status;
        status = status == EX_OK ? won_take(all) : status;
        retention_drop(all);
        cli_request_close(&all->request);
    }
    free(all);
    return status;
}

static int count_ask(const struct cli *cli, struct cli_request *request, const char *filter,
                     uint64_t *count, uint64_t *of)
{
    icp_payload_reset(request->payload);
    icp_payload_text(request->payload, "filter", filter);
    int status = cli_request_send(cli, request, ICP_OP_COUNT);
    if (status == EX_OK) {
        *count = (uint64_t)icp_reply_int(&request->reply, "count", 0);
        *of = (uint64_t)icp_reply_int(&request->reply, "of", 0);
    }
    return status;
}

static int filter_score(const struct cli *cli, struct cli_request *request, const char *outcome,
                        uint64_t good, size_t filters, struct report_audit_filter *filter)
{
    struct measure_stated_counts counts = {.good = good};
    uint64_t of = 0;
    char *both = NULL;
    int status = count_ask(cli, request, filter->filter, &counts.matched, &counts.all);
    if (status != EX_OK) {
        return cli_fail(cli, status, "that was the filter that %s stated", filter->person);
    }
    if (asprintf(&both, "(%s) and (%s)", filter->filter, outcome) < 0) {
        return cli_fail(cli, EX_OSERR, "no memory for a filter");
    }
    status = count_ask(cli, request, both, &counts.matched_good, &of);
    free(both);
    filter->n = counts.matched;
    /* What another wrote between two counts is not counted against the filter. */
    counts.matched_good =
        counts.matched_good < counts.matched ? counts.matched_good : counts.matched;
    counts.matched_good = counts.matched_good < good ? counts.matched_good : good;
    measure_stated_of(&counts, filters, &filter->stated);
    return status;
}

int align_served_filters(const struct cli *cli, const struct align_answers *answers,
                         struct align_stated *stated)
{
    struct cli_request request;
    const char *outcome = cli_text_named(cli, "outcome");
    uint64_t good = 0;
    uint64_t of = 0;
    *stated = (struct align_stated){.count = answers->filters.count};
    stated->filters = calloc(stated->count + 1, sizeof *stated->filters);
    if (stated->filters == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory for the filters");
    }
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    status = count_ask(cli, &request, outcome, &good, &of);
    for (size_t i = 0; i < stated->count && status == EX_OK; i++) {
        struct report_audit_filter *filter = &stated->filters[i];
        filter->person = answers->people.words[answers->filter_people[i]];
        filter->filter = answers->filters.words[i];
        status = filter_score(cli, &request, outcome, good, stated->count, filter);
    }
    cli_request_close(&request);
    return status;
}

void align_stated_fini(struct align_stated *stated)
{
    free(stated->filters);
    *stated = (struct align_stated){.count = 0};
}
