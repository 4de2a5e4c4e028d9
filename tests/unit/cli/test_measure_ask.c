/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for measures and tables out of replies, without a server: replies are written here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>

#include "proto/writer.h"
#include "tools/cli/measure_ask.h"

static struct cli measuring(void)
{
    return (struct cli){.command = &cli_commands()[CLI_COMMAND_MEASURE]};
}

/* A reply of survival with the columns that there are, the last one called `last`. */
static void head_write(struct proto_writer *out, const char *last)
{
    size_t count = 0;
    const struct measure_column *columns = measure_columns(MEASURE_ID_SURVIVAL, &count);
    proto_write_map(out, 2);
    proto_write_text(out, "columns");
    proto_write_array(out, count);
    for (size_t i = 0; i < count; i++) {
        proto_write_map(out, 1);
        proto_write_text(out, "name");
        proto_write_text(out, i + 1 < count || last == NULL ? columns[i].name : last);
    }
    proto_write_text(out, "rows");
}

static struct icp_reply reply_of(const struct proto_writer *out)
{
    assert_true(proto_writer_ok(out));
    return (struct icp_reply){
        .op = ICP_OP_MEASURE, .payload = out->data, .payload_bytes = out->bytes};
}

static void rows_become_cells_by_the_kinds_of_their_columns(void **state)
{
    struct proto_writer out;
    struct measure_table table;
    struct cli cli = measuring();
    (void)state;
    proto_writer_init(&out);
    head_write(&out, NULL);
    proto_write_array(&out, 1);
    proto_write_array(&out, 9);
    proto_write_text(&out, "2024-01-01");
    proto_write_text(&out, "");
    proto_write_int(&out, 3);
    proto_write_f64(&out, 0.75);
    proto_write_nil(&out);
    proto_write_nil(&out);
    proto_write_int(&out, 12);
    proto_write_int(&out, 4);
    proto_write_int(&out, INT64_C(1) << 40);
    struct icp_reply reply = reply_of(&out);
    assert_int_equal(measure_ask_take(&cli, MEASURE_ID_SURVIVAL, &reply, &table), EX_OK);
    assert_int_equal(measure_table_rows(&table), 1);
    assert_string_equal(measure_cell_find(&table, 0, "cohort")->text, "2024-01-01");
    assert_string_equal(measure_cell_find(&table, 0, "segment")->text, "");
    assert_true(measure_cell_find(&table, 0, "survival")->number == 0.75);
    assert_int_equal(measure_cell_find(&table, 0, "low")->kind, MEASURE_ABSENT);
    assert_int_equal(measure_cell_find(&table, 0, "at_risk")->whole, 12);
    assert_int_equal(measure_cell_find(&table, 0, "n")->whole, INT64_C(1) << 40);
    measure_table_fini(&table);
    proto_writer_fini(&out);
}

static void a_row_that_is_cut_is_no_table(void **state)
{
    struct proto_writer out;
    struct measure_table table;
    struct cli cli = measuring();
    (void)state;
    proto_writer_init(&out);
    head_write(&out, NULL);
    proto_write_array(&out, 1);
    proto_write_array(&out, 1);
    proto_write_text(&out, "all");
    struct icp_reply reply = reply_of(&out);
    assert_int_equal(measure_ask_take(&cli, MEASURE_ID_SURVIVAL, &reply, &table), EX_PROTOCOL);
    measure_table_fini(&table);
    proto_writer_fini(&out);
}

static void a_table_with_other_columns_is_of_another_version(void **state)
{
    struct proto_writer out;
    struct measure_table table;
    struct cli cli = measuring();
    (void)state;
    proto_writer_init(&out);
    head_write(&out, "weight");
    proto_write_array(&out, 0);
    struct icp_reply reply = reply_of(&out);
    assert_int_equal(measure_ask_take(&cli, MEASURE_ID_SURVIVAL, &reply, &table), EX_PROTOCOL);
    measure_table_fini(&table);
    /* The columns of another measure are as wrong. */
    assert_int_equal(measure_ask_take(&cli, MEASURE_ID_MRR, &reply, &table), EX_PROTOCOL);
    measure_table_fini(&table);
    proto_writer_fini(&out);
}

static size_t members_of(const struct measure_ask *ask)
{
    struct cli cli = measuring();
    struct icp_payload *payload = icp_payload_create();
    assert_non_null(payload);
    assert_int_equal(measure_ask_put(&cli, ask, payload), EX_OK);
    size_t count = icp_payload_count(payload);
    icp_payload_destroy(payload);
    return count;
}

static void a_request_has_what_was_asked_and_no_more(void **state)
{
    struct measure_rules rules;
    struct measure_rules other;
    (void)state;
    measure_rules_default(&rules);
    other = rules;
    struct measure_definition definition = {.metric = MEASURE_METRIC_MRR, .rules = rules};
    struct measure_ask ask = {.id = MEASURE_ID_BRIDGE, .rules = &rules, .definition = &definition};
    measure_ask_parameter(&ask, "from", "2024-01-01");
    assert_int_equal(ask.parameter_count, 1);
    assert_int_equal(members_of(&ask), 3); /* measure, parameters, rules */
    definition.version = 2;
    memcpy(definition.name, "ours", 5);
    ask.against = &other;
    assert_int_equal(members_of(&ask), 5);
    ask.filter = "employees > 10";
    ask.by = "industry";
    ask.churn_flag = "churned";
    ask.has_seq = true;
    ask.has_known = true;
    assert_int_equal(members_of(&ask), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_cells_by_the_kinds_of_their_columns),
        cmocka_unit_test(a_row_that_is_cut_is_no_table),
        cmocka_unit_test(a_table_with_other_columns_is_of_another_version),
        cmocka_unit_test(a_request_has_what_was_asked_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
