/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/request.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "proto/writer.h"

#define BYTES(text) ((struct proto_span){(const uint8_t *)(text), sizeof(text) - 1})

struct fixture {
    struct proto_writer writer;
    struct proto_request request;
    struct proto_fault fault;
};

static bool decode(struct fixture *fixture, enum proto_op op)
{
    fixture->fault = (struct proto_fault){.code = PROTO_OK};
    bool is_good =
        proto_request_decode(proto_op_find((uint8_t)op), proto_writer_span(&fixture->writer),
                             &fixture->request, &fixture->fault);
    assert_int_equal(is_good, fixture->fault.code == PROTO_OK);
    return is_good;
}

static void refused(struct fixture *fixture, enum proto_op op, enum proto_error code,
                    const char *field)
{
    assert_false(decode(fixture, op));
    assert_int_equal(fixture->fault.code, code);
    assert_string_equal(fixture->fault.field, field);
    assert_true(strlen(fixture->fault.message) > 0);
}

static int setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.fault = {.code = PROTO_OK}};
    proto_writer_init(&fixture.writer);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    proto_writer_fini(&fixture->writer);
    return 0;
}

/* 7, or what the field takes that is next to it. */
static uint64_t sample_uint(const struct proto_field_info *field)
{
    double value = field->low > 7 ? field->low : field->high < 7 ? field->high : 7;
    return (uint64_t)value;
}

/* .5, or what the field takes that is next to it. */
static double sample_number(const struct proto_field_info *field)
{
    return field->low > .5 ? field->low : field->high < .5 ? field->high : .5;
}

/* A value that fits the field. */
static void value_write(struct proto_writer *writer, const struct proto_field_info *field)
{
    switch (field->type) {
    case PROTO_TEXT:
    case PROTO_JSON:
        proto_write_text(writer, "text");
        break;
    case PROTO_UINT:
        proto_write_uint(writer, sample_uint(field));
        break;
    case PROTO_INT:
        proto_write_int(writer, -7);
        break;
    case PROTO_NUMBER:
        proto_write_f64(writer, sample_number(field));
        break;
    case PROTO_FLAG:
        proto_write_bool(writer, true);
        break;
    case PROTO_BYTES:
        proto_write_bin(writer, proto_span_text("bytes"));
        break;
    case PROTO_TEXTS:
        proto_write_array(writer, 2);
        proto_write_text(writer, "a");
        proto_write_text(writer, "b");
        break;
    case PROTO_LIST:
        proto_write_array(writer, 1);
        proto_write_map(writer, 0);
        break;
    case PROTO_MAP:
        proto_write_map(writer, 1);
        proto_write_text(writer, "a");
        proto_write_uint(writer, 1);
        break;
    case PROTO_ANY:
        proto_write_nil(writer);
        break;
    }
}

static void value_is(const struct proto_arg *arg, const struct proto_field_info *field)
{
    assert_true(arg->present);
    switch (field->type) {
    case PROTO_TEXT:
    case PROTO_JSON:
        assert_true(proto_span_is(arg->text, "text"));
        break;
    case PROTO_UINT:
        assert_int_equal(arg->uint, sample_uint(field));
        break;
    case PROTO_INT:
        assert_int_equal(arg->integer, -7);
        break;
    case PROTO_NUMBER:
        assert_true(arg->number == sample_number(field));
        break;
    case PROTO_FLAG:
        assert_true(arg->flag);
        break;
    case PROTO_BYTES:
        assert_true(proto_span_is(arg->text, "bytes"));
        break;
    case PROTO_TEXTS:
        assert_true(proto_span_equal(arg->value, BYTES("\x92\xa1\x61\xa1\x62")));
        break;
    case PROTO_LIST:
        assert_true(proto_span_equal(arg->value, BYTES("\x91\x80")));
        break;
    case PROTO_MAP:
        assert_true(proto_span_equal(arg->value, BYTES("\x81\xa1\x61\x01")));
        break;
    case PROTO_ANY:
        assert_true(proto_span_equal(arg->value, BYTES("\xc0")));
        break;
    }
}

/* All fields in the order of the table or against it, without `skip`, and with `wrong` of another
 * type; an index of `count` means none. */
static void fields_write(struct proto_writer *writer, const struct proto_field_info *fields,
                         size_t count, bool backwards, size_t skip, size_t wrong)
{
    proto_writer_reset(writer);
    proto_write_map(writer, skip < count ? count - 1 : count);
    for (size_t i = 0; i < count; i++) {
        size_t at = backwards ? count - 1 - i : i;
        if (at == skip) {
            continue;
        }
        proto_write_text(writer, fields[at].name);
        if (at == wrong) { /* no field is nil, and only a flag is a boolean */
            if (fields[at].type == PROTO_FLAG) {
                proto_write_nil(writer);
            } else {
                proto_write_bool(writer, true);
            }
        } else {
            value_write(writer, &fields[at]);
        }
    }
}

static void request_decodes_every_field_of_every_operation(void **state)
{
    struct fixture *fixture = *state;
    size_t op_count = 0;
    const struct proto_op_info *ops = proto_ops(&op_count);
    for (size_t i = 0; i < op_count; i++) {
        for (int backwards = 0; backwards < 2; backwards++) {
            size_t count = ops[i].request_count;
            fields_write(&fixture->writer, ops[i].request, count, backwards == 1, count, count);
            assert_true(decode(fixture, ops[i].op));
            assert_ptr_equal(fixture->request.op, &ops[i]);
            for (size_t j = 0; j < count; j++) {
                value_is(&fixture->request.args[j], &ops[i].request[j]);
            }
        }
    }
}

static void request_wants_every_required_field(void **state)
{
    struct fixture *fixture = *state;
    size_t op_count = 0;
    const struct proto_op_info *ops = proto_ops(&op_count);
    for (size_t i = 0; i < op_count; i++) {
        for (size_t j = 0; j < ops[i].request_count; j++) {
            fields_write(&fixture->writer, ops[i].request, ops[i].request_count, false, j,
                         ops[i].request_count);
            if (ops[i].request[j].presence == PROTO_REQUIRED) {
                refused(fixture, ops[i].op, PROTO_MISSING_FIELD, ops[i].request[j].name);
            } else {
                assert_true(decode(fixture, ops[i].op));
                assert_false(fixture->request.args[j].present);
            }
        }
    }
}

static void request_refuses_a_wrong_type_in_every_field(void **state)
{
    struct fixture *fixture = *state;
    size_t op_count = 0;
    const struct proto_op_info *ops = proto_ops(&op_count);
    for (size_t i = 0; i < op_count; i++) {
        for (size_t j = 0; j < ops[i].request_count; j++) {
            size_t count = ops[i].request_count;
            fields_write(&fixture->writer, ops[i].request, count, false, count, j);
            refused(fixture, ops[i].op, PROTO_BAD_FIELD, ops[i].request[j].name);
            assert_non_null(strstr(fixture->fault.message, "expected"));
            assert_non_null(strstr(fixture->fault.message, "found"));
        }
    }
}

static void reply_tables_decode_too(void **state)
{
    struct fixture *fixture = *state;
    size_t op_count = 0;
    const struct proto_op_info *ops = proto_ops(&op_count);
    for (size_t i = 0; i < op_count; i++) {
        size_t count = ops[i].reply_count;
        fields_write(&fixture->writer, ops[i].reply, count, false, count, count);
        struct proto_arg args[PROTO_ARGS_MAX];
        assert_true(proto_fields_decode(ops[i].reply, count, proto_writer_span(&fixture->writer),
                                        args, &fixture->fault));
        for (size_t j = 0; j < count; j++) {
            value_is(&args[j], &ops[i].reply[j]);
        }
    }
}

static void request_takes_an_empty_payload_for_an_empty_map(void **state)
{
    struct fixture *fixture = *state;
    assert_true(decode(fixture, PROTO_OP_PING));
    assert_true(decode(fixture, PROTO_OP_SCORE));
    refused(fixture, PROTO_OP_ACCOUNT_PUT, PROTO_MISSING_FIELD, "accounts");
    proto_write_map(&fixture->writer, 0);
    assert_true(decode(fixture, PROTO_OP_SCORE));
    assert_false(fixture->request.args[PROTO_Q_SCORE_ID].present);
}

static void request_carries_what_it_wants_of_the_server_in_any_operation(void **state)
{
    struct fixture *fixture = *state;
    proto_write_map(&fixture->writer, 2);
    proto_write_text(&fixture->writer, "max_age_ms");
    proto_write_uint(&fixture->writer, 0);
    proto_write_text(&fixture->writer, "min_seq");
    proto_write_uint(&fixture->writer, 900);
    assert_true(decode(fixture, PROTO_OP_SCORE));
    assert_int_equal(fixture->request.min_seq, 900);
    assert_int_equal(fixture->request.max_age_ms, 0);
    proto_writer_reset(&fixture->writer);
    proto_write_map(&fixture->writer, 0);
    assert_true(decode(fixture, PROTO_OP_SCORE));
    assert_int_equal(fixture->request.min_seq, 0);
    assert_true(fixture->request.max_age_ms == UINT64_MAX);
    proto_writer_reset(&fixture->writer);
    proto_write_map(&fixture->writer, 1);
    proto_write_text(&fixture->writer, "min_seq");
    proto_write_text(&fixture->writer, "900");
    refused(fixture, PROTO_OP_PING, PROTO_BAD_FIELD, "min_seq");
}

static void request_carries_a_deadline_in_any_operation(void **state)
{
    struct fixture *fixture = *state;
    proto_write_map(&fixture->writer, 1);
    proto_write_text(&fixture->writer, "deadline_ms");
    proto_write_uint(&fixture->writer, 250);
    assert_true(decode(fixture, PROTO_OP_PING));
    assert_int_equal(fixture->request.deadline_ms, 250);
    proto_writer_reset(&fixture->writer);
    proto_write_map(&fixture->writer, 1);
    proto_write_text(&fixture->writer, "deadline_ms");
    proto_write_int(&fixture->writer, -1);
    refused(fixture, PROTO_OP_PING, PROTO_BAD_FIELD, "deadline_ms");
    /* It is nothing special in a nested map or a reply. */
    struct proto_arg args[1];
    assert_true(
        proto_fields_decode(NULL, 0, proto_writer_span(&fixture->writer), args, &fixture->fault));
}

static void request_passes_over_unknown_keys(void **state)
{
    struct fixture *fixture = *state;
    proto_write_map(&fixture->writer, 4);
    proto_write_text(&fixture->writer, "later");
    proto_write_map(&fixture->writer, 1);
    proto_write_text(&fixture->writer, "id");
    proto_write_nil(&fixture->writer);
    proto_write_text(&fixture->writer, "id");
    proto_write_text(&fixture->writer, "a1");
    proto_write_text(&fixture->writer, "newer");
    proto_write_array(&fixture->writer, 0);
    proto_write_text(&fixture->writer, "reasons");
    proto_write_f64(&fixture->writer, 3.0);
    assert_true(decode(fixture, PROTO_OP_SCORE));
    assert_true(proto_span_is(fixture->request.args[PROTO_Q_SCORE_ID].text, "a1"));
    assert_int_equal(fixture->request.args[PROTO_Q_SCORE_REASONS].uint, 3);
}

static void request_checks_the_form_of_unknown_keys(void **state)
{
    struct fixture *fixture = *state;
    proto_write_raw(&fixture->writer, BYTES("\x81\xa5later\x91\xd4\x01\x00"));
    refused(fixture, PROTO_OP_SCORE, PROTO_BAD_FIELD, "later[0]");
}

static void request_refuses_keys_that_stand_twice(void **state)
{
    struct fixture *fixture = *state;
    proto_write_raw(&fixture->writer, BYTES("\x82\xa2id\xa1x\xa2id\xa1y"));
    refused(fixture, PROTO_OP_SCORE, PROTO_DUPLICATE_KEY, "id");
    proto_writer_reset(&fixture->writer);
    proto_write_raw(&fixture->writer, BYTES("\x83\xa3new\xa1x\xa2id\xa1y\xa3new\xa1x"));
    refused(fixture, PROTO_OP_SCORE, PROTO_DUPLICATE_KEY, "new");
    proto_writer_reset(&fixture->writer);
    proto_write_raw(&fixture->writer, BYTES("\x81\xa6values\x82\xa1x\x01\xa1x\x01"));
    refused(fixture, PROTO_OP_SCORE, PROTO_DUPLICATE_KEY, "values.x");
    proto_writer_reset(&fixture->writer);
    proto_write_raw(&fixture->writer, BYTES("\x82\xab"
                                            "deadline_ms\x01\xab"
                                            "deadline_ms\x01"));
    refused(fixture, PROTO_OP_SCORE, PROTO_DUPLICATE_KEY, "deadline_ms");
}

static void request_refuses_a_payload_that_is_no_map(void **state)
{
    struct fixture *fixture = *state;
    const struct proto_span cases[] = {
        BYTES("\x90"), BYTES("\xc0"),         BYTES("\xa2id"),
        BYTES("\x01"), BYTES("\xd4\x01\x00"), BYTES("\xc1"),
        BYTES("\x81"), BYTES("\x81\x01\x02"), BYTES("\x81\xa1\xff\x02"),
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        proto_writer_reset(&fixture->writer);
        proto_write_raw(&fixture->writer, cases[i]);
        refused(fixture, PROTO_OP_SCORE, PROTO_BAD_PAYLOAD, "");
    }
}

static void request_refuses_trailing_bytes(void **state)
{
    struct fixture *fixture = *state;
    proto_write_raw(&fixture->writer, BYTES("\x81\xa2id\xa1x\xc0"));
    refused(fixture, PROTO_OP_SCORE, PROTO_BAD_PAYLOAD, "");
}

static void request_refuses_bad_elements_by_their_way(void **state)
{
    struct fixture *fixture = *state;
    proto_write_raw(&fixture->writer, BYTES("\x81\xa3ids\x93\xa1x\xa1y\x05"));
    refused(fixture, PROTO_OP_SCORE_MANY, PROTO_BAD_FIELD, "ids[2]");
    assert_string_equal(fixture->fault.message, "expected a string, found an integer");
    proto_writer_reset(&fixture->writer);
    proto_write_raw(&fixture->writer, BYTES("\x81\xa8"
                                            "accounts\x91\x81\xa6values\x81\xa9"
                                            "employees\xca\x7f\xc0\x00\x00"));
    refused(fixture, PROTO_OP_ACCOUNT_PUT, PROTO_BAD_FIELD, "accounts[0].values.employees");
    proto_writer_reset(&fixture->writer);
    proto_write_raw(&fixture->writer, BYTES("\x81\xa6values\xa1x"));
    refused(fixture, PROTO_OP_SCORE, PROTO_BAD_FIELD, "values");
    assert_string_equal(fixture->fault.message, "expected a map, found a string");
    proto_writer_reset(&fixture->writer);
    proto_write_raw(&fixture->writer, BYTES("\x81\xa6values\xc7\x01\x05\x00"));
    refused(fixture, PROTO_OP_SCORE, PROTO_BAD_FIELD, "values");
    assert_non_null(strstr(fixture->fault.message, "extension type 5"));
}

static void request_refuses_nesting_over_the_limit(void **state)
{
    struct fixture *fixture = *state;
    proto_write_raw(&fixture->writer, BYTES("\x81\xa6values\x81\xa1x\x91\x91\x91\x91\x91\x90"));
    assert_true(decode(fixture, PROTO_OP_SCORE));
    proto_writer_reset(&fixture->writer);
    proto_write_raw(&fixture->writer, BYTES("\x81\xa6values\x81\xa1x\x91\x91\x91\x91\x91\x91\x90"));
    refused(fixture, PROTO_OP_SCORE, PROTO_TOO_LARGE, "values.x[0][0][0][0][0][0]");
}

static void request_forgets_the_one_before(void **state)
{
    struct fixture *fixture = *state;
    proto_write_raw(&fixture->writer, BYTES("\x82\xa2id\xa1x\xab"
                                            "deadline_ms\x05"));
    assert_true(decode(fixture, PROTO_OP_SCORE));
    proto_writer_reset(&fixture->writer);
    proto_write_raw(&fixture->writer, BYTES("\x81\xa3key\xa1x"));
    assert_true(decode(fixture, PROTO_OP_SCORE));
    assert_false(fixture->request.args[PROTO_Q_SCORE_ID].present);
    assert_int_equal(fixture->request.deadline_ms, 0);
}

static void fault_decode_refuses_a_payload_that_is_none(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault reply;
    assert_false(proto_fault_decode(BYTES("\x80"), &reply, &fixture->fault));
    assert_int_equal(fixture->fault.code, PROTO_MISSING_FIELD);
    assert_string_equal(fixture->fault.field, "code");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(request_decodes_every_field_of_every_operation),
        TEST(request_wants_every_required_field),
        TEST(request_refuses_a_wrong_type_in_every_field),
        TEST(reply_tables_decode_too),
        TEST(request_takes_an_empty_payload_for_an_empty_map),
        TEST(request_carries_a_deadline_in_any_operation),
        TEST(request_carries_what_it_wants_of_the_server_in_any_operation),
        TEST(request_passes_over_unknown_keys),
        TEST(request_checks_the_form_of_unknown_keys),
        TEST(request_refuses_keys_that_stand_twice),
        TEST(request_refuses_a_payload_that_is_no_map),
        TEST(request_refuses_trailing_bytes),
        TEST(request_refuses_bad_elements_by_their_way),
        TEST(request_refuses_nesting_over_the_limit),
        TEST(request_forgets_the_one_before),
        TEST(fault_decode_refuses_a_payload_that_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
