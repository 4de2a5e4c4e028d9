/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/cli/cli.h"

int main(int count, char **arguments)
{
    return cli_run(count, arguments);
}
