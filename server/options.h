/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of icpd: what to do, which file to read, and a flag for every option. */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include "server/base/config.h"

enum server_mode {
    SERVER_SERVE,
    SERVER_TEST,    /* -t: check the configuration and end */
    SERVER_PRINT,   /* -p: print the effective configuration and end */
    SERVER_SAMPLE,  /* --sample-config: print a file of all options, commented out, and end */
    SERVER_MAN,     /* --man: print the manual page and end */
    SERVER_SCRUB,   /* --scrub: check every checksum of the store and end */
    SERVER_RESTORE, /* --restore: make the store from a directory of backups and end */
    SERVER_REPAIR,  /* --repair: say what is to be given up, or make a sound store, and end */
    SERVER_COMPACT, /* --compact: write the tables anew without free pages and end */
    SERVER_FOUND,   /* --found-log: make the shared log of a cluster and end */
    SERVER_VERIFY,  /* --verify-backup: read a directory of backups whole and end */
};

struct server_options {
    enum server_mode mode;
    const char *config_path; /* of argv or the environment; NULL: no file */
    const char *backups;     /* directory of --restore or --verify-backup */
    const char *until;       /* of --restore; NULL: all of it */
    bool yes;                /* --repair is to be done */
    struct base_config config;
};

/* Flags are taken over into config; file and environment are left to the caller. A usage error ends
 * the process with EX_USAGE, as argp does. fini is allowed also after a failure. */
bool server_options_parse(struct server_options *options, int argc, char **argv,
                          struct proto_fault *fault);
/* The flags that are no options of the configuration; a row without a name ends them. */
const struct argp_option *server_options_own(void);
void server_options_fini(struct server_options *options);

#endif
