/* SPDX-License-Identifier: Apache-2.0 */
/* Maps within maps become dotted names; their depth is bounded by the protocol. */
#include "tools/cli/stats_read.h"

#include <stdlib.h>

static void item_add(struct stats *stats, const char *name, const struct icp_value *value)
{
    if (stats->count == stats->capacity) {
        size_t capacity = stats->capacity * 2 + 128;
        struct stats_item *items = realloc(stats->items, capacity * sizeof *items);
        if (items == NULL) {
            stats->failed = true;
            return;
        }
        stats->items = items;
        stats->capacity = capacity;
    }
    struct stats_item *item = &stats->items[stats->count++];
    snprintf(item->name, sizeof item->name, "%s", name);
    item->value = value->kind == ICP_KIND_FLAG ? value->flag : value->number;
    item->is_whole = value->kind != ICP_KIND_NUMBER;
}

static void collect(struct stats *stats, const char *prefix, const struct icp_value *value)
{
    struct icp_walk walk = icp_walk_over(value);
    struct icp_text key;
    struct icp_value element;
    while (icp_next(&walk, &key, &element)) {
        char name[STATS_NAME_BYTES];
        snprintf(name, sizeof name, "%s%s%.*s", prefix, prefix[0] != '\0' ? "." : "",
                 (int)key.bytes, key.data);
        if (element.kind == ICP_KIND_MAP) {
            collect(stats, name, &element);
        } else {
            item_add(stats, name, &element);
        }
    }
}

int stats_read(const struct cli *cli, struct icp_client *client, struct icp_reply *reply,
               struct stats *stats)
{
    struct icp_value value;
    int status = cli_call(cli, client, ICP_OP_STATS, NULL, reply);
    stats->count = 0;
    if (status == EX_OK && icp_reply_get(reply, "metrics", &value)) {
        collect(stats, "", &value);
    }
    return stats->failed ? cli_fail(cli, EX_OSERR, "no memory for the figures") : status;
}

void stats_fini(struct stats *stats)
{
    free(stats->items);
    *stats = (struct stats){0};
}

const struct stats_item *stats_find(const struct stats *stats, const char *name)
{
    for (size_t i = 0; i < stats->count; i++) {
        if (strcmp(stats->items[i].name, name) == 0) {
            return &stats->items[i];
        }
    }
    return NULL;
}

double stats_value(const struct stats *stats, const char *name)
{
    const struct stats_item *item = stats_find(stats, name);
    return item != NULL ? item->value : 0;
}

double stats_sum(const struct stats *stats, const char *prefix)
{
    double sum = 0;
    for (size_t i = 0; i < stats->count; i++) {
        if (strncmp(stats->items[i].name, prefix, strlen(prefix)) == 0) {
            sum += stats->items[i].value;
        }
    }
    return sum;
}
