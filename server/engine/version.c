/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever asks first opens: under the version's lock a view is taken, the text read and parsed, and
 * the document shown to all. What can never be opened is remembered with its reason; a view that is
 * not to be had now is asked for again the next time. */
#include "server/engine/version.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "server/engine/engine_internal.h"
#include "server/engine/worker.h"

struct engine_version {
    int references;
    uint32_t number;
    struct engine *engine;
    pthread_mutex_t lock;
    _Atomic(struct learn_document *) document;
    struct proto_fault broken; /* under the lock; code PROTO_OK: not known to be */
    json_t *head;              /* under the lock; NULL until somebody lists the versions */
};

struct engine_version *engine_version_create(struct engine *engine, uint32_t number,
                                             struct learn_document *document)
{
    struct engine_version *version = calloc(1, sizeof *version);
    if (!version) {
        return NULL;
    }
    version->references = 1;
    version->number = number;
    version->engine = engine;
    pthread_mutex_init(&version->lock, NULL);
    atomic_init(&version->document, document ? learn_document_retain(document) : NULL);
    return version;
}

struct engine_version *engine_version_broken(struct engine *engine, uint32_t number,
                                             const struct proto_fault *fault)
{
    struct engine_version *version = engine_version_create(engine, number, NULL);
    if (version) {
        version->broken = *fault;
    }
    return version;
}

struct engine_version *engine_version_retain(struct engine_version *version)
{
    if (version) {
        __atomic_add_fetch(&version->references, 1, __ATOMIC_RELAXED);
    }
    return version;
}

void engine_version_release(struct engine_version *version)
{
    if (version && __atomic_sub_fetch(&version->references, 1, __ATOMIC_ACQ_REL) == 0) {
        learn_document_release(atomic_load(&version->document));
        json_decref(version->head);
        pthread_mutex_destroy(&version->lock);
        free(version);
    }
}

struct learn_document *engine_version_parse(const struct engine_state *state, uint32_t number,
                                            struct proto_span text, struct proto_fault *fault)
{
    /* A document names fields, and names are resolved by the newest schema that knows them all: its
     * own first, for a field may have been retired since. */
    struct learn_document *document = NULL;
    proto_fault_set(fault, PROTO_BAD_DOCUMENT, "icp",
                    "ICP version %" PRIu32 " does not fit any stored schema", number);
    for (size_t i = state->schema_count; i > 0 && !document; i--) {
        if (state->schemas[i - 1]) {
            document = learn_document_parse(text, number, state->schemas[i - 1], fault);
            if (!document && fault->code == PROTO_NO_MEMORY) {
                return NULL; /* an older schema might do, and be the wrong one */
            }
        }
    }
    if (document) {
        fault->code = PROTO_OK;
    }
    return document;
}

static struct learn_document *document_read(const struct engine_version *version,
                                            const struct engine_state *state,
                                            struct proto_fault *fault)
{
    struct store_change change;
    struct store_view *view = store_view_open(version->engine->store, fault);
    if (!view) {
        return NULL;
    }
    struct learn_document *document = NULL;
    if (store_document_get(view, STORE_DOCUMENT_ICP, version->number, &change, fault)) {
        document = engine_version_parse(state, version->number, change.text, fault);
        if (!document && fault->code != PROTO_NO_MEMORY) {
            /* Where memory ran out in the middle of a document, it may seem malformed: once more.
             */
            document = engine_version_parse(state, version->number, change.text, fault);
        }
    }
    store_view_close(view);
    return document;
}

bool engine_version_passes(enum proto_error code)
{
    return code == PROTO_NO_MEMORY || code == PROTO_LIMIT || code == PROTO_IO;
}

/* With the lock held. */
static struct learn_document *document_open(struct engine_version *version,
                                            const struct engine_state *state,
                                            struct proto_fault *fault)
{
    struct learn_document *document = atomic_load(&version->document);
    if (document) {
        return document;
    }
    if (version->broken.code != PROTO_OK) {
        *fault = version->broken;
        return NULL;
    }
    document = document_read(version, state, fault);
    if (document) {
        atomic_store(&version->document, document);
    } else if (!engine_version_passes(fault->code)) {
        version->broken = *fault;
    }
    return document;
}

struct learn_document *engine_version_open(struct engine_version *version,
                                           const struct engine_state *state,
                                           struct proto_fault *fault)
{
    struct learn_document *document =
        atomic_load_explicit(&version->document, memory_order_acquire);
    if (!document) {
        pthread_mutex_lock(&version->lock);
        document = document_open(version, state, fault);
        pthread_mutex_unlock(&version->lock);
    }
    return document;
}

/* NULL: no memory; nothing that a head should have is left out. */
static json_t *head_of(const json_t *json)
{
    static const char *const kept[] = {"name", "created", "label"};
    json_t *head = json_object();
    json_t *holdout = json_object_get(json_object_get(json, "evidence"), "holdout");
    bool good = head != NULL;
    if (good && holdout) {
        json_t *evidence = json_pack("{s:O}", "holdout", holdout);
        good = json_object_set_new(head, "evidence", evidence) == 0;
    }
    for (size_t i = 0; good && i < sizeof kept / sizeof *kept; i++) {
        json_t *member = json_object_get(json, kept[i]);
        good = !member || json_object_set(head, kept[i], member) == 0;
    }
    if (!good) {
        json_decref(head);
        return NULL;
    }
    return head;
}

static json_t *head_parse(struct proto_span text, struct proto_fault *fault)
{
    json_error_t error;
    json_t *json = json_loadb((const char *)text.data, text.bytes, 0, &error);
    if (!json && json_error_code(&error) != json_error_out_of_memory) {
        proto_fault_set(fault, PROTO_BAD_DOCUMENT, "icp", "it is not JSON");
        return NULL;
    }
    json_t *head = json ? head_of(json) : NULL;
    json_decref(json);
    if (!head) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the head of a version");
    }
    return head;
}

/* With the lock held. */
static json_t *head_read(struct engine_version *version, struct engine_worker *worker,
                         struct proto_fault *fault)
{
    struct store_change change;
    const struct learn_document *document = atomic_load(&version->document);
    if (document) {
        json_t *head = head_of(document->json);
        if (!head) {
            proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the head of a version");
        }
        return head;
    }
    if (version->broken.code != PROTO_OK) {
        *fault = version->broken;
        return NULL;
    }
    if (!store_document_get(worker->view, STORE_DOCUMENT_ICP, version->number, &change, fault)) {
        return NULL;
    }
    /* Jansson says of some allocations that fail that the text is malformed: once more. */
    json_t *head = head_parse(change.text, fault);
    return head || fault->code == PROTO_NO_MEMORY ? head : head_parse(change.text, fault);
}

const json_t *engine_version_head(struct engine_worker *worker, uint32_t number,
                                  struct proto_fault *fault)
{
    struct engine_version *version = worker->state->versions[number - 1];
    pthread_mutex_lock(&version->lock);
    if (!version->head) {
        version->head = head_read(version, worker, fault);
    }
    const json_t *head = version->head;
    pthread_mutex_unlock(&version->lock);
    return head;
}
