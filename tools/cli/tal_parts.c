/* SPDX-License-Identifier: Apache-2.0 */
/* Small files by their column names: a part is a line, and what is wrong is told by line and
 * column. */
#include "tools/cli/tal_parts.h"

#include <stdlib.h>
#include <string.h>

#include "tools/cli/csv/csv_input.h"

static char *cell_text(const struct csv_row *row, size_t column)
{
    struct proto_span cell = {0};
    if (column < row->cell_count) {
        cell = row->cells[column];
    }
    return strndup(cell.bytes > 0 ? (const char *)cell.data : "", cell.bytes);
}

static int row_bad(const struct cli *cli, const struct csv_input *input, const struct csv_row *row,
                   const char *message)
{
    return cli_fail(cli, EX_DATAERR, "%s, line %zu: %s", csv_name(input),
                    row->bad ? row->bad_line : row->line, message);
}

static int part_add(const struct cli *cli, const struct csv_input *input, const struct csv_row *row,
                    const size_t columns[3], struct tal_parts *parts)
{
    if (row->bad) {
        return row_bad(cli, input, row, row->message);
    }
    if (parts->count == PROTO_TAL_PARTS_MAX) {
        return cli_fail(cli, EX_DATAERR, "%s: more than %d rows", csv_name(input),
                        PROTO_TAL_PARTS_MAX);
    }
    struct tal_part *part = &parts->parts[parts->count++];
    char *number = cell_text(row, columns[2]);
    part->name = cell_text(row, columns[0]);
    part->filter = cell_text(row, columns[1]);
    if (number == NULL || part->name == NULL || part->filter == NULL) {
        free(number);
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    size_t digits = strspn(number, "0123456789");
    bool good = digits > 0 && digits < 19 && number[digits] == '\0';
    part->limit = good ? strtoull(number, NULL, 10) : 0;
    free(number);
    if (part->name[0] == '\0') {
        return row_bad(cli, input, row, "the name is empty");
    }
    return good ? EX_OK : row_bad(cli, input, row, "a whole number is wanted in the last column");
}

int tal_parts_read(const struct cli *cli, const char *path, const char *limit,
                   struct tal_parts *parts)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    struct csv_input *input = csv_open(path, NULL, &fault);
    int status = EX_OK;
    if (input == NULL) {
        return cli_fault(cli, &fault);
    }
    size_t columns[3] = {csv_column_find(input, "name"), csv_column_find(input, "filter"),
                         csv_column_find(input, limit)};
    if (columns[0] == SIZE_MAX || columns[2] == SIZE_MAX) {
        status = cli_fail(cli, EX_DATAERR, "%s: columns 'name' and '%s' are needed, and 'filter'",
                          path, limit);
    }
    while (status == EX_OK && csv_next(input, &row, &fault)) {
        status = part_add(cli, input, &row, columns, parts);
    }
    if (status == EX_OK && fault.code != PROTO_OK) {
        status = cli_fault(cli, &fault);
    }
    csv_close(input);
    return status;
}

void tal_parts_fini(struct tal_parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        free(parts->parts[i].name);
        free(parts->parts[i].filter);
    }
    parts->count = 0;
}

void tal_parts_write(const struct tal_parts *parts, const char *key, const char *limit,
                     struct icp_payload *payload)
{
    if (parts->count == 0) {
        return;
    }
    icp_payload_list_begin(payload, key);
    for (size_t i = 0; i < parts->count; i++) {
        icp_payload_map_begin(payload, NULL);
        icp_payload_text(payload, "name", parts->parts[i].name);
        icp_payload_text(payload, "filter", parts->parts[i].filter);
        icp_payload_uint(payload, limit, parts->parts[i].limit);
        icp_payload_map_end(payload);
    }
    icp_payload_list_end(payload);
}

/* One column of the file as a list of the request. */
static int column_write(const struct cli *cli, struct csv_input *input, size_t column,
                        const char *key, struct icp_payload *payload)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    int status = EX_OK;
    csv_rewind(input);
    icp_payload_list_begin(payload, key);
    while (status == EX_OK && csv_next(input, &row, &fault)) {
        if (row.bad) {
            status = row_bad(cli, input, &row, row.message);
        } else if (row.cells[column].bytes > 0) {
            struct proto_span cell = row.cells[column];
            icp_payload_text_n(payload, NULL,
                               (struct icp_text){(const char *)cell.data, cell.bytes});
        }
    }
    icp_payload_list_end(payload);
    return status == EX_OK && fault.code != PROTO_OK ? cli_fault(cli, &fault) : status;
}

int tal_exclude_write(const struct cli *cli, const char *path, struct icp_payload *payload)
{
    static const char *const names[][2] = {
        {"id", "exclude_ids"}, {"key", "exclude_keys"}, {"domain", "exclude_domains"}};
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_input *input = csv_open(path, NULL, &fault);
    int status = EX_OK;
    size_t found = 0;
    if (input == NULL) {
        return cli_fault(cli, &fault);
    }
    for (size_t i = 0; status == EX_OK && i < 3; i++) {
        size_t column = csv_column_find(input, names[i][0]);
        if (column != SIZE_MAX) {
            status = column_write(cli, input, column, names[i][1], payload);
            found++;
        }
    }
    if (status == EX_OK && found == 0) {
        status = cli_fail(cli, EX_DATAERR, "%s: a column 'id', 'key' or 'domain' is needed", path);
    }
    csv_close(input);
    return status;
}
