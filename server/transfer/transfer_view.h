/* SPDX-License-Identifier: Apache-2.0 */
/* All that one view sees, as lines. Ownership: borrowed for the call. Errors: those of the store;
 * what is damaged is no error, but a line that says so. Threads: the view's. */
#ifndef TRANSFER_VIEW_H
#define TRANSFER_VIEW_H

#include "server/store/store.h"
#include "server/transfer/transfer.h"
#include "server/transfer/transfer_text.h"

struct transfer_writing {
    struct store_view *view;
    struct transfer_text text;
    struct transfer_exported *exported;
    /* Told how far it is; false ends the writing. */
    bool (*goes_on)(void *context, double done);
    void *context;
    struct proto_fault *fault;
};

bool transfer_view_write(struct transfer_writing *writing);

#endif
