/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server over a real socket on loopback: what it answers, and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/http/http.h"

struct fixture {
    struct http_server *server;
    struct http_group groups[2];
    sem_t waits, turn;
    char reply[16384];
    bool fail_page;
};

static unsigned answer_page(void *context, struct http_exchange *exchange)
{
    struct fixture *fixture = context;
    (void)fputs("a page\n", exchange->out);
    return fixture->fail_page ? 503 : 200;
}

/* Tells what it was asked, and waits for `turn`, if that is asked for. */
static unsigned answer_form(void *context, struct http_exchange *exchange)
{
    struct fixture *fixture = context;
    const char *wait = http_form_find(&exchange->form, "wait");
    if (wait != NULL) {
        sem_post(&fixture->waits);
        sem_wait(&fixture->turn);
    }
    for (size_t i = 0; i < exchange->form.count; i++) {
        (void)fprintf(exchange->out, "%s is %s\n", exchange->form.fields[i].name,
                      exchange->form.fields[i].value);
    }
    (void)fprintf(exchange->out, "cookies %s, %s, from %d\n",
                  exchange->cookies != NULL ? exchange->cookies : "none",
                  exchange->posted ? "posted" : "got",
                  exchange->from != NULL ? exchange->from->sa_family : 0);
    snprintf(exchange->location, sizeof exchange->location, "/open");
    snprintf(exchange->cookie, sizeof exchange->cookie, "a=b; HttpOnly");
    exchange->refresh_s = 5;
    return 303;
}

enum { LARGE_BYTES = 8 << 20 }; /* more than the kernels keep for who does not read */

static unsigned answer_large(void *context, struct http_exchange *exchange)
{
    char line[1024];
    (void)context;
    memset(line, 'x', sizeof line);
    for (size_t i = 0; i < LARGE_BYTES / sizeof line; i++) {
        (void)fwrite(line, 1, sizeof line, exchange->out);
    }
    return 200;
}

static unsigned allowed(void *context, const struct http_exchange *exchange)
{
    (void)context;
    return proto_span_is(exchange->token, "s3cret")      ? 0
           : proto_span_is(exchange->token, "too often") ? 429
                                                         : 401;
}

static const struct http_route routes[] = {
    {"/open", "text/plain; charset=utf-8", "for everyone", true, false, false, answer_page},
    {"/closed", "text/html; charset=utf-8", "with a token", false, false, false, answer_page},
    {"/large", "text/plain; charset=utf-8", "much", true, false, false, answer_large},
};
static const struct http_route forms[] = {
    {"/form", "text/plain; charset=utf-8", "a form", true, true, true, answer_form},
};

static struct http_options options_of(struct fixture *fixture, uint16_t port)
{
    fixture->groups[0] = (struct http_group){routes, sizeof routes / sizeof *routes, fixture};
    fixture->groups[1] = (struct http_group){forms, 1, fixture};
    return (struct http_options){.host = "127.0.0.1",
                                 .port = port,
                                 .groups = fixture->groups,
                                 .group_count = 2,
                                 .allowed = allowed,
                                 .context = fixture};
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct proto_fault fault;
    assert_non_null(fixture);
    sem_init(&fixture->waits, 0, 0);
    sem_init(&fixture->turn, 0, 0);
    const struct http_options options = options_of(fixture, 0);
    fixture->server = http_create(&options, &fault);
    assert_non_null(fixture->server);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    http_destroy(fixture->server);
    sem_destroy(&fixture->waits);
    sem_destroy(&fixture->turn);
    free(fixture);
    return 0;
}

static int connect_to(const struct fixture *fixture)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(http_port(fixture->server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void say(int fd, const char *request)
{
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
}

/* Reads up to the end of the connection. */
static const char *hear(struct fixture *fixture, int fd)
{
    size_t bytes = 0;
    ssize_t got;
    while (bytes + 1 < sizeof fixture->reply &&
           (got = recv(fd, fixture->reply + bytes, sizeof fixture->reply - 1 - bytes, 0)) > 0) {
        bytes += (size_t)got;
    }
    fixture->reply[bytes] = '\0';
    close(fd);
    return fixture->reply;
}

/* Sends a request as it is given and reads up to the end of the connection. */
static const char *ask(struct fixture *fixture, const char *request)
{
    int fd = connect_to(fixture);
    say(fd, request);
    return hear(fixture, fd);
}

#define POST(path, more, body)                                                                     \
    "POST " path " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" more "\r\n" body
#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"
#define GET(path, more)                                                                            \
    "GET " path " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" more "\r\n"

static void a_route_is_answered_whole(void **state)
{
    const char *reply = ask(*state, GET("/open", ""));
    assert_non_null(strstr(reply, "HTTP/1.1 200 "));
    assert_non_null(strstr(reply, "Content-Type: text/plain; charset=utf-8\r\n"));
    assert_non_null(strstr(reply, "X-Content-Type-Options: nosniff\r\n"));
    assert_non_null(strstr(reply, "\r\n\r\na page\n"));
}

static void the_query_is_not_looked_at(void **state)
{
    assert_non_null(strstr(ask(*state, GET("/open?verbose=1", "")), "HTTP/1.1 200 "));
}

static void head_has_no_body(void **state)
{
    const char *reply =
        ask(*state, "HEAD /open HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(reply, "HTTP/1.1 200 "));
    assert_non_null(strstr(reply, "Content-Length: 7\r\n"));
    assert_null(strstr(reply, "a page"));
}

static void the_status_is_the_routes_own(void **state)
{
    struct fixture *fixture = *state;
    fixture->fail_page = true;
    assert_non_null(strstr(ask(fixture, GET("/open", "")), "HTTP/1.1 503 "));
}

static void a_closed_route_wants_a_token_that_may_read(void **state)
{
    const char *reply = ask(*state, GET("/closed", ""));
    assert_non_null(strstr(reply, "HTTP/1.1 401 "));
    assert_non_null(strstr(reply, "WWW-Authenticate: Bearer"));
    reply = ask(*state, GET("/closed", "Authorization: Bearer wrong\r\n"));
    assert_non_null(strstr(reply, "HTTP/1.1 401 "));
    reply = ask(*state, GET("/closed", "Authorization: Basic s3cret\r\n"));
    assert_non_null(strstr(reply, "HTTP/1.1 401 "));
    reply = ask(*state, GET("/closed", "Authorization: bearer s3cret\r\n"));
    assert_non_null(strstr(reply, "HTTP/1.1 200 "));
}

static void an_unknown_path_is_told_what_there_is(void **state)
{
    const char *reply = ask(*state, GET("/metric", ""));
    assert_non_null(strstr(reply, "HTTP/1.1 404 "));
    assert_non_null(strstr(reply, "/closed    with a token\n"));
}

static void another_method_is_refused(void **state)
{
    const char *reply =
        ask(*state, "POST /open HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    "Content-Length: 3\r\n\r\nabc");
    assert_non_null(strstr(reply, "HTTP/1.1 405 "));
    assert_non_null(strstr(reply, "Allow: GET, HEAD\r\n"));
}

static void a_token_shown_too_often_is_told_to_wait(void **state)
{
    assert_non_null(strstr(ask(*state, GET("/closed", "Authorization: Bearer too often\r\n")),
                           "HTTP/1.1 429 "));
}

static void query_and_cookies_reach_the_page(void **state)
{
    const char *reply = ask(*state, GET("/form?a=x%26y+z&b", "Cookie: k=v; l=w\r\n"));
    assert_non_null(strstr(reply, "a is x&y z\nb is \ncookies k=v; l=w, got, from 2\n"));
}

static void a_page_says_where_to_go_what_to_keep_and_when_to_come_again(void **state)
{
    const char *reply = ask(*state, GET("/form", ""));
    assert_non_null(strstr(reply, "HTTP/1.1 303 "));
    assert_non_null(strstr(reply, "Location: /open\r\n"));
    assert_non_null(strstr(reply, "Set-Cookie: a=b; HttpOnly\r\n"));
    assert_non_null(strstr(reply, "Refresh: 5\r\n"));
    assert_non_null(strstr(reply, "Content-Security-Policy: default-src 'none'; "));
}

static void a_form_is_taken_apart(void **state)
{
    const char *reply = ask(*state, POST("/form?a=1", FORM "Content-Length: 9\r\n", "b=2&c=%C3"));
    assert_non_null(strstr(reply, "a is 1\nb is 2\nc is \xc3\ncookies none, posted"));
}

static void a_form_that_is_none_is_refused(void **state)
{
    assert_non_null(
        strstr(ask(*state, POST("/form", FORM "Content-Length: 5\r\n", "a=%0g")), "HTTP/1.1 400 "));
    assert_non_null(strstr(ask(*state, POST("/form", FORM "Content-Length: 5\r\n", "a=%00")),
                           "there may be no zero byte"));
    assert_non_null(
        strstr(ask(*state, POST("/form", "Content-Type: text/json\r\nContent-Length: 2\r\n", "{}")),
               "HTTP/1.1 415 "));
    assert_non_null(strstr(ask(*state, GET("/form?a=%", "")), "HTTP/1.1 400 "));
}

static void a_form_that_is_too_large_is_refused_however_it_comes(void **state)
{
    static const char chunk[] = "\r\n800\r\n";
    static char body[9 * (0x800 + sizeof chunk)];
    int fd = connect_to(*state);
    size_t at = 0;
    assert_non_null(
        strstr(ask(*state, POST("/form", FORM "Content-Length: 16385\r\n", "")), "HTTP/1.1 413 "));
    say(fd, POST("/form", FORM "Transfer-Encoding: chunked\r\n", ""));
    for (size_t i = 0; i < 9; i++) {
        const char *head = i == 0 ? chunk + 2 : chunk;
        memcpy(body + at, head, strlen(head));
        at += strlen(head);
        memset(body + at, 'a', 0x800);
        at += 0x800;
    }
    assert_int_equal(send(fd, body, at, MSG_NOSIGNAL), at);
    say(fd, "\r\n0\r\n\r\n");
    assert_non_null(strstr(hear(*state, fd), "HTTP/1.1 413 "));
}

static void a_form_of_another_site_is_refused(void **state)
{
    static const char *const foreign[] = {
        POST("/form", FORM "Origin: http://evil.example\r\nContent-Length: 3\r\n", "a=1"),
        POST("/form", FORM "Origin: null\r\nContent-Length: 3\r\n", "a=1"),
        POST("/form", FORM "Sec-Fetch-Site: cross-site\r\nContent-Length: 3\r\n", "a=1"),
        POST("/form", FORM "Sec-Fetch-Site: same-site\r\nContent-Length: 3\r\n", "a=1"),
        GET("/form", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n"),
    };
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        assert_non_null(strstr(ask(*state, foreign[i]), "HTTP/1.1 403 "));
    }
    assert_non_null(strstr(ask(*state, POST("/form",
                                            FORM "Origin: http://localhost\r\nSec-Fetch-Site: "
                                                 "same-origin\r\nContent-Length: 3\r\n",
                                            "a=1")),
                           "HTTP/1.1 303 "));
    /* Who follows a link from elsewhere gets the page. */
    assert_non_null(strstr(ask(*state, GET("/form", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: "
                                                    "navigate\r\n")),
                           "HTTP/1.1 303 "));
}

/* One more than the threads aside and their queue take: one is refused while all others wait,
 * probes go on, and each that waited is answered when its turn comes. */
static void pages_that_wait_hold_up_nobody_else(void **state)
{
    enum { SENT = HTTP_ASIDE_THREADS + HTTP_ASIDE_WAITING + 1 };
    struct fixture *fixture = *state;
    struct pollfd fds[SENT];
    size_t refused = 0;
    for (size_t i = 0; i < SENT; i++) {
        fds[i] = (struct pollfd){.fd = connect_to(fixture), .events = POLLIN};
        say(fds[i].fd, GET("/form?wait=1", ""));
        if (i < HTTP_ASIDE_THREADS) {
            sem_wait(&fixture->waits); /* a thread has it */
        }
    }
    assert_int_equal(poll(fds, SENT, -1), 1);
    while (fds[refused].revents == 0) {
        refused++;
    }
    assert_non_null(strstr(hear(fixture, fds[refused].fd), "too many pages wait"));
    assert_non_null(strstr(ask(fixture, GET("/open", "")), "HTTP/1.1 200 "));
    for (size_t i = 0; i + 1 < SENT; i++) {
        sem_post(&fixture->turn);
    }
    for (size_t i = 0; i < SENT; i++) {
        if (i != refused) {
            assert_non_null(strstr(hear(fixture, fds[i].fd), "wait is 1\n"));
        }
    }
}

static void the_end_waits_for_pages_under_way(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_to(fixture);
    say(fd, GET("/form?wait=1", ""));
    sem_wait(&fixture->waits);
    sem_post(&fixture->turn);
    http_destroy(fixture->server);
    fixture->server = NULL;
    close(fd);
}

/* A server that waits for so long; the one of the fixture waits much longer. */
static struct http_server *impatient(struct fixture *fixture, unsigned request_ms,
                                     unsigned reply_ms)
{
    struct proto_fault fault;
    struct http_options options = options_of(fixture, 0);
    options.request_ms = request_ms;
    options.reply_ms = reply_ms;
    struct http_server *server = http_create(&options, &fault);
    assert_non_null(server);
    return server;
}

/* Takes the fixture's place for a connection. */
static int connect_server(struct fixture *fixture, struct http_server *server)
{
    struct http_server *own = fixture->server;
    fixture->server = server;
    int fd = connect_to(fixture);
    fixture->server = own;
    return fd;
}

/* A byte now and then, whether of a header or of a form, for as long as there is a connection. The
 * control: a server that waits for longer answers what came as slowly. */
static void a_request_that_trickles_is_cut(void **state)
{
    static const char *const begun[] = {"GET /open HTTP/1.1\r\nHost: localhost\r\nX: ",
                                        POST("/form", FORM "Content-Length: 16000\r\n", "a=")};
    struct fixture *fixture = *state;
    struct http_server *patient = impatient(fixture, 600000, 0);
    struct http_server *server = impatient(fixture, 200, 0);
    for (size_t i = 0; i < sizeof begun / sizeof *begun; i++) {
        int control = connect_server(fixture, patient);
        struct pollfd cut = {.fd = connect_server(fixture, server), .events = POLLIN};
        say(cut.fd, begun[i]);
        say(control, "GET /open HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: ");
        while (poll(&cut, 1, 20) == 0) {
            (void)!send(cut.fd, "a", 1, MSG_NOSIGNAL);
            say(control, "a");
        }
        assert_string_equal(hear(fixture, cut.fd), "");
        say(control, "\r\n\r\n");
        assert_non_null(strstr(hear(fixture, control), "HTTP/1.1 200 "));
    }
    http_destroy(server);
    http_destroy(patient);
}

/* How much of the large page comes to somebody who reads a byte now and then for so long. */
static size_t trickle_read(int fd, int turns)
{
    static char rest[1 << 16];
    size_t bytes = 0;
    ssize_t got = 1;
    say(fd, GET("/large", ""));
    for (int i = 0; i < turns && got > 0; i++) {
        poll(NULL, 0, 10);
        got = recv(fd, rest, 1, 0);
        bytes += got > 0 ? (size_t)got : 0;
    }
    while ((got = recv(fd, rest, sizeof rest, 0)) > 0) {
        bytes += (size_t)got;
    }
    close(fd);
    return bytes;
}

/* The control: who reads at once gets all of it. */
static void a_reply_that_is_not_read_is_cut(void **state)
{
    struct fixture *fixture = *state;
    struct http_server *server = impatient(fixture, 60000, 100);
    size_t bytes = LARGE_BYTES;
    assert_true(trickle_read(connect_to(fixture), 0) > LARGE_BYTES);
    for (int turns = 50; turns <= 1600 && bytes >= LARGE_BYTES; turns *= 2) {
        bytes = trickle_read(connect_server(fixture, server), turns);
    }
    assert_true(bytes < LARGE_BYTES);
    http_destroy(server);
}

static void a_host_of_a_stranger_is_refused(void **state)
{
    const char *reply =
        ask(*state, "GET /open HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(reply, "HTTP/1.1 400 "));
}

static void nonsense_ends_the_connection_and_nothing_else(void **state)
{
    (void)ask(*state, "\x16\x03\x01\x02\x01 this is not HTTP\r\n\r\n");
    assert_non_null(strstr(ask(*state, GET("/open", "")), "HTTP/1.1 200 "));
}

static void a_port_that_is_taken_is_a_fault_by_name(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {0};
    const struct http_options options = options_of(fixture, http_port(fixture->server));
    assert_null(http_create(&options, &fault));
    assert_int_equal(fault.code, PROTO_LOCKED);
    assert_string_equal(fault.field, "http_port");
}

static void an_address_that_is_none_is_a_fault_by_name(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {0};
    struct http_options options = options_of(fixture, 0);
    options.host = "300.1.2.3.4";
    assert_null(http_create(&options, &fault));
    assert_int_equal(fault.code, PROTO_BAD_CONFIG);
    assert_string_equal(fault.field, "http_host");
}

static void loopback_is_told_from_other_hosts(void **state)
{
    static const char *const ours[] = {"localhost", "LocalHost:4274", "127.0.0.1", "127.8.9.1:80",
                                       "[::1]",     "[::1]:4274",     "::1"};
    static const char *const others[] = {"",
                                         "localhost.evil.example",
                                         "evil.example:4274",
                                         "128.0.0.1",
                                         "[::1",
                                         "[::1]x",
                                         "0.0.0.0",
                                         "[]",
                                         ":4274"};
    (void)state;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        assert_true(http_host_is_loopback(ours[i]));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_false(http_host_is_loopback(others[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_route_is_answered_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(the_query_is_not_looked_at, setup, teardown),
        cmocka_unit_test_setup_teardown(head_has_no_body, setup, teardown),
        cmocka_unit_test_setup_teardown(the_status_is_the_routes_own, setup, teardown),
        cmocka_unit_test_setup_teardown(a_closed_route_wants_a_token_that_may_read, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_unknown_path_is_told_what_there_is, setup, teardown),
        cmocka_unit_test_setup_teardown(another_method_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_token_shown_too_often_is_told_to_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(query_and_cookies_reach_the_page, setup, teardown),
        cmocka_unit_test_setup_teardown(a_page_says_where_to_go_what_to_keep_and_when_to_come_again,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_form_is_taken_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(a_form_that_is_none_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_form_that_is_too_large_is_refused_however_it_comes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_form_of_another_site_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_that_wait_hold_up_nobody_else, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_waits_for_pages_under_way, setup, teardown),
        cmocka_unit_test_setup_teardown(a_request_that_trickles_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reply_that_is_not_read_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(a_host_of_a_stranger_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(nonsense_ends_the_connection_and_nothing_else, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_port_that_is_taken_is_a_fault_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(an_address_that_is_none_is_a_fault_by_name, setup,
                                        teardown),
        cmocka_unit_test(loopback_is_told_from_other_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
