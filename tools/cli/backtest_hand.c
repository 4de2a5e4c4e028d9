/* SPDX-License-Identifier: Apache-2.0 */
/* Each condition of the profile is asked of the server as a filter, its points are added up by
 * account, and both orders of the accounts are measured. A condition that is none, outcomes of one
 * kind only and memory end it with a message. */
#include "tools/cli/backtest_hand.h"

#include <stdlib.h>

#include "tools/cli/profile_file.h"

static int no_memory(const struct cli *cli)
{
    return cli_fail(cli, EX_OSERR, "no memory for the accounts");
}

/* Which accounts meet each condition, and what that makes of the profile. */
static int profile_apply(const struct cli *cli, struct icp_client *client,
                         struct backtest_data *data, struct backtest_hand *hand)
{
    bool *meets = calloc(data->count + 1, sizeof *meets);
    hand->condition_count = profile_count(hand->profile);
    hand->conditions = calloc(hand->condition_count + 1, sizeof *hand->conditions);
    bool room = meets != NULL && hand->conditions != NULL;
    int status = room ? EX_OK : no_memory(cli);
    for (size_t i = 0; room && status == EX_OK && i < hand->condition_count; i++) {
        struct backtest_condition *condition = &hand->conditions[i];
        const char *text = profile_condition(hand->profile, i, &condition->points);
        char what[48];
        (void)snprintf(what, sizeof what, "points[%zu] of the profile", i);
        memset(meets, 0, (data->count + 1) * sizeof *meets);
        status = backtest_meets(cli, client, data, what, text, meets);
        for (size_t a = 0; status == EX_OK && a < data->count; a++) {
            data->accounts[a].points += meets[a] ? condition->points : 0;
        }
        backtest_condition_judge(data->accounts, meets, data->count, condition);
    }
    free(meets);
    return status;
}

int backtest_hand_make(const struct cli *cli, struct icp_client *client, struct backtest_data *data,
                       struct backtest_hand *hand)
{
    struct backtest_rate all = backtest_rate_of(data->accounts, data->count);
    int status = hand->profile != NULL ? profile_apply(cli, client, data, hand) : EX_OK;
    if (status != EX_OK) {
        return status;
    }
    if (all.outcomes == 0 || all.outcomes == all.accounts) {
        return cli_fail(cli, EX_DATAERR,
                        "%zu accounts have an outcome and %zu of them had it: there is nothing to "
                        "compare",
                        all.accounts, all.outcomes);
    }
    bool ok = backtest_auc(data->accounts, data->count, false, &hand->auc, &hand->lift) &&
              (hand->profile == NULL || backtest_auc(data->accounts, data->count, true,
                                                     &hand->profile_auc, &hand->profile_lift));
    return ok ? EX_OK : no_memory(cli);
}

double backtest_hand_ratio(const struct backtest_hand *hand)
{
    return hand->profile_lift > 0 ? hand->lift / hand->profile_lift : 0;
}

static json_t *condition_json(const struct backtest_hand *hand, size_t i)
{
    const struct backtest_condition *condition = &hand->conditions[i];
    double points;
    const char *text = profile_condition(hand->profile, i, &points);
    return json_pack("{s:s, s:f, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:b}", "if", text, "points",
                     points, "accounts", (json_int_t)condition->with.accounts, "outcomes",
                     (json_int_t)condition->with.outcomes, "rate_low", condition->with.low,
                     "rate_high", condition->with.high, "effect", condition->effect, "effect_low",
                     condition->low, "effect_high", condition->high, "evidence",
                     condition->evidence);
}

static json_t *side_json(const struct math_auc *auc, double lift)
{
    return json_pack("{s:f, s:f, s:f, s:f}", "auc", auc->auc, "auc_low", auc->low, "auc_high",
                     auc->high, "lift_top_decile", lift);
}

json_t *backtest_hand_json(const struct backtest_data *data, const struct backtest_hand *hand)
{
    struct backtest_rate all = backtest_rate_of(data->accounts, data->count);
    const char *name = json_string_value(json_object_get(hand->profile, "name"));
    json_t *conditions = json_array();
    bool whole = conditions != NULL;
    for (size_t i = 0; whole && i < hand->condition_count; i++) {
        whole = json_array_append_new(conditions, condition_json(hand, i)) == 0;
    }
    if (!whole) {
        json_decref(conditions);
        return NULL;
    }
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:f, s:f, s:o}", "name",
                     name != NULL ? name : "the profile", "label", data->label, "population",
                     data->population, "accounts", (json_int_t)all.accounts, "outcomes",
                     (json_int_t)all.outcomes, "version", side_json(&hand->auc, hand->lift),
                     "profile", side_json(&hand->profile_auc, hand->profile_lift), "lift_over",
                     backtest_hand_ratio(hand), "weight_with_evidence",
                     backtest_weight_with_evidence(hand->conditions, hand->condition_count),
                     "conditions", conditions);
}

void backtest_hand_free(struct backtest_hand *hand)
{
    free(hand->conditions);
    *hand = (struct backtest_hand){.profile = NULL};
}
