/* SPDX-License-Identifier: Apache-2.0 */
/* What every command of `icp` gets: its options and arguments, taken apart by the tables
 * command.def and option.def; where the server is; and how to fail. Convention: a command returns
 * an exit status of sysexits.h. It prints results to standard output and everything else to
 * standard error, one line a message, beginning with the command's name. Ownership: option values
 * are borrowed from argv. Threads: one. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdio.h>
#include <sysexits.h>

#include "client/icp.h"
#include "proto/fault.h"
#include "proto/span.h"
#include "tools/cli/out/out_file.h"
#include "tools/cli/out/out_json.h"
#include "tools/cli/out/out_number.h"
#include "tools/cli/out/out_table.h"

#define CLI_URI_DEFAULT "icp://127.0.0.1:4273"
#define CLI_TIMEOUT_S_DEFAULT 30

enum cli_command_id {
#define X(ID, name, handler, summary, arguments, examples) CLI_COMMAND_##ID,
#include "tools/cli/command.def"
#undef X
    CLI_COMMANDS
};

/* CLI_<COMMAND>_<OPTION>, and CLI_G_<OPTION> for those of every command. */
enum cli_option_id {
#define G(NAME, name, key, argument, help) CLI_G_##NAME,
#define O(COMMAND, NAME, name, key, argument, help) CLI_##COMMAND##_##NAME,
#include "tools/cli/option.def"
#undef O
#undef G
    CLI_OPTIONS
};

struct cli_command {
    enum cli_command_id id;
    const char *name;
    const char *summary;
    const char *arguments;
    const char *examples;
};

struct cli_option {
    int command; /* enum cli_command_id, -1 for every command */
    const char *name;
    char key;
    const char *argument; /* NULL: a switch */
    const char *help;
};

struct cli {
    const struct cli_command *command;
    char **arguments; /* what is no option */
    size_t argument_count;
    struct cli_setting {
        enum cli_option_id option;
        const char *value; /* "" for a switch */
    } * settings;          /* in the order given */
    size_t setting_count;
    struct out_style style; /* of standard output */
    const char *uri;
    char token[512]; /* "" if none */
    uint32_t timeout_ms;
    int (*run)(int count, char **arguments); /* cli_run, for a command that runs others */
};

/* cli_table.c: the tables as data, and names in them. */
const struct cli_command *cli_commands(void); /* CLI_COMMANDS of them */
/* The heading that help has above a command; NULL: it goes on under the last one. */
const char *cli_topic(const struct cli_command *command);
const struct cli_option *cli_options(void); /* CLI_OPTIONS of them */
bool cli_option_belongs(const struct cli_command *command, const struct cli_option *option);
/* The command whose name the words begin with, NULL if there is none; *used words are its name. */
const struct cli_command *cli_command_find(int count, char *const *words, int *used);
/* The command nearest to mistyped words, NULL if none is near. */
const struct cli_command *cli_nearest(const char *words);
/* The option of a command nearest to a mistyped name, NULL if none is near. */
const struct cli_option *cli_nearest_option(const struct cli_command *command, const char *name);

/* cli_run.c: runs one command line; returns the exit status. */
int cli_run(int count, char **arguments);

/* cli_parse.c: takes a command line apart into *cli; `words` are what stands before and behind the
 * command's name. EX_OK, or EX_USAGE with a message. *help: help was asked for. The caller frees
 * settings and arguments, whatever came out. */
int cli_parse(struct cli *cli, int count, char **words, bool *help);

/* cli_setting.c: value of an option, the last if it was repeated; NULL if it was not given. */
const char *cli_text(const struct cli *cli, enum cli_option_id option);
static inline bool cli_has(const struct cli *cli, enum cli_option_id option)
{
    return cli_text(cli, option) != NULL;
}
/* The same by name, for options that several commands share; NULL if this one has none so called.
 */
const char *cli_text_named(const struct cli *cli, const char *name);
/* The option of this command that is so called; CLI_OPTIONS if it has none. */
enum cli_option_id cli_option_named(const struct cli *cli, const char *name);
/* Walks the values of a repeated option: *at starts at 0. NULL at the end. */
const char *cli_each(const struct cli *cli, enum cli_option_id option, size_t *at);
/* Whole number within [low, high], or the fallback if the option was not given. False, with a
 * message printed, if the text is not one. */
bool cli_number(const struct cli *cli, enum cli_option_id option, uint64_t low, uint64_t high,
                uint64_t fallback, uint64_t *number);
/* EX_USAGE with a message unless there are `least` to `most` arguments. */
bool cli_arguments(const struct cli *cli, size_t least, size_t most);
/* A version number from 1 as an argument; false with a message printed. */
bool cli_version_argument(const struct cli *cli, const char *text, uint64_t *version);

/* cli_say.c: messages on standard error: "icp COMMAND: …". cli_fail returns the exit status it is
 * given. */
void cli_say(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
int cli_fail(const struct cli *cli, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Prints a fault and returns the exit status that its code has (cli_exit_status). */
int cli_fault(const struct cli *cli, const struct proto_fault *fault);
int cli_icp_fault(const struct cli *cli, const struct icp_fault *fault);
/* A fault on a file rather than a request: EX_NOINPUT where it cannot be opened. */
int cli_file_fault(const struct cli *cli, const struct proto_fault *fault);
int cli_exit_status(unsigned error);

/* cli_print.c: results on standard output, as the options say. Exit statuses, messages printed. */
void cli_print(const struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int cli_table(const struct cli *cli, struct out_table *table);
/* Whether the accounts of a list in a reply carry display names: then a table has a column of them.
 */
bool cli_named(const struct icp_value *accounts);
/* Drops a reference. */
int cli_json(const struct cli *cli, json_t *json);
int cli_json_reply(const struct cli *cli, const struct icp_reply *reply);
/* A file of results: EX_CANTCREAT where it cannot be opened (out/out_file.h). */
int cli_file_begin(const struct cli *cli, const char *path, struct out_file *output);
int cli_file_commit(const struct cli *cli, struct out_file *output);

/* cli_server.c: connects to the server; NULL with *status and a message on failure. */
/* As the options of every command and the environment say; texts are theirs. */
struct icp_options cli_client_options(const struct cli *cli);
struct icp_client *cli_connect(const struct cli *cli, int *status);
/* One call; on failure the message is printed. Returns an exit status. */
int cli_call(const struct cli *cli, struct icp_client *client, enum icp_op op,
             const struct icp_payload *payload, struct icp_reply *reply);
/* Prints the fault of a reply, members of measures by the names of their options. */
int cli_refused(const struct cli *cli, struct icp_reply *reply);

/* A connection for one request: open, write the payload, send, read the reply, close. */
struct cli_request {
    struct icp_client *client;
    struct icp_payload *payload;
    struct icp_reply reply;
};
/* On failure there is nothing to close, and the message is printed. Returns an exit status. */
int cli_request_open(const struct cli *cli, struct cli_request *request);
int cli_request_send(const struct cli *cli, struct cli_request *request, enum icp_op op);
void cli_request_close(struct cli_request *request);

/* No account is found under a name of a kind ("id", "key", "email"): says so, with what it looks
 * like if that is something else. Returns EX_DATAERR. */
int cli_not_found(const struct cli *cli, const char *kind, const char *name);
/* Says why no account can be found by an address that names no company, if that is so. */
void cli_email_explain(const struct cli *cli, const char *email);

/* Help, made from the tables (cli_help.c, cli_pages.c, cli_man.c). */
void cli_help_overview(const struct out_sink *sink);
void cli_help_command(const struct out_sink *sink, const struct cli_command *command);
void cli_help_markdown(FILE *out);
void cli_help_bash(FILE *out);
/* What the exit statuses of icp mean, in a sentence. */
const char *cli_exit_statuses(void);
/* A manual page in the man macros of troff: of one command, or with NULL of icp itself. */
void cli_help_man(FILE *out, const struct cli_command *command);
/* All of them as files of a folder, made if absent: icp.1, icp-import.1, icp-schema-infer.1 … An
 * exit status, messages printed. */
int cli_help_man_pages(const struct cli *cli, const char *folder);

#endif
