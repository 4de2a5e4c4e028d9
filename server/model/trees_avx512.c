/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled with -mavx512f (CMakeLists.txt); runs only where model_trees_kernels has seen it
 * supported. */
#include "server/model/trees_plan.h"

#ifdef __x86_64__
#define MODEL_BODY_BYTES 64
#include "server/model/trees_body.h"
#include "server/model/trees_shap_body.h"

const struct model_trees_kernel model_trees_avx512 = {"avx512", body_add, shap_add};
#endif
