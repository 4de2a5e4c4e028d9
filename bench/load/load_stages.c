/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/load_stages.h"

#include "client/icp.h"

static const char *const metrics[] = {
#define S(name, metric, text) metric,
#include "bench/load/stage.def"
#undef S
};

static const struct load_stage_info infos[] = {
#define S(name, metric, text) {#name, text},
#include "bench/load/stage.def"
#undef S
};

const struct load_stage_info *load_stage_info(enum load_stage stage)
{
    return &infos[stage];
}

static bool figure(const struct icp_value *all, const char *map, const char *name, double *number)
{
    struct icp_value inner;
    struct icp_value value;
    if (!icp_value_get(all, map, &inner) || !icp_value_get(&inner, name, &value)) {
        return false;
    }
    *number = value.number;
    return true;
}

void load_stages_read(const char *uri, struct load_stages *stages)
{
    struct icp_fault fault;
    struct icp_reply reply = {0};
    struct icp_value all;
    *stages = (struct load_stages){0};
    struct icp_client *client = icp_connect(uri, NULL, &fault);
    if (client == NULL) {
        return;
    }
    bool known = icp_call_STATS(client, NULL, &reply) && icp_reply_get(&reply, "metrics", &all);
    for (unsigned i = 0; known && i < LOAD_STAGES; i++) {
        known = figure(&all, metrics[i], "sum", &stages->ns[i]);
    }
    stages->known = known && figure(&all, "stage_frames", "sum", &stages->frames) &&
                    figure(&all, "store", "commits", &stages->commits) &&
                    figure(&all, "store", "commit_ns_sum", &stages->commit_ns);
    icp_reply_fini(&reply);
    icp_close(client);
}

void load_stages_since(const struct load_stages *before, struct load_stages *after)
{
    after->frames -= before->frames;
    after->commits -= before->commits;
    after->commit_ns -= before->commit_ns;
    after->known = after->known && before->known && after->frames > 0;
    if (!after->known) {
        return;
    }
    for (unsigned i = 0; i < LOAD_STAGES; i++) {
        after->ns[i] = (after->ns[i] - before->ns[i]) / after->frames;
    }
    if (after->commits > 0) {
        after->commit_ns /= after->commits;
    }
}
