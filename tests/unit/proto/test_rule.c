/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds and defaults of the tables: that the decoder keeps every bound of every field at its very
 * edge, that defaults keep to their own bounds, and what is said of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/rule.h"
#include "proto/shape.h"
#include "proto/writer.h"

/* A value of the field's type that measures so much; false if the type has no bounds. */
static bool write_measured(struct proto_writer *writer, enum proto_type type, double measure)
{
    static const char filler[PROTO_FILTER_BYTES_MAX + 1];
    switch (type) {
    case PROTO_UINT:
        proto_write_uint(writer, (uint64_t)measure);
        return measure >= 0;
    case PROTO_INT:
        proto_write_int(writer, (int64_t)measure);
        return true;
    case PROTO_NUMBER:
        proto_write_f64(writer, measure);
        return true;
    case PROTO_TEXT:
        proto_write_str(writer, (struct proto_span){(const uint8_t *)filler, (size_t)measure});
        return measure >= 0 && measure <= sizeof filler;
    case PROTO_TEXTS:
    case PROTO_LIST:
        if (measure < 0 || measure > 20000) {
            return false;
        }
        proto_write_array(writer, (size_t)measure);
        for (size_t i = 0; i < (size_t)measure; i++) {
            proto_write_text(writer, "");
        }
        return true;
    default:
        return false; /* documents: their bound is 15 MiB */
    }
}

/* Decodes a table of this one field with a value that measures so much. */
static enum proto_error decoded(const struct proto_field_info *field, double measure,
                                struct proto_fault *fault)
{
    struct proto_writer writer;
    struct proto_arg arg;
    *fault = (struct proto_fault){0};
    proto_writer_init(&writer);
    proto_write_map(&writer, 1);
    proto_write_text(&writer, field->name);
    if (write_measured(&writer, field->type, measure)) {
        (void)proto_fields_decode(field, 1, proto_writer_span(&writer), &arg, fault);
    } else {
        fault->code = PROTO_USAGE;
    }
    proto_writer_fini(&writer);
    return fault->code;
}

/* The nearest measure beyond a bound. */
static double beyond(const struct proto_field_info *field, double bound, double direction)
{
    return field->type == PROTO_NUMBER ? nextafter(bound, direction * HUGE_VAL)
                                       : bound + (direction > 0 ? 1 : -1);
}

static void refusal_tells(const struct proto_field_info *field, const struct proto_fault *fault)
{
    char wanted[96];
    assert_string_equal(fault->field, field->name);
    assert_non_null(strstr(fault->message, proto_rule_print(field, wanted, sizeof wanted)));
    assert_non_null(strstr(fault->message, "found"));
}

static unsigned edges_hold(const struct proto_field_info *field)
{
    struct proto_fault fault;
    unsigned tried = 0;
    bool listed = field->type == PROTO_TEXTS || field->type == PROTO_LIST;
    if (field->low > 0 && field->type != PROTO_JSON) {
        assert_int_equal(decoded(field, field->low, &fault), PROTO_OK);
        assert_int_equal(decoded(field, beyond(field, field->low, -1), &fault), PROTO_BAD_FIELD);
        refusal_tells(field, &fault);
        tried++;
    }
    if (field->high > 0 && field->type != PROTO_JSON) {
        assert_int_equal(decoded(field, field->high, &fault), PROTO_OK);
        assert_int_equal(decoded(field, beyond(field, field->high, 1), &fault),
                         listed ? PROTO_TOO_LARGE : PROTO_BAD_FIELD);
        refusal_tells(field, &fault);
        const struct proto_limit_info *limit = proto_rule_limit(field->high_source);
        assert_true(limit == NULL || strstr(fault.message, limit->name) != NULL);
        tried++;
    }
    return tried;
}

static void rule_is_kept_at_its_edges_by_every_request(void **state)
{
    (void)state;
    size_t count;
    unsigned tried = 0;
    const struct proto_op_info *ops = proto_ops(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t f = 0; f < ops[i].request_count; f++) {
            tried += edges_hold(&ops[i].request[f]);
        }
    }
    assert_true(tried >= 40);
}

static void rule_is_kept_at_its_edges_by_every_shape(void **state)
{
    (void)state;
    unsigned tried = 0;
    for (unsigned i = 0; i < PROTO_SHAPE_COUNT; i++) {
        const struct proto_shape_info *shape = proto_shape_info((enum proto_shape)i);
        for (size_t m = 0; m < shape->member_count; m++) {
            tried += edges_hold(&shape->members[m]);
        }
    }
    assert_true(tried >= 6);
}

static void rule_of_a_document_tells_too_large(void **state)
{
    (void)state;
    const struct proto_field_info *field =
        &proto_op_find(PROTO_OP_ICP_PUT)->request[PROTO_Q_ICP_PUT_DOCUMENT];
    struct proto_arg arg = {.present = true, .text = {NULL, PROTO_DOCUMENT_BYTES_MAX}};
    struct proto_fault fault = {0};
    assert_true(proto_rule_keeps(field, &arg, &fault));
    arg.text.bytes++;
    assert_false(proto_rule_keeps(field, &arg, &fault));
    assert_int_equal(fault.code, PROTO_TOO_LARGE);
    arg.text.bytes = 0;
    assert_false(proto_rule_keeps(field, &arg, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
}

static void columns_make_sense(const struct proto_field_info *field)
{
    bool number = field->type == PROTO_UINT || field->type == PROTO_INT ||
                  field->type == PROTO_NUMBER || field->type == PROTO_FLAG;
    assert_true(isnan(field->otherwise) || number);
    assert_true(field->text_default == NULL || field->type == PROTO_TEXT);
    assert_true(field->presence == PROTO_OPTIONAL || isnan(field->otherwise));
    assert_int_equal(field->bounded, !isnan(field->low) || !isnan(field->high));
    assert_false(field->low > field->high);
    assert_false(fabs(field->low) > 0x1p53 || fabs(field->high) > 0x1p53);
    assert_false(field->otherwise < field->low || field->otherwise > field->high);
    assert_true(!field->bounded || (field->type != PROTO_FLAG && field->type != PROTO_ANY));
    /* A bound that names something names a limit, so that the refusal and the page can. */
    if (strncmp(field->high_source, "PROTO_", 6) == 0) {
        const struct proto_limit_info *limit = proto_rule_limit(field->high_source);
        assert_non_null(limit);
        assert_true((double)limit->value == field->high);
    }
}

static void columns_of_every_field_make_sense(void **state)
{
    (void)state;
    size_t count;
    const struct proto_op_info *ops = proto_ops(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t f = 0; f < ops[i].request_count; f++) {
            const struct proto_field_info *field = &ops[i].request[f];
            columns_make_sense(field);
            /* The one flag without a default means "as it is". */
            assert_true(field->type != PROTO_FLAG || !isnan(field->otherwise) ||
                        strcmp(field->name, "icp_weights") == 0);
        }
        for (size_t f = 0; f < ops[i].reply_count; f++) {
            columns_make_sense(&ops[i].reply[f]);
            assert_false(ops[i].reply[f].bounded);
        }
    }
    for (unsigned i = 0; i < PROTO_SHAPE_COUNT; i++) {
        const struct proto_shape_info *shape = proto_shape_info((enum proto_shape)i);
        for (size_t m = 0; m < shape->member_count; m++) {
            columns_make_sense(&shape->members[m]);
        }
    }
}

static void rule_is_said_in_words(void **state)
{
    (void)state;
    char text[96];
    const struct proto_field_info *similar = proto_op_find(PROTO_OP_SIMILAR)->request;
    const struct proto_field_info *build = proto_op_find(PROTO_OP_SIMILAR_BUILD)->request;
    const struct proto_field_info *tal = proto_op_find(PROTO_OP_TAL_BUILD)->request;
    const struct {
        const struct proto_field_info *field;
        const char *words, *otherwise;
    } said[] = {
        {&similar[PROTO_Q_SIMILAR_K], "1 to 10000 accounts", "10"},
        {&similar[PROTO_Q_SIMILAR_RECALL], "above 0 up to 1", "1"},
        {&similar[PROTO_Q_SIMILAR_PARENT_FIELD], "", "\"parent\""},
        {&similar[PROTO_Q_SIMILAR_EXCLUDE_FAMILY], "", "false"},
        {&similar[PROTO_Q_SIMILAR_POSITIVES], "at most 1024 examples", ""},
        {&build[PROTO_Q_SIMILAR_BUILD_VECTOR_SHARE], "above 0 and below 1", ""},
        {&tal[PROTO_Q_TAL_BUILD_NAME], "1 to 127 bytes", ""},
        {&tal[PROTO_Q_TAL_BUILD_QUOTA], "at least 1 accounts", ""},
        {&proto_op_find(PROTO_OP_RECALL)->request[PROTO_Q_RECALL_RECALL], "above 0 up to 1",
         "0.99"},
    };
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        assert_string_equal(proto_rule_print(said[i].field, text, sizeof text), said[i].words);
        assert_string_equal(proto_rule_default_print(said[i].field, text, sizeof text),
                            said[i].otherwise);
    }
}

static void default_is_taken_where_the_field_is_left_out(void **state)
{
    (void)state;
    const struct proto_field_info *similar = proto_op_find(PROTO_OP_SIMILAR)->request;
    struct proto_arg absent = {.present = false};
    struct proto_arg k = {.present = true, .uint = 7};
    struct proto_arg recall = {.present = true, .number = 0.5};
    struct proto_arg flag = {.present = true, .flag = true};
    struct proto_arg parent = {.present = true, .text = proto_span_text("holding")};
    assert_int_equal(proto_arg_uint(&similar[PROTO_Q_SIMILAR_K], &absent), 10);
    assert_int_equal(proto_arg_uint(&similar[PROTO_Q_SIMILAR_K], &k), 7);
    assert_true(proto_arg_number(&similar[PROTO_Q_SIMILAR_RECALL], &absent) == 1);
    assert_true(proto_arg_number(&similar[PROTO_Q_SIMILAR_RECALL], &recall) == 0.5);
    assert_false(proto_arg_flag(&similar[PROTO_Q_SIMILAR_EXCLUDE_FAMILY], &absent));
    assert_true(proto_arg_flag(&similar[PROTO_Q_SIMILAR_EXCLUDE_FAMILY], &flag));
    const struct proto_field_info *field = &similar[PROTO_Q_SIMILAR_PARENT_FIELD];
    assert_true(proto_span_is(proto_arg_text(field, &absent), "parent"));
    assert_true(proto_span_is(proto_arg_text(field, &parent), "holding"));
}

static void limit_is_found_by_the_name_that_the_table_gives(void **state)
{
    (void)state;
    assert_int_equal(proto_rule_limit("PROTO_KEYS_MAX")->value, PROTO_KEYS_MAX);
    assert_null(proto_rule_limit("PROTO_KEYS"));
    assert_null(proto_rule_limit("PROTO_KEYS_MAX_"));
    assert_null(proto_rule_limit("KEYS_MAX"));
    assert_null(proto_rule_limit("64"));
    assert_null(proto_rule_limit(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_is_kept_at_its_edges_by_every_request),
        cmocka_unit_test(rule_is_kept_at_its_edges_by_every_shape),
        cmocka_unit_test(rule_of_a_document_tells_too_large),
        cmocka_unit_test(columns_of_every_field_make_sense),
        cmocka_unit_test(rule_is_said_in_words),
        cmocka_unit_test(default_is_taken_where_the_field_is_left_out),
        cmocka_unit_test(limit_is_found_by_the_name_that_the_table_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
