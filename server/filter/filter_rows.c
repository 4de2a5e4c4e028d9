/* SPDX-License-Identifier: Apache-2.0 */
#include "server/filter/filter_rows.h"

#include <assert.h>
#include <stdlib.h>

#include "server/filter/filter_rows_verdict.h"

#define NO_COLUMN UINT16_MAX

enum kind {
    LOOK,   /* the codebook has no column of the field */
    COLUMN, /* says, by code */
    TAGS,   /* a column an operand, where the codebook has one */
    SCORE,  /* ranges of raw */
    LIST,   /* slots */
    EVERY,  /* all rows */
};

struct compiled {
    enum kind kind;
    uint16_t column;             /* COLUMN; TAGS: any column of the field, for what is missing */
    uint8_t *says;               /* COLUMN: 256 */
    uint16_t *tags;              /* TAGS: column by operand, or NO_COLUMN */
    struct filter_range *ranges; /* SCORE */
    const uint32_t *slots;       /* LIST, ascending; borrowed */
    size_t count;                /* of ranges or slots */
};

struct filter_rows {
    const struct filter *filter;
    struct compiled *conditions;
    struct filter_verdict *nodes; /* of the block evaluated last */
    uint64_t *tests;              /* by condition: subjects alone, without "negated" */
    uint8_t *known;
};

void filter_rows_destroy(struct filter_rows *rows)
{
    if (rows == NULL) {
        return;
    }
    for (size_t i = 0; rows->conditions != NULL && i < rows->filter->condition_count; i++) {
        free(rows->conditions[i].says);
        free(rows->conditions[i].tags);
        free(rows->conditions[i].ranges);
    }
    free(rows->conditions);
    free(rows->nodes);
    free(rows->tests);
    free(rows->known);
    free(rows);
}

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "filter", "no memory for a filter");
}

static bool compile_list(struct compiled *compiled, const struct filter *filter,
                         const struct filter_condition *condition, const struct filter_facts *facts,
                         struct proto_fault *fault)
{
    struct proto_span name = {0};
    compiled->kind = LIST;
    if (condition->field_id == FILTER_ON_TAL) {
        name = filter->operands[condition->operand_first].text;
    }
    struct proto_fault why = {.code = PROTO_OK};
    if (facts->list(facts->context, name, &compiled->slots, &compiled->count, &why)) {
        return true;
    }
    if (why.code != PROTO_NOT_FOUND) {
        *fault = why;
        return false;
    }
    return proto_fault_set(fault, PROTO_BAD_FILTER, "filter",
                           "column %u: there is no target account list '%.*s'", condition->column,
                           (int)(name.bytes < 128 ? name.bytes : 128), (const char *)name.data);
}

static bool compile_score(struct compiled *compiled, const struct filter *filter,
                          const struct filter_condition *condition,
                          const struct filter_facts *facts, struct proto_fault *fault)
{
    compiled->kind = SCORE;
    compiled->ranges = calloc(condition->operand_count + 1U, sizeof *compiled->ranges);
    if (compiled->ranges == NULL) {
        return no_memory(fault);
    }
    compiled->count = filter_ranges_fill(filter, condition, facts, compiled->ranges);
    return true;
}

static bool compile_tags(struct compiled *compiled, const struct filter *filter,
                         const struct filter_condition *condition,
                         const struct feature_codebook *codebook, struct proto_fault *fault)
{
    compiled->kind = TAGS;
    compiled->tags = malloc((condition->operand_count + 1U) * sizeof *compiled->tags);
    if (compiled->tags == NULL) {
        return no_memory(fault);
    }
    for (size_t i = 0; i < condition->operand_count; i++) {
        struct proto_span tag = filter->operands[condition->operand_first + i].text;
        compiled->tags[i] = NO_COLUMN;
        for (size_t c = compiled->column;
             c < codebook->column_count && codebook->columns[c].field_id == condition->field_id;
             c++) {
            if (proto_span_equal(tag, proto_span_text(codebook->columns[c].tag))) {
                compiled->tags[i] = (uint16_t)c;
            }
        }
    }
    return true;
}

static bool compile_field(struct compiled *compiled, const struct filter *filter,
                          const struct filter_condition *condition,
                          const struct feature_codebook *codebook, struct proto_fault *fault)
{
    size_t column = 0;
    while (codebook != NULL && column < codebook->column_count &&
           (codebook->columns[column].field_id != condition->field_id ||
            codebook->columns[column].type != condition->type)) {
        column++;
    }
    compiled->kind = LOOK;
    if (codebook == NULL || column == codebook->column_count) {
        return true;
    }
    compiled->column = (uint16_t)column;
    /* Tags without a column may hold a part that none of the columns has. */
    bool part = condition->test == FILTER_CONTAINS || condition->test == FILTER_STARTS;
    if (condition->type == FEATURE_TAGS && part) {
        return true;
    }
    if (condition->type == FEATURE_TAGS && condition->test != FILTER_MISSING) {
        return compile_tags(compiled, filter, condition, codebook, fault);
    }
    compiled->kind = COLUMN;
    compiled->says = malloc(256);
    if (compiled->says == NULL) {
        return no_memory(fault);
    }
    filter_says_fill(filter, condition, &codebook->columns[column], compiled->says);
    return true;
}

static bool compile_condition(struct compiled *compiled, const struct filter *filter,
                              const struct filter_condition *condition,
                              const struct feature_codebook *codebook,
                              const struct filter_facts *facts, struct proto_fault *fault)
{
    if (condition->field_id == FILTER_ALWAYS) {
        compiled->kind = EVERY;
        return true;
    }
    if (condition->field_id >= FILTER_ON_TAL) {
        return compile_list(compiled, filter, condition, facts, fault);
    }
    if (condition->field_id >= FILTER_SUBJECTS) {
        return compile_score(compiled, filter, condition, facts, fault);
    }
    return compile_field(compiled, filter, condition, codebook, fault);
}

struct filter_rows *filter_rows_compile(const struct filter *filter,
                                        const struct feature_codebook *codebook,
                                        const struct filter_facts *facts, struct proto_fault *fault)
{
    struct filter_rows *rows = calloc(1, sizeof *rows);
    if (rows == NULL) {
        no_memory(fault);
        return NULL;
    }
    rows->filter = filter;
    rows->conditions = calloc(filter->condition_count, sizeof *rows->conditions);
    rows->nodes = calloc(filter->node_count, sizeof *rows->nodes);
    rows->tests = calloc(filter->condition_count, sizeof *rows->tests);
    rows->known = calloc(filter->condition_count, 1);
    bool ok = rows->conditions != NULL && rows->nodes != NULL && rows->tests != NULL &&
              rows->known != NULL;
    if (!ok) {
        no_memory(fault);
    }
    for (size_t i = 0; ok && i < filter->condition_count; i++) {
        ok = compile_condition(&rows->conditions[i], filter, &filter->conditions[i], codebook,
                               facts, fault);
    }
    if (ok) {
        return rows;
    }
    filter_rows_destroy(rows);
    return NULL;
}

static struct filter_verdict column_verdict(const uint8_t *says, const struct filter_block *block,
                                            size_t column)
{
    struct filter_verdict verdict = {0, 0};
    const uint8_t *code = block->codes + column;
    for (unsigned i = 0; i < block->count; i++, code += block->stride) {
        uint64_t said = says[*code];
        verdict.sure |= (said & 1) << i;
        verdict.maybe |= ((said >> 1 | said) & 1) << i;
    }
    return verdict;
}

/* Rows whose code in the column is `code` (equal true) or is not. */
static uint64_t code_mask(const struct filter_block *block, size_t column, uint8_t code, bool equal)
{
    uint64_t mask = 0;
    const uint8_t *at = block->codes + column;
    for (unsigned i = 0; i < block->count; i++, at += block->stride) {
        mask |= (uint64_t)((*at == code) == equal) << i;
    }
    return mask;
}

static struct filter_verdict tags_verdict(const struct compiled *compiled,
                                          const struct filter_condition *condition,
                                          const struct filter_block *block)
{
    bool all = condition->test == FILTER_HAS_ALL;
    /* Without a column a tag may be there, but not where the whole list is missing. */
    uint64_t listed = code_mask(block, compiled->column, 0, false);
    struct filter_verdict verdict =
        all ? (struct filter_verdict){listed, listed} : (struct filter_verdict){0, 0};
    for (size_t i = 0; i < condition->operand_count; i++) {
        struct filter_verdict one = {0, listed};
        if (compiled->tags[i] != NO_COLUMN) {
            one.sure = one.maybe = code_mask(block, compiled->tags[i], 2, true);
        }
        verdict.sure = all ? verdict.sure & one.sure : verdict.sure | one.sure;
        verdict.maybe = all ? verdict.maybe & one.maybe : verdict.maybe | one.maybe;
    }
    return verdict;
}

static uint64_t score_mask(const struct compiled *compiled, const struct filter_block *block)
{
    uint64_t mask = 0;
    for (size_t r = 0; r < compiled->count; r++) {
        struct filter_range range = compiled->ranges[r];
        for (unsigned i = 0; i < block->count; i++) {
            mask |= (uint64_t)(block->raws[i] >= range.from && block->raws[i] < range.end) << i;
        }
    }
    return mask;
}

static uint64_t list_mask(const struct compiled *compiled, const struct filter_block *block)
{
    uint64_t mask = 0;
    size_t low = 0;
    size_t high = compiled->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compiled->slots[middle] < block->slot) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < compiled->count && compiled->slots[low] - block->slot < block->count; low++) {
        mask |= UINT64_C(1) << (compiled->slots[low] - block->slot);
    }
    return mask;
}

/* What the test says, without "negated". */
static struct filter_verdict test_verdict(struct filter_rows *rows, size_t at,
                                          const struct filter_block *block, uint64_t every)
{
    const struct compiled *compiled = &rows->conditions[at];
    uint64_t mask = 0;
    switch (compiled->kind) {
    case COLUMN:
        if (block->codes != NULL) {
            return column_verdict(compiled->says, block, compiled->column);
        }
        break;
    case TAGS:
        if (block->codes != NULL) {
            return tags_verdict(compiled, &rows->filter->conditions[at], block);
        }
        break;
    case SCORE:
    case LIST:
        mask = compiled->kind == SCORE ? score_mask(compiled, block) : list_mask(compiled, block);
        rows->tests[at] = mask;
        return (struct filter_verdict){mask, mask};
    case EVERY:
        rows->tests[at] = every;
        return (struct filter_verdict){every, every};
    case LOOK:
        break;
    }
    return (struct filter_verdict){0, every};
}

static struct filter_verdict not_verdict(struct filter_verdict verdict, uint64_t every)
{
    return (struct filter_verdict){every & ~verdict.maybe, every & ~verdict.sure};
}

static struct filter_verdict join_verdict(const struct filter_rows *rows,
                                          const struct filter_node *node, uint64_t every)
{
    bool all = node->kind == FILTER_AND;
    struct filter_verdict verdict =
        all ? (struct filter_verdict){every, every} : (struct filter_verdict){0, 0};
    for (uint16_t child = node->child; child != FILTER_NONE;
         child = rows->filter->nodes[child].next) {
        struct filter_verdict one = rows->nodes[child];
        verdict.sure = all ? verdict.sure & one.sure : verdict.sure | one.sure;
        verdict.maybe = all ? verdict.maybe & one.maybe : verdict.maybe | one.maybe;
    }
    return verdict;
}

struct filter_verdict filter_rows_block(struct filter_rows *rows, const struct filter_block *block)
{
    const struct filter *filter = rows->filter;
    assert(block->count > 0 && block->count <= FILTER_BLOCK_ROWS);
    uint64_t every = UINT64_MAX >> (FILTER_BLOCK_ROWS - block->count);
    for (size_t i = 0; i < filter->node_count; i++) {
        const struct filter_node *node = &filter->nodes[i];
        struct filter_verdict *own = &rows->nodes[i];
        if (node->kind == FILTER_LEAF) {
            *own = test_verdict(rows, node->condition, block, every);
            if (filter->conditions[node->condition].negated) {
                *own = not_verdict(*own, every);
            }
        } else if (node->kind == FILTER_NOT) {
            *own = not_verdict(rows->nodes[node->child], every);
        } else {
            *own = join_verdict(rows, node, every);
        }
    }
    return rows->nodes[filter->node_count - 1];
}

const uint8_t *filter_rows_known(struct filter_rows *rows, unsigned row)
{
    for (size_t i = 0; i < rows->filter->condition_count; i++) {
        rows->known[i] = rows->tests[i] >> row & 1;
    }
    return rows->known;
}
