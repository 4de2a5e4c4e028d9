/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/rpc_table.h"

static void cell_write(struct proto_writer *out, const struct measure_cell *cell)
{
    switch (cell->kind) {
    case MEASURE_KIND_COUNT:
    case MEASURE_KIND_MONEY:
    case MEASURE_KIND_TIME:
        proto_write_int(out, cell->whole);
        break;
    case MEASURE_KIND_NUMBER:
        proto_write_f64(out, cell->number);
        break;
    case MEASURE_KIND_TEXT:
        proto_write_text(out, cell->text);
        break;
    case MEASURE_ABSENT:
        proto_write_nil(out);
        break;
    }
}

void rpc_table_rows(struct proto_writer *out, const struct measure_table *table)
{
    proto_write_array(out, measure_table_rows(table));
    for (size_t i = 0; i < table->count; i++) {
        if (i % table->columns == 0) {
            proto_write_array(out, table->columns);
        }
        cell_write(out, &table->cells[i]);
    }
}
