/* SPDX-License-Identifier: Apache-2.0 */
/* What stands beside the subscriptions, in files of accounts and of events: the segment and flag of
 * an account, the days on which somebody recorded churn. An account of these files that has no
 * subscription is one all the same. */
#include <stdlib.h>

#include "server/feature/span_text.h"
#include "tools/cli/csv_told.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/measure_input.h"

enum { ACCOUNT, SEGMENT, FLAG, ACCOUNT_PICKS };
enum { CHURN_ACCOUNT, CHURN_DAY, CHURN_PICKS };

struct beside {
    struct measure_input *input;
    struct measure_pick *picks;
    size_t room; /* accounts that the arrays below hold */
};

/* Arrays by account grow as accounts come; without a row of its own an account has no segment. */
static bool room_make(struct beside *beside, struct proto_fault *fault)
{
    struct measure_input *input = beside->input;
    if (input->accounts.count <= beside->room) {
        return true;
    }
    size_t room = input->accounts.count * 2 + 64;
    uint32_t *segments = realloc(input->segment_of, room * sizeof *segments);
    input->segment_of = segments != NULL ? segments : input->segment_of;
    bool *flagged = realloc(input->flagged, room * sizeof *flagged);
    input->flagged = flagged != NULL ? flagged : input->flagged;
    if (segments == NULL || flagged == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu accounts", room);
    }
    for (size_t i = beside->room; i < room; i++) {
        segments[i] = 0;
        flagged[i] = false;
    }
    beside->room = room;
    return true;
}

static bool segment_number(struct measure_input *input, struct proto_span text, size_t line,
                           uint32_t *number, struct proto_fault *fault)
{
    const struct text_entry *entry = NULL;
    if (text.bytes == 0) {
        *number = 0;
        return true;
    }
    if (!text_count_add(&input->segment_names, text, line, &entry)) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for segments");
    }
    if (entry == NULL) {
        return proto_fault_set(fault, PROTO_LIMIT, "segment",
                               "the column has more than %d values; that is no segment",
                               MEASURE_SEGMENTS_MAX);
    }
    *number = (uint32_t)(entry - input->segment_names.entries);
    return true;
}

static bool on_account(void *context, const struct csv_row *row, size_t *column,
                       struct proto_fault *fault)
{
    struct beside *beside = context;
    struct measure_input *input = beside->input;
    uint32_t account = 0;
    *column = beside->picks[ACCOUNT].column;
    if (!measure_account_number(&input->accounts, measure_cell_text(&beside->picks[ACCOUNT], row),
                                row->line, &account, fault) ||
        !room_make(beside, fault)) {
        return false;
    }
    *column = beside->picks[SEGMENT].column;
    if (!segment_number(input, measure_cell_text(&beside->picks[SEGMENT], row), row->line,
                        &input->segment_of[account], fault)) {
        return false;
    }
    *column = beside->picks[FLAG].column;
    return measure_cell_flag(&beside->picks[FLAG], row, &input->flagged[account], fault);
}

static bool on_churn(void *context, const struct csv_row *row, size_t *column,
                     struct proto_fault *fault)
{
    struct beside *beside = context;
    struct measure_input *input = beside->input;
    bool told = false;
    if (input->churned_count == input->churned_capacity) {
        size_t capacity = input->churned_capacity * 2 + 256;
        int64_t *days = realloc(input->churned_ms, capacity * sizeof *days);
        input->churned_ms = days != NULL ? days : input->churned_ms;
        uint32_t *accounts = realloc(input->churned, capacity * sizeof *accounts);
        input->churned = accounts != NULL ? accounts : input->churned;
        if (days == NULL || accounts == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu events",
                                   capacity);
        }
        input->churned_capacity = capacity;
    }
    *column = beside->picks[CHURN_DAY].column;
    if (!measure_cell_day(&beside->picks[CHURN_DAY], row, &input->churned_ms[input->churned_count],
                          &told, fault)) {
        return false;
    }
    if (!told) {
        return proto_fault_set(fault, PROTO_MISSING_FIELD, "", "the day is missing");
    }
    *column = beside->picks[CHURN_ACCOUNT].column;
    if (!measure_account_number(&input->accounts,
                                measure_cell_text(&beside->picks[CHURN_ACCOUNT], row), row->line,
                                &input->churned[input->churned_count], fault)) {
        return false;
    }
    input->churned_count++;
    return true;
}

static int file_read(const struct cli *cli, const char *path, struct beside *beside,
                     struct measure_pick *picks, size_t count, measure_on_row on_row)
{
    int status = EX_OK;
    struct csv_input *file = csv_told_open(cli, path, &status);
    if (file == NULL) {
        return status;
    }
    beside->picks = picks;
    status = measure_picks_open(cli, file, picks, count);
    if (status == EX_OK) {
        struct measure_walk walk = {.cli = cli, .file = file};
        status = measure_rows_walk(&walk, on_row, beside);
        beside->input->skipped += walk.bad;
    }
    beside->picks = NULL;
    csv_close(file);
    return status;
}

/* Names of segments as texts that end in a zero; the first is that of accounts without one. */
static int names_make(const struct cli *cli, struct measure_input *input)
{
    size_t count = input->segment_names.count;
    input->names = calloc(count, sizeof *input->names);
    for (size_t i = 0; i < count && input->names != NULL; i++) {
        input->names[i] =
            i == 0 ? strdup("(none)") : feature_text_copy(input->segment_names.entries[i].text);
        if (input->names[i] == NULL) {
            return cli_fail(cli, EX_OSERR, "no memory for segments");
        }
        input->name_count++;
    }
    return input->names != NULL ? EX_OK : cli_fail(cli, EX_OSERR, "no memory for segments");
}

static int accounts_read(const struct cli *cli, struct beside *beside)
{
    struct measure_input *input = beside->input;
    const char *path = cli_text_named(cli, "accounts");
    struct measure_pick picks[ACCOUNT_PICKS] = {
        [ACCOUNT] = {.option = "account", .kind = CELL_TEXT, .needed = true},
        [SEGMENT] = {.option = "segment", .kind = CELL_TEXT},
        [FLAG] = {.option = "churn-flag", .kind = CELL_FLAG},
    };
    struct proto_fault fault = {.code = PROTO_OK};
    uint32_t none = 0;
    bool segments = cli_text_named(cli, "segment") != NULL;
    if (path == NULL) {
        return segments || cli_text_named(cli, "churn-flag") != NULL
                   ? cli_fail(cli, EX_USAGE,
                              "--segment and --churn-flag are columns of --accounts FILE.csv")
                   : EX_OK;
    }
    /* A name that no cell has, for the accounts without a segment. */
    if (!segment_number(input, proto_span_text("\n"), 0, &none, &fault) ||
        !room_make(beside, &fault)) {
        return cli_fault(cli, &fault);
    }
    int status = file_read(cli, path, beside, picks, ACCOUNT_PICKS, on_account);
    return status == EX_OK && segments ? names_make(cli, input) : status;
}

int measure_beside_read(const struct cli *cli, struct measure_input *input)
{
    struct measure_pick picks[CHURN_PICKS] = {
        [CHURN_ACCOUNT] = {.option = "account", .kind = CELL_TEXT, .needed = true},
        [CHURN_DAY] = {.option = "churn-date", .kind = CELL_DAY, .needed = true},
    };
    struct beside beside = {.input = input};
    struct proto_fault fault = {.code = PROTO_OK};
    const char *path = cli_text_named(cli, "churn-events");
    int status = accounts_read(cli, &beside);
    if (status == EX_OK && path != NULL) {
        status = file_read(cli, path, &beside, picks, CHURN_PICKS, on_churn);
    }
    /* Events may have brought accounts. */
    return status != EX_OK || room_make(&beside, &fault) ? status : cli_fault(cli, &fault);
}
