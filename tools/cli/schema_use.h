/* SPDX-License-Identifier: Apache-2.0 */
/* Who uses a field: ICP versions, by their fields and their label, target account lists, by the
 * filter that they were built with, and segments that are kept, by theirs.
 *
 * Ownership: the uses own their texts. Errors: exit statuses, messages printed; a version that
 * cannot be read is told, a list or segment that is damaged is passed over. Threads: one. Cost: a
 * request for each ICP version. */
#ifndef CLI_SCHEMA_USE_H
#define CLI_SCHEMA_USE_H

#include "server/feature/schema.h"
#include "tools/cli/cli.h"

struct schema_user {
    char *text;    /* "ICP version 3 (active)", "list 2027-q1" */
    uint16_t *ids; /* of fields, ascending */
    size_t count;
};

struct schema_use {
    struct schema_user *list;
    size_t count, room;
};

/* schema: as it is in force. */
int schema_use_read(struct schema_use *use, const struct cli *cli, struct icp_client *client,
                    const struct feature_schema *schema);
/* Who uses the field, with a comma between, the first few of them; "" nobody. Returned, caller
 * frees; NULL: no memory. */
char *schema_use_text(const struct schema_use *use, const struct feature_field *field);
void schema_use_fini(struct schema_use *use);

#endif
