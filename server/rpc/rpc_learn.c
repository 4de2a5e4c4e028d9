/* SPDX-License-Identifier: Apache-2.0 */
/* icp-learn: queues the job, sends progress frames if asked, and the evidence at the end. Learned
 * is from a label, or from the cases of a policy, which is read before anything is queued. */
#include <stdlib.h>

#include "server/feature/span_text.h"
#include "server/lifecycle/lifecycle_cases.h"
#include "server/measure/readiness_floor.h"
#include "server/rpc/rpc_job.h"
#include "server/rpc/write.h"

/* What was learned of values, but for the points; NULL: nothing was, or there is no memory. */
static char *value_print(const struct learn_document *document)
{
    json_t *value = json_object_get(json_object_get(document->json, "settings"), "value");
    json_t *copy = value ? json_copy(value) : NULL;
    char *text = NULL;
    if (copy) {
        (void)json_object_del(copy, "terms");
        text = json_dumps(copy, JSON_COMPACT);
        json_decref(copy);
    }
    return text;
}

static void learn_reply(struct rpc_job *job, struct proto_writer *out,
                        const struct engine_job_info *info)
{
    const struct proto_op_info *op = job->later->op;
    struct engine_state *state = engine_state_get(job->later->rpc->options.engine);
    struct proto_fault fault = {0};
    const struct learn_document *document = engine_state_document(state, info->icp, &fault);
    char *evidence =
        document ? json_dumps(json_object_get(document->json, "evidence"), JSON_COMPACT) : NULL;
    char *label =
        document ? json_dumps(json_object_get(document->json, "label"), JSON_COMPACT) : NULL;
    char *value = document ? value_print(document) : NULL;
    proto_write_map(out,
                    2U + (evidence != NULL) + (label != NULL) + (value != NULL) + info->repeated);
    rpc_put_uint(out, op, PROTO_A_ICP_LEARN_JOB, info->job);
    rpc_put_uint(out, op, PROTO_A_ICP_LEARN_ICP, info->icp);
    if (evidence) {
        rpc_put_text(out, op, PROTO_A_ICP_LEARN_EVIDENCE, evidence);
    }
    if (label) {
        rpc_put_text(out, op, PROTO_A_ICP_LEARN_LABEL, label);
    }
    rpc_put_repeated(out, op, PROTO_A_ICP_LEARN_REPEATED, info->repeated);
    if (value) {
        rpc_put_text(out, op, PROTO_A_ICP_LEARN_VALUE, value);
    }
    free(value);
    free(evidence);
    free(label);
    engine_state_release(state);
}

static bool learn_read(struct rpc_call *call, struct engine_learn *learn, struct proto_fault *fault)
{
    struct proto_fault local = {0};
    learn->label = rpc_arg_text(call, PROTO_Q_ICP_LEARN_LABEL);
    learn->where = rpc_arg_text(call, PROTO_Q_ICP_LEARN_WHERE);
    learn->name = rpc_arg_text(call, PROTO_Q_ICP_LEARN_NAME);
    learn->time_field = rpc_arg_text(call, PROTO_Q_ICP_LEARN_TIME_FIELD);
    learn->weight_field = rpc_arg_text(call, PROTO_Q_ICP_LEARN_WEIGHT);
    learn->value_field = rpc_arg_text(call, PROTO_Q_ICP_LEARN_VALUE);
    learn->seed = rpc_arg_uint(call, PROTO_Q_ICP_LEARN_SEED);
    learn->activate = rpc_arg_flag(call, PROTO_Q_ICP_LEARN_ACTIVATE);
    learn->pairs_max = (unsigned)rpc_arg_uint(call, PROTO_Q_ICP_LEARN_PAIRS);
    learn->fields = rpc_arg_texts(call, PROTO_Q_ICP_LEARN_FIELDS, &learn->field_count, &local);
    learn->exclude = rpc_arg_texts(call, PROTO_Q_ICP_LEARN_EXCLUDE, &learn->exclude_count, &local);
    learn->keep = rpc_arg_texts(call, PROTO_Q_ICP_LEARN_KEEP_LEAKS, &learn->keep_count, &local);
    learn->rising = rpc_arg_texts(call, PROTO_Q_ICP_LEARN_RISING, &learn->rising_count, &local);
    learn->falling = rpc_arg_texts(call, PROTO_Q_ICP_LEARN_FALLING, &learn->falling_count, &local);
    if (local.code != PROTO_OK) {
        *fault = local;
        return false;
    }
    learn->operation = rpc_operation(call, PROTO_Q_ICP_LEARN_OPERATION);
    learn->deadline_ms = rpc_deadline_ms(call);
    return true;
}

static bool floors_read(const struct rpc_call *call, struct measure_floors *floors,
                        struct proto_fault *fault)
{
    const struct proto_arg *arg = &call->args[PROTO_Q_ICP_LEARN_FLOORS];
    struct proto_fault local = {.code = PROTO_OK};
    struct proto_reader reader;
    measure_floors_default(floors);
    if (!arg->present) {
        return true;
    }
    proto_reader_init(&reader, arg->value, &local);
    size_t count = proto_read_map(&reader);
    for (size_t i = 0; i < count && local.code == PROTO_OK; i++) {
        struct proto_span name = proto_read_key(&reader);
        double share = proto_read_number(&reader);
        if (local.code != PROTO_OK) {
            char shown[FEATURE_SHOWN_BYTES];
            (void)proto_fault_within(&local, "floors.%s",
                                     feature_text_show(name, shown, sizeof shown));
        } else if (!measure_floors_set(floors, name, share, fault)) {
            return false;
        }
    }
    if (local.code != PROTO_OK) {
        *fault = local;
    }
    return local.code == PROTO_OK;
}

/* *source stays empty where a label says what is positive. */
static bool source_read(const struct rpc_call *call, struct engine_case_source *source,
                        struct proto_fault *fault)
{
    const struct proto_arg *policy_arg = &call->args[PROTO_Q_ICP_LEARN_POLICY];
    const struct proto_arg *at = &call->args[PROTO_Q_ICP_LEARN_AT];
    bool label = call->args[PROTO_Q_ICP_LEARN_LABEL].present;
    if (label == policy_arg->present) {
        return proto_fault_set(fault, label ? PROTO_BAD_FIELD : PROTO_MISSING_FIELD, "label",
                               "one of label and policy says what is learned");
    }
    if (label) {
        return true;
    }
    struct measure_policy *policy = measure_policy_read(policy_arg->text, fault);
    if (policy == NULL) {
        return proto_fault_within(fault, "policy");
    }
    return lifecycle_case_source(policy, at->present ? at->integer : MEASURE_NEVER, source, fault);
}

/* Takes what learn->cases points to, whatever comes of it. */
static enum rpc_outcome learn_begin(struct rpc_call *call, struct engine_learn *learn,
                                    struct proto_fault *fault)
{
    learn->context = rpc_job_create(call, PROTO_Q_ICP_LEARN_PROGRESS, learn_reply,
                                    sizeof(struct rpc_job), fault);
    if (!learn->context) {
        if (learn->cases) {
            learn->cases->destroy(learn->cases->context);
        }
        return RPC_FAILED;
    }
    return rpc_job_end(learn->context,
                       engine_learn(call->worker->rpc->options.engine, learn, fault));
}

enum rpc_outcome rpc_on_ICP_LEARN(struct rpc_call *call, struct proto_fault *fault)
{
    struct engine_case_source source = {.read = NULL};
    struct measure_floors floors;
    struct engine_learn learn = {.on_progress = rpc_job_progress,
                                 .on_done = rpc_job_done,
                                 .floors = &floors,
                                 .despite_readiness =
                                     rpc_arg_flag(call, PROTO_Q_ICP_LEARN_DESPITE_READINESS)};
    if (!learn_read(call, &learn, fault) || !floors_read(call, &floors, fault) ||
        !source_read(call, &source, fault)) {
        return RPC_FAILED;
    }
    learn.cases = source.read ? &source : NULL;
    return learn_begin(call, &learn, fault);
}
