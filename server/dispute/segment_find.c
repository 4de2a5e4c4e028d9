/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts with an outcome are numbered, their codes are counted, bins that enough of them have
 * become conditions, and those bitmaps; what the search finds is then written as filters and told
 * with what the segments cover one after another. A number is cut where fifths of the accounts
 * end. */
#include "server/dispute/segment_find.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/dispute/challenge.h"
#include "server/dispute/dispute_codes.h"
#include "server/dispute/dispute_label.h"

enum {
    BINS = 256,
    CUTS = 5,
    SEARCHED_OF_TEN = 6,
    ROWS_PER_ASKING = 4096,
    CONDITIONS_PER_ASKING = 64
};
enum { CODE_MISSING, CODE_OTHER, CODE_FIRST }; /* codebook.h; of a flag: missing, false, true */
enum { ACCOUNTS_MIN = 30, ACCOUNTS_SHARE = 100 };

struct condition {
    uint32_t column;
    uint8_t from, to; /* codes */
};

struct finding {
    struct engine_worker *worker;
    const struct engine_job *job;
    const struct dispute_segment_search *search;
    const struct learn_document *document;
    struct proto_fault *fault;
    struct dispute_label label;
    struct filter *filter;
    struct dispute_cells cells[2]; /* outcomes, matches */
    uint32_t *slots;               /* of the accounts that count, ascending */
    uint64_t (*counts)[BINS];      /* of the codes of each column */
    struct condition *conditions;
    size_t condition_count, condition_room;
    uint64_t *bits; /* searched, outcomes, then the conditions */
    const uint64_t **maps;
    uint32_t *columns;
    struct segment_data data;
    size_t asked; /* conjunctions since it was last asked whether to go on */
    struct dispute_codes codes;
};

static bool no_memory(struct finding *finding)
{
    return proto_fault_set(finding->fault, PROTO_NO_MEMORY, "", "no memory to look for segments");
}

static void finding_end(struct finding *finding)
{
    dispute_label_fini(&finding->label);
    filter_destroy(finding->filter);
    free(finding->slots);
    free(finding->counts);
    free(finding->conditions);
    free(finding->bits);
    free(finding->maps);
    free(finding->columns);
}

void dispute_segments_fini(struct dispute_segments *segments)
{
    for (size_t i = 0; i < segments->count; i++) {
        free(segments->segments[i].filter);
    }
    free(segments->segments);
    *segments = (struct dispute_segments){0};
}

static bool question_read(struct dispute *dispute, struct finding *finding)
{
    const struct engine_state *state = engine_worker_state(finding->worker);
    const struct dispute_segment_search *search = finding->search;
    if (!state->schema) {
        return proto_fault_set(finding->fault, PROTO_NO_SCHEMA, "", "no schema has been put yet");
    }
    finding->document = engine_state_document(state, search->icp, finding->fault);
    if (!finding->document ||
        !dispute_label_read(finding->worker, finding->document, search->outcome, &finding->label,
                            finding->fault) ||
        !dispute_text_read(finding->worker, search->filter, "filter", &finding->filter,
                           finding->fault)) {
        return false;
    }
    struct dispute_wish outcome = dispute_label_wish(&finding->label);
    struct dispute_wish match = {
        .kind = DISPUTE_MATCH, .filter = finding->filter, .text = search->filter};
    return dispute_column(dispute, finding->worker, finding->job, &outcome, finding->cells, 2,
                          &finding->cells[0], finding->fault) &&
           (!finding->filter ||
            dispute_column(dispute, finding->worker, finding->job, &match, finding->cells, 2,
                           &finding->cells[1], finding->fault));
}

/* Those who have an outcome and match. */
static bool slots_choose(struct finding *finding)
{
    const struct dispute_cells *outcomes = &finding->cells[0];
    uint32_t negative = dispute_label_negative(outcomes);
    finding->slots = calloc(outcomes->count + 1, sizeof *finding->slots);
    if (!finding->slots) {
        return no_memory(finding);
    }
    for (uint32_t slot = 0; slot < outcomes->count; slot++) {
        uint32_t cell = outcomes->cells[slot];
        bool known = cell == DISPUTE_POSITIVE || cell == DISPUTE_NEGATIVE || cell == negative;
        if (known && (!finding->filter || finding->cells[1].cells[slot] == DISPUTE_MATCHES)) {
            finding->slots[finding->data.rows++] = slot;
        }
    }
    finding->data.words = (finding->data.rows + 63) / 64;
    finding->codes = dispute_codes_begin(finding->worker, finding->document);
    return true;
}

/* Calls each() with row and codes of every account that counts. */
static bool rows_visit(struct finding *finding,
                       void (*each)(struct finding *finding, size_t row, const uint8_t *codes))
{
    for (size_t row = 0; row < finding->data.rows; row++) {
        if (row % ROWS_PER_ASKING == 0 && !engine_scan_goes_on(finding->job, finding->fault)) {
            return false;
        }
        const uint8_t *codes =
            dispute_codes_of(&finding->codes, finding->slots[row], finding->fault);
        if (!codes) {
            return false;
        }
        each(finding, row, codes);
    }
    return true;
}

static void codes_count(struct finding *finding, size_t row, const uint8_t *codes)
{
    (void)row;
    for (size_t c = 0; c < finding->document->codebook->column_count; c++) {
        finding->counts[c][codes[c]]++;
    }
}

static uint64_t accounts_in(const struct finding *finding, const struct condition *condition)
{
    uint64_t sum = 0;
    for (unsigned code = condition->from; code <= condition->to; code++) {
        sum += finding->counts[condition->column][code];
    }
    return sum;
}

/* One that enough accounts meet, and not all. */
static bool condition_add(struct finding *finding, size_t accounts_min, size_t column,
                          unsigned from, unsigned to)
{
    struct condition condition = {(uint32_t)column, (uint8_t)from, (uint8_t)to};
    uint64_t accounts = accounts_in(finding, &condition);
    if (accounts < accounts_min || accounts == finding->data.rows) {
        return true;
    }
    if (finding->condition_count == finding->condition_room) {
        size_t room = 2 * finding->condition_room + 64;
        struct condition *larger = realloc(finding->conditions, room * sizeof *finding->conditions);
        if (!larger) {
            return no_memory(finding);
        }
        finding->conditions = larger;
        finding->condition_room = room;
    }
    finding->conditions[finding->condition_count++] = condition;
    return true;
}

/* The last codes of stretches of about as many accounts each; one that many accounts share alone
 * may be several of them. */
static size_t stretches_cut(const struct finding *finding, size_t column, unsigned bin_count,
                            unsigned ends[CUTS + 1])
{
    const uint64_t *counts = finding->counts[column];
    uint64_t all = 0;
    uint64_t sum = 0;
    uint64_t next = 1; /* the fifth that is to be filled */
    size_t count = 0;
    for (unsigned code = 1; code < bin_count; code++) {
        all += counts[code];
    }
    for (unsigned code = 1; all > 0 && code < bin_count; code++) {
        sum += counts[code];
        if (sum * CUTS >= all * next || code + 1 == bin_count) {
            ends[count++] = code;
            next = sum * CUTS / all + 1;
        }
    }
    return count;
}

/* Every stretch between cuts, but the whole. */
static bool number_conditions(struct finding *finding, size_t accounts_min, size_t column,
                              unsigned bin_count)
{
    unsigned ends[CUTS + 1];
    size_t count = stretches_cut(finding, column, bin_count, ends);
    for (size_t a = 0; a < count; a++) {
        unsigned from = a == 0 ? 1 : ends[a - 1] + 1;
        for (size_t b = a; b < count; b++) {
            bool whole = from == 1 && ends[b] + 1 == bin_count;
            if (!whole && !condition_add(finding, accounts_min, column, from, ends[b])) {
                return false;
            }
        }
    }
    return true;
}

static bool column_conditions(struct finding *finding, size_t accounts_min, size_t c)
{
    const struct feature_column *column = &finding->document->codebook->columns[c];
    if (column->type == FEATURE_TAGS) {
        return condition_add(finding, accounts_min, c, CODE_FIRST, CODE_FIRST);
    }
    bool ok = condition_add(finding, accounts_min, c, CODE_MISSING, CODE_MISSING);
    if (column->type == FEATURE_NUMBER) {
        return ok && number_conditions(finding, accounts_min, c, column->bin_count);
    }
    unsigned first = column->type == FEATURE_FLAG ? CODE_OTHER : CODE_FIRST;
    for (unsigned code = first; ok && code < column->bin_count; code++) {
        ok = condition_add(finding, accounts_min, c, code, code);
    }
    return ok;
}

static bool conditions_make(struct finding *finding, size_t accounts_min)
{
    size_t columns = finding->document->codebook->column_count;
    finding->counts = calloc(columns + 1, sizeof *finding->counts);
    if (!finding->counts) {
        return no_memory(finding);
    }
    bool ok = rows_visit(finding, codes_count);
    for (size_t c = 0; ok && c < columns; c++) {
        ok = column_conditions(finding, accounts_min, c);
    }
    return ok;
}

static uint64_t *map_of(const struct finding *finding, size_t place)
{
    return finding->bits + place * finding->data.words;
}

enum { MAP_SEARCHED, MAP_OUTCOMES, MAP_CONDITIONS };

static void row_mark(struct finding *finding, size_t row, const uint8_t *codes)
{
    uint32_t slot = finding->slots[row];
    uint64_t bit = UINT64_C(1) << row % 64;
    size_t word = row / 64;
    bool searched = dispute_slot_searched(slot);
    bool outcome = finding->cells[0].cells[slot] == DISPUTE_POSITIVE;
    map_of(finding, MAP_SEARCHED)[word] |= searched ? bit : 0;
    map_of(finding, MAP_OUTCOMES)[word] |= outcome ? bit : 0;
    for (size_t i = 0; i < finding->condition_count; i++) {
        const struct condition *condition = &finding->conditions[i];
        uint8_t code = codes[condition->column];
        bool in = code >= condition->from && code <= condition->to;
        map_of(finding, MAP_CONDITIONS + i)[word] |= in ? bit : 0;
    }
}

static bool maps_make(struct finding *finding)
{
    size_t count = finding->condition_count;
    size_t words = (count + MAP_CONDITIONS) * finding->data.words;
    if (words > DISPUTE_SEGMENT_BYTES / sizeof(uint64_t)) {
        return proto_fault_set(finding->fault, PROTO_LIMIT, "filter",
                               "%zu conditions over %zu accounts need more than %zu MiB: look at "
                               "fewer accounts, or ask for larger segments",
                               count, finding->data.rows, DISPUTE_SEGMENT_BYTES >> 20);
    }
    finding->bits = calloc(words + 1, sizeof *finding->bits);
    finding->maps = calloc(count + 1, sizeof *finding->maps);
    finding->columns = calloc(count + 1, sizeof *finding->columns);
    if (!finding->bits || !finding->maps || !finding->columns) {
        return no_memory(finding);
    }
    for (size_t i = 0; i < count; i++) {
        finding->maps[i] = map_of(finding, MAP_CONDITIONS + i);
        finding->columns[i] = finding->conditions[i].column;
    }
    finding->data.searched = map_of(finding, MAP_SEARCHED);
    finding->data.outcomes = map_of(finding, MAP_OUTCOMES);
    finding->data.conditions = finding->maps;
    finding->data.columns = finding->columns;
    finding->data.condition_count = count;
    return rows_visit(finding, row_mark);
}

static bool goes_on(void *context, struct proto_fault *fault)
{
    struct finding *finding = context;
    return finding->asked++ % CONDITIONS_PER_ASKING != 0 ||
           engine_scan_goes_on(finding->job, fault);
}

/* Text that grows; NULL once memory ran out. */
static void text_add(char **text, const char *more)
{
    size_t bytes = *text ? strlen(*text) : 0;
    char *larger = *text ? realloc(*text, bytes + strlen(more) + 1) : NULL;
    if (!larger) {
        free(*text);
        *text = NULL;
        return;
    }
    memcpy(larger + bytes, more, strlen(more) + 1);
    *text = larger;
}

/* Between those quotes, which are doubled within. */
static void quoted_add(char **text, const char *word, char quote)
{
    const char mark[2] = {quote, '\0'};
    text_add(text, mark);
    for (; *word != '\0'; word++) {
        const char one[3] = {*word, *word == quote ? quote : '\0', '\0'};
        text_add(text, one);
    }
    text_add(text, mark);
}

/* With as many digits as give the number back. */
static void number_add(char **text, double number)
{
    char digits[40];
    for (int precision = 6; precision <= 17; precision++) {
        (void)snprintf(digits, sizeof digits, "%.*g", precision, number);
        if (strtod(digits, NULL) == number) {
            break;
        }
    }
    quoted_add(text, digits, '\'');
}

static void condition_write(char **text, const struct feature_column *column,
                            const struct condition *condition)
{
    quoted_add(text, column->field_name, '"');
    if (column->type == FEATURE_TAGS) {
        text_add(text, " has ");
        quoted_add(text, column->tag, '\'');
    } else if (condition->to == CODE_MISSING) {
        text_add(text, " is missing");
    } else if (column->type == FEATURE_FLAG) {
        text_add(text, condition->from == CODE_FIRST ? " = true" : " = false");
    } else if (column->type == FEATURE_CATEGORY) {
        text_add(text, " = ");
        quoted_add(text, column->categories[condition->from - CODE_FIRST], '\'');
    } else {
        bool low = condition->from > 1;
        bool high = condition->to + 1U < column->bin_count;
        if (low) {
            text_add(text, " > ");
            number_add(text, column->edges[condition->from - 2]);
        }
        if (low && high) {
            text_add(text, " and ");
            quoted_add(text, column->field_name, '"');
        }
        if (high) {
            text_add(text, " <= ");
            number_add(text, column->edges[condition->to - 1]);
        }
    }
}

/* In canonical form; the caller frees. NULL with *fault. */
static char *filter_write(struct finding *finding, const struct segment_found *found)
{
    char *text = calloc(1, 1);
    for (unsigned d = 0; d < found->depth; d++) {
        const struct condition *condition = &finding->conditions[found->conditions[d]];
        text_add(&text, d > 0 ? " and " : "");
        condition_write(&text, &finding->document->codebook->columns[condition->column], condition);
    }
    char *printed = NULL;
    struct filter *filter = text ? filter_parse(engine_worker_state(finding->worker)->schema,
                                                proto_span_text(text), finding->fault, NULL)
                                 : NULL;
    if (filter) {
        printed = filter_print(filter);
    }
    if (!printed && (filter || !text)) {
        (void)no_memory(finding);
    }
    filter_destroy(filter);
    free(text);
    return printed;
}

static bool segment_tell(struct finding *finding, const struct segment_found *found,
                         uint64_t *covered, uint64_t *rows, struct dispute_segment *segment)
{
    const struct segment_data *data = &finding->data;
    *segment = (struct dispute_segment){.found = found, .high = 1};
    segment->filter = filter_write(finding, found);
    segment->all = (struct segment_counts){found->searched.accounts + found->held.accounts,
                                           found->searched.outcomes + found->held.outcomes};
    if (found->held.accounts > 0) {
        struct dispute_side held = {found->held.accounts, found->held.outcomes, 0};
        dispute_wilson(&held, DISPUTE_NORMAL_95, &segment->low, &segment->high);
    }
    memset(rows, 0xff, data->words * sizeof *rows);
    for (unsigned d = 0; d < found->depth; d++) {
        for (size_t w = 0; w < data->words; w++) {
            rows[w] &= data->conditions[found->conditions[d]][w];
        }
    }
    for (size_t w = 0; w < data->words; w++) {
        covered[w] |= rows[w];
        segment->covered.accounts += (unsigned)__builtin_popcountll(covered[w]);
        segment->covered.outcomes += (unsigned)__builtin_popcountll(covered[w] & data->outcomes[w]);
    }
    return segment->filter != NULL;
}

/* Confirmed ones first; each in the order in which they were taken. */
static bool segments_tell(struct finding *finding, struct dispute_segments *segments)
{
    const struct segment_result *result = &segments->result;
    uint64_t *covered = calloc(finding->data.words + 1, sizeof *covered);
    uint64_t *rows = calloc(finding->data.words + 1, sizeof *rows);
    segments->segments = calloc(result->count + 1, sizeof *segments->segments);
    bool ok = covered && rows && segments->segments;
    if (!ok) {
        (void)no_memory(finding);
    }
    for (int confirmed = 1; ok && confirmed >= 0; confirmed--) {
        for (size_t i = 0; ok && i < result->count; i++) {
            if (result->found[i].confirmed != (bool)confirmed) {
                continue;
            }
            ok = segment_tell(finding, &result->found[i], covered, rows,
                              &segments->segments[segments->count++]);
            segments->confirmed += (size_t)confirmed;
        }
    }
    free(covered);
    free(rows);
    return ok;
}

static bool segments_search(struct finding *finding, struct dispute_segments *segments)
{
    const struct dispute_segment_search *search = finding->search;
    size_t share = finding->data.rows / ACCOUNTS_SHARE;
    assert(finding->document != NULL);
    segments->icp = finding->document->version;
    segments->accounts_min = search->accounts_min > 0 ? search->accounts_min
                             : share > ACCOUNTS_MIN   ? share
                                                      : ACCOUNTS_MIN;
    if (!conditions_make(finding, segments->accounts_min) || !maps_make(finding)) {
        return false;
    }
    segments->conditions = finding->condition_count;
    struct segment_options options = {.depth = search->depth,
                                      .accounts_min = segments->accounts_min * SEARCHED_OF_TEN / 10,
                                      .pure = search->pure,
                                      .most = search->most,
                                      .goes_on = goes_on,
                                      .context = finding};
    if (!segment_mine(&finding->data, &options, &segments->result, finding->fault)) {
        return false;
    }
    segments->all = (struct segment_counts){
        segments->result.searched.accounts + segments->result.held.accounts,
        segments->result.searched.outcomes + segments->result.held.outcomes};
    return segments_tell(finding, segments);
}

bool dispute_segments_find(struct dispute *dispute, struct engine_worker *worker,
                           const struct engine_job *job,
                           const struct dispute_segment_search *search,
                           struct dispute_segments *segments, struct proto_fault *fault)
{
    struct finding finding = {.worker = worker, .job = job, .search = search, .fault = fault};
    *segments = (struct dispute_segments){0};
    bool ok = question_read(dispute, &finding) && slots_choose(&finding) &&
              segments_search(&finding, segments);
    finding_end(&finding);
    if (!ok) {
        dispute_segments_fini(segments);
    }
    return ok;
}
