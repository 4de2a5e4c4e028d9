/* SPDX-License-Identifier: Apache-2.0 */
/* Names of kinds, lines of a request one by one, and whether a document is stored: with a fault
 * that is not "there is none" it is, and damaged. */
#include "server/transfer/transfer_parts.h"

#include <string.h>

const struct transfer_shelf transfer_shelves[TRANSFER_KIND_COUNT] = {
#define X(KIND, name, plural) {name, plural},
    TRANSFER_KINDS(X)
#undef X
};

enum store_document_kind transfer_stored_kind(enum transfer_kind kind)
{
    switch (kind) {
    case TRANSFER_SCHEMA:
        return STORE_DOCUMENT_SCHEMA;
    case TRANSFER_ICP:
        return STORE_DOCUMENT_ICP;
    case TRANSFER_LIST:
        return STORE_DOCUMENT_TAL;
    case TRANSFER_METRIC:
        return STORE_DOCUMENT_METRIC;
    case TRANSFER_CHALLENGE:
        return STORE_DOCUMENT_CHALLENGE;
    case TRANSFER_SEGMENT:
        return STORE_DOCUMENT_SEGMENT;
    case TRANSFER_TERM:
        return STORE_DOCUMENT_TERM;
    default:
        return STORE_DOCUMENT_SWITCH;
    }
}

bool transfer_stored(const struct transfer_importing *importing, enum transfer_kind kind,
                     uint32_t number, struct store_change *change)
{
    struct proto_fault fault = {.code = PROTO_OK};
    *change = (struct store_change){0};
    return store_document_get(importing->worker->view, transfer_stored_kind(kind), number, change,
                              &fault) ||
           fault.code != PROTO_NOT_FOUND;
}

bool transfer_line_next(struct proto_span lines, size_t *at, struct proto_span *line)
{
    if (*at >= lines.bytes) {
        return false;
    }
    const uint8_t *from = lines.data + *at;
    const uint8_t *end = memchr(from, '\n', lines.bytes - *at);
    *line = (struct proto_span){from, end == NULL ? lines.bytes - *at : (size_t)(end - from)};
    *at += line->bytes + 1;
    return true;
}
