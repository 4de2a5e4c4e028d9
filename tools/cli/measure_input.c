/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions first, then what stands beside them in other files. Rows that cannot be measured
 * are told, five of them, and end it, unless --skip-bad; so does a file without any row that
 * counts. */
#include "tools/cli/measure_input.h"

#include <stdlib.h>

#include "server/feature/span_text.h"
#include "tools/cli/csv_told.h"
#include "tools/cli/measure_cells.h"

enum {
    ACCOUNT,
    START,
    END,
    AMOUNT,
    TERM,
    CURRENCY,
    TRIAL,
    ONE_OFF,
    CANCELLED,
    PAID_UNTIL,
    PAST_DUE,
    PAUSED,
    RESUMED,
    DISCOUNT,
    DISCOUNT_END,
    PICKS
};

static const struct measure_pick subscription_picks[PICKS] = {
    [ACCOUNT] = {.option = "account", .kind = CELL_TEXT, .needed = true},
    [START] = {.option = "start", .kind = CELL_DAY, .needed = true},
    [END] = {.option = "end", .kind = CELL_DAY, .needed = true},
    [AMOUNT] = {.option = "amount", .kind = CELL_MONEY, .needed = true},
    [TERM] = {.option = "term", .kind = CELL_TERM},
    [CURRENCY] = {.option = "currency", .kind = CELL_TEXT},
    [TRIAL] = {.option = "trial", .kind = CELL_FLAG},
    [ONE_OFF] = {.option = "one-off", .kind = CELL_FLAG},
    [CANCELLED] = {.option = "cancelled", .kind = CELL_DAY},
    [PAID_UNTIL] = {.option = "paid-until", .kind = CELL_DAY},
    [PAST_DUE] = {.option = "past-due", .kind = CELL_DAY},
    [PAUSED] = {.option = "paused", .kind = CELL_DAY},
    [RESUMED] = {.option = "resumed", .kind = CELL_DAY},
    [DISCOUNT] = {.option = "discount-amount", .kind = CELL_MONEY},
    [DISCOUNT_END] = {.option = "discount-end", .kind = CELL_DAY},
};

struct reading {
    struct measure_input *input;
    const struct measure_rules *rules;
    struct measure_pick picks[PICKS];
};

static bool days_read(const struct reading *reading, const struct csv_row *row,
                      struct measure_subscription *s, size_t *column, struct proto_fault *fault)
{
    const struct {
        size_t pick;
        int64_t *ms;
    } days[] = {{START, &s->start_ms},       {END, &s->end_ms},
                {CANCELLED, &s->cancel_ms},  {PAID_UNTIL, &s->paid_ms},
                {PAST_DUE, &s->past_due_ms}, {PAUSED, &s->pause_ms},
                {RESUMED, &s->resume_ms},    {DISCOUNT_END, &s->discount_end_ms}};
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        const struct measure_pick *pick = &reading->picks[days[i].pick];
        bool told = false;
        *column = pick->column;
        if (!measure_cell_day(pick, row, days[i].ms, &told, fault)) {
            return false;
        }
        if (days[i].pick == START && !told) {
            return proto_fault_set(fault, PROTO_MISSING_FIELD, "", "the start is missing");
        }
    }
    return true;
}

/* Where a fault of the measure lies in the file. */
static size_t column_of(const struct reading *reading, const char *field)
{
    static const struct {
        const char *field;
        size_t pick;
    } fields[] = {{"term", TERM},      {"currency", CURRENCY}, {"end", END},
                  {"resume", RESUMED}, {"amount", AMOUNT},     {"account", ACCOUNT}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (strcmp(field, fields[i].field) == 0) {
            return reading->picks[fields[i].pick].column;
        }
    }
    return SIZE_MAX;
}

static bool currency_read(const struct measure_pick *pick, const struct csv_row *row,
                          struct measure_subscription *s, struct proto_fault *fault)
{
    struct proto_span cell = measure_cell_text(pick, row);
    bool good = cell.bytes == 0 || cell.bytes == 3;
    for (size_t i = 0; good && i < cell.bytes; i++) {
        uint8_t letter = cell.data[i] & 0xdf;
        good = letter >= 'A' && letter <= 'Z';
        s->currency[i] = (char)letter;
    }
    return good ||
           proto_fault_set(fault, PROTO_BAD_FIELD, "",
                           "a currency is three letters such as USD, not '%.*s'",
                           (int)(cell.bytes < 20 ? cell.bytes : 20), (const char *)cell.data);
}

static bool cells_read(const struct reading *reading, const struct csv_row *row,
                       struct measure_subscription *s, size_t *column, struct proto_fault *fault)
{
    const struct measure_pick *picks = reading->picks;
    bool told = false;
    if (!days_read(reading, row, s, column, fault)) {
        return false;
    }
    *column = picks[CURRENCY].column;
    if (!currency_read(&picks[CURRENCY], row, s, fault)) {
        return false;
    }
    const char *currency = s->currency[0] != '\0' ? s->currency : reading->rules->base;
    *column = picks[AMOUNT].column;
    if (!measure_cell_money(&picks[AMOUNT], row, currency, &s->amount, &told, fault)) {
        return false;
    }
    if (!told) {
        return proto_fault_set(fault, PROTO_MISSING_FIELD, "", "the amount is missing");
    }
    *column = picks[DISCOUNT].column;
    if (!measure_cell_money(&picks[DISCOUNT], row, currency, &s->discount, &told, fault)) {
        return false;
    }
    *column = picks[TERM].column;
    if (!measure_cell_term(&picks[TERM], row, &s->term_months, fault)) {
        return false;
    }
    *column = picks[TRIAL].column;
    if (!measure_cell_flag(&picks[TRIAL], row, &s->trial, fault)) {
        return false;
    }
    *column = picks[ONE_OFF].column;
    return measure_cell_flag(&picks[ONE_OFF], row, &s->one_off, fault);
}

static bool subscription_keep(struct measure_input *input, const struct measure_subscription *s,
                              struct proto_fault *fault)
{
    if (input->count == input->capacity) {
        size_t capacity = input->capacity * 2 + 1024;
        struct measure_subscription *grown =
            realloc(input->subscriptions, capacity * sizeof *grown);
        if (grown == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu subscriptions",
                                   capacity);
        }
        input->subscriptions = grown;
        input->capacity = capacity;
    }
    input->subscriptions[input->count++] = *s;
    return true;
}

static bool on_subscription(void *context, const struct csv_row *row, size_t *column,
                            struct proto_fault *fault)
{
    struct reading *reading = context;
    struct measure_subscription s = measure_subscription_open(0, 0, 0, 1);
    if (!cells_read(reading, row, &s, column, fault)) {
        return false;
    }
    if (!measure_subscription_check(&s, 1, reading->rules, fault)) {
        *column = column_of(reading, fault->field);
        return false;
    }
    *column = reading->picks[ACCOUNT].column;
    return measure_account_number(&reading->input->accounts,
                                  measure_cell_text(&reading->picks[ACCOUNT], row), row->line,
                                  &s.account, fault) &&
           subscription_keep(reading->input, &s, fault);
}

static int subscriptions_read(const struct cli *cli, const struct measure_rules *rules,
                              struct measure_input *input)
{
    const char *path = cli_text_named(cli, "subscriptions");
    int status = EX_OK;
    if (path == NULL) {
        return cli_fail(cli, EX_USAGE, "--subscriptions FILE.csv is needed");
    }
    struct csv_input *file = csv_told_open(cli, path, &status);
    if (file == NULL) {
        return status;
    }
    struct reading reading = {.input = input, .rules = rules};
    memcpy(reading.picks, subscription_picks, sizeof reading.picks);
    status = measure_picks_open(cli, file, reading.picks, PICKS);
    if (status == EX_OK) {
        struct measure_walk walk = {.cli = cli, .file = file};
        status = measure_rows_walk(&walk, on_subscription, &reading);
        input->skipped = walk.bad;
    }
    if (status == EX_OK && input->count == 0) {
        status = cli_fail(cli, EX_DATAERR, "%s has no subscriptions", path);
    }
    csv_close(file);
    return status;
}

int measure_input_read(const struct cli *cli, const struct measure_rules *rules,
                       struct measure_input *input)
{
    *input = (struct measure_input){.count = 0};
    text_count_init(&input->accounts, MEASURE_ACCOUNTS_MAX);
    text_count_init(&input->segment_names, MEASURE_SEGMENTS_MAX);
    int status = subscriptions_read(cli, rules, input);
    if (status == EX_OK) {
        status = measure_beside_read(cli, input);
    }
    return status;
}

void measure_input_fini(struct measure_input *input)
{
    text_count_fini(&input->accounts);
    text_count_fini(&input->segment_names);
    for (size_t i = 0; i < input->name_count; i++) {
        free((void *)(uintptr_t)input->names[i]);
    }
    free(input->names);
    free(input->subscriptions);
    free(input->segment_of);
    free(input->flagged);
    free(input->churned_ms);
    free(input->churned);
}
