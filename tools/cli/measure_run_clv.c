/* SPDX-License-Identifier: Apache-2.0 */
/* The measures of lifetime value: counts from the command line, or purchases from a file. */
#include <stdlib.h>

#include "server/measure/measure_clv.h"
#include "tools/cli/csv_told.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/measure_rows.h"
#include "tools/cli/measure_run.h"
#include "tools/cli/measure_show.h"

static int table_end(const struct measure_call *call, struct measure_table *table, bool good,
                     const struct proto_fault *fault)
{
    int status =
        good ? measure_show(call->cli, table, call->rules.base) : cli_fault(call->cli, fault);
    measure_table_fini(table);
    return status;
}

/* "131,126,90" as counts; returns how many, 0 with a message. */
static size_t counts_read(const struct cli *cli, const char *text,
                          uint32_t counts[MEASURE_PERIODS_MAX])
{
    size_t count = 0;
    while (*text != '\0' && count < MEASURE_PERIODS_MAX) {
        char *end = NULL;
        unsigned long number = strtoul(text, &end, 10);
        if (end == text || *text == '-' || *text == '+' || number > UINT32_MAX ||
            (*end != ',' && *end != '\0') || (*end == ',' && end[1] == '\0')) {
            cli_say(cli,
                    "--lost: whole numbers with commas between are wanted, such as 131,126,90; "
                    "not '%.20s'",
                    text);
            return 0;
        }
        counts[count++] = (uint32_t)number;
        text = *end == ',' ? end + 1 : end;
    }
    if (*text != '\0') {
        cli_say(cli, "--lost: more than %d periods", MEASURE_PERIODS_MAX);
        return 0;
    }
    if (count == 0) {
        cli_say(cli, "--lost COUNTS is needed: customers lost in period 1, 2, …");
    }
    return count;
}

int measure_run_clv_sbg(const struct measure_call *call)
{
    uint32_t lost[MEASURE_PERIODS_MAX];
    unsigned customers = 0;
    unsigned told = 0;
    double discount = 0;
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    size_t periods = counts_read(call->cli, measure_text(call, "lost"), lost);
    if (periods == 0 || !measure_count(call, "of", &customers) ||
        !measure_count(call, "periods", &told) || !measure_number(call, "discount", &discount)) {
        return EX_USAGE;
    }
    bool good =
        measure_clv_contract_table(lost, periods, customers, discount, told, &table, &fault);
    return table_end(call, &table, good, &fault);
}

enum { ACCOUNT, AT, AMOUNT, PICKS };

struct purchases {
    struct measure_pick picks[PICKS];
    struct text_count accounts;
    struct measure_purchase *items;
    size_t count;
    size_t capacity;
    const char *currency; /* by --rule currency=JPY */
};

static bool on_purchase(void *context, const struct csv_row *row, size_t *column,
                        struct proto_fault *fault)
{
    struct purchases *all = context;
    struct measure_purchase purchase = {.minor = 0};
    bool told = false;
    *column = all->picks[AT].column;
    if (!measure_cell_day(&all->picks[AT], row, &purchase.at_ms, &told, fault)) {
        return false;
    }
    if (!told) {
        return proto_fault_set(fault, PROTO_MISSING_FIELD, "", "the day is missing");
    }
    *column = all->picks[AMOUNT].column;
    if (!measure_cell_money(&all->picks[AMOUNT], row, all->currency, &purchase.minor, &told,
                            fault)) {
        return false;
    }
    *column = all->picks[ACCOUNT].column;
    if (!measure_account_number(&all->accounts, measure_cell_text(&all->picks[ACCOUNT], row),
                                row->line, &purchase.account, fault)) {
        return false;
    }
    if (all->count == all->capacity) {
        size_t capacity = all->capacity * 2 + 1024;
        struct measure_purchase *grown = realloc(all->items, capacity * sizeof *grown);
        if (grown == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu purchases",
                                   capacity);
        }
        all->items = grown;
        all->capacity = capacity;
    }
    all->items[all->count++] = purchase;
    return true;
}

static int purchases_read(const struct cli *cli, struct purchases *all)
{
    const char *path = cli_text_named(cli, "purchases");
    int status = EX_OK;
    if (path == NULL) {
        return cli_fail(cli, EX_USAGE, "--purchases FILE.csv is needed");
    }
    struct csv_input *file = csv_told_open(cli, path, &status);
    if (file == NULL) {
        return status;
    }
    status = measure_picks_open(cli, file, all->picks, PICKS);
    if (status == EX_OK) {
        struct measure_walk walk = {.cli = cli, .file = file};
        status = measure_rows_walk(&walk, on_purchase, all);
    }
    csv_close(file);
    return status;
}

/* Milliseconds of a unit's word; 0 if it is none. */
static int64_t unit_ms(const char *word)
{
    if (strcmp(word, "day") == 0) {
        return MEASURE_DAY_MS;
    }
    if (strcmp(word, "week") == 0) {
        return 7 * MEASURE_DAY_MS;
    }
    return strcmp(word, "month") == 0 ? MEASURE_MONTH_MS : 0;
}

static int purchases_measure(const struct measure_call *call, struct purchases *all, int64_t to_ms,
                             int64_t unit, const struct measure_purchase_options *options)
{
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    size_t count = 0;
    const struct measure_watch watch = {to_ms, unit, measure_money_units(all->currency)};
    struct measure_buyer *buyers =
        measure_buyers_make(all->items, all->count, &watch, &count, &fault);
    if (buyers == NULL) {
        return cli_fault(call->cli, &fault);
    }
    cli_say(call->cli, "%zu purchases of %zu customers", all->count, count);
    bool good = measure_clv_purchases_table(buyers, count, options, &table, &fault);
    free(buyers);
    return table_end(call, &table, good, &fault);
}

int measure_run_clv_purchases(const struct measure_call *call)
{
    struct purchases all = {
        .currency = call->rules.base,
        .picks = {
            [ACCOUNT] = {.option = "account", .kind = CELL_TEXT, .needed = true},
            [AT] = {.option = "at", .kind = CELL_DAY, .needed = true},
            [AMOUNT] = {.option = "amount", .kind = CELL_MONEY},
        }};
    struct measure_purchase_options options = {.horizon = 0};
    int64_t to_ms = 0;
    int64_t unit = unit_ms(measure_text(call, "unit"));
    if (unit == 0) {
        return cli_fail(call->cli, EX_USAGE, "--unit is day, week or month, not '%s'",
                        measure_text(call, "unit"));
    }
    if (!measure_option_day(call->cli, "to", true, &to_ms) ||
        !measure_count(call, "horizon", &options.horizon) ||
        !measure_number(call, "discount", &options.discount) ||
        !measure_number(call, "margin", &options.margin)) {
        return EX_USAGE;
    }
    text_count_init(&all.accounts, MEASURE_ACCOUNTS_MAX);
    int status = purchases_read(call->cli, &all);
    if (status == EX_OK) {
        status = purchases_measure(call, &all, to_ms, unit, &options);
    }
    text_count_fini(&all.accounts);
    free(all.items);
    return status;
}
