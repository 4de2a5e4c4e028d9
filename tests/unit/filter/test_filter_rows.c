/* SPDX-License-Identifier: Apache-2.0 */
/* For random schemas, accounts, codebooks and expressions the verdict over rows of codes equals the
 * expression taken leaf by leaf on the values. The oracle knows no masks and no bins: leaves on
 * fields go through filter_match one at a time, leaves on scores and lists are compared here, and
 * the tree is walked by recursion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/filter/filter_rows.h"

#define FIELDS ((uint16_t)7)
enum { ROWS = 150, LEAVES_MAX = 12, ROUNDS = 300, LIST_SLOTS = 20 };

static uint64_t random_state;

static unsigned chance(unsigned below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(random_state >> 33) % below;
}

/* Accounts, the codebook of a sample of them, and their rows. */
struct base {
    struct feature_schema *schema;
    struct feature_codebook *codebook;
    struct feature_value values[ROWS][FIELDS];
    uint8_t tags[ROWS][FIELDS][64];
    int64_t raws[ROWS];
    uint8_t *codes;
    uint32_t list[LIST_SLOTS];
    size_t list_count;
};

static const char *const words[] = {"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta"};
enum { WORDS = sizeof words / sizeof *words };

static const char schema_text[] =
    "{\"fields\":[{\"name\":\"n\",\"type\":\"number\"},{\"name\":\"m\",\"type\":\"number\"},"
    "{\"name\":\"c\",\"type\":\"category\"},{\"name\":\"t\",\"type\":\"tags\"},"
    "{\"name\":\"f\",\"type\":\"flag\"},{\"name\":\"left out\",\"type\":\"number\"},"
    "{\"name\":\"d\",\"type\":\"date\"}]}";

static void value_fill(struct base *base, size_t row, uint16_t id)
{
    struct feature_value *value = &base->values[row][id];
    *value =
        (struct feature_value){.present = chance(5) > 0, .type = base->schema->fields[id].type};
    if (!value->present) {
        return;
    }
    struct proto_span tags[4];
    struct proto_fault fault = {0};
    switch (value->type) {
    case FEATURE_NUMBER:
        value->number = id == 0 ? (double)chance(12) : (double)chance(100000) / 7.0 - 5000;
        break;
    case FEATURE_CATEGORY:
        value->text = proto_span_text(words[chance(1 + chance(WORDS))]);
        break;
    case FEATURE_TAGS:
        for (size_t i = 0; i < 4; i++) {
            tags[i] = proto_span_text(words[chance(1 + chance(WORDS))]);
        }
        value->tags.data = base->tags[row][id];
        value->tags.bytes = feature_tags_pack(tags, chance(5), base->tags[row][id], 64, &fault);
        break;
    case FEATURE_FLAG:
        value->flag = chance(2);
        break;
    case FEATURE_DATE: /* days and half days of January 1970 */
        value->number = 43200000.0 * chance(60);
        break;
    case FEATURE_VECTOR:
        break;
    }
}

static bool sample_value(void *context, size_t row, uint16_t id, struct feature_value *value)
{
    struct base *base = context;
    *value = base->values[row][id];
    return true;
}

static void base_open(struct base *base)
{
    struct proto_fault fault = {0};
    base->schema = feature_schema_parse(proto_span_text(schema_text), 1, NULL, &fault);
    assert_non_null(base->schema);
    for (size_t row = 0; row < ROWS; row++) {
        base->raws[row] = (int64_t)chance(4000) - 2000;
        for (uint16_t id = 0; id < FIELDS; id++) {
            value_fill(base, row, id);
        }
    }
    /* The codebook sees a part of the rows, and bins are coarse: so there are unseen categories and
     * bins with values of both kinds. */
    static const uint16_t ids[] = {0, 1, 2, 3, 4};
    struct feature_sample sample = {base, ROWS / (1 + chance(3)), sample_value};
    struct feature_codebook_options options = {.number_bins_max = 2 + chance(12),
                                               .category_bins_max = 2 + chance(6),
                                               .support_min = 1 + chance(20),
                                               .field_ids = ids,
                                               .field_count = 5};
    base->codebook = feature_codebook_build(base->schema, &sample, &options, &fault);
    assert_non_null(base->codebook);
    base->codes = calloc(ROWS, base->codebook->row_bytes + 64);
    assert_non_null(base->codes);
    for (size_t row = 0; row < ROWS; row++) {
        feature_codebook_encode(base->codebook, base->values[row], FIELDS,
                                base->codes + row * base->codebook->row_bytes);
    }
    base->list_count = 0;
    for (uint32_t slot = 0; slot < ROWS && base->list_count < LIST_SLOTS; slot += 1 + chance(20)) {
        base->list[base->list_count++] = slot;
    }
}

static void base_close(struct base *base)
{
    free(base->codes);
    feature_codebook_destroy(base->codebook);
    feature_schema_release(base->schema);
}

/* Steps and slopes: values that tie, and values in between. */
static double fit_at(void *context, int64_t raw)
{
    (void)context;
    int64_t step = (raw + 1000) / 50;
    return raw < -1000 ? 0 : raw > 1000 ? 100 : 2.5 * (double)step;
}

static double p_at(void *context, int64_t raw)
{
    (void)context;
    double share = (double)(raw + 2000) / 4000;
    return share < 0 ? 0 : share > 1 ? 1 : share;
}

static double grade_at(void *context, int64_t raw)
{
    double fit = fit_at(context, raw);
    return fit >= 80 ? 3 : fit >= 50 ? 2 : fit >= 20 ? 1 : 0;
}

static bool list_at(void *context, struct proto_span name, const uint32_t **slots, size_t *count,
                    struct proto_fault *fault)
{
    struct base *base = context;
    *slots = base->list;
    *count = base->list_count;
    if (name.bytes == 0 || proto_span_equal(name, proto_span_text("target"))) {
        return true;
    }
    bool damaged = proto_span_equal(name, proto_span_text("damaged"));
    return proto_fault_set(fault, damaged ? PROTO_CORRUPT : PROTO_NOT_FOUND, "", "it is not there");
}

/* A leaf as text, and what decides it. */
struct leaf {
    char text[160];
    struct filter *filter; /* on fields */
    char what;             /* 'f' fit, 'p' p, 'g' grade, 'r' raw, 'l' list; 0 field */
    char op[3];
    double operand;
};

static void field_leaf(struct leaf *leaf)
{
    static const char *const signs[] = {"=", "!=", "<", "<=", ">", ">="};
    static const char *const numbers[] = {"n", "m", "\"left out\""};
    const char *word = words[chance(WORDS)];
    const char *other = words[chance(WORDS)];
    const char *name = numbers[chance(3)];
    int number = name[0] == 'n' ? (int)chance(13) : (int)chance(14000) - 5000;
    switch (chance(16)) {
    case 15:
        snprintf(leaf->text, sizeof leaf->text, "d %s '1970-01-%02u%s'", signs[chance(6)],
                 1 + (unsigned)chance(30), chance(2) ? "" : " 12:00");
        break;
    case 0:
    case 1:
    case 2:
        snprintf(leaf->text, sizeof leaf->text, "%s %s %d", name, signs[chance(6)], number);
        break;
    case 3:
        snprintf(leaf->text, sizeof leaf->text, "%s between %d and %d", name, number,
                 number + (int)chance(4000));
        break;
    case 4:
        snprintf(leaf->text, sizeof leaf->text, "%s %sin (%d, %d, 3)", name,
                 chance(2) ? "not " : "", number, (int)chance(13));
        break;
    case 5:
        snprintf(leaf->text, sizeof leaf->text, "c %s '%s'", signs[chance(6)], word);
        break;
    case 6:
        snprintf(leaf->text, sizeof leaf->text, "c %sin ('%s', '%s')", chance(2) ? "not " : "",
                 word, other);
        break;
    case 7:
        snprintf(leaf->text, sizeof leaf->text, "t has '%s'", word);
        break;
    case 8:
        snprintf(leaf->text, sizeof leaf->text, "t has %s ('%s', '%s')", chance(2) ? "any" : "all",
                 word, other);
        break;
    case 9:
        snprintf(leaf->text, sizeof leaf->text, "t != '%s'", word);
        break;
    case 10:
        snprintf(leaf->text, sizeof leaf->text, "%s %s%s '%.*s'", chance(2) ? "c" : "t",
                 chance(2) ? "not " : "", chance(2) ? "contains" : "starts with",
                 1 + (int)chance(3), word);
        break;
    case 11:
        snprintf(leaf->text, sizeof leaf->text, "%s", chance(2) ? "true" : "false");
        break;
    case 12:
        snprintf(leaf->text, sizeof leaf->text, "f = %s", chance(2) ? "true" : "false");
        break;
    default: {
        static const char *const all[] = {"n", "m", "c", "t", "f", "\"left out\""};
        snprintf(leaf->text, sizeof leaf->text, "%s is %smissing", all[chance(6)],
                 chance(2) ? "not " : "");
    }
    }
}

static void subject_leaf(struct leaf *leaf)
{
    static const char *const signs[] = {"=", "!=", "<", "<=", ">", ">="};
    const char *sign = signs[chance(6)];
    leaf->what = "fpgrl"[chance(5)];
    snprintf(leaf->op, sizeof leaf->op, "%s", sign);
    switch (leaf->what) {
    case 'f':
        leaf->operand = 2.5 * chance(41);
        snprintf(leaf->text, sizeof leaf->text, "%s %s %g", chance(2) ? "fit" : "score.fit", sign,
                 leaf->operand);
        break;
    case 'p':
        leaf->operand = chance(17) / 16.0;
        snprintf(leaf->text, sizeof leaf->text, "p %s %g", sign, leaf->operand);
        break;
    case 'r':
        leaf->operand = (int)chance(4000) - 2000;
        snprintf(leaf->text, sizeof leaf->text, "score.raw %s %g", sign, leaf->operand);
        break;
    case 'g':
        leaf->operand = chance(4);
        sign = chance(2) ? "=" : "!=";
        snprintf(leaf->op, sizeof leaf->op, "%s", sign);
        snprintf(leaf->text, sizeof leaf->text, "grade %s '%c'", sign, 'D' - (int)leaf->operand);
        break;
    default:
        snprintf(leaf->text, sizeof leaf->text, "%s", chance(2) ? "on tal 'target'" : "on any tal");
    }
}

static bool compared(double value, const char *op, double operand)
{
    switch (op[0]) {
    case '=':
        return value == operand;
    case '!':
        return value != operand;
    case '<':
        return op[1] ? value <= operand : value < operand;
    default:
        return op[1] ? value >= operand : value > operand;
    }
}

static bool leaf_holds(const struct base *base, const struct leaf *leaf, size_t row)
{
    int64_t raw = base->raws[row];
    bool listed = false;
    switch (leaf->what) {
    case 'f':
        return compared(fit_at(NULL, raw), leaf->op, leaf->operand);
    case 'p':
        return compared(p_at(NULL, raw), leaf->op, leaf->operand);
    case 'g':
        return compared(grade_at(NULL, raw), leaf->op, leaf->operand);
    case 'r':
        return compared((double)raw, leaf->op, leaf->operand);
    case 'l':
        for (size_t i = 0; i < base->list_count; i++) {
            listed = listed || base->list[i] == row;
        }
        return listed;
    default:
        return filter_match(leaf->filter, base->values[row], FIELDS);
    }
}

/* A tree over leaves, as text and as nodes. */
struct tree {
    struct leaf leaves[LEAVES_MAX];
    size_t leaf_count;
    struct node {
        char kind; /* 'l', '!', '&', '|' */
        size_t a, b;
    } nodes[64];
    size_t node_count;
};

static size_t tree_grow(struct tree *tree, const struct base *base, char *text, size_t room,
                        unsigned depth)
{
    size_t own = tree->node_count++;
    struct node *node = &tree->nodes[own];
    char a[2048];
    char b[2048];
    bool leaf = depth == 0 || chance(3) == 0 || tree->leaf_count + 2 > LEAVES_MAX ||
                tree->node_count + 3 > 64;
    if (leaf) {
        struct leaf *made = &tree->leaves[tree->leaf_count];
        struct proto_fault fault = {0};
        *node = (struct node){'l', tree->leaf_count++ % LEAVES_MAX, 0};
        *made = (struct leaf){0};
        if (chance(3) == 0) {
            subject_leaf(made);
        } else {
            field_leaf(made);
            made->filter = filter_parse(base->schema, proto_span_text(made->text), &fault, NULL);
            assert_non_null(made->filter);
        }
        snprintf(text, room, "%s", made->text);
        return own;
    }
    char kind = "!&|"[chance(3)];
    size_t first = tree_grow(tree, base, a, sizeof a, depth - 1);
    size_t second = 0;
    if (kind == '!') {
        snprintf(text, room, "not (%.2000s)", a);
    } else {
        second =
            tree->leaf_count < LEAVES_MAX ? tree_grow(tree, base, b, sizeof b, depth - 1) : first;
        if (second == first) {
            snprintf(b, sizeof b, "%s", a);
        }
        snprintf(text, room, "(%.900s) %s (%.900s)", a, kind == '&' ? "and" : "or", b);
    }
    tree->nodes[own] = (struct node){kind, first, second};
    return own;
}

static bool tree_holds(const struct tree *tree, size_t at, const struct base *base, size_t row)
{
    const struct node *node = &tree->nodes[at];
    switch (node->kind) {
    case 'l':
        return leaf_holds(base, &tree->leaves[node->a], row);
    case '!':
        return !tree_holds(tree, node->a, base, row);
    case '&':
        return tree_holds(tree, node->a, base, row) && tree_holds(tree, node->b, base, row);
    default:
        return tree_holds(tree, node->a, base, row) || tree_holds(tree, node->b, base, row);
    }
}

/* Rows that were decided without looking, over all rounds: a filter that always looks would pass.
 */
struct decided {
    size_t sure, looked;
};

static void blocks_check(const struct base *base, const struct filter *filter,
                         const struct tree *tree, size_t root, bool with_rows, const char *text,
                         struct decided *decided)
{
    struct proto_fault fault = {0};
    struct filter_facts facts = {(void *)(uintptr_t)base, fit_at, p_at, grade_at, list_at};
    struct filter_rows *rows =
        filter_rows_compile(filter, with_rows ? base->codebook : NULL, &facts, &fault);
    assert_non_null(rows);
    size_t stride = base->codebook->row_bytes;
    for (uint32_t slot = 0; slot < ROWS;) {
        unsigned count = 1 + chance(FILTER_BLOCK_ROWS);
        count = slot + count > ROWS ? ROWS - slot : count;
        struct filter_block block = {with_rows ? base->codes + slot * stride : NULL, stride, count,
                                     slot, base->raws + slot};
        struct filter_verdict verdict = filter_rows_block(rows, &block);
        assert_int_equal(verdict.sure & ~verdict.maybe, 0);
        assert_true(count == 64 || verdict.maybe >> count == 0);
        for (unsigned i = 0; i < count; i++) {
            bool sure = (verdict.sure >> i & 1) != 0;
            bool maybe = (verdict.maybe >> i & 1) != 0;
            bool holds = sure;
            if (maybe && !sure) {
                holds = filter_match_known(filter, base->values[slot + i], FIELDS,
                                           filter_rows_known(rows, i));
            }
            decided->looked += maybe && !sure;
            decided->sure += !(maybe && !sure);
            if (holds != tree_holds(tree, root, base, slot + i)) {
                fail_msg("row %u: %s gives %d", slot + i, text, holds);
            }
        }
        slot += count;
    }
    filter_rows_destroy(rows);
}

static void rows_answer_as_values_do(void **state)
{
    (void)state;
    struct base *base = calloc(1, sizeof *base);
    struct tree *tree = calloc(1, sizeof *tree);
    struct decided decided = {0};
    char text[4096];
    for (unsigned round = 0; round < ROUNDS; round++) {
        random_state = round * UINT64_C(77777) + 1;
        base_open(base);
        *tree = (struct tree){0};
        size_t root = tree_grow(tree, base, text, sizeof text, 4);
        struct proto_fault fault = {0};
        struct filter *filter = filter_parse_scope(base->schema, FILTER_OF_ACCOUNTS,
                                                   proto_span_text(text), &fault, NULL);
        if (!filter) {
            fail_msg("round %u: %s: %s", round, text, fault.message);
        }
        blocks_check(base, filter, tree, root, true, text, &decided);
        struct decided without = {0};
        blocks_check(base, filter, tree, root, false, text, &without);
        for (size_t i = 0; i < tree->leaf_count; i++) {
            filter_destroy(tree->leaves[i].filter);
        }
        /* What is printed means the same. */
        char *printed = filter_print(filter);
        struct filter *again = filter_parse_scope(base->schema, FILTER_OF_ACCOUNTS,
                                                  proto_span_text(printed), &fault, NULL);
        assert_non_null(again);
        char *twice = filter_print(again);
        assert_string_equal(printed, twice);
        free(twice);
        free(printed);
        filter_destroy(again);
        filter_destroy(filter);
        base_close(base);
    }
    assert_true(decided.sure > decided.looked);
    assert_true(decided.looked > 0);
    free(tree);
    free(base);
}

static void refused(const struct feature_schema *schema, enum filter_scope scope, const char *text,
                    const char *message)
{
    struct proto_fault fault = {0};
    struct filter *filter = filter_parse_scope(schema, scope, proto_span_text(text), &fault, NULL);
    assert_null(filter);
    assert_int_equal(fault.code, PROTO_BAD_FILTER);
    assert_non_null(strstr(fault.message, message));
}

static void labels_refuse_scores_and_lists_by_name(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct feature_schema *schema =
        feature_schema_parse(proto_span_text(schema_text), 1, NULL, &fault);
    refused(schema, FILTER_OF_VALUES, "n = 1 and fit > 3", "column 11: \"score.fit\"");
    refused(schema, FILTER_OF_VALUES, "not on tal 'x'", "\"on tal\"");
    refused(schema, FILTER_OF_VALUES, "on any tal", "\"on any tal\"");
    refused(schema, FILTER_OF_ACCOUNTS, "grade > 'B'", "takes =, !=, in and not in");
    refused(schema, FILTER_OF_ACCOUNTS, "grade = 'E'", "a grade is");
    refused(schema, FILTER_OF_ACCOUNTS, "fit is missing", "takes =");
    refused(schema, FILTER_OF_ACCOUNTS, "on tal", "column 7");
    refused(schema, FILTER_OF_ACCOUNTS, "score = 3", "no field");
    feature_schema_release(schema);
}

static void a_field_keeps_its_name_from_scores(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    static const char own[] = "{\"fields\":[{\"name\":\"fit\",\"type\":\"number\"},"
                              "{\"name\":\"score\",\"type\":\"number\"},"
                              "{\"name\":\"on\",\"type\":\"flag\"}]}";
    struct feature_schema *schema = feature_schema_parse(proto_span_text(own), 1, NULL, &fault);
    static const struct {
        const char *text;
        bool score;
    } cases[] = {{"fit > 3", false},   {"score.fit > 3", true},
                 {"score = 3", false}, {"on and fit = 1", false},
                 {"p > 0.5", true},    {"on = 1 or score.p < 1", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct filter *filter = filter_parse_scope(schema, FILTER_OF_ACCOUNTS,
                                                   proto_span_text(cases[i].text), &fault, NULL);
        assert_non_null(filter);
        assert_int_equal(filter_reads_score(filter), cases[i].score);
        filter_destroy(filter);
    }
    struct filter *filter = filter_parse_scope(schema, FILTER_OF_ACCOUNTS,
                                               proto_span_text("on tal 'a' and on"), &fault, NULL);
    assert_non_null(filter);
    assert_true(filter_reads_lists(filter));
    filter_destroy(filter);
    feature_schema_release(schema);
}

static void a_list_that_is_not_there_is_named_with_its_column(void **state)
{
    (void)state;
    struct base *base = calloc(1, sizeof *base);
    random_state = 5;
    base_open(base);
    struct proto_fault fault = {0};
    struct filter *filter =
        filter_parse_scope(base->schema, FILTER_OF_ACCOUNTS,
                           proto_span_text("n = 1 and on tal 'other'"), &fault, NULL);
    assert_non_null(filter);
    struct filter_facts facts = {base, fit_at, p_at, grade_at, list_at};
    assert_null(filter_rows_compile(filter, base->codebook, &facts, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FILTER);
    assert_non_null(strstr(fault.message, "column 11: there is no target account list 'other'"));
    filter_destroy(filter);
    base_close(base);
    free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_answer_as_values_do),
        cmocka_unit_test(labels_refuse_scores_and_lists_by_name),
        cmocka_unit_test(a_field_keeps_its_name_from_scores),
        cmocka_unit_test(a_list_that_is_not_there_is_named_with_its_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
