/* SPDX-License-Identifier: Apache-2.0 */
/* The first fault of a reader, with the byte at which it stands. */
#include <stdarg.h>
#include <stdio.h>

#include "server/foreign/foreign_read.h"

bool foreign_fail(struct foreign_reader *reader, size_t at, const char *format, ...)
{
    char message[sizeof reader->fault->message];
    if (!reader->failed) {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(message, sizeof message, format, arguments);
        va_end(arguments);
        proto_fault_set(reader->fault, PROTO_BAD_DOCUMENT, "", "%s", message);
        reader->failed = true;
        reader->failed_at = at;
    }
    return false;
}
