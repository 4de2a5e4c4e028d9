/* SPDX-License-Identifier: Apache-2.0 */
/* Each contribution is a map: names, the account's own value, the bin in words, points, and, where
 * the version says them, the accounts behind the bin. The strongest also show their neighbours: of
 * a number those by size, of anything else those by contribution, and of a field without a value
 * the worst and the best that it could have. */
#include "server/rpc/explain_write.h"

#include <stdlib.h>

#include "server/math/accuracy.h"
#include "server/rpc/rpc_member.h"
#include "server/rpc/value_write.h"

enum { BIN_TEXT_BYTES = 200 };

/* Members of a contribution and of a bin of a shape that say what stands behind it. */
struct counted {
    const struct proto_field_info *accounts, *outcomes, *low, *high;
};

static struct counted counted_in_part(void)
{
    return (struct counted){RPC_MEMBER(CONTRIBUTION, ACCOUNTS), RPC_MEMBER(CONTRIBUTION, OUTCOMES),
                            RPC_MEMBER(CONTRIBUTION, RATE_LOW),
                            RPC_MEMBER(CONTRIBUTION, RATE_HIGH)};
}

static struct counted counted_in_shape(void)
{
    return (struct counted){RPC_MEMBER(SHAPE_BIN, ACCOUNTS), RPC_MEMBER(SHAPE_BIN, OUTCOMES),
                            RPC_MEMBER(SHAPE_BIN, RATE_LOW), RPC_MEMBER(SHAPE_BIN, RATE_HIGH)};
}

/* Members that counted_write writes: an interval of no accounts says nothing. */
static size_t counted_count(const struct learn_document *document, size_t term, uint32_t entry)
{
    const struct learn_support *support = document->support;
    return !support || !support->known[term] ? 0 : support->rows[entry] > 0 ? 4 : 2;
}

static void counted_write(struct proto_writer *out, const struct counted *members,
                          const struct learn_document *document, size_t term, uint32_t entry)
{
    size_t count = counted_count(document, term, entry);
    if (count == 0) {
        return;
    }
    uint32_t rows = document->support->rows[entry];
    uint32_t positives = document->support->positives[entry];
    rpc_member_uint(out, members->accounts, rows);
    rpc_member_uint(out, members->outcomes, positives);
    if (count == 4) {
        double low;
        double high;
        math_wilson(positives, rows, &low, &high);
        rpc_member_number(out, members->low, low);
        rpc_member_number(out, members->high, high);
    }
}

static void bin_write(struct proto_writer *out, const struct proto_field_info *member,
                      const struct feature_column *column, uint8_t code)
{
    char text[BIN_TEXT_BYTES];
    feature_bin_text(column, code, text, sizeof text);
    rpc_member_text(out, member, text);
}

static const char *state_name(enum engine_part_state state)
{
    static const char *const names[] = {[ENGINE_PART_KNOWN] = "known",
                                        [ENGINE_PART_MISSING] = "missing",
                                        [ENGINE_PART_UNSEEN] = "unseen",
                                        [ENGINE_PART_STALE] = "stale"};
    return names[state];
}

struct shape {
    uint8_t codes[2 * PROTO_EXPLAIN_AROUND_MAX + 1];
    size_t count;
};

static void shape_add(struct shape *shape, size_t code)
{
    for (size_t i = 0; i < shape->count; i++) {
        if (shape->codes[i] == code) {
            return;
        }
    }
    shape->codes[shape->count++] = (uint8_t)code;
}

/* The worst and the best of a field that has no value. */
static void shape_of_missing(const int32_t *table, size_t bins, struct shape *shape)
{
    size_t worst = 1;
    size_t best = 1;
    for (size_t code = 2; code < bins; code++) {
        worst = table[code] < table[worst] ? code : worst;
        best = table[code] > table[best] ? code : best;
    }
    shape_add(shape, 0);
    if (bins > 1) {
        shape_add(shape, worst);
        shape_add(shape, best);
    }
}

/* Whether a code stands before another by contribution, ties by code. */
static bool stands_before(const int32_t *table, size_t code, size_t other)
{
    return table[code] != table[other] ? table[code] < table[other] : code < other;
}

/* The code next to another in that order; 0 if there is none. */
static size_t next_to(const int32_t *table, size_t bins, size_t code, bool above)
{
    size_t best = 0;
    for (size_t other = 1; other < bins; other++) {
        bool beyond = above ? stands_before(table, code, other) : stands_before(table, other, code);
        bool nearer = best == 0 || (above ? stands_before(table, other, best)
                                          : stands_before(table, best, other));
        best = beyond && nearer ? other : best;
    }
    return best;
}

static void shape_by_contribution(const int32_t *table, size_t bins, size_t here, unsigned around,
                                  struct shape *shape)
{
    size_t first = here;
    for (unsigned i = 0; i < around; i++) {
        size_t below = next_to(table, bins, first, false);
        first = below != 0 ? below : first;
    }
    shape_add(shape, first);
    for (size_t code = first; code != 0 && shape->count < 2 * (size_t)around + 1;) {
        code = next_to(table, bins, code, true);
        if (code != 0) {
            shape_add(shape, code);
        }
    }
}

static void shape_choose(const struct feature_column *column, const int32_t *table, uint8_t here,
                         unsigned around, struct shape *shape)
{
    size_t bins = column->bin_count;
    shape->count = 0;
    if (here == 0) {
        shape_of_missing(table, bins, shape);
    } else if (feature_type_is_number(column->type)) {
        size_t first = here > around ? here - around : 1;
        for (size_t code = first; code < bins && code <= (size_t)here + around; code++) {
            shape_add(shape, code);
        }
    } else {
        shape_by_contribution(table, bins, here, around, shape);
    }
}

static void shape_write(struct proto_writer *out, const struct engine_explanation *explanation,
                        const struct engine_part *part, unsigned around)
{
    const struct learn_document *document = explanation->document;
    const struct model_scorecard *scorecard = document->scorecard;
    const struct feature_column *column = &document->codebook->columns[part->term->column_a];
    size_t term = (size_t)(part->term - scorecard->terms);
    uint8_t here = explanation->codes[part->term->column_a];
    struct counted members = counted_in_shape();
    struct shape shape;
    shape_choose(column, scorecard->tables + part->term->table_offset, here, around, &shape);
    rpc_member(out, RPC_MEMBER(CONTRIBUTION, SHAPE));
    proto_write_array(out, shape.count);
    for (size_t i = 0; i < shape.count; i++) {
        uint32_t entry = part->term->table_offset + shape.codes[i];
        proto_write_map(out, 3 + counted_count(document, term, entry));
        bin_write(out, RPC_MEMBER(SHAPE_BIN, BIN), column, shape.codes[i]);
        rpc_member_int(out, RPC_MEMBER(SHAPE_BIN, CONTRIBUTION), scorecard->tables[entry]);
        rpc_member_flag(out, RPC_MEMBER(SHAPE_BIN, HERE), shape.codes[i] == here);
        counted_write(out, &members, document, term, entry);
    }
}

/* The account's own value of a column's field; NULL if it has none. */
static const struct feature_value *value_of(const struct engine_explanation *explanation,
                                            const struct feature_column *column)
{
    const struct feature_value *value =
        column->field_id < explanation->value_slots ? &explanation->values[column->field_id] : NULL;
    return value && value->present ? value : NULL;
}

static void value_member(struct proto_writer *out, const struct proto_field_info *member,
                         const struct feature_value *value)
{
    if (value) {
        rpc_member(out, member);
        rpc_write_value(out, value);
    }
}

/* The bin of a part in words; of a pair both. */
static void part_bin_write(struct proto_writer *out, const struct engine_explanation *explanation,
                           const struct model_term *term)
{
    const struct feature_column *columns = explanation->document->codebook->columns;
    char text[BIN_TEXT_BYTES];
    char both[2 * BIN_TEXT_BYTES + 8];
    feature_bin_text(&columns[term->column_a], explanation->codes[term->column_a], text,
                     sizeof text);
    if (term->column_b != MODEL_NO_COLUMN) {
        char second[BIN_TEXT_BYTES];
        feature_bin_text(&columns[term->column_b], explanation->codes[term->column_b], second,
                         sizeof second);
        (void)snprintf(both, sizeof both, "%s × %s", text, second);
        rpc_member_text(out, RPC_MEMBER(CONTRIBUTION, BIN), both);
    } else {
        rpc_member_text(out, RPC_MEMBER(CONTRIBUTION, BIN), text);
    }
}

static void part_write(struct proto_writer *out, const struct engine_explanation *explanation,
                       const struct engine_part *part, unsigned around)
{
    const struct learn_document *document = explanation->document;
    const struct feature_column *columns = document->codebook->columns;
    const struct model_term *term = part->term;
    size_t place = (size_t)(term - document->scorecard->terms);
    bool pair = term->column_b != MODEL_NO_COLUMN;
    /* Of trees a bin has no contribution of its own that could stand beside the account's. */
    bool shape = around > 0 && !pair && !document->scorecard->trees;
    const struct feature_value *value = value_of(explanation, &columns[term->column_a]);
    const struct feature_value *second =
        pair ? value_of(explanation, &columns[term->column_b]) : NULL;
    struct counted members = counted_in_part();
    proto_write_map(out, 4U + pair + (value != NULL) + (second != NULL) + shape +
                             counted_count(document, place, part->entry));
    rpc_member_text(out, RPC_MEMBER(CONTRIBUTION, FIELD), columns[term->column_a].field_name);
    if (pair) {
        rpc_member_text(out, RPC_MEMBER(CONTRIBUTION, SECOND), columns[term->column_b].field_name);
    }
    value_member(out, RPC_MEMBER(CONTRIBUTION, VALUE), value);
    value_member(out, RPC_MEMBER(CONTRIBUTION, SECOND_VALUE), second);
    part_bin_write(out, explanation, term);
    rpc_member_int(out, RPC_MEMBER(CONTRIBUTION, CONTRIBUTION), part->contribution);
    rpc_member_text(out, RPC_MEMBER(CONTRIBUTION, STATE), state_name(part->state));
    counted_write(out, &members, document, place, part->entry);
    if (shape) {
        shape_write(out, explanation, part, around);
    }
}

void rpc_write_contributions(struct proto_writer *out, const struct engine_explanation *explanation,
                             const struct rpc_explain_form *form)
{
    proto_write_array(out, explanation->part_count);
    for (size_t i = 0; i < explanation->part_count; i++) {
        part_write(out, explanation, &explanation->parts[i], i < form->shapes ? form->around : 0);
    }
}

void rpc_write_families(struct proto_writer *out, const struct engine_explanation *explanation)
{
    size_t count = 0;
    for (unsigned f = 0; f < ENGINE_FAMILIES; f++) {
        count += explanation->has_family[f];
    }
    proto_write_array(out, count);
    for (unsigned f = 0; f < ENGINE_FAMILIES; f++) {
        if (explanation->has_family[f]) {
            proto_write_map(out, 2);
            rpc_member_text(out, RPC_MEMBER(FAMILY_PART, FAMILY),
                            f == ENGINE_FAMILY_JOINT ? "joint"
                                                     : feature_family_name((enum feature_family)f));
            rpc_member_int(out, RPC_MEMBER(FAMILY_PART, CONTRIBUTION), explanation->families[f]);
        }
    }
}

void rpc_write_changes(struct proto_writer *out, const struct engine_explanation *explanation,
                       const struct engine_change *changes, size_t count)
{
    proto_write_array(out, count);
    for (size_t i = 0; i < count; i++) {
        const struct engine_change *change = &changes[i];
        const struct feature_column *column =
            &explanation->document->codebook->columns[change->column];
        const char grade[2] = {change->grade, '\0'};
        proto_write_map(out, 6);
        rpc_member_text(out, RPC_MEMBER(CHANGE, FIELD), column->field_name);
        bin_write(out, RPC_MEMBER(CHANGE, NOW), column, change->from);
        bin_write(out, RPC_MEMBER(CHANGE, THEN), column, change->to);
        rpc_member_int(out, RPC_MEMBER(CHANGE, CONTRIBUTION), change->moves);
        rpc_member_number(out, RPC_MEMBER(CHANGE, FIT), change->fit);
        rpc_member_text(out, RPC_MEMBER(CHANGE, GRADE), grade);
    }
}
