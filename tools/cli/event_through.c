/* SPDX-License-Identifier: Apache-2.0 */
/* The other file is read once. A name that stands twice must be of the same account; one that is of
 * two ends the import, for whatever is told of it would go to either. */
#include "tools/cli/event_through.h"

#include <stdlib.h>

#include "server/feature/span_text.h"
#include "tools/cli/csv/csv_input.h"
#include "tools/cli/csv/key_column.h"
#include "tools/cli/csv_told.h"

struct through_columns {
    size_t name;
    size_t account;
};

static bool account_keep(struct event_through *through, size_t name, size_t account)
{
    if (name >= through->room) {
        size_t room = name * 2 + 1024;
        size_t *grown = realloc(through->account_of, room * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        through->account_of = grown;
        through->room = room;
    }
    through->account_of[name] = account;
    return true;
}

static int row_take(struct event_through *through, const struct cli *cli,
                    const struct csv_input *input, const struct csv_row *row,
                    struct through_columns columns)
{
    struct proto_span name = feature_text_trim(row->cells[columns.name]);
    struct proto_span account = feature_text_trim(row->cells[columns.account]);
    const struct text_entry *a = NULL;
    const struct text_entry *b = NULL;
    if (name.bytes == 0 || account.bytes == 0) {
        return EX_OK;
    }
    if (!text_count_add(&through->accounts, account, row->line, &b) ||
        !text_count_add(&through->names, name, row->line, &a)) {
        return cli_fail(cli, EX_OSERR, "no memory for line %zu of %s", row->line, csv_name(input));
    }
    size_t place = (size_t)(a - through->names.entries);
    size_t whose = (size_t)(b - through->accounts.entries);
    if (a->count > 1 && through->account_of[place] != whose) {
        char shown[FEATURE_SHOWN_BYTES];
        return cli_fail(cli, EX_DATAERR,
                        "%s, line %zu: '%s' is of another account on line %zu; whose events are "
                        "cannot be known",
                        csv_name(input), row->line, feature_text_show(name, shown, sizeof shown),
                        a->line);
    }
    return account_keep(through, place, whose)
               ? EX_OK
               : cli_fail(cli, EX_OSERR, "no memory for line %zu of %s", row->line,
                          csv_name(input));
}

static int file_read(struct event_through *through, const struct cli *cli, struct csv_input *input,
                     const char *name, const char *account)
{
    struct through_columns columns = {csv_column_find(input, name),
                                      csv_column_find(input, account)};
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    size_t bad = 0;
    if (columns.name == SIZE_MAX || columns.account == SIZE_MAX) {
        (void)csv_column_absent(input, "through", columns.name == SIZE_MAX ? name : account,
                                &fault);
        return cli_fault(cli, &fault);
    }
    int status = EX_OK;
    while (status == EX_OK && csv_next(input, &row, &fault)) {
        bad += row.bad;
        status = row.bad ? EX_OK : row_take(through, cli, input, &row, columns);
    }
    if (bad > 0) {
        cli_say(cli, "%zu rows of %s cannot be read and are passed over", bad, csv_name(input));
    }
    return status == EX_OK && fault.code != PROTO_OK ? cli_fault(cli, &fault) : status;
}

int event_through_open(struct event_through *through, const struct cli *cli, const char *told)
{
    struct proto_fault fault = {.code = PROTO_OK};
    char *name = NULL;
    char *account = NULL;
    *through = (struct event_through){.room = 0};
    text_count_init(&through->names, UINT32_MAX);
    text_count_init(&through->accounts, UINT32_MAX);
    char *copy = strdup(told);
    if (copy == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    int status = EX_OK;
    if (!csv_told_split(copy, &name, &account)) {
        status = cli_fail(cli, EX_USAGE,
                          "--through: '%s' is not FILE.csv:NAME=ACCOUNT, such as "
                          "subscriptions.csv:subscription_id=account_id",
                          told);
    }
    struct csv_input *input = status == EX_OK ? csv_open(copy, NULL, &fault) : NULL;
    if (status == EX_OK && input == NULL) {
        status = cli_file_fault(cli, &fault);
    }
    if (status == EX_OK) {
        snprintf(through->name, sizeof through->name, "%s", name);
        status = file_read(through, cli, input, name, account);
    }
    csv_close(input);
    free(copy);
    return status;
}

void event_through_close(struct event_through *through)
{
    text_count_fini(&through->names);
    text_count_fini(&through->accounts);
    free(through->account_of);
    *through = (struct event_through){.room = 0};
}

bool event_through_find(const struct event_through *through, struct proto_span name,
                        struct proto_span *account)
{
    const struct text_entry *entry = text_count_find(&through->names, name);
    if (entry == NULL) {
        return false;
    }
    size_t place = (size_t)(entry - through->names.entries);
    *account = through->accounts.entries[through->account_of[place]].text;
    return true;
}
