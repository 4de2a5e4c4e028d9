/* SPDX-License-Identifier: Apache-2.0 */
/* The gap between two groups of the rows of any file. A row that cannot be read ends it, unless bad
 * rows may be left out; so does a group that is not there. */
#include <stdio.h>
#include <stdlib.h>

#include "server/feature/span_text.h"
#include "server/measure/gap.h"
#include "tools/cli/csv_told.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/measure_rows.h"
#include "tools/cli/measure_run.h"
#include "tools/cli/measure_show.h"

#define CASES_MAX INT64_C(1000000000)
#define GROUPS_TOLD 12

enum { GROUP, STRATUM, REACHED, CASES, PICKS };

struct parted {
    struct measure_pick picks[PICKS];
    const char *a, *b;
    struct text_count strata;
    struct measure_stratum *counts; /* by stratum; room for all */
    struct text_count groups;       /* that there are, to tell who asks for another */
    bool first_there;
};

static bool on_row(void *context, const struct csv_row *row, size_t *column,
                   struct proto_fault *fault)
{
    struct parted *all = context;
    int64_t cases = 1;
    bool told = false;
    bool reached = false;
    const struct text_entry *entry = NULL;
    struct proto_span group = measure_cell_text(&all->picks[GROUP], row);
    struct proto_span stratum = measure_cell_text(&all->picks[STRATUM], row);
    bool first = proto_span_is(group, all->a);
    all->first_there = all->first_there || first;
    if (!text_count_add(&all->groups, group, row->line, NULL)) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for groups");
    }
    *column = all->picks[CASES].column;
    if (!measure_cell_decimal(&all->picks[CASES], row, 0, CASES_MAX, &cases, &told, fault)) {
        return false;
    }
    if (cases < 0) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "", "a count is 0 or more, not %lld",
                               (long long)cases);
    }
    *column = all->picks[REACHED].column;
    if (!measure_cell_flag(&all->picks[REACHED], row, &reached, fault)) {
        return false;
    }
    if (!first && strcmp(all->b, "rest") != 0 && !proto_span_is(group, all->b)) {
        return true;
    }
    *column = all->picks[STRATUM].column;
    if (!text_count_add(&all->strata, stratum.bytes > 0 ? stratum : proto_span_text("(none)"),
                        row->line, &entry)) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for strata");
    }
    if (entry == NULL) {
        return proto_fault_set(fault, PROTO_LIMIT, "", "more than %d strata", MEASURE_STRATA_MAX);
    }
    struct measure_stratum *at = &all->counts[entry - all->strata.entries];
    at->n[!first] += (double)cases;
    at->won[!first] += reached ? (double)cases : 0;
    return true;
}

static int parted_show(const struct measure_call *call, const struct parted *all,
                       const struct measure_gap_options *options)
{
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    size_t count = all->strata.count;
    char **names = calloc(count + 1, sizeof *names);
    bool named = names != NULL;
    for (size_t s = 0; s < count && named; s++) {
        named = (names[s] = feature_text_copy(all->strata.entries[s].text)) != NULL;
    }
    int status = EX_OK;
    if (!named) {
        status = cli_fail(call->cli, EX_OSERR, "no memory for the names of strata");
    } else {
        bool good = measure_gap_table(all->counts, (const char *const *)names, count, options, NULL,
                                      &table, &fault);
        status =
            good ? measure_show(call->cli, &table, call->rules.base) : cli_fault(call->cli, &fault);
        measure_table_fini(&table);
    }
    for (size_t s = 0; names != NULL && s < count; s++) {
        free(names[s]);
    }
    free(names);
    return status;
}

static int group_absent(const struct measure_call *call, const struct parted *all)
{
    char there[200] = "";
    size_t used = 0;
    for (size_t g = 0; g < all->groups.count && used < sizeof there; g++) {
        struct proto_span text = all->groups.entries[g].text;
        used += (size_t)snprintf(there + used, sizeof there - used, "%s%.*s", g > 0 ? ", " : "",
                                 (int)text.bytes, (const char *)text.data);
    }
    return cli_fail(call->cli, EX_USAGE, "--a: no row is of '%s'; there are %s", all->a,
                    all->groups.count > 0 ? there : "none at all");
}

static int parted_read(const struct measure_call *call, struct parted *all,
                       const struct measure_gap_options *options)
{
    int status = EX_OK;
    struct csv_input *file = csv_told_open(call->cli, cli_text_named(call->cli, "rows"), &status);
    if (file == NULL) {
        return status;
    }
    status = measure_picks_open(call->cli, file, all->picks, PICKS);
    if (status == EX_OK) {
        struct measure_walk walk = {.cli = call->cli, .file = file};
        status = measure_rows_walk(&walk, on_row, all);
    }
    csv_close(file);
    if (status == EX_OK && !all->first_there) {
        return group_absent(call, all);
    }
    return status == EX_OK ? parted_show(call, all, options) : status;
}

static int parameters_check(const struct measure_call *call)
{
    static const char *const served[] = {"group-by", "from",      "to",    "as-of",
                                         "won-kind", "lost-kind", "mature"};
    for (size_t i = 0; i < sizeof served / sizeof *served; i++) {
        if (cli_text_named(call->cli, served[i]) != NULL) {
            return cli_fail(call->cli, EX_USAGE,
                            "--%s is for what the server measures; rows are counted as they are",
                            served[i]);
        }
    }
    return cli_text_named(call->cli, "a") != NULL
               ? EX_OK
               : cli_fail(call->cli, EX_USAGE,
                          "--a is needed: the first group, a value of --group");
}

int measure_run_gap(const struct measure_call *call)
{
    struct parted all = {.a = measure_text(call, "a"),
                         .b = measure_text(call, "b"),
                         .picks = {
                             [GROUP] = {.option = "group", .kind = CELL_TEXT, .needed = true},
                             [STRATUM] = {.option = "stratum", .kind = CELL_TEXT, .needed = true},
                             [REACHED] = {.option = "reached", .kind = CELL_FLAG, .needed = true},
                             [CASES] = {.option = "cases", .kind = CELL_MONEY},
                         }};
    struct measure_gap_options options = {.resamples = 0};
    int status = parameters_check(call);
    if (status != EX_OK) {
        return status;
    }
    if (!measure_count(call, "resamples", &options.resamples) ||
        !measure_count(call, "seed", &options.seed) ||
        !measure_count(call, "least", &options.least)) {
        return EX_USAGE;
    }
    all.counts = calloc(MEASURE_STRATA_MAX, sizeof *all.counts);
    if (all.counts == NULL) {
        return cli_fail(call->cli, EX_OSERR, "no memory");
    }
    text_count_init(&all.strata, MEASURE_STRATA_MAX);
    text_count_init(&all.groups, GROUPS_TOLD);
    status = parted_read(call, &all, &options);
    text_count_fini(&all.strata);
    text_count_fini(&all.groups);
    free(all.counts);
    return status;
}
