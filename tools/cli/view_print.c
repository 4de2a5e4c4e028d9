/* SPDX-License-Identifier: Apache-2.0 */
/* Each view has a list of what stands in its cells, by the names of measure.def. Memory can run
 * out.
 */
#include "tools/cli/view_print.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "server/event/event_money.h"
#include "server/feature/date_text.h"

enum form {
    FORM_PLAIN,   /* as it is */
    FORM_NUMBER,  /* one digit behind the point */
    FORM_DAY,     /* of a time */
    FORM_RATE,    /* "18 % (12 to 25), n 143", or what is missing */
    FORM_SCORED,  /* "high 12.3" */
    FORM_ALIKE,   /* "acme, 83 % alike" */
    FORM_PERCENT, /* "18 %" */
    FORM_FIGURE,  /* of finance: money, share or number, by the figure */
    FORM_ENDS     /* its interval */
};

enum { PARTS = 5, COLUMNS_MAX = 16 };

struct shown {
    const char *header;
    enum form form;
    const char *parts[PARTS]; /* names of columns */
    bool spare;               /* left out where no row has it */
};

static const struct shown grid[] = {
    {"grade", FORM_PLAIN, .parts = {"grade"}},
    {"engagement", FORM_PLAIN, .parts = {"band"}},
    {"accounts", FORM_PLAIN, .parts = {"accounts"}},
    {"customers", FORM_PLAIN, .parts = {"customers"}},
    {"won, of cases that began there", FORM_RATE, .parts = {"rate", "low", "high", "n", "verdict"}},
    {NULL, FORM_PLAIN, .parts = {NULL}}};

static const struct shown sales[] = {
    {"#", FORM_PLAIN, .parts = {"rank"}},
    {"account", FORM_PLAIN, .parts = {"account"}},
    {"name", FORM_PLAIN, .parts = {"name"}},
    {"grade", FORM_PLAIN, .parts = {"grade"}},
    {"fit", FORM_NUMBER, .parts = {"fit"}},
    {"engagement", FORM_SCORED, .parts = {"band", "engagement"}},
    {"last", FORM_DAY, .parts = {"last"}},
    {"open", FORM_PLAIN, .parts = {"open"}},
    {"stage", FORM_PLAIN, {"stage"}, .spare = true},
    {"wins from it", FORM_PERCENT, {"win"}, .spare = true},
    {"won, of all in the stage",
     FORM_RATE,
     {"stage_rate", "stage_low", "stage_high", "stage_n", NULL},
     .spare = true},
    {"won, of such cases", FORM_RATE, .parts = {"rate", "low", "high", "n", "verdict"}},
    {"reasons", FORM_PLAIN, .parts = {"reasons"}},
    {"reference", FORM_ALIKE, .parts = {"reference", "alike"}},
    {NULL, FORM_PLAIN, .parts = {NULL}}};

static const struct shown marketing[] = {
    {"of", FORM_PLAIN, .parts = {"of"}},
    {"name", FORM_PLAIN, .parts = {"name"}},
    {"grade A or B", FORM_RATE,
     .parts = {"fitting", "fitting_low", "fitting_high", "members", NULL}},
    {"engaged", FORM_PERCENT, .parts = {"engaged"}},
    {"won, of mature cases", FORM_RATE, .parts = {"rate", "low", "high", "n", "verdict"}},
    {"spend", FORM_PLAIN, .parts = {"spend"}},
    {"filter", FORM_PLAIN, .parts = {"filter"}},
    {NULL, FORM_PLAIN, .parts = {NULL}}};

static const struct shown success[] = {
    {"account", FORM_PLAIN, .parts = {"account"}},
    {"name", FORM_PLAIN, .parts = {"name"}},
    {"grade", FORM_PLAIN, .parts = {"grade"}},
    {"engagement", FORM_SCORED, .parts = {"band", "engagement"}},
    {"mrr", FORM_PLAIN, .parts = {"mrr"}},
    {"renewal", FORM_DAY, .parts = {"renewal"}},
    {"stage", FORM_PLAIN, .parts = {"stage"}},
    {"lost, of such customers", FORM_RATE, .parts = {"risk", "low", "high", "n", NULL}},
    {"grew, of such", FORM_RATE, .parts = {"grows", "grows_low", "grows_high", "n", NULL}},
    {"by", FORM_PLAIN, .parts = {"growth"}},
    {"expected", FORM_PLAIN, .parts = {"expected"}},
    {"advice", FORM_PLAIN, .parts = {"advice"}},
    {NULL, FORM_PLAIN, .parts = {NULL}}};

static const struct shown product[] = {{"#", FORM_PLAIN, .parts = {"rank"}},
                                       {"request", FORM_PLAIN, .parts = {"request"}},
                                       {"kind", FORM_PLAIN, .parts = {"kind"}},
                                       {"asked", FORM_PLAIN, .parts = {"requests"}},
                                       {"open", FORM_PLAIN, .parts = {"open"}},
                                       {"accounts", FORM_PLAIN, .parts = {"n"}},
                                       {"A or B", FORM_PLAIN, .parts = {"fitting"}},
                                       {"arr", FORM_PLAIN, .parts = {"arr"}},
                                       {"weighed by fit", FORM_PLAIN, .parts = {"weighed"}},
                                       {"loudest", FORM_PLAIN, .parts = {"loudest"}},
                                       {"its share", FORM_PERCENT, .parts = {"share"}},
                                       {"flag", FORM_PLAIN, .parts = {"lighthouse"}},
                                       {"# by arr", FORM_PLAIN, .parts = {"plain"}},
                                       {NULL, FORM_PLAIN, .parts = {NULL}}};

static const struct shown finance[] = {
    {"figure", FORM_PLAIN, .parts = {"figure"}},
    {"of", FORM_PLAIN, .parts = {"of"}},
    {"value", FORM_FIGURE, .parts = {"value", "figure", "verdict"}},
    {"95 %", FORM_ENDS, .parts = {"low", "high", "figure"}},
    {"n", FORM_PLAIN, .parts = {"n"}},
    {NULL, FORM_PLAIN, .parts = {NULL}}};

static const struct shown *shown_of(enum measure_id id)
{
    switch (id) {
    case MEASURE_ID_GRID:
        return grid;
    case MEASURE_ID_SALES:
        return sales;
    case MEASURE_ID_MARKETING:
        return marketing;
    case MEASURE_ID_SUCCESS:
        return success;
    case MEASURE_ID_PRODUCT:
        return product;
    default:
        return finance;
    }
}

struct printing {
    const struct measure_table *table;
    struct out_table out;
    unsigned digits; /* of the currency */
    double unit;
};

static const struct measure_cell *part(const struct printing *printing, size_t row,
                                       const struct shown *shown, int which)
{
    return measure_cell_find(printing->table, row, shown->parts[which]);
}

/* "" for a cell that has none. */
static const char *text_of(const struct measure_cell *cell)
{
    return cell->kind == MEASURE_KIND_TEXT ? cell->text : "";
}

static void plain_add(struct printing *printing, const struct measure_cell *cell)
{
    char money[EVENT_DECIMAL_BYTES];
    switch (cell->kind) {
    case MEASURE_KIND_COUNT:
        out_cell_number(&printing->out, "%lld", (long long)cell->whole);
        break;
    case MEASURE_KIND_MONEY:
        out_cell_number(&printing->out, "%s",
                        event_decimal_print(cell->whole, printing->digits, false, money));
        break;
    case MEASURE_KIND_TEXT:
        out_cell_text(&printing->out, "%s", cell->text);
        break;
    default:
        out_cell_text(&printing->out, "%s", "");
    }
}

static void rate_add(struct printing *printing, size_t row, const struct shown *shown)
{
    const struct measure_cell *rate = part(printing, row, shown, 0);
    if (rate->kind == MEASURE_ABSENT) {
        out_cell_text(&printing->out, "%s",
                      shown->parts[4] != NULL ? text_of(part(printing, row, shown, 4)) : "");
        return;
    }
    out_cell_text(&printing->out, "%.0f %% (%.0f to %.0f), n %lld", 100 * rate->number,
                  100 * part(printing, row, shown, 1)->number,
                  100 * part(printing, row, shown, 2)->number,
                  (long long)part(printing, row, shown, 3)->whole);
}

enum unit { UNIT_MONEY, UNIT_SHARE, UNIT_NUMBER };

static enum unit unit_of(const char *figure)
{
    static const char *const money[] = {"arr", "pipeline", "arpa", "cac", "ltv", "ltv simple"};
    static const char *const shares[] = {"arr share", "pipeline share", "lost", "serving"};
    for (size_t i = 0; i < sizeof money / sizeof *money; i++) {
        if (strcmp(figure, money[i]) == 0) {
            return UNIT_MONEY;
        }
    }
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        if (strcmp(figure, shares[i]) == 0) {
            return UNIT_SHARE;
        }
    }
    return UNIT_NUMBER;
}

static const char *figure_text(const struct printing *printing, const char *figure, double value,
                               char *text, size_t bytes)
{
    enum unit unit = unit_of(figure);
    bool whole = strcmp(figure, "customers") == 0;
    if (unit == UNIT_MONEY) {
        (void)snprintf(text, bytes, "%.*f", (int)printing->digits,
                       out_signed(value / printing->unit, (int)printing->digits));
    } else if (unit == UNIT_SHARE) {
        (void)snprintf(text, bytes, "%.1f %%", out_signed(100 * value, 1));
    } else {
        (void)snprintf(text, bytes, "%.*f", whole ? 0 : 2, out_signed(value, whole ? 0 : 2));
    }
    return text;
}

static void figure_add(struct printing *printing, size_t row, const struct shown *shown)
{
    const struct measure_cell *value = part(printing, row, shown, 0);
    char text[64];
    if (value->kind == MEASURE_ABSENT) {
        out_cell_text(&printing->out, "%s", text_of(part(printing, row, shown, 2)));
        return;
    }
    out_cell_text(&printing->out, "%s",
                  figure_text(printing, text_of(part(printing, row, shown, 1)), value->number, text,
                              sizeof text));
}

static void ends_add(struct printing *printing, size_t row, const struct shown *shown)
{
    const struct measure_cell *low = part(printing, row, shown, 0);
    const struct measure_cell *high = part(printing, row, shown, 1);
    const char *figure = text_of(part(printing, row, shown, 2));
    char from[64];
    char to[64];
    if (low->kind == MEASURE_ABSENT) {
        out_cell_text(&printing->out, "%s", "");
        return;
    }
    (void)figure_text(printing, figure, low->number, from, sizeof from);
    if (high->kind == MEASURE_ABSENT) {
        out_cell_text(&printing->out, "from %s", from);
        return;
    }
    out_cell_text(&printing->out, "%s to %s", from,
                  figure_text(printing, figure, high->number, to, sizeof to));
}

static void day_add(struct printing *printing, const struct measure_cell *cell)
{
    char text[FEATURE_DATE_TEXT_BYTES] = "";
    if (cell->kind == MEASURE_KIND_TIME || cell->kind == MEASURE_KIND_COUNT) {
        (void)feature_date_print(cell->whole, text);
    }
    out_cell_text(&printing->out, "%.10s", text);
}

static void cell_add(struct printing *printing, size_t row, const struct shown *shown)
{
    const struct measure_cell *cell = part(printing, row, shown, 0);
    bool told = cell->kind == MEASURE_KIND_NUMBER;
    switch (shown->form) {
    case FORM_PLAIN:
        plain_add(printing, cell);
        break;
    case FORM_NUMBER:
        if (told) {
            out_cell_number(&printing->out, "%.1f", cell->number);
        } else {
            out_cell_text(&printing->out, "%s", "");
        }
        break;
    case FORM_DAY:
        day_add(printing, cell);
        break;
    case FORM_RATE:
        rate_add(printing, row, shown);
        break;
    case FORM_SCORED:
        out_cell_text(&printing->out, "%s %.1f", text_of(cell),
                      part(printing, row, shown, 1)->number);
        break;
    case FORM_ALIKE:
        if (text_of(cell)[0] == '\0') {
            out_cell_text(&printing->out, "%s", "");
        } else {
            out_cell_text(&printing->out, "%s, %.0f %% alike", text_of(cell),
                          100 * part(printing, row, shown, 1)->number);
        }
        break;
    case FORM_PERCENT:
        if (told) {
            out_cell_text(&printing->out, "%.0f %%", 100 * cell->number);
        } else {
            out_cell_text(&printing->out, "%s", "");
        }
        break;
    case FORM_FIGURE:
        figure_add(printing, row, shown);
        break;
    case FORM_ENDS:
        ends_add(printing, row, shown);
        break;
    }
}

static bool left_out(const struct printing *printing, const struct shown *shown)
{
    if (!shown->spare) {
        return false;
    }
    for (size_t row = 0; row < measure_table_rows(printing->table); row++) {
        const struct measure_cell *cell = part(printing, row, shown, 0);
        if (cell->kind == MEASURE_KIND_NUMBER || text_of(cell)[0] != '\0') {
            return false;
        }
    }
    return true;
}

int view_print(const struct cli *cli, const struct measure_table *table, const char *currency)
{
    const struct shown *shown = shown_of(table->id);
    const char *headers[COLUMNS_MAX];
    struct printing printing = {.table = table,
                                .digits = event_money_digits(proto_span_text(currency))};
    const struct shown *columns[COLUMNS_MAX];
    size_t count = 0;
    printing.unit = pow(10, printing.digits);
    for (size_t i = 0; shown[i].header != NULL && count < COLUMNS_MAX; i++) {
        if (!left_out(&printing, &shown[i])) {
            headers[count] = shown[i].header;
            columns[count++] = &shown[i];
        }
    }
    out_table_init(&printing.out, headers, count);
    for (size_t row = 0; row < measure_table_rows(table); row++) {
        for (size_t i = 0; i < count; i++) {
            cell_add(&printing, row, columns[i]);
        }
    }
    int status = cli_table(cli, &printing.out);
    out_table_fini(&printing.out);
    return status;
}
