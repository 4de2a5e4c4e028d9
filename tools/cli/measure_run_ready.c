/* SPDX-License-Identifier: Apache-2.0 */
/* Readiness of the rows of any file: every column that is no account, time or source is a field. */
#include <stdlib.h>

#include "server/feature/span_text.h"
#include "server/measure/readiness.h"
#include "tools/cli/csv_told.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/measure_rows.h"
#include "tools/cli/measure_run.h"
#include "tools/cli/measure_show.h"

#define SOURCES_MAX 4096

enum { ACCOUNT, AT, SOURCE, PICKS };

struct ready {
    const struct csv_input *file;
    struct measure_pick picks[PICKS];
    struct text_count accounts;
    struct text_count sources;
    size_t fields[CSV_COLUMNS_MAX]; /* columns */
    const char *names[CSV_COLUMNS_MAX];
    uint32_t field_count;
    uint8_t *present;
    uint32_t *account;
    int64_t *time_ms;
    uint32_t *source;
    size_t count;
    size_t capacity;
    int64_t newest_ms;
};

static bool grow(struct ready *ready, struct proto_fault *fault)
{
    if (ready->count < ready->capacity) {
        return true;
    }
    size_t capacity = ready->capacity * 2 + 1024;
    uint8_t *present = realloc(ready->present, capacity * (ready->field_count + 1));
    ready->present = present != NULL ? present : ready->present;
    uint32_t *account = realloc(ready->account, capacity * sizeof *account);
    ready->account = account != NULL ? account : ready->account;
    int64_t *time_ms = realloc(ready->time_ms, capacity * sizeof *time_ms);
    ready->time_ms = time_ms != NULL ? time_ms : ready->time_ms;
    uint32_t *source = realloc(ready->source, capacity * sizeof *source);
    ready->source = source != NULL ? source : ready->source;
    if (present == NULL || account == NULL || time_ms == NULL || source == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu rows", capacity);
    }
    ready->capacity = capacity;
    return true;
}

/* Empty, or a word that says so. */
static bool is_missing(struct proto_span cell)
{
    static const char *const words[] = {"n/a", "null", "none", "select", "-", "?", "#n/a"};
    bool missing = cell.bytes == 0;
    for (size_t i = 0; i < sizeof words / sizeof *words && !missing; i++) {
        missing = feature_text_same(cell, proto_span_text(words[i]));
    }
    return missing;
}

static bool on_row(void *context, const struct csv_row *row, size_t *column,
                   struct proto_fault *fault)
{
    struct ready *ready = context;
    bool told = true;
    if (!grow(ready, fault)) {
        return false;
    }
    *column = ready->picks[AT].column;
    ready->time_ms[ready->count] = INT64_MIN / 2; /* a row without a time is old */
    if (!measure_cell_day(&ready->picks[AT], row, &ready->time_ms[ready->count], &told, fault)) {
        return false;
    }
    *column = ready->picks[ACCOUNT].column;
    if (!measure_account_number(&ready->accounts, measure_cell_text(&ready->picks[ACCOUNT], row),
                                row->line, &ready->account[ready->count], fault)) {
        return false;
    }
    struct proto_span source = measure_cell_text(&ready->picks[SOURCE], row);
    *column = ready->picks[SOURCE].column;
    if (!measure_account_number(&ready->sources,
                                source.bytes > 0 ? source : proto_span_text("(none)"), row->line,
                                &ready->source[ready->count], fault)) {
        return false;
    }
    uint8_t *present = ready->present + ready->count * ready->field_count;
    for (uint32_t f = 0; f < ready->field_count; f++) {
        size_t at = ready->fields[f];
        present[f] = at < row->cell_count && !is_missing(feature_text_trim(row->cells[at]));
    }
    if (told && ready->time_ms[ready->count] > ready->newest_ms) {
        ready->newest_ms = ready->time_ms[ready->count];
    }
    ready->count++;
    return true;
}

static void fields_find(struct ready *ready)
{
    for (size_t i = 0; i < csv_column_count(ready->file); i++) {
        bool picked = csv_column(ready->file, i)[0] == '\0';
        for (size_t p = 0; p < PICKS; p++) {
            picked |= ready->picks[p].column == i;
        }
        if (!picked) {
            ready->fields[ready->field_count] = i;
            ready->names[ready->field_count++] = csv_column(ready->file, i);
        }
    }
}

static int ready_show(const struct measure_call *call, struct ready *ready,
                      struct measure_readiness_options *options)
{
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    bool sources = ready->picks[SOURCE].column != SIZE_MAX;
    const char **names = calloc(ready->sources.count + 1, sizeof *names);
    char *copy = NULL;
    bool good = names != NULL;
    for (size_t i = 0; i < ready->sources.count && good; i++) {
        names[i] = copy = feature_text_copy(ready->sources.entries[i].text);
        good = copy != NULL;
    }
    const struct measure_rows rows = {
        .count = ready->count,
        .fields = ready->field_count,
        .present = ready->present,
        .field_names = ready->names,
        .account = ready->account,
        .accounts = (uint32_t)ready->accounts.count,
        .time_ms = ready->picks[AT].column != SIZE_MAX ? ready->time_ms : NULL,
        .source = sources ? ready->source : NULL,
        .source_names = names,
        .sources = (uint32_t)ready->sources.count,
    };
    int status = EX_OK;
    if (!good) {
        status = cli_fail(call->cli, EX_OSERR, "no memory for the names of sources");
    } else {
        good = measure_readiness_table(&rows, options, &table, &fault);
        status =
            good ? measure_show(call->cli, &table, call->rules.base) : cli_fault(call->cli, &fault);
        measure_table_fini(&table);
    }
    for (size_t i = 0; names != NULL && i < ready->sources.count; i++) {
        free((void *)(uintptr_t)names[i]);
    }
    free(names);
    return status;
}

static int ready_read(const struct measure_call *call, const char *path, struct ready *ready,
                      struct measure_readiness_options *options)
{
    int status = EX_OK;
    struct csv_input *file = csv_told_open(call->cli, path, &status);
    if (file == NULL) {
        return status;
    }
    ready->file = file;
    status = measure_picks_open(call->cli, file, ready->picks, PICKS);
    if (status == EX_OK) {
        fields_find(ready);
        struct measure_walk walk = {.cli = call->cli, .file = file};
        status = measure_rows_walk(&walk, on_row, ready);
    }
    if (status == EX_OK) {
        if (cli_text_named(call->cli, "as-of") == NULL) {
            options->as_of_ms = ready->newest_ms;
        }
        status = ready_show(call, ready, options);
    }
    csv_close(file);
    return status;
}

int measure_run_readiness(const struct measure_call *call)
{
    struct measure_readiness_options options = {.as_of_ms = 0};
    const char *path = cli_text_named(call->cli, "rows");
    if (path == NULL) {
        return cli_fail(call->cli, EX_USAGE, "--rows FILE.csv is needed");
    }
    if (!measure_option_day(call->cli, "as-of", false, &options.as_of_ms) ||
        !measure_count(call, "stale-days", &options.stale_days) ||
        !measure_number(call, "floor", &options.floor)) {
        return EX_USAGE;
    }
    struct ready *ready = calloc(1, sizeof *ready);
    if (ready == NULL) {
        return cli_fail(call->cli, EX_OSERR, "no memory");
    }
    const struct measure_pick picks[PICKS] = {
        [ACCOUNT] = {.option = "account", .kind = CELL_TEXT, .needed = true},
        [AT] = {.option = "at", .kind = CELL_DAY},
        [SOURCE] = {.option = "source", .kind = CELL_TEXT}};
    memcpy(ready->picks, picks, sizeof picks);
    ready->newest_ms = INT64_MIN / 2;
    text_count_init(&ready->accounts, MEASURE_ACCOUNTS_MAX);
    text_count_init(&ready->sources, SOURCES_MAX);
    int status = ready_read(call, path, ready, &options);
    text_count_fini(&ready->accounts);
    text_count_fini(&ready->sources);
    free(ready->present);
    free(ready->account);
    free(ready->time_ms);
    free(ready->source);
    free(ready);
    return status;
}
