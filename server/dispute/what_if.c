/* SPDX-License-Identifier: Apache-2.0 */
/* Both versions' scores and values, the filter and the field are columns; one pass over them
 * counts. Of those who change grade the ones whose fit moves farthest are kept in a heap, the
 * nearest of them on top. */
#include "server/dispute/what_if.h"

#include <math.h>
#include <stdlib.h>

#include "server/dispute/grades.h"
#include "server/engine/segments.h"

enum { ACCOUNTS_PER_ASKING = 1 << 16 };

#define WHOLE_MOST 4e15 /* hundredths that are rounded to whole ones */

/* Columns of a question. */
enum { BEFORE, AFTER, MATCHES, VALUES, WORTH_BEFORE, WORTH_AFTER, PLACES };

struct asking {
    const struct dispute_what_if *question;
    const struct learn_document *before, *after;
    struct dispute_grades grades_before, grades_after;
    struct dispute_cells cells[PLACES];
    bool filtered, divided;
    struct dispute_what_if_result *result;
};

void dispute_what_if_fini(struct dispute_what_if_result *result)
{
    free(result->parts);
    free(result->changed);
    *result = (struct dispute_what_if_result){0};
}

static bool versions_open(struct engine_worker *worker, struct asking *asking,
                          struct proto_fault *fault)
{
    const struct engine_state *state = engine_worker_state(worker);
    asking->after = engine_state_document(state, asking->question->icp, fault);
    asking->before =
        asking->after ? engine_state_document(state, asking->question->against, fault) : NULL;
    if (!asking->before) {
        return false;
    }
    asking->grades_before = dispute_grades_make(asking->before->scorecard);
    asking->grades_after = dispute_grades_make(asking->after->scorecard);
    asking->result->icp = asking->after->version;
    asking->result->against = asking->before->version;
    return true;
}

static bool column_ask(struct dispute *dispute, struct engine_worker *worker,
                       const struct engine_job *job, const struct dispute_wish *wish,
                       struct asking *asking, size_t place, struct proto_fault *fault)
{
    return dispute_column(dispute, worker, job, wish, asking->cells, PLACES, &asking->cells[place],
                          fault);
}

/* What accounts are worth, by the version that has learned it. */
static bool worth_ask(struct dispute *dispute, struct engine_worker *worker,
                      const struct engine_job *job, struct asking *asking,
                      struct proto_fault *fault)
{
    struct dispute_wish before = {.kind = DISPUTE_WORTH, .document = asking->before};
    struct dispute_wish after = {.kind = DISPUTE_WORTH, .document = asking->after};
    const struct learn_value *values[2] = {asking->before->value, asking->after->value};
    asking->result->value_before = values[0] ? values[0]->field : NULL;
    asking->result->value_after = values[1] ? values[1]->field : NULL;
    return (!values[0] || column_ask(dispute, worker, job, &before, asking, WORTH_BEFORE, fault)) &&
           (!values[1] || column_ask(dispute, worker, job, &after, asking, WORTH_AFTER, fault));
}

static bool filter_ask(struct dispute *dispute, struct engine_worker *worker,
                       const struct engine_job *job, struct asking *asking,
                       struct proto_fault *fault)
{
    struct proto_span text = asking->question->filter;
    asking->filtered = text.bytes > 0;
    if (!asking->filtered) {
        return true;
    }
    struct filter *filter =
        engine_filter_parse(engine_worker_state(worker), FILTER_OF_VALUES, text, fault);
    if (!filter) {
        return false;
    }
    struct dispute_wish wish = {.kind = DISPUTE_MATCH, .filter = filter, .text = text};
    bool ok = column_ask(dispute, worker, job, &wish, asking, MATCHES, fault);
    filter_destroy(filter);
    return ok;
}

static bool parts_begin(struct asking *asking, struct proto_fault *fault)
{
    struct dispute_what_if_result *result = asking->result;
    const struct dispute_cells *values = &asking->cells[VALUES];
    result->part_count = values->word_count + 1;
    result->parts = calloc(result->part_count, sizeof *result->parts);
    if (!result->parts) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "by", "no memory for the values");
    }
    for (size_t i = 1; i < result->part_count; i++) {
        result->parts[i].value = values->words[i - 1];
    }
    return true;
}

static bool field_ask(struct dispute *dispute, struct engine_worker *worker,
                      const struct engine_job *job, struct asking *asking,
                      struct proto_fault *fault)
{
    struct proto_span name = asking->question->by;
    asking->divided = name.bytes > 0;
    if (!asking->divided) {
        return true;
    }
    const struct feature_field *field =
        feature_schema_find(engine_worker_state(worker)->schema, name);
    bool label = !field && proto_span_is(name, "segment");
    if (!label && (!field || (field->type != FEATURE_CATEGORY && field->type != FEATURE_FLAG))) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "by",
                               field ? "'%.*s' is neither a category nor a flag"
                                     : "the schema has no field '%.*s'",
                               (int)name.bytes, (const char *)name.data);
    }
    struct dispute_wish wish = {.kind = DISPUTE_VALUE,
                                .field_id = label ? DISPUTE_LABEL : field->id};
    return column_ask(dispute, worker, job, &wish, asking, VALUES, fault) &&
           parts_begin(asking, fault);
}

static double move_of(const struct dispute_what_if_account *account)
{
    return fabs(account->fit_after - account->fit_before);
}

/* Whether a stands behind b: moved less, or as far and came later. */
static bool behind(const struct dispute_what_if_account *a, const struct dispute_what_if_account *b)
{
    double x = move_of(a);
    double y = move_of(b);
    return x != y ? x < y : a->slot > b->slot;
}

static void heap_sink(struct dispute_what_if_account *heap, size_t count, size_t at)
{
    for (size_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && behind(&heap[child + 1], &heap[child])) {
            child++;
        }
        if (!behind(&heap[child], &heap[at])) {
            return;
        }
        struct dispute_what_if_account kept = heap[at];
        heap[at] = heap[child];
        heap[child] = kept;
        at = child;
    }
}

static void heap_make(struct dispute_what_if_account *heap, size_t count)
{
    for (size_t at = count / 2; at > 0; at--) {
        heap_sink(heap, count, at - 1);
    }
}

static void changed_offer(struct asking *asking, const struct dispute_what_if_account *account)
{
    struct dispute_what_if_result *result = asking->result;
    size_t most = asking->question->most;
    if (result->changed_count < most) {
        result->changed[result->changed_count++] = *account;
        if (result->changed_count == most) {
            heap_make(result->changed, most);
        }
    } else if (most > 0 && behind(&result->changed[0], account)) {
        result->changed[0] = *account;
        heap_sink(result->changed, most, 0);
    }
}

/* In whole hundredths. The sum lies within what a double takes exactly where the total does. */
static double expected_of(const struct asking *asking, const struct learn_document *document,
                          size_t place, int64_t raw, uint32_t slot)
{
    if (asking->cells[place].cells == NULL) {
        return 0;
    }
    double value = learn_value_of_sum(dispute_raw(asking->cells[place].cells[slot]));
    double hundredths = 100 * model_p(document->scorecard, raw) * value;
    return hundredths < WHOLE_MOST ? (double)(int64_t)(hundredths + 0.5) : hundredths;
}

static void worth_add(struct dispute_worth *sum, const struct dispute_worth *worth)
{
    sum->before += worth->before;
    sum->after += worth->after;
}

/* From hundredths; the total is that of the moves. */
static void worth_close(struct dispute_what_if_result *result)
{
    for (unsigned i = 0; i < DISPUTE_GRADES * DISPUTE_GRADES; i++) {
        struct dispute_worth *moved = &result->moved[i / DISPUTE_GRADES][i % DISPUTE_GRADES];
        worth_add(&result->expected, moved);
        *moved = (struct dispute_worth){moved->before / 100, moved->after / 100};
    }
    for (size_t i = 0; i < result->part_count; i++) {
        struct dispute_worth *part = &result->parts[i].expected;
        *part = (struct dispute_worth){part->before / 100, part->after / 100};
    }
    for (size_t i = 0; i < result->changed_count; i++) {
        struct dispute_worth *account = &result->changed[i].expected;
        *account = (struct dispute_worth){account->before / 100, account->after / 100};
    }
    struct dispute_worth *total = &result->expected;
    *total = (struct dispute_worth){total->before / 100, total->after / 100};
}

static void account_count(struct asking *asking, uint32_t slot)
{
    struct dispute_what_if_result *result = asking->result;
    int64_t raw_before = dispute_raw(asking->cells[BEFORE].cells[slot]);
    int64_t raw_after = dispute_raw(asking->cells[AFTER].cells[slot]);
    const struct dispute_worth worth = {
        expected_of(asking, asking->before, WORTH_BEFORE, raw_before, slot),
        expected_of(asking, asking->after, WORTH_AFTER, raw_after, slot)};
    unsigned before = dispute_grade(&asking->grades_before, raw_before);
    unsigned after = dispute_grade(&asking->grades_after, raw_after);
    result->accounts++;
    result->moves[before][after]++;
    worth_add(&result->moved[before][after], &worth);
    if (asking->divided) {
        uint32_t value = asking->cells[VALUES].cells[slot];
        struct dispute_what_if_part *part =
            &result->parts[value < DISPUTE_WORD_FIRST ? 0 : value - DISPUTE_MISSING];
        part->accounts++;
        part->up += after < before;
        part->down += after > before;
        part->best_before += before == 0;
        part->best_after += after == 0;
        worth_add(&part->expected, &worth);
    }
    if (after != before) {
        struct dispute_what_if_account account = {
            .slot = slot,
            .grade_before = (char)('A' + before),
            .grade_after = (char)('A' + after),
            .fit_before = model_fit(asking->before->scorecard, raw_before),
            .fit_after = model_fit(asking->after->scorecard, raw_after),
            .expected = worth};
        changed_offer(asking, &account);
    }
}

static int by_move(const void *a, const void *b)
{
    return behind(a, b) ? 1 : behind(b, a) ? -1 : 0;
}

static int by_accounts(const void *a, const void *b)
{
    const struct dispute_what_if_part *x = a;
    const struct dispute_what_if_part *y = b;
    if (x->accounts != y->accounts) {
        return x->accounts < y->accounts ? 1 : -1;
    }
    return strcmp(x->value ? x->value : "", y->value ? y->value : "");
}

static bool accounts_count(struct asking *asking, const struct engine_job *job,
                           struct proto_fault *fault)
{
    struct dispute_what_if_result *result = asking->result;
    result->changed = calloc(asking->question->most + 1, sizeof *result->changed);
    if (!result->changed) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "limit", "no memory for the accounts");
    }
    for (uint32_t slot = 0; slot < asking->cells[BEFORE].count; slot++) {
        if (slot % ACCOUNTS_PER_ASKING == 0 && !engine_scan_goes_on(job, fault)) {
            return false;
        }
        bool counts = asking->cells[BEFORE].cells[slot] != 0 &&
                      asking->cells[AFTER].cells[slot] != 0 &&
                      (!asking->filtered || asking->cells[MATCHES].cells[slot] == DISPUTE_MATCHES);
        if (counts) {
            account_count(asking, slot);
        }
    }
    qsort(result->changed, result->changed_count, sizeof *result->changed, by_move);
    if (asking->divided) {
        qsort(result->parts, result->part_count, sizeof *result->parts, by_accounts);
        while (result->part_count > 0 && result->parts[result->part_count - 1].accounts == 0) {
            result->part_count--;
        }
    }
    worth_close(result);
    return true;
}

bool dispute_what_if(struct dispute *dispute, struct engine_worker *worker,
                     const struct engine_job *job, const struct dispute_what_if *question,
                     struct dispute_what_if_result *result, struct proto_fault *fault)
{
    struct asking asking = {.question = question, .result = result};
    *result = (struct dispute_what_if_result){0};
    if (!engine_worker_state(worker)->schema) {
        return proto_fault_set(fault, PROTO_NO_SCHEMA, "", "no schema has been put yet");
    }
    bool ok = versions_open(worker, &asking, fault);
    struct dispute_wish before = {.kind = DISPUTE_SCORE, .document = asking.before};
    struct dispute_wish after = {.kind = DISPUTE_SCORE, .document = asking.after};
    ok = ok && column_ask(dispute, worker, job, &before, &asking, BEFORE, fault) &&
         column_ask(dispute, worker, job, &after, &asking, AFTER, fault) &&
         worth_ask(dispute, worker, job, &asking, fault) &&
         filter_ask(dispute, worker, job, &asking, fault) &&
         field_ask(dispute, worker, job, &asking, fault) && accounts_count(&asking, job, fault);
    if (!ok) {
        dispute_what_if_fini(result);
    }
    return ok;
}
