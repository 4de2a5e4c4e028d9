/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/net_fixture.h"

#include "server/net/net_worker.h"

static struct net_options with_defaults(void)
{
    struct net_options options;
    net_options_default(&options);
    return options;
}

static void options_by_default_are_accepted(void **state)
{
    (void)state;
    struct net_options options = with_defaults();
    struct proto_fault fault = {0};
    assert_true(net_options_check(&options, &fault));
    assert_string_equal(options.host, "127.0.0.1");
    assert_int_equal(options.port, PROTO_PORT);
}

static void options_without_a_worker_count_take_the_processors(void **state)
{
    (void)state;
    struct net_options options = with_defaults();
    struct proto_fault fault;
    options.workers = 0;
    assert_true(net_options_check(&options, &fault));
    assert_true(options.workers >= 1);
}

#define REFUSED(FIELD, value)                                                                      \
    do {                                                                                           \
        struct net_options options = with_defaults();                                              \
        struct proto_fault fault = {0};                                                            \
        options.FIELD = value;                                                                     \
        assert_false(net_options_check(&options, &fault));                                         \
        assert_int_equal(fault.code, PROTO_BAD_CONFIG);                                            \
        assert_string_equal(fault.field, #FIELD);                                                  \
        assert_true(strlen(fault.message) > 0);                                                    \
    } while (0)

static void options_out_of_range_are_refused_by_name(void **state)
{
    (void)state;
    static const char too_long[] = "/tmp/0123456789012345678901234567890123456789012345678901234567"
                                   "89012345678901234567890123456789012345678901234567890123456789";
    REFUSED(host, NULL);
    REFUSED(socket_path, "");
    REFUSED(socket_path, too_long);
    REFUSED(socket_mode, 01777);
    REFUSED(workers, NET_WORKERS_MAX + 1);
    REFUSED(backlog, 0);
    REFUSED(accepts_max, 1000001);
    REFUSED(connections_max, 0);
    REFUSED(frame_bytes_max, 0);
    REFUSED(frame_bytes_max, (size_t)PROTO_FRAME_BYTES_MAX + 1);
    REFUSED(pending_max, 0);
    REFUSED(out_bytes_high, NET_SMALL_BYTES - 1);
    REFUSED(out_bytes_max, options.out_bytes_high - 1);
    REFUSED(bytes_max, NET_READ_BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_by_default_are_accepted),
        cmocka_unit_test(options_without_a_worker_count_take_the_processors),
        cmocka_unit_test(options_out_of_range_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
