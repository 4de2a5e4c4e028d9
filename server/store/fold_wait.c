/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that is committed is sealed by the writer, then folded by the folder; whoever asked
 * waits for both. */
#include "server/store/store_parts.h"

bool store_fold_wait(struct store *store, struct proto_fault *fault)
{
    struct store_result result = {.fault.code = PROTO_OK};
    if (store_queue_seal(store, &result)) {
        return store_folder_wait(store, result.seq, fault);
    }
    *fault = result.fault;
    return false;
}
