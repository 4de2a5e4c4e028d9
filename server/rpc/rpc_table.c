/* SPDX-License-Identifier: Apache-2.0 */
/* A parameter is a text or a number; anything else is refused by its name. */
#include "server/rpc/rpc_table.h"

#include "server/feature/span_text.h"
#include "server/rpc/rpc_member.h"

/* Parameters in the arena. */
bool rpc_parameters_read(struct rpc_call *call, int index, struct lifecycle_request *request,
                         struct proto_fault *fault)
{
    const struct proto_arg *arg = &call->args[index];
    struct proto_fault local = {.code = PROTO_OK};
    struct proto_reader reader;
    if (!arg->present) {
        return true;
    }
    proto_reader_init(&reader, arg->value, &local);
    size_t count = proto_read_map(&reader);
    struct lifecycle_parameter *read =
        base_arena_array(&call->worker->arena, count + 1, sizeof *read);
    if (read == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "parameters", "no memory for parameters");
    }
    for (size_t i = 0; i < count && local.code == PROTO_OK; i++) {
        read[i].name = proto_read_key(&reader);
        enum proto_kind kind = proto_reader_peek(&reader);
        read[i].is_number = kind != PROTO_KIND_STR;
        if (read[i].is_number) {
            read[i].number = proto_read_number(&reader);
        } else {
            read[i].text = proto_read_str(&reader);
        }
        if (local.code != PROTO_OK) {
            char shown[FEATURE_SHOWN_BYTES];
            (void)proto_fault_within(&local, "parameters.%s",
                                     feature_text_show(read[i].name, shown, sizeof shown));
        }
    }
    request->parameters = read;
    request->parameter_count = count;
    if (local.code != PROTO_OK) {
        *fault = local;
    }
    return local.code == PROTO_OK;
}

void rpc_table_columns(struct proto_writer *out, enum measure_id id)
{
    size_t count = 0;
    const struct measure_column *c = measure_columns(id, &count);
    proto_write_array(out, count);
    for (size_t i = 0; i < count; i++) {
        proto_write_map(out, 3);
        rpc_member_text(out, RPC_MEMBER(MEASURE_COLUMN, NAME), c[i].name);
        rpc_member_text(out, RPC_MEMBER(MEASURE_COLUMN, KIND), measure_kind_name(c[i].kind));
        rpc_member_text(out, RPC_MEMBER(MEASURE_COLUMN, HELP), c[i].help);
    }
}

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
