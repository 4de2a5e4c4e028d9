/* SPDX-License-Identifier: Apache-2.0 */
/* The values of an account are read once, for a field or for a score. A base without an ICP needs a
 * field, or is told that fit is not known. */
#include "server/lifecycle/lifecycle_fit.h"

#include <stdio.h>

#include "server/engine/walk.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/measure/tenth.h"

bool lifecycle_fit_read(const struct lifecycle_request *request, bool *known,
                        struct proto_fault *fault)
{
    static const char *const words[] = {"score", "none"};
    size_t place = 0;
    bool good = lifecycle_word(request, "fit", words, 2, &place, fault);
    *known = place == 0;
    return good;
}

bool lifecycle_fit_open(struct lifecycle_fit *fit, struct lifecycle_run *run, bool known,
                        struct proto_fault *fault)
{
    const struct proto_span none = {NULL, 0};
    *fit = (struct lifecycle_fit){.worker = run->worker};
    if (!lifecycle_field_find(run->worker, run->request->by, "by", false, &fit->by, fault)) {
        return false;
    }
    fit->tenths = fit->by == NULL && known;
    if (fit->by != NULL) {
        return lifecycle_segments_begin(&fit->names, fault);
    }
    return !fit->tenths || engine_expression_open(run->worker, none, run->request->icp, true,
                                                  &fit->expression, fault);
}

void lifecycle_fit_close(struct lifecycle_fit *fit)
{
    engine_expression_close(&fit->expression);
    lifecycle_names_fini(&fit->names);
}

bool lifecycle_fit_enter(struct lifecycle_fit *fit, uint32_t slot, struct proto_fault *fault)
{
    struct engine_worker *worker = fit->worker;
    uint32_t number = 0;
    if (fit->by == NULL && !fit->tenths) {
        return true;
    }
    if (!engine_values(worker, slot, NULL, fault)) {
        return lifecycle_fault_of(worker, slot, fault);
    }
    if (fit->tenths) {
        return engine_values_raw(worker, fit->expression.document, &fit->value, fault);
    }
    bool good = lifecycle_segment_of(&fit->names, worker, fit->by, &number, fault);
    fit->value = number;
    return good;
}

void lifecycle_tenth_text(uint32_t tenth, char text[LIFECYCLE_FIT_BYTES])
{
    (void)snprintf(text, LIFECYCLE_FIT_BYTES, "fit %u of %d", tenth + 1, MEASURE_TENTHS);
}
