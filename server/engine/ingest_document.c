/* SPDX-License-Identifier: Apache-2.0 */
/* A document is parsed against what the worker sees and then handed over as the only command of its
 * batch. One that cannot be used is refused here; one that another request overtook is refused by
 * the writer. */
#include "server/engine/ingest_internal.h"
#include "server/engine/worker.h"

/* A batch of one document, under the next number of its kind. */
static bool document_commit(struct engine_worker *worker, const struct store_document *document,
                            const struct engine_write *write, struct proto_fault *fault)
{
    struct engine_ingest *ingest = engine_ingest_begin(fault);
    if (!ingest || !store_batch_document(ingest->batch, document, fault)) {
        engine_ingest_drop(ingest);
        return false;
    }
    return engine_ingest_commit(ingest, worker->engine, write, fault);
}

bool engine_document_store(struct engine *engine, const struct store_document *document,
                           const struct engine_operation *operation, struct store_result *result,
                           struct proto_fault *fault)
{
    struct store_batch *batch = store_batch_create();
    if (!batch) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a document");
    }
    if (!store_batch_document(batch, document, fault) ||
        !engine_operation_add(batch, operation, fault)) {
        store_batch_destroy(batch);
        return false;
    }
    if (!engine_submit_wait(engine, batch, result)) {
        *fault = result->fault;
        return false;
    }
    return true;
}

bool engine_schema_put(struct engine_worker *worker, struct proto_span text,
                       const struct engine_write *write, struct proto_fault *fault)
{
    const struct engine_state *state = worker->state;
    struct feature_schema *schema =
        feature_schema_parse(text, (uint32_t)state->schema_count + 1, state->schema, fault);
    if (!schema) {
        return false;
    }
    feature_schema_release(schema);
    struct store_document document = {.kind = STORE_DOCUMENT_SCHEMA, .text = text};
    return document_commit(worker, &document, write, fault);
}

bool engine_icp_put(struct engine_worker *worker, struct proto_span text,
                    const struct engine_write *write, struct proto_fault *fault)
{
    const struct engine_state *state = worker->state;
    if (!state->schema) {
        return proto_fault_set(fault, PROTO_NO_SCHEMA, "", "put a schema before an ICP");
    }
    struct learn_document *document =
        learn_document_parse(text, (uint32_t)state->document_count + 1, state->schema, fault);
    if (!document) {
        return false;
    }
    bool fits =
        json_string_length(json_object_get(document->json, "name")) <= PROTO_ICP_NAME_BYTES_MAX;
    learn_document_release(document);
    if (!fits) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "name", "a name has at most %d bytes",
                               PROTO_ICP_NAME_BYTES_MAX);
    }
    struct store_document stored = {.kind = STORE_DOCUMENT_ICP, .text = text};
    return document_commit(worker, &stored, write, fault);
}

bool engine_icp_activate(struct engine_worker *worker, uint64_t version, struct proto_span reason,
                         const struct engine_write *write, struct proto_fault *fault)
{
    if (version == 0) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "icp", "versions start at 1");
    }
    if (!engine_state_document(worker->state, version, fault)) {
        return false;
    }
    struct engine_ingest *ingest = engine_ingest_begin(fault);
    if (!ingest || !store_batch_activate(ingest->batch, (uint32_t)version, reason, fault)) {
        engine_ingest_drop(ingest);
        return false;
    }
    return engine_ingest_commit(ingest, worker->engine, write, fault);
}

bool engine_icp_revert(struct engine_worker *worker, struct proto_span reason,
                       const struct engine_write *write, struct proto_fault *fault)
{
    struct engine_ingest *ingest = engine_ingest_begin(fault);
    if (!ingest || !store_batch_revert(ingest->batch, reason, fault)) {
        engine_ingest_drop(ingest);
        return false;
    }
    return engine_ingest_commit(ingest, worker->engine, write, fault);
}
