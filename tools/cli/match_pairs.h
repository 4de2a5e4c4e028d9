/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of stored accounts that may be one: which of them somebody has called never, and saying by
 * identity entries what a review came to (docs/identity.md).
 *
 * Ownership: as stated. Errors: exit statuses, messages printed. Threads: one. Cost: reading the
 * entries of the server, a thousand a request. */
#ifndef CLI_MATCH_PAIRS_H
#define CLI_MATCH_PAIRS_H

#include "tools/cli/cli.h"
#include "tools/cli/match_sheet.h"

/* What the key of a row is, before the id of the first of a pair. */
#define MATCH_PAIR_KEY "account:"

/* Pairs that a never which stands keeps apart. */
struct match_nevers {
    char **list; /* "a\x1fb", a before b, in order */
    size_t count, capacity;
};

int match_nevers_read(const struct cli *cli, struct icp_client *client,
                      struct match_nevers *nevers);
bool match_nevers_has(const struct match_nevers *nevers, const char *a, const char *b);
void match_nevers_fini(struct match_nevers *nevers);

/* Whether the sheet is one of pairs: all of one, or none. */
bool match_pairs_are(const struct sheet *sheet);
/* Says a link for each `yes` of the sheet, a never for each `never`, of pairs of which it is not
 * said yet: a sheet that was sent before sends nothing. */
int match_pairs_say(const struct cli *cli, const struct sheet *sheet);

#endif
