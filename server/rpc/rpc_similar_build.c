/* SPDX-License-Identifier: Apache-2.0 */
/* similar-build, a job; similar-plan. */
#include <assert.h>
#include <stdlib.h>

#include "proto/shape.h"
#include "server/lookalike/lookalike.h"
#include "server/rpc/rpc_job.h"

static_assert((int)PROTO_SIMILAR_DIMS_MAX == (int)SIMILAR_DIM_MAX,
              "one limit, as two floors know it");

static void build_reply(struct rpc_job *job, struct proto_writer *out,
                        const struct engine_job_info *info)
{
    const struct proto_op_info *op = job->later->op;
    struct lookalike_stats stats;
    lookalike_stats(job->later->rpc->options.lookalike, &stats);
    proto_write_map(out, 3);
    rpc_put_uint(out, op, PROTO_A_SIMILAR_BUILD_JOB, info->job);
    rpc_put_uint(out, op, PROTO_A_SIMILAR_BUILD_VECTORS, stats.vectors);
    rpc_put_uint(out, op, PROTO_A_SIMILAR_BUILD_DIMS, stats.dims);
}

/* Weights by field, in the arena. */
static bool weights_read(struct rpc_call *call, struct lookalike_rebuild *build,
                         struct proto_fault *fault)
{
    struct proto_reader reader;
    const struct proto_arg *arg = &call->args[PROTO_Q_SIMILAR_BUILD_WEIGHTS];
    if (!arg->present) {
        return true;
    }
    proto_reader_init(&reader, arg->value, fault);
    size_t count = proto_read_map(&reader);
    struct lookalike_weight *weights =
        base_arena_array(&call->worker->arena, count + 1, sizeof *weights);
    if (!weights) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "weights", "no memory for the weights");
    }
    const struct proto_field_info *any = &proto_shape_info(PROTO_SHAPE_WEIGHTS)->members[0];
    for (size_t i = 0; i < count && fault->code == PROTO_OK; i++) {
        weights[i].field = proto_read_str(&reader);
        struct proto_arg weight = {.present = true, .number = proto_read_number(&reader)};
        weights[i].weight = weight.number;
        if (fault->code != PROTO_OK || !proto_rule_keeps(any, &weight, fault)) {
            proto_fault_within(fault, "%.*s", (int)weights[i].field.bytes,
                               (const char *)weights[i].field.data);
        }
    }
    build->weights = weights;
    build->weight_count = count;
    return fault->code == PROTO_OK || proto_fault_within(fault, "weights");
}

static bool build_read(struct rpc_call *call, struct lookalike_rebuild *build,
                       struct proto_fault *fault)
{
    const struct proto_arg *share = &call->args[PROTO_Q_SIMILAR_BUILD_VECTOR_SHARE];
    const struct proto_arg *dims = &call->args[PROTO_Q_SIMILAR_BUILD_DIMS];
    build->defaults = rpc_arg_flag(call, PROTO_Q_SIMILAR_BUILD_DEFAULTS);
    build->metric = rpc_arg_text(call, PROTO_Q_SIMILAR_BUILD_METRIC);
    build->vector_share = share->present ? share->number : 0;
    build->dims = dims->present ? (uint32_t)dims->uint : 0;
    if (call->args[PROTO_Q_SIMILAR_BUILD_ICP_WEIGHTS].present) {
        build->icp_weights =
            call->args[PROTO_Q_SIMILAR_BUILD_ICP_WEIGHTS].flag ? LOOKALIKE_YES : LOOKALIKE_NO;
    }
    return weights_read(call, build, fault);
}

enum rpc_outcome rpc_on_SIMILAR_BUILD(struct rpc_call *call, struct proto_fault *fault)
{
    struct lookalike *lookalike = call->worker->rpc->options.lookalike;
    struct lookalike_rebuild build = {
        .deadline_ms = rpc_deadline_ms(call),
        .on_progress = rpc_job_progress,
        .on_done = rpc_job_done,
    };
    if (!build_read(call, &build, fault)) {
        return RPC_FAILED;
    }
    build.context = rpc_job_create(call, PROTO_Q_SIMILAR_BUILD_PROGRESS, build_reply,
                                   sizeof(struct rpc_job), fault);
    return build.context ? rpc_job_end(build.context, lookalike_rebuild(lookalike, &build, fault))
                         : RPC_FAILED;
}

enum rpc_outcome rpc_on_SIMILAR_PLAN(struct rpc_call *call, struct proto_fault *fault)
{
    struct lookalike *lookalike = call->worker->rpc->options.lookalike;
    struct proto_writer *out = call->out;
    struct lookalike_stats stats;
    (void)fault;
    lookalike_stats(lookalike, &stats);
    char *plan = lookalike_plan(lookalike);
    char *wishes = lookalike_wishes(lookalike);
    proto_write_map(out, 10U + (plan ? 1U : 0U) + (wishes ? 1U : 0U));
    rpc_put_flag(out, call->op, PROTO_A_SIMILAR_PLAN_READY, stats.ready);
    rpc_put_flag(out, call->op, PROTO_A_SIMILAR_PLAN_BUILDING, stats.building);
    rpc_put_flag(out, call->op, PROTO_A_SIMILAR_PLAN_OPENED, stats.opened);
    rpc_put_uint(out, call->op, PROTO_A_SIMILAR_PLAN_VECTORS, stats.vectors);
    rpc_put_uint(out, call->op, PROTO_A_SIMILAR_PLAN_LISTS, stats.lists);
    rpc_put_uint(out, call->op, PROTO_A_SIMILAR_PLAN_DIMS, stats.dims);
    rpc_put_text(out, call->op, PROTO_A_SIMILAR_PLAN_METRIC,
                 feature_vector_metric_name(stats.metric));
    rpc_put_uint(out, call->op, PROTO_A_SIMILAR_PLAN_BYTES, stats.bytes);
    rpc_put_uint(out, call->op, PROTO_A_SIMILAR_PLAN_PENDING, stats.pending);
    rpc_put_uint(out, call->op, PROTO_A_SIMILAR_PLAN_SEQ, stats.seq);
    if (wishes) {
        rpc_put_text(out, call->op, PROTO_A_SIMILAR_PLAN_WISHES, wishes);
    }
    if (plan) {
        rpc_put_text(out, call->op, PROTO_A_SIMILAR_PLAN_PLAN, plan);
    }
    free(wishes);
    free(plan);
    return RPC_DONE;
}
