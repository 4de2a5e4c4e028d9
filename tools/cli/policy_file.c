/* SPDX-License-Identifier: Apache-2.0 */
/* The file is read whole and read as the server will read it; one that is missing, too long or no
 * policy ends here. */
#include "tools/cli/policy_file.h"

#include <stdlib.h>

#include "server/measure/policy.h"
#include "tools/cli/csv/csv_input.h"

int policy_file_read(const struct cli *cli, const char *path, char **text)
{
    struct proto_fault fault = {.code = PROTO_OK};
    size_t bytes = 0;
    *text = NULL;
    uint8_t *data = csv_file_read(path, PROTO_POLICY_BYTES_MAX, &bytes, &fault);
    if (data == NULL) {
        return cli_file_fault(cli, &fault);
    }
    struct measure_policy *policy = measure_policy_read((struct proto_span){data, bytes}, &fault);
    if (policy == NULL) {
        free(data);
        return cli_fail(cli, fault.code == PROTO_NO_MEMORY ? EX_OSERR : EX_DATAERR, "%s: %s%s%s%s",
                        path, fault.message, fault.field[0] != '\0' ? " (" : "", fault.field,
                        fault.field[0] != '\0' ? ")" : "");
    }
    measure_policy_destroy(policy);
    *text = strndup((const char *)data, bytes);
    free(data);
    return *text != NULL ? EX_OK : cli_fail(cli, EX_OSERR, "no memory for the policy");
}
