/* SPDX-License-Identifier: Apache-2.0 */
/* The file is looked through once, so that a column decides how its days and numbers are written;
 * then each cell is read by its kind. What is no day, amount, flag or term is told with what would
 * be. */
#include "tools/cli/measure_cells.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include "server/event/event_money.h"
#include "server/feature/span_text.h"
#include "server/measure/spell.h"
#include "tools/cli/csv/key_column.h"

struct pick_votes {
    struct csv_votes numbers;
    struct csv_date_votes days;
};

static int picks_find(const struct cli *cli, const struct csv_input *input,
                      struct measure_pick *picks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *name = cli_text_named(cli, picks[i].option);
        picks[i].column = name != NULL ? csv_column_find(input, name) : SIZE_MAX;
        struct proto_fault fault = {.code = PROTO_OK};
        if (name != NULL && picks[i].column == SIZE_MAX) {
            (void)csv_column_absent(input, picks[i].option, name, &fault);
            return cli_fault(cli, &fault);
        }
        if (name == NULL && picks[i].needed) {
            return cli_fail(cli, EX_USAGE, "--%s COLUMN is needed: a column of %s", picks[i].option,
                            csv_name(input));
        }
    }
    return EX_OK;
}

static void votes_take(const struct measure_pick *picks, size_t count, const struct csv_row *row,
                       struct pick_votes *votes)
{
    for (size_t i = 0; i < count && !row->bad; i++) {
        struct proto_span cell = measure_cell_text(&picks[i], row);
        if (cell.bytes > 0 && picks[i].kind == CELL_DAY) {
            (void)csv_date_vote(&votes[i].days, cell, 1, row->line);
        } else if (cell.bytes > 0 && picks[i].kind == CELL_MONEY) {
            (void)csv_form_vote(&votes[i].numbers, cell, 1, row->line);
        }
    }
}

static void forms_decide(const struct csv_input *input, struct measure_pick *picks, size_t count,
                         const struct pick_votes *votes)
{
    struct pick_votes file = {0};
    enum csv_decimal decimal = csv_decimal_told(input);
    enum csv_day_order dates = csv_dates_told(input);
    for (size_t i = 0; i < count; i++) {
        csv_form_join(&file.numbers, &votes[i].numbers);
        csv_date_join(&file.days, &votes[i].days);
    }
    for (size_t i = 0; i < count; i++) {
        picks[i].decimal =
            decimal != CSV_DECIMAL_ANY
                ? decimal
                : csv_form_decide(&votes[i].numbers, &file.numbers, csv_separator(input));
        picks[i].dates =
            dates != CSV_DAY_OPEN ? dates : csv_date_decide(&votes[i].days, &file.days);
    }
}

int measure_picks_open(const struct cli *cli, struct csv_input *input, struct measure_pick *picks,
                       size_t count)
{
    int status = picks_find(cli, input, picks, count);
    return status == EX_OK ? measure_forms_find(cli, input, picks, count) : status;
}

int measure_forms_find(const struct cli *cli, struct csv_input *input, struct measure_pick *picks,
                       size_t count)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    struct pick_votes *votes = calloc(count, sizeof *votes);
    if (votes == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    while (csv_next(input, &row, &fault)) {
        votes_take(picks, count, &row, votes);
    }
    csv_rewind(input);
    forms_decide(input, picks, count, votes);
    free(votes);
    return fault.code == PROTO_OK ? EX_OK : cli_fault(cli, &fault);
}

struct proto_span measure_cell_text(const struct measure_pick *pick, const struct csv_row *row)
{
    if (pick->column == SIZE_MAX || pick->column >= row->cell_count) {
        return (struct proto_span){NULL, 0};
    }
    return feature_text_trim(row->cells[pick->column]);
}

static bool cell_refuse(struct proto_span cell, const char *what, struct proto_fault *fault)
{
    char shown[FEATURE_SHOWN_BYTES];
    return proto_fault_set(fault, PROTO_BAD_FIELD, "", "'%s' is no %s",
                           feature_text_show(cell, shown, sizeof shown), what);
}

bool measure_cell_day(const struct measure_pick *pick, const struct csv_row *row, int64_t *ms,
                      bool *told, struct proto_fault *fault)
{
    char shown[FEATURE_SHOWN_BYTES];
    struct proto_span cell = measure_cell_text(pick, row);
    *told = cell.bytes > 0;
    switch (*told ? csv_date_read(pick->dates, cell, ms) : CSV_DATE_READ) {
    case CSV_DATE_READ:
        return true;
    case CSV_DATE_EITHER:
        return proto_fault_set(fault, PROTO_BAD_FIELD, "",
                               "'%s' could be two dates, and nothing in the file says which; "
                               "--dates dmy or mdy does",
                               feature_text_show(cell, shown, sizeof shown));
    case CSV_DATE_NONE:
        break;
    }
    return cell_refuse(cell, "date; 2024-05-01 is one", fault);
}

/* A dollar, a blank, or a part of a euro or a pound in UTF-8. */
static bool is_money_sign(uint8_t byte)
{
    return byte == '$' || byte == ' ' || byte >= 0x80;
}

/* Signs of money and groups of thousands fall out; what is left must be a decimal number. */
static bool decimal_read(enum csv_decimal decimal, struct proto_span cell, unsigned places,
                         int64_t most, int64_t *number)
{
    uint8_t plain[64];
    uint8_t digits[64];
    size_t count = 0;
    if (cell.bytes > sizeof plain) {
        return false;
    }
    struct proto_span text = csv_form_plain(decimal, cell, plain);
    while (text.bytes > 0 && is_money_sign(text.data[0])) {
        text = (struct proto_span){text.data + 1, text.bytes - 1};
    }
    while (text.bytes > 0 && is_money_sign(text.data[text.bytes - 1])) {
        text.bytes--;
    }
    for (size_t i = 0; i < text.bytes; i++) {
        bool group = text.data[i] == ',' && i > 0 && i + 3 < text.bytes;
        if (!group) {
            digits[count++] = text.data[i];
        }
    }
    return measure_decimal((struct proto_span){digits, count}, places, most, number);
}

bool measure_cell_money(const struct measure_pick *pick, const struct csv_row *row,
                        const char *currency, int64_t *minor, bool *told, struct proto_fault *fault)
{
    struct proto_span cell = measure_cell_text(pick, row);
    unsigned digits = event_money_digits(proto_span_text(currency));
    char wanted[80];
    *told = cell.bytes > 0;
    if (!*told || decimal_read(pick->decimal, cell, digits, MEASURE_AMOUNT_MAX, minor)) {
        return true;
    }
    (void)snprintf(wanted, sizeof wanted, "amount%s%s with %u digits behind the point at most",
                   currency[0] != '\0' ? " of " : "", currency, digits);
    return cell_refuse(
        cell, digits == 2 ? "amount with two digits behind the point at most" : wanted, fault);
}

bool measure_cell_decimal(const struct measure_pick *pick, const struct csv_row *row,
                          unsigned places, int64_t most, int64_t *number, bool *told,
                          struct proto_fault *fault)
{
    char what[96];
    struct proto_span cell = measure_cell_text(pick, row);
    int64_t whole = most;
    *told = cell.bytes > 0;
    for (unsigned i = 0; i < places; i++) {
        whole /= 10;
    }
    if (places == 0) {
        (void)snprintf(what, sizeof what, "whole number up to %" PRId64, whole);
    } else {
        (void)snprintf(what, sizeof what,
                       "number up to %" PRId64 " with %u digits behind the point", whole, places);
    }
    return !*told || decimal_read(pick->decimal, cell, places, most, number) ||
           cell_refuse(cell, what, fault);
}

bool measure_cell_flag(const struct measure_pick *pick, const struct csv_row *row, bool *flag,
                       struct proto_fault *fault)
{
    static const char *const yes[] = {"true", "yes", "1", "t", "y", "ja", "wahr"};
    static const char *const no[] = {"false", "no", "0", "f", "n", "nein", "falsch"};
    struct proto_span cell = measure_cell_text(pick, row);
    for (size_t i = 0; i < sizeof yes / sizeof *yes && cell.bytes > 0; i++) {
        bool is_yes = feature_text_same(cell, proto_span_text(yes[i]));
        if (is_yes || feature_text_same(cell, proto_span_text(no[i]))) {
            *flag = is_yes;
            return true;
        }
    }
    return cell.bytes == 0 || cell_refuse(cell, "flag; true, false, yes, no, 1 and 0 are", fault);
}

static const struct {
    const char *word;
    uint32_t months;
} terms[] = {{"month", 1},     {"monthly", 1},    {"quarter", 3},   {"quarterly", 3},
             {"half-year", 6}, {"semiannual", 6}, {"year", 12},     {"yearly", 12},
             {"annual", 12},   {"annually", 12},  {"biennial", 24}, {"triennial", 36}};

bool measure_cell_term(const struct measure_pick *pick, const struct csv_row *row, uint32_t *months,
                       struct proto_fault *fault)
{
    struct proto_span cell = measure_cell_text(pick, row);
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
        if (feature_text_same(cell, proto_span_text(terms[i].word))) {
            *months = terms[i].months;
            return true;
        }
    }
    if (cell.bytes == 0 && pick->column == SIZE_MAX) {
        return true;
    }
    uint32_t number = 0;
    size_t at = 0;
    for (; at < cell.bytes && at < 4 && isdigit(cell.data[at]); at++) {
        number = number * 10 + (uint32_t)(cell.data[at] - '0');
    }
    struct proto_span unit = {0};
    if (at < cell.bytes) {
        unit = feature_text_trim((struct proto_span){cell.data + at, cell.bytes - at});
    }
    bool years = proto_span_is(unit, "year") || proto_span_is(unit, "years");
    bool plain = unit.bytes == 0 || proto_span_is(unit, "month") || proto_span_is(unit, "months");
    if (at > 0 && (years || plain)) {
        *months = years ? 12 * number : number;
        return true;
    }
    return cell_refuse(cell, "term; monthly, quarterly, annual, 24 or '3 years' are", fault);
}

const char *measure_cell_told(struct csv_input *input, const struct csv_row *row, size_t column,
                              const char *message, char *out, size_t bytes)
{
    if (column == SIZE_MAX || column >= row->cell_count) {
        snprintf(out, bytes, "%s, line %zu: %s", csv_name(input), row->line, message);
        return out;
    }
    size_t line = 0;
    size_t character = 0;
    csv_cell_place(input, row, column, &line, &character);
    snprintf(out, bytes, "%s, line %zu, column %zu (%s): %s", csv_name(input), line, character,
             csv_column(input, column), message);
    return out;
}

bool measure_option_day(const struct cli *cli, const char *option, bool needed, int64_t *ms)
{
    const char *text = cli_text_named(cli, option);
    bool whole_day = false;
    if (text == NULL) {
        if (needed) {
            cli_say(cli, "--%s DAY is needed, such as --%s 2024-10-01", option, option);
        }
        return !needed;
    }
    if (feature_date_read(proto_span_text(text), ms, &whole_day)) {
        return true;
    }
    cli_say(cli, "--%s: '%s' is no date; 2024-10-01 is one", option, text);
    return false;
}
