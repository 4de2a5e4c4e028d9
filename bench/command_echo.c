/* SPDX-License-Identifier: Apache-2.0 */
/* icp-bench echo */
#include <argp.h>
#include <stdlib.h>
#include <sysexits.h>

#include "bench/bench_cli.h"
#include "bench/bench_echo.h"

enum { KEY_PORT = 256, KEY_PATH, KEY_REQUEST, KEY_REPLY, KEY_PORTS_FILE };

struct arguments {
    struct bench_echo_options echo;
    const char *ports_file;
};

static const struct argp_option options[] = {
    {"port", KEY_PORT, "N", 0, "TCP port on 127.0.0.1; 0 (default) takes any", 0},
    {"socket", KEY_PATH, "PATH", 0, "Unix socket beside it", 0},
    {"request", KEY_REQUEST, "BYTES", 0, "size of a request, header and all (default 34)", 0},
    {"reply", KEY_REPLY, "BYTES", 0, "size of a reply (default 96)", 0},
    {"ports-file", KEY_PORTS_FILE, "FILE", 0, "write 'port = N' there once it serves", 0},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case KEY_PORT:
        arguments->echo.port = (uint16_t)strtoul(text, NULL, 10);
        return 0;
    case KEY_PATH:
        arguments->echo.path = text;
        return 0;
    case KEY_REQUEST:
        arguments->echo.request_bytes = strtoul(text, NULL, 10);
        return 0;
    case KEY_REPLY:
        arguments->echo.reply_bytes = strtoul(text, NULL, 10);
        return 0;
    case KEY_PORTS_FILE:
        arguments->ports_file = text;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void on_ready(void *context, uint16_t port)
{
    const struct arguments *arguments = context;
    FILE *file = arguments->ports_file != NULL ? fopen(arguments->ports_file, "we") : stdout;
    if (file == NULL)
        return;
    fprintf(file, "port = %u\n", port);
    if (file == stdout)
        fflush(file);
    else
        fclose(file);
}

int bench_command_echo(int argc, char **argv)
{
    static const struct argp parser = {options,
                                       parse,
                                       NULL,
                                       "The floor: a bare libuv server that "
                                       "answers frames of one size.",
                                       NULL,
                                       NULL,
                                       NULL};
    struct proto_fault fault = {0};
    struct arguments arguments = {
        .echo = {.request_bytes = 34, .reply_bytes = 96, .on_ready = on_ready}};
    arguments.echo.context = &arguments;
    argp_parse(&parser, argc, argv, 0, NULL, &arguments);
    return bench_echo_serve(&arguments.echo, &fault) ? EX_OK : bench_fail(&fault);
}
