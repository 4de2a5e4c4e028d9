/* SPDX-License-Identifier: Apache-2.0 */
/* Head and foot of a backup file as bytes; backup_file.h draws them. Errors: PROTO_CORRUPT.
 * Threads: pure. */
#ifndef BACKUP_LAYOUT_H
#define BACKUP_LAYOUT_H

#include "server/backup/backup_file.h"

#define BACKUP_ENTRY_BYTES 16 /* before its value */
#define BACKUP_BATCH_BYTES 32 /* before its commands */

enum backup_record_kind { BACKUP_RECORD_ENTRY = 1, BACKUP_RECORD_BATCH, BACKUP_RECORD_END };

void backup_head_encode(const struct backup_head *head, uint8_t bytes[BACKUP_HEAD_BYTES]);
bool backup_head_decode(const uint8_t bytes[BACKUP_HEAD_BYTES], struct backup_head *head,
                        struct proto_fault *fault);
void backup_foot_encode(const struct backup_foot *foot, uint8_t bytes[BACKUP_FOOT_BYTES]);
bool backup_foot_decode(const uint8_t bytes[BACKUP_FOOT_BYTES], struct backup_foot *foot,
                        struct proto_fault *fault);

#endif
