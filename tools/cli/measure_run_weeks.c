/* SPDX-License-Identifier: Apache-2.0 */
/* Erosion over a file: a row for each week, in order, with the work on the list and all of it. */
#include <stdlib.h>

#include "server/verdict/verdict_table.h"
#include "tools/cli/csv_told.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/measure_rows.h"
#include "tools/cli/measure_run.h"
#include "tools/cli/measure_show.h"

#define WORK_MAX INT64_C(1000000000)

enum { ON, ALL, AT, PICKS };

struct weekly {
    struct measure_pick picks[PICKS];
    struct verdict_work *weeks;
    size_t count, room;
};

static bool room_make(struct weekly *weekly, struct proto_fault *fault)
{
    if (weekly->count < weekly->room) {
        return true;
    }
    size_t room = weekly->room * 2 + 128;
    struct verdict_work *weeks = realloc(weekly->weeks, room * sizeof *weeks);
    if (weeks == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu weeks", room);
    }
    weekly->weeks = weeks;
    weekly->room = room;
    return true;
}

static bool on_row(void *context, const struct csv_row *row, size_t *column,
                   struct proto_fault *fault)
{
    struct weekly *weekly = context;
    int64_t work[2] = {0, 0};
    bool told = false;
    int64_t day_ms = VERDICT_NEVER;
    if (!room_make(weekly, fault)) {
        return false;
    }
    for (unsigned pick = 0; pick < 2; pick++) {
        *column = weekly->picks[pick].column;
        if (!measure_cell_decimal(&weekly->picks[pick], row, 0, WORK_MAX, &work[pick], &told,
                                  fault)) {
            return false;
        }
        if (!told || work[pick] < 0) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, "", "a count of 0 or more is wanted");
        }
    }
    *column = weekly->picks[AT].column;
    if (!measure_cell_day(&weekly->picks[AT], row, &day_ms, &told, fault)) {
        return false;
    }
    if (weekly->count > 0 && day_ms != VERDICT_NEVER &&
        day_ms <= weekly->weeks[weekly->count - 1].week_ms) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "",
                               "weeks stand in order, each once: this day is not behind that of "
                               "the row before");
    }
    *column = weekly->picks[ON].column;
    if (work[ON] > work[ALL]) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "",
                               "%lld on the list are more than all %lld", (long long)work[ON],
                               (long long)work[ALL]);
    }
    weekly->weeks[weekly->count++] =
        (struct verdict_work){day_ms, (uint64_t)work[ON], (uint64_t)work[ALL]};
    return true;
}

static int weekly_show(const struct measure_call *call, const struct weekly *weekly,
                       double committed, double false_alarm)
{
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t alarms = 0;
    measure_table_init(&table, call->id);
    bool good = verdict_erosion_add(&table, weekly->weeks, weekly->count, committed, false_alarm,
                                    &alarms, &fault);
    if (good) {
        cli_say(call->cli, "%llu alarms in %zu weeks", (unsigned long long)alarms, weekly->count);
    }
    int status = good ? measure_show(call->cli, &table, "") : cli_fault(call->cli, &fault);
    measure_table_fini(&table);
    return status;
}

int measure_run_erosion(const struct measure_call *call)
{
    struct weekly weekly = {
        .picks = {[ON] = {.option = "on", .kind = CELL_MONEY, .needed = true},
                  [ALL] = {.option = "all", .kind = CELL_MONEY, .needed = true},
                  [AT] = {.option = "at", .kind = CELL_DAY}},
    };
    double committed = 0;
    double false_alarm = 0;
    if (cli_text_named(call->cli, "committed") == NULL) {
        return cli_fail(call->cli, EX_USAGE,
                        "--committed is needed: the share of the work that was committed, such as "
                        "0.6");
    }
    if (!measure_number(call, "committed", &committed) ||
        !measure_number(call, "false-alarm", &false_alarm)) {
        return EX_USAGE;
    }
    int status = EX_OK;
    struct csv_input *file = csv_told_open(call->cli, cli_text_named(call->cli, "rows"), &status);
    if (file == NULL) {
        return status;
    }
    status = measure_picks_open(call->cli, file, weekly.picks, PICKS);
    if (status == EX_OK) {
        struct measure_walk walk = {.cli = call->cli, .file = file};
        status = measure_rows_walk(&walk, on_row, &weekly);
    }
    csv_close(file);
    status = status == EX_OK ? weekly_show(call, &weekly, committed, false_alarm) : status;
    free(weekly.weeks);
    return status;
}
