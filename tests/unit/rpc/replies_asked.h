/* SPDX-License-Identifier: Apache-2.0 */
/* What test_replies.c asks, in this order: until each field of each reply has been written once.
 * Requests are texts of JSON; those behind others rely on what these left. */
#ifndef REPLIES_ASKED_H
#define REPLIES_ASKED_H

#include <stddef.h>

#include "proto/table.h"

struct replies_asked {
    enum proto_op op;
    const char *request;
};

extern const struct replies_asked replies_asked[];
extern const size_t replies_asked_count;

#endif
