/* SPDX-License-Identifier: Apache-2.0 */
/* One run of icp reconcile: what it was asked, the accounts of the server, and what the rows of the
 * file came to. cmd_reconcile.c fills all but the counts; the rows are held against the accounts by
 * reconcile_rows.c.
 *
 * Ownership: cmd_reconcile.c frees everything. Errors: exit statuses, messages printed. Threads:
 * one. */
#ifndef CLI_RECONCILE_ROWS_H
#define CLI_RECONCILE_ROWS_H

#include "tools/cli/cli.h"
#include "tools/cli/csv/csv_form.h"
#include "tools/cli/csv/key_column.h"
#include "tools/cli/reconcile.h"

enum { RECONCILE_KEYS_AT_ONCE = 500, RECONCILE_TEXT_BYTES = 160 };

struct reconcile_label {
    char field[PROTO_FIELD_NAME_BYTES_MAX + 1];
    size_t column;
};

/* A row whose account is asked for by its key. */
struct reconcile_row {
    size_t line;
    char key[KEY_BYTES];
    char fit[RECONCILE_TEXT_BYTES], grade[RECONCILE_TEXT_BYTES];
    char labels[RECONCILE_LABELS_MAX][RECONCILE_TEXT_BYTES];
};

struct reconcile_run {
    const struct cli *cli;
    struct icp_client *client;
    struct icp_payload *payload;
    struct icp_reply reply;
    struct csv_input *input;
    struct reconcile_side side;
    size_t id, fit, grade; /* columns; SIZE_MAX: none */
    struct key_column key;
    bool by_key;
    enum csv_decimal decimal;
    struct reconcile_label labels[RECONCILE_LABELS_MAX];
    size_t label_count;
    double within;
    uint64_t limit, shown;
    struct reconcile_row *waiting;
    size_t waiting_count;
    struct out_table table;
    uint64_t rows, same, differing, unknown, twice, unread, absent;
};

/* Each row is counted and, if it differs, becomes a line of the table, or several. */
int reconcile_rows_read(struct reconcile_run *run);
/* Accounts of the server that no row is of; after the rows. */
void reconcile_absent_tell(struct reconcile_run *run);

#endif
