/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/config.h"

static void defaults_are_set_and_say_so(void **state)
{
    (void)state;
    struct base_config config;
    struct proto_fault fault;
    assert_true(base_config_init(&config, &fault));
    assert_string_equal(config.host, "127.0.0.1");
    assert_int_equal(config.port, PROTO_PORT);
    assert_int_equal(config.map_bytes, UINT64_C(64) << 30);
    assert_int_equal(config.idle_ms, 300000);
    assert_string_equal(config.socket_path, "");
    for (size_t i = 0; i < BASE_OPTION_COUNT; i++) {
        assert_int_equal(config.origins[i].kind, BASE_ORIGIN_DEFAULT);
        assert_string_equal(config.origins[i].place, "default");
    }
    base_config_fini(&config);
}

static void name_and_flag_of_each_option_agree(void **state)
{
    (void)state;
    size_t count;
    const struct base_option_info *options = base_options(&count);
    for (size_t i = 0; i < count; i++) {
        const char *name = options[i].name;
        const char *flag = options[i].flag;
        assert_int_equal(strlen(name), strlen(flag));
        for (size_t j = 0; name[j] != '\0'; j++) {
            assert_int_equal(flag[j], name[j] == '_' ? '-' : name[j]);
        }
        assert_ptr_equal(base_option_find(name), &options[i]);
        assert_ptr_equal(base_option_find(flag), &options[i]);
        assert_ptr_equal(base_option_nearest(name), &options[i]);
    }
}

static void stronger_source_wins_in_any_order(void **state)
{
    (void)state;
    struct base_config config;
    struct proto_fault fault;
    assert_true(base_config_init(&config, &fault));
    assert_true(base_config_set(&config, "port", "3", BASE_ORIGIN_FLAG, "--port", &fault));
    assert_true(base_config_set(&config, "port", "1", BASE_ORIGIN_FILE, "f:1", &fault));
    assert_true(
        base_config_set(&config, "port", "2", BASE_ORIGIN_ENVIRONMENT, "ICPD_PORT", &fault));
    assert_int_equal(config.port, 3);
    assert_string_equal(config.origins[BASE_OPTION_PORT].place, "--port");
    assert_true(base_config_set(&config, "workers", "2", BASE_ORIGIN_FILE, "f:2", &fault));
    assert_true(
        base_config_set(&config, "workers", "4", BASE_ORIGIN_ENVIRONMENT, "ICPD_WORKERS", &fault));
    assert_int_equal(config.workers, 4);
    base_config_fini(&config);
}

static void weaker_value_is_checked_even_if_it_is_not_taken(void **state)
{
    (void)state;
    struct base_config config;
    struct proto_fault fault = {0};
    assert_true(base_config_init(&config, &fault));
    assert_true(base_config_set(&config, "port", "3", BASE_ORIGIN_FLAG, "--port", &fault));
    assert_false(base_config_set(&config, "port", "99999", BASE_ORIGIN_FILE, "f:1", &fault));
    assert_int_equal(fault.code, PROTO_BAD_CONFIG);
    assert_string_equal(fault.field, "port");
    assert_string_equal(fault.message,
                        "f:1: port is '99999', but must be 0 to 65535 (a whole number)");
    base_config_fini(&config);
}

static void unknown_name_is_refused_with_the_nearest_one(void **state)
{
    (void)state;
    struct base_config config;
    struct proto_fault fault = {0};
    assert_true(base_config_init(&config, &fault));
    assert_false(base_config_set(&config, "wrokers", "1", BASE_ORIGIN_FILE, "f:7", &fault));
    assert_int_equal(fault.code, PROTO_BAD_CONFIG);
    assert_string_equal(fault.message, "f:7: unknown option 'wrokers'; did you mean 'workers'?");
    assert_false(base_config_set(&config, "zzzzzzz", "1", BASE_ORIGIN_FILE, "f:8", &fault));
    assert_string_equal(fault.message, "f:8: unknown option 'zzzzzzz'");
    char long_name[500];
    memset(long_name, 'a', sizeof long_name);
    long_name[sizeof long_name - 1] = '\0';
    assert_false(base_config_set(&config, long_name, "1", BASE_ORIGIN_FILE, "f:9", &fault));
    assert_false(base_config_set(&config, "", "1", BASE_ORIGIN_FILE, "f:9", &fault));
    base_config_fini(&config);
}

static void refusal_of_a_secret_does_not_quote_it(void **state)
{
    (void)state;
    struct base_config config;
    struct proto_fault fault = {0};
    char secret[400];
    memset(secret, 'q', sizeof secret);
    secret[sizeof secret - 1] = '\0';
    assert_true(base_config_init(&config, &fault));
    assert_false(base_config_set(&config, "admin_token", secret, BASE_ORIGIN_FILE, "f:1", &fault));
    assert_null(strstr(fault.message, "qqq"));
    assert_string_equal(config.admin_token, "");
    base_config_fini(&config);
}

static void long_place_is_cut_at_its_front(void **state)
{
    (void)state;
    struct base_config config;
    struct proto_fault fault = {0};
    char place[300];
    memset(place, 'd', sizeof place);
    memcpy(place + sizeof place - 6, "e:123", 6);
    assert_true(base_config_init(&config, &fault));
    assert_true(base_config_set(&config, "port", "1", BASE_ORIGIN_FILE, place, &fault));
    const char *kept = config.origins[BASE_OPTION_PORT].place;
    assert_int_equal(strncmp(kept, "...d", 4), 0);
    assert_string_equal(kept + strlen(kept) - 6, "de:123");
    base_config_fini(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_set_and_say_so),
        cmocka_unit_test(name_and_flag_of_each_option_agree),
        cmocka_unit_test(stronger_source_wins_in_any_order),
        cmocka_unit_test(weaker_value_is_checked_even_if_it_is_not_taken),
        cmocka_unit_test(unknown_name_is_refused_with_the_nearest_one),
        cmocka_unit_test(refusal_of_a_secret_does_not_quote_it),
        cmocka_unit_test(long_place_is_cut_at_its_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
