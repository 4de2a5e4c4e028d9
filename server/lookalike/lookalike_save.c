/* SPDX-License-Identifier: Apache-2.0 */
/* Look-alike vectors in the store: saving a set as a generation of blocks while it goes on changing
 * and answering, and opening it at a start. */
#include <inttypes.h>
#include <stdlib.h>

#include "server/feature/json_text.h"
#include "server/lookalike/lookalike_parts.h"
#include "server/store/vector_blocks.h"

/* What one transaction writes: some 10 ms of the writer's time. */
#define PUT_BYTES ((size_t)4 << 20)

/* A saving under way. */
struct saving {
    struct lookalike *lookalike;
    struct engine_job *job;
    /* The set may be replaced while it is stored: it is touched under the lock alone, and what else
     * is needed of it is copied when it is frozen. */
    struct lookalike_set *set;
    uint32_t dims, counts[SIMILAR_KINDS];
    char *head;
    uint32_t generation;
    uint64_t seq;
    uint8_t *room; /* PUT_BYTES and one block more */
    struct store_vector_block *list;
    size_t list_room, count, used;
};

/* What opening needs to know. NULL: no memory. */
static char *head_print(const struct saving *saving)
{
    char *plan = feature_vectorizer_print(saving->set->plan);
    json_t *list = json_array();
    for (int kind = 0; kind < SIMILAR_KINDS; kind++) {
        feature_json_append(&list, json_integer(saving->counts[kind]));
    }
    json_t *head =
        plan ? json_pack("{s:i, s:o, s:s, s:O}", "schema", (int)saving->set->schema_version,
                         "counts", list, "plan", plan, "wish", saving->set->wish)
             : NULL;
    char *text = head ? json_dumps(head, JSON_COMPACT) : NULL;
    if (head) {
        json_decref(head);
    } else {
        json_decref(list);
    }
    free(plan);
    return text;
}

/* The set as of now, in a state that can be opened. */
static bool freeze(struct saving *saving, struct proto_fault *fault)
{
    struct lookalike *lookalike = saving->lookalike;
    bool good = false;
    pthread_rwlock_wrlock(&lookalike->set_lock);
    pthread_mutex_lock(&lookalike->lock);
    saving->set = lookalike->lost ? NULL : lookalike->set;
    saving->seq = lookalike->applied_seq;
    lookalike->changed_since_save = 0;
    pthread_mutex_unlock(&lookalike->lock);
    if (saving->set) {
        good = similar_flush(saving->set->set) == SIMILAR_OK &&
               lookalike_blocks_freeze(saving->set->blocks);
    }
    if (good) {
        saving->dims = saving->set->plan->dims;
        memcpy(saving->counts, saving->set->blocks->frozen_counts, sizeof saving->counts);
        saving->head = head_print(saving);
        good = saving->head != NULL;
    }
    pthread_rwlock_unlock(&lookalike->set_lock);
    return good || proto_fault_set(fault, PROTO_NO_MEMORY, "",
                                   "the vectors cannot be stored: no memory, or there are none");
}

static void thaw(struct saving *saving)
{
    struct lookalike *lookalike = saving->lookalike;
    pthread_rwlock_wrlock(&lookalike->set_lock);
    if (saving->set && lookalike->set == saving->set) {
        lookalike_blocks_thaw(saving->set->blocks);
    }
    pthread_rwlock_unlock(&lookalike->set_lock);
}

static bool list_put(struct saving *saving, struct proto_fault *fault)
{
    struct store *store = engine_store(saving->lookalike->engine);
    bool good = saving->count == 0 ||
                store_vectors_put(store, saving->generation, saving->list, saving->count, fault);
    saving->count = 0;
    saving->used = 0;
    return good;
}

/* Copies blocks from *number on until the room is full; false if another set has come. */
static bool blocks_stage(struct saving *saving, enum similar_kind kind, uint32_t *number,
                         uint32_t end)
{
    struct lookalike *lookalike = saving->lookalike;
    size_t bytes = similar_block_bytes(kind, saving->dims);
    pthread_rwlock_rdlock(&lookalike->set_lock);
    bool same = lookalike->set == saving->set && !saving->set->blocks->torn;
    for (; same && *number < end && saving->used < PUT_BYTES && saving->count < saving->list_room;
         ++*number) {
        uint8_t *to = saving->room + saving->used;
        if (lookalike_blocks_take(saving->set->blocks, kind, *number, to)) {
            saving->list[saving->count++] =
                (struct store_vector_block){(unsigned)kind, *number, {to, bytes}};
            saving->used += (bytes + 15) / 16 * 16;
        }
    }
    pthread_rwlock_unlock(&lookalike->set_lock);
    return same;
}

static bool blocks_save(struct saving *saving, struct proto_fault *fault)
{
    const uint32_t *counts = saving->counts;
    uint64_t total = 1;
    uint64_t done = 0;
    for (int kind = 0; kind < SIMILAR_KINDS; kind++) {
        total += counts[kind];
    }
    for (int kind = 0; kind < SIMILAR_KINDS; kind++) {
        for (uint32_t number = 0; number < counts[kind];) {
            uint32_t before = number;
            if (!engine_job_progress(saving->job, 0.7 + 0.3 * (double)done / (double)total,
                                     "storing vectors")) {
                return proto_fault_set(fault, PROTO_CANCELLED, "", "the job was cancelled");
            }
            if (!blocks_stage(saving, (enum similar_kind)kind, &number, counts[kind])) {
                return proto_fault_set(fault, PROTO_CANCELLED, "",
                                       "other vectors came before these were stored");
            }
            done += number - before;
            if ((saving->used >= PUT_BYTES || saving->count == saving->list_room) &&
                !list_put(saving, fault)) {
                return false;
            }
        }
    }
    return list_put(saving, fault);
}

static bool save(struct saving *saving, struct proto_fault *fault)
{
    struct store *store = engine_store(saving->lookalike->engine);
    size_t largest = similar_block_bytes(SIMILAR_KIND_FLOAT, FEATURE_VECTOR_DIMS_MAX);
    saving->list_room = 4096;
    saving->room = malloc(PUT_BYTES + largest);
    saving->list = calloc(saving->list_room, sizeof *saving->list);
    if (!saving->room || !saving->list) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to store vectors");
    }
    /* Commits from here on keep what they change; those before must be in the set. */
    if (!store_vectors_begin(store, &saving->generation, fault) ||
        !lookalike_wait_applied(saving->lookalike, NULL, fault) || !freeze(saving, fault)) {
        return false;
    }
    return blocks_save(saving, fault) &&
           store_vectors_publish(store, saving->generation, saving->seq,
                                 proto_span_text(saving->head), fault);
}

bool lookalike_save(struct lookalike *lookalike, struct engine_job *job, struct proto_fault *fault)
{
    struct saving saving = {.lookalike = lookalike, .job = job};
    bool good = save(&saving, fault);
    thaw(&saving);
    free(saving.room);
    free(saving.list);
    free(saving.head);
    if (good) {
        base_log(engine_log(lookalike->engine), BASE_LOG_INFO, "lookalike", "vectors are stored",
                 BASE_FIELDS(base_field_uint("seq", saving.seq)));
    }
    return good;
}

static bool save_run(struct engine_job *job, struct proto_fault *fault)
{
    return lookalike_save(job->context, job, fault);
}

static void save_done(void *context, const struct engine_job_info *info)
{
    struct lookalike *lookalike = context;
    (void)info;
    pthread_mutex_lock(&lookalike->lock);
    lookalike->save_queued = false;
    pthread_mutex_unlock(&lookalike->lock);
}

static void nothing(void *context)
{
    (void)context;
}

void lookalike_save_later(struct lookalike *lookalike)
{
    struct proto_fault fault = {0};
    pthread_mutex_lock(&lookalike->lock);
    bool queued = lookalike->save_queued;
    lookalike->save_queued = true;
    pthread_mutex_unlock(&lookalike->lock);
    struct engine_job job = {.context = lookalike,
                             .run = save_run,
                             .on_done = save_done,
                             .callback_context = lookalike,
                             .destroy = nothing};
    if (!queued &&
        engine_job_submit(lookalike->engine, PROTO_OP_SIMILAR_BUILD, &job, &fault) == 0) {
        save_done(lookalike, NULL);
    }
}
