/* SPDX-License-Identifier: Apache-2.0 */
/* Every request of every operation, taken from the tables, with one fault planted at a time, as a
 * server is asked: each must be refused by its code and by the way to what is at fault, with a
 * sentence, and nothing may have been done. What one table row says is said of each row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "proto/rule.h"
#include "proto/shape.h"
#include "tests/unit/rpc/rpc_fixture.h"
#include "tests/unit/rpc/rpc_request.h"

enum {
    ACCOUNTS = 400,
    PLANTED_BYTES_MAX = 60000, /* longer ones are read on a lane; test_serve has those */
    PLANTED_LEAST = 600,       /* faults in all: fewer, and the tables are not walked */
};

enum plant { GOOD, MISTYPED, NIL, LOW, HIGH };

static struct rpc_fixture fixture;
static struct proto_writer request;
static size_t planted;

static void text_write(struct proto_writer *out, size_t bytes, bool binary)
{
    static char text[PLANTED_BYTES_MAX + 1];
    memset(text, 'x', bytes);
    struct proto_span span = {(const uint8_t *)text, bytes};
    if (binary) {
        proto_write_bin(out, span);
    } else {
        proto_write_str(out, span);
    }
}

/* A value of the kind, whose measure (its number, its bytes, its elements) is `size`. */
static void sized_write(struct proto_writer *out, const struct proto_field_info *field, double size)
{
    size_t count = size > 0 ? (size_t)size : 0;
    switch (field->type) {
    case PROTO_UINT:
        proto_write_uint(out, (uint64_t)size);
        break;
    case PROTO_INT:
        proto_write_int(out, (int64_t)size);
        break;
    case PROTO_NUMBER:
        proto_write_f64(out, size);
        break;
    case PROTO_FLAG:
        proto_write_bool(out, true);
        break;
    case PROTO_TEXT:
    case PROTO_JSON:
    case PROTO_BYTES:
        text_write(out, count, field->type == PROTO_BYTES);
        break;
    case PROTO_TEXTS:
    case PROTO_LIST:
        proto_write_array(out, count);
        for (size_t i = 0; i < count; i++) {
            proto_write_text(out, "x");
        }
        break;
    case PROTO_MAP:
        proto_write_map(out, 0);
        break;
    case PROTO_ANY:
        proto_write_nil(out);
        break;
    }
}

static void mistyped_write(struct proto_writer *out, enum proto_type type)
{
    switch (type) {
    case PROTO_TEXT:
    case PROTO_JSON:
    case PROTO_TEXTS:
    case PROTO_LIST:
    case PROTO_MAP:
        proto_write_uint(out, 7);
        break;
    case PROTO_UINT:
        proto_write_int(out, -1);
        break;
    default:
        proto_write_text(out, "seven");
    }
}

/* Just beyond a bound. */
static double beyond(const struct proto_field_info *field, enum plant plant)
{
    if (plant == LOW) {
        return field->low == PROTO_ABOVE_0 ? 0 : field->low - 1;
    }
    return field->high == PROTO_BELOW_1 ? 1 : field->high + 1;
}

/* Whether the row knows the fault at all, and it fits a request of an event loop. */
static bool plantable(const struct proto_field_info *field, enum plant plant)
{
    if (plant == MISTYPED || plant == NIL) {
        return field->type != PROTO_ANY;
    }
    double bound = plant == LOW ? field->low : field->high;
    bool number =
        field->type == PROTO_UINT || field->type == PROTO_INT || field->type == PROTO_NUMBER;
    if (isnan(bound) || (plant == LOW && bound == 0 && field->type != PROTO_NUMBER)) {
        return false;
    }
    return number ? fabs(bound) < 0x1p52 : bound * 2 < PLANTED_BYTES_MAX;
}

static double good_size(const struct proto_field_info *field)
{
    if (field->high == PROTO_BELOW_1) {
        return 0.5;
    }
    bool below_1 = field->type == PROTO_NUMBER && field->high < 1; /* bounds of a share */
    return below_1 ? field->high : isnan(field->low) || field->low < 1 ? 1 : field->low;
}

static enum proto_error code_of(const struct proto_field_info *field, enum plant plant)
{
    bool large = plant == HIGH && (field->type == PROTO_TEXTS || field->type == PROTO_LIST ||
                                   field->type == PROTO_JSON);
    return large ? PROTO_TOO_LARGE : PROTO_BAD_FIELD;
}

static void value_write(struct proto_writer *out, const struct proto_field_info *field,
                        enum plant plant)
{
    switch (plant) {
    case GOOD:
        sized_write(out, field, good_size(field));
        break;
    case MISTYPED:
        mistyped_write(out, field->type);
        break;
    case NIL:
        proto_write_nil(out);
        break;
    case LOW:
    case HIGH:
        sized_write(out, field, beyond(field, plant));
        break;
    }
}

static void pair_write(struct proto_writer *out, const struct proto_field_info *field,
                       enum plant plant)
{
    proto_write_text(out, field->name);
    value_write(out, field, plant);
}

/* Asks with what `request` holds. */
static void refused(const struct proto_op_info *op, enum proto_error code, const char *field)
{
    struct proto_span payload;
    struct proto_fault reply = {0};
    struct proto_fault fault = {0};
    uint8_t status =
        rpc_fixture_call(&fixture, (uint8_t)op->op, proto_writer_span(&request), &payload);
    planted++;
    if (status == PROTO_OK || !proto_fault_decode(payload, &reply, &fault)) {
        fail_msg("%s: status %u, where %s was expected of '%s'", op->name, status,
                 proto_error_find(code)->name, field);
    }
    if (status != code || strcmp(reply.field, field) != 0 || reply.message[0] == '\0') {
        fail_msg("%s: status %u of '%s' (%s), where %u of '%s' was expected", op->name, status,
                 reply.field, reply.message, code, field);
    }
}

static uint64_t sequence(void)
{
    struct proto_arg args[PROTO_ARGS_MAX];
    rpc_fixture_ask(&fixture, PROTO_OP_SCORE, rpc_request_json(&request, "{\"id\":\"a1\"}"), args);
    return args[PROTO_A_SCORE_SEQ].uint;
}

/* Every operation in turn; nothing of it may be done. */
static void each_operation(void (*each)(const struct proto_op_info *op))
{
    size_t count = 0;
    const struct proto_op_info *ops = proto_ops(&count);
    uint64_t before = sequence();
    for (size_t i = 0; i < count; i++) {
        each(&ops[i]);
    }
    assert_int_equal(sequence(), before);
}

/* ---- fields ---- */

static void plant_in_fields(const struct proto_op_info *op)
{
    for (size_t i = 0; i < op->request_count; i++) {
        const struct proto_field_info *field = &op->request[i];
        for (enum plant plant = MISTYPED; plant <= HIGH; plant++) {
            if (plantable(field, plant)) {
                proto_writer_reset(&request);
                proto_write_map(&request, 1);
                pair_write(&request, field, plant);
                refused(op, code_of(field, plant), field->name);
            }
        }
    }
}

static void a_field_of_another_type_or_beyond_its_bounds_is_refused_by_name(void **state)
{
    (void)state;
    each_operation(plant_in_fields);
}

static void leave_fields_out(const struct proto_op_info *op)
{
    size_t required = 0;
    for (size_t i = 0; i < op->request_count; i++) {
        required += op->request[i].presence == PROTO_REQUIRED;
    }
    for (size_t i = 0; i < op->request_count; i++) {
        if (op->request[i].presence != PROTO_REQUIRED) {
            continue;
        }
        proto_writer_reset(&request);
        proto_write_map(&request, required); /* one that no table knows is in its place */
        proto_write_text(&request, "of_a_newer_client");
        proto_write_array(&request, 0);
        for (size_t k = 0; k < op->request_count; k++) {
            if (k != i && op->request[k].presence == PROTO_REQUIRED) {
                pair_write(&request, &op->request[k], GOOD);
            }
        }
        refused(op, PROTO_MISSING_FIELD, op->request[i].name);
    }
}

static void
a_required_field_that_is_left_out_is_named_and_unknown_ones_are_passed_over(void **state)
{
    (void)state;
    each_operation(leave_fields_out);
}

static void say_twice(const struct proto_op_info *op)
{
    for (size_t i = 0; i < op->request_count; i++) {
        proto_writer_reset(&request);
        proto_write_map(&request, 2);
        pair_write(&request, &op->request[i], GOOD);
        pair_write(&request, &op->request[i], GOOD);
        refused(op, PROTO_DUPLICATE_KEY, op->request[i].name);
    }
    proto_writer_reset(&request);
    proto_write_map(&request, 2);
    for (size_t i = 0; i < 2; i++) {
        proto_write_text(&request, "of_a_newer_client");
        proto_write_bool(&request, true);
    }
    refused(op, PROTO_DUPLICATE_KEY, "of_a_newer_client");
}

static void a_field_that_stands_twice_is_refused_by_name_known_or_not(void **state)
{
    (void)state;
    each_operation(say_twice);
}

static void spoil_deadline(const struct proto_op_info *op)
{
    proto_writer_reset(&request);
    proto_write_map(&request, 1);
    proto_write_text(&request, "deadline_ms");
    proto_write_text(&request, "soon");
    refused(op, PROTO_BAD_FIELD, "deadline_ms");
}

static void the_deadline_of_every_operation_is_a_whole_number(void **state)
{
    (void)state;
    each_operation(spoil_deadline);
}

static void spoil_payload(const struct proto_op_info *op)
{
    static const struct {
        const char *bytes;
        size_t count;
    } spoilt[] = {
        {"\x90", 1},                          /* an array */
        {"\x01", 1},                          /* a number */
        {"\xc0", 1},                          /* nothing */
        {"\x81", 1},                          /* a map that is cut off behind its head */
        {"\x80\x80", 2},                      /* two maps */
        {"\x81\x01\x01", 3},                  /* a key that is a number */
        {"\xde\x00\x20", 3},                  /* more pairs than there are bytes */
        {"\x81\xa1x\xc1", 4},                 /* a byte that stands for nothing */
        {"\x81\xa1x\xdd\x7f\xff\xff\xff", 8}, /* more elements than there are bytes */
    };
    for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
        struct proto_span payload = {(const uint8_t *)spoilt[i].bytes, spoilt[i].count};
        struct proto_span reply;
        uint8_t status = rpc_fixture_call(&fixture, (uint8_t)op->op, payload, &reply);
        if (status != PROTO_BAD_PAYLOAD) {
            fail_msg("%s: payload %zu: status %u", op->name, i, status);
        }
        planted++;
    }
}

static void what_is_not_one_whole_map_is_refused_by_every_operation(void **state)
{
    (void)state;
    each_operation(spoil_payload);
}

/* ---- members of what stands in lists ---- */

/* A request whose required fields are good and whose list has one element with `spoilt` at fault,
 * or, with plant GOOD, left out. twice: it stands there twice instead. */
struct nested {
    const struct proto_op_info *op;
    size_t list;
    const struct proto_shape_info *shape;
};

static bool is_written(const struct proto_shape_info *shape, size_t member, size_t spoilt)
{
    return member != spoilt && shape->members[member].presence == PROTO_REQUIRED;
}

static void element_write(struct proto_writer *out, const struct proto_shape_info *shape,
                          size_t spoilt, enum plant plant, unsigned times)
{
    size_t members = times;
    for (size_t i = 0; i < shape->member_count; i++) {
        members += is_written(shape, i, spoilt);
    }
    proto_write_map(out, members);
    for (unsigned i = 0; i < times; i++) {
        pair_write(out, &shape->members[spoilt], plant);
    }
    for (size_t i = 0; i < shape->member_count; i++) {
        if (is_written(shape, i, spoilt)) {
            pair_write(out, &shape->members[i], GOOD);
        }
    }
}

static void nested_write(const struct nested *nested, size_t spoilt, enum plant plant,
                         unsigned times)
{
    const struct proto_op_info *op = nested->op;
    size_t fields = 1;
    for (size_t i = 0; i < op->request_count; i++) {
        fields += i != nested->list && op->request[i].presence == PROTO_REQUIRED;
    }
    proto_writer_reset(&request);
    proto_write_map(&request, fields);
    proto_write_text(&request, op->request[nested->list].name);
    proto_write_array(&request, 1);
    element_write(&request, nested->shape, spoilt, plant, times);
    for (size_t i = 0; i < op->request_count; i++) {
        if (i != nested->list && op->request[i].presence == PROTO_REQUIRED) {
            pair_write(&request, &op->request[i], GOOD);
        }
    }
}

static void plant_in_members(const struct nested *nested)
{
    char way[128];
    const char *list = nested->op->request[nested->list].name;
    for (size_t i = 0; i < nested->shape->member_count; i++) {
        const struct proto_field_info *member = &nested->shape->members[i];
        (void)snprintf(way, sizeof way, "%s[0].%s", list, member->name);
        for (enum plant plant = MISTYPED; plant <= HIGH; plant++) {
            if (plantable(member, plant)) {
                nested_write(nested, i, plant, 1);
                refused(nested->op, code_of(member, plant), way);
            }
        }
        nested_write(nested, i, GOOD, 2);
        refused(nested->op, PROTO_DUPLICATE_KEY, way);
        if (member->presence == PROTO_REQUIRED) {
            nested_write(nested, i, GOOD, 0);
            refused(nested->op, PROTO_MISSING_FIELD, way);
        }
    }
}

/* score-many answers each lead by itself; the next test has it. */
static void plant_in_lists(const struct proto_op_info *op)
{
    for (size_t i = 0; i < op->request_count && op->op != PROTO_OP_SCORE_MANY; i++) {
        enum proto_shape shape = proto_shape_of(op, false, i);
        if (shape != PROTO_SHAPE_NONE && op->request[i].type == PROTO_LIST) {
            const struct nested nested = {op, i, proto_shape_info(shape)};
            plant_in_members(&nested);
        }
    }
}

static void a_member_at_fault_is_refused_by_the_way_to_it(void **state)
{
    (void)state;
    each_operation(plant_in_lists);
}

static void what_is_no_map_in_a_list_is_refused_by_its_place(void **state)
{
    (void)state;
    static const struct {
        enum proto_op op;
        const char *request;
        const char *way;
    } rows[] = {
        {PROTO_OP_ACCOUNT_PUT, "{\"accounts\":[{\"id\":\"x\"},7]}", "accounts[1]"},
        {PROTO_OP_ACCOUNT_PATCH, "{\"accounts\":[[]]}", "accounts[0]"},
        {PROTO_OP_EVENT_APPEND, "{\"events\":[\"touch\"]}", "events[0]"},
        {PROTO_OP_IDENTITY, "{\"entries\":[null]}", "entries[0]"},
        {PROTO_OP_MATCH, "{\"rows\":[\"Acme\"]}", "rows[0]"},
        {PROTO_OP_SIMILAR, "{\"positives\":[\"a1\"]}", "positives[0]"},
        {PROTO_OP_SIMILAR, "{\"positives\":[{\"id\":\"a1\"}],\"negatives\":[1]}", "negatives[0]"},
        {PROTO_OP_TAL_BUILD, "{\"name\":\"n\",\"segments\":[1]}", "segments[0]"},
        {PROTO_OP_TAL_BUILD, "{\"name\":\"n\",\"owners\":[true]}", "owners[0]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct proto_span payload;
        struct proto_fault reply = {0};
        struct proto_fault fault = {0};
        uint8_t status = rpc_fixture_call(&fixture, (uint8_t)rows[i].op,
                                          rpc_request_json(&request, rows[i].request), &payload);
        assert_int_not_equal(status, PROTO_OK);
        assert_true(proto_fault_decode(payload, &reply, &fault));
        if (strcmp(reply.field, rows[i].way) != 0) {
            fail_msg("%s: field '%s' (%s), not '%s'", rows[i].request, reply.field, reply.message,
                     rows[i].way);
        }
    }
}

/* ---- members whose names are the caller's ---- */

static void a_value_under_a_name_of_the_callers_is_refused_by_the_way_to_it(void **state)
{
    (void)state;
    static const struct {
        enum proto_op op;
        const char *request;
        const char *way;
    } rows[] = {
        {PROTO_OP_SIMILAR_BUILD, "{\"weights\":{\"employees\":\"much\"}}", "weights.employees"},
        {PROTO_OP_SIMILAR_BUILD, "{\"weights\":{\"employees\":-1}}", "weights.employees"},
        {PROTO_OP_ICP_LEARN, "{\"label\":\"won = 1\",\"floors\":{\"complete\":\"all\"}}",
         "floors.complete"},
        {PROTO_OP_ICP_LEARN, "{\"label\":\"won = 1\",\"floors\":{\"complete\":1.5}}",
         "floors.complete"},
        {PROTO_OP_ICP_LEARN, "{\"label\":\"won = 1\",\"floors\":{\"beauty\":0.5}}",
         "floors.beauty"},
        {PROTO_OP_MEASURE, "{\"measure\":\"mrr\",\"rules\":{\"currency\":7}}", "rules.currency"},
        {PROTO_OP_MEASURE, "{\"measure\":\"mrr\",\"rules\":{\"luck\":\"good\"}}", "rules.luck"},
        {PROTO_OP_MEASURE, "{\"measure\":\"mrr\",\"parameters\":{\"luck\":1}}", "parameters.luck"},
        {PROTO_OP_LIFECYCLE, "{\"id\":\"a1\",\"rules\":{\"currency\":\"\"}}", "rules.currency"},
        {PROTO_OP_SCORE, "{\"values\":{\"employees\":[1]}}", "values.employees"},
        {PROTO_OP_EXPLAIN, "{\"values\":{\"trial\":\"perhaps\"}}", "values.trial"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct proto_op_info *op = proto_op_find((uint8_t)rows[i].op);
        struct proto_span payload;
        struct proto_fault reply = {0};
        struct proto_fault fault = {0};
        uint8_t status = rpc_fixture_call(&fixture, (uint8_t)rows[i].op,
                                          rpc_request_json(&request, rows[i].request), &payload);
        if (status == PROTO_OK) {
            fail_msg("%s: %s is taken", op->name, rows[i].request);
        }
        assert_true(proto_fault_decode(payload, &reply, &fault));
        assert_int_equal(reply.code, PROTO_BAD_FIELD);
        if (strcmp(reply.field, rows[i].way) != 0) {
            fail_msg("%s: field '%s' (%s), not '%s'", rows[i].request, reply.field, reply.message,
                     rows[i].way);
        }
    }
}

static void the_tables_were_walked(void **state)
{
    (void)state;
    if (planted < PLANTED_LEAST) {
        fail_msg("%zu faults were planted, at least %d are there", planted, PLANTED_LEAST);
    }
}

/* As the fixture's, and with a field that names accounts: match wants one. */
#define SCHEMA                                                                                     \
    "{\\\"name\\\":\\\"industry\\\",\\\"fields\\\":["                                              \
    "{\\\"name\\\":\\\"industry\\\",\\\"type\\\":\\\"category\\\"},"                               \
    "{\\\"name\\\":\\\"employees\\\",\\\"type\\\":\\\"number\\\"},"                                \
    "{\\\"name\\\":\\\"tech\\\",\\\"type\\\":\\\"tags\\\"},"                                       \
    "{\\\"name\\\":\\\"trial\\\",\\\"type\\\":\\\"flag\\\"},"                                      \
    "{\\\"name\\\":\\\"won\\\",\\\"type\\\":\\\"flag\\\"}]}"

static int setup(void **state)
{
    struct proto_arg args[PROTO_ARGS_MAX];
    (void)state;
    proto_writer_init(&request);
    rpc_fixture_open(&fixture, false);
    rpc_fixture_fill(&fixture, ACCOUNTS);
    rpc_fixture_learn(&fixture);
    rpc_fixture_ask(&fixture, PROTO_OP_SCHEMA_PUT,
                    rpc_request_json(&request, "{\"document\":\"" SCHEMA "\"}"), args);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    proto_writer_fini(&request);
    rpc_fixture_close(&fixture);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_of_another_type_or_beyond_its_bounds_is_refused_by_name),
        cmocka_unit_test(
            a_required_field_that_is_left_out_is_named_and_unknown_ones_are_passed_over),
        cmocka_unit_test(a_field_that_stands_twice_is_refused_by_name_known_or_not),
        cmocka_unit_test(the_deadline_of_every_operation_is_a_whole_number),
        cmocka_unit_test(what_is_not_one_whole_map_is_refused_by_every_operation),
        cmocka_unit_test(a_member_at_fault_is_refused_by_the_way_to_it),
        cmocka_unit_test(what_is_no_map_in_a_list_is_refused_by_its_place),
        cmocka_unit_test(a_value_under_a_name_of_the_callers_is_refused_by_the_way_to_it),
        cmocka_unit_test(the_tables_were_walked),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
