/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <sysexits.h>

#include "bench/bench_cli.h"

int bench_fail(const struct proto_fault *fault)
{
    fprintf(stderr, "icp-bench: %s%s%s\n", fault->field, fault->field[0] != '\0' ? ": " : "",
            fault->message);
    return fault->code == PROTO_BAD_CONFIG ? EX_USAGE : EX_SOFTWARE;
}
