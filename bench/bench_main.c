/* SPDX-License-Identifier: Apache-2.0 */
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "bench/bench_cli.h"

static const struct {
    const char *name;
    const char *arguments;
    const char *help;
    int (*run)(int argc, char **argv);
} commands[] = {
#define X(name, arguments, help) {#name, arguments, help, bench_command_##name},
    BENCH_COMMANDS
#undef X
};

static void usage(FILE *out)
{
    fprintf(out, "Usage: icp-bench COMMAND …\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        fprintf(out, "  %-8s %-14s %s\n", commands[i].name, commands[i].arguments,
                commands[i].help);
    }
    fprintf(out, "\nicp-bench COMMAND --help tells more; docs/bench.md says what is measured.\n");
}

int main(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? EX_USAGE : EX_OK;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    fprintf(stderr, "icp-bench: no command is called '%s'\n", argv[1]);
    usage(stderr);
    return EX_USAGE;
}
