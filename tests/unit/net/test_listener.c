/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/net_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>

struct place {
    char folder[32];
    char socket[64];
};

static int place_make(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    if (place == NULL) {
        return -1;
    }
    snprintf(place->folder, sizeof place->folder, "/tmp/icp_listen_XXXXXX");
    if (mkdtemp(place->folder) == NULL) {
        return -1;
    }
    snprintf(place->socket, sizeof place->socket, "%s/icpd.sock", place->folder);
    *state = place;
    return 0;
}

static int place_remove(void **state)
{
    struct place *place = *state;
    unlink(place->socket);
    int rc = rmdir(place->folder);
    free(place);
    return rc;
}

static void expect_refused(const struct net_options *options, enum proto_error code,
                           const char *field)
{
    static struct net_echo echo;
    struct proto_fault fault = {0};
    assert_false(net_echo_start(&echo, options, &fault));
    assert_int_equal(fault.code, code);
    assert_string_equal(fault.field, field);
    print_message("%s\n", fault.message);
}

static void listener_refuses_a_port_that_another_server_has(void **state)
{
    (void)state;
    static struct net_echo first;
    struct net_options options = net_test_options(2);
    net_test_start(&first, &options);
    struct net_options second = net_test_options(2);
    second.port = (uint16_t)net_server_port(first.server);
    expect_refused(&second, PROTO_LOCKED, "port");
    second.workers = 1;
    expect_refused(&second, PROTO_LOCKED, "port");
    net_echo_stop(&first, 0);
    static struct net_echo third;
    net_test_start(&third, &second); /* and takes it when it is free again */
    net_echo_stop(&third, 0);
}

static void listener_refuses_a_host_that_is_not_here(void **state)
{
    (void)state;
    struct net_options options = net_test_options(1);
    options.host = "192.0.2.1"; /* for documentation, RFC 5737: nobody has it */
    expect_refused(&options, PROTO_BAD_CONFIG, "host");
    options.host = "not a host";
    expect_refused(&options, PROTO_BAD_CONFIG, "host");
}

static void listener_takes_ipv6_where_there_is_any(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(2);
    struct proto_fault fault;
    options.host = "::1";
    if (!net_echo_start(&echo, &options, &fault)) {
        skip();
    }
    assert_int_not_equal(net_server_port(echo.server), 0);
    net_echo_stop(&echo, 0);
}

static void listener_serves_a_unix_socket_on_every_worker(void **state)
{
    struct place *place = *state;
    static struct net_echo echo;
    struct net_options options = net_test_options(3);
    options.host = NULL;
    options.socket_path = place->socket;
    options.socket_mode = 0600;
    net_test_start(&echo, &options);
    assert_int_equal(net_server_port(echo.server), 0);
    struct stat found;
    assert_int_equal(stat(place->socket, &found), 0);
    assert_true(S_ISSOCK(found.st_mode));
    assert_int_equal(found.st_mode & 0777, 0600);
    int fds[12];
    for (uint32_t i = 0; i < 12; i++) {
        fds[i] = net_peer_local(place->socket);
        assert_true(fds[i] >= 0);
        net_test_ping(fds[i], i);
    }
    assert_int_equal(net_test_counters(&echo).connections_open, 12);
    for (uint32_t i = 0; i < 12; i++) {
        close(fds[i]);
    }
    net_echo_stop(&echo, 1000);
    assert_int_equal(lstat(place->socket, &found), -1);
}

static void listener_replaces_a_stale_unix_socket(void **state)
{
    struct place *place = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", place->socket);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd); /* the path stays, nobody listens */
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    options.host = NULL;
    options.socket_path = place->socket;
    net_test_start(&echo, &options);
    fd = net_peer_local(place->socket);
    net_test_ping(fd, 1);
    close(fd);
    net_echo_stop(&echo, 1000);
}

static void listener_refuses_a_live_unix_socket_and_other_files(void **state)
{
    struct place *place = *state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    options.host = NULL;
    options.socket_path = place->socket;
    net_test_start(&echo, &options);
    expect_refused(&options, PROTO_LOCKED, "socket_path");
    int fd = net_peer_local(place->socket);
    net_test_ping(fd, 1); /* the one that lives was not harmed */
    close(fd);
    net_echo_stop(&echo, 1000);
    int file = open(place->socket, O_CREAT | O_WRONLY, 0600);
    assert_true(file >= 0);
    close(file);
    expect_refused(&options, PROTO_BAD_CONFIG, "socket_path");
    assert_int_equal(access(place->socket, F_OK), 0); /* nor the file */
    char missing[96];
    snprintf(missing, sizeof missing, "%s/none/icpd.sock", place->folder);
    options.socket_path = missing;
    expect_refused(&options, PROTO_BAD_CONFIG, "socket_path");
}

static void listener_leaves_the_socket_of_its_successor(void **state)
{
    struct place *place = *state;
    static struct net_echo first;
    static struct net_echo second;
    struct net_options options = net_test_options(1);
    options.host = NULL;
    options.socket_path = place->socket;
    net_test_start(&first, &options);
    assert_int_equal(unlink(place->socket), 0); /* by an impatient hand */
    net_test_start(&second, &options);
    net_echo_stop(&first, 0);
    int fd = net_peer_local(place->socket);
    assert_true(fd >= 0);
    net_test_ping(fd, 1);
    close(fd);
    net_echo_stop(&second, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listener_refuses_a_port_that_another_server_has),
        cmocka_unit_test(listener_refuses_a_host_that_is_not_here),
        cmocka_unit_test(listener_takes_ipv6_where_there_is_any),
        cmocka_unit_test_setup_teardown(listener_serves_a_unix_socket_on_every_worker, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(listener_replaces_a_stale_unix_socket, place_make,
                                        place_remove),
        cmocka_unit_test_setup_teardown(listener_refuses_a_live_unix_socket_and_other_files,
                                        place_make, place_remove),
        cmocka_unit_test_setup_teardown(listener_leaves_the_socket_of_its_successor, place_make,
                                        place_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
