/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions as the command line names them, as far as that needs no server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka needs the first four before it. */
#include <cmocka.h>

#include "tools/cli/measure_run.h"
#include "tools/cli/metric_find.h"

#define PATH_BYTES 64

static struct cli measuring(void)
{
    return (struct cli){.command = &cli_commands()[CLI_COMMAND_MEASURE]};
}

/* A file of its own with the text in it. */
static void file_make(char path[PATH_BYTES], const char *text)
{
    (void)snprintf(path, PATH_BYTES, "/tmp/icp-metric-XXXXXX.json");
    int handle = mkstemps(path, 5);
    assert_true(handle >= 0);
    assert_int_equal(write(handle, text, strlen(text)), strlen(text));
    assert_int_equal(close(handle), 0);
}

static char *text_of(const char *name, enum measure_metric metric, uint32_t version)
{
    struct measure_definition definition = {.metric = metric, .version = version};
    measure_rules_default(&definition.rules);
    (void)snprintf(definition.name, sizeof definition.name, "%s", name);
    char *text = measure_definition_print(&definition);
    assert_non_null(text);
    return text;
}

static void a_file_is_told_from_a_name(void **state)
{
    static const char *const files[] = {"board.json", "./board", "a/b", "/x", ".json"};
    static const char *const names[] = {"board", "board@2", "usual", "boardjson", "json", ""};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        assert_true(metric_is_file(files[i]));
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_false(metric_is_file(names[i]));
    }
}

static void a_reference_is_name_and_version(void **state)
{
    char text[MEASURE_REFERENCE_BYTES];
    struct measure_definition definition = {.version = UINT32_MAX};
    (void)state;
    memset(definition.name, 'n', sizeof definition.name - 1);
    const char *longest = metric_reference(&definition, text);
    assert_int_equal(strlen(longest), MEASURE_NAME_BYTES - 1 + 11);
    definition = (struct measure_definition){.version = 3, .name = "board"};
    assert_string_equal(metric_reference(&definition, text), "board@3");
}

static void the_usual_rules_need_no_server(void **state)
{
    struct cli cli = measuring();
    struct measure_definition definition;
    struct measure_rules usual;
    (void)state;
    measure_rules_default(&usual);
    assert_int_equal(metric_find(&cli, "usual", &definition), EX_OK);
    assert_int_equal(definition.metric, MEASURE_METRICS);
    assert_int_equal(measure_rules_differ(&definition.rules, &usual), 0);
    assert_int_equal(metric_find(&cli, "usual@1", &definition), EX_OK);
    assert_int_equal(metric_find(&cli, "usual@2", &definition), EX_DATAERR);
    assert_int_equal(metric_find(&cli, "two words", &definition), EX_USAGE);
}

static void a_file_is_read_and_a_draft_need_not_say_its_version(void **state)
{
    struct cli cli = measuring();
    struct measure_definition definition;
    char path[PATH_BYTES];
    (void)state;
    char *text = text_of("board", MEASURE_METRIC_CHURN_COUNT, 0);
    file_make(path, text);
    free(text);
    assert_int_equal(metric_file_read(&cli, path, true, &definition), EX_OK);
    assert_string_equal(definition.name, "board");
    assert_int_equal(metric_file_read(&cli, path, false, &definition), EX_DATAERR);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(metric_find(&cli, path, &definition), EX_NOINPUT);
}

/* --metric, else that of the first definition that has one, else mrr. */
static void the_metric_of_a_bridge_is_that_of_its_definitions(void **state)
{
    struct cli cli = measuring();
    enum measure_metric metric = MEASURE_METRICS;
    char path[PATH_BYTES];
    (void)state;
    char *text = text_of("board", MEASURE_METRIC_NRR_COHORT, 1);
    file_make(path, text);
    free(text);
    assert_int_equal(measure_metric_told(&cli, &metric), EX_OK);
    assert_int_equal(metric, MEASURE_METRIC_MRR);
    struct cli_setting settings[] = {{CLI_MEASURE_DEFINITION, "usual"},
                                     {CLI_MEASURE_AGAINST_DEFINITION, path},
                                     {CLI_MEASURE_METRIC, "grr-cohort"}};
    cli.settings = settings;
    cli.setting_count = 2;
    assert_int_equal(measure_metric_told(&cli, &metric), EX_OK);
    assert_int_equal(metric, MEASURE_METRIC_NRR_COHORT);
    cli.setting_count = 3;
    assert_int_equal(measure_metric_told(&cli, &metric), EX_OK);
    assert_int_equal(metric, MEASURE_METRIC_GRR_COHORT);
    settings[2].value = "arr";
    assert_int_equal(measure_metric_told(&cli, &metric), EX_USAGE);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_told_from_a_name),
        cmocka_unit_test(a_reference_is_name_and_version),
        cmocka_unit_test(the_usual_rules_need_no_server),
        cmocka_unit_test(a_file_is_read_and_a_draft_need_not_say_its_version),
        cmocka_unit_test(the_metric_of_a_bridge_is_that_of_its_definitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
