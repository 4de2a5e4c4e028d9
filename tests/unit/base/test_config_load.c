/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/base/config_fixture.h"

static void expect_fault(const struct fixture *fixture, const char *ending)
{
    assert_int_equal(fixture->fault.code, PROTO_BAD_CONFIG);
    size_t bytes = strlen(fixture->path);
    /* Every message names the file first. */
    assert_int_equal(strncmp(fixture->fault.message, fixture->path, bytes), 0);
    assert_string_equal(fixture->fault.message + bytes, ending);
}

static void file_sets_values_with_file_and_line(void **state)
{
    struct fixture *fixture = *state;
    assert_true(fixture_load(fixture, "# comment\n\n; another\nport = 1234\r\n[icpd]\n"
                                      "  data=/var/lib/x y ; the store\nidle-ms = 2s\n"
                                      "log_level: debug"));
    assert_int_equal(fixture->config.port, 1234);
    assert_string_equal(fixture->config.data, "/var/lib/x y");
    assert_int_equal(fixture->config.idle_ms, 2000);
    assert_string_equal(fixture->config.log_level, "debug");
    const char *place = fixture->config.origins[BASE_OPTION_DATA].place;
    assert_int_equal(fixture->config.origins[BASE_OPTION_DATA].kind, BASE_ORIGIN_FILE);
    assert_string_equal(place + strlen(place) - 12, "/icpd.conf:6");
}

static void missing_file_is_named(void **state)
{
    struct fixture *fixture = *state;
    assert_false(base_config_load_file(&fixture->config, "/nowhere/icpd.conf", &fixture->fault));
    assert_string_equal(fixture->fault.message,
                        "cannot read /nowhere/icpd.conf: No such file or directory");
    assert_false(base_config_load_file(&fixture->config, fixture->folder, &fixture->fault));
    assert_non_null(strstr(fixture->fault.message, "Is a directory"));
}

static void bad_value_names_line_option_and_what_would_be_right(void **state)
{
    struct fixture *fixture = *state;
    assert_false(fixture_load(fixture, "\nport = lots\n"));
    assert_string_equal(fixture->fault.field, "port");
    expect_fault(fixture, ":2: port is 'lots', but must be 0 to 65535 (a whole number)");
    assert_int_equal(fixture->config.port, PROTO_PORT);
}

static void unknown_name_in_the_file_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_false(fixture_load(fixture, "connection_max = 5\n"));
    expect_fault(fixture, ":1: unknown option 'connection_max'; did you mean 'connections_max'?");
}

static void option_given_twice_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_false(fixture_load(fixture, "port = 1\nhost = ::1\nport = 2\n"));
    expect_fault(fixture, ":3: port is given twice, first in line 1");
}

static void indented_line_is_a_line_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    assert_true(fixture_load(fixture, "host = ::1\n  port = 2\n"));
    assert_string_equal(fixture->config.host, "::1");
    assert_int_equal(fixture->config.port, 2);
}

static void line_without_an_equals_sign_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_false(fixture_load(fixture, "port = 1\nnonsense\nport = 2\n"));
    assert_int_equal(fixture->fault.code, PROTO_BAD_CONFIG);
}

static void unclosed_section_and_unknown_section_are_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_false(fixture_load(fixture, "[icpd\nport = 1\n"));
    expect_fault(fixture, ":1: not a line of the form name = value");
    assert_false(fixture_load(fixture, "[other]\nport = 1\n"));
    expect_fault(fixture, ":2: unknown section; options stand before any section or in [icpd]");
}

static void line_that_is_too_long_is_refused_and_not_cut(void **state)
{
    struct fixture *fixture = *state;
    char text[400] = "port = 1\ndata = ";
    memset(text + 16, 'x', 300);
    assert_false(fixture_load(fixture, text));
    expect_fault(fixture, ":2: the line is longer than 198 bytes");
    /* The longest line that is said to fit does fit. */
    text[9 + BASE_CONFIG_LINE_BYTES] = '\0';
    assert_true(fixture_load(fixture, text));
    assert_int_equal(strlen(fixture->config.data), BASE_CONFIG_LINE_BYTES - 7);
    text[9 + BASE_CONFIG_LINE_BYTES] = '\n';
    text[10 + BASE_CONFIG_LINE_BYTES] = '\0';
    assert_true(fixture_load(fixture, text));
}

static void zero_byte_is_refused(void **state)
{
    struct fixture *fixture = *state;
    fixture_write(fixture, "port = 1\0\nhost = x\n", 19);
    assert_false(base_config_load_file(&fixture->config, fixture->path, &fixture->fault));
    assert_int_equal(fixture->fault.code, PROTO_BAD_CONFIG);
}

static void environment_sets_values_by_name(void **state)
{
    struct fixture *fixture = *state;
    char *environment[] = {(char[]){"PATH=/bin"},
                           (char[]){"ICPD_PORT=99"},
                           (char[]){"ICPD_LOG_LEVEL=warn"},
                           (char[]){"ICPD_CONFIG=/etc/x"},
                           (char[]){"ICPD_SERVICE_HOST=x"},
                           (char[]){"ICPD_PORT_4273_TCP=x"},
                           (char[]){"ICPDX=1"},
                           NULL};
    assert_true(base_config_load_env(&fixture->config, environment, &fixture->fault));
    assert_int_equal(fixture->config.port, 99);
    assert_string_equal(fixture->config.log_level, "warn");
    assert_string_equal(fixture->config.origins[BASE_OPTION_PORT].place, "ICPD_PORT");
    assert_int_equal(fixture->config.origins[BASE_OPTION_PORT].kind, BASE_ORIGIN_ENVIRONMENT);
}

static void what_kubernetes_says_of_a_service_named_icpd_is_passed_over(void **state)
{
    struct fixture *fixture = *state;
    char *environment[] = {
        (char[]){"ICPD_PORT=tcp://10.0.0.1:4273"}, (char[]){"ICPD_SERVICE_HOST=10.0.0.1"},
        (char[]){"ICPD_SERVICE_PORT=4273"}, (char[]){"ICPD_PORT_4273_TCP_ADDR=10.0.0.1"}, NULL};
    assert_true(base_config_load_env(&fixture->config, environment, &fixture->fault));
    assert_int_equal(fixture->config.port, 4273);
    assert_int_equal(fixture->config.origins[BASE_OPTION_PORT].kind, BASE_ORIGIN_DEFAULT);
}

static void bad_environment_is_refused_by_its_variable(void **state)
{
    struct fixture *fixture = *state;
    char *bad_value[] = {(char[]){"ICPD_PORT=http://10.0.0.1:4273"}, NULL};
    assert_false(base_config_load_env(&fixture->config, bad_value, &fixture->fault));
    assert_int_equal(strncmp(fixture->fault.message, "ICPD_PORT: port is", 18), 0);
    char *bad_name[] = {(char[]){"ICPD_WORKER=1"}, NULL};
    assert_false(base_config_load_env(&fixture->config, bad_name, &fixture->fault));
    assert_string_equal(fixture->fault.message,
                        "ICPD_WORKER: unknown option 'worker'; did you mean 'workers'?");
    char name[300] = "ICPD_";
    memset(name + 5, 'A', 200);
    memcpy(name + 205, "=1", 3);
    char *long_name[] = {name, NULL};
    assert_false(base_config_load_env(&fixture->config, long_name, &fixture->fault));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(file_sets_values_with_file_and_line),
        WITH_FIXTURE(missing_file_is_named),
        WITH_FIXTURE(bad_value_names_line_option_and_what_would_be_right),
        WITH_FIXTURE(unknown_name_in_the_file_is_refused),
        WITH_FIXTURE(option_given_twice_is_refused),
        WITH_FIXTURE(indented_line_is_a_line_of_its_own),
        WITH_FIXTURE(line_without_an_equals_sign_is_refused),
        WITH_FIXTURE(unclosed_section_and_unknown_section_are_refused),
        WITH_FIXTURE(line_that_is_too_long_is_refused_and_not_cut),
        WITH_FIXTURE(zero_byte_is_refused),
        WITH_FIXTURE(environment_sets_values_by_name),
        WITH_FIXTURE(what_kubernetes_says_of_a_service_named_icpd_is_passed_over),
        WITH_FIXTURE(bad_environment_is_refused_by_its_variable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
