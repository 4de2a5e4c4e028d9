/* SPDX-License-Identifier: Apache-2.0 */
/* The accounts that a version is held against, from the server: those that its population names and
 * that have an outcome, with their scores; and which of them meet a condition. Page by page, by
 * filter; of one sequence of the log only as far as nothing is written meanwhile.
 * Ownership: backtest_free frees the accounts. Errors: exit statuses, messages printed. */
#ifndef CLI_BACKTEST_READ_H
#define CLI_BACKTEST_READ_H

#include "tools/cli/backtest.h"
#include "tools/cli/cli.h"

struct backtest_data {
    uint64_t icp;     /* 0 at first: the active one */
    char *label;      /* expression of the outcome */
    char *population; /* expression of who is looked at */
    struct backtest_account *accounts;
    size_t count, capacity;
};

/* label: NULL: that of the version. where, by: NULL: none. */
int backtest_read(const struct cli *cli, struct icp_client *client, const char *label,
                  const char *where, const char *by, struct backtest_data *data);
/* meets[data->count] is filled. what: for messages. */
int backtest_meets(const struct cli *cli, struct icp_client *client,
                   const struct backtest_data *data, const char *what, const char *condition,
                   bool *meets);
void backtest_free(struct backtest_data *data);

#endif
