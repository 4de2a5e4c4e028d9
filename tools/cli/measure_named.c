/* SPDX-License-Identifier: Apache-2.0 */
/* Rows and options of measures over files. A file that cannot be opened and a row that cannot be
 * read end it. */
#include "tools/cli/measure_named.h"

#include "tools/cli/csv_told.h"

bool measure_named_number(struct text_count *texts, struct proto_span text, size_t line,
                          uint32_t *number, struct proto_fault *fault)
{
    const struct text_entry *entry = NULL;
    if (!text_count_add(texts, text.bytes > 0 ? text : proto_span_text("(none)"), line, &entry)) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for names");
    }
    if (entry == NULL) {
        return proto_fault_set(fault, PROTO_LIMIT, "", "more than %zu values", texts->most);
    }
    *number = (uint32_t)(entry - texts->entries);
    return true;
}

int measure_file_walk(const struct measure_call *call, struct measure_pick *picks, size_t count,
                      measure_on_row on_row, void *context)
{
    int status = EX_OK;
    struct csv_input *file = csv_told_open(call->cli, cli_text_named(call->cli, "rows"), &status);
    if (file == NULL) {
        return status;
    }
    status = measure_picks_open(call->cli, file, picks, count);
    if (status == EX_OK) {
        struct measure_walk walk = {.cli = call->cli, .file = file};
        status = measure_rows_walk(&walk, on_row, context);
    }
    csv_close(file);
    return status;
}

int measure_served_check(const struct measure_call *call, const char *const *served, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (cli_text_named(call->cli, served[i]) != NULL) {
            return cli_fail(call->cli, EX_USAGE,
                            "--%s is for what the server measures; rows are counted as they are",
                            served[i]);
        }
    }
    return EX_OK;
}
