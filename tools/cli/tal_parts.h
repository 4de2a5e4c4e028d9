/* SPDX-License-Identifier: Apache-2.0 */
/* What `icp tal build` reads from files: owners or segments (name, filter and a number), and
 * accounts to leave out (columns id, key, domain, any of them). Ownership: the parts own their
 * texts. Errors: told with file, line and column; exit statuses. Threads: one. */
#ifndef CLI_TAL_PARTS_H
#define CLI_TAL_PARTS_H

#include "tools/cli/cli.h"

struct tal_part {
    char *name;
    char *filter;
    uint64_t limit;
};

struct tal_parts {
    struct tal_part parts[PROTO_TAL_PARTS_MAX];
    size_t count;
};

/* A CSV file with the columns name, filter (may be absent: every account) and `limit`. */
int tal_parts_read(const struct cli *cli, const char *path, const char *limit,
                   struct tal_parts *parts);
void tal_parts_fini(struct tal_parts *parts);
/* As the list `key` of the request. */
void tal_parts_write(const struct tal_parts *parts, const char *key, const char *limit,
                     struct icp_payload *payload);

/* A CSV file of accounts as exclude_ids, exclude_keys and exclude_domains of the request. */
int tal_exclude_write(const struct cli *cli, const char *path, struct icp_payload *payload);

#endif
