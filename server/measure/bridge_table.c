/* SPDX-License-Identifier: Apache-2.0 */
/* A bridge as rows: the first figure, each rule with its accounts, the second figure. Memory can
 * run out. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/math/order.h"
#include "server/measure/bridge.h"

static void row_add(struct measure_table *table, const char *step, const char *change,
                    const char *account, double value, int64_t accounts)
{
    measure_add_text(table, step);
    measure_add_text(table, change);
    measure_add_text(table, account);
    measure_add_number(table, value);
    if (accounts >= 0) {
        measure_add_whole(table, accounts);
    } else {
        measure_add_absent(table);
    }
}

/* Those that the rule moves most, up or down; who is not moved stands at the end. */
static bool top_add(const struct measure_bridge *bridge, uint32_t j, double units,
                    const char *const *names, const struct measure_bridge_told *told,
                    struct measure_table *table)
{
    const double *part = bridge->part + (size_t)j * bridge->accounts;
    double *size = calloc((size_t)bridge->accounts + 1, sizeof *size);
    for (uint32_t a = 0; a < bridge->accounts && size != NULL; a++) {
        size[a] = -fabs(part[a]);
    }
    uint32_t *order = size != NULL ? math_order_create(size, bridge->accounts) : NULL;
    uint64_t end = (uint64_t)told->skip + told->top;
    for (uint64_t i = told->skip; i < bridge->accounts && i < end && order != NULL; i++) {
        if (part[order[i]] != 0) {
            row_add(table, measure_rule_name(bridge->rules[j]), "", names[order[i]],
                    part[order[i]] / units, -1);
        }
    }
    bool good = order != NULL;
    free(order);
    free(size);
    return good;
}

static const char *choice_word(const struct measure_rules *rules, enum measure_rule rule)
{
    return rule == MEASURE_RULE_RATES
               ? "rates"
               : measure_choice_info((enum measure_choice)rules->choice[rule])->word;
}

bool measure_bridge_table(const struct measure_bridge *bridge, const struct measure_rules *first,
                          const struct measure_rules *second, const char *const *names,
                          const struct measure_bridge_told *told, struct measure_table *table)
{
    bool money = measure_metric_info(bridge->metric)->kind == MEASURE_METRIC_MONEY;
    double units = money ? measure_money_units(first->base) : 1;
    bool good = true;
    measure_table_init(table, MEASURE_ID_BRIDGE);
    row_add(table, "first", "", "", bridge->first / units, -1);
    for (uint32_t j = 0; j < bridge->count && good; j++) {
        char change[96];
        snprintf(change, sizeof change, "%s -> %s", choice_word(first, bridge->rules[j]),
                 choice_word(second, bridge->rules[j]));
        row_add(table, measure_rule_name(bridge->rules[j]), change, "", bridge->total[j] / units,
                bridge->moved[j]);
        bool named = told->top > 0 && bridge->accounts > 0 &&
                     (told->rule == MEASURE_RULES || told->rule == bridge->rules[j]);
        good = !named || top_add(bridge, j, units, names, told, table);
    }
    row_add(table, "second", "", "", bridge->second / units, -1);
    return good && measure_table_good(table);
}
