/* SPDX-License-Identifier: Apache-2.0 */
/* The list of the server is walked once for each metric. A definition of a metric that this icp
 * does not know makes no pair. */
#include "tools/cli/report_kept.h"

#include "tools/cli/metric_find.h"

/* Name and metric of an entry; false where it is of another metric. */
static bool entry_read(const struct icp_value *entry, enum measure_metric metric,
                       struct measure_definition *definition)
{
    struct icp_value value;
    const char *wanted = measure_metric_info(metric)->name;
    if (!icp_value_get(entry, "metric", &value) || value.text.bytes != strlen(wanted) ||
        memcmp(value.text.data, wanted, value.text.bytes) != 0 ||
        !icp_value_get(entry, "name", &value) || value.text.bytes >= sizeof definition->name) {
        return false;
    }
    memset(definition->name, 0, sizeof definition->name);
    memcpy(definition->name, value.text.data, value.text.bytes);
    definition->version = icp_value_get(entry, "version", &value) ? (uint32_t)value.integer : 0;
    return true;
}

int report_kept_pairs(const struct cli *cli, struct icp_client *client, struct icp_reply *reply,
                      struct report_pair *pairs, size_t most, size_t *count)
{
    struct icp_value list = {.count = 0};
    size_t left_out = 0;
    *count = 0;
    if (!icp_call(client, ICP_OP_METRIC_LIST, NULL, reply)) {
        return cli_icp_fault(cli, &reply->fault);
    }
    (void)icp_reply_get(reply, "definitions", &list);
    for (int metric = 0; metric < MEASURE_METRICS_OF_REVENUE; metric++) {
        struct measure_definition before = {.version = 0};
        struct measure_definition now;
        struct icp_value entry;
        struct icp_walk walk = icp_walk_over(&list);
        while (icp_next(&walk, NULL, &entry)) {
            if (!entry_read(&entry, (enum measure_metric)metric, &now)) {
                continue;
            }
            if (before.version > 0 && *count < most) {
                struct report_pair *pair = &pairs[(*count)++];
                (void)metric_reference(&before, pair->first);
                (void)metric_reference(&now, pair->second);
                pair->metric = (enum measure_metric)metric;
            } else {
                left_out += before.version > 0;
            }
            before = now;
        }
    }
    if (left_out > 0) {
        cli_say(cli,
                "%zu more pairs of definitions are not on the page; 'icp metric bridge' has "
                "them",
                left_out);
    }
    return EX_OK;
}
