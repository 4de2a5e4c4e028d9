/* SPDX-License-Identifier: Apache-2.0 */
/* icp-bench echo */
#include <stdio.h>
#include <sysexits.h>

#include "bench/bench_cli.h"
#include "bench/bench_flags.h"
#include "bench/peer/peer_echo.h"
#include "proto/frame.h"

#define FRAME_BYTES_MAX (PROTO_HEADER_BYTES + (double)PROTO_FRAME_BYTES_MAX)

struct arguments {
    struct peer_echo_options echo;
    const char *ports_file;
};

#define AT(field) offsetof(struct arguments, field)
static const struct bench_flag options[] = {
    {"port", "N", BENCH_FLAG_U16, AT(echo.port), 0, 65535,
     "TCP port on 127.0.0.1; 0 (default) takes any"},
    {"socket", "PATH", BENCH_FLAG_TEXT, AT(echo.path), 0, 0, "Unix socket beside it"},
    {"request", "BYTES", BENCH_FLAG_SIZE, AT(echo.request_bytes), 1, FRAME_BYTES_MAX,
     "size of a request, header and all (default 34)"},
    {"reply", "BYTES", BENCH_FLAG_SIZE, AT(echo.reply_bytes), 1, FRAME_BYTES_MAX,
     "size of a reply (default 96)"},
    {"ports-file", "FILE", BENCH_FLAG_TEXT, AT(ports_file), 0, 0,
     "write 'port = N' there once it serves"},
};

static void on_ready(void *context, uint16_t port)
{
    const struct arguments *arguments = context;
    FILE *file = arguments->ports_file != NULL ? fopen(arguments->ports_file, "we") : stdout;
    if (file == NULL) {
        return;
    }
    fprintf(file, "port = %u\n", port);
    if (file == stdout) {
        fflush(file);
    } else {
        fclose(file);
    }
}

int bench_command_echo(int argc, char **argv)
{
    static const struct bench_flags flags = {
        .what = "The floor: a bare libuv server that answers frames of one size.",
        .flags = options,
        .count = sizeof options / sizeof *options};
    struct proto_fault fault = {0};
    struct arguments arguments = {
        .echo = {.request_bytes = 34, .reply_bytes = 96, .on_ready = on_ready}};
    arguments.echo.context = &arguments;
    bench_flags_parse(&flags, argc, argv, &arguments);
    return peer_echo_serve(&arguments.echo, &fault) ? EX_OK : bench_fail(&fault);
}
