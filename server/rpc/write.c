/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/write.h"

#define XXH_INLINE_ALL
#include <stdlib.h>
#include <xxhash.h>

struct pending_write {
    struct rpc_later *later;
    rpc_write_reply *reply;
};

static void write_done(void *context, const struct engine_written *written)
{
    struct pending_write *pending = context;
    if (written->fault.code == PROTO_OK) {
        const struct rpc_options *options = &pending->later->rpc->options;
        base_metrics_add(
            base_metrics_block(options->metrics, options->workers),
            pending->later->op->op == PROTO_OP_EVENT_APPEND ? BASE_METRIC_EVENTS_WRITTEN
                                                            : BASE_METRIC_ACCOUNTS_WRITTEN,
            written->repeated || pending->later->op->op == PROTO_OP_IDENTITY ? 0 : written->count);
        pending->reply(rpc_later_begin(pending->later), pending->later->op, written);
    }
    rpc_later_post(pending->later, &written->fault);
    free(pending);
}

/* The digest of one argument goes over its value; of one that is handed on encoded, over its bytes.
 */
static void arg_digest(XXH3_state_t *state, enum proto_type type, const struct proto_arg *arg)
{
    uint64_t word = 0;
    struct proto_span bytes = {(const uint8_t *)&word, sizeof word};
    switch (type) {
    case PROTO_TEXT:
    case PROTO_BYTES:
    case PROTO_JSON:
        bytes = arg->text;
        break;
    case PROTO_TEXTS:
    case PROTO_LIST:
    case PROTO_MAP:
    case PROTO_ANY:
        bytes = arg->value;
        break;
    case PROTO_UINT:
        word = arg->uint;
        break;
    case PROTO_INT:
        word = (uint64_t)arg->integer;
        break;
    case PROTO_NUMBER:
        memcpy(&word, &arg->number, sizeof word);
        break;
    case PROTO_FLAG:
        word = arg->flag;
        break;
    }
    XXH3_64bits_update(state, &bytes.bytes, sizeof bytes.bytes);
    XXH3_64bits_update(state, bytes.data, bytes.bytes);
}

struct engine_operation rpc_operation(const struct rpc_call *call, int operation)
{
    XXH3_state_t state;
    uint64_t place = (uint64_t)call->op->op;
    struct engine_operation result = {0};
    if (call->origin) {
        memcpy(result.author, call->origin->author, sizeof result.author);
    } else {
        rpc_person_author(call->session->person, result.author, sizeof result.author);
    }
    if (!call->args[operation].present) {
        return result;
    }
    XXH3_64bits_reset(&state);
    XXH3_64bits_update(&state, &place, sizeof place);
    for (size_t i = 0; i < call->op->request_count; i++) {
        if (call->args[i].present && i != (size_t)operation) {
            place = i;
            XXH3_64bits_update(&state, &place, sizeof place);
            arg_digest(&state, call->op->request[i].type, &call->args[i]);
        }
    }
    result.id = call->args[operation].text;
    result.digest = XXH3_64bits_digest(&state);
    return result;
}

bool rpc_import_add(const struct rpc_call *call, int import, struct engine_ingest *ingest,
                    struct proto_fault *fault)
{
    const struct proto_span none = {NULL, 0};
    return !call->args[import].present ||
           engine_ingest_import(ingest, call->args[import].text, ENGINE_IMPORT_PART, none, fault);
}

void rpc_put_repeated(struct proto_writer *out, const struct proto_op_info *op, int index,
                      bool repeated)
{
    if (repeated) {
        rpc_put_flag(out, op, index, true);
    }
}

bool rpc_write_begin(struct rpc_call *call, int operation, rpc_write_reply *reply,
                     struct engine_write *write, struct proto_fault *fault)
{
    struct pending_write *pending = calloc(1, sizeof *pending);
    if (!pending) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the request");
    }
    pending->reply = reply;
    pending->later = rpc_later_create(call, fault);
    if (!pending->later) {
        free(pending);
        return false;
    }
    *write = (struct engine_write){.operation = rpc_operation(call, operation),
                                   .deadline_ms = rpc_deadline_ms(call),
                                   .on_done = write_done,
                                   .context = pending};
    return true;
}

enum rpc_outcome rpc_write_end(const struct engine_write *write, bool given)
{
    struct pending_write *pending = write->context;
    if (given) {
        return RPC_LATER;
    }
    rpc_later_drop(pending->later);
    free(pending);
    return RPC_FAILED;
}
