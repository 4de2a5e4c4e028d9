/* SPDX-License-Identifier: Apache-2.0 */
/* What both kinds of files share: the next token by kind, a value passed over, the members of an
 * object handed out one by one. Where a token is not the one that is wanted, or the file ends
 * within a value, the place is told; after a fault there is no further token. */
#include "server/foreign/foreign_read.h"

#include <stdio.h>
#include <string.h>

void foreign_reader_init(struct foreign_reader *reader, struct proto_span bytes, bool binary,
                         struct proto_fault *fault)
{
    memset(reader, 0, sizeof *reader);
    reader->data = bytes.data;
    reader->bytes = bytes.bytes;
    reader->binary = binary;
    reader->fault = fault;
}

enum foreign_token foreign_next(struct foreign_reader *reader)
{
    if (reader->failed) {
        return FOREIGN_FAILED;
    }
    reader->start = reader->at;
    return reader->binary ? foreign_ubjson_next(reader) : foreign_json_next(reader);
}

bool foreign_skip(struct foreign_reader *reader, enum foreign_token token)
{
    size_t open = 0;
    for (;; token = foreign_next(reader)) {
        if (token == FOREIGN_FAILED || token == FOREIGN_END) {
            return foreign_fail(reader, reader->start, "the file ends within a value");
        }
        open += token == FOREIGN_OBJECT || token == FOREIGN_ARRAY;
        open -= token == FOREIGN_OBJECT_END || token == FOREIGN_ARRAY_END;
        if (open == 0 && token != FOREIGN_KEY) {
            return true;
        }
    }
}

bool foreign_pass(struct foreign_reader *reader)
{
    return foreign_skip(reader, foreign_next(reader));
}

bool foreign_text_is(const struct foreign_reader *reader, const char *text)
{
    return strcmp(reader->text, text) == 0;
}

bool foreign_want(struct foreign_reader *reader, enum foreign_token token, const char *what)
{
    return foreign_next(reader) == token ||
           foreign_fail(reader, reader->start, "%s is wanted here", what);
}

bool foreign_object(struct foreign_reader *reader, const char *what,
                    bool (*on_member)(void *context, struct foreign_reader *reader), void *context)
{
    char wanted[160];
    (void)snprintf(wanted, sizeof wanted, "%s, an object,", what);
    return foreign_want(reader, FOREIGN_OBJECT, wanted) &&
           foreign_members(reader, what, on_member, context);
}

bool foreign_members(struct foreign_reader *reader, const char *what,
                     bool (*on_member)(void *context, struct foreign_reader *reader), void *context)
{
    for (;;) {
        enum foreign_token token = foreign_next(reader);
        if (token == FOREIGN_OBJECT_END) {
            return true;
        }
        if (token != FOREIGN_KEY) {
            return foreign_fail(reader, reader->start, "a member of %s is wanted here", what);
        }
        if (!on_member(context, reader)) {
            return false;
        }
    }
}
