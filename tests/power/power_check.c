/* SPDX-License-Identifier: Apache-2.0 */
/* What a cut left is opened; its sequence must lie between what was acknowledged and what was asked
 * for, and then every account, document and vector must be just as the first so many batches leave
 * it. What is wrong is said in a sentence. */
#include <stdio.h>
#include <string.h>

#include "server/event/event.h"
#include "server/store/dump.h"
#include "tests/power/power_parts.h"

enum { WHY_BYTES = 768 };

struct account {
    bool living;
    uint64_t put;  /* sequence that its fields from 2 on are of */
    uint64_t last; /* and its fields 0 and 1 */
};

/* What a store that has seen m batches holds. */
struct state {
    struct account accounts[ACCOUNTS];
    uint32_t living, schemas, icps, active, previous, tals, terms;
};

static void state_after(const struct story *story, uint64_t upto, struct state *state)
{
    *state = (struct state){0};
    for (size_t i = 0; i < story->step_count && story->steps[i].sequence <= upto; i++) {
        const struct step *step = &story->steps[i];
        struct account *account = &state->accounts[step->account];
        if (step->change == CHANGE_TELL) {
            continue;
        }
        state->living += step->change != CHANGE_DELETE && !account->living;
        state->living -= step->change == CHANGE_DELETE;
        account->living = step->change != CHANGE_DELETE;
        if (step->change == CHANGE_PUT) {
            account->put = step->sequence;
        }
        account->last = step->sequence;
    }
    for (uint64_t i = 1; i <= upto; i++) {
        uint32_t before = state->active;
        state->schemas += story->documents[i] == DOCUMENT_SCHEMA;
        state->tals += story->documents[i] == DOCUMENT_TAL;
        state->terms += story->documents[i] == DOCUMENT_TERM;
        if (story->documents[i] == DOCUMENT_ICP) {
            state->active = ++state->icps;
            state->previous = before;
        } else if (story->documents[i] == DOCUMENT_REVERT) {
            state->active = state->previous;
            state->previous = before;
        }
    }
}

struct check {
    const struct story *story;
    struct store_view *view;
    uint64_t sequence;
    const struct state *state;
    char *why; /* WHY_BYTES */
    uint32_t active;
};

static bool text_is(const struct feature_value *value, uint64_t sequence, uint32_t account,
                    unsigned field)
{
    char text[1024];
    size_t bytes = story_text_make(sequence, account, field, text);
    return value->present && value->text.bytes == bytes &&
           memcmp(value->text.data, text, bytes) == 0;
}

/* What was told of an account since it was put, step by step. */
struct told {
    const struct story *story;
    uint64_t upto;
    uint32_t account;
    size_t step;
    uint32_t place;
};

/* The next event that must be there; false: no further one. */
static bool told_next(struct told *told, struct event *event, char id[24], uint64_t *sequence)
{
    for (; told->step < told->story->step_count; told->step++, told->place = 0) {
        const struct step *step = &told->story->steps[told->step];
        if (step->sequence > told->upto) {
            return false;
        }
        if (step->account == told->account && told->place < step->events) {
            *sequence = step->sequence;
            *event = story_event_make(step->sequence, told->account, told->place++, id);
            return true;
        }
    }
    return false;
}

static bool told_compare(void *context, const struct event *found)
{
    struct told *told = context;
    struct event right;
    char id[24];
    uint64_t sequence = 0;
    bool same = told_next(told, &right, id, &sequence) && event_same(&right, found) &&
                found->seq == sequence;
    told->upto = same ? told->upto : 0; /* then no event is right any more */
    return same;
}

static bool timeline_check(struct check *check, uint32_t slot, uint32_t number)
{
    struct told told = {.story = check->story, .upto = check->sequence, .account = number};
    struct event next;
    struct proto_fault fault = {.code = PROTO_OK};
    char id[24];
    uint64_t sequence;
    for (size_t i = 0; i < check->story->step_count; i++) {
        const struct step *step = &check->story->steps[i];
        if (step->sequence <= check->sequence && step->account == number &&
            step->change == CHANGE_DELETE) {
            told.step = i + 1;
        }
    }
    bool read = store_timeline(check->view, slot, told_compare, &told, &fault);
    if (!read || told.upto == 0 || told_next(&told, &next, id, &sequence)) {
        snprintf(check->why, WHY_BYTES, "the timeline of account %u is not what was told (%s)",
                 number, fault.message);
        return false;
    }
    return true;
}

static bool account_check(struct check *check, uint32_t number)
{
    const struct account *account = &check->state->accounts[number];
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_span bytes;
    struct feature_record record;
    struct feature_value values[FIELDS];
    char id[16];
    char key[24];
    snprintf(id, sizeof id, "a%05u", number);
    snprintf(key, sizeof key, "k:%u", number);
    uint32_t slot = store_find_id(check->view, proto_span_text(id), &fault);
    uint32_t keyed = store_find_key(check->view, proto_span_text(key), &fault);
    bool good = fault.code == PROTO_OK && (slot != STORE_NO_SLOT) == account->living &&
                keyed == (number % 2 == 1 ? slot : STORE_NO_SLOT);
    if (good && account->living) {
        good = store_record(check->view, slot, &bytes, &fault) &&
               feature_record_open(bytes, true, &record, &fault);
        if (good) {
            feature_record_values(&record, values, FIELDS);
            good = values[0].present && values[0].number == (double)account->last &&
                   text_is(&values[1], account->last, number, 1);
        }
        for (unsigned field = 2; good && field < FIELDS; field++) {
            good = text_is(&values[field], account->put, number, field);
        }
    }
    if (!good) {
        snprintf(check->why, WHY_BYTES, "account %u is not as batch %llu left it (%s)", number,
                 (unsigned long long)account->last, fault.message);
    }
    return good && (!account->living || timeline_check(check, slot, number));
}

static void switch_take(void *context, const struct store_change *change)
{
    ((struct check *)context)->active = change->version;
}

/* Numbers 1 to `count` are stored as they were made, and no further one is. */
static bool documents_stored(struct check *check, enum document document, uint32_t count)
{
    struct store_change change;
    struct proto_fault fault;
    char text[64];
    for (uint32_t number = 1; number <= count; number++) {
        struct proto_span made = story_document_text(check->story, document, number, text);
        if (!store_document_get(check->view, story_documents[document].kind, number, &change,
                                &fault) ||
            !proto_span_equal(change.text, made)) {
            return false;
        }
    }
    return !store_document_get(check->view, story_documents[document].kind, count + 1, &change,
                               &fault);
}

/* The entries that are there are a whole chain, as whoever verifies the plan reads them. */
static bool chain_check(struct check *check)
{
    struct store_change change;
    struct proto_fault fault;
    struct power_chain *chain = power_chain_begin();
    bool good = true;
    for (uint32_t number = 1; good && number <= check->state->terms; number++) {
        good = store_document_get(check->view, STORE_DOCUMENT_TERM, number, &change, &fault) &&
               power_chain_take(chain, change.text, &fault);
        if (!good) {
            snprintf(check->why, WHY_BYTES, "entry %u of the plan: %.300s", number, fault.message);
        }
    }
    power_chain_end(chain);
    return good;
}

static bool documents_check(struct check *check)
{
    const struct state *state = check->state;
    struct proto_fault fault;
    bool good = documents_stored(check, DOCUMENT_SCHEMA, state->schemas) &&
                documents_stored(check, DOCUMENT_ICP, state->icps) &&
                documents_stored(check, DOCUMENT_TAL, state->tals) &&
                documents_stored(check, DOCUMENT_TERM, state->terms) &&
                store_switches(check->view, switch_take, check, &fault) &&
                check->active == state->active;
    if (!good) {
        snprintf(check->why, WHY_BYTES,
                 "a schema, ICP, switch, list or entry of a plan is not as it was left");
    }
    return good && chain_check(check);
}

static bool vectors_check(struct check *check, const struct story_seen *seen)
{
    struct store_vectors_head head = {0};
    struct proto_fault fault;
    uint8_t bytes[BLOCK_BYTES];
    bool good = store_vectors_head(check->view, &head, &fault) &&
                head.generation >= seen->notes[STORY_VECTORS_ACKED] &&
                head.generation <= seen->notes[STORY_VECTORS_ASKED];
    for (uint32_t number = 0; good && head.generation != 0 && number < BLOCKS; number++) {
        struct proto_span block = {0};
        story_block_fill(bytes, head.generation, number);
        good = store_vectors_block(check->view, head.generation, 1, number, &block, &fault) &&
               block.bytes >= BLOCK_BYTES && memcmp(block.data, bytes, BLOCK_BYTES) == 0;
    }
    if (!good) {
        snprintf(check->why, WHY_BYTES, "the vectors are not as they were published: generation %u",
                 head.generation);
    }
    return good;
}

static void bad_take(void *context, const char *what)
{
    snprintf(context, WHY_BYTES, "scrub: %s", what);
}

static enum story_verdict view_check(struct check *check, const struct story_seen *seen,
                                     uint64_t *found)
{
    static struct state state;
    uint64_t sequence = *found = store_view_seq(check->view);
    check->state = &state;
    if (sequence < seen->notes[STORY_ACKED]) {
        snprintf(check->why, WHY_BYTES, "%llu batches acknowledged, %llu there",
                 (unsigned long long)seen->notes[STORY_ACKED], (unsigned long long)sequence);
        return STORY_LOST;
    }
    if (sequence > seen->notes[STORY_ASKED]) {
        snprintf(check->why, WHY_BYTES, "%llu batches submitted, %llu there",
                 (unsigned long long)seen->notes[STORY_ASKED], (unsigned long long)sequence);
        return STORY_WRONG;
    }
    check->sequence = sequence;
    state_after(check->story, sequence, &state);
    if (store_view_accounts(check->view) != state.living) {
        snprintf(check->why, WHY_BYTES, "%u accounts should live, not %llu", state.living,
                 (unsigned long long)store_view_accounts(check->view));
        return STORY_WRONG;
    }
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        if (!account_check(check, i)) {
            return STORY_WRONG;
        }
    }
    return documents_check(check) && vectors_check(check, seen) ? STORY_GOOD : STORY_WRONG;
}

/* The store goes on where it is, and remembers. */
static enum story_verdict again_check(struct store **store, const char *path, uint64_t sequence,
                                      char *why)
{
    struct proto_fault fault;
    struct store_result result;
    uint8_t bytes[8192];
    struct store_batch *batch = story_must(store_batch_create());
    struct proto_span record = {bytes,
                                story_record_make(sequence + 1, 7, true, bytes, sizeof bytes)};
    story_encoder_set(*store, 4711);
    if (!store_batch_put(batch, record, &fault)) {
        story_broken("a command", &fault);
    }
    bool good = store_submit_wait(*store, batch, &result) && result.seq == sequence + 1;
    if (!good) {
        snprintf(why, WHY_BYTES, "it cannot be written: %s", result.fault.message);
    }
    store_close(*store);
    *store = story_open(path, STORY_MAP_BYTES, &fault);
    if (good && *store == NULL) {
        snprintf(why, WHY_BYTES, "the second time: %s", fault.message);
        return STORY_UNOPENABLE;
    }
    struct store_view *view = *store == NULL ? NULL : store_view_open(*store, &fault);
    if (good && (view == NULL || store_view_seq(view) != sequence + 1)) {
        snprintf(why, WHY_BYTES, "what was written after the cut is not there");
        good = false;
    }
    store_view_close(view);
    return good ? STORY_GOOD : STORY_WRONG;
}

bool story_recover(const struct story *story, const char *path)
{
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t reached;
    struct store *store = story_open(path, STORY_MAP_BYTES, &fault);
    bool good = store != NULL;
    if (store != NULL) {
        story_encoder_set(store, 4711);
        good = story->kind != STORY_BACKUP || story_backup_continue(store, path, &reached, &fault);
        store_close(store);
    }
    if (!good) {
        fprintf(stderr, "power: a start after a cut: %s\n", fault.message);
    }
    return good;
}

/* What the backups give: nothing, if none had ended; else no less than the last that had, no more
 * than the store beside them, and what it gives is as the batches up to there left it. */
static enum story_verdict backups_check(const struct story *story, const char *path,
                                        const struct story_seen *seen, uint64_t sequence, char *why)
{
    char restored[128];
    struct proto_fault fault = {.code = PROTO_OK};
    struct story_seen backed = *seen;
    struct check check = {.story = story, .why = why};
    enum story_verdict verdict = STORY_LOST;
    uint64_t found = 0;
    backed.notes[STORY_ACKED] = seen->notes[STORY_BACKED];
    snprintf(restored, sizeof restored, "%s/restored", path);
    if (!story_backup_restore(path, restored, &fault)) {
        snprintf(why, WHY_BYTES, "no restore (backed up to batch %llu): %s",
                 (unsigned long long)seen->notes[STORY_BACKED], fault.message);
        return seen->notes[STORY_BACKED] > 0   ? STORY_LOST
               : fault.code == PROTO_NOT_FOUND ? STORY_GOOD
                                               : STORY_WRONG;
    }
    struct store *store = story_open(restored, STORY_MAP_BYTES, &fault);
    if (store != NULL) {
        check.view = store_view_open(store, &fault);
    }
    if (check.view == NULL) {
        snprintf(why, WHY_BYTES, "what was restored cannot be opened: %s", fault.message);
    } else {
        verdict = view_check(&check, &backed, &found);
    }
    store_view_close(check.view);
    if (verdict == STORY_GOOD && found > sequence) {
        snprintf(why, WHY_BYTES, "a backup holds batch %llu, the store %llu",
                 (unsigned long long)found, (unsigned long long)sequence);
        verdict = STORY_WRONG;
    }
    if (verdict == STORY_GOOD && store_scrub(store, bad_take, why, &fault) != 0) {
        verdict = STORY_WRONG;
    }
    if (store != NULL) {
        store_close(store);
    }
    return verdict;
}

/* They are continued where they are. */
static enum story_verdict backups_again(struct store *store, const char *path, char *why)
{
    char restored[128];
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t reached = 0;
    snprintf(restored, sizeof restored, "%s/restored again", path);
    uint64_t head = store_log_head(store, &fault);
    if (!story_backup_continue(store, path, &reached, &fault) || reached != head ||
        !story_backup_restore(path, restored, &fault)) {
        snprintf(why, WHY_BYTES, "the backups after the cut reach %llu of %llu: %s",
                 (unsigned long long)reached, (unsigned long long)head, fault.message);
        return STORY_WRONG;
    }
    return STORY_GOOD;
}

enum story_verdict story_check(const struct story *story, const char *path,
                               const struct story_seen *seen, bool again, bool quiet)
{
    struct proto_fault fault = {.code = PROTO_OK};
    char why[WHY_BYTES] = "";
    uint64_t sequence = 0;
    struct check check = {.story = story, .why = why};
    enum story_verdict verdict = STORY_UNOPENABLE;
    struct store *store = story_open(path, STORY_MAP_BYTES, &fault);
    if (store != NULL) {
        check.view = store_view_open(store, &fault);
    }
    if (check.view == NULL) {
        snprintf(why, sizeof why, "it cannot be opened: %s", fault.message);
    } else {
        verdict = view_check(&check, seen, &sequence);
    }
    store_view_close(check.view);
    if (verdict == STORY_GOOD && store_scrub(store, bad_take, why, &fault) != 0) {
        verdict = STORY_WRONG;
    }
    if (verdict == STORY_GOOD && story->kind == STORY_BACKUP) {
        verdict = backups_check(story, path, seen, sequence, why);
    }
    if (verdict == STORY_GOOD && again) {
        verdict = again_check(&store, path, sequence, why);
    }
    if (verdict == STORY_GOOD && again && story->kind == STORY_BACKUP) {
        verdict = backups_again(store, path, why);
    }
    if (store != NULL) {
        store_close(store);
    }
    if (verdict != STORY_GOOD && !quiet) {
        fprintf(stderr, "power: %s\n", why);
    }
    return verdict;
}
