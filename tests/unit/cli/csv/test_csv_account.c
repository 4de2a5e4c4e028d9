/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/client.h"
#include "tools/cli/csv/csv_account.h"

static const char schema_text[] =
    "{\"missing\": [\"Select\"], \"fields\": ["
    "{\"name\": \"n\", \"type\": \"number\"}, {\"name\": \"c\", \"type\": \"category\"},"
    "{\"name\": \"t\", \"type\": \"tags\"}, {\"name\": \"f\", \"type\": \"flag\"},"
    "{\"name\": \"v\", \"type\": \"vector\", \"dims\": 2}, {\"name\": \"gone\", \"type\": "
    "\"number\"}]}";

struct fixture {
    struct feature_schema *schema;
    struct csv_input *input;
    struct csv_map map;
};

static void begin(struct fixture *f, const char *csv)
{
    struct proto_fault fault = {.code = PROTO_OK};
    f->schema = feature_schema_parse(proto_span_text(schema_text), 1, NULL, &fault);
    f->input = csv_open_bytes(proto_span_text(csv), "test.csv", NULL, &fault);
    assert_non_null(f->schema);
    assert_non_null(f->input);
    assert_true(csv_map_init(&f->map, f->schema, f->input));
}

static void end(struct fixture *f)
{
    csv_map_fini(&f->map);
    csv_close(f->input);
    feature_schema_release(f->schema);
}

static void next(struct fixture *f, struct csv_row *row)
{
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(csv_next(f->input, row, &fault));
    assert_false(row->bad);
}

static void keep_bad(void *context, const struct csv_row *row, const struct csv_cell_fault *fault)
{
    (void)row;
    *(struct csv_cell_fault *)context = *fault;
}

static void cells_become_typed_values(void **state)
{
    (void)state;
    struct fixture f;
    struct csv_row row;
    struct csv_cell_fault cell;
    begin(&f, "other,v,t,n,c,f\nx,1.5 -2,b;a;b,\"1,234\",Software,Yes\ny,,,,Select,\n");
    assert_int_equal(f.map.field_count, 5);
    next(&f, &row);
    cell.column = SIZE_MAX;
    assert_true(csv_map_read(&f.map, &row, keep_bad, &cell));
    assert_int_equal(cell.column, SIZE_MAX);
    struct icp_payload *payload = icp_payload_create();
    csv_map_write(&f.map, payload);
    size_t pairs = 0;
    struct proto_span body;
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(client_payload_finish(payload, &pairs, &body, &fault));
    assert_int_equal(pairs, 5);
    struct proto_reader reader;
    proto_reader_init(&reader, body, &fault);
    assert_true(proto_span_is(proto_read_str(&reader), "v"));
    assert_int_equal(proto_read_bin(&reader).bytes, 8);
    assert_true(proto_span_is(proto_read_str(&reader), "t"));
    assert_int_equal(proto_read_array(&reader), 2);
    assert_true(proto_span_is(proto_read_str(&reader), "a"));
    assert_true(proto_span_is(proto_read_str(&reader), "b"));
    proto_reader_leave(&reader);
    assert_true(proto_span_is(proto_read_str(&reader), "n"));
    assert_true(proto_read_number(&reader) == 1234.0);
    assert_true(proto_span_is(proto_read_str(&reader), "c"));
    assert_true(proto_span_is(proto_read_str(&reader), "Software"));
    assert_true(proto_span_is(proto_read_str(&reader), "f"));
    assert_true(proto_read_bool(&reader));
    /* Missing values are not written at all. */
    next(&f, &row);
    cell.column = SIZE_MAX;
    assert_true(csv_map_read(&f.map, &row, keep_bad, &cell));
    assert_int_equal(cell.column, SIZE_MAX);
    icp_payload_reset(payload);
    csv_map_write(&f.map, payload);
    assert_int_equal(icp_payload_count(payload), 0);
    icp_payload_destroy(payload);
    end(&f);
}

static void a_bad_cell_is_named(void **state)
{
    (void)state;
    struct fixture f;
    struct csv_row row;
    struct csv_cell_fault cell;
    begin(&f, "c,n\nx,12 people\n");
    next(&f, &row);
    assert_true(csv_map_read(&f.map, &row, keep_bad, &cell));
    assert_int_equal(cell.column, 1);
    assert_int_equal(cell.fault.code, PROTO_BAD_FIELD);
    /* It costs its value alone. */
    assert_false(f.map.values[feature_schema_find(f.schema, proto_span_text("n"))->id].present);
    assert_true(f.map.values[feature_schema_find(f.schema, proto_span_text("c"))->id].present);
    end(&f);
}

static void fields_without_a_column_are_listed(void **state)
{
    (void)state;
    struct fixture f;
    const struct feature_field *absent[2];
    begin(&f, "c,n,extra\n");
    assert_int_equal(csv_map_absent(&f.map, absent, 2), 4);
    assert_string_equal(absent[0]->name, "t");
    end(&f);
}

static void a_schema_for_labels_leaves_nothing_out(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_input *input = csv_open_bytes(
        proto_span_text("id,const,won\na,x,1\nb,x,0\nc,x,1\nbad\n"), "test.csv", NULL, &fault);
    struct feature_schema *schema = csv_schema_infer(input, &fault);
    assert_non_null(schema);
    assert_int_equal(schema->field_count, 3);
    struct csv_row row;
    assert_true(csv_next(input, &row, &fault));
    assert_int_equal(row.line, 2);
    feature_schema_release(schema);
    csv_close(input);
}

static double number_of(const char *csv, const char *decimal_of)
{
    struct fixture f;
    struct csv_row row;
    struct csv_cell_fault cell = {.column = SIZE_MAX};
    begin(&f, csv);
    next(&f, &row);
    assert_true(csv_map_read(&f.map, &row, keep_bad, &cell));
    const struct feature_field *field = feature_schema_find(f.schema, proto_span_text(decimal_of));
    const struct feature_value *value = &f.map.values[field->id];
    double number = value->present ? value->number : -1;
    end(&f);
    return number;
}

static void numbers_are_read_by_the_evidence_of_their_column(void **state)
{
    (void)state;
    assert_float_equal(number_of("c;n\nx;1.234,5\n", "n"), 1234.5, 0);
    assert_float_equal(number_of("c,n\nx,\"1,234.5\"\n", "n"), 1234.5, 0);
    /* Either, alone: the sign between cells tells the country. */
    assert_float_equal(number_of("c;n\nx;141.891\n", "n"), 141891, 0);
    assert_float_equal(number_of("c,n\nx,141.891\n", "n"), 141.891, 0);
    /* A later cell of the column is clear. */
    assert_float_equal(number_of("c;n\nx;141.891\ny;12.5\n", "n"), 141.891, 0);
    assert_float_equal(number_of("c,n\nx,\"25,507\"\ny,\"0,5\"\n", "n"), 25.507, 1e-12);
    /* A date is none, whatever its points. */
    assert_float_equal(number_of("c;n\nx;12.03.2024\ny;1,5\n", "n"), -1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_become_typed_values),
        cmocka_unit_test(a_bad_cell_is_named),
        cmocka_unit_test(numbers_are_read_by_the_evidence_of_their_column),
        cmocka_unit_test(fields_without_a_column_are_listed),
        cmocka_unit_test(a_schema_for_labels_leaves_nothing_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
