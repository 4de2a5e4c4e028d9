/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/cluster/memory_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct handle {
    struct memory_log *memory;
    const char *node;
    bool poked;
    uint64_t seen;
};

void memory_log_init(struct memory_log *memory)
{
    *memory = (struct memory_log){.head = {.log = 7}};
    pthread_mutex_init(&memory->lock, NULL);
    pthread_cond_init(&memory->moved, NULL);
}

void memory_log_fini(struct memory_log *memory)
{
    for (uint64_t i = 0; i < memory->head.head; i++) {
        free((void *)(uintptr_t)memory->entries[i].payload.data);
    }
    pthread_cond_destroy(&memory->moved);
    pthread_mutex_destroy(&memory->lock);
}

void memory_log_where(const struct memory_log *memory, char where[32])
{
    (void)snprintf(where, 32, "%" PRIuPTR, (uintptr_t)memory);
}

void memory_log_away(struct memory_log *memory, bool away)
{
    pthread_mutex_lock(&memory->lock);
    memory->away = away;
    pthread_mutex_unlock(&memory->lock);
}

/* Takes the lock; gives it back where nothing can be reached. */
static bool enter(struct memory_log *memory, struct proto_fault *fault)
{
    pthread_mutex_lock(&memory->lock);
    if (!memory->away) {
        return true;
    }
    pthread_mutex_unlock(&memory->lock);
    return proto_fault_set(fault, PROTO_IO, "cluster_log", "the planted log is away");
}

static void leave(struct memory_log *memory)
{
    pthread_mutex_unlock(&memory->lock);
}

static bool memory_open(void *context, struct proto_fault *fault)
{
    struct handle *handle = context;
    bool good = enter(handle->memory, fault);
    if (good) {
        leave(handle->memory);
    }
    return good;
}

static bool memory_look(void *context, struct cluster_head *head, struct proto_fault *fault)
{
    struct handle *handle = context;
    if (!enter(handle->memory, fault)) {
        return false;
    }
    *head = handle->memory->head;
    leave(handle->memory);
    return true;
}

static bool memory_chain(void *context, uint64_t seq, uint8_t chain[CLUSTER_DIGEST_BYTES],
                         struct proto_fault *fault)
{
    struct handle *handle = context;
    if (!enter(handle->memory, fault)) {
        return false;
    }
    memcpy(chain, handle->memory->entries[seq - 1].chain, CLUSTER_DIGEST_BYTES);
    leave(handle->memory);
    return true;
}

static void entry_add(struct memory_log *memory, const struct cluster_entry *entry)
{
    struct cluster_logged *to = &memory->entries[memory->head.head++];
    uint8_t *copy = malloc(entry->payload.bytes + 1);
    memcpy(copy, entry->payload.data, entry->payload.bytes);
    copy[0] ^= memory->alters;
    *to = (struct cluster_logged){.seq = memory->head.head,
                                  .time_ms = 1000 * (int64_t)memory->head.head,
                                  .payload = {copy, entry->payload.bytes}};
    memcpy(to->id, entry->id, sizeof to->id);
    memcpy(to->digest, entry->digest, sizeof to->digest);
    cluster_chain_next(memory->head.chain, to);
    memcpy(to->chain, memory->head.chain, sizeof to->chain);
    memory->head.head_ms = to->time_ms;
}

static bool is_there(const struct memory_log *memory, const uint8_t id[CLUSTER_ID_BYTES])
{
    for (uint64_t i = 0; i < memory->head.head; i++) {
        if (memcmp(memory->entries[i].id, id, CLUSTER_ID_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

static enum cluster_append memory_append(void *context, const struct cluster_entry *entries,
                                         size_t count, bool again, uint64_t *last,
                                         struct proto_fault *fault)
{
    struct handle *handle = context;
    struct memory_log *memory = handle->memory;
    if (!enter(memory, fault)) {
        return again ? CLUSTER_APPEND_UNKNOWN : CLUSTER_APPEND_NOT_DONE;
    }
    bool there = again && !memory->forgetful && is_there(memory, entries[0].id);
    for (size_t i = 0; !there && i < count; i++) {
        entry_add(memory, &entries[i]);
    }
    *last = memory->head.head;
    bool lost = memory->lose > 0;
    memory->lose -= lost;
    pthread_cond_broadcast(&memory->moved);
    leave(memory);
    if (lost) {
        proto_fault_set(fault, PROTO_IO, "cluster_log", "the planted answer is lost");
    }
    return lost ? CLUSTER_APPEND_UNKNOWN : CLUSTER_APPEND_DONE;
}

static bool memory_read(void *context, uint64_t after, uint64_t acknowledged, size_t most,
                        bool (*each)(void *each_context, const struct cluster_logged *logged),
                        void *each_context, size_t *count, struct proto_fault *fault)
{
    struct handle *handle = context;
    struct memory_log *memory = handle->memory;
    *count = 0;
    (void)acknowledged; /* what is here is durable */
    if (!enter(memory, fault)) {
        return false;
    }
    if (strcmp(memory->unread, handle->node) == 0) {
        leave(memory);
        return proto_fault_set(fault, PROTO_IO, "cluster_log", "the planted log is not read");
    }
    uint64_t head = memory->head.head;
    handle->seen = memory->head.head;
    leave(memory); /* entries stay as they are */
    for (uint64_t seq = after + 1; seq <= head && *count < most; seq++) {
        ++*count;
        if (!each(each_context, &memory->entries[seq - 1])) {
            break;
        }
    }
    return true;
}

static void memory_wait(void *context, int timeout_ms)
{
    struct handle *handle = context;
    struct memory_log *memory = handle->memory;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)(timeout_ms > 20 ? 20 : timeout_ms) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&memory->lock);
    if (!handle->poked && memory->head.head == handle->seen) {
        (void)pthread_cond_timedwait(&memory->moved, &memory->lock, &until);
    }
    handle->poked = false;
    pthread_mutex_unlock(&memory->lock);
}

static void memory_poke(void *context)
{
    struct handle *handle = context;
    pthread_mutex_lock(&handle->memory->lock);
    handle->poked = true;
    pthread_cond_broadcast(&handle->memory->moved);
    pthread_mutex_unlock(&handle->memory->lock);
}

static bool memory_tell(void *context, const struct cluster_node *node, struct proto_fault *fault)
{
    (void)node;
    return memory_open(context, fault);
}

static bool memory_vote(void *context, const char *node, const struct cluster_check *check,
                        struct cluster_votes *votes, struct proto_fault *fault)
{
    struct handle *handle = context;
    struct memory_log *memory = handle->memory;
    if (!enter(memory, fault)) {
        return false;
    }
    struct memory_vote *own = NULL;
    *votes = (struct cluster_votes){.same = 0};
    for (size_t i = 0; i < memory->vote_count; i++) {
        struct memory_vote *vote = &memory->votes[i];
        if (vote->check.seq == check->seq && strcmp(vote->node, node) == 0) {
            own = vote;
        }
    }
    if (own == NULL) {
        own = &memory->votes[memory->vote_count++];
        (void)snprintf(own->node, sizeof own->node, "%s", node);
    }
    own->check = *check;
    for (size_t i = 0; i < memory->vote_count; i++) {
        const struct memory_vote *vote = &memory->votes[i];
        bool same = memcmp(&vote->check, check, sizeof *check) == 0;
        votes->same += same;
        if (vote->check.seq == check->seq && !same) {
            votes->other++;
            (void)snprintf(votes->others, sizeof votes->others, "%s", vote->node);
        }
    }
    leave(memory);
    return true;
}

static bool memory_found(void *context, uint64_t base, const uint8_t content[CLUSTER_DIGEST_BYTES],
                         struct proto_fault *fault)
{
    struct handle *handle = context;
    struct memory_log *memory = handle->memory;
    if (!enter(memory, fault)) {
        return false;
    }
    memory->head = (struct cluster_head){.log = 7, .head = base, .base = base, .has_content = true};
    memset(memory->head.base_chain, 7, sizeof memory->head.base_chain);
    memset(memory->head.chain, 7, sizeof memory->head.chain);
    memcpy(memory->head.base_content, content, CLUSTER_DIGEST_BYTES);
    leave(memory);
    return true;
}

static bool memory_keep(void *context, uint64_t oldest, uint64_t *base, struct proto_fault *fault)
{
    struct handle *handle = context;
    struct memory_log *memory = handle->memory;
    if (!enter(memory, fault)) {
        return false;
    }
    if (oldest > memory->head.base) {
        memory->head.base++; /* a step */
        memory->head.has_content = false;
        memcpy(memory->head.base_chain, memory->entries[memory->head.base - 1].chain,
               CLUSTER_DIGEST_BYTES);
    }
    *base = memory->head.base;
    leave(memory);
    return true;
}

static void memory_close(void *context)
{
    free(context);
}

bool memory_log_make(const struct cluster_log_options *options, struct cluster_log *log,
                     struct proto_fault *fault)
{
    struct handle *handle = calloc(1, sizeof *handle);
    if (handle == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a planted log");
    }
    handle->memory = (struct memory_log *)(uintptr_t)strtoull(options->where, NULL, 10);
    handle->node = options->node;
    *log = (struct cluster_log){.context = handle,
                                .close = memory_close,
                                .open = memory_open,
                                .look = memory_look,
                                .chain = memory_chain,
                                .append = memory_append,
                                .read = memory_read,
                                .wait = memory_wait,
                                .poke = memory_poke,
                                .tell = memory_tell,
                                .vote = memory_vote,
                                .keep = memory_keep,
                                .found = memory_found};
    return true;
}
