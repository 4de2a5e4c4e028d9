/* SPDX-License-Identifier: Apache-2.0 */
/* The options --as-of and --at: a moment of before. Ownership: borrows. Errors: EX_USAGE, said.
 * Threads: pure but for what it says. */
#ifndef CLI_MOMENT_OPTION_H
#define CLI_MOMENT_OPTION_H

#include "tools/cli/cli.h"

struct as_of {
    uint64_t seq; /* 0: none was given */
    bool timed;   /* known_ms was */
    int64_t known_ms;
};

/* A sequence of the log, or a moment; of a day alone its last one, for a day is as it was when it
 * was over. Without the option nothing is given. Returns EX_OK or EX_USAGE. */
int as_of_read(const struct cli *cli, enum cli_option_id option, struct as_of *as_of);
/* A moment alone, in the same way; *given tells whether there is one. */
int as_of_time(const struct cli *cli, enum cli_option_id option, bool *given, int64_t *ms);
/* Both into a request that has members seq, known and at. */
int as_of_put(const struct cli *cli, enum cli_option_id as_of, enum cli_option_id at,
              struct icp_payload *payload);

#endif
