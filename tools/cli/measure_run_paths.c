/* SPDX-License-Identifier: Apache-2.0 */
/* Attribution over a file of paths: one row for each way through channels, how often it was won,
 * how often it led to nothing, and perhaps what it was worth. Decay needs times and is left out. A
 * row that cannot be read ends it, unless bad rows may be left out. */
#include <stdlib.h>

#include "server/feature/span_text.h"
#include "server/measure/attribution.h"
#include "tools/cli/csv_told.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/measure_rows.h"
#include "tools/cli/measure_run.h"
#include "tools/cli/measure_show.h"

#define TOUCHES_MAX 10000
#define TIMES_MAX INT64_C(1000000000)
#define VALUE_BYTES_MAX 64
#define VALUE_MAX 1e15

enum { PATH, CONVERSIONS, NULLS, VALUE, PICKS };

struct paths {
    struct measure_pick picks[PICKS];
    struct text_count channels;
    struct measure_attribution attribution;
    uint32_t of[TOUCHES_MAX]; /* channels of the row under way */
    bool by_value;
    double least;
};

/* "eta > iota > alpha", each name trimmed; empty: no touch. */
static bool path_split(struct paths *paths, struct proto_span text, size_t line, size_t *count,
                       struct proto_fault *fault)
{
    size_t first = 0;
    *count = 0;
    for (size_t i = 0; i <= text.bytes && text.bytes > 0; i++) {
        if (i < text.bytes && text.data[i] != '>') {
            continue;
        }
        struct proto_span name =
            feature_text_trim((struct proto_span){text.data + first, i - first});
        const struct text_entry *entry = NULL;
        if (name.bytes == 0) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, "",
                                   "a channel without a name; 'email > call' is a path");
        }
        if (*count == TOUCHES_MAX) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, "", "more than %d touches in a path",
                                   TOUCHES_MAX);
        }
        if (!text_count_add(&paths->channels, name, line, &entry)) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for channels");
        }
        if (entry == NULL) {
            return proto_fault_set(fault, PROTO_LIMIT, "", "more than %d channels",
                                   MEASURE_CHANNELS_MAX);
        }
        paths->of[(*count)++] = (uint32_t)(entry - paths->channels.entries);
        first = i + 1;
    }
    return true;
}

static bool times_read(const struct measure_pick *pick, const struct csv_row *row, double *times,
                       struct proto_fault *fault)
{
    int64_t number = 0;
    bool told = false;
    if (!measure_cell_decimal(pick, row, 0, TIMES_MAX, &number, &told, fault)) {
        return false;
    }
    *times = (double)number;
    return number >= 0 || proto_fault_set(fault, PROTO_BAD_FIELD, "",
                                          "a count is 0 or more, not %lld", (long long)number);
}

/* Empty is 0. */
static bool value_read(const struct measure_pick *pick, const struct csv_row *row, double *value,
                       struct proto_fault *fault)
{
    uint8_t plain[VALUE_BYTES_MAX];
    char shown[FEATURE_SHOWN_BYTES];
    struct proto_span cell = measure_cell_text(pick, row);
    *value = 0;
    if (cell.bytes == 0 ||
        (cell.bytes <= sizeof plain &&
         feature_number_read(csv_form_plain(pick->decimal, cell, plain), value) && *value >= 0 &&
         *value <= VALUE_MAX)) {
        return true;
    }
    return proto_fault_set(fault, PROTO_BAD_FIELD, "", "'%s' is no number from 0 to %g",
                           feature_text_show(cell, shown, sizeof shown), VALUE_MAX);
}

static bool on_path(void *context, const struct csv_row *row, size_t *column,
                    struct proto_fault *fault)
{
    struct paths *paths = context;
    struct measure_path path = {.channels = paths->of};
    for (int pick = CONVERSIONS; pick <= NULLS; pick++) {
        *column = paths->picks[pick].column;
        if (!times_read(&paths->picks[pick], row, pick == NULLS ? &path.lost : &path.won, fault)) {
            return false;
        }
    }
    *column = paths->picks[VALUE].column;
    path.weight = path.won;
    if (paths->by_value && !value_read(&paths->picks[VALUE], row, &path.weight, fault)) {
        return false;
    }
    *column = paths->picks[PATH].column;
    return path_split(paths, measure_cell_text(&paths->picks[PATH], row), row->line, &path.count,
                      fault) &&
           measure_attribution_add(&paths->attribution, &path, fault);
}

static int paths_show(const struct measure_call *call, struct paths *paths)
{
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct measure_attribution *a = &paths->attribution;
    char **names = calloc(paths->channels.count + 1, sizeof *names);
    bool named = names != NULL;
    for (size_t k = 0; k < paths->channels.count && named; k++) {
        named = (names[k] = feature_text_copy(paths->channels.entries[k].text)) != NULL;
    }
    int status = EX_OK;
    if (!named) {
        status = cli_fail(call->cli, EX_OSERR, "no memory for the names of channels");
    } else {
        bool good = measure_attribution_table(&paths->attribution, (const char *const *)names,
                                              paths->least, &table, &fault);
        if (good) {
            cli_say(call->cli,
                    "%.0f won and %.0f lost; of both together %.6f of those with a "
                    "touch are won",
                    a->won, a->lost, a->rate);
            cli_say(call->cli, "%s", measure_info(call->id)->correction);
        }
        status = good ? measure_show(call->cli, &table, "") : cli_fault(call->cli, &fault);
        measure_table_fini(&table);
    }
    for (size_t k = 0; names != NULL && k < paths->channels.count; k++) {
        free(names[k]);
    }
    free(names);
    return status;
}

static int paths_read(const struct measure_call *call, struct paths *paths)
{
    int status = EX_OK;
    struct csv_input *file = csv_told_open(call->cli, cli_text_named(call->cli, "paths"), &status);
    if (file == NULL) {
        return status;
    }
    status = measure_picks_open(call->cli, file, paths->picks, PICKS);
    if (status == EX_OK) {
        struct measure_walk walk = {.cli = call->cli, .file = file};
        status = measure_rows_walk(&walk, on_path, paths);
    }
    csv_close(file);
    return status == EX_OK ? paths_show(call, paths) : status;
}

/* Of a file of paths only these say something; the others are of the server. */
static int parameters_check(const struct measure_call *call, bool *by_value, unsigned *least)
{
    static const char *const served[] = {"unit",     "from",      "to",       "as-of",
                                         "won-kind", "lost-kind", "lookback", "mature",
                                         "until",    "typed-in",  "channel",  "half-life"};
    const char *weigh = measure_text(call, "weigh");
    for (size_t i = 0; i < sizeof served / sizeof *served; i++) {
        if (cli_text_named(call->cli, served[i]) != NULL) {
            return cli_fail(call->cli, EX_USAGE,
                            "--%s is for what the server measures; paths have no times", served[i]);
        }
    }
    *by_value = strcmp(weigh, "value") == 0;
    if (!*by_value && strcmp(weigh, "count") != 0) {
        return cli_fail(call->cli, EX_USAGE, "--weigh is count or value, not '%s'", weigh);
    }
    return measure_count(call, "least", least) ? EX_OK : EX_USAGE;
}

int measure_run_attribution(const struct measure_call *call)
{
    static const struct measure_pick picks[PICKS] = {
        [PATH] = {.option = "path", .kind = CELL_TEXT, .needed = true},
        [CONVERSIONS] = {.option = "conversions", .kind = CELL_MONEY, .needed = true},
        [NULLS] = {.option = "nulls", .kind = CELL_MONEY},
        [VALUE] = {.option = "value", .kind = CELL_MONEY}};
    unsigned least = 0;
    bool by_value = false;
    int status = parameters_check(call, &by_value, &least);
    struct paths *paths = status == EX_OK ? calloc(1, sizeof *paths) : NULL;
    if (status != EX_OK || paths == NULL) {
        return status != EX_OK ? status : cli_fail(call->cli, EX_OSERR, "no memory");
    }
    memcpy(paths->picks, picks, sizeof picks);
    paths->picks[VALUE].needed = by_value;
    paths->by_value = by_value;
    paths->least = least;
    text_count_init(&paths->channels, MEASURE_CHANNELS_MAX);
    measure_attribution_init(&paths->attribution, 1, NULL);
    status = paths_read(call, paths);
    measure_attribution_fini(&paths->attribution);
    text_count_fini(&paths->channels);
    free(paths);
    return status;
}
