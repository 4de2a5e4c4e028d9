/* SPDX-License-Identifier: Apache-2.0 */
/* Options are taken in the order in which they stand, the last of a kind counts; what is missing is
 * looked for when all are read. */
#include "client/router/router_command.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "client/router/router_words.h"

enum { SOURCE_BYTES_MAX = 63 /* icpd's */, SPOOL_MIB_MAX = 65536, LINGER_MS_MAX = 3600000 };

const char router_help[] =
    "usage: icp-router --rules FILE (--http HOST:PORT | --stdin) [options]\n"
    "\n"
    "Leads to people: scored by icpd, chosen by rules, each decision stored once.\n"
    "\n"
    "  --rules FILE      who gets what; read again on HUP\n"
    "  --http HOST:PORT  take leads by HTTP; GET / shows figures\n"
    "  --stdin           take leads as lines of JSON, answer with lines\n"
    "  --uri URI         of icpd, several hosts with commas between; default\n"
    "                    ICP_URI, or icp://127.0.0.1:4273\n"
    "  --spool FOLDER    decisions that icpd does not hold yet; default ./spool\n"
    "  --spool-max MIB   of them; beyond it leads are refused; default 64\n"
    "  --sync            each decision is on disk before it is answered\n"
    "  --source NAME     of the events; default router\n"
    "  --linger MS       at the end, for what waits; default 10000\n"
    "  --dry-run         decide and answer, keep nothing\n"
    "  --check           read the rules and say what is wrong with them\n"
    "  --help            show this\n"
    "\n"
    "ICP_TOKEN is the token, of a role that may write. Exit status: 0; 64 usage;\n"
    "65 rules; 69 no way to begin; 75 decisions are left in the spool.\n";

static bool number_take(const char *name, const char *text, unsigned long least, unsigned long most,
                        unsigned long *number, struct router_fault *fault)
{
    char *end = NULL;
    *number = strtoul(text, &end, 10);
    return (text[0] >= '0' && text[0] <= '9' && *end == '\0' && *number >= least &&
            *number <= most) ||
           router_refuse(fault, 0, 0, "--%s: a whole number from %lu to %lu is wanted, not '%.64s'",
                         name, least, most, text);
}

/* As icpd takes it: later it would refuse every decision. */
static bool source_take(struct router_command *command, const char *text,
                        struct router_fault *fault)
{
    size_t bytes = strlen(text);
    json_t *string = json_string(text); /* NULL: no UTF-8 */
    bool good = string != NULL && bytes > 0 && bytes <= SOURCE_BYTES_MAX;
    json_decref(string);
    for (size_t i = 0; good && i < bytes; i++) {
        good = (unsigned char)text[i] >= ' ' && text[i] != 0x7f;
    }
    command->work.source = text;
    return good ||
           router_refuse(fault, 0, 0, "--source: 1 to %d bytes of UTF-8 in one line are wanted",
                         SOURCE_BYTES_MAX);
}

static bool option_take(struct router_command *command, int option, const char *text,
                        struct router_fault *fault)
{
    struct router_options *work = &command->work;
    unsigned long number = 0;
    switch (option) {
    case 'r':
        work->rules_path = text;
        return true;
    case 'h':
        command->http_address = text;
        return true;
    case 'i':
        command->from_stdin = true;
        return true;
    case 'u':
        work->uri = text;
        return true;
    case 's':
        work->spool_path = text;
        return true;
    case 'm':
        if (!number_take("spool-max", text, 1, SPOOL_MIB_MAX, &number, fault)) {
            return false;
        }
        work->spool_bytes_max = number << 20;
        return true;
    case 'y':
        work->sync = true;
        return true;
    case 'o':
        return source_take(command, text, fault);
    case 'l':
        if (!number_take("linger", text, 0, LINGER_MS_MAX, &number, fault)) {
            return false;
        }
        command->linger_ms = (unsigned)number;
        return true;
    case 'd':
        work->dry_run = true;
        return true;
    case 'c':
        command->check = true;
        return true;
    case 'H':
        command->help = true;
        return true;
    default:
        return false;
    }
}

bool router_command_read(struct router_command *command, int count, char **arguments,
                         struct router_fault *fault)
{
    static const struct option options[] = {
        {"rules", 1, NULL, 'r'},   {"http", 1, NULL, 'h'},   {"stdin", 0, NULL, 'i'},
        {"uri", 1, NULL, 'u'},     {"spool", 1, NULL, 's'},  {"spool-max", 1, NULL, 'm'},
        {"sync", 0, NULL, 'y'},    {"source", 1, NULL, 'o'}, {"linger", 1, NULL, 'l'},
        {"dry-run", 0, NULL, 'd'}, {"check", 0, NULL, 'c'},  {"help", 0, NULL, 'H'},
        {NULL, 0, NULL, 0}};
    const char *uri = getenv("ICP_URI");
    *fault = (struct router_fault){.line = 0};
    *command = (struct router_command){.work = {.uri = uri != NULL ? uri : "icp://127.0.0.1:4273",
                                                .token = getenv("ICP_TOKEN"),
                                                .spool_path = "spool",
                                                .source = "router",
                                                .spool_bytes_max = 64 << 20},
                                       .linger_ms = 10000};
    for (int one; (one = getopt_long(count, arguments, "", options, NULL)) != -1;) {
        if (!option_take(command, one, optarg, fault)) {
            return false;
        }
    }
    if (command->help) {
        return true;
    }
    if (optind < count) {
        return router_refuse(fault, 0, 0, "'%.100s' is too much: there are options alone",
                             arguments[optind]);
    }
    if (command->work.rules_path == NULL) {
        return router_refuse(fault, 0, 0, "--rules FILE is missing: who gets what");
    }
    return command->check || command->http_address != NULL || command->from_stdin ||
           router_refuse(fault, 0, 0,
                         "--http HOST:PORT or --stdin is missing: where the leads come from");
}
