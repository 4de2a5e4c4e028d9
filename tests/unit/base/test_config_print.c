/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/base/config_fixture.h"

static char *print(const struct base_config *config)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    base_config_print(config, out);
    fclose(out);
    return text;
}

static void print_shows_each_value_and_its_origin(void **state)
{
    struct fixture *fixture = *state;
    assert_true(base_config_set(&fixture->config, "port", "0", BASE_ORIGIN_FLAG, "--port",
                                &fixture->fault));
    char *text = print(&fixture->config);
    assert_non_null(strstr(text, "\nport = 0  ; --port\n"));
    assert_non_null(strstr(text, "\nmap_bytes = 64G  ; default\n"));
    assert_non_null(strstr(text, "\nidle_ms = 5m  ; default\n"));
    free(text);
}

static void print_never_shows_a_secret(void **state)
{
    struct fixture *fixture = *state;
    assert_true(base_config_set(&fixture->config, "admin_token", "hunter2", BASE_ORIGIN_FILE, "f:1",
                                &fixture->fault));
    char *text = print(&fixture->config);
    assert_null(strstr(text, "hunter2"));
    assert_non_null(strstr(text, "\n; admin_token = (set)  ; f:1\n"));
    assert_non_null(strstr(text, "\n; read_token =   ; default\n"));
    free(text);
}

static void printed_configuration_reads_back_as_the_same(void **state)
{
    struct fixture *fixture = *state;
    assert_true(fixture_load(fixture, "port = 7\nwrite_ms = 1500\nlog_format = json\n"
                                      "out_bytes_max = 3000000\n"));
    char *text = print(&fixture->config);
    struct fixture other = *fixture;
    assert_true(base_config_init(&other.config, &other.fault));
    assert_true(fixture_load(&other, text));
    for (size_t i = 0; i < BASE_OPTION_COUNT; i++) {
        char one[256];
        char two[256];
        base_config_value(&fixture->config, (enum base_option)i, one, sizeof one);
        base_config_value(&other.config, (enum base_option)i, two, sizeof two);
        assert_string_equal(one, two);
    }
    base_config_fini(&other.config);
    free(text);
}

static void long_and_odd_values_read_back_too(void **state)
{
    struct fixture *fixture = *state;
    char path[191];
    memset(path, 'p', sizeof path);
    path[sizeof path - 1] = '\0';
    assert_true(base_config_set(&fixture->config, "data", path, BASE_ORIGIN_FLAG, "--data",
                                &fixture->fault));
    assert_true(base_config_set(&fixture->config, "log_file", ";x", BASE_ORIGIN_FLAG, "--log-file",
                                &fixture->fault));
    char *text = print(&fixture->config);
    struct fixture other = *fixture;
    assert_true(base_config_init(&other.config, &other.fault));
    assert_true(fixture_load(&other, text));
    assert_string_equal(other.config.data, path);
    assert_string_equal(other.config.log_file, ";x");
    base_config_fini(&other.config);
    free(text);
}

static void sample_names_every_option_and_sets_none(void **state)
{
    struct fixture *fixture = *state;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    base_config_sample(out);
    fclose(out);
    size_t count;
    const struct base_option_info *options = base_options(&count);
    for (size_t i = 0; i < count; i++) {
        char line[128];
        snprintf(line, sizeof line, "\n# %s = ", options[i].name);
        assert_non_null(strstr(text, line));
    }
    assert_true(fixture_load(fixture, text));
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(fixture->config.origins[i].kind, BASE_ORIGIN_DEFAULT);
    }
    free(text);
}

/* Each "# name = value" without its mark is a line that is read: the defaults are spelt right. */
static void sample_with_its_marks_taken_away_is_a_configuration(void **state)
{
    struct fixture *fixture = *state;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    base_config_sample(out);
    fclose(out);
    size_t count;
    const struct base_option_info *options = base_options(&count);
    for (size_t i = 0; i < count; i++) {
        char line[128];
        snprintf(line, sizeof line, "\n# %s = ", options[i].name);
        strstr(text, line)[1] = ' ';
    }
    assert_true(fixture_load(fixture, text));
    free(text);
}

static void reference_has_one_row_of_eight_cells_for_each_option(void **state)
{
    (void)state;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    base_config_reference(out);
    fclose(out);
    size_t rows = 0;
    size_t bars = 0;
    for (const char *at = text; *at != '\0'; at++) {
        rows += *at == '\n';
        bars += *at == '|' && (at == text || at[-1] != '\\');
    }
    assert_int_equal(rows, BASE_OPTION_COUNT + 2);
    assert_int_equal(bars, 9 * rows);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(print_shows_each_value_and_its_origin),
        WITH_FIXTURE(print_never_shows_a_secret),
        WITH_FIXTURE(printed_configuration_reads_back_as_the_same),
        WITH_FIXTURE(long_and_odd_values_read_back_too),
        WITH_FIXTURE(sample_names_every_option_and_sets_none),
        WITH_FIXTURE(sample_with_its_marks_taken_away_is_a_configuration),
        WITH_FIXTURE(reference_has_one_row_of_eight_cells_for_each_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
