/* SPDX-License-Identifier: Apache-2.0 */
/* Flags of our own beside those of the configuration's table: what to do instead of serving, of
 * which there can be one. What contradicts itself is told with the usage (64). */
#include "server/options.h"

#include <stdlib.h>
#include <sysexits.h>

#ifdef ICP_WITH_POSTGRES
#define SHARED_LOG " with PostgreSQL"
#else
#define SHARED_LOG " without PostgreSQL"
#endif
const char *argp_program_version = "icpd " ICP_VERSION SHARED_LOG;

enum {
    KEY_SCRUB = 0x10000,
    KEY_SAMPLE,
    KEY_RESTORE,
    KEY_UNTIL,
    KEY_VERIFY,
    KEY_MAN,
    KEY_COMPACT,
    KEY_REPAIR,
    KEY_YES,
    KEY_FOUND,
};

static const struct argp_option own_options[] = {
    {"config", 'c', "FILE", 0, "Read options from FILE (environment: ICPD_CONFIG)", 1},
    {"test", 't', NULL, 0, "Check the configuration, naming file and line of a fault, and end", 1},
    {"print-config", 'p', NULL, 0, "Print every option with where its value comes from, and end",
     1},
    {"sample-config", KEY_SAMPLE, NULL, 0,
     "Print a configuration file of every option, commented out, and end", 1},
    {"man", KEY_MAN, NULL, 0, "Print the manual page icpd(8), as man reads it, and end", 1},
    {"scrub", KEY_SCRUB, NULL, 0,
     "Check every checksum of a store that is not being served, and end", 1},
    {"compact", KEY_COMPACT, NULL, 0,
     "Write the tables of a store that is not being served anew, without free pages, and end", 1},
    {"repair", KEY_REPAIR, NULL, 0,
     "Say what a damaged store that is not being served would have to give up, and end; with --yes "
     "make a sound one of the rest",
     1},
    {"yes", KEY_YES, NULL, 0, "Do what --repair says", 1},
    {"found-log", KEY_FOUND, NULL, 0,
     "Make the shared log of a cluster at `cluster_log`, beginning with the store of `data`, which "
     "is not being served, and end",
     1},
    {"restore", KEY_RESTORE, "DIR", 0,
     "Make the store of `data`, where there is none, from the backups in DIR, and end", 1},
    {"until", KEY_UNTIL, "MOMENT", 0,
     "Restore to this log sequence, or to this time (YYYY-MM-DDTHH:MM:SSZ)", 1},
    {"verify-backup", KEY_VERIFY, "DIR", 0, "Read the backups in DIR whole, and end", 1},
    {0},
};

const struct argp_option *server_options_own(void)
{
    return own_options;
}

static const char documentation[] =
    "Score inbound leads and accounts against the company's ideal customer profile."
    "\vOptions come from the defaults, the file, the environment (ICPD_NAME) and flags; the later "
    "wins.\n"
    "\n"
    "  icpd --data /var/lib/icpd                 serve on 127.0.0.1:4273\n"
    "  icpd -c /etc/icpd.conf -t                 check a configuration\n"
    "  icpd --port 0 --ports-file ports          take a free port and write it down\n"
    "\n"
    "SIGTERM drains and ends, SIGHUP reads the file anew and reopens the log.";

static void mode_set(struct server_options *options, const struct argp_state *state,
                     enum server_mode mode)
{
    if (options->mode != SERVER_SERVE && options->mode != mode) {
        argp_error(state, "one thing at a time: -t, -p and each option that says 'and end' stand "
                          "alone");
    }
    options->mode = mode;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct server_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->config;
        break;
    case 'c':
        options->config_path = argument;
        break;
    case 't':
        mode_set(options, state, SERVER_TEST);
        break;
    case 'p':
        mode_set(options, state, SERVER_PRINT);
        break;
    case KEY_SAMPLE:
        mode_set(options, state, SERVER_SAMPLE);
        break;
    case KEY_MAN:
        mode_set(options, state, SERVER_MAN);
        break;
    case KEY_SCRUB:
        mode_set(options, state, SERVER_SCRUB);
        break;
    case KEY_REPAIR:
        mode_set(options, state, SERVER_REPAIR);
        break;
    case KEY_YES:
        options->yes = true;
        break;
    case KEY_FOUND:
        mode_set(options, state, SERVER_FOUND);
        break;
    case KEY_COMPACT:
        mode_set(options, state, SERVER_COMPACT);
        break;
    case KEY_RESTORE:
        mode_set(options, state, SERVER_RESTORE);
        options->backups = argument;
        break;
    case KEY_UNTIL:
        options->until = argument;
        break;
    case KEY_VERIFY:
        mode_set(options, state, SERVER_VERIFY);
        options->backups = argument;
        break;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", argument);
        break;
    case ARGP_KEY_END:
        if (options->yes && options->mode != SERVER_REPAIR) {
            argp_error(state, "--yes is said to --repair alone");
        }
        if (options->until && options->mode != SERVER_RESTORE) {
            argp_error(state, "--until is said to --restore alone");
        }
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

bool server_options_parse(struct server_options *options, int argc, char **argv,
                          struct proto_fault *fault)
{
    static const struct argp_child children[] = {{&base_config_argp, 0, "Options:", 2}, {0}};
    static const struct argp argp = {own_options, parse_option, NULL, documentation,
                                     children,    NULL,         NULL};
    *options = (struct server_options){.config_path = getenv("ICPD_CONFIG")};
    argp_err_exit_status = EX_USAGE;
    return base_config_init(&options->config, fault) &&
           argp_parse(&argp, argc, argv, 0, NULL, options) == 0;
}

void server_options_fini(struct server_options *options)
{
    base_config_fini(&options->config);
}
