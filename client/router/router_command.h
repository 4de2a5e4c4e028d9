/* SPDX-License-Identifier: Apache-2.0 */
/* The options of icp-router's command line, and its help.
 *
 * Ownership: texts are those of the arguments and of the environment. Errors: false with a sentence
 * that names the option, what was given and what would be right; of an option that is none, getopt
 * has said so on standard error and the sentence is empty. Threads: one, getopt's. */
#ifndef ROUTER_COMMAND_H
#define ROUTER_COMMAND_H

#include "client/router/router_work.h"

struct router_command {
    struct router_options work;
    const char *http_address; /* NULL: not by HTTP */
    unsigned linger_ms;
    bool from_stdin, check, help;
};

extern const char router_help[];

/* What is not given has its default; of help nothing else is checked. */
bool router_command_read(struct router_command *command, int count, char **arguments,
                         struct router_fault *fault);

#endif
