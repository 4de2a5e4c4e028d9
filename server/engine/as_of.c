/* SPDX-License-Identifier: Apache-2.0 */
/* A value carries the time at which it was true; one of a later time than the moment is not there
 * yet. The account can be gone or damaged. */
#include "server/engine/as_of.h"

bool engine_values_as_of(struct engine_worker *worker, uint32_t slot,
                         const struct engine_as_of *as_of, struct feature_record *record,
                         struct feature_value *values, size_t slots, struct proto_fault *fault)
{
    if (!engine_record(worker, slot, record, fault)) {
        return false;
    }
    feature_record_values(record, values, slots);
    for (size_t i = 0; i < slots; i++) {
        bool timeless = as_of->timeless != NULL && as_of->timeless[i];
        values[i].present =
            values[i].present && (timeless || values[i].time_ms <= as_of->moment_ms);
    }
    return true;
}
