/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learn/sample.h"

#include <math.h>
#include <stdlib.h>
#include <xxhash.h>

#define LABEL_BLANK 2 /* while rows are read; afterwards a label is 0 or 1 */

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the rows to learn from");
}

void learn_sample_fini(struct learn_sample *sample)
{
    free(sample->values);
    free(sample->index);
    free(sample->labels);
    free(sample->profiles);
    free(sample->times);
    free(sample->weights);
    *sample = (struct learn_sample){0};
}

static bool row_fetch(struct learn_sample *sample, size_t row)
{
    memset(sample->values, 0, sample->slots * sizeof *sample->values);
    return sample->population->values(sample->population->context, row, sample->values,
                                      sample->slots);
}

bool learn_sample_fetch(struct learn_sample *sample, size_t i)
{
    return row_fetch(sample, sample->index[i]);
}

uint64_t learn_value_hash(const struct feature_value *value, uint64_t seed)
{
    if (!value->present) {
        return XXH3_64bits_withSeed("", 0, seed);
    }
    switch (value->type) {
    case FEATURE_NUMBER:
    case FEATURE_DATE:
        return XXH3_64bits_withSeed(&value->number, sizeof value->number, seed);
    case FEATURE_FLAG:
        return XXH3_64bits_withSeed(value->flag ? "1" : "0", 1, seed);
    default:
        return XXH3_64bits_withSeed(value->text.data, value->text.bytes, seed);
    }
}

static uint64_t profile_hash(const struct learn_sample *sample, uint64_t label)
{
    const struct learn_options *options = sample->options;
    uint64_t hash = label;
    for (size_t i = 0; i < options->field_count; i++) {
        hash = learn_value_hash(&sample->values[options->field_ids[i]], hash);
    }
    for (size_t i = 0; i < options->same_field_count; i++) {
        hash = learn_value_hash(&sample->values[options->same_field_ids[i]], hash);
    }
    if (options->time_field_id >= 0) {
        hash = learn_value_hash(&sample->values[options->time_field_id], hash);
    }
    if (options->weight_field_id != NULL) {
        hash = learn_value_hash(&sample->values[*options->weight_field_id], hash);
    }
    return hash;
}

/* Nothing of what the label reads is known. */
static bool outcome_is_blank(const struct learn_sample *sample)
{
    size_t count = 0;
    const uint16_t *fields = filter_fields(sample->options->label, &count);
    for (size_t i = 0; i < count; i++) {
        if (fields[i] < sample->slots && sample->values[fields[i]].present) {
            return false;
        }
    }
    return count > 0;
}

/* One row on its way to its place. */
struct placed {
    uint64_t profile;
    double time, weight;
    uint32_t index;
    uint8_t label;
};

struct placing {
    struct placed *rows;
    size_t count, capacity;
};

static bool placing_grow(struct placing *placing)
{
    size_t wider = placing->capacity == 0 ? 1024 : placing->capacity * 2;
    struct placed *rows = realloc(placing->rows, wider * sizeof *rows);
    if (rows != NULL) {
        placing->rows = rows;
        placing->capacity = wider;
    }
    return rows != NULL;
}

/* A number of the row that was fetched, NaN where it has none. */
static double number_of(const struct learn_sample *sample, size_t field_id)
{
    const struct feature_value *value = &sample->values[field_id];
    return value->present && feature_type_is_number(value->type) ? value->number : (double)NAN;
}

static struct placed row_place(struct learn_sample *sample, size_t row)
{
    const struct learn_options *options = sample->options;
    const struct learn_population *population = sample->population;
    struct placed placed = {
        .index = (uint32_t)row,
        .time = options->time_field_id < 0 ? (double)NAN
                                           : number_of(sample, (size_t)options->time_field_id),
        .weight = options->weight_field_id == NULL ? (double)NAN
                                                   : number_of(sample, *options->weight_field_id)};
    if (population->labels != NULL) {
        placed.label = population->labels[row];
    } else {
        bool blank = !filter_tells_missing(options->label) && outcome_is_blank(sample);
        bool label = filter_match(options->label, sample->values, sample->slots);
        sample->blanks += blank;
        placed.label = blank ? LABEL_BLANK : label;
    }
    placed.profile = profile_hash(sample, placed.label);
    return placed;
}

static bool rows_read(struct learn_sample *sample, struct placing *placing,
                      struct proto_fault *fault)
{
    const struct learn_options *options = sample->options;
    size_t rows = sample->population->rows;
    for (size_t row = 0; row < rows; row++) {
        if (row % 65536 == 0 && options->on_progress != NULL &&
            !options->on_progress(options->progress_context, 0.1 * (double)row / (double)(rows + 1),
                                  "read")) {
            return proto_fault_set(fault, PROTO_CANCELLED, "", "learning was cancelled");
        }
        if (!row_fetch(sample, row) ||
            (options->where != NULL &&
             !filter_match(options->where, sample->values, sample->slots))) {
            continue;
        }
        if (placing->count == placing->capacity && !placing_grow(placing)) {
            return no_memory(fault);
        }
        struct placed placed = row_place(sample, row);
        if (placed.weight < 0.0) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, "weight",
                                   "a row has the weight %g; a weight is 0 or more", placed.weight);
        }
        placing->rows[placing->count++] = placed;
    }
    return true;
}

/* Rows without an outcome are left out, or are the negatives if there is no other one. */
static void blanks_settle(struct learn_sample *sample, struct placing *placing)
{
    size_t negatives = 0;
    for (size_t i = 0; i < placing->count; i++) {
        negatives += placing->rows[i].label == 0;
    }
    sample->blanks_negative = sample->blanks > 0 && negatives == 0;
    size_t kept = 0;
    for (size_t i = 0; i < placing->count; i++) {
        struct placed row = placing->rows[i];
        if (row.label != LABEL_BLANK || sample->blanks_negative) {
            row.label = row.label == 1;
            placing->rows[kept++] = row;
        }
    }
    placing->count = kept;
}

static int placed_order(const void *a, const void *b)
{
    const struct placed *x = a;
    const struct placed *y = b;
    return (x->profile > y->profile) - (x->profile < y->profile);
}

/* By the hash of what was read: rows that tie say the same, and either may stand first. */
static bool rows_keep(struct learn_sample *sample, struct placing *placing)
{
    size_t rows = placing->count;
    bool weighted = sample->options->weight_field_id != NULL;
    if (rows > 0) {
        qsort(placing->rows, rows, sizeof *placing->rows, placed_order);
    }
    sample->index = malloc((rows + 1) * sizeof *sample->index);
    sample->labels = malloc(rows + 1);
    sample->profiles = malloc((rows + 1) * sizeof *sample->profiles);
    sample->times = malloc((rows + 1) * sizeof *sample->times);
    sample->weights = weighted ? malloc((rows + 1) * sizeof *sample->weights) : NULL;
    if (sample->index == NULL || sample->labels == NULL || sample->profiles == NULL ||
        sample->times == NULL || (weighted && sample->weights == NULL)) {
        return false;
    }
    sample->rows = rows;
    for (size_t i = 0; i < rows; i++) {
        const struct placed *row = &placing->rows[i];
        sample->index[i] = row->index;
        sample->labels[i] = row->label;
        sample->profiles[i] = row->profile;
        sample->times[i] = row->time;
        if (weighted) {
            sample->weights[i] = row->weight;
            sample->unweighted += isnan(row->weight) ? 1 : 0;
        }
    }
    return true;
}

bool learn_sample_read(const struct learn_population *population,
                       const struct learn_options *options, struct learn_sample *sample,
                       struct proto_fault *fault)
{
    *sample = (struct learn_sample){
        .population = population, .options = options, .slots = options->schema->id_count};
    if (population->rows > LEARN_SAMPLE_ROWS_MAX) {
        return proto_fault_set(fault, PROTO_TOO_LARGE, "",
                               "%zu rows; at most %u can be learned from", population->rows,
                               LEARN_SAMPLE_ROWS_MAX);
    }
    sample->values = calloc(sample->slots + 1, sizeof *sample->values);
    if (sample->values == NULL) {
        return no_memory(fault);
    }
    struct placing placing = {0};
    bool ok = rows_read(sample, &placing, fault);
    if (ok) {
        blanks_settle(sample, &placing);
        ok = rows_keep(sample, &placing) || no_memory(fault);
    }
    free(placing.rows);
    if (!ok) {
        learn_sample_fini(sample);
    }
    return ok;
}

/* Values of some fields of some rows, by column: a codebook reads one field at a time, and fetching
 * a whole row for each value would cost the square of the fields. */
struct cell_block {
    const uint16_t *field_ids;
    size_t field_count;
    size_t rows;
    struct feature_value *cells; /* field · rows + row */
    uint16_t *position;          /* by field id */
};

static bool cell_value(void *context, size_t row, uint16_t field_id, struct feature_value *value)
{
    const struct cell_block *block = context;
    *value = block->cells[block->position[field_id] * block->rows + row];
    return true;
}

/* The i-th of `taken` rows spread evenly over `count` ≥ taken. */
static size_t spread(size_t i, size_t taken, size_t count)
{
    return (size_t)((double)i * ((double)count / (double)taken));
}

static bool cells_fill(struct learn_sample *sample, const struct learn_subset *subset,
                       struct cell_block *block)
{
    for (size_t i = 0; i < block->rows; i++) {
        if (!learn_sample_fetch(sample, subset->rows[spread(i, block->rows, subset->count)])) {
            return false;
        }
        for (size_t f = 0; f < block->field_count; f++) {
            block->cells[f * block->rows + i] = sample->values[block->field_ids[f]];
        }
    }
    return true;
}

struct feature_codebook *learn_sample_codebook(struct learn_sample *sample,
                                               const struct learn_subset *subset,
                                               const uint16_t *field_ids, size_t field_count,
                                               struct proto_fault *fault)
{
    size_t rows = subset->count < LEARN_CODEBOOK_ROWS_MAX ? subset->count : LEARN_CODEBOOK_ROWS_MAX;
    struct cell_block block = {.field_ids = field_ids, .field_count = field_count, .rows = rows};
    struct feature_codebook *codebook = NULL;
    block.cells = calloc(rows * field_count + 1, sizeof *block.cells);
    block.position = calloc(sample->slots + 1, sizeof *block.position);
    if (block.cells == NULL || block.position == NULL) {
        no_memory(fault);
        goto done;
    }
    for (size_t f = 0; f < field_count; f++) {
        block.position[field_ids[f]] = (uint16_t)f;
    }
    if (!cells_fill(sample, subset, &block)) {
        proto_fault_set(fault, PROTO_INTERNAL, "", "a row could not be read a second time");
        goto done;
    }
    struct feature_sample source = {.context = &block, .rows = rows, .value = cell_value};
    struct feature_codebook_options options = {.category_bins_max = PROTO_BINS_MAX,
                                               .support_min = LEARN_CATEGORY_ROWS_MIN,
                                               .field_ids = field_ids,
                                               .field_count = field_count};
    codebook = feature_codebook_build(sample->options->schema, &source, &options, fault);
done:
    free(block.cells);
    free(block.position);
    return codebook;
}

size_t learn_sample_numbers(struct learn_sample *sample, const struct learn_subset *subset,
                            uint16_t field_id, size_t most, double *numbers)
{
    size_t rows = subset->count < most ? subset->count : most;
    size_t count = 0;
    for (size_t i = 0; i < rows; i++) {
        const struct feature_value *value = &sample->values[field_id];
        if (learn_sample_fetch(sample, subset->rows[spread(i, rows, subset->count)]) &&
            value->present && value->type == FEATURE_NUMBER) {
            numbers[count++] = value->number;
        }
    }
    return count;
}

uint8_t *learn_sample_encode(struct learn_sample *sample, const struct learn_subset *subset,
                             const struct feature_codebook *codebook, struct proto_fault *fault)
{
    uint8_t *codes = calloc(subset->count + 1, codebook->row_bytes + 1);
    if (codes == NULL) {
        no_memory(fault);
        return NULL;
    }
    for (size_t i = 0; i < subset->count; i++) {
        if (!learn_sample_fetch(sample, subset->rows[i])) {
            proto_fault_set(fault, PROTO_INTERNAL, "", "a row could not be read a second time");
            free(codes);
            return NULL;
        }
        feature_codebook_encode(codebook, sample->values, sample->slots,
                                codes + i * codebook->row_bytes);
    }
    return codes;
}

/* Weights with mean 1; the average where there is none. */
static bool weights_set(const struct learn_sample *sample, const struct learn_subset *subset,
                        struct learn_grid *grid)
{
    double sum = 0.0;
    size_t known = 0;
    grid->weights = malloc((grid->rows + 1) * sizeof *grid->weights);
    if (grid->weights == NULL) {
        return false;
    }
    for (size_t i = 0; i < grid->rows; i++) {
        double weight = sample->weights[subset->rows[i]];
        sum += isnan(weight) ? 0.0 : weight;
        known += isnan(weight) ? 0 : 1;
    }
    double mean = sum > 0.0 ? sum / (double)known : 1.0;
    for (size_t i = 0; i < grid->rows; i++) {
        double weight = sample->weights[subset->rows[i]];
        grid->weights[i] = isnan(weight) || sum <= 0.0 ? 1.0 : weight / mean;
    }
    return true;
}

struct learn_grid *learn_sample_grid(const struct learn_sample *sample,
                                     const struct learn_subset *subset,
                                     const struct feature_codebook *codebook, const uint8_t *codes,
                                     struct proto_fault *fault)
{
    struct learn_grid *grid = learn_grid_create(subset->count, codebook->column_count);
    if (grid == NULL) {
        no_memory(fault);
        return NULL;
    }
    for (size_t c = 0; c < codebook->column_count; c++) {
        grid->bins[c] = (uint16_t)codebook->columns[c].bin_count;
        grid->ordered[c] = codebook->columns[c].type == FEATURE_NUMBER;
        if (grid->ordered[c] && sample->options->directions != NULL) {
            grid->directions[c] = sample->options->directions[codebook->columns[c].field_id];
        }
        uint8_t *column = grid->codes + c * grid->rows;
        for (size_t i = 0; i < grid->rows; i++) {
            column[i] = codes[i * codebook->row_bytes + c];
        }
    }
    for (size_t i = 0; i < grid->rows; i++) {
        grid->labels[i] = sample->labels[subset->rows[i]];
    }
    if (sample->weights != NULL && !weights_set(sample, subset, grid)) {
        learn_grid_destroy(grid);
        no_memory(fault);
        return NULL;
    }
    return grid;
}
