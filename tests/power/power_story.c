/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that is written follows from its sequence number and the account: no value is written
 * twice, so what is read back tells which batch it came from. The story remembers, for each
 * sequence, which accounts it changed and how; the state after any m is that history played up to
 * m. */
#include "tests/power/power_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/compact.h"
#include "server/store/vector_blocks.h"
#include "tests/power/power_trace.h"
#include "tests/unit/event/event_fixture.h"

#define STORY_MAP_STEP ((size_t)1 << 20)
/* Accounts that are told of, so few that their timelines are long; events of one at a time. */
enum { TOLD_ACCOUNTS = 12, TOLD_MAX = 60 };

const struct story_document story_documents[] = {
    [DOCUMENT_SCHEMA] = {"schema", STORE_DOCUMENT_SCHEMA},
    [DOCUMENT_ICP] = {"icp", STORE_DOCUMENT_ICP},
    [DOCUMENT_TAL] = {"tal", STORE_DOCUMENT_TAL},
    [DOCUMENT_TERM] = {"term", STORE_DOCUMENT_TERM}};

static const struct plan {
    const char *name;
    unsigned groups;        /* of batches that are submitted together */
    unsigned group_max;     /* batches of a group */
    unsigned batch_max;     /* accounts of a batch */
    unsigned document_each; /* a document every so many groups; 0: none */
    unsigned vectors_each;
    unsigned encoder_each;
    unsigned reopen_each;
    bool compacts; /* while it is closed */
    bool raises;   /* the limit of the tables, group by group */
    unsigned backup_each;
    bool tells; /* every other batch events instead */
    bool signs; /* every other batch the next entry of a plan instead */
} plans[STORY_KINDS] = {
    [STORY_CREATION] = {.name = "creation"},
    [STORY_SINGLE] = {"single", 150, 1, 1, 0, 0, 0, 70, false, false, 0, false, false},
    [STORY_MIXED] = {"mixed", 120, 5, 6, 6, 37, 29, 41, false, false, 0, false, false},
    [STORY_BULK] = {"bulk", 25, 3, 300, 0, 0, 11, 10, false, true, 0, false, false},
    [STORY_COMPACT] = {"compact", 30, 2, 60, 6, 13, 11, 3, true, false, 0, false, false},
    [STORY_BACKUP] = {"backup", 30, 4, 30, 6, 0, 11, 8, false, false, 2, false, false},
    [STORY_EVENTS] = {"events", 60, 4, 8, 0, 0, 0, 17, true, false, 0, true, false},
    [STORY_SIGNING] = {"signing", 70, 4, 4, 0, 0, 0, 13, true, false, 0, false, true},
};

const char *story_name(enum story_kind kind)
{
    return plans[kind].name;
}

_Noreturn void story_broken(const char *what, const struct proto_fault *fault)
{
    fprintf(stderr, "power: %s: %s\n", what, fault->message);
    abort();
}

void *story_must(void *memory)
{
    if (memory == NULL) {
        abort();
    }
    return memory;
}

static uint64_t draw(struct story *story, uint64_t below)
{
    story->random = story->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (story->random >> 33) % below;
}

struct story *story_create(enum story_kind kind, uint64_t seed)
{
    struct story *story = story_must(calloc(1, sizeof *story));
    story->kind = kind;
    story->random = seed * 2 + 1;
    story->plan = plans[kind].signs ? power_plan_create() : NULL;
    sem_init(&story->done, 0, 0);
    return story;
}

void story_destroy(struct story *story)
{
    free(story->steps);
    free(story->documents);
    power_plan_destroy(story->plan);
    sem_destroy(&story->done);
    free(story);
}

/* Texts of a record: mostly short, now and then a field of 1,000 bytes, so that some records take
 * pages of their own. */
size_t story_text_make(uint64_t sequence, uint32_t account, unsigned field, char *text)
{
    uint64_t mixed = (sequence * 31 + account) * 2654435761U + field * 40503U;
    size_t bytes = mixed >> 7 & 7 ? 10 + mixed % 50 : 1000;
    memset(text, 'a' + (int)(mixed % 26), bytes);
    int head = snprintf(text, 32, "%llu.%u.%u", (unsigned long long)sequence, account, field);
    text[head] = ' ';
    return bytes;
}

size_t story_record_make(uint64_t sequence, uint32_t account, bool whole, uint8_t *out, size_t room)
{
    char id[16];
    char key[24];
    char texts[FIELDS][1024];
    struct proto_fault fault;
    struct proto_span source = proto_span_text("power");
    struct feature_value values[FIELDS] = {
        {.present = true, .type = FEATURE_NUMBER, .number = (double)sequence}};
    for (unsigned field = 1; field < (whole ? FIELDS : 2); field++) {
        size_t bytes = story_text_make(sequence, account, field, texts[field]);
        values[field] = (struct feature_value){.present = true,
                                               .type = FEATURE_CATEGORY,
                                               .text = {(const uint8_t *)texts[field], bytes}};
    }
    snprintf(id, sizeof id, "a%05u", account);
    snprintf(key, sizeof key, "k:%u", account);
    struct proto_span keys[1] = {proto_span_text(key)};
    struct feature_record record = {.id = proto_span_text(id),
                                    .keys = keys,
                                    .key_count = account % 2,
                                    .sources = &source,
                                    .source_count = 1,
                                    .values = values,
                                    .value_slots = FIELDS};
    size_t bytes = feature_record_encode(&record, out, room, &fault);
    if (bytes == 0) {
        story_broken("a record", &fault);
    }
    return bytes;
}

/* Half of the accounts have ids that are plain numbers, which are stored as such. */
struct event story_event_make(uint64_t sequence, uint32_t account, uint32_t place, char id[24])
{
    uint64_t number = sequence * TOLD_MAX + place;
    uint64_t seed = number * 1000003 + account;
    struct event event = event_of(&seed, number, id);
    if (account % 2 == 0) {
        event.id.data += strlen("E-");
        event.id.bytes -= strlen("E-");
    }
    return event;
}

static void step_add(struct story *story, uint32_t account, enum change change, uint32_t events)
{
    if (story->step_count == story->step_room) {
        story->step_room = story->step_room * 2 + 1024;
        story->steps = story_must(realloc(story->steps, story->step_room * sizeof *story->steps));
    }
    story->steps[story->step_count++] = (struct step){story->sequences, account, change, events};
    story->living[account] = change != CHANGE_DELETE;
}

static void sequence_begin(struct story *story, enum document document)
{
    if (++story->sequences >= story->sequence_room) {
        story->sequence_room = story->sequence_room * 2 + 1024;
        story->documents = story_must(realloc(story->documents, story->sequence_room));
    }
    story->documents[story->sequences] = (uint8_t)document;
}

/* Events of accounts that are there; NULL: none of those that were drawn is. */
static struct store_batch *events_batch(struct story *story)
{
    uint32_t account = (uint32_t)draw(story, TOLD_ACCOUNTS);
    if (!story->living[account]) {
        return NULL;
    }
    struct store_batch *batch = story_must(store_batch_create());
    sequence_begin(story, DOCUMENT_NONE);
    for (uint64_t i = 1 + draw(story, 3); i > 0; i--, account = (account + 1) % TOLD_ACCOUNTS) {
        uint32_t count = story->living[account] ? 1 + (uint32_t)draw(story, TOLD_MAX) : 0;
        char name[16];
        snprintf(name, sizeof name, "a%05u", account);
        for (uint32_t place = 0; place < count; place++) {
            struct proto_fault fault;
            char id[24];
            struct event event = story_event_make(story->sequences, account, place, id);
            if (!store_batch_event(batch, proto_span_text(name), false, &event, &fault)) {
                story_broken("an event", &fault);
            }
        }
        if (count > 0) {
            step_add(story, account, CHANGE_TELL, count);
        }
    }
    return batch;
}

static struct store_batch *accounts_batch(struct story *story)
{
    struct store_batch *batch = story_must(store_batch_create());
    struct proto_fault fault;
    uint8_t bytes[8192];
    uint64_t count = 1 + draw(story, plans[story->kind].batch_max);
    sequence_begin(story, DOCUMENT_NONE);
    uint32_t account = (uint32_t)draw(story, ACCOUNTS);
    for (uint64_t i = 0; i < count; i++, account = (account + 1) % ACCOUNTS) {
        uint64_t what = story->living[account] ? draw(story, 100) : 0;
        enum change change = what < 60 ? CHANGE_PUT : what < 85 ? CHANGE_PATCH : CHANGE_DELETE;
        struct proto_span record = {bytes,
                                    story_record_make(story->sequences, account,
                                                      change == CHANGE_PUT, bytes, sizeof bytes)};
        char id[16];
        snprintf(id, sizeof id, "a%05u", account);
        bool good = change == CHANGE_PUT ? store_batch_put(batch, record, &fault)
                    : change == CHANGE_PATCH
                        ? store_batch_patch(batch, record, NULL, 0, &fault)
                        : store_batch_delete(batch, proto_span_text(id), &fault);
        if (!good) {
            story_broken("a command", &fault);
        }
        step_add(story, account, change, 0);
    }
    return batch;
}

struct proto_span story_document_text(const struct story *story, enum document document,
                                      uint32_t number, char text[64])
{
    if (document == DOCUMENT_TERM) {
        return power_plan_line(story->plan, number);
    }
    snprintf(text, 64, "{\"%s\": %u}", story_documents[document].name, number);
    return proto_span_text(text);
}

static uint32_t documents_upto(const struct story *story, enum document document, uint64_t upto)
{
    uint32_t count = 0;
    for (uint64_t i = 1; i <= upto; i++) {
        count += story->documents[i] == document;
    }
    return count;
}

static struct store_batch *document_batch(struct story *story)
{
    struct store_batch *batch = story_must(store_batch_create());
    struct proto_fault fault;
    char text[64];
    struct proto_span ids[2] = {proto_span_text("a00001"), proto_span_text("nobody")};
    enum document document = (enum document)(1 + draw(story, 4));
    if (document == DOCUMENT_REVERT && documents_upto(story, DOCUMENT_ICP, story->sequences) < 2) {
        document = DOCUMENT_ICP;
    }
    sequence_begin(story, document);
    bool good;
    if (document == DOCUMENT_REVERT) {
        good = store_batch_revert(batch, proto_span_text("back"), &fault);
    } else {
        uint32_t number = documents_upto(story, document, story->sequences);
        struct store_document made = {.kind = story_documents[document].kind,
                                      .number = number,
                                      .text = story_document_text(story, document, number, text),
                                      .activate = document == DOCUMENT_ICP};
        if (document == DOCUMENT_TAL) {
            made.ids = ids;
            made.id_count = 2;
        }
        good = store_batch_document(batch, &made, &fault);
    }
    if (!good) {
        story_broken("a document", &fault);
    }
    return batch;
}

/* The next entry of the plan; NULL: there is none. */
static struct store_batch *entry_batch(struct story *story)
{
    char unused[64];
    struct proto_fault fault;
    uint32_t number = 1 + documents_upto(story, DOCUMENT_TERM, story->sequences);
    if (number > POWER_PLAN_ENTRIES) {
        return NULL;
    }
    struct store_batch *batch = story_must(store_batch_create());
    sequence_begin(story, DOCUMENT_TERM);
    const struct store_document made = {
        .kind = STORE_DOCUMENT_TERM,
        .number = number,
        .text = story_document_text(story, DOCUMENT_TERM, number, unused)};
    if (!store_batch_document(batch, &made, &fault)) {
        story_broken("an entry of a plan", &fault);
    }
    return batch;
}

static void batch_done(void *context, const struct store_result *result)
{
    struct story *story = context;
    if (result->fault.code != PROTO_OK) {
        story_broken("a batch", &result->fault);
    }
    power_note(STORY_ACKED, result->seq);
    sem_post(&story->done);
}

static uint64_t group_submit(struct story *story, unsigned group)
{
    const struct plan *plan = &plans[story->kind];
    struct proto_fault fault;
    uint64_t batches = 1 + draw(story, plan->group_max);
    for (uint64_t i = 0; i < batches; i++) {
        bool document = plan->document_each != 0 && group % plan->document_each == 5 && i == 0 &&
                        story->sequences > 20;
        struct store_batch *batch = document                    ? document_batch(story)
                                    : plan->tells && i % 2 == 1 ? events_batch(story)
                                    : plan->signs && i % 2 == 1 ? entry_batch(story)
                                                                : NULL;
        batch = batch != NULL ? batch : accounts_batch(story);
        power_note(STORY_ASKED, story->sequences);
        if (!store_submit(story->store, batch, batch_done, story, &fault)) {
            story_broken("a submission", &fault);
        }
    }
    return batches;
}

static void group_await(struct story *story, uint64_t batches)
{
    for (uint64_t i = 0; i < batches; i++) {
        sem_wait(&story->done);
    }
}

void story_block_fill(uint8_t *bytes, uint32_t generation, uint32_t number)
{
    for (size_t i = 0; i < BLOCK_BYTES; i++) {
        bytes[i] = (uint8_t)(generation * 7 + number * 13 + i);
    }
}

static void vectors_write(struct story *story)
{
    struct proto_fault fault;
    uint8_t bytes[BLOCK_BYTES];
    uint32_t generation;
    uint64_t seen = story->sequences;
    if (!store_vectors_begin(story->store, &generation, &fault)) {
        story_broken("vectors", &fault);
    }
    for (uint32_t number = 0; number < BLOCKS; number++) {
        story_block_fill(bytes, generation, number);
        struct store_vector_block block = {1, number, {bytes, sizeof bytes}};
        if (!store_vectors_put(story->store, generation, &block, 1, &fault)) {
            story_broken("vectors", &fault);
        }
    }
    power_note(STORY_VECTORS_ASKED, generation);
    if (!store_vectors_publish(story->store, generation, seen, proto_span_text("{}"), &fault)) {
        story_broken("vectors", &fault);
    }
    power_note(STORY_VECTORS_ACKED, generation);
}

static int64_t story_now(void *context)
{
    (void)context;
    return 1700000000000;
}

static void change_ignore(void *context, const struct store_change *change)
{
    (void)context;
    (void)change;
}

struct store *story_open(const char *path, size_t map_bytes, struct proto_fault *fault)
{
    struct store_options options = {.path = path,
                                    .map_bytes_max = map_bytes,
                                    .log_bytes_max = 200000,
                                    .fold_bytes = 20000, /* folds come as often as commits */
                                    .now_ms = story_now,
                                    .on_change = change_ignore};
    const struct store_tuning tuning = {.segment_bytes = 64 << 10};
    return store_open_tuned(&options, &tuning, fault);
}

static void codes_make(void *context, const struct feature_value *values, size_t slots,
                       uint8_t *codes)
{
    (void)context;
    codes[0] = slots > 0 && values[0].present ? (uint8_t)(uint64_t)values[0].number : 0;
    codes[1] = slots > 1 && values[1].present ? values[1].text.data[0] : 0;
}

void story_encoder_set(struct store *store, uint64_t digest)
{
    struct store_encoder encoder = {
        .digest = digest, .code_bytes = 2, .value_slots = 2, .encode = codes_make};
    store_set_encoder(store, &encoder);
}

/* Enough for what a story has written by then, and little more. */
static size_t map_bytes_of(const struct story *story, unsigned group)
{
    return plans[story->kind].raises ? STORY_MAP_STEP * (8 + group) : STORY_MAP_BYTES;
}

static void opened(struct story *story, const char *path, unsigned group)
{
    struct proto_fault fault;
    story->store = story_open(path, map_bytes_of(story, group), &fault);
    if (story->store == NULL) {
        story_broken("opening", &fault);
    }
}

static void compacted(const char *path)
{
    struct proto_fault fault;
    struct store_compacted done;
    if (!store_compact(path, STORY_MAP_BYTES, &done, &fault)) {
        story_broken("compacting", &fault);
    }
}

void story_play(struct story *story, const char *path)
{
    const struct plan *plan = &plans[story->kind];
    opened(story, path, 0);
    if (plan->encoder_each != 0) {
        story_encoder_set(story->store, 1000);
    }
    for (unsigned group = 1; group <= plan->groups; group++) {
        (void)store_map_bytes_set(story->store, map_bytes_of(story, group));
        uint64_t batches = group_submit(story, group);
        if (plan->backup_each != 0 && group % plan->backup_each == 0) {
            story_backup_make(story, path, group % (4 * plan->backup_each) == 0);
        }
        group_await(story, batches);
        if (plan->vectors_each != 0 && group % plan->vectors_each == 0) {
            vectors_write(story);
        }
        if (plan->encoder_each != 0 && group % plan->encoder_each == 0) {
            story_encoder_set(story->store, 1000 + group);
        }
        if (plan->reopen_each != 0 && group % plan->reopen_each == 0) {
            store_close(story->store);
            if (plan->compacts) {
                compacted(path);
            }
            opened(story, path, group);
        }
    }
    store_close(story->store);
    story->store = NULL;
}
