/* SPDX-License-Identifier: Apache-2.0 */
#include "server/engine/worker.h"

#include <assert.h>
#include <stdlib.h>

#include "server/engine/engine_internal.h"
#include "server/engine/explain_plan.h"

static_assert(ENGINE_NO_SLOT == STORE_NO_SLOT, "slots are those of the store");

struct engine_worker *engine_worker_create(struct engine *engine, struct proto_fault *fault)
{
    struct engine_worker *worker = calloc(1, sizeof *worker);
    if (!worker) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a worker");
        return NULL;
    }
    worker->engine = engine;
    worker->view = store_view_open(engine->store, fault);
    if (!worker->view) {
        free(worker);
        return NULL;
    }
    worker->state = engine_state_get(engine);
    return worker;
}

void engine_worker_destroy(struct engine_worker *worker)
{
    if (!worker) {
        return;
    }
    store_view_close(worker->view);
    engine_state_release(worker->state);
    free(worker->values);
    free(worker->codes);
    for (size_t i = 0; i < ENGINE_PLANS; i++) {
        engine_plan_destroy(worker->plans[i]);
    }
    free(worker->strong.entries);
    free(worker->strong.marks);
    free(worker->strong.keys);
    free(worker->parts);
    free(worker->reasons);
    free(worker->gaps);
    free(worker->missing);
    free(worker->stale);
    free(worker);
}

bool engine_worker_refresh(struct engine_worker *worker, struct proto_fault *fault)
{
    uint64_t newest = atomic_load_explicit(&worker->engine->generation, memory_order_acquire);
    if (newest != worker->state->generation) {
        struct engine_state *state = engine_state_get(worker->engine);
        engine_state_release(worker->state);
        worker->state = state;
    }
    worker->as_of = engine_as_of(worker->engine); /* before the view */
    return store_view_refresh(worker->view, fault);
}

void engine_worker_rest(struct engine_worker *worker)
{
    store_view_rest(worker->view);
}

const struct engine_state *engine_worker_state(const struct engine_worker *worker)
{
    return worker->state;
}

struct store_view *engine_worker_view(struct engine_worker *worker)
{
    return worker->view;
}

uint64_t engine_worker_seq(const struct engine_worker *worker)
{
    return store_view_seq(worker->view);
}

uint64_t engine_worker_accounts(const struct engine_worker *worker)
{
    return store_view_accounts(worker->view);
}

bool engine_record(struct engine_worker *worker, uint32_t slot, struct feature_record *record,
                   struct proto_fault *fault)
{
    struct proto_span bytes;
    return store_record(worker->view, slot, &bytes, fault) &&
           feature_record_open(bytes, false, record, fault);
}

void engine_rows_find(struct engine_worker *worker, const struct proto_span *ids, size_t count,
                      uint32_t *slots, const uint8_t **rows)
{
    store_find_many(worker->view, ids, count, slots, rows);
}

bool engine_schema_text(struct engine_worker *worker, uint64_t version, struct proto_span *text)
{
    struct proto_fault ignored;
    struct store_change change;
    if (version > worker->state->schema_count ||
        !store_document_get(worker->view, STORE_DOCUMENT_SCHEMA, (uint32_t)version, &change,
                            &ignored)) {
        return false;
    }
    *text = change.text;
    return true;
}

struct switch_teller {
    void (*each)(void *context, const struct engine_switch *change);
    void *context;
};

static void switch_tell(void *context, const struct store_change *change)
{
    const struct switch_teller *teller = context;
    struct engine_switch told = {change->version, change->time_ms, change->text};
    teller->each(teller->context, &told);
}

bool engine_switches(struct engine_worker *worker,
                     void (*each)(void *context, const struct engine_switch *change), void *context,
                     struct proto_fault *fault)
{
    struct switch_teller teller = {each, context};
    return store_switches(worker->view, switch_tell, &teller, fault);
}
