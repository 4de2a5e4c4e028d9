/* SPDX-License-Identifier: Apache-2.0 */
/* A child opens the store, scrubs it, asks for every account through a view of its own, then for
 * all of them through one, the damaged first; writes to every account that was answered, folds,
 * asks again, and does so once more after a restart. Whatever is answered must be true; whatever
 * was answered alone must be answered beside damage too, and must take a write. */
#include "tests/damage/damage_world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "server/store/dump.h"
#include "server/store/vector_blocks.h"

enum { MISSING = 20, WRITTEN_EACH = 30, NEW = 5 };

/* In the child. */
struct look {
    struct world *world;
    struct store *store;
    enum damage_outcome outcome;
    bool refused;
    bool sound[WORLD_ACCOUNTS + MISSING];
    double numbers[WORLD_ACCOUNTS]; /* as they must be now */
    int events[WORLD_ACCOUNTS];
    struct world_past pasts[WORLD_ACCOUNTS];
};

/* ICP_LOUD says where in this file it was seen. */
static void found_at(struct look *look, enum damage_outcome outcome, int line)
{
    if (outcome >= DAMAGE_WRONG && getenv("ICP_LOUD") != NULL) {
        fprintf(stderr, "outcome %d at line %d\n", (int)outcome, line);
    }
    if (outcome > look->outcome) {
        look->outcome = outcome;
    }
}

#define found(look, outcome) found_at(look, outcome, __LINE__)

static bool row_right(const uint8_t *row, double number)
{
    return row == NULL || (row[0] == (uint8_t)number && row[1] == 's' && row[2] == 2);
}

static enum damage_outcome record_look(struct look *look, struct store_view *view, int i)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_span bytes;
    struct feature_record record = {0};
    struct feature_value values[2];
    char id[32];
    bool deleted = look->world->deleted[i];
    world_text(id, "id", i);
    if (!store_record(view, (uint32_t)i, &bytes, &fault)) {
        if (fault.code != PROTO_NOT_FOUND) {
            return DAMAGE_PART;
        }
        return deleted ? DAMAGE_NONE : DAMAGE_WRONG;
    }
    if (!feature_record_open(bytes, true, &record, &fault)) {
        return DAMAGE_WRONG;
    }
    if (deleted) { /* its slot may have been given to another */
        return proto_span_is(record.id, id) ? DAMAGE_WRONG : DAMAGE_NONE;
    }
    feature_record_values(&record, values, 2);
    bool right = proto_span_is(record.id, id) && values[0].number == look->numbers[i] &&
                 proto_span_is(values[1].text, "some category that is stored");
    return right ? DAMAGE_NONE : DAMAGE_WRONG;
}

/* All of one account, by every way that leads to it; those above the last are not there. */
static enum damage_outcome account_look(struct look *look, struct store_view *view, int i)
{
    struct proto_fault fault = {.code = PROTO_OK};
    char id[32];
    char key[32];
    bool there = i < WORLD_ACCOUNTS && !look->world->deleted[i];
    uint32_t expected = there ? (uint32_t)i : STORE_NO_SLOT;
    world_text(id, "id", i);
    world_text(key, "crm:", i);
    struct proto_span id_span = span(id);
    uint32_t slot = store_find_id(view, id_span, &fault);
    if (fault.code == PROTO_OK && slot != expected) {
        return DAMAGE_WRONG;
    }
    bool refused = fault.code != PROTO_OK;
    fault.code = PROTO_OK;
    slot = store_find_key(view, span(key), &fault);
    if (fault.code == PROTO_OK && slot != expected) {
        return DAMAGE_WRONG;
    }
    refused |= fault.code != PROTO_OK;
    const uint8_t *row;
    store_find_many(view, &id_span, 1, &slot, &row);
    if ((slot != expected && slot != STORE_BAD_SLOT) ||
        (row != NULL && (!there || !row_right(row, look->numbers[i])))) {
        return DAMAGE_WRONG;
    }
    refused |= slot == STORE_BAD_SLOT;
    if (there) {
        fault.code = PROTO_OK;
        row = store_row(view, (uint32_t)i, &fault);
        refused |= row == NULL && fault.code != PROTO_OK;
        if (!row_right(row, look->numbers[i])) {
            return DAMAGE_WRONG;
        }
        enum damage_outcome timeline = damage_timeline(view, i, look->events[i]);
        if (timeline == DAMAGE_WRONG) {
            return DAMAGE_WRONG;
        }
        enum damage_outcome history = damage_history(view, i, &look->pasts[i]);
        if (history == DAMAGE_WRONG) {
            return DAMAGE_WRONG;
        }
        refused |= timeline != DAMAGE_NONE || history != DAMAGE_NONE;
    }
    enum damage_outcome outcome = i < WORLD_ACCOUNTS ? record_look(look, view, i) : DAMAGE_NONE;
    return outcome == DAMAGE_NONE && refused ? DAMAGE_PART : outcome;
}

static void alone_look(struct look *look)
{
    for (int i = 0; i < WORLD_ACCOUNTS + MISSING; i++) {
        struct proto_fault fault;
        struct store_view *view = store_view_open(look->store, &fault);
        if (view == NULL) {
            found(look, DAMAGE_POISONED);
            return;
        }
        enum damage_outcome outcome = account_look(look, view, i);
        look->sound[i] = outcome == DAMAGE_NONE;
        look->refused |= outcome == DAMAGE_PART;
        found(look, outcome);
        store_view_close(view);
    }
}

/* Through one view; what is damaged comes first. */
static void beside_look(struct look *look)
{
    struct proto_fault fault;
    struct store_view *view = store_view_open(look->store, &fault);
    if (view == NULL) {
        found(look, DAMAGE_POISONED);
        return;
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < WORLD_ACCOUNTS + MISSING; i++) {
            if (look->sound[i] != (round == 1)) {
                continue;
            }
            enum damage_outcome outcome = account_look(look, view, i);
            bool poisoned = outcome == DAMAGE_PART && look->sound[i];
            found(look, poisoned ? DAMAGE_POISONED : outcome);
        }
    }
    store_view_close(view);
}

static void text_look(struct look *look, struct store_view *view, enum store_document_kind kind,
                      int number, const char *prefix)
{
    struct proto_span text;
    char expected[32];
    world_text(expected, prefix, number);
    if (!document_text(kind, view, (uint32_t)number, &text)) {
        look->refused = true;
        found(look, DAMAGE_PART);
    } else if (!proto_span_is(text, expected)) {
        found(look, DAMAGE_WRONG);
    }
}

static void documents_look(struct look *look, struct store_view *view)
{
    for (int i = 1; i <= WORLD_DOCUMENTS; i++) {
        text_look(look, view, STORE_DOCUMENT_SCHEMA, i, "schema");
        text_look(look, view, STORE_DOCUMENT_ICP, i, "icp");
        text_look(look, view, STORE_DOCUMENT_SWITCH, i, "icp");
    }
    for (int i = 1; i <= WORLD_LISTS; i++) {
        text_look(look, view, STORE_DOCUMENT_TAL, i, "list");
    }
}

static bool ignore_slots(void *context, const uint32_t *slots, size_t count)
{
    *(uint64_t *)context += count + (count > 0 && slots[0] == UINT32_MAX);
    return true;
}

static void vectors_look(struct look *look, struct store_view *view)
{
    const struct world *world = look->world;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_vectors_head head;
    uint64_t touched = 0;
    bool good = store_vectors_head(view, &head, &fault);
    if (good && (head.generation != world->generation || head.seq != world->vectors_seq ||
                 !proto_span_is(head.text, "vectors"))) {
        found(look, DAMAGE_WRONG);
    }
    for (uint32_t i = 0; i < WORLD_BLOCKS; i++) {
        struct proto_span block;
        char expected[WORLD_BLOCK_BYTES];
        world_block(expected, i);
        if (!store_vectors_block(view, world->generation, 3, i, &block, &fault)) {
            good = false;
        } else if (block.bytes != sizeof expected ||
                   memcmp(block.data, expected, sizeof expected) != 0) {
            found(look, DAMAGE_WRONG);
        }
    }
    good &= store_vectors_touched(view, world->vectors_seq, ignore_slots, &touched, &fault);
    if (!good) {
        look->refused = true;
        found(look, DAMAGE_PART);
    } else if (touched < WORLD_FOLDED - WORLD_FIRST) {
        found(look, DAMAGE_WRONG);
    }
}

/* What was told at the opening: as it was, or as damaged, without a text. */
static void told_look(struct look *look)
{
    static const char *const prefixes[STORE_DOCUMENT_COUNT] = {[STORE_DOCUMENT_SCHEMA] = "schema",
                                                               [STORE_DOCUMENT_ICP] = "icp",
                                                               [STORE_DOCUMENT_SWITCH] = "icp",
                                                               [STORE_DOCUMENT_TAL] = "list"};
    const struct fixture *fixture = &look->world->fixture;
    if (fixture->change_count != 2 * WORLD_DOCUMENTS + 1 + WORLD_LISTS) {
        found(look, DAMAGE_WRONG);
        return;
    }
    for (size_t i = 0; i < fixture->change_count; i++) {
        const struct store_change *change = &fixture->changes[i];
        char expected[32];
        world_text(expected, prefixes[change->kind], (int)change->version);
        if (change->text.bytes > 0 && !proto_span_is(change->text, expected)) {
            found(look, DAMAGE_WRONG);
        }
    }
}

/* A write under an operation id that was applied. */
static void repeat_look(struct look *look)
{
    struct store_result result;
    struct store_batch *batch = store_batch_create();
    world_put(batch, 0, 150);
    if (!world_operation(batch, 1)) {
        abort();
    }
    if (store_submit_wait(look->store, batch, &result) &&
        (!result.repeated || result.seq != look->world->operation_seq)) {
        found(look, DAMAGE_WRONG);
    }
}

/* Every account that is sound takes a write, many in one batch. */
static void write_all(struct look *look, int add)
{
    for (int i = 0; i < WORLD_ACCOUNTS;) {
        struct store_result result;
        struct store_batch *batch = store_batch_create();
        int count = 0;
        for (; i < WORLD_ACCOUNTS && count < WRITTEN_EACH; i++) {
            if (look->sound[i] && !look->world->deleted[i]) {
                double number = (i + add) % 200;
                world_past(&look->pasts[i], look->numbers[i], number);
                look->numbers[i] = number;
                world_put(batch, i, look->numbers[i]);
                world_tell(batch, i, look->events[i]++, 1);
                count++;
            }
        }
        if (count > 0 && !store_submit_wait(look->store, batch, &result)) {
            found(look, DAMAGE_POISONED);
        } else if (count == 0) {
            store_batch_destroy(batch);
        }
    }
    for (int i = 0; i < NEW; i++) {
        struct store_result result;
        struct store_batch *batch = store_batch_create();
        world_put(batch, 1000 + add + i, 1);
        if (!store_submit_wait(look->store, batch, &result) && result.fault.code != PROTO_CORRUPT) {
            found(look, DAMAGE_POISONED);
        }
    }
}

static bool open_again(struct look *look)
{
    struct fixture *fixture = &look->world->fixture;
    struct store_encoder encoder = world_encoder(look->world);
    struct proto_fault fault;
    fixture->change_count = 0;
    look->store = store_open_tuned(&fixture->options, &fixture->tuning, &fault);
    if (look->store != NULL) {
        store_set_encoder(look->store, &encoder);
    }
    return look->store != NULL;
}

static void index_wait(const struct look *look)
{
    for (int i = 0; i < 1000; i++) {
        struct store_stats stats;
        store_stats(look->store, &stats);
        if (stats.index_ready != 0) {
            return;
        }
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
}

static void look_first(struct look *look)
{
    struct proto_fault fault;
    told_look(look);
    uint64_t bad = store_scrub(look->store, NULL, NULL, &fault);
    alone_look(look);
    struct store_view *view = store_view_open(look->store, &fault);
    if (view == NULL) {
        found(look, DAMAGE_POISONED);
        return;
    }
    documents_look(look, view);
    vectors_look(look, view);
    store_view_close(view);
    if (look->refused && bad == 0) {
        found(look, DAMAGE_UNNOTICED);
    }
    index_wait(look);
    beside_look(look);
    repeat_look(look);
}

static enum damage_outcome look_all(struct world *world)
{
    struct look look = {.world = world};
    struct proto_fault fault;
    memcpy(look.numbers, world->numbers, sizeof look.numbers);
    memcpy(look.events, world->events, sizeof look.events);
    memcpy(look.pasts, world->pasts, sizeof look.pasts);
    if (!open_again(&look)) {
        return DAMAGE_WHOLE;
    }
    look_first(&look);
    for (int round = 0; round < 2 && look.outcome < DAMAGE_WRONG; round++) {
        write_all(&look, 31 + round * 20);
        beside_look(&look);
        if (!store_fold_wait(look.store, &fault)) {
            found(&look, DAMAGE_POISONED);
        }
        beside_look(&look);
        store_close(look.store);
        if (!open_again(&look)) {
            return DAMAGE_POISONED;
        }
        beside_look(&look);
    }
    store_close(look.store);
    return look.outcome;
}

enum damage_outcome damage_look(struct world *world)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (getenv("ICP_LOUD") == NULL) {
            fclose(stderr);
        }
        alarm(60);
        _exit(look_all(world) & 0xff);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) < DAMAGE_CRASHED
               ? (enum damage_outcome)WEXITSTATUS(status)
               : DAMAGE_CRASHED;
}
