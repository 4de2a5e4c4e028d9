/* SPDX-License-Identifier: Apache-2.0 */
/* LightGBM's model: lines of name=value; first what holds for all trees, then a block for each
 * (foreign_lightgbm_tree.c), and "end of trees" behind the last. What stands behind that says
 * nothing of the score and is not looked at. Lines that are not known are passed over; what cannot
 * be served is refused by its name, and so is a file that ends before its trees do. */
#include <string.h>

#include "server/feature/span_text.h"
#include "server/foreign/foreign_lightgbm.h"

struct reading {
    struct foreign_model *model;
    struct foreign_reader *reader;
    struct foreign_lightgbm block;
    bool ended; /* "end of trees" was there */
    bool has_objective;
};

static bool names_take(struct reading *reading, struct proto_span value)
{
    struct proto_span word;
    if (reading->model->feature_count > 0) {
        return foreign_fail(reading->reader, foreign_place_of(reading->reader, value),
                            "feature_names twice");
    }
    while (foreign_word_next(&value, &word)) {
        size_t at = foreign_place_of(reading->reader, word);
        if (word.bytes > FOREIGN_NAME_BYTES_MAX || memchr(word.data, 0, word.bytes) != NULL ||
            reading->model->feature_count == FOREIGN_FEATURES_MAX) {
            return foreign_fail(reading->reader, at,
                                "at most %d names of at most %d bytes are served",
                                FOREIGN_FEATURES_MAX, FOREIGN_NAME_BYTES_MAX);
        }
        if (!foreign_feature_add(reading->model, (const char *)word.data, word.bytes)) {
            return false;
        }
    }
    return foreign_features_differ(reading->model, reading->reader,
                                   foreign_place_of(reading->reader, value));
}

/* "binary sigmoid:1": the sigmoid's slope makes logits of the margin. */
static bool objective_take(struct reading *reading, struct proto_span value)
{
    struct foreign_model *model = reading->model;
    size_t at = foreign_place_of(reading->reader, value);
    struct proto_span word = {0};
    char shown[FEATURE_SHOWN_BYTES];
    bool known = false;
    (void)foreign_word_next(&value, &word);
    if (word.bytes < sizeof model->objective) {
        memcpy(model->objective, word.data, word.bytes);
        model->logistic = foreign_objective_logistic(model->objective, &known);
    }
    if (!known) {
        return foreign_fail(reading->reader, at,
                            "the objective '%s' is not served: " FOREIGN_OBJECTIVES " are",
                            feature_text_show(word, shown, sizeof shown));
    }
    reading->has_objective = true;
    while (foreign_word_next(&value, &word)) {
        static const char sigmoid[] = "sigmoid:";
        size_t bytes = sizeof sigmoid - 1;
        if (word.bytes <= bytes || memcmp(word.data, sigmoid, bytes) != 0) {
            if (proto_span_is(word, "sqrt")) {
                return foreign_fail(reading->reader, foreign_place_of(reading->reader, word),
                                    "a regression of square roots (reg_sqrt) is not served");
            }
            continue;
        }
        struct proto_span number = {word.data + bytes, word.bytes - bytes};
        if (!feature_number_read(number, &model->scale) ||
            !(model->scale > 0 && model->scale <= 1000)) {
            return foreign_fail(reading->reader, foreign_place_of(reading->reader, number),
                                "sigmoid: a number above 0 is wanted");
        }
    }
    return true;
}

static bool head_line(struct reading *reading, struct proto_span name, struct proto_span value)
{
    int64_t number = 0;
    char shown[FEATURE_SHOWN_BYTES];
    if (proto_span_is(name, "version")) {
        size_t bytes = value.bytes < sizeof reading->model->version
                           ? value.bytes
                           : sizeof reading->model->version - 1;
        memcpy(reading->model->version, value.data, bytes);
        return (proto_span_is(value, "v2") || proto_span_is(value, "v3") ||
                proto_span_is(value, "v4")) ||
               foreign_fail(reading->reader, foreign_place_of(reading->reader, value),
                            "v2, v3 and v4 are read, not '%s'",
                            feature_text_show(value, shown, sizeof shown));
    }
    if (proto_span_is(name, "num_class") || proto_span_is(name, "num_tree_per_iteration")) {
        return foreign_whole_read(reading->reader, "num_class", value, 1, 100000, &number) &&
               (number == 1 ||
                foreign_fail(reading->reader, foreign_place_of(reading->reader, value),
                             "%lld classes: a model of one outcome is served", (long long)number));
    }
    if (proto_span_is(name, "average_output")) {
        return foreign_fail(reading->reader, foreign_place_of(reading->reader, name),
                            "an averaged forest (boosting=rf) is not served: gbdt and goss are");
    }
    if (proto_span_is(name, "feature_names")) {
        return names_take(reading, value);
    }
    return !proto_span_is(name, "objective") || objective_take(reading, value);
}

static bool line_take(struct reading *reading, struct proto_span line)
{
    const uint8_t *sign = memchr(line.data, '=', line.bytes);
    struct proto_span name = {line.data, sign != NULL ? (size_t)(sign - line.data) : line.bytes};
    struct proto_span value = {line.data + line.bytes, 0};
    if (sign != NULL) {
        value = (struct proto_span){sign + 1, line.bytes - name.bytes - 1};
    }
    if (proto_span_is(line, "end of trees")) {
        reading->ended = true;
        return foreign_lightgbm_end(&reading->block);
    }
    if (proto_span_is(name, "Tree")) {
        return foreign_lightgbm_begin(&reading->block, line, value);
    }
    return reading->block.leaves != 0 ? foreign_lightgbm_line(&reading->block, name, value)
                                      : head_line(reading, name, value);
}

static bool lines_read(struct reading *reading, struct proto_span text)
{
    while (text.bytes > 0 && !reading->ended) {
        const uint8_t *end = memchr(text.data, '\n', text.bytes);
        struct proto_span line = {text.data, end != NULL ? (size_t)(end - text.data) : text.bytes};
        size_t passed = line.bytes + (end != NULL);
        if (line.bytes > 0 && line.data[line.bytes - 1] == '\r') {
            line.bytes--;
        }
        if (line.bytes > 0 && !line_take(reading, line)) {
            return false;
        }
        text.data += passed;
        text.bytes -= passed;
    }
    return true;
}

bool foreign_lightgbm_read(struct foreign_model *model, struct proto_span text,
                           struct foreign_reader *reader)
{
    struct reading reading = {
        .model = model, .reader = reader, .block = {.model = model, .reader = reader}};
    bool ok = lines_read(&reading, text);
    if (ok && !reading.ended) {
        ok = foreign_fail(reader, text.bytes, "the file ends before its line 'end of trees'");
    }
    if (ok && model->feature_count == 0) {
        ok = foreign_fail(reader, 0,
                          "no line feature_names=: this is not a model that LightGBM saved");
    }
    if (ok && !reading.has_objective) {
        ok = foreign_fail(reader, 0, "no objective is named: what a score means is not known");
    }
    foreign_lightgbm_fini(&reading.block);
    return ok;
}
