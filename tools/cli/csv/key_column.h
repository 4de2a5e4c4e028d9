/* SPDX-License-Identifier: Apache-2.0 */
/* Which column of a CSV file holds which key, as "domain=website" on the command line or in a
 * schema; and the key that a cell gives. A website or email address in a column of the key domain
 * becomes its host, without "www."; pages on hosts that many organisations share, and free-mail
 * domains, give no key. A host that is alone in its file below a registrable domain stands for that
 * by a second key (identity/domain.h); who is alone is known once the whole file was looked at.
 * Ownership: plain values; the set of hosts copies its texts. Errors: USAGE, with what was meant.
 * Threads: one. */
#ifndef CLI_KEY_COLUMN_H
#define CLI_KEY_COLUMN_H

#include "server/feature/schema.h"
#include "server/identity/domain.h"
#include "tools/cli/csv/csv_input.h"
#include "tools/cli/csv/text_count.h"

struct key_column {
    char name_space[FEATURE_NAMESPACE_BYTES_MAX + 1];
    size_t column;
};

/* Parses NAMESPACE=COLUMN; `option` is for the message. */
bool key_column_parse(const struct csv_input *input, const char *option, const char *text,
                      struct key_column *key, struct proto_fault *fault);
/* The column name nearest to a mistyped one; NULL if none is near. */
const char *csv_column_nearest(const struct csv_input *input, const char *name);
/* Faults: the file has no column of the name that `option` gave, but perhaps one near to it.
 * Returns false. */
bool csv_column_absent(const struct csv_input *input, const char *option, const char *name,
                       struct proto_fault *fault);

/* Room for a key and its zero end. */
#define KEY_BYTES (PROTO_ID_BYTES_MAX + 1)

enum key_outcome {
    KEY_MADE,    /* out is namespace:value */
    KEY_EMPTY,   /* the cell is empty or a missing word */
    KEY_SHARED,  /* a host of many organisations; out is the host */
    KEY_FREE,    /* a free-mail domain; out is the host */
    KEY_NONSENSE /* no domain in it, or too long; out is the text, cut */
};
enum key_outcome key_column_make(const struct key_column *key, struct proto_span cell,
                                 char out[KEY_BYTES]);

/* For a key of the namespace domain an address at the host of the cell, by which the server finds
 * whoever an address there belongs to: the host's account, or one above it. False: no such key. */
bool key_column_address(const struct key_column *key, struct proto_span cell, char out[KEY_BYTES]);
/* Whether the cell is an address, whose host need not be the company's own name. */
bool key_column_is_address(const struct key_column *key, struct proto_span cell);

/* The hosts of a file that lie below a registrable domain, and how many there are of each. */
struct key_hosts {
    struct text_count hosts;
    struct text_count domains;
};

void key_hosts_init(struct key_hosts *hosts);
void key_hosts_fini(struct key_hosts *hosts);
/* Goes through the file and rewinds it; false: no memory (*fault set). */
bool key_hosts_gather(struct key_hosts *hosts, struct csv_input *input,
                      const struct key_column *keys, size_t key_count, struct proto_fault *fault);
/* The second key of a cell; false if it has none. */
bool key_column_above(const struct key_column *key, const struct key_hosts *hosts,
                      struct proto_span cell, char out[KEY_BYTES]);
/* Whether a key is such a second one: another account may have it, and that is no mistake. */
bool key_is_above(const char *key);

#endif
