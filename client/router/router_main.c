/* SPDX-License-Identifier: Apache-2.0 */
/* icp-router: leads to people, by the fit of their accounts. docs/router.md says how it is run.
 *
 * Leads come by HTTP, or as lines of standard input whose decisions are lines of standard output.
 * HUP reads the rules again. TERM, INT and the end of the input let what is under way end, then
 * what waits in the spool is told to icpd for --linger ms at most; what is left stays in the spool.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "client/router/router_command.h"
#include "client/router/router_http.h"
#include "client/router/router_words.h"

enum {
    CHUNK_BYTES = 1 << 16,
    PIPE_BYTES = 1 << 20, /* so that who sends leads seldom waits for a turn of the loop */
    UNDER_WAY_MAX = 20000
};

struct program {
    struct router_work work;
    struct router_command command;
    uv_loop_t loop;
    struct router_http *http;
    uv_signal_t signals[3];
    uv_timer_t linger;
    uv_fs_t read;
    uv_buf_t chunk;
    char *line; /* of the input, begun */
    size_t line_bytes;
    bool passing; /* a line that is too long goes by */
    bool paused, stopping, ended;
    size_t left;    /* in the spool at the end */
    char said[256]; /* the last trouble, and when */
    uint64_t said_ns;
};

static void say(const char *message)
{
    fprintf(stderr, "icp-router: %s\n", message);
}

/* Of one trouble one line in five seconds is enough. */
static void on_trouble(void *context, const char *message)
{
    struct program *program = context;
    uint64_t now_ns = uv_hrtime();
    if (strncmp(message, program->said, sizeof program->said - 1) == 0 &&
        now_ns - program->said_ns < UINT64_C(5000000000)) {
        return;
    }
    program->said_ns = now_ns;
    (void)snprintf(program->said, sizeof program->said, "%s", message);
    say(message);
}

static void say_fault(const char *file, const struct router_fault *fault)
{
    char text[600];
    if (fault->line > 0) {
        (void)snprintf(text, sizeof text, "%.200s:%zu:%zu: %s", file, fault->line, fault->column,
                       fault->message);
    } else {
        (void)snprintf(text, sizeof text, "%s", fault->message);
    }
    say(text);
}

static void end_all(struct program *program)
{
    if (program->ended) {
        return;
    }
    program->ended = true;
    program->left = program->work.spool == NULL ? 0 : router_spool_count(program->work.spool);
    router_http_end(program->http);
    for (size_t i = 0; i < sizeof program->signals / sizeof *program->signals; i++) {
        uv_close((uv_handle_t *)&program->signals[i], NULL);
    }
    uv_close((uv_handle_t *)&program->linger, NULL);
    router_work_end(&program->work);
    uv_stop(&program->loop); /* a read of the input may never come back */
}

/* Everything is answered: what waits gets a while. */
static void on_linger(uv_timer_t *timer)
{
    struct program *program = timer->data;
    struct router_work *work = &program->work;
    router_work_flush(work);
    bool done = work->spool == NULL || router_spool_count(work->spool) == 0;
    if (work->under_way == 0 && (done || program->command.linger_ms < 20)) {
        end_all(program);
        return;
    }
    program->command.linger_ms -= program->command.linger_ms < 20 ? 0 : 20;
}

static void stop(struct program *program)
{
    if (!program->stopping) {
        program->stopping = true;
        (void)uv_timer_start(&program->linger, on_linger, 0, 20);
    }
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct program *program = signal->data;
    struct router_fault fault;
    if (number != SIGHUP) {
        stop(program);
    } else if (router_work_reload(&program->work, &fault)) {
        say("the rules were read again");
    } else {
        say_fault(program->command.work.rules_path, &fault);
        say("the rules before stay");
    }
}

static void input_read(struct program *program);

static void on_answer(void *context, int status, const char *json, size_t bytes)
{
    struct program *program = context;
    (void)status;
    (void)fwrite(json, 1, bytes, stdout);
    fputc('\n', stdout);
    if (program->paused && program->work.under_way < UNDER_WAY_MAX / 2) {
        program->paused = false;
        input_read(program);
    }
}

/* Answers of one turn of the loop leave together. */
static void on_turn(void *context)
{
    struct program *program = context;
    if (program->command.from_stdin && fflush(stdout) != 0) {
        say("the output is closed");
        stop(program);
    }
}

static void line_end(struct program *program)
{
    if (program->passing) {
        program->line_bytes = ROUTER_LEAD_BYTES_MAX + 1; /* is refused by its length */
    }
    if (program->line_bytes > 0) {
        router_work_lead(&program->work, program->line, program->line_bytes, false, on_answer,
                         program);
    }
    program->line_bytes = 0;
    program->passing = false;
}

static void input_take(struct program *program, const char *data, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        const char *end = memchr(data + at, '\n', bytes - at);
        size_t part = (size_t)((end != NULL ? end : data + bytes) - (data + at));
        if (program->line_bytes + part > ROUTER_LEAD_BYTES_MAX) {
            program->passing = true;
        } else {
            memcpy(program->line + program->line_bytes, data + at, part);
            program->line_bytes += part;
        }
        at += part + (end != NULL);
        if (end != NULL) {
            line_end(program);
        }
    }
}

static void on_input(uv_fs_t *read)
{
    struct program *program = read->data;
    ssize_t bytes = read->result;
    uv_fs_req_cleanup(read);
    if (bytes > 0) {
        input_take(program, program->chunk.base, (size_t)bytes);
    } else {
        line_end(program);
        stop(program);
        return;
    }
    if (program->stopping) {
        return;
    }
    if (program->work.under_way >= UNDER_WAY_MAX) {
        program->paused = true;
    } else {
        input_read(program);
    }
}

static void input_read(struct program *program)
{
    program->read.data = program;
    if (uv_fs_read(&program->loop, &program->read, STDIN_FILENO, &program->chunk, 1, -1,
                   on_input) != 0) {
        say("standard input cannot be read");
        stop(program);
    }
}

/* What is no pipe, or may not be so wide, stays as it is. */
static void pipe_widen(int file)
{
    (void)fcntl(file, F_SETPIPE_SZ, PIPE_BYTES);
}

static bool begin(struct program *program, struct router_fault *fault)
{
    static const int numbers[] = {SIGHUP, SIGTERM, SIGINT};
    int port = 0;
    program->work.on_trouble = on_trouble;
    program->work.trouble_context = program->work.turn_context = program;
    program->work.on_turn = on_turn;
    if (!router_work_begin(&program->work, &program->loop, &program->command.work, fault)) {
        return false;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        program->signals[i].data = program;
        (void)uv_signal_init(&program->loop, &program->signals[i]);
        (void)uv_signal_start(&program->signals[i], on_signal, numbers[i]);
    }
    program->linger.data = program;
    (void)uv_timer_init(&program->loop, &program->linger);
    if (program->command.http_address != NULL) {
        program->http =
            router_http_begin(&program->work, program->command.http_address, &port, fault);
        if (program->http == NULL) {
            return false;
        }
        fprintf(stderr, "icp-router: listening on port %d\n", port);
    }
    if (program->command.from_stdin) {
        char *chunk = malloc(CHUNK_BYTES);
        program->line = malloc(ROUTER_LEAD_BYTES_MAX + 1);
        if (chunk == NULL || program->line == NULL) {
            free(chunk);
            return router_refuse(fault, 0, 0, "no memory");
        }
        program->chunk.base = chunk;
        program->chunk.len = CHUNK_BYTES;
        pipe_widen(STDIN_FILENO);
        pipe_widen(STDOUT_FILENO);
        input_read(program);
    }
    return true;
}

static int rules_check(struct program *program)
{
    struct router_fault fault;
    struct router_work work = {.options = program->command.work};
    if (!router_work_reload(&work, &fault)) {
        say_fault(program->command.work.rules_path, &fault);
        return EX_DATAERR;
    }
    size_t people = work.rules->person_count;
    size_t rules = work.rules->rule_count;
    size_t owners = work.rules->owner_count;
    printf("%zu %s, %zu rule%s, %zu owner%s\n", people, people == 1 ? "person" : "people", rules,
           rules == 1 ? "" : "s", owners, owners == 1 ? "" : "s");
    router_state_destroy(work.state);
    router_rules_destroy(work.rules);
    return EX_OK;
}

int main(int count, char **arguments)
{
    struct router_fault fault = {.line = 0};
    static struct program memory; /* until the process ends */
    struct program *program = &memory;
    if (!router_command_read(&program->command, count, arguments, &fault)) {
        if (fault.message[0] != '\0') {
            say(fault.message);
        }
        say("--help lists the options");
        return EX_USAGE;
    }
    if (program->command.help) {
        fputs(router_help, stdout);
        return EX_OK;
    }
    if (program->command.check) {
        return rules_check(program);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)uv_loop_init(&program->loop);
    (void)uv_loop_configure(&program->loop, UV_METRICS_IDLE_TIME);
    if (!begin(program, &fault)) {
        say_fault(program->command.work.rules_path, &fault);
        return fault.line > 0 ? EX_DATAERR : EX_UNAVAILABLE;
    }
    (void)uv_run(&program->loop, UV_RUN_DEFAULT);
    for (int turns = 0; turns < 1000 && !program->work.closed; turns++) {
        (void)uv_run(&program->loop, UV_RUN_NOWAIT);
    }
    fflush(stdout);
    return program->left > 0 ? EX_TEMPFAIL : EX_OK;
}
