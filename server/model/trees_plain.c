/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel for any processor, by which the others are judged, and which of them this processor
 * runs. Nothing can fail. */
#define MODEL_BODY_BYTES 16
#include "server/model/trees_body.h"
#include "server/model/trees_shap_body.h"

const struct model_trees_kernel model_trees_plain = {"plain", body_add, shap_add};

const struct model_trees_kernel *const *model_trees_kernels(size_t *count)
{
    static const struct model_trees_kernel *const all[] = {
        &model_trees_plain,
#ifdef __x86_64__
        &model_trees_avx2,
        &model_trees_avx512,
#endif
    };
    *count = 1;
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        *count = 2;
        *count += __builtin_cpu_supports("avx512f") != 0;
    }
#endif
    return all;
}
