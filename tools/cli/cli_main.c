/* SPDX-License-Identifier: Apache-2.0 */
/* Text is UTF-8 whatever the user's locale is, for the data are; numbers keep their point. */
#include <locale.h>

#include "tools/cli/cli.h"

int main(int count, char **arguments)
{
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    return cli_run(count, arguments);
}
