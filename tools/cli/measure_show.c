/* SPDX-License-Identifier: Apache-2.0 */
/* Cells become texts by the kind of their column. Memory can run out. */
#include "tools/cli/measure_show.h"

#include <math.h>
#include <stdlib.h>

#include "server/event/event_money.h"
#include "server/feature/date_text.h"
#include "server/feature/span_text.h"

static void cell_add(struct out_table *out, const struct measure_cell *cell, bool exact,
                     unsigned digits)
{
    char money[EVENT_DECIMAL_BYTES];
    char text[FEATURE_DATE_TEXT_BYTES];
    switch (cell->kind) {
    case MEASURE_KIND_COUNT:
        out_cell_number(out, "%lld", (long long)cell->whole);
        break;
    case MEASURE_KIND_MONEY:
        out_cell_number(out, "%s", event_decimal_print(cell->whole, digits, false, money));
        break;
    case MEASURE_KIND_TIME:
        (void)feature_date_print(cell->whole, text);
        out_cell_text(out, "%s", text);
        break;
    case MEASURE_KIND_NUMBER:
        if (!isfinite(cell->number)) {
            out_cell_text(out, "%s", cell->number > 0 ? "infinite" : "-infinite");
            break;
        }
        out_cell_number(out,
                        exact                        ? "%.15g"
                        : fabs(cell->number) < 10000 ? "%.4f"
                                                     : "%.2f",
                        cell->number);
        break;
    case MEASURE_KIND_TEXT:
        out_cell_text(out, "%s", cell->text);
        break;
    case MEASURE_ABSENT:
        out_cell_number(out, "%s", ""); /* in JSON null */
        break;
    }
}

void measure_cell_show(struct out_table *out, const struct measure_cell *cell)
{
    char text[FEATURE_DATE_TEXT_BYTES];
    if (cell->kind == MEASURE_KIND_TIME) {
        (void)feature_date_print(cell->whole, text);
        out_cell_text(out, "%.10s", text); /* the day is enough for people */
    } else {
        cell_add(out, cell, false, 2);
    }
}

int measure_show(const struct cli *cli, const struct measure_table *table, const char *currency)
{
    unsigned digits = event_money_digits(proto_span_text(currency));
    const char *headers[32];
    size_t count = 0;
    struct out_table out;
    const struct measure_column *columns = measure_columns(table->id, &count);
    for (size_t i = 0; i < count && i < 32; i++) {
        headers[i] = columns[i].name;
    }
    out_table_init(&out, headers, count);
    for (size_t i = 0; i < table->count; i++) {
        cell_add(&out, &table->cells[i], cli->style.form != OUT_TABLE, digits);
    }
    int status = cli_table(cli, &out);
    out_table_fini(&out);
    return status;
}
