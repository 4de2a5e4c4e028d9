/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/config.h"
#include "tools/reference/reference.h"

void reference_page_options(FILE *out)
{
    reference_title(out, "Options of icpd", "server/base/config.def");
    (void)fputs(
        "A file says `name = value`, the environment `ICPD_NAME=value` (in capitals), a flag "
        "`--name value` (with dashes); the later wins. Bytes take K, M, G and T (powers of "
        "1024), times ms, s, m and h. See [operating.md](../operating.md).\n\n",
        out);
    base_config_reference(out);
}
