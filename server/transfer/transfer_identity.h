/* SPDX-License-Identifier: Apache-2.0 */
/* The line of an identity entry: number and time, what was said, by whom and why. Ownership: what
 * is read borrows from the line's JSON. Errors: PROTO_BAD_FIELD with line and column. Threads:
 * pure. */
#ifndef TRANSFER_IDENTITY_H
#define TRANSFER_IDENTITY_H

#include "server/identity/identity_entry.h"
#include "server/transfer/transfer_line.h"
#include "server/transfer/transfer_text.h"

/* gone: it counts for nobody, for a record that it names was deleted. */
void transfer_identity_write(struct transfer_text *text, uint32_t number, int64_t time_ms,
                             const struct identity_entry *entry, bool gone);
bool transfer_identity_read(const struct transfer_line *line, uint32_t *number, int64_t *time_ms,
                            struct identity_entry *entry, bool *gone, struct proto_fault *fault);

#endif
