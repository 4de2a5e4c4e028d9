/* SPDX-License-Identifier: Apache-2.0 */
/* A version and a profile written by hand (profile_file.h) on the same accounts: how well each
 * orders them, and which conditions have evidence. What `icp backtest` prints and `icp report icp`
 * shows is this.
 * Ownership: the profile is borrowed; backtest_hand_free frees what was found. Errors: exit
 * statuses, messages printed. Threads: one. Cost: a walk of the server for each condition. Source:
 * docs/methods/backtest.md. */
#ifndef CLI_BACKTEST_HAND_H
#define CLI_BACKTEST_HAND_H

#include <jansson.h>

#include "tools/cli/backtest_read.h"

struct backtest_hand {
    const json_t *profile; /* NULL: the version alone */
    struct backtest_condition *conditions;
    size_t condition_count;
    struct math_auc auc, profile_auc;
    double lift, profile_lift; /* of the top tenth */
};

/* Gives data's accounts their points and fills hand, of which the profile is set. */
int backtest_hand_make(const struct cli *cli, struct icp_client *client, struct backtest_data *data,
                       struct backtest_hand *hand);
/* Outcomes in the version's top tenth for each in the profile's; 0 if that holds none. */
double backtest_hand_ratio(const struct backtest_hand *hand);
/* All figures, the conditions in order; the caller drops it. NULL: no memory. */
json_t *backtest_hand_json(const struct backtest_data *data, const struct backtest_hand *hand);
void backtest_hand_free(struct backtest_hand *hand);

#endif
